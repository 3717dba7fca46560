/** @file trainer.h
 *  Training: one loop whose settings are BLPO, nested-only and PPO. */
#ifndef BLPO_TRAINER_H
#define BLPO_TRAINER_H

#include <blpo/checkpoint.h>
#include <blpo/critic.h>
#include <blpo/env.h>
#include <blpo/export.h>
#include <blpo/hypergrad.h>
#include <blpo/policy.h>
#include <blpo/rollout.h>
#include <blpo/runtime.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A training run: rollout, networks, optimisers, solver, random streams, counters. One thread at a time: while a call that
 *  changes the trainer runs, or a save, another one, from inside a callback or from a second thread, returns BLPO_ERR_BUSY.
 *  Functions that take it as const, save_policy among them, are getters. They may be called from inside callbacks, but from
 *  another thread only while no call changes the trainer: they ask for no lock. The same goes for what they lend: the
 *  trainer's policy and critic may act and value in other threads while no update, run or load is under way. Who wants to
 *  act all the while saves the policy now and then, and acts with a copy made by blpo_policy_load(). */
typedef struct blpo_trainer blpo_trainer;

/** Which hypergradient the actor follows. */
typedef enum blpo_method {
    BLPO_METHOD_BLPO = 1,   /**< nested critic and hypergradient, as published: critic_steps 3 */
    BLPO_METHOD_NESTED = 2, /**< nested critic, direct gradient only: critic_steps 3 */
    BLPO_METHOD_PPO = 3     /**< one critic step, direct gradient only: critic_steps 1 */
} blpo_method;

/** How the critic answers a minibatch. */
typedef enum blpo_critic_response {
    BLPO_RESPONSE_NESTED = 0, /**< critic_steps steps of Adam, as published */
    BLPO_RESPONSE_EXACT = 1   /**< the least squares solution, for linear critics: those of n_features > 0, or of a network
                                   without hidden layers. g + critic_ridge |w|^2 is at its least (over biases too), to the
                                   rounding of w; where a minibatch leaves w open, it is the w nearest to the one before.
                                   H is (2/T) Phi^T Phi, the Hessian of g alone: with nystrom_rho = 2 critic_ridge an exact
                                   solver differentiates the very response. The critic's optimiser rests;
                                   max_gradient_norm does not apply. Holds some 2 p^2 doubles for p critic parameters, 4 p^2
                                   with several processes: 1 GiB for the most features there may be, 8192 */
} blpo_critic_response;

