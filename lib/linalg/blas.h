/* Products by the BLAS. With lapack.h the only door to CBLAS and LAPACKE.
 *
 * Every product is cut into blocks of at most 2^18 multiplications, below the size from which OpenBLAS brings in threads,
 * so that results do not depend on how many threads it was told to use. */
#ifndef BLPO_LINALG_BLAS_H
#define BLPO_LINALG_BLAS_H

#include "linalg/product.h"

/* C [m][n] = A B^T (+ C when add), A [m][k], B [n][k], row-major, in double whatever the data are: for k x k cores. */
void blpo__gemm_nt_double(int64_t m, int64_t n, int64_t k, const double *a, int64_t lda, const double *b, int64_t ldb,
                          int add, double *c, int64_t ldc);

#endif
