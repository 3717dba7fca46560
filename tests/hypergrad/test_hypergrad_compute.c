/* The hypergradient: direct - min(1, kappa |direct| / (|implicit| + 1e-8)) implicit, with implicit = B x. */
#include "support/check.h"
#include "support/dense.h"
#include "support/spectra.h"

#include <math.h>
#include <string.h>

enum { Q = 7 };

typedef struct game {
    spectrum matrix;
    quadratic quad;
    double mixed[Q * SPECTRUM_MAX_P];
    test_real v[SPECTRUM_MAX_P], direct[Q];
    double v_double[SPECTRUM_MAX_P], direct_double[Q], implicit[Q];
    test_real *out; /* guarded */
    blpo_hypergrad_report report;
} game;

/* implicit is that of method none with rho = 0.5: x = 2 v, to rounding. */
static void game_begin(game *g)
{
    uint64_t seed = 3;
    memset(g, 0, sizeof *g);
    spectrum_make(0, &g->matrix);
    g->quad.p = g->matrix.p;
    g->quad.q = Q;
    g->quad.hessian = g->matrix.hessian;
    g->quad.mixed = g->mixed;
    for (int64_t i = 0; i < Q * g->quad.p; i++)
        g->mixed[i] = (double)(test_real)test_normal(&seed);
    spectrum_vector(g->quad.p, 4, g->v, g->v_double);
    spectrum_vector(Q, 5, g->direct, g->direct_double);
    double x[SPECTRUM_MAX_P];
    for (int64_t i = 0; i < g->quad.p; i++)
        x[i] = 2.0 * g->v_double[i];
    dense_product(g->mixed, x, Q, g->quad.p, g->implicit);
    g->out = guarded_new(Q);
}

static blpo_hypergrad_config game_config(double kappa)
{
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NONE, 1, 0.5, 0.0);
    config.kappa = kappa;
    return config;
}

static int64_t game_compute(game *g, double kappa)
{
    const blpo_hypergrad_config config = game_config(kappa);
    blpo_hypergrad *solver = solver_new(&g->quad, 1, &config);
    test_real *direct = guarded_copy(g->direct, Q), *v = guarded_copy(g->v, g->quad.p);
    g->report = empty_report();
    assert_status(blpo_hypergrad_compute(solver, direct, v, g->out, &g->report), BLPO_OK);
    assert_memory_equal(direct, g->direct, Q * sizeof *direct);
    assert_memory_equal(v, g->v, (size_t)g->quad.p * sizeof *v);
    guarded_free(direct);
    guarded_free(v);
    assert_int_equal(g->quad.overlaps, 0);
    blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
    assert_status(blpo_hypergrad_get_stats(solver, &stats), BLPO_OK);
    blpo_hypergrad_destroy(solver);
    return stats.n_bound;
}

/* x carries 8 roundings, B x is exact in the callback but for its last rounding: relative to |B| |x| 16 eps, and one more
 * for the subtraction. |B|_F |x| <= 16 |implicit| here: the matrix is random with Q = 7 rows, so not nearly orthogonal to x. */
static double game_bound(const game *g)
{
    return 16.0 * TEST_EPSILON * (16.0 * dense_norm(g->implicit, Q) + dense_norm(g->direct_double, Q));
}

static void check_hypergradient(const game *g, double scale)
{
    double expected[Q], dot = 0.0;
    const double direct = dense_norm(g->direct_double, Q), implicit = dense_norm(g->implicit, Q);
    for (int i = 0; i < Q; i++) {
        expected[i] = g->direct_double[i] - scale * g->implicit[i];
        dot += g->direct_double[i] * g->implicit[i];
    }
    const double bound = game_bound(g);
    assert_near(g->out, expected, Q, 0.0, bound);
    assert_close(g->report.direct_norm, direct, 0.0, bound);
    assert_close(g->report.implicit_norm, implicit, 0.0, bound);
    assert_close(g->report.cosine, dot / direct / implicit, 0.0, bound * (1.0 / direct + 1.0 / implicit));
    assert_close(g->report.bound_scale, scale, 0.0, bound / implicit);
    assert_close(g->report.hypergradient_norm, dense_norm(expected, Q), 0.0, bound);
}

static void without_a_bound_it_is_direct_minus_implicit(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    assert_int_equal(game_compute(&g, (double)INFINITY), 0);
    assert_true(g.report.bound_scale == 1.0);
    check_hypergradient(&g, 1.0);
    guarded_free(g.out);
}

/* |B| |x| <= 16 |implicit|: what game_bound() supposes */
static void the_mixed_matrix_is_not_nearly_orthogonal_to_x(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    assert_true(dense_norm(g.mixed, Q * g.quad.p) * 2.0 * dense_norm(g.v_double, g.quad.p)
                <= 16.0 * dense_norm(g.implicit, Q));
    guarded_free(g.out);
}

/* kappa = 0.1 with |implicit| > |direct|: the bound acts, and |bounded implicit| is 0.1 |direct|. */
static void kappa_bounds_the_implicit_term(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    assert_int_equal(game_compute(&g, 0.1), 1);
    const double scale = 0.1 * dense_norm(g.direct_double, Q) / (dense_norm(g.implicit, Q) + 1e-8);
    assert_true(scale < 1.0);
    check_hypergradient(&g, scale);
    guarded_free(g.out);
}

static void a_kappa_that_is_not_reached_changes_nothing(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    assert_int_equal(game_compute(&g, 1e3), 0);
    check_hypergradient(&g, 1.0);
    guarded_free(g.out);
}

