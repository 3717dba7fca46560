/* My loop, my clock: a robot that will not wait for a library. It asks for an action every 20 ms and says afterwards
 * what came of it; updates run in between, when a rollout is full. The library calls nothing here.
 *
 * The robot is a simulated cart with a pole. Its clock is simulated too, so that this takes seconds and not hours; the
 * program measures whether an update would fit into the time between two actions of a real one.
 *
 *     cc own_loop.c -o own_loop $(pkg-config --cflags --libs blpo) && ./own_loop
 */
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
    timespec_get(&t, TIME_UTC);
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

    blpo_config config;
    blpo_config_init(&config, sizeof config);
    config.n_steps = 128;

    blpo_runtime runtime;
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = error;
    return blpo_trainer_create(&env, &config, &runtime, trainer);
}

int main(void)
{
    blpo_error error = {0};
    blpo_trainer *trainer = NULL;
    if (create(&trainer, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }

    struct robot robot = {0};
    float obs[CARTPOLE_OBS], next_obs[CARTPOLE_OBS];
    double slowest = 0, all_updates = 0;
    blpo_metrics metrics = {.struct_size = sizeof metrics};
    int rc = BLPO_OK;
    robot_stand_up(&robot, obs);
    while (rc >= 0 && metrics.steps < 300000 && metrics.episode_return_mean < 475.0) {
        int64_t action;
        rc = blpo_trainer_act(trainer, obs, &action);
        if (rc < 0)
            break;
        uint8_t fallen, time_is_up;
        float reward = robot_push(&robot, action, next_obs, &fallen, &time_is_up);

        blpo_transition what_followed = {.struct_size = sizeof what_followed, .next_obs = next_obs, .reward = &reward,
                                         .terminated = &fallen, .truncated = &time_is_up};
        rc = blpo_trainer_observe(trainer, &what_followed);
        if (rc == BLPO_UPDATE_DUE) { /* could wait: until then act and observe go on, and what they see is dropped */
            double start = now();
            rc = blpo_trainer_update(trainer, &metrics);
            double took = now() - start;
            slowest = took > slowest ? took : slowest;
            all_updates += took;
            if (metrics.n_updates % 100 == 0)
                printf("%7.1f minutes of robot time  return %5.1f\n", (double)metrics.steps * PERIOD / 60,
                       metrics.episode_return_mean);
        }
        if (fallen || time_is_up)
            robot_stand_up(&robot, obs);
        else
            memcpy(obs, next_obs, sizeof obs);
    }

    if (rc < 0)
        fprintf(stderr, "%s\n", blpo_trainer_error(trainer)->text);
    else
        printf("mean return %.1f after %.0f minutes of robot time\n"
               "an update took %.1f ms, the slowest %.1f ms, of the %.0f ms between two actions\n",
               metrics.episode_return_mean, (double)metrics.steps * PERIOD / 60,
               1e3 * all_updates / (double)metrics.n_updates, 1e3 * slowest, 1e3 * PERIOD);
    blpo_trainer_destroy(trainer);
    return rc < 0;
}
