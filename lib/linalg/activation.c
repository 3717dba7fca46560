/* Activations; the loops that pay are kernels (kernels/elementwise_body.h). */
#include "linalg/activation.h"

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

void blpo__signal_tangents_of(const blpo__signal_tangents *p)
{
    blpo__kernels_best()->signal_tangents(p);
}

void blpo__outer_slope(int32_t kind, int64_t rows, int64_t n, const real *scale, const real *w, const real *h,
                       const real *along, const real *a, real *out)
{
    blpo__kernels_best()->outer_slope(kind, rows, n, scale, w, h, along, a, out);
}
