/* Generalised advantage estimation and its adjoint, against cases worked by hand and against each other. */
#include "support/check.h"
#include "support/dense.h"

#include <math.h>
#include <string.h>

enum { N = 40 };

static void check(int64_t n, const test_real *reward, const test_real *value, const test_real *next,
                  const uint8_t *terminated, const uint8_t *truncated, double gamma, double lambda,
                  const double *expected)
{
    test_real *advantage = guarded_new(n);
    assert_status(blpo_gae(n, reward, value, next, terminated, truncated, gamma, lambda, advantage), BLPO_OK);
    assert_all_close(advantage, expected, n, 8.0 * TEST_EPSILON, 8.0 * TEST_EPSILON);
    guarded_free(advantage);
}

/* gamma = 1/2, lambda = 1/2: all numbers below are exact in binary. No end:
 * delta_1 = 2 + 1/2 4 - 1 = 3, A_1 = 3; delta_0 = 1 + 1/2 1 - 2 = -1/2, A_0 = -1/2 + 1/4 3 = 1/4. */
static void two_steps_without_an_end(void **state)
{
    (void)state;
    const test_real reward[2] = { 1, 2 }, value[2] = { 2, 1 }, next[2] = { 1, 4 };
    const uint8_t no[2] = { 0, 0 };
    const double expected[2] = { 0.25, 3.0 };
    check(2, reward, value, next, no, no, 0.5, 0.5, expected);
}

/* Step 0 terminates: no bootstrap, no trace: A_0 = 1 - 2 = -1, whatever next[0] is. */
static void a_terminated_step_is_not_bootstrapped_and_cuts_the_trace(void **state)
{
    (void)state;
    const test_real reward[2] = { 1, 2 }, value[2] = { 2, 1 }, next[2] = { 77, 4 };
    const uint8_t yes[2] = { 1, 0 }, no[2] = { 0, 0 };
    const double expected[2] = { -1.0, 3.0 };
    check(2, reward, value, next, yes, no, 0.5, 0.5, expected);
}

/* Step 0 is truncated: A_0 = 1 + 1/2 8 - 2 = 3, from its final observation, and no trace. */
static void a_truncated_step_is_bootstrapped_and_cuts_the_trace(void **state)
{
    (void)state;
    const test_real reward[2] = { 1, 2 }, value[2] = { 2, 1 }, next[2] = { 8, 4 };
    const uint8_t yes[2] = { 1, 0 }, no[2] = { 0, 0 };
    const double expected[2] = { 3.0, 3.0 };
    check(2, reward, value, next, no, yes, 0.5, 0.5, expected);
}

static void terminated_wins_where_both_are_set(void **state)
{
    (void)state;
    const test_real reward[2] = { 1, 2 }, value[2] = { 2, 1 }, next[2] = { 8, 4 };
    const uint8_t yes[2] = { 1, 0 };
    const double expected[2] = { -1.0, 3.0 };
    check(2, reward, value, next, yes, yes, 0.5, 0.5, expected);
}

/* lambda = 0: A = delta. gamma = 0: A = r - V. lambda = gamma = 1: returns minus values, 1 + 2 + 4 - 1 and 2 + 4 - 1. */
static void the_limits_of_gamma_and_lambda(void **state)
{
    (void)state;
    const test_real reward[2] = { 1, 2 }, value[2] = { 1, 1 }, next[2] = { 1, 4 };
    const uint8_t no[2] = { 0, 0 };
    const double one_step[2] = { 1.0, 5.0 }, no_future[2] = { 0.0, 1.0 }, all[2] = { 6.0, 5.0 };
    check(2, reward, value, next, no, no, 1.0, 0.0, one_step);
    check(2, reward, value, next, no, no, 0.0, 1.0, no_future);
    check(2, reward, value, next, no, no, 1.0, 1.0, all);
}

static void a_single_step(void **state)
{
    (void)state;
    const test_real reward = 3, value = 1, next = 4;
    const uint8_t no = 0;
    const double expected = 3.0 + 0.5 * 4.0 - 1.0;
    check(1, &reward, &value, &next, &no, &no, 0.5, 0.9, &expected);
}

typedef struct random_case {
    test_real reward[N], value[N], next[N], adjoint[N];
    uint8_t terminated[N], truncated[N];
} random_case;

static random_case make_case(uint64_t seed)
{
    random_case c;
    for (int i = 0; i < N; i++) {
        c.reward[i] = (test_real)test_normal(&seed);
        c.value[i] = (test_real)test_normal(&seed);
        c.next[i] = (test_real)test_normal(&seed);
        c.adjoint[i] = (test_real)test_normal(&seed);
        c.terminated[i] = test_uniform(&seed) > 0.8;
        c.truncated[i] = test_uniform(&seed) > 0.8;
    }
    return c;
}

/* A_t straight from its sum: sum_l delta_{t+l} prod of the keeps between. A different order of summation, in double: 64
 * roundings of terms of size 10 at most. */
