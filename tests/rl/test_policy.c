/* Policies: parameters, log-probabilities, entropies, initial weights; against vector files and hand values. */
#include "support/check.h"
#include "support/creators.h"
#include "support/memory.h"
#include "support/networks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 512 };

static blpo_policy *policy_new(const blpo_policy_config *config)
{
    blpo_policy *policy = NULL;
    assert_status(blpo_policy_create(config, NULL, &policy), BLPO_OK);
    return policy;
}

/* An affine policy of one observation: logits or means are weight obs + bias. */
static blpo_policy *affine_policy(int32_t kind, int64_t n, const test_real *parameters)
{
    blpo_policy_config config;
    assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 1;
    config.action.kind = kind;
    config.action.n = n;
    config.network.hidden = NULL;
    config.network.n_hidden = 0;
    blpo_policy *policy = policy_new(&config);
    const int64_t count = kind == BLPO_ACTION_DISCRETE ? 2 * n : 3 * n;
    assert_int_equal(blpo_policy_n_parameters(policy), count);
    assert_status(blpo_policy_set_parameters(policy, parameters, count), BLPO_OK);
    return policy;
}

static const char *const LOG_PROB_NEEDED[] = { "actor.0.weight", "obs", "action", "policy_log_prob", NULL };

/* Float32: a layer of width n adds n eps |weights| |input| to its output; with weights of norm about 1 a row, activations
 * within 1 and at most 5 layers of 64 that is 5 x 64 eps in a logit, 4e-5. The Gaussian multiplies it by |z| / std: both
 * stay below 5 in the files, so 25 times that much is allowed there. */
static void check_log_prob(const vec_file *file)
{
    blpo_policy *policy = vec_policy(file, "actor");
    blpo_action_space space;
    assert_status(blpo_policy_action_space(policy, &space), BLPO_OK);
    const vec_record *obs = vec_need(file, "obs"), *action = vec_need(file, "action");
    const int64_t n = obs->dim[0];
    test_real *obs_real = vec_reals(obs->value, obs->size), *action_real = vec_reals(action->value, action->size);
    int64_t *index = calloc((size_t)n, sizeof *index);
    test_real *log_prob = guarded_new(n);
    const int discrete = space.kind == BLPO_ACTION_DISCRETE;
    for (int64_t i = 0; discrete && i < n; i++)
        index[i] = (int64_t)action->value[i];
    const void *given = discrete ? (const void *)index : action_real;
    assert_status(blpo_policy_log_prob(policy, obs_real, given, n, log_prob), BLPO_OK);
    const int is_double = sizeof(test_real) == sizeof(double);
    const double layer = 5.0 * 64.0 * TEST_EPSILON * (discrete ? 1.0 : 25.0);
    assert_all_close(log_prob, vec_need(file, "policy_log_prob")->value, n, is_double ? 1e-9 : layer,
                     is_double ? 1e-12 : layer);
    guarded_free(log_prob);
    free(obs_real);
    free(action_real);
    free(index);
    blpo_policy_destroy(policy);
}

static void log_prob_agrees_with_every_file(void **state)
{
    (void)state;
    vec_for_each(LOG_PROB_NEEDED, check_log_prob);
}

/* Logits are 0, log 2 and log 5 at any obs: probabilities 1/8, 2/8 and 5/8. A logarithm and a sum: 8 eps. */
static void categorical_log_prob_and_entropy_are_the_hand_values(void **state)
{
    (void)state;
    const test_real parameters[6] = { 0, 0, 0, 0, (test_real)0.69314718055994531, (test_real)1.6094379124341003 };
    blpo_policy *policy = affine_policy(BLPO_ACTION_DISCRETE, 3, parameters);
    const test_real obs[3] = { -1, 0, 7 };
    const int64_t action[3] = { 0, 1, 2 };
    const double p[3] = { 0.125, 0.25, 0.625 };
    test_real log_prob[3], entropy[3];
    assert_status(blpo_policy_log_prob(policy, obs, action, 3, log_prob), BLPO_OK);
    assert_status(blpo_policy_entropy(policy, obs, 3, entropy), BLPO_OK);
    const double expected = -(p[0] * log(p[0]) + p[1] * log(p[1]) + p[2] * log(p[2]));
    for (int i = 0; i < 3; i++) {
        assert_close(log_prob[i], log(p[i]), 8.0 * TEST_EPSILON, 0.0);
        assert_close(entropy[i], expected, 8.0 * TEST_EPSILON, 0.0);
    }
    blpo_policy_destroy(policy);
}

