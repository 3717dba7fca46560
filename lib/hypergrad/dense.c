/* (H + rho I) x = v by LAPACK: the exact inverse, for small p.
 *
 *   A [p][p] = (H + H^T) / 2 + rho I, in double
 *
 *   1. the rows of H, at most CALL_ROWS in a call     2. A     3. a factor of A, else the spectral way     4. solve
 *
 * Cholesky where A allows it, else L D L^T: H may be indefinite, and then so may A; x is the exact solution all the same. Where A is
 * singular to working precision x is the solution of least norm, from the eigenvalues that are left.
 *
 * Error: backward stable, |x - x*| <= 8 p eps cond(A) |x*|.
 * Cost: p products (rows), p^3 / 3 + 2 p^2 operations (up to p^3 / 3 more where A is indefinite), 2 p^2 doubles. */
#include "hypergrad/hypergrad.h"

#include "core/error.h"

enum { CALL_ROWS = 64, MOST = 16384 };
static const double tolerance = 1e-13;

static int64_t call_rows(int64_t p)
{
    return p < CALL_ROWS ? p : CALL_ROWS;
}

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    if (problem->n_inner > MOST)
        return blpo__error_int(error, BLPO_ERR_SIZE, "n_inner", problem->n_inner,
                               "with method dense it must be at most 16384");
    return blpo__hypergrad_need_rows(error, problem, config);
}

static void create(blpo_hypergrad *solver)
{
    blpo__memory *memory = &solver->host.memory;
    const int64_t p = solver->problem.n_inner, n = call_rows(p);
    solver->index = blpo__allocate(memory, n, sizeof *solver->index);
    solver->rows = blpo__hypergrad_output(memory, n * p, sizeof *solver->rows);
    solver->core_v = blpo__allocate(memory, p, sizeof *solver->core_v);
    blpo__symmetric_create(&solver->system, p, memory);
}

/* Step 1 */
static int read_rows(blpo_hypergrad *solver)
{
    const int64_t p = solver->problem.n_inner, most = call_rows(p);
    for (int64_t begin = 0; begin < p; begin += most) {
        const int64_t n = p - begin < most ? p - begin : most;
        for (int64_t i = 0; i < n; i++)
            solver->index[i] = begin + i;
        const int rc = blpo__hypergrad_rows(solver, solver->index, n, solver->rows);
        if (rc != BLPO_OK)
            return rc;
        for (int64_t i = 0; i < n * p; i++)
            solver->system.a[begin * p + i] = (double)solver->rows[i];
    }
    return BLPO_OK;
}

/* Step 2 */
static void symmetrise_and_shift(double *a, int64_t p, double rho)
{
    for (int64_t i = 0; i < p; i++) {
        for (int64_t j = 0; j < i; j++)
            a[i * p + j] = a[j * p + i] = 0.5 * (a[i * p + j] + a[j * p + i]);
        a[i * p + i] += rho;
    }
}

static void describe(const blpo__symmetric *system, blpo_hypergrad_report *report)
{
    report->rank_used = system->rank;
    report->condition_estimate = system->condition;
    report->indefinite = system->n_negative > 0;
    if (system->rank < system->n)
        blpo__hypergrad_fall_back(report, BLPO_IHVP_REASON_SINGULAR);
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner;
    const int rc = read_rows(solver);
    if (rc != BLPO_OK)
        return rc;
    blpo__hypergrad_flops(solver, p * p * p / 3 + 2 * p * p);
    symmetrise_and_shift(solver->system.a, p, solver->config.nystrom_rho);
    if (blpo__symmetric_factor(&solver->system, tolerance, 0.0) != 0) {
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
        return BLPO_OK;
    }
    describe(&solver->system, report);
    for (int64_t i = 0; i < p; i++)
        solver->core_v[i] = (double)v[i];
    blpo__symmetric_solve(&solver->system, solver->core_v);
    for (int64_t i = 0; i < p; i++)
        x[i] = (real)solver->core_v[i];
    return BLPO_OK;
}

const blpo__ihvp blpo__ihvp_dense = {"dense", check, create, solve};
