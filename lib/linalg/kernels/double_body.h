/* Sums in double over rows of data: what is rounded is the data, not the sums. */

enum { WIDE = VECTOR_BYTES / 8 };

typedef double wide __attribute__((vector_size(VECTOR_BYTES), aligned(VECTOR_BYTES), may_alias));
typedef double loose_wide __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
typedef real narrow __attribute__((vector_size(WIDE * sizeof(real)), aligned(sizeof(real)), may_alias));

/* WIDE numbers as doubles, and back. By intrinsics where there are some: compilers convert vectors in halves. */
#if !defined(BLPO__FLOAT64) && defined(__AVX512F__)
INLINE wide widened(const real *x) { return (wide)_mm512_cvtps_pd(_mm256_loadu_ps(x)); }
INLINE narrow narrowed(wide x) { return (narrow)_mm512_cvtpd_ps((__m512d)x); }
#elif !defined(BLPO__FLOAT64) && defined(__AVX2__)
INLINE wide widened(const real *x) { return (wide)_mm256_cvtps_pd(_mm_loadu_ps(x)); }
INLINE narrow narrowed(wide x) { return (narrow)_mm256_cvtpd_ps((__m256d)x); }
#else
INLINE wide widened(const real *x) { return __builtin_convertvector(*(const narrow *)x, wide); }
INLINE narrow narrowed(wide x) { return __builtin_convertvector(x, narrow); }
#endif

INLINE double sum_of_wide(wide x)
{
    double part[WIDE], sum = 0.0;
    memcpy(part, &x, sizeof x);
    for (int lane = 0; lane < WIDE; lane++)
        sum += part[lane];
    return sum;
}

/* sum[i][j] = a_i . b_j for three rows each: nine sums in registers, six conversions for nine multiply-adds. */
static void gram_tile(int64_t n, const real *const a[3], const real *const b[3], double sum[3][3])
{
    wide part[3][3];
    UNROLLED
    for (int i = 0; i < 3; i++)
        UNROLLED
        for (int j = 0; j < 3; j++)
            part[i][j] = (wide){0};
    const int64_t end = n / WIDE * WIDE;
    for (int64_t c = 0; c < end; c += WIDE) {
        const wide b0 = widened(b[0] + c), b1 = widened(b[1] + c), b2 = widened(b[2] + c);
        UNROLLED
        for (int i = 0; i < 3; i++) {
            const wide of_a = widened(a[i] + c);
            part[i][0] += of_a * b0;
            part[i][1] += of_a * b1;
            part[i][2] += of_a * b2;
        }
    }
    UNROLLED
    for (int i = 0; i < 3; i++)
        UNROLLED
        for (int j = 0; j < 3; j++)
            sum[i][j] = sum_of_wide(part[i][j]);
    for (int64_t c = end; c < n; c++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++)
                sum[i][j] += (double)a[i][c] * (double)b[j][c];
}

/* Row k is v; rows behind it are v again: their sums are not used. */
static void three_rows(int64_t k, int64_t n, const real *rows, const real *v, int64_t first, const real *out[3])
{
    for (int64_t i = first; i < first + 3; i++)
        out[i - first] = i < k ? rows + i * n : v;
}

#if defined(__AVX512F__)
enum { SIX = 6 };

/* All of it for five rows and v, or fewer: 21 sums in 32 registers, so that each number is converted once. */
static void gram_of_six(int64_t k, int64_t n, const real *rows, const real *v, double *gram, double *products)
{
    const real *row[SIX];
    wide part[SIX][SIX];
    double last[SIX][WIDE] = {{0.0}}, lanes[SIX][SIX][WIDE];
    for (int i = 0; i < SIX; i++)
        row[i] = i < k ? rows + i * n : v;
    UNROLLED
    for (int i = 0; i < SIX; i++)
        UNROLLED
        for (int j = 0; j <= i; j++)
            part[i][j] = (wide){0};
    for (int64_t c = 0; c < n / WIDE * WIDE; c += WIDE) {
        wide x[SIX];
        UNROLLED
        for (int i = 0; i < SIX; i++) {
            x[i] = widened(row[i] + c);
            UNROLLED
            for (int j = 0; j <= i; j++)
                part[i][j] += x[i] * x[j];
        }
    }
    for (int64_t c = n / WIDE * WIDE; c < n; c++)
        for (int i = 0; i < SIX; i++)
            last[i][c % WIDE] = (double)row[i][c];
    UNROLLED
    for (int i = 0; i < SIX; i++)
        UNROLLED
        for (int j = 0; j <= i; j++)
            *(loose_wide *)lanes[i][j] = part[i][j];
    for (int i = 0; i < SIX; i++)
        for (int j = 0; j <= i; j++) {
            const double sum = sum_of_wide(*(loose_wide *)lanes[i][j] + *(loose_wide *)last[i] * *(loose_wide *)last[j]);
            if (i < k)
                gram[i * k + j] += sum;
            else if (i == k && j < k)
                products[j] = sum;
        }
}
#endif

