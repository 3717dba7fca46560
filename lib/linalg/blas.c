#include "linalg/blas.h"

#include <cblas.h>

enum { BLOCK = 64, MOST = BLOCK * BLOCK * BLOCK };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The blocks of one product: sizes were checked against int at create, so the casts hold. */
#define BLOCKED(NAME, TYPE, CALL, TRANS_A, TRANS_B, A_AT, B_AT)                                                        \
    void NAME(int64_t m, int64_t n, int64_t k, const TYPE *a, int64_t lda, const TYPE *b, int64_t ldb, int add,        \
              TYPE *c, int64_t ldc)                                                                                    \
    {                                                                                                                  \
        const int whole = m * n <= MOST && m * n * k <= MOST;                                                          \
        const int64_t mb = whole ? m : BLOCK, nb = whole ? n : BLOCK, kb = whole ? k : BLOCK;                          \
        for (int64_t i = 0; i < m; i += mb)                                                                            \
            for (int64_t j = 0; j < n; j += nb)                                                                        \
                for (int64_t l = 0; l < k; l += kb)                                                                    \
                    CALL(CblasRowMajor, TRANS_A, TRANS_B, (int)least(mb, m - i), (int)least(nb, n - j),                \
                         (int)least(kb, k - l), 1, A_AT, (int)lda, B_AT, (int)ldb, add || l > 0 ? 1 : 0,               \
                         c + i * ldc + j, (int)ldc);                                                                   \
    }

BLOCKED(blpo__gemm_nt_double, double, cblas_dgemm, CblasNoTrans, CblasTrans, a + i * lda + l, b + j * ldb + l)
