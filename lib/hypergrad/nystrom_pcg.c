/* Conjugate gradients for A x = v, A = H + rho I, preconditioned by a randomised Nystrom sketch: Frangella, Tropp and Udell,
 * arXiv:2110.02820, algorithm 5.1; the sketch and P are those of sketch.c.
 *
 * The loop is cg.c, and what is said there of sums, of the number of iterations and of negative curvature holds here too.
 *
 * Error: with q = (sqrt(C) - 1) / (sqrt(C) + 1), |x_m - x*| <= 2 q^m sqrt(cond A) |x*| for positive semi-definite H, where
 * C <= (l_min + rho + |H - H^|) / rho is the condition number of P^-1/2 A P^-1/2, l_min the smallest eigenvalue of the sketch; so
 * C <= (2 |H| + rho) / rho whatever the draw. Roundings: some p eps cond(A) |x*|.
 *
 * Cost: the sketch; one product and (4 l + 16) p operations an iteration. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"

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

/* z = P^-1 r */
static int apply(blpo_hypergrad *solver, const real *r, real *z)
{
    blpo__sketch_apply(solver, r, z);
    return BLPO_OK;
}

static int make(blpo_hypergrad *solver, blpo_hypergrad_report *report, int *made)
{
    const int rc = blpo__sketch_make(solver, report);
    *made = solver->sketch.l > 0;
    return rc;
}

const blpo__preconditioner blpo__precondition_sketch = {blpo__sketch_create, make, apply};

static void create(blpo_hypergrad *solver)
{
    blpo__cg_create(solver, &blpo__precondition_sketch);
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    return blpo__cg_solve(solver, &blpo__precondition_sketch, v, x, report);
}

const blpo__ihvp blpo__ihvp_nystrom_pcg = {"nystrom_pcg", check, create, solve};
