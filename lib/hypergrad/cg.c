/* Conjugate gradients for A x = v, A = H + rho I, from x = 0 (Hestenes and Stiefel, J. Res. NBS 49(6), 1952), preconditioned by
 * P (Golub and Van Loan, Matrix Computations, 4th ed., 11.5.2); without one P = I.
 *
 *   x, r, z, d [p]: solution, residual v - A x, P^-1 r, direction; r = v at first
 *
 *   1. z = P^-1 r     2. d = z + (r.z / r-.z-) d, d = z at first     3. a = r.z / d.A d     4. x += a d, r -= a A d
 *
 * Sums and steps are in double, vectors are `real`. The number of iterations is the setting: with tolerance 0 the residual is
 * not tested, but for r = 0, so that a run costs what it was said to cost. P is needed for a direction only: P^-1 r is not made after
 * the last iteration.
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
 * A preconditioner without a factor is left out. P is positive definite, so r.z > 0; where it is not, P^-1 was lost in roundings
 * (or overflowed), and the recurrence begins anew from this x without it. The report says both.
 *
 * Error, for positive definite A, C the condition number of P^-1/2 A P^-1/2 and q = (sqrt(C) - 1) / (sqrt(C) + 1):
 * |x_m - x*| <= 2 q^m sqrt(cond A) |x*|, and roundings of some p eps cond(A) |x*|.
 * Cost: one product and 14 p operations an iteration, with a preconditioner 2 p and what it takes itself more; the x that is kept is
 * a copy an iteration. Comparing with v / rho costs a product more. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "core/multiversion.h"
#include "linalg/vector.h"

#include <math.h>
#include <string.h>

/* Between two iterations. */
typedef struct recurrence {
    const blpo__preconditioner *by;
    double rr;           /* r.r */
    double rz;           /* of the iteration before; 0: the next one begins anew */
    double dd;           /* d.d */
    int passed_negative; /* 1: there was negative curvature */
    int stopped;         /* 1: x and report are done */
} recurrence;

void blpo__cg_create(blpo_hypergrad *solver, const blpo__preconditioner *preconditioner)
{
    const int64_t p = solver->problem.n_inner;
    solver->residual = blpo__allocate(&solver->host.memory, p, sizeof *solver->residual);
    solver->direction = blpo__allocate(&solver->host.memory, p, sizeof *solver->direction);
    solver->best = blpo__allocate(&solver->host.memory, p, sizeof *solver->best);
    if (preconditioner == NULL)
        return;
    solver->conditioned = blpo__allocate(&solver->host.memory, p, sizeof *solver->conditioned);
    preconditioner->create(solver);
}

static double residual_square(blpo_hypergrad *solver)
{
    blpo__hypergrad_flops(solver, 2 * solver->problem.n_inner);
    return blpo__dot(solver->residual, solver->residual, solver->problem.n_inner);
}

static void begin(blpo_hypergrad *solver, recurrence *s, const real *v, real *x)
{
    const int64_t p = solver->problem.n_inner;
    memset(x, 0, (size_t)p * sizeof *v);
    memcpy(solver->residual, v, (size_t)p * sizeof *v);
    s->rr = residual_square(solver);
}

/* Before each product: keeps x, after report->iterations of them, if none was better. */
static void keep(blpo_hypergrad *solver, double norm, const real *x, const blpo_hypergrad_report *report)
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

/* Step 1; z is where it lies. */
static int precondition(blpo_hypergrad *solver, recurrence *s, const real **z, double *rz,
                        blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner;
    *z = solver->residual;
    *rz = s->rr;
    if (s->by == NULL)
        return BLPO_OK;
    const int rc = s->by->apply(solver, solver->residual, solver->conditioned);
    if (rc != BLPO_OK)
        return rc;
    const double product = blpo__dot(solver->residual, solver->conditioned, p);
    blpo__hypergrad_flops(solver, 2 * p);
    if (product > 0.0 && isfinite(product)) {
        *z = solver->conditioned;
        *rz = product;
        return BLPO_OK;
    }
    blpo__hypergrad_fall_back(report, BLPO_IHVP_REASON_SINGULAR);
    s->by = NULL;
    s->rz = 0.0;
    return BLPO_OK;
}

BLPO__MULTIVERSION
static void turn(int64_t p, double keep, const real *restrict z, real *restrict d)
{
    for (int64_t i = 0; i < p; i++)
        d[i] = (real)((double)z[i] + keep * (double)d[i]);
}

/* Steps 1 and 2 */
static int choose_direction(blpo_hypergrad *solver, recurrence *s, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner;
    const real *z;
    double rz;
    const int rc = precondition(solver, s, &z, &rz, report);
    if (rc != BLPO_OK)
        return rc;
    if (s->rz == 0.0) {
        memcpy(solver->direction, z, (size_t)p * sizeof *z);
    } else {
        turn(p, rz / s->rz, z, solver->direction);
        blpo__hypergrad_flops(solver, 2 * p);
    }
    s->rz = rz;
    return BLPO_OK;
}

/* product = H d. A direction that is not finite, since d or the factor before it overflowed, is the end: the callback never
 * sees it, and would be blamed for what it made of it. */
