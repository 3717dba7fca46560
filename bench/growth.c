/* How the time of a minibatch grows with each size, everything else as published: T steps a trajectory, width and depth of
 * the networks, rank k, length of an observation, trajectories a minibatch, threads.
 *
 *     growth [--seconds S] [--only NAME]     (threads only where it is named: it must not be pinned to one processor)
 *
 * A line a point: microseconds of one minibatch (one update by its number of minibatches) and the flops it needs at least
 * (model.h). The report fits exponents to both. Processor time, but for threads, where it is wall time. */
#include "harness.h"
#include "runs.h"

#include <stddef.h>
#include <string.h>

typedef struct sweep {
    const char *name;
    size_t field; /* offset in bench_plan */
    int64_t values[10]; /* ends with 0 */
} sweep;

#define FIELD(name) offsetof(bench_plan, name)
static const sweep sweeps[] = {
    {"T", FIELD(n_steps), {128, 256, 512, 1024, 2048, 4096}},
    {"hidden", FIELD(hidden), {32, 64, 128, 256}},
    {"depth", FIELD(n_hidden), {1, 2, 3, 4}},
    {"k", FIELD(rank), {1, 2, 5, 10, 20, 50, 100}},
    {"observation", FIELD(obs), {4, 8, 16, 32, 64, 128, 376}},
    {"trajectories", FIELD(trajectories), {1, 2, 4, 8, 16, 32}},
    {"threads", FIELD(threads), {1, 2}},
};

static void collect(bench_run *run)
{
    bench_check(blpo_trainer_collect(run->trainer), "collect", blpo_trainer_error(run->trainer));
}

/* Least seconds of an update; rollouts are collected between, off the clock. */
static double least_update(bench_run *run, double seconds, double (*clock)(void))
{
    double best = 1e30, spent = 0.0;
    for (int i = 0; i < 3 || spent < seconds; i++) {
        collect(run);
        const double start = clock();
        bench_check(blpo_trainer_update(run->trainer, NULL), "update", blpo_trainer_error(run->trainer));
        const double took = clock() - start;
        spent += took;
        if (i > 0 && took < best)
            best = took;
    }
    return best;
}

static int with_threads(const sweep *s) { return s->field == FIELD(threads); }

static bench_plan plan_of(const sweep *s, int64_t value)
{
    bench_plan plan;
    bench_plan_default(&plan);
    plan.env = "noise";
    plan.n_envs = plan.n_epochs = 1;
    if (s->field == FIELD(trajectories))
        plan.n_envs = 32;
    if (with_threads(s))
        plan.n_steps = 640;
    memcpy((char *)&plan + s->field, &value, sizeof value);
    return plan;
}

static void measure(const sweep *s, int64_t value, double seconds)
{
    const bench_plan plan = plan_of(s, value);
    bench_run run = bench_run_create(&plan, NULL);
    const double took = least_update(&run, seconds, with_threads(s) ? bench_wall : bench_cpu);
    bench_line("{\"what\":\"growth\",\"sweep\":\"%s\",\"value\":%lld,\"us\":%.2f,\"flops\":%.0f}", s->name, (long long)value,
               1e6 * took / (double)run.n_minibatches, run.update_flops / (double)run.n_minibatches);
    bench_run_destroy(&run);
}

static void measure_all(const sweep *s, double seconds)
{
    for (int i = 0; s->values[i] != 0; i++)
        measure(s, s->values[i], seconds);
}

int main(int argc, char **argv)
{
    const double seconds = bench_double(argc, argv, "--seconds", 0.1);
    const char *only = bench_text(argc, argv, "--only", NULL);
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++)
        if (strcmp(only != NULL ? only : sweeps[i].name, sweeps[i].name) == 0 && (only != NULL || !with_threads(&sweeps[i])))
            measure_all(&sweeps[i], seconds);
    return 0;
}
