/* Rollout buffers: what goes in comes out, what is wrong stays out. */
#include "support/check.h"
#include "support/creators.h"
#include "support/memory.h"

#include <math.h>
#include <string.h>

enum { ENVS = 3, STEPS = 4, OBS = 2 };

/* One step of every environment, and the struct that points into it. */
typedef struct rows {
    test_real obs[ENVS * OBS], next_obs[ENVS * OBS], log_prob[ENVS], reward[ENVS];
    int64_t action[ENVS];
    test_real continuous[ENVS * 2];
    uint8_t terminated[ENVS], truncated[ENVS], masked[ENVS];
    blpo_rollout_step step;
} rows;

/* Every number tells its array, step, environment and element. */
static void fill(rows *r, int64_t t, int32_t kind)
{
    memset(r, 0, sizeof *r);
    for (int e = 0; e < ENVS; e++) {
        const test_real base = (test_real)(100 * t + 10 * e);
        for (int i = 0; i < OBS; i++) {
            r->obs[e * OBS + i] = base + (test_real)i;
            r->next_obs[e * OBS + i] = base + (test_real)(i + 5);
            r->continuous[e * 2 + i] = -base - (test_real)i;
        }
        r->log_prob[e] = -base;
        r->reward[e] = base + (test_real)0.5;
        r->action[e] = (t + e) % 4;
    }
    r->step = (blpo_rollout_step){ .struct_size = sizeof r->step,
                                   .obs = r->obs,
                                   .action = kind == BLPO_ACTION_DISCRETE ? (const void *)r->action : r->continuous,
                                   .log_prob = r->log_prob,
                                   .reward = r->reward,
                                   .terminated = r->terminated,
                                   .truncated = r->truncated,
                                   .next_obs = r->next_obs };
}

static blpo_rollout_config config_of(int32_t kind)
{
    blpo_rollout_config config;
    assert_status(blpo_rollout_config_init(&config, sizeof config), BLPO_OK);
    config.n_envs = ENVS;
    config.n_steps = STEPS;
    config.obs_dim = OBS;
    config.action_kind = kind;
    config.action_n = kind == BLPO_ACTION_DISCRETE ? 4 : 2;
    return config;
}

static blpo_rollout *rollout_new(int32_t kind)
{
    const blpo_rollout_config config = config_of(kind);
    blpo_rollout *rollout = NULL;
    assert_status(blpo_rollout_create(&config, NULL, &rollout), BLPO_OK);
    return rollout;
}

static blpo_rollout_view view_of(const blpo_rollout *rollout)
{
    blpo_rollout_view view;
    memset(&view, 0xA5, sizeof view);
    view.struct_size = sizeof view;
    assert_status(blpo_rollout_get_view(rollout, &view), BLPO_OK);
    assert_int_equal(view.struct_size, sizeof view);
    return view;
}

static void the_last_push_says_that_an_update_is_due(void **state)
{
    (void)state;
    blpo_rollout *rollout = rollout_new(BLPO_ACTION_DISCRETE);
    rows r;
    for (int64_t t = 0; t < STEPS; t++) {
        assert_int_equal(blpo_rollout_length(rollout), t);
        assert_int_equal(blpo_rollout_full(rollout), 0);
        fill(&r, t, BLPO_ACTION_DISCRETE);
        assert_status(blpo_rollout_push(rollout, &r.step), t == STEPS - 1 ? BLPO_UPDATE_DUE : BLPO_OK);
    }
    assert_int_equal(blpo_rollout_full(rollout), 1);
    assert_status(blpo_rollout_push(rollout, &r.step), BLPO_ERR_STATE);
    assert_int_equal(blpo_rollout_length(rollout), STEPS);
    assert_status(blpo_rollout_clear(rollout), BLPO_OK);
    assert_int_equal(blpo_rollout_length(rollout), 0);
    assert_status(blpo_rollout_push(rollout, &r.step), BLPO_OK);
    blpo_rollout_destroy(rollout);
}

static void check_view_row(const blpo_rollout_view *view, int64_t t, int e, int32_t kind)
{
    rows r;
    fill(&r, t, kind);
    const int64_t at = e * STEPS + t;
    assert_memory_equal(view->obs + at * OBS, r.obs + e * OBS, OBS * sizeof(test_real));
    assert_memory_equal(view->next_obs + at * OBS, r.next_obs + e * OBS, OBS * sizeof(test_real));
    assert_true(view->reward[at] == r.reward[e] && view->log_prob[at] == r.log_prob[e]);
    if (kind == BLPO_ACTION_DISCRETE)
        assert_true(view->discrete_action[at] == r.action[e]);
    else
        assert_memory_equal(view->continuous_action + at * 2, r.continuous + e * 2, 2 * sizeof(test_real));
}

