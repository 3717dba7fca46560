/* Push mode: act and observe are the callback loop turned inside out, to the bit. */
#include "support/check.h"
#include "support/training.h"

#include <math.h>
#include <string.h>

enum { ENVS = 3 };

static script make(int32_t autoreset, int continuous)
{
    script s = script_new(ENVS, autoreset);
    s.continuous = continuous;
    s.reacts = 1;
    return s;
}

/* A trainer without callbacks. */
static blpo_trainer *push_trainer(script *s, const blpo_config *config)
{
    blpo_env env = script_env(s);
    env.step = NULL;
    env.reset = NULL;
    env.save = NULL;
    env.load = NULL;
    const blpo_config own = script_config();
    blpo_trainer *trainer = NULL;
    assert_status(blpo_trainer_create(&env, config ? config : &own, NULL, &trainer), BLPO_OK);
    return trainer;
}

static void push_updates(script *s, blpo_trainer *trainer, test_real *obs, int n)
{
    for (int update = 0; update < n; update++) {
        for (int t = 0; t < 8; t++)
            assert_status(script_push(s, trainer, obs), t == 7 ? BLPO_UPDATE_DUE : BLPO_OK);
        assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
    }
}

static void check_metrics_equal(blpo_metrics a, blpo_metrics b)
{
    a.seconds = b.seconds = a.steps_per_second = b.steps_per_second = 0.0;
    assert_memory_equal(&a, &b, offsetof(blpo_metrics, diagnostics_measured) + sizeof a.diagnostics_measured);
}

static void push_mode_equals_callback_mode_bit_for_bit(void **state)
{
    (void)state;
    for (int32_t mode = BLPO_AUTORESET_DISABLED; mode <= BLPO_AUTORESET_NEXT_STEP; mode++)
        for (int continuous = 0; continuous <= 1; continuous++) {
            script a = make(mode, continuous), b = make(mode, continuous);
            blpo_trainer *called = script_trainer(&a, NULL, NULL), *pushed = push_trainer(&b, NULL);
            test_real obs[ENVS * SCRIPT_OBS] = { 0 };
            trainer_updates(called, 3);
            push_updates(&b, pushed, obs, 3);
            assert_same_parameters(called, pushed);
            check_metrics_equal(trainer_metrics(called), trainer_metrics(pushed));
            assert_memory_equal(a.now.time, b.now.time, sizeof a.now.time);
            blpo_trainer_destroy(called);
            blpo_trainer_destroy(pushed);
        }
}

static void observe_without_act_is_a_state_error(void **state)
{
    (void)state;
    script s = make(BLPO_AUTORESET_DISABLED, 0);
    blpo_trainer *trainer = push_trainer(&s, NULL);
    test_real obs[ENVS * SCRIPT_OBS] = { 0 };
    const test_real reward[ENVS] = { 0 };
    const uint8_t no[ENVS] = { 0 };
    const blpo_transition transition = { sizeof transition, obs, reward, no, no, NULL };
    int64_t action[ENVS];
    assert_status(blpo_trainer_observe(trainer, &transition), BLPO_ERR_STATE);
    assert_status(blpo_trainer_act(trainer, obs, action), BLPO_OK);
    assert_status(blpo_trainer_observe(trainer, &transition), BLPO_OK);
    assert_status(blpo_trainer_observe(trainer, &transition), BLPO_ERR_STATE); /* one act, one observe */
    assert_int_equal(blpo_rollout_length(blpo_trainer_rollout(trainer)), 1);
    blpo_trainer_destroy(trainer);
}

