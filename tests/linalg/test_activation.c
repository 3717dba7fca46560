/* Activations: the library's own tanh against the C library's in double, and the derivatives in terms of outputs. */
#include "support/check.h"

#include "linalg/activation.h"
#include "linalg/kernels.h"

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
        cmocka_unit_test(ends_and_nans_come_through),
        cmocka_unit_test(slopes_are_derivatives),
    };
    return cmocka_run_group_tests_name("activations", tests, NULL, NULL);
}
