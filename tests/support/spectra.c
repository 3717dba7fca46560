#include "spectra.h"

#include "dense.h"

#include <math.h>
#include <string.h>

static double eigenvalue(int which, int64_t i, int64_t p)
{
    const double t = p > 1 ? (double)i / (double)(p - 1) : 0.0;
    switch (which) {
    case 0:
    case 4: return 1.0 + t;
    case 1: return pow(10.0, 8.0 * t - 4.0);
    case 2: return i < 3 ? -0.3 + 0.1 * (double)i : 24.0 * t;
    case 3: return i < p / 2 ? 0.0 : 1.0 + t;
    case 5: return 0.0;
    default: return 3.0;
    }
}

void spectrum_make(int which, spectrum *out)
{
    static const char *const names[SPECTRUM_COUNT] = { "definite", "ill conditioned", "indefinite", "rank deficient",
                                                       "zero rows", "zero", "one by one" };
    double value[SPECTRUM_MAX_P];
    memset(out, 0, sizeof *out);
    out->name = names[which];
    out->p = which == 6 ? 1 : 20;
    out->smallest = INFINITY;
    for (int64_t i = 0; i < out->p; i++) {
        value[i] = eigenvalue(which, i, out->p);
        out->norm = fmax(out->norm, fabs(value[i]));
        out->smallest = fmin(out->smallest, value[i]);
    }
    dense_symmetric(value, out->p, 17, out->hessian);
    if (which != 4)
        return;
    out->smallest = 0.0;
    for (int64_t i = 0; i < out->p; i++)
        for (int64_t zero = 1; zero <= 5; zero += 4)
            out->hessian[i * out->p + zero] = out->hessian[zero * out->p + i] = 0.0;
}

static void set_product(const double *jacobian, int64_t n, int64_t p, double *hessian)
{
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++) {
            hessian[i * p + j] = 0.0;
            for (int64_t t = 0; t < n; t++)
                hessian[i * p + j] += jacobian[t * p + i] * jacobian[t * p + j];
        }
}

static int64_t few_samples(spectrum *out, double *jacobian)
{
    enum { FEW = 7 };
    uint64_t seed = 23;
    double trace = 0.0;
    for (int64_t i = 0; i < FEW * out->p; i++) {
        jacobian[i] = (double)(test_real)test_normal(&seed);
        trace += jacobian[i] * jacobian[i];
    }
    out->name = "few samples";
    out->norm = trace; /* no eigenvalue is larger */
    out->smallest = 0.0;
    return FEW;
}

int64_t spectrum_make_newton(int which, spectrum *out, double *jacobian)
{
    double root[SPECTRUM_MAX_P];
    spectrum_make(which, out);
    const int64_t p = out->p;
    int64_t n = p + 3;
    memset(jacobian, 0, SPECTRUM_MAX_JACOBIAN * sizeof *jacobian);
    for (int64_t i = 0; i < p; i++)
        root[i] = sqrt(fabs(eigenvalue(which, i, p)));
    dense_symmetric(root, p, 17, jacobian);
    for (int64_t i = 0; which == 4 && i < p; i++)
        jacobian[i * p + 1] = jacobian[i * p + 5] = 0.0;
    if (which == 2)
        n = few_samples(out, jacobian);
    set_product(jacobian, n, p, out->hessian);
    return n;
}

void spectrum_curved(int which, int curvature, spectrum *out, double *jacobian, quadratic *quad)
{
    quad->n_samples = spectrum_make_newton(which, out, jacobian);
    if (curvature == BLPO_CURVATURE_HESSIAN)
        spectrum_make(which, out);
    quad->p = out->p;
    quad->hessian = out->hessian;
    quad->jacobian = jacobian;
}

void spectrum_vector(int64_t p, uint64_t seed, test_real *v, double *v_double)
{
    for (int64_t i = 0; i < p; i++) {
        v[i] = (test_real)test_normal(&seed);
        v_double[i] = (double)v[i];
    }
}

void spectrum_problem(int64_t q, int curvature, spectrum *matrix, double *jacobian, double *mixed, quadratic *quad,
                      test_real *v, test_real *direct)
{
    double unused[SPECTRUM_MAX_P];
    spectrum_curved(0, curvature, matrix, jacobian, quad);
    quad->q = q;
    for (int64_t i = 0; i < q; i++)
        mixed[(i + 1) * i] = 1.0 + (double)i;
    quad->mixed = mixed;
    spectrum_vector(quad->p, 8, v, unused);
    spectrum_vector(q, 9, direct, unused);
}

blpo_hypergrad_config solver_config(int method, int64_t rank, double rho, double shift)
{
    blpo_hypergrad_config config;
    assert_int_equal(blpo_hypergrad_config_init(&config, sizeof config), BLPO_OK);
    config.method = method;
    config.nystrom_rank = rank;
    config.nystrom_rho = rho;
    config.nystrom_shift = shift;
    return config;
}

blpo_hypergrad *solver_new(quadratic *quad, int with_rows, const blpo_hypergrad_config *config)
{
    const blpo_problem problem = quadratic_problem(quad, with_rows);
    blpo_hypergrad *solver = NULL;
    assert_int_equal(blpo_hypergrad_create(&problem, config, NULL, &solver), BLPO_OK);
    assert_non_null(solver);
    return solver;
}

blpo_hypergrad_report empty_report(void)
{
    blpo_hypergrad_report report;
    memset(&report, 0xA5, sizeof report);
    report.struct_size = sizeof report;
    return report;
}