/* Draws depend on what was observed: a second act with the same observations gives the same actions. */
static void act_again_replaces_and_draws_the_same(void **state)
{
    (void)state;
    script a = make(BLPO_AUTORESET_DISABLED, 1), b = make(BLPO_AUTORESET_DISABLED, 1);
    blpo_trainer *once = push_trainer(&a, NULL), *twice = push_trainer(&b, NULL);
    test_real obs_a[ENVS * SCRIPT_OBS] = { 0 }, obs_b[ENVS * SCRIPT_OBS] = { 0 }, first[ENVS], second[ENVS];
    for (int t = 0; t < 8; t++) {
        const test_real other[ENVS * SCRIPT_OBS] = { 1, 2, 3, 4, 5, 6 };
        assert_status(blpo_trainer_act(twice, other, first), BLPO_OK);
        assert_status(blpo_trainer_act(twice, other, second), BLPO_OK);
        assert_memory_equal(first, second, sizeof first);
        assert_true(script_push(&a, once, obs_a) >= 0);
        assert_true(script_push(&b, twice, obs_b) >= 0);
    }
    assert_status(blpo_trainer_update(once, NULL), BLPO_OK);
    assert_status(blpo_trainer_update(twice, NULL), BLPO_OK);
    assert_same_trainer(once, twice);
    blpo_trainer_destroy(once);
    blpo_trainer_destroy(twice);
}

/* A rollout may be dropped at any time, half full and between act and observe: what is observed then is its first step. */
static void a_waiting_act_outlives_a_dropped_rollout(void **state)
{
    (void)state;
    script s = make(BLPO_AUTORESET_SAME_STEP, 0);
    blpo_trainer *trainer = push_trainer(&s, NULL);
    test_real obs[ENVS * SCRIPT_OBS] = { 0 };
    for (int t = 0; t < 3; t++)
        assert_status(script_push(&s, trainer, obs), BLPO_OK);
    int64_t action[ENVS];
    const test_real reward[ENVS] = { 0 };
    const uint8_t no[ENVS] = { 0 };
    const blpo_transition transition = { sizeof transition, obs, reward, no, no, NULL };
    assert_status(blpo_trainer_act(trainer, obs, action), BLPO_OK);
    assert_status(blpo_trainer_drop_rollout(trainer), BLPO_OK);
    assert_status(blpo_trainer_observe(trainer, &transition), BLPO_OK);
    const blpo_rollout_view v = trainer_view(trainer);
    assert_int_equal(v.length, 1);
    for (int64_t e = 0; e < ENVS; e++)
        assert_int_equal(v.discrete_action[e * v.n_steps], action[e]);
    assert_int_equal(trainer_metrics(trainer).n_dropped, 3 * ENVS);
    blpo_trainer_destroy(trainer);
}

/* Five steps more than the rollout holds, before the update: they are counted, dropped, and acting goes on. */
static void transitions_past_a_full_rollout_are_counted_and_dropped(void **state)
{
    (void)state;
    script s = make(BLPO_AUTORESET_SAME_STEP, 0);
    blpo_trainer *trainer = push_trainer(&s, NULL);
    test_real obs[ENVS * SCRIPT_OBS] = { 0 };
    for (int t = 0; t < 13; t++)
        assert_status(script_push(&s, trainer, obs), t >= 7 ? BLPO_UPDATE_DUE : BLPO_OK);
    const blpo_rollout_view v = trainer_view(trainer);
    assert_int_equal(v.length, 8);
    assert_int_equal(trainer_metrics(trainer).n_dropped, 5 * ENVS);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
    assert_status(script_push(&s, trainer, obs), BLPO_OK);
    assert_int_equal(blpo_rollout_length(blpo_trainer_rollout(trainer)), 1);
    blpo_trainer_destroy(trainer);
}

typedef struct parts {
    test_real next[ENVS * SCRIPT_OBS], final[ENVS * SCRIPT_OBS], reward[ENVS];
    uint8_t terminated[ENVS], truncated[ENVS];
    blpo_transition t;
} parts;

static void sound(parts *p, int same_step)
{
    memset(p, 0, sizeof *p);
    p->t = (blpo_transition){ sizeof p->t, p->next, p->reward, p->terminated, p->truncated, same_step ? p->final : NULL };
}

