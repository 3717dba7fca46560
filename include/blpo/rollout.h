/** @file rollout.h
 *  Rollout buffers: n_envs x n_steps transitions, and generalised advantage estimation. */
#ifndef BLPO_ROLLOUT_H
#define BLPO_ROLLOUT_H

#include <blpo/critic.h>
#include <blpo/env.h>
#include <blpo/export.h>
#include <blpo/runtime.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A buffer of transitions, environment by environment. Keeps final observations, not their values, so that advantages
 *  stay a function of the critic everywhere. */
typedef struct blpo_rollout blpo_rollout;

/** Settings of a rollout buffer. */
typedef struct blpo_rollout_config {
    size_t struct_size;  /**< set by blpo_rollout_config_init() */
    int64_t n_envs;      /**< >= 1, default 1 */
    int64_t n_steps;     /**< >= 1, default 128 */
    int64_t obs_dim;     /**< >= 1; no default */
    int32_t action_kind; /**< a blpo_action_kind; no default */
    int64_t action_n;    /**< number of actions, or their dimension; no default */
    /* -- above: 0.1. Append only; for what is appended, 0 keeps the older behaviour. -- */
} blpo_rollout_config;

/** One step of every environment, as it goes into a rollout. Arrays are borrowed during the call. */
typedef struct blpo_rollout_step {
    size_t struct_size;           /**< set by the caller to sizeof(blpo_rollout_step) */
    const float *obs;             /**< [n_envs][obs_dim] what the policy saw */
    const void *action;           /**< int64_t [n_envs] or float [n_envs][action_n], before any clip */
    const float *log_prob;        /**< [n_envs] of the action under the policy that acted */
    const float *reward;          /**< [n_envs] */
    const uint8_t *terminated;    /**< [n_envs] 0 or 1 */
    const uint8_t *truncated;     /**< [n_envs] 0 or 1; terminated wins where both are set */
    const float *next_obs;        /**< [n_envs][obs_dim] what really followed: the final observation where the episode ended */
    const uint8_t *masked;        /**< [n_envs] 1: this row is no transition (a reset); it is left out, and what is before it
                                       goes on to what is after it. Where it should not, the last row before must be
                                       terminated or truncated. NULL: none */
} blpo_rollout_step;

/** Fills the first struct_size bytes, never more, with defaults.
 *  @param config  to be filled. @param struct_size  sizeof(blpo_rollout_config) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size smaller than that of 0.1. Any thread. Since 0.1. */
BLPO_API int blpo_rollout_config_init(blpo_rollout_config *config, size_t struct_size);

/** Makes an empty rollout.
 *  @param config  settings, copied. @param runtime  copied; NULL: defaults.
 *  @param out  receives the rollout, owned by the caller; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION; BLPO_ERR_CONFIG (field named in runtime->error); BLPO_ERR_SIZE;
 *          BLPO_ERR_NOMEM. Since 0.1. */
BLPO_API int blpo_rollout_create(const blpo_rollout_config *config, const blpo_runtime *runtime, blpo_rollout **out);

/** Frees a rollout. @param rollout  NULL does nothing. Since 0.1. */
BLPO_API void blpo_rollout_destroy(blpo_rollout *rollout);

/** Appends one step of every environment. All rows are checked first: on failure nothing is appended.
 *  @param rollout  changed. @param step  the rows.
 *  @return BLPO_OK, or BLPO_UPDATE_DUE when this step has filled the buffer; BLPO_ERR_NULL; BLPO_ERR_VERSION;
 *          BLPO_ERR_STATE (full already); BLPO_ERR_NONFINITE, BLPO_ERR_ARGUMENT (environment, step and element named in
 *          blpo_rollout_error()); BLPO_ERR_BUSY. No allocation. Since 0.1. */
BLPO_API int blpo_rollout_push(blpo_rollout *rollout, const blpo_rollout_step *step);

/** Empties the buffer. @param rollout  changed. @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_BUSY. Since 0.1. */
BLPO_API int blpo_rollout_clear(blpo_rollout *rollout);

/** @param rollout  NULL gives 0. @return steps of each environment held now, 0 .. n_steps. Since 0.1. */
BLPO_API int64_t blpo_rollout_length(const blpo_rollout *rollout);

/** @param rollout  NULL gives 0. @return 1 when the buffer is full, else 0. Since 0.1. */
BLPO_API int blpo_rollout_full(const blpo_rollout *rollout);

