/* Acting and observing, and the loop that does both with the environment's callbacks.
 *
 * Draws are keyed by environment and number of transitions observed, seeds by environment and number of resets: whatever
 * fails is asked for again with the same numbers, and the run goes on as if nothing had happened. */
#include "core/check.h"
#include "core/error.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

static uint64_t global_env(const blpo_trainer *trainer, int64_t e)
{
    return (uint64_t)(trainer->host.runtime.process_index * trainer->env.n_envs + e);
}

static size_t action_row_size(const blpo_trainer *trainer)
{
    const blpo_action_space *space = &trainer->env.action;
    return space->kind == BLPO_ACTION_DISCRETE ? sizeof(int64_t) : (size_t)space->n * sizeof(real);
}

static size_t obs_row_size(const blpo_trainer *trainer)
{
    return (size_t)trainer->env.obs_dim * sizeof(real);
}

/* One row of observations is finite, or the record says where it is not. */
static int check_obs(blpo_trainer *trainer, int stage, int64_t e, const char *field, const real *rows)
{
    const int64_t obs_dim = trainer->env.obs_dim;
    const real *row = rows + e * obs_dim;
    const int64_t bad = blpo__first_nonfinite(row, obs_dim);
    if (bad < 0)
        return BLPO_OK;
    return blpo__error_element(&trainer->error, BLPO_ERR_NONFINITE, stage, e, trainer->rollout->length, field, bad,
                               (double)row[bad], NULL);
}

/* --- acting --- */

/* Where outputs are not finite, those of the rows before are: the first that is not is the place. */
static int outputs(blpo_trainer *trainer, const real *obs)
{
    const int64_t n_envs = trainer->env.n_envs, n = trainer->env.action.n;
    const real *output = trainer->pending.output;
    if (blpo__policy_outputs(trainer->policy, obs, n_envs, trainer->pending.output) == BLPO_OK)
        return BLPO_OK;
    const int64_t bad = blpo__first_nonfinite(output, n_envs * n);
    return blpo__error_element(&trainer->error, BLPO_ERR_NONFINITE, BLPO_STAGE_ACT, bad / n, trainer->rollout->length,
                               "policy output", bad % n, (double)output[bad], NULL);
}

/* An action so large that its log-probability is no real is refused here: nothing downstream could use it. */
static int draw(blpo_trainer *trainer, int64_t e)
{
    blpo__pending *pending = &trainer->pending;
    const blpo__distribution distribution = blpo__policy_distribution(trainer->policy);
    const real *output = pending->output + e * trainer->env.action.n;
    void *action = (char *)pending->draft + (size_t)e * action_row_size(trainer);
    blpo__stream stream = blpo__stream_at(trainer->config.seed, BLPO__FOR_ACTION, global_env(trainer, e),
                                          (uint64_t)pending->count, 0);
    blpo__sample(&distribution, output, &stream, action);
    const double log_prob = blpo__log_prob(&distribution, output, action);
    pending->draft_log_prob[e] = (real)log_prob;
    if (isfinite(pending->draft_log_prob[e]))
        return BLPO_OK;
    return blpo__error_element(&trainer->error, BLPO_ERR_NONFINITE, BLPO_STAGE_ACT, e, trainer->rollout->length,
                               "log_prob", -1, log_prob, NULL);
}

/* Nothing here can fail. */
static void remember(blpo_trainer *trainer, const real *obs)
{
    blpo__pending *pending = &trainer->pending;
    const size_t n = (size_t)trainer->env.n_envs, action_bytes = n * action_row_size(trainer);
    memcpy(pending->obs, obs, n * obs_row_size(trainer));
    memcpy(pending->action, pending->draft, action_bytes);
    memcpy(pending->log_prob, pending->draft_log_prob, n * sizeof *pending->log_prob);
    if (pending->clipped != NULL) {
        memcpy(pending->clipped, pending->action, action_bytes);
        blpo__policy_clip(trainer->policy, pending->clipped, trainer->env.n_envs);
    }
    pending->waiting = 1;
}

