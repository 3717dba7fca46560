/* x ~ (H + rho I)^-1 v by every method, against solves in long double that are written without the library. */
#include "support/check.h"
#include "support/dense.h"
#include "support/spectra.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { METHODS = BLPO_IHVP_GAUSS_NEWTON + 1, CURVATURES = 2 };

typedef struct run {
    spectrum matrix;
    double jacobian[SPECTRUM_MAX_JACOBIAN];
    quadratic quad;
    test_real v[SPECTRUM_MAX_P];
    double v_double[SPECTRUM_MAX_P];
    test_real *x; /* guarded */
    blpo_hypergrad_report report;
} run;

static void run_begin_curved(run *r, int which, int curvature)
{
    memset(r, 0, sizeof *r);
    spectrum_curved(which, curvature, &r->matrix, r->jacobian, &r->quad);
    spectrum_vector(r->quad.p, 99, r->v, r->v_double);
    r->x = guarded_new(r->quad.p);
}

static void run_begin(run *r, int which)
{
    run_begin_curved(r, which, BLPO_CURVATURE_HESSIAN);
}

/* One solve with a solver of its own. index NULL: random draws. */
static void run_solve(run *r, const blpo_hypergrad_config *config, int with_rows, const int64_t *index)
{
    blpo_hypergrad *solver = solver_new(&r->quad, with_rows, config);
    if (index)
        assert_status(blpo_hypergrad_set_indices(solver, index, config->nystrom_rank), BLPO_OK);
    test_real *v = guarded_copy(r->v, r->quad.p);
    r->report = empty_report();
    assert_status(blpo_hypergrad_solve(solver, v, r->x, &r->report), BLPO_OK);
    assert_memory_equal(v, r->v, (size_t)r->quad.p * sizeof *v);
    guarded_free(v);
    assert_int_equal(r->quad.overlaps, 0);
    if (config->curvature == BLPO_CURVATURE_GAUSS_NEWTON)
        assert_int_equal(r->quad.hvp_calls + r->quad.rows_calls, 0);
    assert_status(r->report.status, BLPO_OK);
    blpo_hypergrad_destroy(solver);
}

/* Every method, with either curvature. */
static blpo_hypergrad_config config_of_kind(int kind)
{
    blpo_hypergrad_config config = solver_config(kind % METHODS, 4, 1.0, 1.0);
    config.curvature = kind / METHODS;
    return config;
}

static void run_end(run *r)
{
    guarded_free(r->x);
}

static int64_t some_indices(int64_t p, int64_t k, int64_t *index)
{
    for (int64_t i = 0; i < k; i++)
        index[i] = (i * 7 + 3) % p; /* 7 and p = 20 have no common divisor: distinct */
    return k;
}

/* v is scaled to norm 1, divided by rho and scaled back: three roundings, and one of the norm; 8 eps is twice that. */
static void none_is_v_over_rho_and_asks_for_no_product(void **state)
{
    (void)state;
    run r;
    run_begin(&r, 0);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NONE, 1, 0.7, 0.0);
    run_solve(&r, &config, 1, NULL);
    for (int64_t i = 0; i < r.quad.p; i++)
        assert_close(r.x[i], r.v_double[i] / 0.7, 8.0 * TEST_EPSILON, 0.0);
    assert_int_equal(r.quad.hvp_calls + r.quad.rows_calls, 0);
    assert_int_equal(r.report.n_products, 0);
    assert_int_equal(r.report.rank_used, 0);
    assert_int_equal(r.report.fallback, 0);
    assert_int_equal(r.report.method, BLPO_IHVP_NONE);
    run_end(&r);
}

/* The formula of the header evaluated as it stands; the bound is derived in dense.h. */
static void check_nystrom(int which, int64_t k, double rho, double shift, int with_rows)
{
    run r;
    run_begin(&r, which);
    int64_t index[SPECTRUM_MAX_P];
    k = some_indices(r.quad.p, k < r.quad.p ? k : r.quad.p, index);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, k, rho, shift);
    run_solve(&r, &config, with_rows, index);
    double expected[SPECTRUM_MAX_P];
    dense_nystrom(r.matrix.hessian, r.quad.p, index, k, rho, shift, r.v_double, expected, NULL);
    const double bound = dense_nystrom_bound(r.matrix.hessian, r.quad.p, index, k, rho, shift, r.v_double);
    assert_near(r.x, expected, r.quad.p, 0.0, bound);
    assert_int_equal(r.report.fallback, 0);
    assert_int_equal(r.report.method, BLPO_IHVP_NYSTROM);
    assert_int_equal(r.report.rank_used, k);
    assert_int_equal(r.report.n_products, k);
    assert_true(with_rows ? r.quad.hvp_calls == 0 : r.quad.hvp_calls == k && r.quad.rows_calls == 0);
    run_end(&r);
}

