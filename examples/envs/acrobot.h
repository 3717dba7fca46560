/* Acrobot-v1: two links hang from a fixed joint; a torque between them is to swing the free end above a line.
 *
 * Sutton, "Generalization in reinforcement learning: successful examples using sparse coarse coding", NIPS 8 (1996);
 * equations of motion as in Sutton and Barto, "Reinforcement Learning: An Introduction"; constants, starts and ends as
 * in Gymnasium.
 *
 *     observation   cos theta1, sin theta1, cos theta2, sin theta2, theta1', theta2'
 *     actions       0, 1, 2: a torque of -1, 0, 1 N m               start     each uniform in [-0.1, 0.1)
 *     reward        -1 a step, 0 for the one that reaches the goal  truncated after 500 steps
 *     terminated    the free end is more than one link above the fixed joint: -cos theta1 - cos(theta1 + theta2) > 1
 */
#ifndef EXAMPLES_ENVS_ACROBOT_H
#define EXAMPLES_ENVS_ACROBOT_H

#include "common.h"

#define ACROBOT_OBS 6
#define ACROBOT_ACTIONS 3
#define ACROBOT_LIMIT 500

struct acrobot {
    double theta[2]; /* of the first link, 0 is down; of the second against the first: rad, in [-pi, pi] */
    double omega[2]; /* rad/s */
    int steps;       /* taken in this episode */
};

/* -- the simulator -- */

static inline void acrobot_reset(struct acrobot *a, uint64_t seed)
{
    a->theta[0] = env_uniform(&seed, -0.1, 0.1);
    a->theta[1] = env_uniform(&seed, -0.1, 0.1);
    a->omega[0] = env_uniform(&seed, -0.1, 0.1);
    a->omega[1] = env_uniform(&seed, -0.1, 0.1);
    a->steps = 0;
}

/* Time derivative of y = (theta1, theta2, theta1', theta2') under a torque. Both links: length, mass and moment of
 * inertia 1, centre of mass in the middle. */
static inline void acrobot_derivative(const double y[4], double torque, double out[4])
{
    const double gravity = 9.8, length = 1.0, centre = 0.5, mass = 1.0, inertia = 1.0;
    const double c2 = cos(y[1]), s2 = sin(y[1]), w1 = y[2], w2 = y[3];
    const double coupling = mass * length * centre;

    const double d1 = mass * (length * length + 2 * centre * centre) + 2 * coupling * c2 + 2 * inertia;
    const double d2 = mass * centre * centre + coupling * c2 + inertia;
    const double phi2 = mass * centre * gravity * sin(y[0] + y[1]);
    const double phi1 = -coupling * w2 * w2 * s2 - 2 * coupling * w2 * w1 * s2
                      + mass * (centre + length) * gravity * sin(y[0]) + phi2;

    out[0] = w1;
    out[1] = w2;
    out[3] = (torque + d2 / d1 * phi1 - coupling * w1 * w1 * s2 - phi2)
           / (mass * centre * centre + inertia - d2 * d2 / d1);
    out[2] = -(d2 * out[3] + phi1) / d1;
}

static inline double acrobot_wrap(double angle)
{
    while (angle > ENV_PI)
        angle -= 2 * ENV_PI;
    while (angle < -ENV_PI)
        angle += 2 * ENV_PI;
    return angle;
}

static inline int acrobot_terminated(const struct acrobot *a)
{
    return -cos(a->theta[0]) - cos(a->theta[0] + a->theta[1]) > 1.0;
}

static inline int acrobot_truncated(const struct acrobot *a)
{
    return a->steps >= ACROBOT_LIMIT;
}

/* One Runge-Kutta step of fourth order over 0.2 s, the torque held. Returns the reward. */
static inline double acrobot_step(struct acrobot *a, int64_t action)
{
    const double tau = 0.2, torque = (double)(action - 1);
    const double offset[4] = {0.0, 0.5 * tau, 0.5 * tau, tau}, weight[4] = {1.0, 2.0, 2.0, 1.0};
    const double start[4] = {a->theta[0], a->theta[1], a->omega[0], a->omega[1]};
    double slope[4] = {0.0, 0.0, 0.0, 0.0}, sum[4] = {0.0, 0.0, 0.0, 0.0};
    for (int stage = 0; stage < 4; stage++) {
        double y[4];
        for (int i = 0; i < 4; i++)
            y[i] = start[i] + offset[stage] * slope[i];
        acrobot_derivative(y, torque, slope);
        for (int i = 0; i < 4; i++)
            sum[i] += weight[stage] * slope[i];
    }
    a->theta[0] = acrobot_wrap(start[0] + tau / 6.0 * sum[0]);
    a->theta[1] = acrobot_wrap(start[1] + tau / 6.0 * sum[1]);
    a->omega[0] = env_clip(start[2] + tau / 6.0 * sum[2], -4 * ENV_PI, 4 * ENV_PI);
    a->omega[1] = env_clip(start[3] + tau / 6.0 * sum[3], -9 * ENV_PI, 9 * ENV_PI);
    a->steps++;
    return acrobot_terminated(a) ? 0.0 : -1.0;
}