/** Settings of a run. Defaults are those of the published CartPole and Acrobot runs. */
typedef struct blpo_config {
    size_t struct_size;              /**< set by blpo_config_init() */
    uint64_t seed;                   /**< keys everything random; default 0 */
    int64_t n_steps;                 /**< steps of each environment in a rollout, >= 1, default 128 */
    int64_t n_epochs;                /**< passes over a rollout, >= 1, default 4 */
    int64_t trajectories_per_minibatch; /**< 1 .. n_envs, default 1, as published; the last minibatch may hold fewer */
    double gamma;                    /**< discount, in [0, 1], default 0.99 */
    double gae_lambda;               /**< in [0, 1], default 0.95 */
    double clip_range;               /**< eps in (0, 1e6], default 0.2 */
    double clip_range_critic;        /**< eps_F in (0, 1e6], default 0.5: the clip inside the linearised critic objective f2 */
    double actor_learning_rate;      /**< in [0, 1e30], default 2.5e-4 */
    double critic_learning_rate;     /**< in [0, 1e30], default 1e-3 */
    double adam_beta1;               /**< in [0, 1), default 0.9 */
    double adam_beta2;               /**< in [0, 1), default 0.999 */
    double adam_epsilon;             /**< in [1e-30, 1e30], default 1e-5, outside the root */
    int64_t critic_steps;            /**< K >= 1: nested critic steps a minibatch, default 3 */
    int32_t hypergradient;           /**< 1: direct - implicit; 0: direct only, nothing is solved; default 1. (With 1 and
                                          BLPO_IHVP_NONE there is an implicit term, from x = v / rho) */
    int32_t ihvp_method;             /**< a blpo_ihvp_method, default BLPO_IHVP_NYSTROM */
    int64_t nystrom_rank;            /**< k in 1 .. number of critic parameters, default 5 */
    double nystrom_rho;              /**< rho > 0, default 50; used by every ihvp_method */
    double nystrom_shift;            /**< s >= 0, default 1 */
    int64_t cg_iterations;           /**< >= 1, default 10; all are made, so that every update costs the same */
    double kappa;                    /**< |implicit| <= kappa |direct|, > 0, default 1; infinity: no bound */
    int32_t normalize_advantages;    /**< 1: advantages in J get mean 0 and deviation 1 within the minibatch; default 0 */
    double entropy_coefficient;      /**< >= 0, default 0: J gets - this times the mean entropy */
    double max_gradient_norm;        /**< >= 0, default 0 (off): bound on the norm of each network's gradient */
    int64_t anneal_steps;            /**< >= 0, default 0 (off): both learning rates fall linearly to 0 over so many steps */
    double target_kl;                /**< >= 0, default 0 (off): once a minibatch's approx_kl is above it, that minibatch makes
                                          no actor step (its critic steps stand), and the rest of the update is skipped */
    double reward_scale;             /**< > 0, default 1: rewards are multiplied by it for learning, not in the statistics */
    int64_t stats_window;            /**< episodes in the running means of the metrics, >= 1, default 100 */
    int64_t diagnostics_interval;    /**< >= 0, default 0 (never): every so many updates the costly diagnostics are measured */
    blpo_network actor_network;      /**< used when the trainer makes the policy */
    blpo_network critic_network;     /**< used when the trainer makes the critic */
    double initial_log_std;          /**< used when the trainer makes the policy, in [-20, 20], default 0 */
    blpo_policy *policy;             /**< NULL: the trainer makes it. Else borrowed for the trainer's life, and changed. Its
                                          obs_dim, actions and bounds must be those of the environment. Trainers may
                                          share it, but not update or load at a time: BLPO_ERR_BUSY */
    blpo_critic *critic;             /**< NULL: the trainer makes it. Else borrowed for the trainer's life, and changed. Its
                                          obs_dim must be that of the environment. May be shared, as above */
    /* -- above: 0.1. Append only; for what is appended, 0 keeps the older behaviour. -- */
    int32_t critic_response;         /**< a blpo_critic_response, default BLPO_RESPONSE_NESTED */
    double critic_ridge;             /**< in [0, 1e30], default 0, units of V^2 / w^2; used by BLPO_RESPONSE_EXACT. With 0 and
                                          about as many features as a minibatch has transitions the response fits the one and
                                          goes astray on the next, and V diverges: above 0 then */
    int32_t ihvp_curvature;          /**< a blpo_curvature, default BLPO_CURVATURE_HESSIAN; ihvp_method gauss_newton works with
                                          either; it needs n_processes 1 */
    int64_t gap_steps;               /**< >= 0, default 20: evaluations of g that the search for best_response_gap may take
                                          in a minibatch, each the cost of a critic step; linear critics need none. 0: the
                                          gap is measured for linear critics alone */
    int32_t nystrom_draw;            /**< this and the following: as in blpo_hypergrad_config; default uniform */
    int32_t nystrom_space_efficient; /**< default 0 */
    int64_t nystrom_chunk;           /**< default 0: 1 */
    int32_t cg_negative_curvature;   /**< default 0: stop there */
    int64_t sketch_rank_max;         /**< default 0: nystrom_rank */
    double sketch_error;             /**< default 0: 1 */
    int64_t neumann_terms;           /**< default 10 */
    int64_t spectrum_iterations;     /**< default 0: none; made in updates that measure diagnostics only, and for method
                                          neumann without neumann_scale in all */
    double neumann_scale;            /**< default 0: estimated */
    int32_t cg_preconditioner;       /**< default none; gauss_newton needs n_processes 1 */
} blpo_config;

/** What an update was like. Norms are Euclidean. A value that was not measured, or has nothing to be measured on, is 0; the
 *  counts say which. Where several processes train together, (all) marks figures that are the same in each of them; what is
 *  not marked tells of this process. Means: losses, critic norms, approx_kl, clip_fraction, entropy and best response are
 *  over the n_minibatches; from direct_norm to condition_estimate over those of them that made an actor step, which with
 *  target_kl may be one less. All values are finite: an update in which one would not be fails and names it. */
