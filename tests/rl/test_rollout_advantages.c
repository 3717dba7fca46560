/* Advantages of what a rollout holds, under a critic: vector files, masked rows, ends, bad arguments. */
#include "support/check.h"
#include "support/networks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rollout of one observation, discrete actions. */
static blpo_rollout *rollout_new(int64_t n_envs, int64_t n_steps, int64_t obs_dim)
{
    blpo_rollout_config config;
    blpo_rollout *rollout = NULL;
    assert_status(blpo_rollout_config_init(&config, sizeof config), BLPO_OK);
    config.n_envs = n_envs;
    config.n_steps = n_steps;
    config.obs_dim = obs_dim;
    config.action_kind = BLPO_ACTION_DISCRETE;
    config.action_n = 2;
    assert_status(blpo_rollout_create(&config, NULL, &rollout), BLPO_OK);
    return rollout;
}

static const char *const NEEDED[] = { "critic.0.weight", "obs",    "next_obs", "reward",     "terminated",
                                      "truncated",       "values", "gamma",    "gae_lambda", "advantages", NULL };

static void push_file(blpo_rollout *rollout, const vec_file *file, int64_t n, int64_t obs_dim)
{
    test_real *obs = vec_reals(vec_need(file, "obs")->value, n * obs_dim);
    test_real *next = vec_reals(vec_need(file, "next_obs")->value, n * obs_dim);
    const int64_t action = 0;
    const test_real log_prob = 0;
    for (int64_t t = 0; t < n; t++) {
        const test_real reward = (test_real)vec_need(file, "reward")->value[t];
        const uint8_t terminated = vec_need(file, "terminated")->value[t] != 0.0;
        const uint8_t truncated = vec_need(file, "truncated")->value[t] != 0.0;
        const blpo_rollout_step step = { .struct_size = sizeof step,
                                         .obs = obs + t * obs_dim,
                                         .action = &action,
                                         .log_prob = &log_prob,
                                         .reward = &reward,
                                         .terminated = &terminated,
                                         .truncated = &truncated,
                                         .next_obs = next + t * obs_dim };
        assert_status(blpo_rollout_push(rollout, &step), t == n - 1 ? BLPO_UPDATE_DUE : BLPO_OK);
    }
    free(obs);
    free(next);
}

/* Float32: values to 25 x 64 eps (test_critic.c); an advantage sums deltas of two values each with weights (gamma
 * lambda)^l, 1 / (1 - gamma lambda) in all. Returns add one value more. */
static void check_file(const vec_file *file)
{
    const int64_t n = vec_need(file, "obs")->dim[0], obs_dim = vec_need(file, "obs")->dim[1];
    const double gamma = vec_scalar(file, "gamma"), lambda = vec_scalar(file, "gae_lambda");
    blpo_rollout *rollout = rollout_new(1, n, obs_dim);
    blpo_critic *critic = vec_critic(file, "critic");
    push_file(rollout, file, n, obs_dim);
    test_real *advantages = guarded_new(n), *returns = guarded_new(n);
    assert_status(blpo_rollout_advantages(rollout, critic, gamma, lambda, advantages, returns), BLPO_OK);
    const double *expected = vec_need(file, "advantages")->value, *value = vec_need(file, "values")->value;
    const int is_double = sizeof(test_real) == sizeof(double);
    const double single = 25.0 * 64.0 * TEST_EPSILON * (2.0 / (1.0 - gamma * lambda) + 1.0);
    double *sum = malloc((size_t)n * sizeof *sum);
    for (int64_t t = 0; t < n; t++)
        sum[t] = expected[t] + value[t];
    assert_all_close(advantages, expected, n, is_double ? 1e-9 : 0.0, is_double ? 1e-10 : single);
    assert_all_close(returns, sum, n, is_double ? 1e-9 : 0.0, is_double ? 1e-10 : single);
    free(sum);
    guarded_free(advantages);
    guarded_free(returns);
    blpo_critic_destroy(critic);
    blpo_rollout_destroy(rollout);
}

static void advantages_agree_with_every_file(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_file);
}

