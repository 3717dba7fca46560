/* What every method of the table must hold, with either curvature, on matrices of chosen spectra: its error against a dense
 * solve in long double is within the bound that its file states, its products and operations are those it states, it takes no
 * memory, and what a callback does wrong is found, named and counted, with x untouched. */
#include "support/check.h"
#include "support/dense.h"
#include "support/memory.h"
#include "support/spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METHODS = BLPO_IHVP_GAUSS_NEWTON + 1, CURVATURES = 2, Q = 3 };

static const char *const METHOD_NAMES[METHODS] = { "none",        "nystrom", "cg",          "dense",
                                                   "nystrom_pcg", "neumann", "gauss_newton" };

typedef struct bench {
    spectrum matrix; /* of the curvature */
    double jacobian[SPECTRUM_MAX_JACOBIAN];
    double mixed[Q * SPECTRUM_MAX_P];
    quadratic quad;
    test_real v[SPECTRUM_MAX_P], direct[Q];
    double v_double[SPECTRUM_MAX_P], direct_double[Q];
    blpo_hypergrad_report report;
} bench;

static void bench_begin(bench *b, int which, int curvature)
{
    memset(b, 0, sizeof *b);
    spectrum_curved(which, curvature, &b->matrix, b->jacobian, &b->quad);
    b->quad.q = Q;
    b->quad.mixed = b->mixed;
    for (int64_t i = 0; i < Q * b->quad.p; i++)
        b->mixed[i] = 0.25 * (double)(i % 5) - 0.5;
    spectrum_vector(b->quad.p, 99, b->v, b->v_double);
    spectrum_vector(Q, 7, b->direct, b->direct_double);
}

static void bench_solve(bench *b, const blpo_hypergrad_config *config, int with_rows, const int64_t *index,
                        test_real *x)
{
    blpo_hypergrad *solver = solver_new(&b->quad, with_rows, config);
    b->report = empty_report();
    if (index != NULL)
        assert_status(blpo_hypergrad_set_indices(solver, index, config->nystrom_rank), BLPO_OK);
    assert_status(blpo_hypergrad_solve(solver, b->v, x, &b->report), BLPO_OK);
    assert_int_equal(b->quad.overlaps, 0);
    if (config->curvature == BLPO_CURVATURE_GAUSS_NEWTON)
        assert_int_equal(b->quad.hvp_calls + b->quad.rows_calls, 0);
    for (int64_t i = 0; i < b->quad.p; i++)
        assert_true(isfinite(x[i]) != 0);
    blpo_hypergrad_destroy(solver);
}

/* -- the bounds -- */

/* What the formulas of the files are written in. Rounding the entries of H moves eigenvalues by p eps |H|. */
typedef struct figures {
    double p, samples, rho, eps, norm, least, condition, x, v;
} figures;

static figures figures_of(const bench *b, double rho, const double *exact)
{
    figures f = { .p = (double)b->quad.p, .samples = (double)b->quad.n_samples, .rho = rho, .eps = TEST_EPSILON };
    f.norm = b->matrix.norm * (1.0 + f.p * f.eps);
    f.least = rho + b->matrix.smallest - f.p * f.eps * b->matrix.norm;
    f.condition = (f.norm + rho) / f.least;
    f.x = dense_norm(exact, b->quad.p);
    f.v = dense_norm(b->v_double, b->quad.p);
    return f;
}

static double rate(double condition)
{
    return (sqrt(condition) - 1.0) / (sqrt(condition) + 1.0);
}

/* For positive definite A. "Some p eps" are 16. */
static double error_bound(int method, const figures *f, const blpo_hypergrad_config *config)
{
    const double rounding = 16.0 * f->p * f->eps * f->condition * f->x;
    const double m = (double)config->cg_iterations, sketched = (2.0 * f->norm + f->rho) / f->rho;
    switch (method) {
    case BLPO_IHVP_NONE: return f->norm / f->rho * f->x + 8.0 * f->eps * f->v / f->rho;
    case BLPO_IHVP_CG: return 2.0 * pow(rate(f->condition), m) * sqrt(f->condition) * f->x + rounding;
    case BLPO_IHVP_DENSE: return 8.0 * f->p * f->eps * f->condition * f->x;
    case BLPO_IHVP_NYSTROM_PCG: return 2.0 * pow(rate(sketched), m) * sqrt(f->condition) * f->x + rounding;
    case BLPO_IHVP_NEUMANN:
        return pow(1.0 - f->least / (2.0 * (f->norm + f->rho)), (double)config->neumann_terms) * f->x + rounding;
    case BLPO_IHVP_GAUSS_NEWTON:
        return 16.0 * (f->p + f->samples) * f->eps * (f->norm + f->rho) / f->rho * f->v / f->rho;
    default: return -1.0;
    }
}

static double distance(const test_real *x, const double *exact, int64_t p)
{
    double sum = 0.0;
    for (int64_t i = 0; i < p; i++)
        sum = hypot(sum, (double)x[i] - exact[i]);
    return sum;
}

static void assert_within(const bench *b, const char *method, double rho, double error, double bound)
{
    if (!(error <= bound))
        print_error("%s on %s, rho %g: error %g, bound %g\n", method, b->matrix.name, rho, error, bound);
    assert_true(error <= bound);
}

/* So many that what is left of the error of x = 0 is a hundredth, by the rates above. */
static int64_t enough_iterations(int method, const figures *f)
{
    const double of_sketch = method == BLPO_IHVP_NYSTROM_PCG ? (2.0 * f->norm + f->rho) / f->rho : f->condition;
    const double rounds = method == BLPO_IHVP_NEUMANN ? 2.0 * (f->norm + f->rho) / f->least * log(1e2)
                                                      : 0.5 * sqrt(of_sketch) * log(2e2 * sqrt(f->condition));
    return 1 + (int64_t)rounds;
}

/* The bound means something: x = 0 would not pass. Not where numbers of this precision cannot hold the answer; none has an error of
 * the size of H / rho. */
static int must_bite(int method, const figures *f)
{
    if (method == BLPO_IHVP_NONE)
        return f->norm < 0.25 * f->rho;
    return 16.0 * f->p * f->eps * f->condition < 0.25;
}