/* Logits 0 and 1000: exp(1000) has no number, log softmax has: -1000 and 0. The entropy is 0 to exp(-1000) 1000. */
static void logits_far_apart_do_not_overflow(void **state)
{
    (void)state;
    const test_real parameters[4] = { 0, 0, 0, 1000 };
    blpo_policy *policy = affine_policy(BLPO_ACTION_DISCRETE, 2, parameters);
    const test_real obs[2] = { 0, 0 };
    const int64_t action[2] = { 0, 1 };
    test_real log_prob[2], entropy[2];
    assert_status(blpo_policy_log_prob(policy, obs, action, 2, log_prob), BLPO_OK);
    assert_status(blpo_policy_entropy(policy, obs, 2, entropy), BLPO_OK);
    assert_close(log_prob[0], -1000.0, 4.0 * TEST_EPSILON, 0.0);
    assert_close(log_prob[1], 0.0, 0.0, TEST_EPSILON);
    assert_close(entropy[0], 0.0, 0.0, TEST_EPSILON);
    blpo_policy_destroy(policy);
}

/* Means 2 obs + 1 and -obs, log_std 0 and log 2. At obs = 1: means 3 and -1, std 1 and 2; action (4, 3): z = 1 and 2.
 * log p = -1/2 - 0 - log(2 pi)/2  - 4/2 - log 2 - log(2 pi)/2; entropy = 1 + log(2 pi) + log 2. */
static void gaussian_log_prob_and_entropy_are_the_hand_values(void **state)
{
    (void)state;
    const test_real parameters[6] = { 2, -1, 1, 0, 0, (test_real)0.69314718055994531 };
    blpo_policy *policy = affine_policy(BLPO_ACTION_CONTINUOUS, 2, parameters);
    const test_real obs = 1, action[2] = { 4, 3 };
    const double log_two_pi = 1.8378770664093453, log_two = 0.69314718055994531;
    test_real log_prob, entropy;
    assert_status(blpo_policy_log_prob(policy, &obs, action, 1, &log_prob), BLPO_OK);
    assert_status(blpo_policy_entropy(policy, &obs, 1, &entropy), BLPO_OK);
    assert_close(log_prob, -2.5 - log_two - log_two_pi, 8.0 * TEST_EPSILON, 0.0);
    assert_close(entropy, 1.0 + log_two_pi + log_two, 8.0 * TEST_EPSILON, 0.0);
    blpo_policy_destroy(policy);
}

/* tanh and relu layers, weight[out][in] then bias, layer by layer: with obs = (1, -2),
 * hidden = f(1 - 2 (-2) + 0.5, 3 (1) + (-2) (1) - 1) = f(5.5, 0), logits = (2 f(5.5) + 1, f(0) - 1). Swapping weight and bias, or rows and columns,
 * gives other numbers. */
static void parameters_lie_in_the_documented_order(void **state)
{
    (void)state;
    const int64_t hidden = 2;
    const test_real parameters[12] = { 1, -2, 3, 1, (test_real)0.5, -1, 2, 0, 0, 1, 1, -1 };
    const test_real obs[2] = { 1, -2 };
    for (int32_t activation = BLPO_TANH; activation <= BLPO_RELU; activation++) {
        blpo_policy_config config;
        assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
        config.obs_dim = 2;
        config.action.kind = BLPO_ACTION_DISCRETE;
        config.action.n = 2;
        config.network.hidden = &hidden;
        config.network.n_hidden = 1;
        config.network.activation = activation;
        blpo_policy *policy = policy_new(&config);
        assert_status(blpo_policy_set_parameters(policy, parameters, 12), BLPO_OK);
        const double f = activation == BLPO_TANH ? tanh(5.5) : 5.5, difference = 2.0 * f + 2.0;
        const int64_t action = 1;
        test_real log_prob;
        assert_status(blpo_policy_log_prob(policy, obs, &action, 1, &log_prob), BLPO_OK);
        assert_close(log_prob, -difference - log1p(exp(-difference)), 32.0 * TEST_EPSILON, 0.0);
        blpo_policy_destroy(policy);
    }
}

