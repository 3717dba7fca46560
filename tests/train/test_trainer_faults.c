/* Environments that give up or lie, calls from inside callbacks, calls in the wrong order. The trainer says where, keeps
 * what it has, and goes on to the bits of a run in which nothing happened. */
#include "support/check.h"
#include "support/training.h"

#include <math.h>
#include <string.h>

enum { ENVS = 3 };

static script failing(script_fault fault, int64_t env, int64_t step)
{
    script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    s.reacts = 1;
    s.fault = fault;
    s.fault_env = env;
    s.fault_step = step;
    s.fault_times = 1;
    return s;
}

static blpo_trainer *undisturbed(int64_t updates)
{
    static script s;
    s = failing(SCRIPT_NONE, 0, 0);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    trainer_updates(trainer, updates);
    return trainer;
}

typedef struct expectation {
    script_fault fault;
    int code;
    int64_t element;
    const char *name;
} expectation;

static const expectation STEP_FAULTS[] = {
    { SCRIPT_NAN_OBS, BLPO_ERR_NONFINITE, 1, "obs" },
    { SCRIPT_INF_OBS, BLPO_ERR_NONFINITE, 0, "obs" },
    { SCRIPT_NAN_REWARD, BLPO_ERR_NONFINITE, -2, "reward" }, /* -2: whatever it says of an element */
};

/* Environment 2 at step 5 of the first rollout; then on to the second update. */
static void a_number_that_is_not_finite_is_refused_by_place_and_asked_for_again(void **state)
{
    (void)state;
    blpo_trainer *clean = undisturbed(2);
    for (int64_t i = 0; i < TEST_COUNT(STEP_FAULTS); i++) {
        const expectation *x = &STEP_FAULTS[i];
        script s = failing(x->fault, 2, 5);
        blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
        assert_status(blpo_trainer_collect(trainer), x->code);
        const blpo_error *error = blpo_trainer_error(trainer);
        assert_error_names(error, x->code, x->name);
        assert_error_at(error, x->code, 2, 5, x->element == -2 ? error->element : x->element);
        assert_int_equal(error->stage, BLPO_STAGE_STEP);
        assert_int_equal(blpo_rollout_length(blpo_trainer_rollout(trainer)), 5);
        trainer_updates(trainer, 2);
        assert_same_trainer(trainer, clean);
        blpo_trainer_destroy(trainer);
    }
    blpo_trainer_destroy(clean);
}

/* In the second rollout: the step counts from its beginning. */
static void the_step_of_an_error_is_that_of_the_current_rollout(void **state)
{
    (void)state;
    script s = failing(SCRIPT_NAN_OBS, 1, 8 + 3);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    trainer_updates(trainer, 1);
    assert_status(blpo_trainer_collect(trainer), BLPO_ERR_NONFINITE);
    assert_error_at(blpo_trainer_error(trainer), BLPO_ERR_NONFINITE, 1, 3, 1);
    blpo_trainer_destroy(trainer);
}

static void a_flag_that_is_not_0_or_1_is_refused_by_place(void **state)
{
    (void)state;
    script s = failing(SCRIPT_BAD_FLAG, 1, 4);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL), *clean = undisturbed(1);
    const int code = blpo_trainer_collect(trainer);
    assert_status(code, BLPO_ERR_ARGUMENT);
    assert_error_names(blpo_trainer_error(trainer), code, "terminated");
    assert_true(blpo_trainer_error(trainer)->env == 1 && blpo_trainer_error(trainer)->step == 4);
    trainer_updates(trainer, 1);
    assert_same_trainer(trainer, clean);
    blpo_trainer_destroy(trainer);
    blpo_trainer_destroy(clean);
}

/* NEXT_STEP: row 3 of environment 0, whose first episode has 3 steps, is a reset. It is in no loss, but what it says must be
 * sound; asked again, the environment has not moved. */
