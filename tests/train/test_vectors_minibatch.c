/* Every derivative of one minibatch against automatic differentiation in float64: the vector files that hold a critic
 * gradient, through the game that the trainer plays.
 *
 * Tolerances. The float64 build must agree to 1e-9 in norm (1e-7 after Adam steps). In float32 data, parameters and
 * activations carry rounding errors of 6e-8 each; a sum over T <= 128 rows and widths <= 64 of terms that may cancel by a
 * factor of some hundred leaves 6e-8 x sqrt(64) x 200 = 1e-4 in norm: FIRST. Products with second derivatives pass
 * through two such sums: SECOND = 4e-4. An Adam step divides by |g| + 1e-5, so that an element of g that is itself
 * rounding error may move its parameter by any part of the learning rate: after K steps parameters are compared to K rates
 * for a single element and to a tenth of one in the mean over all. */
#include "support/check.h"
#include "support/play.h"

#include "hypergrad/hypergrad.h"
#include "nn/adam.h"
#include "rl/critic.h"
#include "train/game.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef BLPO__FLOAT64
enum { IN_DOUBLE = 1 };
static const double FIRST = 1e-9, SECOND = 1e-9;
#else
enum { IN_DOUBLE = 0 };
static const double FIRST = 1e-4, SECOND = 4e-4;
#endif

static const char *const NEEDED[] = { "critic_gradient", "response_gradient", "hessian_rows", "ihvp_nystrom", NULL };

typedef struct table {
    blpo__host host;
    blpo_config config;
    blpo_policy *policy;
    blpo_critic *critic;
    blpo_rollout *rollout;
    test_real *returns;
    blpo__game game;
    int64_t p, q;
    test_real *direct, *of_critic;
} table;

static void table_set(table *t, const vec_file *file)
{
    static const int64_t first = 0;
    memset(t, 0, sizeof *t);
    assert_status(blpo__runtime_read(&t->host.runtime, NULL), BLPO_OK);
    t->host.memory = blpo__memory_of(NULL);
    t->config = vec_config(file);
    t->policy = vec_policy(file, "actor");
    t->critic = vec_critic(file, "critic");
    t->rollout = vec_rollout(file, "", 1, t->policy);
    t->returns = vec_returns(file, "", 1);
    t->p = t->critic->n_parameters;
    t->q = t->policy->n_parameters;
    blpo__game_create(&t->game, &t->host, &t->config, t->policy, &t->critic->mlp, 1, t->rollout->config.n_steps, &t->host.memory);
    assert_false(t->host.memory.failed);
    memcpy(t->game.theta, t->policy->parameters, (size_t)t->q * sizeof(test_real));
    memcpy(t->game.w, t->critic->parameters, (size_t)t->p * sizeof(test_real));
    blpo__game_load(&t->game, t->rollout, &first, 1, t->returns);
    t->direct = guarded_new(t->q);
    t->of_critic = guarded_new(t->p);
}

static void table_clear(table *t)
{
    guarded_free(t->direct);
    guarded_free(t->of_critic);
    free(t->returns);
    blpo_rollout_destroy(t->rollout);
    blpo_critic_destroy(t->critic);
    blpo_policy_destroy(t->policy);
    blpo__memory_release(&t->host.memory);
}

static void assert_network(const test_real *actual, const vec_file *file, const char *prefix, double tolerance)
{
    int64_t n;
    double *expected = vec_network_parameters(file, prefix, &n);
    assert_near(actual, expected, n, tolerance, 1e-12);
    free(expected);
}

