/* Every table of kernels that this processor can run, against plain loops in double and against the BLAS, over sizes around
 * those of tiles, blocks and vectors. */
#include "support/check.h"
#include "support/dense.h"

#include "linalg/product.h"

#include <blpo/network.h>

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 3 }; /* numbers behind each row of C, which must stay */

static const int64_t ROWS[] = {1, 2, 3, 5, 6, 7, 8, 9, 13, 64}, COLUMNS[] = {1, 2, 4, 7, 8, 15, 16, 17, 33, 64, 67, 131},
                     DEPTHS[] = {0, 1, 3, 4, 5, 31, 64, 128, 129, 300};

typedef struct matrices {
    real *a, *b, *c, *before, *weight, *bias, *h;
    int64_t ldc;
} matrices;

static real *numbers(int64_t n, uint64_t seed)
{
    real *x = malloc((size_t)(n + 1) * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (real)test_uniform(&seed);
    return x;
}

static matrices matrices_of(int64_t m, int64_t n, int64_t k)
{
    const int64_t ldc = n + GUARD;
    return (matrices){numbers(m * k, 1), numbers(k * n, 2), numbers(m * ldc, 3), numbers(m * ldc, 3),
                      numbers(k, 4),     numbers(n, 5),     numbers(m * ldc, 6), ldc};
}

static void release(matrices *x)
{
    free(x->a);
    free(x->b);
    free(x->c);
    free(x->before);
    free(x->weight);
    free(x->bias);
    free(x->h);
}

/* layout 0: A B^T as stored, 1: A B, 2: A^T B */
static blpo__product product_of(const matrices *x, int layout, int64_t m, int64_t n, int64_t k)
{
    return (blpo__product){.m = m,
                           .n = n,
                           .k = k,
                           .a = x->a,
                           .a_row = layout == 2 ? 1 : k,
                           .a_column = layout == 2 ? m : 1,
                           .b = x->b,
                           .b_row = layout == 0 ? 1 : n,
                           .b_column = layout == 0 ? k : 1,
                           .c = x->c,
                           .ldc = x->ldc};
}

static double slope_at(int32_t activation, double h)
{
    return activation == BLPO_TANH ? 1.0 - h * h : (double)(h > 0.0);
}

/* The plain version: the definition in kernels.h, in double. */
static double reference(const blpo__product *p, const matrices *x, int64_t i, int64_t j)
{
    double sum = p->add ? (double)x->before[i * p->ldc + j] : p->bias != NULL ? (double)p->bias[j] : 0.0;
    for (int64_t l = 0; l < p->k; l++)
        sum += (double)p->a[i * p->a_row + l * p->a_column] * (p->weight == NULL ? 1.0 : (double)p->weight[l]) *
               (double)p->b[l * p->b_row + j * p->b_column];
    const double h = p->h != NULL ? (double)p->h[i * p->ldc + j] : 0.0;
    if (p->finish == BLPO__ACTIVATE)
        return p->activation == BLPO_TANH ? tanh(sum) : fmax(sum, 0.0);
    if (p->finish == BLPO__TIMES_SLOPE)
        return sum * slope_at(p->activation, h);
    return sum;
}

/* k products within 1, each rounded twice with a weight, and the sum of them: (k + 4) 2 eps; tanh adds 6 ulp of at most 1. */
static void check(const blpo__product *p, const matrices *x)
{
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->ldc; j++)
            if (j < p->n)
                assert_close(p->c[i * p->ldc + j], reference(p, x, i, j), 0.0, 2.0 * (double)(p->k + 4) * TEST_EPSILON);
            else
                assert_true(p->c[i * p->ldc + j] == x->before[i * p->ldc + j]);
    memcpy(p->c, x->before, (size_t)(p->m * p->ldc) * sizeof *p->c);
}

static void run(void (*kernel)(const blpo__product *), const blpo__product *p, const matrices *x)
{
    kernel(p);
    check(p, x);
}

