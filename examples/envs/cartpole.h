/* CartPole-v1: a pole hinged on a cart is to be kept upright by pushing the cart left or right.
 *
 * Barto, Sutton, Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", IEEE
 * Trans. SMC 13 (1983); equations of motion without friction as in Florian, "Correct equations for the dynamics of the
 * cart-pole system" (2005); constants, starts and ends as in Gymnasium.
 *
 *     observation   x, x', theta, theta'                            actions   0: 10 N to the left, 1: 10 N to the right
 *     reward        1 a step, the last one included                 start     each uniform in [-0.05, 0.05)
 *     terminated    |x| > 2.4 m or |theta| > 12 degrees             truncated after 500 steps
 */
#ifndef EXAMPLES_ENVS_CARTPOLE_H
#define EXAMPLES_ENVS_CARTPOLE_H

#include "common.h"

#define CARTPOLE_OBS 4
#define CARTPOLE_ACTIONS 2
#define CARTPOLE_LIMIT 500

struct cartpole {
    double x, x_dot;         /* cart: m, m/s */
    double theta, theta_dot; /* pole, 0 is upright: rad, rad/s */
    int steps;               /* taken in this episode */
};

/* -- the simulator -- */

static inline void cartpole_reset(struct cartpole *p, uint64_t seed)
{
    p->x = env_uniform(&seed, -0.05, 0.05);
    p->x_dot = env_uniform(&seed, -0.05, 0.05);
    p->theta = env_uniform(&seed, -0.05, 0.05);
    p->theta_dot = env_uniform(&seed, -0.05, 0.05);
    p->steps = 0;
}

/* One explicit Euler step of 0.02 s. Returns the reward. */
static inline double cartpole_step(struct cartpole *p, int64_t action)
{
    const double gravity = 9.8, cart = 1.0, pole = 0.1, half_length = 0.5, tau = 0.02; /* m/s^2, kg, kg, m, s */
    const double total = cart + pole, force = action == 1 ? 10.0 : -10.0;
    const double c = cos(p->theta), s = sin(p->theta);

    const double push = (force + pole * half_length * p->theta_dot * p->theta_dot * s) / total;
    const double theta_acc = (gravity * s - c * push) / (half_length * (4.0 / 3.0 - pole * c * c / total));
    const double x_acc = push - pole * half_length * theta_acc * c / total;

    p->x += tau * p->x_dot;
    p->x_dot += tau * x_acc;
    p->theta += tau * p->theta_dot;
    p->theta_dot += tau * theta_acc;
    p->steps++;
    return 1.0;
}

static inline int cartpole_terminated(const struct cartpole *p)
{
    return fabs(p->x) > 2.4 || fabs(p->theta) > 12.0 * 2.0 * ENV_PI / 360.0;
}

static inline int cartpole_truncated(const struct cartpole *p)
{
    return p->steps >= CARTPOLE_LIMIT;
}

static inline void cartpole_observe(const struct cartpole *p, float *obs)
{
    obs[0] = (float)p->x;
    obs[1] = (float)p->x_dot;
    obs[2] = (float)p->theta;
    obs[3] = (float)p->theta_dot;
}

/* -- a batch of them, for the library -- */

struct cartpole_batch {
    struct cartpole *pole; /* [n] */
    int64_t n;
    int limit_terminates; /* 1: a time limit counts as a termination, as in the published runs; 0: as what it is */
};

static inline int cartpole_env_step(void *user, blpo_step *io)
{
    const struct cartpole_batch *batch = (const struct cartpole_batch *)user;
    struct cartpole *pole = batch->pole + io->first;
    for (int64_t i = 0; i < io->count; i++) {
        io->reward[i] = (float)cartpole_step(&pole[i], io->discrete_action[i]);
        env_end(io, i, cartpole_terminated(&pole[i]), cartpole_truncated(&pole[i]), batch->limit_terminates);
        cartpole_observe(&pole[i], io->obs + i * CARTPOLE_OBS);
    }
    return 0;
}

static inline int cartpole_env_reset(void *user, blpo_reset *io)
{
    struct cartpole *pole = ((struct cartpole_batch *)user)->pole + io->first;
    for (int64_t i = 0; i < io->count; i++) {
        if (!io->mask[i])
            continue;
        cartpole_reset(&pole[i], io->seed[i]);
        cartpole_observe(&pole[i], io->obs + i * CARTPOLE_OBS);
    }
    return 0;
}

static inline int cartpole_env_save(void *user, blpo_write_fn write, void *sink)
{
    const struct cartpole_batch *batch = (const struct cartpole_batch *)user;
    int rc = 0;
    for (int64_t i = 0; i < batch->n && rc == 0; i++) {
        const struct cartpole *p = &batch->pole[i];
        const double row[5] = {p->x, p->x_dot, p->theta, p->theta_dot, (double)p->steps};
        rc = env_put(write, sink, row, 5);
    }
    return rc;
}

static inline int cartpole_env_load(void *user, const void *bytes, size_t n_bytes)
{
    struct cartpole_batch *batch = (struct cartpole_batch *)user;
    if (!env_sound(bytes, n_bytes, batch->n, 5, CARTPOLE_LIMIT))
        return -1;
    for (int64_t i = 0; i < batch->n; i++) {
        struct cartpole *p = &batch->pole[i];
        p->x = env_get(bytes, 5 * i);
        p->x_dot = env_get(bytes, 5 * i + 1);
        p->theta = env_get(bytes, 5 * i + 2);
        p->theta_dot = env_get(bytes, 5 * i + 3);
        p->steps = (int)env_get(bytes, 5 * i + 4);
    }
    return 0;
}

/* Describes a batch to the library. The batch is borrowed. */
static inline void cartpole_env(blpo_env *env, struct cartpole_batch *batch)
{
    blpo_env_init(env, sizeof *env);
    env->user = batch;
    env->n_envs = batch->n;
    env->obs_dim = CARTPOLE_OBS;
    env->action.kind = BLPO_ACTION_DISCRETE;
    env->action.n = CARTPOLE_ACTIONS;
    env->step = cartpole_env_step;
    env->reset = cartpole_env_reset;
    env->save = cartpole_env_save;
    env->load = cartpole_env_load;
    env->concurrent_rows = 64; /* a row is all there is to an environment; so many steps take some microseconds */
}

#endif
