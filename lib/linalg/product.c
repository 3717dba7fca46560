#include "linalg/product.h"

enum { FEW = 4 }; /* columns of C, up to which scalar products of rows beat tiles that are mostly empty */

void blpo__multiply(const blpo__product *p)
{
    const blpo__kernels *kernels = blpo__kernels_best();
    const int rows_by_rows = p->a_column == 1 && p->b_row == 1 && p->weight == NULL;
    if (rows_by_rows && p->n <= FEW)
        kernels->dots(p);
    else
        kernels->product(p);
}

void blpo__add_weighted_rows(int64_t rows, int64_t n, const real *weight, const real *a, real *sum)
{
    blpo__kernels_best()->add_rows(rows, n, weight, a, n, sum);
}

void blpo__add_row_products(int64_t rows, int64_t n, const real *a, const real *b, real *sum)
{
    blpo__kernels_best()->add_row_products(rows, n, a, b, sum);
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
