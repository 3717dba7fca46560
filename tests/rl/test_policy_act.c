/* Acting: modes, distributions of draws, streams, batches, bounds, threads. */
#include "support/check.h"
#include "support/creators.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static blpo_policy *policy_new(const blpo_policy_config *config)
{
    blpo_policy *policy = NULL;
    assert_status(blpo_policy_create(config, NULL, &policy), BLPO_OK);
    return policy;
}

/* Affine in one observation with weights 0: the bias is what the network gives. Bounds may be NULL. */
static blpo_policy *constant_policy(int32_t kind, int64_t n, const test_real *bias, const test_real *log_std,
                                    const test_real *low, const test_real *high)
{
    blpo_policy_config config;
    assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 1;
    config.action = (blpo_action_space){ kind, n, low, high };
    config.network.n_hidden = 0;
    config.network.hidden = NULL;
    blpo_policy *policy = policy_new(&config);
    test_real parameters[32] = { 0 };
    memcpy(parameters + n, bias, (size_t)n * sizeof *bias);
    if (log_std)
        memcpy(parameters + 2 * n, log_std, (size_t)n * sizeof *log_std);
    assert_status(blpo_policy_set_parameters(policy, parameters, log_std ? 3 * n : 2 * n), BLPO_OK);
    return policy;
}

/* Probabilities 1/8, 2/8, 5/8 in 8000 draws: chi-square with 2 degrees of freedom; 18.4 is exceeded by one fair seed in ten
 * thousand, and 1e-3 is undercut by one in two thousand. The seed is fixed. */
static void categorical_draws_have_the_probabilities_of_the_policy(void **state)
{
    (void)state;
    enum { N = 8000 };
    const test_real bias[3] = { 0, (test_real)0.69314718055994531, (test_real)1.6094379124341003 };
    blpo_policy *policy = constant_policy(BLPO_ACTION_DISCRETE, 3, bias, NULL, NULL, NULL);
    test_real *obs = calloc(N, sizeof *obs);
    int64_t *action = calloc(N, sizeof *action), count[3] = { 0 };
    blpo_random random = { .seed = 3 };
    assert_status(blpo_policy_act(policy, obs, N, BLPO_SAMPLE, &random, action), BLPO_OK);
    for (int i = 0; i < N; i++) {
        assert_in_range(action[i], 0, 2);
        count[action[i]]++;
    }
    const double expected[3] = { 1000, 2000, 5000 };
    double chi = 0.0;
    for (int i = 0; i < 3; i++)
        chi += ((double)count[i] - expected[i]) * ((double)count[i] - expected[i]) / expected[i];
    assert_true(chi < 18.4);
    assert_true(chi > 1e-3);
    free(obs);
    free(action);
    blpo_policy_destroy(policy);
}

/* An action of probability zero (a logit of -1000) is never drawn. */
static void an_impossible_action_is_never_drawn(void **state)
{
    (void)state;
    const test_real bias[3] = { -1000, 0, -1000 };
    blpo_policy *policy = constant_policy(BLPO_ACTION_DISCRETE, 3, bias, NULL, NULL, NULL);
    test_real obs[256] = { 0 };
    int64_t action[256];
    for (uint64_t seed = 0; seed < 20; seed++) {
        blpo_random random = { .seed = seed };
        assert_status(blpo_policy_act(policy, obs, 256, BLPO_SAMPLE, &random, action), BLPO_OK);
        for (int i = 0; i < 256; i++)
            assert_int_equal(action[i], 1);
    }
    blpo_policy_destroy(policy);
}

enum { MOMENTS = 20000 };

/* Five standard errors of N = 20000: mean 5/sqrt(N), variance 5 sqrt(2/N), fourth moment 5 sqrt(96/N), correlation of
 * neighbours and of dimensions 5/sqrt(N). */
