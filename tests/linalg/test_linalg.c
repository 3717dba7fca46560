/* Products in blocks, systems that are indefinite or singular, norms at the ends of the numbers, orthonormal bases. */
#include "support/check.h"
#include "support/dense.h"

#include "linalg/product.h"
#include "linalg/lapack.h"
#include "linalg/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef void (*gemm_fn)(int64_t m, int64_t n, int64_t k, const real *a, int64_t lda, const real *b, int64_t ldb, int add,
                        real *c, int64_t ldc);

typedef struct layout {
    gemm_fn gemm;
    int a_transposed, b_transposed; /* A stored [k][m]; B stored [n][k] */
} layout;

static real *random_matrix(int64_t rows, int64_t stride, uint64_t seed)
{
    real *x = malloc((size_t)(rows * stride) * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < rows * stride; i++)
        x[i] = (real)test_uniform(&seed);
    return x;
}

/* Strides larger than the rows by 1, 2 and 3: what lies between must not be touched. k products within 1: k eps, doubled. */
static void check_product(const layout *l, int64_t m, int64_t n, int64_t k, int add)
{
    const int64_t lda = (l->a_transposed ? m : k) + 1, ldb = (l->b_transposed ? k : n) + 2, ldc = n + 3;
    real *a = random_matrix(l->a_transposed ? k : m, lda, 1), *b = random_matrix(l->b_transposed ? n : k, ldb, 2);
    real *c = random_matrix(m, ldc, 3), *before = random_matrix(m, ldc, 3);
    l->gemm(m, n, k, a, lda, b, ldb, add, c, ldc);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < ldc; j++) {
            double sum = add ? (double)before[i * ldc + j] : 0.0;
            for (int64_t q = 0; j < n && q < k; q++)
                sum += (double)(l->a_transposed ? a[q * lda + i] : a[i * lda + q])
                       * (double)(l->b_transposed ? b[j * ldb + q] : b[q * ldb + j]);
            if (j < n)
                assert_close(c[i * ldc + j], sum, 0.0, 2.0 * (double)(k + 1) * TEST_EPSILON);
            else
                assert_true(c[i * ldc + j] == before[i * ldc + j]);
        }
    free(a);
    free(b);
    free(c);
    free(before);
}

/* One block, and sizes beside and past 64 in each direction; 65 x 70 x 130 is more than 2^18. */
static void products_are_their_sums_in_every_layout(void **state)
{
    (void)state;
    static const layout layouts[3] = { { blpo__gemm_nt, 0, 1 }, { blpo__gemm_nn, 0, 0 }, { blpo__gemm_tn, 1, 0 } };
    static const int64_t sizes[7][3] = { { 1, 1, 1 },    { 3, 5, 2 },     { 64, 64, 64 },  { 65, 70, 130 },
                                         { 200, 64, 63 }, { 1, 300, 1000 }, { 129, 1, 2100 } };
    for (int l = 0; l < 3; l++)
        for (int s = 0; s < 7; s++)
            for (int add = 0; add <= 1; add++)
                check_product(&layouts[l], sizes[s][0], sizes[s][1], sizes[s][2], add);
}

enum { N = 6 };

/* Eigenvalues given; the solution against the elimination of dense.h: 8 N eps cond. */
static void check_system(const double *eigenvalue, int negative)
{
    double s[N * N], b[N], x[N], largest = 0.0, least = INFINITY;
    uint64_t seed = 4;
    dense_symmetric(eigenvalue, N, 5, s);
    for (int i = 0; i < N; i++) {
        b[i] = test_normal(&seed);
        largest = fmax(largest, fabs(eigenvalue[i]));
        least = fmin(least, fabs(eigenvalue[i]));
    }
    dense_solve(s, b, N, x);
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__symmetric system;
    blpo__symmetric_create(&system, N, &memory);
    memcpy(system.a, s, sizeof s);
    assert_int_equal(blpo__symmetric_factor(&system, 1e-15, 0.0), 0);
    assert_int_equal(system.rank, N);
    assert_int_equal(system.n_negative, negative);
    assert_true(system.condition >= 1.0 && system.condition <= N * largest / least * (1.0 + 1e-6));
    blpo__symmetric_solve(&system, b);
    for (int i = 0; i < N; i++)
        assert_close(b[i], x[i], 0.0, 8.0 * N * DBL_EPSILON * largest / least * dense_norm(x, N));
    blpo__memory_release(&memory);
}