static void nystrom_is_its_formula_with_rows_from_hessian_rows(void **state)
{
    (void)state;
    for (int which = 0; which < SPECTRUM_COUNT; which++)
        for (int64_t k = 1; k <= 10; k += 4) {
            check_nystrom(which, k, 50.0, 1.0, 1);
            check_nystrom(which, k, 0.5, 1e-2, 1);
        }
}

static void nystrom_is_its_formula_with_rows_from_hvp(void **state)
{
    (void)state;
    for (int which = 0; which < SPECTRUM_COUNT; which++)
        check_nystrom(which, 5, 0.5, 1.0, 0);
}

/* s = 0 where the core is invertible: the definite and the one-by-one matrix. */
static void nystrom_without_shift_is_its_formula(void **state)
{
    (void)state;
    check_nystrom(0, 5, 0.5, 0.0, 1);
    check_nystrom(0, 1, 50.0, 0.0, 1);
    check_nystrom(6, 1, 0.25, 0.0, 1);
}

/* Rows copied or multiplied out with unit vectors are the same numbers, and so is everything after them. */
static void nystrom_gives_equal_bits_with_and_without_hessian_rows(void **state)
{
    (void)state;
    run a, b;
    run_begin(&a, 2);
    run_begin(&b, 2);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 6, 2.0, 0.5);
    run_solve(&a, &config, 1, NULL);
    run_solve(&b, &config, 0, NULL);
    assert_memory_equal(a.x, b.x, (size_t)a.quad.p * sizeof *a.x);
    run_end(&a);
    run_end(&b);
}

/* k = p and s = 0: C is H with its rows permuted and the sketch is exact (Woodbury), so the dense solve must come out. The
 * spectrum 1 .. 2 with rho = 0.5 puts that of the core in [3, 10]; the bound of dense.h holds as for any other k. */
static void nystrom_of_full_rank_is_the_exact_inverse(void **state)
{
    (void)state;
    run r;
    run_begin(&r, 0);
    const int64_t p = r.quad.p;
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, p, 0.5, 0.0);
    run_solve(&r, &config, 1, NULL);
    int64_t index[SPECTRUM_MAX_P];
    double exact[SPECTRUM_MAX_P];
    some_indices(p, p, index);
    dense_shifted_solve(r.matrix.hessian, 0.5, r.v_double, p, exact);
    assert_near(r.x, exact, p, 0.0, dense_nystrom_bound(r.matrix.hessian, p, index, p, 0.5, 0.0, r.v_double));
    run_end(&r);
}

/* The core of H = [h], I = {0}, s = 0 is h + h^2/rho; for -rho < h < 0 it is negative, and x = v / (rho + h) all the same.
 * h = -1, rho = 4: x = v / 3, from v/4 + v/12. Ten roundings of numbers of that size. */
static void nystrom_with_an_indefinite_core_says_so_and_solves(void **state)
{
    (void)state;
    const double h = -1.0;
    const test_real v = (test_real)1.5;
    test_real x;
    quadratic quad = { .p = 1, .hessian = &h };
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 1, 4.0, 0.0);
    blpo_hypergrad *solver = solver_new(&quad, 1, &config);
    blpo_hypergrad_report report = empty_report();
    assert_status(blpo_hypergrad_solve(solver, &v, &x, &report), BLPO_OK);
    assert_close(x, 0.5, 10.0 * TEST_EPSILON, 0.0);
    assert_int_equal(report.indefinite, 1);
    assert_int_equal(report.fallback, 0);
    blpo_hypergrad_destroy(solver);
}

/* Backward stable elimination leaves a residual of a few p eps |A| |x|, so |x - x*| <= 8 p eps cond(A) |x*|, cond at most
 * (norm + rho) / (smallest + rho). rho = 1 makes every matrix here definite, the indefinite one (-0.3) included. */