typedef struct blpo_metrics {
    size_t struct_size;             /**< size of this struct in the library; set by the caller where the caller owns it */
    int64_t n_updates;              /**< updates so far (all) */
    int64_t steps;                  /**< environment steps so far, of all environments and processes together (all) */
    int64_t n_episodes;             /**< episodes that ended so far */
    int64_t n_void_episodes;        /**< episodes dropped because their environment failed */
    int64_t n_dropped;              /**< transitions in no update: observed while the rollout was full, or dropped by
                                         blpo_trainer_drop_rollout(). They count in `steps` */
    int64_t update_episodes;        /**< episodes that ended in this rollout */
    double update_return_mean;      /**< their mean return */
    int64_t window_episodes;        /**< episodes in the running means, at most stats_window */
    double episode_return_mean;     /**< mean return of the last window_episodes episodes */
    double episode_length_mean;     /**< mean length of the same */
    double seconds;                 /**< wall time since the first step in this process */
    double steps_per_second;        /**< steps since then, of all processes together, by seconds */
    int64_t n_minibatches;          /**< minibatches of this update that were used, if only for the critic (target_kl) (all) */
    int64_t n_skipped;              /**< minibatches left out: no valid transition, or target_kl reached before (all) */
    double actor_loss;              /**< J before the actor step */
    double critic_loss_before;      /**< g before the K critic steps */
    double critic_loss;             /**< g after them */
    double critic_gradient_norm_before; /**< |grad_w g| before the K critic steps (all) */
    double critic_gradient_norm;    /**< |grad_w g| after them; measured at diagnostics_interval (all) */
    double direct_norm;             /**< |direct| (all) */
    double implicit_norm;           /**< |implicit| before the bound (all) */
    double cosine;                  /**< cosine between direct and implicit (all) */
    double hypergradient_norm;      /**< |direct - bounded implicit|: stationarity (all) */
    double kappa_bound_share;       /**< share of minibatches where kappa bound (all) */
    double indefinite_share;        /**< share of solves that met a negative eigenvalue or curvature (all) */
    double fallback_share;          /**< share of solves that fell back (all) */
    double relative_residual;       /**< |(H + rho I) x - v| / |v|; measured at diagnostics_interval (all) */
    double condition_estimate;      /**< mean of blpo_hypergrad_report::condition_estimate: of the Nystrom core, the dense matrix,
                                         or J J^T + rho I of gauss_newton; 0 for other methods (all) */
    int64_t n_products;             /**< Hessian-vector products of this update (a row counts as one) (all) */
    double approx_kl;               /**< mean of (ratio - 1) - log ratio before each actor step (Schulman's estimator k3) (all) */
    double clip_fraction;           /**< share of transitions with |ratio - 1| > clip_range before each actor step */
    double entropy;                 /**< mean entropy of the policy */
    double explained_variance;      /**< 1 - Var[R - V] / Var[R] over the rollout, with the critic that collected it */
    double actor_learning_rate;     /**< rate of this update (all) */
    double critic_learning_rate;    /**< rate of this update (all) */
    int32_t diagnostics_measured;   /**< 1: the costly diagnostics were measured in this update (all) */
    double best_response_gap;       /**< g after the critic steps less its least value over w, in each minibatch; measured at
                                         diagnostics_interval. Linear critics: exact, by least squares. Else a lower bound of
                                         the gap: less the least value that gap_steps evaluations found from there on (all) */
    double best_response_rank;      /**< linear critics: parameters that a minibatch determines, to some 1e-7 of the largest
                                         singular value; measured with BLPO_RESPONSE_EXACT, else at diagnostics_interval (all) */
    double largest_eigenvalue;      /**< estimate of the largest |eigenvalue| of H + rho I, the largest of all solves of the
                                         update; measured at diagnostics_interval with spectrum_iterations above 0, and where
                                         the method needs it */
    double condition_number;        /**< estimate of the condition number of H + rho I, the largest of all solves; as above */
} blpo_metrics;

