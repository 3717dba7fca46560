/* G = U^T U, G [n][n] symmetric positive definite: kernels of our own (kernels/cholesky_body.h). Not dpotrf: it brings in the threads
 * of the BLAS, and then the bits depend on how many there are; and an installed BLAS may run kernels far below the processor.
 *
 * The factor takes the upper triangle. The lower one is G, with the diagonal kept apart, so that a failure can be followed by
 * another shift.
 *
 * Cost: n^3 / 3 operations, 2 n^2 for a solve. */
#include "linalg/kernels.h"
#include "linalg/lapack.h"

#include <math.h>

enum { PATCH = 16 }; /* triangles are mirrored in squares, so that both sides stay in the first cache */

void blpo__cholesky_create(blpo__cholesky *system, int64_t n, blpo__memory *memory)
{
    system->n = (int)n;
    system->a = blpo__allocate(memory, n * n + BLPO__CHOLESKY_SPARE, sizeof *system->a);
    system->diagonal = blpo__allocate(memory, n, sizeof *system->diagonal);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void blpo__mirror(int64_t n, double *a, int64_t row, int64_t column)
{
    for (int64_t top = 0; top < n; top += PATCH)
        for (int64_t left = 0; left <= top; left += PATCH)
            for (int64_t i = top; i < least(top + PATCH, n); i++)
                for (int64_t j = left; j < least(left + PATCH, i); j++)
                    a[j * row + i * column] = a[i * row + j * column];
}

void blpo__cholesky_load(blpo__cholesky *system)
{
    const int64_t n = system->n;
    for (int64_t i = 0; i < n; i++)
        system->diagonal[i] = system->a[i * n + i];
    system->whole = 1;
}

/* The upper triangle becomes G + shift I. */
static void begin_anew(blpo__cholesky *system, double shift)
{
    const int64_t n = system->n;
    if (!system->whole)
        blpo__mirror(n, system->a, n, 1); /* G again, from the lower triangle */
    system->whole = 0;
    for (int64_t i = 0; i < n; i++)
        system->a[i * n + i] = system->diagonal[i] + shift;
}

/* (largest / least)^2 of U's diagonal; NaN where one is not a number. */
static double condition_of(const blpo__cholesky *system)
{
    const int64_t n = system->n;
    double most = 0.0, smallest = INFINITY;
    for (int64_t i = 0; i < n; i++) {
        const double u = system->a[i * n + i];
        if (isnan(u))
            return u;
        most = fmax(most, u);
        smallest = fmin(smallest, u);
    }
    return most / smallest * (most / smallest);
}

int blpo__cholesky_factor(blpo__cholesky *system, double shift)
{
    begin_anew(system, shift);
    if (blpo__kernels_best()->cholesky(system->n, system->a) != 0)
        return -1;
    system->condition = condition_of(system);
    return isfinite(system->condition) ? 0 : -1;
}

void blpo__cholesky_solve(const blpo__cholesky *system, double *b)
{
    blpo__kernels_best()->cholesky_solve(system->n, system->a, b);
}
