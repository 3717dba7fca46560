/* Critics: values against vector files and hand values; parameters; bad settings and arguments. */
#include "support/check.h"
#include "support/creators.h"
#include "support/memory.h"
#include "support/networks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const VALUES_NEEDED[] = { "critic.0.weight", "obs", "values", NULL };

/* Float32: a layer of width n adds n eps |weights| |input|: with rows of norm about 1, activations of relu up to 5 and at
 * most 5 layers of 64 that is 5 x 5 x 64 eps, 2e-4. */
static void check_values(const vec_file *file)
{
    blpo_critic *critic = vec_critic(file, "critic");
    const vec_record *obs = vec_need(file, "obs");
    const int64_t n = obs->dim[0];
    test_real *obs_real = vec_reals(obs->value, obs->size), *value = guarded_new(n);
    const int is_double = sizeof(test_real) == sizeof(double);
    assert_int_equal(blpo_critic_obs_dim(critic), obs->dim[1]);
    assert_status(blpo_critic_value(critic, obs_real, n, value), BLPO_OK);
    assert_all_close(value, vec_need(file, "values")->value, n, is_double ? 1e-9 : 0.0,
                     is_double ? 1e-12 : 25.0 * 64.0 * TEST_EPSILON);
    guarded_free(value);
    free(obs_real);
    blpo_critic_destroy(critic);
}

static void values_agree_with_every_file(void **state)
{
    (void)state;
    vec_for_each(VALUES_NEEDED, check_values);
}

static blpo_critic *critic_new(const blpo_critic_config *config)
{
    blpo_critic *critic = NULL;
    assert_status(blpo_critic_create(config, NULL, &critic), BLPO_OK);
    return critic;
}

/* Weight (2, -3), bias 0.5: exact in binary. */
static void an_affine_critic_is_its_formula(void **state)
{
    (void)state;
    blpo_critic_config config;
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 2;
    config.network.hidden = NULL;
    config.network.n_hidden = 0;
    blpo_critic *critic = critic_new(&config);
    const test_real parameters[3] = { 2, -3, (test_real)0.5 }, obs[4] = { 1, 1, 4, -2 };
    test_real value[2];
    assert_status(blpo_critic_set_parameters(critic, parameters, 3), BLPO_OK);
    assert_status(blpo_critic_value(critic, obs, 2, value), BLPO_OK);
    assert_true(value[0] == (test_real)-0.5 && value[1] == (test_real)14.5);
    blpo_critic_destroy(critic);
}

/* Tiles must not show: 200 rows at once and one by one give the same values, but for what a BLAS may do in another order:
 * it has other kernels for one row. Two hidden layers of sums of at most 64 terms of size 1: 64 roundings each. */
static void rows_of_a_batch_are_the_rows_one_by_one(void **state)
{
    (void)state;
    enum { ROWS = 200 };
    blpo_critic_config config = small_critic_config();
    blpo_critic *critic = critic_new(&config);
    test_real obs[ROWS * 3], value[ROWS], one;
    for (int i = 0; i < ROWS * 3; i++)
        obs[i] = (test_real)cos(1.3 * i);
    assert_status(blpo_critic_value(critic, obs, ROWS, value), BLPO_OK);
    for (int i = 0; i < ROWS; i++) {
        assert_status(blpo_critic_value(critic, obs + 3 * i, 1, &one), BLPO_OK);
        assert_close(one, value[i], 0, 2 * 64 * TEST_EPSILON);
    }
    blpo_critic_destroy(critic);
}

static void parameters_come_back_and_bad_ones_are_refused(void **state)
{
    (void)state;
    blpo_critic_config config = small_critic_config();
    blpo_critic *critic = critic_new(&config);
    const int64_t n = blpo_critic_n_parameters(critic);
    assert_int_equal(n, 3 * 5 + 5 + 5 * 3 + 3 + 3 + 1);
    test_real good[64], bad[64], now[64];
    assert_status(blpo_critic_get_parameters(critic, good, n), BLPO_OK);
    for (int64_t at = 0; at < n; at++) {
        memcpy(bad, good, sizeof bad);
        bad[at] = at % 2 ? (test_real)NAN : (test_real)INFINITY;
        assert_status(blpo_critic_set_parameters(critic, bad, n), BLPO_ERR_NONFINITE);
    }
    assert_status(blpo_critic_set_parameters(critic, good, n + 1), BLPO_ERR_ARGUMENT);
    assert_status(blpo_critic_set_parameters(critic, good, 0), BLPO_ERR_ARGUMENT);
    assert_status(blpo_critic_set_parameters(critic, NULL, n), BLPO_ERR_NULL);
    assert_status(blpo_critic_set_parameters(NULL, good, n), BLPO_ERR_NULL);
    assert_int_equal(blpo_critic_n_features(NULL), 0);
    assert_status(blpo_critic_get_parameters(critic, now, n - 1), BLPO_ERR_ARGUMENT);
    assert_status(blpo_critic_get_parameters(critic, NULL, n), BLPO_ERR_NULL);
    assert_status(blpo_critic_get_parameters(NULL, now, n), BLPO_ERR_NULL);
    assert_status(blpo_critic_get_parameters(critic, now, n), BLPO_OK);
    assert_memory_equal(now, good, (size_t)n * sizeof *now);
    assert_true(blpo_critic_n_parameters(NULL) == 0 && blpo_critic_obs_dim(NULL) == 0);
    blpo_critic_destroy(critic);
}

