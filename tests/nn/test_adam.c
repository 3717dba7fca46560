/* Adam against its formula, step by step. */
#include "support/check.h"
#include "support/dense.h"
#include "support/memory.h"

#include "linalg/vector.h"
#include "nn/adam.h"

#include <math.h>
#include <string.h>

enum { N = 5, STEPS = 50 };

/* In double; the library keeps m, v and x in its number type: some 4 eps a step, each step of size rate. */
static void steps_are_the_formula(void **state)
{
    (void)state;
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__adam adam;
    blpo__adam_create(&adam, N, 0.9, 0.999, 1e-5, &memory);
    real x[N] = { 0 }, g[N];
    double m[N] = { 0 }, v[N] = { 0 }, expected[N] = { 0 };
    uint64_t seed = 2;
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++) {
            g[i] = (real)(test_normal(&seed) * pow(10.0, i - 3)); /* from far below epsilon to far above */
            m[i] = 0.9 * m[i] + 0.1 * (double)g[i];
            v[i] = 0.999 * v[i] + 0.001 * (double)g[i] * (double)g[i];
            expected[i] -= 0.01 * (m[i] / (1.0 - pow(0.9, t))) / (sqrt(v[i] / (1.0 - pow(0.999, t))) + 1e-5);
        }
        blpo__adam_step(&adam, 0.01, g, x);
        for (int i = 0; i < N; i++)
            assert_close(x[i], expected[i], 4.0 * TEST_EPSILON, 16.0 * t * 0.01 * TEST_EPSILON);
    }
    assert_int_equal(adam.t, STEPS);
    blpo__memory_release(&memory);
}

/* The first step is rate g / (|g| + eps), whatever the size of g: bias correction. */
static void the_first_step_has_the_size_of_the_rate(void **state)
{
    (void)state;
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__adam adam;
    blpo__adam_create(&adam, 2, 0.9, 0.999, 1e-5, &memory);
    real x[2] = { 1, 1 };
    const real g[2] = { 1000, -2 };
    blpo__adam_step(&adam, 0.125, g, x);
    assert_close(x[0], 1.0 - 0.125 * 1000.0 / (1000.0 + 1e-5), 4.0 * TEST_EPSILON, 0.0);
    assert_close(x[1], 1.0 + 0.125 * 2.0 / (2.0 + 1e-5), 4.0 * TEST_EPSILON, 0.0);
    blpo__memory_release(&memory);
}

enum { LARGE = 5003 };

static void random_gradient(real *g, uint64_t seed)
{
    for (int i = 0; i < LARGE; i++)
        g[i] = (real)test_normal(&seed);
}

/* Blocks by three threads against one loop: every bit of m, v and x; and the norm, whose sums are in double. */
static void blocks_make_the_same_step(void **state)
{
    (void)state;
    counted_memory counted = { 0 };
    blpo_runtime runtime = counted_runtime(&counted, NULL);
    runtime.n_threads = 3;
    blpo__memory memory = blpo__memory_of(&runtime);
    blpo__parallel parallel;
    blpo__adam whole, blocks;
    static real x[2][LARGE], g[LARGE];
    memset(x, 0, sizeof x);
    blpo__adam_create(&whole, LARGE, 0.9, 0.999, 1e-5, &memory);
    blpo__adam_create(&blocks, LARGE, 0.9, 0.999, 1e-5, &memory);
    assert_status(blpo__parallel_start(&parallel, &runtime, &memory), BLPO_OK);
    assert_int_equal(blpo__adam_blocks(&blocks, 0), 1);
    for (int64_t step = 1; step <= 40; step++) {
        random_gradient(g, (uint64_t)step);
        const int64_t n_blocks = step % 2 == 0 ? blpo__adam_blocks(&blocks, 1) : step % BLPO__MAX_PIECES + 1;
        const double norm = blpo__adam_step_in_blocks(&blocks, &parallel, n_blocks, 0.01, g, x[1]);
        blpo__adam_step(&whole, 0.01, g, x[0]);
        assert_close(norm, blpo__norm(g, LARGE), 1e-14, 0.0);
        assert_memory_equal(x[0], x[1], sizeof x[0]);
        assert_memory_equal(whole.m, blocks.m, sizeof x[0]);
        assert_memory_equal(whole.v, blocks.v, sizeof x[0]);
    }
    assert_int_equal(whole.t, blocks.t);
    blpo__parallel_stop(&parallel);
    blpo__memory_release(&memory);
    assert_all_released(&counted);
}

/* No number, infinity, none at all, and numbers whose squares vanish in the number type. */
static void the_norm_of_blocks_is_that_of_the_whole(void **state)
{
    (void)state;
    blpo__memory memory = blpo__memory_of(NULL);
    const blpo__parallel alone = { NULL, NULL, NULL };
    blpo__adam adam;
    static real x[LARGE], g[LARGE];
    blpo__adam_create(&adam, LARGE, 0.9, 0.999, 1e-5, &memory);
    assert_true(blpo__adam_step_in_blocks(&adam, &alone, 3, 0.01, g, x) == 0.0);
    g[LARGE - 1] = (real)(sizeof(real) == sizeof(float) ? 1e-30 : 1e-160);
    assert_close(blpo__adam_step_in_blocks(&adam, &alone, 3, 0.01, g, x), g[LARGE - 1], 4.0 * DBL_EPSILON, 0.0);
    g[LARGE / 2] = (real)INFINITY;
    assert_true(!isfinite(blpo__adam_step_in_blocks(&adam, &alone, 3, 0.01, g, x)));
    g[LARGE / 2] = (real)NAN;
    assert_true(!isfinite(blpo__adam_step_in_blocks(&adam, &alone, 3, 0.01, g, x)));
    blpo__memory_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_the_formula),
        cmocka_unit_test(the_first_step_has_the_size_of_the_rate),
        cmocka_unit_test(blocks_make_the_same_step),
        cmocka_unit_test(the_norm_of_blocks_is_that_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