static void check_contents(int32_t kind)
{
    blpo_rollout *rollout = rollout_new(kind);
    rows r;
    for (int64_t t = 0; t < 3; t++) { /* not full: strides are those of n_steps all the same */
        fill(&r, t, kind);
        assert_status(blpo_rollout_push(rollout, &r.step), BLPO_OK);
    }
    const blpo_rollout_view view = view_of(rollout);
    assert_true(view.n_envs == ENVS && view.n_steps == STEPS && view.length == 3);
    assert_true(kind == BLPO_ACTION_DISCRETE ? view.discrete_action && !view.continuous_action
                                             : !view.discrete_action && view.continuous_action);
    for (int64_t t = 0; t < 3; t++)
        for (int e = 0; e < ENVS; e++)
            check_view_row(&view, t, e, kind);
    blpo_rollout_destroy(rollout);
}

static void a_view_shows_environment_by_environment_what_was_pushed(void **state)
{
    (void)state;
    check_contents(BLPO_ACTION_DISCRETE);
    check_contents(BLPO_ACTION_CONTINUOUS);
}

static void flags_and_masks_are_kept_row_by_row(void **state)
{
    (void)state;
    blpo_rollout *rollout = rollout_new(BLPO_ACTION_DISCRETE);
    rows r;
    fill(&r, 0, BLPO_ACTION_DISCRETE);
    r.terminated[1] = 1;
    r.truncated[2] = 1;
    assert_status(blpo_rollout_push(rollout, &r.step), BLPO_OK);
    fill(&r, 1, BLPO_ACTION_DISCRETE);
    r.masked[1] = 1;
    r.step.masked = r.masked;
    assert_status(blpo_rollout_push(rollout, &r.step), BLPO_OK);
    const blpo_rollout_view view = view_of(rollout);
    static const uint8_t terminated[ENVS][2] = { { 0, 0 }, { 1, 0 }, { 0, 0 } };
    static const uint8_t truncated[ENVS][2] = { { 0, 0 }, { 0, 0 }, { 1, 0 } };
    static const uint8_t masked[ENVS][2] = { { 0, 0 }, { 0, 1 }, { 0, 0 } };
    for (int e = 0; e < ENVS; e++) {
        assert_memory_equal(view.terminated + e * STEPS, terminated[e], 2);
        assert_memory_equal(view.truncated + e * STEPS, truncated[e], 2);
        assert_memory_equal(view.masked + e * STEPS, masked[e], 2);
    }
    blpo_rollout_destroy(rollout);
}

/* Pushes a step that is wrong after one that is right: the code, the place, and a buffer that did not change. */
static void check_push_refused(rows *r, int code, int64_t env, int64_t element, const char *name, int32_t kind)
{
    blpo_rollout *rollout = rollout_new(kind);
    rows good;
    fill(&good, 0, kind);
    assert_status(blpo_rollout_push(rollout, &good.step), BLPO_OK);
    assert_status(blpo_rollout_push(rollout, &r->step), code);
    assert_int_equal(blpo_rollout_length(rollout), 1);
    const blpo_rollout_view view = view_of(rollout);
    for (int e = 0; e < ENVS; e++)
        check_view_row(&view, 0, e, kind);
    const blpo_error *error = blpo_rollout_error(rollout);
    assert_error_names(error, code, name);
    if (env >= 0)
        assert_error_at(error, code, env, 1, element);
    assert_status(blpo_rollout_push(rollout, &good.step), BLPO_OK);
    blpo_rollout_destroy(rollout);
}

static void numbers_that_are_not_finite_are_refused_by_place(void **state)
{
    (void)state;
    const test_real bad[3] = { (test_real)NAN, (test_real)INFINITY, -(test_real)INFINITY };
    for (int i = 0; i < 3; i++) {
        rows r;
        fill(&r, 1, BLPO_ACTION_CONTINUOUS);
        r.obs[2 * OBS + 1] = bad[i];
        check_push_refused(&r, BLPO_ERR_NONFINITE, 2, 1, "obs", BLPO_ACTION_CONTINUOUS);
        fill(&r, 1, BLPO_ACTION_CONTINUOUS);
        r.next_obs[1 * OBS] = bad[i];
        check_push_refused(&r, BLPO_ERR_NONFINITE, 1, 0, "next_obs", BLPO_ACTION_CONTINUOUS);
        fill(&r, 1, BLPO_ACTION_CONTINUOUS);
        r.continuous[2 * 2 + 1] = bad[i];
        check_push_refused(&r, BLPO_ERR_NONFINITE, 2, 1, "action", BLPO_ACTION_CONTINUOUS);
        fill(&r, 1, BLPO_ACTION_CONTINUOUS);
        r.reward[2] = bad[i];
        check_push_refused(&r, BLPO_ERR_NONFINITE, -1, -1, "reward", BLPO_ACTION_CONTINUOUS);
        fill(&r, 1, BLPO_ACTION_CONTINUOUS);
        r.log_prob[2] = bad[i];
        check_push_refused(&r, BLPO_ERR_NONFINITE, -1, -1, "log_prob", BLPO_ACTION_CONTINUOUS);
    }
}

