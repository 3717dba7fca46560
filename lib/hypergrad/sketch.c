/* A randomised Nystrom sketch of H, and the preconditioner it makes: Frangella, Tropp and Udell, SIAM J. Matrix Anal. Appl.
 * 44(2), 2023 (arXiv:2110.02820), algorithms 2.1 and E.2.
 *
 *   Omega [l][p] orthonormal rows, of normal numbers     Y [l][p] = Omega H, l products     nu a shift
 *   H^ = (Y + nu Omega)^T (Omega Y^T + nu I)^-1 (Y + nu Omega) - nu I on its span = U L U^T,  L >= 0
 *   P^-1 = I + U ((l_min + rho) (L + rho I)^-1 - I) U^T,  l_min the smallest element of L
 *
 *   1. Omega, Y
 *   2. nu = sqrt(p) eps |Y|, then ten times that until Omega Y^T + nu I has a Cholesky factor K K^T
 *   3. R Q = Y + nu Omega, Q with orthonormal rows (Gram and Schmidt, twice), R lower triangular
 *   4. B = K^-1 R;  B^T B = V D V^T, L = max(D - nu I, 0), U = Q^T V
 *   5. core = V ((l_min + rho) (L + rho I)^-1 - I) V^T:  P^-1 = I + Q^T core Q
 *
 * Departures: their singular value decomposition of a p x l matrix is a QR factorisation and an l x l eigenproblem. That squares
 * the singular values, but L is their squares, and is compared with rho only. Where nu has to be raised, H has a negative
 * eigenvalue in the sketch: the report says indefinite; P stays positive definite, which is all that a preconditioner must be.
 *
 * Adaptive rank: l doubles until the largest eigenvalue of H - H^, by ERROR_ITERATIONS power iterations, is at most tau rho, or
 * l is the most that is allowed. Then the condition number of the preconditioned matrix is at most 1 + tau + l_min / rho, as
 * far as the estimate is right.
 *
 * Cost: l products, and ERROR_ITERATIONS for each l tried; with fixed rank (10 l^2 - 6 l) p operations for the sketch, and O(l^3)
 * that are not counted; 4 l p for each P^-1 r. Numbers held: l p, l p in double, with adaptive rank l p in double more. */
#include "hypergrad/hypergrad.h"

#include "core/multiversion.h"
#include "linalg/vector.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ERROR_ITERATIONS = 8, MOST_SHIFTS = 40, CHUNK = 256 };

void blpo__sketch_create(blpo_hypergrad *solver)
{
    blpo__memory *memory = &solver->host.memory;
    blpo__sketch *s = &solver->sketch;
    const blpo_hypergrad_config *config = &solver->config;
    const int grows = config->sketch_rank_max > config->nystrom_rank;
    const int64_t p = solver->problem.n_inner, most = grows ? config->sketch_rank_max : config->nystrom_rank;
    s->most = most;
    s->omega = blpo__allocate(memory, most * p, sizeof *s->omega);
    s->q = blpo__allocate(memory, most * p, sizeof *s->q);
    s->y = grows ? blpo__allocate(memory, most * p, sizeof *s->y) : s->q;
    s->r = blpo__allocate(memory, most * most, sizeof *s->r);
    s->core = blpo__allocate(memory, most * most, sizeof *s->core);
    s->work = blpo__allocate(memory, 2 * most, sizeof *s->work);
    blpo__cholesky_create(&s->gram, most, memory);
    blpo__symmetric_create(&s->eigen, most, memory);
}

/* -- sums in double, with partial sums in a fixed order whatever the processor -- */

#define DOT(name, type)                                                                                                \
    BLPO__MULTIVERSION                                                                                                 \
    static double name(const double *a, const type *b, int64_t n)                                                      \
    {                                                                                                                  \
        double sum[4] = {0};                                                                                           \
        int64_t i = 0;                                                                                                 \
        for (; i + 4 <= n; i += 4)                                                                                     \
            for (int j = 0; j < 4; j++)                                                                                \
                sum[j] += a[i + j] * (double)b[i + j];                                                                 \
        for (; i < n; i++)                                                                                             \
            sum[i % 4] += a[i] * (double)b[i];                                                                         \
        return (sum[0] + sum[2]) + (sum[1] + sum[3]);                                                                  \
    }
