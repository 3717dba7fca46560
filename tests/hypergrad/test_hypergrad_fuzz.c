/* The solver on problems, settings and misbehaving callbacks drawn at random: whatever they are, the promises of the header hold.
 *
 *     test_hypergrad_fuzz [ROUNDS [SEED]]      by itself a short run; a failure prints the round, which is a SEED to begin from
 *
 *   an x that is handed over with BLPO_OK is finite; one that is not is untouched, and a callback, v or x is to blame
 *   the residual that is reported is that of x, and of v / rho where the method is said to be none
 *   who says that nothing was wrong is right: exact methods solve, conjugate gradients and Neumann sums that fell back or
 *     passed negative curvature do no worse than documented
 *   counters add up, and products are those that the callbacks saw */
#include "support/check.h"
#include "support/dense.h"
#include "support/spectra.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_P = 60, MAX_T = 60, SOLVES = 3 };

typedef struct fuzz {
    uint64_t seed, state;
    double hessian[MAX_P * MAX_P], jacobian[MAX_T * MAX_P], newton[MAX_P * MAX_P];
    const double *matrix; /* of the curvature that was chosen */
    double norm;          /* |matrix|_F, and |J|_F^2 where that made it */
    quadratic quad;
    blpo_hypergrad_config config;
    blpo_hypergrad *solver;
    blpo_hypergrad_stats expected;
    test_real v[MAX_P], x[MAX_P];
    double v_double[MAX_P], x_double[MAX_P];
    blpo_hypergrad_report report;
} fuzz;

static int64_t below(fuzz *f, int64_t n)
{
    const int64_t i = (int64_t)(0.5 * (test_uniform(&f->state) + 1.0) * (double)n);
    return i < n ? i : n - 1;
}

/* 10^[low, high) */
static double power(fuzz *f, double low, double high)
{
    return pow(10.0, low + (high - low) * 0.5 * (test_uniform(&f->state) + 1.0));
}

/* 0 definite, 1 spread over 8 decades, 2 indefinite, 3 rank-deficient, 4 indefinite within a few roundings, 5 zero */
static double eigenvalue(fuzz *f, int kind, int64_t i, int64_t p)
{
    const double u = 0.5 * (test_uniform(&f->state) + 1.0);
    switch (kind) {
    case 0: return 1.0 + u;
    case 1: return pow(10.0, -8.0 * u);
    case 2: return 2.0 * u - (i % 3 == 0 ? 1.0 : 0.0);
    case 3: return i < p / 2 ? 0.0 : u;
    case 4: return i < 2 ? -4.0 * u * TEST_EPSILON : u;
    default: return 0.0;
    }
}

static void make_matrices(fuzz *f, double scale)
{
    const int64_t p = f->quad.p, n = f->quad.n_samples;
    const int kind = (int)below(f, 6);
    double value[MAX_P], trace = 0.0, sum = 0.0;
    for (int64_t i = 0; i < p; i++)
        value[i] = scale * eigenvalue(f, kind, i, p);
    dense_symmetric(value, p, f->seed + 1, f->hessian);
    for (int64_t i = 0; i < n * p; i++) {
        const double column = kind == 1 ? pow(10.0, -4.0 * (double)(i % p) / (double)p) : 1.0;
        f->jacobian[i] =
            kind == 5 ? 0.0 : (double)(test_real)(sqrt(scale / (double)n) * column * test_normal(&f->state));
        trace += f->jacobian[i] * f->jacobian[i];
    }
    for (int64_t zero = 0; zero < p; zero += 3) /* zero rows and columns */
        for (int64_t i = 0; f->seed % 5 == 0 && i < p; i++)
            f->hessian[zero * p + i] = f->hessian[i * p + zero] = 0.0;
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++) {
            f->newton[i * p + j] = 0.0;
            for (int64_t t = 0; t < n; t++)
                f->newton[i * p + j] += f->jacobian[t * p + i] * f->jacobian[t * p + j];
        }
    f->matrix = f->config.curvature == BLPO_CURVATURE_HESSIAN ? f->hessian : f->newton;
    for (int64_t i = 0; i < p * p; i++)
        sum = hypot(sum, f->matrix[i]);
    f->norm = f->config.curvature == BLPO_CURVATURE_HESSIAN ? sum : trace;
}

static void draw_settings(fuzz *f, double scale)
{
    blpo_hypergrad_config *c = &f->config;
    const int64_t p = f->quad.p;
    assert_status(blpo_hypergrad_config_init(c, sizeof *c), BLPO_OK);
    c->method = (int32_t)below(f, BLPO_IHVP_GAUSS_NEWTON + 1);
    c->curvature = (int32_t)below(f, 2);
    c->nystrom_rank = 1 + below(f, p);
    c->nystrom_rho = scale * power(f, -5.0, 3.0);
    c->nystrom_shift = below(f, 2) ? 0.0 : scale * power(f, -3.0, 1.0);
    c->cg_iterations = 1 + below(f, 40);
    c->cg_tolerance = below(f, 3) ? 0.0 : power(f, -6.0, 0.0);
    c->report_residual = 1;
    c->seed = f->seed;
    c->nystrom_draw = (int32_t)below(f, 2);
    c->nystrom_space_efficient = (int32_t)below(f, 2);
    c->nystrom_chunk = below(f, c->nystrom_rank + 1);
    c->cg_negative_curvature = (int32_t)below(f, 2);
    c->sketch_rank_max = below(f, 2) ? 0 : c->nystrom_rank + below(f, p - c->nystrom_rank + 1);
    c->sketch_error = below(f, 2) ? 0.0 : power(f, -3.0, 1.0);
    c->neumann_terms = below(f, 60);
    c->spectrum_iterations = below(f, 2) ? 0 : below(f, 30);
    c->cg_preconditioner = (int32_t)below(f, 2);
}

