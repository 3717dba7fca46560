/* What a collected rollout holds, in the three autoreset modes, against the script of the environment. */
#include "support/check.h"
#include "support/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ENVS = 2, STEPS = 12 };

/* One row as it has to be. */
typedef struct row {
    test_real obs[SCRIPT_OBS], next_obs[SCRIPT_OBS];
    double reward;
    int terminated, truncated, masked;
} row;

/* Rows of environment e: episode after episode, with a reset row between them in NEXT_STEP. */
static void expected_rows(int64_t e, int32_t autoreset, row *rows)
{
    int64_t k = 0, t = 0, over = 0;
    memset(rows, 0, STEPS * sizeof *rows);
    for (int i = 0; i < STEPS; i++) {
        script_obs(e, k, t, rows[i].obs);
        if (over) { /* the policy saw the final observation; the step gives the first of the next episode */
            rows[i].masked = 1;
            over = t = 0;
            k++;
            script_obs(e, k, 0, rows[i].next_obs);
            continue;
        }
        rows[i].reward = script_reward(t);
        t++;
        script_obs(e, k, t, rows[i].next_obs);
        if (t < script_length(e, k))
            continue;
        rows[i].terminated = script_terminates(e, k);
        rows[i].truncated = script_truncates(e, k);
        if (autoreset == BLPO_AUTORESET_NEXT_STEP) {
            over = 1;
        } else {
            k++;
            t = 0;
        }
    }
}