static void check_moments(const double *z, const double *other)
{
    double mean = 0.0, variance = 0.0, fourth = 0.0, neighbours = 0.0, across = 0.0;
    for (int i = 0; i < MOMENTS; i++) {
        mean += z[i] / MOMENTS;
        variance += z[i] * z[i] / MOMENTS;
        fourth += z[i] * z[i] * z[i] * z[i] / MOMENTS;
        across += z[i] * other[i] / MOMENTS;
        if (i > 0)
            neighbours += z[i] * z[i - 1] / MOMENTS;
    }
    const double n = MOMENTS;
    assert_close(mean, 0.0, 0.0, 5.0 / sqrt(n));
    assert_close(variance, 1.0, 0.0, 5.0 * sqrt(2.0 / n));
    assert_close(fourth, 3.0, 0.0, 5.0 * sqrt(96.0 / n));
    assert_close(neighbours, 0.0, 0.0, 5.0 / sqrt(n));
    assert_close(across, 0.0, 0.0, 5.0 / sqrt(n));
}

static void gaussian_draws_have_the_mean_and_deviation_of_the_policy(void **state)
{
    (void)state;
    const test_real bias[2] = { 3, -1 }, log_std[2] = { (test_real)0.69314718055994531, -1 };
    blpo_policy *policy = constant_policy(BLPO_ACTION_CONTINUOUS, 2, bias, log_std, NULL, NULL);
    test_real *obs = calloc(MOMENTS, sizeof *obs), *action = calloc(2 * MOMENTS, sizeof *action);
    double *z[2] = { calloc(MOMENTS, sizeof(double)), calloc(MOMENTS, sizeof(double)) };
    blpo_random random = { .seed = 12 };
    assert_status(blpo_policy_act(policy, obs, MOMENTS, BLPO_SAMPLE, &random, action), BLPO_OK);
    for (int i = 0; i < MOMENTS; i++) {
        z[0][i] = ((double)action[2 * i] - 3.0) / 2.0;
        z[1][i] = ((double)action[2 * i + 1] + 1.0) / exp(-1.0);
    }
    check_moments(z[0], z[1]);
    check_moments(z[1], z[0]);
    free(obs);
    free(action);
    free(z[0]);
    free(z[1]);
    blpo_policy_destroy(policy);
}

static void deterministic_is_the_mode_and_needs_no_stream(void **state)
{
    (void)state;
    const test_real logits[4] = { 1, 3, 3, 2 }, mean[2] = { (test_real)0.25, -4 }, log_std[2] = { 1, 1 }, obs[2] = { 0, 1 };
    blpo_policy *categorical = constant_policy(BLPO_ACTION_DISCRETE, 4, logits, NULL, NULL, NULL);
    blpo_policy *gaussian = constant_policy(BLPO_ACTION_CONTINUOUS, 2, mean, log_std, NULL, NULL);
    int64_t index[2];
    test_real action[4];
    assert_status(blpo_policy_act(categorical, obs, 2, BLPO_DETERMINISTIC, NULL, index), BLPO_OK);
    assert_true(index[0] == 1 && index[1] == 1); /* the lowest of the two equals */
    assert_status(blpo_policy_act(gaussian, obs, 2, BLPO_DETERMINISTIC, NULL, action), BLPO_OK);
    for (int i = 0; i < 4; i++)
        assert_true(action[i] == mean[i % 2]);
    blpo_policy_destroy(categorical);
    blpo_policy_destroy(gaussian);
}

static void actions_are_clipped_and_log_prob_is_not(void **state)
{
    (void)state;
    const test_real mean[2] = { 10, -10 }, log_std[2] = { 0, 0 }, low[2] = { -1, -2 }, high[2] = { 1, 2 };
    blpo_policy *policy = constant_policy(BLPO_ACTION_CONTINUOUS, 2, mean, log_std, low, high);
    test_real obs[2] = { 0 }, action[4], log_prob[2];
    blpo_random random = { 0 };
    for (int mode = BLPO_SAMPLE; mode <= BLPO_DETERMINISTIC; mode++) {
        assert_status(blpo_policy_act(policy, obs, 2, mode, &random, action), BLPO_OK);
        for (int i = 0; i < 4; i += 2)
            assert_true(action[i] == 1 && action[i + 1] == -2);
    }
    const test_real outside[4] = { 10, -10, 10, -10 };
    assert_status(blpo_policy_log_prob(policy, obs, outside, 2, log_prob), BLPO_OK);
    for (int i = 0; i < 2; i++)
        assert_close(log_prob[i], -1.8378770664093453, 4.0 * TEST_EPSILON, 0.0); /* at the mean: -log(2 pi) */
    blpo_policy_destroy(policy);
}

