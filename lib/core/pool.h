/* Threads of the library's own, which run the pieces of a batch together with the calling thread. */
#ifndef BLPO_CORE_POOL_H
#define BLPO_CORE_POOL_H

#include "core/memory.h"

typedef struct blpo__pool blpo__pool;

/* Starts n_threads - 1 threads, n_threads > 1. BLPO_OK or BLPO_ERR_NOMEM. */
int blpo__pool_start(blpo__pool **out, int64_t n_threads, blpo__memory *memory);

/* Ends and joins them; its memory is that of the handle. */
void blpo__pool_stop(blpo__pool *pool);

/* Runs the task for pieces 0 .. n_pieces - 1, n_pieces in 1 .. BLPO__MAX_PIECES, and returns when all are done. One caller at a time. */
void blpo__pool_run(blpo__pool *pool, int64_t n_pieces, blpo_task_fn task, void *context);

#endif
