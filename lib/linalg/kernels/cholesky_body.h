/* Cholesky in double, U^T U = G, U in the place of the upper triangle of G (row-major); the lower one is not looked at.
 *
 *   for each block of EDGE rows i, from the top:
 *       C = G[i,:] - sum over rows k above:  U[k,i]^T U[k,:]        tiles of EDGE rows in registers, one pass over all k
 *       the triangle of C at the diagonal:   U_ii, row after row
 *       the tiles right of it:               U_ii^-T C, still in registers
 *
 * All loads but those of single numbers to be broadcast run along rows, so vectors need no gathering and no copy. Each element is
 * a sum over k in order: nothing depends on the size of tiles beside it.
 *
 * Cost: n^3 / 3 operations; n^2 each for the two substitutions. Where a tile is cut by the end of the matrix its loads run on
 * into the next row, or past the last element (BLPO__CHOLESKY_SPARE), and only what belongs to it is stored. The loads of row
 * n - 2 go furthest, from column n - 1: to n^2 - n + 14, n >= 9. */

#if defined(__AVX512F__)
enum { CHOLESKY_VECTORS = 2 }; /* 16 sums of 32 registers */
#else
enum { CHOLESKY_VECTORS = 1 }; /* 8 of 16 */
#endif

enum { EDGE = 8, CHOLESKY_COLUMNS = CHOLESKY_VECTORS * WIDE };

/* One block of rows: its triangle U_ii and what it divides by. */
typedef struct edge {
    double u[EDGE][EDGE], inverse[EDGE];
} edge;

/* c[r][v] = g[r][v] - sum_k a[k][r] b[k][v]; a and b: rows of U, ld apart. */
INLINE void less_products(int vectors, int64_t depth, const double *a, const double *b, const double *g, int64_t ld,
                          wide c[EDGE][EDGE / 2])
{
    UNROLLED
    for (int r = 0; r < EDGE; r++)
        UNROLLED
        for (int v = 0; v < vectors; v++)
            c[r][v] = *(const loose_wide *)(g + r * ld + v * WIDE);
    for (int64_t k = 0; k < depth; k++) {
        wide of_b[EDGE / 2];
        UNROLLED
        for (int v = 0; v < vectors; v++)
            of_b[v] = *(const loose_wide *)(b + k * ld + v * WIDE);
        UNROLLED
        for (int r = 0; r < EDGE; r++)
            UNROLLED
            for (int v = 0; v < vectors; v++)
                c[r][v] -= a[k * ld + r] * of_b[v];
    }
}

/* The block of rows at i with all sums over the rows above taken off; rows and columns behind the matrix are of no meaning. */
static void open_edge(const double *a, int64_t n, int64_t i, int64_t rows, edge *e)
{
    wide c[EDGE][EDGE / 2];
    if (rows < EDGE) { /* the last block: zeroes stand behind the matrix */
        for (int r = 0; r < EDGE; r++)
            for (int q = 0; q < EDGE; q++)
                e->u[r][q] = r < rows && q < rows ? a[(i + r) * n + i + q] : 0.0;
    }
    UNROLLED
    for (int r = 0; r < EDGE; r++)
        UNROLLED
        for (int v = 0; v < EDGE / WIDE; v++)
            c[r][v] = *(const loose_wide *)((rows < EDGE ? e->u[r] : a + (i + r) * n + i) + v * WIDE);
    for (int64_t k = 0; k < i; k++)
        UNROLLED
        for (int r = 0; r < EDGE; r++)
            UNROLLED
            for (int v = 0; v < EDGE / WIDE; v++)
                c[r][v] -= a[k * n + i + r] * *(const loose_wide *)(a + k * n + i + v * WIDE);
    UNROLLED
    for (int r = 0; r < EDGE; r++)
        UNROLLED
        for (int v = 0; v < EDGE / WIDE; v++)
            *(loose_wide *)(e->u[r] + v * WIDE) = c[r][v];
}

/* U_ii of the first rows of the block; 0, or -1 where it is not positive definite. */
static int factor_edge(edge *e, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++) {
        if (!(e->u[r][r] > 0.0))
            return -1;
        e->inverse[r] = 1.0 / __builtin_sqrt(e->u[r][r]);
        wide row[EDGE / WIDE];
        UNROLLED
        for (int v = 0; v < EDGE / WIDE; v++) {
            row[v] = *(loose_wide *)(e->u[r] + v * WIDE) * e->inverse[r];
            *(loose_wide *)(e->u[r] + v * WIDE) = row[v];
        }
        for (int64_t q = r + 1; q < rows; q++)
            UNROLLED
            for (int v = 0; v < EDGE / WIDE; v++)
                *(loose_wide *)(e->u[q] + v * WIDE) = *(loose_wide *)(e->u[q] + v * WIDE) - e->u[r][q] * row[v];
    }
    return 0;
}

/* The first columns of a tile. */
static void put_part(int vectors, int64_t columns, wide c[EDGE][EDGE / 2], double *to, int64_t ld)
{
    double line[EDGE / 2 * WIDE];
    for (int r = 0; r < EDGE; r++) {
        for (int v = 0; v < vectors; v++)
            memcpy(line + v * WIDE, &c[r][v], sizeof c[r][v]);
        memcpy(to + r * ld, line, (size_t)columns * sizeof *line);
    }
}

