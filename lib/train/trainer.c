/* The trainer's handle: making it, and its public functions. */
#include "train/trainer.h"

#include "core/check.h"
#include "core/error.h"
#include "linalg/build_info.h"

#include <string.h>

enum {
    LEAST_METRICS = BLPO__SIZE_UP_TO(blpo_metrics, diagnostics_measured),
    LEAST_TRANSITION = BLPO__SIZE_UP_TO(blpo_transition, final_obs)
};

/* --- create --- */

/* Parts run inside pieces of the trainer's own work: alone and in this process. What fails while they are made is reported
 * where the trainer's own create reports. */
static blpo_runtime runtime_of_parts(const blpo__host *host, blpo_error *error)
{
    blpo_runtime runtime;
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.allocate = host->runtime.allocate;
    runtime.release = host->runtime.release;
    runtime.allocator_user = host->runtime.allocator_user;
    runtime.error = error;
    return runtime;
}

static int make_policy(blpo_trainer *trainer, const blpo_runtime *runtime)
{
    trainer->policy = trainer->config.policy;
    if (trainer->policy != NULL)
        return BLPO_OK;
    blpo_policy_config config;
    blpo_policy_config_init(&config, sizeof config);
    config.obs_dim = trainer->env.obs_dim;
    config.action = trainer->env.action;
    config.network = trainer->config.actor_network;
    const int rc = blpo__policy_new(&config, runtime, &trainer->own_policy);
    trainer->policy = trainer->own_policy;
    return rc;
}

static int make_critic(blpo_trainer *trainer, const blpo_runtime *runtime)
{
    trainer->critic = trainer->config.critic;
    if (trainer->critic != NULL)
        return BLPO_OK;
    blpo_critic_config config;
    blpo_critic_config_init(&config, sizeof config);
    config.obs_dim = trainer->env.obs_dim;
    config.network = trainer->config.critic_network;
    const int rc = blpo__critic_new(&config, runtime, &trainer->own_critic);
    trainer->critic = trainer->own_critic;
    return rc;
}

static int make_rollout(blpo_trainer *trainer, const blpo_runtime *runtime)
{
    blpo_rollout_config config;
    blpo__trainer_rollout_config(&trainer->env, &trainer->config, &config);
    return blpo_rollout_create(&config, runtime, &trainer->rollout);
}

/* After the game, which says what it can give. */
static int make_solver(blpo_trainer *trainer, blpo_error *error)
{
    const blpo_runtime runtime = runtime_of_parts(&trainer->host, error);
    if (!trainer->config.hypergradient)
        return BLPO_OK;
    blpo_problem problem;
    blpo_hypergrad_config config;
    blpo__trainer_problem(&trainer->config, trainer->policy->n_parameters, trainer->critic->n_parameters,
                          &trainer->game, &problem, &config);
    const int rc = blpo_hypergrad_create(&problem, &config, &runtime, &trainer->solver);
    if (rc == BLPO_OK)
        blpo__hypergrad_trust(trainer->solver);
    return rc;
}

static int make_parts(blpo_trainer *trainer, blpo_error *error)
{
    const blpo_runtime runtime = runtime_of_parts(&trainer->host, error);
    int rc = make_policy(trainer, &runtime);
    if (rc == BLPO_OK)
        rc = make_critic(trainer, &runtime);
    if (rc == BLPO_OK)
        rc = make_rollout(trainer, &runtime);
    if (rc == BLPO_OK)
        trainer->env.action = trainer->policy->action; /* the same bounds, in memory that lives as long */
    return rc;
}

static void take_pending(blpo_trainer *trainer)
{
    blpo__pending *pending = &trainer->pending;
    blpo__memory *memory = &trainer->host.memory;
    const int64_t n_envs = trainer->env.n_envs, n = n_envs * trainer->env.action.n;
    const int discrete = trainer->env.action.kind == BLPO_ACTION_DISCRETE;
    const int64_t n_actions = discrete ? n_envs : n;
    const size_t action_size = discrete ? sizeof(int64_t) : sizeof(real);
    pending->obs = blpo__allocate(memory, n_envs * trainer->env.obs_dim, sizeof *pending->obs);
    pending->action = blpo__allocate(memory, n_actions, action_size);
    pending->draft = blpo__allocate(memory, n_actions, action_size);
    pending->clipped = discrete ? NULL : blpo__allocate(memory, n, sizeof *pending->clipped);
    pending->log_prob = blpo__allocate(memory, n_envs, sizeof *pending->log_prob);
    pending->draft_log_prob = blpo__allocate(memory, n_envs, sizeof *pending->draft_log_prob);
    pending->output = blpo__allocate(memory, n, sizeof *pending->output);
    pending->masked = blpo__allocate(memory, n_envs, sizeof *pending->masked);
    pending->was_end = blpo__allocate(memory, n_envs, sizeof *pending->was_end);
}

