/* The example environments: Gymnasium's trajectories replayed, time limits, starts, state as bytes.
 * In float32 alone: observations and rewards of an environment are float at the border to the library, as its users build it. */
#include "support/bytes.h"
#include "support/vectors.h"

#include "envs/acrobot.h"
#include "envs/cartpole.h"
#include "envs/pendulum.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 5, MAX_OBS = 6, MAX_STATE = 4 };

/* -- the three of them behind one table -- */

static struct cartpole poles[ROWS];
static struct cartpole_batch pole_batch = { poles, ROWS, 0 };
static struct acrobot robots[ROWS];
static struct acrobot_batch robot_batch = { robots, ROWS, 0 };
static struct pendulum rods[ROWS];
static struct pendulum_batch rod_batch = { rods, ROWS, 0 };

struct kind {
    const char *name;
    int n_state;
    int limit;
    double start[MAX_STATE]; /* each state variable starts uniform in [-start, start) */
    size_t row_bytes;        /* of one environment in a checkpoint */
    void (*describe)(blpo_env *env);
    void (*set)(int64_t row, const double *state, int steps);
    double (*step)(int64_t row, double action);
    int (*terminated)(int64_t row);
    void (*observe)(int64_t row, float *obs);
};

static void pole_describe(blpo_env *env) { cartpole_env(env, &pole_batch); }
static double pole_step(int64_t row, double action) { return cartpole_step(&poles[row], (int64_t)action); }
static int pole_terminated(int64_t row) { return cartpole_terminated(&poles[row]); }
static void pole_observe(int64_t row, float *obs) { cartpole_observe(&poles[row], obs); }
static void pole_set(int64_t row, const double *s, int steps)
{
    poles[row] = (struct cartpole){ s[0], s[1], s[2], s[3], steps };
}

static void robot_describe(blpo_env *env) { acrobot_env(env, &robot_batch); }
static double robot_step(int64_t row, double action) { return acrobot_step(&robots[row], (int64_t)action); }
static int robot_terminated(int64_t row) { return acrobot_terminated(&robots[row]); }
static void robot_observe(int64_t row, float *obs) { acrobot_observe(&robots[row], obs); }
static void robot_set(int64_t row, const double *s, int steps)
{
    robots[row] = (struct acrobot){ { s[0], s[1] }, { s[2], s[3] }, steps };
}

static void rod_describe(blpo_env *env) { pendulum_env(env, &rod_batch); }
static double rod_step(int64_t row, double action) { return pendulum_step(&rods[row], action); }
static int rod_terminated(int64_t row) { (void)row; return 0; }
static void rod_observe(int64_t row, float *obs) { pendulum_observe(&rods[row], obs); }
static void rod_set(int64_t row, const double *s, int steps)
{
    rods[row] = (struct pendulum){ s[0], s[1], steps };
}

static const struct kind kinds[] = {
    { "CartPole-v1", 4, 500, { 0.05, 0.05, 0.05, 0.05 }, 40, pole_describe, pole_set, pole_step, pole_terminated,
      pole_observe },
    { "Acrobot-v1", 4, 500, { 0.1, 0.1, 0.1, 0.1 }, 40, robot_describe, robot_set, robot_step, robot_terminated,
      robot_observe },
    { "Pendulum-v1", 2, 200, { ENV_PI, 1.0 }, 24, rod_describe, rod_set, rod_step, rod_terminated, rod_observe },
};

/* One call of step with room for all rows; the actions are the same in each. */
struct called {
    float obs[ROWS * MAX_OBS], reward[ROWS];
    uint8_t terminated[ROWS], truncated[ROWS], failed[ROWS];
};

static struct called call_step(const blpo_env *env, int64_t first, int64_t count, double action)
{
    struct called out = { 0 };
    int64_t discrete[ROWS];
    float continuous[ROWS];
    for (int i = 0; i < ROWS; i++) {
        discrete[i] = (int64_t)action;
        continuous[i] = (float)action;
    }
    blpo_step io = { .struct_size = sizeof io, .first = first, .count = count, .obs = out.obs, .reward = out.reward,
                     .terminated = out.terminated, .truncated = out.truncated, .failed = out.failed };
    if (env->action.kind == BLPO_ACTION_DISCRETE)
        io.discrete_action = discrete;
    else
        io.continuous_action = continuous;
    assert_int_equal(env->step(env->user, &io), 0);
    return out;
}

