/* Callbacks that fail, write NaN or call back in; right-hand sides that are not finite. x stays, the solver stays usable. */
#include "support/check.h"
#include "support/spectra.h"

#include <math.h>
#include <string.h>

enum { METHODS = BLPO_IHVP_GAUSS_NEWTON + 1, CURVATURES = 2, Q = 3 };

typedef struct fixture {
    spectrum matrix;
    quadratic quad;
    double jacobian[SPECTRUM_MAX_JACOBIAN], mixed[Q * SPECTRUM_MAX_P];
    test_real v[SPECTRUM_MAX_P], direct[Q];
    test_real *out; /* guarded; large enough for x and for the hypergradient */
    blpo_hypergrad *solver;
} fixture;

static void begin_curved(fixture *f, int method, int curvature, int with_rows)
{
    memset(f, 0, sizeof *f);
    spectrum_problem(Q, curvature, &f->matrix, f->jacobian, f->mixed, &f->quad, f->v, f->direct);
    f->out = guarded_new(f->quad.p);
    blpo_hypergrad_config config = solver_config(method, 4, 0.5, 1.0);
    config.curvature = curvature;
    config.cg_iterations = 4;
    f->solver = solver_new(&f->quad, with_rows, &config);
}

static void begin(fixture *f, int method, int with_rows)
{
    begin_curved(f, method, BLPO_CURVATURE_HESSIAN, with_rows);
}

static void end(fixture *f)
{
    blpo_hypergrad_destroy(f->solver);
    guarded_free(f->out);
}

static void assert_untouched(const test_real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        assert_true(isnan(x[i]) != 0);
}

static blpo_hypergrad_stats stats_of(const blpo_hypergrad *solver)
{
    blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
    assert_status(blpo_hypergrad_get_stats(solver, &stats), BLPO_OK);
    return stats;
}

/* The next compute of a solver that failed works, and is counted apart. */
static void assert_recovers(fixture *f, int64_t failed)
{
    f->quad.fault = 0;
    assert_status(blpo_hypergrad_compute(f->solver, f->direct, f->v, f->out, NULL), BLPO_OK);
    const blpo_hypergrad_stats stats = stats_of(f->solver);
    assert_int_equal(stats.n_solves, 1);
    assert_int_equal(stats.n_failed, failed);
}

/* What a callback does in one of its calls: a verdict, or with verdict 0 a NaN in that element. */
typedef struct fault {
    int callback;
    int64_t call;
    int verdict;
    int64_t element;
    const char *name;
} fault;

static void check_fault(int method, int with_rows, fault wrong)
{
    fixture f;
    const int code = wrong.verdict != 0 ? BLPO_ERR_CALLBACK : BLPO_ERR_NONFINITE;
    begin(&f, method, with_rows);
    f.quad.fault = wrong.callback;
    f.quad.fault_at = wrong.call;
    f.quad.verdict = wrong.verdict;
    f.quad.nan_at = wrong.element;
    blpo_hypergrad_report report = empty_report();
    assert_status(blpo_hypergrad_compute(f.solver, f.direct, f.v, f.out, &report), code);
    assert_status(report.status, code);
    assert_untouched(f.out, f.quad.p);
    assert_error_names(blpo_hypergrad_error(f.solver), code, wrong.name);
    assert_int_equal(blpo_hypergrad_error(f.solver)->callback_code, wrong.verdict);
    assert_int_equal(blpo_hypergrad_error(f.solver)->element, wrong.verdict != 0 ? -1 : wrong.element);
    assert_recovers(&f, 1);
    end(&f);
}

