/* Derivatives of log-probabilities and entropies against central differences (float64 alone), and draws at the edges. */
#include "support/check.h"
#include "support/dense.h"

#include "rl/distribution.h"

#include <blpo/env.h>

#include <math.h>
#include <string.h>

enum { N = 4, FLOAT64_ONLY = sizeof(real) == sizeof(double) };

/* h = 1e-5: h^2 times a third derivative of size 10, 1e-9, and rounding 10 eps / h, 2e-10. */
static const double STEP = 1e-5, DIFFERENCE = 2e-9;

typedef struct fixture {
    blpo__distribution d;
    real output[N], log_std[N], action[N];
    int64_t index;
} fixture;

static void begin(fixture *f, int32_t kind, uint64_t seed)
{
    memset(f, 0, sizeof *f);
    for (int i = 0; i < N; i++) {
        f->output[i] = (real)test_normal(&seed);
        f->log_std[i] = (real)(0.3 * test_normal(&seed));
        f->action[i] = (real)test_normal(&seed);
    }
    f->index = (int64_t)(seed % N);
    f->d = (blpo__distribution){ kind, N, kind == BLPO_ACTION_CONTINUOUS ? f->log_std : NULL };
}

static const void *action_of(const fixture *f)
{
    return f->d.kind == BLPO_ACTION_DISCRETE ? (const void *)&f->index : f->action;
}

/* Derivative of log-probability or entropy in one number of the fixture. */
static double difference(fixture *f, real *number, int entropy)
{
    const real at = *number;
    double value[2];
    for (int side = 0; side <= 1; side++) {
        *number = (real)((double)at + (side ? STEP : -STEP));
        value[side] = entropy ? blpo__entropy(&f->d, f->output) : blpo__log_prob(&f->d, f->output, action_of(f));
    }
    *number = at;
    return (value[1] - value[0]) / (2.0 * STEP);
}

static void scores_of_log_probabilities_are_differences(void **state)
{
    (void)state;
    if (!FLOAT64_ONLY)
        skip();
    for (int32_t kind = BLPO_ACTION_DISCRETE; kind <= BLPO_ACTION_CONTINUOUS; kind++)
        for (uint64_t seed = 1; seed <= 10; seed++) {
            fixture f;
            real of_output[N], of_log_std[N] = { 0 };
            begin(&f, kind, seed);
            const int64_t first = 0;
            double value, entropy;
            const blpo__scores scores = { 1, f.output, action_of(&f), &first, of_output, of_log_std, &value, &entropy };
            blpo__log_prob_scores(&f.d, &scores);
            assert_close(value, blpo__log_prob(&f.d, f.output, action_of(&f)), 1e-14, 1e-14);
            assert_close(entropy, blpo__entropy(&f.d, f.output), 1e-14, 1e-14);
            for (int i = 0; i < N; i++) {
                assert_close(of_output[i], difference(&f, &f.output[i], 0), 10.0 * DIFFERENCE, DIFFERENCE);
                if (kind == BLPO_ACTION_CONTINUOUS)
                    assert_close(of_log_std[i], difference(&f, &f.log_std[i], 0), 10.0 * DIFFERENCE, DIFFERENCE);
            }
        }
}

static void scores_of_entropies_are_differences(void **state)
{
    (void)state;
    if (!FLOAT64_ONLY)
        skip();
    for (int32_t kind = BLPO_ACTION_DISCRETE; kind <= BLPO_ACTION_CONTINUOUS; kind++)
        for (uint64_t seed = 1; seed <= 10; seed++) {
            fixture f;
            real of_output[N];
            begin(&f, kind, seed);
            blpo__entropy_score(&f.d, f.output, of_output);
            for (int i = 0; i < N; i++) {
                assert_close(of_output[i], difference(&f, &f.output[i], 1), 10.0 * DIFFERENCE, DIFFERENCE);
                if (kind == BLPO_ACTION_CONTINUOUS)
                    assert_close(1.0, difference(&f, &f.log_std[i], 1), DIFFERENCE, 0.0);
            }
        }
}

/* Rows together, with actions in another order, against the definition of each: rows and outcomes in numbers around those that
 * the library takes at a time. Outputs within 4: in double sums of n numbers are off by n roundings; scores are rounded to
 * real twice. */