static void call_reset(const blpo_env *env, int64_t first, int64_t count, const uint8_t *mask, uint64_t seed,
                       float *obs)
{
    uint64_t seeds[ROWS];
    for (uint64_t i = 0; i < ROWS; i++)
        seeds[i] = seed + i;
    blpo_reset io = { .struct_size = sizeof io, .first = first, .count = count, .mask = mask, .seed = seeds,
                      .obs = obs };
    assert_int_equal(env->reset(env->user, &io), 0);
}

static byte_buffer call_save(const blpo_env *env)
{
    byte_buffer bytes = { 0 };
    assert_int_equal(env->save(env->user, bytes_write, &bytes), 0);
    return bytes;
}

/* Through a checkpoint, whatever the state is made of. */
static void assert_same_state(const blpo_env *env, const byte_buffer *expected)
{
    byte_buffer now = call_save(env);
    assert_int_equal(now.length, expected->length);
    assert_memory_equal(now.bytes, expected->bytes, now.length);
    bytes_free(&now);
}

static void reset_all(const blpo_env *env, uint64_t seed)
{
    static const uint8_t all[ROWS] = { 1, 1, 1, 1, 1 };
    float obs[ROWS * MAX_OBS];
    call_reset(env, 0, ROWS, all, seed, obs);
}

/* -- Gymnasium -- */

/* Both simulators are float64 and start from the same bits; they differ by roundings, 1e-16 a step, which an unstable
 * system amplifies. Where the rod or pole is upright errors grow by exp(4 t): e^12 = 2e5 in the 3 s of a Pendulum
 * episode, the same in 3 s of a pole that is being lost; Acrobot grows slower but its episodes are longer. 1e-9 leaves
 * room for that and is far below any error in an equation. Observations were rounded to float32: two float64 that lie
 * that close round to the same float or to neighbours, 2^-23 apart relatively. */
#define DRIFT 1e-9

static void replay(const struct kind *kind, const vec_file *file)
{
    const vec_record *start = vec_need(file, "initial_state"), *first = vec_need(file, "initial_observation");
    const vec_record *lengths = vec_need(file, "lengths"), *actions = vec_need(file, "actions");
    const vec_record *observations = vec_need(file, "observations"), *rewards = vec_need(file, "rewards");
    const vec_record *terminated = vec_need(file, "terminated");
    const int64_t n_obs = observations->dim[1];
    assert_int_equal(start->dim[1], kind->n_state);
    assert_int_equal(first->dim[1], n_obs);
    double worst = 0;
    int64_t t = 0;
    for (int64_t episode = 0; episode < lengths->size; episode++) {
        float obs[MAX_OBS];
        kind->set(0, start->value + episode * kind->n_state, 0);
        kind->observe(0, obs);
        for (int64_t i = 0; i < n_obs; i++)
            assert_true(fabs((double)obs[i] - first->value[episode * n_obs + i]) <= 0x1p-23);
        for (int64_t end = t + (int64_t)lengths->value[episode]; t < end; t++) {
            double reward = kind->step(0, actions->value[t]);
            kind->observe(0, obs);
            for (int64_t i = 0; i < n_obs; i++) {
                double expected = observations->value[t * n_obs + i], error = fabs((double)obs[i] - expected);
                if (error > 0x1p-23 * fabs(expected) + DRIFT)
                    fail_msg("%s: episode %d, row %d: obs[%d] is %.9g, not %.9g", vec_path(file), (int)episode, (int)t,
                             (int)i, (double)obs[i], expected);
            }
            worst = fmax(worst, fabs(reward - rewards->value[t]));
            assert_true(fabs(reward - rewards->value[t]) <= DRIFT * (1.0 + fabs(rewards->value[t])));
            assert_int_equal(kind->terminated(0), terminated->value[t] != 0);
        }
    }
    assert_int_equal(t, rewards->size);
    print_message("           %s: %d steps, rewards within %.1e\n", kind->name, (int)t, worst);
}

static void follows_gymnasium(void **state)
{
    (void)state;
    static char names[256][256];
    int n = vec_list(vec_directory(), ".txt", names, 256), replayed = 0;
    assert_true(n >= 0);
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            char prefix[64], path[4096];
            snprintf(prefix, sizeof prefix, "env_%s", kinds[k].name);
            if (strncmp(names[i], prefix, strlen(prefix)))
                continue;
            int length = snprintf(path, sizeof path, "%s/%s", vec_directory(), names[i]);
            assert_true(length > 0 && length < (int)sizeof path);
            vec_file *file = vec_open(path);
            assert_non_null(file);
            replay(&kinds[k], file);
            vec_close(file);
            replayed++;
        }
    if (replayed == 0)
        skip();
}