static void check_losses_and_gradients(const vec_file *file)
{
    table t;
    table_set(&t, file);
    assert_status(blpo__game_critic_gradient(&t.game, t.of_critic), BLPO_OK);
    assert_close(t.game.critic_loss, vec_scalar(file, "critic_loss"), FIRST, 0);
    assert_near(t.of_critic, vec_need(file, "critic_gradient")->value, t.p, FIRST, 0);

    assert_status(blpo__game_linearise(&t.game, t.direct, t.of_critic), BLPO_OK);
    assert_close(t.game.actor_loss, vec_scalar(file, "actor_loss"), FIRST, FIRST);
    for (int64_t i = 0; i < t.game.batch.n; i++)
        assert_close(t.game.advantage[i], vec_need(file, "advantages")->value[i], FIRST, FIRST);
    assert_network(t.direct, file, "direct", FIRST);
    assert_near(t.of_critic, vec_need(file, "response_gradient")->value, t.p, FIRST, 0);

    assert_status(blpo__game_critic_gradient_here(&t.game, t.of_critic), BLPO_OK);
    assert_near(t.of_critic, vec_need(file, "critic_gradient")->value, t.p, FIRST, 0);
    table_clear(&t);
}

static int64_t *indices_of(const vec_file *file)
{
    const vec_record *record = vec_need(file, "indices");
    int64_t *index = calloc((size_t)record->size, sizeof *index);
    for (int64_t i = 0; i < record->size; i++)
        index[i] = (int64_t)record->value[i];
    return index;
}

static void check_second_derivatives(const vec_file *file)
{
    table t;
    table_set(&t, file);
    assert_status(blpo__game_linearise(&t.game, t.direct, t.of_critic), BLPO_OK);

    test_real *v = vec_reals(vec_need(file, "response_gradient")->value, t.p);
    assert_status(blpo__game_hessian_product(&t.game, v, t.of_critic), BLPO_OK);
    assert_near(t.of_critic, vec_need(file, "hessian_vector_product")->value, t.p, SECOND, 0);

    const int64_t k = vec_need(file, "indices")->size;
    int64_t *index = indices_of(file);
    test_real *rows = guarded_new(k * t.p);
    assert_status(blpo__game_hessian_rows(&t.game, index, k, rows), BLPO_OK);
    assert_near(rows, vec_need(file, "hessian_rows")->value, k * t.p, SECOND, 0);

    test_real *x = vec_reals(vec_need(file, "ihvp_nystrom")->value, t.p);
    assert_status(blpo__game_mixed_product(&t.game, x, t.direct), BLPO_OK);
    assert_network(t.direct, file, "implicit", SECOND);
    guarded_free(rows);
    free(x);
    free(index);
    free(v);
    table_clear(&t);
}

/* Every row of H, one coordinate after the other, so that each layer, unit, input and bias is met. */
static void check_all_rows(const vec_file *file)
{
    if (vec_find(file, "hessian") == NULL)
        return;
    table t;
    table_set(&t, file);
    assert_status(blpo__game_linearise(&t.game, t.direct, t.of_critic), BLPO_OK);
    const double *h = vec_need(file, "hessian")->value;
    double largest = 0.0;
    for (int64_t i = 0; i < t.p * t.p; i++)
        largest = fmax(largest, fabs(h[i]));
    for (int64_t i = 0; i < t.p; i++) {
        assert_status(blpo__game_hessian_rows(&t.game, &i, 1, t.of_critic), BLPO_OK);
        assert_near(t.of_critic, h + i * t.p, t.p, SECOND, SECOND * largest);
    }
    table_clear(&t);
}

static blpo_hypergrad *solver_of(table *t, const vec_file *file)
{
    blpo_problem problem;
    blpo_hypergrad_config config;
    blpo_hypergrad *solver = NULL;
    blpo_problem_init(&problem, sizeof problem);
    blpo_hypergrad_config_init(&config, sizeof config);
    problem.n_inner = t->p;
    problem.n_outer = t->q;
    problem.user = &t->game;
    problem.hvp = blpo__game_hessian_product;
    problem.hessian_rows = blpo__game_hessian_rows;
    problem.mixed_product = blpo__game_mixed_product;
    config.nystrom_rank = t->config.nystrom_rank;
    config.nystrom_rho = t->config.nystrom_rho;
    config.nystrom_shift = t->config.nystrom_shift;
    config.kappa = t->config.kappa;
    config.report_residual = 1;
    assert_status(blpo_hypergrad_create(&problem, &config, NULL, &solver), BLPO_OK);
    int64_t *index = indices_of(file);
    assert_status(blpo_hypergrad_set_indices(solver, index, config.nystrom_rank), BLPO_OK);
    free(index);
    return solver;
}