static void definite_and_indefinite_systems_are_solved_and_counted(void **state)
{
    (void)state;
    static const double definite[N] = { 1, 2, 3, 4, 5, 6 }, indefinite[N] = { -3, -1, 0.5, 1, 2, 9 };
    static const double negative[N] = { -1, -2, -3, -4, -5, -6 }, wide[N] = { 1e-6, 1, 2, -3, 1e4, 1e3 };
    check_system(definite, 0);
    check_system(indefinite, 2);
    check_system(negative, 6);
    check_system(wide, 1);
}

/* A diagonal with two zeroes, b zero there too: the rank says 4, and the solution of least norm has zeroes there. */
static void a_singular_system_is_solved_in_its_range(void **state)
{
    (void)state;
    static const double diagonal[N] = { 2, 0, -4, 1, 0, 8 };
    const double b[N] = { 2, 0, 4, 3, 0, 4 }, expected[N] = { 1, 0, -1, 3, 0, 0.5 };
    double x[N];
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__symmetric system;
    blpo__symmetric_create(&system, N, &memory);
    memset(system.a, 0, N * N * sizeof *system.a);
    for (int i = 0; i < N; i++)
        system.a[i * N + i] = diagonal[i];
    assert_int_equal(blpo__symmetric_factor(&system, 1e-12, 0.0), 0);
    assert_int_equal(system.rank, 4);
    assert_int_equal(system.n_negative, 1);
    memcpy(x, b, sizeof x);
    blpo__symmetric_solve(&system, x);
    for (int i = 0; i < N; i++)
        assert_close(x[i], expected[i], 0.0, 64.0 * DBL_EPSILON);
    blpo__memory_release(&memory);
}

/* An eigenvalue below -size, whatever the pivots are: a leading block that is nearly singular makes large ones of both signs. Rounding
 * the entries moves an eigenvalue by at most N eps |S|, less than a hundredth of the least here. */
static void eigenvalues_below_a_size_are_found(void **state)
{
    (void)state;
    static const double eigenvalue[N] = { -2, -0.5, -1e-2, -1e-3, 1e-3, 3 };
    static const struct {
        double size;
        int below;
    } cases[] = { { 5e-4, 1 }, { 0.1, 1 }, { 1.9, 1 }, { 1.9999, 1 }, { 2.0001, 0 }, { 2.5, 0 } };
    for (uint64_t seed = 1; seed <= 50; seed++)
        for (int64_t i = 0; i < TEST_COUNT(cases); i++) {
            blpo__memory memory = blpo__memory_of(NULL);
            blpo__symmetric system;
            blpo__symmetric_create(&system, N, &memory);
            dense_symmetric(eigenvalue, N, seed, system.a);
            assert_close(blpo__symmetric_norm(&system), sqrt(4 + 0.25 + 1e-4 + 2e-6 + 9), 0.0, 4.0 * N * TEST_EPSILON);
            assert_int_equal(blpo__symmetric_below(&system, cases[i].size), cases[i].below);
            blpo__memory_release(&memory);
        }
}

/* What lies within the resolution is left out, on both sides of zero; the rest is solved: x = 1 where b is the eigenvalue. */
static void what_is_below_the_resolution_is_left_out(void **state)
{
    (void)state;
    static const double diagonal[N] = { 2, 1e-5, -4, -2e-5, 1e-3, 8 };
    static const double expected[N] = { 1, 0, 1, 0, 1, 1 };
    double b[N];
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__symmetric system;
    blpo__symmetric_create(&system, N, &memory);
    for (int i = 0; i < N; i++)
        system.a[i * N + i] = b[i] = diagonal[i];
    assert_int_equal(blpo__symmetric_factor(&system, 1e-13, 1e-4), 0);
    assert_int_equal(system.rank, 4);
    assert_int_equal(system.n_negative, 1);
    blpo__symmetric_solve(&system, b);
    for (int i = 0; i < N; i++)
        assert_close(b[i], expected[i], 0.0, 64.0 * DBL_EPSILON);
    blpo__memory_release(&memory);
}