static void check_error(int method, int which, int curvature, double rho)
{
    bench b;
    test_real x[SPECTRUM_MAX_P];
    double exact[SPECTRUM_MAX_P];
    bench_begin(&b, which, curvature);
    dense_shifted_solve(b.matrix.hessian, rho, b.v_double, b.quad.p, exact);
    const figures f = figures_of(&b, rho, exact);
    blpo_hypergrad_config config = solver_config(method, b.quad.p < 4 ? b.quad.p : 4, rho, 0.0);
    config.curvature = curvature;
    config.cg_iterations = config.neumann_terms = enough_iterations(method, &f);
    bench_solve(&b, &config, which % 2, NULL, x);
    const double bound = error_bound(method, &f, &config);
    assert_within(&b, METHOD_NAMES[method], rho, distance(x, exact, b.quad.p), bound);
    if (must_bite(method, &f))
        assert_within(&b, METHOD_NAMES[method], rho, bound, 0.5 * f.x);
    assert_int_equal(b.report.method, method);
}

/* rho 0.5 makes all of them positive definite, the indefinite one (from -0.3) included. Method gauss_newton is exact for the
 * Gauss-Newton matrix only. */
static void every_method_is_within_its_bound_of_the_dense_solve(void **state)
{
    (void)state;
    static const double rhos[2] = { 50.0, 0.5 };
    for (int method = 0; method < METHODS; method++)
        for (int which = 0; which < SPECTRUM_COUNT; which++)
            for (int i = 0; i < 2 && method != BLPO_IHVP_NYSTROM; i++) {
                if (method != BLPO_IHVP_GAUSS_NEWTON)
                    check_error(method, which, BLPO_CURVATURE_HESSIAN, rhos[i]);
                check_error(method, which, BLPO_CURVATURE_GAUSS_NEWTON, rhos[i]);
            }
}

#ifdef BLPO__FLOAT64
/* Eigenvalues 1e-4 .. 1e4 and rho 1e-4: a condition number of 5e7, for which reals of the library are too few. Direct methods by their
 * bounds. Conjugate gradients do not end after p iterations here, since roundings lose directions, but go on until the residual is that
 * of rounding x, 16 p eps |A| |x|: 10 p iterations are enough for that; and then |x - x*| <= |A^-1| |r|. */
static void check_ill_conditioned(int method, int curvature)
{
    const double rho = 1e-4;
    bench b;
    test_real x[SPECTRUM_MAX_P];
    double exact[SPECTRUM_MAX_P];
    bench_begin(&b, 1, curvature);
    dense_shifted_solve(b.matrix.hessian, rho, b.v_double, b.quad.p, exact);
    const figures f = figures_of(&b, rho, exact);
    blpo_hypergrad_config config = solver_config(method, 4, rho, 0.0);
    config.curvature = curvature;
    config.cg_iterations = 10 * b.quad.p;
    bench_solve(&b, &config, 1, NULL, x);
    const int iterates = method == BLPO_IHVP_CG || method == BLPO_IHVP_NYSTROM_PCG;
    const double residual = dense_relative_residual(b.matrix.hessian, rho, x, b.v_double, b.quad.p) * f.v;
    const double bound = iterates ? residual / f.least : error_bound(method, &f, &config);
    if (iterates)
        assert_within(&b, METHOD_NAMES[method], rho, residual, 16.0 * f.p * f.eps * (f.norm + rho) * f.x);
    assert_within(&b, METHOD_NAMES[method], rho, distance(x, exact, b.quad.p), bound);
    assert_within(&b, METHOD_NAMES[method], rho, bound, 0.5 * f.x);
    assert_int_equal(b.report.fallback, 0);
}

static void an_ill_conditioned_matrix_is_solved(void **state)
{
    (void)state;
    static const int methods[4] = { BLPO_IHVP_DENSE, BLPO_IHVP_CG, BLPO_IHVP_NYSTROM_PCG, BLPO_IHVP_GAUSS_NEWTON };
    for (int i = 0; i < 4; i++) {
        if (methods[i] != BLPO_IHVP_GAUSS_NEWTON)
            check_ill_conditioned(methods[i], BLPO_CURVATURE_HESSIAN);
        check_ill_conditioned(methods[i], BLPO_CURVATURE_GAUSS_NEWTON);
    }
}
#endif

/* -- nystrom -- */

/* The block M + s I, and with it sketch [p][p] = C^T (M + s I)^-1 C. */
static void make_sketch(const bench *b, const int64_t *index, int64_t k, double s, double *sketch)
{
    const int64_t p = b->quad.p;
    const double *h = b->matrix.hessian;
    double block[SPECTRUM_MAX_P * SPECTRUM_MAX_P], column[SPECTRUM_MAX_P], y[SPECTRUM_MAX_P];
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++)
            block[i * k + j] = h[index[i] * p + index[j]] + (i == j ? s : 0.0);
    for (int64_t j = 0; j < p; j++) {
        for (int64_t i = 0; i < k; i++)
            column[i] = h[index[i] * p + j];
        dense_solve(block, column, k, y);
        for (int64_t a = 0; a < p; a++) {
            sketch[a * p + j] = 0.0;
            for (int64_t i = 0; i < k; i++)
                sketch[a * p + j] += h[index[i] * p + a] * y[i];
        }
    }
}

/* |(H_k + rho I)^-1| |H - H_k| |x*| (Frobenius norms are larger), and roundings: those of nystrom.c, and where the rows are
 * products with a Jacobian in test_real, 8 p eps |H| in each: twice by |C|, and through K^-1. */
static double nystrom_bound(const bench *b, const int64_t *index, int64_t k, double rho, double s, const double *exact)
{
    const int64_t p = b->quad.p;
    const double *h = b->matrix.hessian;
    double sketch[SPECTRUM_MAX_P * SPECTRUM_MAX_P], x[SPECTRUM_MAX_P], core[SPECTRUM_MAX_P * SPECTRUM_MAX_P],
        away = 0.0, rows = 0.0;
    make_sketch(b, index, k, s, sketch);
    for (int64_t i = 0; i < p * p; i++)
        away = hypot(away, h[i] - sketch[i]);
    for (int64_t i = 0; i < p; i++)
        sketch[i * p + i] += rho;
    dense_nystrom(h, p, index, k, rho, s, b->v_double, x, core);
    for (int64_t i = 0; i < k; i++)
        rows = hypot(rows, dense_norm(h + index[i] * p, p));
    const double inverse = dense_inverse_norm(core, k), v = dense_norm(b->v_double, p);
    const double moved = 8.0 * (double)p * TEST_EPSILON * b->matrix.norm;
    return dense_inverse_norm(sketch, p) * away * dense_norm(exact, p)
           + dense_nystrom_bound(h, p, index, k, rho, s, b->v_double)
           + v / (rho * rho) * moved * inverse * (2.0 * rows + rows * rows * inverse * (1.0 + 2.0 * rows / rho));
}

