/* Inverse-Hessian-vector products of the vector files that hold a dense Hessian, through the public solver. The float64
 * build must agree to 1e-9, relative in norm. In float32 the data themselves are rounded, and the bounds say what that
 * costs: each is derived above its function. */
#include "support/check.h"
#include "support/dense.h"
#include "support/networks.h"
#include "support/quadratic.h"
#include "support/spectra.h"

#include <math.h>
#include <stdlib.h>

static const char *const NEEDED[] = { "hessian", "response_gradient", "indices",      "rho",
                                      "jitter",  "ihvp_nystrom",      "ihvp_exact",   "ihvp_cg_5_iterations",
                                      "ihvp_nystrom_relative_residual", "ihvp_neumann_8_terms_scale_0.01", NULL };

typedef struct problem {
    int64_t p, k;
    int64_t *index;
    const double *h, *v;
    double rho, shift;
    test_real *v_real, *x;
    quadratic quad;
} problem;

static problem problem_of(const vec_file *file)
{
    problem out = { .p = vec_need(file, "hessian")->dim[0], .k = vec_need(file, "indices")->size };
    out.h = vec_need(file, "hessian")->value;
    out.v = vec_need(file, "response_gradient")->value;
    out.rho = vec_scalar(file, "rho");
    out.shift = vec_scalar(file, "jitter");
    out.index = malloc((size_t)out.k * sizeof *out.index);
    assert_non_null(out.index);
    for (int64_t i = 0; i < out.k; i++)
        out.index[i] = (int64_t)vec_need(file, "indices")->value[i];
    out.v_real = vec_reals(out.v, out.p);
    out.x = guarded_new(out.p);
    out.quad = (quadratic){ .p = out.p, .hessian = out.h };
    return out;
}

static void problem_free(problem *p)
{
    free(p->index);
    free(p->v_real);
    guarded_free(p->x);
}

static blpo_hypergrad_report solve(problem *p, const blpo_hypergrad_config *config, int with_rows)
{
    blpo_hypergrad *solver = solver_new(&p->quad, with_rows, config);
    blpo_hypergrad_report report = empty_report();
    if (config->method == BLPO_IHVP_NYSTROM)
        assert_status(blpo_hypergrad_set_indices(solver, p->index, p->k), BLPO_OK);
    assert_status(blpo_hypergrad_solve(solver, p->v_real, p->x, &report), BLPO_OK);
    blpo_hypergrad_destroy(solver);
    return report;
}

/* Rounding the rows to eps changes C and M by that much: x moves by |C|^2 |core^-1| |v| / rho^2 eps (2 + 2 |core^-1| size),
 * size = |C| + |C|^2 / rho being what the core is summed from. The arithmetic adds the bound of dense.h. */
static double nystrom_bound(const problem *p)
{
    double *x = malloc((size_t)p->p * sizeof *x), *core = malloc((size_t)(p->k * p->k) * sizeof *core), rows = 0.0;
    assert_true(x != NULL && core != NULL);
    dense_nystrom(p->h, p->p, p->index, p->k, p->rho, p->shift, p->v, x, core);
    for (int64_t i = 0; i < p->k; i++)
        rows = hypot(rows, dense_norm(p->h + p->index[i] * p->p, p->p));
    const double inverse = dense_inverse_norm(core, p->k), v = dense_norm(p->v, p->p);
    free(x);
    free(core);
    return rows * rows * inverse * v / (p->rho * p->rho) * TEST_EPSILON
               * (2.0 + 2.0 * inverse * (rows + rows * rows / p->rho))
           + dense_nystrom_bound(p->h, p->p, p->index, p->k, p->rho, p->shift, p->v);
}

