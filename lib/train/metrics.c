/* Counting: episodes, steps, time. None of it has a part in learning. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "train/trainer.h"

#include <time.h>

static double now(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        return 0.0;
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void blpo__clock_tick(blpo_trainer *trainer)
{
    if (trainer->clock_start >= 0.0)
        return;
    trainer->clock_start = now();
    trainer->clock_steps = trainer->steps;
}

static void begin_episode(blpo__episodes *episodes, int64_t env)
{
    episodes->running_return[env] = 0.0;
    episodes->running_length[env] = 0;
}

void blpo__episodes_step(blpo_trainer *trainer, int64_t env, double reward, int ended)
{
    blpo__episodes *episodes = &trainer->episodes;
    episodes->running_return[env] += reward;
    episodes->running_length[env]++;
    if (!ended)
        return;
    const int64_t at = episodes->n % trainer->config.stats_window;
    episodes->window_return[at] = episodes->running_return[env];
    episodes->window_length[at] = episodes->running_length[env];
    episodes->n++;
    episodes->in_rollout++;
    episodes->return_in_rollout += episodes->running_return[env];
    begin_episode(episodes, env);
}

void blpo__episodes_void(blpo_trainer *trainer, int64_t env)
{
    trainer->episodes.n_void++;
    begin_episode(&trainer->episodes, env);
}

void blpo__episodes_forget(blpo_trainer *trainer, int64_t env)
{
    begin_episode(&trainer->episodes, env);
}

/* Means over the ring, added anew each time: a running sum would drift. Returns are divided first: each is finite, a sum of
 * those from a forged file need not be. */
static void window_means(const blpo_trainer *trainer, blpo_metrics *metrics)
{
    const blpo__episodes *episodes = &trainer->episodes;
    const int64_t room = trainer->config.stats_window, n = episodes->n < room ? episodes->n : room;
    double mean_return = 0.0, sum_length = 0.0;
    for (int64_t i = 0; i < n; i++) {
        mean_return += episodes->window_return[i] / (double)n;
        sum_length += (double)episodes->window_length[i];
    }
    metrics->window_episodes = n;
    metrics->episode_return_mean = mean_return;
    metrics->episode_length_mean = n > 0 ? sum_length / (double)n : 0.0;
}

static void clock_figures(const blpo_trainer *trainer, blpo_metrics *metrics)
{
    const double steps =
        (double)(trainer->steps - trainer->clock_steps) * (double)trainer->host.runtime.n_processes;
    metrics->seconds = trainer->clock_start < 0.0 ? 0.0 : now() - trainer->clock_start;
    metrics->steps_per_second = metrics->seconds > 0.0 ? steps / metrics->seconds : 0.0;
}

void blpo__metrics_refresh(const blpo_trainer *trainer, blpo_metrics *metrics)
{
    metrics->n_updates = trainer->n_updates;
    metrics->steps = trainer->steps * trainer->host.runtime.n_processes;
    metrics->n_episodes = trainer->episodes.n;
    metrics->n_void_episodes = trainer->episodes.n_void;
    metrics->n_dropped = trainer->episodes.n_dropped;
    window_means(trainer, metrics);
    clock_figures(trainer, metrics);
}