DOT(dot_double, double)
DOT(dot_mixed, real)

/* Row i of q becomes orthonormal to those before it; of_row [i + 1] receives its coefficients: row = of_row q. A row that
 * depends on the others becomes zero. Twice is enough (Giraud, Langou, Rozloznik, 2005). */
static void orthonormalise_row(double *q, int64_t i, int64_t p, double *of_row)
{
    double *row = q + i * p;
    const double before = sqrt(dot_double(row, row, p));
    memset(of_row, 0, (size_t)(i + 1) * sizeof *of_row);
    for (int pass = 0; pass < 2; pass++)
        for (int64_t j = 0; j < i; j++) {
            const double along = dot_double(row, q + j * p, p);
            of_row[j] += along;
            blpo__add_multiple(row, -along, q + j * p, p);
        }
    const double norm = sqrt(dot_double(row, row, p));
    of_row[i] = norm > 1e-14 * before ? norm : 0.0;
    for (int64_t k = 0; k < p; k++)
        row[k] = of_row[i] > 0.0 ? row[k] / norm : 0.0;
}

/* -- step 1 -- */

/* Rows first .. end - 1 of Omega, orthonormal to those before. They are made in q, which is free until step 3 where y is an
 * array of its own, and else until the products come. */
static void draw_rows(blpo_hypergrad *solver, int64_t first, int64_t end)
{
    blpo__sketch *s = &solver->sketch;
    const int64_t p = solver->problem.n_inner;
    for (int64_t i = 0; i < first; i++)
        for (int64_t j = 0; j < p; j++)
            s->q[i * p + j] = (double)s->omega[i * p + j];
    for (int64_t i = first; i < end; i++) {
        blpo__stream stream = blpo__hypergrad_stream(solver, BLPO__FOR_SKETCH, (uint64_t)i);
        for (int64_t j = 0; j < p; j++)
            s->q[i * p + j] = blpo__normal(&stream);
        orthonormalise_row(s->q, i, p, s->work);
        for (int64_t j = 0; j < p; j++)
            s->omega[i * p + j] = (real)s->q[i * p + j];
    }
    blpo__hypergrad_flops(solver, 4 * p * (end * (end - 1) - first * (first - 1)));
}

static int multiply_rows(blpo_hypergrad *solver, int64_t first, int64_t end)
{
    blpo__sketch *s = &solver->sketch;
    const int64_t p = solver->problem.n_inner;
    for (int64_t i = first; i < end; i++) {
        const int rc = blpo__hypergrad_product(solver, s->omega + i * p, solver->product);
        if (rc != BLPO_OK)
            return rc;
        for (int64_t j = 0; j < p; j++)
            s->y[i * p + j] = (double)solver->product[j];
    }
    return BLPO_OK;
}

/* -- steps 2 to 5 -- */

static double norm_of_rows(const double *y, int64_t n)
{
    return sqrt(dot_double(y, y, n));
}

/* Step 2: nu, with K in gram; or -1. */
static double factor_gram(blpo_hypergrad *solver, blpo_hypergrad_report *report)
{
    blpo__sketch *s = &solver->sketch;
    const int64_t p = solver->problem.n_inner, l = s->l;
    s->gram.n = (int)l;
    for (int64_t i = 0; i < l; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double one = dot_mixed(s->y + i * p, s->omega + j * p, p),
                         other = dot_mixed(s->y + j * p, s->omega + i * p, p);
            s->gram.a[i * l + j] = s->gram.a[j * l + i] = 0.5 * (one + other);
        }
    blpo__hypergrad_flops(solver, 2 * l * (l + 1) * p);
    blpo__cholesky_load(&s->gram);
    double nu = fmax(sqrt((double)p) * BLPO__EPSILON * norm_of_rows(s->y, l * p), DBL_MIN);
    for (int i = 0; i < MOST_SHIFTS && isfinite(nu); i++, nu *= 10.0) {
        if (blpo__cholesky_factor(&s->gram, nu) == 0)
            return nu;
        report->indefinite = 1;
    }
    return -1.0;
}

