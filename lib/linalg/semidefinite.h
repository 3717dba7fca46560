/* Positive semi-definite systems that may be singular. */
#ifndef BLPO_LINALG_SEMIDEFINITE_H
#define BLPO_LINALG_SEMIDEFINITE_H

#include "linalg/lapack.h"

typedef struct blpo__semidefinite {
    int64_t n, rank;
    double *a;           /* [n][n] A: written by the caller in full; then L, and W^T below it */
    int64_t *order;      /* [n] rows of A as they were chosen */
    double *x;           /* [n] the solution in that order */
    blpo__cholesky core; /* I + W W^T, [rank][rank] */
} blpo__semidefinite;

void blpo__semidefinite_create(blpo__semidefinite *system, int64_t n, blpo__memory *memory);

/* Factors what lies in `a`; pivots up to `tolerance` times the largest diagonal element count as 0. 0, or -1 where A is not
 * finite. Equal bits whatever the number of threads of the BLAS. */
int blpo__semidefinite_factor(blpo__semidefinite *system, double tolerance);

/* b becomes the solution of least norm; where b is not in the range of A, that for the chosen rows. */
void blpo__semidefinite_solve(blpo__semidefinite *system, double *b);

#endif