/* V(s) = s: one observation, weight 1, bias 0. */
static blpo_critic *identity_critic(void)
{
    blpo_critic_config config;
    blpo_critic *critic = NULL;
    const test_real parameters[2] = { 1, 0 };
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 1;
    config.network.hidden = NULL;
    config.network.n_hidden = 0;
    assert_status(blpo_critic_create(&config, NULL, &critic), BLPO_OK);
    assert_status(blpo_critic_set_parameters(critic, parameters, 2), BLPO_OK);
    return critic;
}

enum { ENVS = 2 };

typedef struct row {
    test_real obs, reward, next_obs;
    uint8_t terminated, truncated, masked;
} row;

static void push(blpo_rollout *rollout, const row rows[ENVS])
{
    test_real obs[ENVS], reward[ENVS], next[ENVS], log_prob[ENVS] = { 0 };
    uint8_t terminated[ENVS], truncated[ENVS], masked[ENVS];
    const int64_t action[ENVS] = { 0 };
    for (int e = 0; e < ENVS; e++) {
        obs[e] = rows[e].obs;
        reward[e] = rows[e].reward;
        next[e] = rows[e].next_obs;
        terminated[e] = rows[e].terminated;
        truncated[e] = rows[e].truncated;
        masked[e] = rows[e].masked;
    }
    const blpo_rollout_step step = { sizeof step, obs, action, log_prob, reward, terminated, truncated, next, masked };
    assert_true(blpo_rollout_push(rollout, &step) >= 0);
}

/* gamma = lambda = 1/2. Environment 0: step 1 is a reset row between an end and a beginning, and gets 0.
 *   A_2 = 1 + 1/2 6 - 2 = 2;  A_1 = 0 (masked);  A_0 = 4 + 1/2 8 - 1 = 7 (truncated: bootstrapped from 8, no trace).
 * Environment 1: nothing ends. A_2 = 0 + 1/2 4 - 3 = -1;  A_1 = 0 + 1/2 3 - 2 - 1/4 = -3/4;
 *   A_0 = 0 + 1/2 2 - 1 + 1/4 (-3/4) = -3/16.  R = A + V. */
static void masked_rows_are_skipped_and_get_zero(void **state)
{
    (void)state;
    static const row steps[3][ENVS] = {
        { { 1, 4, 8, 0, 1, 0 }, { 1, 0, 2, 0, 0, 0 } },
        { { 8, 99, 2, 0, 0, 1 }, { 2, 0, 3, 0, 0, 0 } },
        { { 2, 1, 6, 0, 0, 0 }, { 3, 0, 4, 0, 0, 0 } },
    };
    const double advantages[6] = { 7, 0, 2, -0.1875, -0.75, -1 }, returns[6] = { 8, 0, 4, 0.8125, 1.25, 2 };
    blpo_rollout *rollout = rollout_new(ENVS, 5, 1); /* longer than what is pushed: [n_envs][length] */
    blpo_critic *critic = identity_critic();
    for (int t = 0; t < 3; t++)
        push(rollout, steps[t]);
    test_real *a = guarded_new(6), *r = guarded_new(6);
    assert_status(blpo_rollout_advantages(rollout, critic, 0.5, 0.5, a, r), BLPO_OK);
    assert_all_close(a, advantages, 6, 0.0, 0.0);
    assert_all_close(r, returns, 6, 0.0, 0.0);
    guarded_free(a);
    guarded_free(r);
    blpo_critic_destroy(critic);
    blpo_rollout_destroy(rollout);
}

/* A masked row is skipped, not an end of its own: the trace of the row before reaches the row after only where nothing
 * ended. Here nothing did: A_0 = delta_0 + 1/4 A_2, with delta_0 = 0 + 1/2 2 - 1 = 0 and A_2 = 1 + 1/2 6 - 2 = 2. */
