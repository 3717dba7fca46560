#include "runs.h"

#include "harness.h"

#include "envs/cartpole.h"
#include "envs/pendulum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16 };

const bench_method bench_methods[] = {
    {"nystrom", BLPO_METHOD_BLPO, BLPO_IHVP_NYSTROM},
    {"cg", BLPO_METHOD_BLPO, BLPO_IHVP_CG},
    {"none", BLPO_METHOD_BLPO, BLPO_IHVP_NONE},
    {"nystrom_pcg", BLPO_METHOD_BLPO, BLPO_IHVP_NYSTROM_PCG},
    {"neumann", BLPO_METHOD_BLPO, BLPO_IHVP_NEUMANN},
    {"gauss_newton", BLPO_METHOD_BLPO, BLPO_IHVP_GAUSS_NEWTON},
    {"nested", BLPO_METHOD_NESTED, 0},
    {"ppo", BLPO_METHOD_PPO, 0},
    {NULL, 0, 0},
};

const bench_method *bench_find_method(const char *name)
{
    for (const bench_method *m = bench_methods; m->name != NULL; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    fprintf(stderr, "no such method: %s\n", name);
    exit(2);
}

/* ---- what is asked for ---- */

void bench_plan_default(bench_plan *plan)
{
    *plan = (bench_plan){.env = "cartpole",
                         .method = &bench_methods[0],
                         .seed = 1,
                         .n_envs = 4,
                         .n_steps = 128,
                         .n_epochs = 4,
                         .trajectories = 1,
                         .n_hidden = 2,
                         .hidden = 64,
                         .obs = 4,
                         .rank = 5,
                         .threads = 1};
}

void bench_plan_options(bench_plan *plan, int argc, char **argv)
{
    plan->env = bench_text(argc, argv, "--env", plan->env);
    plan->method = bench_find_method(bench_text(argc, argv, "--method", plan->method->name));
    plan->seed = (uint64_t)bench_int(argc, argv, "--seed", (int64_t)plan->seed);
    plan->n_envs = bench_int(argc, argv, "--envs", plan->n_envs);
    plan->n_steps = bench_int(argc, argv, "--rows", plan->n_steps);
    plan->n_epochs = bench_int(argc, argv, "--epochs", plan->n_epochs);
    plan->hidden = bench_int(argc, argv, "--hidden", plan->hidden);
    plan->rank = bench_int(argc, argv, "--rank", plan->rank);
    plan->threads = bench_int(argc, argv, "--threads", plan->threads);
}

/* ---- an environment of random numbers: an episode ends with probability 1 / 200 ---- */

typedef struct noise_world {
    int64_t obs;
    uint64_t state;
} noise_world;

static void noise_fill(noise_world *world, float *row)
{
    for (int64_t i = 0; i < world->obs; i++)
        row[i] = bench_noise(&world->state);
}

static int noise_step(void *user, blpo_step *io)
{
    noise_world *world = user;
    for (int64_t i = 0; i < io->count; i++) {
        noise_fill(world, io->obs + i * world->obs);
        io->reward[i] = bench_noise(&world->state);
        io->terminated[i] = bench_noise(&world->state) > 0.99f;
    }
    return 0;
}

static int noise_reset(void *user, blpo_reset *io)
{
    noise_world *world = user;
    for (int64_t i = 0; i < io->count; i++)
        if (io->mask[i])
            noise_fill(world, io->obs + i * world->obs);
    return 0;
}

/* ---- environments ---- */

static void *need(size_t n, size_t size)
{
    void *memory = calloc(n, size);
    if (memory == NULL)
        exit(1);
    return memory;
}

static void *cartpoles(blpo_env *env, int64_t n)
{
    struct cartpole_batch *batch = need(1, sizeof *batch + (size_t)n * sizeof(struct cartpole));
    *batch = (struct cartpole_batch){(struct cartpole *)(batch + 1), n, 0};
    cartpole_env(env, batch);
    return batch;
}

static void *pendulums(blpo_env *env, int64_t n)
{
    struct pendulum_batch *batch = need(1, sizeof *batch + (size_t)n * sizeof(struct pendulum));
    *batch = (struct pendulum_batch){(struct pendulum *)(batch + 1), n, 0};
    pendulum_env(env, batch);
    return batch;
}

static void *noises(blpo_env *env, int64_t n, int64_t obs)
{
    noise_world *world = need(1, sizeof *world);
    *world = (noise_world){obs, 1};
    blpo_env_init(env, sizeof *env);
    env->user = world;
    env->n_envs = n;
    env->obs_dim = obs;
    env->action.kind = BLPO_ACTION_DISCRETE;
    env->action.n = 2;
    env->step = noise_step;
    env->reset = noise_reset;
    return world;
}

static void *make_env(const bench_plan *plan, blpo_env *env)
{
    if (strcmp(plan->env, "cartpole") == 0)
        return cartpoles(env, plan->n_envs);
    if (strcmp(plan->env, "pendulum") == 0)
        return pendulums(env, plan->n_envs);
    if (strcmp(plan->env, "noise") == 0)
        return noises(env, plan->n_envs, plan->obs);
    fprintf(stderr, "no such environment: %s\n", plan->env);
    exit(2);
}

/* ---- trainers ---- */

static void settings(const bench_plan *plan, const int64_t *hidden, blpo_config *config)
{
    blpo_config_init(config, sizeof *config);
    blpo_config_set_method(config, plan->method->method);
    config->seed = plan->seed;
    config->n_steps = plan->n_steps;
    config->n_epochs = plan->n_epochs;
    config->trajectories_per_minibatch = plan->trajectories;
    config->nystrom_rank = plan->rank;
    config->actor_network.hidden = config->critic_network.hidden = hidden;
    config->actor_network.n_hidden = config->critic_network.n_hidden = plan->n_hidden;
    if (config->hypergradient)
        config->ihvp_method = plan->method->ihvp;
    if (plan->critic_steps > 0)
        config->critic_steps = plan->critic_steps;
}

static void describe(bench_run *run, const bench_plan *plan, const blpo_env *env, const blpo_config *config)
{
    const int rows = config->hypergradient && config->ihvp_method == BLPO_IHVP_NYSTROM;
    const bench_work work = {(double)(plan->n_steps * plan->trajectories), (double)config->critic_steps,
                             rows ? (double)plan->rank : 0.0};
    run->shape = (bench_shape){env->obs_dim, env->action.n, plan->n_hidden, plan->hidden};
    run->n_minibatches = plan->n_epochs * ((plan->n_envs + plan->trajectories - 1) / plan->trajectories);
    run->update_flops = (double)run->n_minibatches * bench_minibatch_flops(&run->shape, &work);
}

bench_run bench_run_create(const bench_plan *plan, const blpo_runtime *runtime)
{
    bench_run run = {0};
    blpo_env env;
    blpo_config config;
    blpo_runtime host;
    blpo_error error = {0};
    int64_t hidden[MAX_DEPTH];
    for (int i = 0; i < MAX_DEPTH; i++)
        hidden[i] = plan->hidden;
    if (runtime != NULL)
        host = *runtime;
    else
        blpo_runtime_init(&host, sizeof host);
    host.n_threads = plan->threads;
    host.error = &error;
    run.worlds = make_env(plan, &env);
    settings(plan, hidden, &config);
    describe(&run, plan, &env, &config);
    bench_check(blpo_trainer_create(&env, &config, &host, &run.trainer), "create", &error);
    return run;
}

void bench_run_destroy(bench_run *run)
{
    blpo_trainer_destroy(run->trainer);
    free(run->worlds);
}
