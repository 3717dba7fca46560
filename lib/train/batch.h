/* A minibatch as the derivatives see it: the valid transitions of one or more whole trajectories, one after another.
 * Rows that are no transitions (resets, void episodes) are not there, so nothing downstream knows of masks. */
#ifndef BLPO_TRAIN_BATCH_H
#define BLPO_TRAIN_BATCH_H

#include "core/memory.h"
#include "rl/rollout.h"

typedef struct blpo__batch {
    int64_t n;          /* transitions */
    int64_t n_states;   /* n, plus the observations that followed a step without being the s of the next one */
    int64_t n_trajectories;
    int64_t *start;     /* [n_trajectories + 1] first transition of each */
    real *state;        /* [n_states][obs_dim]: rows 0 .. n - 1 are s_t */
    int64_t *next;      /* [n] row of s'_t in state */
    int64_t *source;    /* [n] index into the [n_envs][n_steps] arrays of the rollout */
    double *discount;   /* [n] gamma (1 - d_t) */
    double *keep;       /* [n] gamma lambda (1 - d_t)(1 - c_t); 0 at the end of a trajectory */
    double *reward;     /* [n] scaled */
    double *share;      /* [n] weight in a mean over trajectories of means over steps: 1 / (n_trajectories T_i) */
} blpo__batch;

void blpo__batch_create(blpo__batch *batch, int64_t n_trajectories, int64_t n_steps, int64_t obs_dim, blpo__memory *memory);

/* Gathers the trajectories of these environments; one without a valid transition is left out, and n may be 0. */
void blpo__batch_gather(blpo__batch *batch, const blpo_rollout *rollout, const int64_t *env, int64_t n_envs,
                        double gamma, double gae_lambda, double reward_scale);

/* A[n] from values of all states: A_t = delta_t + keep_t A_{t+1} (rl/gae.c). */
void blpo__batch_advantages(const blpo__batch *batch, const real *value, double *advantage);

#endif
