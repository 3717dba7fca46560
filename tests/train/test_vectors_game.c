/* Every quantity of one minibatch, and whole updates, against the vector files.
 *
 * Float64: 1e-9 relative in norm; 1e-7 after Adam steps. Float32: data, activations and signals are rounded. A value is
 * wrong by 5 layers x 64 products x eps = 320 eps, an advantage by 2 / (1 - gamma lambda) < 34 times that with weights that
 * fall off, a ratio by 320 eps more: gradients, which are means of products of these, by 1e4 eps = 1e-3 of the norm of their
 * terms; they are compared with the norm of the result, so that a cancellation by 4 is allowed for on top: 5e-3. */
#include "support/check.h"
#include "support/minibatch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int IS_DOUBLE = sizeof(real) == sizeof(double);

static double tolerance(void)
{
    return IS_DOUBLE ? 1e-9 : 5e-3;
}

static const char *const MINIBATCH[] = { "actor.0.weight", "critic.0.weight", "obs",  "ret",
                                         "actor_loss",     "critic_gradient", "rho", "response_gradient", NULL };

typedef struct arrays {
    minibatch m;
    blpo__game *game;
    real *direct, *response;
} arrays;

static arrays begin(const vec_file *file)
{
    arrays a = { .m = minibatch_new(file) };
    a.direct = guarded_new(a.m.n_actor);
    a.response = guarded_new(a.m.n_critic);
    a.game = minibatch_game(&a.m, a.direct, a.response);
    return a;
}

static void end(arrays *a)
{
    guarded_free(a->direct);
    guarded_free(a->response);
    minibatch_free(&a->m);
}

static void check_first_order(const vec_file *file)
{
    arrays a = begin(file);
    int64_t n;
    double *direct = vec_network_parameters(file, "direct", &n);
    real *gradient = guarded_new(a.m.n_critic);
    const double loss = vec_scalar(file, "actor_loss"), scale = IS_DOUBLE ? 0.0 : 5e-3;
    assert_int_equal(n, a.m.n_actor);
    assert_close(a.game->actor_loss, loss, tolerance(), scale);
    assert_near(a.direct, direct, n, tolerance(), 0.0);
    assert_near(a.response, vec_need(file, "response_gradient")->value, a.m.n_critic, tolerance(), 0.0);
    assert_status(blpo__game_critic_gradient_here(a.game, gradient), BLPO_OK);
    assert_near(gradient, vec_need(file, "critic_gradient")->value, a.m.n_critic, tolerance(), 0.0);
    assert_status(blpo__game_critic_gradient(a.game, gradient), BLPO_OK);
    assert_near(gradient, vec_need(file, "critic_gradient")->value, a.m.n_critic, tolerance(), 0.0);
    assert_close(a.game->critic_loss, vec_scalar(file, "critic_loss"), tolerance(), 0.0);
    free(direct);
    guarded_free(gradient);
    end(&a);
}

static void losses_and_gradients_agree_with_every_file(void **state)
{
    (void)state;
    vec_for_each(MINIBATCH, check_first_order);
}

static void check_advantages(const vec_file *file)
{
    arrays a = begin(file);
    const double *expected = vec_need(file, "advantages")->value;
    for (int64_t t = 0; t < a.m.n_steps; t++) /* 34 x 320 eps, see above */
        assert_close(a.game->advantage[t], expected[t], tolerance(), IS_DOUBLE ? 1e-10 : 34.0 * 320.0 * TEST_EPSILON);
    end(&a);
}

static void advantages_agree_with_every_file(void **state)
{
    (void)state;
    vec_for_each(MINIBATCH, check_advantages);
}

static void check_second_order(const vec_file *file)
{
    arrays a = begin(file);
    const int64_t p = a.m.n_critic, k = vec_need(file, "indices")->size;
    int64_t *index = malloc((size_t)k * sizeof *index);
    real *hv = guarded_new(p), *rows = guarded_new(k * p), *v = vec_reals(vec_need(file, "response_gradient")->value, p);
    assert_non_null(index);
    for (int64_t i = 0; i < k; i++)
        index[i] = (int64_t)vec_need(file, "indices")->value[i];
    assert_int_equal(blpo__game_hessian_product(a.game, v, hv), 0);
    assert_near(hv, vec_need(file, "hessian_vector_product")->value, p, tolerance(), 0.0);
    assert_int_equal(blpo__game_hessian_rows(a.game, index, k, rows), 0);
    assert_near(rows, vec_need(file, "hessian_rows")->value, k * p, tolerance(), 0.0);
    guarded_free(hv);
    guarded_free(rows);
    free(v);
    free(index);
    end(&a);
}

static void hessian_products_and_rows_agree_with_every_file(void **state)
{
    (void)state;
    vec_for_each(MINIBATCH, check_second_order);
}

/* x is the file's: only the mixed product is tried here. */
static void check_implicit(const vec_file *file)
{
    arrays a = begin(file);
    int64_t n;
    double *implicit = vec_network_parameters(file, "implicit", &n);
    real *out = guarded_new(n), *x = vec_reals(vec_need(file, "ihvp_nystrom")->value, a.m.n_critic);
    assert_int_equal(blpo__game_mixed_product(a.game, x, out), 0);
    assert_near(out, implicit, n, tolerance(), 0.0);
    guarded_free(out);
    free(implicit);
    free(x);
    end(&a);
}

static void the_mixed_product_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(MINIBATCH, check_implicit);
}

