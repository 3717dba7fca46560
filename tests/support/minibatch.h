/* A trainer in the state that a vector file describes: its networks, and rollouts filled with its trajectories. */
#ifndef BLPO_TESTS_MINIBATCH_H
#define BLPO_TESTS_MINIBATCH_H

#include "networks.h"

#include "train/trainer.h"

typedef struct minibatch {
    const vec_file *file;
    blpo_policy *policy;
    blpo_critic *critic;
    blpo_trainer *trainer;
    int64_t n_envs, n_steps, obs_dim;
    int64_t n_actor, n_critic; /* parameters */
    real *returns;             /* [n_envs][n_steps] as in the file */
} minibatch;

/* Trajectories are the records PREFIX.obs ... with PREFIX "" (one), or trajectory.0., trajectory.1. ... */
minibatch minibatch_new(const vec_file *file);
void minibatch_free(minibatch *m);

/* The game of trajectory 0, with the returns of the file and the parameters of the handles, loaded and linearised. */
blpo__game *minibatch_game(minibatch *m, real *direct, real *response);

#endif
