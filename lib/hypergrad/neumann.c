/* Neumann series for A x = v, A = H + rho I.
 *
 *   x = (1/c) sum_{j<m} (I - A/c)^j v          m terms, c >= the largest |eigenvalue| of A
 *
 *   1. c, from Lanczos iterations (spectrum.c), or given     2. r = v, x = 0     3. m times: x += r / c, r -= A r / c
 *
 * Lorraine, Vicol and Duvenaud (AISTATS 2020, arXiv:1911.02590) take a learning rate for 1/c, which neumann_scale is. By default
 * c is measured, since one below half the largest eigenvalue diverges and one far above converges slowly. r is the residual
 * v - A x: for positive definite A its norm never grows. Where a term would let it grow, A has a negative eigenvalue
 * (r . A r < 0), or c was too small: the series ends with the terms before, so that |r| <= |v|; and where there is none,
 * x = v / rho. The last of m terms is not looked at: that would take a product more.
 *
 * Error: |x - x*| <= (1 - l/c)^m |x*|, l the smallest eigenvalue of A, l > 0; and roundings of some p eps c / l |x*|.
 * A measured c is at most twice the norm of A.
 *
 * Cost: spectrum_iterations (none with neumann_scale) + m - 1 products, (12 m - 8) p operations. */
#include "hypergrad/hypergrad.h"

#include "linalg/vector.h"

#include <math.h>
#include <string.h>

enum { DEFAULT_TERMS = 10, DEFAULT_ITERATIONS = 6 };

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    return blpo__hypergrad_need_products(error, problem, config);
}

static void create(blpo_hypergrad *solver)
{
    const int64_t n = solver->config.spectrum_iterations;
    solver->residual = blpo__allocate(&solver->host.memory, solver->problem.n_inner, sizeof *solver->residual);
    if (n == 0 && solver->config.neumann_scale == 0.0) /* else it is there already, or not needed */
        blpo__spectrum_create(solver, DEFAULT_ITERATIONS);
}

static void add_term(blpo_hypergrad *solver, double c, real *x)
{
    const int64_t p = solver->problem.n_inner;
    for (int64_t i = 0; i < p; i++)
        x[i] = (real)((double)x[i] + (double)solver->residual[i] / c);
    blpo__hypergrad_flops(solver, 2 * p);
}

/* What would be left after the next term, r - A r / c, in the place of the product H r; returns its norm, and r . A r. A r is
 * not stored: rho r is added where it is used. */
static double shrink(blpo_hypergrad *solver, double c, double norm, double *curvature)
{
    const int64_t p = solver->problem.n_inner;
    const double rho = solver->config.nystrom_rho;
    const real *r = solver->residual;
    real *next = solver->product;
    *curvature = blpo__dot(r, solver->product, p) + rho * norm * norm;
    for (int64_t i = 0; i < p; i++)
        next[i] = (real)((double)r[i] - ((double)solver->product[i] + rho * (double)r[i]) / c);
    blpo__hypergrad_flops(solver, 10 * p);
    return blpo__norm(next, p);
}

static void stop(const blpo_hypergrad *solver, double curvature, const real *v, real *x, blpo_hypergrad_report *report)
{
    const int negative = curvature < 0.0;
    const int reason = negative ? BLPO_IHVP_REASON_INDEFINITE : BLPO_IHVP_REASON_DIVERGED;
    report->indefinite |= negative;
    if (report->iterations > 0)
        blpo__hypergrad_fall_back(report, reason);
    else
        blpo__hypergrad_last_resort(solver, v, x, reason, report);
}

/* Steps 2 and 3. Rounding may let the norm of what is left stand still: growth counts from a millionth on. */
static int sum_terms(blpo_hypergrad *solver, double c, const real *v, real *x, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner;
    const int64_t terms = solver->config.neumann_terms == 0 ? DEFAULT_TERMS : solver->config.neumann_terms;
    double norm = blpo__norm(solver->residual, p), curvature;
    blpo__hypergrad_flops(solver, 2 * p);
    for (; report->iterations < terms - 1; report->iterations++) {
        const int rc = blpo__hypergrad_product(solver, solver->residual, solver->product);
        if (rc != BLPO_OK)
            return rc;
        const double next = shrink(solver, c, norm, &curvature);
        if (!(next <= norm * (1.0 + 1e-6))) {
            stop(solver, curvature, v, x, report);
            return BLPO_OK;
        }
        add_term(solver, c, x);
        memcpy(solver->residual, solver->product, (size_t)p * sizeof *solver->residual);
        norm = next;
    }
    add_term(solver, c, x);
    report->iterations++;
    return BLPO_OK;
}

/* Step 1 */
static int choose_scale(blpo_hypergrad *solver, double *c, blpo_hypergrad_report *report)
{
    if (solver->config.neumann_scale > 0.0) {
        *c = 1.0 / solver->config.neumann_scale;
        return BLPO_OK;
    }
    const int rc = blpo__spectrum_measure(solver);
    if (rc != BLPO_OK)
        return rc;
    blpo__spectrum_report(&solver->spectrum, report);
    const double bound = solver->spectrum.bound;
    *c = isnan(bound) ? bound : fmax(bound, solver->config.nystrom_rho); /* fmax drops a NaN */
    return BLPO_OK;
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    const size_t bytes = (size_t)solver->problem.n_inner * sizeof *v;
    double c;
    const int rc = choose_scale(solver, &c, report);
    if (rc != BLPO_OK)
        return rc;
    if (!isfinite(c)) {
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
        return BLPO_OK;
    }
    memset(x, 0, bytes);
    memcpy(solver->residual, v, bytes);
    return sum_terms(solver, c, v, x, report);
}

const blpo__ihvp blpo__ihvp_neumann = {"neumann", check, create, solve};
