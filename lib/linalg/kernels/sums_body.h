/* Scalar products of rows, a few at a time: LANES partial sums each, added pairwise at the end. */

/* out[i] = sum of the lanes of x[i], pairwise */
INLINE void sums_of_four(const vector x[4], real out[4])
{
#if !defined(BLPO__FLOAT64) && defined(__AVX2__)
    __m256 y[4];
    UNROLLED
    for (int i = 0; i < 4; i++)
#if defined(__AVX512F__)
        y[i] = _mm256_add_ps(_mm512_castps512_ps256((__m512)x[i]), _mm512_extractf32x8_ps((__m512)x[i], 1));
#else
        y[i] = (__m256)x[i];
#endif
    const __m256 sums = _mm256_hadd_ps(_mm256_hadd_ps(y[0], y[1]), _mm256_hadd_ps(y[2], y[3]));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1)));
#else
    for (int i = 0; i < 4; i++) {
        real part[LANES];
        memcpy(part, &x[i], sizeof part);
        for (int gap = LANES / 2; gap > 0; gap /= 2)
            for (int j = 0; j < gap; j++)
                part[j] += part[j + gap];
        out[i] = part[0];
    }
#endif
}

/* rows (at most 4) scalar products: of row i of A with row i of B; with b_row 0, as a constant, with one row. */
INLINE void dot_rows(int rows, int64_t k, const real *a, int64_t a_row, const real *b, int64_t b_row, real out[4])
{
    vector sum[4];
    const int64_t whole = k / LANES * LANES;
    UNROLLED
    for (int i = 0; i < 4; i++)
        sum[i] = (vector){0};
    for (int64_t l = 0; l < whole; l += LANES) {
        const vector of_b = *(const loose_vector *)(b + l);
        UNROLLED
        for (int i = 0; i < rows; i++)
            sum[i] += *(const loose_vector *)(a + i * a_row + l)
                      * (b_row == 0 ? of_b : (vector)*(const loose_vector *)(b + i * b_row + l));
    }
    if (whole < k) {
        UNROLLED
        for (int i = 0; i < rows; i++)
            sum[i] += some(a + i * a_row + whole, k - whole) * some(b + i * b_row + whole, k - whole);
    }
    sums_of_four(sum, out);
}

/* The same for a number of rows that is no constant. */
INLINE void some_dots(int rows, int64_t k, const real *a, int64_t a_row, const real *b, int64_t b_row, real out[4])
{
    if (rows == 4) {
        dot_rows(4, k, a, a_row, b, b_row, out);
        return;
    }
    for (int i = 0; i < rows; i++) {
        real one[4];
        dot_rows(1, k, a + i * a_row, a_row, b + i * b_row, b_row, one);
        out[i] = one[0];
    }
}

/* Of short rows, without vectors. */
static FEW_NUMBERS void add_short_row_products(int64_t rows, int64_t n, const real *a, const real *b, int64_t ld,
                                               real *out)
{
    for (int64_t t = 0; t < rows; t++)
        for (int64_t j = 0; j < n; j++)
            out[t] += a[t * ld + j] * b[t * ld + j];
}

/* out[t] += a_t . b_t, rows ld apart */
static void add_row_products(int64_t rows, int64_t n, const real *a, const real *b, int64_t ld, real *out)
{
    if (n < LANES) {
        add_short_row_products(rows, n, a, b, ld, out);
        return;
    }
    for (int64_t t = 0; t < rows; t += 4) {
        const int some_rows = rows - t < 4 ? (int)(rows - t) : 4;
        real sums[4];
        some_dots(some_rows, n, a + t * ld, ld, b + t * ld, ld, sums);
        for (int r = 0; r < some_rows; r++)
            out[t + r] += sums[r];
    }
}