static void draw_fault(fuzz *f)
{
    quadratic *quad = &f->quad;
    if (below(f, 3) > 0)
        return;
    quad->fault = QUADRATIC_ANY;
    quad->fault_at = 1 + below(f, 30);
    quad->verdict = (int)below(f, 3) - 1;
    quad->nan_at = below(f, quad->p);
    quad->excess = below(f, 3) > 0 ? 0 : below(f, 2) ? 1 + below(f, 3) : -1;
}

static void begin(fuzz *f, uint64_t seed)
{
    memset(f, 0, sizeof *f);
    f->seed = f->state = seed;
    for (int i = 0; i < 4; i++) /* seeds that follow each other begin alike */
        test_uniform(&f->state);
    const double scale = below(f, 2) ? 1.0 : power(f, -10.0, 10.0);
    f->quad.p = 1 + below(f, MAX_P);
    f->quad.n_samples = 1 + below(f, MAX_T);
    f->quad.hessian = f->hessian;
    f->quad.jacobian = f->jacobian;
    draw_settings(f, scale);
    make_matrices(f, scale);
    draw_fault(f);
    f->solver = solver_new(&f->quad, (int)below(f, 2), &f->config);
}

static void draw_v(fuzz *f)
{
    const double size = below(f, 2) ? 1.0 : power(f, -25.0, 20.0);
    const int zero = below(f, 20) == 0;
    for (int64_t i = 0; i < f->quad.p; i++) {
        f->v[i] = zero ? 0 : (test_real)(size * test_normal(&f->state));
        f->v_double[i] = (double)f->v[i];
    }
}

/* -- what must hold -- */

#define HOLDS(f, what) holds(f, (what) != 0, #what)
static void holds(const fuzz *f, int true, const char *what)
{
    if (true)
        return;
    const blpo_hypergrad_config *c = &f->config;
    const blpo_hypergrad_report *r = &f->report;
    print_error("seed %llu: %s\n  p %d, T %d, method %d, curvature %d, k %d, rho %g, s %g, |H| %g; gave %d by method "
                "%d, indefinite "
                "%d, fallback %d, reason %d, rank %d, iterations %d, residual %g; %s\n",
                (unsigned long long)f->seed, what, (int)f->quad.p, (int)f->quad.n_samples, c->method, c->curvature,
                (int)c->nystrom_rank, c->nystrom_rho, c->nystrom_shift, f->norm, r->status, r->method, r->indefinite,
                r->fallback, r->reason, (int)r->rank_used, (int)r->iterations, r->relative_residual,
                blpo_hypergrad_error(f->solver)->text);
    fail();
}

static void check_failure(fuzz *f, int rc, const test_real *before)
{
    const blpo_error *error = blpo_hypergrad_error(f->solver);
    HOLDS(f, rc == BLPO_ERR_CALLBACK || rc == BLPO_ERR_NONFINITE);
    HOLDS(f, memcmp(f->x, before, sizeof f->x) == 0);
    HOLDS(f, error->code == rc);
    if (f->quad.faulty != NULL)
        HOLDS(f, strcmp(error->field, f->quad.faulty) == 0);
    else /* nothing else may fail but |v| / rho beyond the numbers */
        HOLDS(f, strcmp(error->field, "x") == 0
                     && dense_norm(f->v_double, f->quad.p) / f->config.nystrom_rho > 1e-3 * (double)TEST_REAL_MAX);
    f->expected.n_failed++;
    f->expected.n_failed_callback += rc == BLPO_ERR_CALLBACK;
    f->expected.n_failed_nonfinite += rc == BLPO_ERR_NONFINITE;
}

/* Rounding errors of (H + rho I) x / |v| in the callbacks and in x. */
static double rounding(const fuzz *f)
{
    const int64_t p = f->quad.p;
    return 4.0 * (double)p * TEST_EPSILON * (f->norm + f->config.nystrom_rho) * dense_norm(f->x_double, p)
           / dense_norm(f->v_double, p);
}

static double of_last_resort(const fuzz *f)
{
    double hv[MAX_P];
    dense_product(f->matrix, f->v_double, f->quad.p, f->quad.p, hv);
    return dense_norm(hv, f->quad.p) / f->config.nystrom_rho / dense_norm(f->v_double, f->quad.p);
}

