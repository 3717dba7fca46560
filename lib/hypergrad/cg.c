/* Conjugate gradients for A x = v, A = H + rho I, from x = 0 (Hestenes and Stiefel, J. Res. NBS 49(6), 1952).
 *
 *   x, r, d [p]: solution, residual v - A x, direction; r = d = v at first
 *
 *   1. a = r.r / d.A d     2. x += a d, r -= a A d     3. d = r + (r+.r+ / r.r) d
 *
 * Sums and steps are in double, vectors are `real`. The number of iterations is the setting: there is no preconditioner
 * and, with tolerance 0, no test but for r = 0, so that a run costs what it was said to cost.
 * d.A d <= 0 means that A is not positive definite; a step along d would then lead up, away from any minimum, so x stays
 * as it is, or is v / rho where there is none yet.
 *
 * Cost: one Hessian-vector product and O(p) an iteration. */
#include "hypergrad/hypergrad.h"

#include "linalg/vector.h"

#include <math.h>
#include <string.h>

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    return blpo__hypergrad_need_products(error, problem, config);
}

static void create(blpo_hypergrad *solver)
{
    const int64_t p = solver->problem.n_inner;
    solver->residual = blpo__allocate(&solver->host.memory, p, sizeof *solver->residual);
    solver->direction = blpo__allocate(&solver->host.memory, p, sizeof *solver->direction);
}

static void begin(blpo_hypergrad *solver, const real *v, real *x)
{
    const size_t bytes = (size_t)solver->problem.n_inner * sizeof *v;
    memset(x, 0, bytes);
    memcpy(solver->residual, v, bytes);
    memcpy(solver->direction, v, bytes);
}

/* Steps 2 and 3; returns r.r. A d is not stored: rho d is added where it is used, and cannot overflow a `real`. */
static double advance(blpo_hypergrad *solver, double rr, double dad, real *x)
{
    const int64_t p = solver->problem.n_inner;
    const double a = rr / dad, rho = solver->config.nystrom_rho;
    real *r = solver->residual, *d = solver->direction;
    for (int64_t i = 0; i < p; i++) {
        x[i] = (real)((double)x[i] + a * (double)d[i]);
        r[i] = (real)((double)r[i] - a * ((double)solver->product[i] + rho * (double)d[i]));
    }
    const double next = blpo__dot(r, r, p), keep = next / rr;
    for (int64_t i = 0; i < p; i++)
        d[i] = (real)((double)r[i] + keep * (double)d[i]);
    return next;
}

static void stop_at_negative_curvature(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    report->indefinite = 1;
    blpo__hypergrad_fall_back(report, BLPO_IHVP_REASON_INDEFINITE);
    if (report->iterations == 0)
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_INDEFINITE, report);
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner;
    const blpo_hypergrad_config *config = &solver->config;
    begin(solver, v, x);
    double rr = blpo__dot(v, v, p);
    while (report->iterations < config->cg_iterations && rr > 0.0 && !(sqrt(rr) <= config->cg_tolerance)) {
        const int rc = blpo__hypergrad_product(solver, solver->direction, solver->product);
        if (rc != BLPO_OK)
            return rc;
        const double dad = blpo__dot(solver->direction, solver->product, p)
                           + config->nystrom_rho * blpo__dot(solver->direction, solver->direction, p);
        if (!(dad > 0.0)) {
            stop_at_negative_curvature(solver, v, x, report);
            break;
        }
        rr = advance(solver, rr, dad, x);
        report->iterations++;
    }
    return BLPO_OK;
}

const blpo__ihvp blpo__ihvp_cg = {"cg", check, create, solve};
