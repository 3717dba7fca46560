/* Products of matrices in double, C += A^T B: what a core of a Nystrom inverse is made of (nn/row_factors.c).
 *
 * Tiles of EDGE rows of C, as wide as those of cholesky_body.h, in registers: one pass over all of A and B each. All loads but
 * those of single numbers to be broadcast run along rows, so nothing is copied; rows are padded, so no vector is cut. */

static void double_tile(const blpo__double_products *p, int64_t i, int64_t j)
{
    const double *a = p->a + i, *b = p->b + j;
    wide sum[EDGE][CHOLESKY_VECTORS];
    UNROLLED
    for (int r = 0; r < EDGE; r++)
        UNROLLED
        for (int v = 0; v < CHOLESKY_VECTORS; v++)
            sum[r][v] = (wide){0};
    for (int64_t k = 0; k < p->depth; k++, a += p->lda, b += p->ldb) {
        wide of_b[CHOLESKY_VECTORS];
        UNROLLED
        for (int v = 0; v < CHOLESKY_VECTORS; v++)
            of_b[v] = *(const loose_wide *)(b + v * WIDE);
        UNROLLED
        for (int r = 0; r < EDGE; r++)
            UNROLLED
            for (int v = 0; v < CHOLESKY_VECTORS; v++)
                sum[r][v] += a[r] * of_b[v];
    }
    const int64_t rows = p->m - i < EDGE ? p->m - i : EDGE;
    UNROLLED
    for (int r = 0; r < EDGE; r++) {
        double *c = p->c + (i + r) * p->ldc + j;
        if (r < rows)
            UNROLLED
            for (int v = 0; v < CHOLESKY_VECTORS; v++)
                *(loose_wide *)(c + v * WIDE) += sum[r][v];
    }
}

static void add_double_products(const blpo__double_products *p)
{
    for (int64_t i = 0; i < p->m; i += EDGE)
        for (int64_t j = 0; j < p->n; j += CHOLESKY_COLUMNS)
            if (!p->upper || j + CHOLESKY_COLUMNS > i)
                double_tile(p, i, j);
}
