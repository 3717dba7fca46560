/* Method nystrom over a problem that says M, C C^T, C v and C^T y without giving rows: the same inverse, and as careful with what
 * the callbacks do. */
#include "support/check.h"
#include "support/dense.h"
#include "support/spectra.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST_K = 12, SUM = 4, GUARD_AT = -1 };

/* Over the matrix of a quadratic; output `fault` of the callbacks goes wrong in element `at`, or one behind the last. */
typedef struct spoken {
    quadratic quad;
    int fault;      /* 0: none; 1 block, 2 gram, 3 products, SUM */
    int64_t at;     /* GUARD_AT: behind the end */
    int skip;       /* 1: the element is left as it was handed in */
    int verdict;    /* not 0: what both callbacks return */
    int resolved;   /* 1: it says what the resolution of the block is */
    double resolution;
    int64_t calls, sums;
    int64_t index[MOST_K];
} spoken;

static void spoil(const spoken *s, int output, double *out, int64_t n, double before)
{
    if (s->fault != output)
        return;
    if (s->at == GUARD_AT)
        out[n] = 1.0;
    else
        out[s->at] = s->skip ? before : (double)NAN;
}

static double element(const spoken *s, int64_t i, int64_t j)
{
    return (double)(test_real)s->quad.hessian[i * s->quad.p + j];
}

static int products_of(void *user, const int64_t *index, int64_t k, const test_real *v, double *block, double *gram,
                       double *products, double *resolution)
{
    spoken *s = user;
    const int64_t p = s->quad.p, at = s->at < 0 ? 0 : s->at;
    const double before[4] = { 0.0, block[at < k * k ? at : 0], gram[at < k * k ? at : 0], products[at < k ? at : 0] };
    s->calls++;
    assert_true(*resolution < 0.0);
    if (s->resolved)
        *resolution = s->resolution;
    for (int64_t i = 0; i < k; i++) {
        s->index[i] = index[i];
        products[i] = 0.0;
        for (int64_t l = 0; l < p; l++)
            products[i] += element(s, index[i], l) * (double)v[l];
        for (int64_t j = 0; j < k; j++) {
            block[i * k + j] = element(s, index[i], index[j]);
            gram[i * k + j] = 0.0;
            for (int64_t l = 0; l < p; l++)
                gram[i * k + j] += element(s, index[i], l) * element(s, index[j], l);
        }
    }
    spoil(s, 1, block, k * k, before[1]);
    spoil(s, 2, gram, k * k, before[2]);
    spoil(s, 3, products, k, before[3]);
    return s->verdict;
}

static int sum_of(void *user, const int64_t *index, int64_t k, const double *y, test_real *out)
{
    spoken *s = user;
    const test_real before = out[s->at < 0 ? 0 : s->at];
    s->sums++;
    for (int64_t l = 0; l < s->quad.p; l++) {
        double sum = 0.0;
        for (int64_t i = 0; i < k; i++) {
            assert_int_equal(index[i], s->index[i]);
            sum += y[i] * element(s, index[i], l);
        }
        out[l] = (test_real)sum;
    }
    if (s->fault == SUM && s->at == GUARD_AT)
        out[s->quad.p] = 1;
    else if (s->fault == SUM)
        out[s->at] = s->skip ? before : (test_real)NAN;
    return s->verdict;
}

/* Without any other callback. */
static blpo_problem problem_of(spoken *s)
{
    blpo_problem problem;
    assert_status(blpo_problem_init(&problem, sizeof problem), BLPO_OK);
    problem.n_inner = s->quad.p;
    problem.user = s;
    problem.rows_products = products_of;
    problem.rows_sum = sum_of;
    return problem;
}

static spoken spoken_of(const spectrum *matrix)
{
    spoken s;
    memset(&s, 0, sizeof s);
    s.quad.p = matrix->p;
    s.quad.hessian = matrix->hessian;
    return s;
}

static blpo_hypergrad *create(const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    blpo_hypergrad *solver = NULL;
    assert_status(blpo_hypergrad_create(problem, config, NULL, &solver), BLPO_OK);
    return solver;
}

/* By rows the sum C^T y is never rounded to a real, here it is: |v| / rho times a few roundings. The sums of the core are in double
 * both times, in another order: roundings of that times its condition. */