/* Default 64-64, output gain 1: the last row has norm 1; Householder reflections keep it to 64 eps. */
static void the_last_layer_starts_with_gain_one(void **state)
{
    (void)state;
    blpo_critic_config config;
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 4;
    blpo_critic *critic = critic_new(&config);
    const int64_t n = blpo_critic_n_parameters(critic);
    assert_int_equal(n, 4545);
    test_real *w = guarded_new(n);
    assert_status(blpo_critic_get_parameters(critic, w, n), BLPO_OK);
    double sum = 0.0;
    for (int64_t i = n - 65; i < n - 1; i++)
        sum += (double)w[i] * (double)w[i];
    assert_close(sum, 1.0, 0.0, 64.0 * TEST_EPSILON);
    assert_true(w[n - 1] == 0);
    guarded_free(w);
    blpo_critic_destroy(critic);
}

#define REFUSE(member, bad, code, name) REFUSE_SETTING(critic, small_critic_config(), member, bad, code, name)

static void every_setting_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    static const int64_t zero_width[2] = { 4, 0 };
    REFUSE(obs_dim, 0, BLPO_ERR_CONFIG, "obs_dim");
    REFUSE(obs_dim, -7, BLPO_ERR_CONFIG, "obs_dim");
    REFUSE(obs_dim, INT64_C(1) << 40, BLPO_ERR_SIZE, "obs_dim");
    REFUSE(obs_dim, INT64_MAX, BLPO_ERR_SIZE, "obs_dim");
    REFUSE(network.n_hidden, -1, BLPO_ERR_CONFIG, "n_hidden");
    REFUSE(network.hidden, NULL, BLPO_ERR_CONFIG, "hidden");
    REFUSE(network.hidden, zero_width, BLPO_ERR_CONFIG, "hidden");
    REFUSE(network.activation, 7, BLPO_ERR_CONFIG, "activation");
    REFUSE(network.hidden_gain, (double)NAN, BLPO_ERR_CONFIG, "hidden_gain");
    REFUSE(network.output_gain, (double)INFINITY, BLPO_ERR_CONFIG, "output_gain");
}

static void bad_arguments_of_value_are_refused_and_write_nothing(void **state)
{
    (void)state;
    blpo_critic_config config = small_critic_config();
    blpo_critic *critic = critic_new(&config);
    test_real obs[6] = { 0 }, value[2] = { 42, 42 };
    static const int64_t bad[4] = { 0, -1, INT64_MIN, INT64_MAX };
    assert_status(blpo_critic_value(NULL, obs, 1, value), BLPO_ERR_NULL);
    assert_status(blpo_critic_value(critic, NULL, 1, value), BLPO_ERR_NULL);
    assert_status(blpo_critic_value(critic, obs, 1, NULL), BLPO_ERR_NULL);
    for (int i = 0; i < 4; i++)
        assert_status(blpo_critic_value(critic, obs, bad[i], value), BLPO_ERR_ARGUMENT);
    obs[5] = (test_real)NAN;
    assert_status(blpo_critic_value(critic, obs, 2, value), BLPO_ERR_NONFINITE);
    obs[5] = -(test_real)INFINITY;
    assert_status(blpo_critic_value(critic, obs, 2, value), BLPO_ERR_NONFINITE);
    assert_true(value[0] == 42 && value[1] == 42);
    assert_status(blpo_critic_create(NULL, NULL, &critic), BLPO_ERR_NULL);
    assert_status(blpo_critic_create(&config, NULL, NULL), BLPO_ERR_NULL);
    blpo_critic_destroy(critic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_agree_with_every_file),
        cmocka_unit_test(an_affine_critic_is_its_formula),
        cmocka_unit_test(rows_of_a_batch_are_the_rows_one_by_one),
        cmocka_unit_test(parameters_come_back_and_bad_ones_are_refused),
        cmocka_unit_test(the_last_layer_starts_with_gain_one),
        cmocka_unit_test(every_setting_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(bad_arguments_of_value_are_refused_and_write_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
