/** @file critic.h
 *  Critics: state values V_w(s). */
#ifndef BLPO_CRITIC_H
#define BLPO_CRITIC_H

#include <blpo/export.h>
#include <blpo/network.h>
#include <blpo/runtime.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A state-value function V_w(s): a network with one output, or linear in given features. Functions that take it as const
 *  may run in any number of threads at once and do not allocate; not while a thread changes it, by set_parameters or as the
 *  critic of a trainer that updates or loads. There is no error record: the code is all that they say. */
typedef struct blpo_critic blpo_critic;

/** Features of states, for a critic that is linear in them.
 *  @param user   blpo_critic_config::features_user.
 *  @param obs    [count][obs_dim] read-only, finite; a row may come again, and with other rows beside it.
 *  @param count  rows, >= 1.
 *  @param phi    [count][n_features] to be filled, all finite. Row i depends on row i of obs alone, always in the same way.
 *  @return 0; any other number ends the call that asked with BLPO_ERR_CALLBACK.
 *  Runs on the thread that asked: that of blpo_trainer_update(), blpo_critic_value() or blpo_rollout_advantages(), so in
 *  several at once where the program calls these so. Pointers are valid during the call; the critic's parameters may not
 *  be set from inside. */
typedef int (*blpo_features_fn)(void *user, const float *obs, int64_t count, float *phi);

/** Settings of a critic. */
typedef struct blpo_critic_config {
    size_t struct_size;    /**< set by blpo_critic_config_init() */
    int64_t obs_dim;       /**< >= 1; no default */
    blpo_network network;  /**< default 64-64 tanh, output_gain 1 */
    uint64_t seed;         /**< keys the initial weights; default 0 */
    /* -- above: 0.1. Append only; for what is appended, 0 keeps the older behaviour. -- */
    int64_t n_features;    /**< 0, the default: the network. 1 .. 8192: V = phi(s) . w, with n_features weights that start
                                at 0 and no bias (a feature that is 1 makes one); network is not used then */
    blpo_features_fn features; /**< phi; NULL, the default: the observation itself, n_features is obs_dim then */
    void *features_user;   /**< passed to features; borrowed for the critic's life */
} blpo_critic_config;

/** Fills the first struct_size bytes, never more, with defaults.
 *  @param config  to be filled. @param struct_size  sizeof(blpo_critic_config) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size smaller than that of 0.1. Any thread. Since 0.1. */
BLPO_API int blpo_critic_config_init(blpo_critic_config *config, size_t struct_size);

/** Makes a critic with fresh weights.
 *  @param config  settings, copied. @param runtime  copied; NULL: defaults.
 *  @param out  receives the critic, owned by the caller; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION; BLPO_ERR_CONFIG (field named in runtime->error); BLPO_ERR_SIZE;
 *          BLPO_ERR_NOMEM. Since 0.1. */
BLPO_API int blpo_critic_create(const blpo_critic_config *config, const blpo_runtime *runtime, blpo_critic **out);

/** Frees a critic. @param critic  NULL does nothing. No handle may still borrow it. Since 0.1. */
BLPO_API void blpo_critic_destroy(blpo_critic *critic);

/** Values of n observations.
 *  @param critic  read-only. @param obs [n][obs_dim]. @param n  rows, 1 .. 2147483647 / obs_dim.
 *  @param value [n] out; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT (n); BLPO_ERR_NONFINITE (an observation, a feature or a value);
 *          BLPO_ERR_CALLBACK (features gave up).
 *  No allocation; any number of threads. Since 0.1. */
BLPO_API int blpo_critic_value(const blpo_critic *critic, const float *obs, int64_t n, float *value);

/** @param critic  NULL gives 0. @return length of the flat parameter array. Since 0.1. */
BLPO_API int64_t blpo_critic_n_parameters(const blpo_critic *critic);

/** @param critic  NULL gives 0. @return obs_dim. Since 0.1. */
BLPO_API int64_t blpo_critic_obs_dim(const blpo_critic *critic);

/** @param critic  NULL gives 0. @return n_features as given at create: 0 for a network. Since 0.1. */
BLPO_API int64_t blpo_critic_n_features(const blpo_critic *critic);

/** Copies all parameters out.
 *  @param critic  read-only. @param parameters [n] out. @param n  must be blpo_critic_n_parameters().
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT. Since 0.1. */
BLPO_API int blpo_critic_get_parameters(const blpo_critic *critic, float *parameters, int64_t n);

/** Replaces all parameters. Optimiser state of a trainer that borrows the critic stays as it is.
 *  @param critic  changed. @param parameters [n] all finite. @param n  must be blpo_critic_n_parameters().
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT; BLPO_ERR_NONFINITE; BLPO_ERR_BUSY (called while a trainer that has it
 *          updates, saves or loads: from inside a callback, say): the critic is unchanged.
 *  No other thread may use the critic meanwhile. Since 0.1. */
BLPO_API int blpo_critic_set_parameters(blpo_critic *critic, const float *parameters, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
