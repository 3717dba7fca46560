/* tanh in float32 is a rational function of our own, x P(x^2) / Q(x^2) with degrees 5 and 4, since the C library's cannot be
 * vectorised and took two thirds of an update. The coefficients are a weighted least-squares fit, iterated towards equal
 * relative error (Lawson), over |x| <= 9.02: error 1.4e-9 before rounding. Above, tanh is 1 in float32. In arithmetic of
 * float32 the result is within 6 ulp of tanh (5.3 at worst without fused multiply-add, 4.6 with it); tests/linalg/test_activation.c tries every 64th float.
 * The float64 build, which exists to check derivatives, calls the C library. */
#include "linalg/activation.h"

#include "core/multiversion.h"

#include <blpo/network.h>

#include <math.h>

#ifdef BLPO__FLOAT64

static void tanh_all(real *z, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        z[i] = tanh(z[i]);
}

#else

BLPO__MULTIVERSION
static void tanh_all(real *z, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const float at = z[i], cut = at > 9.02f ? 9.02f : at; /* written so that a NaN stays one */
        const float x = cut < -9.02f ? -9.02f : cut, u = x * x;
        const float p = ((((-1.22035959e-11f * u + 3.05852055e-08f) * u + 2.80075367e-05f) * u + 3.86833163e-03f) * u +
                         1.36799182e-01f) * u + 0.999999999f;
        const float q = (((1.28737199e-06f * u + 3.93863795e-04f) * u + 2.7245853e-02f) * u + 4.70132502e-01f) * u + 1.0f;
        const float h = x * p / q;
        const float top = h > 1.0f ? 1.0f : h;
        z[i] = top < -1.0f ? -1.0f : top;
    }
}

#endif

void blpo__activate(int32_t kind, real *z, int64_t n)
{
    if (kind == BLPO_TANH)
        tanh_all(z, n);
    else
        for (int64_t i = 0; i < n; i++)
            z[i] = z[i] < 0 ? 0 : z[i]; /* written so that a NaN stays one */
}

real blpo__slope(int32_t kind, real h)
{
    return kind == BLPO_TANH ? 1 - h * h : (real)(h > 0);
}

BLPO__MULTIVERSION
void blpo__times_slope(int32_t kind, const real *restrict h, real *restrict s, int64_t n)
{
    if (kind == BLPO_TANH)
        for (int64_t i = 0; i < n; i++)
            s[i] *= 1 - h[i] * h[i];
    else
        for (int64_t i = 0; i < n; i++)
            s[i] = h[i] > 0 ? s[i] : 0;
}

BLPO__MULTIVERSION
void blpo__add_bend(int32_t kind, const real *restrict h, const real *restrict s, const real *restrict zdot,
                    real *restrict out, int64_t n)
{
    if (kind == BLPO_TANH)
        for (int64_t i = 0; i < n; i++)
            out[i] -= 2 * h[i] * s[i] * zdot[i];
}
