/* How good a hypergradient is for how many products: each method on the logistic regression of logistic.h, all ridge
 * coefficients 1e-4, against the exact hypergradient by elimination in double.
 *
 *     cc hyperopt_error.c -o hyperopt_error $(pkg-config --cflags --libs blpo) && ./hyperopt_error > error.csv
 *
 *     hyperopt_error [--rows] [DATA]       data/breast_cancer.csv
 *
 * CSV: rho, method, size (rows, iterations or terms), products, error |h - h*| / |h*|: the median of 21 draws and its quartiles,
 * h* with rho 0. So an exact method shows what damping alone costs. plot_hyperopt.sh draws it.
 *
 * With --rows: Nystrom alone, every number of rows, 201 draws each, ridge coefficients about 1e-2. CSV: rho, rows, that error, and the same against
 * h* with this rho, so without what damping costs.
 *
 * Some five seconds of processor time, with --rows two: longer on a machine that is busy. stderr says how far it is. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "logistic.h"

#include <unistd.h>

enum { DRAWS = 21, DRAWS_OF_ROWS = 201 };
static const double RHOS[] = {1e-4, 1e-8}, RHOS_OF_ROWS[] = {1e-2, 1e-3, 1e-4};

struct curve {
    const char *name;
    int method, draw;
    int step, most; /* sizes 1, 1 + step, ... up to `most` */
};

static const struct curve CURVES[] = {
    {"none", BLPO_IHVP_NONE, 0, 1, 1},
    {"nystrom", BLPO_IHVP_NYSTROM, BLPO_DRAW_UNIFORM, 2, LOGISTIC_WEIGHTS},
    {"nystrom by diagonal", BLPO_IHVP_NYSTROM, BLPO_DRAW_DIAGONAL, 2, LOGISTIC_WEIGHTS},
    {"cg", BLPO_IHVP_CG, 0, 2, 61},
    {"nystrom_pcg of 10 columns", BLPO_IHVP_NYSTROM_PCG, 0, 2, 41},
    {"neumann", BLPO_IHVP_NEUMANN, 0, 25, 1001},
    {"gauss_newton", BLPO_IHVP_GAUSS_NEWTON, 0, 1, 1},
    {"dense", BLPO_IHVP_DENSE, 0, 1, 1},
};

/* How far it is, on stderr: on a terminal a line that is rewritten, in a log one a tenth. Rows that are seen to come say it
 * themselves. */
