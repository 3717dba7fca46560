/* Conjugate gradients for A x = v, A = H + rho I, from x = 0 (Hestenes and Stiefel, J. Res. NBS 49(6), 1952).
 *
 *   x, r, d [p]: solution, residual v - A x, direction; r = d = v at first
 *
 *   1. a = r.r / d.A d     2. x += a d, r -= a A d     3. d = r + (r+.r+ / r.r) d
 *
 * Sums and steps are in double, vectors are `real`. The number of iterations is the setting: there is no preconditioner
 * and, with tolerance 0, no test but for r = 0, so that a run costs what it was said to cost.
 *
 * d.A d < 0 means that A is not positive definite; a step along d would then lead up, away from any minimum, so the recurrence
 * ends. With cg_negative_curvature 1 it goes on all the same, as plain implementations do: it then looks for the saddle point
 * A x = v, mostly finds it, but may get worse before it does, and comes to nothing where d.A d is zero to working precision
 * (8 eps |d| |A d|): there it stops in any case.
 *
 * A curvature that is about to turn negative is a small positive one first, and the step along that goes far astray, at times
 * beyond all numbers: the recurrence ends where r.r or d is not finite. So x is that of the iteration with the least |r| where
 * it stopped, and where it went on and ended with |r| > |v|, worse than with x = 0. Where there was none, or none with |r| <= |v|
 * and v / rho does better, it is v / rho. Where no curvature was negative the last x stands, whatever its residual: for positive
 * definite A |x - x*| falls with each iteration (Hestenes and Stiefel, theorem 6:3), and |r| need not.
 *
 * Error, for positive definite A with condition number C: |x_m - x*| <= 2 q^m sqrt(C) |x*|, q = (sqrt(C) - 1) / (sqrt(C) + 1), and
 * roundings of some p eps C |x*|.
 * Cost: one product and 14 p operations an iteration, and 2 p; the x that is kept is a copy an iteration.
 * Comparing with v / rho costs a product more. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "core/multiversion.h"
#include "linalg/vector.h"

#include <math.h>
#include <string.h>

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    return blpo__hypergrad_need_products(error, problem, config);
}

void blpo__cg_create(blpo_hypergrad *solver)
{
    const int64_t p = solver->problem.n_inner;
    solver->residual = blpo__allocate(&solver->host.memory, p, sizeof *solver->residual);
    solver->direction = blpo__allocate(&solver->host.memory, p, sizeof *solver->direction);
    solver->best = blpo__allocate(&solver->host.memory, p, sizeof *solver->best);
}

static double begin(blpo_hypergrad *solver, const real *v, real *x)
{
    const int64_t p = solver->problem.n_inner;
    memset(x, 0, (size_t)p * sizeof *v);
    memcpy(solver->residual, v, (size_t)p * sizeof *v);
    memcpy(solver->direction, v, (size_t)p * sizeof *v);
    blpo__hypergrad_flops(solver, 2 * p);
    return blpo__dot(v, v, p);
}

void blpo__cg_keep(blpo_hypergrad *solver, double norm, const real *x, const blpo_hypergrad_report *report)
{
    if (report->iterations == 0) {
        solver->best_norm = INFINITY;
    } else if (norm < solver->best_norm) {
        solver->best_norm = norm;
        memcpy(solver->best, x, (size_t)solver->problem.n_inner * sizeof *x);
    }
}

/* The residual of v / rho is H v / rho. */
static int last_resort_is_better(blpo_hypergrad *solver, const real *v, int *better)
{
    const int64_t p = solver->problem.n_inner;
    const int rc = blpo__hypergrad_product(solver, v, solver->product);
    *better = rc == BLPO_OK && blpo__norm(solver->product, p) / solver->config.nystrom_rho < solver->best_norm;
    return rc;
}

/* x of the least residual, or the last resort: where there is no other, or the least residual is above |v| = 1 and it is better. */
static int take_best(blpo_hypergrad *solver, const real *v, real *x, int reason, blpo_hypergrad_report *report)
{
    int rc = BLPO_OK, none = isinf(solver->best_norm) != 0;
    if (solver->best_norm > 1.0 && !none)
        rc = last_resort_is_better(solver, v, &none);
    blpo__hypergrad_fall_back(report, reason);
    if (none)
        blpo__hypergrad_last_resort(solver, v, x, reason, report);
    else
        memcpy(x, solver->best, (size_t)solver->problem.n_inner * sizeof *x);
    return rc;
}

/* product = H d. A direction that is not finite, since d or the factor before it overflowed, is the end: the callback never
 * sees it, and would be blamed for what it made of it. */
