#include "train/batch.h"

#include "rl/gae.h"

#include <string.h>

void blpo__batch_create(blpo__batch *batch, int64_t n_trajectories, int64_t n_steps, int64_t obs_dim, blpo__memory *memory)
{
    const int64_t n = n_trajectories * n_steps;
    batch->start = blpo__allocate(memory, n_trajectories + 1, sizeof *batch->start);
    batch->state = blpo__allocate(memory, 2 * n * obs_dim, sizeof *batch->state);
    batch->next = blpo__allocate(memory, n, sizeof *batch->next);
    batch->source = blpo__allocate(memory, n, sizeof *batch->source);
    batch->discount = blpo__allocate(memory, n, sizeof *batch->discount);
    batch->keep = blpo__allocate(memory, n, sizeof *batch->keep);
    batch->reward = blpo__allocate(memory, n, sizeof *batch->reward);
    batch->share = blpo__allocate(memory, n, sizeof *batch->share);
}

/* Steps from t on that are all transitions, or all none. */
static int64_t run_length(const blpo_rollout *rollout, int64_t at, int64_t t)
{
    int64_t n = 1;
    while (t + n < rollout->length && rollout->masked[at + n] == rollout->masked[at])
        n++;
    return n;
}

/* Appends the valid transitions of one environment, observations that follow excepted. */
static void gather_transitions(blpo__batch *batch, const blpo_rollout *rollout, int64_t env, double gamma,
                               double gae_lambda, double reward_scale)
{
    const int64_t obs_dim = rollout->config.obs_dim, first = batch->n;
    for (int64_t t = 0, n; t < rollout->length; t += n) {
        const int64_t from = blpo__rollout_at(rollout, env, t);
        n = run_length(rollout, from, t);
        if (rollout->masked[from])
            continue;
        memcpy(batch->state + batch->n * obs_dim, rollout->obs + from * obs_dim, (size_t)(n * obs_dim) * sizeof(real));
        for (int64_t at = from; at < from + n; at++, batch->n++) {
            batch->source[batch->n] = at;
            batch->discount[batch->n] = blpo__discount(gamma, rollout->terminated[at]);
            batch->keep[batch->n] = blpo__keep(gamma, gae_lambda, rollout->terminated[at], rollout->truncated[at]);
            batch->reward[batch->n] = reward_scale * (double)rollout->reward[at];
        }
    }
    if (batch->n > first) {
        batch->keep[batch->n - 1] = 0.0;
        batch->start[++batch->n_trajectories] = batch->n;
    }
}

/* s'_t gets a row of its own, or, where it has no weight, any. */
static void gather_follower(blpo__batch *batch, const real *follower, int64_t obs_dim, int64_t t)
{
    batch->next[t] = batch->discount[t] == 0.0 ? t : batch->n_states;
    if (batch->discount[t] == 0.0)
        return;
    memcpy(batch->state + batch->n_states * obs_dim, follower, (size_t)obs_dim * sizeof(real));
    batch->n_states++;
}

/* s'_t is s_{t+1} where the trajectory goes on. The rows are compared, bit by bit, so that a rollout filled by hand may jump
 * between steps; many at a time, where no step lies between them that is not in the batch. */
static void gather_followers(blpo__batch *batch, const blpo_rollout *rollout, int64_t begin, int64_t end)
{
    enum { TOGETHER = 16 };
    const int64_t obs_dim = rollout->config.obs_dim, *source = batch->source;
    const size_t row = (size_t)obs_dim * sizeof(real);
    for (int64_t t = begin, n; t < end; t += n) {
        const real *follower = rollout->next_obs + source[t] * obs_dim, *state = batch->state + (t + 1) * obs_dim;
        n = t + TOGETHER < end && source[t + TOGETHER - 1] == source[t] + TOGETHER - 1 ? TOGETHER : 1;
        if (n > 1 && memcmp(follower, state, TOGETHER * row) != 0)
            n = 1;
        if (n == 1 && (t + 1 == end || memcmp(follower, state, row) != 0))
            gather_follower(batch, follower, obs_dim, t);
        else
            for (int64_t i = t; i < t + n; i++)
                batch->next[i] = i + 1;
    }
}

void blpo__batch_gather(blpo__batch *batch, const blpo_rollout *rollout, const int64_t *env, int64_t n_envs,
                        double gamma, double gae_lambda, double reward_scale)
{
    batch->n = batch->n_trajectories = batch->start[0] = 0;
    for (int64_t i = 0; i < n_envs; i++)
        gather_transitions(batch, rollout, env[i], gamma, gae_lambda, reward_scale);
    batch->n_states = batch->n;
    for (int64_t i = 0; i < batch->n_trajectories; i++)
        gather_followers(batch, rollout, batch->start[i], batch->start[i + 1]);
    for (int64_t i = 0; i < batch->n_trajectories; i++) {
        const int64_t begin = batch->start[i], end = batch->start[i + 1];
        const double share = 1.0 / ((double)batch->n_trajectories * (double)(end - begin));
        for (int64_t t = begin; t < end; t++)
            batch->share[t] = share;
    }
}

void blpo__batch_advantages(const blpo__batch *batch, const real *value, double *advantage)
{
    double after = 0.0;
    for (int64_t t = batch->n - 1; t >= 0; t--) { /* keep is 0 between trajectories */
        const double delta = batch->reward[t] + batch->discount[t] * (double)value[batch->next[t]] - (double)value[t];
        advantage[t] = after = delta + batch->keep[t] * after;
    }
}
