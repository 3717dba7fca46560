/* Another bilevel problem than a game of actor and critic: thirty ridge coefficients of a logistic regression, one a feature,
 * tuned by the gradient of the validation loss through the fit (logistic.h). A search on a grid would need 10^30 fits; this
 * makes one a step.
 *
 *     cc hyperopt.c -o hyperopt $(pkg-config --cflags --libs blpo) && ./hyperopt --csv hyperopt.csv
 *
 *     --data FILE      data/breast_cancer.csv      --steps N       outer steps (300)
 *     --method NAME    none nystrom cg dense nystrom_pcg neumann gauss_newton (dense)
 *     --rank K         of nystrom and nystrom_pcg alone (10)        --rho R         damping (1e-6)
 *     --csv FILE       one row a step: losses, norms, residual, then log10 of every coefficient
 *
 * plot_hyperopt.sh draws the CSV. The last line on stdout: method= steps= seconds= validation_before= validation_after=
 * test_before= test_after= */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, getopt */
#include "logistic.h"

#include <errno.h>
#include <getopt.h>
#include <time.h>

static const char *const METHODS[] = {"none", "nystrom", "cg", "dense", "nystrom_pcg", "neumann", "gauss_newton"};

struct options {
    const char *data, *csv;
    long steps;
    blpo_hypergrad_config solver;
};

/* -- options -- */

static int usage(FILE *out)
{
    fprintf(out, "usage: hyperopt [--data FILE] [--csv FILE] [--steps N] [--method NAME] [--rank K] [--rho R]\n"
                 "methods: none nystrom cg dense nystrom_pcg neumann gauss_newton\n");
    return -1;
}

static int parse_method(const char *text, int32_t *out)
{
    for (int m = 0; m < (int)(sizeof METHODS / sizeof *METHODS); m++)
        if (strcmp(text, METHODS[m]) == 0) {
            *out = m;
            return 1;
        }
    return 0;
}

/* A whole number from 1 on, and nothing after it. */
static int parse_count(const char *text, long *out)
{
    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < 1)
        return 0;
    *out = value;
    return 1;
}

/* A finite number above 0, and nothing after it. */
static int parse_positive(const char *text, double *out)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0.0) || isinf(value))
        return 0;
    *out = value;
    return 1;
}

static void defaults(struct options *o)
{
    o->data = "data/breast_cancer.csv";
    o->csv = NULL;
    o->steps = 300;
    blpo_hypergrad_config_init(&o->solver, sizeof o->solver);
    o->solver.method = BLPO_IHVP_DENSE;
    o->solver.nystrom_rank = 10;
    o->solver.nystrom_rho = 1e-6;
    o->solver.nystrom_shift = 0.0;
    o->solver.cg_iterations = 60;
    o->solver.neumann_terms = 1000;
    o->solver.report_residual = 1;
}

/* 0, 1 after --help, or -1 after wrong usage. */
static int parse(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"data", required_argument, NULL, 'd'},  {"csv", required_argument, NULL, 'c'},
        {"steps", required_argument, NULL, 's'}, {"method", required_argument, NULL, 'm'},
        {"rank", required_argument, NULL, 'k'},  {"rho", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    long rank = 0;
    defaults(o);
    for (int c, at = -1; (c = getopt_long(argc, argv, "", known, &at)) != -1;) {
        int good = 1;
        switch (c) {
        case 'd': o->data = optarg; break;
        case 'c': o->csv = optarg; break;
        case 's': good = parse_count(optarg, &o->steps); break;
        case 'm': good = parse_method(optarg, &o->solver.method); break;
        case 'k': good = parse_count(optarg, &rank); break;
        case 'r': good = parse_positive(optarg, &o->solver.nystrom_rho); break;
        case 'h': usage(stdout); return 1;
        default: return usage(stderr);
        }
        if (!good) {
            fprintf(stderr, "%s: wrong value for --%s: \"%s\"\n", argv[0], known[at].name, optarg);
            return usage(stderr);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: what is \"%s\"?\n", argv[0], argv[optind]);
        return usage(stderr);
    }
    if (rank > 0 && o->solver.method != BLPO_IHVP_NYSTROM && o->solver.method != BLPO_IHVP_NYSTROM_PCG) {
        fprintf(stderr, "%s: --rank is for --method nystrom and nystrom_pcg, not for %s\n", argv[0],
                METHODS[o->solver.method]);
        return usage(stderr);
    }
    if (rank > 0)
        o->solver.nystrom_rank = rank;
    return 0;
}

/* -- the outer problem -- */

/* Adam: the coefficients differ by powers of ten in what they change. */
struct adam {
    double mean[LOGISTIC_FEATURES], square[LOGISTIC_FEATURES];
};