static void actions_and_flags_out_of_range_are_refused_by_name(void **state)
{
    (void)state;
    rows r;
    static const int64_t bad[3] = { 4, -1, INT64_MAX };
    for (int i = 0; i < 3; i++) {
        fill(&r, 1, BLPO_ACTION_DISCRETE);
        r.action[2] = bad[i];
        check_push_refused(&r, BLPO_ERR_ARGUMENT, -1, -1, "action", BLPO_ACTION_DISCRETE);
    }
    fill(&r, 1, BLPO_ACTION_DISCRETE);
    r.terminated[1] = 2;
    check_push_refused(&r, BLPO_ERR_ARGUMENT, -1, -1, "terminated", BLPO_ACTION_DISCRETE);
    fill(&r, 1, BLPO_ACTION_DISCRETE);
    r.truncated[1] = 200;
    check_push_refused(&r, BLPO_ERR_ARGUMENT, -1, -1, "truncated", BLPO_ACTION_DISCRETE);
    fill(&r, 1, BLPO_ACTION_DISCRETE);
    r.masked[0] = 3;
    r.step.masked = r.masked;
    check_push_refused(&r, BLPO_ERR_ARGUMENT, -1, -1, "masked", BLPO_ACTION_DISCRETE);
}

static void missing_arrays_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        const char *name;
    } arrays[] = {
        { offsetof(blpo_rollout_step, obs), "obs" },           { offsetof(blpo_rollout_step, action), "action" },
        { offsetof(blpo_rollout_step, log_prob), "log_prob" }, { offsetof(blpo_rollout_step, reward), "reward" },
        { offsetof(blpo_rollout_step, terminated), "terminated" },
        { offsetof(blpo_rollout_step, truncated), "truncated" },
        { offsetof(blpo_rollout_step, next_obs), "next_obs" },
    };
    for (int64_t i = 0; i < TEST_COUNT(arrays); i++) {
        rows r;
        fill(&r, 1, BLPO_ACTION_DISCRETE);
        memset((char *)&r.step + arrays[i].offset, 0, sizeof(void *)); /* a null pointer wherever this runs */
        check_push_refused(&r, BLPO_ERR_NULL, -1, -1, arrays[i].name, BLPO_ACTION_DISCRETE);
    }
}

static void a_step_of_the_wrong_size_is_refused(void **state)
{
    (void)state;
    blpo_rollout *rollout = rollout_new(BLPO_ACTION_DISCRETE);
    rows r;
    fill(&r, 0, BLPO_ACTION_DISCRETE);
    r.step.struct_size = sizeof r.step - 8;
    assert_status(blpo_rollout_push(rollout, &r.step), BLPO_ERR_VERSION);
    assert_error_names(blpo_rollout_error(rollout), BLPO_ERR_VERSION, "struct_size");
    struct {
        blpo_rollout_step step;
        uint64_t unknown;
    } longer = { r.step, 0 };
    longer.step.struct_size = sizeof longer;
    assert_status(blpo_rollout_push(rollout, &longer.step), BLPO_OK);
    longer.unknown = 1;
    assert_status(blpo_rollout_push(rollout, &longer.step), BLPO_ERR_VERSION);
    assert_int_equal(blpo_rollout_length(rollout), 1);
    blpo_rollout_view view = { .struct_size = offsetof(blpo_rollout_view, masked) };
    assert_status(blpo_rollout_get_view(rollout, &view), BLPO_ERR_VERSION);
    blpo_rollout_destroy(rollout);
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    blpo_rollout *rollout = rollout_new(BLPO_ACTION_DISCRETE);
    const blpo_rollout_config config = config_of(BLPO_ACTION_DISCRETE);
    rows r;
    blpo_rollout_view view = { .struct_size = sizeof view };
    fill(&r, 0, BLPO_ACTION_DISCRETE);
    assert_status(blpo_rollout_push(NULL, &r.step), BLPO_ERR_NULL);
    assert_status(blpo_rollout_push(rollout, NULL), BLPO_ERR_NULL);
    assert_string_equal(blpo_rollout_error(rollout)->text, "step is NULL");
    assert_status(blpo_rollout_clear(NULL), BLPO_ERR_NULL);
    assert_status(blpo_rollout_get_view(NULL, &view), BLPO_ERR_NULL);
    assert_status(blpo_rollout_get_view(rollout, NULL), BLPO_ERR_NULL);
    blpo_rollout *other = NULL;
    assert_status(blpo_rollout_create(NULL, NULL, &other), BLPO_ERR_NULL);
    assert_null(other);
    assert_status(blpo_rollout_create(&config, NULL, NULL), BLPO_ERR_NULL);
    assert_int_equal(blpo_rollout_length(NULL), 0);
    assert_int_equal(blpo_rollout_full(NULL), 0);
    assert_int_equal(blpo_rollout_length(rollout), 0);
    blpo_rollout_destroy(rollout);
}

