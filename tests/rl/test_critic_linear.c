/* Critics that are linear in features: values, settings, and callbacks that fail. */
#include "support/check.h"
#include "support/creators.h"
#include "support/memory.h"

#include "rl/critic.h"

#include <math.h>
#include <string.h>

enum { OBS = 2, WIDTH = 3, ROWS = 6000 }; /* so many rows take three tiles of features */

/* phi(s) = (1, s_0 s_1, s_1^2) */
typedef struct maker {
    int64_t rows, calls;
    int64_t fail_at;   /* that call returns 9, counted from 1; 0: none */
    int64_t spoil_row; /* of all rows so far; -1: none */
    test_real spoil;
} maker;

static int make(void *user, const test_real *obs, int64_t count, test_real *phi)
{
    maker *m = user;
    for (int64_t t = 0; t < count; t++) {
        const test_real *s = obs + OBS * t;
        phi[WIDTH * t] = 1;
        phi[WIDTH * t + 1] = s[0] * s[1];
        phi[WIDTH * t + 2] = m->rows + t == m->spoil_row ? m->spoil : s[1] * s[1];
    }
    m->rows += count;
    return ++m->calls == m->fail_at ? 9 : 0;
}

static blpo_critic_config linear_config(maker *m)
{
    blpo_critic_config config;
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    memset(m, 0, sizeof *m);
    m->spoil_row = -1;
    config.obs_dim = OBS;
    config.n_features = WIDTH;
    config.features = make;
    config.features_user = m;
    return config;
}

static blpo_critic *critic_new(maker *m)
{
    const blpo_critic_config config = linear_config(m);
    static const test_real w[WIDTH] = { (test_real)0.5, -2, 3 };
    blpo_critic *critic = NULL;
    assert_status(blpo_critic_create(&config, NULL, &critic), BLPO_OK);
    assert_int_equal(blpo_critic_n_parameters(critic), WIDTH);
    assert_int_equal(blpo_critic_n_features(critic), WIDTH);
    assert_int_equal(blpo_critic_obs_dim(critic), OBS);
    assert_status(blpo_critic_set_parameters(critic, w, WIDTH), BLPO_OK);
    return critic;
}

/* Quarters with three bits, products of two, times small weights: exact in either type. */
static void fill(test_real *obs, int64_t rows)
{
    for (int64_t i = 0; i < OBS * rows; i++)
        obs[i] = (test_real)(i * 5 % 8) / 4;
}

static test_real obs_of_all[OBS * ROWS], value_of_all[ROWS];

static void values_are_the_formula_in_batches_of_any_size(void **state)
{
    (void)state;
    maker m;
    blpo_critic *critic = critic_new(&m);
    fill(obs_of_all, ROWS);
    assert_status(blpo_critic_value(critic, obs_of_all, ROWS, value_of_all), BLPO_OK);
    for (int64_t t = 0; t < ROWS; t++) {
        const test_real *s = obs_of_all + OBS * t, expected = (test_real)0.5 - 2 * s[0] * s[1] + 3 * s[1] * s[1];
        test_real one = 0;
        assert_true(value_of_all[t] == expected);
        assert_status(blpo_critic_value(critic, s, 1, &one), BLPO_OK);
        assert_true(one == expected);
    }
    blpo_critic_destroy(critic);
}

/* 5000 observations of 3 numbers are their own features: without a callback. */
static void observations_can_be_the_features(void **state)
{
    (void)state;
    blpo_critic_config config;
    blpo_critic *critic = NULL;
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = config.n_features = OBS;
    assert_status(blpo_critic_create(&config, NULL, &critic), BLPO_OK);
    static const test_real w[OBS] = { 2, -1 };
    test_real fresh[OBS] = { 42, 42 };
    assert_status(blpo_critic_get_parameters(critic, fresh, OBS), BLPO_OK);
    assert_true(fresh[0] == 0 && fresh[1] == 0);
    assert_status(blpo_critic_set_parameters(critic, w, OBS), BLPO_OK);
    fill(obs_of_all, ROWS);
    assert_status(blpo_critic_value(critic, obs_of_all, ROWS, value_of_all), BLPO_OK);
    for (int64_t t = 0; t < ROWS; t++)
        assert_true(value_of_all[t] == 2 * obs_of_all[OBS * t] - obs_of_all[OBS * t + 1]);
    blpo_critic_destroy(critic);
}

static void assert_untouched(const test_real *value, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        assert_true(value[i] == 42);
}

