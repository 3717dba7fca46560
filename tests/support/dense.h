/* Small dense linear algebra in long double, written without the library: what the library is measured against. */
#ifndef BLPO_TESTS_DENSE_H
#define BLPO_TESTS_DENSE_H

#include "test.h"

/* The next number of a small generator of the tests' own, in [-1, 1). */
double test_uniform(uint64_t *state);

/* A standard normal number of the same. */
double test_normal(uint64_t *state);

double dense_norm(const double *x, int64_t n);

/* a x = b by Gaussian elimination with partial pivoting. a [n][n], b [n], x [n]. */
void dense_solve(const double *a, const double *b, int64_t n, double *x);

/* (h + rho I) x = v. */
void dense_shifted_solve(const double *h, double rho, const double *v, int64_t p, double *x);

/* out = h v, and |(h + rho I) x - v| / |v|. */
void dense_product(const double *h, const double *v, int64_t rows, int64_t columns, double *out);
double dense_relative_residual(const double *h, double rho, const double *x, const double *v, int64_t p);

/* |inverse of a| in the Frobenius norm, by n solves. */
double dense_inverse_norm(const double *a, int64_t n);

/* h [p][p] = Q diag(eigenvalue) Q^T with Q a product of three random reflections, its entries rounded to test_real, so
 * that a problem hands exactly these numbers to the library. */
void dense_symmetric(const double *eigenvalue, int64_t p, uint64_t seed, double *h);

/* Conjugate gradients for (h + rho I) x = v from x = 0, as in the specification: exactly `iterations` steps; with
 * stop_at_negative they end before a step along a direction of curvature <= 0, with the x of the least residual so far. Returns
 * the steps made. */
int64_t dense_cg(const double *h, int64_t p, double rho, const double *v, int64_t iterations, int stop_at_negative,
                 double *x);

/* x = v/rho - (1/rho^2) C^T (M + (1/rho) C C^T + s I_k)^-1 C v with C = h[I,:], M = C[:,I], as it stands; core [k][k] or
 * NULL receives the matrix in brackets. */
void dense_nystrom(const double *h, int64_t p, const int64_t *index, int64_t k, double rho, double s, const double *v,
                   double *x, double *core);

/* Bound on |x - dense_nystrom()| for rows and vectors in test_real and a core in double:
 *   |v|/rho 8 eps   +   |C|^2 |core^-1| |v| / rho^2 (4 p eps + 8 p eps_double cond(core)).
 * The first part is scaling v, dividing, adding and scaling back; in the second C v and C^T y are sums of p and k
 * products each (2 p eps together, doubled), and forming and solving the core in double costs its condition number. */
double dense_nystrom_bound(const double *h, int64_t p, const int64_t *index, int64_t k, double rho, double s,
                           const double *v);

#endif
