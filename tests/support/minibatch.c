#include "minibatch.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const vec_record *part(const minibatch *m, int64_t env, const char *name)
{
    char whole[64];
    snprintf(whole, sizeof whole, "trajectory.%lld.%s", (long long)env, name);
    const vec_record *r = vec_find(m->file, whole);
    return r ? r : vec_need(m->file, name);
}

static int64_t count_trajectories(const vec_file *file)
{
    char name[64];
    int64_t n = 0;
    do
        snprintf(name, sizeof name, "trajectory.%lld.obs", (long long)n);
    while (vec_find(file, name) && ++n);
    return n > 0 ? n : 1;
}

static blpo_config config_of(const vec_file *file, int64_t n_steps)
{
    const vec_record *indices = vec_need(file, "indices");
    blpo_config c;
    assert_status(blpo_config_init(&c, sizeof c), BLPO_OK);
    c.n_steps = n_steps;
    c.gamma = vec_scalar(file, "gamma");
    c.gae_lambda = vec_scalar(file, "gae_lambda");
    c.clip_range = vec_scalar(file, "clip_range");
    c.clip_range_critic = vec_scalar(file, "clip_range_critic");
    c.nystrom_rho = vec_scalar(file, "rho");
    c.nystrom_shift = vec_scalar(file, "jitter");
    c.nystrom_rank = indices->dim[indices->ndim - 1];
    c.kappa = vec_scalar(file, "kappa");
    c.critic_steps = (int64_t)vec_scalar(file, "critic_steps");
    c.actor_learning_rate = vec_scalar(file, "actor_lr");
    c.critic_learning_rate = vec_scalar(file, "critic_lr");
    const vec_record *order = vec_find(file, "order");
    c.n_epochs = order ? order->dim[0] : 1;
    return c;
}

/* Step t of every environment into the arrays of one push. */
static void push_step(minibatch *m, int64_t t, int64_t width, int discrete)
{
    const int64_t e_count = m->n_envs;
    real *obs = malloc((size_t)(e_count * m->obs_dim) * sizeof *obs), *next = malloc((size_t)(e_count * m->obs_dim) * sizeof *next);
    real *action = malloc((size_t)(e_count * width) * sizeof *action), *scalars = malloc((size_t)(2 * e_count) * sizeof *scalars);
    int64_t *index = malloc((size_t)e_count * sizeof *index);
    uint8_t *flags = malloc((size_t)(2 * e_count));
    assert_true(obs && next && action && scalars && index && flags);
    for (int64_t e = 0; e < e_count; e++) {
        for (int64_t i = 0; i < m->obs_dim; i++) {
            obs[e * m->obs_dim + i] = (real)part(m, e, "obs")->value[t * m->obs_dim + i];
            next[e * m->obs_dim + i] = (real)part(m, e, "next_obs")->value[t * m->obs_dim + i];
        }
        for (int64_t i = 0; !discrete && i < width; i++)
            action[e * width + i] = (real)part(m, e, "action")->value[t * width + i];
        index[e] = discrete ? (int64_t)part(m, e, "action")->value[t] : 0;
        scalars[e] = (real)part(m, e, "log_prob")->value[t];
        scalars[e_count + e] = (real)part(m, e, "reward")->value[t];
        flags[e] = part(m, e, "terminated")->value[t] != 0.0;
        flags[e_count + e] = part(m, e, "truncated")->value[t] != 0.0;
        m->returns[e * m->n_steps + t] = (real)part(m, e, "ret")->value[t];
    }
    const blpo_rollout_step step = { .struct_size = sizeof step,
                                     .obs = obs,
                                     .action = discrete ? (const void *)index : action,
                                     .log_prob = scalars,
                                     .reward = scalars + e_count,
                                     .terminated = flags,
                                     .truncated = flags + e_count,
                                     .next_obs = next };
    assert_true(blpo_rollout_push(m->trainer->rollout, &step) >= 0);
    free(obs);
    free(next);
    free(action);
    free(scalars);
    free(index);
    free(flags);
}

minibatch minibatch_new(const vec_file *file)
{
    minibatch m = { .file = file, .n_envs = count_trajectories(file) };
    m.n_steps = part(&m, 0, "obs")->dim[0];
    m.obs_dim = part(&m, 0, "obs")->dim[1];
    m.policy = vec_policy(file, "actor");
    m.critic = vec_critic(file, "critic");
    m.n_actor = blpo_policy_n_parameters(m.policy);
    m.n_critic = blpo_critic_n_parameters(m.critic);
    m.returns = malloc((size_t)(m.n_envs * m.n_steps) * sizeof *m.returns);
    assert_non_null(m.returns);
    blpo_env env;
    blpo_config config = config_of(file, m.n_steps);
    assert_status(blpo_env_init(&env, sizeof env), BLPO_OK);
    env.n_envs = m.n_envs;
    env.obs_dim = m.obs_dim;
    assert_status(blpo_policy_action_space(m.policy, &env.action), BLPO_OK);
    config.policy = m.policy;
    config.critic = m.critic;
    assert_status(blpo_trainer_create(&env, &config, NULL, &m.trainer), BLPO_OK);
    for (int64_t t = 0; t < m.n_steps; t++)
        push_step(&m, t, env.action.n, env.action.kind == BLPO_ACTION_DISCRETE);
    return m;
}

void minibatch_free(minibatch *m)
{
    blpo_trainer_destroy(m->trainer);
    blpo_policy_destroy(m->policy);
    blpo_critic_destroy(m->critic);
    free(m->returns);
}

blpo__game *minibatch_game(minibatch *m, real *direct, real *response)
{
    blpo__game *game = &m->trainer->game;
    const int64_t env = 0;
    memcpy(game->theta, m->policy->parameters, (size_t)m->n_actor * sizeof *game->theta);
    memcpy(game->w, m->critic->parameters, (size_t)m->n_critic * sizeof *game->w);
    blpo__game_load(game, m->trainer->rollout, &env, 1, m->returns);
    assert_status(blpo__game_linearise(game, direct, response), BLPO_OK);
    return game;
}