static void set_and_get_give_the_same_bits(void **state)
{
    (void)state;
    const blpo_policy_config config = small_policy_config(BLPO_ACTION_CONTINUOUS);
    blpo_policy *policy = policy_new(&config);
    const int64_t n = blpo_policy_n_parameters(policy);
    assert_int_equal(n, 3 * 5 + 5 + 5 * 3 + 3 + 3 * 2 + 2 + 2);
    test_real set[64], *got = guarded_new(n);
    for (int64_t i = 0; i < n; i++)
        set[i] = (test_real)(0.1 * (double)i - 3.0);
    assert_status(blpo_policy_set_parameters(policy, set, n), BLPO_OK);
    assert_status(blpo_policy_get_parameters(policy, got, n), BLPO_OK);
    assert_memory_equal(set, got, (size_t)n * sizeof *set);
    guarded_free(got);
    blpo_policy_destroy(policy);
}

static void bad_parameters_are_refused_and_the_old_ones_stay(void **state)
{
    (void)state;
    const blpo_policy_config config = small_policy_config(BLPO_ACTION_CONTINUOUS);
    blpo_policy *policy = policy_new(&config);
    const int64_t n = blpo_policy_n_parameters(policy);
    test_real good[64], bad[64], now[64];
    assert_status(blpo_policy_get_parameters(policy, good, n), BLPO_OK);
    const test_real values[3] = { (test_real)NAN, (test_real)INFINITY, -(test_real)INFINITY };
    for (int64_t at = 0; at < n; at++)
        for (int i = 0; i < 3; i++) {
            memcpy(bad, good, sizeof bad);
            bad[at] = values[i];
            assert_status(blpo_policy_set_parameters(policy, bad, n), BLPO_ERR_NONFINITE);
        }
    memcpy(bad, good, sizeof bad);
    bad[n - 1] = (test_real)20.5; /* log_std */
    assert_status(blpo_policy_set_parameters(policy, bad, n), BLPO_ERR_ARGUMENT);
    bad[n - 1] = (test_real)-20.5;
    assert_status(blpo_policy_set_parameters(policy, bad, n), BLPO_ERR_ARGUMENT);
    assert_status(blpo_policy_set_parameters(policy, good, n - 1), BLPO_ERR_ARGUMENT);
    assert_status(blpo_policy_set_parameters(policy, good, n + 1), BLPO_ERR_ARGUMENT);
    assert_status(blpo_policy_set_parameters(policy, good, -1), BLPO_ERR_ARGUMENT);
    assert_status(blpo_policy_get_parameters(policy, now, n + 1), BLPO_ERR_ARGUMENT);
    assert_status(blpo_policy_get_parameters(policy, now, 0), BLPO_ERR_ARGUMENT);
    assert_status(blpo_policy_get_parameters(policy, now, n), BLPO_OK);
    assert_memory_equal(now, good, (size_t)n * sizeof *now);
    blpo_policy_destroy(policy);
}

static void a_log_std_at_its_limits_is_taken(void **state)
{
    (void)state;
    const test_real limits[3] = { 0, 0, 20 };
    blpo_policy *policy = affine_policy(BLPO_ACTION_CONTINUOUS, 1, limits);
    const test_real low[3] = { 0, 0, -20 };
    assert_status(blpo_policy_set_parameters(policy, low, 3), BLPO_OK);
    blpo_policy_destroy(policy);
}

/* Dot product of rows (or, with transposed, columns) a and b of a matrix [out][in]. */
static double dot(const test_real *w, int64_t out, int64_t in, int64_t a, int64_t b, int transposed)
{
    double sum = 0.0;
    for (int64_t i = 0; i < (transposed ? out : in); i++)
        sum += transposed ? (double)w[i * in + a] * (double)w[i * in + b] : (double)w[a * in + i] * (double)w[b * in + i];
    return sum;
}

/* The shorter side of an orthogonal matrix times gain is orthogonal: Gram matrix gain^2 I. Householder reflections keep
 * that to some n eps, n <= 64; storing the weights adds eps each. */
static void assert_orthogonal(const test_real *w, int64_t out, int64_t in, double gain)
{
    const int64_t side = out < in ? out : in;
    for (int64_t a = 0; a < side; a++)
        for (int64_t b = 0; b <= a; b++)
            assert_close(dot(w, out, in, a, b, out > in), a == b ? gain * gain : 0.0, 0.0,
                         64.0 * TEST_EPSILON * gain * gain);
}

