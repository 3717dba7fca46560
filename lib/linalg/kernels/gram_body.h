/* Products of two Gram matrices, element by element: what J J^T of a network is made of (train/gauss_newton.c).
 *
 *   out_ij += (a_i . a_j) (b_i . b_j + shift), or =  i: rows begin .. end - 1;  j >= i, and some before, up to n - 1
 *
 * The matrix is symmetric, so tiles that lie below the diagonal are left out. TILE_COLUMNS columns at a time: their rows of a and b
 * are copied into panels once, transposed, then strips of rows go by. Scalar products are in `real`, as exact as a and b are;
 * the two are multiplied, and added onto out, in double.
 *
 * Cost: about half of 2 n^2 (width of a + width of b) operations. Stack: two panels of sums and one of data. */

enum { GRAM_ROWS = 128 };

/* sums [rows][TILE_COLUMNS] = x_i . y_j: rows of x, columns rows of y, all width wide. */
static void dots_of_panel(int64_t rows, int64_t columns, int64_t width, const real *x, const real *y, real *sums)
{
    _Alignas(64) real panel[BLOCK_DEPTH * TILE_COLUMNS];
    for (int64_t l = 0; l < width; l += BLOCK_DEPTH) {
        const int64_t depth = width - l < BLOCK_DEPTH ? width - l : BLOCK_DEPTH;
        if (columns < TILE_COLUMNS)
            memset(panel, 0, sizeof panel);
        copy_columns(y + l, width, depth, columns, NULL, panel);
        for (int64_t i = 0; i < rows; i += TILE_ROWS) {
            real *c = sums + i * TILE_COLUMNS;
            const tile_job job = {.n_tiles = 1, .depth = depth,
                                  .a = x + i * width + l, .a_row = width, .a_column = 1,
                                  .b = panel, .b_row = TILE_COLUMNS,
                                  .start = l == 0 ? NULL : c, .start_row = TILE_COLUMNS,
                                  .c = c, .c_row = TILE_COLUMNS};
            wide_tiles(rows - i < TILE_ROWS ? (int)(rows - i) : TILE_ROWS, &job);
        }
    }
}

/* out_j += a_j (b_j + shift), or = */
INLINE void add_products_of_sums(int64_t n, const real *a, const real *b, double shift, int add, double *out)
{
    int64_t j = 0;
    for (; j + WIDE <= n; j += WIDE) {
        const wide before = add ? (wide)*(const loose_wide *)(out + j) : (wide){0};
        *(loose_wide *)(out + j) = before + widened(a + j) * (widened(b + j) + shift);
    }
    for (; j < n; j++)
        out[j] = (add ? out[j] : 0.0) + (double)a[j] * ((double)b[j] + shift);
}

static void add_gram_products(const blpo__gram_products *g)
{
    _Alignas(64) real of_a[GRAM_ROWS * TILE_COLUMNS], of_b[GRAM_ROWS * TILE_COLUMNS];
    for (int64_t first = g->begin; first < g->end; first += GRAM_ROWS)
        for (int64_t j = first; j < g->n; j += TILE_COLUMNS) {
            const int64_t columns = g->n - j < TILE_COLUMNS ? g->n - j : TILE_COLUMNS;
            const int64_t last = first + GRAM_ROWS < g->end ? first + GRAM_ROWS : g->end;
            const int64_t rows = (last < j + columns ? last : j + columns) - first;
            dots_of_panel(rows, columns, g->a_width, g->a + first * g->a_width, g->a + j * g->a_width, of_a);
            dots_of_panel(rows, columns, g->b_width, g->b + first * g->b_width, g->b + j * g->b_width, of_b);
            for (int64_t i = 0; i < rows; i++)
                add_products_of_sums(columns, of_a + i * TILE_COLUMNS, of_b + i * TILE_COLUMNS, g->shift, g->add,
                                     g->out + (first + i) * g->ld + j);
        }
}