static void long_random_trajectories_are_their_sum(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const random_case c = make_case(seed);
        double expected[N];
        for (int t = 0; t < N; t++) {
            double weight = 1.0;
            expected[t] = 0.0;
            for (int s = t; s < N; s++) {
                const double alive = c.terminated[s] ? 0.0 : 1.0;
                expected[t] += weight * ((double)c.reward[s] + 0.95 * alive * (double)c.next[s] - (double)c.value[s]);
                weight *= 0.95 * 0.9 * (c.terminated[s] || c.truncated[s] ? 0.0 : 1.0);
            }
        }
        test_real advantage[N];
        assert_status(blpo_gae(N, c.reward, c.value, c.next, c.terminated, c.truncated, 0.95, 0.9, advantage), BLPO_OK);
        assert_all_close(advantage, expected, N, 0.0, 640.0 * TEST_EPSILON);
    }
}

/* A is affine in (V, V'): <y, A(V + dV, V' + dV') - A(V, V')> = <adjoint of V, dV> + <adjoint of V', dV'>. With reward 0 and
 * (V, V') = 0 it is linear: A(dV, dV') itself. Each side is a sum of N terms of size 10 with A to 640 eps. */
static void the_adjoint_is_the_transpose(void **state)
{
    (void)state;
    const test_real zero[N] = { 0 };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const random_case c = make_case(seed);
        test_real advantage[N], *by_value = guarded_new(N), *by_next = guarded_new(N);
        assert_status(blpo_gae(N, zero, c.value, c.next, c.terminated, c.truncated, 0.95, 0.9, advantage), BLPO_OK);
        assert_status(blpo_gae_adjoint(N, c.adjoint, c.terminated, c.truncated, 0.95, 0.9, by_value, by_next), BLPO_OK);
        double left = 0.0, right = 0.0;
        for (int t = 0; t < N; t++) {
            left += (double)c.adjoint[t] * (double)advantage[t];
            right += (double)by_value[t] * (double)c.value[t] + (double)by_next[t] * (double)c.next[t];
        }
        assert_close(left, right, 0.0, 2.0 * N * 640.0 * TEST_EPSILON);
        guarded_free(by_value);
        guarded_free(by_next);
    }
}

/* gamma = lambda = 1/2, a = (1, 2, 4), step 1 truncated: y = (1, 2 + 1/4, 4); step 2 starts anew behind the cut.
 * dJ/dV = -y, dJ/dV' = y / 2, except 0 where terminated (none). */
static void the_adjoint_of_three_steps_by_hand(void **state)
{
    (void)state;
    const test_real a[3] = { 1, 2, 4 };
    const uint8_t no[3] = { 0, 0, 0 }, cut[3] = { 0, 1, 0 }, end[3] = { 0, 1, 0 };
    const double by_value[3] = { -1.0, -2.25, -4.0 }, by_next[3] = { 0.5, 1.125, 2.0 }, by_next_end[3] = { 0.5, 0.0, 2.0 };
    test_real v[3], n[3];
    assert_status(blpo_gae_adjoint(3, a, no, cut, 0.5, 0.5, v, n), BLPO_OK);
    assert_all_close(v, by_value, 3, 0.0, 0.0);
    assert_all_close(n, by_next, 3, 0.0, 0.0);
    assert_status(blpo_gae_adjoint(3, a, end, cut, 0.5, 0.5, v, n), BLPO_OK);
    assert_all_close(v, by_value, 3, 0.0, 0.0);
    assert_all_close(n, by_next_end, 3, 0.0, 0.0);
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    const random_case c = make_case(1);
    test_real a[N], b[N];
    assert_status(blpo_gae(N, NULL, c.value, c.next, c.terminated, c.truncated, 1, 1, a), BLPO_ERR_NULL);
    assert_status(blpo_gae(N, c.reward, NULL, c.next, c.terminated, c.truncated, 1, 1, a), BLPO_ERR_NULL);
    assert_status(blpo_gae(N, c.reward, c.value, NULL, c.terminated, c.truncated, 1, 1, a), BLPO_ERR_NULL);
    assert_status(blpo_gae(N, c.reward, c.value, c.next, NULL, c.truncated, 1, 1, a), BLPO_ERR_NULL);
    assert_status(blpo_gae(N, c.reward, c.value, c.next, c.terminated, NULL, 1, 1, a), BLPO_ERR_NULL);
    assert_status(blpo_gae(N, c.reward, c.value, c.next, c.terminated, c.truncated, 1, 1, NULL), BLPO_ERR_NULL);
    assert_status(blpo_gae_adjoint(N, NULL, c.terminated, c.truncated, 1, 1, a, b), BLPO_ERR_NULL);
    assert_status(blpo_gae_adjoint(N, c.adjoint, NULL, c.truncated, 1, 1, a, b), BLPO_ERR_NULL);
    assert_status(blpo_gae_adjoint(N, c.adjoint, c.terminated, NULL, 1, 1, a, b), BLPO_ERR_NULL);
    assert_status(blpo_gae_adjoint(N, c.adjoint, c.terminated, c.truncated, 1, 1, NULL, b), BLPO_ERR_NULL);
    assert_status(blpo_gae_adjoint(N, c.adjoint, c.terminated, c.truncated, 1, 1, a, NULL), BLPO_ERR_NULL);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    const random_case c = make_case(1);
    test_real a[N], b[N];
    const double bad[4] = { -0.01, 1.01, (double)NAN, (double)INFINITY };
    for (int i = 0; i < 4; i++) {
        assert_status(blpo_gae(N, c.reward, c.value, c.next, c.terminated, c.truncated, bad[i], 1, a), BLPO_ERR_ARGUMENT);
        assert_status(blpo_gae(N, c.reward, c.value, c.next, c.terminated, c.truncated, 1, bad[i], a), BLPO_ERR_ARGUMENT);
        assert_status(blpo_gae_adjoint(N, c.adjoint, c.terminated, c.truncated, bad[i], 1, a, b), BLPO_ERR_ARGUMENT);
        assert_status(blpo_gae_adjoint(N, c.adjoint, c.terminated, c.truncated, 1, bad[i], a, b), BLPO_ERR_ARGUMENT);
    }
    static const int64_t sizes[3] = { 0, -1, INT64_MIN };
    for (int i = 0; i < 3; i++) {
        assert_status(blpo_gae(sizes[i], c.reward, c.value, c.next, c.terminated, c.truncated, 1, 1, a),
                      BLPO_ERR_ARGUMENT);
        assert_status(blpo_gae_adjoint(sizes[i], c.adjoint, c.terminated, c.truncated, 1, 1, a, b), BLPO_ERR_ARGUMENT);
    }
}

