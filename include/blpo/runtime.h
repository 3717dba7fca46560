/** @file runtime.h
 *  What a handle uses of its host: memory, log, threads, other processes. Given at create, copied, optional.
 *  No hook may be left by an exception or longjmp (see blpo.h). */
#ifndef BLPO_RUNTIME_H
#define BLPO_RUNTIME_H

#include <blpo/export.h>
#include <blpo/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Importance of a log line. */
typedef enum blpo_log_level {
    BLPO_LOG_INFO = 1,   /**< facts about the run */
    BLPO_LOG_WARNING = 2 /**< something costs speed or is likely not meant */
} blpo_log_level;

/** Memory from the host. Called only in create, destroy and load functions, on the thread that called them.
 *  @param user       blpo_runtime::allocator_user.   @param size  bytes, > 0.
 *  @param alignment  a power of two, at least 64.
 *  @return memory with that alignment, contents free; NULL ends the call with BLPO_ERR_NOMEM. */
typedef void *(*blpo_allocate_fn)(void *user, size_t size, size_t alignment);

/** Gives memory back. @param user  as above. @param memory  from blpo_allocate_fn, never NULL. @param size  as asked for. */
typedef void (*blpo_release_fn)(void *user, void *memory, size_t size);

/** One log line, without a newline, valid during the call. Called on the thread that called the library.
 *  @param user  blpo_runtime::log_user. @param level  a blpo_log_level. @param text  the line. */
typedef void (*blpo_log_fn)(void *user, int32_t level, const char *text);

/** One piece of parallel work; it cannot fail. @param context  as given. @param piece  0 .. n - 1. */
typedef void (*blpo_task_fn)(void *context, int64_t piece);

/** Runs task(context, 0) .. task(context, n - 1), each exactly once, in any order and on any threads, and returns when
 *  all are done. The result does not depend on how: pieces depend on sizes alone and are reduced in a fixed order.
 *  Called on the thread that called the trainer, in blpo_trainer_run(), blpo_trainer_collect() (blocks of environments) and
 *  blpo_trainer_update(), never from inside a task; it has no verdict, and must run every task.
 *  @param user  blpo_runtime::parallel_user. @param n  pieces, 2 .. 16: one alone is run without the hook.
 *  @param task  the work. @param context  for task. */
typedef void (*blpo_parallel_for_fn)(void *user, int64_t n, blpo_task_fn task, void *context);

/** Replaces buffer[i] by its sum over all processes, with equal bits in each. Called in the same order by each.
 *  @param user  blpo_runtime::all_reduce_user. @param buffer  [n], in and out. @param n  elements.
 *  @return 0; anything else ends the call with BLPO_ERR_CALLBACK. */
typedef int (*blpo_all_reduce_fn)(void *user, float *buffer, int64_t n);

/** What a handle uses of its host. Copied at create; NULL in place of it means the defaults. Every handle uses the allocator
 *  and `error`. Log, threads and processes are used by trainers alone: other handles check these fields and do no more. */
typedef struct blpo_runtime {
    size_t struct_size;             /**< set by blpo_runtime_init() */
    blpo_allocate_fn allocate;      /**< NULL: the C library's allocator. Both of these two, or neither */
    blpo_release_fn release;        /**< NULL: the C library's */
    void *allocator_user;           /**< passed to both */
    blpo_log_fn log;                /**< NULL: nothing is logged */
    void *log_user;                 /**< passed to log */
    int64_t n_threads;              /**< 1 .. 256, default 1: threads of the library's own, the calling one included. They
                                         live from create to destroy, look for work for some 50 us after each batch of it
                                         where there are as many processors, and sleep then; with glibc 2.32
                                         or later no signal is delivered to them. Their stacks are of the system's default
                                         size, also for callbacks that run on them (blpo_env::concurrent_rows). A child of
                                         fork() has none of them: a handle it inherited, unless it was in use, works there in
                                         the calling thread alone, and may be destroyed */
    blpo_parallel_for_fn parallel_for; /**< NULL: the library's own threads. With a hook n_threads must be 1 */
    void *parallel_user;            /**< passed to parallel_for */
    blpo_all_reduce_fn all_reduce;  /**< NULL: one process. Every process gets the same seed and settings */
    void *all_reduce_user;          /**< passed to all_reduce */
    int64_t n_processes;            /**< >= 1, default 1; more than 1 needs all_reduce */
    int64_t process_index;          /**< 0 .. n_processes - 1: keys the random streams of this process's environments */
    blpo_error *error;              /**< NULL, or where a create or load that has no handle to keep the error writes it;
                                         used during that call only. Untouched on success, and where struct_size of this
                                         struct is too small or was not set. So set its code to 0 before, and where it
                                         still is, print blpo_status_text() */
    /* -- above: 0.1. Append only; for what is appended, 0 keeps the older behaviour. -- */
} blpo_runtime;

/** Fills the first struct_size bytes, never more, with defaults.
 *  @param runtime  to be filled. @param struct_size  sizeof(blpo_runtime) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size smaller than that of 0.1. Any thread. Since 0.1. */
BLPO_API int blpo_runtime_init(blpo_runtime *runtime, size_t struct_size);

/** State of a caller's random stream. Zeroes are a valid start; equal states give equal draws on every machine. */
typedef struct blpo_random {
    uint64_t seed;    /**< any number */
    uint64_t stream;  /**< any number: streams of one seed are independent */
    uint64_t counter; /**< draws made so far; advanced by the functions that take the state */
} blpo_random;

#ifdef __cplusplus
}
#endif
#endif