static void check_same_inverse(const spectrum *matrix, int64_t k, double rho, double shift)
{
    spoken s = spoken_of(matrix);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, k, rho, shift);
    const blpo_problem problem = problem_of(&s);
    blpo_hypergrad *solver = create(&problem, &config), *by_rows = solver_new(&s.quad, 1, &config);
    test_real v[SPECTRUM_MAX_P], x[SPECTRUM_MAX_P], expected[SPECTRUM_MAX_P];
    double v_double[SPECTRUM_MAX_P], expected_double[SPECTRUM_MAX_P];
    for (uint64_t draw = 0; draw < 4; draw++) {
        blpo_hypergrad_report report = empty_report(), other = empty_report();
        double norm = 0.0, off;
        spectrum_vector(matrix->p, draw, v, v_double);
        for (int64_t i = 0; i < matrix->p; i++)
            norm += v_double[i] * v_double[i];
        assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
        assert_status(blpo_hypergrad_solve(by_rows, v, expected, &other), BLPO_OK);
        for (int64_t i = 0; i < matrix->p; i++)
            expected_double[i] = (double)expected[i];
        off = 64.0 * TEST_EPSILON + 8.0 * (double)matrix->p * DBL_EPSILON * fmax(other.condition_estimate, 1.0);
        assert_all_close(x, expected_double, matrix->p, 4.0 * TEST_EPSILON, off * sqrt(norm) / rho);
        assert_int_equal(report.n_products, k);
        assert_int_equal(report.method, other.method);
        assert_int_equal(report.indefinite, other.indefinite);
        assert_int_equal(report.fallback, other.fallback);
        assert_int_equal(report.reason, other.reason);
        assert_int_equal(report.rank_used, other.rank_used);
        assert_close(report.condition_estimate, other.condition_estimate, 1e-3, 0.0);
        assert_memory_equal(s.index, s.quad.index, (size_t)k * sizeof *s.index);
    }
    assert_int_equal(s.calls, 4);
    assert_int_equal(s.sums, 4);
    blpo_hypergrad_destroy(solver);
    blpo_hypergrad_destroy(by_rows);
}

static void the_inverse_is_that_of_the_rows(void **state)
{
    (void)state;
    static const int which[] = { 0, 2, 3, 4, 5, 6 };
    for (int i = 0; i < (int)TEST_COUNT(which); i++) {
        spectrum matrix;
        spectrum_make(which[i], &matrix);
        const int64_t ranks[3] = { 1, (matrix.p + 1) / 2, matrix.p < MOST_K ? matrix.p : MOST_K };
        for (int r = 0; r < 3; r++)
            for (int shift = 0; shift <= 1; shift++) {
                check_same_inverse(&matrix, ranks[r], 50.0, shift);
                check_same_inverse(&matrix, ranks[r], 1.0, shift);
            }
    }
}

static void no_rows_are_asked_for_but_in_little_space(void **state)
{
    (void)state;
    spectrum matrix;
    spectrum_make(0, &matrix);
    spoken s = spoken_of(&matrix);
    blpo_problem problem = quadratic_problem(&s.quad, 1); /* user is the quadratic, the first member */
    problem.rows_products = products_of;
    problem.rows_sum = sum_of;
    test_real v[SPECTRUM_MAX_P] = { 1 }, x[SPECTRUM_MAX_P];
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 5, 1.0, 0.0);
    for (int little = 0; little <= 1; little++) {
        config.nystrom_space_efficient = little;
        blpo_hypergrad *solver = create(&problem, &config);
        assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_OK);
        assert_int_equal(s.calls, 1);
        assert_int_equal(s.quad.rows_calls > 0, little);
        blpo_hypergrad_destroy(solver);
    }
}

static void one_without_the_other_is_a_mistake(void **state)
{
    (void)state;
    spectrum matrix;
    spectrum_make(0, &matrix);
    spoken s = spoken_of(&matrix);
    blpo_problem problem = problem_of(&s);
    blpo_hypergrad *solver = NULL;
    blpo_runtime runtime;
    blpo_error error;
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 5, 1.0, 0.0);
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.error = &error;
    problem.rows_sum = NULL;
    assert_status(blpo_hypergrad_create(&problem, &config, &runtime, &solver), BLPO_ERR_CONFIG);
    assert_error_names(&error, BLPO_ERR_CONFIG, "rows_sum");
    problem.rows_products = NULL;
    assert_status(blpo_hypergrad_create(&problem, &config, &runtime, &solver), BLPO_ERR_CONFIG);
    assert_error_names(&error, BLPO_ERR_CONFIG, "hvp");
    assert_null(solver);
}

/* A program built before there were such callbacks: what lies behind its struct is not read. */
static void a_problem_of_before_knows_nothing_of_them(void **state)
{
    (void)state;
    spectrum matrix;
    spectrum_make(0, &matrix);
    spoken s = spoken_of(&matrix);
    blpo_problem problem = quadratic_problem(&s.quad, 1);
    problem.rows_products = products_of;
    problem.rows_sum = NULL;
    problem.struct_size = offsetof(blpo_problem, rows_products);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 5, 1.0, 0.0);
    blpo_hypergrad *solver = create(&problem, &config);
    test_real v[SPECTRUM_MAX_P] = { 1 }, x[SPECTRUM_MAX_P];
    assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_OK);
    assert_int_equal(s.calls, 0);
    assert_int_equal(s.quad.rows_calls, 1);
    blpo_hypergrad_destroy(solver);
}

