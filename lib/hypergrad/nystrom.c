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
 * Steps 3 to 5 are in double: with s = 0 the core has the square of the condition number of C. Cholesky where S allows it; M, a
 * block of H, may be indefinite, and then so may S: L D L^T. Where S is singular to working precision (rows of H that are zero, or
 * depend on each other) the directions without information are left out: pseudo-inverse, rank_used of k.
 *
 * Working precision is that of the rows. An entry of M that is rounded to eps is wrong by eps / 2 of itself, so M by at most
 * eps / 2 |M|_F, and callbacks that sum in `real` make some of these of it: t = 8 eps |M|_F is allowed. (Gauss-Newton blocks of
 * relu critics, 20 x 20 and singular, have eigenvalues down to -3 eps |M|_F.) C C^T is a Gram matrix of the rows whatever their
 * errors, and positive semi-definite to eps_double. So M, and with it S, is called indefinite where M has an eigenvalue below -t;
 * and eigenvalues of S within rho t of zero are noise: leaving them out moves x no more than errors t of H do. A problem that makes
 * M and C C^T without rows may know better what t is.
 *
 * Error: x is exact for H_k = C^T (M + s I)^-1 C in place of H. With E = H - H_k,
 *   |x - x*| <= |(H_k + rho I)^-1| |E| |x*|,   and for positive semi-definite H with s = 0 the factor is at most
 *   |E| / rho |x*|, E falling with k to 0 for k = rank H (Hataya and Yamada, theorem 1);
 * to that add roundings: |v|/rho 8 eps + |C|^2 |K^-1| |v| / rho^2 (4 p eps + 8 p eps_double cond K), K = S / rho.
 *
 * Cost: k products (rows), k p numbers and, by the leading sums, 2 k^2 p + 4 k p + p + 2 k^3 / 3 + 2 k^2 operations.
 * Where the problem has rows_products, C itself is never there: M, C C^T, C v and C^T y come from it, at its cost. C^T y is a vector
 * of `real` then, with the errors of its sums, which v - C^T y keeps: x has some T eps |v| / rho more, T terms in a sum.
 * With nystrom_space_efficient: nystrom_space.c. Draws by the diagonal: draw.c. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "linalg/vector.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double tolerance = 1e-13;

int64_t blpo__nystrom_chunk(const blpo_hypergrad_config *config)
{
    return config->nystrom_chunk == 0 ? 1 : config->nystrom_chunk;
}

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    const int64_t rows = config->nystrom_space_efficient ? 2 * blpo__nystrom_chunk(config) : config->nystrom_rank;
    int rc = blpo__check_int(error, "nystrom_rank", config->nystrom_rank, 1, problem->n_inner);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "nystrom_chunk", config->nystrom_chunk, 0, config->nystrom_rank);
    if (rc == BLPO_OK)
        rc = blpo__check_product(error, "nystrom_rank", rows, problem->n_inner);
    if (rc == BLPO_OK)
        rc = blpo__check_product(error, "nystrom_rank", config->nystrom_rank, config->nystrom_rank);
    if (rc == BLPO_OK)
        rc = blpo__draw_check(error, problem, config);
    return rc != BLPO_OK ? rc : blpo__hypergrad_need_rows(error, problem, config);
}

static void create(blpo_hypergrad *solver)
{
    blpo__memory *memory = &solver->host.memory;
    solver->resolution = -1.0;
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    const int64_t rows = solver->config.nystrom_space_efficient ? 2 * blpo__nystrom_chunk(&solver->config) : k;
    solver->index = blpo__allocate(memory, k, sizeof *solver->index);
    if (!blpo__hypergrad_without_rows(&solver->problem, &solver->config))
        solver->rows = blpo__hypergrad_output(memory, rows * p, sizeof *solver->rows);
    solver->core_v = blpo__hypergrad_output(memory, k, sizeof *solver->core_v);
    solver->block = blpo__hypergrad_output(memory, k * k, sizeof *solver->block);
    solver->products = blpo__hypergrad_output(memory, k * k, sizeof *solver->products);
    blpo__symmetric_create(&solver->system, k, memory);
    blpo__draw_create(solver);
    if (solver->config.nystrom_space_efficient)
        blpo__nystrom_space_create(solver);
}

