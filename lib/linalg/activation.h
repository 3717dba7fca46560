/* Activations of hidden layers. Each needs only its own output: tanh' = 1 - h^2, relu' = (h > 0). */
#ifndef BLPO_LINALG_ACTIVATION_H
#define BLPO_LINALG_ACTIVATION_H

#include "core/real.h"
#include "linalg/kernels.h"

#include <blpo/network.h>

void blpo__activate(int32_t kind, real *z, int64_t n);                   /* z becomes h = phi(z) */
void blpo__times_slope(int32_t kind, const real *h, real *s, int64_t n); /* s *= phi'(z) */
/* Tangents of signals: see blpo__signal_tangents. tanh'' u = -2 h s, where s = phi'(z) u is what is at hand; relu'' = 0 */
void blpo__signal_tangents_of(const blpo__signal_tangents *p);
/* out[t][j] = scale[t] w[j] phi'(z) + along[t] a[t][j], where h = phi(z), all [rows][n]; along NULL: without that */
void blpo__outer_slope(int32_t kind, int64_t rows, int64_t n, const real *scale, const real *w, const real *h,
                       const real *along, const real *a, real *out);

static inline real blpo__slope(int32_t kind, real h) /* phi'(z) of one element */
{
    return kind == BLPO_TANH ? 1 - h * h : (real)(h > 0);
}

static inline real blpo__bend(int32_t kind, real h, real s) /* phi''(z) u of one element, s = phi'(z) u */
{
    return kind == BLPO_TANH ? -2 * h * s : 0;
}

#endif