static void some_indices(int64_t p, int64_t k, int64_t *index)
{
    for (int64_t i = 0; i < k; i++)
        index[i] = (i * 7 + 3) % p; /* 7 and 20 have no common divisor; the first 4 are 3, 10, 17, 4: not 1, not 5 */
}

static blpo_hypergrad_config nystrom_config(int curvature, int64_t k, double rho, double s, int64_t chunk)
{
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, k, rho, s);
    config.curvature = curvature;
    config.nystrom_space_efficient = chunk > 0;
    config.nystrom_chunk = chunk;
    return config;
}

static void check_nystrom(int which, int curvature, int64_t k, double rho, double s, int64_t chunk)
{
    bench b;
    test_real x[SPECTRUM_MAX_P];
    double exact[SPECTRUM_MAX_P];
    int64_t index[SPECTRUM_MAX_P];
    bench_begin(&b, which, curvature);
    const blpo_hypergrad_config config = nystrom_config(curvature, k, rho, s, chunk);
    some_indices(b.quad.p, k, index);
    bench_solve(&b, &config, which % 2, index, x);
    dense_shifted_solve(b.matrix.hessian, rho, b.v_double, b.quad.p, exact);
    assert_within(&b, "nystrom", rho, distance(x, exact, b.quad.p), nystrom_bound(&b, index, k, rho, s, exact));
}

/* Where M + s I has an inverse: with s = 0 not the zero matrix, not more rows than the rank (7 samples), not the zero rows. */
static void nystrom_is_within_its_bound_of_the_dense_solve(void **state)
{
    (void)state;
    for (int curvature = 0; curvature < CURVATURES; curvature++)
        for (int which = 0; which < SPECTRUM_COUNT; which++)
            for (int64_t k = 1; k <= 4 && (which != 6 || k == 1); k += 3)
                for (int64_t chunk = 0; chunk <= (k == 1 ? 0 : 3); chunk += 3) {
                    check_nystrom(which, curvature, k, 50.0, 1.0, chunk);
                    check_nystrom(which, curvature, k, 0.5, 1e-2, chunk);
                    if (which != 5)
                        check_nystrom(which, curvature, k, 0.5, 0.0, chunk);
                }
}

/* k = p and s = 0: H_k is H, and only roundings are left. With A = H + rho I the core is S = H A, S^-1 C = A^-1 and C^T S^-1 = A^-1, so
 * that an error dS of the core, some p eps |H| |A|, moves x by |A^-1|^2 |dS| |v| / rho, and errors of the rows by less; doubled. */
static void check_all_rows(int which, int curvature, double rho, int64_t chunk)
{
    bench b;
    test_real x[SPECTRUM_MAX_P];
    double exact[SPECTRUM_MAX_P];
    bench_begin(&b, which, curvature);
    dense_shifted_solve(b.matrix.hessian, rho, b.v_double, b.quad.p, exact);
    const figures f = figures_of(&b, rho, exact);
    const double bound = 32.0 * f.p * f.eps * f.norm * (f.norm + rho) / (f.least * f.least) * f.v / rho;
    const blpo_hypergrad_config config = nystrom_config(curvature, b.quad.p, rho, 0.0, chunk);
    bench_solve(&b, &config, which % 2, NULL, x);
    assert_within(&b, "nystrom of all rows", rho, distance(x, exact, b.quad.p), bound);
    assert_within(&b, "nystrom of all rows", rho, bound, 0.5 * f.x);
    assert_int_equal(b.report.method, BLPO_IHVP_NYSTROM);
}

static void nystrom_of_all_rows_is_exact(void **state)
{
    (void)state;
    for (int curvature = 0; curvature < CURVATURES; curvature++)
        for (int64_t chunk = 0; chunk <= 7; chunk += 7) {
            check_all_rows(0, curvature, 0.5, chunk);
            check_all_rows(3, curvature, 0.5, chunk);
            check_all_rows(6, curvature, 0.5, chunk > 0);
        }
    check_all_rows(2, BLPO_CURVATURE_HESSIAN, 1.0, 0);
    check_all_rows(2, BLPO_CURVATURE_HESSIAN, 1.0, 7);
}

#ifdef BLPO__FLOAT64
/* Eigenvalues 1e-4 .. 1e4. The core has the square of their condition number: with rho 1 it has an inverse in double, 1e12. With rho 1e-4
 * it has none, 5e15: the directions that it loses are left out, and the report says so. */
static void a_core_of_all_ill_conditioned_rows_is_exact_or_says_that_it_is_not(void **state)
{
    (void)state;
    for (int curvature = 0; curvature < CURVATURES; curvature++)
        for (int64_t chunk = 0; chunk <= 7; chunk += 7) {
            bench b;
            test_real x[SPECTRUM_MAX_P];
            check_all_rows(1, curvature, 1.0, chunk);
            bench_begin(&b, 1, curvature);
            const blpo_hypergrad_config config = nystrom_config(curvature, b.quad.p, 1e-4, 0.0, chunk);
            bench_solve(&b, &config, 1, NULL, x);
            assert_int_equal(b.report.fallback, 1);
            assert_int_equal(b.report.reason, BLPO_IHVP_REASON_SINGULAR);
            assert_int_equal(b.report.method, BLPO_IHVP_NYSTROM);
            assert_true(b.report.rank_used > 0 && b.report.rank_used < b.quad.p);
        }
}
#endif

/* Rows that are zero, or dependent: M, and with s = 0 the core, have no inverse. The rows are exact test_reals and the sums are in
 * double, so that what is left of the zero eigenvalues lies far below the tolerance; the pseudo-inverse leaves it out, and the
 * directions that are kept give the exact x where k = p. 1e4 p eps is the condition, (2 + 0.5) / 0.5 = 5, times some p eps for
 * each of products, core and solution, with room. */