/* Elements above the diagonal are those below it. */
static void mirror_gram(int64_t k, double *gram)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < i; j++)
            gram[j * k + i] = gram[i * k + j];
}

static void add_gram(int64_t k, int64_t n, const real *rows, const real *v, double *gram, double *products)
{
#if defined(__AVX512F__)
    if (k < SIX) {
        gram_of_six(k, n, rows, v, gram, products);
        mirror_gram(k, gram);
        return;
    }
#endif
    for (int64_t i = 0; i <= k; i += 3)
        for (int64_t j = 0; j <= i; j += 3) {
            const real *a[3], *b[3];
            double sum[3][3];
            three_rows(k, n, rows, v, i, a);
            three_rows(k, n, rows, v, j, b);
            gram_tile(n, a, b, sum);
            for (int64_t q = i; q <= k && q < i + 3; q++)
                for (int64_t r = j; r <= q && r < k && r < j + 3; r++)
                    if (q == k)
                        products[r] = sum[q - i][r - j];
                    else
                        gram[q * k + r] += sum[q - i][r - j];
        }
    mirror_gram(k, gram);
}

/* Columns c .. of out, vectors (at most 4) vectors of them. */
INLINE void less_some_columns(int vectors, int64_t k, int64_t n, const real *rows, const double *y, const real *v,
                              double scale, real *out)
{
    wide sum[4];
    UNROLLED
    for (int q = 0; q < vectors; q++)
        sum[q] = widened(v + q * WIDE);
    for (int64_t i = 0; i < k; i++)
        UNROLLED
        for (int q = 0; q < vectors; q++)
            sum[q] -= y[i] * widened(rows + i * n + q * WIDE);
    UNROLLED
    for (int q = 0; q < vectors; q++)
        *(narrow *)(out + q * WIDE) = narrowed(sum[q] * scale);
}

static void less_rows(int64_t k, int64_t n, const real *rows, const double *y, const real *v, double scale, real *out)
{
    int64_t c = 0;
    for (; c + 4 * WIDE <= n; c += 4 * WIDE)
        less_some_columns(4, k, n, rows + c, y, v + c, scale, out + c);
    for (; c < n; c++) {
        double sum = (double)v[c];
        for (int64_t i = 0; i < k; i++)
            sum -= y[i] * (double)rows[i * n + c];
        out[c] = (real)(sum * scale);
    }
}

/* Four vectors of partial sums, added in a fixed order; of one array each number is converted once. */
INLINE double dot_of(const real *a, const real *b, int64_t n, int same)
{
    wide part[4];
    UNROLLED
    for (int q = 0; q < 4; q++)
        part[q] = (wide){0};
    int64_t c = 0;
    for (; c + 4 * WIDE <= n; c += 4 * WIDE)
        UNROLLED
        for (int q = 0; q < 4; q++) {
            const wide x = widened(a + c + q * WIDE);
            part[q] += x * (same ? x : widened(b + c + q * WIDE));
        }
    double sum = sum_of_wide((part[0] + part[1]) + (part[2] + part[3]));
    for (; c < n; c++)
        sum += (double)a[c] * (double)b[c];
    return sum;
}

static double dot(const real *a, const real *b, int64_t n)
{
    return a == b ? dot_of(a, a, n, 1) : dot_of(a, b, n, 0);
}