static void dense_is_the_exact_inverse(void **state)
{
    (void)state;
    for (int which = 0; which < SPECTRUM_COUNT; which++) {
        run r;
        run_begin(&r, which);
        const blpo_hypergrad_config config = solver_config(BLPO_IHVP_DENSE, 1, 1.0, 0.0);
        run_solve(&r, &config, which % 2, NULL);
        double exact[SPECTRUM_MAX_P];
        dense_shifted_solve(r.matrix.hessian, 1.0, r.v_double, r.quad.p, exact);
        const double condition = (r.matrix.norm + 1.0) / (r.matrix.smallest + 1.0);
        assert_near(r.x, exact, r.quad.p, 8.0 * (double)r.quad.p * TEST_EPSILON * condition, 0.0);
        assert_int_equal(r.report.rank_used, r.quad.p);
        assert_int_equal(r.report.n_products, r.quad.p);
        assert_int_equal(r.report.fallback, 0);
        assert_int_equal(r.report.indefinite, 0);
        run_end(&r);
    }
}

/* rho = 0.25 takes the eigenvalues -0.3, -0.2 and -0.1 to -0.05, 0.05 and 0.15: indefinite, and none is near zero. The
 * largest is 24.25, so the condition is 24.25 / 0.05. */
static void dense_solves_an_indefinite_matrix_and_says_so(void **state)
{
    (void)state;
    run r;
    run_begin(&r, 2);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_DENSE, 1, 0.25, 0.0);
    run_solve(&r, &config, 1, NULL);
    double exact[SPECTRUM_MAX_P];
    dense_shifted_solve(r.matrix.hessian, 0.25, r.v_double, r.quad.p, exact);
    assert_near(r.x, exact, r.quad.p, 8.0 * (double)r.quad.p * TEST_EPSILON * 24.25 / 0.05, 0.0);
    assert_int_equal(r.report.indefinite, 1);
    assert_int_equal(r.report.fallback, 0);
    run_end(&r);
}

/* The condition number in the 1-norm lies within a factor p of the one in the 2-norm; LAPACK's estimate is a lower bound
 * that is seldom below a third of the truth. Eigenvalues 2 .. 3 (rho = 1): the 2-norm condition is 1.5. */
static void dense_reports_a_plausible_condition(void **state)
{
    (void)state;
    run r;
    run_begin(&r, 0);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_DENSE, 1, 1.0, 0.0);
    run_solve(&r, &config, 1, NULL);
    assert_true(r.report.condition_estimate >= 1.0);
    assert_true(r.report.condition_estimate <= 1.5 * (double)r.quad.p);
    run_end(&r);
}

/* Condition 2.5 / 1.5: a step multiplies the error of the step before by less than 2 and adds some p eps relative to |x|;
 * after 3 steps 8 p eps, doubled. */
static void cg_makes_the_iterations_asked_for(void **state)
{
    (void)state;
    run r;
    run_begin(&r, 0);
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_CG, 1, 0.5, 0.0);
    config.cg_iterations = 3;
    run_solve(&r, &config, 0, NULL);
    double expected[SPECTRUM_MAX_P];
    assert_int_equal(dense_cg(r.matrix.hessian, r.quad.p, 0.5, r.v_double, 3, 0, expected), 3);
    assert_near(r.x, expected, r.quad.p, 16.0 * (double)r.quad.p * TEST_EPSILON, 0.0);
    assert_int_equal(r.report.iterations, 3);
    assert_int_equal(r.report.n_products, 3);
    assert_int_equal(r.quad.hvp_calls, 3);
    assert_int_equal(r.report.fallback, 0);
    run_end(&r);
}

/* sqrt(condition) = 1.3: the error falls by (1.3 - 1) / (1.3 + 1) = 0.13 an iteration, 1e-9 after 10 and 2e-16 after 18.
 * What remains is rounding: condition times some p eps. 25 iterations, more than p, must do no harm. */
static void cg_converges_to_the_exact_inverse_and_stays(void **state)
{
    (void)state;
    run r;
    run_begin(&r, 0);
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_CG, 1, 0.5, 0.0);
    config.cg_iterations = 25;
    run_solve(&r, &config, 0, NULL);
    double exact[SPECTRUM_MAX_P];
    dense_shifted_solve(r.matrix.hessian, 0.5, r.v_double, r.quad.p, exact);
    assert_near(r.x, exact, r.quad.p, 16.0 * (double)r.quad.p * TEST_EPSILON, 0.0);
    run_end(&r);
}