int blpo__cg_product(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report, int *stop)
{
    *stop = blpo__first_nonfinite(solver->direction, solver->problem.n_inner) >= 0;
    if (*stop)
        return take_best(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
    return blpo__hypergrad_product(solver, solver->direction, solver->product);
}

/* d.A d, with H d in product. A d is not stored: rho d is added where it is used, and cannot overflow a `real`. */
double blpo__cg_curvature(blpo_hypergrad *solver)
{
    const int64_t p = solver->problem.n_inner;
    const real *d = solver->direction;
    blpo__hypergrad_flops(solver, 4 * p);
    return blpo__dot(d, solver->product, p) + solver->config.nystrom_rho * blpo__dot(d, d, p);
}

BLPO__MULTIVERSION
static void step(int64_t p, double a, double rho, const real *restrict d, const real *restrict hd, real *restrict x,
                 real *restrict r)
{
    for (int64_t i = 0; i < p; i++) {
        x[i] = (real)((double)x[i] + a * (double)d[i]);
        r[i] = (real)((double)r[i] - a * ((double)hd[i] + rho * (double)d[i]));
    }
}

/* Step 2 */
void blpo__cg_step(blpo_hypergrad *solver, double a, real *x)
{
    const int64_t p = solver->problem.n_inner;
    step(p, a, solver->config.nystrom_rho, solver->direction, solver->product, x, solver->residual);
    blpo__hypergrad_flops(solver, 6 * p);
}

BLPO__MULTIVERSION
static void turn(int64_t p, double keep, const real *restrict z, real *restrict d)
{
    for (int64_t i = 0; i < p; i++)
        d[i] = (real)((double)z[i] + keep * (double)d[i]);
}

/* Step 3, on with z = r, or what a preconditioner makes of it. */
void blpo__cg_turn(blpo_hypergrad *solver, double keep, const real *z)
{
    const int64_t p = solver->problem.n_inner;
    turn(p, keep, z, solver->direction);
    blpo__hypergrad_flops(solver, 2 * p);
}

/* Steps 2 and 3; returns r.r. */
static double advance(blpo_hypergrad *solver, double rr, double dad, real *x)
{
    const int64_t p = solver->problem.n_inner;
    blpo__cg_step(solver, rr / dad, x);
    const double next = blpo__dot(solver->residual, solver->residual, p);
    blpo__hypergrad_flops(solver, 2 * p);
    blpo__cg_turn(solver, next / rr, solver->residual);
    return next;
}

/* d.A d stands for something: it is finite, and no rounding error of |d| |A d|. */
static int safely_nonzero(const blpo_hypergrad *solver, double dad)
{
    const double rho = solver->config.nystrom_rho;
    double dd = 0.0, of_ad = 0.0;
    for (int64_t i = 0; i < solver->problem.n_inner; i++) {
        const double d = (double)solver->direction[i], ad = (double)solver->product[i] + rho * d;
        dd += d * d;
        of_ad += ad * ad;
    }
    return isfinite(dad) && fabs(dad) > 8.0 * BLPO__EPSILON * sqrt(dd) * sqrt(of_ad);
}

int blpo__cg_stops(blpo_hypergrad *solver, double dad, const real *v, real *x, blpo_hypergrad_report *report, int *stop)
{
    const int negative = dad < 0.0, safe = safely_nonzero(solver, dad);
    const int reason = !isfinite(dad) ? BLPO_IHVP_REASON_NONFINITE
                       : negative     ? BLPO_IHVP_REASON_INDEFINITE
                                      : BLPO_IHVP_REASON_SINGULAR;
    report->indefinite |= isfinite(dad) && dad <= 0.0;
    *stop = !(negative && safe && solver->config.cg_negative_curvature);
    return *stop ? take_best(solver, v, x, reason, report) : BLPO_OK;
}

int blpo__cg_end(blpo_hypergrad *solver, double norm, int passed_negative, const real *v, real *x,
                 blpo_hypergrad_report *report)
{
    if (isfinite(norm) && !(passed_negative && norm > 1.0)) /* |v| = 1 */
        return BLPO_OK;
    blpo__cg_keep(solver, norm, x, report);
    return take_best(solver, v, x, isfinite(norm) ? BLPO_IHVP_REASON_DIVERGED : BLPO_IHVP_REASON_NONFINITE, report);
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    const blpo_hypergrad_config *config = &solver->config;
    int passed_negative = 0, stop = 0;
    double rr = begin(solver, v, x);
    while (report->iterations < config->cg_iterations && rr > 0.0 && isfinite(rr) && sqrt(rr) > config->cg_tolerance) {
        blpo__cg_keep(solver, sqrt(rr), x, report);
        int rc = blpo__cg_product(solver, v, x, report, &stop);
        if (rc != BLPO_OK || stop)
            return rc;
        const double dad = blpo__cg_curvature(solver);
        if (!(dad > 0.0 && isfinite(dad)))
            rc = blpo__cg_stops(solver, dad, v, x, report, &stop);
        if (rc != BLPO_OK || stop)
            return rc;
        passed_negative |= dad < 0.0;
        rr = advance(solver, rr, dad, x);
        report->iterations++;
    }
    return blpo__cg_end(solver, sqrt(rr), passed_negative, v, x, report);
}

const blpo__ihvp blpo__ihvp_cg = {"cg", check, blpo__cg_create, solve};
