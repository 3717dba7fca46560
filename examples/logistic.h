/* Logistic regression with one ridge coefficient a feature, as a bilevel problem:
 *
 *     inner   g(lambda, w) = mean over training rows of log(1 + exp(-s w.x))  +  1/2 sum_j exp(lambda_j) w_j^2,     s = 1 or -1
 *     outer   f(w) = mean over validation rows of log(1 + exp(-s w.x)), at w*(lambda) = argmin_w g
 *
 * The last of the p = 31 weights belongs to a feature that is 1, and has no ridge; q = 30. f does not name lambda, so the whole
 * gradient of f(w*(lambda)) is the implicit part:  direct 0, v = df/dw,  d2g / dlambda dw = diag(exp(lambda) w),
 *
 *     H = X^T D X + diag(exp(lambda)),  D_t = c_t (1 - c_t) / n,  c_t the probability of a 1:  H = J^T J with the rows
 *     sqrt(D_t) x_t of the training rows and sqrt(exp(lambda_j)) e_j of the ridge.
 *
 * So the Gauss-Newton matrix is the Hessian itself, and every method of the library can be held against every other.
 * Data: Breast Cancer Wisconsin (Diagnostic), Wolberg, Mangasarian, Street and Street, 1995, UCI Machine Learning Repository,
 * doi:10.24432/C5DW2B, CC BY 4.0; scripts/export_data.py made the CSV. Of each five rows the first two train, the next two
 * validate, the last one tests; features are scaled to mean 0 and deviation 1 of the training rows. */
#ifndef EXAMPLES_LOGISTIC_H
#define EXAMPLES_LOGISTIC_H

#include <blpo/blpo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGISTIC_FEATURES 30   /* q */
#define LOGISTIC_WEIGHTS 31    /* p */
#define LOGISTIC_MOST_ROWS 256 /* of a part */

/* What crosses the border to the library; its tests have a build in double. */
#ifndef LOGISTIC_REAL
#define LOGISTIC_REAL float
#endif

/* Rows for training, for validation, or for the test at the end. */
struct logistic_rows {
    int n;
    double x[LOGISTIC_MOST_ROWS][LOGISTIC_WEIGHTS];
    double sign[LOGISTIC_MOST_ROWS]; /* 1: benign, -1: not */
};

struct logistic {
    struct logistic_rows train, validation, test;
    double lambda[LOGISTIC_FEATURES];     /* the outer variables */
    double w[LOGISTIC_WEIGHTS];           /* the inner ones: w*(lambda) after logistic_fit() */
    double curvature[LOGISTIC_MOST_ROWS]; /* D_t there */
};

/* -- data -- */

static inline void logistic_shift_and_scale(struct logistic_rows *rows, int j, double shift, double scale)
{
    for (int t = 0; t < rows->n; t++)
        rows->x[t][j] = (rows->x[t][j] + shift) * scale;
}

static inline void logistic_standardise(struct logistic *l)
{
    const double n = l->train.n;
    for (int j = 0; j < LOGISTIC_FEATURES; j++) {
        double mean = 0.0, square = 0.0;
        for (int t = 0; t < l->train.n; t++)
            mean += l->train.x[t][j] / n;
        for (int t = 0; t < l->train.n; t++)
            square += (l->train.x[t][j] - mean) * (l->train.x[t][j] - mean) / n;
        logistic_shift_and_scale(&l->train, j, -mean, 1.0 / sqrt(square));
        logistic_shift_and_scale(&l->validation, j, -mean, 1.0 / sqrt(square));
        logistic_shift_and_scale(&l->test, j, -mean, 1.0 / sqrt(square));
    }
}

/* One line of the CSV: 1 or 0, then the features. 0, or -1. */
static inline int logistic_parse(struct logistic_rows *rows, const char *line)
{
    char *end;
    if (rows->n == LOGISTIC_MOST_ROWS)
        return -1;
    rows->sign[rows->n] = strtod(line, &end) > 0.5 ? 1.0 : -1.0;
    for (int j = 0; j < LOGISTIC_FEATURES; j++) {
        if (*end != ',')
            return -1;
        rows->x[rows->n][j] = strtod(end + 1, &end);
    }
    rows->x[rows->n++][LOGISTIC_FEATURES] = 1.0;
    return 0;
}

/* 0, or -1 when the file cannot be read or is another one, and stderr says so. */
static inline int logistic_load(struct logistic *l, const char *path)
{
    struct logistic_rows *const part[5] = {&l->train, &l->train, &l->validation, &l->validation, &l->test};
    char line[4096];
    memset(l, 0, sizeof *l);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        fprintf(stderr, "run it in examples/, or give the path of data/breast_cancer.csv\n");
        return -1;
    }
    int good = fgets(line, sizeof line, file) != NULL; /* the names */
    for (int row = 0; good && fgets(line, sizeof line, file) != NULL; row++)
        good = logistic_parse(part[row % 5], line) == 0;
    fclose(file);
    if (!good || l->test.n == 0) {
        fprintf(stderr, "%s: not the CSV of scripts/export_data.py\n", path);
        return -1;
    }
    logistic_standardise(l);
    return 0;
}

