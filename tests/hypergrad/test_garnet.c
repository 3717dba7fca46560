/* The solver on an actor-critic game that is known exactly (studies/theory/game.h): random decision processes, tabular softmax
 * policies, critics linear in given features. In float64 alone.
 *
 * Finite differences (difference.h) are wrong by some 1e-12 here, and gradients are of order 0.1 or more: 1e-9 of them is
 * ample. */
#include "support/check.h"
#include "support/dense.h"

#include "theory/difference.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES = 3 };
static const double differences = 1e-9;

/* -- the game, at a random theta -- */

typedef struct fixture {
    garnet process;
    game game;
    double theta[THETA];
} fixture;

static void setup(fixture *f, uint64_t seed, int64_t features, game_weights weights)
{
    uint64_t state = seed + 100;
    garnet_make(seed, &f->process);
    garnet_start_in(&f->process, (int64_t)seed % STATES);
    game_init(&f->game, &f->process);
    game_set_features(&f->game, features, seed);
    f->game.weights = weights;
    f->game.tau = 0.1;
    for (int i = 0; i < THETA; i++)
        f->theta[i] = study_normal(&state);
    game_at(&f->game, f->theta);
}

/* Calls check for every process, number of features and kind of weights. */
static void for_each(const int64_t *features, int n, void (*check)(fixture *f))
{
    for (uint64_t seed = 0; seed < PROCESSES; seed++)
        for (int i = 0; i < n; i++)
            for (int weights = GAME_FIXED; weights <= GAME_VISITS; weights++) {
                fixture f;
                setup(&f, seed, features[i], (game_weights)weights);
                check(&f);
            }
}

static const int64_t all_features[] = { 1, 5, STATES }, fewer_features[] = { 1, 5 }, one_hot[] = { STATES };

static double smallest_eigenvalue(const game *g)
{
    double hessian[STATES * STATES], value[STATES];
    game_hessian(g, hessian);
    assert_int_equal(LAPACKE_dsyev(LAPACK_COL_MAJOR, 'N', 'L', (int)g->m, hessian, (int)g->m, value), 0);
    return value[0];
}

/* -- derivatives by differences -- */

static double outer_at(game *g, const void *w)
{
    game_respond(g, w);
    return game_outer(g);
}

/* grad_w g . x with x = w: any vector far from the best response will do for both. */
static double inner_gradient_along(game *g, const void *w)
{
    double gradient[STATES], sum = 0.0;
    game_respond(g, w);
    game_inner_gradient(g, gradient);
    for (int64_t i = 0; i < g->m; i++)
        sum += gradient[i] * ((const double *)w)[i];
    return sum;
}

static void assert_gradient(fixture *f, const double gradient[THETA], game_function function, const double *w)
{
    double expected[THETA];
    game_difference(&f->game, function, w, expected);
    assert_near(gradient, expected, THETA, differences, 0.0);
}

static void some_response(const game *g, double *w)
{
    for (int64_t i = 0; i < g->m; i++)
        w[i] = 1.0 + 0.1 * (double)i;
}

static void check_direct(fixture *f)
{
    double w[STATES], direct[THETA];
    some_response(&f->game, w);
    game_respond(&f->game, w);
    game_direct(&f->game, direct);
    assert_gradient(f, direct, outer_at, w);
}

static void the_direct_term_is_the_gradient_at_a_fixed_critic(void **state)
{
    (void)state;
    for_each(all_features, 3, check_direct);
}

static void check_mixed(fixture *f)
{
    double w[STATES], mixed[THETA];
    some_response(&f->game, w);
    game_respond(&f->game, w);
    game_mixed(&f->game, w, mixed);
    assert_gradient(f, mixed, inner_gradient_along, w);
}

static void the_mixed_derivative_is_that_of_differences(void **state)
{
    (void)state;
    for_each(all_features, 3, check_mixed);
}

static void check_policy_gradient(fixture *f)
{
    double gradient[THETA];
    game_policy_gradient(&f->game, gradient);
    assert_gradient(f, gradient, game_outer_at_response, NULL);
}

static void with_one_hot_features_the_policy_gradient_is_that_of_differences(void **state)
{
    (void)state;
    for_each(one_hot, 1, check_policy_gradient);
}

/* -- the solver -- */

