/* Settings and arguments of policies that break their rules. */
#include "support/check.h"
#include "support/creators.h"
#include "support/memory.h"

#include <math.h>
#include <string.h>

static void check_refused(const blpo_policy_config *config, int code, const char *field)
{
    counted_memory memory = { 0 };
    blpo_error error = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, &error);
    char sentinel;
    blpo_policy *out = (blpo_policy *)(void *)&sentinel;
    assert_status(blpo_policy_create(config, &runtime, &out), code);
    assert_ptr_equal(out, &sentinel);
    assert_int_equal(memory.calls, 0);
    assert_error_names(&error, code, field);
}

#define REFUSE(space, member, value, code, name)                                                                       \
    do {                                                                                                               \
        blpo_policy_config config = small_policy_config(space);                                                        \
        config.member = value;                                                                                         \
        check_refused(&config, code, name);                                                                            \
    } while (0)

static void every_setting_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    REFUSE(BLPO_ACTION_DISCRETE, obs_dim, 0, BLPO_ERR_CONFIG, "obs_dim");
    REFUSE(BLPO_ACTION_DISCRETE, obs_dim, -1, BLPO_ERR_CONFIG, "obs_dim");
    REFUSE(BLPO_ACTION_DISCRETE, action.kind, 0, BLPO_ERR_CONFIG, "kind");
    REFUSE(BLPO_ACTION_DISCRETE, action.kind, 3, BLPO_ERR_CONFIG, "kind");
    REFUSE(BLPO_ACTION_DISCRETE, action.n, 1, BLPO_ERR_CONFIG, "action.n");
    REFUSE(BLPO_ACTION_DISCRETE, action.n, -2, BLPO_ERR_CONFIG, "action.n");
    REFUSE(BLPO_ACTION_DISCRETE, action.n, 8193, BLPO_ERR_CONFIG, "action.n");
    REFUSE(BLPO_ACTION_CONTINUOUS, action.n, 0, BLPO_ERR_CONFIG, "action.n");
    REFUSE(BLPO_ACTION_CONTINUOUS, action.n, 8193, BLPO_ERR_CONFIG, "action.n");
    REFUSE(BLPO_ACTION_DISCRETE, network.n_hidden, -1, BLPO_ERR_CONFIG, "n_hidden");
    REFUSE(BLPO_ACTION_DISCRETE, network.hidden, NULL, BLPO_ERR_CONFIG, "hidden");
    REFUSE(BLPO_ACTION_DISCRETE, network.activation, 0, BLPO_ERR_CONFIG, "activation");
    REFUSE(BLPO_ACTION_DISCRETE, network.activation, 3, BLPO_ERR_CONFIG, "activation");
    REFUSE(BLPO_ACTION_DISCRETE, network.hidden_gain, (double)NAN, BLPO_ERR_CONFIG, "hidden_gain");
    REFUSE(BLPO_ACTION_DISCRETE, network.hidden_gain, (double)INFINITY, BLPO_ERR_CONFIG, "hidden_gain");
    REFUSE(BLPO_ACTION_DISCRETE, network.output_gain, (double)NAN, BLPO_ERR_CONFIG, "output_gain");
    REFUSE(BLPO_ACTION_DISCRETE, network.output_gain, -(double)INFINITY, BLPO_ERR_CONFIG, "output_gain");
    REFUSE(BLPO_ACTION_CONTINUOUS, initial_log_std, 20.1, BLPO_ERR_CONFIG, "initial_log_std");
    REFUSE(BLPO_ACTION_CONTINUOUS, initial_log_std, -20.1, BLPO_ERR_CONFIG, "initial_log_std");
    REFUSE(BLPO_ACTION_CONTINUOUS, initial_log_std, (double)NAN, BLPO_ERR_CONFIG, "initial_log_std");
}

