#include "linalg/activation.h"

#include <blpo/network.h>

#include <math.h>

#ifdef BLPO__FLOAT64
#define TANH tanh
#else
#define TANH tanhf
#endif

void blpo__activate(int32_t kind, real *z, int64_t n)
{
    if (kind == BLPO_TANH)
        for (int64_t i = 0; i < n; i++)
            z[i] = TANH(z[i]);
    else
        for (int64_t i = 0; i < n; i++)
            z[i] = z[i] > 0 ? z[i] : z[i] * 0; /* not 0: a NaN stays one */
}

real blpo__slope(int32_t kind, real h)
{
    return kind == BLPO_TANH ? 1 - h * h : (real)(h > 0);
}

void blpo__times_slope(int32_t kind, const real *restrict h, real *restrict s, int64_t n)
{
    if (kind == BLPO_TANH)
        for (int64_t i = 0; i < n; i++)
            s[i] *= 1 - h[i] * h[i];
    else
        for (int64_t i = 0; i < n; i++)
            s[i] = h[i] > 0 ? s[i] : 0;
}

void blpo__add_bend(int32_t kind, const real *restrict h, const real *restrict s, const real *restrict zdot,
                    real *restrict out, int64_t n)
{
    if (kind == BLPO_TANH)
        for (int64_t i = 0; i < n; i++)
            out[i] -= 2 * h[i] * s[i] * zdot[i];
}
