/* Where the time of an update goes: one minibatch of CartPole (published settings: 128 steps, 64-64 tanh, K 3, k 5) stage
 * by stage, in microseconds and in GFLOP/s, then steps a second of whole runs by each method.
 *
 *     stages [options]        --steps N   environment steps of a run (60000)       --rows T     steps a trajectory (128)
 *                             --rank K    rows of the Hessian (5)                  --hidden H   width of both layers (64)
 *                             --threads N (1)                              --json 1     one JSON object a stage
 *                             --only NAME  one stage, for a profiler
 *
 * Times are of the processor (all threads), the least of some batches: what other programs do on the machine shows less
 * there than in wall time. With more than one thread wall time is what counts, and is printed instead. Flops are those of
 * the products with dense layers that a stage cannot do without, two a multiplication; all else counts as nothing. */
#include "envs/cartpole.h"

#include "train/trainer.h"

#include <blpo/blpo.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N_ENVS = 4, BATCHES = 15 };

typedef struct bench {
    int64_t steps, rows, rank, hidden[2], threads, json;
    const char *only; /* NULL: all stages */
    struct cartpole poles[N_ENVS];
    struct cartpole_batch batch;
    blpo_trainer *trainer;
    real *hessian_rows;
    int64_t *index;
} bench;

static double now(const bench *b)
{
    struct timespec t;
    clock_gettime(b->threads > 1 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static blpo_trainer *make(bench *b, int method)
{
    blpo_env env;
    blpo_config config;
    blpo_runtime runtime;
    blpo_trainer *trainer = NULL;
    b->batch = (struct cartpole_batch){.pole = b->poles, .n = N_ENVS};
    cartpole_env(&env, &b->batch);
    blpo_config_init(&config, sizeof config);
    blpo_config_set_method(&config, method);
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.n_threads = b->threads;
    config.seed = 1;
    config.n_steps = b->rows;
    config.nystrom_rank = b->rank;
    config.actor_network.hidden = config.critic_network.hidden = b->hidden;
    if (blpo_trainer_create(&env, &config, &runtime, &trainer) != BLPO_OK)
        exit(1);
    return trainer;
}

/* ---- stages ---- */

static void load(bench *b)
{
    const int64_t env = 0;
    blpo__game_load(&b->trainer->game, b->trainer->rollout, &env, 1, b->trainer->returns);
}

static void critic_gradient(bench *b)
{
    blpo__game_critic_gradient(&b->trainer->game, b->trainer->gradient);
}

static void critic_adam(bench *b)
{
    blpo__adam_step(&b->trainer->critic_adam_work, 0.0, b->trainer->gradient, b->trainer->game.w);
}

static void actor_adam(bench *b)
{
    blpo__adam_step(&b->trainer->actor_adam_work, 0.0, b->trainer->direct, b->trainer->game.theta);
}

static void direct(bench *b)
{
    blpo__game_linearise(&b->trainer->game, b->trainer->direct, NULL);
}

static void direct_and_v(bench *b)
{
    blpo__game_linearise(&b->trainer->game, b->trainer->direct, b->trainer->response);
}

static void rows(bench *b)
{
    blpo__game_hessian_rows(&b->trainer->game, b->index, b->rank, b->hessian_rows);
}

static void product(bench *b)
{
    blpo__game_hessian_product(&b->trainer->game, b->trainer->response, b->hessian_rows);
}

static void mixed(bench *b)
{
    blpo__game_mixed_product(&b->trainer->game, b->trainer->gradient, b->trainer->total);
}

static void solve(bench *b)
{
    blpo_hypergrad_compute(b->trainer->solver, b->trainer->direct, b->trainer->response, b->trainer->total, NULL);
}

static void act(bench *b)
{
    blpo__trainer_act(b->trainer, b->trainer->stepping.obs);
}

static void one_action(bench *b)
{
    int64_t action;
    blpo_policy_act(b->trainer->policy, b->trainer->stepping.obs, 1, BLPO_DETERMINISTIC, NULL, &action);
}

/* Least time of a call, in microseconds. */
static double time_of(bench *b, void (*stage)(bench *))
{
    double best = 1e30;
    int64_t n = 1;
    for (int batch = 0; batch < BATCHES; batch++) {
        const double start = now(b);
        for (int64_t i = 0; i < n; i++)
            stage(b);
        const double seconds = now(b) - start;
        best = seconds / (double)n < best ? seconds / (double)n : best;
        if (seconds < 4e-3) {
            n *= 2;
            batch = -1;
        }
    }
    return 1e6 * best;
}

static void report(bench *b, const char *name, void (*stage)(bench *), double flops)
{
    if (b->only != NULL && strcmp(b->only, name) != 0)
        return;
    const double us = time_of(b, stage);
    if (b->json)
        printf("{\"what\":\"stage\",\"name\":\"%s\",\"us\":%.3f,\"flops\":%.0f}\n", name, us, flops);
    else if (flops > 0.0)
        printf("%-28s %9.2f us %8.1f GFLOP/s\n", name, us, flops / us * 1e-3);
    else
        printf("%-28s %9.2f us\n", name, us);
}

static void stages(bench *b)
{
    b->trainer = make(b, BLPO_METHOD_BLPO);
    const blpo__game *game = &b->trainer->game;
    for (int i = 0; i < 3; i++)
        if (blpo_trainer_collect(b->trainer) < 0 || blpo_trainer_update(b->trainer, NULL) < 0)
            exit(1);
    blpo_trainer_collect(b->trainer);
    const int64_t p = game->critic->n_parameters;
    b->hessian_rows = malloc((size_t)(p * b->rank) * sizeof(real));
    b->index = malloc((size_t)b->rank * sizeof *b->index);
    if (b->hessian_rows == NULL || b->index == NULL)
        exit(1);
    for (int64_t i = 0; i < b->rank; i++)
        b->index[i] = (7 * p / 10 + i * 911) % p;
    load(b);
    direct_and_v(b);
    const double h = (double)b->hidden[0], layers = h * h + 4.0 * h, pass = 2.0 * (double)b->rows * layers;
    report(b, "load", load, 0.0);
    load(b);
    report(b, "critic gradient (x K)", critic_gradient, 2.0 * pass + 2.0 * (double)b->rows * h * h);
    report(b, "critic Adam (x K)", critic_adam, 0.0);
    report(b, "direct", direct, 3.0 * pass + 2.0 * (double)b->rows * h * h);
    report(b, "direct and v", direct_and_v, 4.0 * pass + 4.0 * (double)b->rows * h * h);
    report(b, "rows of H", rows, (double)b->rank * pass);
    report(b, "one product with H", product, 0.0);
    report(b, "mixed product", mixed, 2.0 * pass);
    report(b, "solve, rows and mixed in it", solve, ((double)b->rank + 2.0) * pass);
    report(b, "actor Adam", actor_adam, 0.0);
    report(b, "act, 4 environments", act, 8.0 * layers);
    report(b, "one action", one_action, 2.0 * layers);
    free(b->index);
    free(b->hessian_rows);
    blpo_trainer_destroy(b->trainer);
}

/* ---- whole runs ---- */

/* Least times of a collect and of an update of some runs of updates; steps a second of the best run. */
static void run(bench *b, const char *name, int method)
{
    blpo_trainer *trainer = make(b, method);
    const int64_t steps = N_ENVS * b->rows, n = b->steps / 3 / steps + 1;
    double best = 1e30, collecting = 1e30, updating = 1e30;
    blpo_trainer_run(trainer, steps, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        const double start = now(b);
        for (int64_t u = 0; u < n; u++) {
            const double before = now(b);
            if (blpo_trainer_collect(trainer) < 0)
                exit(1);
            const double between = now(b);
            if (blpo_trainer_update(trainer, NULL) < 0)
                exit(1);
            const double after = now(b);
            collecting = between - before < collecting ? between - before : collecting;
            updating = after - between < updating ? after - between : updating;
        }
        const double seconds = (now(b) - start) / (double)(n * steps);
        best = seconds < best ? seconds : best;
    }
    char text[64];
    printf("%-28s %9.0f steps/s\n", name, 1.0 / best);
    snprintf(text, sizeof text, "%s, collect", name);
    printf("%-28s %9.2f us\n", text, 1e6 * collecting);
    snprintf(text, sizeof text, "%s, update", name);
    printf("%-28s %9.2f us\n", text, 1e6 * updating);
    blpo_trainer_destroy(trainer);
}

static int64_t option(int argc, char **argv, const char *name, int64_t otherwise)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0)
            return strtoll(argv[i + 1], NULL, 10);
    return otherwise;
}

int main(int argc, char **argv)
{
    static bench b;
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--only") == 0)
            b.only = argv[i + 1];
    b.steps = option(argc, argv, "--steps", 60000);
    b.rows = option(argc, argv, "--rows", 128);
    b.rank = option(argc, argv, "--rank", 5);
    b.json = option(argc, argv, "--json", 0);
    b.threads = option(argc, argv, "--threads", 1);
    b.hidden[0] = b.hidden[1] = option(argc, argv, "--hidden", 64);
    stages(&b);
    if (b.steps > 0) {
        run(&b, "blpo", BLPO_METHOD_BLPO);
        run(&b, "nested", BLPO_METHOD_NESTED);
        run(&b, "ppo", BLPO_METHOD_PPO);
    }
    return 0;
}