/** Vectors of a minibatch, for blpo_trainer_get_direction(). q and p: numbers of actor and critic parameters. */
typedef enum blpo_direction {
    BLPO_DIRECTION_DIRECT = 1,        /**< [q] grad_theta J */
    BLPO_DIRECTION_IMPLICIT = 2,      /**< [q] (d2 f2 / dtheta dw) x, before the bound by kappa; hypergradient 1 only */
    BLPO_DIRECTION_HYPERGRADIENT = 3, /**< [q] direct - bounded implicit, before max_gradient_norm; direct where
                                           hypergradient is 0 */
    BLPO_DIRECTION_V = 4,             /**< [p] grad_w J, what the solver was given; hypergradient 1 only */
    BLPO_DIRECTION_X = 5              /**< [p] ~ (H + rho I)^-1 v, what it gave; hypergradient 1 only */
} blpo_direction;

/** Verdict of a metrics callback: go on, or stop after this update. */
#define BLPO_CONTINUE 0 /**< go on */
#define BLPO_STOP 1     /**< stop: blpo_trainer_run() returns BLPO_STOPPED */

/** Called after every update. @param user  as given to blpo_trainer_run(). @param metrics  valid during the call.
 *  @return BLPO_CONTINUE; BLPO_STOP or any number > 0; < 0: run ends with BLPO_ERR_CALLBACK. The update stands in each case.
 *  Runs on the thread that called blpo_trainer_run(); of the trainer only getters may be called. */
typedef int (*blpo_metrics_fn)(void *user, const blpo_metrics *metrics);

/** What followed the actions of blpo_trainer_act(). Arrays are borrowed during the call. */
typedef struct blpo_transition {
    size_t struct_size;         /**< set by the caller to sizeof(blpo_transition) */
    const float *next_obs;      /**< [n_envs][obs_dim] observation after the step, as blpo_step::obs */
    const float *reward;        /**< [n_envs] */
    const uint8_t *terminated;  /**< [n_envs] 0 or 1. An environment that failed has no mark of its own here: say truncated */
    const uint8_t *truncated;   /**< [n_envs] 0 or 1 */
    const float *final_obs;     /**< [n_envs][obs_dim] read in rows that ended, SAME_STEP only; else NULL */
} blpo_transition;

/** Fills the first struct_size bytes, never more, with the published settings.
 *  @param config  to be filled. @param struct_size  sizeof(blpo_config) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size smaller than that of 0.1. Any thread. Since 0.1. */
BLPO_API int blpo_config_init(blpo_config *config, size_t struct_size);

/** Fills the first struct_size bytes, never more, with settings that learned faster and more surely than the published ones on
 *  each of the tasks that were compared (docs/methods.md): the published ones but for normalize_advantages 1, critic_steps 8,
 *  ihvp_curvature BLPO_CURVATURE_GAUSS_NEWTON, nystrom_shift 0 and kappa 0.3. An update takes some 1.5 times as long. Later
 *  versions may know better and change them; blpo_config_init() stays as published. blpo_config_set_method() sets
 *  critic_steps anew.
 *  @param config  to be filled. @param struct_size  sizeof(blpo_config) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size that ends before ihvp_curvature. Any thread. Since 0.1. */
BLPO_API int blpo_config_recommended(blpo_config *config, size_t struct_size);

/** Sets the fields that make a method: hypergradient and critic_steps; the others stay as they are.
 *  @param config  changed. @param method  a blpo_method.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT: unchanged. Any thread. Since 0.1. */
BLPO_API int blpo_config_set_method(blpo_config *config, int method);

/** Makes a trainer. Environments are not touched yet. Every field is checked before any memory is taken.
 *  @param env  copied; its user pointer is borrowed. @param config  copied; NULL: the published settings.
 *  @param runtime  copied; NULL: defaults. @param out  receives the trainer, owned by the caller; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION; BLPO_ERR_CONFIG (field, value and rule in runtime->error);
 *          BLPO_ERR_SIZE; BLPO_ERR_NOMEM. Since 0.1. */
BLPO_API int blpo_trainer_create(const blpo_env *env, const blpo_config *config, const blpo_runtime *runtime,
                                 blpo_trainer **out);

/** Frees a trainer and the parts it made. @param trainer  NULL does nothing. Since 0.1. */
BLPO_API void blpo_trainer_destroy(blpo_trainer *trainer);