static void nonsense_in_a_reset_row_is_refused_by_place_and_asked_for_again(void **state)
{
    (void)state;
    static const struct {
        script_fault fault;
        int code;
        const char *field;
    } rows[3] = { { SCRIPT_NAN_REWARD, BLPO_ERR_NONFINITE, "reward" },
                  { SCRIPT_BAD_FLAG, BLPO_ERR_ARGUMENT, "terminated" },
                  { SCRIPT_INF_OBS, BLPO_ERR_NONFINITE, "obs" } };
    script plain = script_new(ENVS, BLPO_AUTORESET_NEXT_STEP);
    plain.reacts = 1;
    blpo_trainer *clean = script_trainer(&plain, NULL, NULL);
    trainer_updates(clean, 2);
    for (int i = 0; i < 3; i++) {
        script s = failing(rows[i].fault, 0, 3);
        s.autoreset = BLPO_AUTORESET_NEXT_STEP;
        blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
        assert_status(blpo_trainer_collect(trainer), rows[i].code);
        const blpo_error *error = blpo_trainer_error(trainer);
        assert_string_equal(error->field, rows[i].field);
        assert_true(error->env == 0 && error->step == 3 && error->stage == BLPO_STAGE_STEP);
        trainer_updates(trainer, 2);
        assert_same_trainer(trainer, clean);
        assert_int_equal(s.violations, 0);
        blpo_trainer_destroy(trainer);
    }
    blpo_trainer_destroy(clean);
}

/* One unit of relu, h = M o for the first number o of an observation and the largest real M; logits h and M h. Environment 0
 * begins at o = 0, environment 1 at 1/4: its second logit has no number. */
static void an_output_of_the_policy_without_a_number_is_named_by_place(void **state)
{
    (void)state;
    static const int64_t one = 1;
    const test_real parameters[7] = { TEST_REAL_MAX, 0, 0, 1, TEST_REAL_MAX, 0, 0 };
    blpo_policy_config of_policy;
    blpo_config config = script_config();
    assert_status(blpo_policy_config_init(&of_policy, sizeof of_policy), BLPO_OK);
    of_policy.obs_dim = SCRIPT_OBS;
    of_policy.action = (blpo_action_space){ .kind = BLPO_ACTION_DISCRETE, .n = 2 };
    of_policy.network.hidden = &one;
    of_policy.network.n_hidden = 1;
    of_policy.network.activation = BLPO_RELU;
    assert_status(blpo_policy_create(&of_policy, NULL, &config.policy), BLPO_OK);
    assert_status(blpo_policy_set_parameters(config.policy, parameters, 7), BLPO_OK);
    script s = failing(SCRIPT_NONE, 0, 0);
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_ERR_NONFINITE);
    assert_error_at(blpo_trainer_error(trainer), BLPO_ERR_NONFINITE, 1, 0, 1);
    assert_int_equal(blpo_trainer_error(trainer)->stage, BLPO_STAGE_ACT);
    assert_string_equal(blpo_trainer_error(trainer)->text, "env 1, step 0: policy output[1] is infinity");
    blpo_trainer_destroy(trainer);
    blpo_policy_destroy(config.policy);
}

static void a_step_that_gives_up_reports_its_code_and_is_asked_again(void **state)
{
    (void)state;
    blpo_trainer *clean = undisturbed(2);
    for (int64_t at = 0; at < 10; at += 3) {
        script s = failing(SCRIPT_GIVES_UP, 1, at);
        blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
        if (at >= 8)
            trainer_updates(trainer, 1);
        assert_status(blpo_trainer_collect(trainer), BLPO_ERR_CALLBACK);
        assert_int_equal(blpo_trainer_error(trainer)->callback_code, -4);
        assert_int_equal(blpo_trainer_error(trainer)->stage, BLPO_STAGE_STEP);
        assert_int_equal(blpo_trainer_error(trainer)->step, at % 8);
        trainer_updates(trainer, at >= 8 ? 1 : 2);
        assert_int_equal(s.violations, 0);
        assert_same_trainer(trainer, clean);
        blpo_trainer_destroy(trainer);
    }
    blpo_trainer_destroy(clean);
}

static void a_reset_that_fails_reports_its_code_and_is_asked_again(void **state)
{
    (void)state;
    blpo_trainer *clean = undisturbed(2);
    for (int64_t resets = 0; resets < 4; resets++) {
        script s = failing(SCRIPT_RESET_FAILS, 0, resets);
        blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
        int code, failures = 0;
        for (int64_t updates = 0; updates < 2;) {
            code = blpo_trainer_collect(trainer);
            if (code == BLPO_ERR_CALLBACK) {
                failures++;
                assert_int_equal(blpo_trainer_error(trainer)->callback_code, 6);
                assert_int_equal(blpo_trainer_error(trainer)->stage, BLPO_STAGE_RESET);
                continue;
            }
            assert_status(code, BLPO_UPDATE_DUE);
            assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
            updates++;
        }
        assert_int_equal(failures, 1);
        assert_int_equal(s.violations, 0);
        assert_same_trainer(trainer, clean);
        blpo_trainer_destroy(trainer);
    }
    blpo_trainer_destroy(clean);
}