/* out = scale (M + shift I) */
static void write_block(const blpo_hypergrad *solver, double scale, double shift, double *out)
{
    const int64_t k = solver->config.nystrom_rank;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++) {
            const double both = 0.5 * (solver->block[i * k + j] + solver->block[j * k + i]);
            out[i * k + j] = scale * (both + (i == j ? shift : 0.0));
        }
}

/* Steps 3 and 4, and first whether M has a negative eigenvalue: s hides that in S. 0, or -1 where S cannot be used. */
int blpo__nystrom_factor(blpo_hypergrad *solver, blpo_hypergrad_report *report)
{
    const blpo_hypergrad_config *config = &solver->config;
    const int64_t k = config->nystrom_rank;
    blpo__symmetric *system = &solver->system;
    write_block(solver, 1.0, 0.0, system->a);
    const double norm = blpo__symmetric_norm(system), least = 8.0 * DBL_EPSILON * (double)k * norm;
    const double noise = solver->resolution < 0.0 ? 8.0 * BLPO__EPSILON * norm : fmax(solver->resolution, least);
    report->indefinite = blpo__symmetric_below(system, noise);
    write_block(solver, config->nystrom_rho, config->nystrom_shift, system->a);
    for (int64_t i = 0; i < k * k; i++)
        system->a[i] += solver->products[i];
    blpo__hypergrad_flops(solver, 2 * k * k * k / 3);
    if (blpo__symmetric_factor(system, tolerance, config->nystrom_rho * noise) != 0)
        return -1;
    if (system->rank < k)
        blpo__hypergrad_fall_back(report, BLPO_IHVP_REASON_SINGULAR);
    report->rank_used = system->rank;
    report->condition_estimate = system->condition;
    return 0;
}

/* What steps 3 and 5 need of C: M, C C^T and C v. */
static void read_rows(blpo_hypergrad *solver, const real *v)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank, *index = solver->index;
    memset(solver->products, 0, (size_t)(k * k) * sizeof *solver->products);
    blpo__add_gram(k, p, solver->rows, v, solver->products, solver->core_v);
    blpo__hypergrad_flops(solver, 2 * k * k * p + 2 * k * p);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++)
            solver->block[i * k + j] = (double)solver->rows[i * p + index[j]];
}

int blpo__nystrom_core(blpo_hypergrad *solver, const real *v, blpo_hypergrad_report *report)
{
    read_rows(solver, v);
    return blpo__nystrom_factor(solver, report);
}

void blpo__nystrom_apply(blpo_hypergrad *solver, const real *v, real *x)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    blpo__symmetric_solve(&solver->system, solver->core_v);
    blpo__less_rows(k, p, solver->rows, solver->core_v, v, 1.0 / solver->config.nystrom_rho, x);
    blpo__hypergrad_flops(solver, 2 * k * k + 2 * k * p + p);
}

/* Where the problem has M, C C^T, C v and C^T y without C. */
static int solve_without_rows(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    const double one = 1.0;
    int rc = blpo__hypergrad_rows_products(solver, v);
    if (rc != BLPO_OK)
        return rc;
    const int factored = blpo__nystrom_factor(solver, report) == 0;
    if (factored)
        blpo__symmetric_solve(&solver->system, solver->core_v);
    if (!factored || blpo__first_nonfinite_double(solver->core_v, k) >= 0) {
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
        return BLPO_OK;
    }
    rc = blpo__hypergrad_rows_sum(solver, solver->product);
    if (rc == BLPO_OK)
        blpo__less_rows(1, p, solver->product, &one, v, 1.0 / solver->config.nystrom_rho, x);
    blpo__hypergrad_flops(solver, 2 * k * k + 2 * p);
    return rc;
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    int rc = blpo__draw(solver);
    if (rc == BLPO_OK && solver->config.nystrom_space_efficient)
        return blpo__nystrom_space_solve(solver, v, x, report);
    if (rc == BLPO_OK && blpo__hypergrad_without_rows(&solver->problem, &solver->config))
        return solve_without_rows(solver, v, x, report);
    if (rc == BLPO_OK)
        rc = blpo__hypergrad_rows(solver, solver->index, solver->config.nystrom_rank, solver->rows);
    if (rc != BLPO_OK)
        return rc;
    if (blpo__nystrom_core(solver, v, report) != 0)
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
    else
        blpo__nystrom_apply(solver, v, x);
    return BLPO_OK;
}

const blpo__ihvp blpo__ihvp_nystrom = {"nystrom", check, create, solve};
