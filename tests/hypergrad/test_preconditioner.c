/* Method cg with cg_preconditioner gauss_newton, on problems with a Jacobian: against the dense solve, with and without a callback
 * for J J^T, for sizes on both sides of p = T; what it costs, what it says where it cannot help, and what its callbacks may not do. */
#include "support/check.h"
#include "support/dense.h"
#include "support/memory.h"
#include "support/spectra.h"

#include <math.h>
#include <string.h>

enum { MOST_P = 40, MOST_T = 47 };

typedef struct problem {
    double newton[MOST_P * MOST_P], hessian[MOST_P * MOST_P], jacobian[MOST_T * MOST_P];
    double norm; /* of J^T J, from above */
    quadratic quad;
    test_real v[MOST_P];
    double v_double[MOST_P];
} problem;

/* H = J^T J + S: J [n][p] of normal numbers with deviation 1 / sqrt(n), S symmetric with eigenvalues in [-size, size], both ends
 * taken where p > 1. The entries of J and H are exact test_reals, so J^T J + S is H to p eps |H|. */
static void problem_make(problem *out, int64_t p, int64_t n, double size)
{
    double value[MOST_P] = { 0 };
    uint64_t state = (uint64_t)(100 * p + n);
    memset(out, 0, sizeof *out);
    for (int64_t i = 0; i < p; i++)
        value[i] = p > 1 ? size * (2.0 * (double)i / (double)(p - 1) - 1.0) : -size;
    dense_symmetric(value, p, state, out->hessian);
    for (int64_t i = 0; i < n * p; i++)
        out->jacobian[i] = (double)(test_real)(test_normal(&state) / sqrt((double)n));
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++) {
            for (int64_t t = 0; t < n; t++)
                out->newton[i * p + j] += out->jacobian[t * p + i] * out->jacobian[t * p + j];
            out->hessian[i * p + j] = (double)(test_real)(out->hessian[i * p + j] + out->newton[i * p + j]);
        }
    for (int64_t i = 0; i < p; i++)
        out->norm += out->newton[i * p + i];
    out->quad = (quadratic){ .p = p, .hessian = out->hessian, .jacobian = out->jacobian, .n_samples = n };
    spectrum_vector(p, 5, out->v, out->v_double);
}

static blpo_hypergrad_config config_of(double rho, int64_t iterations)
{
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_CG, 1, rho, 0.0);
    config.cg_preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON;
    config.cg_iterations = iterations;
    return config;
}

static blpo_hypergrad_report solve(problem *b, const blpo_hypergrad_config *config, int with_gram, test_real *x)
{
    blpo_hypergrad *solver = solver_new(&b->quad, with_gram, config);
    blpo_hypergrad_report report = empty_report();
    b->quad.products = b->quad.gram_calls = 0;
    assert_status(blpo_hypergrad_solve(solver, b->v, x, &report), BLPO_OK);
    assert_int_equal(report.n_products, b->quad.products);
    assert_int_equal(b->quad.gram_calls, with_gram);
    assert_int_equal(b->quad.overlaps, 0);
    for (int64_t i = 0; i < b->quad.p; i++)
        assert_true(isfinite(x[i]) != 0);
    blpo_hypergrad_destroy(solver);
    return report;
}

static double distance(const test_real *x, const double *exact, int64_t p)
{
    double sum = 0.0;
    for (int64_t i = 0; i < p; i++)
        sum = hypot(sum, (double)x[i] - exact[i]);
    return sum;
}

/* The bound of precondition_gauss_newton.c: s = |S| / rho, C = (1 + s) / (1 - s), and "some" roundings: 16. z is wrong by (p + T) eps
 * (|J^T J| + rho) / rho of itself, which is left of the error after each iteration, as if that were the rate: below it x is
 * as good as the roundings of the recurrence. For s = 1/4: q = 1/7 or so. */
static void check_error(int64_t p, int64_t n, double rho, int with_gram)
{
    static problem b;
    test_real x[MOST_P];
    double exact[MOST_P];
    const int64_t m = 8;
    problem_make(&b, p, n, 0.25 * rho);
    const blpo_hypergrad_config config = config_of(rho, m);
    const blpo_hypergrad_report report = solve(&b, &config, with_gram, x);
    dense_shifted_solve(b.hessian, rho, b.v_double, p, exact);
    const double condition = (b.norm + 1.25 * rho) / (0.75 * rho), c = sqrt(1.25 / 0.75), q = (c - 1.0) / (c + 1.0);
    const double of_z = 16.0 * (double)(p + n) * TEST_EPSILON * (b.norm + rho) / rho;
    const double rounding = 16.0 * (double)p * TEST_EPSILON * condition;
    const double bound = (2.0 * pow(q + of_z, (double)m) * sqrt(condition) + rounding) * dense_norm(exact, p);
    if (!(distance(x, exact, p) <= bound))
        print_error("p %d, T %d, rho %g: error %g, bound %g\n", (int)p, (int)n, rho, distance(x, exact, p), bound);
    assert_true(distance(x, exact, p) <= bound);
    assert_true(bound <= 0.5 * dense_norm(exact, p)); /* x = 0 would not pass */
    assert_int_equal(report.method, BLPO_IHVP_CG);
    assert_int_equal(report.rank_used, n);
    assert_true(report.condition_estimate >= 1.0);
    assert_true(report.condition_estimate <= (b.norm + rho) / rho * (1.0 + of_z));
    assert_int_equal(report.fallback + report.indefinite, 0);
}

