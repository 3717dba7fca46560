/* Work in a fixed number of pieces. How many there are depends on sizes alone, each piece writes only its own memory, and
 * results are added in a fixed order: equal bits for any number of threads. */
#ifndef BLPO_CORE_PARALLEL_H
#define BLPO_CORE_PARALLEL_H

#include "core/memory.h"
#include "core/pool.h"
#include "core/real.h"

#include <blpo/runtime.h>

#define BLPO__TILE 192      /* most rows that go through the kernels together */
#define BLPO__GRAIN 16      /* pieces begin at multiples of so many rows */
#define BLPO__MAX_PIECES 16 /* most pieces a batch is cut into */

/* Who runs the pieces: the calling thread alone, the library's threads, or the host's hook. */
typedef struct blpo__parallel {
    blpo__pool *pool; /* NULL: none */
    blpo_parallel_for_fn hook;
    void *user;
} blpo__parallel;

/* Starts n_threads - 1 threads. BLPO_OK or BLPO_ERR_NOMEM. */
int blpo__parallel_start(blpo__parallel *parallel, const blpo_runtime *runtime, blpo__memory *memory);
void blpo__parallel_stop(blpo__parallel *parallel);

/* Runs the task for pieces 0 .. n_pieces - 1, at most BLPO__MAX_PIECES, and returns when all are done. */
void blpo__parallel_run(const blpo__parallel *parallel, int64_t n_pieces, blpo_task_fn task, void *context);

/* Pieces for n of something. Up to `each` one; beyond it pieces of about so many, an even number of them, so that two threads have
 * equal shares, and at most BLPO__MAX_PIECES. */
int64_t blpo__even_pieces(int64_t n, int64_t each);

/* Pieces for so many rows, at most BLPO__MAX_PIECES, never fewer for more rows. Up to a tile they stay together: sums of
 * pieces and the waking of threads would cost more there than threads could save. */
int64_t blpo__n_pieces(int64_t rows);

/* First row of a piece; piece = n_pieces gives the number of rows. Pieces begin at multiples of BLPO__GRAIN. */
int64_t blpo__piece_begin(int64_t rows, int64_t n_pieces, int64_t piece);

#endif