static void check_fault(int fault, int64_t at, int skip, int verdict, int code, const char *name)
{
    spectrum matrix;
    spectrum_make(0, &matrix);
    spoken s = spoken_of(&matrix);
    const blpo_problem problem = problem_of(&s);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 5, 1.0, 0.0);
    blpo_hypergrad *solver = create(&problem, &config);
    test_real v[SPECTRUM_MAX_P] = { 1 }, *x = guarded_new(matrix.p);
    s.fault = fault;
    s.at = at;
    s.skip = skip;
    s.verdict = verdict;
    assert_status(blpo_hypergrad_solve(solver, v, x, NULL), code);
    assert_error_names(blpo_hypergrad_error(solver), code, name);
    assert_int_equal(blpo_hypergrad_error(solver)->callback_code, verdict);
    assert_int_equal(blpo_hypergrad_error(solver)->element, code == BLPO_ERR_NONFINITE ? at : -1);
    for (int64_t i = 0; i < matrix.p; i++)
        assert_true(isnan(x[i]) != 0);
    s.fault = s.verdict = 0;
    assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_OK);
    guarded_free(x);
    blpo_hypergrad_destroy(solver);
}

static void whatever_the_callbacks_do_wrong_is_named(void **state)
{
    (void)state;
    static const char *const names[SUM] = { "block", "gram", "rows_products: products", "rows_sum" };
    static const int64_t last[SUM] = { 24, 24, 4, 19 };
    for (int output = 1; output <= SUM; output++) {
        const char *name = names[output - 1];
        check_fault(output, 0, 0, 0, BLPO_ERR_NONFINITE, name);
        check_fault(output, last[output - 1], 0, 0, BLPO_ERR_NONFINITE, name);
        check_fault(output, last[output - 1], 1, 0, BLPO_ERR_NONFINITE, name);
        check_fault(output, GUARD_AT, 0, 0, BLPO_ERR_CALLBACK, name);
    }
    check_fault(0, 0, 0, 7, BLPO_ERR_CALLBACK, "rows_products");
    check_fault(0, 0, 0, -7, BLPO_ERR_CALLBACK, "rows_products");
}

/* Eigenvalues of H: 1 .. 2 but for one, which is 1e-6 of it: within float's roundings of M, and not within those of double. */
static void a_problem_may_know_its_errors_better(void **state)
{
    (void)state;
    enum { P = 4 };
    static const double hessian[P * P] = { 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1e-7, 0, 0, 0, 0, 1.5 };
    static const double singular[P * P] = { 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1.5 };
    static const double resolutions[3] = { 0.0, 1e-12, 1e-5 };
    spoken s;
    memset(&s, 0, sizeof s);
    s.quad.p = P;
    s.quad.hessian = hessian;
    s.resolved = 1;
    const blpo_problem problem = problem_of(&s);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, P, 1e-3, 0.0);
    blpo_hypergrad *solver = create(&problem, &config);
    test_real v[P] = { 1, 1, 1, 1 }, x[P];
    for (int i = 0; i < 3; i++) {
        blpo_hypergrad_report report = empty_report();
        s.resolution = resolutions[i];
        assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
        assert_int_equal(report.rank_used, i < 2 ? P : P - 1);
        assert_close(x[2], i < 2 ? 1.0 / (1e-7 + 1e-3) : 1e3, 1e-6, 0.0);
        assert_close(x[1], 1.0 / 2.001, 1e-4, 0.0);
    }
    blpo_hypergrad_report report = empty_report();
    s.quad.hessian = singular; /* no errors at all are not negative eigenvalues */
    s.resolution = 0.0;
    assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
    assert_int_equal(report.indefinite, 0);
    assert_int_equal(report.rank_used, P - 1);
    assert_close(x[2], 1e3, 1e-6, 0.0);
    s.resolution = (double)INFINITY;
    assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_ERR_NONFINITE);
    assert_error_names(blpo_hypergrad_error(solver), BLPO_ERR_NONFINITE, "resolution");
    blpo_hypergrad_destroy(solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_inverse_is_that_of_the_rows),
        cmocka_unit_test(no_rows_are_asked_for_but_in_little_space),
        cmocka_unit_test(one_without_the_other_is_a_mistake),
        cmocka_unit_test(a_problem_of_before_knows_nothing_of_them),
        cmocka_unit_test(a_problem_may_know_its_errors_better),
        cmocka_unit_test(whatever_the_callbacks_do_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
