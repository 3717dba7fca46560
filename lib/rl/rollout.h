/* The rollout buffer as trainers see it. */
#ifndef BLPO_RL_ROLLOUT_H
#define BLPO_RL_ROLLOUT_H

#include "core/host.h"
#include "core/real.h"

#include <blpo/rollout.h>

struct blpo_rollout {
    blpo__host host;
    blpo_rollout_config config;
    int64_t length;           /* steps held by every environment */
    int64_t action_width;     /* numbers an action row has: 1, or action_n */
    real *obs, *next_obs;     /* [n_envs][n_steps][obs_dim] */
    int64_t *discrete_action; /* [n_envs][n_steps], or NULL */
    real *continuous_action;  /* [n_envs][n_steps][action_n], or NULL */
    real *log_prob, *reward;  /* [n_envs][n_steps] */
    uint8_t *terminated, *truncated, *masked; /* [n_envs][n_steps] */
    blpo_error error;
    blpo__busy busy;
};

int blpo__rollout_check(blpo_error *error, const blpo_rollout_config *config);

/* Index of a transition in the [n_envs][n_steps] arrays. */
static inline int64_t blpo__rollout_at(const blpo_rollout *rollout, int64_t env, int64_t step)
{
    return env * rollout->config.n_steps + step;
}

/* Checks every row of a step (the contract of blpo_rollout_push()) without appending: BLPO_OK or the error recorded in
 * `error` with environment, step and element. */
int blpo__rollout_check_step(const blpo_rollout *rollout, const blpo_rollout_step *step, blpo_error *error);

/* Appends rows that were checked. */
void blpo__rollout_append(blpo_rollout *rollout, const blpo_rollout_step *step);

/* Address of an action row: const int64_t * or const real *. */
const void *blpo__rollout_action(const blpo_rollout *rollout, int64_t at);

#endif