int blpo__trainer_act(blpo_trainer *trainer, const real *obs)
{
    int rc = BLPO_OK;
    blpo__clock_tick(trainer);
    const int64_t bad = blpo__first_nonfinite(obs, trainer->env.n_envs * trainer->env.obs_dim);
    if (bad >= 0)
        rc = check_obs(trainer, BLPO_STAGE_ACT, bad / trainer->env.obs_dim, "obs", obs);
    if (rc == BLPO_OK)
        rc = outputs(trainer, obs);
    for (int64_t e = 0; rc == BLPO_OK && e < trainer->env.n_envs; e++)
        rc = draw(trainer, e);
    if (rc == BLPO_OK)
        remember(trainer, obs);
    return rc;
}

/* --- observing --- */

static int check_arrays(blpo_error *error, const blpo_transition *transition)
{
    if (transition->next_obs == NULL)
        return blpo__error_missing(error, BLPO_STAGE_STEP, "next_obs");
    if (transition->reward == NULL)
        return blpo__error_missing(error, BLPO_STAGE_STEP, "reward");
    if (transition->terminated == NULL)
        return blpo__error_missing(error, BLPO_STAGE_STEP, "terminated");
    return transition->truncated == NULL ? blpo__error_missing(error, BLPO_STAGE_STEP, "truncated") : BLPO_OK;
}

/* A row without a transition: a failed step, or one that is a reset. What it holds is in no loss; it is made finite, and
 * ends no episode, so that the buffer is sound and the flags around it keep their meaning. */
static void blank_row(blpo_trainer *trainer, const blpo_transition *transition, int64_t e, int failed)
{
    blpo__stepping *stepping = &trainer->stepping;
    const int64_t obs_dim = trainer->env.obs_dim;
    const real *next = failed ? trainer->pending.obs : transition->next_obs;
    memcpy(stepping->followed + e * obs_dim, next + e * obs_dim, obs_row_size(trainer));
    stepping->reward[e] = 0;
    stepping->terminated[e] = stepping->truncated[e] = 0;
}

static int check_flag(blpo_trainer *trainer, int64_t e, const char *field, uint8_t flag)
{
    if (flag <= 1)
        return BLPO_OK;
    return blpo__error_element(&trainer->error, BLPO_ERR_ARGUMENT, BLPO_STAGE_STEP, e, trainer->rollout->length, field, -1,
                               (double)flag, "it must be 0 or 1");
}

/* NEXT_STEP: a step that is a reset goes into no loss, but what it says must be sound all the same: an environment that
 * reports nonsense here is broken. */
static int check_reset_row(blpo_trainer *trainer, const blpo_transition *transition, int64_t e)
{
    const double reward = (double)transition->reward[e];
    if (!isfinite(reward))
        return blpo__error_element(&trainer->error, BLPO_ERR_NONFINITE, BLPO_STAGE_STEP, e, trainer->rollout->length, "reward",
                                   -1, reward, NULL);
    const int rc = check_flag(trainer, e, "terminated", transition->terminated[e]);
    return rc != BLPO_OK ? rc : check_flag(trainer, e, "truncated", transition->truncated[e]);
}

/* A row with a transition: what really followed is the final observation where the environment has gone on already. */
static int fill_row(blpo_trainer *trainer, const blpo_transition *transition, int64_t e)
{
    blpo__stepping *stepping = &trainer->stepping;
    const int64_t obs_dim = trainer->env.obs_dim;
    const real *next = transition->next_obs;
    stepping->reward[e] = transition->reward[e];
    stepping->terminated[e] = transition->terminated[e];
    stepping->truncated[e] = transition->truncated[e];
    if (trainer->env.autoreset == BLPO_AUTORESET_SAME_STEP && (stepping->terminated[e] || stepping->truncated[e])) {
        if (transition->final_obs == NULL)
            return blpo__error_missing(&trainer->error, BLPO_STAGE_STEP, "final_obs");
        next = transition->final_obs;
        const int rc = check_obs(trainer, BLPO_STAGE_STEP, e, "final_obs", next);
        if (rc != BLPO_OK)
            return rc;
    }
    memcpy(stepping->followed + e * obs_dim, next + e * obs_dim, obs_row_size(trainer));
    return BLPO_OK;
}