static void a_masked_row_inside_an_episode_does_not_cut_the_trace(void **state)
{
    (void)state;
    static const row steps[3][ENVS] = {
        { { 1, 0, 2, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0 } },
        { { 9, 9, 9, 0, 0, 1 }, { 0, 0, 0, 0, 0, 0 } },
        { { 2, 1, 6, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0 } },
    };
    blpo_rollout *rollout = rollout_new(ENVS, 3, 1);
    blpo_critic *critic = identity_critic();
    for (int t = 0; t < 3; t++)
        push(rollout, steps[t]);
    test_real a[6];
    assert_status(blpo_rollout_advantages(rollout, critic, 0.5, 0.5, a, NULL), BLPO_OK);
    assert_true(a[0] == (test_real)0.5 && a[1] == 0 && a[2] == 2);
    blpo_critic_destroy(critic);
    blpo_rollout_destroy(rollout);
}

static void either_output_may_be_left_out(void **state)
{
    (void)state;
    static const row step[ENVS] = { { 1, 1, 2, 1, 0, 0 }, { 3, 1, 2, 0, 0, 0 } };
    blpo_rollout *rollout = rollout_new(ENVS, 1, 1);
    blpo_critic *critic = identity_critic();
    push(rollout, step);
    test_real a[2], r[2];
    assert_status(blpo_rollout_advantages(rollout, critic, 0.5, 0.5, a, NULL), BLPO_OK);
    assert_status(blpo_rollout_advantages(rollout, critic, 0.5, 0.5, NULL, r), BLPO_OK);
    assert_status(blpo_rollout_advantages(rollout, critic, 0.5, 0.5, NULL, NULL), BLPO_OK);
    assert_true(a[0] == 0 && r[0] == 1); /* 1 - 1, terminated */
    assert_true(a[1] == -1 && r[1] == 2); /* 1 + 1/2 2 - 3 */
    blpo_critic_destroy(critic);
    blpo_rollout_destroy(rollout);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    static const row step[ENVS] = { { 1, 1, 2, 0, 0, 0 }, { 3, 1, 2, 0, 0, 0 } };
    blpo_rollout *rollout = rollout_new(ENVS, 2, 1), *wide = rollout_new(ENVS, 2, 2);
    blpo_critic *critic = identity_critic();
    test_real a[4];
    assert_status(blpo_rollout_advantages(rollout, critic, 0.5, 0.5, a, a), BLPO_ERR_ARGUMENT); /* empty */
    push(rollout, step);
    const double bad[4] = { -0.01, 1.01, (double)NAN, -(double)INFINITY };
    for (int i = 0; i < 4; i++) {
        assert_status(blpo_rollout_advantages(rollout, critic, bad[i], 0.5, a, NULL), BLPO_ERR_ARGUMENT);
        assert_status(blpo_rollout_advantages(rollout, critic, 0.5, bad[i], a, NULL), BLPO_ERR_ARGUMENT);
    }
    assert_status(blpo_rollout_advantages(NULL, critic, 0.5, 0.5, a, NULL), BLPO_ERR_NULL);
    assert_status(blpo_rollout_advantages(rollout, NULL, 0.5, 0.5, a, NULL), BLPO_ERR_NULL);
    assert_status(blpo_rollout_advantages(wide, critic, 0.5, 0.5, a, NULL), BLPO_ERR_ARGUMENT);
    blpo_critic_destroy(critic);
    blpo_rollout_destroy(rollout);
    blpo_rollout_destroy(wide);
}

/* Finite rewards whose discounted sum is not. */
static void advantages_that_overflow_are_an_error(void **state)
{
    (void)state;
    const test_real big = (test_real)(TEST_REAL_MAX / 2);
    const row step[ENVS] = { { 0, big, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0 } };
    blpo_rollout *rollout = rollout_new(ENVS, 4, 1);
    blpo_critic *critic = identity_critic();
    test_real a[8];
    for (int t = 0; t < 4; t++)
        push(rollout, step);
    assert_status(blpo_rollout_advantages(rollout, critic, 1.0, 1.0, a, NULL), BLPO_ERR_NONFINITE);
    blpo_critic_destroy(critic);
    blpo_rollout_destroy(rollout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advantages_agree_with_every_file),
        cmocka_unit_test(masked_rows_are_skipped_and_get_zero),
        cmocka_unit_test(a_masked_row_inside_an_episode_does_not_cut_the_trace),
        cmocka_unit_test(either_output_may_be_left_out),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(advantages_that_overflow_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