static void a_nan_from_reset_is_refused_by_place_and_asked_again(void **state)
{
    (void)state;
    blpo_trainer *clean = undisturbed(1);
    script s = failing(SCRIPT_RESET_NAN, 2, 0);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_ERR_NONFINITE);
    const blpo_error *error = blpo_trainer_error(trainer);
    assert_error_names(error, BLPO_ERR_NONFINITE, "obs");
    assert_int_equal(error->env, 2);
    assert_int_equal(error->element, 1);
    assert_int_equal(error->stage, BLPO_STAGE_RESET);
    trainer_updates(trainer, 1);
    assert_same_trainer(trainer, clean);
    blpo_trainer_destroy(trainer);
    blpo_trainer_destroy(clean);
}

/* run() is no other: it ends where the step gives up, in the second of three rollouts. What is left of that one is 6 of 8
 * steps; a run of just so many environment steps makes one update, and one of a single step more one more: whole updates. */
static void run_ends_with_the_error_and_may_be_called_again(void **state)
{
    (void)state;
    blpo_trainer *clean = undisturbed(3);
    script s = failing(SCRIPT_GIVES_UP, 0, 10);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    assert_status(blpo_trainer_run(trainer, 3 * 8 * ENVS, NULL, NULL), BLPO_ERR_CALLBACK);
    assert_status(blpo_trainer_run(trainer, 6 * ENVS, NULL, NULL), BLPO_OK);
    assert_int_equal(trainer_metrics(trainer).n_updates, 2);
    assert_status(blpo_trainer_run(trainer, 1, NULL, NULL), BLPO_OK);
    assert_int_equal(trainer_metrics(trainer).n_updates, 3);
    assert_same_trainer(trainer, clean);
    blpo_trainer_destroy(trainer);
    blpo_trainer_destroy(clean);
}

typedef struct intruder {
    blpo_trainer *trainer;
    int64_t calls, wrong;
} intruder;

/* Every entry that changes the trainer. */
static void try_every_entry(intruder *me)
{
    blpo_trainer *t = me->trainer;
    byte_buffer buffer = { 0 };
    test_real obs[ENVS * SCRIPT_OBS] = { 0 }, reward[ENVS] = { 0 };
    int64_t action[ENVS];
    const uint8_t no[ENVS] = { 0 };
    const blpo_transition transition = { sizeof transition, obs, reward, no, no, NULL };
    const int codes[] = { blpo_trainer_run(t, 1, NULL, NULL),
                          blpo_trainer_collect(t),
                          blpo_trainer_update(t, NULL),
                          blpo_trainer_drop_rollout(t),
                          blpo_trainer_act(t, obs, action),
                          blpo_trainer_observe(t, &transition),
                          blpo_trainer_save(t, bytes_write, &buffer),
                          blpo_trainer_load(t, bytes_read, &buffer) };
    for (int64_t i = 0; i < TEST_COUNT(codes); i++)
        me->wrong += codes[i] != BLPO_ERR_BUSY;
    me->wrong += buffer.calls != 0;
    me->calls++;
}

static void intrude(script *s)
{
    intruder *me = s->inside_data;
    blpo_metrics metrics = { .struct_size = sizeof metrics };
    try_every_entry(me);
    me->wrong += blpo_trainer_get_metrics(me->trainer, &metrics) != BLPO_OK; /* getters may be called */
    me->wrong += blpo_trainer_policy(me->trainer) == NULL || blpo_trainer_critic(me->trainer) == NULL;
    me->wrong += blpo_trainer_error(me->trainer) == NULL;
}

static int intrude_metrics(void *user, const blpo_metrics *metrics)
{
    (void)metrics;
    try_every_entry(user);
    return BLPO_CONTINUE;
}

