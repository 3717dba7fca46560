/* Products with one side so thin that a tile would be mostly empty, or the copying of B worth more than the product: the top
 * layer of a critic, an observation or four of them, sums of columns.
 *
 *   dots       c_ij = sum_l a_il b_jl for a few j: four rows of A at a time, LANES partial sums each, added pairwise at the end
 *   few_rows   c_ij = sum_l a_il b_lj for a few i: for each of them a sum of rows of B, as add_rows makes it
 *   add_rows   out_j += sum_t weight_t a_tj: one pass over A, as many sums in registers as fit, or sums of every second or fourth row
 *
 * All read A once (few_rows: B once a row of A) and are bound by that. */

INLINE real start_of(const blpo__product *p, int64_t i, int64_t j)
{
    return p->add ? p->c[i * p->ldc + j] : p->bias != NULL ? p->bias[j] : 0;
}

static void dots(const blpo__product *p)
{
    for (int64_t i = 0; i < p->m; i += 4) {
        const int rows = p->m - i < 4 ? (int)(p->m - i) : 4;
        for (int64_t j = 0; j < p->n; j++) {
            real out[4];
            some_dots(rows, p->k, p->a + i * p->a_row, p->a_row, p->b + j * p->b_column, 0, out);
            for (int r = 0; r < rows; r++)
                p->c[(i + r) * p->ldc + j] = out[r] + start_of(p, i + r, j);
        }
        finish_rows(p, i, rows, 0, p->n);
    }
}

/* vectors vectors of columns, with chains sums of each: row t goes to chain t mod chains. At most 8 sums in all; the first
 * `vectors` of them are those of the columns in the end. */
INLINE void sum_some_columns(int vectors, int chains, int weighted, int64_t rows, const real *weight, const real *a, int64_t lda,
                             vector sum[8])
{
    UNROLLED
    for (int v = 0; v < vectors * chains; v++)
        sum[v] = (vector){0};
    int64_t t = 0;
    for (; t + chains <= rows; t += chains)
        UNROLLED
        for (int q = 0; q < chains; q++)
            UNROLLED
            for (int v = 0; v < vectors; v++)
                sum[q * vectors + v] += (weighted ? weight[t + q] : 1) * *(const loose_vector *)(a + (t + q) * lda + v * LANES);
    for (; t < rows; t++)
        UNROLLED
        for (int v = 0; v < vectors; v++)
            sum[v] += (weighted ? weight[t] : 1) * *(const loose_vector *)(a + t * lda + v * LANES);
    UNROLLED
    for (int v = 0; v < vectors; v++)
        for (int q = 1; q < chains; q++)
            sum[v] += sum[q * vectors + v];
}

INLINE void add_some_columns(int vectors, int chains, int64_t rows, const real *weight, const real *a, int64_t lda, real *out)
{
    vector sum[8];
    sum_some_columns(vectors, chains, weight != NULL, rows, weight, a, lda, sum);
    UNROLLED
    for (int v = 0; v < vectors; v++)
        *(loose_vector *)(out + v * LANES) = *(const loose_vector *)(out + v * LANES) + sum[v];
}

/* Four sums, since additions of one would wait for each other. */
static real sum_of_column(int64_t rows, const real *weight, const real *a, int64_t lda)
{
    real sum[4] = {0};
    int64_t t = 0;
    for (; t + 4 <= rows; t += 4)
        UNROLLED
        for (int q = 0; q < 4; q++)
            sum[q] += (weight == NULL ? 1 : weight[t + q]) * a[(t + q) * lda];
    for (; t < rows; t++)
        sum[0] += (weight == NULL ? 1 : weight[t]) * a[t * lda];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Fewer columns than a vector has, behind others: as the end of a vector that reaches back into those. */
static void add_last_columns(int64_t rows, int64_t n, int64_t columns, const real *weight, const real *a, int64_t lda, real *out)
{
    real sum[LANES] = {0};
    add_some_columns(1, 4, rows, weight, a + n - LANES, lda, sum);
    for (int64_t j = 0; j < columns; j++)
        out[n - columns + j] += sum[LANES - columns + j];
}

static void add_rows(int64_t rows, int64_t n, const real *weight, const real *a, int64_t lda, real *out)
{
    int64_t j = 0;
    for (; j + 8 * LANES <= n; j += 8 * LANES)
        add_some_columns(8, 1, rows, weight, a + j, lda, out + j);
    for (; j + 4 * LANES <= n; j += 4 * LANES)
        add_some_columns(4, 2, rows, weight, a + j, lda, out + j);
    for (; j + LANES <= n; j += LANES)
        add_some_columns(1, 4, rows, weight, a + j, lda, out + j);
    if (j < n && n >= LANES) {
        add_last_columns(rows, n, n - j, weight, a, lda, out);
        return;
    }
    for (; j < n; j++)
        out[j] += sum_of_column(rows, weight, a + j, lda);
}

/* Columns j .. n - 1 of row i. */
static void rest_of_row(const blpo__product *p, int64_t i, int64_t j)
{
    real *c = p->c + i * p->ldc + j;
    const int64_t n = p->n - j;
    for (int64_t q = 0; !p->add && q < n; q++)
        c[q] = p->bias != NULL ? p->bias[j + q] : 0;
    add_rows(p->k, n, p->a + i * p->a_row, p->b + j, p->b_row, c);
    finish_rows(p, i, 1, j, n);
}

/* What an observation goes through, biases and tanh, stays in registers, four vectors at a time. */
static void few_rows(const blpo__product *p)
{
    const int direct = p->finish == BLPO__ACTIVATE && p->activation == BLPO_TANH && !p->add && p->bias != NULL;
    for (int64_t i = 0; i < p->m; i++) {
        int64_t j = 0;
        for (; direct && j + 4 * LANES <= p->n; j += 4 * LANES) {
            vector sum[8];
            sum_some_columns(4, 2, 1, p->k, p->a + i * p->a_row, p->b + j, p->b_row, sum);
            UNROLLED
            for (int v = 0; v < 4; v++)
                *(loose_vector *)(p->c + i * p->ldc + j + v * LANES) =
                    tanh_of(*(const loose_vector *)(p->bias + j + v * LANES) + sum[v]);
        }
        if (j < p->n)
            rest_of_row(p, i, j);
    }
}