/* c as without a finish, and beside it c phi'(z), where c is; C is as wide as the array or narrower. */
static void check_slopes_apart(void (*kernel)(const blpo__product *), blpo__product p, const matrices *x)
{
    real *also = numbers(p.m * p.ldc, 8), *before = numbers(p.m * p.ldc, 8);
    p.finish = BLPO__SLOPES_APART;
    p.also = also;
    kernel(&p);
    for (int64_t i = 0; i < p.m; i++)
        for (int64_t j = 0; j < p.ldc; j++)
            if (j < p.n)
                assert_close(also[i * p.ldc + j], reference(&p, x, i, j) * slope_at(p.activation, (double)p.h[i * p.ldc + j]),
                             0.0, 2.0 * (double)(p.k + 6) * TEST_EPSILON);
            else
                assert_true(also[i * p.ldc + j] == before[i * p.ldc + j]);
    check(&p, x);
    free(also);
    free(before);
}

/* n products of a number of C, which is k + 1 at most and off by (k + 4) 2 eps, and one within 1, and their sum. */
static void check_row_products(void (*kernel)(const blpo__product *), blpo__product p, const matrices *x)
{
    real *also = numbers(p.m, 9), *before = numbers(p.m, 9);
    p.finish = BLPO__ROW_PRODUCTS;
    p.also = also;
    kernel(&p);
    for (int64_t i = 0; i < p.m; i++) {
        double sum = (double)before[i];
        for (int64_t j = 0; j < p.n; j++)
            sum += reference(&p, x, i, j) * (double)p.h[i * p.ldc + j];
        assert_close(also[i], sum, 0.0, 2.0 * (double)((p.n + 1) * (p.k + 4 + p.n)) * TEST_EPSILON);
        assert_memory_equal(p.c + i * p.ldc + p.n, x->before + i * p.ldc + p.n, (size_t)(p.ldc - p.n) * sizeof *p.c);
    }
    memcpy(p.c, x->before, (size_t)(p.m * p.ldc) * sizeof *p.c);
    free(also);
    free(before);
}

/* Every start, weight and finish on the same sizes. */
static void check_forms(void (*kernel)(const blpo__product *), blpo__product p, const matrices *x, int may_weigh)
{
    run(kernel, &p, x);
    p.add = 1;
    run(kernel, &p, x);
    p.weight = may_weigh ? x->weight : NULL;
    run(kernel, &p, x);
    p.add = 0;
    run(kernel, &p, x);
    p.weight = NULL;
    p.bias = x->bias;
    for (p.activation = BLPO_TANH; p.activation <= BLPO_RELU; p.activation++) {
        p.finish = BLPO__ACTIVATE;
        p.h = NULL;
        run(kernel, &p, x);
        p.finish = BLPO__TIMES_SLOPE;
        p.h = x->h;
        run(kernel, &p, x);
        check_slopes_apart(kernel, p, x);
    }
    check_row_products(kernel, p, x);
    p.add = 1; /* onto a product, as the second of two */
    p.bias = NULL;
    p.activation = BLPO_TANH;
    check_slopes_apart(kernel, p, x);
}

static void products_are_their_sums_in_every_table(void **state)
{
    (void)state;
    for (int64_t m = 0; m < TEST_COUNT(ROWS); m++)
        for (int64_t n = 0; n < TEST_COUNT(COLUMNS); n++)
            for (int64_t k = 0; k < TEST_COUNT(DEPTHS); k++) {
                matrices x = matrices_of(ROWS[m], COLUMNS[n], DEPTHS[k]);
                for (int level = 0; blpo__kernels_level(level) != NULL; level++)
                    for (int layout = 0; layout < 3; layout++)
                        check_forms(blpo__kernels_level(level)->product,
                                    product_of(&x, layout, ROWS[m], COLUMNS[n], DEPTHS[k]), &x, 1);
                release(&x);
            }
}