/* Stops as soon as |r| <= 0.1 |v|: by the rate above after 2 or 3 of 10 iterations, with a preconditioner, whose condition is at most
 * (2 |H| + rho) / rho = 9 and whose rate is 0.5, after a few more; never after all. The true residual is the recurrence's to
 * rounding. */
static void cg_stops_at_its_tolerance(void **state)
{
    (void)state;
    static const int methods[2] = { BLPO_IHVP_CG, BLPO_IHVP_NYSTROM_PCG };
    for (int i = 0; i < 2; i++) {
        run r;
        run_begin(&r, 0);
        blpo_hypergrad_config config = solver_config(methods[i], 1, 0.5, 0.0);
        config.cg_tolerance = 0.1;
        run_solve(&r, &config, 0, NULL);
        double x[SPECTRUM_MAX_P];
        for (int64_t j = 0; j < r.quad.p; j++)
            x[j] = (double)r.x[j];
        assert_true(r.report.iterations >= 1 && r.report.iterations < 10);
        assert_true(dense_relative_residual(r.matrix.hessian, 0.5, x, r.v_double, r.quad.p) <= 0.1 * (1.0 + 1e-4));
        run_end(&r);
    }
}

/* H = -2 I, rho = 1: the first direction has negative curvature. */
static void cg_meeting_negative_curvature_says_so_and_stays_finite(void **state)
{
    (void)state;
    const double h[4] = { -2.0, 0.0, 0.0, -2.0 };
    const test_real v[2] = { 1, 2 };
    test_real x[2];
    quadratic quad = { .p = 2, .hessian = h };
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_CG, 1, 1.0, 0.0);
    blpo_hypergrad *solver = solver_new(&quad, 0, &config);
    blpo_hypergrad_report report = empty_report();
    assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
    assert_true(isfinite(x[0]) && isfinite(x[1]));
    assert_int_equal(report.indefinite, 1);
    assert_int_equal(report.fallback, 1);
    blpo_hypergrad_destroy(solver);
}

/* Nothing is left of the core or matrix: its pseudo-inverse is zero, and x = share v. */
static void check_fallback(const double *h, int64_t p, const blpo_hypergrad_config *config, double share)
{
    quadratic quad = { .p = p, .hessian = h };
    test_real v[SPECTRUM_MAX_P], x[SPECTRUM_MAX_P];
    double v_double[SPECTRUM_MAX_P];
    spectrum_vector(p, 5, v, v_double);
    blpo_hypergrad *solver = solver_new(&quad, 1, config);
    blpo_hypergrad_report report = empty_report();
    assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
    for (int64_t i = 0; i < p; i++)
        assert_close(x[i], share * v_double[i], 8.0 * TEST_EPSILON, 0.0);
    assert_int_equal(report.fallback, 1);
    assert_int_equal(report.method, config->method);
    assert_int_equal(report.rank_used, 0);
    blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
    assert_status(blpo_hypergrad_get_stats(solver, &stats), BLPO_OK);
    assert_int_equal(stats.n_fallback, 1);
    assert_int_equal(stats.n_solves, 1);
    assert_int_equal(stats.n_failed, 0);
    blpo_hypergrad_destroy(solver);
}

/* H = 0 and s = 0: the core is the zero matrix. */
static void nystrom_with_a_zero_core_gives_v_over_rho(void **state)
{
    (void)state;
    const double zero[9] = { 0 };
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 2, 0.7, 0.0);
    check_fallback(zero, 3, &config, 1.0 / 0.7);
}

/* I holds a row that no sample touches: one row and column of the core are zero, the others are sound. */
static void nystrom_with_one_zero_row_and_no_shift_stays_finite(void **state)
{
    (void)state;
    run r;
    run_begin(&r, 4);
    const int64_t index[3] = { 0, 1, 2 }; /* row 1 is zero */
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 3, 0.7, 0.0);
    run_solve(&r, &config, 1, index);
    for (int64_t i = 0; i < r.quad.p; i++)
        assert_true(isfinite(r.x[i]));
    assert_int_equal(r.report.fallback, 1);
    assert_int_equal(r.report.method, BLPO_IHVP_NYSTROM);
    assert_int_equal(r.report.rank_used, 2);
    run_end(&r);
}

/* H = -rho I: the matrix is exactly zero, so any x is a solution of least squares; zero is the shortest. */
static void dense_with_a_zero_matrix_gives_the_solution_of_least_norm(void **state)
{
    (void)state;
    const double h[9] = { -0.5, 0, 0, 0, -0.5, 0, 0, 0, -0.5 };
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_DENSE, 1, 0.5, 0.0);
    check_fallback(h, 3, &config, 0.0);
}