static void adam_step(struct adam *adam, long step, const double *gradient, double *x)
{
    const double rate = 0.05, b1 = 0.9, b2 = 0.999;
    for (int j = 0; j < LOGISTIC_FEATURES; j++) {
        adam->mean[j] += (1.0 - b1) * (gradient[j] - adam->mean[j]);
        adam->square[j] += (1.0 - b2) * (gradient[j] * gradient[j] - adam->square[j]);
        const double mean = adam->mean[j] / (1.0 - pow(b1, (double)step));
        const double square = adam->square[j] / (1.0 - pow(b2, (double)step));
        x[j] -= rate * mean / (sqrt(square) + 1e-8);
    }
}

struct losses {
    double train, validation, test;
};

static struct losses measure(const struct logistic *l)
{
    const struct losses at = {logistic_loss(l, &l->train), logistic_loss(l, &l->validation),
                              logistic_loss(l, &l->test)};
    return at;
}

/* -- what is told -- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void write_head(FILE *csv)
{
    fprintf(csv, "method,step,train,validation,test,hypergradient_norm,relative_residual,n_products");
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        fprintf(csv, ",ridge_%d", j + 1);
    fprintf(csv, "\n");
}

static void write_row(FILE *csv, const struct options *o, const struct logistic *l, long step, struct losses at,
                      const blpo_hypergrad_report *r)
{
    fprintf(csv, "%s,%ld,%.9g,%.9g,%.9g,%.9g,%.3g,%lld", METHODS[o->solver.method], step, at.train, at.validation,
            at.test, r->hypergradient_norm, r->relative_residual, (long long)r->n_products);
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        fprintf(csv, ",%.4f", l->lambda[j] / log(10.0));
    fprintf(csv, "\n");
}

static void progress(const struct options *o, long step, double begun, struct losses at, const blpo_hypergrad_report *r)
{
    const double left = step == 0 ? 0.0 : (now() - begun) * (double)(o->steps - step) / (double)step;
    fprintf(stderr,
            "\r%5ld steps  train %.4f  validation %.4f  test %.4f  |hypergradient| %.1e  residual %.1e  %4.0f s left ",
            step, at.train, at.validation, at.test, r->hypergradient_norm, r->relative_residual, left);
}

/* -- the run -- */

static int tune(const struct options *o, struct logistic *l, blpo_hypergrad *solver, FILE *csv, struct losses *first,
                struct losses *last)
{
    struct adam adam = {{0.0}, {0.0}};
    blpo_hypergrad_report report = {.struct_size = sizeof report};
    double gradient[LOGISTIC_FEATURES];
    const double begun = now();
    for (long step = 0;; step++) {
        logistic_fit(l);
        const int rc = logistic_hypergradient(l, solver, gradient, &report);
        if (rc != BLPO_OK)
            return rc;
        *last = measure(l);
        if (step == 0)
            *first = *last;
        if (csv != NULL)
            write_row(csv, o, l, step, *last, &report);
        if (step % 10 == 0 || step == o->steps)
            progress(o, step, begun, *last, &report);
        if (step == o->steps)
            return BLPO_OK;
        adam_step(&adam, step + 1, gradient, l->lambda);
    }
}

static int run(const struct options *o, struct logistic *l, FILE *csv)
{
    blpo_hypergrad *solver = NULL;
    blpo_error error = {0};
    blpo_runtime runtime;
    struct losses first, last;
    const blpo_problem problem = logistic_problem(l);
    const double begun = now();
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = &error;
    int rc = blpo_hypergrad_create(&problem, &o->solver, &runtime, &solver);
    if (rc == BLPO_OK) {
        rc = tune(o, l, solver, csv, &first, &last);
        fputc('\n', stderr); /* behind the line of progress */
    }
    if (rc == BLPO_OK)
        printf("method=%s steps=%ld seconds=%.2f validation_before=%.6f validation_after=%.6f test_before=%.6f "
               "test_after=%.6f\n",
               METHODS[o->solver.method], o->steps, now() - begun, first.validation, last.validation, first.test,
               last.test);
    else
        fprintf(stderr, "%s\n", solver != NULL ? blpo_hypergrad_error(solver)->text : error.text);
    blpo_hypergrad_destroy(solver);
    return rc == BLPO_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct logistic logistic;
    struct options o;
    const int parsed = parse(&o, argc, argv);
    if (parsed != 0)
        return parsed < 0 ? 2 : 0;
    if (logistic_load(&logistic, o.data) != 0)
        return 1;
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        logistic.lambda[j] = log(1e-4);
    FILE *csv = o.csv != NULL ? fopen(o.csv, "w") : NULL;
    if (o.csv != NULL && csv == NULL) {
        perror(o.csv);
        return 1;
    }
    if (csv != NULL)
        write_head(csv);
    int rc = run(&o, &logistic, csv);
    if (csv != NULL && fclose(csv) != 0) {
        perror(o.csv);
        rc = 1;
    }
    return rc;
}