static void scalar_products_are_their_sums_in_every_table(void **state)
{
    (void)state;
    for (int64_t many = 0; many < TEST_COUNT(ROWS); many++)
        for (int64_t few = 1; few <= 5; few++)
            for (int64_t k = 0; k < TEST_COUNT(DEPTHS); k++)
                for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
                    const blpo__kernels *kernels = blpo__kernels_level(level);
                    matrices x = matrices_of(ROWS[many], few, DEPTHS[k]);
                    check_forms(kernels->dots, product_of(&x, 0, ROWS[many], few, DEPTHS[k]), &x, 0);
                    release(&x);
                }
}

static void products_of_few_rows_are_their_sums_in_every_table(void **state)
{
    (void)state;
    for (int64_t few = 1; few <= 3; few++)
        for (int64_t n = 0; n < TEST_COUNT(COLUMNS); n++)
            for (int64_t k = 0; k < TEST_COUNT(DEPTHS); k++)
                for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
                    matrices x = matrices_of(few, COLUMNS[n], DEPTHS[k]);
                    check_forms(blpo__kernels_level(level)->few_rows, product_of(&x, 1, few, COLUMNS[n], DEPTHS[k]), &x, 0);
                    release(&x);
                }
}

/* Two sums of k rounded numbers may differ by twice what each may be off. */
static void products_agree_with_the_blas(void **state)
{
    (void)state;
    static const int64_t sizes[3][3] = {{64, 64, 64}, {37, 65, 130}, {128, 200, 376}};
    for (int i = 0; i < 3; i++)
        for (int layout = 0; layout < 3; layout++) {
            const int64_t m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];
            matrices x = matrices_of(m, n, k);
            const blpo__product p = product_of(&x, layout, m, n, k);
            blpo__multiply(&p);
#ifdef BLPO__FLOAT64
            cblas_dgemm(
#else
            cblas_sgemm(
#endif
                CblasRowMajor, layout == 2 ? CblasTrans : CblasNoTrans, layout == 0 ? CblasTrans : CblasNoTrans, (int)m,
                (int)n, (int)k, 1, x.a, (int)(layout == 2 ? m : k), x.b, (int)(layout == 0 ? k : n), 0, x.before,
                (int)x.ldc);
            for (int64_t r = 0; r < m; r++)
                for (int64_t j = 0; j < n; j++)
                    assert_close(x.c[r * x.ldc + j], x.before[r * x.ldc + j], 0.0, 4.0 * (double)k * TEST_EPSILON);
            release(&x);
        }
}

/* A row of C is the same to the bit, whatever rows are asked for with it. */
static void rows_do_not_depend_on_their_neighbours(void **state)
{
    (void)state;
    const int64_t m = 64, n = 67, k = 131;
    matrices x = matrices_of(m, n, k);
    for (int level = 0; blpo__kernels_level(level) != NULL; level++)
        for (int layout = 0; layout < 3; layout++) {
            blpo__product p = product_of(&x, layout, m, n, k);
            blpo__kernels_level(level)->product(&p);
            memcpy(x.before, x.c, (size_t)(m * x.ldc) * sizeof *x.c);
            p.m = 1;
            for (int64_t i = 0; i < m; i++) {
                p.a = x.a + i * p.a_row;
                blpo__kernels_level(level)->product(&p);
                assert_memory_equal(x.c, x.before + i * x.ldc, (size_t)n * sizeof *x.c);
            }
        }
    release(&x);
}

static void sums_of_rows_are_right_in_every_table(void **state)
{
    (void)state;
    for (int64_t t = 0; t < TEST_COUNT(DEPTHS); t++)
        for (int64_t j = 0; j < TEST_COUNT(COLUMNS); j++) {
            const int64_t rows = DEPTHS[t], n = COLUMNS[j];
            real *a = numbers(rows * n, 1), *w = numbers(rows, 3);
            for (int level = 0; blpo__kernels_level(level) != NULL; level++)
                for (int weighted = 0; weighted <= 1; weighted++) {
                    real *columns = numbers(n, 4), *before = numbers(n, 4);
                    blpo__kernels_level(level)->add_rows(rows, n, weighted ? w : NULL, a, n, columns);
                    for (int64_t c = 0; c < n; c++) {
                        double sum = (double)before[c];
                        for (int64_t r = 0; r < rows; r++)
                            sum += (weighted ? (double)w[r] : 1.0) * (double)a[r * n + c];
                        assert_close(columns[c], sum, 0.0, 2.0 * (double)(rows + 2) * TEST_EPSILON);
                    }
                    free(columns);
                    free(before);
                }
            free(a);
            free(w);
        }
}

