/* A x = b, A [n][n] symmetric positive semi-definite: Cholesky with complete pivoting, and the solution of least norm.
 *
 *   P^T A P = [L1; L2] [L1; L2]^T      L1 [r][r] lower triangular, r the rank: the largest pivot that is left comes first
 *   W [r][n - r]  with L1^T W = L2^T: the other columns of A as combinations of the chosen ones
 *
 *   1. L1, L2 until the pivots are used up      2. W, and the core I + W W^T
 *   3. L1 L1^T y = b1      4. u = (I + W W^T)^-1 y,  x = P [u; W^T u]
 *
 * Step 3 solves for the chosen rows with the other unknowns 0. All solutions are y - W t and t, t free; the shortest of them
 * has t = W^T u: that is step 4. The core's condition is that of W, which pivoting keeps small, so the errors are those of
 * step 3, the condition of A times 1e-16. The spectral decomposition would do the same and more, but LAPACK's (dsyev), as its
 * pivoted Cholesky (dpstrf), brings in the threads of the BLAS, and then the bits depend on how many there are.
 * Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 10.3.
 * Cost: n^2 r operations, (n - r) r^2 for W and core, n^2 for a solve. */
#include "linalg/semidefinite.h"

#include "linalg/vector.h"

#include <math.h>
#include <string.h>

void blpo__semidefinite_create(blpo__semidefinite *system, int64_t n, blpo__memory *memory)
{
    system->n = n;
    system->a = blpo__allocate(memory, n * n, sizeof *system->a);
    system->order = blpo__allocate(memory, n, sizeof *system->order);
    system->x = blpo__allocate(memory, n, sizeof *system->x);
    blpo__cholesky_create(&system->core, n, memory);
}

static void swap(double *a, double *b)
{
    const double other = *a;
    *a = *b;
    *b = other;
}

/* Rows and columns k and p of what is left; of L the rows. */
static void exchange(blpo__semidefinite *s, int64_t k, int64_t p)
{
    const int64_t n = s->n, other = s->order[k];
    s->order[k] = s->order[p];
    s->order[p] = other;
    for (int64_t j = 0; j < n; j++)
        swap(&s->a[k * n + j], &s->a[p * n + j]);
    for (int64_t i = k; i < n; i++)
        swap(&s->a[i * n + k], &s->a[i * n + p]);
}

static int64_t largest_pivot(const blpo__semidefinite *s, int64_t k)
{
    int64_t at = k;
    for (int64_t i = k + 1; i < s->n; i++)
        if (s->a[i * s->n + i] > s->a[at * s->n + at])
            at = i;
    return at;
}

/* Column k of L, and what is left without it. Row k, still there as a row of A, serves as the column. */
static void eliminate(blpo__semidefinite *s, int64_t k)
{
    const int64_t n = s->n;
    double *row = s->a + k * n;
    const double root = sqrt(row[k]);
    for (int64_t j = k; j < n; j++)
        row[j] /= root;
    for (int64_t i = k + 1; i < n; i++) {
        s->a[i * n + k] = row[i];
        blpo__add_multiple(s->a + i * n + k + 1, -row[i], row + k + 1, n - k - 1);
    }
}

/* Step 1 */
static void choose_rows(blpo__semidefinite *s, double tolerance)
{
    const int64_t n = s->n;
    double least = 0.0;
    for (int64_t i = 0; i < n; i++)
        s->order[i] = i;
    for (s->rank = 0; s->rank < n; s->rank++) {
        const int64_t p = largest_pivot(s, s->rank);
        const double pivot = s->a[p * n + p];
        if (s->rank == 0)
            least = tolerance * pivot;
        if (!(pivot > least))
            return;
        exchange(s, s->rank, p);
        eliminate(s, s->rank);
    }
}

/* x [r] becomes L1^-T x */
static void solve_transposed(const blpo__semidefinite *s, double *x)
{
    for (int64_t i = s->rank - 1; i >= 0; i--) {
        x[i] /= s->a[i * s->n + i];
        blpo__add_multiple(x, -x[i], s->a + i * s->n, i);
    }
}

/* Step 2: row j of L2 becomes column j of W. 0, or -1 */
static int complete(blpo__semidefinite *s)
{
    const int64_t n = s->n, r = s->rank;
    s->core.n = (int)r;
    memset(s->core.a, 0, (size_t)(r * r) * sizeof *s->core.a);
    for (int64_t j = r; j < n; j++) {
        double *w = s->a + j * n;
        solve_transposed(s, w);
        for (int64_t i = 0; i < r; i++)
            blpo__add_multiple(s->core.a + i * r, w[i], w, r);
    }
    blpo__cholesky_load(&s->core);
    return blpo__cholesky_factor(&s->core, 1.0);
}

static int is_finite(const double *a, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += 0.0 * a[i];
    return sum == 0.0;
}

int blpo__semidefinite_factor(blpo__semidefinite *system, double tolerance)
{
    if (!is_finite(system->a, system->n * system->n))
        return -1;
    choose_rows(system, tolerance);
    return system->rank > 0 && system->rank < system->n ? complete(system) : 0;
}

/* Step 3: x [r] */
static void solve_chosen(blpo__semidefinite *s, const double *b)
{
    for (int64_t i = 0; i < s->rank; i++) {
        const double *l = s->a + i * s->n;
        double sum = b[s->order[i]];
        for (int64_t j = 0; j < i; j++)
            sum -= l[j] * s->x[j];
        s->x[i] = sum / l[i];
    }
    solve_transposed(s, s->x);
}

void blpo__semidefinite_solve(blpo__semidefinite *system, double *b)
{
    const int64_t n = system->n, r = system->rank;
    double *x = system->x;
    solve_chosen(system, b);
    if (r > 0 && r < n)
        blpo__cholesky_solve(&system->core, x);
    for (int64_t j = r; j < n; j++) {
        const double *w = system->a + j * n;
        x[j] = 0.0;
        for (int64_t i = 0; i < r; i++)
            x[j] += w[i] * x[i];
    }
    for (int64_t i = 0; i < n; i++)
        b[system->order[i]] = x[i];
}
