/* The Jacobian of the game's residuals. The Hessian of the game was checked against automatic differentiation; with the slopes
 * g_t' set to zero nothing of it is left but J^T J, so that every callback of J has something to be held against.
 *
 * Tolerances: float64 1e-11. In float32 as in test_vectors_minibatch.c: a product passes through two sums of rows, 4e-4. */
#include "support/check.h"
#include "support/dense.h"
#include "support/play.h"
#include "support/spectra.h"

#include "rl/critic.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef BLPO__FLOAT64
static const double TOLERANCE = 1e-11;
#else
static const double TOLERANCE = 4e-4;
#endif

static const char *const NEEDED[] = { "critic_gradient", "response_gradient", "hessian_rows", "ihvp_exact_gauss_newton",
                                      NULL };

typedef struct table {
    blpo__host host;
    blpo_config config;
    blpo_policy *policy;
    blpo_critic *critic;
    blpo_rollout *rollout;
    test_real *returns;
    blpo__game game;
    int64_t p, n; /* n_samples is n + 3: three rows that are not there */
    test_real *direct, *v, *a, *b, *sample;
} table;

static void table_set(table *t, const vec_file *file)
{
    static const int64_t first = 0;
    memset(t, 0, sizeof *t);
    assert_status(blpo__runtime_read(&t->host.runtime, NULL), BLPO_OK);
    t->host.memory = blpo__memory_of(NULL);
    t->config = vec_config(file);
    t->config.ihvp_method = BLPO_IHVP_GAUSS_NEWTON;
    t->policy = vec_policy(file, "actor");
    t->critic = vec_critic(file, "critic");
    t->rollout = vec_rollout(file, "", 1, t->policy);
    t->returns = vec_returns(file, "", 1);
    t->p = t->critic->n_parameters;
    blpo__game_create(&t->game, &t->host, &t->config, t->policy, &t->critic->mlp, 1, t->rollout->config.n_steps + 3,
                      &t->host.memory);
    assert_false(t->host.memory.failed);
    memcpy(t->game.theta, t->policy->parameters, (size_t)t->policy->n_parameters * sizeof(test_real));
    memcpy(t->game.w, t->critic->parameters, (size_t)t->p * sizeof(test_real));
    blpo__game_load(&t->game, t->rollout, &first, 1, t->returns);
    t->n = t->game.batch.n;
    t->direct = guarded_new(t->policy->n_parameters);
    t->v = guarded_new(t->p);
    t->a = guarded_new(t->p);
    t->b = guarded_new(t->p);
    t->sample = guarded_new(t->game.n_samples);
    assert_status(blpo__game_linearise(&t->game, t->direct, t->v), BLPO_OK);
    memset(t->game.slope, 0, (size_t)t->n * sizeof(test_real));
}

static void table_clear(table *t)
{
    guarded_free(t->direct);
    guarded_free(t->v);
    guarded_free(t->a);
    guarded_free(t->b);
    guarded_free(t->sample);
    free(t->returns);
    blpo_rollout_destroy(t->rollout);
    blpo_critic_destroy(t->critic);
    blpo_policy_destroy(t->policy);
    blpo__memory_release(&t->host.memory);
}

static void assert_same_array(const test_real *actual, const test_real *expected, int64_t n)
{
    double *wide = malloc((size_t)n * sizeof *wide);
    assert_non_null(wide);
    for (int64_t i = 0; i < n; i++)
        wide[i] = (double)expected[i];
    assert_near(actual, wide, n, TOLERANCE, 0.0);
    free(wide);
}

static void check_product(const vec_file *file)
{
    table t;
    table_set(&t, file);
    assert_int_equal(blpo__game_jacobian_product(&t.game, t.v, t.sample), 0);
    for (int64_t i = t.n; i < t.game.n_samples; i++)
        assert_true(t.sample[i] == 0);
    for (int64_t i = t.n; i < t.game.n_samples; i++)
        t.sample[i] = 1000; /* a row that is not there weighs nothing */
    assert_int_equal(blpo__game_jacobian_transposed(&t.game, t.sample, t.a), 0);
    assert_int_equal(blpo__game_hessian_product(&t.game, t.v, t.b), 0);
    assert_same_array(t.a, t.b, t.p);
    table_clear(&t);
}