/* Rows into `followed`, `reward` and the flags of `stepping`, which in callback mode are those of the transition. */
static int fill_rows(blpo_trainer *trainer, const blpo_transition *transition, const uint8_t *failed)
{
    blpo__pending *pending = &trainer->pending;
    const char *field = failed != NULL ? "obs" : "next_obs"; /* as the caller knows it: blpo_step or blpo_transition */
    int rc = BLPO_OK;
    for (int64_t e = 0; rc == BLPO_OK && e < trainer->env.n_envs; e++) {
        const int fails = failed != NULL && failed[e];
        pending->masked[e] = fails || pending->was_end[e];
        if (!fails)
            rc = check_obs(trainer, BLPO_STAGE_STEP, e, field, transition->next_obs);
        if (rc == BLPO_OK && !fails && pending->masked[e])
            rc = check_reset_row(trainer, transition, e);
        if (pending->masked[e])
            blank_row(trainer, transition, e, fails);
        else if (rc == BLPO_OK)
            rc = fill_row(trainer, transition, e);
    }
    return rc;
}

/* Takes the current episode of an environment out of the rollout, its last row included. */
static void void_episode(blpo_trainer *trainer, int64_t e)
{
    blpo_rollout *rollout = trainer->rollout;
    for (int64_t t = rollout->length - 1; t >= 0; t--) {
        const int64_t at = blpo__rollout_at(rollout, e, t);
        if (rollout->terminated[at] || rollout->truncated[at])
            break;
        rollout->masked[at] = 1;
    }
    blpo__episodes_void(trainer, e);
}

static void count_row(blpo_trainer *trainer, int64_t e, int fails)
{
    const blpo__stepping *stepping = &trainer->stepping;
    const int ended = stepping->terminated[e] || stepping->truncated[e]; /* 0 in rows without a transition */
    if (fails)
        void_episode(trainer, e);
    else if (!trainer->pending.masked[e])
        blpo__episodes_step(trainer, e, (double)stepping->reward[e], ended);
    trainer->pending.was_end[e] = trainer->env.autoreset == BLPO_AUTORESET_NEXT_STEP && ended;
}

static blpo_rollout_step rollout_step(const blpo_trainer *trainer)
{
    const blpo__pending *pending = &trainer->pending;
    const blpo__stepping *stepping = &trainer->stepping;
    return (blpo_rollout_step){.struct_size = sizeof(blpo_rollout_step),
                               .obs = pending->obs,
                               .action = pending->action,
                               .log_prob = pending->log_prob,
                               .reward = stepping->reward,
                               .terminated = stepping->terminated,
                               .truncated = stepping->truncated,
                               .next_obs = stepping->followed,
                               .masked = pending->masked};
}

/* Nothing here can fail. */
static int take(blpo_trainer *trainer, const blpo_rollout_step *step, const uint8_t *failed)
{
    const int64_t n_envs = trainer->env.n_envs;
    if (blpo_rollout_full(trainer->rollout))
        trainer->episodes.n_dropped += n_envs;
    else
        blpo__rollout_append(trainer->rollout, step);
    for (int64_t e = 0; e < n_envs; e++)
        count_row(trainer, e, failed != NULL && failed[e]);
    trainer->pending.waiting = 0;
    trainer->pending.count++;
    trainer->steps += n_envs;
    return blpo_rollout_full(trainer->rollout) ? BLPO_UPDATE_DUE : BLPO_OK;
}

