/* Sums in double over rows of data: what is rounded is the data, not the sums. */

enum { WIDE = VECTOR_BYTES / 8 };

typedef double wide __attribute__((vector_size(VECTOR_BYTES), aligned(VECTOR_BYTES), may_alias));
typedef double loose_wide __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
typedef real narrow __attribute__((vector_size(WIDE * sizeof(real)), aligned(sizeof(real)), may_alias));

INLINE wide widened(const real *x)
{
    return __builtin_convertvector(*(const narrow *)x, wide);
}

/* gram[i][j] += a_i . a_j for three rows i and three rows j, from columns that fill vectors; what is left one by one. */
static void gram_tile(int64_t n, const real *const a[3], const real *const b[3], double sum[3][3])
{
    wide part[3][3];
    memset(part, 0, sizeof part);
    int64_t c = 0;
    for (; c + WIDE <= n; c += WIDE) {
        const wide b0 = widened(b[0] + c), b1 = widened(b[1] + c), b2 = widened(b[2] + c);
#pragma GCC unroll 3
        for (int i = 0; i < 3; i++) {
            const wide of_a = widened(a[i] + c);
            part[i][0] += of_a * b0;
            part[i][1] += of_a * b1;
            part[i][2] += of_a * b2;
        }
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            sum[i][j] = 0.0;
            for (int lane = 0; lane < WIDE; lane++)
                sum[i][j] += part[i][j][lane];
            for (int64_t q = c; q < n; q++)
                sum[i][j] += (double)a[i][q] * (double)b[j][q];
        }
}

/* Rows behind the last are the last again: their sums are not used. */
static void three_rows(int64_t k, int64_t n, const real *rows, int64_t first, const real *out[3])
{
    for (int64_t i = 0; i < 3; i++)
        out[i] = rows + (first + i < k ? first + i : k - 1) * n;
}

static void add_gram(int64_t k, int64_t n, const real *rows, double *gram)
{
    for (int64_t i = 0; i < k; i += 3)
        for (int64_t j = 0; j <= i; j += 3) {
            const real *a[3], *b[3];
            double sum[3][3];
            three_rows(k, n, rows, i, a);
            three_rows(k, n, rows, j, b);
            gram_tile(n, a, b, sum);
            for (int64_t q = i; q < k && q < i + 3; q++)
                for (int64_t r = j; r <= q && r < j + 3; r++) {
                    gram[q * k + r] += sum[q - i][r - j];
                    if (r != q)
                        gram[r * k + q] += sum[q - i][r - j];
                }
        }
}

/* Columns c .. of out, vectors (at most 4) vectors of them. */
INLINE void less_some_columns(int vectors, int64_t k, int64_t n, const real *rows, const double *y, const real *v,
                              double scale, real *out)
{
    wide sum[4];
#pragma GCC unroll 4
    for (int q = 0; q < vectors; q++)
        sum[q] = widened(v + q * WIDE);
    for (int64_t i = 0; i < k; i++)
#pragma GCC unroll 4
        for (int q = 0; q < vectors; q++)
            sum[q] -= y[i] * widened(rows + i * n + q * WIDE);
#pragma GCC unroll 4
    for (int q = 0; q < vectors; q++)
        *(narrow *)(out + q * WIDE) = __builtin_convertvector(sum[q] * scale, narrow);
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

/* Four vectors of partial sums, added in a fixed order. */
static double dot(const real *a, const real *b, int64_t n)
{
    wide part[4];
    memset(part, 0, sizeof part);
    int64_t c = 0;
    for (; c + 4 * WIDE <= n; c += 4 * WIDE)
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++)
            part[q] += widened(a + c + q * WIDE) * widened(b + c + q * WIDE);
    const wide all_parts = (part[0] + part[1]) + (part[2] + part[3]);
    double sum = 0.0;
    for (int lane = 0; lane < WIDE; lane++)
        sum += all_parts[lane];
    for (; c < n; c++)
        sum += (double)a[c] * (double)b[c];
    return sum;
}