static void few_iterations_are_within_their_bound_of_the_dense_solve(void **state)
{
    (void)state;
    static const int64_t sizes[8][2] = { { 1, 1 },  { 1, 5 },   { 7, 1 },   { 7, 7 },
                                         { 33, 2 }, { 33, 17 }, { 13, 47 }, { 40, 31 } };
    for (int64_t i = 0; i < TEST_COUNT(sizes); i++)
        for (int with_gram = 0; with_gram <= 1; with_gram++) {
            check_error(sizes[i][0], sizes[i][1], 50.0, with_gram);
            check_error(sizes[i][0], sizes[i][1], 0.5, with_gram);
            check_error(sizes[i][0], sizes[i][1], sizeof(test_real) == sizeof(double) ? 1e-6 : 1e-1, with_gram);
        }
}

/* S = u u^T: P^-1/2 A P^-1/2 is I but for one direction, so two iterations are exact, if the second direction is conjugate to the first. */
static void as_many_iterations_are_exact_as_s_has_rank_and_one_more(void **state)
{
    (void)state;
    static problem b;
    const double rho = 0.5;
    const int64_t p = 33;
    for (int64_t n = 1; n <= MOST_T; n += 23) {
        double exact[MOST_P], u[MOST_P], norm = 0.0;
        test_real x[MOST_P];
        uint64_t state_of_u = 3;
        problem_make(&b, p, n, 0.0);
        for (int64_t i = 0; i < p; i++)
            norm = hypot(norm, u[i] = test_normal(&state_of_u));
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = 0; j < p; j++)
                b.hessian[i * p + j] = (double)(test_real)(b.newton[i * p + j] + 2.0 * u[i] * u[j] / (norm * norm));
        const blpo_hypergrad_config config = config_of(rho, 2);
        solve(&b, &config, 1, x);
        dense_shifted_solve(b.hessian, rho, b.v_double, p, exact);
        const double bound = 32.0 * (double)(p + n) * TEST_EPSILON * (b.norm + 2.0 + rho) / rho * dense_norm(exact, p);
        assert_true(distance(x, exact, p) <= bound);
        assert_true(bound <= 0.1 * dense_norm(exact, p));
    }
}

/* P is A: one iteration, with the error of method gauss_newton, and that twice, for a solution that was scaled by r.z / d.A d. */
static void with_curvature_gauss_newton_one_iteration_is_exact(void **state)
{
    (void)state;
    static problem b;
    for (int64_t n = 1; n <= MOST_T; n += 23)
        for (int with_gram = 0; with_gram <= 1; with_gram++) {
            test_real x[MOST_P];
            double exact[MOST_P];
            problem_make(&b, 33, n, 1.0);
            blpo_hypergrad_config config = config_of(0.5, 40);
            config.curvature = BLPO_CURVATURE_GAUSS_NEWTON;
            config.cg_tolerance = 2e3 * TEST_EPSILON;
            config.report_residual = 1;
            const blpo_hypergrad_report report = solve(&b, &config, with_gram, x);
            dense_shifted_solve(b.newton, 0.5, b.v_double, 33, exact);
            const double bound =
                32.0 * (double)(33 + n) * TEST_EPSILON * (b.norm + 0.5) / 0.5 * dense_norm(b.v_double, 33) / 0.5;
            assert_true(distance(x, exact, 33) <= bound);
            assert_true(bound <= 0.5 * dense_norm(exact, 33));
            assert_int_equal(report.iterations, 1);
            assert_true(report.relative_residual <= 4e3 * TEST_EPSILON);
            assert_int_equal(b.quad.hvp_calls, 0);
        }
}

/* T^3 / 3 for the factor, (14 p) + (2 p) + (2 T^2 + 2 p) an iteration; two products an iteration, T where J J^T has no callback. An
 * iteration is not followed by a product with P^-1 that none needs. */