static void a_verdict_of_any_callback_in_any_call_ends_the_solve(void **state)
{
    (void)state;
    static const int verdicts[2] = { 7, -3 };
    for (int i = 0; i < 2; i++) {
        const int verdict = verdicts[i];
        for (int64_t call = 1; call <= 4; call++) {
            const fault of_product = { QUADRATIC_HVP, call, verdict, 0, "hvp" };
            check_fault(BLPO_IHVP_CG, 0, of_product);
            check_fault(BLPO_IHVP_NYSTROM, 0, of_product);
            check_fault(BLPO_IHVP_DENSE, 0, (fault){ QUADRATIC_HVP, 5 * call, verdict, 0, "hvp" }); /* p = 20 rows */
            check_fault(BLPO_IHVP_GAUSS_NEWTON, 0, (fault){ QUADRATIC_JVP, 6 * call, verdict, 0, "jvp" }); /* of 24 */
            check_fault(BLPO_IHVP_GAUSS_NEWTON, 0, (fault){ QUADRATIC_VJP, 6 * call, verdict, 0, "vjp" });
        }
        check_fault(BLPO_IHVP_NYSTROM, 1, (fault){ QUADRATIC_ROWS, 1, verdict, 0, "hessian_rows" });
        check_fault(BLPO_IHVP_DENSE, 1, (fault){ QUADRATIC_ROWS, 1, verdict, 0, "hessian_rows" });
        check_fault(BLPO_IHVP_GAUSS_NEWTON, 1, (fault){ QUADRATIC_GRAM, 1, verdict, 0, "jacobian_gram" });
        for (int method = 0; method < METHODS; method++)
            check_fault(method, 1, (fault){ QUADRATIC_MIXED, 1, verdict, 0, "mixed_product" });
    }
}

/* In hessian_rows the element lies in row 0, where an index into the row and one into the array are the same. */
static void a_nan_from_any_callback_is_found_and_named(void **state)
{
    (void)state;
    static const int64_t elements[3] = { 0, 11, 19 };
    for (int i = 0; i < 3; i++) {
        const int64_t element = elements[i];
        check_fault(BLPO_IHVP_CG, 0, (fault){ QUADRATIC_HVP, 2, 0, element, "hvp" });
        check_fault(BLPO_IHVP_NYSTROM, 0, (fault){ QUADRATIC_HVP, 4, 0, element, "hvp" });
        check_fault(BLPO_IHVP_DENSE, 0, (fault){ QUADRATIC_HVP, 20, 0, element, "hvp" });
        check_fault(BLPO_IHVP_NYSTROM, 1, (fault){ QUADRATIC_ROWS, 1, 0, element, "hessian_rows" });
        check_fault(BLPO_IHVP_DENSE, 1, (fault){ QUADRATIC_ROWS, 1, 0, element, "hessian_rows" });
        check_fault(BLPO_IHVP_GAUSS_NEWTON, 1, (fault){ QUADRATIC_GRAM, 1, 0, element, "jacobian_gram" });
        check_fault(BLPO_IHVP_GAUSS_NEWTON, 1, (fault){ QUADRATIC_JVP, 1, 0, element, "jvp" });
        check_fault(BLPO_IHVP_GAUSS_NEWTON, 1, (fault){ QUADRATIC_VJP, 1, 0, element, "vjp" });
    }
    for (int64_t element = 0; element < Q; element++)
        check_fault(BLPO_IHVP_NONE, 1, (fault){ QUADRATIC_MIXED, 1, 0, element, "mixed_product" });
}

/* The product that measures the residual is the last one: it is watched like the others. */
static void a_callback_that_fails_while_the_residual_is_measured_ends_the_solve(void **state)
{
    (void)state;
    fixture f;
    begin(&f, BLPO_IHVP_NONE, 1);
    blpo_hypergrad_destroy(f.solver);
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 4, 0.5, 1.0);
    config.report_residual = 1;
    f.solver = solver_new(&f.quad, 1, &config);
    f.quad.fault = QUADRATIC_HVP;
    f.quad.fault_at = 1;
    f.quad.verdict = 9;
    assert_status(blpo_hypergrad_solve(f.solver, f.v, f.out, NULL), BLPO_ERR_CALLBACK);
    assert_untouched(f.out, f.quad.p);
    f.quad.hvp_calls = 0;
    f.quad.verdict = 0;
    assert_status(blpo_hypergrad_solve(f.solver, f.v, f.out, NULL), BLPO_ERR_NONFINITE);
    assert_untouched(f.out, f.quad.p);
    end(&f);
}