/* -- every environment -- */

/* An upright pole, a hanging acrobot and an upright rod, two steps before the limit: nothing ends there, the next step
 * is cut, and cut is all it is. */
static void a_time_limit_truncates_and_does_not_terminate(void **state)
{
    const struct kind *kind = *state;
    const double rest[MAX_STATE] = { 0 };
    blpo_env env;
    kind->describe(&env);
    for (int64_t row = 0; row < ROWS; row++)
        kind->set(row, rest, kind->limit - 2);
    struct called before = call_step(&env, 0, ROWS, 0.0), at = call_step(&env, 0, ROWS, 1.0);
    for (int64_t row = 0; row < ROWS; row++) {
        assert_int_equal(before.truncated[row], 0);
        assert_int_equal(at.truncated[row], 1);
        assert_int_equal(at.terminated[row], 0);
    }
}

static void a_reset_begins_a_full_episode(void **state)
{
    const struct kind *kind = *state;
    const double rest[MAX_STATE] = { 0 };
    blpo_env env;
    kind->describe(&env);
    for (int64_t row = 0; row < ROWS; row++)
        kind->set(row, rest, kind->limit - 1);
    reset_all(&env, 3);
    struct called after = call_step(&env, 0, ROWS, 0.0);
    for (int64_t row = 0; row < ROWS; row++)
        assert_int_equal(after.truncated[row], 0);
}

static void the_same_seed_gives_the_same_start_and_another_another(void **state)
{
    const struct kind *kind = *state;
    blpo_env env;
    kind->describe(&env);
    reset_all(&env, 11);
    byte_buffer eleven = call_save(&env);
    reset_all(&env, 12);
    byte_buffer twelve = call_save(&env);
    assert_memory_not_equal(eleven.bytes, twelve.bytes, kind->row_bytes);
    /* Row i gets seed 11 + i: row 1 then starts as row 0 does with 12. */
    assert_memory_equal(eleven.bytes + kind->row_bytes, twelve.bytes, kind->row_bytes);
    reset_all(&env, 11);
    assert_same_state(&env, &eleven);
    bytes_free(&eleven);
    bytes_free(&twelve);
}

/* 1000 starts of 5 rows: no variable leaves its range; its mean lies within 5 standard deviations, range / sqrt(3 n),
 * of 0; and the chance that it misses an outer twentieth of the range is 0.975^5000. */
static void starts_fill_their_range(void **state)
{
    const struct kind *kind = *state;
    blpo_env env;
    kind->describe(&env);
    double low[MAX_STATE] = { 0 }, high[MAX_STATE] = { 0 }, sum[MAX_STATE] = { 0 };
    const int64_t columns = kind->n_state + 1;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        reset_all(&env, seed * ROWS);
        byte_buffer bytes = call_save(&env);
        for (int64_t row = 0; row < ROWS; row++)
            for (int i = 0; i < kind->n_state; i++) {
                double value = env_get(bytes.bytes, row * columns + i);
                low[i] = fmin(low[i], value);
                high[i] = fmax(high[i], value);
                sum[i] += value;
            }
        bytes_free(&bytes);
    }
    for (int i = 0; i < kind->n_state; i++) {
        assert_true(low[i] >= -kind->start[i] && low[i] < -0.95 * kind->start[i]);
        assert_true(high[i] < kind->start[i] && high[i] > 0.95 * kind->start[i]);
        assert_true(fabs(sum[i] / (1000 * ROWS)) < 5.0 * kind->start[i] / sqrt(3.0 * 1000 * ROWS));
    }
}