/* A gain that is finite in double and not as a weight would make every later answer infinite. */
static void a_gain_past_the_numbers_of_weights_is_refused(void **state)
{
    (void)state;
    if (sizeof(test_real) == sizeof(float))
        REFUSE(BLPO_ACTION_DISCRETE, network.hidden_gain, 1e300, BLPO_ERR_CONFIG, "hidden_gain");
}

static void widths_out_of_range_are_refused(void **state)
{
    (void)state;
    static const int64_t bad[3][2] = { { 5, 0 }, { -1, 5 }, { 5, 8193 } };
    for (int i = 0; i < 3; i++)
        REFUSE(BLPO_ACTION_DISCRETE, network.hidden, bad[i], BLPO_ERR_CONFIG, "hidden");
}

static void bounds_that_are_no_bounds_are_refused(void **state)
{
    (void)state;
    static const test_real equal[2] = { 1, 2 };
    const test_real nan_low[2] = { -1, (test_real)NAN }, inf_high[2] = { (test_real)INFINITY, 2 }, above[2] = { 0, 3 };
    REFUSE(BLPO_ACTION_CONTINUOUS, action.low, equal, BLPO_ERR_CONFIG, "action");
    REFUSE(BLPO_ACTION_CONTINUOUS, action.low, above, BLPO_ERR_CONFIG, "action");
    REFUSE(BLPO_ACTION_CONTINUOUS, action.low, nan_low, BLPO_ERR_CONFIG, "low");
    REFUSE(BLPO_ACTION_CONTINUOUS, action.high, inf_high, BLPO_ERR_CONFIG, "high");
}

/* Products past INT_MAX: obs_dim x the first width of 5, with 2^29 x 5 > 2^31. */
static void products_of_sizes_past_the_integers_of_blas_are_refused(void **state)
{
    (void)state;
    static const int64_t bad[3] = { INT64_C(1) << 29, INT64_C(1) << 40, INT64_MAX };
    for (int i = 0; i < 3; i++)
        REFUSE(BLPO_ACTION_DISCRETE, obs_dim, bad[i], BLPO_ERR_SIZE, "obs_dim");
}

/* Many layers of 8192: each fits, all together (40 x 2^26 > 2^31) do not. */
static void parameters_past_the_integers_of_blas_are_refused(void **state)
{
    (void)state;
    int64_t widths[40];
    for (int i = 0; i < 40; i++)
        widths[i] = 8192;
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, NULL);
    blpo_policy_config config = small_policy_config(BLPO_ACTION_DISCRETE);
    config.network.hidden = widths;
    config.network.n_hidden = 40;
    blpo_policy *out = NULL;
    assert_status(blpo_policy_create(&config, &runtime, &out), BLPO_ERR_SIZE);
    assert_null(out);
    assert_int_equal(memory.calls, 0);
}

static void null_arguments_of_create_are_refused(void **state)
{
    (void)state;
    const blpo_policy_config config = small_policy_config(BLPO_ACTION_DISCRETE);
    blpo_policy *out = NULL;
    assert_status(blpo_policy_create(NULL, NULL, &out), BLPO_ERR_NULL);
    assert_status(blpo_policy_create(&config, NULL, NULL), BLPO_ERR_NULL);
    assert_null(out);
}

typedef struct fixture {
    blpo_policy *policy;
    test_real obs[6], out[4];
    int64_t action[2];
    blpo_random random;
} fixture;

static fixture begin(int32_t kind)
{
    fixture f = { .out = { 42, 42, 42, 42 }, .action = { 3, 0 }, .random = { 1, 1, 1 } };
    const blpo_policy_config config = small_policy_config(kind);
    assert_status(blpo_policy_create(&config, NULL, &f.policy), BLPO_OK);
    return f;
}

