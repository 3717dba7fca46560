#include "linalg/vector.h"

#include "core/multiversion.h"
#include "linalg/kernels.h"

#include <math.h>

double blpo__dot(const real *a, const real *b, int64_t n)
{
    return blpo__kernels_best()->dot(a, b, n);
}

void blpo__add_gram(int64_t k, int64_t n, const real *rows, const real *v, double *gram, double *products)
{
    blpo__kernels_best()->add_gram(k, n, rows, v, gram, products);
}

void blpo__less_rows(int64_t k, int64_t n, const real *rows, const double *y, const real *v, double scale, real *out)
{
    blpo__kernels_best()->less_rows(k, n, rows, y, v, scale, out);
}

void blpo__exponentials(double *x, int64_t n)
{
    blpo__kernels_best()->exp(x, n);
}

void blpo__logarithms(double *x, int64_t n)
{
    blpo__kernels_best()->log(x, n);
}

BLPO__MULTIVERSION
void blpo__add_multiple(double *restrict to, double factor, const double *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += factor * from[i];
}

/* By a product, where 1 / by can be had without loss. */
void blpo__divide(const real *a, double by, int64_t n, real *out)
{
    const double factor = 1.0 / by;
    if (isnormal(factor))
        blpo__less_rows(0, n, a, &factor, a, factor, out);
    for (int64_t i = 0; !isnormal(factor) && i < n; i++)
        out[i] = (real)((double)a[i] / by);
}

double blpo__largest(const real *a, int64_t n)
{
    real largest = 0;
    for (int64_t i = 0; i < n; i++) {
        const real size = a[i] < 0 ? -a[i] : a[i];
        largest = size > largest ? size : largest;
    }
    return (double)largest;
}

int blpo__is_plain_square(double sum)
{
    return sum > 1e-280 && sum < 1e280;
}

double blpo__norm(const real *a, int64_t n)
{
    const double sum = blpo__dot(a, a, n);
    if (blpo__is_plain_square(sum))
        return sqrt(sum);
    const double largest = blpo__largest(a, n);
    if (largest == 0.0 || !isfinite(largest))
        return sqrt(sum);
    double scaled = 0.0;
    for (int64_t i = 0; i < n; i++)
        scaled += (double)a[i] / largest * ((double)a[i] / largest);
    return largest * sqrt(scaled);
}