static void a_singular_core_falls_back_to_its_spectrum(void **state)
{
    (void)state;
    for (int which = 4; which <= 5; which++)
        for (int64_t chunk = 0; chunk <= 7; chunk += 7) {
            bench b;
            test_real x[SPECTRUM_MAX_P];
            double exact[SPECTRUM_MAX_P];
            bench_begin(&b, which, BLPO_CURVATURE_HESSIAN);
            const blpo_hypergrad_config config = nystrom_config(BLPO_CURVATURE_HESSIAN, b.quad.p, 0.5, 0.0, chunk);
            bench_solve(&b, &config, 1, NULL, x);
            dense_shifted_solve(b.matrix.hessian, 0.5, b.v_double, b.quad.p, exact);
            assert_near(x, exact, b.quad.p, 1e2 * (double)b.quad.p * TEST_EPSILON, 0.0);
            assert_int_equal(b.report.fallback, 1);
            assert_int_equal(b.report.reason, BLPO_IHVP_REASON_SINGULAR);
            assert_int_equal(b.report.rank_used, which == 4 ? b.quad.p - 2 : 0);
        }
}

/* A matrix Q diag(value) Q^T, solved by nystrom with s = 0 and k random rows. */
static blpo_hypergrad_report solve_by_rows(const double *value, int64_t p, int64_t k, double rho, uint64_t seed, double *h,
                                           test_real *x, double *v)
{
    test_real v_real[SPECTRUM_MAX_P];
    quadratic quad = { .p = p, .hessian = h };
    blpo_hypergrad_config config = nystrom_config(BLPO_CURVATURE_HESSIAN, k, rho, 0.0, 0);
    blpo_hypergrad_report report = empty_report();
    dense_symmetric(value, p, seed, h);
    spectrum_vector(p, seed, v_real, v);
    config.seed = seed;
    blpo_hypergrad *solver = solver_new(&quad, 1, &config);
    assert_status(blpo_hypergrad_solve(solver, v_real, x, &report), BLPO_OK);
    blpo_hypergrad_destroy(solver);
    return report;
}

/* More rows than the rank: what rounding makes of the zeroes of M has either sign, and is neither negative nor information. With
 * all rows the rank is found, and x is exact as in the test before; the eigenvalues left out, 8 eps |M|_F by rho = 0.5 at most,
 * are among its roundings. */
static void a_singular_block_is_singular_and_not_indefinite(void **state)
{
    (void)state;
    enum { P = 20 };
    for (uint64_t seed = 1; seed <= 100; seed++) {
        const int64_t rank = 1 + (int64_t)(seed % 10), k = seed % 2 ? P : rank + 1 + (int64_t)(seed % 7);
        double value[P], h[P * P], v[P], exact[P];
        test_real x[P];
        for (int64_t i = 0; i < P; i++)
            value[i] = i < rank ? 1.0 + (double)i / P : 0.0;
        const blpo_hypergrad_report report = solve_by_rows(value, P, k, 0.5, seed, h, x, v);
        assert_int_equal(report.indefinite, 0);
        assert_int_equal(report.fallback, 1);
        assert_int_equal(report.reason, BLPO_IHVP_REASON_SINGULAR);
        assert_int_equal(report.method, BLPO_IHVP_NYSTROM);
        assert_true(report.rank_used <= rank);
        if (k < P)
            continue;
        assert_int_equal(report.rank_used, rank);
        dense_shifted_solve(h, 0.5, v, P, exact);
        assert_near(x, exact, P, 1e2 * P * TEST_EPSILON, 0.0);
    }
}

/* One negative eigenvalue, from far above what rounding explains to far below: 8 eps |M|_F, and P eps |M|_F that the rounding of
 * the entries may add or take. */
static void a_negative_eigenvalue_counts_from_the_size_of_roundings_on(void **state)
{
    (void)state;
    enum { P = 20 };
    for (int64_t size = 1; size < 10000; size *= 10)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            double value[P], h[P * P], v[P], norm = 0.0;
            test_real x[P];
            for (int64_t i = 0; i < P; i++)
                norm = hypot(norm, value[i] = 1.0 + (double)i / P);
            value[0] = -(size == 1 ? 0.1 : 5.0 * (double)size) * TEST_EPSILON * norm;
            const blpo_hypergrad_report report = solve_by_rows(value, P, P, 0.5, seed, h, x, v);
            assert_int_equal(report.indefinite, size > 1);
        }
}

/* A = diag(1, -1), and v . A v = 1e-2 |v|^2: the first step goes 100 |v| far, and leaves a residual of that size; the second
 * direction has negative curvature. v / rho = v leaves |H v| = 1.4 |v|. Where it goes on two steps solve A x = v: but for 100^2
 * roundings, for r and x were 100 times as large, and the curvature of the second direction is a hundredth of its terms. */
static void a_step_along_hardly_any_curvature_is_taken_back(void **state)
{
    (void)state;
    static const double h[4] = { 0.0, 0.0, 0.0, -2.0 };
    static const int methods[2] = { BLPO_IHVP_CG, BLPO_IHVP_NYSTROM_PCG };
    for (int i = 0; i < 2; i++)
        for (int iterations = 1; iterations <= 2; iterations++) {
            quadratic quad = { .p = 2, .hessian = h };
            blpo_hypergrad_config config = solver_config(methods[i], 1, 1.0, 0.0);
            config.report_residual = 1;
            config.cg_iterations = 2;
            config.cg_negative_curvature = iterations == 2;
            blpo_hypergrad *solver = solver_new(&quad, 0, &config);
            blpo_hypergrad_report report = empty_report();
            const test_real v[2] = { 1, (test_real)0.99 };
            test_real x[2];
            assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
            assert_true(report.relative_residual < (iterations == 1 ? 1.5 : 8e4 * TEST_EPSILON));
            if (iterations == 1)
                assert_int_equal(report.fallback, 1);
            blpo_hypergrad_destroy(solver);
        }
}

/* Same rows, same sums in double: two roundings of x apart. The cores differ by the order of sums, which the condition of the
 * core, at most (2 + rho)^2 / rho^2 for k = p, carries into y: in double, far below. */
