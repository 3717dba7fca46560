/* Activations; the loops that pay are kernels (kernels/elementwise_body.h). */
#include "linalg/activation.h"

#include "core/multiversion.h"
#include "linalg/kernels.h"

#include <blpo/network.h>

void blpo__activate(int32_t kind, real *z, int64_t n)
{
    const blpo__kernels *kernels = blpo__kernels_best();
    (kind == BLPO_TANH ? kernels->tanh : kernels->relu)(z, n);
}

void blpo__times_slope(int32_t kind, const real *h, real *s, int64_t n)
{
    blpo__kernels_best()->times_slope(kind, h, s, n);
}

BLPO__MULTIVERSION
void blpo__add_bend(int32_t kind, const real *restrict h, const real *restrict s, const real *restrict zdot,
                    real *restrict out, int64_t n)
{
    if (kind == BLPO_TANH)
        for (int64_t i = 0; i < n; i++)
            out[i] -= 2 * h[i] * s[i] * zdot[i];
}

void blpo__outer_slope(int32_t kind, int64_t rows, int64_t n, const real *scale, const real *w, const real *h,
                       const real *along, const real *a, real *out)
{
    blpo__kernels_best()->outer_slope(kind, rows, n, scale, w, h, along, a, out);
}