/* All of it, the solver included. Float32: the core of Nystrom may amplify without a bound that is the same for all files,
 * so that the chain is left to float64; its links are tried above and in hypergrad/. */
static void check_hypergradient(const vec_file *file)
{
    arrays a = begin(file);
    int64_t n, index[64];
    const int64_t k = vec_need(file, "indices")->size;
    double *expected = vec_network_parameters(file, "hypergradient", &n);
    real *out = guarded_new(n);
    assert_in_range(k, 1, 64);
    for (int64_t i = 0; i < k; i++)
        index[i] = (int64_t)vec_need(file, "indices")->value[i];
    assert_status(blpo_hypergrad_set_indices(a.m.trainer->solver, index, k), BLPO_OK);
    assert_status(blpo_hypergrad_compute(a.m.trainer->solver, a.direct, a.response, out, NULL), BLPO_OK);
    assert_near(out, expected, n, 1e-9, 0.0);
    guarded_free(out);
    free(expected);
    end(&a);
}

static void the_hypergradient_agrees_with_every_file(void **state)
{
    (void)state;
    if (!IS_DOUBLE)
        skip();
    vec_for_each(MINIBATCH, check_hypergradient);
}

/* Float64: 1e-7. Float32: gradients are right to 5e-3 of their norm; Adam divides by |g| coordinate by coordinate, so that
 * those far below the norm move at random: a tenth of the movement from `from`. */
static void check_moved(const real *actual, const vec_file *file, const char *to, const char *from)
{
    int64_t n, m;
    double *expected = vec_network_parameters(file, to, &n), *start = vec_network_parameters(file, from, &m), movement = 0.0;
    assert_int_equal(n, m);
    for (int64_t i = 0; i < n; i++)
        movement = hypot(movement, expected[i] - start[i]);
    assert_true(movement > 0.0);
    if (IS_DOUBLE)
        assert_all_close(actual, expected, n, 1e-7, 1e-9);
    else
        assert_near(actual, expected, n, 0.0, 0.1 * movement);
    free(expected);
    free(start);
}

static const char *const ONE_STEP[] = { "minibatch.actor.0.weight", "minibatch.critic.0.weight", "ret", "indices", NULL };

/* K critic steps on the returns of the file, then one actor step along the hypergradient. */
static void check_minibatch(const vec_file *file)
{
    arrays a = begin(file);
    blpo_trainer *t = a.m.trainer;
    real *gradient = guarded_new(a.m.n_critic), *total = guarded_new(a.m.n_actor);
    int64_t index[64];
    const int64_t k = vec_need(file, "indices")->size;
    assert_in_range(k, 1, 64);
    for (int64_t i = 0; i < k; i++)
        index[i] = (int64_t)vec_need(file, "indices")->value[i];
    assert_status(blpo_hypergrad_set_indices(t->solver, index, k), BLPO_OK);
    for (int64_t i = 0; i < t->config.critic_steps; i++) {
        assert_status(blpo__game_critic_gradient(a.game, gradient), BLPO_OK);
        blpo__adam_step(&t->critic_adam_work, t->config.critic_learning_rate, gradient, a.game->w);
    }
    assert_status(blpo__game_linearise(a.game, a.direct, a.response), BLPO_OK);
    assert_status(blpo_hypergrad_compute(t->solver, a.direct, a.response, total, NULL), BLPO_OK);
    blpo__adam_step(&t->actor_adam_work, t->config.actor_learning_rate, total, a.game->theta);
    check_moved(a.game->w, file, "minibatch.critic", "critic");
    check_moved(a.game->theta, file, "minibatch.actor", "actor");
    guarded_free(gradient);
    guarded_free(total);
    end(&a);
}

static void one_minibatch_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(ONE_STEP, check_minibatch);
}

static const char *const UPDATE[] = { "trajectory.0.obs", "order", "indices", "updated.actor.0.weight",
                                      "updated.critic.0.weight", NULL };

/* The order and the Nystrom indices of the file instead of draws; the returns are the library's own. */
static void check_update(const vec_file *file)
{
    minibatch m = minibatch_new(file);
    const vec_record *order = vec_need(file, "order"), *indices = vec_need(file, "indices");
    int64_t *plan = malloc((size_t)(order->size + indices->size) * sizeof *plan);
    assert_non_null(plan);
    for (int64_t i = 0; i < order->size; i++)
        plan[i] = (int64_t)order->value[i];
    for (int64_t i = 0; i < indices->size; i++)
        plan[order->size + i] = (int64_t)indices->value[i];
    m.trainer->plan_order = plan;
    m.trainer->plan_indices = plan + order->size;
    assert_status(blpo_trainer_update(m.trainer, NULL), BLPO_OK);
    check_moved(m.policy->parameters, file, "updated.actor", "actor");
    check_moved(m.critic->parameters, file, "updated.critic", "critic");
    free(plan);
    minibatch_free(&m);
}

static void whole_updates_agree_with_every_file(void **state)
{
    (void)state;
    vec_for_each(UPDATE, check_update);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_gradients_agree_with_every_file),
        cmocka_unit_test(advantages_agree_with_every_file),
        cmocka_unit_test(hessian_products_and_rows_agree_with_every_file),
        cmocka_unit_test(the_mixed_product_agrees_with_every_file),
        cmocka_unit_test(the_hypergradient_agrees_with_every_file),
        cmocka_unit_test(one_minibatch_agrees_with_every_file),
        cmocka_unit_test(whole_updates_agree_with_every_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