/* Products of numbers within 1, summed in double: n additions, each of numbers within n + 2 k, in the sum and in the plain
 * one. Differences of k rows: k + 1 roundings of numbers within 1 + 2 k, then that of the result to real. */
static void sums_in_double_are_right_in_every_table(void **state)
{
    (void)state;
    enum { MOST = 7 };
    for (int64_t k = 1; k <= MOST; k++)
        for (int64_t c = 0; c < TEST_COUNT(DEPTHS); c++) {
            const int64_t n = DEPTHS[c];
            real *rows = numbers(k * n, 1), *v = numbers(n, 2), *out = numbers(n, 3);
            double y[MOST], gram[MOST * MOST], products[MOST];
            for (int64_t i = 0; i < k; i++)
                y[i] = 0.25 * (double)(i + 1);
            const double off = 2.0 * (double)((n + 1) * (n + 2 * k)) * DBL_EPSILON;
            for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
                const blpo__kernels *kernels = blpo__kernels_level(level);
                for (int64_t i = 0; i < k * k; i++)
                    gram[i] = (double)(i / k + i % k);
                kernels->add_gram(k, n, rows, v, gram, products);
                for (int64_t i = 0; i < k; i++)
                    for (int64_t j = 0; j < k; j++) {
                        double sum = (double)(i + j);
                        for (int64_t q = 0; q < n; q++)
                            sum += (double)rows[i * n + q] * (double)rows[j * n + q];
                        assert_close(gram[i * k + j], sum, DBL_EPSILON, off);
                        if (j == 0)
                            assert_close(kernels->dot(rows + i * n, rows, n), sum - (double)i, DBL_EPSILON, off);
                    }
                for (int64_t i = 0; i < k; i++)
                    assert_close(products[i], kernels->dot(rows + i * n, v, n), 0.0, off);
                kernels->less_rows(k, n, rows, y, v, 0.5, out);
                for (int64_t q = 0; q < n; q++) {
                    double sum = (double)v[q];
                    for (int64_t i = 0; i < k; i++)
                        sum -= y[i] * (double)rows[i * n + q];
                    assert_close(out[q], 0.5 * sum, TEST_EPSILON, (double)((k + 1) * (1 + 2 * k)) * DBL_EPSILON);
                }
            }
            free(rows);
            free(v);
            free(out);
        }
}

/* Each is some roundings of numbers within 2. */
static void loops_over_rows_are_right_in_every_table(void **state)
{
    (void)state;
    for (int64_t t = 1; t < TEST_COUNT(ROWS); t++)
        for (int64_t j = 0; j < TEST_COUNT(COLUMNS); j++) {
            const int64_t rows = ROWS[t], n = COLUMNS[j];
            real *a = numbers(rows * n, 1), *h = numbers(rows * n, 2), *out = numbers(rows * n, 3), *w = numbers(n, 4);
            real *scale = numbers(rows, 5), *along = numbers(rows, 6);
            for (int level = 0; blpo__kernels_level(level) != NULL; level++)
                for (int32_t kind = BLPO_TANH; kind <= BLPO_RELU; kind++)
                    for (int with = 0; with <= 1; with++) {
                        blpo__kernels_level(level)->outer_slope(kind, rows, n, scale, w, h, with ? along : NULL, a, out);
                        for (int64_t i = 0; i < rows * n; i++) {
                            const double x = (double)h[i], slope = kind == BLPO_TANH ? 1.0 - x * x : (double)(x > 0.0);
                            const double sum = (double)scale[i / n] * (double)w[i % n] * slope;
                            assert_close(out[i], sum + (with ? (double)along[i / n] * (double)a[i] : 0.0), 0.0, 8.0 * TEST_EPSILON);
                        }
                        blpo__kernels_level(level)->scaled_rows(rows, n, scale, a, h, out);
                        for (int64_t i = 0; i < rows * n; i++)
                            assert_close(out[i], (double)scale[i / n] * (double)a[i] + (double)h[i], 0.0, 4.0 * TEST_EPSILON);
                    }
            free(a);
            free(h);
            free(out);
            free(w);
            free(scale);
            free(along);
        }
}

