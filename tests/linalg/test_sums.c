/* Sums over pieces: the bits of the fixed tree, in whatever order the pieces end and whichever thread adds. */
#include "support/check.h"
#include "support/dense.h"
#include "support/memory.h"

#include "linalg/sums.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = BLPO__MAX_PIECES, GAP = 5 };

/* Parts of all pieces, which do not add up without rounding. */
typedef struct parts {
    int64_t n_pieces, n;
    real *part; /* [n_pieces][n] */
    blpo__sums sums;
} parts;

/* The tree as it is defined: neighbours first, by twos, fours, ... */
static real in_tree(const parts *p, int64_t begin, int64_t width, int64_t column)
{
    if (width == 1)
        return p->part[begin * p->n + column];
    const real left = in_tree(p, begin, width / 2, column);
    return begin + width / 2 < p->n_pieces ? left + in_tree(p, begin + width / 2, width / 2, column) : left;
}

static void one_piece(void *context, int64_t piece)
{
    parts *p = context;
    memcpy(blpo__sums_of(&p->sums, piece), p->part + piece * p->n, (size_t)p->n * sizeof(real));
    blpo__sums_join(&p->sums, piece);
}

static void sum_up(parts *p, const blpo__parallel *parallel)
{
    const int64_t stride = p->n + GAP;
    real *sum = guarded_new(p->n), *partial = guarded_new(MOST * stride);
    p->sums = (blpo__sums){sum, partial, p->n_pieces, stride, p->n, 0};
    blpo__parallel_run(parallel, p->n_pieces, one_piece, p);
    blpo__sums_finish(&p->sums, parallel);
    for (int64_t i = 0; i < p->n; i++)
        assert_true(sum[i] == in_tree(p, 0, MOST, i));
    guarded_free(sum);
    guarded_free(partial);
}

static parts random_parts(int64_t n_pieces, int64_t n, uint64_t seed)
{
    parts p = {.n_pieces = n_pieces, .n = n, .part = malloc((size_t)(n_pieces * n) * sizeof(real))};
    assert_non_null(p.part);
    for (int64_t i = 0; i < n_pieces * n; i++)
        p.part[i] = (real)test_uniform(&seed);
    return p;
}

/* Shuffles the pieces (Fisher and Yates), and runs them so. */
static void in_random_order(void *user, int64_t n, blpo_task_fn task, void *context)
{
    uint64_t *seed = user;
    int64_t order[MOST];
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = (int64_t)(0.5 * (test_uniform(seed) + 1.0) * (double)(i + 1)) % (i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (int64_t i = 0; i < n; i++)
        task(context, order[i]);
}

static const int64_t lengths[] = { 1, 100, 8192, 8193, 20000 }; /* beyond 8192 the last sum is cut by columns */

static void any_order_gives_the_bits_of_the_tree(void **state)
{
    (void)state;
    uint64_t seed = 3;
    const blpo__parallel shuffled = {NULL, in_random_order, &seed};
    for (int64_t k = 0; k < TEST_COUNT(lengths); k++)
        for (int64_t n_pieces = 1; n_pieces <= MOST; n_pieces++) {
            parts p = random_parts(n_pieces, lengths[k], (uint64_t)n_pieces);
            for (int i = 0; i < 5; i++)
                sum_up(&p, &shuffled);
            free(p.part);
        }
}

/* Small sums: threads meet in each of them. */
static void threads_give_the_bits_of_the_tree(void **state)
{
    (void)state;
    counted_memory counted = {0};
    blpo_runtime runtime = counted_runtime(&counted, NULL);
    runtime.n_threads = 3;
    blpo__memory memory = blpo__memory_of(&runtime);
    blpo__parallel parallel;
    assert_status(blpo__parallel_start(&parallel, &runtime, &memory), BLPO_OK);
    for (int64_t k = 0; k < 2; k++)
        for (int64_t n_pieces = 2; n_pieces <= MOST; n_pieces++) {
            parts p = random_parts(n_pieces, lengths[k], (uint64_t)n_pieces);
            for (int i = 0; i < 100; i++)
                sum_up(&p, &parallel);
            free(p.part);
        }
    parts p = random_parts(MOST, lengths[4], 1);
    for (int i = 0; i < 10; i++)
        sum_up(&p, &parallel);
    free(p.part);
    blpo__parallel_stop(&parallel);
    blpo__memory_release(&memory);
    assert_all_released(&counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_bits_of_the_tree),
        cmocka_unit_test(threads_give_the_bits_of_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