/* Largest and smallest |eigenvalue + rho|. */
static double condition(const vec_file *file, double rho, double *largest)
{
    const vec_record *eigenvalues = vec_need(file, "hessian_eigenvalues");
    double low = INFINITY;
    *largest = 0.0;
    for (int64_t i = 0; i < eigenvalues->size; i++) {
        low = fmin(low, fabs(eigenvalues->value[i] + rho));
        *largest = fmax(*largest, fabs(eigenvalues->value[i] + rho));
    }
    return *largest / low;
}

static void check_nystrom(const vec_file *file)
{
    problem p = problem_of(file);
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, p.k, p.rho, p.shift);
    const double *expected = vec_need(file, "ihvp_nystrom")->value;
    for (int with_rows = 0; with_rows <= 1; with_rows++) {
        solve(&p, &config, with_rows);
        const int is_double = sizeof(test_real) == sizeof(double);
        assert_near(p.x, expected, p.p, is_double ? 1e-9 : 0.0, is_double ? 0.0 : nystrom_bound(&p));
    }
    problem_free(&p);
}

static void nystrom_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_nystrom);
}

/* An error in x enters the residual times |H + rho|, and measuring takes p products a row: 2 p eps |H + rho| |x|. Where k = p
 * and s = 0 the residual of the file is nothing but its own roundings, and this is all that can be asked of float64 too. */
static void check_residual(const vec_file *file)
{
    problem p = problem_of(file);
    double largest;
    condition(file, p.rho, &largest);
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, p.k, p.rho, p.shift);
    config.report_residual = 1;
    const blpo_hypergrad_report report = solve(&p, &config, 1);
    const double v = dense_norm(p.v, p.p), x = dense_norm(vec_need(file, "ihvp_nystrom")->value, p.p);
    const int is_double = sizeof(test_real) == sizeof(double);
    const double of_x = is_double ? dense_nystrom_bound(p.h, p.p, p.index, p.k, p.rho, p.shift, p.v) : nystrom_bound(&p);
    const double bound = largest / v * (of_x + 2.0 * (double)p.p * TEST_EPSILON * x);
    assert_close(report.relative_residual, vec_scalar(file, "ihvp_nystrom_relative_residual"), is_double ? 1e-9 : 0.0,
                 bound);
    problem_free(&p);
}

static void the_residual_of_nystrom_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_residual);
}

/* The file holds 5 iterations come what may. Where one of them meets a direction of negative curvature the library stops
 * before it, and says so: then x must be that of the least residual of the iterations before, from the same recurrence (whose
 * 5 iterations must be those of the file).
 *
 * Float32: each of 5 products is wrong by p eps |H + rho| |d| (its rows rounded, its sums); a step length turns that into an
 * error of x by at most the inverse of the smallest eigenvalue: 5 p eps condition |x|, doubled for the recurrence of r. */
static void check_cg(const vec_file *file)
{
    problem p = problem_of(file);
    double largest, *expected = malloc((size_t)p.p * sizeof *expected);
    assert_non_null(expected);
    const double single = 10.0 * (double)p.p * TEST_EPSILON * condition(file, p.rho, &largest);
    const double relative = sizeof(test_real) == sizeof(double) ? 1e-9 : single;
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_CG, 1, p.rho, 0.0);
    config.cg_iterations = 5;
    const blpo_hypergrad_report report = solve(&p, &config, 1);
    assert_int_equal(dense_cg(p.h, p.p, p.rho, p.v, 5, 0, expected), 5);
    for (int64_t i = 0; i < p.p; i++) /* double against double: 1e-9 of the largest is ample and much less than a step */
        assert_close(expected[i], vec_need(file, "ihvp_cg_5_iterations")->value[i], 1e-9, 1e-9 * dense_norm(expected, p.p));
    const int64_t made = dense_cg(p.h, p.p, p.rho, p.v, 5, 1, expected);
    assert_int_equal(report.iterations, made);
    assert_int_equal(report.indefinite, made < 5);
    assert_int_equal(report.fallback, made < 5);
    assert_near(p.x, expected, p.p, relative, 0.0);
    free(expected);
    problem_free(&p);
}

