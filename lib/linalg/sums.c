/* Sums over pieces in a fixed binary tree: ((0 + 1) + (2 + 3)) + ((4 + 5) + ...), whichever thread adds.
 *
 * Two sides of the tree that are neighbours meet where the right one begins. Who comes there second adds, at once: the numbers
 * are in the caches of that processor still, and nobody waits for it. The last sum of long ones is left to a batch of its own,
 * cut by columns, since one thread would have to fetch half of the numbers from another processor.
 *
 * Order of memory: who comes first has written its side before it says so (release), and who comes second reads it after
 * (acquire). Cost: n (pieces - 1) additions. */
#include "linalg/sums.h"

#include "linalg/product.h"

enum { ADDED_TOGETHER = 8192 }; /* numbers: fewer are added while another thread comes to it */

real *blpo__sums_of(const blpo__sums *sums, int64_t piece)
{
    return piece == 0 ? sums->sum : sums->partial + (piece - 1) * sums->stride;
}

static void add(const blpo__sums *sums, int64_t left, int64_t right, int64_t begin, int64_t end)
{
    blpo__add_weighted_rows(1, end - begin, NULL, blpo__sums_of(sums, right) + begin, blpo__sums_of(sums, left) + begin);
}

static int is_long(const blpo__sums *sums)
{
    return sums->n > ADDED_TOGETHER;
}

/* Whether the other side has been here. */
static int meets(blpo__sums *sums, int64_t right)
{
    return atomic_fetch_or_explicit(&sums->met, 1u << right, memory_order_acq_rel) >> right & 1;
}

void blpo__sums_join(blpo__sums *sums, int64_t piece)
{
    const int64_t end = is_long(sums) ? (sums->n_pieces + 1) / 2 : sums->n_pieces;
    for (int64_t gap = 1; gap < end; gap *= 2) {
        const int64_t left = piece / (2 * gap) * (2 * gap), right = left + gap;
        if (right >= sums->n_pieces) /* alone on this level */
            continue;
        if (!meets(sums, right))
            return;
        add(sums, left, right, 0, sums->n);
    }
}

typedef struct last_sum {
    const blpo__sums *sums;
    int64_t right, n_blocks;
} last_sum;

static void add_block(void *context, int64_t block)
{
    const last_sum *last = context;
    const int64_t n = last->sums->n;
    add(last->sums, 0, last->right, blpo__piece_begin(n, last->n_blocks, block), blpo__piece_begin(n, last->n_blocks, block + 1));
}

void blpo__sums_finish(blpo__sums *sums, const blpo__parallel *parallel)
{
    if (sums->n_pieces < 2 || !is_long(sums))
        return;
    last_sum last = {sums, 1, blpo__even_pieces(sums->n, ADDED_TOGETHER)};
    while (2 * last.right < sums->n_pieces)
        last.right *= 2;
    blpo__parallel_run(parallel, last.n_blocks, add_block, &last);
}
