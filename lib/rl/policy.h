/* Policies inside the library. */
#ifndef BLPO_RL_POLICY_H
#define BLPO_RL_POLICY_H

#include "core/host.h"
#include "nn/mlp.h"
#include "rl/distribution.h"

#include <blpo/policy.h>

#define BLPO__MAX_LOG_STD 20.0

struct blpo_policy {
    blpo__host host;
    blpo__mlp mlp;
    int64_t obs_dim;
    blpo_action_space action; /* bounds in memory of the policy; NULL where there are none, and for discrete actions */
    int64_t n_parameters;
    real *parameters;         /* [n_parameters] network, then log_std [action.n] (Gaussian) */
    real *turned;             /* the network's for inference: blpo__mlp_turn(), by blpo__policy_changed() */
    blpo__guard guard; /* of the parameters */
};

/* Checks without an allocation; fields are named "action.kind", "action.n", "action.low", "action.high". */
int blpo__action_space_check(blpo_error *error, const blpo_action_space *space);

/* obs_dim on its own: BLPO_OK, BLPO_ERR_CONFIG, or BLPO_ERR_SIZE when its product with the first layer does not fit. */
int blpo__obs_dim_check(blpo_error *error, int64_t obs_dim, const blpo_network *network, int64_t n_outputs);

/* Every rule of the settings. Fills *n_parameters, log_std included. */
int blpo__policy_check(blpo_error *error, const blpo_policy_config *config, int64_t *n_parameters);

/* Parameters as blpo_policy_set_parameters() wants them: BLPO_OK, BLPO_ERR_NONFINITE, or BLPO_ERR_ARGUMENT for a log_std. */
int blpo__policy_check_parameters(const real *parameters, int64_t n, int64_t n_log_std);

/* Memory of a policy whose settings and runtime were checked; parameters are 0. BLPO_OK or BLPO_ERR_NOMEM. */
int blpo__policy_new(const blpo_policy_config *config, const blpo_runtime *runtime, blpo_policy **out);

/* Fresh parameters: the slow part of create, which a trainer leaves until it has all its memory. BLPO_OK or BLPO_ERR_NOMEM. */
int blpo__policy_initialise(blpo_policy *policy, uint64_t seed, double log_std);

/* To be called after every change of the parameters. */
void blpo__policy_changed(blpo_policy *policy);

int64_t blpo__policy_n_log_std(const blpo_policy *policy);
blpo__distribution blpo__policy_distribution(const blpo_policy *policy);

/* output [n][action.n] of observations that are finite. BLPO_OK; BLPO_ERR_NONFINITE, with part of the output written. */
int blpo__policy_outputs(const blpo_policy *policy, const real *obs, int64_t n, real *output);

/* Clips n rows of actions to the bounds; nothing to do without any. */
void blpo__policy_clip(const blpo_policy *policy, void *actions, int64_t n);

#endif