/* Step 3 */
static void factor_rows(blpo_hypergrad *solver, double nu)
{
    blpo__sketch *s = &solver->sketch;
    const int64_t p = solver->problem.n_inner, l = s->l;
    memset(s->r, 0, (size_t)(l * l) * sizeof *s->r);
    for (int64_t i = 0; i < l; i++) {
        for (int64_t j = 0; j < p; j++)
            s->q[i * p + j] = s->y[i * p + j] + nu * (double)s->omega[i * p + j];
        orthonormalise_row(s->q, i, p, s->r + i * l);
    }
    blpo__hypergrad_flops(solver, 4 * p * l * (l - 1));
}

/* r becomes K^-1 r, K^T [l][l] the upper triangle of gram: forward substitution, all columns at a time. */
static void whiten(blpo__sketch *s)
{
    const int64_t l = s->l;
    const double *kt = s->gram.a;
    for (int64_t i = 0; i < l; i++) {
        for (int64_t j = 0; j < i; j++)
            blpo__add_multiple(s->r + i * l, -kt[j * l + i], s->r + j * l, l);
        for (int64_t j = 0; j < l; j++)
            s->r[i * l + j] /= kt[i * l + i];
    }
}

/* Step 4, from whitened r: eigen holds V and D - nu, not below 0. 0, or -1. */
static int decompose(blpo__sketch *s, double nu)
{
    const int64_t l = s->l;
    s->eigen.n = (int)l;
    memset(s->eigen.a, 0, (size_t)(l * l) * sizeof *s->eigen.a);
    for (int64_t i = 0; i < l; i++)
        for (int64_t j = 0; j < l; j++)
            blpo__add_multiple(s->eigen.a + j * l, s->r[i * l + j], s->r + i * l, l);
    if (blpo__symmetric_eigen(&s->eigen) != 0)
        return -1;
    for (int64_t i = 0; i < l; i++)
        s->eigen.eigenvalue[i] = fmax(s->eigen.eigenvalue[i] - nu, 0.0);
    return 0;
}

/* matrix [l][l] = V diag(value) V^T */
static void compose(const blpo__sketch *s, const double *value, double *matrix)
{
    const int64_t l = s->l;
    const double *v = s->eigen.a;
    memset(matrix, 0, (size_t)(l * l) * sizeof *matrix);
    for (int64_t e = 0; e < l; e++)
        for (int64_t i = 0; i < l; i++)
            blpo__add_multiple(matrix + i * l, value[e] * v[e * l + i], v + e * l, l);
}

/* Step 5 */
static void make_core(blpo_hypergrad *solver)
{
    blpo__sketch *s = &solver->sketch;
    const double rho = solver->config.nystrom_rho, *value = s->eigen.eigenvalue;
    for (int64_t i = 0; i < s->l; i++)
        s->work[i] = (value[0] + rho) / (value[i] + rho) - 1.0;
    compose(s, s->work, s->core);
}

/* -- products with matrices Q^T small Q, small [l][l] -- */

BLPO__MULTIVERSION
static void add_rows(const double *rows, const double *factor, int64_t l, int64_t p, int64_t n, double *sum)
{
    for (int64_t i = 0; i < l; i++)
        for (int64_t j = 0; j < n; j++)
            sum[j] += factor[i] * rows[i * p + j];
}