int blpo__trainer_observe(blpo_trainer *trainer, const blpo_transition *transition, const uint8_t *failed)
{
    if (!trainer->pending.waiting)
        return blpo__error_set(&trainer->error, BLPO_ERR_STATE, BLPO_STAGE_STEP, "", "no act waits for what followed");
    int rc = check_arrays(&trainer->error, transition);
    if (rc == BLPO_OK)
        rc = fill_rows(trainer, transition, failed);
    const blpo_rollout_step step = rollout_step(trainer);
    if (rc == BLPO_OK)
        rc = blpo__rollout_check_step(trainer->rollout, &step, &trainer->error);
    return rc == BLPO_OK ? take(trainer, &step, failed) : rc;
}

/* --- blocks of rows, which are stepped and reset in calls of their own: one, or several that may run at the same time --- */

static int64_t first_row(const blpo_trainer *trainer, int64_t block)
{
    return trainer->env.n_envs * block / trainer->stepping.n_blocks;
}

static int64_t block_of(const blpo_trainer *trainer, int64_t e)
{
    int64_t block = 0;
    while (first_row(trainer, block + 1) <= e)
        block++;
    return block;
}

static int fail_block(blpo_trainer *trainer, int stage, const char *callback, int64_t block)
{
    blpo__error_callback(&trainer->error, stage, callback, trainer->stepping.verdict[block]);
    trainer->error.step = trainer->rollout->length;
    if (trainer->stepping.n_blocks > 1)
        trainer->error.env = first_row(trainer, block);
    return BLPO_ERR_CALLBACK;
}

void blpo__trainer_forget_step(blpo_trainer *trainer)
{
    memset(trainer->stepping.taken, 0, sizeof trainer->stepping.taken);
}

int blpo__trainer_is_halfway(const blpo_trainer *trainer)
{
    return memchr(trainer->stepping.taken, 1, sizeof trainer->stepping.taken) != NULL;
}

/* --- resetting --- */

static void choose_seeds(blpo_trainer *trainer)
{
    blpo__stepping *stepping = &trainer->stepping;
    for (int64_t e = 0; e < trainer->env.n_envs; e++) {
        blpo__stream stream = blpo__stream_at(trainer->config.seed, BLPO__FOR_ENV_SEED, global_env(trainer, e),
                                              (uint64_t)stepping->n_resets[e], 0);
        stepping->seed[e] = blpo__next(&stream);
    }
}

/* Into next_obs: `obs` stays as it is until all rows are known to be sound. */
static void reset_block(void *context, int64_t block)
{
    blpo_trainer *trainer = context;
    blpo__stepping *stepping = &trainer->stepping;
    const int64_t first = first_row(trainer, block), count = first_row(trainer, block + 1) - first;
    blpo_reset io = {.struct_size = sizeof io,
                     .first = first,
                     .count = count,
                     .mask = stepping->needs_reset + first,
                     .seed = stepping->seed + first,
                     .obs = stepping->next_obs + first * trainer->env.obs_dim};
    const int wanted = memchr(io.mask, 1, (size_t)count) != NULL;
    stepping->verdict[block] = wanted ? trainer->env.reset(trainer->env.user, &io) : 0;
}

static int call_reset(blpo_trainer *trainer)
{
    const blpo__stepping *stepping = &trainer->stepping;
    blpo__parallel_run(&trainer->host.parallel, stepping->n_blocks, reset_block, trainer);
    for (int64_t block = 0; block < stepping->n_blocks; block++)
        if (stepping->verdict[block] != 0)
            return fail_block(trainer, BLPO_STAGE_RESET, "reset", block);
    int rc = BLPO_OK;
    for (int64_t e = 0; rc == BLPO_OK && e < trainer->env.n_envs; e++)
        if (stepping->needs_reset[e])
            rc = check_obs(trainer, BLPO_STAGE_RESET, e, "obs", stepping->next_obs);
    return rc;
}

/* The row begins a new episode. */
static void take_reset(blpo_trainer *trainer, int64_t e)
{
    blpo__stepping *stepping = &trainer->stepping;
    const int64_t obs_dim = trainer->env.obs_dim;
    memcpy(stepping->obs + e * obs_dim, stepping->next_obs + e * obs_dim, obs_row_size(trainer));
    stepping->n_resets[e]++;
    stepping->needs_reset[e] = 0;
    trainer->pending.was_end[e] = 0;
}

