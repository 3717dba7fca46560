/* Exact inverse for the Gauss-Newton matrix H = J^T J, in the space of samples.
 *
 *   J [T][p]     G [T][T] = J J^T     T samples, p inner variables
 *
 *   1. G     2. U^T U = G + rho I     3. b = J v     4. (G + rho I) y = b     5. x = (v - J^T y) / rho
 *
 * Woodbury: (J^T J + rho I)^-1 = (I - J^T (J J^T + rho I)^-1 J) / rho, without any approximation beyond Gauss-Newton, and
 * without a p x p matrix: J is never formed where the problem has a callback for G (docs/algorithm.md, section 5).
 * Cholesky, in double: G is positive semi-definite and rho > 0. Where G was made in single precision and rho is below its
 * rounding errors the factorisation may fail all the same. Then G + (rho + 16 T eps max G_tt) I is factored in its place: the
 * shift is that of the rounding errors, the report says that it was needed, and where that fails too, x = v / rho.
 *
 * y grows as 1 / rho and may be too large for a `real`: J^T never sees that, and x is left without a number, which sends the solve
 * to its last resort.
 *
 * Error: the data are rounded to eps, so G and b by T eps and p eps relative to |J|^2 and |J|, and the differences of step 5
 * cancel by a factor of at most (|H| + rho) / rho = C: |x - x*| <= 16 (p + T) eps C |v| / rho.
 *
 * Cost: G (the callback, or T pairs of products), a jvp and a vjp, which count as one product; T^3 / 3 + 2 T^2 + 2 p
 * operations, T^2 doubles. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "linalg/vector.h"

#include <math.h>

int blpo__gauss_newton_check(blpo_error *error, const blpo_problem *problem)
{
    const int rc = blpo__hypergrad_need_jacobian(error, problem);
    return rc != BLPO_OK ? rc : blpo__check_product(error, "n_samples", problem->n_samples, problem->n_samples);
}

void blpo__gauss_newton_create(blpo_hypergrad *solver)
{
    blpo__memory *memory = &solver->host.memory;
    const int64_t n = solver->problem.n_samples;
    solver->response = blpo__allocate(memory, n, sizeof *solver->response);
    solver->core_v = blpo__allocate(memory, n, sizeof *solver->core_v);
    blpo__cholesky_create(&solver->gram, n, memory);
}

static double largest_diagonal(const blpo__cholesky *gram)
{
    double most = 0.0;
    for (int i = 0; i < gram->n; i++)
        most = gram->diagonal[i] > most ? gram->diagonal[i] : most;
    return most;
}

/* Step 2. 0, or -1 where there is no factor. */
static int factor(blpo_hypergrad *solver, blpo_hypergrad_report *report)
{
    blpo__cholesky *gram = &solver->gram;
    const double rho = solver->config.nystrom_rho;
    const int64_t n = gram->n;
    blpo__cholesky_load(gram);
    blpo__hypergrad_flops(solver, n * n * n / 3);
    if (blpo__cholesky_factor(gram, rho) != 0) {
        blpo__hypergrad_fall_back(report, BLPO_IHVP_REASON_SINGULAR);
        if (blpo__cholesky_factor(gram, rho + 16.0 * gram->n * BLPO__EPSILON * largest_diagonal(gram)) != 0)
            return -1;
    }
    report->rank_used = gram->n;
    report->condition_estimate = gram->condition;
    return 0;
}

int blpo__gauss_newton_make(blpo_hypergrad *solver, blpo_hypergrad_report *report, int *made)
{
    const int rc = blpo__hypergrad_gram(solver, solver->gram.a);
    *made = rc == BLPO_OK && factor(solver, report) == 0;
    return rc;
}

/* Steps 3 and 4: response = y */
static int respond(blpo_hypergrad *solver, const real *v)
{
    const int64_t n = solver->problem.n_samples;
    const int rc = blpo__hypergrad_jvp(solver, v, solver->sample);
    if (rc != BLPO_OK)
        return rc;
    for (int64_t t = 0; t < n; t++)
        solver->core_v[t] = (double)solver->sample[t];
    blpo__cholesky_solve(&solver->gram, solver->core_v);
    blpo__hypergrad_flops(solver, 2 * n * n);
    for (int64_t t = 0; t < n; t++)
        solver->response[t] = (real)solver->core_v[t];
    return BLPO_OK;
}

int blpo__gauss_newton_apply(blpo_hypergrad *solver, const real *v, double scale, real *x)
{
    const int64_t p = solver->problem.n_inner;
    const double one = 1.0;
    int rc = respond(solver, v);
    if (rc == BLPO_OK && blpo__first_nonfinite(solver->response, solver->problem.n_samples) >= 0) {
        x[0] = (real)NAN;
        return BLPO_OK;
    }
    if (rc == BLPO_OK)
        rc = blpo__hypergrad_vjp(solver, solver->response, solver->product);
    if (rc == BLPO_OK)
        blpo__less_rows(1, p, solver->product, &one, v, scale, x);
    blpo__hypergrad_flops(solver, 2 * p);
    return rc;
}

/* -- the method -- */

static int check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    (void)config;
    return blpo__gauss_newton_check(error, problem);
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    int made;
    const int rc = blpo__gauss_newton_make(solver, report, &made);
    if (rc == BLPO_OK && made)
        return blpo__gauss_newton_apply(solver, v, 1.0 / solver->config.nystrom_rho, x);
    if (rc == BLPO_OK)
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_SINGULAR, report);
    return rc;
}

const blpo__ihvp blpo__ihvp_gauss_newton = {"gauss_newton", check, blpo__gauss_newton_create, solve};
