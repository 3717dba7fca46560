/* A Garnet as an environment of the library: one-hot observations, a policy that is an affine function of them. */
#ifndef STUDIES_THEORY_WALK_H
#define STUDIES_THEORY_WALK_H

#include "game.h"

#include <blpo/blpo.h>

typedef struct walk {
    const garnet *process;
    double cut;     /* chance that a step is the last of its episode: truncated, and begun again from process->start */
    uint64_t state; /* of the numbers drawn */
    int64_t at;
} walk;

/* One environment; cut 0: it goes on for ever. Process and walk are borrowed. */
void walk_env(walk *w, const garnet *process, double cut, uint64_t seed, blpo_env *out);

/* A policy without hidden layers with logits theta(s, a): weight[a][s] = theta(s, a), bias 0. The caller's. */
blpo_policy *walk_policy(const double theta[THETA]);

/* The derivative in theta, out of one in the parameters of that policy: weight[a][s] is theta(s, a). Biases are left out. */
void walk_theta(const study_real *parameters, double theta[THETA]);

/* A critic that is linear in the features of a game, with the weights w of that game. The game is borrowed, the critic the
 * caller's. */
blpo_critic *walk_critic(game *g);

#endif
