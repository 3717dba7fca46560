#include "minibatch.h"

#include "network.h"

#include "envs/cartpole.h"

#include <blpo/blpo.h>
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENVS = 4 };

/* Of the linear critic: 128 states of CartPole leave many of the 101 weights nearly open, and without a ridge they grow from
 * minibatch to minibatch until values overflow. */
static const double RIDGE = 1e-3;

static void must(int rc, const char *text)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", text, blpo_status_text(rc));
    exit(1);
}

static double *array(int64_t n)
{
    double *out = calloc((size_t)n, sizeof *out);
    if (out == NULL)
        must(BLPO_ERR_NOMEM, "minibatch");
    return out;
}

/* -- features -- */

/* Numbers that depend on their place alone: the sine of a large multiple of it, as shaders do. */
static double scatter(int64_t i, double low, double high)
{
    const double x = sin(12.9898 * (double)i + 4.1414) * 43758.5453;
    return low + (high - low) * (x - floor(x));
}

void minibatch_features(const double obs[OBS], double phi[FEATURES])
{
    phi[0] = 1.0;
    for (int i = 1; i < FEATURES; i++) {
        double angle = scatter(i * (OBS + 1), 0.0, 2.0 * ENV_PI);
        for (int j = 0; j < OBS; j++)
            angle += scatter(i * (OBS + 1) + j + 1, -2.0, 2.0) * obs[j];
        phi[i] = cos(angle);
    }
}

static int features(void *user, const float *obs, int64_t count, float *phi)
{
    (void)user;
    for (int64_t row = 0; row < count; row++) {
        double one[OBS], out[FEATURES];
        for (int j = 0; j < OBS; j++)
            one[j] = (double)obs[row * OBS + j];
        minibatch_features(one, out);
        for (int i = 0; i < FEATURES; i++)
            phi[row * FEATURES + i] = (float)out[i];
    }
    return 0;
}

/* -- training -- */

typedef struct players {
    blpo_policy *policy;
    blpo_critic *critic;
} players;

static players players_new(critic_kind kind, uint64_t seed)
{
    players out = {NULL, NULL};
    blpo_policy_config policy;
    blpo_critic_config critic;
    blpo_policy_config_init(&policy, sizeof policy);
    policy.obs_dim = OBS;
    policy.action.kind = BLPO_ACTION_DISCRETE;
    policy.action.n = CARTPOLE_ACTIONS;
    policy.seed = seed;
    blpo_critic_config_init(&critic, sizeof critic);
    critic.obs_dim = OBS;
    critic.seed = seed;
    critic.network.hidden = (const int64_t[]){HIDDEN, HIDDEN};
    critic.n_features = kind == CRITIC_LINEAR ? FEATURES : 0;
    critic.features = kind == CRITIC_LINEAR ? features : NULL;
    must(blpo_policy_create(&policy, NULL, &out.policy), "blpo_policy_create");
    must(blpo_critic_create(&critic, NULL, &out.critic), "blpo_critic_create");
    return out;
}

static blpo_trainer *trainer_new(const players *p, critic_kind kind, int64_t n_envs, uint64_t seed,
                                 struct cartpole_batch *batch)
{
    blpo_env env;
    blpo_config config;
    blpo_trainer *out = NULL;
    batch->n = n_envs;
    cartpole_env(&env, batch);
    blpo_config_init(&config, sizeof config);
    config.seed = seed;
    config.n_steps = STEPS;
    config.policy = p->policy;
    config.critic = p->critic;
    config.critic_response = kind == CRITIC_LINEAR ? BLPO_RESPONSE_EXACT : BLPO_RESPONSE_NESTED;
    config.critic_ridge = RIDGE;
    config.n_epochs = n_envs == 1 ? 1 : config.n_epochs;
    must(blpo_trainer_create(&env, &config, NULL, &out), "blpo_trainer_create");
    return out;
}

/* -- the minibatch -- */

static void widen(const float *from, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (double)from[i];
}

