/* Adam against its formula, step by step. */
#include "support/check.h"
#include "support/dense.h"

#include "nn/adam.h"

#include <math.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_the_formula),
        cmocka_unit_test(the_first_step_has_the_size_of_the_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
