/* Inverse by a Nystrom sketch: k rows of H stand for all of it.
 *
 *   I [k] coordinates, distinct     C [k][p] = H[I,:]     M [k][k] = C[:,I], symmetrised     S [k][k] the core
 *
 *   1. draw I     2. C     3. S = rho (M + s I_k) + C C^T     4. factor S     5. S y = C v,  x = (v - C^T y) / rho
 *
 * Steps 3 to 5 are the formula of the header, x = v/rho - (1/rho^2) C^T (M + (1/rho) C C^T + s I_k)^-1 C v, multiplied
 * through by rho, so that a small rho makes no large numbers that cancel later.
 * s = 0: Hataya and Yamada, AISTATS 2023 (arXiv:2302.09726). s = 1: what the authors of BLPO ran (Prakash et al.,
 * arXiv:2505.11714); it damps M as well, so the inverse is not that of H + rho I with the sketch in place of H.
 *
 * Steps 3 to 5 are in double: with s = 0 the core has the square of the condition number of C. L D L^T and not Cholesky,
 * since M, a block of H, may be indefinite, and then so may S. Where S is singular to working precision (two rows of H
 * that are parallel or zero) the directions without information are left out: pseudo-inverse, rank_used of k.
 *
 * Cost: k rows, 2 k^2 p + O(k p + k^3) operations, k p numbers. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "core/random.h"
#include "linalg/blas.h"
#include "linalg/vector.h"

#include <float.h>

enum { CHUNK = 256 }; /* columns of C that are held in double at a time */
static const double tolerance = 1e-13;
static const double epsilon = sizeof(real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    int rc = blpo__check_int(error, "nystrom_rank", config->nystrom_rank, 1, problem->n_inner);
    if (rc == BLPO_OK)
        rc = blpo__check_product(error, "nystrom_rank", config->nystrom_rank, problem->n_inner);
    return rc != BLPO_OK ? rc : blpo__hypergrad_need_rows(error, problem, config);
}

static void create(blpo_hypergrad *solver)
{
    blpo__memory *memory = &solver->host.memory;
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    solver->index = blpo__allocate(memory, k, sizeof *solver->index);
    solver->rows = blpo__allocate(memory, k * p, sizeof *solver->rows);
    solver->chunk = blpo__allocate(memory, k * CHUNK, sizeof *solver->chunk);
    solver->core_v = blpo__allocate(memory, k, sizeof *solver->core_v);
    blpo__symmetric_create(&solver->system, k, memory);
}

static int64_t chunk_size(int64_t p, int64_t begin)
{
    return p - begin < CHUNK ? p - begin : CHUNK;
}

/* Step 1. The draw is keyed by its number, so that it does not depend on what else was drawn from the seed. */
static void draw(blpo_hypergrad *solver)
{
    if (solver->indices_fixed)
        return;
    const uint64_t a = solver->draw_given ? solver->draw[0] : solver->n_draws;
    const uint64_t b = solver->draw_given ? solver->draw[1] : 0;
    blpo__stream stream = blpo__stream_at(solver->config.seed, BLPO__FOR_INDICES, a, b, 0);
    blpo__draw_distinct(&stream, solver->index, solver->config.nystrom_rank, solver->problem.n_inner);
    solver->n_draws++;
}

/* out = scale (M + shift I) */
static void write_block(const blpo_hypergrad *solver, double scale, double shift, double *out)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank, *index = solver->index;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++) {
            const double one = (double)solver->rows[i * p + index[j]], other = (double)solver->rows[j * p + index[i]];
            out[i * k + j] = scale * (0.5 * (one + other) + (i == j ? shift : 0.0));
        }
}

/* S += C C^T */
static void add_gram(blpo_hypergrad *solver)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    for (int64_t begin = 0; begin < p; begin += CHUNK) {
        const int64_t n = chunk_size(p, begin);
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < n; j++)
                solver->chunk[i * n + j] = (double)solver->rows[i * p + begin + j];
        blpo__gemm_nt_double(k, k, n, solver->chunk, n, solver->chunk, n, 1, solver->system.a, k);
    }
}

/* Steps 3 and 4, and first whether M has a negative eigenvalue: s hides that in S. The rows are rounded to epsilon, so
 * eigenvalues of M that small may have either sign. 0, or -1 where S cannot be used. */
static int factor_core(blpo_hypergrad *solver, blpo_hypergrad_report *report)
{
    const blpo_hypergrad_config *config = &solver->config;
    blpo__symmetric *system = &solver->system;
    write_block(solver, 1.0, 0.0, system->a);
    report->indefinite = blpo__symmetric_negatives(system, 8.0 * (double)config->nystrom_rank * epsilon) > 0;
    write_block(solver, config->nystrom_rho, config->nystrom_shift, system->a);
    add_gram(solver);
    if (blpo__symmetric_factor(system, tolerance) != 0)
        return -1;
    report->indefinite |= system->n_negative > 0;
    if (system->spectral)
        blpo__hypergrad_fall_back(report, BLPO_IHVP_REASON_SINGULAR);
    report->rank_used = system->rank;
    report->condition_estimate = system->condition;
    return 0;
}

/* x = (v - C^T y) / rho, some columns at a time so that the sums can be in double */
static void apply(blpo_hypergrad *solver, const real *v, const double *y, real *x)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    double *sum = solver->chunk;
    for (int64_t begin = 0; begin < p; begin += CHUNK) {
        const int64_t n = chunk_size(p, begin);
        for (int64_t j = 0; j < n; j++)
            sum[j] = (double)v[begin + j];
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < n; j++)
                sum[j] -= (double)solver->rows[i * p + begin + j] * y[i];
        for (int64_t j = 0; j < n; j++)
            x[begin + j] = (real)(sum[j] / solver->config.nystrom_rho);
    }
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    draw(solver);
    const int rc = blpo__hypergrad_rows(solver, solver->index, k, solver->rows);
    if (rc != BLPO_OK)
        return rc;
    if (factor_core(solver, report) != 0) {
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
        return BLPO_OK;
    }
    for (int64_t i = 0; i < k; i++)
        solver->core_v[i] = blpo__dot(solver->rows + i * p, v, p);
    blpo__symmetric_solve(&solver->system, solver->core_v);
    apply(solver, v, solver->core_v, x);
    if (blpo__first_nonfinite(x, p) >= 0)
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
    return BLPO_OK;
}

const blpo__ihvp blpo__ihvp_nystrom = {"nystrom", check, create, solve};
