/** @file env.h
 *  The contract between the library and an environment: a batch of rows stepped by one callback. No callback may be left by
 *  an exception or longjmp (see blpo.h). */
#ifndef BLPO_ENV_H
#define BLPO_ENV_H

#include <blpo/checkpoint.h>
#include <blpo/export.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Kind of action. */
typedef enum blpo_action_kind {
    BLPO_ACTION_DISCRETE = 1,  /**< one of n actions, 0 .. n - 1; categorical policy; int64_t [rows] */
    BLPO_ACTION_CONTINUOUS = 2 /**< n real numbers; diagonal Gaussian policy; float [rows][n] */
} blpo_action_kind;

/** Who resets an environment whose episode has ended, named as in Gymnasium. */
typedef enum blpo_autoreset {
    /** The library calls reset before the next step. The observation of the step that ended the episode is its final
     *  one. The simplest, the default. */
    BLPO_AUTORESET_DISABLED = 0,
    /** The environment resets itself inside the step that ends the episode: obs is the first of the next episode, and
     *  final_obs of that row is filled with the last of the one that ended. */
    BLPO_AUTORESET_SAME_STEP = 1,
    /** The environment resets itself in the step after: that step ignores its action, gives reward 0 and the first
     *  observation of the next episode. The library keeps it out of every loss and every running mean; its reward must be
     *  finite and its flags 0 or 1 all the same. */
    BLPO_AUTORESET_NEXT_STEP = 2
} blpo_autoreset;

/** Actions of an environment or a policy. */
typedef struct blpo_action_space {
    int32_t kind;      /**< a blpo_action_kind; no default */
    int64_t n;         /**< discrete: number of actions, 2 .. 8192; continuous: dimension, 1 .. 8192 */
    const float *low;  /**< continuous: [n] or NULL (no lower bounds); finite. Actions are clipped to it on their way to
                            the environment; log-probabilities are of the action before the clip */
    const float *high; /**< continuous: [n] or NULL (no upper bounds); finite, > low */
} blpo_action_space;

/** One batch of steps. Pointers are valid during the call only; rows first .. first + count - 1 of the environments;
 *  every array starts at row `first`. Outputs are zeroed before the call; observations are not, and hold anything: write
 *  every row, but for environments that failed. All environments come in one call (first 0, count n_envs), unless
 *  blpo_env::concurrent_rows divides them. */
typedef struct blpo_step {
    size_t struct_size;             /**< size of this struct in the library that calls */
    int64_t first;                  /**< first environment */
    int64_t count;                  /**< environments in this call */
    const int64_t *discrete_action; /**< [count] in 0 .. n - 1; NULL for continuous actions */
    const float *continuous_action; /**< [count][n], clipped to the bounds; NULL for discrete actions */
    float *obs;                     /**< [count][obs_dim] out: observation after the step. DISABLED, NEXT_STEP: also when
                                         the episode has just ended; SAME_STEP: of the next episode then */
    float *final_obs;               /**< [count][obs_dim] out, rows that ended, SAME_STEP only; else NULL */
    float *reward;                  /**< [count] out: undiscounted reward of this step */
    uint8_t *terminated;            /**< [count] out: 1 where the episode came to an end of its own (no bootstrap), else 0;
                                         any other number ends the call with BLPO_ERR_ARGUMENT */
    uint8_t *truncated;             /**< [count] out: 1 where it was cut (a time limit): bootstrapped from its final
                                         observation; else 0, as above. terminated wins where both are set */
    uint8_t *failed;                /**< [count] out, looked at when the callback returns > 0: not 0 where that environment
                                         failed. None set: all rows of the call failed */
} blpo_step;

/** One batch of resets: rows with mask 1 begin a new episode, the others stay as they are. */
typedef struct blpo_reset {
    size_t struct_size;   /**< size of this struct in the library that calls */
    int64_t first;        /**< first environment */
    int64_t count;        /**< environments in this call */
    const uint8_t *mask;  /**< [count] 1: reset this one */
    const uint64_t *seed; /**< [count] a fresh 64-bit seed for each episode; a function of trainer seed, environment and
                               the number of its resets */
    float *obs;           /**< [count][obs_dim] out, rows with mask 1: first observation of the episode */
} blpo_reset;