/* One side alone may be bounded. */
static void a_missing_bound_is_no_bound(void **state)
{
    (void)state;
    const test_real mean[1] = { -50 }, log_std[1] = { -20 }, bound[1] = { -1 }, obs = 0;
    blpo_policy *above = constant_policy(BLPO_ACTION_CONTINUOUS, 1, mean, log_std, NULL, bound);
    blpo_policy *below = constant_policy(BLPO_ACTION_CONTINUOUS, 1, mean, log_std, bound, NULL);
    test_real action;
    assert_status(blpo_policy_act(above, &obs, 1, BLPO_DETERMINISTIC, NULL, &action), BLPO_OK);
    assert_true(action == -50);
    assert_status(blpo_policy_act(below, &obs, 1, BLPO_DETERMINISTIC, NULL, &action), BLPO_OK);
    assert_true(action == -1);
    blpo_policy_destroy(above);
    blpo_policy_destroy(below);
}

enum { ROWS = 150, OBS = 3 };

static void assert_same_action(const test_real *a, const test_real *b, size_t row_size)
{
    for (size_t j = 0; j < row_size / sizeof *a; j++)
        assert_close(a[j], b[j], 2 * 64 * TEST_EPSILON, 2 * 64 * TEST_EPSILON);
}

static void some_observations(test_real *obs)
{
    for (int i = 0; i < ROWS * OBS; i++)
        obs[i] = (test_real)sin(0.7 * i);
}

/* Row i of a batch draws with counter + i: acting row by row gives the same actions; real ones within 2 x 64 roundings, since
 * a BLAS has other kernels, and so another order of sums, for one row. */
static void check_rows(int32_t kind, size_t row_size)
{
    const blpo_policy_config config = small_policy_config(kind);
    blpo_policy *policy = policy_new(&config);
    test_real obs[ROWS * OBS];
    _Alignas(8) unsigned char batch[ROWS * 16], single[16];
    some_observations(obs);
    for (int mode = BLPO_SAMPLE; mode <= BLPO_DETERMINISTIC; mode++) {
        blpo_random random = { .seed = 5, .stream = 6, .counter = 1000 };
        assert_status(blpo_policy_act(policy, obs, ROWS, mode, &random, batch), BLPO_OK);
        for (int i = 0; i < ROWS; i++) {
            blpo_random one = { .seed = 5, .stream = 6, .counter = 1000 + (uint64_t)i };
            assert_status(blpo_policy_act(policy, obs + i * OBS, 1, mode, &one, single), BLPO_OK);
            if (kind == BLPO_ACTION_DISCRETE)
                assert_memory_equal(single, batch + (size_t)i * row_size, row_size);
            else
                assert_same_action((const test_real *)(const void *)single, (const test_real *)(const void *)(batch + (size_t)i * row_size), row_size);
        }
    }
    blpo_policy_destroy(policy);
}

static void rows_of_a_batch_are_the_rows_one_by_one(void **state)
{
    (void)state;
    check_rows(BLPO_ACTION_DISCRETE, sizeof(int64_t));
    check_rows(BLPO_ACTION_CONTINUOUS, 2 * sizeof(test_real));
}

