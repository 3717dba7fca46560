/* The only door to the caller's callbacks: each product is counted when it is asked for, and what comes back is looked
 * through before it is used, so that a NaN is named where it came from. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "core/error.h"

static int judge(blpo_hypergrad *solver, int stage, const char *name, int verdict, const real *written, int64_t n)
{
    if (verdict != 0)
        return blpo__error_callback(&solver->error, stage, name, verdict);
    const int64_t bad = blpo__first_nonfinite(written, n);
    if (bad < 0)
        return BLPO_OK;
    return blpo__error_element(&solver->error, BLPO_ERR_NONFINITE, stage, -1, -1, name, bad, (double)written[bad], NULL);
}

int blpo__hypergrad_product(blpo_hypergrad *solver, const real *v, real *hv)
{
    const blpo_problem *problem = &solver->problem;
    solver->stats.n_products++;
    const int verdict = problem->hvp(problem->user, v, hv);
    return judge(solver, BLPO_STAGE_SOLVE, "hvp", verdict, hv, problem->n_inner);
}

static int rows_by_products(blpo_hypergrad *solver, const int64_t *index, int64_t k, real *rows)
{
    int rc = BLPO_OK;
    for (int64_t i = 0; i < k && rc == BLPO_OK; i++) {
        solver->unit[index[i]] = 1;
        rc = blpo__hypergrad_product(solver, solver->unit, rows + i * solver->problem.n_inner);
        solver->unit[index[i]] = 0;
    }
    return rc;
}

int blpo__hypergrad_rows(blpo_hypergrad *solver, const int64_t *index, int64_t k, real *rows)
{
    const blpo_problem *problem = &solver->problem;
    if (problem->hessian_rows == NULL)
        return rows_by_products(solver, index, k, rows);
    solver->stats.n_products += k;
    const int verdict = problem->hessian_rows(problem->user, index, k, rows);
    return judge(solver, BLPO_STAGE_SOLVE, "hessian_rows", verdict, rows, k * problem->n_inner);
}

int blpo__hypergrad_mixed(blpo_hypergrad *solver, const real *x, real *out)
{
    const blpo_problem *problem = &solver->problem;
    const int verdict = problem->mixed_product(problem->user, x, out);
    return judge(solver, BLPO_STAGE_IMPLICIT, "mixed_product", verdict, out, problem->n_outer);
}
