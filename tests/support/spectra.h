/* Symmetric matrices with a chosen spectrum, and solvers over them: what every test of the solver starts from. */
#ifndef BLPO_TESTS_SPECTRA_H
#define BLPO_TESTS_SPECTRA_H

#include "quadratic.h"

enum { SPECTRUM_MAX_P = 24 };

typedef struct spectrum {
    const char *name;
    int64_t p;
    double hessian[SPECTRUM_MAX_P * SPECTRUM_MAX_P]; /* [p][p], entries are exact test_reals */
    double norm;                                     /* largest |eigenvalue| asked for */
    double smallest;                                 /* smallest eigenvalue asked for */
} spectrum;

enum { SPECTRUM_COUNT = 7 };

/* 0 definite: 1 .. 2;  1 ill conditioned: 1e-4 .. 1e4;  2 indefinite: -0.3 .. 24;  3 rank p/2: 0 and 1 .. 2;
 * 4 as 0, but rows and columns 1 and 5 are zero;  5 zero;  6 p = 1: the number 3. Rounding the entries moves an eigenvalue
 * by at most p eps norm. */
void spectrum_make(int which, spectrum *out);

/* The Gauss-Newton side of the same spectra: a Jacobian [p + 3][p] of exact test_reals whose last three rows are zero, with
 * the roots of the eigenvalues as singular values; for 4 columns 1 and 5 are zero. out->hessian is J^T J in double. Not 2: no
 * J^T J is indefinite; then 7 rows of normal numbers, so that there are fewer samples than variables. Returns n_samples. */
enum { SPECTRUM_MAX_SAMPLES = SPECTRUM_MAX_P + 3, SPECTRUM_MAX_JACOBIAN = SPECTRUM_MAX_SAMPLES * SPECTRUM_MAX_P };
int64_t spectrum_make_newton(int which, spectrum *out, double *jacobian);

/* The matrix of either curvature, with a Jacobian beside it: J^T J is the matrix for Gauss-Newton, and for the Hessian that of the
 * other curvature. quad, zero before, is given p, hessian, jacobian and n_samples, and borrows the arrays. */
void spectrum_curved(int which, int curvature, spectrum *out, double *jacobian, quadratic *quad);

/* A right-hand side of exact test_reals: in both number types. */
void spectrum_vector(int64_t p, uint64_t seed, test_real *v, double *v_double);

/* A whole bilevel problem over matrix 0 of either curvature with q outer variables; the arrays, jacobian, mixed [q][p], v [p],
 * direct [q], are the caller's, and quad borrows the first three. mixed is to be zero before. */
void spectrum_problem(int64_t q, int curvature, spectrum *matrix, double *jacobian, double *mixed, quadratic *quad,
                      test_real *v, test_real *direct);

blpo_hypergrad_config solver_config(int method, int64_t rank, double rho, double shift);

/* A solver over quad; create must succeed. */
blpo_hypergrad *solver_new(quadratic *quad, int with_rows, const blpo_hypergrad_config *config);

blpo_hypergrad_report empty_report(void);

#endif