static int product(blpo_hypergrad *solver, recurrence *s, const real *v, real *x, blpo_hypergrad_report *report)
{
    const real *d = solver->direction;
    const int64_t p = solver->problem.n_inner;
    s->dd = blpo__dot(d, d, p); /* finite: then d is */
    s->stopped = !isfinite(s->dd) && blpo__first_nonfinite(d, p) >= 0;
    if (s->stopped)
        return take_best(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
    return blpo__hypergrad_product(solver, solver->direction, solver->product);
}

/* d.A d, with H d in product. A d is not stored: rho d is added where it is used, and cannot overflow a `real`. */
static double curvature(blpo_hypergrad *solver, const recurrence *s)
{
    const int64_t p = solver->problem.n_inner;
    blpo__hypergrad_flops(solver, 4 * p);
    return blpo__dot(solver->direction, solver->product, p) + solver->config.nystrom_rho * s->dd;
}

/* d.A d stands for something: it is finite, and no rounding error of |d| |A d|. */
static int safely_nonzero(const blpo_hypergrad *solver, const recurrence *s, double dad)
{
    const double rho = solver->config.nystrom_rho;
    double of_ad = 0.0;
    for (int64_t i = 0; i < solver->problem.n_inner; i++) {
        const double ad = (double)solver->product[i] + rho * (double)solver->direction[i];
        of_ad += ad * ad;
    }
    return isfinite(dad) && fabs(dad) > 8.0 * BLPO__EPSILON * sqrt(s->dd) * sqrt(of_ad);
}

/* At a curvature that is not above 0, or not finite: goes on, or stops. */
static int judge_curvature(blpo_hypergrad *solver, recurrence *s, double dad, const real *v, real *x,
                           blpo_hypergrad_report *report)
{
    const int negative = dad < 0.0, safe = safely_nonzero(solver, s, dad);
    const int reason = !isfinite(dad) ? BLPO_IHVP_REASON_NONFINITE
                       : negative     ? BLPO_IHVP_REASON_INDEFINITE
                                      : BLPO_IHVP_REASON_SINGULAR;
    report->indefinite |= isfinite(dad) && dad <= 0.0;
    s->stopped = !(negative && safe && solver->config.cg_negative_curvature);
    s->passed_negative = 1;
    return s->stopped ? take_best(solver, v, x, reason, report) : BLPO_OK;
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

/* Steps 1 to 4 */
static int iterate(blpo_hypergrad *solver, recurrence *s, const real *v, real *x, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner;
    keep(solver, sqrt(s->rr), x, report);
    int rc = choose_direction(solver, s, report);
    if (rc == BLPO_OK)
        rc = product(solver, s, v, x, report);
    if (rc != BLPO_OK || s->stopped)
        return rc;
    const double dad = curvature(solver, s);
    if (!(dad > 0.0 && isfinite(dad)))
        rc = judge_curvature(solver, s, dad, v, x, report);
    if (rc != BLPO_OK || s->stopped)
        return rc;
    step(p, s->rz / dad, solver->config.nystrom_rho, solver->direction, solver->product, x, solver->residual);
    blpo__hypergrad_flops(solver, 6 * p);
    s->rr = residual_square(solver);
    report->iterations++;
    return BLPO_OK;
}

/* After the last iteration. */
static int end(blpo_hypergrad *solver, const recurrence *s, const real *v, real *x, blpo_hypergrad_report *report)
{
    const double norm = sqrt(s->rr);
    if (isfinite(norm) && !(s->passed_negative && norm > 1.0)) /* |v| = 1 */
        return BLPO_OK;
    keep(solver, norm, x, report);
    return take_best(solver, v, x, isfinite(norm) ? BLPO_IHVP_REASON_DIVERGED : BLPO_IHVP_REASON_NONFINITE, report);
}

int blpo__cg_solve(blpo_hypergrad *solver, const blpo__preconditioner *preconditioner, const real *v, real *x,
                   blpo_hypergrad_report *report)
{
    const blpo_hypergrad_config *config = &solver->config;
    recurrence s = {.by = NULL};
    int made = 0, rc = preconditioner == NULL ? BLPO_OK : preconditioner->make(solver, report, &made);
    if (rc != BLPO_OK)
        return rc;
    if (made)
        s.by = preconditioner;
    begin(solver, &s, v, x);
    while (rc == BLPO_OK && report->iterations < config->cg_iterations && s.rr > 0.0 && isfinite(s.rr)
           && sqrt(s.rr) > config->cg_tolerance) {
        rc = iterate(solver, &s, v, x, report);
        if (s.stopped)
            return rc;
    }
    return rc != BLPO_OK ? rc : end(solver, &s, v, x, report);
}

/* -- the method -- */

static const blpo__preconditioner *chosen(const blpo_hypergrad_config *config)
{
    return config->cg_preconditioner == BLPO_PRECONDITIONER_GAUSS_NEWTON ? &blpo__precondition_gauss_newton : NULL;
}

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    const int rc = blpo__hypergrad_need_products(error, problem, config);
    return rc != BLPO_OK || chosen(config) == NULL ? rc : blpo__gauss_newton_check(error, problem);
}

static void create(blpo_hypergrad *solver)
{
    blpo__cg_create(solver, chosen(&solver->config));
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    return blpo__cg_solve(solver, chosen(&solver->config), v, x, report);
}

const blpo__ihvp blpo__ihvp_cg = {"cg", check, create, solve};