static void the_jacobian_and_its_transpose_make_the_hessian_without_slopes(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_product);
}

/* Each of the first 200 coordinates and every 37th from there on: all layers, weights and biases. */
static void check_rows(const vec_file *file)
{
    table t;
    table_set(&t, file);
    test_real *diagonal = guarded_new(t.p);
    assert_int_equal(blpo__game_gauss_newton_diagonal(&t.game, diagonal), 0);
    double largest = 0.0;
    for (int64_t i = 0; i < t.p; i++)
        largest = fmax(largest, (double)diagonal[i]);
    for (int64_t i = 0; i < t.p; i += i < 200 ? 1 : 37) {
        assert_int_equal(blpo__game_gauss_newton_rows(&t.game, &i, 1, t.a), 0);
        assert_int_equal(blpo__game_hessian_rows(&t.game, &i, 1, t.b), 0);
        if (largest > 0.0 && diagonal[i] > 1e-6 * largest)
            assert_same_array(t.a, t.b, t.p);
        assert_close(diagonal[i], t.a[i], TOLERANCE, TOLERANCE * largest);
    }
    guarded_free(diagonal);
    table_clear(&t);
}

static void rows_and_diagonal_are_those_of_the_hessian_without_slopes(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_rows);
}

/* Several rows in one call, also more than fit the partial sums at a time, are those of calls of their own. */
static void check_many_rows(const vec_file *file)
{
    table t;
    table_set(&t, file);
    int64_t index[7];
    for (int64_t i = 0; i < 7; i++)
        index[i] = (i * (t.p / 7 + 1)) % t.p;
    test_real *rows = guarded_new(7 * t.p);
    assert_int_equal(blpo__game_gauss_newton_rows(&t.game, index, 7, rows), 0);
    for (int64_t i = 0; i < 7; i++) {
        assert_int_equal(blpo__game_gauss_newton_rows(&t.game, index + i, 1, t.a), 0);
        assert_memory_equal(rows + i * t.p, t.a, (size_t)t.p * sizeof(test_real));
    }
    guarded_free(rows);
    table_clear(&t);
}

static void rows_do_not_depend_on_how_many_are_asked_for(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_many_rows);
}

/* Column by column: J (J^T e_t). */
static void check_gram(const vec_file *file)
{
    table t;
    table_set(&t, file);
    const int64_t n = t.game.n_samples;
    double *gram = malloc((size_t)(n * n) * sizeof *gram), largest = 0.0;
    test_real *unit = guarded_new(n);
    assert_non_null(gram);
    memset(unit, 0, (size_t)n * sizeof *unit);
    assert_int_equal(blpo__game_jacobian_gram(&t.game, gram), 0);
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, gram[i * n + i]);
    for (int64_t i = 0; i < n; i++) {
        unit[i] = 1;
        assert_int_equal(blpo__game_jacobian_transposed(&t.game, unit, t.a), 0);
        assert_int_equal(blpo__game_jacobian_product(&t.game, t.a, t.sample), 0);
        for (int64_t j = 0; j < n; j++) {
            assert_close(gram[i * n + j], t.sample[j], 0.0, TOLERANCE * largest);
            assert_true(gram[i * n + j] == gram[j * n + i]);
        }
        unit[i] = 0;
    }
    guarded_free(unit);
    free(gram);
    table_clear(&t);
}

static void the_gram_matrix_is_the_jacobian_times_its_transpose(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_gram);
}

/* The solver over the game as a trainer makes it, and v of the file; n_samples counts the rows that are not there. Dense on the same
 * curvature where p^3 is no burden. */