/** Steps environments. Runs on the thread that called the trainer, one call at a time, unless blpo_env::concurrent_rows says
 *  otherwise; of that trainer it may call only functions that take it as const (trainer.h).
 *  @param user  blpo_env::user. @param io  the batch.
 *  @return 0: go on. > 0: environments failed (see blpo_step::failed): the transitions of their current episode in this
 *          rollout are dropped and they are reset; counted in blpo_metrics::n_void_episodes. < 0: the call ends with
 *          BLPO_ERR_CALLBACK, this step is not taken; a later call asks for it again with the same actions. */
typedef int (*blpo_step_fn)(void *user, blpo_step *io);

/** Resets environments. Threads and verdicts as blpo_step_fn, but any value other than 0 ends the call with
 *  BLPO_ERR_CALLBACK. */
typedef int (*blpo_reset_fn)(void *user, blpo_reset *io);

/** Writes the state of all environments into a checkpoint. Called twice in a save, first to be counted only: it must write
 *  the same bytes both times, and less than 1 GiB.
 *  @param user blpo_env::user. @param write the sink. @param sink  passed to write.
 *  @return 0; else the save ends with BLPO_ERR_CALLBACK, as it does when the two calls differ in length. */
typedef int (*blpo_env_save_fn)(void *user, blpo_write_fn write, void *sink);

/** Takes back what blpo_env_save_fn wrote. Called last, after everything else in the checkpoint was found sound.
 *  @param user blpo_env::user. @param bytes [n_bytes] read-only. @param n_bytes  its length.
 *  @return 0; else the load ends with BLPO_ERR_CALLBACK and the trainer is unchanged: leave the environments so too. */
typedef int (*blpo_env_load_fn)(void *user, const void *bytes, size_t n_bytes);

/** A batch of environments. Copied at create; `user` is borrowed for the life of the trainer. */
typedef struct blpo_env {
    size_t struct_size;        /**< set by blpo_env_init() */
    void *user;                /**< passed to every callback */
    int64_t n_envs;            /**< >= 1, default 1 */
    int64_t obs_dim;           /**< >= 1; no default */
    blpo_action_space action;  /**< no default; bounds are copied */
    int32_t autoreset;         /**< a blpo_autoreset, default DISABLED */
    blpo_step_fn step;         /**< NULL for push mode (act and observe) only */
    blpo_reset_fn reset;       /**< required with step. SAME_STEP, NEXT_STEP: called once for all, and after failures */
    blpo_env_save_fn save;     /**< NULL: a checkpoint holds no environment state, and a load resets all environments */
    blpo_env_load_fn load;     /**< both of these two, or neither */
    /* -- above: 0.1. Append only; for what is appended, 0 keeps the older behaviour. -- */

    /** 0, the default: step and reset get all rows in one call, on the thread that called the trainer. c > 0 declares that
     *  they may run for different rows at the same time, on any of the trainer's threads (blpo_runtime::n_threads) or those of
     *  blpo_runtime::parallel_for: then n_envs / c calls, 1 at least and 16 at most, share the rows out, each a block
     *  first .. first + count - 1 of at least c rows. So choose c such that c steps take some microseconds or more.
     *  - The blocks depend on n_envs and c alone, and are those of every step and reset; with one thread they are called one
     *    after the other. No result depends on threads, as long as a row depends on its actions and seeds alone: the
     *    callbacks may read what all rows share and change only what belongs to theirs.
     *  - A row is in one call at a time, and sees what its calls before have written. save and load are called when no other
     *    runs.
     *  - Every block is called, whatever others return. A verdict > 0 concerns the rows of its block. After verdicts < 0 the
     *    call ends with the error of the lowest block that gave one; blpo_error::env is its first row. The other blocks have
     *    taken the step, and what they gave is kept: a later call asks those that failed alone, with the same actions. Rows
     *    are looked at when every block has taken the step: the call ends with the error of the lowest one that is not sound,
     *    blpo_error::env, and a later call asks its block alone. Until then a checkpoint holds no environment state.
     *  - reset: blocks with a row to be reset are called. When one of them gives a verdict that is not 0, a later call asks all
     *    of these again, with the same seeds. */
    int64_t concurrent_rows;
} blpo_env;

/** Fills the first struct_size bytes, never more, with defaults.
 *  @param env  to be filled. @param struct_size  sizeof(blpo_env) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size smaller than that of 0.1. Any thread. Since 0.1. */
BLPO_API int blpo_env_init(blpo_env *env, size_t struct_size);

#ifdef __cplusplus
}
#endif
#endif
