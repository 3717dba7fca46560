#include "quadratic.h"

#include <math.h>
#include <string.h>

/* The verdict of this call; writes the NaN where the fault is one. */
static int misbehave(quadratic *quad, int callback, int64_t call, test_real *out)
{
    if (quad->fault != callback || quad->fault_at != call)
        return 0;
    if (quad->verdict == 0)
        out[quad->nan_at] = (test_real)NAN;
    return quad->verdict;
}

static int overlap(const test_real *a, int64_t n, const test_real *b, int64_t m)
{
    const uintptr_t a0 = (uintptr_t)a, b0 = (uintptr_t)b;
    return a0 < b0 + (uintptr_t)m * sizeof *b && b0 < a0 + (uintptr_t)n * sizeof *a;
}

static void multiply(const double *matrix, int64_t rows, int64_t columns, const test_real *x, test_real *out)
{
    for (int64_t i = 0; i < rows; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < columns; j++)
            sum += matrix[i * columns + j] * (double)x[j];
        out[i] = (test_real)sum;
    }
}

static int hvp(void *user, const test_real *v, test_real *hv)
{
    quadratic *quad = user;
    quad->hvp_calls++;
    quad->overlaps += overlap(v, quad->p, hv, quad->p);
    if (quad->inside)
        quad->inside(quad);
    multiply(quad->hessian, quad->p, quad->p, v, hv);
    return misbehave(quad, QUADRATIC_HVP, quad->hvp_calls, hv);
}

static int hessian_rows(void *user, const int64_t *index, int64_t k, test_real *rows)
{
    quadratic *quad = user;
    quad->rows_calls++;
    quad->k = k;
    if (quad->inside)
        quad->inside(quad);
    for (int64_t i = 0; i < k; i++) {
        if (i < QUADRATIC_MAX_K)
            quad->index[i] = index[i];
        for (int64_t j = 0; j < quad->p; j++)
            rows[i * quad->p + j] = (test_real)quad->hessian[index[i] * quad->p + j];
    }
    return misbehave(quad, QUADRATIC_ROWS, quad->rows_calls, rows);
}

static int mixed_product(void *user, const test_real *x, test_real *out)
{
    quadratic *quad = user;
    quad->mixed_calls++;
    quad->overlaps += overlap(x, quad->p, out, quad->q);
    if (quad->inside)
        quad->inside(quad);
    multiply(quad->mixed, quad->q, quad->p, x, out);
    return misbehave(quad, QUADRATIC_MIXED, quad->mixed_calls, out);
}

blpo_problem quadratic_problem(quadratic *quad, int with_rows)
{
    blpo_problem problem;
    assert_int_equal(blpo_problem_init(&problem, sizeof problem), BLPO_OK);
    problem.n_inner = quad->p;
    problem.n_outer = quad->q;
    problem.user = quad;
    problem.hvp = hvp;
    problem.hessian_rows = with_rows ? hessian_rows : NULL;
    problem.mixed_product = quad->q > 0 ? mixed_product : NULL;
    return problem;
}