static void flags_that_are_not_0_or_1_are_refused(void **state)
{
    (void)state;
    random_case c = make_case(1);
    test_real a[N], b[N];
    c.terminated[7] = 2;
    assert_status(blpo_gae(N, c.reward, c.value, c.next, c.terminated, c.truncated, 1, 1, a), BLPO_ERR_ARGUMENT);
    assert_status(blpo_gae_adjoint(N, c.adjoint, c.terminated, c.truncated, 1, 1, a, b), BLPO_ERR_ARGUMENT);
    c.terminated[7] = 0;
    c.truncated[N - 1] = 255;
    assert_status(blpo_gae(N, c.reward, c.value, c.next, c.terminated, c.truncated, 1, 1, a), BLPO_ERR_ARGUMENT);
    assert_status(blpo_gae_adjoint(N, c.adjoint, c.terminated, c.truncated, 1, 1, a, b), BLPO_ERR_ARGUMENT);
}

static void inputs_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    const test_real bad[2] = { (test_real)NAN, (test_real)INFINITY };
    for (int i = 0; i < 2; i++)
        for (int which = 0; which < 4; which++) {
            random_case c = make_case(1);
            test_real *arrays[4] = { c.reward, c.value, c.next, c.adjoint }, a[N], b[N];
            memset(c.terminated, 0, sizeof c.terminated);
            arrays[which][20] = bad[i];
            const int code = which < 3 ? blpo_gae(N, c.reward, c.value, c.next, c.terminated, c.truncated, 1, 1, a)
                                       : blpo_gae_adjoint(N, c.adjoint, c.terminated, c.truncated, 1, 1, a, b);
            assert_status(code, BLPO_ERR_NONFINITE);
        }
}

/* Finite inputs whose sum is not. */
static void a_result_that_overflows_is_an_error(void **state)
{
    (void)state;
    const test_real big = (test_real)(TEST_REAL_MAX / 2), reward[4] = { big, big, big, big }, zero[4] = { 0 };
    const uint8_t no[4] = { 0 };
    test_real a[4];
    assert_status(blpo_gae(4, reward, zero, zero, no, no, 1.0, 1.0, a), BLPO_ERR_NONFINITE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_steps_without_an_end),
        cmocka_unit_test(a_terminated_step_is_not_bootstrapped_and_cuts_the_trace),
        cmocka_unit_test(a_truncated_step_is_bootstrapped_and_cuts_the_trace),
        cmocka_unit_test(terminated_wins_where_both_are_set),
        cmocka_unit_test(the_limits_of_gamma_and_lambda),
        cmocka_unit_test(a_single_step),
        cmocka_unit_test(long_random_trajectories_are_their_sum),
        cmocka_unit_test(the_adjoint_is_the_transpose),
        cmocka_unit_test(the_adjoint_of_three_steps_by_hand),
        cmocka_unit_test(null_arguments_are_refused),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(flags_that_are_not_0_or_1_are_refused),
        cmocka_unit_test(inputs_that_are_not_finite_are_refused),
        cmocka_unit_test(a_result_that_overflows_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