static void assert_untouched(const fixture *f)
{
    for (int i = 0; i < 4; i++)
        assert_true(f->out[i] == 42);
    assert_true(f->random.counter == 1);
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    fixture f = begin(BLPO_ACTION_CONTINUOUS);
    test_real parameters[64];
    assert_status(blpo_policy_act(NULL, f.obs, 1, BLPO_SAMPLE, &f.random, f.out), BLPO_ERR_NULL);
    assert_status(blpo_policy_act(f.policy, NULL, 1, BLPO_SAMPLE, &f.random, f.out), BLPO_ERR_NULL);
    assert_status(blpo_policy_act(f.policy, f.obs, 1, BLPO_SAMPLE, NULL, f.out), BLPO_ERR_NULL);
    assert_status(blpo_policy_act(f.policy, f.obs, 1, BLPO_SAMPLE, &f.random, NULL), BLPO_ERR_NULL);
    assert_status(blpo_policy_log_prob(NULL, f.obs, f.obs, 1, f.out), BLPO_ERR_NULL);
    assert_status(blpo_policy_log_prob(f.policy, NULL, f.obs, 1, f.out), BLPO_ERR_NULL);
    assert_status(blpo_policy_log_prob(f.policy, f.obs, NULL, 1, f.out), BLPO_ERR_NULL);
    assert_status(blpo_policy_log_prob(f.policy, f.obs, f.obs, 1, NULL), BLPO_ERR_NULL);
    assert_status(blpo_policy_entropy(NULL, f.obs, 1, f.out), BLPO_ERR_NULL);
    assert_status(blpo_policy_entropy(f.policy, NULL, 1, f.out), BLPO_ERR_NULL);
    assert_status(blpo_policy_entropy(f.policy, f.obs, 1, NULL), BLPO_ERR_NULL);
    assert_status(blpo_policy_get_parameters(NULL, parameters, 1), BLPO_ERR_NULL);
    assert_status(blpo_policy_get_parameters(f.policy, NULL, 1), BLPO_ERR_NULL);
    assert_status(blpo_policy_set_parameters(NULL, parameters, 1), BLPO_ERR_NULL);
    assert_status(blpo_policy_set_parameters(f.policy, NULL, 1), BLPO_ERR_NULL);
    assert_untouched(&f);
    blpo_policy_destroy(f.policy);
}

static void a_number_of_rows_or_a_mode_out_of_range_is_refused(void **state)
{
    (void)state;
    fixture f = begin(BLPO_ACTION_CONTINUOUS);
    static const int64_t bad[4] = { 0, -1, INT64_MIN, INT64_MAX };
    for (int i = 0; i < 4; i++) {
        assert_status(blpo_policy_act(f.policy, f.obs, bad[i], BLPO_SAMPLE, &f.random, f.out), BLPO_ERR_ARGUMENT);
        assert_status(blpo_policy_log_prob(f.policy, f.obs, f.obs, bad[i], f.out), BLPO_ERR_ARGUMENT);
        assert_status(blpo_policy_entropy(f.policy, f.obs, bad[i], f.out), BLPO_ERR_ARGUMENT);
    }
    assert_status(blpo_policy_act(f.policy, f.obs, 1, 2, &f.random, f.out), BLPO_ERR_ARGUMENT);
    assert_status(blpo_policy_act(f.policy, f.obs, 1, -1, &f.random, f.out), BLPO_ERR_ARGUMENT);
    assert_untouched(&f);
    blpo_policy_destroy(f.policy);
}