static void the_counter_advances_by_n_and_nothing_else_changes(void **state)
{
    (void)state;
    const blpo_policy_config config = small_policy_config(BLPO_ACTION_DISCRETE);
    blpo_policy *policy = policy_new(&config);
    test_real obs[ROWS * OBS];
    int64_t action[ROWS];
    some_observations(obs);
    blpo_random random = { .seed = 1, .stream = 2, .counter = 3 };
    assert_status(blpo_policy_act(policy, obs, 7, BLPO_SAMPLE, &random, action), BLPO_OK);
    assert_true(random.seed == 1 && random.stream == 2 && random.counter == 10);
    random.counter = UINT64_MAX; /* the last one: wraps as unsigned numbers do */
    assert_status(blpo_policy_act(policy, obs, 3, BLPO_SAMPLE, &random, action), BLPO_OK);
    assert_true(random.counter == 2);
    blpo_policy_destroy(policy);
}

/* 150 draws of 4 nearly equal actions agree by chance with probability 4^-150. */
static void equal_states_give_equal_actions_and_others_do_not(void **state)
{
    (void)state;
    const blpo_policy_config config = small_policy_config(BLPO_ACTION_DISCRETE);
    blpo_policy *policy = policy_new(&config);
    const blpo_random starts[5] = { { 1, 1, 1 }, { 1, 1, 1 }, { 2, 1, 1 }, { 1, 2, 1 }, { 1, 1, 1 + ROWS } };
    test_real obs[ROWS * OBS];
    int64_t action[5][ROWS];
    some_observations(obs);
    for (int i = 0; i < 5; i++) {
        blpo_random random = starts[i];
        assert_status(blpo_policy_act(policy, obs, ROWS, BLPO_SAMPLE, &random, action[i]), BLPO_OK);
    }
    assert_memory_equal(action[0], action[1], sizeof action[0]);
    for (int i = 2; i < 5; i++)
        for (int j = 1; j < i; j++)
            assert_memory_not_equal(action[i], action[j], sizeof action[0]);
    blpo_policy_destroy(policy);
}

typedef struct thread_work {
    const blpo_policy *policy;
    const test_real *obs;
    test_real action[ROWS * 2], log_prob[ROWS];
    int code;
} thread_work;

static void *work(void *data)
{
    thread_work *w = data;
    for (int repeat = 0; repeat < 50; repeat++) {
        blpo_random random = { .seed = 4 };
        const int act = blpo_policy_act(w->policy, w->obs, ROWS, BLPO_SAMPLE, &random, w->action);
        const int log_prob = blpo_policy_log_prob(w->policy, w->obs, w->action, ROWS, w->log_prob);
        w->code = act != BLPO_OK ? act : log_prob;
        if (w->code != BLPO_OK)
            return NULL;
    }
    return NULL;
}

static void one_policy_acts_in_several_threads_at_once(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    const blpo_policy_config config = small_policy_config(BLPO_ACTION_CONTINUOUS);
    blpo_policy *policy = policy_new(&config);
    static thread_work w[THREADS + 1];
    test_real obs[ROWS * OBS];
    pthread_t thread[THREADS];
    some_observations(obs);
    for (int i = 0; i <= THREADS; i++)
        w[i] = (thread_work){ .policy = policy, .obs = obs };
    work(&w[THREADS]);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_status(w[i].code, BLPO_OK);
        assert_memory_equal(w[i].action, w[THREADS].action, sizeof w[i].action);
        assert_memory_equal(w[i].log_prob, w[THREADS].log_prob, sizeof w[i].log_prob);
    }
    blpo_policy_destroy(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(categorical_draws_have_the_probabilities_of_the_policy),
        cmocka_unit_test(an_impossible_action_is_never_drawn),
        cmocka_unit_test(gaussian_draws_have_the_mean_and_deviation_of_the_policy),
        cmocka_unit_test(deterministic_is_the_mode_and_needs_no_stream),
        cmocka_unit_test(actions_are_clipped_and_log_prob_is_not),
        cmocka_unit_test(a_missing_bound_is_no_bound),
        cmocka_unit_test(rows_of_a_batch_are_the_rows_one_by_one),
        cmocka_unit_test(the_counter_advances_by_n_and_nothing_else_changes),
        cmocka_unit_test(equal_states_give_equal_actions_and_others_do_not),
        cmocka_unit_test(one_policy_acts_in_several_threads_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
