/* How good a hypergradient is for how many products: each method on the logistic regression of logistic.h, all ridge
 * coefficients 1e-4, against the exact hypergradient by elimination in double.
 *
 *     cc hyperopt_error.c -o hyperopt_error $(pkg-config --cflags --libs blpo) -lm && ./hyperopt_error > error.csv
 *
 *     hyperopt_error [DATA]       data/breast_cancer.csv
 *
 * CSV: rho, method, size (rows, iterations or terms), products, error |h - h*| / |h*|: the median of 21 draws and its quartiles,
 * h* with rho 0. So an exact method shows what damping alone costs. plot_hyperopt.sh draws it. */
#include "logistic.h"

enum { DRAWS = 21 };
static const double RHOS[] = {1e-4, 1e-8};

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

/* One row of the CSV. */
static int measure(const struct logistic *l, const blpo_problem *problem, const struct curve *curve, int size,
                   double rho, const double *exact)
{
    const blpo_hypergrad_config config = config_of(curve, size, rho);
    blpo_hypergrad_report report = {.struct_size = sizeof report};
    double error[DRAWS], h[LOGISTIC_FEATURES];
    blpo_hypergrad *solver = NULL;
    int rc = blpo_hypergrad_create(problem, &config, NULL, &solver);
    for (int i = 0; i < DRAWS && rc == BLPO_OK; i++) {
        rc = logistic_hypergradient(l, solver, h, &report);
        error[i] = error_of(h, exact);
    }
    blpo_hypergrad_destroy(solver);
    if (rc != BLPO_OK)
        return rc;
    qsort(error, DRAWS, sizeof *error, by_size);
    printf("%g,%s,%d,%lld,%.6g,%.6g,%.6g\n", rho, curve->name, size, (long long)report.n_products, error[DRAWS / 2],
           error[DRAWS / 4], error[DRAWS - 1 - DRAWS / 4]);
    return BLPO_OK;
}

int main(int argc, char **argv)
{
    static struct logistic logistic;
    double exact[LOGISTIC_FEATURES];
    const char *path = argc > 1 ? argv[1] : "data/breast_cancer.csv";
    if (logistic_load(&logistic, path) != 0) {
        fprintf(stderr, "%s: cannot be read, or is not the CSV of scripts/export_data.py\n", path);
        return 1;
    }
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        logistic.lambda[j] = log(1e-4);
    logistic_fit(&logistic);
    logistic_exact(&logistic, 0.0, exact);
    const blpo_problem problem = logistic_problem(&logistic);
    printf("rho,method,size,products,error,quartile_low,quartile_high\n");
    int rc = BLPO_OK;
    for (size_t r = 0; r < sizeof RHOS / sizeof *RHOS; r++)
        for (size_t i = 0; i < sizeof CURVES / sizeof *CURVES; i++)
            for (int size = 1; size <= CURVES[i].most && rc == BLPO_OK; size += CURVES[i].step)
                rc = measure(&logistic, &problem, &CURVES[i], size, RHOS[r], exact);
    if (rc != BLPO_OK)
        fprintf(stderr, "%s\n", blpo_status_text(rc));
    return rc != BLPO_OK;
}