/* Columns j .. of the block of rows at i. */
static void solve_tile(double *a, int64_t n, int64_t i, int64_t j, const edge *e)
{
    double *at = a + i * n + j;
    wide c[EDGE][EDGE / 2];
    less_products(CHOLESKY_VECTORS, i, a + i, a + j, at, n, c);
    UNROLLED
    for (int r = 0; r < EDGE; r++)
        UNROLLED
        for (int v = 0; v < CHOLESKY_VECTORS; v++) {
            UNROLLED
            for (int q = 0; q < r; q++)
                c[r][v] -= e->u[q][r] * c[q][v];
            c[r][v] *= e->inverse[r];
        }
    if (n - j >= CHOLESKY_COLUMNS) {
        UNROLLED
        for (int r = 0; r < EDGE; r++)
            UNROLLED
            for (int v = 0; v < CHOLESKY_VECTORS; v++)
                *(loose_wide *)(at + r * n + v * WIDE) = c[r][v];
    } else
        put_part(CHOLESKY_VECTORS, n - j, c, at, n);
}

static int cholesky(int64_t n, double *a)
{
    edge e;
    for (int64_t i = 0; i < n; i += EDGE) {
        const int64_t rows = n - i < EDGE ? n - i : EDGE;
        open_edge(a, n, i, rows, &e);
        if (factor_edge(&e, rows) != 0)
            return -1;
        for (int64_t r = 0; r < rows; r++)
            memcpy(a + (i + r) * n + i + r, &e.u[r][r], (size_t)(rows - r) * sizeof *a);
        for (int64_t j = i + EDGE; j < n; j += CHOLESKY_COLUMNS)
            solve_tile(a, n, i, j, &e);
    }
    return 0;
}

/* The substitutions go by blocks of EDGE rows as well: in the triangle one number waits for the other, all else is long rows. */

/* The columns that are left, n of them, fewer than a vector has. */
static FEW_NUMBERS void less_last_rows(int64_t n, int64_t ld, const double *u, const double *z, double *to)
{
    for (int64_t j = 0; j < n; j++)
        for (int r = 0; r < EDGE; r++)
            to[j] -= z[r] * u[r * ld + j];
}

static FEW_NUMBERS void less_last_dots(int64_t n, int64_t ld, const double *u, const double *y, double *z)
{
    for (int64_t j = 0; j < n; j++)
        for (int r = 0; r < EDGE; r++)
            z[r] -= u[r * ld + j] * y[j];
}

/* to [n] -= sum_r z[r] u[r], rows ld apart */
static void less_edge_rows(int64_t n, int64_t ld, const double *u, const double *z, double *to)
{
    int64_t j = 0;
    for (; j + WIDE <= n; j += WIDE) {
        wide sum = *(const loose_wide *)(to + j);
        UNROLLED
        for (int r = 0; r < EDGE; r++)
            sum -= z[r] * *(const loose_wide *)(u + r * ld + j);
        *(loose_wide *)(to + j) = sum;
    }
    if (j < n)
        less_last_rows(n - j, ld, u + j, z, to + j);
}

/* z[r] -= u[r] . y, rows ld apart */
static void less_edge_dots(int64_t n, int64_t ld, const double *u, const double *y, double *z)
{
    wide part[EDGE];
    UNROLLED
    for (int r = 0; r < EDGE; r++)
        part[r] = (wide){0};
    int64_t j = 0;
    for (; j + WIDE <= n; j += WIDE) {
        const wide of_y = *(const loose_wide *)(y + j);
        UNROLLED
        for (int r = 0; r < EDGE; r++)
            part[r] += *(const loose_wide *)(u + r * ld + j) * of_y;
    }
    UNROLLED
    for (int r = 0; r < EDGE; r++)
        z[r] -= sum_of_wide(part[r]);
    if (j < n)
        less_last_dots(n - j, ld, u + j, y + j, z);
}

/* The triangle at u, rows ld apart: z = U^-T z, or, where back, U^-1 z. Divisions come first: they need not wait for each other. */
INLINE void solve_triangle(int back, int64_t ld, const double *u, double *z)
{
    double y[EDGE], inverse[EDGE];
    UNROLLED
    for (int r = 0; r < EDGE; r++) {
        inverse[r] = 1.0 / u[r * ld + r];
        y[r] = z[r];
    }
    UNROLLED
    for (int q = 0; q < EDGE; q++) {
        const int r = back ? EDGE - 1 - q : q;
        z[r] = y[r] *= inverse[r];
        UNROLLED
        for (int c = 0; c < EDGE; c++)
            if (back ? c < r : c > r)
                y[c] -= (back ? u[c * ld + r] : u[r * ld + c]) * y[r];
    }
}

/* The same of the last block, which may have fewer rows: one number after another. */
static FEW_NUMBERS void solve_last_triangle(int64_t rows, int back, int64_t ld, const double *u, double *z)
{
    for (int64_t q = 0; q < rows; q++) {
        const int64_t r = back ? rows - 1 - q : q;
        z[r] /= u[r * ld + r];
        for (int64_t c = back ? 0 : r + 1; c < (back ? r : rows); c++)
            z[c] -= (back ? u[c * ld + r] : u[r * ld + c]) * z[r];
    }
}

/* U^T z = b, then U y = z */
static void cholesky_solve(int64_t n, const double *a, double *b)
{
    for (int64_t i = 0; i < n; i += EDGE) {
        const int64_t end = i + EDGE < n ? i + EDGE : n;
        if (end < i + EDGE) {
            solve_last_triangle(end - i, 0, n, a + i * n + i, b + i);
            break;
        }
        solve_triangle(0, n, a + i * n + i, b + i);
        less_edge_rows(n - end, n, a + i * n + end, b + i, b + end);
    }
    for (int64_t i = (n - 1) / EDGE * EDGE; i >= 0; i -= EDGE) {
        const int64_t end = i + EDGE < n ? i + EDGE : n;
        if (end < i + EDGE) {
            solve_last_triangle(end - i, 1, n, a + i * n + i, b + i);
            continue;
        }
        less_edge_dots(n - end, n, a + i * n + end, b + end, b + i);
        solve_triangle(1, n, a + i * n + i, b + i);
    }
}