static void check_solution(const vec_file *file)
{
    table t;
    table_set(&t, file);
    test_real *v = vec_reals(vec_need(file, "response_gradient")->value, t.p);
    for (int dense = 0; dense <= (t.p <= 512); dense++) {
        blpo_problem problem;
        blpo_hypergrad_config config;
        blpo_hypergrad *solver = NULL;
        t.config.ihvp_method = dense ? BLPO_IHVP_DENSE : BLPO_IHVP_GAUSS_NEWTON;
        t.config.ihvp_curvature = BLPO_CURVATURE_GAUSS_NEWTON;
        blpo__trainer_problem(&t.config, t.policy->n_parameters, t.p, &t.game, &problem, &config);
        problem.n_samples = t.game.n_samples;
        assert_status(blpo_hypergrad_create(&problem, &config, NULL, &solver), BLPO_OK);
        assert_status(blpo_hypergrad_solve(solver, v, t.a, NULL), BLPO_OK);
        assert_near(t.a, vec_need(file, "ihvp_exact_gauss_newton")->value, t.p, TOLERANCE, 0.0);
        blpo_hypergrad_destroy(solver);
    }
    free(v);
    table_clear(&t);
}

static void the_exact_inverse_is_that_of_every_file(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_solution);
}

/* Conjugate gradients with this inverse as preconditioner, for the whole Hessian: the slopes are those of the file again. H of the file
 * has eigenvalues from -2.6 on, so with rho = 4 the matrix is positive definite, of a condition number C below 10. The float64
 * build is to agree with the dense solve to 1e-9; in float32 an error of the product is one of x times C. */
static void check_preconditioned(const vec_file *file)
{
    table t;
    const double rho = 4.0;
    const double *v = vec_need(file, "response_gradient")->value;
    table_set(&t, file);
    assert_status(blpo__game_linearise(&t.game, t.direct, t.v), BLPO_OK);
    double *exact = malloc((size_t)t.p * sizeof *exact);
    test_real *v_real = vec_reals(v, t.p);
    assert_non_null(exact);
    dense_shifted_solve(vec_need(file, "hessian")->value, rho, v, t.p, exact);
    blpo_problem problem;
    blpo_hypergrad_config config;
    blpo_hypergrad *solver = NULL;
    blpo_hypergrad_report report = empty_report();
    t.config.ihvp_method = BLPO_IHVP_CG;
    t.config.cg_preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON;
    t.config.cg_iterations = 40;
    t.config.nystrom_rho = rho;
    blpo__trainer_problem(&t.config, t.policy->n_parameters, t.p, &t.game, &problem, &config);
    problem.n_samples = t.game.n_samples;
    config.cg_tolerance = 0.1 * TOLERANCE;
    assert_status(blpo_hypergrad_create(&problem, &config, NULL, &solver), BLPO_OK);
    assert_status(blpo_hypergrad_solve(solver, v_real, t.a, &report), BLPO_OK);
    assert_near(t.a, exact, t.p, sizeof(test_real) == sizeof(double) ? 1e-9 : 10.0 * TOLERANCE, 0.0);
    assert_int_equal(report.fallback + report.indefinite, 0);
    assert_in_range(report.iterations, 1, 39);
    assert_int_equal(report.rank_used, t.game.n_samples);
    blpo_hypergrad_destroy(solver);
    free(v_real);
    free(exact);
    table_clear(&t);
}

static void preconditioned_conjugate_gradients_solve_every_file(void **state)
{
    (void)state;
    static const char *const needed[] = { "hessian", "response_gradient", NULL };
    vec_for_each(needed, check_preconditioned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_jacobian_and_its_transpose_make_the_hessian_without_slopes),
        cmocka_unit_test(rows_and_diagonal_are_those_of_the_hessian_without_slopes),
        cmocka_unit_test(rows_do_not_depend_on_how_many_are_asked_for),
        cmocka_unit_test(the_gram_matrix_is_the_jacobian_times_its_transpose),
        cmocka_unit_test(the_exact_inverse_is_that_of_every_file),
        cmocka_unit_test(preconditioned_conjugate_gradients_solve_every_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