/* Both Gram matrices are sums of products within 1, so an element is off by (widths + 4) 2 eps times the other factor, at most
 * the other width + 1; elements right of the rows, and rows that were not asked for, stay. */
static void gram_products_are_right_in_every_table(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 7, 32, 65, 131}, widths[] = {1, 4, 64, 131};
    for (int64_t s = 0; s < TEST_COUNT(sizes); s++)
        for (int64_t x = 0; x < TEST_COUNT(widths); x++)
            for (int64_t y = 0; y < TEST_COUNT(widths); y++) {
                const int64_t n = sizes[s], wa = widths[x], wb = widths[y], ld = n + GUARD, begin = n / 3, end = n - n / 5;
                real *a = numbers(n * wa, 1), *b = numbers(n * wb, 2);
                double *out = malloc((size_t)(n * ld) * sizeof *out);
                assert_non_null(out);
                for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
                    for (int64_t i = 0; i < n * ld; i++)
                        out[i] = 3.0;
                    const int add = level % 2 == (s + x) % 2; /* each table with and without */
                    const blpo__gram_products g = {begin, end, n, a, b, wa, wb, 0.5, add, out, ld};
                    blpo__kernels_level(level)->add_gram_products(&g);
                    for (int64_t i = 0; i < n; i++)
                        for (int64_t j = i; j < ld; j++) {
                            double of_a = 0.0, of_b = 0.5;
                            for (int64_t l = 0; j < n && l < wa; l++)
                                of_a += (double)a[i * wa + l] * (double)a[j * wa + l];
                            for (int64_t l = 0; j < n && l < wb; l++)
                                of_b += (double)b[i * wb + l] * (double)b[j * wb + l];
                            const int there = i >= begin && i < end && j < n;
                            assert_close(out[i * ld + j], (add || !there ? 3.0 : 0.0) + (there ? of_a * of_b : 0.0), DBL_EPSILON,
                                         there ? 4.0 * (double)((wa + 4) * (wb + 4)) * TEST_EPSILON : 0.0);
                        }
                }
                free(a);
                free(b);
                free(out);
            }
}

/* Sums of depth products within 1: off by (depth + 1) eps of as many. What is behind the rows of a is NaN and plays no part; with
 * `upper`, elements below the diagonal may be as they were. */
static void products_in_double_are_right_in_every_table(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 5, 8, 16, 19, 50}, depths[] = {0, 1, 3, 128};
    for (int64_t s = 0; s < TEST_COUNT(sizes); s++)
        for (int64_t d = 0; d < TEST_COUNT(depths); d++)
            for (int upper = 0; upper <= 1; upper++) {
                const int64_t m = sizes[s], width = blpo__padded(m), n = upper ? width : 2 * BLPO__DOUBLE_PAD, depth = depths[d];
                uint64_t seed = 4;
                double *a = malloc((size_t)(depth * width + 1) * sizeof *a), *b = malloc((size_t)(depth * n + 1) * sizeof *b);
                double *c = malloc((size_t)(m * n) * sizeof *c);
                for (int64_t i = 0; i < depth * width; i++)
                    a[i] = i % width < m ? test_uniform(&seed) : (double)NAN;
                for (int64_t i = 0; i < depth * n; i++)
                    b[i] = test_uniform(&seed);
                for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
                    for (int64_t i = 0; i < m * n; i++)
                        c[i] = 2.0;
                    const blpo__double_products p = {.m = m, .n = n, .depth = depth, .a = a, .lda = width, .b = b, .ldb = n,
                                                     .upper = upper, .c = c, .ldc = n};
                    blpo__kernels_level(level)->add_double_products(&p);
                    for (int64_t i = 0; i < m; i++)
                        for (int64_t j = upper ? i : 0; j < n; j++) {
                            double sum = 2.0;
                            for (int64_t k = 0; k < depth; k++)
                                sum += a[k * width + i] * b[k * n + j];
                            assert_close(c[i * n + j], sum, 0.0, (double)((depth + 1) * (depth + 3)) * DBL_EPSILON);
                        }
                }
                free(a);
                free(b);
                free(c);
            }
}