/** Collects and updates until at least n_steps more environment steps, of all environments and processes together, are done
 *  (whole updates), or the callback stops it.
 *  @param trainer  changed. @param n_steps  >= 1. @param on_update  NULL: none. @param user  passed to on_update.
 *  @return BLPO_OK; BLPO_STOPPED; BLPO_ERR_ARGUMENT; BLPO_ERR_STATE (no step callback); and all of blpo_trainer_collect()
 *          and blpo_trainer_update(). After an error the call may be made again; see blpo_trainer_update() for an
 *          update that fails. Since 0.1. */
BLPO_API int blpo_trainer_run(blpo_trainer *trainer, int64_t n_steps, blpo_metrics_fn on_update, void *user);

/** Steps the environments until the rollout is full; at once when it is full already.
 *  @param trainer  changed.
 *  @return BLPO_UPDATE_DUE; BLPO_ERR_NULL; BLPO_ERR_STATE (no step callback, or an act waits for its observe);
 *          BLPO_ERR_CALLBACK; BLPO_ERR_NONFINITE, BLPO_ERR_ARGUMENT (a flag that is neither 0 nor 1): environment, step
 *          and element in blpo_trainer_error(); BLPO_ERR_BUSY. The steps before the one that failed are kept; a later call
 *          goes on there. No allocation. Since 0.1. */
BLPO_API int blpo_trainer_collect(blpo_trainer *trainer);

/** One update from a full rollout (docs/algorithm.md, section 4), which is then empty.
 *  On failure the rollout stays full, and the same update fails again, unless it was a hook that gave up. To go on, drop
 *  the rollout, or save and load into a trainer with other settings (smaller learning rates, another reward_scale).
 *  @param trainer  changed; byte for byte as it was on failure. @param metrics  NULL, or struct_size set by the caller.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION (metrics); BLPO_ERR_STATE (the rollout is not full);
 *          BLPO_ERR_NONFINITE (stage and minibatch in blpo_trainer_error(); of a feature: environment, step and element;
 *          where V is beyond all that the rewards explain the text says so); BLPO_ERR_CALLBACK (all_reduce, features);
 *          BLPO_ERR_BUSY.
 *          No allocation. Since 0.1. */
BLPO_API int blpo_trainer_update(blpo_trainer *trainer, blpo_metrics *metrics);

/** Empties the rollout without an update, for one that cannot be learned from (a reward of 1e38, say). The environments
 *  stay where they are, and an act that waits for its observe goes on waiting. The transitions count in
 *  blpo_metrics::n_dropped, the episodes that ended in them in all means but those of the next update.
 *  @param trainer  changed.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_BUSY. No allocation. Since 0.1. */
BLPO_API int blpo_trainer_drop_rollout(blpo_trainer *trainer);

/** Push mode: chooses actions for all environments and remembers what blpo_trainer_observe() needs. Called again before
 *  observe it replaces what it remembered. Draws depend on the number of transitions observed, not of calls.
 *  @param trainer  changed. @param obs [n_envs][obs_dim] current observations. Within an episode they should be the last
 *                  next_obs, but may differ (a sensor that was read again): next_obs is what followed the step before,
 *                  obs what this action was chosen on.
 *  @param action  int64_t [n_envs] or float [n_envs][action.n], clipped to the bounds; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_NONFINITE (an observation, an output of the policy's network, or a log-probability;
 *          environment and element in blpo_trainer_error()); BLPO_ERR_BUSY. No allocation. Since 0.1. */
BLPO_API int blpo_trainer_act(blpo_trainer *trainer, const float *obs, void *action);

/** Push mode: what followed. With a full rollout the transition is counted and dropped until blpo_trainer_update().
 *  @param trainer  changed; unchanged on failure, the act still waiting. @param transition  the rows.
 *  @return BLPO_OK; BLPO_UPDATE_DUE when the rollout is full; BLPO_ERR_NULL (also final_obs, where a row ended under
 *          SAME_STEP); BLPO_ERR_VERSION; BLPO_ERR_STATE (no act waits); BLPO_ERR_NONFINITE (an observation or a reward),
 *          BLPO_ERR_ARGUMENT (a flag that is neither 0 nor 1): environment and element in blpo_trainer_error();
 *          BLPO_ERR_BUSY. No allocation. Since 0.1. */
BLPO_API int blpo_trainer_observe(blpo_trainer *trainer, const blpo_transition *transition);

