/* Who runs the pieces of a batch, and how many there are, which does not depend on threads. */
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

int64_t blpo__even_pieces(int64_t n, int64_t each)
{
    const int64_t pairs = (n + 2 * each - 1) / (2 * each);
    if (n <= each)
        return n > 0;
    return 2 * pairs < BLPO__MAX_PIECES ? 2 * pairs : BLPO__MAX_PIECES;
}

/* A short piece makes slow products, and each has a sum of its own to be cleared and added. */
int64_t blpo__n_pieces(int64_t rows)
{
    return blpo__even_pieces(rows, BLPO__TILE);
}

int64_t blpo__piece_begin(int64_t rows, int64_t n_pieces, int64_t piece)
{
    const int64_t grains = (rows + BLPO__GRAIN - 1) / BLPO__GRAIN;
    const int64_t row = grains * piece / n_pieces * BLPO__GRAIN;
    return row < rows ? row : rows;
}
