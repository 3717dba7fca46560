/* Where the time of an update goes: one minibatch of CartPole (published settings: 128 steps, 64-64 tanh, K 3, k 5) stage
 * by stage, in microseconds, in the flops that it needs at least (model.h), and in GFLOP/s, then steps a second of whole runs by
 * each method. bench/sgemm measures the peak of the machine, bench/report.py sets both side by side.
 *
 *     stages [options]        --steps N   environment steps of a run (60000)       --rows T     steps a trajectory (128)
 *                             --rank K    rows of the Hessian (5)                  --hidden H   width of both layers (64)
 *                             --threads N (1)                              --json 1     one JSON object a stage
 *                             --only NAME  one stage, for a profiler
 *
 * Times are of the processor (all threads), the least of some batches: what other programs do on the machine shows less
 * there than in wall time. With more than one thread wall time is what counts, and is printed instead. The stages up to "actor
 * Adam" make up a minibatch, with its share of the rollout; what comes after them is made of several, or stands alone. v shares the
 * passes of the direct term, so its time is what both take less the direct term alone. */
#include "harness.h"
#include "model.h"

#include "envs/cartpole.h"

#include "hypergrad/hypergrad.h"
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
    double *core_v;         /* C v, which step 5 of the solver overwrites */
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

static void core(bench *b)
{
    blpo_hypergrad_report report = {.struct_size = sizeof report};
    blpo__nystrom_core(b->trainer->solver, b->trainer->response, &report);
}

/* Else the solver works in the space of samples: those are one stage. */
static int has_rows(const bench *b)
{
    return b->trainer->game.row_factors == NULL;
}

static void apply(bench *b)
{
    memcpy(b->trainer->solver->core_v, b->core_v, (size_t)b->rank * sizeof *b->core_v);
    blpo__nystrom_apply(b->trainer->solver, b->trainer->response, b->hessian_rows);
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

/* The rollout is full: what is in it is dropped, and as much is collected. */
static void rollout(bench *b)
{
    bench_check(blpo_trainer_drop_rollout(b->trainer), "drop", blpo_trainer_error(b->trainer));
    bench_check(blpo_trainer_collect(b->trainer), "collect", blpo_trainer_error(b->trainer));
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

static int wanted(const bench *b, const char *name) { return b->only == NULL || strcmp(b->only, name) == 0; }

static void print(const bench *b, const char *name, double us, double flops)
{
    if (b->json)
        printf("{\"what\":\"stage\",\"name\":\"%s\",\"us\":%.3f,\"flops\":%.0f}\n", name, us, flops);
    else if (flops > 0.0)
        printf("%-28s %9.2f us %11.0f flops %8.1f GFLOP/s\n", name, us, flops, flops / us * 1e-3);
    else
        printf("%-28s %9.2f us\n", name, us);
}

static void report(bench *b, const char *name, void (*stage)(bench *), double flops)
{
    if (wanted(b, name))
        print(b, name, time_of(b, stage), flops);
}

/* `both` without `part` */
static void report_rest(bench *b, const char *name, void (*both)(bench *), void (*part)(bench *), double flops)
{
    if (wanted(b, name))
        print(b, name, time_of(b, both) - time_of(b, part), flops);
}

/* A trainer that has collected its fourth rollout. */
static void prepare_trainer(bench *b)
{
    b->trainer = make(b, BLPO_METHOD_BLPO);
    for (int i = 0; i < 3; i++)
        if (blpo_trainer_collect(b->trainer) < 0 || blpo_trainer_update(b->trainer, NULL) < 0)
            exit(1);
    blpo_trainer_collect(b->trainer);
}

/* The first minibatch loaded, and a solver that has solved it. */
static void prepare_minibatch(bench *b)
{
    const int64_t p = b->trainer->game.critic->n_parameters;
    b->hessian_rows = malloc((size_t)(p * b->rank) * sizeof(real));
    b->index = malloc((size_t)b->rank * sizeof *b->index);
    b->core_v = malloc((size_t)b->rank * sizeof *b->core_v);
    if (b->hessian_rows == NULL || b->index == NULL || b->core_v == NULL)
        exit(1);
    for (int64_t i = 0; i < b->rank; i++)
        b->index[i] = (7 * p / 10 + i * 911) % p;
    load(b);
    direct_and_v(b);
    solve(b);
    if (has_rows(b))
        core(b);
    memcpy(b->core_v, b->trainer->solver->core_v, (size_t)b->rank * sizeof *b->core_v);
}

static void stages(bench *b)
{
    const bench_shape shape = {.obs = CARTPOLE_OBS, .outputs = 2, .n_hidden = 2, .hidden = b->hidden[0]};
    const double n = (double)b->rows, k = (double)b->rank, p = bench_weights(&shape, 1) + bench_biases(&shape, 1);
    const double critic = 2.0 * n * bench_weights(&shape, 1), actor = 2.0 * n * bench_weights(&shape, 2);
    const double critic_signals = n * bench_signals(&shape, 1), actor_signals = n * bench_signals(&shape, 2);
    const double direct_flops = critic + actor_signals + actor, v_flops = critic_signals - critic + critic;
    const double core_flops = k * k * p + 2.0 * k * p, x_flops = 2.0 * k * p;
    prepare_trainer(b);
    report(b, "rollout, all steps", rollout, 4.0 * actor);
    prepare_minibatch(b);
    report(b, "load", load, 0.0);
    load(b);
    report(b, "critic gradient (x K)", critic_gradient, critic_signals + critic);
    report(b, "critic Adam (x K)", critic_adam, 0.0);
    report(b, "direct", direct, direct_flops);
    report_rest(b, "v", direct_and_v, direct, v_flops);
    direct_and_v(b);
    if (has_rows(b)) {
        report(b, "rows of H", rows, k * critic);
        report(b, "core", core, core_flops);
        report(b, "x", apply, x_flops);
    }
    report(b, "mixed product", mixed, critic + actor);
    report(b, "actor Adam", actor_adam, 0.0);
    report(b, "direct and v", direct_and_v, direct_flops + v_flops);
    report(b, "solve: rows to mixed product", solve, bench_rows_flops(&shape, n, k) + x_flops + critic + actor);
    report(b, "one product with H", product, n * bench_hessian_product(&shape, 1));
    report(b, "act, 4 environments", act, 4.0 * actor / n);
    report(b, "one action", one_action, actor / n);
    free(b->core_v);
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