static void a_nan_or_infinity_in_v_is_refused_before_any_callback(void **state)
{
    (void)state;
    const test_real bad[3] = { (test_real)NAN, (test_real)INFINITY, -(test_real)INFINITY };
    for (int method = 0; method < METHODS; method++)
        for (int i = 0; i < 3 * CURVATURES; i++) {
            fixture f;
            begin_curved(&f, method, i / 3, 1);
            f.v[13] = bad[i % 3];
            blpo_hypergrad_report report = empty_report();
            assert_status(blpo_hypergrad_solve(f.solver, f.v, f.out, &report), BLPO_ERR_NONFINITE);
            assert_status(report.status, BLPO_ERR_NONFINITE);
            assert_error_names(blpo_hypergrad_error(f.solver), BLPO_ERR_NONFINITE, "v");
            assert_int_equal(blpo_hypergrad_error(f.solver)->element, 13);
            assert_untouched(f.out, f.quad.p);
            assert_int_equal(f.quad.calls, 0);
            f.v[13] = 1;
            assert_recovers(&f, 1);
            end(&f);
        }
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    fixture f;
    begin(&f, BLPO_IHVP_NYSTROM, 1);
    assert_status(blpo_hypergrad_solve(NULL, f.v, f.out, NULL), BLPO_ERR_NULL);
    assert_status(blpo_hypergrad_solve(f.solver, NULL, f.out, NULL), BLPO_ERR_NULL);
    assert_string_equal(blpo_hypergrad_error(f.solver)->text, "v is NULL");
    assert_status(blpo_hypergrad_solve(f.solver, f.v, NULL, NULL), BLPO_ERR_NULL);
    assert_string_equal(blpo_hypergrad_error(f.solver)->text, "x is NULL");
    assert_status(blpo_hypergrad_compute(NULL, f.direct, f.v, f.out, NULL), BLPO_ERR_NULL);
    assert_status(blpo_hypergrad_compute(f.solver, NULL, f.v, f.out, NULL), BLPO_ERR_NULL);
    assert_string_equal(blpo_hypergrad_error(f.solver)->text, "direct is NULL");
    assert_status(blpo_hypergrad_compute(f.solver, f.direct, NULL, f.out, NULL), BLPO_ERR_NULL);
    assert_string_equal(blpo_hypergrad_error(f.solver)->text, "v is NULL");
    assert_status(blpo_hypergrad_compute(f.solver, f.direct, f.v, NULL, NULL), BLPO_ERR_NULL);
    assert_string_equal(blpo_hypergrad_error(f.solver)->text, "hypergradient is NULL");
    assert_untouched(f.out, f.quad.p);
    assert_int_equal(f.quad.hvp_calls + f.quad.rows_calls + f.quad.mixed_calls, 0);
    end(&f);
}

static void a_report_or_stats_of_the_wrong_size_is_refused(void **state)
{
    (void)state;
    fixture f;
    begin(&f, BLPO_IHVP_NYSTROM, 1);
    static const size_t sizes[3] = { 0, 8, offsetof(blpo_hypergrad_report, hypergradient_norm) };
    for (int i = 0; i < 3; i++) {
        blpo_hypergrad_report report = empty_report();
        report.struct_size = sizes[i];
        const blpo_hypergrad_report before = report;
        assert_status(blpo_hypergrad_solve(f.solver, f.v, f.out, &report), BLPO_ERR_VERSION);
        assert_memory_equal(&report, &before, sizeof report);
        assert_untouched(f.out, f.quad.p);
    }
    blpo_hypergrad_stats stats = { .struct_size = offsetof(blpo_hypergrad_stats, n_bound) };
    assert_status(blpo_hypergrad_get_stats(f.solver, &stats), BLPO_ERR_VERSION);
    assert_status(blpo_hypergrad_get_stats(f.solver, NULL), BLPO_ERR_NULL);
    assert_status(blpo_hypergrad_get_stats(NULL, &stats), BLPO_ERR_NULL);
    end(&f);
}

