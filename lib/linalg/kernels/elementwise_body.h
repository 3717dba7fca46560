/* Loops over single numbers, as the compiler vectorises them.
 *
 * tanh in float32 is a rational function of our own, x P(x^2) / Q(x^2) with degrees 4 and 4, since the C library's cannot be
 * vectorised and took two thirds of an update. The coefficients are a weighted least-squares fit, iterated towards equal
 * relative error (Lawson), over |x| <= 9.02: error 2.1e-8, less than rounding leaves of a higher degree. Then they were moved by
 * some units in their last places to where the worst float is least bad. Above 9.02, tanh is 1 in float32. In arithmetic of
 * float32 the result is within 6 ulp of tanh (5.8 at worst without fused multiply-add, 5.1 with it, all floats tried);
 * tests/linalg/test_activation.c tries every 64th. The float64 build, which exists to check derivatives, calls the C library.
 *
 * Adam: see nn/adam.h; one pass over five arrays. */

#ifdef BLPO__FLOAT64

#include <math.h>

INLINE vector tanh_of(vector x)
{
    for (int i = 0; i < LANES; i++)
        x[i] = tanh(x[i]);
    return x;
}
#define SQUARE_ROOT sqrt

#else

/* Beyond 9.02 only x itself goes on to grow, so that the last line cuts to 1; a NaN comes through there as well. */
INLINE vector tanh_of(vector x)
{
    const vector u = at_most(all(81.3604f), x * x);
    const vector p = (((1.33189726e-08f * u + 2.05835058e-05f) * u + 3.49403452e-03f) * u + 1.33797199e-01f) * u + 1.0f;
    const vector q = (((7.76198362e-07f * u + 3.28309718e-04f) * u + 2.58710682e-02f) * u + 4.67130393e-01f) * u + 1.0f;
    return at_least(all(-1.0f), at_most(all(1.0f), x * p / q));
}
#define SQUARE_ROOT __builtin_sqrtf

#endif

static void tanh_all(real *z, int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        *(loose_vector *)(z + i) = tanh_of(*(const loose_vector *)(z + i));
    if (i < n) {
        vector tail = {0};
        memcpy(&tail, z + i, (size_t)(n - i) * sizeof *z);
        tail = tanh_of(tail);
        memcpy(z + i, &tail, (size_t)(n - i) * sizeof *z);
    }
}

static void relu_all(real *z, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        z[i] = z[i] < 0 ? 0 : z[i]; /* written so that a NaN stays one */
}

static void times_slope(int32_t activation, const real *restrict h, real *restrict s, int64_t n)
{
    if (activation == BLPO_TANH)
        for (int64_t i = 0; i < n; i++)
            s[i] *= 1 - h[i] * h[i];
    else
        for (int64_t i = 0; i < n; i++)
            s[i] = h[i] > 0 ? s[i] : 0;
}

INLINE vector slope_of(int32_t activation, vector h)
{
    if (activation == BLPO_TANH)
        return 1 - h * h;
    for (int i = 0; i < LANES; i++)
        h[i] = h[i] > 0;
    return h;
}

/* LANES numbers, or the first n of them where fewer are left. */
INLINE vector some(const real *x, int64_t n)
{
    vector out = {0};
    if (n >= LANES)
        return *(const loose_vector *)x;
    memcpy(&out, x, (size_t)n * sizeof *x);
    return out;
}

INLINE void put_some(vector x, real *out, int64_t n)
{
    if (n >= LANES)
        *(loose_vector *)out = x;
    else
        memcpy(out, &x, (size_t)n * sizeof *out);
}

/* LANES numbers from x on, or n where fewer are left. whole is a constant where this is inlined. */
INLINE vector take(const real *x, int whole, int64_t n)
{
    return whole ? (vector)*(const loose_vector *)x : some(x, n);
}

INLINE void put(vector x, real *out, int whole, int64_t n)
{
    if (whole)
        *(loose_vector *)out = x;
    else
        put_some(x, out, n);
}

/* out = phi'(z) a */
static void slopes(int32_t activation, int64_t n, const real *h, const real *a, real *out)
{
    int64_t i = 0;
    if (activation == BLPO_TANH)
        for (; i + LANES <= n; i += LANES)
            put(slope_of(BLPO_TANH, take(h + i, 1, 0)) * take(a + i, 1, 0), out + i, 1, 0);
    else
        for (; i + LANES <= n; i += LANES)
            put(slope_of(BLPO_RELU, take(h + i, 1, 0)) * take(a + i, 1, 0), out + i, 1, 0);
    if (i < n)
        put_some(slope_of(activation, some(h + i, n - i)) * some(a + i, n - i), out + i, n - i);
}