/* Resets the rows that wait for it. On failure none is taken, so that a later call asks with the same seeds. */
static int reset_rows(blpo_trainer *trainer)
{
    if (memchr(trainer->stepping.needs_reset, 1, (size_t)trainer->env.n_envs) == NULL)
        return BLPO_OK;
    choose_seeds(trainer);
    const int rc = call_reset(trainer);
    for (int64_t e = 0; rc == BLPO_OK && e < trainer->env.n_envs; e++)
        if (trainer->stepping.needs_reset[e])
            take_reset(trainer, e);
    return rc;
}

/* What was under way before all environments are reset (push mode, or a load without their state) is cut: its last row
 * is bootstrapped from what followed, and the episode is in no statistics. */
void blpo__trainer_cut_row(blpo_trainer *trainer, int64_t e)
{
    blpo_rollout *rollout = trainer->rollout;
    if (rollout->length > 0)
        rollout->truncated[blpo__rollout_at(rollout, e, rollout->length - 1)] = 1; /* terminated wins */
    blpo__episodes_forget(trainer, e);
}

static int start(blpo_trainer *trainer)
{
    if (trainer->stepping.started)
        return BLPO_OK;
    memset(trainer->stepping.needs_reset, 1, (size_t)trainer->env.n_envs);
    const int rc = reset_rows(trainer);
    if (rc != BLPO_OK)
        return rc;
    for (int64_t e = 0; e < trainer->env.n_envs; e++)
        blpo__trainer_cut_row(trainer, e);
    blpo__trainer_forget_step(trainer);
    trainer->stepping.started = 1;
    return BLPO_OK;
}

/* --- stepping --- */

static void zero_outputs(blpo__stepping *stepping, int64_t first, int64_t count)
{
    const size_t n = (size_t)count;
    memset(stepping->reward + first, 0, n * sizeof *stepping->reward);
    memset(stepping->terminated + first, 0, n);
    memset(stepping->truncated + first, 0, n);
    memset(stepping->failed + first, 0, n);
}

/* Marks of failure mean something with a verdict above 0 only; without any mark all rows of the call failed. */
static void read_failures(uint8_t *failed, int64_t count, int verdict)
{
    int marked = 0;
    for (int64_t i = 0; i < count; i++) {
        failed[i] = verdict > 0 && failed[i] != 0;
        marked |= failed[i];
    }
    if (verdict > 0 && !marked)
        memset(failed, 1, (size_t)count);
}

/* Where the outputs of rows from `first` on go, and their actions. */
static blpo_step step_of_rows(const blpo_trainer *trainer, int64_t first, int64_t count)
{
    const blpo__stepping *stepping = &trainer->stepping;
    const int64_t obs_dim = trainer->env.obs_dim;
    const int discrete = trainer->env.action.kind == BLPO_ACTION_DISCRETE;
    return (blpo_step){.struct_size = sizeof(blpo_step),
                       .first = first,
                       .count = count,
                       .discrete_action = discrete ? (const int64_t *)trainer->pending.action + first : NULL,
                       .continuous_action = discrete ? NULL : trainer->pending.clipped + first * trainer->env.action.n,
                       .obs = stepping->next_obs + first * obs_dim,
                       .final_obs = stepping->final_obs != NULL ? stepping->final_obs + first * obs_dim : NULL,
                       .reward = stepping->reward + first,
                       .terminated = stepping->terminated + first,
                       .truncated = stepping->truncated + first,
                       .failed = stepping->failed + first};
}

static void step_block(void *context, int64_t block)
{
    blpo_trainer *trainer = context;
    blpo__stepping *stepping = &trainer->stepping;
    const int64_t first = first_row(trainer, block), count = first_row(trainer, block + 1) - first;
    if (stepping->taken[block])
        return;
    zero_outputs(stepping, first, count);
    blpo_step io = step_of_rows(trainer, first, count);
    stepping->verdict[block] = trainer->env.step(trainer->env.user, &io);
    if (stepping->verdict[block] < 0)
        return;
    read_failures(stepping->failed + first, count, stepping->verdict[block]);
    stepping->taken[block] = 1;
}