static void both_forms_of_nystrom_give_equal_results(void **state)
{
    (void)state;
    for (int curvature = 0; curvature < CURVATURES; curvature++)
        for (int64_t chunk = 1; chunk <= 11; chunk += 5)
            for (int draw = BLPO_DRAW_UNIFORM; draw <= BLPO_DRAW_DIAGONAL; draw++) {
                bench a, b;
                test_real x[SPECTRUM_MAX_P], y[SPECTRUM_MAX_P];
                double wide[SPECTRUM_MAX_P];
                blpo_hypergrad_config config = nystrom_config(curvature, 11, 0.5, 0.25, 0);
                config.nystrom_draw = draw;
                bench_begin(&a, 0, curvature);
                bench_begin(&b, 0, curvature);
                bench_solve(&a, &config, 1, NULL, x);
                config.nystrom_space_efficient = 1;
                config.nystrom_chunk = chunk;
                bench_solve(&b, &config, 1, NULL, y);
                for (int64_t i = 0; i < a.quad.p; i++)
                    wide[i] = (double)x[i];
                assert_near(y, wide, a.quad.p, 1e2 * TEST_EPSILON, 0.0);
            }
}

/* -- indefinite matrices -- */

/* rho = 0.1: eigenvalues -0.2, -0.1, and 0.0 to rounding. Nobody may return a number that is not finite, or hide it: where the
 * method saw the negative side it says so, and where it fell back it says why. */
static void an_indefinite_matrix_is_never_hidden(void **state)
{
    (void)state;
    for (int method = 0; method < METHODS; method++)
        for (int go_on = 0; go_on <= 1; go_on++) {
            bench b;
            test_real x[SPECTRUM_MAX_P];
            bench_begin(&b, 2, BLPO_CURVATURE_HESSIAN);
            blpo_hypergrad_config config = solver_config(method, 10, 0.1, 0.0);
            config.cg_iterations = config.neumann_terms = 40;
            config.cg_negative_curvature = go_on;
            config.spectrum_iterations = 20;
            bench_solve(&b, &config, 1, NULL, x);
            assert_int_equal(b.report.indefinite, 1); /* the estimate of the spectrum sees it in any case */
            assert_int_equal(b.report.fallback, b.report.reason != BLPO_IHVP_REASON_NONE);
        }
}

/* A sum that ends where its terms grow: the negative side is met by neumann within 40 terms at most, since the components
 * along it grow by a factor of 1 + 0.2 / 50 each while all others vanish. */
static void methods_that_need_positive_curvature_say_that_it_was_missing(void **state)
{
    (void)state;
    static const double h[4] = { -2.0, 0.0, 0.0, 8.0 };
    static const int methods[3] = { BLPO_IHVP_CG, BLPO_IHVP_NYSTROM_PCG, BLPO_IHVP_NEUMANN };
    for (int i = 0; i < 3; i++) {
        quadratic quad = { .p = 2, .hessian = h };
        blpo_hypergrad_config config = solver_config(methods[i], 1, 1.0, 0.0);
        config.neumann_terms = 400;
        blpo_hypergrad *solver = solver_new(&quad, 0, &config);
        blpo_hypergrad_report report = empty_report();
        const test_real v[2] = { 1, (test_real)0.25 };
        test_real x[2];
        assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
        assert_int_equal(report.indefinite, 1);
        assert_int_equal(report.fallback, 1);
        assert_int_equal(report.reason, BLPO_IHVP_REASON_INDEFINITE);
        blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
        assert_status(blpo_hypergrad_get_stats(solver, &stats), BLPO_OK);
        assert_int_equal(stats.n_fallback_indefinite, 1);
        assert_int_equal(stats.n_fallback_singular + stats.n_fallback_nonfinite + stats.n_fallback_diverged, 0);
        blpo_hypergrad_destroy(solver);
    }
}

/* -- what a solve costs -- */

/* Products of two rows that the space-efficient form makes of chunks of c rows: a chunk with itself and with those before it. */
static int64_t space_pairs(int64_t k, int64_t c)
{
    int64_t sum = 0;
    for (int64_t first = 0; first < k; first += c) {
        const int64_t rows = k - first < c ? k - first : c;
        sum += rows * (first + rows);
    }
    return sum;
}

/* Products of the space-efficient form: k, k again, and before each chunk the rows of all chunks ahead of it. */
static int64_t space_products(int64_t k, int64_t c)
{
    int64_t sum = 2 * k;
    for (int64_t first = c; first < k; first += c)
        sum += first;
    return sum;
}

/* As the files state them, for m iterations or terms and k rows or columns. */
static int64_t stated_products(int method, const bench *b, int with_rows, int64_t k, int64_t m)
{
    const int64_t of[METHODS] = { 0, k, m, b->quad.p, k + m, 6 + m - 1, with_rows ? 1 : b->quad.n_samples + 1 };
    return of[method];
}

static int64_t stated_flops(int method, const bench *b, int64_t k, int64_t m)
{
    const int64_t p = b->quad.p, n = b->quad.n_samples;
    const int64_t of[METHODS] = {
        p,
        2 * k * k * p + 4 * k * p + p + 2 * k * k * k / 3 + 2 * k * k,
        14 * p * m,
        p * p * p / 3 + 2 * p * p,
        (10 * k * k - 6 * k) * p + (4 * k + 16) * p * m,
        (12 * m - 8) * p,
        n * n * n / 3 + 2 * n * n + 2 * p,
    };
    return of[method];
}

static void a_solve_costs_what_its_file_states(void **state)
{
    (void)state;
    for (int method = 0; method < METHODS; method++)
        for (int curvature = 0; curvature < CURVATURES; curvature++)
            for (int with_rows = 0; with_rows <= 1; with_rows++) {
                bench b;
                test_real x[SPECTRUM_MAX_P];
                bench_begin(&b, 0, curvature);
                blpo_hypergrad_config config = solver_config(method, 6, 0.5, 0.0);
                config.curvature = curvature;
                config.cg_iterations = config.neumann_terms = 3;
                bench_solve(&b, &config, with_rows, NULL, x);
                assert_int_equal(b.report.n_products, stated_products(method, &b, with_rows, 6, 3));
                assert_int_equal(b.report.n_products, b.quad.products);
                assert_int_equal(b.report.n_flops, stated_flops(method, &b, 6, 3));
            }
}

