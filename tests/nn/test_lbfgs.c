/* L-BFGS on functions whose least value is known. */
#include "support/check.h"
#include "support/dense.h"

#include "nn/lbfgs.h"

#include <math.h>
#include <string.h>

enum { MOST = 40 };

typedef struct problem {
    int64_t n, calls, fail_at;
    double width; /* values beyond this distance from 0 are NaN; 0: none */
    int kind;     /* 0: quadratic, diagonal 1 .. 1e3; 1: Rosenbrock in pairs; 2: constant */
} problem;

static int evaluate(void *context, const test_real *x, double *value, test_real *gradient)
{
    problem *p = context;
    *value = 0.0;
    for (int64_t i = 0; i < p->n; i += 2) {
        const double a = (double)x[i], b = (double)x[i + 1], k = pow(1e3, (double)i / (double)p->n);
        if (p->kind == 0) {
            *value += 0.5 * k * ((a - 1.0) * (a - 1.0) + (b + 2.0) * (b + 2.0));
            gradient[i] = (test_real)(k * (a - 1.0));
            gradient[i + 1] = (test_real)(k * (b + 2.0));
        } else if (p->kind == 1) {
            *value += (1.0 - a) * (1.0 - a) + 100.0 * (b - a * a) * (b - a * a);
            gradient[i] = (test_real)(-2.0 * (1.0 - a) - 400.0 * a * (b - a * a));
            gradient[i + 1] = (test_real)(200.0 * (b - a * a));
        } else {
            *value = 3.0;
            gradient[i] = gradient[i + 1] = 0;
        }
        if (p->width > 0.0 && (fabs(a) > p->width || fabs(b) > p->width))
            *value = (double)NAN;
    }
    return ++p->calls == p->fail_at ? -6 : 0;
}

typedef struct run {
    double first, least;
    int rc;
} run;

static run minimise(problem *p, int64_t budget, const test_real *start)
{
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__lbfgs lbfgs;
    run r;
    blpo__lbfgs_create(&lbfgs, p->n, &memory);
    r.rc = blpo__lbfgs_minimise(&lbfgs, start, budget, evaluate, p, &r.first, &r.least);
    assert_true(p->calls <= budget);
    if (r.rc == 0) { /* the value is that of the point */
        problem again = *p;
        double value;
        test_real gradient[MOST];
        again.fail_at = 0;
        evaluate(&again, lbfgs.x, &value, gradient);
        assert_true(value == r.least && value <= r.first);
    }
    blpo__memory_release(&memory);
    return r;
}

/* Condition 1e3. L-BFGS with ten pairs is known to take some tens of iterations; the values end at rounding: x is right to
 * eps of its size, so f to n k eps^2 with k = 1e3, and a search in float sees no gain below eps f. */
static void a_quadratic_is_solved(void **state)
{
    (void)state;
    static const test_real start[MOST] = { 0 };
    problem p = { .n = MOST };
    const run r = minimise(&p, 400, start);
    assert_int_equal(r.rc, 0);
    assert_true(r.least <= 1e-6 * r.first);
}

/* A curved valley, from the usual start (-1.2, 1): the least value is 0. */
static void a_curved_valley_is_followed_to_its_end(void **state)
{
    (void)state;
    test_real start[4] = { (test_real)-1.2, 1, (test_real)-1.2, 1 };
    problem p = { .n = 4, .kind = 1 };
    const run r = minimise(&p, 400, start);
    assert_int_equal(r.rc, 0);
    assert_true(r.first > 40.0 && r.least <= 1e-6);
}

/* Any budget gives a value not above the first, larger ones no worse ones, and none is overdrawn. */
static void every_budget_is_kept_and_more_is_never_worse(void **state)
{
    (void)state;
    test_real start[4] = { (test_real)-1.2, 1, 2, -3 };
    double before = (double)INFINITY;
    for (int64_t budget = 1; budget <= 60; budget++) {
        problem p = { .n = 4, .kind = 1 };
        const run r = minimise(&p, budget, start);
        assert_true(r.least <= r.first && r.least <= before);
        before = r.least;
    }
    assert_true(before < 1.0);
}

static void points_without_a_value_are_not_taken(void **state)
{
    (void)state;
    static const test_real start[2] = { 0, 0 };
    problem p = { .n = 2, .kind = 0, .width = 0.75 };
    const run r = minimise(&p, 50, start);
    assert_int_equal(r.rc, 0);
    assert_true(isfinite(r.least) && r.least < r.first);
}

static void a_start_without_a_value_is_told(void **state)
{
    (void)state;
    static const test_real start[2] = { 1, 0 };
    problem p = { .n = 2, .kind = 1, .width = 0.75 };
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__lbfgs lbfgs;
    double first = 0.0, least = 0.0;
    blpo__lbfgs_create(&lbfgs, p.n, &memory);
    assert_int_equal(blpo__lbfgs_minimise(&lbfgs, start, 50, evaluate, &p, &first, &least), 0);
    assert_true(isnan(first) && isnan(least) && p.calls == 1);
    blpo__memory_release(&memory);
}

static void a_flat_function_ends_at_once(void **state)
{
    (void)state;
    static const test_real start[2] = { 4, 5 };
    problem p = { .n = 2, .kind = 2 };
    const run r = minimise(&p, 1000, start);
    assert_int_equal(r.rc, 0);
    assert_true(r.first == 3.0 && r.least == 3.0 && p.calls == 1);
}

static void a_code_of_the_function_ends_it(void **state)
{
    (void)state;
    static const test_real start[2] = { 0, 0 };
    for (int64_t fail_at = 1; fail_at <= 3; fail_at++) {
        problem p = { .n = 2, .fail_at = fail_at };
        assert_int_equal(minimise(&p, 50, start).rc, -6);
        assert_int_equal(p.calls, fail_at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quadratic_is_solved),
        cmocka_unit_test(a_curved_valley_is_followed_to_its_end),
        cmocka_unit_test(every_budget_is_kept_and_more_is_never_worse),
        cmocka_unit_test(points_without_a_value_are_not_taken),
        cmocka_unit_test(a_start_without_a_value_is_told),
        cmocka_unit_test(a_flat_function_ends_at_once),
        cmocka_unit_test(a_code_of_the_function_ends_it),
    };
    return cmocka_run_group_tests_name("L-BFGS", tests, NULL, NULL);
}