/* Measured in test_real by one product: p products a row, so p eps (|H| + rho) |x| / |v|, doubled; a product with J and one with its
 * transpose are some p eps each too, relative to |J|^2 <= the trace, which is the norm that is on record. */
static void the_reported_residual_is_the_true_one(void **state)
{
    (void)state;
    for (int kind = 0; kind < METHODS * CURVATURES; kind++) {
        run r;
        blpo_hypergrad_config config = config_of_kind(kind);
        run_begin_curved(&r, 2, config.curvature);
        config.report_residual = 1;
        config.cg_iterations = 4;
        run_solve(&r, &config, 1, NULL);
        double x[SPECTRUM_MAX_P];
        for (int64_t i = 0; i < r.quad.p; i++)
            x[i] = (double)r.x[i];
        const double expected = dense_relative_residual(r.matrix.hessian, 1.0, x, r.v_double, r.quad.p);
        const double size = (r.matrix.norm + 1.0) * dense_norm(x, r.quad.p) / dense_norm(r.v_double, r.quad.p);
        assert_close(r.report.relative_residual, expected, 0.0, 2.0 * (double)r.quad.p * TEST_EPSILON * size);
        const int64_t own[METHODS] = { 0, 4, 4, r.quad.p, 8, 15, 1 };
        assert_int_equal(r.report.n_products, own[config.method] + 1);
        run_end(&r);
    }
}

static void the_residual_is_minus_one_where_it_was_not_measured(void **state)
{
    (void)state;
    run r;
    run_begin(&r, 0);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 4, 1.0, 1.0);
    run_solve(&r, &config, 1, NULL);
    assert_true(r.report.relative_residual == -1.0);
    run_end(&r);
}

/* Scaling by a power of two changes no bit of v / |v|, and none of x but its exponent. */
static void tiny_and_huge_right_hand_sides_give_the_same_direction(void **state)
{
    (void)state;
    for (int kind = 0; kind < METHODS * CURVATURES; kind++) {
        const blpo_hypergrad_config config = config_of_kind(kind);
        run plain;
        run_begin_curved(&plain, 0, config.curvature);
        run_solve(&plain, &config, 1, NULL);
        for (int sign = -1; sign <= 1; sign += 2) {
            run scaled;
            run_begin_curved(&scaled, 0, config.curvature);
            for (int64_t i = 0; i < scaled.quad.p; i++) /* 2^100 = 1.3e30: its square is infinite in float */
                scaled.v[i] = (test_real)ldexp((double)plain.v[i], sign * 100);
            run_solve(&scaled, &config, 1, NULL);
            for (int64_t i = 0; i < scaled.quad.p; i++)
                assert_close(ldexp((double)scaled.x[i], sign * -100), plain.x[i], 4.0 * TEST_EPSILON, 0.0);
            run_end(&scaled);
        }
        run_end(&plain);
    }
}

static test_real solve_one(quadratic *quad, const blpo_hypergrad_config *config, test_real v)
{
    blpo_hypergrad *solver = solver_new(quad, 1, config);
    test_real x = 0;
    assert_status(blpo_hypergrad_solve(solver, &v, &x, NULL), BLPO_OK);
    blpo_hypergrad_destroy(solver);
    return x;
}

/* v is a power of two below the largest number, H = 1024^2 and J = 1024: H v and J v have no number, but no method needs one. */
static void a_right_hand_side_whose_products_overflow_is_solved(void **state)
{
    (void)state;
    const double h = 1048576.0, jacobian = 1024.0;
    const int exponent = sizeof(test_real) == sizeof(double) ? DBL_MAX_EXP - 3 : FLT_MAX_EXP - 3;
    quadratic quad = { .p = 1, .hessian = &h, .jacobian = &jacobian, .n_samples = 1 };
    for (int kind = 0; kind < METHODS * CURVATURES; kind++) {
        blpo_hypergrad_config config = config_of_kind(kind);
        config.nystrom_rank = 1;
        const test_real one = solve_one(&quad, &config, 1);
        const test_real huge = solve_one(&quad, &config, (test_real)ldexp(1.0, exponent));
        assert_true(ldexp((double)huge, -exponent) == (double)one);
    }
}