#define REFUSE(member, bad, code, name) REFUSE_SETTING(rollout, config_of(BLPO_ACTION_DISCRETE), member, bad, code, name)

static void every_setting_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    REFUSE(n_envs, 0, BLPO_ERR_CONFIG, "n_envs");
    REFUSE(n_envs, -1, BLPO_ERR_CONFIG, "n_envs");
    REFUSE(n_steps, 0, BLPO_ERR_CONFIG, "n_steps");
    REFUSE(n_steps, -1, BLPO_ERR_CONFIG, "n_steps");
    REFUSE(obs_dim, 0, BLPO_ERR_CONFIG, "obs_dim");
    REFUSE(action_kind, 0, BLPO_ERR_CONFIG, "action_kind");
    REFUSE(action_kind, 3, BLPO_ERR_CONFIG, "action_kind");
    REFUSE(action_n, 1, BLPO_ERR_CONFIG, "action_n");
    REFUSE(action_n, -1, BLPO_ERR_CONFIG, "action_n");
}

/* 3 x 4 x 2 with one factor so large that the product passes INT_MAX, or 2^63. */
static void products_of_sizes_past_the_integers_of_blas_are_refused(void **state)
{
    (void)state;
    REFUSE(n_envs, INT64_C(1) << 29, BLPO_ERR_SIZE, "n_envs");
    REFUSE(n_envs, INT64_MAX, BLPO_ERR_SIZE, "n_envs");
    REFUSE(n_steps, INT64_C(1) << 30, BLPO_ERR_SIZE, "n_steps");
    REFUSE(n_steps, INT64_MAX / 2, BLPO_ERR_SIZE, "n_steps");
    REFUSE(obs_dim, INT64_C(1) << 30, BLPO_ERR_SIZE, "obs_dim");
    REFUSE(obs_dim, INT64_C(1) << 62, BLPO_ERR_SIZE, "obs_dim");
}

static void pushing_takes_no_memory(void **state)
{
    (void)state;
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, NULL);
    const blpo_rollout_config config = config_of(BLPO_ACTION_DISCRETE);
    blpo_rollout *rollout = NULL;
    assert_status(blpo_rollout_create(&config, &runtime, &rollout), BLPO_OK);
    const int64_t calls = memory.calls;
    for (int64_t t = 0; t < 10 * STEPS; t++) {
        rows r;
        fill(&r, t, BLPO_ACTION_DISCRETE);
        assert_true(blpo_rollout_push(rollout, &r.step) >= 0);
        if (blpo_rollout_full(rollout))
            assert_status(blpo_rollout_clear(rollout), BLPO_OK);
    }
    assert_int_equal(memory.calls, calls);
    blpo_rollout_destroy(rollout);
    assert_all_released(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_push_says_that_an_update_is_due),
        cmocka_unit_test(a_view_shows_environment_by_environment_what_was_pushed),
        cmocka_unit_test(flags_and_masks_are_kept_row_by_row),
        cmocka_unit_test(numbers_that_are_not_finite_are_refused_by_place),
        cmocka_unit_test(actions_and_flags_out_of_range_are_refused_by_name),
        cmocka_unit_test(missing_arrays_are_refused_by_name),
        cmocka_unit_test(a_step_of_the_wrong_size_is_refused),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(every_setting_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(products_of_sizes_past_the_integers_of_blas_are_refused),
        cmocka_unit_test(pushing_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