static void a_system_that_is_not_finite_is_refused(void **state)
{
    (void)state;
    const double bad[2] = { (double)NAN, (double)INFINITY };
    for (int i = 0; i < 2; i++) {
        blpo__memory memory = blpo__memory_of(NULL);
        blpo__symmetric system;
        blpo__symmetric_create(&system, N, &memory);
        memset(system.a, 0, N * N * sizeof *system.a);
        system.a[N + 1] = bad[i];
        assert_int_equal(blpo__symmetric_factor(&system, 1e-12, 0.0), -1);
        blpo__memory_release(&memory);
    }
}

/* The four corners of the numbers, where squares have none. */
static void norms_neither_overflow_nor_underflow(void **state)
{
    (void)state;
    const double sizes[4] = { (double)TEST_REAL_MAX / 8.0, 1e-37, 1.0, 1e30 };
    for (int i = 0; i < 4; i++) {
        const real x[3] = { (real)(2.0 * sizes[i]), (real)(-3.0 * sizes[i]), (real)(6.0 * sizes[i]) }; /* 2, 3, 6: norm 7 */
        assert_close(blpo__norm(x, 3), 7.0 * sizes[i], 4.0 * TEST_EPSILON, 0.0);
    }
    const real zero[3] = { 0 };
    assert_true(blpo__norm(zero, 3) == 0.0);
}

/* Sums of products of floats are made in double: 2^24 + 1 is lost in float. */
static void dot_products_are_summed_in_double(void **state)
{
    (void)state;
    real a[19] = { 0 }, b[19];
    for (int i = 0; i < 19; i++)
        b[i] = 1;
    a[0] = 16777216;
    a[8] = 1;
    a[18] = 1;
    assert_true(blpo__dot(a, b, 19) == 16777218.0);
}

static void check_orthonormal(int64_t rows, int64_t columns)
{
    double *q = malloc((size_t)(rows * columns) * sizeof *q);
    uint64_t seed = 6;
    assert_non_null(q);
    for (int64_t i = 0; i < rows * columns; i++)
        q[i] = test_normal(&seed);
    blpo__memory memory = blpo__memory_of(NULL);
    assert_int_equal(blpo__orthonormalise(q, rows, columns, &memory), 0);
    const int by_rows = rows <= columns;
    const int64_t n = by_rows ? rows : columns, length = by_rows ? columns : rows;
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b <= a; b++) {
            double sum = 0.0;
            for (int64_t i = 0; i < length; i++)
                sum += by_rows ? q[a * columns + i] * q[b * columns + i] : q[i * columns + a] * q[i * columns + b];
            assert_close(sum, a == b ? 1.0 : 0.0, 0.0, (double)length * 4.0 * DBL_EPSILON);
        }
    free(q);
    blpo__memory_release(&memory);
}

static void rows_or_columns_become_orthonormal(void **state)
{
    (void)state;
    check_orthonormal(1, 1);
    check_orthonormal(1, 64);
    check_orthonormal(64, 1);
    check_orthonormal(7, 20);
    check_orthonormal(20, 7);
    check_orthonormal(64, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_their_sums_in_every_layout),
        cmocka_unit_test(definite_and_indefinite_systems_are_solved_and_counted),
        cmocka_unit_test(a_singular_system_is_solved_in_its_range),
        cmocka_unit_test(eigenvalues_below_a_size_are_found),
        cmocka_unit_test(what_is_below_the_resolution_is_left_out),
        cmocka_unit_test(a_system_that_is_not_finite_is_refused),
        cmocka_unit_test(norms_neither_overflow_nor_underflow),
        cmocka_unit_test(dot_products_are_summed_in_double),
        cmocka_unit_test(rows_or_columns_become_orthonormal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