static void the_space_efficient_form_costs_what_its_file_states(void **state)
{
    (void)state;
    for (int64_t chunk = 1; chunk <= 9; chunk += 2) {
        bench b;
        test_real x[SPECTRUM_MAX_P];
        bench_begin(&b, 0, BLPO_CURVATURE_HESSIAN);
        const blpo_hypergrad_config config = nystrom_config(BLPO_CURVATURE_HESSIAN, 9, 0.5, 0.0, chunk);
        bench_solve(&b, &config, 1, NULL, x);
        const int64_t in_one = stated_flops(BLPO_IHVP_NYSTROM, &b, 9, 0);
        assert_int_equal(b.report.n_products, space_products(9, chunk));
        assert_int_equal(b.report.n_products, b.quad.products);
        assert_int_equal(b.report.n_flops, in_one + 2 * b.quad.p * (space_pairs(9, chunk) - 9 * 9));
        assert_true(b.quad.k <= chunk);
    }
}

/* Before the rows: the callback for the diagonal, or a product with each unit vector of the samples, n of them. */
static void draws_by_the_diagonal_cost_what_their_file_states(void **state)
{
    (void)state;
    for (int curvature = 0; curvature < CURVATURES; curvature++)
        for (int with_rows = 0; with_rows <= 1; with_rows++)
            for (int64_t chunk = 0; chunk <= 6; chunk += 6) {
                bench b;
                test_real x[SPECTRUM_MAX_P];
                bench_begin(&b, 0, curvature);
                const int64_t p = b.quad.p, n = with_rows ? 0 : b.quad.n_samples;
                blpo_hypergrad_config config = nystrom_config(curvature, 6, 0.5, 0.0, chunk);
                config.nystrom_draw = BLPO_DRAW_DIAGONAL;
                bench_solve(&b, &config, with_rows, NULL, x);
                assert_int_equal(b.report.n_products, n + (chunk > 0 ? space_products(6, chunk) : 6));
                assert_int_equal(b.report.n_products, b.quad.products);
                assert_int_equal(b.report.n_flops, stated_flops(BLPO_IHVP_NYSTROM, &b, 6, 0) + 2 * n * p + 6 * p);
            }
}

/* Residual one product, spectrum one an iteration; the operations of neither count. */
static void measuring_costs_what_it_is_said_to_cost(void **state)
{
    (void)state;
    for (int method = 0; method < METHODS; method++) {
        bench b;
        test_real x[SPECTRUM_MAX_P];
        bench_begin(&b, 0, BLPO_CURVATURE_HESSIAN);
        blpo_hypergrad_config config = solver_config(method, 6, 0.5, 0.0);
        config.cg_iterations = config.neumann_terms = 3;
        config.report_residual = 1;
        config.spectrum_iterations = 5;
        bench_solve(&b, &config, 1, NULL, x);
        const int64_t own = method == BLPO_IHVP_NEUMANN ? 2 : stated_products(method, &b, 1, 6, 3);
        assert_int_equal(b.report.n_products, own + 5 + 1);
        assert_int_equal(b.report.n_flops, stated_flops(method, &b, 6, 3));
        assert_true(b.report.relative_residual >= 0.0);
    }
}

/* A scale that is given costs no product; the spectrum is estimated all the same where that was asked for. */
static void a_given_scale_of_neumann_saves_the_products_that_estimate_one(void **state)
{
    (void)state;
    for (int64_t iterations = 0; iterations <= 5; iterations += 5) {
        bench b;
        test_real x[SPECTRUM_MAX_P];
        bench_begin(&b, 0, BLPO_CURVATURE_HESSIAN);
        blpo_hypergrad_config config = solver_config(BLPO_IHVP_NEUMANN, 1, 0.5, 0.0);
        config.neumann_terms = 3;
        config.neumann_scale = 0.25;
        config.spectrum_iterations = iterations;
        bench_solve(&b, &config, 1, NULL, x);
        assert_int_equal(b.report.n_products, 2 + iterations);
        assert_int_equal(b.report.n_products, b.quad.products);
        assert_int_equal(b.report.n_flops, stated_flops(BLPO_IHVP_NEUMANN, &b, 1, 3));
        assert_true(iterations == 0 ? b.report.largest_eigenvalue == -1.0 : b.report.largest_eigenvalue > 1.5);
    }
}

/* Twenty iterations for a matrix of order 20 with 20 distinct eigenvalues in 1.5 .. 2.5 find both ends; those of the rank deficient
 * one are 0.5 and 2.5. Estimates come from below: never above the truth by more than roundings. */
static void estimates_of_the_spectrum_are_close_from_below(void **state)
{
    (void)state;
    static const double condition[2] = { 2.5 / 1.5, 2.5 / 0.5 };
    for (int i = 0; i < 2; i++)
        for (int curvature = 0; curvature < CURVATURES; curvature++) {
            bench b;
            test_real x[SPECTRUM_MAX_P];
            bench_begin(&b, 3 * i, curvature);
            blpo_hypergrad_config config = solver_config(BLPO_IHVP_NONE, 1, 0.5, 0.0);
            config.curvature = curvature;
            config.spectrum_iterations = 20;
            bench_solve(&b, &config, 1, NULL, x);
            const double slack = 100.0 * TEST_EPSILON;
            assert_true(b.report.largest_eigenvalue <= 2.5 * (1.0 + slack)
                        && b.report.largest_eigenvalue > 2.5 * 0.999);
            assert_true(b.report.condition_number <= condition[i] * (1.0 + slack)
                        && b.report.condition_number > condition[i] * 0.99);
            config.spectrum_iterations = 3;
            bench_solve(&b, &config, 1, NULL, x);
            assert_true(b.report.largest_eigenvalue <= 2.5 * (1.0 + slack) && b.report.largest_eigenvalue > 1.5);
        }
}

static void estimates_that_nobody_asked_for_are_minus_one(void **state)
{
    (void)state;
    bench b;
    test_real x[SPECTRUM_MAX_P];
    bench_begin(&b, 0, BLPO_CURVATURE_HESSIAN);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_CG, 1, 0.5, 0.0);
    bench_solve(&b, &config, 1, NULL, x);
    assert_true(b.report.largest_eigenvalue == -1.0 && b.report.condition_number == -1.0);
}

/* -- adaptive rank -- */

/* Rank 10 of 20: a sketch of fewer columns misses an eigenvalue above 1, ten or more miss nothing but roundings. So with an error
 * of at most rho = 0.1 the rank doubles from 3 over 6 to 12. The preconditioned matrix then has one eigenvalue, within roundings,
 * and two iterations do. */
