/* The logistic regression of examples/logistic.h, through the interface for users' problems: its hypergradient is the derivative of
 * the validation loss through a fit that is made anew. */
#include "support/check.h"

#define LOGISTIC_REAL test_real
#include "logistic.h"

#define DATA BLPO_TEST_VECTORS "/../../examples/data/breast_cancer.csv"

static struct logistic problem;

/* Ridges about 1e-2, no two neighbours alike: the least eigenvalue of H is about that, the largest about 3. */
static void fit(void)
{
    assert_int_equal(logistic_load(&problem, DATA), 0);
    assert_int_equal(problem.train.n + problem.validation.n + problem.test.n, 569);
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        problem.lambda[j] = log(1e-2) + 0.3 * (j % 5 - 2);
    assert_true(logistic_fit(&problem) < 30);
}

static blpo_hypergrad_config config_of(int method, int curvature, double rho)
{
    blpo_hypergrad_config config;
    assert_status(blpo_hypergrad_config_init(&config, sizeof config), BLPO_OK);
    config.method = method;
    config.curvature = curvature;
    config.nystrom_rank = method == BLPO_IHVP_NYSTROM ? LOGISTIC_WEIGHTS : 10;
    config.nystrom_rho = rho;
    config.nystrom_shift = 0.0;
    config.cg_iterations = 2 * LOGISTIC_WEIGHTS;
    return config;
}

static void solve(const blpo_hypergrad_config *config, double *out)
{
    const blpo_problem description = logistic_problem(&problem);
    blpo_hypergrad *solver = NULL;
    assert_status(blpo_hypergrad_create(&description, config, NULL, &solver), BLPO_OK);
    assert_status(logistic_hypergradient(&problem, solver, out, NULL), BLPO_OK);
    blpo_hypergrad_destroy(solver);
}

static double distance(const double *a, const double *b)
{
    double away = 0.0, size = 0.0;
    for (int j = 0; j < LOGISTIC_FEATURES; j++) {
        away = hypot(away, a[j] - b[j]);
        size = hypot(size, b[j]);
    }
    return away / size;
}

/* The fit is at rounding level, so a central difference over 2e-3 is wrong by its third derivative alone, 1e-6 / 6 relative. */
static void differences(double *out)
{
    const double h = 1e-3;
    for (int j = 0; j < LOGISTIC_FEATURES; j++) {
        const double lambda = problem.lambda[j];
        double loss[2];
        for (int side = 0; side < 2; side++) {
            problem.lambda[j] = lambda + (side == 0 ? -h : h);
            logistic_fit(&problem);
            loss[side] = logistic_loss(&problem, &problem.validation);
        }
        problem.lambda[j] = lambda;
        out[j] = (loss[1] - loss[0]) / (2.0 * h);
    }
    logistic_fit(&problem);
}

/* rho = 1e-8 against eigenvalues from 1e-2 / 2 on changes x by 2e-6. In float32, H v is rounded to eps, and the condition of H,
 * some 600, multiplies that: 4e-5 for each of the roundings of a solve; method gauss_newton divides roundings by rho, so it gets
 * rho = 1e-4 there, which changes x by 2 %. */
static void every_exact_method_gives_the_derivative_through_a_new_fit(void **state)
{
    (void)state;
    static const int methods[5] = { BLPO_IHVP_NYSTROM, BLPO_IHVP_CG, BLPO_IHVP_DENSE, BLPO_IHVP_NYSTROM_PCG,
                                    BLPO_IHVP_GAUSS_NEWTON };
    const int is_double = sizeof(test_real) == sizeof(double);
    double expected[LOGISTIC_FEATURES], h[LOGISTIC_FEATURES];
    fit();
    differences(expected);
    logistic_exact(&problem, 0.0, h);
    assert_true(distance(h, expected) < 1e-6);
    for (int i = 0; i < 5; i++)
        for (int curvature = 0; curvature <= 1; curvature++) {
            const int coarse = !is_double && methods[i] == BLPO_IHVP_GAUSS_NEWTON;
            const blpo_hypergrad_config config = config_of(methods[i], curvature, coarse ? 1e-4 : 1e-8);
            solve(&config, h);
            assert_true(distance(h, expected) < (is_double ? 1e-5 : coarse ? 2e-2 : 2e-3));
        }
}