static void progress(int done, int all)
{
    const int live = isatty(STDERR_FILENO);
    if (!isatty(STDOUT_FILENO) && (live || done * 10 / all > (done - 1) * 10 / all))
        fprintf(stderr, "%s%4d of %d rows%s", live ? "\r" : "", done, all, live && done < all ? "" : "\n");
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double error_of(const double *h, const double *exact)
{
    double away = 0.0, size = 0.0;
    for (int j = 0; j < LOGISTIC_FEATURES; j++) {
        away += (h[j] - exact[j]) * (h[j] - exact[j]);
        size += exact[j] * exact[j];
    }
    return sqrt(away / size);
}

static blpo_hypergrad_config config_of(const struct curve *curve, int size, double rho)
{
    blpo_hypergrad_config config;
    blpo_hypergrad_config_init(&config, sizeof config);
    config.method = curve->method;
    config.nystrom_draw = curve->draw;
    config.nystrom_rank = curve->method == BLPO_IHVP_NYSTROM ? size : 10;
    config.nystrom_rho = rho;
    config.nystrom_shift = 0.0;
    config.cg_iterations = config.neumann_terms = size;
    return config;
}

struct error {
    double median, low, high; /* and its quartiles */
};

static struct error spread(double *draws, int n)
{
    qsort(draws, (size_t)n, sizeof *draws, by_size);
    const struct error e = {draws[n / 2], draws[n / 4], draws[n - 1 - n / 4]};
    return e;
}

/* Errors of n draws against two exact hypergradients, and products of one. */
static int measure(const struct logistic *l, const blpo_problem *problem, const blpo_hypergrad_config *config, int n,
                   const double *const exact[2], struct error error[2], long long *products)
{
    blpo_hypergrad_report report = {.struct_size = sizeof report};
    double draws[2][DRAWS_OF_ROWS], h[LOGISTIC_FEATURES];
    blpo_hypergrad *solver = NULL;
    int rc = blpo_hypergrad_create(problem, config, NULL, &solver);
    for (int i = 0; i < n && rc == BLPO_OK; i++) {
        rc = logistic_hypergradient(l, solver, h, &report);
        for (int e = 0; e < 2; e++)
            draws[e][i] = error_of(h, exact[e]);
    }
    blpo_hypergrad_destroy(solver);
    for (int e = 0; e < 2 && rc == BLPO_OK; e++)
        error[e] = spread(draws[e], n);
    *products = (long long)report.n_products;
    return rc;
}

/* Rows of all curves, with each rho. */
static int count_methods(void)
{
    int n = 0;
    for (const struct curve *c = CURVES; c < CURVES + sizeof CURVES / sizeof *CURVES; c++)
        n += (c->most - 1) / c->step + 1;
    return n * (int)(sizeof RHOS / sizeof *RHOS);
}

static int methods(struct logistic *l, const blpo_problem *problem)
{
    int done = 0;
    double exact[LOGISTIC_FEATURES];
    const double *const both[2] = {exact, exact};
    struct error error[2];
    long long products;
    int rc = BLPO_OK;
    logistic_exact(l, 0.0, exact);
    printf("rho,method,size,products,error,quartile_low,quartile_high\n");
    for (size_t r = 0; r < sizeof RHOS / sizeof *RHOS; r++)
        for (const struct curve *c = CURVES; c < CURVES + sizeof CURVES / sizeof *CURVES; c++)
            for (int size = 1; size <= c->most && rc == BLPO_OK; size += c->step) {
                const blpo_hypergrad_config config = config_of(c, size, RHOS[r]);
                rc = measure(l, problem, &config, DRAWS, both, error, &products);
                printf("%g,%s,%d,%lld,%.6g,%.6g,%.6g\n", RHOS[r], c->name, size, products, error->median, error->low,
                       error->high);
                progress(++done, count_methods());
            }
    return rc;
}

static int rows(struct logistic *l, const blpo_problem *problem)
{
    static const struct curve nystrom = {"nystrom", BLPO_IHVP_NYSTROM, BLPO_DRAW_UNIFORM, 1, LOGISTIC_WEIGHTS};
    double exact[LOGISTIC_FEATURES], damped[LOGISTIC_FEATURES];
    const double *const both[2] = {exact, damped};
    struct error e[2];
    long long products;
    int rc = BLPO_OK;
    logistic_exact(l, 0.0, exact);
    printf("rho,rows,error,quartile_low,quartile_high,to_damped,to_damped_low,to_damped_high\n");
    for (size_t r = 0; r < sizeof RHOS_OF_ROWS / sizeof *RHOS_OF_ROWS; r++) {
        logistic_exact(l, RHOS_OF_ROWS[r], damped);
        for (int size = 1; size <= nystrom.most && rc == BLPO_OK; size++) {
            const blpo_hypergrad_config config = config_of(&nystrom, size, RHOS_OF_ROWS[r]);
            rc = measure(l, problem, &config, DRAWS_OF_ROWS, both, e, &products);
            printf("%g,%d,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", RHOS_OF_ROWS[r], size, e[0].median, e[0].low, e[0].high,
                   e[1].median, e[1].low, e[1].high);
            progress((int)r * nystrom.most + size, (int)(sizeof RHOS_OF_ROWS / sizeof *RHOS_OF_ROWS) * nystrom.most);
        }
    }
    return rc;
}

int main(int argc, char **argv)
{
    static struct logistic logistic;
    const int of_rows = argc > 1 && strcmp(argv[1], "--rows") == 0;
    const int n_paths = argc - 1 - of_rows;
    const char *path = n_paths > 0 ? argv[1 + of_rows] : "data/breast_cancer.csv";
    const int help = argc == 2 && strcmp(argv[1], "--help") == 0;
    if (help || n_paths > 1 || strncmp(path, "--", 2) == 0) {
        fprintf(help ? stdout : stderr, "usage: %s [--rows] [DATA]\n", argv[0]);
        return help ? 0 : 2;
    }
    if (logistic_load(&logistic, path) != 0)
        return 1;
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        logistic.lambda[j] = of_rows ? log(1e-2) + 0.3 * (j % 5 - 2) : log(1e-4);
    logistic_fit(&logistic);
    const blpo_problem problem = logistic_problem(&logistic);
    const int rc = of_rows ? rows(&logistic, &problem) : methods(&logistic, &problem);
    if (rc != BLPO_OK)
        fprintf(stderr, "%s\n", blpo_status_text(rc));
    return rc != BLPO_OK;
}