/* to = from + Q^T small Q x, some columns at a time so that the sums can be in double. */
static void add_low_rank(blpo_hypergrad *solver, const double *small, double sign, const real *x, const real *from,
                         real *to)
{
    const blpo__sketch *s = &solver->sketch;
    const int64_t p = solver->problem.n_inner, l = s->l;
    double *along = s->work, *factor = s->work + s->most, sum[CHUNK];
    for (int64_t i = 0; i < l; i++)
        along[i] = dot_mixed(s->q + i * p, x, p);
    for (int64_t i = 0; i < l; i++)
        factor[i] = sign * dot_double(small + i * l, along, l);
    for (int64_t begin = 0; begin < p; begin += CHUNK) {
        const int64_t n = p - begin < CHUNK ? p - begin : CHUNK;
        for (int64_t j = 0; j < n; j++)
            sum[j] = (double)from[begin + j];
        add_rows(s->q + begin, factor, l, p, n, sum);
        for (int64_t j = 0; j < n; j++)
            to[begin + j] = (real)sum[j];
    }
    blpo__hypergrad_flops(solver, 4 * l * p);
}

void blpo__sketch_apply(blpo_hypergrad *solver, const real *r, real *z)
{
    add_low_rank(solver, solver->sketch.core, 1.0, r, r, z);
}

/* -- adaptive rank -- */

/* error: the largest |eigenvalue| of H - H^, from below. core is used, g is `conditioned`. */
static int estimate_error(blpo_hypergrad *solver)
{
    blpo__sketch *s = &solver->sketch;
    const int64_t p = solver->problem.n_inner;
    real *g = solver->conditioned;
    blpo__stream stream = blpo__hypergrad_stream(solver, BLPO__FOR_SKETCH, (uint64_t)solver->problem.n_inner);
    compose(s, s->eigen.eigenvalue, s->core);
    for (int64_t i = 0; i < p; i++)
        g[i] = (real)blpo__normal(&stream);
    s->error = blpo__norm(g, p);
    for (int i = 0; i <= ERROR_ITERATIONS && s->error > 0.0 && isfinite(s->error); i++) {
        for (int64_t j = 0; j < p; j++)
            g[j] = (real)((double)g[j] / s->error);
        if (i == ERROR_ITERATIONS)
            break;
        const int rc = blpo__hypergrad_product(solver, g, solver->product);
        if (rc != BLPO_OK)
            return rc;
        add_low_rank(solver, s->core, -1.0, g, solver->product, g);
        s->error = blpo__norm(g, p);
    }
    return BLPO_OK;
}

/* -- the sketch -- */

/* Steps 2 to 4. Where the data allow no decomposition: an empty sketch, so that P = I. */
static void decompose_rows(blpo_hypergrad *solver, blpo_hypergrad_report *report)
{
    blpo__sketch *s = &solver->sketch;
    const double nu = factor_gram(solver, report);
    if (nu >= 0.0) {
        factor_rows(solver, nu);
        whiten(s);
        if (decompose(s, nu) == 0)
            return;
    }
    s->l = 0;
    blpo__hypergrad_fall_back(report, BLPO_IHVP_REASON_SINGULAR);
}

static double tolerated(const blpo_hypergrad_config *config)
{
    return (config->sketch_error > 0.0 ? config->sketch_error : 1.0) * config->nystrom_rho;
}

int blpo__sketch_make(blpo_hypergrad *solver, blpo_hypergrad_report *report)
{
    blpo__sketch *s = &solver->sketch;
    int64_t made = 0;
    s->error = -1.0;
    s->l = solver->config.nystrom_rank;
    for (;;) {
        draw_rows(solver, made, s->l);
        int rc = multiply_rows(solver, made, s->l);
        if (rc != BLPO_OK)
            return rc;
        decompose_rows(solver, report);
        if (s->most == solver->config.nystrom_rank || s->l == 0)
            break;
        rc = estimate_error(solver);
        if (rc != BLPO_OK)
            return rc;
        if (s->error <= tolerated(&solver->config) || s->l == s->most)
            break;
        made = s->l;
        s->l = 2 * made < s->most ? 2 * made : s->most;
    }
    make_core(solver);
    solver->n_draws++;
    report->rank_used = s->l;
    return BLPO_OK;
}
