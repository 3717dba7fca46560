#include "linalg/lapack.h"

#include <lapacke.h>

#include <math.h>
#include <string.h>

void blpo__symmetric_create(blpo__symmetric *system, int64_t n, blpo__memory *memory)
{
    const int order = (int)n;
    double sytrf = 0.0, syev = 0.0, none = 0.0;
    int no_pivot = 0;
    LAPACKE_dsytrf_work(LAPACK_COL_MAJOR, 'L', order, &none, order, &no_pivot, &sytrf, -1);
    LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'L', order, &none, order, &none, &syev, -1);
    const double most = fmax(fmax(sytrf, syev), 3.0 * order);
    system->n = order;
    system->lwork = (int)most;
    system->a = blpo__allocate(memory, n * n + BLPO__CHOLESKY_SPARE, sizeof *system->a);
    system->copy = blpo__allocate(memory, n * n, sizeof *system->copy);
    system->work = blpo__allocate(memory, system->lwork, sizeof *system->work);
    system->eigenvalue = blpo__allocate(memory, n, sizeof *system->eigenvalue);
    system->y = blpo__allocate(memory, n, sizeof *system->y);
    system->pivot = blpo__allocate(memory, n, sizeof *system->pivot);
    system->iwork = blpo__allocate(memory, n, sizeof *system->iwork);
}

/* In four sums, which do not wait for each other. */
static double sum_of_sizes(const double *a, int n)
{
    double part[4] = {0.0};
    int i = 0;
    for (; i + 4 <= n; i += 4)
        for (int q = 0; q < 4; q++)
            part[q] += fabs(a[i + q]);
    for (; i < n; i++)
        part[0] += fabs(a[i]);
    return (part[0] + part[1]) + (part[2] + part[3]);
}

/* Largest column sum of |S|, S symmetric; also the test that S is finite. */
static double one_norm(const double *a, int n)
{
    double most = 0.0;
    for (int j = 0; j < n; j++) {
        const double sum = sum_of_sizes(a + (size_t)j * (size_t)n, n);
        if (isnan(sum))
            return sum;
        most = fmax(most, sum);
    }
    return most;
}

/* The smaller eigenvalue of [a b; b c]. */
static double smaller_eigenvalue(double a, double b, double c)
{
    return 0.5 * (a + c) - hypot(0.5 * (a - c), b);
}

/* Negative eigenvalues of the D of L D L^T (Sylvester: as many as S has). D has 1 x 1 and 2 x 2 blocks; of a 2 x 2 block only
 * one eigenvalue can be negative. */
static int count_negative(const blpo__symmetric *system)
{
    const size_t n = (size_t)system->n;
    const double *a = system->a;
    int negative = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t at = i * n + i;
        if (system->pivot[i] > 0) {
            negative += a[at] < 0.0;
        } else {
            negative += smaller_eigenvalue(a[at], a[at + 1], a[at + n + 1]) < 0.0;
            i++;
        }
    }
    return negative;
}

static int factor_spectral(blpo__symmetric *system, double tolerance, double resolution)
{
    const int n = system->n;
    memcpy(system->a, system->copy, (size_t)n * (size_t)n * sizeof *system->a);
    if (LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'L', n, system->a, n, system->eigenvalue, system->work, system->lwork) != 0)
        return -1;
    const double largest = fmax(fabs(system->eigenvalue[0]), fabs(system->eigenvalue[n - 1]));
    double least = largest;
    system->rank = system->n_negative = 0;
    for (int i = 0; i < n; i++) {
        const double size = fabs(system->eigenvalue[i]);
        if (size <= fmax(tolerance * largest, resolution)) {
            system->eigenvalue[i] = 0.0; /* left out */
            continue;
        }
        system->rank++;
        system->n_negative += system->eigenvalue[i] < 0.0;
        least = fmin(least, size);
    }
    system->form = BLPO__SPECTRAL;
    system->condition = least > 0.0 ? largest / least : 1.0;
    return 0;
}

/* U^T U where S is positive definite, which is most of the time, else L D L^T: the reciprocal of the condition, or 0. U in the
 * upper triangle, row-major, is to LAPACK L in the lower one. */
static double factor_directly(blpo__symmetric *system, double norm)
{
    const int n = system->n;
    double reciprocal = 0.0;
    system->form = BLPO__DEFINITE;
    if (blpo__kernels_best()->cholesky(n, system->a) == 0) {
        LAPACKE_dpocon_work(LAPACK_COL_MAJOR, 'L', n, system->a, n, norm, &reciprocal, system->work, system->iwork);
        return reciprocal;
    }
    system->form = BLPO__INDEFINITE;
    memcpy(system->a, system->copy, (size_t)n * (size_t)n * sizeof *system->a);
    if (LAPACKE_dsytrf_work(LAPACK_COL_MAJOR, 'L', n, system->a, n, system->pivot, system->work, system->lwork) == 0)
        LAPACKE_dsycon_work(LAPACK_COL_MAJOR, 'L', n, system->a, n, system->pivot, norm, &reciprocal, system->work,
                            system->iwork);
    return reciprocal;
}