/* infinity times 0 is NaN: a bound that is off must stay off. */
static void no_bound_and_a_zero_direct_term_give_minus_implicit(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    memset(g.direct, 0, sizeof g.direct);
    memset(g.direct_double, 0, sizeof g.direct_double);
    game_compute(&g, (double)INFINITY);
    double expected[Q];
    for (int i = 0; i < Q; i++)
        expected[i] = -g.implicit[i];
    assert_near(g.out, expected, Q, 0.0, game_bound(&g));
    assert_true(g.report.cosine == 0.0);
    assert_true(g.report.bound_scale == 1.0);
    guarded_free(g.out);
}

static void a_finite_kappa_and_a_zero_direct_term_give_zero(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    memset(g.direct, 0, sizeof g.direct);
    game_compute(&g, 1.0);
    for (int i = 0; i < Q; i++)
        assert_true(g.out[i] == 0);
    guarded_free(g.out);
}

static void a_zero_v_gives_the_direct_term(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    memset(g.v, 0, sizeof g.v);
    game_compute(&g, 1.0);
    assert_memory_equal(g.out, g.direct, sizeof g.direct);
    assert_true(g.report.implicit_norm == 0.0);
    assert_true(g.report.cosine == 0.0);
    guarded_free(g.out);
}

static void the_hypergradient_may_be_written_over_direct(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    game_compute(&g, 0.1);
    const blpo_hypergrad_config config = game_config(0.1);
    blpo_hypergrad *solver = solver_new(&g.quad, 1, &config);
    assert_status(blpo_hypergrad_compute(solver, g.direct, g.v, g.direct, NULL), BLPO_OK);
    assert_memory_equal(g.direct, g.out, sizeof g.direct);
    blpo_hypergrad_destroy(solver);
    guarded_free(g.out);
}

/* 2^100 is 1.3e30: |direct|^2 has no number in float, |direct| has. Powers of two commute with every operation but the
 * 1e-8 beside |implicit|, which is nothing beside 1e30 and, without a bound, is not used. */
static void huge_terms_do_not_overflow_on_their_way(void **state)
{
    (void)state;
    game g, plain;
    game_begin(&plain);
    game_compute(&plain, (double)INFINITY);
    game_begin(&g);
    for (int i = 0; i < Q; i++)
        g.direct[i] = (test_real)ldexp((double)g.direct[i], 100);
    for (int64_t i = 0; i < g.quad.p; i++)
        g.v[i] = (test_real)ldexp((double)g.v[i], 100);
    game_compute(&g, (double)INFINITY);
    for (int i = 0; i < Q; i++)
        assert_close(ldexp((double)g.out[i], -100), plain.out[i], 0.0, game_bound(&plain));
    assert_close(ldexp(g.report.direct_norm, -100), plain.report.direct_norm, 1e-6, 0.0);
    guarded_free(g.out);
    guarded_free(plain.out);
}

static void compute_without_outer_variables_is_a_state_error(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    g.quad.q = 0;
    const blpo_hypergrad_config config = game_config(1.0);
    blpo_hypergrad *solver = solver_new(&g.quad, 1, &config);
    assert_status(blpo_hypergrad_compute(solver, g.direct, g.v, g.out, NULL), BLPO_ERR_STATE);
    assert_true(isnan(g.out[0]) != 0);
    assert_status(blpo_hypergrad_solve(solver, g.v, g.v, NULL), BLPO_OK);
    blpo_hypergrad_destroy(solver);
    guarded_free(g.out);
}

static void a_nan_or_infinity_in_direct_is_refused(void **state)
{
    (void)state;
    game g;
    game_begin(&g);
    const blpo_hypergrad_config config = game_config(1.0);
    blpo_hypergrad *solver = solver_new(&g.quad, 1, &config);
    const test_real bad[3] = { (test_real)NAN, (test_real)INFINITY, -(test_real)INFINITY };
    for (int i = 0; i < 3; i++) {
        g.direct[4] = bad[i];
        blpo_hypergrad_report report = empty_report();
        assert_status(blpo_hypergrad_compute(solver, g.direct, g.v, g.out, &report), BLPO_ERR_NONFINITE);
        assert_status(report.status, BLPO_ERR_NONFINITE);
        assert_error_names(blpo_hypergrad_error(solver), BLPO_ERR_NONFINITE, "direct");
        assert_int_equal(blpo_hypergrad_error(solver)->element, 4);
        assert_true(isnan(g.out[0]) != 0);
    }
    blpo_hypergrad_destroy(solver);
    guarded_free(g.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mixed_matrix_is_not_nearly_orthogonal_to_x),
        cmocka_unit_test(without_a_bound_it_is_direct_minus_implicit),
        cmocka_unit_test(kappa_bounds_the_implicit_term),
        cmocka_unit_test(a_kappa_that_is_not_reached_changes_nothing),
        cmocka_unit_test(no_bound_and_a_zero_direct_term_give_minus_implicit),
        cmocka_unit_test(a_finite_kappa_and_a_zero_direct_term_give_zero),
        cmocka_unit_test(a_zero_v_gives_the_direct_term),
        cmocka_unit_test(the_hypergradient_may_be_written_over_direct),
        cmocka_unit_test(huge_terms_do_not_overflow_on_their_way),
        cmocka_unit_test(compute_without_outer_variables_is_a_state_error),
        cmocka_unit_test(a_nan_or_infinity_in_direct_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