static void a_zero_right_hand_side_gives_zero_and_no_nan_in_the_report(void **state)
{
    (void)state;
    for (int kind = 0; kind < METHODS * CURVATURES; kind++) {
        run r;
        blpo_hypergrad_config config = config_of_kind(kind);
        run_begin_curved(&r, 0, config.curvature);
        memset(r.v, 0, sizeof r.v);
        config.report_residual = 1;
        run_solve(&r, &config, 1, NULL);
        for (int64_t i = 0; i < r.quad.p; i++)
            assert_true(r.x[i] == 0);
        assert_true(!isnan(r.report.relative_residual));
        assert_true(!isnan(r.report.condition_estimate));
        run_end(&r);
    }
}

static void x_may_be_v(void **state)
{
    (void)state;
    for (int kind = 0; kind < METHODS * CURVATURES; kind++) {
        run r;
        blpo_hypergrad_config config = config_of_kind(kind);
        run_begin_curved(&r, 0, config.curvature);
        config.report_residual = 1;
        run_solve(&r, &config, 1, NULL);
        blpo_hypergrad *solver = solver_new(&r.quad, 1, &config);
        blpo_hypergrad_report report = empty_report();
        assert_status(blpo_hypergrad_solve(solver, r.v, r.v, &report), BLPO_OK);
        assert_memory_equal(r.v, r.x, (size_t)r.quad.p * sizeof *r.v);
        assert_true(report.relative_residual == r.report.relative_residual);
        blpo_hypergrad_destroy(solver);
        run_end(&r);
    }
}

/* v is near the largest number and rho small: v / rho has no number. */
static void an_answer_that_overflows_is_an_error_and_leaves_x(void **state)
{
    (void)state;
    const double h = 0.0;
    const test_real v = (test_real)(TEST_REAL_MAX / 2);
    test_real x = 42;
    quadratic quad = { .p = 1, .hessian = &h, .jacobian = &h, .n_samples = 1 };
    for (int kind = 0; kind < METHODS * CURVATURES; kind++) {
        blpo_hypergrad_config config = config_of_kind(kind);
        config.nystrom_rank = 1;
        config.nystrom_rho = 1e-3;
        blpo_hypergrad *solver = solver_new(&quad, 1, &config);
        assert_status(blpo_hypergrad_solve(solver, &v, &x, NULL), BLPO_ERR_NONFINITE);
        assert_true(x == 42);
        blpo_hypergrad_destroy(solver);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_v_over_rho_and_asks_for_no_product),
        cmocka_unit_test(nystrom_is_its_formula_with_rows_from_hessian_rows),
        cmocka_unit_test(nystrom_is_its_formula_with_rows_from_hvp),
        cmocka_unit_test(nystrom_without_shift_is_its_formula),
        cmocka_unit_test(nystrom_gives_equal_bits_with_and_without_hessian_rows),
        cmocka_unit_test(nystrom_of_full_rank_is_the_exact_inverse),
        cmocka_unit_test(nystrom_with_an_indefinite_core_says_so_and_solves),
        cmocka_unit_test(dense_is_the_exact_inverse),
        cmocka_unit_test(dense_solves_an_indefinite_matrix_and_says_so),
        cmocka_unit_test(dense_reports_a_plausible_condition),
        cmocka_unit_test(cg_makes_the_iterations_asked_for),
        cmocka_unit_test(cg_converges_to_the_exact_inverse_and_stays),
        cmocka_unit_test(cg_stops_at_its_tolerance),
        cmocka_unit_test(cg_meeting_negative_curvature_says_so_and_stays_finite),
        cmocka_unit_test(nystrom_with_a_zero_core_gives_v_over_rho),
        cmocka_unit_test(nystrom_with_one_zero_row_and_no_shift_stays_finite),
        cmocka_unit_test(dense_with_a_zero_matrix_gives_the_solution_of_least_norm),
        cmocka_unit_test(the_reported_residual_is_the_true_one),
        cmocka_unit_test(the_residual_is_minus_one_where_it_was_not_measured),
        cmocka_unit_test(tiny_and_huge_right_hand_sides_give_the_same_direction),
        cmocka_unit_test(a_right_hand_side_whose_products_overflow_is_solved),
        cmocka_unit_test(a_zero_right_hand_side_gives_zero_and_no_nan_in_the_report),
        cmocka_unit_test(x_may_be_v),
        cmocka_unit_test(an_answer_that_overflows_is_an_error_and_leaves_x),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
