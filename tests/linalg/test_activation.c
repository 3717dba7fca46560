/* Activations: the library's own tanh against the C library's in double, and the derivatives in terms of outputs. */
#include "support/check.h"
#include "support/dense.h"

#include "linalg/activation.h"
#include "linalg/kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#ifndef BLPO__FLOAT64
/* Every 64th float, both signs, in every table: the largest error of all floats is 5.8 units in the last place, and 6 is what
 * the file promises. */
static void tanh_is_within_six_ulp(void **state)
{
    (void)state;
    double worst = 0.0;
    for (uint32_t bits = 0; bits < 0x7f800000u; bits += 8 * 64) {
        float x[8];
        double exact[8];
        for (uint32_t i = 0; i < 8; i++) {
            const uint32_t at = (bits + 64 * i) | (i % 2 ? 0x80000000u : 0u);
            memcpy(&x[i], &at, sizeof at);
            exact[i] = tanh((double)x[i]);
        }
        for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
            float h[8];
            memcpy(h, x, sizeof h);
            blpo__kernels_level(level)->tanh(h, 8);
            for (int i = 0; i < 8; i++) {
                const float near = fabsf((float)exact[i]);
                const double ulp = (double)nextafterf(near, 2.0f) - (double)near;
                worst = fmax(worst, fabs((double)h[i] - exact[i]) / ulp);
            }
        }
    }
    assert_true(worst <= 6.0);
}
#endif

/* Units in the last place of x that y is off from it, x the correct number with more digits. */
static double ulps_off(double y, long double x)
{
    int exponent;
    frexpl(x, &exponent);
    return (double)(fabsl((long double)y - x) / ldexpl(1.0L, exponent - DBL_MANT_DIG));
}

/* Numbers of both signs near 0, of some tens, and over the whole range; logarithms near 1, below it and over the whole range. The
 * C library's own, where long double has no more digits, are off by up to one more. */
static void exponentials_and_logarithms_are_within_their_ulps(void **state)
{
    (void)state;
    enum { N = 7 };
    const double slack = LDBL_MANT_DIG > DBL_MANT_DIG ? 0.0 : 1.0, reach[] = { 1.0, 40.0, 700.0, 1e-4 };
    double worst_exp = 0.0, worst_log = 0.0;
    uint64_t seed = 5;
    for (int round = 0; round < 40000; round++) {
        double x[N], positive[N];
        for (int i = 0; i < N; i++) {
            x[i] = reach[round % 4] * test_uniform(&seed);
            positive[i] = round % 2 ? exp(x[i]) : 1.0 + 0.5 * test_uniform(&seed);
        }
        for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
            double power[N], logarithm[N];
            memcpy(power, x, sizeof x);
            memcpy(logarithm, positive, sizeof positive);
            blpo__kernels_level(level)->exp(power, N);
            blpo__kernels_level(level)->log(logarithm, N);
            for (int i = 0; i < N; i++) {
                worst_exp = fmax(worst_exp, ulps_off(power[i], expl((long double)x[i])));
                worst_log = fmax(worst_log, ulps_off(logarithm[i], logl((long double)positive[i])));
            }
        }
    }
    assert_true(worst_exp <= 1.1 + slack);
    assert_true(worst_log <= 0.9 + slack);
}

/* The largest number whose exponential is one, what is below and above the range, the least that is not 0. */
static void ends_of_exponentials_and_logarithms_are_right(void **state)
{
    (void)state;
    for (int level = 0; blpo__kernels_level(level) != NULL; level++) {
        double x[9] = { 0.0, -0.0, 709.78, 709.79, INFINITY, -745.1, -745.2, -INFINITY, (double)NAN };
        blpo__kernels_level(level)->exp(x, 9);
        assert_true(x[0] == 1.0 && x[1] == 1.0);
        assert_true(isfinite(x[2]) && isinf(x[3]) && isinf(x[4]));
        assert_true(x[5] == 0x1p-1074 && x[6] == 0.0 && x[7] == 0.0 && isnan(x[8]));
        double y[4] = { 1.0, DBL_MIN, (double)INFINITY, (double)NAN };
        blpo__kernels_level(level)->log(y, 4);
        assert_true(y[0] == 0.0 && isnan(y[2]) && isnan(y[3]));
        assert_close(y[1], log(DBL_MIN), 2.0 * DBL_EPSILON, 0.0);
    }
}

static void ends_and_nans_come_through(void **state)
{
    (void)state;
    for (int32_t kind = BLPO_TANH; kind <= BLPO_RELU; kind++) {
        test_real z[5] = { (test_real)NAN, 0, (test_real)INFINITY, -(test_real)INFINITY, (test_real)-0.5 };
        blpo__activate(kind, z, 5);
        assert_true(isnan(z[0]));
        assert_true(z[1] == 0);
        assert_true(kind == BLPO_TANH ? z[2] == 1 && z[3] == -1 : isinf(z[2]) && z[3] == 0);
        assert_close(z[4], kind == BLPO_TANH ? tanh(-0.5) : 0.0, 4 * TEST_EPSILON, 0);
    }
}

/* Central differences of the activation itself, in double arithmetic around a point away from the kink of relu. The step
 * 1e-4 leaves 1e-8 of the third derivative; tanh in float32 is right to 5 ulp, so that only the formula is checked there. */
static void slopes_are_derivatives(void **state)
{
    (void)state;
    const double at[] = { -2.0, -0.3, 0.4, 1.5 };
    for (int i = 0; i < 4; i++) {
        const double h = 1e-4, difference = (tanh(at[i] + h) - tanh(at[i] - h)) / (2 * h);
        const test_real value = (test_real)tanh(at[i]);
        assert_close(blpo__slope(BLPO_TANH, value), difference, 0, 1e-7 + 4 * TEST_EPSILON);
        assert_true(blpo__slope(BLPO_RELU, (test_real)fmax(at[i], 0.0)) == (at[i] > 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifndef BLPO__FLOAT64
        cmocka_unit_test(tanh_is_within_six_ulp),
#endif
        cmocka_unit_test(exponentials_and_logarithms_are_within_their_ulps),
        cmocka_unit_test(ends_of_exponentials_and_logarithms_are_right),
        cmocka_unit_test(ends_and_nans_come_through),
        cmocka_unit_test(slopes_are_derivatives),
    };
    return cmocka_run_group_tests_name("activations", tests, NULL, NULL);
}