static void adaptive_rank_grows_until_the_sketch_is_good(void **state)
{
    (void)state;
    for (int curvature = 0; curvature < CURVATURES; curvature++) {
        bench b;
        test_real x[SPECTRUM_MAX_P];
        double exact[SPECTRUM_MAX_P];
        bench_begin(&b, 3, curvature);
        blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM_PCG, 3, 0.1, 0.0);
        config.curvature = curvature;
        config.sketch_rank_max = 20;
        config.cg_iterations = 2;
        bench_solve(&b, &config, 1, NULL, x);
        assert_int_equal(b.report.rank_used, 12);
        assert_int_equal(b.report.n_products, 12 + 3 * 8 + 2);
        dense_shifted_solve(b.matrix.hessian, 0.1, b.v_double, b.quad.p, exact);
        assert_near(x, exact, b.quad.p, 1e3 * (double)b.quad.p * TEST_EPSILON, 0.0);
        config.sketch_rank_max = 8;
        bench_solve(&b, &config, 1, NULL, x);
        assert_int_equal(b.report.rank_used, 8);
        config.sketch_error = 1e3; /* at most 100: the first sketch will do */
        bench_solve(&b, &config, 1, NULL, x);
        assert_int_equal(b.report.rank_used, 3);
    }
}

/* H has rank 3, so that A, and P^-1 A, have at most 3 + 1 + 2 distinct eigenvalues with a sketch of one column: each iteration takes
 * out one, and 6 give the exact x but for roundings, as only conjugate directions do. */
static void conjugate_directions_end_after_as_many_iterations_as_eigenvalues(void **state)
{
    (void)state;
    static const int methods[2] = { BLPO_IHVP_CG, BLPO_IHVP_NYSTROM_PCG };
    const double value[12] = { 3.0, 1.0, 0.25 };
    double h[12 * 12], exact[12], v_double[12];
    test_real v[12], x[12];
    dense_symmetric(value, 12, 3, h);
    spectrum_vector(12, 5, v, v_double);
    dense_shifted_solve(h, 0.125, v_double, 12, exact);
    for (int i = 0; i < 2; i++) {
        quadratic quad = { .p = 12, .hessian = h };
        blpo_hypergrad_config config = solver_config(methods[i], 1, 0.125, 0.0);
        config.cg_iterations = 6;
        blpo_hypergrad *solver = solver_new(&quad, 0, &config);
        assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_OK);
        assert_near(x, exact, 12, 16.0 * 12.0 * TEST_EPSILON * 3.125 / 0.125, 0.0);
        blpo_hypergrad_destroy(solver);
    }
}

/* -- draws in proportion to the diagonal -- */

/* J = diag(0, 1, 2, 4): of a draw of one, coordinate i has probability d_i / 21 with d = (0, 1, 4, 16). 2100 draws have 100, 400 and
 * 1600 expected; chi-square with 2 degrees of freedom is above 18.4 for one fair seed in ten thousand. */
static void draws_follow_the_diagonal(void **state)
{
    (void)state;
    static const double jacobian[16] = { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 4 };
    static const double expected[4] = { 0.0, 100.0, 400.0, 1600.0 };
    for (int with_rows = 0; with_rows <= 1; with_rows++) {
        quadratic quad = { .p = 4, .hessian = jacobian, .jacobian = jacobian, .n_samples = 4 };
        blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 1, 1.0, 1.0);
        config.nystrom_draw = BLPO_DRAW_DIAGONAL;
        blpo_problem problem = quadratic_problem(&quad, 1);
        if (!with_rows)
            problem.gauss_newton_diagonal = NULL;
        blpo_hypergrad *solver = NULL;
        assert_status(blpo_hypergrad_create(&problem, &config, NULL, &solver), BLPO_OK);
        const test_real v[4] = { 1, 1, 1, 1 };
        test_real x[4];
        double count[4] = { 0.0 }, chi = 0.0;
        for (int i = 0; i < 2100; i++) {
            assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_OK);
            count[quad.index[0]]++;
        }
        assert_true(count[0] == 0.0);
        for (int i = 1; i < 4; i++)
            chi += (count[i] - expected[i]) * (count[i] - expected[i]) / expected[i];
        assert_true(chi < 18.4);
        blpo_hypergrad_destroy(solver);
    }
}

/* Three of four when only two have any weight: these two, and one of the others, each of them in its turn. */
static void draws_that_run_out_of_weight_are_uniform(void **state)
{
    (void)state;
    static const double jacobian[16] = { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0 };
    quadratic quad = { .p = 4, .hessian = jacobian, .jacobian = jacobian, .n_samples = 4 };
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 3, 1.0, 1.0);
    config.nystrom_draw = BLPO_DRAW_DIAGONAL;
    blpo_hypergrad *solver = solver_new(&quad, 1, &config);
    const test_real v[4] = { 1, 1, 1, 1 };
    test_real x[4];
    int first = 0, last = 0;
    for (int i = 0; i < 50; i++) {
        assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_OK);
        assert_int_equal(quad.index[0] + quad.index[1], 1 + 2);
        first += quad.index[2] == 0;
        last += quad.index[2] == 3;
    }
    assert_int_equal(first + last, 50);
    assert_true(first > 10 && last > 10); /* a fair coin misses that once in 10^5 */
    blpo_hypergrad_destroy(solver);
}

/* -- memory -- */

static void no_method_takes_memory_after_create(void **state)
{
    (void)state;
    for (int method = 0; method < METHODS; method++)
        for (int variant = 0; variant < 8; variant++) {
            bench b;
            counted_memory memory = { 0 };
            const blpo_runtime runtime = counted_runtime(&memory, NULL);
            bench_begin(&b, variant % 3, variant / 4);
            blpo_hypergrad_config config = solver_config(method, 3, 0.1, 0.0);
            config.curvature = variant / 4;
            config.nystrom_space_efficient = config.nystrom_draw = variant / 2 % 2;
            config.sketch_rank_max = variant / 2 % 2 ? 20 : 0;
            config.spectrum_iterations = 4;
            config.report_residual = 1;
            const blpo_problem problem = quadratic_problem(&b.quad, variant % 2);
            blpo_hypergrad *solver = NULL;
            assert_status(blpo_hypergrad_create(&problem, &config, &runtime, &solver), BLPO_OK);
            const int64_t calls = memory.calls;
            test_real x[SPECTRUM_MAX_P];
            for (int i = 0; i < 3; i++)
                assert_status(blpo_hypergrad_compute(solver, b.direct, b.v, x, NULL), BLPO_OK);
            assert_int_equal(memory.calls, calls);
            blpo_hypergrad_destroy(solver);
            assert_all_released(&memory);
        }
}