/* The residual is a ratio of norms of vectors that are each right to SECOND. */
static void check_hypergradient(const vec_file *file)
{
    table t;
    table_set(&t, file);
    blpo_hypergrad *solver = solver_of(&t, file);
    blpo_hypergrad_report report = { .struct_size = sizeof report };
    test_real *total = guarded_new(t.q);
    assert_status(blpo__game_linearise(&t.game, t.direct, t.of_critic), BLPO_OK);
    assert_status(blpo_hypergrad_compute(solver, t.direct, t.of_critic, total, &report), BLPO_OK);
    assert_network(total, file, "hypergradient", SECOND);
    assert_close(report.relative_residual, vec_scalar(file, "ihvp_nystrom_relative_residual"), 4 * SECOND, 4 * SECOND);
    guarded_free(total);
    blpo_hypergrad_destroy(solver);
    table_clear(&t);
}

/* Parameters after Adam: see the head of the file. */
static void assert_stepped(const test_real *actual, const vec_file *file, const char *prefix, double rate, int64_t steps)
{
    int64_t n;
    double *expected = vec_network_parameters(file, prefix, &n), sum = 0.0;
    if (IN_DOUBLE)
        assert_near(actual, expected, n, 1e-7, 0);
    for (int64_t i = 0; i < n; i++) {
        const double away = fabs((double)actual[i] - expected[i]);
        assert_true(away <= (double)steps * rate + 1e-6 * fabs(expected[i]));
        sum += away;
    }
    assert_true(sum / (double)n <= 0.1 * rate);
    free(expected);
}

static void check_whole_minibatch(const vec_file *file)
{
    table t;
    table_set(&t, file);
    blpo__adam of_actor, of_critic;
    blpo__adam_create(&of_actor, t.q, 0.9, 0.999, 1e-5, &t.host.memory);
    blpo__adam_create(&of_critic, t.p, 0.9, 0.999, 1e-5, &t.host.memory);
    for (int64_t k = 0; k < t.config.critic_steps; k++) {
        assert_status(blpo__game_critic_gradient(&t.game, t.of_critic), BLPO_OK);
        blpo__adam_step(&of_critic, t.config.critic_learning_rate, t.of_critic, t.game.w);
    }
    assert_stepped(t.game.w, file, "minibatch.critic", t.config.critic_learning_rate, t.config.critic_steps);

    /* the oracle takes the hypergradient where it starts: at the critic after its steps */
    blpo_hypergrad *solver = solver_of(&t, file);
    assert_status(blpo__game_linearise(&t.game, t.direct, t.of_critic), BLPO_OK);
    assert_status(blpo_hypergrad_compute(solver, t.direct, t.of_critic, t.direct, NULL), BLPO_OK);
    blpo__adam_step(&of_actor, t.config.actor_learning_rate, t.direct, t.game.theta);
    assert_stepped(t.game.theta, file, "minibatch.actor", t.config.actor_learning_rate, 1);
    blpo_hypergrad_destroy(solver);
    table_clear(&t);
}

static void losses_and_gradients_match(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_losses_and_gradients);
}

static void second_derivatives_match(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_second_derivatives);
}

static void every_hessian_row_matches(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_all_rows);
}

static void hypergradient_and_its_residual_match(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_hypergradient);
}

static void parameters_after_one_minibatch_match(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_whole_minibatch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_gradients_match),
        cmocka_unit_test(second_derivatives_match),
        cmocka_unit_test(every_hessian_row_matches),
        cmocka_unit_test(hypergradient_and_its_residual_match),
        cmocka_unit_test(parameters_after_one_minibatch_match),
    };
    return cmocka_run_group_tests_name("vectors of one minibatch", tests, NULL, NULL);
}
