/* The only door to the caller's callbacks: each product is counted when it is asked for, and what comes back is looked
 * through before it is used, so that a NaN is named where it came from. Arrays are full of NaN when they are handed out, and
 * have a guard behind them: a callback that writes too few elements, or some too many, is found out. Callbacks of the library
 * itself are trusted that far: filling arrays of all rows costs an update one part in a hundred. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "core/error.h"

#include <math.h>
#include <string.h>

/* J J^T is written where it is factored: the guard lies where the factorisation has its spare numbers. */
enum { GUARD = BLPO__CHOLESKY_SPARE, MARK = 0xA5 };

/* -- what a callback writes into -- */

void *blpo__hypergrad_output(blpo__memory *memory, int64_t n, size_t size)
{
    return blpo__allocate(memory, n + GUARD, size);
}

/* All bits set is a NaN: an element that is left out shows. */
static void open_output(const blpo_hypergrad *solver, void *out, int64_t n, size_t size)
{
    if (solver->trusting)
        return;
    memset(out, 0xFF, (size_t)n * size);
    memset((char *)out + (size_t)n * size, MARK, GUARD * size);
}

static int overrun(const void *out, int64_t n, size_t size)
{
    const unsigned char *guard = (const unsigned char *)out + (size_t)n * size;
    for (size_t i = 0; i < GUARD * size; i++)
        if (guard[i] != MARK)
            return 1;
    return 0;
}

/* The verdict and the guard: BLPO_OK or BLPO_ERR_CALLBACK. */
static int close_output(blpo_hypergrad *solver, int stage, const char *name, int verdict, const void *out, int64_t n,
                        size_t size)
{
    if (verdict != 0)
        return blpo__error_callback(&solver->error, stage, name, verdict);
    if (!solver->trusting && overrun(out, n, size))
        return blpo__error_set(&solver->error, BLPO_ERR_CALLBACK, stage, name,
                               "the callback wrote past the end of its array");
    return BLPO_OK;
}

static int judge(blpo_hypergrad *solver, int stage, const char *name, int verdict, const real *out, int64_t n)
{
    const int rc = close_output(solver, stage, name, verdict, out, n, sizeof *out);
    const int64_t bad = rc == BLPO_OK ? blpo__first_nonfinite(out, n) : -1;
    if (bad < 0)
        return rc;
    return blpo__error_element(&solver->error, BLPO_ERR_NONFINITE, stage, -1, -1, name, bad, (double)out[bad], NULL);
}

/* -- products -- */

static int hessian_product(blpo_hypergrad *solver, const real *v, real *hv)
{
    const blpo_problem *problem = &solver->problem;
    solver->stats.n_products++;
    open_output(solver, hv, problem->n_inner, sizeof *hv);
    return judge(solver, BLPO_STAGE_SOLVE, "hvp", problem->hvp(problem->user, v, hv), hv, problem->n_inner);
}

int blpo__hypergrad_jvp(blpo_hypergrad *solver, const real *x, real *jx)
{
    const blpo_problem *problem = &solver->problem;
    open_output(solver, jx, problem->n_samples, sizeof *jx);
    return judge(solver, BLPO_STAGE_SOLVE, "jvp", problem->jvp(problem->user, x, jx), jx, problem->n_samples);
}

int blpo__hypergrad_vjp(blpo_hypergrad *solver, const real *u, real *jtu)
{
    const blpo_problem *problem = &solver->problem;
    solver->stats.n_products++;
    open_output(solver, jtu, problem->n_inner, sizeof *jtu);
    return judge(solver, BLPO_STAGE_SOLVE, "vjp", problem->vjp(problem->user, u, jtu), jtu, problem->n_inner);
}

int blpo__hypergrad_product(blpo_hypergrad *solver, const real *v, real *hv)
{
    if (solver->config.curvature == BLPO_CURVATURE_HESSIAN)
        return hessian_product(solver, v, hv);
    const int rc = blpo__hypergrad_jvp(solver, v, solver->sample);
    return rc != BLPO_OK ? rc : blpo__hypergrad_vjp(solver, solver->sample, hv);
}

static int rows_by_products(blpo_hypergrad *solver, const int64_t *index, int64_t k, real *rows)
{
    const int64_t p = solver->problem.n_inner;
    int rc = BLPO_OK;
    for (int64_t i = 0; i < k && rc == BLPO_OK; i++) {
        solver->unit[index[i]] = 1;
        rc = blpo__hypergrad_product(solver, solver->unit, solver->product);
        solver->unit[index[i]] = 0;
        memcpy(rows + i * p, solver->product, (size_t)p * sizeof *rows);
    }
    return rc;
}

int blpo__hypergrad_rows(blpo_hypergrad *solver, const int64_t *index, int64_t k, real *rows)
{
    const blpo_problem *problem = &solver->problem;
    const int newton = solver->config.curvature == BLPO_CURVATURE_GAUSS_NEWTON;
    const blpo_hessian_rows_fn callback = newton ? problem->gauss_newton_rows : problem->hessian_rows;
    if (callback == NULL)
        return rows_by_products(solver, index, k, rows);
    solver->stats.n_products += k;
    open_output(solver, rows, k * problem->n_inner, sizeof *rows);
    const int verdict = callback(problem->user, index, k, rows);
    return judge(solver, BLPO_STAGE_SOLVE, newton ? "gauss_newton_rows" : "hessian_rows", verdict, rows,
                 k * problem->n_inner);
}

