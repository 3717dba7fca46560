#include "play.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

blpo_config vec_config(const vec_file *file)
{
    blpo_config config;
    assert_status(blpo_config_init(&config, sizeof config), BLPO_OK);
    config.gamma = vec_scalar(file, "gamma");
    config.gae_lambda = vec_scalar(file, "gae_lambda");
    config.clip_range = vec_scalar(file, "clip_range");
    config.clip_range_critic = vec_scalar(file, "clip_range_critic");
    config.nystrom_rho = vec_scalar(file, "rho");
    config.nystrom_shift = vec_scalar(file, "jitter");
    config.kappa = vec_scalar(file, "kappa");
    config.critic_steps = (int64_t)vec_scalar(file, "critic_steps");
    config.actor_learning_rate = vec_scalar(file, "actor_lr");
    config.critic_learning_rate = vec_scalar(file, "critic_lr");
    const vec_record *indices = vec_need(file, "indices");
    config.nystrom_rank = indices->dim[indices->ndim - 1];
    return config;
}

const vec_record *vec_of_trajectory(const vec_file *file, const char *format, int64_t i, const char *name)
{
    char full[128];
    const int n = snprintf(full, sizeof full, format, (int)i);
    snprintf(full + n, sizeof full - (size_t)n, "%s", name);
    return vec_need(file, full);
}

/* Step t of every trajectory, gathered into rows. */
static void push_step(const vec_file *file, const char *format, int64_t n, int64_t t, int64_t obs_dim,
                      const blpo_action_space *space, blpo_rollout *rollout)
{
    const int64_t width = space->kind == BLPO_ACTION_DISCRETE ? 1 : space->n;
    test_real *obs = calloc((size_t)(n * (2 * obs_dim + width + 2)), sizeof *obs);
    int64_t *discrete = calloc((size_t)n, sizeof *discrete);
    uint8_t *flag = calloc((size_t)(2 * n), 1);
    test_real *next = obs + n * obs_dim, *action = next + n * obs_dim, *log_prob = action + n * width, *reward = log_prob + n;
    for (int64_t e = 0; e < n; e++) {
        for (int64_t j = 0; j < obs_dim; j++) {
            obs[e * obs_dim + j] = (test_real)vec_of_trajectory(file, format, e, "obs")->value[t * obs_dim + j];
            next[e * obs_dim + j] = (test_real)vec_of_trajectory(file, format, e, "next_obs")->value[t * obs_dim + j];
        }
        for (int64_t j = 0; j < width; j++)
            action[e * width + j] = (test_real)vec_of_trajectory(file, format, e, "action")->value[t * width + j];
        discrete[e] = (int64_t)vec_of_trajectory(file, format, e, "action")->value[t * width];
        log_prob[e] = (test_real)vec_of_trajectory(file, format, e, "log_prob")->value[t];
        reward[e] = (test_real)vec_of_trajectory(file, format, e, "reward")->value[t];
        flag[e] = vec_of_trajectory(file, format, e, "terminated")->value[t] != 0.0;
        flag[n + e] = vec_of_trajectory(file, format, e, "truncated")->value[t] != 0.0;
    }
    const blpo_rollout_step step = { .struct_size = sizeof step,
                                     .obs = obs,
                                     .action = space->kind == BLPO_ACTION_DISCRETE ? (void *)discrete : (void *)action,
                                     .log_prob = log_prob,
                                     .reward = reward,
                                     .terminated = flag,
                                     .truncated = flag + n,
                                     .next_obs = next };
    assert_true(blpo_rollout_push(rollout, &step) >= 0);
    free(flag);
    free(discrete);
    free(obs);
}

blpo_rollout *vec_rollout(const vec_file *file, const char *format, int64_t n, const blpo_policy *policy)
{
    blpo_action_space space;
    blpo_rollout_config config;
    blpo_rollout *rollout = NULL;
    const int64_t obs_dim = blpo_policy_obs_dim(policy);
    assert_status(blpo_policy_action_space(policy, &space), BLPO_OK);
    assert_status(blpo_rollout_config_init(&config, sizeof config), BLPO_OK);
    config.n_envs = n;
    config.n_steps = vec_of_trajectory(file, format, 0, "reward")->size;
    config.obs_dim = obs_dim;
    config.action_kind = space.kind;
    config.action_n = space.n;
    assert_status(blpo_rollout_create(&config, NULL, &rollout), BLPO_OK);
    for (int64_t t = 0; t < config.n_steps; t++)
        push_step(file, format, n, t, obs_dim, &space, rollout);
    assert_true(blpo_rollout_full(rollout));
    return rollout;
}

test_real *vec_returns(const vec_file *file, const char *format, int64_t n)
{
    const int64_t steps = vec_of_trajectory(file, format, 0, "ret")->size;
    test_real *returns = calloc((size_t)(n * steps), sizeof *returns);
    for (int64_t e = 0; e < n; e++)
        for (int64_t t = 0; t < steps; t++)
            returns[e * steps + t] = (test_real)vec_of_trajectory(file, format, e, "ret")->value[t];
    return returns;
}
