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

void spectrum_vector(int64_t p, uint64_t seed, test_real *v, double *v_double)
{
    for (int64_t i = 0; i < p; i++) {
        v[i] = (test_real)test_normal(&seed);
        v_double[i] = (double)v[i];
    }
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
