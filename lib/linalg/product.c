#include "linalg/product.h"

enum {
    FEW = BLPO__FEW_COLUMNS, /* columns of C, up to which scalar products of rows beat tiles that are mostly empty */
    FEW_ROWS = 2             /* rows of C, up to which a tile has too few sums to hide the latency of additions */
};

void blpo__multiply(const blpo__product *p)
{
    const blpo__kernels *kernels = blpo__kernels_best();
    const int plain = p->a_column == 1 && p->weight == NULL;
    if (plain && p->b_row == 1 && p->n <= FEW)
        kernels->dots(p);
    else if (plain && p->b_column == 1 && p->m <= FEW_ROWS)
        kernels->few_rows(p);
    else
        kernels->product(p);
}

void blpo__add_weighted_rows(int64_t rows, int64_t n, const real *weight, const real *a, real *sum)
{
    blpo__kernels_best()->add_rows(rows, n, weight, a, n, sum);
}

/* With one column of a: a weighted sum of the rows of b. */
static void add_weighted_by_a(int64_t rows, int64_t n, const real *weight, const real *a, const real *b, real *work, real *c)
{
    for (int64_t t = 0; weight != NULL && t < rows; t++)
        work[t] = weight[t] * a[t];
    blpo__add_weighted_rows(rows, n, weight != NULL ? work : a, b, c);
}

/* rows (at most CHUNK) and n (at most FEW) so few that C is made transposed, where the long side fills the vectors. The sum of
 * the rows of a is that with one more column of b, all 1. */
enum { CHUNK = 128 };

static void add_thin(int64_t rows, int64_t m, int64_t n, const real *weight, const real *a, const real *b, real *c, real *sum)
{
    real few[CHUNK * (FEW + 1)], transposed[(FEW + 1) * CHUNK];
    const int64_t n_sums = n + (sum != NULL);
    for (int64_t t = 0; t < rows; t++) {
        const real of_row = weight != NULL ? weight[t] : 1;
        for (int64_t j = 0; j < n; j++)
            few[t * n_sums + j] = of_row * b[t * n + j];
        if (sum != NULL)
            few[t * n_sums + n] = of_row;
    }
    for (int64_t i = 0; i < m; i += CHUNK) {
        const int64_t columns = m - i < CHUNK ? m - i : CHUNK;
        const blpo__product p = {.m = n_sums, .n = columns, .k = rows, .a = few, .a_row = 1, .a_column = n_sums, .b = a + i,
                                 .b_row = m, .b_column = 1, .c = transposed, .ldc = columns};
        blpo__kernels_best()->product(&p);
        for (int64_t q = 0; q < columns; q++)
            for (int64_t j = 0; j < n; j++)
                c[(i + q) * n + j] += transposed[j * columns + q];
        for (int64_t q = 0; sum != NULL && q < columns; q++)
            sum[i + q] += transposed[n * columns + q];
    }
}

void blpo__add_layer_gradient(int64_t rows, int64_t m, int64_t n, const real *weight, const real *a, const real *b, real *work,
                              real *c, real *sum)
{
    if (m > 1 && n <= FEW) {
        for (int64_t t = 0; t < rows; t += CHUNK)
            add_thin(rows - t < CHUNK ? rows - t : CHUNK, m, n, weight != NULL ? weight + t : NULL, a + t * m, b + t * n, c, sum);
        return;
    }
    if (sum != NULL)
        blpo__add_weighted_rows(rows, m, weight, a, sum);
    if (m == 1) {
        add_weighted_by_a(rows, n, weight, a, b, work, c);
        return;
    }
    const blpo__product p = {.m = m, .n = n, .k = rows, .a = a, .a_row = 1, .a_column = m, .b = b, .b_row = n,
                             .b_column = 1, .weight = weight, .add = 1, .c = c, .ldc = n};
    blpo__kernels_best()->product(&p);
}

void blpo__add_outer_products(int64_t rows, int64_t m, int64_t n, const real *weight, const real *a, const real *b,
                              real *work, real *c)
{
    blpo__add_layer_gradient(rows, m, n, weight, a, b, work, c, NULL);
}

void blpo__scaled_rows(int64_t rows, int64_t n, const real *scale, const real *a, const real *b, real *out)
{
    blpo__kernels_best()->scaled_rows(rows, n, scale, a, b, out);
}

void blpo__add_first_layer(const blpo__first_layer *p)
{
    blpo__kernels_best()->add_first_layer(p);
}

void blpo__add_gram_products(const blpo__gram_products *g)
{
    blpo__kernels_best()->add_gram_products(g);
}

void blpo__add_double_products(const blpo__double_products *p)
{
    blpo__kernels_best()->add_double_products(p);
}

void blpo__gemm_nt(int64_t m, int64_t n, int64_t k, const real *a, int64_t lda, const real *b, int64_t ldb, int add,
                   real *c, int64_t ldc)
{
    const blpo__product p = {.m = m, .n = n, .k = k, .a = a, .a_row = lda, .a_column = 1, .b = b, .b_row = 1,
                             .b_column = ldb, .add = add, .c = c, .ldc = ldc};
    blpo__multiply(&p);
}

void blpo__gemm_nn(int64_t m, int64_t n, int64_t k, const real *a, int64_t lda, const real *b, int64_t ldb, int add,
                   real *c, int64_t ldc)
{
    const blpo__product p = {.m = m, .n = n, .k = k, .a = a, .a_row = lda, .a_column = 1, .b = b, .b_row = ldb,
                             .b_column = 1, .add = add, .c = c, .ldc = ldc};
    blpo__multiply(&p);
}

void blpo__gemm_tn(int64_t m, int64_t n, int64_t k, const real *a, int64_t lda, const real *b, int64_t ldb, int add,
                   real *c, int64_t ldc)
{
    const blpo__product p = {.m = m, .n = n, .k = k, .a = a, .a_row = 1, .a_column = lda, .b = b, .b_row = ldb,
                             .b_column = 1, .add = add, .c = c, .ldc = ldc};
    blpo__multiply(&p);
}