/* -- losses -- */

static inline double logistic_dot(const double *a, const double *b)
{
    double sum = 0.0;
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        sum += a[j] * b[j];
    return sum;
}

/* log(1 + exp(-z)) without overflow */
static inline double logistic_of(double z)
{
    return z > 0.0 ? log1p(exp(-z)) : log1p(exp(z)) - z;
}

/* 1 / (1 + exp(-z)) */
static inline double logistic_probability(double z)
{
    return z > 0.0 ? 1.0 / (1.0 + exp(-z)) : exp(z) / (1.0 + exp(z));
}

static inline double logistic_loss(const struct logistic *l, const struct logistic_rows *rows)
{
    double sum = 0.0;
    for (int t = 0; t < rows->n; t++)
        sum += logistic_of(rows->sign[t] * logistic_dot(l->w, rows->x[t]));
    return sum / rows->n;
}

/* Gradient of that in w. */
static inline void logistic_gradient(const struct logistic *l, const struct logistic_rows *rows, double *gradient)
{
    memset(gradient, 0, LOGISTIC_WEIGHTS * sizeof *gradient);
    for (int t = 0; t < rows->n; t++) {
        const double slope =
            -rows->sign[t] / rows->n * logistic_probability(-rows->sign[t] * logistic_dot(l->w, rows->x[t]));
        for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
            gradient[j] += slope * rows->x[t][j];
    }
}

static inline double logistic_ridge(const struct logistic *l, int j)
{
    return j < LOGISTIC_FEATURES ? exp(l->lambda[j]) : 0.0;
}

static inline double logistic_inner(const struct logistic *l)
{
    double sum = logistic_loss(l, &l->train);
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        sum += 0.5 * logistic_ridge(l, j) * l->w[j] * l->w[j];
    return sum;
}

/* -- the inner problem, by Newton's method -- */

static inline void logistic_curvature(struct logistic *l)
{
    for (int t = 0; t < l->train.n; t++) {
        const double c = logistic_probability(logistic_dot(l->w, l->train.x[t]));
        l->curvature[t] = c * (1.0 - c) / l->train.n;
    }
}

static inline void logistic_hessian(const struct logistic *l, double h[LOGISTIC_WEIGHTS][LOGISTIC_WEIGHTS])
{
    for (int i = 0; i < LOGISTIC_WEIGHTS; i++)
        for (int j = 0; j < LOGISTIC_WEIGHTS; j++) {
            h[i][j] = i == j ? logistic_ridge(l, j) : 0.0;
            for (int t = 0; t < l->train.n; t++)
                h[i][j] += l->curvature[t] * l->train.x[t][i] * l->train.x[t][j];
        }
}

/* b becomes h^-1 b; h, positive definite, is destroyed. */
static inline void logistic_eliminate(double h[LOGISTIC_WEIGHTS][LOGISTIC_WEIGHTS], double *b)
{
    for (int k = 0; k < LOGISTIC_WEIGHTS; k++)
        for (int i = k + 1; i < LOGISTIC_WEIGHTS; i++) {
            const double factor = h[i][k] / h[k][k];
            for (int j = k; j < LOGISTIC_WEIGHTS; j++)
                h[i][j] -= factor * h[k][j];
            b[i] -= factor * b[k];
        }
    for (int k = LOGISTIC_WEIGHTS - 1; k >= 0; k--) {
        for (int j = k + 1; j < LOGISTIC_WEIGHTS; j++)
            b[k] -= h[k][j] * b[j];
        b[k] /= h[k][k];
    }
}

/* A Newton step, halved until g does not rise by more than rounding errors; returns the norm of the gradient before it. */
static inline double logistic_newton_step(struct logistic *l)
{
    double h[LOGISTIC_WEIGHTS][LOGISTIC_WEIGHTS], gradient[LOGISTIC_WEIGHTS], step[LOGISTIC_WEIGHTS],
        w[LOGISTIC_WEIGHTS];
    logistic_gradient(l, &l->train, gradient);
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        gradient[j] += logistic_ridge(l, j) * l->w[j];
    logistic_curvature(l);
    logistic_hessian(l, h);
    memcpy(step, gradient, sizeof step);
    memcpy(w, l->w, sizeof w);
    logistic_eliminate(h, step);
    const double before = logistic_inner(l);
    for (double length = 1.0; length > 1e-10; length *= 0.5) {
        for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
            l->w[j] = w[j] - length * step[j];
        if (logistic_inner(l) <= before * (1.0 + 1e-13))
            break;
    }
    return sqrt(logistic_dot(gradient, gradient));
}

/* w = w*(lambda), from the w that is there; curvatures are those of the result. The step from a gradient of 1e-9 leads to one
 * of rounding errors. Returns the steps made. */
static inline int logistic_fit(struct logistic *l)
{
    int steps = 1;
    while (logistic_newton_step(l) > 1e-9 && steps < 100)
        steps++;
    logistic_curvature(l);
    return steps;
}

