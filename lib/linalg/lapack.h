/* Small dense problems in double: those that may be indefinite or singular, and eigenvalues, by LAPACK; positive definite ones by
 * kernels of our own (cholesky.c says why). All workspace is taken at create. */
#ifndef BLPO_LINALG_LAPACK_H
#define BLPO_LINALG_LAPACK_H

#include "core/memory.h"
#include "core/real.h"
#include "linalg/kernels.h"

/* What `a` holds: U^T U, L D L^T, or eigenvectors, their values in `eigenvalue`. */
typedef enum blpo__symmetric_form { BLPO__DEFINITE, BLPO__INDEFINITE, BLPO__SPECTRAL } blpo__symmetric_form;

/* A symmetric n x n system S y = b that may be indefinite or singular. */
typedef struct blpo__symmetric {
    int n;
    double *a;           /* [n][n] S, and BLPO__CHOLESKY_SPARE behind: written by the caller in full, destroyed when factored */
    double *copy;        /* [n][n] S again, for the spectral way */
    double *work;        /* [lwork] */
    double *eigenvalue;  /* [n] */
    double *y;           /* [n] */
    int *pivot;          /* [n] */
    int *iwork;          /* [n] */
    int lwork;
    blpo__symmetric_form form;
    int rank;            /* n, or the eigenvalues that are kept */
    int n_negative;      /* negative eigenvalues, of those that are kept */
    double condition;    /* 1-norm estimate, or largest / least kept |eigenvalue| */
} blpo__symmetric;

void blpo__symmetric_create(blpo__symmetric *system, int64_t n, blpo__memory *memory);

/* Factors what lies in `a`: by Cholesky where S is positive definite, else L D L^T with pivoting (Bunch and Kaufman), since an
 * indefinite S is healthy input. Where S is singular to working precision: the spectral decomposition, with eigenvalues left out
 * (pseudo-inverse) up to `tolerance` times the largest, and up to `resolution`, the size of the errors that S came with. Returns 0,
 * or -1 when neither works (S is not finite). */
int blpo__symmetric_factor(blpo__symmetric *system, double tolerance, double resolution);

/* b becomes the solution (of least norm where eigenvalues were left out). */
void blpo__symmetric_solve(blpo__symmetric *system, double *b);

/* The spectral decomposition of the matrix in `a`, which is destroyed: eigenvalue[i], ascending, with the vector
 * a[i * n + j], j = 0 .. n - 1. 0, or -1 where it is not finite or LAPACK gives up. For this and the above n may be set below
 * that of create. */
int blpo__symmetric_eigen(blpo__symmetric *system);

/* diagonal [n] becomes the eigenvalues, ascending, of the symmetric tridiagonal matrix with `beside` [n - 1] next to its
 * diagonal, which is destroyed. 0, or -1. */
int blpo__tridiagonal_eigenvalues(int n, double *diagonal, double *beside);

/* Whether the matrix in `a`, which is destroyed, has an eigenvalue below -size; size well above the rounding errors in double. */
int blpo__symmetric_below(blpo__symmetric *system, double size);

/* Frobenius norm of the matrix in `a`. */
double blpo__symmetric_norm(const blpo__symmetric *system);

/* A symmetric positive definite n x n system G y = b: U^T U. */
typedef struct blpo__cholesky {
    int n;
    double *a;        /* [n][n] G, and BLPO__CHOLESKY_SPARE behind: written by the caller in full; the upper triangle becomes U */
    double *diagonal; /* [n] of G */
    int whole;        /* 1: the upper triangle is still G */
    double condition; /* (largest / least element of U's diagonal)^2: the condition of G is at least that */
} blpo__cholesky;

void blpo__cholesky_create(blpo__cholesky *system, int64_t n, blpo__memory *memory);

/* To be called when G has been written. */
void blpo__cholesky_load(blpo__cholesky *system);

/* Factors G + shift I (n may be set below that of create, before the load), any number of times after a load. 0, or -1 where
 * that is not positive definite to working precision, or not finite. Equal bits whatever the number of threads of the BLAS. */
int blpo__cholesky_factor(blpo__cholesky *system, double shift);

/* b becomes the solution. */
void blpo__cholesky_solve(const blpo__cholesky *system, double *b);

/* a_ji = a_ij for j < i < n, where a_ij lies at a[i row + j column]: with row = ld, column = 1 the lower triangle of a row-major
 * matrix goes into the upper one, with row = 1, column = ld the upper one into the lower. */
void blpo__mirror(int64_t n, double *a, int64_t row, int64_t column);

/* q [n_rows][n_columns], row-major, becomes orthonormal: its rows where n_rows <= n_columns, else its columns; the signs
 * are those that make the result uniform over orthogonal matrices when q was drawn from a normal distribution.
 * Takes workspace from `memory`: called at create only. 0, or -1 when memory ran out. */
int blpo__orthonormalise(double *q, int64_t n_rows, int64_t n_columns, blpo__memory *memory);

#endif
