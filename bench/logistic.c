/* The hypergradient of examples/logistic.h by the library, for bench/peer_hypergrad.py to hold PyTorch against.
 *
 *     logistic FILE.csv [--method cg|dense|gauss_newton|nystrom_pcg] [--size N] [--rho RHO] [--seconds S] [--serve]
 *
 * Ridges are exp(lambda_j), lambda_j = log(1e-2) + 0.3 (j mod 5 - 2). One line a turn: microseconds of blpo_hypergrad_compute(), v and
 * the fit being there; residual as reported; the hypergradient. */
#include "logistic.h"
#include "harness.h"

typedef struct task {
    struct logistic problem;
    blpo_hypergrad *solver;
    blpo_hypergrad_report report;
    float zero[LOGISTIC_FEATURES], response[LOGISTIC_WEIGHTS], out[LOGISTIC_FEATURES];
} task;

static const char *const names[] = {"none", "nystrom", "cg", "dense", "nystrom_pcg", "neumann", "gauss_newton"};

static int method_of(const char *name)
{
    int method = 0;
    while (method < 6 && strcmp(names[method], name) != 0)
        method++;
    return method;
}

static void open_problem(task *t, const char *path)
{
    double v[LOGISTIC_WEIGHTS];
    bench_check(logistic_load(&t->problem, path), path, NULL);
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        t->problem.lambda[j] = log(1e-2) + 0.3 * (j % 5 - 2);
    logistic_fit(&t->problem);
    logistic_gradient(&t->problem, &t->problem.validation, v);
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        t->response[j] = (float)v[j];
}

static blpo_hypergrad *solver_of(task *t, int argc, char **argv, int32_t report_residual)
{
    const blpo_problem problem = logistic_problem(&t->problem);
    blpo_hypergrad_config config;
    blpo_hypergrad *solver = NULL;
    blpo_hypergrad_config_init(&config, sizeof config);
    config.method = method_of(bench_text(argc, argv, "--method", "cg"));
    config.cg_iterations = bench_int(argc, argv, "--size", 31);
    config.nystrom_rank = 10;
    config.nystrom_rho = bench_double(argc, argv, "--rho", 1e-6);
    config.report_residual = report_residual;
    bench_check(blpo_hypergrad_create(&problem, &config, NULL, &solver), "solver", NULL);
    return solver;
}

static void compute(void *user)
{
    task *t = user;
    bench_check(blpo_hypergrad_compute(t->solver, t->zero, t->response, t->out, &t->report), "compute",
                blpo_hypergrad_error(t->solver));
}

static const char *numbers(const float *x, int n)
{
    static char text[32 * LOGISTIC_FEATURES];
    int at = 0;
    for (int j = 0; j < n; j++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%.9g", j == 0 ? "" : ",", (double)x[j]);
    return text;
}

int main(int argc, char **argv)
{
    static task t;
    if (argc < 2) {
        fprintf(stderr, "usage: logistic FILE.csv [--method NAME] [--size N] [--rho RHO] [--seconds S] [--serve]\n");
        return 2;
    }
    open_problem(&t, argv[1]);
    t.report.struct_size = sizeof t.report;
    t.solver = solver_of(&t, argc, argv, 1);
    compute(&t);
    const double residual = t.report.relative_residual;
    blpo_hypergrad_destroy(t.solver);
    t.solver = solver_of(&t, argc, argv, 0);
    bench_turns turns = bench_begin(argc, argv, "libblpo");
    while (bench_next(&turns)) {
        const double us = bench_least_us(compute, &t, bench_double(argc, argv, "--seconds", 0.1));
        bench_line("{\"us\":%.3f,\"residual\":%.3g,\"products\":%lld,\"h\":[%s]}", us, residual,
                   (long long)t.report.n_products, numbers(t.out, LOGISTIC_FEATURES));
    }
    blpo_hypergrad_destroy(t.solver);
    return 0;
}