static void every_entry_is_busy_inside_every_callback_and_no_bit_changes(void **state)
{
    (void)state;
    blpo_trainer *clean = undisturbed(2);
    script s = failing(SCRIPT_NONE, 0, 0);
    intruder me = { 0 };
    s.inside = intrude;
    s.inside_data = &me;
    me.trainer = script_trainer(&s, NULL, NULL);
    assert_status(blpo_trainer_run(me.trainer, 2 * 8 * ENVS, intrude_metrics, &me), BLPO_OK);
    assert_int_equal(me.wrong, 0);
    assert_true(me.calls >= 16 + 2 + 1); /* steps, metrics, resets */
    assert_same_trainer(me.trainer, clean);
    blpo_trainer_destroy(me.trainer);
    blpo_trainer_destroy(clean);
}

static int busy_write(void *user, const void *bytes, size_t n)
{
    (void)bytes;
    (void)n;
    intruder *me = user;
    blpo_transition transition = { .struct_size = sizeof transition };
    me->wrong += blpo_trainer_collect(me->trainer) != BLPO_ERR_BUSY;
    me->wrong += blpo_trainer_update(me->trainer, NULL) != BLPO_ERR_BUSY;
    me->wrong += blpo_trainer_observe(me->trainer, &transition) != BLPO_ERR_BUSY;
    me->wrong += blpo_trainer_save(me->trainer, busy_write, me) != BLPO_ERR_BUSY;
    me->calls++;
    return 0;
}

static void every_entry_is_busy_while_saving(void **state)
{
    (void)state;
    intruder me = { .trainer = undisturbed(1) };
    assert_status(blpo_trainer_save(me.trainer, busy_write, &me), BLPO_OK);
    assert_true(me.calls > 0);
    assert_int_equal(me.wrong, 0);
    blpo_trainer_destroy(me.trainer);
}

typedef struct verdicts {
    int64_t calls;
    int verdict;
} verdicts;

static int second_call_ends(void *user, const blpo_metrics *metrics)
{
    verdicts *v = user;
    v->calls++;
    return metrics->struct_size == sizeof *metrics && metrics->n_updates == v->calls && v->calls == 2 ? v->verdict : 0;
}

/* The update before the verdict stands; the next run goes on as if there had been none. */
static void the_verdict_of_the_metrics_callback_stops_the_run(void **state)
{
    (void)state;
    static const struct {
        int verdict, code;
    } rows[3] = { { BLPO_STOP, BLPO_STOPPED }, { 17, BLPO_STOPPED }, { -9, BLPO_ERR_CALLBACK } };
    blpo_trainer *clean = undisturbed(3);
    for (int i = 0; i < 3; i++) {
        script s = failing(SCRIPT_NONE, 0, 0);
        verdicts v = { .verdict = rows[i].verdict };
        blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
        assert_status(blpo_trainer_run(trainer, 1000 * 8 * ENVS, second_call_ends, &v), rows[i].code);
        assert_int_equal(v.calls, 2);
        if (rows[i].code < 0) {
            assert_int_equal(blpo_trainer_error(trainer)->callback_code, -9);
            assert_int_equal(blpo_trainer_error(trainer)->stage, BLPO_STAGE_METRICS);
        }
        assert_status(blpo_trainer_run(trainer, 1, NULL, NULL), BLPO_OK);
        assert_same_trainer(trainer, clean);
        blpo_trainer_destroy(trainer);
    }
    blpo_trainer_destroy(clean);
}

static void calls_in_the_wrong_order_are_state_errors(void **state)
{
    (void)state;
    script s = failing(SCRIPT_NONE, 0, 0);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_ERR_STATE); /* not full */
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE); /* full already */
    assert_int_equal(s.step_calls >= 8, 1);
    const int64_t calls = s.step_calls;
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    assert_int_equal(s.step_calls, calls);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_ERR_STATE);
    assert_int_equal(blpo_rollout_length(blpo_trainer_rollout(trainer)), 0);
    blpo_trainer_destroy(trainer);
}