static void a_call_touches_its_rows_only(void **state)
{
    const struct kind *kind = *state;
    blpo_env env;
    kind->describe(&env);
    reset_all(&env, 5);
    byte_buffer before = call_save(&env);
    float obs[ROWS * MAX_OBS], expected[MAX_OBS];

    struct called two = call_step(&env, 2, 2, 1.0);
    kind->observe(2, expected);
    assert_memory_equal(two.obs, expected, (size_t)env.obs_dim * sizeof(float));
    kind->observe(3, expected);
    assert_memory_equal(two.obs + env.obs_dim, expected, (size_t)env.obs_dim * sizeof(float));

    const uint8_t second[2] = { 0, 1 };
    call_reset(&env, 0, 2, second, 77, obs);
    kind->observe(1, expected);
    assert_memory_equal(obs + env.obs_dim, expected, (size_t)env.obs_dim * sizeof(float));

    byte_buffer after = call_save(&env);
    for (size_t row = 0; row < ROWS; row++) {
        int same = !memcmp(before.bytes + row * kind->row_bytes, after.bytes + row * kind->row_bytes, kind->row_bytes);
        assert_int_equal(same, row == 0 || row == 4);
    }
    bytes_free(&before);
    bytes_free(&after);
}

static void a_loaded_state_goes_on_to_the_same_bits(void **state)
{
    const struct kind *kind = *state;
    blpo_env env;
    kind->describe(&env);
    reset_all(&env, 21);
    for (int t = 0; t < 7; t++)
        call_step(&env, 0, ROWS, t % 2);
    byte_buffer middle = call_save(&env);
    assert_int_equal(middle.length, ROWS * kind->row_bytes);
    struct called first[7];
    for (int t = 0; t < 7; t++)
        first[t] = call_step(&env, 0, ROWS, t % 2);
    reset_all(&env, 99);
    assert_int_equal(env.load(env.user, middle.bytes, middle.length), 0);
    assert_same_state(&env, &middle);
    for (int t = 0; t < 7; t++) {
        struct called again = call_step(&env, 0, ROWS, t % 2);
        assert_memory_equal(&again, &first[t], sizeof again);
    }
    bytes_free(&middle);
}

/* A NaN, a state no simulator reaches, half a step, a step past the limit; one byte too few or too many. */
static void a_load_refuses_what_is_no_state_and_changes_nothing(void **state)
{
    const struct kind *kind = *state;
    blpo_env env;
    kind->describe(&env);
    reset_all(&env, 31);
    byte_buffer good = call_save(&env);
    const double bad_first[] = { NAN, INFINITY, 1e300 }, bad_steps[] = { -1, 0.5, kind->limit + 1.0, NAN };
    for (size_t i = 0; i < 7; i++) {
        byte_buffer bad = bytes_copy(&good), number = { 0 };
        assert_int_equal(env_put(bytes_write, &number, i < 3 ? &bad_first[i] : &bad_steps[i - 3], 1), 0);
        size_t at = i < 3 ? 0 : (size_t)kind->n_state * 8;
        memset(bad.bytes, 0, 8); /* row 0 would change if the last one were not looked at first */
        memcpy(bad.bytes + (ROWS - 1) * kind->row_bytes + at, number.bytes, 8);
        assert_int_not_equal(env.load(env.user, bad.bytes, bad.length), 0);
        assert_same_state(&env, &good);
        bytes_free(&bad);
        bytes_free(&number);
    }
    assert_int_not_equal(env.load(env.user, good.bytes, good.length - 1), 0);
    assert_int_not_equal(env.load(env.user, good.bytes, 0), 0);
    assert_same_state(&env, &good);
    bytes_free(&good);
}

static void a_save_passes_on_the_verdict_of_its_sink(void **state)
{
    const struct kind *kind = *state;
    blpo_env env;
    kind->describe(&env);
    reset_all(&env, 41);
    byte_buffer sink = { .fail_at = 3 };
    assert_int_equal(env.save(env.user, bytes_write, &sink), 5);
    assert_int_equal(sink.calls, 3);
    bytes_free(&sink);
}

/* -- one of them each -- */

/* Past 2.4 m and past 12 degrees = 0.2094 rad, either side; each step gives 1, the one that ends the episode too. A
 * pole that falls in step 500 is both terminated and truncated. */
static void cartpole_ends_past_its_bounds_and_rewards_every_step(void **state)
{
    (void)state;
    static const struct { double x, theta; int terminated; } cases[] = {
        { 2.399, 0, 0 }, { 2.401, 0, 1 }, { -2.401, 0, 1 }, { 0, 0.2094, 0 }, { 0, 0.2095, 1 }, { 0, -0.2095, 1 },
    };
    blpo_env env;
    pole_describe(&env);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        poles[0] = (struct cartpole){ .x = cases[i].x, .theta = cases[i].theta, .steps = CARTPOLE_LIMIT - 1 };
        struct called out = call_step(&env, 0, 1, 1.0); /* at rest: Euler moves velocities only */
        assert_int_equal(out.terminated[0], cases[i].terminated);
        assert_int_equal(out.truncated[0], 1);
        assert_true(out.reward[0] == 1.0f);
    }
}