/* What each method promises of the residual, to a tenth and roundings. */
static void check_quality(const fuzz *f)
{
    const blpo_hypergrad_report *r = &f->report;
    const double residual = r->relative_residual, last = of_last_resort(f), some = rounding(f);
    const int is_cg = r->method == BLPO_IHVP_CG || r->method == BLPO_IHVP_NYSTROM_PCG;
    if (r->method == BLPO_IHVP_NONE)
        HOLDS(f, fabs(residual - last) <= 1e-3 * last + some);
    if (r->method == BLPO_IHVP_DENSE && !r->fallback)
        HOLDS(f, residual <= 8.0 * some);
    if (r->method == BLPO_IHVP_GAUSS_NEWTON && f->config.curvature == BLPO_CURVATURE_GAUSS_NEWTON && !r->fallback)
        HOLDS(f, residual <= 32.0 * (1.0 + (double)(f->quad.p + f->quad.n_samples)) * TEST_EPSILON
                                 * pow(1.0 + f->norm / f->config.nystrom_rho, 2.0));
    if (r->method == BLPO_IHVP_NEUMANN)
        HOLDS(f, residual <= 2.2 + some);
    if (is_cg && r->fallback)
        HOLDS(f, residual <= 1.1 * fmax(1.0, last) + 8.0 * some);
}

static void check_success(fuzz *f)
{
    const blpo_hypergrad_report *r = &f->report;
    const int64_t p = f->quad.p;
    int zero = 1;
    for (int64_t i = 0; i < p; i++) {
        HOLDS(f, isfinite(f->x[i]));
        zero &= f->v[i] == 0;
        f->x_double[i] = (double)f->x[i];
    }
    HOLDS(f, r->method == f->config.method || (r->method == BLPO_IHVP_NONE && r->fallback));
    HOLDS(f, r->fallback == (r->reason != BLPO_IHVP_REASON_NONE));
    HOLDS(f, r->indefinite == 0 || r->indefinite == 1);
    f->expected.n_solves++;
    f->expected.n_indefinite += r->indefinite;
    f->expected.n_fallback += r->fallback;
    f->expected.n_fallback_indefinite += r->reason == BLPO_IHVP_REASON_INDEFINITE;
    f->expected.n_fallback_singular += r->reason == BLPO_IHVP_REASON_SINGULAR;
    f->expected.n_fallback_nonfinite += r->reason == BLPO_IHVP_REASON_NONFINITE;
    f->expected.n_fallback_diverged += r->reason == BLPO_IHVP_REASON_DIVERGED;
    if (zero) {
        HOLDS(f, dense_norm(f->x_double, p) == 0.0);
        return;
    }
    const double exact = dense_relative_residual(f->matrix, f->config.nystrom_rho, f->x_double, f->v_double, p);
    HOLDS(f, fabs(r->relative_residual - exact) <= 1e-3 * exact + rounding(f));
    check_quality(f);
}

/* A Gauss-Newton matrix is not indefinite, whatever roundings say of it. */
static void check_indefinite(const fuzz *f)
{
    if (f->config.curvature == BLPO_CURVATURE_GAUSS_NEWTON && f->config.method == BLPO_IHVP_NYSTROM
        && f->config.spectrum_iterations == 0)
        HOLDS(f, !f->report.indefinite);
}

static void check_counters(fuzz *f)
{
    blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
    assert_status(blpo_hypergrad_get_stats(f->solver, &stats), BLPO_OK);
    f->expected.struct_size = sizeof stats;
    f->expected.n_products = f->quad.products;
    HOLDS(f, memcmp(&stats, &f->expected, sizeof stats) == 0);
}

static void solve(fuzz *f)
{
    test_real before[MAX_P];
    const int64_t products = f->quad.products;
    draw_v(f);
    for (int64_t i = 0; i < MAX_P; i++)
        f->x[i] = (test_real)(7 + i);
    memcpy(before, f->x, sizeof before);
    f->quad.faulty = NULL;
    f->report = empty_report();
    const int rc = blpo_hypergrad_solve(f->solver, f->v, f->x, &f->report);
    HOLDS(f, f->report.status == rc);
    HOLDS(f, f->report.n_products == f->quad.products - products);
    HOLDS(f, f->quad.overlaps == 0);
    HOLDS(f, (f->quad.faulty == NULL) || rc != BLPO_OK);
    if (rc != BLPO_OK) {
        check_failure(f, rc, before);
    } else {
        check_success(f);
        check_indefinite(f);
    }
    check_counters(f);
}

static int64_t rounds = 1500;
static uint64_t first = 1;

static void whatever_is_drawn_the_promises_hold(void **state)
{
    (void)state;
    static fuzz f;
    for (int64_t i = 0; i < rounds; i++) {
        begin(&f, first + (uint64_t)i);
        for (int k = 0; k < SOLVES; k++)
            solve(&f);
        blpo_hypergrad_destroy(f.solver);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(whatever_is_drawn_the_promises_hold) };
    if (argc > 1)
        rounds = strtoll(argv[1], NULL, 10);
    if (argc > 2)
        first = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