static void rows_have_the_scores_of_each(void **state)
{
    (void)state;
    enum { ROWS = 130, MOST = 600 };
    static const int64_t sizes[] = { 1, 2, 3, 255, 256, 257, MOST };
    static real output[ROWS * MOST], of_output[ROWS * MOST], of_log_std[ROWS * MOST], number[ROWS * MOST], log_std[MOST];
    static int64_t index[ROWS], at[ROWS];
    static double log_prob[ROWS], entropy[ROWS];
    uint64_t seed = 4;
    for (int64_t i = 0; i < ROWS * MOST; i++) {
        output[i] = (real)(4.0 * test_uniform(&seed));
        number[i] = (real)test_uniform(&seed);
        log_std[i % MOST] = (real)test_uniform(&seed);
    }
    for (int64_t s = 0; s < TEST_COUNT(sizes); s++)
        for (int32_t kind = sizes[s] < 2 ? BLPO_ACTION_CONTINUOUS : BLPO_ACTION_DISCRETE; kind <= BLPO_ACTION_CONTINUOUS; kind++) {
            const int64_t n = sizes[s], rows = ROWS - s;
            const int discrete = kind == BLPO_ACTION_DISCRETE;
            const blpo__distribution d = { kind, n, discrete ? NULL : log_std };
            for (int64_t t = 0; t < rows; t++) {
                at[t] = rows - 1 - t;
                index[t] = (7 * t) % n;
            }
            const blpo__scores scores = { rows, output, discrete ? (const void *)index : number, at, of_output,
                                          discrete ? NULL : of_log_std, log_prob, entropy };
            blpo__log_prob_scores(&d, &scores);
            for (int64_t t = 0; t < rows; t++) {
                const real *o = output + t * n;
                const void *action = discrete ? (const void *)(index + at[t]) : number + at[t] * n;
                const double value = blpo__log_prob(&d, o, action), off = 4.0 * (double)(n + 4) * 1.2e-16;
                assert_close(log_prob[t], value, off, off);
                assert_close(entropy[t], blpo__entropy(&d, o), off, off);
                for (int64_t j = 0; j < n; j++)
                    if (discrete) {
                        const int64_t of_j = j;
                        const double p = exp(blpo__log_prob(&d, o, &of_j));
                        assert_close(of_output[t * n + j], (j == index[at[t]] ? 1.0 : 0.0) - p, 0.0, 2.0 * TEST_EPSILON + off);
                    } else {
                        const double scale = exp(-(double)log_std[j]), z = ((double)number[at[t] * n + j] - (double)o[j]) * scale;
                        assert_close(of_output[t * n + j], z * scale, 2.0 * TEST_EPSILON, 0.0);
                        assert_close(of_log_std[t * n + j], z * z - 1.0, 2.0 * TEST_EPSILON, 2.0 * TEST_EPSILON);
                    }
            }
        }
}

/* The smallest and the largest uniform number that a stream can give: an action in range, and one that is possible. */
static void draws_at_the_ends_of_the_stream_are_possible_actions(void **state)
{
    (void)state;
    static const real outputs[3][N] = { { 0, 0, 0, 0 }, { 0, -1000, 1, -1000 }, { -1000, 3, 3, -1000 } };
    for (int row = 0; row < 3; row++)
        for (int end = 0; end <= 1; end++) {
            const blpo__distribution d = { BLPO_ACTION_DISCRETE, N, NULL };
            blpo__stream s = { .block = { end ? UINT64_MAX : 0 }, .left = 4 };
            int64_t action = -1;
            blpo__sample(&d, outputs[row], &s, &action);
            assert_in_range(action, 0, N - 1);
            assert_true(outputs[row][action] > -1000);
        }
}

/* Box and Muller at the ends: a logarithm of 0 would be infinite. */
static void gaussian_draws_at_the_ends_of_the_stream_are_finite(void **state)
{
    (void)state;
    const real output[N] = { 0 }, log_std[N] = { 0 };
    for (int end = 0; end <= 1; end++) {
        const blpo__distribution d = { BLPO_ACTION_CONTINUOUS, N, log_std };
        const uint64_t x = end ? UINT64_MAX : 0;
        blpo__stream s = { .block = { x, x, x, x }, .left = 4 };
        real action[N];
        blpo__sample(&d, output, &s, action);
        for (int i = 0; i < N; i++)
            assert_true(isfinite(action[i]) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_log_probabilities_are_differences),
        cmocka_unit_test(scores_of_entropies_are_differences),
        cmocka_unit_test(rows_have_the_scores_of_each),
        cmocka_unit_test(draws_at_the_ends_of_the_stream_are_possible_actions),
        cmocka_unit_test(gaussian_draws_at_the_ends_of_the_stream_are_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
