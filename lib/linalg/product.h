/* Matrix products for the rest of the library: small and middling ones by kernels of our own, large ones by the BLAS. */
#ifndef BLPO_LINALG_PRODUCT_H
#define BLPO_LINALG_PRODUCT_H

#include "linalg/kernels.h"

/* C with no more columns than this is made of scalar products where B is stored transposed, else of tiles. */
#define BLPO__FEW_COLUMNS 4

/* C = finish(A B + start): see blpo__product. */
void blpo__multiply(const blpo__product *p);

/* sum[j] += sum_t weight[t] a[t][j], a [rows][n]; weight NULL: 1 */
void blpo__add_weighted_rows(int64_t rows, int64_t n, const real *weight, const real *a, real *sum);

/* C [m][n] += sum_t weight[t] a_t b_t^T, a [rows][m], b [rows][n]; weight NULL: 1. work [rows] */
void blpo__add_outer_products(int64_t rows, int64_t m, int64_t n, const real *weight, const real *a, const real *b,
                              real *work, real *c);

/* The same, and sum[i] += sum_t weight[t] a[t][i]: gradients of a layer's weights and of its bias; sum NULL: none. */
void blpo__add_layer_gradient(int64_t rows, int64_t m, int64_t n, const real *weight, const real *a, const real *b, real *work,
                              real *c, real *sum);

/* out[t][j] = scale[t] a[t][j] + b[t][j], all [rows][n] */
void blpo__scaled_rows(int64_t rows, int64_t n, const real *scale, const real *a, const real *b, real *out);

/* The sums of a first layer with few inputs, of signals that are made on the way: see blpo__first_layer. */
void blpo__add_first_layer(const blpo__first_layer *p);

/* Two Gram matrices multiplied element by element, the part on and above the diagonal: see blpo__gram_products. */
void blpo__add_gram_products(const blpo__gram_products *g);

/* C += A^T B in double: see blpo__double_products. */
void blpo__add_double_products(const blpo__double_products *p);

static inline int64_t blpo__padded(int64_t n)
{
    return (n + BLPO__DOUBLE_PAD - 1) / BLPO__DOUBLE_PAD * BLPO__DOUBLE_PAD;
}

/* C [m][n] = A B (+ C when add), row-major; ld are row strides of the stored matrices.
 *   nt: A [m][k], B [n][k]      nn: A [m][k], B [k][n]      tn: A [k][m], B [k][n] */
void blpo__gemm_nt(int64_t m, int64_t n, int64_t k, const real *a, int64_t lda, const real *b, int64_t ldb, int add,
                   real *c, int64_t ldc);
void blpo__gemm_nn(int64_t m, int64_t n, int64_t k, const real *a, int64_t lda, const real *b, int64_t ldb, int add,
                   real *c, int64_t ldc);
void blpo__gemm_tn(int64_t m, int64_t n, int64_t k, const real *a, int64_t lda, const real *b, int64_t ldb, int add,
                   real *c, int64_t ldc);

#endif
