#include "script.h"

#include "check.h"

#include <math.h>
#include <string.h>

int64_t script_length(int64_t e, int64_t k)
{
    return 3 + (e + k) % 3;
}

int script_terminates(int64_t e, int64_t k)
{
    return (e + k) % 3 != 1;
}

int script_truncates(int64_t e, int64_t k)
{
    return (e + k) % 3 != 0;
}

void script_obs(int64_t e, int64_t k, int64_t t, test_real obs[SCRIPT_OBS])
{
    obs[0] = (test_real)(0.25 * (double)e + 0.5 * (double)(k % 4));
    obs[1] = (test_real)(0.125 * (double)t);
}

double script_reward(int64_t t)
{
    return 0.5 + 0.25 * (double)t;
}

script script_new(int64_t n_envs, int32_t autoreset)
{
    script s;
    memset(&s, 0, sizeof s);
    s.n_envs = n_envs;
    s.autoreset = autoreset;
    for (int i = 0; i < SCRIPT_MAX_ENVS; i++) {
        s.now.episode[i] = -1;
        s.now.waits[i] = 1;
    }
    return s;
}

static int is_zero(const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)bytes)[i])
            return 0;
    return 1;
}

static void watch_step(script *s, const blpo_step *io)
{
    const size_t n = (size_t)io->count;
    s->violations += io->struct_size != sizeof *io || io->first < 0 || io->count < 1 || io->first + io->count > s->n_envs;
    s->violations += (io->discrete_action == NULL) != s->continuous || (io->continuous_action != NULL) != s->continuous;
    s->violations += (io->final_obs != NULL) != (s->autoreset == BLPO_AUTORESET_SAME_STEP);
    s->violations += !is_zero(io->reward, n * sizeof(test_real)) || !is_zero(io->terminated, n)
                     || !is_zero(io->truncated, n) || !is_zero(io->failed, n);
    for (int64_t i = 0; i < io->count; i++) {
        const int64_t e = io->first + i;
        if (s->continuous)
            s->violations += !(fabs((double)io->continuous_action[i]) <= 1.0);
        else
            s->violations += io->discrete_action[i] < 0 || io->discrete_action[i] > 1;
        s->violations += s->now.episode[e] < 0 || (s->now.waits[e] && s->autoreset != BLPO_AUTORESET_NEXT_STEP);
    }
}

/* Is it the turn of this fault, in a call that holds its environment? */
static int fault_is_due(script *s, script_fault low, script_fault high, int64_t first, int64_t count)
{
    const int64_t e = s->fault_env;
    if (s->fault < low || s->fault > high || s->fault_times == 0 || e < first || e >= first + count)
        return 0;
    const int64_t *clock = s->fault == SCRIPT_RESET_FAILS || s->fault == SCRIPT_RESET_NAN ? s->now.resets : s->now.steps;
    if (clock[e] < s->fault_step)
        return 0;
    s->fault_times--;
    return 1;
}

static void begin_episode(script *s, int64_t e, test_real *obs)
{
    s->now.episode[e]++;
    s->now.time[e] = 0;
    s->now.waits[e] = 0;
    script_obs(s->first_env + e, s->now.episode[e], 0, obs);
}

static double action_of(const script *s, const blpo_step *io, int64_t i)
{
    return s->continuous ? (double)io->continuous_action[i] : (double)io->discrete_action[i];
}

static void end_episode(script *s, blpo_step *io, int64_t i)
{
    const int64_t e = io->first + i, n = s->first_env + e, k = s->now.episode[e];
    io->terminated[i] = (uint8_t)script_terminates(n, k);
    io->truncated[i] = (uint8_t)script_truncates(n, k);
    s->now.waits[e] = 1;
    if (s->autoreset != BLPO_AUTORESET_SAME_STEP)
        return;
    memcpy(io->final_obs + i * SCRIPT_OBS, io->obs + i * SCRIPT_OBS, SCRIPT_OBS * sizeof(test_real));
    begin_episode(s, e, io->obs + i * SCRIPT_OBS);
}