/* -- callbacks -- */

/* The sum over features in a row of X, of the library's numbers. */
static inline double logistic_row_dot(const double *row, const LOGISTIC_REAL *v)
{
    double sum = 0.0;
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        sum += row[j] * (double)v[j];
    return sum;
}

static inline int logistic_hvp(void *user, const LOGISTIC_REAL *v, LOGISTIC_REAL *hv)
{
    const struct logistic *l = user;
    double sum[LOGISTIC_WEIGHTS];
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        sum[j] = logistic_ridge(l, j) * (double)v[j];
    for (int t = 0; t < l->train.n; t++) {
        const double along = l->curvature[t] * logistic_row_dot(l->train.x[t], v);
        for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
            sum[j] += along * l->train.x[t][j];
    }
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        hv[j] = (LOGISTIC_REAL)sum[j];
    return 0;
}

/* Samples are the training rows, then the ridge. */
static inline int logistic_jvp(void *user, const LOGISTIC_REAL *x, LOGISTIC_REAL *jx)
{
    const struct logistic *l = user;
    for (int t = 0; t < l->train.n; t++)
        jx[t] = (LOGISTIC_REAL)(sqrt(l->curvature[t]) * logistic_row_dot(l->train.x[t], x));
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        jx[l->train.n + j] = (LOGISTIC_REAL)(sqrt(logistic_ridge(l, j)) * (double)x[j]);
    return 0;
}

static inline int logistic_vjp(void *user, const LOGISTIC_REAL *u, LOGISTIC_REAL *jtu)
{
    const struct logistic *l = user;
    double sum[LOGISTIC_WEIGHTS] = {0.0};
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        sum[j] = sqrt(logistic_ridge(l, j)) * (double)u[l->train.n + j];
    for (int t = 0; t < l->train.n; t++)
        for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
            sum[j] += sqrt(l->curvature[t]) * (double)u[t] * l->train.x[t][j];
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        jtu[j] = (LOGISTIC_REAL)sum[j];
    return 0;
}

/* Of J^T J: without it the library would ask for n_samples products. */
static inline int logistic_diagonal(void *user, LOGISTIC_REAL *diagonal)
{
    const struct logistic *l = user;
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++) {
        double sum = logistic_ridge(l, j);
        for (int t = 0; t < l->train.n; t++)
            sum += l->curvature[t] * l->train.x[t][j] * l->train.x[t][j];
        diagonal[j] = (LOGISTIC_REAL)sum;
    }
    return 0;
}

static inline int logistic_mixed(void *user, const LOGISTIC_REAL *x, LOGISTIC_REAL *out)
{
    const struct logistic *l = user;
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        out[j] = (LOGISTIC_REAL)(logistic_ridge(l, j) * l->w[j] * (double)x[j]);
    return 0;
}

static inline blpo_problem logistic_problem(struct logistic *l)
{
    blpo_problem problem;
    blpo_problem_init(&problem, sizeof problem);
    problem.n_inner = LOGISTIC_WEIGHTS;
    problem.n_outer = LOGISTIC_FEATURES;
    problem.user = l;
    problem.hvp = logistic_hvp;
    problem.mixed_product = logistic_mixed;
    problem.n_samples = l->train.n + LOGISTIC_FEATURES;
    problem.jvp = logistic_jvp;
    problem.vjp = logistic_vjp;
    problem.gauss_newton_diagonal = logistic_diagonal;
    return problem;
}

/* d f(w*(lambda)) / d lambda at the fit that is there. BLPO_OK, or the error of the solver. */
static inline int logistic_hypergradient(const struct logistic *l, blpo_hypergrad *solver, double *out,
                                         blpo_hypergrad_report *report)
{
    double v[LOGISTIC_WEIGHTS];
    LOGISTIC_REAL response[LOGISTIC_WEIGHTS], zero[LOGISTIC_FEATURES] = {0}, total[LOGISTIC_FEATURES];
    logistic_gradient(l, &l->validation, v);
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        response[j] = (LOGISTIC_REAL)v[j];
    const int rc = blpo_hypergrad_compute(solver, zero, response, total, report);
    for (int j = 0; j < LOGISTIC_FEATURES && rc == BLPO_OK; j++)
        out[j] = (double)total[j];
    return rc;
}

/* The same by elimination, in double, without the library: what the library's is held against. */
static inline void logistic_exact(struct logistic *l, double rho, double *out)
{
    double h[LOGISTIC_WEIGHTS][LOGISTIC_WEIGHTS], x[LOGISTIC_WEIGHTS];
    logistic_gradient(l, &l->validation, x);
    logistic_hessian(l, h);
    for (int j = 0; j < LOGISTIC_WEIGHTS; j++)
        h[j][j] += rho;
    logistic_eliminate(h, x);
    for (int j = 0; j < LOGISTIC_FEATURES; j++)
        out[j] = -logistic_ridge(l, j) * l->w[j] * x[j];
}

#endif
