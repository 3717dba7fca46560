/* Conjugate gradients for A x = v, A = H + rho I, preconditioned by a randomised Nystrom sketch: Frangella, Tropp and Udell,
 * arXiv:2110.02820, algorithm 5.1; the sketch and P are those of sketch.c.
 *
 *   x, r, z, d [p]: solution, residual, P^-1 r, direction
 *
 *   1. the sketch     2. x = 0, r = v, d = z = P^-1 r
 *   3. a = r.z / d.A d     4. x += a d, r -= a A d     5. z = P^-1 r, d = z + (r+.z+ / r.z) d
 *
 * With P = I it is cg.c, and what is said there of sums, of the number of iterations and of negative curvature holds here too.
 *
 * Error: with q = (sqrt(C) - 1) / (sqrt(C) + 1), |x_m - x*| <= 2 q^m sqrt(cond A) |x*| for positive semi-definite H, where
 * C <= (l_min + rho + |H - H^|) / rho is the condition number of P^-1/2 A P^-1/2, l_min the smallest eigenvalue of the sketch; so
 * C <= (2 |H| + rho) / rho whatever the draw. Roundings: some p eps cond(A) |x*|.
 *
 * Cost: the sketch; one product, (4 l + 16) p operations an iteration, and (4 l + 4) p before the first. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "linalg/vector.h"

#include <math.h>
#include <string.h>

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    const int64_t most =
        config->sketch_rank_max > config->nystrom_rank ? config->sketch_rank_max : config->nystrom_rank;
    int rc = blpo__check_int(error, "nystrom_rank", config->nystrom_rank, 1, problem->n_inner);
    if (rc == BLPO_OK && config->sketch_rank_max != 0)
        rc = blpo__check_int(error, "sketch_rank_max", config->sketch_rank_max, config->nystrom_rank, problem->n_inner);
    if (rc == BLPO_OK)
        rc = blpo__check_product(error, "nystrom_rank", most, problem->n_inner);
    return rc != BLPO_OK ? rc : blpo__hypergrad_need_products(error, problem, config);
}

static void create(blpo_hypergrad *solver)
{
    blpo__cg_create(solver);
    solver->conditioned =
        blpo__allocate(&solver->host.memory, solver->problem.n_inner, sizeof *solver->conditioned);
    blpo__sketch_create(solver);
}

/* z = P^-1 r; returns r.z */
static double precondition(blpo_hypergrad *solver)
{
    const int64_t p = solver->problem.n_inner;
    blpo__sketch_apply(solver, solver->residual, solver->conditioned);
    blpo__hypergrad_flops(solver, 2 * p);
    return blpo__dot(solver->residual, solver->conditioned, p);
}

/* Step 2 */
static double begin(blpo_hypergrad *solver, const real *v, real *x)
{
    const size_t bytes = (size_t)solver->problem.n_inner * sizeof *v;
    memset(x, 0, bytes);
    memcpy(solver->residual, v, bytes);
    const double rz = precondition(solver);
    memcpy(solver->direction, solver->conditioned, bytes);
    return rz;
}

/* Step 5; returns r.z */
static double turn(blpo_hypergrad *solver, double rz)
{
    const double next = precondition(solver);
    blpo__cg_turn(solver, next / rz, solver->conditioned);
    return next;
}

static double residual_norm(blpo_hypergrad *solver)
{
    blpo__hypergrad_flops(solver, 2 * solver->problem.n_inner);
    return blpo__norm(solver->residual, solver->problem.n_inner);
}

static int done(const blpo_hypergrad *solver, double rz, double norm, const blpo_hypergrad_report *report)
{
    const blpo_hypergrad_config *config = &solver->config;
    return report->iterations >= config->cg_iterations || !(rz > 0.0 && isfinite(rz)) || norm <= config->cg_tolerance;
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    int passed_negative = 0, stop = 0, rc = blpo__sketch_make(solver, report);
    if (rc != BLPO_OK)
        return rc;
    double rz = begin(solver, v, x), norm = residual_norm(solver);
    while (!done(solver, rz, norm, report)) {
        blpo__cg_keep(solver, norm, x, report);
        rc = blpo__cg_product(solver, v, x, report, &stop);
        if (rc != BLPO_OK || stop)
            return rc;
        const double dad = blpo__cg_curvature(solver);
        if (!(dad > 0.0 && isfinite(dad)))
            rc = blpo__cg_stops(solver, dad, v, x, report, &stop);
        if (rc != BLPO_OK || stop)
            return rc;
        passed_negative |= dad < 0.0;
        blpo__cg_step(solver, rz / dad, x);
        rz = turn(solver, rz);
        norm = residual_norm(solver);
        report->iterations++;
    }
    return blpo__cg_end(solver, isfinite(rz) ? norm : rz, passed_negative, v, x, report);
}

const blpo__ihvp blpo__ihvp_nystrom_pcg = {"nystrom_pcg", check, create, solve};