static void step_row(script *s, blpo_step *io, int64_t i)
{
    const int64_t e = io->first + i, n = s->first_env + e;
    const double action = action_of(s, io, i);
    s->now.steps[e]++;
    s->last_action[e] = action;
    if (s->now.waits[e]) { /* NEXT_STEP: this step is the reset */
        begin_episode(s, e, io->obs + i * SCRIPT_OBS);
        return;
    }
    const double reaction = s->continuous ? -0.25 * action * action : 0.5 * action;
    io->reward[i] = (test_real)(script_reward(s->now.time[e]) + (s->reacts ? reaction : 0.0));
    s->now.time[e]++;
    script_obs(n, s->now.episode[e], s->now.time[e], io->obs + i * SCRIPT_OBS);
    if (s->now.time[e] == script_length(n, s->now.episode[e]))
        end_episode(s, io, i);
}

/* A fault that must not move the simulator: the step is asked for again, or its rows are reset. */
static int fail_step(script *s, blpo_step *io)
{
    const int64_t i = s->fault_env - io->first;
    switch (s->fault) {
    case SCRIPT_ALL_FAIL:
        for (int64_t e = io->first; e < io->first + io->count; e++)
            s->now.waits[e] = 1;
        return 3;
    case SCRIPT_GIVES_UP: return -4;
    case SCRIPT_NAN_OBS: io->obs[i * SCRIPT_OBS + 1] = (test_real)NAN; return 0;
    case SCRIPT_INF_OBS: io->obs[i * SCRIPT_OBS] = (test_real)INFINITY; return 0;
    case SCRIPT_NAN_REWARD: io->reward[i] = (test_real)NAN; return 0;
    case SCRIPT_BAD_FLAG: io->terminated[i] = 2; return 0;
    default: return 0;
    }
}

/* What every other row of a step that is not taken says: sound, if meaningless. */
static void fill_sound(blpo_step *io)
{
    memset(io->obs, 0, (size_t)(io->count * SCRIPT_OBS) * sizeof(test_real));
}

static int step(void *user, blpo_step *io)
{
    script *s = user;
    s->step_calls++;
    watch_step(s, io);
    if (s->inside)
        s->inside(s);
    if (fault_is_due(s, SCRIPT_ALL_FAIL, SCRIPT_BAD_FLAG, io->first, io->count)) {
        fill_sound(io);
        return fail_step(s, io);
    }
    const int row_fails = fault_is_due(s, SCRIPT_ROW_FAILS, SCRIPT_ROW_FAILS, io->first, io->count);
    for (int64_t i = 0; i < io->count; i++) {
        const int64_t e = io->first + i;
        if (row_fails && e == s->fault_env) {
            io->failed[i] = 1;
            io->reward[i] = io->obs[i * SCRIPT_OBS] = io->obs[i * SCRIPT_OBS + 1] = (test_real)NAN;
            s->now.waits[e] = 1;
        } else {
            step_row(s, io, i);
        }
    }
    if (fault_is_due(s, SCRIPT_HUGE_REWARD, SCRIPT_HUGE_REWARD, io->first, io->count))
        io->reward[s->fault_env - io->first] = (test_real)(TEST_REAL_MAX / 2);
    return row_fails ? 3 : 0;
}

static int reset(void *user, blpo_reset *io)
{
    script *s = user;
    s->reset_calls++;
    s->violations += io->struct_size != sizeof *io || io->first < 0 || io->count < 1 || io->first + io->count > s->n_envs;
    if (s->inside)
        s->inside(s);
    const int due = fault_is_due(s, SCRIPT_RESET_FAILS, SCRIPT_RESET_NAN, io->first, io->count);
    if (due && s->fault == SCRIPT_RESET_FAILS)
        return 6;
    for (int64_t i = 0; i < io->count; i++) {
        const int64_t e = io->first + i;
        if (!io->mask[i])
            continue;
        if (due) { /* not moved: the reset is asked for again */
            io->obs[i * SCRIPT_OBS] = 0;
            io->obs[i * SCRIPT_OBS + 1] = e == s->fault_env ? (test_real)NAN : 0;
            continue;
        }
        s->violations += !s->now.waits[e];
        s->now.resets[e]++;
        s->seed[e] = io->seed[i];
        begin_episode(s, e, io->obs + i * SCRIPT_OBS);
    }
    return 0;
}

static int save(void *user, blpo_write_fn write, void *sink)
{
    script *s = user;
    return s->save_fails ? 11 : write(sink, &s->now, sizeof s->now);
}