/* The trainer refuses, is unchanged, and takes the sound transition after it. */
static void check_observe_refused(int same_step, void (*spoil)(parts *p), int code, int64_t env, const char *name)
{
    script s = make(same_step ? BLPO_AUTORESET_SAME_STEP : BLPO_AUTORESET_DISABLED, 0);
    blpo_trainer *trainer = push_trainer(&s, NULL), *clean = push_trainer(&s, NULL);
    const test_real obs[ENVS * SCRIPT_OBS] = { 0 };
    int64_t action[ENVS];
    parts p;
    assert_status(blpo_trainer_act(trainer, obs, action), BLPO_OK);
    assert_status(blpo_trainer_act(clean, obs, action), BLPO_OK);
    sound(&p, same_step);
    spoil(&p);
    assert_status(blpo_trainer_observe(trainer, &p.t), code);
    if (code != BLPO_ERR_VERSION)
        assert_error_names(blpo_trainer_error(trainer), code, name);
    if (env >= 0)
        assert_int_equal(blpo_trainer_error(trainer)->env, env);
    sound(&p, same_step);
    assert_status(blpo_trainer_observe(trainer, &p.t), BLPO_OK);
    assert_status(blpo_trainer_observe(clean, &p.t), BLPO_OK);
    assert_same_trainer(trainer, clean);
    blpo_trainer_destroy(trainer);
    blpo_trainer_destroy(clean);
}

static void nan_next(parts *p)
{
    p->next[2 * SCRIPT_OBS + 1] = (test_real)NAN;
}

static void infinite_reward(parts *p)
{
    p->reward[1] = (test_real)INFINITY;
}

static void bad_terminated(parts *p)
{
    p->terminated[2] = 2;
}

static void bad_truncated(parts *p)
{
    p->truncated[0] = 0xFF;
}

static void nan_final(parts *p)
{
    p->truncated[1] = 1;
    p->final[1 * SCRIPT_OBS] = (test_real)NAN;
}

static void missing_final(parts *p)
{
    p->truncated[1] = 1;
    p->t.final_obs = NULL;
}

static void missing_next(parts *p)
{
    p->t.next_obs = NULL;
}

static void missing_reward(parts *p)
{
    p->t.reward = NULL;
}

static void missing_terminated(parts *p)
{
    p->t.terminated = NULL;
}

static void missing_truncated(parts *p)
{
    p->t.truncated = NULL;
}

static void short_struct(parts *p)
{
    p->t.struct_size -= 8;
}

static void a_transition_that_is_wrong_is_refused_and_the_act_still_waits(void **state)
{
    (void)state;
    check_observe_refused(0, nan_next, BLPO_ERR_NONFINITE, 2, "next_obs");
    check_observe_refused(0, infinite_reward, BLPO_ERR_NONFINITE, 1, "reward");
    check_observe_refused(0, bad_terminated, BLPO_ERR_ARGUMENT, 2, "terminated");
    check_observe_refused(0, bad_truncated, BLPO_ERR_ARGUMENT, 0, "truncated");
    check_observe_refused(1, nan_final, BLPO_ERR_NONFINITE, 1, "final_obs");
    check_observe_refused(1, missing_final, BLPO_ERR_NULL, -1, "final_obs");
    check_observe_refused(0, missing_next, BLPO_ERR_NULL, -1, "next_obs");
    check_observe_refused(0, missing_reward, BLPO_ERR_NULL, -1, "reward");
    check_observe_refused(0, missing_terminated, BLPO_ERR_NULL, -1, "terminated");
    check_observe_refused(0, missing_truncated, BLPO_ERR_NULL, -1, "truncated");
    check_observe_refused(0, short_struct, BLPO_ERR_VERSION, -1, "");
}