static int64_t n_blocks(const blpo_env *env)
{
    const int64_t n = env->concurrent_rows > 0 ? env->n_envs / env->concurrent_rows : 1;
    return n < 1 ? 1 : n < BLPO__MAX_PIECES ? n : BLPO__MAX_PIECES;
}

static void take_stepping(blpo_trainer *trainer)
{
    blpo__stepping *stepping = &trainer->stepping;
    blpo__memory *memory = &trainer->host.memory;
    const int64_t n = trainer->env.n_envs, n_obs = n * trainer->env.obs_dim;
    stepping->obs = blpo__allocate(memory, n_obs, sizeof *stepping->obs);
    stepping->next_obs = blpo__allocate(memory, n_obs, sizeof *stepping->next_obs);
    stepping->followed = blpo__allocate(memory, n_obs, sizeof *stepping->followed);
    if (trainer->env.autoreset == BLPO_AUTORESET_SAME_STEP)
        stepping->final_obs = blpo__allocate(memory, n_obs, sizeof *stepping->final_obs);
    stepping->reward = blpo__allocate(memory, n, sizeof *stepping->reward);
    stepping->terminated = blpo__allocate(memory, n, sizeof *stepping->terminated);
    stepping->truncated = blpo__allocate(memory, n, sizeof *stepping->truncated);
    stepping->failed = blpo__allocate(memory, n, sizeof *stepping->failed);
    stepping->needs_reset = blpo__allocate(memory, n, sizeof *stepping->needs_reset);
    stepping->seed = blpo__allocate(memory, n, sizeof *stepping->seed);
    stepping->n_resets = blpo__allocate(memory, n, sizeof *stepping->n_resets);
    stepping->n_blocks = n_blocks(&trainer->env);
}

static void take_episodes(blpo_trainer *trainer)
{
    blpo__episodes *episodes = &trainer->episodes;
    blpo__memory *memory = &trainer->host.memory;
    const int64_t n = trainer->env.n_envs, window = trainer->config.stats_window;
    episodes->running_return = blpo__allocate(memory, n, sizeof *episodes->running_return);
    episodes->running_length = blpo__allocate(memory, n, sizeof *episodes->running_length);
    episodes->window_return = blpo__allocate(memory, window, sizeof *episodes->window_return);
    episodes->window_length = blpo__allocate(memory, window, sizeof *episodes->window_length);
}

static void take_adam(blpo_trainer *trainer)
{
    const blpo_config *c = &trainer->config;
    blpo__memory *memory = &trainer->host.memory;
    const int64_t p = trainer->critic->n_parameters, q = trainer->policy->n_parameters;
    blpo__adam_create(&trainer->actor_adam, q, c->adam_beta1, c->adam_beta2, c->adam_epsilon, memory);
    blpo__adam_create(&trainer->actor_adam_work, q, c->adam_beta1, c->adam_beta2, c->adam_epsilon, memory);
    blpo__adam_create(&trainer->critic_adam, p, c->adam_beta1, c->adam_beta2, c->adam_epsilon, memory);
    blpo__adam_create(&trainer->critic_adam_work, p, c->adam_beta1, c->adam_beta2, c->adam_epsilon, memory);
}

/* What finds, or looks for, the critic's best response. */
static void take_response(blpo_trainer *trainer)
{
    const int diagnosed = trainer->config.diagnostics_interval > 0, linear = blpo__critic_is_linear(trainer->critic);
    if (linear && (diagnosed || trainer->config.critic_response == BLPO_RESPONSE_EXACT))
        blpo__best_response_create(&trainer->best_response, &trainer->game, &trainer->host.memory);
    if (!linear && diagnosed && trainer->config.gap_steps > 0)
        blpo__gap_create(&trainer->gap, trainer->critic->n_parameters, &trainer->host.memory);
}

