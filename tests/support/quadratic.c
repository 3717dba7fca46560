#include "quadratic.h"

#include <math.h>
#include <string.h>

/* What every callback does first, and its number among the calls of its kind. */
static int64_t enter(quadratic *quad, int64_t *calls, int64_t products)
{
    quad->calls++;
    quad->products += products;
    if (quad->inside)
        quad->inside(quad);
    return ++*calls;
}

static int is_faulty(const quadratic *quad, int callback, int64_t call)
{
    return quad->fault == QUADRATIC_ANY ? quad->fault_at == quad->calls
                                        : quad->fault == callback && quad->fault_at == call;
}

/* An element that was left out has whatever was there before: so the output is put back. */
static void write_wrong_size(const quadratic *quad, test_real *out, int64_t n, const test_real *before)
{
    for (int64_t i = n; i < n + quad->excess; i++)
        out[i] = 1;
    for (int64_t i = n + quad->excess; i < n; i++)
        out[i] = before[i];
}

/* The verdict of this call; writes the NaN, or the wrong number of elements, where the fault is one. */
static int misbehave(quadratic *quad, int callback, int64_t call, const char *name, test_real *out, int64_t n,
                     const test_real *before)
{
    if (!is_faulty(quad, callback, call))
        return 0;
    quad->faulty = name;
    if (quad->excess != 0) {
        write_wrong_size(quad, out, n, before);
        return 0;
    }
    if (quad->verdict == 0)
        out[quad->nan_at < n ? quad->nan_at : 0] = (test_real)NAN;
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

enum { KEPT = QUADRATIC_MAX_K * QUADRATIC_MAX_K };

/* The first elements of an output as it was handed in. */
typedef struct kept {
    test_real element[KEPT];
} kept;

static void keep(kept *k, const test_real *out, int64_t n)
{
    memcpy(k->element, out, (size_t)(n < KEPT ? n : KEPT) * sizeof *out);
}

/* out [rows] = matrix in, as the callback of that name. */
static int apply(quadratic *quad, int callback, const char *name, int64_t *calls, int64_t products, const double *matrix,
                 int64_t rows, int64_t columns, const test_real *in, test_real *out)
{
    kept before;
    keep(&before, out, rows);
    const int64_t call = enter(quad, calls, products);
    quad->overlaps += overlap(in, columns, out, rows);
    multiply(matrix, rows, columns, in, out);
    return misbehave(quad, callback, call, name, out, rows, before.element);
}

static int hvp(void *user, const test_real *v, test_real *hv)
{
    quadratic *quad = user;
    return apply(quad, QUADRATIC_HVP, "hvp", &quad->hvp_calls, 1, quad->hessian, quad->p, quad->p, v, hv);
}

static void note_index(quadratic *quad, const int64_t *index, int64_t k)
{
    quad->k = k;
    for (int64_t i = 0; i < k && i < QUADRATIC_MAX_K; i++)
        quad->index[i] = index[i];
}

static int hessian_rows(void *user, const int64_t *index, int64_t k, test_real *rows)
{
    quadratic *quad = user;
    kept before;
    keep(&before, rows, k * quad->p);
    const int64_t call = enter(quad, &quad->rows_calls, k);
    note_index(quad, index, k);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < quad->p; j++)
            rows[i * quad->p + j] = (test_real)quad->hessian[index[i] * quad->p + j];
    return misbehave(quad, QUADRATIC_ROWS, call, "hessian_rows", rows, k * quad->p, before.element);
}

static int mixed_product(void *user, const test_real *x, test_real *out)
{
    quadratic *quad = user;
    return apply(quad, QUADRATIC_MIXED, "mixed_product", &quad->mixed_calls, 0, quad->mixed, quad->q, quad->p, x, out);
}

static int jvp(void *user, const test_real *x, test_real *jx)
{
    quadratic *quad = user;
    return apply(quad, QUADRATIC_JVP, "jvp", &quad->jvp_calls, 0, quad->jacobian, quad->n_samples, quad->p, x, jx);
}

static int vjp(void *user, const test_real *u, test_real *jtu)
{
    quadratic *quad = user;
    kept before;
    keep(&before, jtu, quad->p);
    const int64_t call = enter(quad, &quad->vjp_calls, 1);
    quad->overlaps += overlap(u, quad->n_samples, jtu, quad->p);
    for (int64_t j = 0; j < quad->p; j++) {
        double sum = 0.0;
        for (int64_t t = 0; t < quad->n_samples; t++)
            sum += quad->jacobian[t * quad->p + j] * (double)u[t];
        jtu[j] = (test_real)sum;
    }
    return misbehave(quad, QUADRATIC_VJP, call, "vjp", jtu, quad->p, before.element);
}

/* a . b of two rows or columns, `stride` from element to element */
static double dot(const double *a, const double *b, int64_t n, int64_t stride)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i * stride] * b[i * stride];
    return sum;
}

static int jacobian_gram(void *user, double *gram)
{
    quadratic *quad = user;
    const int64_t n = quad->n_samples, p = quad->p, call = enter(quad, &quad->gram_calls, 0);
    const double last = gram[n * n - 1];
    for (int64_t t = 0; t < n; t++)
        for (int64_t u = 0; u < n; u++)
            gram[t * n + u] = dot(quad->jacobian + t * p, quad->jacobian + u * p, p, 1);
    if (!is_faulty(quad, QUADRATIC_GRAM, call))
        return 0;
    quad->faulty = "jacobian_gram";
    if (quad->excess > 0)
        gram[n * n] = 1.0;
    else if (quad->excess < 0)
        gram[n * n - 1] = last;
    else if (quad->verdict == 0)
        gram[quad->nan_at < n * n ? quad->nan_at : 0] = (double)NAN;
    return quad->excess != 0 ? 0 : quad->verdict;
}

static int gauss_newton_rows(void *user, const int64_t *index, int64_t k, test_real *rows)
{
    quadratic *quad = user;
    const int64_t p = quad->p;
    kept before;
    keep(&before, rows, k * p);
    const int64_t call = enter(quad, &quad->newton_rows_calls, k);
    note_index(quad, index, k);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < p; j++)
            rows[i * p + j] = (test_real)dot(quad->jacobian + index[i], quad->jacobian + j, quad->n_samples, p);
    return misbehave(quad, QUADRATIC_NEWTON_ROWS, call, "gauss_newton_rows", rows, k * p, before.element);
}

static int gauss_newton_diagonal(void *user, test_real *diagonal)
{
    quadratic *quad = user;
    kept before;
    keep(&before, diagonal, quad->p);
    const int64_t call = enter(quad, &quad->diagonal_calls, 0);
    for (int64_t j = 0; j < quad->p; j++)
        diagonal[j] = (test_real)dot(quad->jacobian + j, quad->jacobian + j, quad->n_samples, quad->p);
    return misbehave(quad, QUADRATIC_DIAGONAL, call, "gauss_newton_diagonal", diagonal, quad->p, before.element);
}

static void add_jacobian(const quadratic *quad, int with_rows, blpo_problem *problem)
{
    problem->n_samples = quad->n_samples;
    problem->jvp = jvp;
    problem->vjp = vjp;
    if (!with_rows)
        return;
    problem->jacobian_gram = jacobian_gram;
    problem->gauss_newton_rows = gauss_newton_rows;
    problem->gauss_newton_diagonal = gauss_newton_diagonal;
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
    if (quad->jacobian != NULL)
        add_jacobian(quad, with_rows, &problem);
    return problem;
}
