/* My loop, my clock: a robot that will not wait for a library. It asks for an action every 20 ms and says afterwards
 * what came of it; updates run in between, when a rollout is full. The library calls nothing here.
 *
 * The robot is a simulated cart with a pole. Its clock is simulated too, so that this takes seconds and not hours; the
 * program measures whether an update would fit into the time between two actions of a real one.
 *
 *     cc own_loop.c -o own_loop $(pkg-config --cflags --libs blpo) && ./own_loop
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "envs/cartpole.h"

#include <blpo/blpo.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PERIOD 0.020 /* s between two actions */

/* -- the robot -- */

struct robot {
    struct cartpole body;
    uint64_t falls;
};

static void robot_stand_up(struct robot *r, float *sensors)
{
    cartpole_reset(&r->body, r->falls++);
    cartpole_observe(&r->body, sensors);
}

/* Pushes, waits one period, reads the sensors. */
static float robot_push(struct robot *r, int64_t action, float *sensors, uint8_t *fallen, uint8_t *time_is_up)
{
    double reward = cartpole_step(&r->body, action);
    cartpole_observe(&r->body, sensors);
    *fallen = (uint8_t)cartpole_terminated(&r->body);
    *time_is_up = (uint8_t)cartpole_truncated(&r->body);
    return (float)reward;
}

/* -- the program -- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One robot, so one environment; without callbacks. */
static int create(blpo_trainer **trainer, blpo_error *error)
{
    blpo_env env;
    blpo_env_init(&env, sizeof env);
    env.obs_dim = CARTPOLE_OBS;
    env.action.kind = BLPO_ACTION_DISCRETE;
    env.action.n = CARTPOLE_ACTIONS;

    blpo_runtime runtime;
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = error;
    return blpo_trainer_create(&env, NULL, &runtime, trainer); /* NULL: the published settings */
}

struct loop {
    struct robot robot;
    float obs[CARTPOLE_OBS]; /* what it sees now */
    blpo_metrics metrics;    /* of the last update */
    double slowest, all_updates; /* s */
};

/* One period of the robot: ask, act, say what came of it. Returns BLPO_UPDATE_DUE, BLPO_OK or an error. */
static int live(struct loop *l, blpo_trainer *trainer)
{
    int64_t action;
    int rc = blpo_trainer_act(trainer, l->obs, &action);
    if (rc < 0)
        return rc;
    float next_obs[CARTPOLE_OBS];
    uint8_t fallen, time_is_up;
    float reward = robot_push(&l->robot, action, next_obs, &fallen, &time_is_up);

    blpo_transition what_followed = {.struct_size = sizeof what_followed, .next_obs = next_obs, .reward = &reward,
                                     .terminated = &fallen, .truncated = &time_is_up};
    rc = blpo_trainer_observe(trainer, &what_followed);
    if (fallen || time_is_up)
        robot_stand_up(&l->robot, l->obs);
    else
        memcpy(l->obs, next_obs, sizeof l->obs);
    return rc;
}

static int learn(struct loop *l, blpo_trainer *trainer)
{
    double start = now();
    int rc = blpo_trainer_update(trainer, &l->metrics);
    double took = now() - start;
    l->slowest = took > l->slowest ? took : l->slowest;
    l->all_updates += took;
    if (rc == BLPO_OK && l->metrics.n_updates % 100 == 0)
        printf("%7.1f minutes of robot time  return %5.1f\n", (double)l->metrics.steps * PERIOD / 60,
               l->metrics.episode_return_mean);
    return rc;
}

static int learned(const blpo_metrics *m)
{
    return m->window_episodes >= 100 && m->episode_return_mean >= 475.0;
}

static void tell(const struct loop *l)
{
    const blpo_metrics *m = &l->metrics;
    printf("mean return %.1f after %.0f minutes of robot time\n"
           "an update took %.1f ms, the slowest %.1f ms, of the %.0f ms between two actions\n",
           m->episode_return_mean, (double)m->steps * PERIOD / 60, 1e3 * l->all_updates / (double)m->n_updates,
           1e3 * l->slowest, 1e3 * PERIOD);
}

int main(void)
{
    blpo_error error = {0};
    blpo_trainer *trainer = NULL;
    if (create(&trainer, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }

    struct loop loop = {.metrics.struct_size = sizeof loop.metrics};
    int rc = BLPO_OK;
    robot_stand_up(&loop.robot, loop.obs);
    while (rc >= 0 && loop.metrics.steps < 300000 && !learned(&loop.metrics)) {
        rc = live(&loop, trainer);
        if (rc == BLPO_UPDATE_DUE) /* could wait: until then act and observe go on, and what they see is dropped */
            rc = learn(&loop, trainer);
    }

    if (rc < 0)
        fprintf(stderr, "%s\n", blpo_trainer_error(trainer)->text);
    else
        tell(&loop);
    blpo_trainer_destroy(trainer);
    return rc < 0 || fflush(stdout) != 0 || ferror(stdout);
}
