/* U^T U, against elimination in long double; sizes around some blocks of 8 rows, and of 8, 4 or 16 columns. */
#include "support/check.h"
#include "support/dense.h"

#include "linalg/lapack.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SIZES[] = { 1, 2, 7, 8, 9, 15, 17, 24, 25, 47, 48, 49, 95, 96, 97, 131 };

typedef struct linear {
    blpo__memory memory;
    blpo__cholesky factor;
    double *g, *b, *x; /* [n][n], [n], [n] */
    int64_t n;
} linear;

/* Eigenvalues 1 .. 2, moved by `shift`. */
static void system_begin(linear *s, int64_t n, double shift)
{
    double *eigenvalue = malloc((size_t)n * sizeof *eigenvalue);
    uint64_t seed = 5;
    s->n = n;
    s->memory = blpo__memory_of(NULL);
    s->g = malloc((size_t)(n * n) * sizeof *s->g);
    s->b = malloc((size_t)n * sizeof *s->b);
    s->x = malloc((size_t)n * sizeof *s->x);
    assert_true(eigenvalue && s->g && s->b && s->x);
    for (int64_t i = 0; i < n; i++) {
        eigenvalue[i] = 1.0 + (double)i / (double)n + shift;
        s->b[i] = test_normal(&seed);
    }
    dense_symmetric(eigenvalue, n, 11, s->g);
    blpo__cholesky_create(&s->factor, n, &s->memory);
    assert_false(s->memory.failed);
    memcpy(s->factor.a, s->g, (size_t)(n * n) * sizeof *s->g);
    blpo__cholesky_load(&s->factor);
    free(eigenvalue);
}

static void system_end(linear *s)
{
    free(s->g);
    free(s->b);
    free(s->x);
    blpo__memory_release(&s->memory);
}

/* Backward stable: 8 n eps condition |x|, the condition at most 3 / 2 whatever the shift here. */
static void assert_solves(linear *s, double shift)
{
    dense_shifted_solve(s->g, shift, s->b, s->n, s->x);
    blpo__cholesky_solve(&s->factor, s->b);
    double away = 0.0;
    for (int64_t i = 0; i < s->n; i++)
        away = hypot(away, s->b[i] - s->x[i]);
    assert_true(away <= 8.0 * (double)s->n * DBL_EPSILON * 2.0 * dense_norm(s->x, s->n));
}

static void the_factor_solves_systems_of_any_number_of_blocks(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(SIZES); i++) {
        linear s;
        system_begin(&s, SIZES[i], 0.0);
        assert_int_equal(blpo__cholesky_factor(&s.factor, 0.5), 0);
        assert_solves(&s, 0.5);
        assert_true(s.factor.condition >= 1.0 && s.factor.condition <= 2.0);
        system_end(&s);
    }
}

/* Eigenvalues -1.5 .. -0.5: refused, and taken with 3 added, from the same load. */
static void a_matrix_that_is_not_positive_definite_is_refused_and_may_be_shifted(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(SIZES); i++) {
        linear s;
        system_begin(&s, SIZES[i], -2.5);
        assert_int_equal(blpo__cholesky_factor(&s.factor, 0.0), -1);
        assert_int_equal(blpo__cholesky_factor(&s.factor, 0.25), -1);
        assert_int_equal(blpo__cholesky_factor(&s.factor, 3.0), 0);
        assert_solves(&s, 3.0);
        system_end(&s);
    }
}

static void a_matrix_with_a_nan_is_refused(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(SIZES); i++) {
        linear s;
        const int64_t n = SIZES[i];
        system_begin(&s, n, 0.0);
        s.factor.a[n - 1] = (double)NAN; /* the last column of the first row */
        blpo__cholesky_load(&s.factor);
        assert_int_equal(blpo__cholesky_factor(&s.factor, 0.0), -1);
        system_end(&s);
    }
}

/* n set below that of create: the leading numbers are a matrix of that size. */
static void a_smaller_system_fits_into_a_larger_one(void **state)
{
    (void)state;
    linear large, small;
    system_begin(&large, 97, 0.0);
    system_begin(&small, 50, 0.0);
    large.factor.n = 50;
    memcpy(large.factor.a, small.g, sizeof(double) * 50 * 50);
    blpo__cholesky_load(&large.factor);
    assert_int_equal(blpo__cholesky_factor(&large.factor, 0.5), 0);
    assert_int_equal(blpo__cholesky_factor(&small.factor, 0.5), 0);
    assert_memory_equal(large.factor.a, small.factor.a, sizeof(double) * 50 * 50);
    system_end(&large);
    system_end(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_factor_solves_systems_of_any_number_of_blocks),
        cmocka_unit_test(a_matrix_that_is_not_positive_definite_is_refused_and_may_be_shifted),
        cmocka_unit_test(a_matrix_with_a_nan_is_refused),
        cmocka_unit_test(a_smaller_system_fits_into_a_larger_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