/* The same with cg_negative_curvature 1: all 5 iterations of the file, whatever they meet. The condition in the bound of float32
 * is that of the indefinite matrix, largest over least |eigenvalue + rho|. */
static void check_cg_going_on(const vec_file *file)
{
    problem p = problem_of(file);
    double largest;
    const double single = 10.0 * (double)p.p * TEST_EPSILON * condition(file, p.rho, &largest);
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_CG, 1, p.rho, 0.0);
    config.cg_iterations = 5;
    config.cg_negative_curvature = 1;
    const blpo_hypergrad_report report = solve(&p, &config, 1);
    double *expected = malloc((size_t)p.p * sizeof *expected);
    assert_non_null(expected);
    const int stops = dense_cg(p.h, p.p, p.rho, p.v, 5, 1, expected) < 5;
    assert_near(p.x, vec_need(file, "ihvp_cg_5_iterations")->value, p.p, sizeof(test_real) == sizeof(double) ? 1e-9 : single, 0.0);
    assert_int_equal(report.iterations, 5);
    assert_int_equal(report.indefinite, stops);
    assert_int_equal(report.fallback, 0);
    free(expected);
    problem_free(&p);
}

static void cg_that_goes_on_through_negative_curvature_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_cg_going_on);
}

static void cg_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_cg);
}

/* Backward stable: 8 p eps condition |x|, rounding the matrix included. */
static void check_dense(const vec_file *file)
{
    problem p = problem_of(file);
    double largest;
    const double single = 8.0 * (double)p.p * TEST_EPSILON * condition(file, p.rho, &largest);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_DENSE, 1, p.rho, 0.0);
    for (int with_rows = 0; with_rows <= 1; with_rows++) {
        solve(&p, &config, with_rows);
        assert_near(p.x, vec_need(file, "ihvp_exact")->value, p.p,
                    sizeof(test_real) == sizeof(double) ? 1e-9 : single, 0.0);
    }
    problem_free(&p);
}

static void dense_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_dense);
}

/* 8 terms with 1/c = 0.01. What is left of v shrinks from term to term in every file (the report says that nothing grew), so a
 * term is at most 0.01 |v|. Float32: a product is wrong by p eps |H + rho| |r|, of which 0.01 stays in all terms that follow: 0.01
 * |v| (1 + 2 + .. + 7) p eps (1 + 0.01 |H + rho|), doubled. */
static void check_neumann(const vec_file *file)
{
    problem p = problem_of(file);
    double largest;
    condition(file, p.rho, &largest);
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NEUMANN, 1, p.rho, 0.0);
    config.neumann_terms = 8;
    config.neumann_scale = 0.01;
    const blpo_hypergrad_report report = solve(&p, &config, 0);
    const double single = 2.0 * 0.01 * dense_norm(p.v, p.p) * 28.0 * (double)p.p * TEST_EPSILON * (1.0 + 0.01 * largest);
    const int is_double = sizeof(test_real) == sizeof(double);
    assert_near(p.x, vec_need(file, "ihvp_neumann_8_terms_scale_0.01")->value, p.p, is_double ? 1e-9 : 0.0,
                is_double ? 0.0 : single);
    assert_int_equal(report.iterations, 8);
    assert_int_equal(report.fallback, 0);
    assert_int_equal(report.n_products, 7); /* none for a scale */
    assert_true(report.largest_eigenvalue == -1.0);
    problem_free(&p);
}

static void neumann_with_a_given_scale_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_neumann);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nystrom_agrees_with_every_file),
        cmocka_unit_test(the_residual_of_nystrom_agrees_with_every_file),
        cmocka_unit_test(cg_agrees_with_every_file),
        cmocka_unit_test(cg_that_goes_on_through_negative_curvature_agrees_with_every_file),
        cmocka_unit_test(dense_agrees_with_every_file),
        cmocka_unit_test(neumann_with_a_given_scale_agrees_with_every_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
