/* The tasks of the study of learning: the example environments, with the settings of their examples. */
#ifndef STUDIES_LEARNING_TASKS_H
#define STUDIES_LEARNING_TASKS_H

#include "envs/acrobot.h"
#include "envs/cartpole.h"
#include "envs/pendulum.h"

#include <blpo/blpo.h>

enum { MOST_ENVS = 8 };

struct task {
    const char *name;
    int64_t steps;  /* environment steps of a run */
    double worst;   /* return of a policy that has learned nothing: stands in until an episode has ended */
    double solved;  /* mean return of 100 episodes */
    void (*open)(blpo_env *env);
    void (*configure)(blpo_config *config);
};

static void open_cartpole(blpo_env *env)
{
    static struct cartpole poles[4];
    static struct cartpole_batch batch = {poles, 4, 0};
    cartpole_env(env, &batch);
}

static void open_acrobot(blpo_env *env)
{
    static struct acrobot robots[4];
    static struct acrobot_batch batch = {robots, 4, 0};
    acrobot_env(env, &batch);
}

static void open_pendulum(blpo_env *env)
{
    static struct pendulum rods[8];
    static struct pendulum_batch batch = {rods, 8, 0};
    pendulum_env(env, &batch);
}

static void configure_published(blpo_config *config)
{
    (void)config; /* the defaults are the published settings */
}

/* As in examples/pendulum.c, which says why. */
static void configure_pendulum(blpo_config *config)
{
    config->n_steps = 256;
    config->n_epochs = 6;
    config->actor_learning_rate = 7e-4;
    config->gamma = 0.9;
    config->reward_scale = 0.1;
}

static const struct task tasks[] = {
    {"cartpole", 120000, 20.0, 475.0, open_cartpole, configure_published},
    {"acrobot", 150000, -500.0, -100.0, open_acrobot, configure_published},
    {"pendulum", 150000, -1250.0, -250.0, open_pendulum, configure_pendulum},
};

enum { N_TASKS = sizeof tasks / sizeof tasks[0] };

#endif