/* Diagonally dominant: diagonal 2 n, the rest within 1. U^T U is the matrix to n roundings of numbers within 2 n, and the
 * solution, the condition number being at most 3, is that of the product to as much. */
static void cholesky_factors_are_right_in_every_table(void **state)
{
    (void)state;
    enum { MOST = 67 };
    double before[MOST * MOST], b[MOST], x[MOST];
    for (int64_t n = 1; n <= MOST; n++)
        for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
            double *a = malloc((size_t)(n * n + BLPO__CHOLESKY_SPARE) * sizeof *a);
            assert_non_null(a);
            for (int64_t i = 0; i < BLPO__CHOLESKY_SPARE; i++)
                a[n * n + i] = NAN;
            uint64_t seed = 9;
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j <= i; j++)
                    before[i * n + j] = before[j * n + i] = i == j ? 2.0 * (double)n : test_uniform(&seed);
            memcpy(a, before, (size_t)(n * n) * sizeof *a);
            assert_int_equal(blpo__kernels_level(level)->cholesky(n, a), 0);
            const double off = 4.0 * (double)(n * n) * DBL_EPSILON;
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < n; j++) {
                    double sum = 0.0;
                    for (int64_t k = 0; k <= i; k++)
                        sum += a[k * n + i] * a[k * n + j];
                    assert_close(j < i ? a[i * n + j] : sum, before[i * n + j], 0.0, j < i ? 0.0 : off);
                }
            for (int64_t i = 0; i < n; i++)
                x[i] = test_uniform(&seed);
            for (int64_t i = 0; i < n; i++) {
                b[i] = 0.0;
                for (int64_t j = 0; j < n; j++)
                    b[i] += before[i * n + j] * x[j];
            }
            blpo__kernels_level(level)->cholesky_solve(n, a, b);
            for (int64_t i = 0; i < n; i++)
                assert_close(b[i], x[i], 0.0, 3.0 * off);
            memcpy(a, before, (size_t)(n * n) * sizeof *a);
            a[n * n - 1] = -1.0;
            assert_int_equal(blpo__kernels_level(level)->cholesky(n, a), -1);
            for (int64_t i = 0; i < BLPO__CHOLESKY_SPARE; i++)
                assert_true(isnan(a[n * n + i]));
            free(a);
        }
}

/* One step from given m and v, against the formula in double. m and v take two roundings; the change is a quotient whose parts
 * take as many, within 8 roundings of itself, and x one more. Gradients of 0 leave a divisor of epsilon alone. */