static void take_update(blpo_trainer *trainer)
{
    blpo__memory *memory = &trainer->host.memory;
    const int64_t p = trainer->critic->n_parameters, q = trainer->policy->n_parameters;
    const int64_t n_envs = trainer->env.n_envs, n_steps = trainer->config.n_steps;
    trainer->returns = blpo__allocate(memory, n_envs * n_steps, sizeof *trainer->returns);
    trainer->gradient = blpo__allocate(memory, p, sizeof *trainer->gradient);
    trainer->response = blpo__allocate(memory, p, sizeof *trainer->response);
    trainer->direct = blpo__allocate(memory, q, sizeof *trainer->direct);
    trainer->total = blpo__allocate(memory, q, sizeof *trainer->total);
    trainer->order = blpo__allocate(memory, n_envs, sizeof *trainer->order);
    blpo__directions_create(trainer);
    blpo__game_create(&trainer->game, &trainer->host, &trainer->config, trainer->policy, &trainer->critic->mlp,
                      trainer->config.trajectories_per_minibatch, n_steps, memory);
    blpo__game_use_features(&trainer->game, trainer->critic, trainer->config.trajectories_per_minibatch * n_steps, memory);
    take_response(trainer);
}

static int take_memory(blpo_trainer *trainer)
{
    take_pending(trainer);
    take_stepping(trainer);
    take_episodes(trainer);
    take_adam(trainer);
    take_update(trainer);
    return trainer->host.memory.failed ? BLPO_ERR_NOMEM : BLPO_OK;
}

/* Last, since it is slow: who asks for more memory than there is hears of it at once. */
static int initialise_players(blpo_trainer *trainer)
{
    const blpo_config *config = &trainer->config;
    int rc = BLPO_OK;
    if (trainer->own_policy != NULL)
        rc = blpo__policy_initialise(trainer->own_policy, config->seed, config->initial_log_std);
    if (rc == BLPO_OK && trainer->own_critic != NULL)
        rc = blpo__critic_initialise(trainer->own_critic, config->seed);
    return rc;
}

static int make(const blpo_env *env, const blpo_config *config, const blpo_runtime *runtime, blpo_trainer **out)
{
    void *memory;
    int rc = blpo__host_create(runtime, sizeof(blpo_trainer), &memory);
    if (rc != BLPO_OK)
        return rc;
    blpo_trainer *trainer = memory;
    trainer->env = *env;
    trainer->config = *config;
    trainer->metrics.struct_size = sizeof trainer->metrics;
    trainer->clock_start = -1.0;
    blpo__error_clear(&trainer->error);
    rc = blpo__parallel_start(&trainer->host.parallel, &trainer->host.runtime, &trainer->host.memory);
    if (rc == BLPO_OK)
        rc = make_parts(trainer, runtime->error);
    if (rc == BLPO_OK)
        rc = take_memory(trainer);
    if (rc == BLPO_OK)
        rc = make_solver(trainer, runtime->error);
    if (rc == BLPO_OK)
        rc = initialise_players(trainer);
    if (rc != BLPO_OK) {
        blpo_trainer_destroy(trainer);
        return rc == BLPO_ERR_NOMEM ? blpo__error_set(runtime->error, rc, BLPO_STAGE_CREATE, "", blpo_status_text(rc)) : rc;
    }
    *out = trainer;
    return BLPO_OK;
}

/* Order of the largest dense system that these settings leave to the BLAS and LAPACK; 0: none. */
static int64_t order_of_system(const blpo_trainer *trainer)
{
    const blpo_config *config = &trainer->config;
    if (config->critic_response == BLPO_RESPONSE_EXACT)
        return trainer->critic->mlp.n_parameters;
    if (!config->hypergradient)
        return 0;
    switch (config->ihvp_method) {
    case BLPO_IHVP_DENSE: return trainer->critic->mlp.n_parameters;
    case BLPO_IHVP_NYSTROM: return config->nystrom_rank;
    case BLPO_IHVP_NYSTROM_PCG:
        return config->sketch_rank_max > 0 ? config->sketch_rank_max : config->nystrom_rank; /* eigenvectors of its sketch */
    default: return 0;
    }
}

int blpo_trainer_create(const blpo_env *env, const blpo_config *config, const blpo_runtime *runtime, blpo_trainer **out)
{
    if (env == NULL || out == NULL)
        return blpo__runtime_missing(runtime, env == NULL ? "env" : "out");
    blpo_runtime host;
    blpo_env known_env;
    blpo_config known;
    int rc = blpo__runtime_read(&host, runtime);
    if (rc != BLPO_OK)
        return rc;
    rc = blpo__trainer_read(env, config, &known_env, &known);
    if (rc != BLPO_OK)
        return blpo__error_set(host.error, rc, BLPO_STAGE_CREATE, "struct_size", blpo_status_text(rc));
    rc = blpo__trainer_check(host.error, &known_env, &known, &host);
    if (rc == BLPO_OK)
        rc = make(&known_env, &known, &host, out);
    if (rc == BLPO_OK)
        blpo__log_build(&host, order_of_system(*out));
    return rc;
}

