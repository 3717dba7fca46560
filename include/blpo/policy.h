/** @file policy.h
 *  Policies: what acts. Usable alone: load, act. */
#ifndef BLPO_POLICY_H
#define BLPO_POLICY_H

#include <blpo/checkpoint.h>
#include <blpo/env.h>
#include <blpo/export.h>
#include <blpo/network.h>
#include <blpo/runtime.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A stochastic policy pi(a|s): a network, and a categorical or diagonal Gaussian distribution on top of it.
 *
 *  Categorical: the network's outputs are logits. Gaussian: they are the mean; log_std is a parameter per action
 *  dimension that does not depend on the state and follows the network in the flat array.
 *  Functions that take it as const may run in any number of threads at once and do not allocate; not while a thread changes
 *  it, by set_parameters or as the policy of a trainer that updates or loads. There is no error record: the code is all
 *  that they say. */
typedef struct blpo_policy blpo_policy;

/** Settings of a policy. */
typedef struct blpo_policy_config {
    size_t struct_size;        /**< set by blpo_policy_config_init() */
    int64_t obs_dim;           /**< >= 1; no default */
    blpo_action_space action;  /**< no default; n at most 8192 */
    blpo_network network;      /**< default 64-64 tanh, output_gain 0.01 */
    double initial_log_std;    /**< Gaussian: every log_std at the start, in [-20, 20], default 0 */
    uint64_t seed;             /**< keys the initial weights; default 0 */
    /* -- above: 0.1. Append only; for what is appended, 0 keeps the older behaviour. -- */
} blpo_policy_config;

/** How blpo_policy_act() chooses. */
typedef enum blpo_act_mode {
    BLPO_SAMPLE = 0,       /**< draw from the distribution */
    BLPO_DETERMINISTIC = 1 /**< its mode: the likeliest action (the lowest index among equals), or the mean */
} blpo_act_mode;

/** Fills the first struct_size bytes, never more, with defaults.
 *  @param config  to be filled. @param struct_size  sizeof(blpo_policy_config) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size smaller than that of 0.1. Any thread. Since 0.1. */
BLPO_API int blpo_policy_config_init(blpo_policy_config *config, size_t struct_size);

/** Makes a policy with fresh weights.
 *  @param config  settings, copied. @param runtime  copied; NULL: defaults.
 *  @param out  receives the policy, owned by the caller; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION; BLPO_ERR_CONFIG (field named in runtime->error); BLPO_ERR_SIZE;
 *          BLPO_ERR_NOMEM. Since 0.1. */
BLPO_API int blpo_policy_create(const blpo_policy_config *config, const blpo_runtime *runtime, blpo_policy **out);

/** Frees a policy. @param policy  NULL does nothing. No handle may still borrow it. Since 0.1. */
BLPO_API void blpo_policy_destroy(blpo_policy *policy);

/** Chooses actions for n observations.
 *  @param policy   read-only.
 *  @param obs      [n][obs_dim].
 *  @param n        rows, 1 .. 2147483647 / max(obs_dim, action.n).
 *  @param mode     a blpo_act_mode.
 *  @param random   stream for BLPO_SAMPLE: row i draws with counter + i; advanced by n. May be NULL with BLPO_DETERMINISTIC.
 *  @param action   discrete: int64_t [n]; continuous: float [n][action.n], clipped to the bounds. Untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT (n, mode); BLPO_ERR_NONFINITE (an observation, or an output of the
 *          network, is not finite). Equal calls give equal bits; the same row in calls of different n may differ in its
 *          last bits, since few rows and many are multiplied by other kernels, which sum in another order.
 *  No allocation; any number of threads. Since 0.1. */
BLPO_API int blpo_policy_act(const blpo_policy *policy, const float *obs, int64_t n, int mode, blpo_random *random,
                             void *action);

/** Log-probabilities log pi(a|s) of given actions (continuous: as given, no clip).
 *  @param policy  read-only. @param obs [n][obs_dim]. @param action  as written by blpo_policy_act().
 *  @param n  rows, as in blpo_policy_act(). @param log_prob [n] out; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT (n, or an action index out of range); BLPO_ERR_NONFINITE (an observation,
 *          an action, an output of the network, or a log-probability that no float holds).
 *  No allocation; any number of threads. Since 0.1. */
BLPO_API int blpo_policy_log_prob(const blpo_policy *policy, const float *obs, const void *action, int64_t n,
                                  float *log_prob);

/** Entropies of pi(.|s) in nats.
 *  @param policy  read-only. @param obs [n][obs_dim]. @param n  rows, as in blpo_policy_act().
 *  @param entropy [n] out; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT (n); BLPO_ERR_NONFINITE (an observation, or an output of the network).
 *  No allocation; any number of threads. Since 0.1. */
BLPO_API int blpo_policy_entropy(const blpo_policy *policy, const float *obs, int64_t n, float *entropy);

/** @param policy  NULL gives 0. @return length of the flat parameter array: network, then log_std. Since 0.1. */
BLPO_API int64_t blpo_policy_n_parameters(const blpo_policy *policy);

/** @param policy  NULL gives 0. @return obs_dim. Since 0.1. */
BLPO_API int64_t blpo_policy_obs_dim(const blpo_policy *policy);

/** The action space of a policy.
 *  @param policy  read-only. @param out  filled; its bounds point into the policy.
 *  @return BLPO_OK; BLPO_ERR_NULL. Since 0.1. */
BLPO_API int blpo_policy_action_space(const blpo_policy *policy, blpo_action_space *out);

/** Copies all parameters out.
 *  @param policy  read-only. @param parameters [n] out. @param n  must be blpo_policy_n_parameters().
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT. Since 0.1. */
BLPO_API int blpo_policy_get_parameters(const blpo_policy *policy, float *parameters, int64_t n);

/** Replaces all parameters. Optimiser state of a trainer that borrows the policy stays as it is.
 *  @param policy  changed. @param parameters [n] all finite; log_std in [-20, 20]. @param n  must be blpo_policy_n_parameters().
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT; BLPO_ERR_NONFINITE; BLPO_ERR_BUSY (called while the policy is saved,
 *          or while a trainer that has it updates, saves or loads: from inside a callback, say): the policy is unchanged.
 *  No other thread may use the policy meanwhile. Since 0.1. */
BLPO_API int blpo_policy_set_parameters(blpo_policy *policy, const float *parameters, int64_t n);

/** Writes the policy (shape, bounds, parameters) as one checkpoint.
 *  @param policy  read-only, also for what is called from inside write. @param write  the sink. @param user  passed to write.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_CALLBACK. Since 0.1. */
BLPO_API int blpo_policy_save(const blpo_policy *policy, blpo_write_fn write, void *user);

/** Makes a policy from bytes written by blpo_policy_save() or blpo_trainer_save_policy(). Everything is checked before
 *  memory is taken.
 *  @param bytes [n_bytes] read-only. @param n_bytes  length. @param runtime  copied; NULL: defaults.
 *  @param out  receives the policy, owned by the caller; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION; BLPO_ERR_CONFIG (runtime); BLPO_ERR_FORMAT; BLPO_ERR_NONFINITE;
 *          BLPO_ERR_SIZE; BLPO_ERR_NOMEM; the reason in runtime->error. Since 0.1. */
BLPO_API int blpo_policy_load(const void *bytes, size_t n_bytes, const blpo_runtime *runtime, blpo_policy **out);

#ifdef __cplusplus
}
#endif
#endif