typedef struct intruder {
    fixture *f;
    int codes[4];
} intruder;

static void call_back_in(quadratic *quad)
{
    intruder *me = quad->inside_data;
    test_real x[SPECTRUM_MAX_P];
    const int64_t index[4] = { 0, 1, 2, 3 };
    me->codes[0] = blpo_hypergrad_solve(me->f->solver, me->f->v, x, NULL);
    me->codes[1] = blpo_hypergrad_compute(me->f->solver, me->f->direct, me->f->v, x, NULL);
    me->codes[2] = blpo_hypergrad_set_indices(me->f->solver, index, 4);
    me->codes[3] = blpo_hypergrad_set_indices(me->f->solver, NULL, 0);
}

/* and the solve that was under way ends as if nothing had happened */
static void calling_the_solver_from_its_callback_is_busy(void **state)
{
    (void)state;
    for (int kind = 0; kind < METHODS * CURVATURES; kind++) {
        const int method = kind % METHODS, curvature = kind / METHODS;
        fixture f, quiet;
        begin_curved(&quiet, method, curvature, method % 2);
        assert_status(blpo_hypergrad_compute(quiet.solver, quiet.direct, quiet.v, quiet.out, NULL), BLPO_OK);
        begin_curved(&f, method, curvature, method % 2);
        intruder me = { &f, { 0 } };
        f.quad.inside = call_back_in;
        f.quad.inside_data = &me;
        assert_status(blpo_hypergrad_compute(f.solver, f.direct, f.v, f.out, NULL), BLPO_OK);
        for (int i = 0; i < 4; i++)
            assert_status(me.codes[i], BLPO_ERR_BUSY);
        assert_memory_equal(f.out, quiet.out, Q * sizeof *f.out);
        end(&f);
        end(&quiet);
    }
}

static void the_error_record_of_null_says_so(void **state)
{
    (void)state;
    const blpo_error *error = blpo_hypergrad_error(NULL);
    assert_non_null(error);
    assert_int_equal(error->code, BLPO_ERR_NULL);
    assert_true(strlen(error->text) > 0);
}

static void a_fresh_solver_has_no_error_and_success_leaves_the_last_one(void **state)
{
    (void)state;
    fixture f;
    begin(&f, BLPO_IHVP_NYSTROM, 1);
    assert_int_equal(blpo_hypergrad_error(f.solver)->code, 0);
    f.v[2] = (test_real)NAN;
    assert_status(blpo_hypergrad_solve(f.solver, f.v, f.out, NULL), BLPO_ERR_NONFINITE);
    const blpo_error before = *blpo_hypergrad_error(f.solver);
    f.v[2] = 1;
    assert_status(blpo_hypergrad_solve(f.solver, f.v, f.out, NULL), BLPO_OK);
    assert_memory_equal(blpo_hypergrad_error(f.solver), &before, sizeof before);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_of_any_callback_in_any_call_ends_the_solve),
        cmocka_unit_test(a_nan_from_any_callback_is_found_and_named),
        cmocka_unit_test(a_callback_that_fails_while_the_residual_is_measured_ends_the_solve),
        cmocka_unit_test(a_nan_or_infinity_in_v_is_refused_before_any_callback),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(a_report_or_stats_of_the_wrong_size_is_refused),
        cmocka_unit_test(calling_the_solver_from_its_callback_is_busy),
        cmocka_unit_test(the_error_record_of_null_says_so),
        cmocka_unit_test(a_fresh_solver_has_no_error_and_success_leaves_the_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