/** Metrics of the last update, with the episode statistics of now.
 *  @param trainer  read-only. @param out  struct_size set by the caller.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION. Since 0.1. */
BLPO_API int blpo_trainer_get_metrics(const blpo_trainer *trainer, blpo_metrics *out);

/** Copies a vector of the last update out: that of its last minibatch that moved the actor, at the parameters before that
 *  step. So theory can be held against what was done. Not in checkpoints.
 *  @param trainer  read-only. @param which  a blpo_direction.
 *  @param out  [n actor parameters] or [n critic parameters], in the flat order of the network; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_ARGUMENT (which); BLPO_ERR_STATE: no such minibatch since the trainer was
 *          created or loaded, or a vector that takes hypergradient 1. May be called from on_update. Since 0.1. */
BLPO_API int blpo_trainer_get_direction(const blpo_trainer *trainer, int which, float *out);

/** @param trainer  NULL gives NULL. @return the policy, borrowed; parameters change in updates. Since 0.1. */
BLPO_API const blpo_policy *blpo_trainer_policy(const blpo_trainer *trainer);

/** @param trainer  NULL gives NULL. @return the critic, borrowed; parameters change in updates. Since 0.1. */
BLPO_API const blpo_critic *blpo_trainer_critic(const blpo_trainer *trainer);

/** @param trainer  NULL gives NULL. @return the rollout, borrowed. Since 0.1. */
BLPO_API const blpo_rollout *blpo_trainer_rollout(const blpo_trainer *trainer);

/** @param trainer  NULL gives NULL. @return the solver, borrowed; NULL where hypergradient is 0. Since 0.1. */
BLPO_API const blpo_hypergrad *blpo_trainer_hypergrad(const blpo_trainer *trainer);

/** Writes everything that a later load needs to go on to the same bits: parameters, optimisers, counters, the rollout as
 *  far as it is filled, episode statistics, and what blpo_env::save writes, unless a step has been taken by some
 *  blocks of rows only (blpo_env::concurrent_rows). Wall time is left out.
 *  @param trainer  unchanged. @param write  the sink. @param user  passed to write.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_CALLBACK (write, or blpo_env::save); BLPO_ERR_SIZE (blpo_env::save writes
 *          1 GiB or more: no byte went to write); BLPO_ERR_BUSY. No allocation. Since 0.1. */
BLPO_API int blpo_trainer_save(blpo_trainer *trainer, blpo_write_fn write, void *user);

/** Takes over what blpo_trainer_save() wrote: whole, or not at all. These must be equal: n_envs, n_steps, obs_dim, kind
 *  and n of the action, autoreset, seed, layers and activations of both networks, n_features of the critic, stats_window,
 *  n_processes and process_index. All other settings, learning rates say, stay those of this trainer: with the same ones
 *  the run goes on to the same bits. An act that waited for its observe is not kept: begin with an act. Without environment
 *  state in the bytes, or without blpo_env::load, the environments are reset before the next step (in push mode the caller
 *  does that), their running episodes are in no statistics, and the run goes on, but not to the same bits.
 *  @param trainer  changed; byte for byte as it was on failure. @param read  the source. @param user  passed to read.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_CALLBACK (the source gave up or ended early, or blpo_env::load refused);
 *          BLPO_ERR_FORMAT (the section is named); BLPO_ERR_MISMATCH (the setting is named); BLPO_ERR_NONFINITE;
 *          BLPO_ERR_NOMEM; BLPO_ERR_BUSY. Since 0.1. */
BLPO_API int blpo_trainer_load(blpo_trainer *trainer, blpo_read_fn read, void *user);

/** blpo_policy_save() of the trainer's policy. @param trainer  read-only. @param write  the sink. @param user  passed to write.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_CALLBACK. Since 0.1. */
BLPO_API int blpo_trainer_save_policy(const blpo_trainer *trainer, blpo_write_fn write, void *user);

/** @param trainer  NULL gives a static record that says so. @return last error of this handle; valid as long as the handle.
 *  May be called from inside callbacks. Since 0.1. */
BLPO_API const blpo_error *blpo_trainer_error(const blpo_trainer *trainer);

#ifdef __cplusplus
}
#endif
#endif