/* In each tile and in each walk: nothing is written. */
static void a_callback_that_fails_leaves_values_untouched(void **state)
{
    (void)state;
    fill(obs_of_all, ROWS);
    for (int64_t fail_at = 1; fail_at <= 3; fail_at++) {
        maker m;
        blpo_critic *critic = critic_new(&m);
        m.fail_at = fail_at;
        for (int64_t i = 0; i < ROWS; i++)
            value_of_all[i] = 42;
        assert_status(blpo_critic_value(critic, obs_of_all, ROWS, value_of_all), BLPO_ERR_CALLBACK);
        assert_untouched(value_of_all, ROWS);
        blpo_critic_destroy(critic);
    }
    static const test_real bad[3] = { (test_real)NAN, (test_real)INFINITY, -(test_real)INFINITY };
    for (int k = 0; k < 3; k++)
        for (int64_t row = 0; row < ROWS; row += ROWS / 3 - 1) {
            maker m;
            blpo_critic *critic = critic_new(&m);
            m.spoil_row = row;
            m.spoil = bad[k];
            for (int64_t i = 0; i < ROWS; i++)
                value_of_all[i] = 42;
            assert_status(blpo_critic_value(critic, obs_of_all, ROWS, value_of_all), BLPO_ERR_NONFINITE);
            assert_untouched(value_of_all, ROWS);
            blpo_critic_destroy(critic);
        }
}

/* The features are finite, their sum is not. */
static void a_value_that_overflows_is_refused(void **state)
{
    (void)state;
    maker m;
    blpo_critic *critic = critic_new(&m);
    static const test_real w[WIDTH] = { TEST_REAL_MAX, 0, TEST_REAL_MAX };
    test_real obs[OBS] = { 1, 1 }, value = 42;
    assert_status(blpo_critic_set_parameters(critic, w, WIDTH), BLPO_OK);
    assert_status(blpo_critic_value(critic, obs, 1, &value), BLPO_ERR_NONFINITE);
    assert_untouched(&value, 1);
    blpo_critic_destroy(critic);
}

#define REFUSE(member, bad, code, name) REFUSE_SETTING(critic, linear_config(&(maker){ 0 }), member, bad, code, name)

static void every_setting_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    REFUSE(obs_dim, 0, BLPO_ERR_CONFIG, "obs_dim");
    REFUSE(obs_dim, INT64_MAX, BLPO_ERR_SIZE, "obs_dim");
    REFUSE(n_features, -1, BLPO_ERR_CONFIG, "n_features");
    REFUSE(n_features, 0, BLPO_ERR_CONFIG, "n_features");
    REFUSE(n_features, 8193, BLPO_ERR_CONFIG, "n_features");
    REFUSE(n_features, INT64_MAX, BLPO_ERR_CONFIG, "n_features");
    REFUSE(features, NULL, BLPO_ERR_CONFIG, "n_features");
}

/* A rollout's advantages ask for the same values. */
static void advantages_pass_on_what_the_callback_says(void **state)
{
    (void)state;
    maker m;
    blpo_critic *critic = critic_new(&m);
    blpo_rollout_config config = small_rollout_config();
    config.obs_dim = OBS;
    config.n_envs = 1;
    config.n_steps = 1;
    config.action_kind = BLPO_ACTION_DISCRETE;
    config.action_n = 2;
    blpo_rollout *rollout = NULL;
    assert_status(blpo_rollout_create(&config, NULL, &rollout), BLPO_OK);
    static const test_real obs[OBS] = { 1, 1 }, next[OBS] = { 0, 1 }, log_prob = 0, reward = 1;
    static const int64_t action = 1;
    static const uint8_t no = 0;
    const blpo_rollout_step step = { .struct_size = sizeof step,
                                     .obs = obs,
                                     .action = &action,
                                     .log_prob = &log_prob,
                                     .reward = &reward,
                                     .terminated = &no,
                                     .truncated = &no,
                                     .next_obs = next };
    assert_true(blpo_rollout_push(rollout, &step) >= 0);
    test_real advantage = 0;
    assert_status(blpo_rollout_advantages(rollout, critic, 0.5, 1.0, &advantage, NULL), BLPO_OK);
    assert_true(advantage == 1 + (test_real)0.5 * (test_real)3.5 - (test_real)1.5);
    m.fail_at = m.calls + 2;
    assert_status(blpo_rollout_advantages(rollout, critic, 0.5, 1.0, &advantage, NULL), BLPO_ERR_CALLBACK);
    blpo_rollout_destroy(rollout);
    blpo_critic_destroy(critic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_the_formula_in_batches_of_any_size),
        cmocka_unit_test(observations_can_be_the_features),
        cmocka_unit_test(a_callback_that_fails_leaves_values_untouched),
        cmocka_unit_test(a_value_that_overflows_is_refused),
        cmocka_unit_test(every_setting_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(advantages_pass_on_what_the_callback_says),
    };
    return cmocka_run_group_tests_name("linear critics", tests, NULL, NULL);
}