/* The last row of two: the first is not written either. */
static void an_observation_that_is_not_finite_is_refused(void **state)
{
    (void)state;
    const test_real bad[3] = { (test_real)NAN, (test_real)INFINITY, -(test_real)INFINITY };
    fixture f = begin(BLPO_ACTION_CONTINUOUS);
    for (int at = 0; at < 6; at++)
        for (int i = 0; i < 3; i++) {
            memset(f.obs, 0, sizeof f.obs);
            f.obs[at] = bad[i];
            assert_status(blpo_policy_act(f.policy, f.obs, 2, BLPO_SAMPLE, &f.random, f.out), BLPO_ERR_NONFINITE);
            assert_status(blpo_policy_act(f.policy, f.obs, 2, BLPO_DETERMINISTIC, NULL, f.out), BLPO_ERR_NONFINITE);
            assert_status(blpo_policy_log_prob(f.policy, f.obs, f.out, 2, f.out), BLPO_ERR_NONFINITE);
            assert_status(blpo_policy_entropy(f.policy, f.obs, 2, f.out), BLPO_ERR_NONFINITE);
        }
    assert_untouched(&f);
    blpo_policy_destroy(f.policy);
}

/* One layer, weight and observation of a size whose product has no number. */
static void an_output_that_overflows_is_refused(void **state)
{
    (void)state;
    blpo_policy_config config = small_policy_config(BLPO_ACTION_CONTINUOUS);
    config.network.hidden = NULL;
    config.network.n_hidden = 0;
    fixture f = begin(BLPO_ACTION_CONTINUOUS);
    blpo_policy_destroy(f.policy);
    assert_status(blpo_policy_create(&config, NULL, &f.policy), BLPO_OK);
    test_real parameters[10] = { 0 }; /* 3 x 2 weights, 2 biases, 2 log_std */
    parameters[0] = (test_real)(TEST_REAL_MAX / 4);
    assert_status(blpo_policy_set_parameters(f.policy, parameters, 10), BLPO_OK);
    f.obs[3] = 8; /* second row */
    assert_status(blpo_policy_act(f.policy, f.obs, 2, BLPO_SAMPLE, &f.random, f.out), BLPO_ERR_NONFINITE);
    assert_status(blpo_policy_act(f.policy, f.obs, 2, BLPO_DETERMINISTIC, NULL, f.out), BLPO_ERR_NONFINITE);
    assert_status(blpo_policy_log_prob(f.policy, f.obs, f.out, 2, f.out), BLPO_ERR_NONFINITE);
    assert_untouched(&f);
    blpo_policy_destroy(f.policy);
}

static void an_action_index_out_of_range_is_refused(void **state)
{
    (void)state;
    static const int64_t bad[4] = { 4, -1, INT64_MAX, INT64_MIN };
    fixture f = begin(BLPO_ACTION_DISCRETE);
    for (int i = 0; i < 4; i++) {
        f.action[1] = bad[i];
        assert_status(blpo_policy_log_prob(f.policy, f.obs, f.action, 2, f.out), BLPO_ERR_ARGUMENT);
    }
    assert_untouched(&f);
    blpo_policy_destroy(f.policy);
}

static void a_continuous_action_that_is_not_finite_is_refused(void **state)
{
    (void)state;
    fixture f = begin(BLPO_ACTION_CONTINUOUS);
    const test_real action[4] = { 0, 0, 0, (test_real)NAN };
    assert_status(blpo_policy_log_prob(f.policy, f.obs, action, 2, f.out), BLPO_ERR_NONFINITE);
    assert_untouched(&f);
    blpo_policy_destroy(f.policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(a_gain_past_the_numbers_of_weights_is_refused),
        cmocka_unit_test(widths_out_of_range_are_refused),
        cmocka_unit_test(bounds_that_are_no_bounds_are_refused),
        cmocka_unit_test(products_of_sizes_past_the_integers_of_blas_are_refused),
        cmocka_unit_test(parameters_past_the_integers_of_blas_are_refused),
        cmocka_unit_test(null_arguments_of_create_are_refused),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(a_number_of_rows_or_a_mode_out_of_range_is_refused),
        cmocka_unit_test(an_observation_that_is_not_finite_is_refused),
        cmocka_unit_test(an_output_that_overflows_is_refused),
        cmocka_unit_test(an_action_index_out_of_range_is_refused),
        cmocka_unit_test(a_continuous_action_that_is_not_finite_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