static int judge_double(blpo_hypergrad *solver, const char *name, int verdict, const double *out, int64_t n)
{
    const int rc = close_output(solver, BLPO_STAGE_SOLVE, name, verdict, out, n, sizeof *out);
    const int64_t bad = rc == BLPO_OK ? blpo__first_nonfinite_double(out, n) : -1;
    if (bad < 0)
        return rc;
    return blpo__error_element(&solver->error, BLPO_ERR_NONFINITE, BLPO_STAGE_SOLVE, -1, -1, name, bad, out[bad], NULL);
}

int blpo__hypergrad_rows_products(blpo_hypergrad *solver, const real *v)
{
    const blpo_problem *problem = &solver->problem;
    const int64_t k = solver->config.nystrom_rank;
    solver->stats.n_products += k;
    open_output(solver, solver->block, k * k, sizeof *solver->block);
    open_output(solver, solver->products, k * k, sizeof *solver->products);
    open_output(solver, solver->core_v, k, sizeof *solver->core_v);
    solver->resolution = -1.0;
    const int verdict = problem->rows_products(problem->user, solver->index, k, v, solver->block, solver->products,
                                               solver->core_v, &solver->resolution);
    int rc = judge_double(solver, "rows_products: block", verdict, solver->block, k * k);
    if (rc == BLPO_OK)
        rc = judge_double(solver, "rows_products: gram", verdict, solver->products, k * k);
    if (rc == BLPO_OK)
        rc = judge_double(solver, "rows_products: products", verdict, solver->core_v, k);
    if (rc == BLPO_OK && !isfinite(solver->resolution))
        rc = blpo__error_element(&solver->error, BLPO_ERR_NONFINITE, BLPO_STAGE_SOLVE, -1, -1, "rows_products: resolution", 0,
                                 solver->resolution, NULL);
    return rc;
}

int blpo__hypergrad_rows_sum(blpo_hypergrad *solver, real *out)
{
    const blpo_problem *problem = &solver->problem;
    open_output(solver, out, problem->n_inner, sizeof *out);
    const int verdict = problem->rows_sum(problem->user, solver->index, solver->config.nystrom_rank, solver->core_v, out);
    return judge(solver, BLPO_STAGE_SOLVE, "rows_sum", verdict, out, problem->n_inner);
}

/* -- J J^T -- */

/* Column t is J (J^T e_t). */
static int gram_by_pairs(blpo_hypergrad *solver, double *gram)
{
    const int64_t n = solver->problem.n_samples;
    int rc = BLPO_OK;
    memset(solver->response, 0, (size_t)n * sizeof *solver->response);
    for (int64_t t = 0; t < n && rc == BLPO_OK; t++) {
        solver->response[t] = 1;
        rc = blpo__hypergrad_vjp(solver, solver->response, solver->product);
        solver->response[t] = 0;
        if (rc == BLPO_OK)
            rc = blpo__hypergrad_jvp(solver, solver->product, solver->sample);
        for (int64_t i = 0; i < n && rc == BLPO_OK; i++)
            gram[t * n + i] = (double)solver->sample[i];
    }
    return rc;
}

int blpo__hypergrad_gram(blpo_hypergrad *solver, double *gram)
{
    const blpo_problem *problem = &solver->problem;
    if (problem->jacobian_gram == NULL)
        return gram_by_pairs(solver, gram);
    const int64_t n = problem->n_samples * problem->n_samples;
    open_output(solver, gram, n, sizeof *gram);
    return judge_double(solver, "jacobian_gram", problem->jacobian_gram(problem->user, gram), gram, n);
}

/* -- the diagonal of J^T J -- */

/* d_i = sum_t (J^T e_t)_i^2 */
static int diagonal_by_vjp(blpo_hypergrad *solver, real *diagonal)
{
    const int64_t n = solver->problem.n_samples, p = solver->problem.n_inner;
    int rc = BLPO_OK;
    memset(solver->response, 0, (size_t)n * sizeof *solver->response);
    memset(diagonal, 0, (size_t)p * sizeof *diagonal);
    for (int64_t t = 0; t < n && rc == BLPO_OK; t++) {
        solver->response[t] = 1;
        rc = blpo__hypergrad_vjp(solver, solver->response, solver->product);
        solver->response[t] = 0;
        for (int64_t i = 0; i < p && rc == BLPO_OK; i++)
            diagonal[i] += solver->product[i] * solver->product[i];
        blpo__hypergrad_flops(solver, 2 * p);
    }
    return rc;
}

int blpo__hypergrad_diagonal(blpo_hypergrad *solver, real *diagonal)
{
    const blpo_problem *problem = &solver->problem;
    if (problem->gauss_newton_diagonal == NULL)
        return diagonal_by_vjp(solver, diagonal);
    open_output(solver, diagonal, problem->n_inner, sizeof *diagonal);
    const int verdict = problem->gauss_newton_diagonal(problem->user, diagonal);
    return judge(solver, BLPO_STAGE_SOLVE, "gauss_newton_diagonal", verdict, diagonal, problem->n_inner);
}

int blpo__hypergrad_mixed(blpo_hypergrad *solver, const real *x, real *out)
{
    const blpo_problem *problem = &solver->problem;
    open_output(solver, out, problem->n_outer, sizeof *out);
    const int verdict = problem->mixed_product(problem->user, x, out);
    return judge(solver, BLPO_STAGE_IMPLICIT, "mixed_product", verdict, out, problem->n_outer);
}
