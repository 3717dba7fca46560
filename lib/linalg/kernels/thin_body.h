/* Products with one side so thin that a tile would be mostly empty: the top layer of a critic, sums of columns.
 *
 *   dots       c_ij = sum_l a_il b_jl for a few j: four rows of A at a time, LANES partial sums each, added pairwise at the end
 *   add_rows   out_j += sum_t weight_t a_tj: one pass over A, as many sums in registers as fit
 *   add_row_products   out_t += sum_j a_tj b_tj
 *
 * All read A once and are bound by that. */

INLINE real sum_of_lanes(vector x)
{
    real part[LANES];
    *(loose_vector *)part = x;
    for (int gap = LANES / 2; gap > 0; gap /= 2)
        for (int i = 0; i < gap; i++)
            part[i] += part[i + gap];
    return part[0];
}

/* rows (at most 4) scalar products with one row of B. */
INLINE void dot_rows(int rows, int64_t k, const real *a, int64_t a_row, const real *b, real *out)
{
    vector sum[4] = {{0}, {0}, {0}, {0}};
    int64_t l = 0;
    for (; l + LANES <= k; l += LANES) {
        const vector of_b = *(const loose_vector *)(b + l);
#pragma GCC unroll 4
        for (int i = 0; i < rows; i++)
            sum[i] += *(const loose_vector *)(a + i * a_row + l) * of_b;
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
        out[i] = sum_of_lanes(sum[i]);
        for (int64_t q = l; q < k; q++)
            out[i] += a[i * a_row + q] * b[q];
    }
}

static void dots(const blpo__product *p)
{
    for (int64_t i = 0; i < p->m; i += 4) {
        const int rows = p->m - i < 4 ? (int)(p->m - i) : 4;
        for (int64_t j = 0; j < p->n; j++) {
            const real *a = p->a + i * p->a_row, *b = p->b + j * p->b_column;
            real out[4];
            if (rows == 4)
                dot_rows(4, p->k, a, p->a_row, b, out);
            else
                for (int r = 0; r < rows; r++)
                    dot_rows(1, p->k, a + r * p->a_row, p->a_row, b, out + r);
            for (int r = 0; r < rows; r++) {
                real *c = p->c + (i + r) * p->ldc + j;
                *c = out[r] + (p->add ? *c : p->bias != NULL ? p->bias[j] : 0);
            }
        }
        for (int r = 0; p->finish != BLPO__AS_IS && r < rows; r++)
            finish_row(p, p->c + (i + r) * p->ldc, p->n);
    }
}

/* vectors (at most 8) vectors of columns. */
INLINE void add_some_columns(int vectors, int64_t rows, const real *weight, const real *a, int64_t lda, real *out)
{
    vector sum[8];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++)
        sum[v] = *(const loose_vector *)(out + v * LANES);
    for (int64_t t = 0; t < rows; t++) {
        const real w = weight == NULL ? 1 : weight[t];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++)
            sum[v] += w * *(const loose_vector *)(a + t * lda + v * LANES);
    }
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++)
        *(loose_vector *)(out + v * LANES) = sum[v];
}

/* Four sums, since additions of one would wait for each other. */
static real sum_of_column(int64_t rows, const real *weight, const real *a, int64_t lda)
{
    real sum[4] = {0};
    int64_t t = 0;
    for (; t + 4 <= rows; t += 4)
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++)
            sum[q] += (weight == NULL ? 1 : weight[t + q]) * a[(t + q) * lda];
    for (; t < rows; t++)
        sum[0] += (weight == NULL ? 1 : weight[t]) * a[t * lda];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void add_rows(int64_t rows, int64_t n, const real *weight, const real *a, int64_t lda, real *out)
{
    int64_t j = 0;
    for (; j + 8 * LANES <= n; j += 8 * LANES)
        add_some_columns(8, rows, weight, a + j, lda, out + j);
    for (; j + LANES <= n; j += LANES)
        add_some_columns(1, rows, weight, a + j, lda, out + j);
    for (; j < n; j++)
        out[j] += sum_of_column(rows, weight, a + j, lda);
}

static void add_row_products(int64_t rows, int64_t n, const real *a, const real *b, real *out)
{
    for (int64_t t = 0; t < rows; t++) {
        real sum;
        dot_rows(1, n, a + t * n, n, b + t * n, &sum);
        out[t] += sum;
    }
}