static inline void acrobot_observe(const struct acrobot *a, float *obs)
{
    obs[0] = (float)cos(a->theta[0]);
    obs[1] = (float)sin(a->theta[0]);
    obs[2] = (float)cos(a->theta[1]);
    obs[3] = (float)sin(a->theta[1]);
    obs[4] = (float)a->omega[0];
    obs[5] = (float)a->omega[1];
}

/* -- a batch of them, for the library -- */

struct acrobot_batch {
    struct acrobot *robot; /* [n] */
    int64_t n;
    int limit_terminates; /* 1: a time limit counts as a termination, as in the published runs; 0: as what it is */
};

static inline int acrobot_env_step(void *user, blpo_step *io)
{
    const struct acrobot_batch *batch = (const struct acrobot_batch *)user;
    struct acrobot *robot = batch->robot + io->first;
    for (int64_t i = 0; i < io->count; i++) {
        io->reward[i] = (float)acrobot_step(&robot[i], io->discrete_action[i]);
        env_end(io, i, acrobot_terminated(&robot[i]), acrobot_truncated(&robot[i]), batch->limit_terminates);
        acrobot_observe(&robot[i], io->obs + i * ACROBOT_OBS);
    }
    return 0;
}

static inline int acrobot_env_reset(void *user, blpo_reset *io)
{
    struct acrobot *robot = ((struct acrobot_batch *)user)->robot + io->first;
    for (int64_t i = 0; i < io->count; i++) {
        if (!io->mask[i])
            continue;
        acrobot_reset(&robot[i], io->seed[i]);
        acrobot_observe(&robot[i], io->obs + i * ACROBOT_OBS);
    }
    return 0;
}

static inline int acrobot_env_save(void *user, blpo_write_fn write, void *sink)
{
    const struct acrobot_batch *batch = (const struct acrobot_batch *)user;
    int rc = 0;
    for (int64_t i = 0; i < batch->n && rc == 0; i++) {
        const struct acrobot *a = &batch->robot[i];
        const double row[5] = {a->theta[0], a->theta[1], a->omega[0], a->omega[1], (double)a->steps};
        rc = env_put(write, sink, row, 5);
    }
    return rc;
}

static inline int acrobot_env_load(void *user, const void *bytes, size_t n_bytes)
{
    struct acrobot_batch *batch = (struct acrobot_batch *)user;
    if (!env_sound(bytes, n_bytes, batch->n, 5, ACROBOT_LIMIT))
        return -1;
    for (int64_t i = 0; i < batch->n; i++) {
        struct acrobot *a = &batch->robot[i];
        a->theta[0] = env_get(bytes, 5 * i);
        a->theta[1] = env_get(bytes, 5 * i + 1);
        a->omega[0] = env_get(bytes, 5 * i + 2);
        a->omega[1] = env_get(bytes, 5 * i + 3);
        a->steps = (int)env_get(bytes, 5 * i + 4);
    }
    return 0;
}

/* Describes a batch to the library. The batch is borrowed. */
static inline void acrobot_env(blpo_env *env, struct acrobot_batch *batch)
{
    blpo_env_init(env, sizeof *env);
    env->user = batch;
    env->n_envs = batch->n;
    env->obs_dim = ACROBOT_OBS;
    env->action.kind = BLPO_ACTION_DISCRETE;
    env->action.n = ACROBOT_ACTIONS;
    env->step = acrobot_env_step;
    env->reset = acrobot_env_reset;
    env->save = acrobot_env_save;
    env->load = acrobot_env_load;
    env->concurrent_rows = 8; /* a row is all there is to an environment; so many steps take some microseconds */
}

#endif