/** Read-only views into a rollout; valid until it is pushed to, cleared or destroyed. Strides are those of n_steps. */
typedef struct blpo_rollout_view {
    size_t struct_size;             /**< set by the caller to sizeof(blpo_rollout_view) */
    int64_t n_envs;                 /**< environments */
    int64_t n_steps;                /**< room for steps: the middle stride of every array */
    int64_t length;                 /**< steps held */
    const float *obs;               /**< [n_envs][n_steps][obs_dim] */
    const float *next_obs;          /**< [n_envs][n_steps][obs_dim] */
    const int64_t *discrete_action; /**< [n_envs][n_steps], or NULL */
    const float *continuous_action; /**< [n_envs][n_steps][action_n], or NULL */
    const float *log_prob;          /**< [n_envs][n_steps] */
    const float *reward;            /**< [n_envs][n_steps] */
    const uint8_t *terminated;      /**< [n_envs][n_steps] */
    const uint8_t *truncated;       /**< [n_envs][n_steps] */
    const uint8_t *masked;          /**< [n_envs][n_steps] 1: no transition */
} blpo_rollout_view;

/** Fills a view. @param rollout  read-only. @param out  struct_size set by the caller.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION. Since 0.1. */
BLPO_API int blpo_rollout_get_view(const blpo_rollout *rollout, blpo_rollout_view *out);

/** Generalised advantages and returns of what the rollout holds, under a critic (arXiv:1506.02438; truncated steps are
 *  bootstrapped from their final observation, terminated ones are not; masked rows get 0, and the recursion passes over
 *  them to the next row that is not masked):
 *
 *      delta_t = r_t + gamma (1 - d_t) V(s'_t) - V(s_t)
 *      A_t     = delta_t + gamma lambda (1 - d_t)(1 - c_t) A_{t+1},     R_t = A_t + V(s_t)
 *
 *  with d_t = terminated and c_t = truncated (0 or 1), s_t = obs and s'_t = next_obs of step t.
 *  @param rollout    read-only.
 *  @param critic     read-only; same obs_dim.
 *  @param gamma      in [0, 1]. @param gae_lambda  in [0, 1].
 *  @param advantages [n_envs][length] out, or NULL. @param returns [n_envs][length] out, or NULL. Of what the rollout holds:
 *                    the stride is `length`, where that of a view is n_steps.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT (gamma, gae_lambda, obs_dim of the critic, an empty rollout);
 *          BLPO_ERR_NONFINITE, BLPO_ERR_CALLBACK (features of the critic): outputs may be partly written. The code is
 *          all that is said: nothing goes to blpo_rollout_error().
 *  Cost: two passes through the critic a transition. No allocation. Since 0.1. */
BLPO_API int blpo_rollout_advantages(const blpo_rollout *rollout, const blpo_critic *critic, double gamma,
                                     double gae_lambda, float *advantages, float *returns);

/** The recursion for A_t of blpo_rollout_advantages() alone, on one trajectory of given values.
 *  @param n  steps, 1 .. 2147483647. @param reward [n]. @param value [n] V(s_t).
 *  @param next_value [n] V(s'_t); not read where terminated is 1.
 *  @param terminated [n] 0 or 1. @param truncated [n] 0 or 1. @param gamma in [0, 1]. @param gae_lambda in [0, 1].
 *  @param advantage [n] out; must not overlap the inputs.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT (n, gamma, gae_lambda, or a flag that is neither 0 nor 1);
 *          BLPO_ERR_NONFINITE (of a result; nothing is said of outputs then).
 *  Any thread; no allocation. Since 0.1. */
BLPO_API int blpo_gae(int64_t n, const float *reward, const float *value, const float *next_value,
                      const uint8_t *terminated, const uint8_t *truncated, double gamma, double gae_lambda,
                      float *advantage);

/** Adjoint of blpo_gae(): from dJ/dA_t to dJ/dV(s_t) and dJ/dV(s'_t) (docs/algorithm.md, "Backward through GAE"):
 *
 *      y_t = dJ/dA_t + gamma lambda (1 - d_{t-1})(1 - c_{t-1}) y_{t-1},     y_{-1} = 0
 *      dJ/dV(s_t) = -y_t,     dJ/dV(s'_t) = gamma (1 - d_t) y_t
 *
 *  @param n  steps, 1 .. 2147483647. @param advantage_adjoint [n] dJ/dA_t. @param terminated [n]. @param truncated [n].
 *  @param gamma in [0, 1]. @param gae_lambda in [0, 1].
 *  @param value_adjoint [n] out, dJ/dV(s_t). @param next_value_adjoint [n] out, dJ/dV(s'_t); neither may overlap the inputs,
 *                    nor the other.
 *  @return as blpo_gae(). Any thread; no allocation. Since 0.1. */
BLPO_API int blpo_gae_adjoint(int64_t n, const float *advantage_adjoint, const uint8_t *terminated,
                              const uint8_t *truncated, double gamma, double gae_lambda, float *value_adjoint,
                              float *next_value_adjoint);

/** @param rollout  NULL gives a static record that says so. @return last error of this handle; valid as long as the handle.
 *  Since 0.1. */
BLPO_API const blpo_error *blpo_rollout_error(const blpo_rollout *rollout);

#ifdef __cplusplus
}
#endif
#endif