/* Before the update: observations, and returns under the critic that is about to move. */
static void take_rollout(const blpo_trainer *trainer, minibatch *out)
{
    float returns[STEPS];
    blpo_config config;
    blpo_rollout_view view = {.struct_size = sizeof view};
    const blpo_rollout *rollout = blpo_trainer_rollout(trainer);
    blpo_config_init(&config, sizeof config);
    must(blpo_rollout_get_view(rollout, &view), "blpo_rollout_get_view");
    must(blpo_rollout_advantages(rollout, blpo_trainer_critic(trainer), config.gamma, config.gae_lambda, NULL, returns),
         "blpo_rollout_advantages");
    widen(view.obs, STEPS * OBS, out->obs);
    widen(returns, STEPS, out->returns);
}

/* After it: the critic at which v was taken is that of now, since the minibatch was the only one. */
static void take_solve(const blpo_trainer *trainer, minibatch *out)
{
    const blpo_critic *critic = blpo_trainer_critic(trainer);
    out->p = blpo_critic_n_parameters(critic);
    out->w = array(out->p);
    out->v = array(out->p);
    float *numbers = malloc((size_t)out->p * sizeof *numbers);
    if (numbers == NULL)
        must(BLPO_ERR_NOMEM, "minibatch");
    must(blpo_critic_get_parameters(critic, numbers, out->p), "blpo_critic_get_parameters");
    widen(numbers, out->p, out->w);
    must(blpo_trainer_get_direction(trainer, BLPO_DIRECTION_V, numbers), "blpo_trainer_get_direction");
    widen(numbers, out->p, out->v);
    free(numbers);
}

void minibatch_make(critic_kind kind, int64_t updates, uint64_t seed, minibatch *out)
{
    struct cartpole poles[ENVS];
    struct cartpole_batch batch = {.pole = poles, .n = ENVS};
    const players p = players_new(kind, seed);
    blpo_trainer *trainer = trainer_new(&p, kind, ENVS, seed, &batch);
    must(blpo_trainer_run(trainer, updates * ENVS * STEPS, NULL, NULL), "blpo_trainer_run");
    blpo_trainer_destroy(trainer);

    trainer = trainer_new(&p, kind, 1, seed, &batch);
    out->kind = kind;
    must(blpo_trainer_collect(trainer), "blpo_trainer_collect");
    take_rollout(trainer, out);
    must(blpo_trainer_update(trainer, NULL), "blpo_trainer_update");
    take_solve(trainer, out);
    blpo_trainer_destroy(trainer);
    blpo_policy_destroy(p.policy);
    blpo_critic_destroy(p.critic);
}

void minibatch_free(minibatch *m)
{
    free(m->w);
    free(m->v);
}

/* -- its matrices -- */

void minibatch_jacobian(const minibatch *m, double *jacobian)
{
    network n;
    for (int64_t t = 0; t < STEPS; t++) {
        double *row = jacobian + t * m->p;
        if (m->kind == CRITIC_LINEAR)
            minibatch_features(m->obs + t * OBS, row);
        else {
            network_at(&n, m->w, m->obs + t * OBS);
            network_gradient(&n, row);
        }
        cblas_dscal((int)m->p, sqrt(2.0 / STEPS), row, 1);
    }
}

void minibatch_gauss_newton(const minibatch *m, const double *jacobian, double *gauss_newton)
{
    const int p = (int)m->p;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p, p, STEPS, 1.0, jacobian, p, jacobian, p, 0.0, gauss_newton,
                p);
}

void minibatch_hessian(const minibatch *m, const double *gauss_newton, double *hessian)
{
    double *unit = array(m->p);
    memcpy(hessian, gauss_newton, (size_t)(m->p * m->p) * sizeof *hessian);
    for (int64_t t = 0; t < STEPS && m->kind == CRITIC_NEURAL; t++) {
        network n;
        network_at(&n, m->w, m->obs + t * OBS);
        for (int64_t i = 0; i < m->p; i++) {
            unit[i] = 1.0;
            network_add_second(&n, -2.0 / STEPS * (m->returns[t] - n.value), unit, hessian + i * m->p);
            unit[i] = 0.0;
        }
    }
    free(unit);
}