static void adam_is_its_formula_in_every_table(void **state)
{
    (void)state;
    const blpo__adam_factors f = {(real)0.9, (real)0.1, (real)0.999, (real)0.001, (real)0.01, (real)1e-5};
    for (int64_t j = 0; j < TEST_COUNT(COLUMNS); j++)
        for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
            const int64_t n = COLUMNS[j];
            real *g = numbers(n, 1), *m = numbers(n, 2), *v = numbers(n, 3), *x = numbers(n, 4), *old = numbers(n, 4);
            for (int64_t i = 0; i < n; i++) {
                g[i] *= (real)pow(10.0, (double)(i % 9) - 6.0); /* from far below epsilon to far above */
                m[i] *= i % 5 == 0 ? 0 : g[i];
                v[i] *= i % 5 == 0 ? 0 : v[i] * g[i] * g[i];
                g[i] = i % 10 == 0 ? 0 : g[i];
            }
            for (int64_t i = 0; i < n; i++) {
                const double new_m = (double)f.b1 * (double)m[i] + (double)f.c1 * (double)g[i];
                const double new_v = (double)f.b2 * (double)v[i] + (double)f.c2 * (double)g[i] * (double)g[i];
                const double size = (double)f.b1 * fabs((double)m[i]) + (double)f.c1 * fabs((double)g[i]);
                const double change = (double)f.step / (sqrt(new_v) + (double)f.epsilon);
                real one_m = m[i], one_v = v[i];
                blpo__kernels_level(level)->adam(&f, 1, g + i, &one_m, &one_v, x + i);
                assert_close(one_m, new_m, 0.0, 2.0 * size * TEST_EPSILON);
                assert_close(one_v, new_v, 4.0 * TEST_EPSILON, 0.0);
                assert_close(x[i], (double)old[i] - change * new_m, TEST_EPSILON, 8.0 * change * size * TEST_EPSILON);
            }
            memcpy(x, old, (size_t)n * sizeof *x);
            blpo__kernels_level(level)->adam(&f, n, g, m, v, x);
            for (int64_t i = 0; i < n; i++) {
                const double change = (double)f.step / (sqrt((double)v[i]) + (double)f.epsilon) * (double)m[i];
                assert_close(x[i], (double)old[i] - change, TEST_EPSILON, 8.0 * fabs(change) * TEST_EPSILON);
            }
            free(g);
            free(m);
            free(v);
            free(x);
            free(old);
        }
}

/* A parameter whose mean of squares has no bound stands still; what is no number stays none. */
static void adam_keeps_what_is_not_finite_in_every_table(void **state)
{
    (void)state;
    const blpo__adam_factors f = {(real)0.9, (real)0.1, (real)0.999, (real)0.001, (real)0.01, (real)1e-5};
    for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
        real g[2] = {1, (real)NAN}, m[2] = {1, 1}, v[2] = {(real)INFINITY, 1}, x[2] = {2, 2};
        blpo__kernels_level(level)->adam(&f, 2, g, m, v, x);
        assert_true(isinf(v[0]) && x[0] == 2);
        assert_true(isnan(m[1]) && isnan(v[1]) && isnan(x[1]));
    }
}

/* Some roundings of numbers within 4, made of numbers within 1. */
static void tangents_of_signals_are_right_in_every_table(void **state)
{
    (void)state;
    for (int64_t t = 1; t < TEST_COUNT(ROWS); t++)
        for (int64_t j = 0; j < TEST_COUNT(COLUMNS); j++) {
            const int64_t rows = ROWS[t], n = COLUMNS[j];
            real *h = numbers(rows * n, 1), *s = numbers(rows * n, 2), *zdot = numbers(rows * n, 3), *g = numbers(rows * n, 4),
                 *w = numbers(n, 5), *scale = numbers(rows, 6), *along = numbers(rows, 7), *slope = numbers(rows, 8),
                 *sdot = numbers(rows * n, 9), *q = numbers(rows * n, 9);
            for (int level = 0; blpo__kernels_level(level) != NULL; level++)
                for (int32_t kind = BLPO_TANH; kind <= BLPO_RELU; kind++)
                    for (int given = 0; given <= 1; given++) {
                        blpo__signal_tangents p = {kind, rows, n, given ? g : NULL, scale, w, h, s, zdot, along, slope, sdot, q};
                        blpo__kernels_level(level)->signal_tangents(&p);
                        for (int64_t i = 0; i < rows * n; i++) {
                            const double x = (double)h[i], phi = kind == BLPO_TANH ? 1.0 - x * x : (double)(x > 0.0);
                            const double above = given ? (double)g[i] : (double)scale[i / n] * (double)w[i % n];
                            const double bent = kind == BLPO_TANH ? -2.0 * x * (double)s[i] * (double)zdot[i] : 0.0;
                            const double sum = above * phi + bent;
                            assert_close(sdot[i], sum, 0.0, 16.0 * TEST_EPSILON);
                            assert_close(q[i], (double)along[i / n] * (double)s[i] + (double)slope[i / n] * sum, 0.0,
                                         32.0 * TEST_EPSILON);
                        }
                        memcpy(sdot, q, (size_t)(rows * n) * sizeof *q); /* without sdot: the same q */
                        p.sdot = NULL;
                        blpo__kernels_level(level)->signal_tangents(&p);
                        assert_memory_equal(sdot, q, (size_t)(rows * n) * sizeof *q);
                    }
            real *all[] = {h, s, zdot, g, w, scale, along, slope, sdot, q};
            for (int64_t i = 0; i < TEST_COUNT(all); i++)
                free(all[i]);
        }
}