/* -- callbacks that misbehave -- */

static blpo_hypergrad_config thorough_config(int method, int curvature)
{
    blpo_hypergrad_config config = solver_config(method, 3, 0.5, 0.0);
    config.curvature = curvature;
    config.nystrom_draw = BLPO_DRAW_DIAGONAL;
    config.cg_iterations = config.neumann_terms = 3;
    config.sketch_rank_max = 5;
    config.report_residual = 1;
    config.spectrum_iterations = 2;
    return config;
}

typedef struct mischief {
    int verdict;
    int64_t excess;
    int code; /* what the library must say */
} mischief;

/* failures: so many before on a callback, and on a number that is not finite. */
static void check_mischief(bench *b, blpo_hypergrad *solver, const mischief *m, int64_t call, int64_t failures[2])
{
    test_real *out = guarded_new(Q);
    blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
    b->quad.calls = 0;
    b->quad.fault = QUADRATIC_ANY;
    b->quad.fault_at = call;
    b->quad.verdict = m->verdict;
    b->quad.excess = m->excess;
    b->report = empty_report();
    assert_status(blpo_hypergrad_compute(solver, b->direct, b->v, out, &b->report), m->code);
    assert_status(b->report.status, m->code);
    assert_error_names(blpo_hypergrad_error(solver), m->code, b->quad.faulty);
    assert_int_equal(blpo_hypergrad_error(solver)->callback_code, m->verdict);
    for (int i = 0; i < Q; i++)
        assert_true(isnan(out[i]) != 0);
    assert_status(blpo_hypergrad_get_stats(solver, &stats), BLPO_OK);
    failures[m->code == BLPO_ERR_NONFINITE]++;
    assert_int_equal(stats.n_failed_callback, failures[0]);
    assert_int_equal(stats.n_failed_nonfinite, failures[1]);
    assert_int_equal(stats.n_failed, failures[0] + failures[1]);
    guarded_free(out);
}

static void check_all_calls(int method, int curvature, int with_rows)
{
    static const mischief kinds[5] = { { 7, 0, BLPO_ERR_CALLBACK },
                                       { -3, 0, BLPO_ERR_CALLBACK },
                                       { 0, 0, BLPO_ERR_NONFINITE },
                                       { 0, 1, BLPO_ERR_CALLBACK },
                                       { 0, -1, BLPO_ERR_NONFINITE } };
    bench b;
    test_real first[Q], last[Q];
    bench_begin(&b, 0, curvature);
    const blpo_hypergrad_config config = thorough_config(method, curvature);
    blpo_hypergrad *solver = solver_new(&b.quad, with_rows, &config);
    assert_status(blpo_hypergrad_compute(solver, b.direct, b.v, first, NULL), BLPO_OK);
    const int64_t calls = b.quad.calls;
    int64_t failures[2] = { 0 };
    assert_true(calls >= 4);
    for (int64_t call = 1; call <= calls; call++)
        for (int kind = 0; kind < 5; kind++)
            check_mischief(&b, solver, &kinds[kind], call, failures);
    b.quad.fault = 0;
    assert_status(blpo_hypergrad_compute(solver, b.direct, b.v, last, NULL), BLPO_OK);
    for (int i = 0; i < Q; i++)
        assert_true(isfinite(last[i]) != 0);
    blpo_hypergrad_destroy(solver);
}

/* Every callback in every one of its calls: a verdict, a NaN, an element too many, an element too few. */
static void whatever_a_callback_does_wrong_is_named_counted_and_leaves_the_result(void **state)
{
    (void)state;
    for (int method = 0; method < METHODS; method++)
        for (int curvature = 0; curvature < CURVATURES; curvature++)
            for (int with_rows = 0; with_rows <= 1; with_rows++)
                check_all_calls(method, curvature, with_rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_is_within_its_bound_of_the_dense_solve),
#ifdef BLPO__FLOAT64
        cmocka_unit_test(an_ill_conditioned_matrix_is_solved),
        cmocka_unit_test(a_core_of_all_ill_conditioned_rows_is_exact_or_says_that_it_is_not),
#endif
        cmocka_unit_test(nystrom_is_within_its_bound_of_the_dense_solve),
        cmocka_unit_test(nystrom_of_all_rows_is_exact),
        cmocka_unit_test(a_singular_core_falls_back_to_its_spectrum),
        cmocka_unit_test(a_singular_block_is_singular_and_not_indefinite),
        cmocka_unit_test(a_negative_eigenvalue_counts_from_the_size_of_roundings_on),
        cmocka_unit_test(a_step_along_hardly_any_curvature_is_taken_back),
        cmocka_unit_test(both_forms_of_nystrom_give_equal_results),
        cmocka_unit_test(an_indefinite_matrix_is_never_hidden),
        cmocka_unit_test(methods_that_need_positive_curvature_say_that_it_was_missing),
        cmocka_unit_test(a_solve_costs_what_its_file_states),
        cmocka_unit_test(the_space_efficient_form_costs_what_its_file_states),
        cmocka_unit_test(draws_by_the_diagonal_cost_what_their_file_states),
        cmocka_unit_test(measuring_costs_what_it_is_said_to_cost),
        cmocka_unit_test(a_given_scale_of_neumann_saves_the_products_that_estimate_one),
        cmocka_unit_test(estimates_of_the_spectrum_are_close_from_below),
        cmocka_unit_test(estimates_that_nobody_asked_for_are_minus_one),
        cmocka_unit_test(adaptive_rank_grows_until_the_sketch_is_good),
        cmocka_unit_test(conjugate_directions_end_after_as_many_iterations_as_eigenvalues),
        cmocka_unit_test(draws_follow_the_diagonal),
        cmocka_unit_test(draws_that_run_out_of_weight_are_uniform),
        cmocka_unit_test(no_method_takes_memory_after_create),
        cmocka_unit_test(whatever_a_callback_does_wrong_is_named_counted_and_leaves_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