static void null_and_bad_arguments_are_refused(void **state)
{
    (void)state;
    script s = failing(SCRIPT_NONE, 0, 0);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    blpo_metrics metrics = { .struct_size = sizeof metrics };
    byte_buffer buffer = { 0 };
    static const int64_t bad[3] = { 0, -1, INT64_MIN };
    for (int i = 0; i < 3; i++)
        assert_status(blpo_trainer_run(trainer, bad[i], NULL, NULL), BLPO_ERR_ARGUMENT);
    assert_status(blpo_trainer_run(NULL, 1, NULL, NULL), BLPO_ERR_NULL);
    assert_status(blpo_trainer_collect(NULL), BLPO_ERR_NULL);
    assert_status(blpo_trainer_update(NULL, NULL), BLPO_ERR_NULL);
    assert_status(blpo_trainer_drop_rollout(NULL), BLPO_ERR_NULL);
    assert_status(blpo_trainer_get_metrics(NULL, &metrics), BLPO_ERR_NULL);
    assert_status(blpo_trainer_get_metrics(trainer, NULL), BLPO_ERR_NULL);
    assert_status(blpo_trainer_save(NULL, bytes_write, &buffer), BLPO_ERR_NULL);
    assert_status(blpo_trainer_save(trainer, NULL, &buffer), BLPO_ERR_NULL);
    assert_string_equal(blpo_trainer_error(trainer)->text, "write is NULL");
    assert_status(blpo_trainer_load(NULL, bytes_read, &buffer), BLPO_ERR_NULL);
    assert_status(blpo_trainer_load(trainer, NULL, &buffer), BLPO_ERR_NULL);
    assert_string_equal(blpo_trainer_error(trainer)->text, "read is NULL");
    assert_status(blpo_trainer_save_policy(NULL, bytes_write, &buffer), BLPO_ERR_NULL);
    assert_status(blpo_trainer_save_policy(trainer, NULL, &buffer), BLPO_ERR_NULL);
    assert_int_equal(s.step_calls + s.reset_calls, 0);
    blpo_trainer_destroy(trainer);
}

static void metrics_of_the_wrong_size_are_refused_before_the_update(void **state)
{
    (void)state;
    script s = failing(SCRIPT_NONE, 0, 0);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    byte_buffer before = trainer_bytes(trainer);
    blpo_metrics metrics = { .struct_size = 8 };
    assert_status(blpo_trainer_update(trainer, &metrics), BLPO_ERR_VERSION);
    assert_status(blpo_trainer_get_metrics(trainer, &metrics), BLPO_ERR_VERSION);
    assert_trainer_is(trainer, &before);
    bytes_free(&before);
    blpo_trainer_destroy(trainer);
}

/* n_steps so large that counters pass 2^63 if they are added up first. */
static void a_run_of_the_largest_number_of_steps_can_be_stopped(void **state)
{
    (void)state;
    script s = failing(SCRIPT_NONE, 0, 0);
    verdicts v = { .verdict = BLPO_STOP };
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    trainer_updates(trainer, 1);
    v.calls = 1;
    assert_status(blpo_trainer_run(trainer, INT64_MAX, second_call_ends, &v), BLPO_STOPPED);
    blpo_trainer_destroy(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_that_is_not_finite_is_refused_by_place_and_asked_for_again),
        cmocka_unit_test(the_step_of_an_error_is_that_of_the_current_rollout),
        cmocka_unit_test(a_flag_that_is_not_0_or_1_is_refused_by_place),
        cmocka_unit_test(nonsense_in_a_reset_row_is_refused_by_place_and_asked_for_again),
        cmocka_unit_test(an_output_of_the_policy_without_a_number_is_named_by_place),
        cmocka_unit_test(a_step_that_gives_up_reports_its_code_and_is_asked_again),
        cmocka_unit_test(a_reset_that_fails_reports_its_code_and_is_asked_again),
        cmocka_unit_test(a_nan_from_reset_is_refused_by_place_and_asked_again),
        cmocka_unit_test(run_ends_with_the_error_and_may_be_called_again),
        cmocka_unit_test(every_entry_is_busy_inside_every_callback_and_no_bit_changes),
        cmocka_unit_test(every_entry_is_busy_while_saving),
        cmocka_unit_test(the_verdict_of_the_metrics_callback_stops_the_run),
        cmocka_unit_test(calls_in_the_wrong_order_are_state_errors),
        cmocka_unit_test(null_and_bad_arguments_are_refused),
        cmocka_unit_test(metrics_of_the_wrong_size_are_refused_before_the_update),
        cmocka_unit_test(a_run_of_the_largest_number_of_steps_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