static int call_step(blpo_trainer *trainer)
{
    const blpo__stepping *stepping = &trainer->stepping;
    blpo__parallel_run(&trainer->host.parallel, stepping->n_blocks, step_block, trainer);
    for (int64_t block = 0; block < stepping->n_blocks; block++)
        if (!stepping->taken[block])
            return fail_block(trainer, BLPO_STAGE_STEP, "step", block);
    return BLPO_OK;
}

/* The next observations become the current ones; failed rows wait for a reset, as do those that ended in DISABLED. */
static void advance(blpo_trainer *trainer)
{
    blpo__stepping *stepping = &trainer->stepping;
    const int64_t obs_dim = trainer->env.obs_dim;
    const int disabled = trainer->env.autoreset == BLPO_AUTORESET_DISABLED;
    blpo__trainer_forget_step(trainer);
    for (int64_t e = 0; e < trainer->env.n_envs; e++) {
        const int ended = stepping->terminated[e] || stepping->truncated[e];
        stepping->needs_reset[e] = stepping->failed[e] || (disabled && ended);
        if (!stepping->failed[e])
            memcpy(stepping->obs + e * obs_dim, stepping->next_obs + e * obs_dim, obs_row_size(trainer));
    }
}

/* A row is not sound: its block is to take the step again. */
static void ask_again(blpo_trainer *trainer)
{
    const int64_t e = trainer->error.env;
    if (e >= 0)
        trainer->stepping.taken[block_of(trainer, e)] = 0;
    else
        blpo__trainer_forget_step(trainer);
}

/* Where some blocks have taken the step already, the others take it with the actions of then. */
static int act_or_go_on(blpo_trainer *trainer)
{
    if (!blpo__trainer_is_halfway(trainer))
        return blpo__trainer_act(trainer, trainer->stepping.obs);
    trainer->pending.waiting = 1;
    return BLPO_OK;
}

static int step_and_observe(blpo_trainer *trainer)
{
    const blpo__stepping *stepping = &trainer->stepping;
    const blpo_transition transition = {.struct_size = sizeof transition,
                                        .next_obs = stepping->next_obs,
                                        .reward = stepping->reward,
                                        .terminated = stepping->terminated,
                                        .truncated = stepping->truncated,
                                        .final_obs = stepping->final_obs};
    int rc = call_step(trainer);
    if (rc != BLPO_OK)
        return rc;
    rc = blpo__trainer_observe(trainer, &transition, stepping->failed);
    if (rc < 0)
        ask_again(trainer);
    return rc;
}

/* One step of all environments: BLPO_OK, BLPO_UPDATE_DUE or an error. */
static int one_step(blpo_trainer *trainer)
{
    int rc = reset_rows(trainer);
    if (rc == BLPO_OK)
        rc = act_or_go_on(trainer);
    if (rc == BLPO_OK)
        rc = step_and_observe(trainer);
    if (rc >= 0)
        advance(trainer);
    else
        trainer->pending.waiting = 0; /* acting again gives the same actions */
    return rc;
}

int blpo__trainer_collect(blpo_trainer *trainer)
{
    if (trainer->env.step == NULL)
        return blpo__error_set(&trainer->error, BLPO_ERR_STATE, BLPO_STAGE_STEP, "step",
                               "the environment has no step callback: use blpo_trainer_act and blpo_trainer_observe");
    if (trainer->pending.waiting)
        return blpo__error_set(&trainer->error, BLPO_ERR_STATE, BLPO_STAGE_STEP, "",
                               "an act waits for blpo_trainer_observe");
    if (blpo_rollout_full(trainer->rollout))
        return BLPO_UPDATE_DUE;
    int rc = start(trainer);
    while (rc == BLPO_OK)
        rc = one_step(trainer);
    return rc;
}
