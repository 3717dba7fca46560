/* Trainers to be measured: which environment, which method, which sizes. */
#ifndef BENCH_RUNS_H
#define BENCH_RUNS_H

#include "model.h"

#include <blpo/blpo.h>

#include <stdint.h>

/* A method by name: what makes it in blpo_config. A new one is a new line in runs.c. */
typedef struct bench_method {
    const char *name;
    int method;      /* a blpo_method */
    int32_t ihvp;    /* a blpo_ihvp_method, where the hypergradient is followed */
} bench_method;

extern const bench_method bench_methods[]; /* ends with a NULL name */
const bench_method *bench_find_method(const char *name);

/* Defaults of bench_plan_default(): the published CartPole settings. */
typedef struct bench_plan {
    const char *env;          /* "cartpole", "pendulum", or "noise": observations and rewards of random numbers */
    const bench_method *method;
    uint64_t seed;
    int64_t n_envs, n_steps, n_epochs, trajectories;
    int64_t n_hidden, hidden, obs; /* obs: of "noise" */
    int64_t critic_steps;     /* 0: the method's own */
    int64_t rank, threads;
} bench_plan;

typedef struct bench_run {
    blpo_trainer *trainer;
    void *worlds;             /* what the environment's callbacks use */
    bench_shape shape;
    int64_t n_minibatches;    /* of one update */
    double update_flops;      /* model.h */
} bench_run;

void bench_plan_default(bench_plan *plan);
void bench_plan_options(bench_plan *plan, int argc, char **argv);

/* Ends the program when it cannot be made. runtime: NULL, or what the trainer is to use besides plan->threads. */
bench_run bench_run_create(const bench_plan *plan, const blpo_runtime *runtime);
void bench_run_destroy(bench_run *run);

#endif