static double nystrom_error(int rank, const double *exact, double rho)
{
    blpo_hypergrad_config config = config_of(BLPO_IHVP_NYSTROM, BLPO_CURVATURE_HESSIAN, rho);
    const blpo_problem description = logistic_problem(&problem);
    blpo_hypergrad *solver = NULL;
    double sum = 0.0, h[LOGISTIC_FEATURES];
    config.nystrom_rank = rank;
    assert_status(blpo_hypergrad_create(&description, &config, NULL, &solver), BLPO_OK);
    for (int draw = 0; draw < 40; draw++) {
        assert_status(logistic_hypergradient(&problem, solver, h, NULL), BLPO_OK);
        sum += distance(h, exact) / 40.0;
    }
    blpo_hypergrad_destroy(solver);
    return sum;
}

/* Means over 40 draws; with all rows nothing is left but roundings, the condition of the damped H being 300. */
static void the_error_of_nystrom_falls_with_its_rows(void **state)
{
    (void)state;
    static const int ranks[6] = { 1, 6, 12, 18, 24, 30 };
    double exact[LOGISTIC_FEATURES], last = INFINITY;
    fit();
    logistic_exact(&problem, 1e-2, exact);
    for (int i = 0; i < 6; i++) {
        const double error = nystrom_error(ranks[i], exact, 1e-2);
        assert_true(error < last);
        last = error;
    }
    assert_true(nystrom_error(LOGISTIC_WEIGHTS, exact, 1e-2) < 300.0 * LOGISTIC_WEIGHTS * TEST_EPSILON);
}

/* Both make the same sums of the same numbers in another order, in double, and round once and twice. */
static void the_jacobian_squared_is_the_hessian(void **state)
{
    (void)state;
    test_real v[LOGISTIC_WEIGHTS], hv[LOGISTIC_WEIGHTS], jtjv[LOGISTIC_WEIGHTS],
        jv[LOGISTIC_MOST_ROWS + LOGISTIC_FEATURES];
    double expected[LOGISTIC_WEIGHTS];
    fit();
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        v[j] = (test_real)(j % 7 - 3);
    assert_int_equal(logistic_hvp(&problem, v, hv), 0);
    assert_int_equal(logistic_jvp(&problem, v, jv), 0);
    assert_int_equal(logistic_vjp(&problem, jv, jtjv), 0);
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        expected[j] = (double)hv[j];
    assert_near(jtjv, expected, LOGISTIC_WEIGHTS, 8.0 * TEST_EPSILON, 0.0);
}

/* Twenty steps of length a tenth along the hypergradient: the loss falls in every one. */
static void the_validation_loss_falls_along_the_hypergradient(void **state)
{
    (void)state;
    double h[LOGISTIC_FEATURES];
    fit();
    const blpo_hypergrad_config config = config_of(BLPO_IHVP_CG, BLPO_CURVATURE_HESSIAN, 1e-6);
    double last = logistic_loss(&problem, &problem.validation);
    const double first = last;
    for (int step = 0; step < 20; step++) {
        double size = 0.0;
        solve(&config, h);
        for (int j = 0; j < LOGISTIC_FEATURES; j++)
            size = hypot(size, h[j]);
        for (int j = 0; j < LOGISTIC_FEATURES; j++)
            problem.lambda[j] -= 0.1 / size * h[j];
        logistic_fit(&problem);
        const double loss = logistic_loss(&problem, &problem.validation);
        assert_true(loss < last);
        last = loss;
    }
    assert_true(last < 0.98 * first);
}

static void a_file_that_is_something_else_is_refused(void **state)
{
    (void)state;
    assert_int_equal(logistic_load(&problem, BLPO_TEST_VECTORS "/no_such_file.csv"), -1);
    assert_int_equal(logistic_load(&problem, BLPO_TEST_VECTORS "/linear_critic.txt"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exact_method_gives_the_derivative_through_a_new_fit),
        cmocka_unit_test(the_error_of_nystrom_falls_with_its_rows),
        cmocka_unit_test(the_jacobian_squared_is_the_hessian),
        cmocka_unit_test(the_validation_loss_falls_along_the_hypergradient),
        cmocka_unit_test(a_file_that_is_something_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