static blpo_trainer *collected(script *s, int32_t autoreset)
{
    blpo_config config = script_config();
    config.n_steps = STEPS;
    *s = script_new(ENVS, autoreset);
    blpo_trainer *trainer = script_trainer(s, &config, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    assert_int_equal(s->violations, 0);
    return trainer;
}

static void check_row(const blpo_rollout_view *view, int64_t at, const row *expected)
{
    assert_int_equal(view->masked[at], expected->masked);
    if (expected->masked)
        return; /* it is in no loss: only that it is marked matters */
    assert_memory_equal(view->obs + at * SCRIPT_OBS, expected->obs, sizeof expected->obs);
    assert_memory_equal(view->next_obs + at * SCRIPT_OBS, expected->next_obs, sizeof expected->next_obs);
    assert_true((double)view->reward[at] == expected->reward);
    assert_int_equal(view->terminated[at], expected->terminated);
    if (!expected->terminated) /* terminated wins: what is kept beside it is not said */
        assert_int_equal(view->truncated[at], expected->truncated);
    assert_in_range(view->discrete_action[at], 0, 1);
    assert_true(view->log_prob[at] < 0);
}

static void check_mode(int32_t autoreset)
{
    script s;
    blpo_trainer *trainer = collected(&s, autoreset);
    const blpo_rollout_view view = trainer_view(trainer);
    assert_true(view.n_envs == ENVS && view.n_steps == STEPS && view.length == STEPS);
    for (int64_t e = 0; e < ENVS; e++) {
        row rows[STEPS];
        expected_rows(e, autoreset, rows);
        for (int64_t i = 0; i < STEPS; i++)
            check_row(&view, e * STEPS + i, &rows[i]);
    }
    blpo_trainer_destroy(trainer);
}

static void a_rollout_with_resets_by_the_library_holds_the_script(void **state)
{
    (void)state;
    check_mode(BLPO_AUTORESET_DISABLED);
}

static void a_rollout_with_resets_in_the_same_step_holds_the_script(void **state)
{
    (void)state;
    check_mode(BLPO_AUTORESET_SAME_STEP);
}

static void a_rollout_with_resets_in_the_next_step_holds_the_script(void **state)
{
    (void)state;
    check_mode(BLPO_AUTORESET_NEXT_STEP);
}

/* Written out, not computed: environment 0 has episodes of 3 (terminated), 4 (truncated) and 5 steps (both). Truncated step
 * 6 is followed by its final observation (k = 1: 1/2; t = 4: 1/2), not by the first of episode 2 (1, 0). */
static void the_row_of_a_truncated_step_holds_its_final_observation(void **state)
{
    (void)state;
    for (int32_t mode = BLPO_AUTORESET_DISABLED; mode <= BLPO_AUTORESET_SAME_STEP; mode++) {
        script s;
        blpo_trainer *trainer = collected(&s, mode);
        const blpo_rollout_view v = trainer_view(trainer);
        static const uint8_t terminated[STEPS] = { 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
        assert_memory_equal(v.terminated, terminated, STEPS);
        assert_int_equal(v.truncated[6], 1);
        assert_true(v.next_obs[12] == (test_real)0.5 && v.next_obs[13] == (test_real)0.5);
        assert_true(v.obs[14] == 1 && v.obs[15] == 0);
        blpo_trainer_destroy(trainer);
    }
}

/* Written out: rows 3 and 8 are resets, episode 1 lies between them. */
static void the_reset_rows_of_next_step_are_masked(void **state)
{
    (void)state;
    script s;
    blpo_trainer *trainer = collected(&s, BLPO_AUTORESET_NEXT_STEP);
    const blpo_rollout_view v = trainer_view(trainer);
    static const uint8_t masked[STEPS] = { 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0 };
    assert_memory_equal(v.masked, masked, STEPS);
    assert_true(v.obs[8] == (test_real)0.5 && v.obs[9] == 0); /* row 4: first observation of episode 1 */
    blpo_trainer_destroy(trainer);
}

/* Advantages of the steps of all episodes that ended, in order. */
static int64_t ended_advantages(int32_t autoreset, double *out)
{
    script s;
    blpo_trainer *trainer = collected(&s, autoreset);
    const blpo_rollout_view view = trainer_view(trainer);
    test_real advantages[ENVS * STEPS];
    assert_status(blpo_rollout_advantages(blpo_trainer_rollout(trainer), blpo_trainer_critic(trainer), 0.99, 0.95,
                                          advantages, NULL),
                  BLPO_OK);
    int64_t n = 0;
    for (int64_t e = 0; e < ENVS; e++) {
        int64_t kept = n;
        for (int64_t at = e * STEPS; at < (e + 1) * STEPS; at++) {
            if (view.masked[at])
                continue;
            out[kept++] = (double)advantages[at];
            if (view.terminated[at] || view.truncated[at])
                n = kept;
        }
    }
    blpo_trainer_destroy(trainer);
    return n;
}

/* The same episodes under the same critic: DISABLED and SAME_STEP end 3 + 4 + 5 and 4 + 5 + 3 steps, NEXT_STEP two episodes
 * of each environment. Per environment the shorter list is the beginning of the longer. Equal operations on equal numbers:
 * only the tiles of the critic may differ, by some eps. */
static void the_three_modes_give_equal_advantages(void **state)
{
    (void)state;
    double a[ENVS * STEPS], b[ENVS * STEPS], c[ENVS * STEPS];
    assert_int_equal(ended_advantages(BLPO_AUTORESET_DISABLED, a), 24);
    assert_int_equal(ended_advantages(BLPO_AUTORESET_SAME_STEP, b), 24);
    assert_int_equal(ended_advantages(BLPO_AUTORESET_NEXT_STEP, c), 7 + 9);
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < 7; i++)
        assert_close(c[i], a[i], 64.0 * TEST_EPSILON, 64.0 * TEST_EPSILON);
    for (int i = 0; i < 9; i++)
        assert_close(c[7 + i], a[12 + i], 64.0 * TEST_EPSILON, 64.0 * TEST_EPSILON);
}

/* Log-probabilities in the buffer are those of the policy that acted, of the action before the clip. The bounds are -1
 * and 1 and the policy has deviation 1: of 24 actions some lie outside (each with probability 0.32). */
static void log_probs_are_of_the_action_before_the_clip(void **state)
{
    (void)state;
    blpo_config config = script_config();
    config.n_steps = STEPS;
    script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    s.continuous = 1;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    assert_int_equal(s.violations, 0); /* every action the environment saw was within the bounds */
    const blpo_rollout_view v = trainer_view(trainer);
    test_real log_prob[ENVS * STEPS];
    assert_status(blpo_policy_log_prob(blpo_trainer_policy(trainer), v.obs, v.continuous_action, ENVS * STEPS, log_prob),
                  BLPO_OK);
    int outside = 0;
    for (int i = 0; i < ENVS * STEPS; i++) {
        outside += fabs((double)v.continuous_action[i]) > 1.0;
        assert_close(v.log_prob[i], log_prob[i], 64.0 * TEST_EPSILON, 64.0 * TEST_EPSILON);
    }
    assert_true(outside > 0);
    blpo_trainer_destroy(trainer);
}

/* The last step of each environment: what it was given is what the buffer holds, clipped to -1 .. 1. */
static void the_environment_gets_the_action_of_the_buffer_clipped(void **state)
{
    (void)state;
    for (int continuous = 0; continuous <= 1; continuous++) {
        int inside = 0;
        for (uint64_t seed = 0; seed < 20; seed++) {
            script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
            s.continuous = continuous;
            blpo_config config = script_config();
            config.seed = seed;
            blpo_trainer *trainer = script_trainer(&s, &config, NULL);
            assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
            const blpo_rollout_view v = trainer_view(trainer);
            for (int64_t e = 0; e < ENVS; e++) {
                const int64_t at = e * v.n_steps + v.n_steps - 1;
                const double held = continuous ? (double)v.continuous_action[at] : (double)v.discrete_action[at];
                const double given = continuous ? fmin(fmax(held, -1.0), 1.0) : held;
                assert_true(s.last_action[e] == given);
                inside += continuous && fabs(held) < 1.0;
            }
            blpo_trainer_destroy(trainer);
        }
        assert_true(!continuous || inside > 0); /* 40 draws outside all: 0.32^40 */
    }
}

/* Environment e in step t of a trainer, and a caller with stream e and counter t of the same seed, draw for different purposes:
 * no two numbers agree (two draws of a Gaussian do by chance with probability 1e-7 in floats, and there are 24). */
static void the_draws_of_a_caller_are_not_those_of_the_trainer(void **state)
{
    (void)state;
    script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    s.continuous = 1;
    blpo_env env = script_env(&s);
    env.action.low = env.action.high = NULL; /* so that no two are equal because both were clipped */
    blpo_config config = script_config();
    config.n_steps = STEPS;
    blpo_trainer *trainer = NULL;
    assert_status(blpo_trainer_create(&env, &config, NULL, &trainer), BLPO_OK);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    const blpo_rollout_view v = trainer_view(trainer);
    for (uint64_t e = 0; e < ENVS; e++)
        for (uint64_t t = 0; t < STEPS; t++) {
            const uint64_t at = e * STEPS + t;
            blpo_random random = { .seed = config.seed, .stream = e, .counter = t };
            test_real action;
            assert_status(blpo_policy_act(blpo_trainer_policy(trainer), v.obs + at * SCRIPT_OBS, 1, BLPO_SAMPLE, &random,
                                          &action),
                          BLPO_OK);
            assert_true(action != v.continuous_action[at]);
        }
    blpo_trainer_destroy(trainer);
}

static script failing(int32_t autoreset, script_fault fault, int64_t env, int64_t step)
{
    script s = script_new(ENVS, autoreset);
    s.fault = fault;
    s.fault_env = env;
    s.fault_step = step;
    s.fault_times = 1;
    return s;
}

static blpo_trainer *collected_with(script *s)
{
    blpo_config config = script_config();
    config.n_steps = STEPS;
    blpo_trainer *trainer = script_trainer(s, &config, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    assert_int_equal(s->violations, 0);
    return trainer;
}

/* A rollout with that fault has these rows masked and so many void episodes; all its numbers are finite, and it can be learned
 * from. */
static void check_failure(script s, const uint8_t masked[ENVS * STEPS], int64_t n_void)
{
    blpo_trainer *trainer = collected_with(&s);
    const blpo_rollout_view v = trainer_view(trainer);
    assert_memory_equal(v.masked, masked, ENVS * STEPS);
    for (int i = 0; i < ENVS * STEPS * SCRIPT_OBS; i++)
        assert_true(isfinite(v.obs[i]) && isfinite(v.next_obs[i]));
    for (int i = 0; i < ENVS * STEPS; i++)
        assert_true(isfinite(v.reward[i]) != 0);
    assert_int_equal(trainer_metrics(trainer).n_void_episodes, n_void);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
    blpo_trainer_destroy(trainer);
}

/* Environment 0 fails in its step 5 (counted from 0), the third of episode 1 that began with row 3: rows 3, 4 and 5 are
 * void, rows 0 .. 2 stay, row 6 begins episode 2. Environment 1 is not touched. */
static void a_failed_environment_loses_its_episode_and_is_reset(void **state)
{
    (void)state;
    static const uint8_t masked[ENVS * STEPS] = { 0, 0, 0, 1, 1, 1 };
    for (int32_t mode = BLPO_AUTORESET_DISABLED; mode <= BLPO_AUTORESET_SAME_STEP; mode++) {
        check_failure(failing(mode, SCRIPT_ROW_FAILS, 0, 5), masked, 1);
        script s = failing(mode, SCRIPT_ROW_FAILS, 0, 5);
        blpo_trainer *trainer = collected_with(&s);
        const blpo_rollout_view v = trainer_view(trainer);
        assert_true(v.obs[12] == 1 && v.obs[13] == 0); /* row 6: episode 2 begins: k/2 = 1, t = 0 */
        blpo_trainer_destroy(trainer);
    }
}

/* NEXT_STEP. Environment 0: row 3 is a reset, row 5 fails as the second of episode 1, episode 2 has rows 6 .. 10 and row 11 is a
 * reset. Environment 1: episodes of 4 and 5 steps, resets in rows 4 and 10. */
static void a_failed_environment_that_resets_itself_later_loses_its_episode(void **state)
{
    (void)state;
    static const uint8_t masked[ENVS * STEPS] = { 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, /**/
                                                  0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0 };
    check_failure(failing(BLPO_AUTORESET_NEXT_STEP, SCRIPT_ROW_FAILS, 0, 5), masked, 1);
}

/* NEXT_STEP, and the step that fails is itself the reset, row 3 of environment 0: the episode before it (rows 0 .. 2) has ended
 * and stands, with its return; what is void is the one that was to begin. The library resets, so that row 4 begins an
 * episode (k = 1, 4 steps, reset in row 8) and is no reset row. */
static void a_failure_inside_a_reset_step_leaves_the_episode_before_it(void **state)
{
    (void)state;
    static const uint8_t masked[ENVS * STEPS] = { 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, /**/
                                                  0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0 };
    check_failure(failing(BLPO_AUTORESET_NEXT_STEP, SCRIPT_ROW_FAILS, 0, 3), masked, 1);
    script s = failing(BLPO_AUTORESET_NEXT_STEP, SCRIPT_ROW_FAILS, 0, 3);
    blpo_trainer *trainer = collected_with(&s);
    const blpo_rollout_view v = trainer_view(trainer);
    assert_int_equal(v.terminated[2], 1);
    assert_true(v.obs[8] == (test_real)0.5 && v.obs[9] == 0); /* row 4: k/2 = 1/2, t = 0 */
    assert_int_equal(s.now.resets[0], 2);
    assert_int_equal(s.now.resets[1], 1);
    assert_int_equal(trainer_metrics(trainer).n_episodes, 2 + 2); /* 3 and 4 steps; 4 and 5 */
    blpo_trainer_destroy(trainer);
}

/* The step that would have ended episode 0 of environment 0 fails: rows 0 .. 2 are void, and the episode is in no statistic. Of
 * the nine rows left episodes 1 and 2 take 4 + 5 (NEXT_STEP: 4, a reset, and 4 of 5). Environment 1 ends 4, 5 and 3 steps
 * (NEXT_STEP: 4, a reset, 5, a reset, and 1). */
static void a_failure_in_the_last_step_of_an_episode_voids_it_in_every_mode(void **state)
{
    (void)state;
    static const uint8_t masked[ENVS * STEPS] = { 1, 1, 1 };
    static const uint8_t later[ENVS * STEPS] = { 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, /**/
                                                 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0 };
    for (int32_t mode = BLPO_AUTORESET_DISABLED; mode <= BLPO_AUTORESET_NEXT_STEP; mode++) {
        const int next = mode == BLPO_AUTORESET_NEXT_STEP;
        check_failure(failing(mode, SCRIPT_ROW_FAILS, 0, 2), next ? later : masked, 1);
        script s = failing(mode, SCRIPT_ROW_FAILS, 0, 2);
        blpo_trainer *trainer = collected_with(&s);
        assert_int_equal(trainer_metrics(trainer).n_episodes, next ? 1 + 2 : 2 + 3);
        blpo_trainer_destroy(trainer);
    }
}

/* No row marked: all of the call failed. Both episodes under way are void; both environments are reset. */
static void without_marks_every_environment_of_the_call_failed(void **state)
{
    (void)state;
    for (int32_t mode = BLPO_AUTORESET_DISABLED; mode <= BLPO_AUTORESET_NEXT_STEP; mode++) {
        script s = failing(mode, SCRIPT_ALL_FAIL, 0, 1);
        blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
        assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
        assert_int_equal(s.violations, 0);
        const blpo_rollout_view v = trainer_view(trainer);
        for (int e = 0; e < ENVS; e++) {
            assert_true(v.masked[8 * e] == 1 && v.masked[8 * e + 1] == 1 && v.masked[8 * e + 2] == 0);
            assert_int_equal(s.now.resets[e] >= 2, 1);
        }
        assert_int_equal(trainer_metrics(trainer).n_void_episodes, ENVS);
        blpo_trainer_destroy(trainer);
    }
}

/* Every step fails: every row is masked. There is nothing to learn from, and the update says so without an error. */
static void a_rollout_without_any_valid_transition_is_skipped(void **state)
{
    (void)state;
    script s = failing(BLPO_AUTORESET_DISABLED, SCRIPT_ALL_FAIL, 0, 0);
    s.fault_times = 8;
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    test_real before[512], after[512];
    const int64_t n = trainer_parameters(trainer, before, 512);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
    trainer_parameters(trainer, after, 512);
    assert_memory_equal(before, after, (size_t)n * sizeof *before);
    const blpo_metrics m = trainer_metrics(trainer);
    assert_int_equal(m.n_minibatches, 0);
    assert_int_equal(m.n_skipped, 2 * ENVS);
    assert_int_equal(m.n_void_episodes, 8 * ENVS);
    trainer_updates(trainer, 1); /* and it goes on */
    assert_int_equal(trainer_metrics(trainer).n_minibatches, 2 * ENVS);
    blpo_trainer_destroy(trainer);
}

/* SAME_STEP and NEXT_STEP reset themselves: the library resets once for all, and after failures. */
static void the_library_resets_no_more_than_the_mode_asks_for(void **state)
{
    (void)state;
    for (int32_t mode = BLPO_AUTORESET_SAME_STEP; mode <= BLPO_AUTORESET_NEXT_STEP; mode++) {
        script s = failing(mode, SCRIPT_ROW_FAILS, 1, 13);
        blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
        trainer_updates(trainer, 4);
        assert_int_equal(s.now.resets[0], 1);
        assert_int_equal(s.now.resets[1], 2);
        assert_int_equal(s.violations, 0);
        blpo_trainer_destroy(trainer);
    }
}

/* Seeds of episodes: different for every environment and every reset, the same for the same trainer seed. */
static void episode_seeds_are_fresh_and_a_function_of_the_trainer_seed(void **state)
{
    (void)state;
    uint64_t seeds[3][2 * ENVS];
    static const uint64_t trainer_seeds[3] = { 5, 5, 6 };
    for (int i = 0; i < 3; i++) {
        script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
        blpo_config config = script_config();
        config.seed = trainer_seeds[i];
        blpo_trainer *trainer = script_trainer(&s, &config, NULL);
        assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
        memcpy(seeds[i], s.seed, ENVS * sizeof *s.seed);
        trainer_updates(trainer, 3);
        memcpy(seeds[i] + ENVS, s.seed, ENVS * sizeof *s.seed);
        blpo_trainer_destroy(trainer);
    }
    assert_memory_equal(seeds[0], seeds[1], sizeof seeds[0]);
    for (int a = 0; a < 2 * ENVS; a++) {
        assert_true(seeds[0][a] != seeds[2][a]);
        for (int b = 0; b < a; b++)
            assert_true(seeds[0][a] != seeds[0][b]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rollout_with_resets_by_the_library_holds_the_script),
        cmocka_unit_test(a_rollout_with_resets_in_the_same_step_holds_the_script),
        cmocka_unit_test(a_rollout_with_resets_in_the_next_step_holds_the_script),
        cmocka_unit_test(the_row_of_a_truncated_step_holds_its_final_observation),
        cmocka_unit_test(the_reset_rows_of_next_step_are_masked),
        cmocka_unit_test(the_three_modes_give_equal_advantages),
        cmocka_unit_test(log_probs_are_of_the_action_before_the_clip),
        cmocka_unit_test(the_environment_gets_the_action_of_the_buffer_clipped),
        cmocka_unit_test(the_draws_of_a_caller_are_not_those_of_the_trainer),
        cmocka_unit_test(a_failed_environment_loses_its_episode_and_is_reset),
        cmocka_unit_test(a_failed_environment_that_resets_itself_later_loses_its_episode),
        cmocka_unit_test(a_failure_inside_a_reset_step_leaves_the_episode_before_it),
        cmocka_unit_test(a_failure_in_the_last_step_of_an_episode_voids_it_in_every_mode),
        cmocka_unit_test(without_marks_every_environment_of_the_call_failed),
        cmocka_unit_test(a_rollout_without_any_valid_transition_is_skipped),
        cmocka_unit_test(the_library_resets_no_more_than_the_mode_asks_for),
        cmocka_unit_test(episode_seeds_are_fresh_and_a_function_of_the_trainer_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