static void a_solve_costs_what_its_files_state(void **state)
{
    (void)state;
    static problem b;
    for (int64_t m = 1; m <= 4; m++)
        for (int with_gram = 0; with_gram <= 1; with_gram++) {
            test_real x[MOST_P];
            problem_make(&b, 33, 17, 0.4);
            const blpo_hypergrad_config config = config_of(0.5, m);
            const blpo_hypergrad_report report = solve(&b, &config, with_gram, x);
            assert_int_equal(report.iterations, m);
            assert_int_equal(report.n_products, 2 * m + (with_gram ? 0 : 17));
            assert_int_equal(report.n_flops, 17 * 17 * 17 / 3 + (18 * 33 + 2 * 17 * 17) * m);
            assert_int_equal(b.quad.hvp_calls, m);
        }
}

/* |S| = 4 rho: H + rho I has eigenvalues far below 0 wherever J does not reach. Stopping, x is that of the least residual; going on,
 * either that or the last one. */
static void an_indefinite_matrix_is_reported_and_x_is_no_worse_than_nothing(void **state)
{
    (void)state;
    static problem b;
    for (int64_t p = 5; p <= 33; p += 7)
        for (int go_on = 0; go_on <= 1; go_on++) {
            test_real x[MOST_P];
            double x_double[MOST_P], hv[MOST_P];
            problem_make(&b, p, 3, 2.0);
            blpo_hypergrad_config config = config_of(0.5, 60);
            config.cg_negative_curvature = go_on;
            const blpo_hypergrad_report report = solve(&b, &config, 1, x);
            for (int64_t i = 0; i < p; i++)
                x_double[i] = (double)x[i];
            dense_product(b.hessian, b.v_double, p, p, hv);
            const double residual = dense_relative_residual(b.hessian, 0.5, x_double, b.v_double, p);
            const double last = dense_norm(hv, p) / 0.5 / dense_norm(b.v_double, p);
            assert_true(residual <= 1.01 * fmax(1.0, last));
            assert_int_equal(report.indefinite, 1);
            if (!go_on)
                assert_int_equal(report.reason, BLPO_IHVP_REASON_INDEFINITE);
        }
}

static int empty_gram(void *user, double *gram)
{
    (void)user;
    memset(gram, 0, 4 * sizeof *gram);
    return 0;
}

/* J has two rows (1, 0), and the callback for J J^T says 0: P^-1 r = (r_0 - 2 r_0 / rho, r_1). Below H + rho I is the same in all
 * directions, so one iteration without a preconditioner is exact, from wherever it begins. */
static void check_left_out(double h, double rho, test_real v0, test_real v1, int64_t iterations)
{
    const double hessian[4] = { h, 0.0, 0.0, h }, jacobian[4] = { 1.0, 0.0, 1.0, 0.0 };
    quadratic quad = { .p = 2, .hessian = hessian, .jacobian = jacobian, .n_samples = 2 };
    blpo_problem wrong = quadratic_problem(&quad, 1);
    wrong.jacobian_gram = empty_gram;
    const blpo_hypergrad_config config = config_of(rho, iterations);
    blpo_hypergrad *solver = NULL;
    blpo_hypergrad_report report = empty_report();
    const test_real v[2] = { v0, v1 };
    test_real x[2];
    assert_status(blpo_hypergrad_create(&wrong, &config, NULL, &solver), BLPO_OK);
    assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
    for (int i = 0; i < 2; i++)
        assert_close(x[i], (double)v[i] / (h + rho), 16.0 * TEST_EPSILON, 16.0 * TEST_EPSILON);
    assert_int_equal(report.iterations, iterations);
    assert_int_equal(report.method, BLPO_IHVP_CG);
    assert_int_equal(report.fallback, 1);
    assert_int_equal(report.reason, BLPO_IHVP_REASON_SINGULAR);
    blpo_hypergrad_destroy(solver);
}

/* With rho = 1/4 the first number of P^-1 r is -7 r_0. For v = (1, 3) r.z = 2 at first, and the step leaves r = (36, 84) / 29 of it,
 * where r.z is below 0. */
static void a_preconditioner_that_is_not_positive_is_left_out(void **state)
{
    (void)state;
    check_left_out(3.0, 0.25, 2, 0, 1);
    check_left_out(0.75, 0.25, 1, 3, 2);
}

/* (J J^T + rho I)^-1 J r = 1 / rho is beyond all numbers: J^T must not be asked for its product with that. */
static void a_preconditioner_that_overflows_is_left_out(void **state)
{
    (void)state;
    check_left_out(3.0, 0.25 / TEST_REAL_MAX, 2, 0, 1);
}

/* rho far below the rounding errors of J J^T, T > p, so that J J^T is singular: whatever the factor is, x is finite, and what stands
 * in the report is true. */