/* final_obs is read in rows that ended, and in no other: NaN elsewhere is nothing. */
static void final_observations_of_rows_that_go_on_are_not_read(void **state)
{
    (void)state;
    script s = make(BLPO_AUTORESET_SAME_STEP, 0);
    blpo_trainer *trainer = push_trainer(&s, NULL);
    const test_real obs[ENVS * SCRIPT_OBS] = { 0 };
    int64_t action[ENVS];
    parts p;
    sound(&p, 1);
    for (int i = 0; i < ENVS * SCRIPT_OBS; i++)
        p.final[i] = (test_real)NAN;
    p.final[SCRIPT_OBS] = p.final[SCRIPT_OBS + 1] = 4;
    p.truncated[1] = 1;
    assert_status(blpo_trainer_act(trainer, obs, action), BLPO_OK);
    assert_status(blpo_trainer_observe(trainer, &p.t), BLPO_OK);
    const blpo_rollout_view v = trainer_view(trainer);
    assert_true(v.next_obs[8 * SCRIPT_OBS] == 4 && v.next_obs[0] == 0);
    blpo_trainer_destroy(trainer);
}

static void act_refuses_what_is_wrong_and_writes_nothing(void **state)
{
    (void)state;
    script s = make(BLPO_AUTORESET_DISABLED, 0);
    blpo_trainer *trainer = push_trainer(&s, NULL);
    test_real obs[ENVS * SCRIPT_OBS] = { 0 };
    int64_t action[ENVS] = { 42, 42, 42 };
    obs[2 * SCRIPT_OBS + 1] = (test_real)NAN;
    assert_status(blpo_trainer_act(trainer, obs, action), BLPO_ERR_NONFINITE);
    const blpo_error *error = blpo_trainer_error(trainer);
    assert_true(error->env == 2 && error->element == 1 && error->stage == BLPO_STAGE_ACT);
    assert_status(blpo_trainer_act(NULL, obs, action), BLPO_ERR_NULL);
    assert_status(blpo_trainer_act(trainer, NULL, action), BLPO_ERR_NULL);
    assert_string_equal(blpo_trainer_error(trainer)->text, "obs is NULL");
    assert_status(blpo_trainer_act(trainer, obs, NULL), BLPO_ERR_NULL);
    assert_string_equal(blpo_trainer_error(trainer)->text, "action is NULL");
    assert_status(blpo_trainer_observe(NULL, NULL), BLPO_ERR_NULL);
    assert_status(blpo_trainer_observe(trainer, NULL), BLPO_ERR_NULL);
    assert_string_equal(blpo_trainer_error(trainer)->text, "transition is NULL");
    assert_true(action[0] == 42 && action[1] == 42 && action[2] == 42);
    blpo_trainer_destroy(trainer);
}

static void run_and_collect_need_callbacks_and_no_waiting_act(void **state)
{
    (void)state;
    script s = make(BLPO_AUTORESET_DISABLED, 0);
    blpo_trainer *push_only = push_trainer(&s, NULL), *both = script_trainer(&s, NULL, NULL);
    const test_real obs[ENVS * SCRIPT_OBS] = { 0 };
    int64_t action[ENVS];
    assert_status(blpo_trainer_run(push_only, 1, NULL, NULL), BLPO_ERR_STATE);
    assert_status(blpo_trainer_collect(push_only), BLPO_ERR_STATE);
    assert_status(blpo_trainer_act(both, obs, action), BLPO_OK);
    assert_status(blpo_trainer_collect(both), BLPO_ERR_STATE);
    assert_int_equal(s.step_calls, 0);
    blpo_trainer_destroy(push_only);
    blpo_trainer_destroy(both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_mode_equals_callback_mode_bit_for_bit),
        cmocka_unit_test(observe_without_act_is_a_state_error),
        cmocka_unit_test(act_again_replaces_and_draws_the_same),
        cmocka_unit_test(a_waiting_act_outlives_a_dropped_rollout),
        cmocka_unit_test(transitions_past_a_full_rollout_are_counted_and_dropped),
        cmocka_unit_test(a_transition_that_is_wrong_is_refused_and_the_act_still_waits),
        cmocka_unit_test(final_observations_of_rows_that_go_on_are_not_read),
        cmocka_unit_test(act_refuses_what_is_wrong_and_writes_nothing),
        cmocka_unit_test(run_and_collect_need_callbacks_and_no_waiting_act),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
