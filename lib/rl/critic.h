/* Critics inside the library. */
#ifndef BLPO_RL_CRITIC_H
#define BLPO_RL_CRITIC_H

#include "core/host.h"
#include "nn/mlp.h"

#include <blpo/critic.h>

struct blpo_critic {
    blpo__host host;
    blpo__mlp mlp;
    int64_t obs_dim;
    int64_t n_features;        /* 0: mlp is the network, on observations; else mlp is linear, on features */
    blpo_features_fn features; /* NULL: the observation is its own features */
    void *features_user;
    int64_t n_parameters;
    real *parameters; /* [n_parameters] */
    real *turned;     /* those of a network for inference: blpo__mlp_turn(), by blpo__critic_changed(); of features: NULL */
    blpo__guard guard; /* of the parameters */
};

/* V is linear in the parameters, and g quadratic. */
static inline int blpo__critic_is_linear(const blpo_critic *critic)
{
    return critic->mlp.n_layers == 1;
}

/* Every rule of the settings, without an allocation. */
int blpo__critic_check(blpo_error *error, const blpo_critic_config *config, int64_t *n_parameters);

/* As blpo__policy_new() and blpo__policy_initialise(). */
int blpo__critic_new(const blpo_critic_config *config, const blpo_runtime *runtime, blpo_critic **out);
int blpo__critic_initialise(blpo_critic *critic, uint64_t seed);

/* To be called after every change of the parameters. */
void blpo__critic_changed(blpo_critic *critic);

/* value [n] of observations that are finite. BLPO_OK; BLPO_ERR_NONFINITE or BLPO_ERR_CALLBACK, with part of the values
 * written. */
int blpo__critic_values(const blpo_critic *critic, const real *obs, int64_t n, real *value);

/* phi [n][n_features] of a critic with n_features > 0, not checked: 0, or what the callback returned. */
int blpo__critic_features(const blpo_critic *critic, const real *obs, int64_t n, real *phi);

#endif
