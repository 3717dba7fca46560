/* G = L L^T in blocks of rows and columns, G [n][n] symmetric positive definite.
 *
 *   for each block row i, for each block column j <= i:
 *     1. G_ij -= sum_{k<j} L_ik L_jk^T     one product of BLAS, its sum over all columns to the left
 *     2. i = j: L_ii by LAPACK (dpotrf); else L_ij = G_ij L_jj^-T, by forward substitution, row after row
 *
 * Not dpotrf on the whole: it brings in the threads of the BLAS, and then the bits depend on how many there are. BLOCK is
 * below the size from which it does so. Row-major lower triangle is what LAPACK, column-major, calls the upper one.
 * The upper triangle is left alone: with the diagonal kept apart it is G again after a failure.
 *
 * Cost: n^3 / 3 operations, n^2 for a solve. */
#include "linalg/blas.h"
#include "linalg/lapack.h"

#include <lapacke.h>

#include <math.h>

enum { BLOCK = 48 };

void blpo__cholesky_create(blpo__cholesky *system, int64_t n, blpo__memory *memory)
{
    system->n = (int)n;
    system->a = blpo__allocate(memory, n * n + BLPO__CHOLESKY_SPARE, sizeof *system->a);
    system->diagonal = blpo__allocate(memory, n, sizeof *system->diagonal);
    system->block = blpo__allocate(memory, BLOCK * BLOCK, sizeof *system->block);
}

static int64_t block_end(int64_t begin, int64_t n)
{
    return begin + BLOCK < n ? begin + BLOCK : n;
}

/* Step 1 of the block with these first rows and columns. */
static void update_block(blpo__cholesky *system, int64_t i, int64_t j)
{
    const int64_t n = system->n, rows = block_end(i, n) - i, columns = block_end(j, n) - j;
    if (j == 0)
        return;
    blpo__gemm_nt_double(rows, columns, j, system->a + i * n, n, system->a + j * n, n, 0, system->block, columns);
    for (int64_t a = 0; a < rows; a++)
        for (int64_t b = 0; b < columns && j + b <= i + a; b++)
            system->a[(i + a) * n + j + b] -= system->block[a * columns + b];
}

/* Step 2 off the diagonal. */
static void substitute(blpo__cholesky *system, int64_t i, int64_t j)
{
    const int64_t n = system->n, end = block_end(j, n);
    for (int64_t row = i; row < block_end(i, n); row++) {
        double *x = system->a + row * n;
        for (int64_t c = j; c < end; c++) {
            const double *l = system->a + c * n;
            double sum = x[c];
            for (int64_t k = j; k < c; k++)
                sum -= x[k] * l[k];
            x[c] = sum / l[c];
        }
    }
}

/* The lower triangle is G + shift I again, from the upper one. */
static void begin_anew(blpo__cholesky *system, double shift)
{
    const int64_t n = system->n;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++)
            system->a[i * n + j] = system->a[j * n + i];
        system->a[i * n + i] = system->diagonal[i] + shift;
    }
}

static int factor_diagonal(blpo__cholesky *system, int64_t i)
{
    const int64_t n = system->n;
    return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (int)(block_end(i, n) - i), system->a + i * n + i, system->n);
}

void blpo__cholesky_load(blpo__cholesky *system)
{
    const int64_t n = system->n;
    for (int64_t i = 0; i < n; i++)
        system->diagonal[i] = system->a[i * n + i];
}

/* (largest / least)^2 of L's diagonal; NaN where one is not a number. */
static double condition_of(const blpo__cholesky *system)
{
    const int64_t n = system->n;
    double most = 0.0, least = INFINITY;
    for (int64_t i = 0; i < n; i++) {
        const double l = system->a[i * n + i];
        if (isnan(l))
            return l;
        most = fmax(most, l);
        least = fmin(least, l);
    }
    return most / least * (most / least);
}

int blpo__cholesky_factor(blpo__cholesky *system, double shift)
{
    const int64_t n = system->n;
    begin_anew(system, shift);
    for (int64_t i = 0; i < n; i += BLOCK) {
        for (int64_t j = 0; j < i; j += BLOCK) {
            update_block(system, i, j);
            substitute(system, i, j);
        }
        update_block(system, i, i);
        if (factor_diagonal(system, i) != 0)
            return -1;
    }
    system->condition = condition_of(system);
    return isfinite(system->condition) ? 0 : -1;
}

/* L z = b, then L^T y = z. */
void blpo__cholesky_solve(const blpo__cholesky *system, double *b)
{
    const int64_t n = system->n;
    const double *a = system->a;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++)
            b[i] -= a[i * n + j] * b[j];
        b[i] /= a[i * n + i];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        b[i] /= a[i * n + i];
        for (int64_t j = 0; j < i; j++)
            b[j] -= a[i * n + j] * b[i];
    }
}