/* Also for a trainer that is half made: what is not there is NULL. */
void blpo_trainer_destroy(blpo_trainer *trainer)
{
    if (trainer == NULL)
        return;
    blpo_hypergrad_destroy(trainer->solver);
    blpo_rollout_destroy(trainer->rollout);
    blpo_critic_destroy(trainer->own_critic);
    blpo_policy_destroy(trainer->own_policy);
    blpo__host_destroy(&trainer->host);
}

/* --- the players --- */

static int in_use(blpo_trainer *trainer, const char *which)
{
    char text[64];
    blpo__text out = blpo__text_begin(text, sizeof text);
    blpo__text_add(&out, "another call changes or saves the ");
    blpo__text_add(&out, which);
    return blpo__error_set(&trainer->error, BLPO_ERR_BUSY, BLPO_STAGE_PARAMETERS, which, text);
}

int blpo__trainer_hold_players(blpo_trainer *trainer)
{
    if (!blpo__guard_change(&trainer->policy->guard))
        return in_use(trainer, "policy");
    if (blpo__guard_change(&trainer->critic->guard))
        return BLPO_OK;
    blpo__guard_changed(&trainer->policy->guard);
    return in_use(trainer, "critic");
}

void blpo__trainer_release_players(blpo_trainer *trainer)
{
    blpo__guard_changed(&trainer->critic->guard);
    blpo__guard_changed(&trainer->policy->guard);
}

/* --- training --- */

static int update(blpo_trainer *trainer)
{
    if (!blpo_rollout_full(trainer->rollout))
        return blpo__error_set(&trainer->error, BLPO_ERR_STATE, BLPO_STAGE_NONE, "", "the rollout is not full");
    int rc = blpo__trainer_hold_players(trainer);
    if (rc != BLPO_OK)
        return rc;
    rc = blpo__trainer_update(trainer);
    blpo__trainer_release_players(trainer);
    return rc;
}

/* The caller's verdict on an update that stands. */
static int report(blpo_trainer *trainer, blpo_metrics_fn on_update, void *user)
{
    if (on_update == NULL)
        return BLPO_OK;
    blpo_metrics metrics = trainer->metrics;
    blpo__metrics_refresh(trainer, &metrics);
    const int verdict = on_update(user, &metrics);
    if (verdict < 0)
        return blpo__error_callback(&trainer->error, BLPO_STAGE_METRICS, "on_update", verdict);
    return verdict > 0 ? BLPO_STOPPED : BLPO_OK;
}

static int collect_and_update(blpo_trainer *trainer)
{
    const int rc = blpo__trainer_collect(trainer);
    return rc == BLPO_UPDATE_DUE ? update(trainer) : rc;
}

/* Steps made are subtracted, not added to: n_steps may be the largest number there is. */
static int run(blpo_trainer *trainer, int64_t n_steps, blpo_metrics_fn on_update, void *user)
{
    const int64_t start = trainer->steps, n_processes = trainer->host.runtime.n_processes;
    int rc;
    do {
        rc = collect_and_update(trainer);
        if (rc == BLPO_OK)
            rc = report(trainer, on_update, user);
    } while (rc == BLPO_OK && (trainer->steps - start) * n_processes < n_steps);
    return rc;
}

int blpo_trainer_run(blpo_trainer *trainer, int64_t n_steps, blpo_metrics_fn on_update, void *user)
{
    if (trainer == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&trainer->busy))
        return BLPO_ERR_BUSY;
    int rc;
    if (n_steps < 1) {
        rc = blpo__error_int(&trainer->error, BLPO_ERR_ARGUMENT, "n_steps", n_steps, "it must be at least 1");
        trainer->error.stage = BLPO_STAGE_NONE;
    } else {
        rc = run(trainer, n_steps, on_update, user);
    }
    blpo__leave(&trainer->busy);
    return rc;
}

int blpo_trainer_collect(blpo_trainer *trainer)
{
    if (trainer == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&trainer->busy))
        return BLPO_ERR_BUSY;
    const int rc = blpo__trainer_collect(trainer);
    blpo__leave(&trainer->busy);
    return rc;
}

static int write_metrics(const blpo_trainer *trainer, blpo_metrics *out)
{
    blpo_metrics metrics = trainer->metrics;
    blpo__metrics_refresh(trainer, &metrics);
    return blpo__write_struct(out, out->struct_size, &metrics, sizeof metrics, LEAST_METRICS);
}