/* As an environment should: what does not make sense is refused. */
static int makes_sense(const script_state *now)
{
    for (int e = 0; e < SCRIPT_MAX_ENVS; e++) {
        const int64_t k = now->episode[e];
        if (k < -1 || k > 1000000 || (now->waits[e] != 0 && now->waits[e] != 1) || now->steps[e] < 0
            || now->steps[e] > 1000000 || now->resets[e] < 0 || now->resets[e] > 1000000 || now->time[e] < 0
            || now->time[e] > 5)
            return 0;
    }
    return 1;
}

static int load(void *user, const void *bytes, size_t n_bytes)
{
    script *s = user;
    script_state now;
    if (s->load_fails || n_bytes != sizeof now)
        return 12;
    memcpy(&now, bytes, n_bytes);
    if (!makes_sense(&now))
        return 12;
    s->now = now;
    return 0;
}

blpo_env script_env(script *s)
{
    static const test_real low = -1, high = 1;
    blpo_env env;
    assert_int_equal(blpo_env_init(&env, sizeof env), BLPO_OK);
    env.user = s;
    env.n_envs = s->n_envs;
    env.obs_dim = SCRIPT_OBS;
    env.action.kind = s->continuous ? BLPO_ACTION_CONTINUOUS : BLPO_ACTION_DISCRETE;
    env.action.n = s->continuous ? 1 : 2;
    env.action.low = s->continuous ? &low : NULL;
    env.action.high = s->continuous ? &high : NULL;
    env.autoreset = s->autoreset;
    env.step = step;
    env.reset = reset;
    env.save = save;
    env.load = load;
    env.concurrent_rows = s->concurrent_rows;
    return env;
}

static void reset_waiting(script *s, test_real *obs)
{
    for (int64_t e = 0; e < s->n_envs; e++)
        if (s->now.episode[e] < 0 || (s->now.waits[e] && s->autoreset == BLPO_AUTORESET_DISABLED))
            begin_episode(s, e, obs + e * SCRIPT_OBS);
}

int script_push(script *s, blpo_trainer *trainer, test_real *obs)
{
    int64_t action[SCRIPT_MAX_ENVS] = { 0 };
    test_real continuous[SCRIPT_MAX_ENVS], reward[SCRIPT_MAX_ENVS] = { 0 };
    test_real next[SCRIPT_MAX_ENVS * SCRIPT_OBS] = { 0 }, final[SCRIPT_MAX_ENVS * SCRIPT_OBS] = { 0 };
    uint8_t terminated[SCRIPT_MAX_ENVS] = { 0 }, truncated[SCRIPT_MAX_ENVS] = { 0 }, failed[SCRIPT_MAX_ENVS] = { 0 };
    const int same = s->autoreset == BLPO_AUTORESET_SAME_STEP;
    reset_waiting(s, obs);
    const int code = blpo_trainer_act(trainer, obs, s->continuous ? (void *)continuous : (void *)action);
    if (code < 0)
        return code;
    blpo_step io = { .struct_size = sizeof io,
                     .count = s->n_envs,
                     .discrete_action = s->continuous ? NULL : action,
                     .continuous_action = s->continuous ? continuous : NULL,
                     .obs = next,
                     .final_obs = same ? final : NULL,
                     .reward = reward,
                     .terminated = terminated,
                     .truncated = truncated,
                     .failed = failed };
    if (step(s, &io) != 0)
        return BLPO_ERR_CALLBACK;
    const blpo_transition transition = { sizeof transition, next, reward, terminated, truncated, same ? final : NULL };
    memcpy(obs, next, (size_t)s->n_envs * SCRIPT_OBS * sizeof *obs);
    return blpo_trainer_observe(trainer, &transition);
}

blpo_config script_config(void)
{
    static const int64_t width = 4;
    blpo_config config;
    assert_int_equal(blpo_config_init(&config, sizeof config), BLPO_OK);
    config.seed = 21;
    config.n_steps = 8;
    config.n_epochs = 2;
    config.actor_learning_rate = 1e-2; /* so that a wrong update shows soon */
    config.critic_learning_rate = 1e-2;
    config.actor_network.hidden = config.critic_network.hidden = &width;
    config.actor_network.n_hidden = config.critic_network.n_hidden = 1;
    return config;
}

blpo_trainer *script_trainer(script *s, const blpo_config *config, const blpo_runtime *runtime)
{
    const blpo_env env = script_env(s);
    const blpo_config own = script_config();
    blpo_trainer *trainer = NULL;
    assert_status(blpo_trainer_create(&env, config ? config : &own, runtime, &trainer), BLPO_OK);
    assert_non_null(trainer);
    return trainer;
}