int blpo__symmetric_factor(blpo__symmetric *system, double tolerance, double resolution)
{
    const int n = system->n;
    const double norm = one_norm(system->a, n);
    if (!isfinite(norm))
        return -1;
    memcpy(system->copy, system->a, (size_t)n * (size_t)n * sizeof *system->a);
    const double reciprocal = factor_directly(system, norm);
    if (!(reciprocal > tolerance && reciprocal * norm > resolution))
        return factor_spectral(system, tolerance, resolution);
    system->rank = n;
    system->condition = 1.0 / reciprocal;
    system->n_negative = system->form == BLPO__DEFINITE ? 0 : count_negative(system);
    return 0;
}

/* y = Q^T b / lambda, b = Q y */
static void solve_spectral(blpo__symmetric *system, double *b)
{
    const size_t n = (size_t)system->n;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < n; j++)
            sum += system->a[i * n + j] * b[j];
        system->y[i] = system->eigenvalue[i] == 0.0 ? 0.0 : sum / system->eigenvalue[i];
    }
    for (size_t j = 0; j < n; j++) {
        b[j] = 0.0;
        for (size_t i = 0; i < n; i++)
            b[j] += system->a[i * n + j] * system->y[i];
    }
}

void blpo__symmetric_solve(blpo__symmetric *system, double *b)
{
    if (system->form == BLPO__SPECTRAL)
        solve_spectral(system, b);
    else if (system->form == BLPO__DEFINITE)
        blpo__kernels_best()->cholesky_solve(system->n, system->a, b);
    else
        LAPACKE_dsytrs_work(LAPACK_COL_MAJOR, 'L', system->n, 1, system->a, system->n, system->pivot, b, system->n);
}

int blpo__symmetric_eigen(blpo__symmetric *system)
{
    const int n = system->n;
    if (!isfinite(one_norm(system->a, n)))
        return -1;
    const int info = LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'L', n, system->a, n, system->eigenvalue, system->work,
                                        system->lwork);
    return info == 0 ? 0 : -1;
}

int blpo__tridiagonal_eigenvalues(int n, double *diagonal, double *beside)
{
    return LAPACKE_dsterf_work(n, diagonal, beside) == 0 ? 0 : -1;
}

/* S + size I is positive definite, or it is not. */
int blpo__symmetric_below(blpo__symmetric *system, double size)
{
    const int n = system->n;
    const double norm = one_norm(system->a, n);
    if (!isfinite(norm) || norm == 0.0)
        return 0;
    for (int i = 0; i < n; i++)
        system->a[(size_t)i * (size_t)n + (size_t)i] += size;
    return blpo__kernels_best()->cholesky(n, system->a) != 0;
}

double blpo__symmetric_norm(const blpo__symmetric *system)
{
    const double scale = one_norm(system->a, system->n);
    const size_t n = (size_t)system->n * (size_t)system->n;
    double sum = 0.0;
    if (!(scale > 0.0))
        return scale;
    if (scale > 1e-140 && scale < 1e140) { /* squares are numbers as they are */
        for (size_t i = 0; i < n; i++)
            sum += system->a[i] * system->a[i];
        return sqrt(sum);
    }
    for (size_t i = 0; i < n; i++)
        sum += system->a[i] / scale * (system->a[i] / scale);
    return scale * sqrt(sum);
}

/* With Q R = A (A tall, column-major) the columns of Q times the signs of R's diagonal are uniformly distributed when A is
 * normal (Mezzadri, Notices AMS 54(5), 2007). Row-major q [rows][columns] is column-major A [columns][rows]: its transpose. */
static int orthonormalise_tall(double *a, int m, int n, blpo__memory *memory)
{
    double geqrf = 0.0, orgqr = 0.0, none = 0.0;
    LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, m, n, &none, m, &none, &geqrf, -1);
    LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, m, n, n, &none, m, &none, &orgqr, -1);
    const int lwork = (int)fmax(geqrf, orgqr);
    double *work = blpo__allocate(memory, lwork, sizeof *work);
    double *tau = blpo__allocate(memory, n, sizeof *tau);
    double *sign = blpo__allocate(memory, n, sizeof *sign);
    if (memory->failed)
        return -1;
    LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, m, n, a, m, tau, work, lwork);
    for (int j = 0; j < n; j++)
        sign[j] = a[(size_t)j * (size_t)m + (size_t)j] < 0.0 ? -1.0 : 1.0;
    LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, m, n, n, a, m, tau, work, lwork);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++)
            a[(size_t)j * (size_t)m + (size_t)i] *= sign[j];
    return 0;
}

static void transpose(const double *from, int64_t n_rows, int64_t n_columns, double *to)
{
    for (int64_t i = 0; i < n_rows; i++)
        for (int64_t j = 0; j < n_columns; j++)
            to[j * n_rows + i] = from[i * n_columns + j];
}

int blpo__orthonormalise(double *q, int64_t n_rows, int64_t n_columns, blpo__memory *memory)
{
    if (n_rows <= n_columns) /* as column-major: tall already, its columns are the rows of q */
        return orthonormalise_tall(q, (int)n_columns, (int)n_rows, memory);
    double *other = blpo__allocate(memory, n_rows * n_columns, sizeof *other);
    if (memory->failed)
        return -1;
    transpose(q, n_rows, n_columns, other);
    const int rc = orthonormalise_tall(other, (int)n_rows, (int)n_columns, memory);
    transpose(other, n_columns, n_rows, q);
    return rc;
}
