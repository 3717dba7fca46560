/* Sums of doubles over processes through a hook that adds reals, without loss.
 *
 *   m   largest |x_i| of this process      E   a power of two, at least twice the sum of all m: the same in all processes
 *
 *   1. E from one reduction of m      2. x_i / E in slices of `bits` bits, one reduction each: integers, P of which fit a
 *   real exactly      3. the sums of the slices, put together in double
 *
 * Every sum of step 2 is exact, so its order does not matter: the result is the same in any topology. What is cut off is
 * below 2^-BITS E; numbers so small that m is no real are taken for 0. A plain reduction in float would leave seven digits,
 * which is not enough for normal equations. Ozaki et al. (Numerical Algorithms 59, 2012) cut matrices for products that way.
 * Cost: 1 + BITS / bits reductions. */
#include "core/sum.h"

#include <float.h>
#include <math.h>

enum { MANTISSA = sizeof(real) == sizeof(float) ? FLT_MANT_DIG : DBL_MANT_DIG, BITS = 60 };

static int reduce(const blpo_runtime *runtime, real *buffer, int64_t n, int64_t *verdict)
{
    *verdict = runtime->all_reduce(runtime->all_reduce_user, buffer, n);
    return *verdict == 0 ? BLPO_OK : BLPO_ERR_CALLBACK;
}

/* Bits of a slice, so that P of them add up to an integer that a real holds. */
static int slice_bits(int64_t n_processes)
{
    int bits = MANTISSA - 1;
    for (int64_t p = 1; p < n_processes && bits > 1; p *= 2)
        bits--;
    return bits;
}

/* Step 1: 0 where all is zero, infinite or NaN where something is. */
static int common_scale(const blpo_runtime *runtime, const double *x, int64_t n, double *scale, int64_t *verdict)
{
    double largest = 0.0;
    for (int64_t i = 0; i < n; i++)
        largest = isnan(largest) || fabs(x[i]) <= largest ? largest : fabs(x[i]);
    real sum = (real)largest;
    const int rc = reduce(runtime, &sum, 1, verdict);
    int exponent;
    *scale = (double)sum;
    if (isfinite(sum) && sum > 0) {
        frexp((double)sum, &exponent);
        *scale = ldexp(1.0, exponent + 2);
    }
    return rc;
}

/* The next slice of what is left, in units of `unit`. */
static void cut(double *rest, int64_t n, double unit, real *slice)
{
    for (int64_t i = 0; i < n; i++) {
        const double whole = rint(rest[i] / unit);
        slice[i] = (real)whole;
        rest[i] -= whole * unit;
    }
}

int blpo__sum_over_processes(const blpo_runtime *runtime, double *x, int64_t n, blpo__sum_scratch scratch,
                             int64_t *verdict)
{
    if (runtime->n_processes <= 1)
        return BLPO_OK;
    double scale;
    int rc = common_scale(runtime, x, n, &scale, verdict);
    if (rc == BLPO_OK && !isfinite(scale))
        rc = BLPO_ERR_NONFINITE;
    if (rc != BLPO_OK)
        return rc;
    for (int64_t i = 0; i < n; i++) {
        scratch.rest[i] = x[i];
        x[i] = 0.0;
    }
    const int bits = slice_bits(runtime->n_processes), n_slices = scale == 0.0 ? 0 : (BITS + bits - 1) / bits;
    double unit = scale;
    for (int i = 0; rc == BLPO_OK && i < n_slices; i++) {
        unit = ldexp(unit, -bits);
        cut(scratch.rest, n, unit, scratch.slice);
        rc = reduce(runtime, scratch.slice, n, verdict);
        for (int64_t j = 0; j < n; j++)
            x[j] += (double)scratch.slice[j] * unit;
    }
    return rc;
}