static void a_tiny_rho_gives_a_finite_x_and_an_honest_report(void **state)
{
    (void)state;
    static problem b;
    for (double rho = 1e-4; rho > 1e-30; rho *= 1e-4)
        for (int with_gram = 0; with_gram <= 1; with_gram++) {
            test_real x[MOST_P];
            problem_make(&b, 13, 47, 0.0);
            blpo_hypergrad_config config = config_of(rho, 10);
            config.report_residual = 1;
            const blpo_hypergrad_report report = solve(&b, &config, with_gram, x);
            double x_double[MOST_P];
            for (int64_t i = 0; i < 13; i++)
                x_double[i] = (double)x[i];
            const double residual = dense_relative_residual(b.hessian, rho, x_double, b.v_double, 13);
            assert_close(report.relative_residual, residual, 1e-3,
                         1e3 * TEST_EPSILON * (1.0 + dense_norm(x_double, 13)));
            assert_int_equal(report.fallback, report.reason != BLPO_IHVP_REASON_NONE);
        }
}

/* Each callback in one of its calls of a solve: jvp and vjp are called once for z, 17 times more for J J^T without a callback. */
static void check_fault(int callback, int64_t call, int verdict, int with_gram, const char *name)
{
    static problem b;
    test_real x[MOST_P] = { 7 };
    const int code = verdict != 0 ? BLPO_ERR_CALLBACK : BLPO_ERR_NONFINITE;
    problem_make(&b, 33, 17, 0.4);
    const blpo_hypergrad_config config = config_of(0.5, 4);
    blpo_hypergrad *solver = solver_new(&b.quad, with_gram, &config);
    b.quad.fault = callback;
    b.quad.fault_at = call;
    b.quad.verdict = verdict;
    b.quad.nan_at = 11;
    assert_status(blpo_hypergrad_solve(solver, b.v, x, NULL), code);
    assert_error_names(blpo_hypergrad_error(solver), code, name);
    assert_true(x[0] == 7);
    b.quad.fault = 0;
    assert_status(blpo_hypergrad_solve(solver, b.v, x, NULL), BLPO_OK);
    blpo_hypergrad_destroy(solver);
}

static void a_callback_that_fails_in_any_of_its_calls_is_named(void **state)
{
    (void)state;
    for (int verdict = -1; verdict <= 1; verdict++) {
        for (int64_t call = 1; call <= 4; call++) {
            check_fault(QUADRATIC_HVP, call, verdict, 1, "hvp");
            check_fault(QUADRATIC_JVP, call, verdict, 1, "jvp");
            check_fault(QUADRATIC_VJP, call, verdict, 1, "vjp");
            check_fault(QUADRATIC_JVP, 5 * call, verdict, 0, "jvp");
            check_fault(QUADRATIC_VJP, 5 * call, verdict, 0, "vjp");
        }
        check_fault(QUADRATIC_GRAM, 1, verdict, 1, "jacobian_gram");
    }
}

static void create_unwinds_when_any_allocation_fails_and_solving_takes_none(void **state)
{
    (void)state;
    static problem b;
    counted_memory memory = { 0 };
    blpo_error error = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, &error);
    const blpo_hypergrad_config config = config_of(0.5, 4);
    blpo_hypergrad *solver = NULL;
    test_real x[MOST_P];
    problem_make(&b, 33, 17, 0.4);
    const blpo_problem callbacks = quadratic_problem(&b.quad, 0);
    assert_status(blpo_hypergrad_create(&callbacks, &config, &runtime, &solver), BLPO_OK);
    const int64_t calls = memory.calls;
    assert_status(blpo_hypergrad_solve(solver, b.v, x, NULL), BLPO_OK);
    assert_int_equal(memory.calls, calls);
    blpo_hypergrad_destroy(solver);
    assert_all_released(&memory);
    for (int64_t n = 1; n <= calls; n++) {
        blpo_hypergrad *out = NULL;
        memory = (counted_memory){ .fail_at = n };
        assert_status(blpo_hypergrad_create(&callbacks, &config, &runtime, &out), BLPO_ERR_NOMEM);
        assert_null(out);
        assert_int_equal(error.code, BLPO_ERR_NOMEM);
        assert_all_released(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_iterations_are_within_their_bound_of_the_dense_solve),
        cmocka_unit_test(as_many_iterations_are_exact_as_s_has_rank_and_one_more),
        cmocka_unit_test(with_curvature_gauss_newton_one_iteration_is_exact),
        cmocka_unit_test(a_solve_costs_what_its_files_state),
        cmocka_unit_test(an_indefinite_matrix_is_reported_and_x_is_no_worse_than_nothing),
        cmocka_unit_test(a_preconditioner_that_is_not_positive_is_left_out),
        cmocka_unit_test(a_preconditioner_that_overflows_is_left_out),
        cmocka_unit_test(a_tiny_rho_gives_a_finite_x_and_an_honest_report),
        cmocka_unit_test(a_callback_that_fails_in_any_of_its_calls_is_named),
        cmocka_unit_test(create_unwinds_when_any_allocation_fails_and_solving_takes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