static void hypergradient(game *g, int method, double rho, double *out)
{
    blpo_problem problem;
    blpo_hypergrad_config config;
    blpo_hypergrad *solver = NULL;
    double direct[THETA], v[STATES];
    game_problem(g, &problem);
    blpo_hypergrad_config_init(&config, sizeof config);
    config.method = method;
    config.nystrom_rank = g->m;
    config.nystrom_shift = 0.0;
    config.nystrom_rho = rho;
    config.cg_iterations = 4 * g->m; /* rounding delays its end */
    game_direct(g, direct);
    game_response_gradient(g, v);
    assert_status(blpo_hypergrad_create(&problem, &config, NULL, &solver), BLPO_OK);
    assert_status(blpo_hypergrad_compute(solver, direct, v, out, NULL), BLPO_OK);
    blpo_hypergrad_destroy(solver);
}

static double distance(const double *a, const double *b)
{
    double difference_of[THETA];
    for (int i = 0; i < THETA; i++)
        difference_of[i] = a[i] - b[i];
    return dense_norm(difference_of, THETA);
}

/* rho shortens each component of x by rho / (eigenvalue + rho) of it, so x by at most rho / smallest of |x|, and the mixed
 * product carries that over with its own norm, at most 10 times what it does to x (it differs by direction). Nystrom with
 * k = p and s = 0, and gauss_newton, are exact but subtract v / rho from a number of its size: eps |v| / rho on
 * |x| >= |v| / largest; with largest of order 1, 1e-16 / rho. rho = 1e-8 keeps both at 1e-5 or less: smallest is above
 * 0.002. */
static void assert_hypergradient(fixture *f, const double *expected)
{
    static const int methods[] = { BLPO_IHVP_DENSE, BLPO_IHVP_CG, BLPO_IHVP_NYSTROM, BLPO_IHVP_GAUSS_NEWTON };
    const double smallest = smallest_eigenvalue(&f->game);
    assert_true(smallest > 2e-3);
    for (int i = 0; i < 4; i++) {
        const double rho = i >= 2 ? 1e-8 : 1e-12;
        double direct[THETA], out[THETA];
        hypergradient(&f->game, methods[i], rho, out);
        game_direct(&f->game, direct);
        const double implicit = distance(direct, out);
        assert_true(distance(out, expected)
                    <= 10.0 * (rho / smallest + 1e-16 / rho) * implicit + differences * dense_norm(expected, THETA));
    }
}

static void check_one_hot(fixture *f)
{
    double gradient[THETA];
    game_policy_gradient(&f->game, gradient);
    assert_hypergradient(f, gradient);
}

static void with_one_hot_features_the_hypergradient_is_the_policy_gradient(void **state)
{
    (void)state;
    for_each(one_hot, 1, check_one_hot);
}

static void check_against_direct(fixture *f)
{
    double gradient[THETA], direct[THETA];
    game_policy_gradient(&f->game, gradient);
    game_direct(&f->game, direct);
    assert_true(distance(direct, gradient) > 0.5 * dense_norm(gradient, THETA));
}

static void the_direct_term_alone_is_not_the_policy_gradient(void **state)
{
    (void)state;
    for_each(one_hot, 1, check_against_direct);
}

static void check_fewer(fixture *f)
{
    double expected[THETA];
    game_difference(&f->game, game_outer_at_response, NULL, expected);
    assert_hypergradient(f, expected);
}

static void with_fewer_features_the_hypergradient_is_the_derivative_through_the_response(void **state)
{
    (void)state;
    for_each(fewer_features, 2, check_fewer);
}

static void check_response(fixture *f)
{
    double gradient[STATES];
    game_inner_gradient(&f->game, gradient);
    assert_true(dense_norm(gradient, f->game.m) <= 1e-13 * dense_norm(f->game.value, STATES));
    assert_true(smallest_eigenvalue(&f->game) > 0.0);
}

static void the_best_response_is_a_strict_minimum(void **state)
{
    (void)state;
    for_each(all_features, 3, check_response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_direct_term_is_the_gradient_at_a_fixed_critic),
        cmocka_unit_test(the_mixed_derivative_is_that_of_differences),
        cmocka_unit_test(with_one_hot_features_the_policy_gradient_is_that_of_differences),
        cmocka_unit_test(with_one_hot_features_the_hypergradient_is_the_policy_gradient),
        cmocka_unit_test(the_direct_term_alone_is_not_the_policy_gradient),
        cmocka_unit_test(with_fewer_features_the_hypergradient_is_the_derivative_through_the_response),
        cmocka_unit_test(the_best_response_is_a_strict_minimum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
