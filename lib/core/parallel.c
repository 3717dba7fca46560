/* Who runs the pieces of a batch, how many there are, and how their sums are added: nothing of it depends on threads. */
#include "core/parallel.h"

#include <blpo/status.h>

int blpo__parallel_start(blpo__parallel *parallel, const blpo_runtime *runtime, blpo__memory *memory)
{
    *parallel = (blpo__parallel){NULL, runtime->parallel_for, runtime->parallel_user};
    return runtime->n_threads > 1 ? blpo__pool_start(&parallel->pool, runtime->n_threads, memory) : BLPO_OK;
}

void blpo__parallel_stop(blpo__parallel *parallel)
{
    if (parallel->pool != NULL)
        blpo__pool_stop(parallel->pool);
    parallel->pool = NULL;
}

void blpo__parallel_run(const blpo__parallel *parallel, int64_t n_pieces, blpo_task_fn task, void *context)
{
    if (n_pieces > 1 && parallel->hook != NULL)
        parallel->hook(parallel->user, n_pieces, task, context);
    else if (n_pieces > 1 && parallel->pool != NULL)
        blpo__pool_run(parallel->pool, n_pieces, task, context);
    else
        for (int64_t i = 0; i < n_pieces; i++)
            task(context, i);
}

/* Up to `each` one piece; beyond it pieces of about so many, an even number of them, so that two threads have equal shares. */
static int64_t even_pieces(int64_t n, int64_t each)
{
    const int64_t pairs = (n + 2 * each - 1) / (2 * each);
    if (n <= each)
        return n > 0;
    return 2 * pairs < BLPO__MAX_PIECES ? 2 * pairs : BLPO__MAX_PIECES;
}

/* A short piece makes slow products, and each has a sum of its own to be cleared and added. */
int64_t blpo__n_pieces(int64_t rows)
{
    return even_pieces(rows, BLPO__TILE);
}

int64_t blpo__piece_begin(int64_t rows, int64_t n_pieces, int64_t piece)
{
    const int64_t grains = (rows + BLPO__GRAIN - 1) / BLPO__GRAIN;
    const int64_t row = grains * piece / n_pieces * BLPO__GRAIN;
    return row < rows ? row : rows;
}

/* ---- sums ---- */

enum { ADDED_TOGETHER = 8192 }; /* numbers: fewer are added while another thread comes to it */

typedef struct reduction {
    real *sum, *partial;
    int64_t n_partials, stride, n, n_pieces;
} reduction;

/* The sum is the first partial. */
static real *partial_of(const reduction *r, int64_t i)
{
    return i == 0 ? r->sum : r->partial + (i - 1) * r->stride;
}

static void reduce_piece(void *context, int64_t piece)
{
    const reduction *r = context;
    const int64_t begin = r->n * piece / r->n_pieces, end = r->n * (piece + 1) / r->n_pieces;
    for (int64_t gap = 1; gap < r->n_partials; gap *= 2)
        for (int64_t to = 0; to + gap < r->n_partials; to += 2 * gap) {
            real *restrict a = partial_of(r, to);
            const real *restrict b = partial_of(r, to + gap);
            for (int64_t i = begin; i < end; i++)
                a[i] += b[i];
        }
}

void blpo__reduce(const blpo__parallel *parallel, real *sum, real *partial, int64_t n_partials, int64_t stride,
                  int64_t n)
{
    reduction r = {sum, partial, n_partials, stride, n, even_pieces(n, ADDED_TOGETHER)};
    if (n_partials > 1)
        blpo__parallel_run(parallel, r.n_pieces, reduce_piece, &r);
}
