/* Positive semi-definite systems against the pseudo-inverse by LAPACK's eigenvalues. */
#include "support/check.h"
#include "support/dense.h"

#include "linalg/semidefinite.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 150 };

static double a[MOST * MOST], copy[MOST * MOST], eigenvalue[MOST], expected[MOST];

/* A = F F^T with F [n][rank] normal, columns scaled by 1 .. 1 / spread. */
static void make(int64_t n, int64_t rank, double spread, uint64_t seed)
{
    static double f[MOST * MOST];
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < rank; k++)
            f[i * rank + k] = test_normal(&seed) * pow(spread, -(double)k / (double)(rank > 1 ? rank - 1 : 1));
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            a[i * n + j] = 0.0;
            for (int64_t k = 0; k < rank; k++)
                a[i * n + j] += f[i * rank + k] * f[j * rank + k];
        }
}

/* expected = A^+ b; returns the condition number of what is kept. */
static double pseudo_inverse(int64_t n, int64_t rank, const double *b)
{
    memcpy(copy, a, (size_t)(n * n) * sizeof *a);
    assert_int_equal(LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'L', (int)n, copy, (int)n, eigenvalue), 0);
    memset(expected, 0, sizeof expected);
    for (int64_t k = n - rank; k < n; k++) {
        double along = 0.0;
        for (int64_t i = 0; i < n; i++)
            along += copy[k * n + i] * b[i];
        for (int64_t i = 0; i < n; i++)
            expected[i] += copy[k * n + i] * along / eigenvalue[k];
    }
    return rank > 0 ? eigenvalue[n - 1] / eigenvalue[n - rank] : 1.0;
}

/* b = A x with x drawn: in the range. Both ways have errors of the condition number times n eps; so much again for b. */
static void solutions_are_those_of_the_pseudo_inverse(void **state)
{
    (void)state;
    static const struct {
        int64_t n, rank;
        double spread;
    } cases[] = { { 1, 1, 1 },     { 2, 1, 1 },    { 7, 7, 10 },    { 7, 3, 10 },     { 20, 19, 100 }, { 20, 1, 1 },
                  { 50, 30, 1e3 }, { 97, 97, 50 }, { 150, 60, 10 }, { 150, 149, 10 }, { 150, 5, 1e3 } };
    for (int64_t c = 0; c < TEST_COUNT(cases); c++) {
        const int64_t n = cases[c].n, rank = cases[c].rank;
        blpo__memory memory = blpo__memory_of(NULL);
        blpo__semidefinite system;
        double x[MOST], b[MOST], norm = 0.0, away = 0.0;
        uint64_t seed = 17 + (uint64_t)c;
        make(n, rank, cases[c].spread, seed);
        for (int64_t i = 0; i < n; i++)
            x[i] = test_normal(&seed);
        dense_product(a, x, n, n, b);
        const double condition = pseudo_inverse(n, rank, b);
        blpo__semidefinite_create(&system, n, &memory);
        assert_false(memory.failed);
        memcpy(system.a, a, (size_t)(n * n) * sizeof *a);
        assert_int_equal(blpo__semidefinite_factor(&system, 1e-13), 0);
        assert_int_equal(system.rank, rank);
        blpo__semidefinite_solve(&system, b);
        for (int64_t i = 0; i < n; i++) {
            norm += expected[i] * expected[i];
            away += (b[i] - expected[i]) * (b[i] - expected[i]);
        }
        assert_true(sqrt(away) <= 4.0 * (double)n * 2.3e-16 * condition * sqrt(norm));
        blpo__memory_release(&memory);
    }
}

/* Rows and columns of zeroes anywhere: their unknowns are 0, exactly. */
static void unknowns_without_a_row_are_zero(void **state)
{
    (void)state;
    enum { N = 6 };
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__semidefinite system;
    double b[N] = { 1, 7, 2, 7, 3, 7 };
    blpo__semidefinite_create(&system, N, &memory);
    for (int64_t i = 0; i < N; i += 2)
        system.a[i * N + i] = 1.0 + (double)i;
    assert_int_equal(blpo__semidefinite_factor(&system, 1e-14), 0);
    assert_int_equal(system.rank, 3);
    blpo__semidefinite_solve(&system, b);
    for (int64_t i = 0; i < N; i++)
        assert_close(b[i], i % 2 ? 0.0 : (1.0 + (double)i / 2.0) / (1.0 + (double)i), 1e-15, 0);
    blpo__memory_release(&memory);
}

static void zero_has_rank_zero_and_the_solution_zero(void **state)
{
    (void)state;
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__semidefinite system;
    double b[3] = { 1, 2, 3 };
    blpo__semidefinite_create(&system, 3, &memory);
    assert_int_equal(blpo__semidefinite_factor(&system, 1e-14), 0);
    assert_int_equal(system.rank, 0);
    blpo__semidefinite_solve(&system, b);
    assert_true(b[0] == 0.0 && b[1] == 0.0 && b[2] == 0.0);
    blpo__memory_release(&memory);
}

static void what_is_not_finite_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    static const double bad[3] = { (double)NAN, (double)INFINITY, -(double)INFINITY };
    for (int64_t at = 0; at < 9; at++)
        for (int k = 0; k < 3; k++) {
            blpo__memory memory = blpo__memory_of(NULL);
            blpo__semidefinite system;
            blpo__semidefinite_create(&system, 3, &memory);
            for (int64_t i = 0; i < 3; i++)
                system.a[i * 3 + i] = 2.0;
            system.a[at] = bad[k];
            assert_int_equal(blpo__semidefinite_factor(&system, 1e-14), -1);
            blpo__memory_release(&memory);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions_are_those_of_the_pseudo_inverse),
        cmocka_unit_test(unknowns_without_a_row_are_zero),
        cmocka_unit_test(zero_has_rank_zero_and_the_solution_zero),
        cmocka_unit_test(what_is_not_finite_is_refused_wherever_it_stands),
    };
    return cmocka_run_group_tests_name("semi-definite systems", tests, NULL, NULL);
}
