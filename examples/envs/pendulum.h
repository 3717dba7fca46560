/* Pendulum-v1: a rod hangs from a motor too weak to lift it; it is to be swung up and held upright.
 *
 * The classic underactuated swing-up problem (Doya, "Reinforcement learning in continuous time and space", Neural
 * Computation 12 (2000)); constants, cost, starts and time limit as in Gymnasium.
 *
 *     observation   cos theta, sin theta, theta'                    action    torque in [-2, 2] N m
 *     reward        -(theta^2 + 0.1 theta'^2 + 0.001 torque^2), before the step, theta in [-pi, pi)
 *     start         theta uniform in [-pi, pi), theta' in [-1, 1)   truncated after 200 steps; it never terminates
 */
#ifndef EXAMPLES_ENVS_PENDULUM_H
#define EXAMPLES_ENVS_PENDULUM_H

#include "common.h"

#define PENDULUM_OBS 3
#define PENDULUM_ACTION_DIM 1
#define PENDULUM_LIMIT 200

struct pendulum {
    double theta, theta_dot; /* 0 is upright: rad, not wrapped; rad/s */
    int steps;               /* taken in this episode */
};

/* -- the simulator -- */

static inline void pendulum_reset(struct pendulum *p, uint64_t seed)
{
    p->theta = env_uniform(&seed, -ENV_PI, ENV_PI);
    p->theta_dot = env_uniform(&seed, -1.0, 1.0);
    p->steps = 0;
}

/* One semi-implicit Euler step of 0.05 s. Returns the reward. */
static inline double pendulum_step(struct pendulum *p, double torque)
{
    const double gravity = 10.0, mass = 1.0, length = 1.0, tau = 0.05;
    const double u = env_clip(torque, -2.0, 2.0);
    const double angle = p->theta - 2 * ENV_PI * floor((p->theta + ENV_PI) / (2 * ENV_PI));
    const double cost = angle * angle + 0.1 * p->theta_dot * p->theta_dot + 0.001 * u * u;

    const double acc = 3 * gravity / (2 * length) * sin(p->theta) + 3 / (mass * length * length) * u;
    p->theta_dot = env_clip(p->theta_dot + tau * acc, -8.0, 8.0);
    p->theta += tau * p->theta_dot;
    p->steps++;
    return -cost;
}

static inline int pendulum_truncated(const struct pendulum *p)
{
    return p->steps >= PENDULUM_LIMIT;
}

static inline void pendulum_observe(const struct pendulum *p, float *obs)
{
    obs[0] = (float)cos(p->theta);
    obs[1] = (float)sin(p->theta);
    obs[2] = (float)p->theta_dot;
}

/* -- a batch of them, for the library -- */

struct pendulum_batch {
    struct pendulum *rod; /* [n] */
    int64_t n;
    int limit_terminates; /* 1: a time limit counts as a termination, as in the published runs; 0: as what it is */
};

static inline int pendulum_env_step(void *user, blpo_step *io)
{
    const struct pendulum_batch *batch = (const struct pendulum_batch *)user;
    struct pendulum *rod = batch->rod + io->first;
    for (int64_t i = 0; i < io->count; i++) {
        io->reward[i] = (float)pendulum_step(&rod[i], (double)io->continuous_action[i]);
        env_end(io, i, 0, pendulum_truncated(&rod[i]), batch->limit_terminates);
        pendulum_observe(&rod[i], io->obs + i * PENDULUM_OBS);
    }
    return 0;
}

static inline int pendulum_env_reset(void *user, blpo_reset *io)
{
    struct pendulum *rod = ((struct pendulum_batch *)user)->rod + io->first;
    for (int64_t i = 0; i < io->count; i++) {
        if (!io->mask[i])
            continue;
        pendulum_reset(&rod[i], io->seed[i]);
        pendulum_observe(&rod[i], io->obs + i * PENDULUM_OBS);
    }
    return 0;
}

static inline int pendulum_env_save(void *user, blpo_write_fn write, void *sink)
{
    const struct pendulum_batch *batch = (const struct pendulum_batch *)user;
    int rc = 0;
    for (int64_t i = 0; i < batch->n && rc == 0; i++) {
        const struct pendulum *p = &batch->rod[i];
        const double row[3] = {p->theta, p->theta_dot, (double)p->steps};
        rc = env_put(write, sink, row, 3);
    }
    return rc;
}

static inline int pendulum_env_load(void *user, const void *bytes, size_t n_bytes)
{
    struct pendulum_batch *batch = (struct pendulum_batch *)user;
    if (!env_sound(bytes, n_bytes, batch->n, 3, PENDULUM_LIMIT))
        return -1;
    for (int64_t i = 0; i < batch->n; i++) {
        struct pendulum *p = &batch->rod[i];
        p->theta = env_get(bytes, 3 * i);
        p->theta_dot = env_get(bytes, 3 * i + 1);
        p->steps = (int)env_get(bytes, 3 * i + 2);
    }
    return 0;
}

/* Describes a batch to the library. The batch is borrowed. The library clips actions to the bounds. */
static inline void pendulum_env(blpo_env *env, struct pendulum_batch *batch)
{
    static const float low[PENDULUM_ACTION_DIM] = {-2.0f}, high[PENDULUM_ACTION_DIM] = {2.0f};
    blpo_env_init(env, sizeof *env);
    env->user = batch;
    env->n_envs = batch->n;
    env->obs_dim = PENDULUM_OBS;
    env->action.kind = BLPO_ACTION_CONTINUOUS;
    env->action.n = PENDULUM_ACTION_DIM;
    env->action.low = low;
    env->action.high = high;
    env->step = pendulum_env_step;
    env->reset = pendulum_env_reset;
    env->save = pendulum_env_save;
    env->load = pendulum_env_load;
    env->concurrent_rows = 64; /* a row is all there is to an environment; so many steps take some microseconds */
}

#endif