static void initial_weights_are_orthogonal_with_the_gains_and_biases_zero(void **state)
{
    (void)state;
    blpo_policy_config config;
    assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 4;
    config.action.kind = BLPO_ACTION_CONTINUOUS;
    config.action.n = 3;
    config.initial_log_std = -0.5;
    config.seed = 11;
    blpo_policy *policy = policy_new(&config); /* 4-64-64-3 */
    const int64_t n = blpo_policy_n_parameters(policy);
    assert_int_equal(n, 4 * 64 + 64 + 64 * 64 + 64 + 64 * 3 + 3 + 3);
    test_real *w = guarded_new(n);
    assert_status(blpo_policy_get_parameters(policy, w, n), BLPO_OK);
    const int64_t second = 4 * 64 + 64, third = second + 64 * 64 + 64, log_std = n - 3;
    assert_orthogonal(w, 64, 4, sqrt(2.0));
    assert_orthogonal(w + second, 64, 64, sqrt(2.0));
    assert_orthogonal(w + third, 3, 64, 0.01);
    for (int64_t i = 0; i < 64; i++)
        assert_true(w[4 * 64 + i] == 0 && w[second + 64 * 64 + i] == 0);
    for (int64_t i = 0; i < 3; i++)
        assert_true(w[third + 192 + i] == 0 && w[log_std + i] == (test_real)-0.5);
    guarded_free(w);
    blpo_policy_destroy(policy);
}

/* A uniform rotation has entries of mean 0 and both signs; a fixed matrix (a diagonal, the identity) would not. */
static void initial_weights_are_a_function_of_the_seed(void **state)
{
    (void)state;
    test_real w[3][SIDE];
    int64_t n = 0, positive = 0;
    static const uint64_t seeds[3] = { 1, 1, 2 };
    for (int i = 0; i < 3; i++) {
        blpo_policy_config config = small_policy_config(BLPO_ACTION_DISCRETE);
        config.seed = seeds[i];
        blpo_policy *policy = policy_new(&config);
        n = blpo_policy_n_parameters(policy);
        assert_status(blpo_policy_get_parameters(policy, w[i], n), BLPO_OK);
        blpo_policy_destroy(policy);
    }
    assert_memory_equal(w[0], w[1], (size_t)n * sizeof w[0][0]);
    assert_memory_not_equal(w[0], w[2], (size_t)n * sizeof w[0][0]);
    for (int i = 0; i < 15; i++) {
        assert_true(w[0][i] != 0);
        positive += w[0][i] > 0;
    }
    assert_in_range(positive, 1, 14); /* all of one sign: 2^-14 */
}

static void the_action_space_comes_back_with_bounds_of_the_policys_own(void **state)
{
    (void)state;
    test_real low[2] = { -1, -2 }, high[2] = { 1, 2 };
    blpo_policy_config config = small_policy_config(BLPO_ACTION_CONTINUOUS);
    config.action.low = low;
    config.action.high = high;
    blpo_policy *policy = policy_new(&config);
    low[0] = high[0] = 99;
    blpo_action_space space;
    assert_status(blpo_policy_action_space(policy, &space), BLPO_OK);
    assert_true(space.kind == BLPO_ACTION_CONTINUOUS && space.n == 2);
    assert_true(space.low[0] == -1 && space.low[1] == -2 && space.high[0] == 1 && space.high[1] == 2);
    assert_int_equal(blpo_policy_obs_dim(policy), 3);
    assert_status(blpo_policy_action_space(NULL, &space), BLPO_ERR_NULL);
    assert_status(blpo_policy_action_space(policy, NULL), BLPO_ERR_NULL);
    blpo_policy_destroy(policy);
}

static void null_policies_have_no_size(void **state)
{
    (void)state;
    assert_int_equal(blpo_policy_n_parameters(NULL), 0);
    assert_int_equal(blpo_policy_obs_dim(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_prob_agrees_with_every_file),
        cmocka_unit_test(categorical_log_prob_and_entropy_are_the_hand_values),
        cmocka_unit_test(logits_far_apart_do_not_overflow),
        cmocka_unit_test(gaussian_log_prob_and_entropy_are_the_hand_values),
        cmocka_unit_test(parameters_lie_in_the_documented_order),
        cmocka_unit_test(set_and_get_give_the_same_bits),
        cmocka_unit_test(bad_parameters_are_refused_and_the_old_ones_stay),
        cmocka_unit_test(a_log_std_at_its_limits_is_taken),
        cmocka_unit_test(initial_weights_are_orthogonal_with_the_gains_and_biases_zero),
        cmocka_unit_test(initial_weights_are_a_function_of_the_seed),
        cmocka_unit_test(the_action_space_comes_back_with_bounds_of_the_policys_own),
        cmocka_unit_test(null_policies_have_no_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
