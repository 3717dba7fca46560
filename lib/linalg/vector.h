/* Loops over vectors, sums in double. Not BLAS level 1: its dot products are in single precision, and OpenBLAS splits
 * long ones over threads, which changes their bits. */
#ifndef BLPO_LINALG_VECTOR_H
#define BLPO_LINALG_VECTOR_H

#include "core/real.h"

double blpo__dot(const real *a, const real *b, int64_t n);
/* gram [k][k] += rows rows^T, symmetric before and after; products [k] = rows v; rows [k][n] */
void blpo__add_gram(int64_t k, int64_t n, const real *rows, const real *v, double *gram, double *products);
/* out [n] = scale (v - rows^T y), rows [k][n]; out may be v */
void blpo__less_rows(int64_t k, int64_t n, const real *rows, const double *y, const real *v, double scale, real *out);
void blpo__exponentials(double *x, int64_t n); /* x becomes e^x, 0 and infinity where that is out of range; a NaN stays one */
void blpo__logarithms(double *x, int64_t n); /* x, positive normal numbers, becomes log x; NaN for what is not finite */
/* to [n] += factor from; apart */
void blpo__add_multiple(double *restrict to, double factor, const double *restrict from, int64_t n);
/* out [n] = a / by, quotients in double; out may be a */
void blpo__divide(const real *a, double by, int64_t n, real *out);
int blpo__is_plain_square(double sum); /* a sum of squares in which nothing overflowed, and nothing of weight vanished */
double blpo__norm(const real *a, int64_t n); /* no overflow or underflow: scaled by the largest element where needed */
double blpo__largest(const real *a, int64_t n); /* max |a_i| */

#endif
