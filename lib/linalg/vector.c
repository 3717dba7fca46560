#include "linalg/vector.h"

#include "core/multiversion.h"

#include <math.h>

/* Eight partial sums in a fixed order: the loop can use vector instructions without leave to reorder sums. */
BLPO__MULTIVERSION
double blpo__dot(const real *a, const real *b, int64_t n)
{
    double sum[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++)
            sum[j] += (double)a[i + j] * (double)b[i + j];
    for (; i < n; i++)
        sum[i % 8] += (double)a[i] * (double)b[i];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
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

double blpo__norm(const real *a, int64_t n)
{
    const double sum = blpo__dot(a, a, n);
    if (sum > 1e-280 && sum < 1e280)
        return sqrt(sum);
    const double largest = blpo__largest(a, n);
    if (largest == 0.0 || !isfinite(largest))
        return sqrt(sum);
    double scaled = 0.0;
    for (int64_t i = 0; i < n; i++)
        scaled += (double)a[i] / largest * ((double)a[i] / largest);
    return largest * sqrt(scaled);
}