/* The last step before the limit, at rest where nothing else ends the episode. */
static void a_time_limit_terminates_where_that_is_asked_for(void **state)
{
    const struct kind *kind = *state;
    const double rest[MAX_STATE] = { 0 };
    blpo_env env;
    kind->describe(&env);
    int *const limit_terminates[] = { &pole_batch.limit_terminates, &robot_batch.limit_terminates, &rod_batch.limit_terminates };
    for (size_t i = 0; i < sizeof limit_terminates / sizeof *limit_terminates; i++)
        *limit_terminates[i] = 1;
    kind->set(0, rest, kind->limit - 1);
    const struct called at = call_step(&env, 0, 1, 0);
    kind->set(0, rest, kind->limit - 2);
    const struct called before = call_step(&env, 0, 1, 0);
    for (size_t i = 0; i < sizeof limit_terminates / sizeof *limit_terminates; i++)
        *limit_terminates[i] = 0;
    assert_int_equal(at.terminated[0], 1);
    assert_int_equal(at.truncated[0], 0);
    assert_int_equal(before.terminated[0], 0);
}

/* Links straight up and at rest: -cos pi - cos(pi) = 2 > 1. One step without torque stays near it: goal, reward 0. */
static void acrobot_gives_0_at_the_goal_and_minus_1_before(void **state)
{
    (void)state;
    robots[0] = (struct acrobot){ .theta = { ENV_PI, 0.0 } };
    assert_true(acrobot_step(&robots[0], 1) == 0.0);
    assert_true(acrobot_terminated(&robots[0]));
    robots[0] = (struct acrobot){ .theta = { 0.0, 0.0 } };
    assert_true(acrobot_step(&robots[0], 1) == -1.0);
    assert_false(acrobot_terminated(&robots[0]));
}

/* The cost is that before the step: hanging still, theta = pi, and torque 2: pi^2 + 0.001 * 4. */
static void pendulum_clips_torque_and_speed_and_wraps_the_angle(void **state)
{
    (void)state;
    const struct pendulum hanging = { .theta = ENV_PI };
    struct pendulum strong = hanging, bound = hanging, turned = hanging;
    struct pendulum fast = { .theta = ENV_PI / 2, .theta_dot = 8.0 };
    double reward = pendulum_step(&strong, 50.0);
    assert_true(reward == pendulum_step(&bound, 2.0));
    assert_true(strong.theta == bound.theta && strong.theta_dot == bound.theta_dot);
    assert_true(fabs(reward + ENV_PI * ENV_PI + 0.004) < 1e-12);
    turned.theta += 20 * ENV_PI;
    assert_true(fabs(pendulum_step(&turned, 2.0) - reward) < 1e-12 * 20 * ENV_PI);
    pendulum_step(&fast, 2.0);
    assert_true(fast.theta_dot == 8.0);
}

#define EACH(test) \
    { #test " (CartPole)", test, NULL, NULL, (void *)&kinds[0] }, \
    { #test " (Acrobot)", test, NULL, NULL, (void *)&kinds[1] }, \
    { #test " (Pendulum)", test, NULL, NULL, (void *)&kinds[2] }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_gymnasium),
        EACH(a_time_limit_truncates_and_does_not_terminate),
        EACH(a_time_limit_terminates_where_that_is_asked_for),
        EACH(a_reset_begins_a_full_episode),
        EACH(the_same_seed_gives_the_same_start_and_another_another),
        EACH(starts_fill_their_range),
        EACH(a_call_touches_its_rows_only),
        EACH(a_loaded_state_goes_on_to_the_same_bits),
        EACH(a_load_refuses_what_is_no_state_and_changes_nothing),
        EACH(a_save_passes_on_the_verdict_of_its_sink),
        cmocka_unit_test(cartpole_ends_past_its_bounds_and_rewards_every_step),
        cmocka_unit_test(acrobot_gives_0_at_the_goal_and_minus_1_before),
        cmocka_unit_test(pendulum_clips_torque_and_speed_and_wraps_the_angle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