/* Sums of as many numbers within 2 as there are rows, each rounded some times. */
static void sums_of_a_first_layer_are_right_in_every_table(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 7, 128, 300};
    for (int64_t t = 0; t < TEST_COUNT(sizes); t++)
        for (int64_t j = 0; j < TEST_COUNT(COLUMNS); j++)
            for (int64_t in = 1; in <= BLPO__FEW_INPUTS; in++) {
                const int64_t rows = sizes[t], n = COLUMNS[j];
                real *h = numbers(rows * n, 1), *s = numbers(rows * n, 2), *input = numbers(rows * in, 3), *w = numbers(n, 4),
                     *column = numbers(rows, 5), *along = numbers(rows, 6), *before = numbers(n * (in + 1), 7);
                real *out = numbers(n * (in + 1), 7);
                for (int level = 0; blpo__kernels_level(level) != NULL; level++)
                    for (int32_t kind = BLPO_TANH; kind <= BLPO_RELU; kind++) {
                        memcpy(out, before, (size_t)(n * (in + 1)) * sizeof *out);
                        const blpo__first_layer p = {kind, rows, n, in, column, along, w, h, s, input, out, out + n * in};
                        blpo__kernels_level(level)->add_first_layer(&p);
                        for (int64_t i = 0; i < n * (in + 1); i++) {
                            const int64_t unit = i < n * in ? i / in : i - n * in;
                            double sum = (double)before[i];
                            for (int64_t r = 0; r < rows; r++) {
                                const double x = (double)h[r * n + unit], phi = kind == BLPO_TANH ? 1.0 - x * x : (double)(x > 0.0);
                                const double u = (double)column[r] * (double)w[unit] * phi + (double)along[r] * (double)s[r * n + unit];
                                sum += i < n * in ? u * (double)input[r * in + i % in] : u;
                            }
                            assert_close(out[i], sum, 0.0, 4.0 * (double)(rows + 4) * TEST_EPSILON);
                        }
                    }
                real *all[] = {h, s, input, w, column, along, before, out};
                for (int64_t i = 0; i < TEST_COUNT(all); i++)
                    free(all[i]);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_their_sums_in_every_table),
        cmocka_unit_test(scalar_products_are_their_sums_in_every_table),
        cmocka_unit_test(products_of_few_rows_are_their_sums_in_every_table),
        cmocka_unit_test(products_agree_with_the_blas),
        cmocka_unit_test(rows_do_not_depend_on_their_neighbours),
        cmocka_unit_test(sums_of_rows_are_right_in_every_table),
        cmocka_unit_test(sums_in_double_are_right_in_every_table),
        cmocka_unit_test(loops_over_rows_are_right_in_every_table),
        cmocka_unit_test(tangents_of_signals_are_right_in_every_table),
        cmocka_unit_test(sums_of_a_first_layer_are_right_in_every_table),
        cmocka_unit_test(gram_products_are_right_in_every_table),
        cmocka_unit_test(products_in_double_are_right_in_every_table),
        cmocka_unit_test(cholesky_factors_are_right_in_every_table),
        cmocka_unit_test(adam_is_its_formula_in_every_table),
        cmocka_unit_test(adam_keeps_what_is_not_finite_in_every_table),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