int blpo_trainer_update(blpo_trainer *trainer, blpo_metrics *metrics)
{
    if (trainer == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&trainer->busy))
        return BLPO_ERR_BUSY;
    int rc;
    if (metrics != NULL && !blpo__struct_size_fits(metrics->struct_size, LEAST_METRICS))
        rc = blpo__error_set(&trainer->error, BLPO_ERR_VERSION, BLPO_STAGE_NONE, "struct_size",
                             "struct_size of the metrics is smaller than that of version 0.1, or was not set");
    else
        rc = update(trainer);
    if (rc == BLPO_OK && metrics != NULL)
        rc = write_metrics(trainer, metrics);
    blpo__leave(&trainer->busy);
    return rc;
}

/* Where the environments are stays as it is: only what was to be learned from is gone. */
static void drop_rollout(blpo_trainer *trainer)
{
    blpo__episodes *episodes = &trainer->episodes;
    episodes->n_dropped += trainer->rollout->length * trainer->env.n_envs;
    episodes->in_rollout = 0;
    episodes->return_in_rollout = 0.0;
    trainer->rollout->length = 0;
}

int blpo_trainer_drop_rollout(blpo_trainer *trainer)
{
    if (trainer == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&trainer->busy))
        return BLPO_ERR_BUSY;
    drop_rollout(trainer);
    blpo__leave(&trainer->busy);
    return BLPO_OK;
}

/* --- push mode --- */

static void hand_out(const blpo_trainer *trainer, void *action)
{
    const size_t n = (size_t)trainer->env.n_envs;
    if (trainer->pending.clipped == NULL)
        memcpy(action, trainer->pending.action, n * sizeof(int64_t));
    else
        memcpy(action, trainer->pending.clipped, n * (size_t)trainer->env.action.n * sizeof(real));
}

static int act(blpo_trainer *trainer, const real *obs, void *action)
{
    if (obs == NULL || action == NULL)
        return blpo__error_missing(&trainer->error, BLPO_STAGE_ACT, obs == NULL ? "obs" : "action");
    const int rc = blpo__trainer_act(trainer, obs);
    if (rc == BLPO_OK)
        hand_out(trainer, action);
    return rc;
}

int blpo_trainer_act(blpo_trainer *trainer, const real *obs, void *action)
{
    if (trainer == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&trainer->busy))
        return BLPO_ERR_BUSY;
    const int rc = act(trainer, obs, action);
    blpo__leave(&trainer->busy);
    return rc;
}

static int observe(blpo_trainer *trainer, const blpo_transition *transition)
{
    blpo_transition known;
    if (transition == NULL)
        return blpo__error_missing(&trainer->error, BLPO_STAGE_STEP, "transition");
    if (blpo__read_struct(&known, sizeof known, LEAST_TRANSITION, transition) != BLPO_OK)
        return blpo__error_set(&trainer->error, BLPO_ERR_VERSION, BLPO_STAGE_STEP, "struct_size",
                               blpo_status_text(BLPO_ERR_VERSION));
    const int rc = blpo__trainer_observe(trainer, &known, NULL);
    if (rc >= 0)
        trainer->stepping.started = 0; /* where the environments are is the caller's knowledge now */
    return rc;
}

int blpo_trainer_observe(blpo_trainer *trainer, const blpo_transition *transition)
{
    if (trainer == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&trainer->busy))
        return BLPO_ERR_BUSY;
    const int rc = observe(trainer, transition);
    blpo__leave(&trainer->busy);
    return rc;
}

/* --- getters: they change nothing, and may be called from inside callbacks --- */

int blpo_trainer_get_metrics(const blpo_trainer *trainer, blpo_metrics *out)
{
    return trainer == NULL || out == NULL ? BLPO_ERR_NULL : write_metrics(trainer, out);
}

const blpo_policy *blpo_trainer_policy(const blpo_trainer *trainer)
{
    return trainer == NULL ? NULL : trainer->policy;
}

const blpo_critic *blpo_trainer_critic(const blpo_trainer *trainer)
{
    return trainer == NULL ? NULL : trainer->critic;
}

const blpo_rollout *blpo_trainer_rollout(const blpo_trainer *trainer)
{
    return trainer == NULL ? NULL : trainer->rollout;
}

const blpo_hypergrad *blpo_trainer_hypergrad(const blpo_trainer *trainer)
{
    return trainer == NULL ? NULL : trainer->solver;
}

int blpo_trainer_save_policy(const blpo_trainer *trainer, blpo_write_fn write, void *user)
{
    return trainer == NULL || write == NULL ? BLPO_ERR_NULL : blpo_policy_save(trainer->policy, write, user);
}

const blpo_error *blpo_trainer_error(const blpo_trainer *trainer)
{
    return trainer == NULL ? blpo__error_no_handle() : &trainer->error;
}