/* activation and with are constants where this is inlined. */
INLINE void outer_slopes(int32_t activation, int with, int64_t rows, int64_t n, const real *scale, const real *w,
                         const real *h, const real *along, const real *a, real *out)
{
    for (int64_t t = 0; t < rows; t++, h += n, a += with ? n : 0, out += n) {
        int64_t j = 0;
        for (; j + LANES <= n; j += LANES) {
            vector x = scale[t] * *(const loose_vector *)(w + j) * slope_of(activation, *(const loose_vector *)(h + j));
            if (with)
                x += along[t] * *(const loose_vector *)(a + j);
            *(loose_vector *)(out + j) = x;
        }
        if (j < n) {
            vector x = scale[t] * some(w + j, n - j) * slope_of(activation, some(h + j, n - j));
            if (with)
                x += along[t] * some(a + j, n - j);
            put_some(x, out + j, n - j);
        }
    }
}

static void outer_slope(int32_t activation, int64_t rows, int64_t n, const real *scale, const real *w, const real *h,
                        const real *along, const real *a, real *out)
{
    if (activation == BLPO_TANH && along != NULL)
        outer_slopes(BLPO_TANH, 1, rows, n, scale, w, h, along, a, out);
    else if (activation == BLPO_TANH)
        outer_slopes(BLPO_TANH, 0, rows, n, scale, w, h, NULL, NULL, out);
    else if (along != NULL)
        outer_slopes(BLPO_RELU, 1, rows, n, scale, w, h, along, a, out);
    else
        outer_slopes(BLPO_RELU, 0, rows, n, scale, w, h, NULL, NULL, out);
}

static void scaled_rows(int64_t rows, int64_t n, const real *scale, const real *a, const real *b, real *out)
{
    for (int64_t t = 0; t < rows; t++, a += n, b += n, out += n) {
        int64_t j = 0;
        for (; j + LANES <= n; j += LANES)
            *(loose_vector *)(out + j) = scale[t] * *(const loose_vector *)(a + j) + *(const loose_vector *)(b + j);
        if (j < n)
            put_some(scale[t] * some(a + j, n - j) + some(b + j, n - j), out + j, n - j);
    }
}

#if !defined(BLPO__FLOAT64) && defined(__AVX512F__)

/* step m / q, q = sqrt(v) + epsilon. Root and division of 16 floats share one unit, which each holds for some ten cycles: so
 * 14 bits of r = 1 / q come from an instruction, and the rest from one Newton step, r (2 - q r), whose relative error is the
 * square of that of r. q is cut to where r is a normal number. */
INLINE vector adam_change(const blpo__adam_factors *f, vector m, vector v)
{
    const vector root = (vector)_mm512_sqrt_ps((__m512)v);
    const vector q = at_least(all(0x1p-126f), at_most(all(0x1p126f), root + f->epsilon));
    const vector r = (vector)_mm512_rcp14_ps((__m512)q);
    return f->step * m * (r * (2.0f - q * r));
}

static void adam(const blpo__adam_factors *f, int64_t n, const real *restrict gradient, real *restrict m,
                 real *restrict v, real *restrict x)
{
    for (int64_t i = 0; i < n; i += LANES) {
        const vector g = some(gradient + i, n - i);
        const vector new_m = f->b1 * some(m + i, n - i) + f->c1 * g;
        const vector new_v = f->b2 * some(v + i, n - i) + f->c2 * g * g;
        put_some(new_m, m + i, n - i);
        put_some(new_v, v + i, n - i);
        put_some(some(x + i, n - i) - adam_change(f, new_m, new_v), x + i, n - i);
    }
}

#else

static void adam(const blpo__adam_factors *f, int64_t n, const real *restrict gradient, real *restrict m,
                 real *restrict v, real *restrict x)
{
    for (int64_t i = 0; i < n; i++) {
        m[i] = f->b1 * m[i] + f->c1 * gradient[i];
        v[i] = f->b2 * v[i] + f->c2 * gradient[i] * gradient[i];
        x[i] -= f->step * m[i] / (SQUARE_ROOT(v[i]) + f->epsilon);
    }
}

#endif
