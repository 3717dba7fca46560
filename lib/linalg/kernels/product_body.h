/* Matrix product of small and middling sizes without the packing of A and the set-up that make a BLAS slow there.
 *
 *   C is made tile by tile, TILE_ROWS x TILE_COLUMNS sums in registers over all l of a block:
 *
 *       for l:  sum[i][v] += a_il * B[l][v]      i < TILE_ROWS: one number of A, broadcast;  v < TILE_VECTORS: a vector of B
 *
 *   with 2 loads of B and TILE_ROWS of A for TILE_ROWS x 2 multiply-adds: enough of them run at the same time to hide
 *   their latency, and loads are fewer than the processor can do beside.
 *
 * B is walked in blocks of at most BLOCK_NUMBERS numbers, which stay in the first cache while all rows of A go by. Where B
 * is stored as the tile wants it (rows of n, no weights) it is read in place; else a block is first copied into panels
 * [l][TILE_COLUMNS], transposed or weighted on the way, and filled up with zeroes behind the last column. A is read in place:
 * only broadcasts touch it. Each number of C is a sum over l in order, one block after another: no result depends on m,
 * on which rows are asked for together, or on what lies beside a matrix.
 *
 * Cost: m n k multiply-adds, rounded up to whole vectors in n; copies k n of B. Stack: one block. */

enum { BLOCK_NUMBERS = 4096, BLOCK_DEPTH = 64 };

typedef struct block { /* columns j .. j + columns - 1 of C, terms l .. l + depth - 1 of their sums */
    const blpo__product *p;
    int64_t j, columns, l, depth;
    int first, last;   /* block of terms */
} block;

/* Some tiles beside each other; their rows and vectors are told apart, as constants. */
typedef struct tile_job {
    int64_t n_tiles, depth;
    const real *a;
    int64_t a_row, a_column;
    const real *b;
    int64_t b_row, b_tile; /* from row to row of B, from tile to tile */
    const real *start;     /* NULL: 0. Row i begins at start + i start_row */
    int64_t start_row;
    real *c;
    int64_t c_row;
} tile_job;

INLINE void tile(int rows, int vectors, int64_t depth, const real *a, int64_t a_row, int64_t a_column, const real *b,
                 int64_t b_row, const real *start, int64_t start_row, real *c, int64_t c_row)
{
    vector sum[TILE_ROWS][TILE_VECTORS];
    UNROLLED
    for (int i = 0; i < rows; i++)
        UNROLLED
        for (int v = 0; v < vectors; v++)
            if (start == NULL)
                sum[i][v] = (vector){0};
            else
                sum[i][v] = *(const loose_vector *)(start + i * start_row + v * LANES);
    for (int64_t l = 0; l < depth; l++) {
        vector of_b[TILE_VECTORS];
        UNROLLED
        for (int v = 0; v < vectors; v++)
            of_b[v] = *(const loose_vector *)(b + l * b_row + v * LANES);
        UNROLLED
        for (int i = 0; i < rows; i++)
            UNROLLED
            for (int v = 0; v < vectors; v++)
                sum[i][v] += a[i * a_row + l * a_column] * of_b[v];
    }
    UNROLLED
    for (int i = 0; i < rows; i++)
        UNROLLED
        for (int v = 0; v < vectors; v++)
            *(loose_vector *)(c + i * c_row + v * LANES) = sum[i][v];
}

INLINE void tiles(int rows, int vectors, const tile_job *job, int64_t a_row, int64_t a_column)
{
    for (int64_t i = 0; i < job->n_tiles; i++)
        tile(rows, vectors, job->depth, job->a, a_row, a_column, job->b + i * job->b_tile, job->b_row,
             job->start == NULL ? NULL : job->start + i * TILE_COLUMNS, job->start_row, job->c + i * TILE_COLUMNS, job->c_row);
}

/* One stride of A is 1: said as a constant, it leaves the address arithmetic. */
#define TILE_OF(ROWS)                                                                                                  \
    case ROWS:                                                                                                         \
        if (job->a_column == 1)                                                                                        \
            tiles(ROWS, vectors, job, job->a_row, 1);                                                                  \
        else                                                                                                           \
            tiles(ROWS, vectors, job, 1, job->a_column);                                                               \
        break

INLINE void tiles_of(int rows, int vectors, const tile_job *job)
{
    switch (rows) {
        TILE_OF(1);
        TILE_OF(2);
        TILE_OF(3);
        TILE_OF(4);
#if defined(__AVX2__)
        TILE_OF(5);
        TILE_OF(6);
#endif
#if defined(__AVX512F__)
        TILE_OF(7);
        TILE_OF(8);
#endif
    default:
        break;
    }
}

static void wide_tiles(int rows, const tile_job *job)
{
    tiles_of(rows, 2, job);
}

static void narrow_tile(int rows, const tile_job *job)
{
    tiles_of(rows, 1, job);
}

/* A tile of which only some columns are C's: made beside it. */
static void cut_tile(int rows, int64_t columns, const tile_job *job)
{
    real start[TILE_ROWS * TILE_COLUMNS] = {0}, c[TILE_ROWS * TILE_COLUMNS];
    tile_job beside = *job;
    beside.start = start;
    beside.c = c;
    beside.start_row = beside.c_row = TILE_COLUMNS;
    beside.n_tiles = 1;
    for (int i = 0; job->start != NULL && i < rows; i++)
        memcpy(start + i * TILE_COLUMNS, job->start + i * job->start_row, (size_t)columns * sizeof *start);
    (columns <= LANES ? narrow_tile : wide_tiles)(rows, &beside);
    for (int i = 0; i < rows; i++)
        memcpy(job->c + i * job->c_row, c + i * TILE_COLUMNS, (size_t)columns * sizeof *c);
}

/* Four rows [l .. l + 3][16] of a panel from sixteen columns of B. Vectors gather from four columns, four apart, four numbers
 * each on their way from memory; a transposition of 4 x 4 within each quarter of them ends with the columns in order. */
#if !defined(BLPO__FLOAT64) && defined(__AVX512F__)
enum { TRANSPOSED = 16 };

INLINE void transpose_four_rows(const real *b, int64_t b_column, real *panel)
{
    __m512 z[4];
    UNROLLED
    for (int i = 0; i < 4; i++) {
        const real *from = b + i * b_column;
        z[i] = _mm512_castps128_ps512(_mm_loadu_ps(from));
        z[i] = _mm512_insertf32x4(z[i], _mm_loadu_ps(from + 4 * b_column), 1);
        z[i] = _mm512_insertf32x4(z[i], _mm_loadu_ps(from + 8 * b_column), 2);
        z[i] = _mm512_insertf32x4(z[i], _mm_loadu_ps(from + 12 * b_column), 3);
    }
    const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(z[0], z[1])), low23 = _mm512_castps_pd(_mm512_unpacklo_ps(z[2], z[3])),
                  high01 = _mm512_castps_pd(_mm512_unpackhi_ps(z[0], z[1])),
                  high23 = _mm512_castps_pd(_mm512_unpackhi_ps(z[2], z[3]));
    _mm512_storeu_ps(panel, _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23)));
    _mm512_storeu_ps(panel + TILE_COLUMNS, _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23)));
    _mm512_storeu_ps(panel + 2 * TILE_COLUMNS, _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23)));
    _mm512_storeu_ps(panel + 3 * TILE_COLUMNS, _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23)));
}
#elif !defined(BLPO__FLOAT64) && defined(__x86_64__) && __has_builtin(__builtin_shufflevector)
enum { TRANSPOSED = 4 };

INLINE void transpose_four_rows(const real *b, int64_t b_column, real *panel)
{
    typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
    const four r0 = *(const four *)b, r1 = *(const four *)(b + b_column), r2 = *(const four *)(b + 2 * b_column),
               r3 = *(const four *)(b + 3 * b_column);
    const four low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5),
               high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7), high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
    *(four *)panel = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
    *(four *)(panel + TILE_COLUMNS) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
    *(four *)(panel + 2 * TILE_COLUMNS) = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
    *(four *)(panel + 3 * TILE_COLUMNS) = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}
#else
enum { TRANSPOSED = 4 };

INLINE void transpose_four_rows(const real *b, int64_t b_column, real *panel)
{
    for (int q = 0; q < 4; q++)
        for (int j = 0; j < TRANSPOSED; j++)
            panel[q * TILE_COLUMNS + j] = b[j * b_column + q];
}
#endif

/* Some columns of B, as numbers one after another in memory, become columns of a panel: [depth][TILE_COLUMNS] transposed. */
static void copy_columns(const real *b, int64_t b_column, int64_t depth, int64_t columns, const real *weight, real *panel)
{
    const int64_t by_four = depth / 4 * 4, together = columns / TRANSPOSED * TRANSPOSED;
    for (int64_t l = 0; l < by_four; l += 4)
        for (int64_t j = 0; j < together; j += TRANSPOSED)
            transpose_four_rows(b + j * b_column + l, b_column, panel + l * TILE_COLUMNS + j);
    for (int64_t l = 0; together < columns && l < by_four; l++)
        for (int64_t j = together; j < columns; j++)
            panel[l * TILE_COLUMNS + j] = b[j * b_column + l];
    for (int64_t l = by_four; l < depth; l++)
        for (int64_t j = 0; j < columns; j++)
            panel[l * TILE_COLUMNS + j] = b[j * b_column + l];
    for (int64_t q = 0; weight != NULL && q < depth; q++)
        for (int64_t j = 0; j < columns; j++)
            panel[q * TILE_COLUMNS + j] *= weight[q];
}

static void copy_rows(const real *b, int64_t b_row, int64_t depth, const real *weight, real *panel)
{
    for (int64_t l = 0; weight == NULL && l < depth; l++)
        for (int v = 0; v < TILE_VECTORS; v++)
            *(vector *)(panel + l * TILE_COLUMNS + v * LANES) = *(const loose_vector *)(b + l * b_row + v * LANES);
    for (int64_t l = 0; weight != NULL && l < depth; l++)
        for (int v = 0; v < TILE_VECTORS; v++)
            *(vector *)(panel + l * TILE_COLUMNS + v * LANES) = weight[l] * *(const loose_vector *)(b + l * b_row + v * LANES);
}

/* The same where fewer columns are left than a panel has. */
static void copy_few(const real *b, int64_t b_row, int64_t depth, int64_t columns, const real *weight, real *panel)
{
    for (int64_t l = 0; l < depth; l++)
        for (int64_t j = 0; j < columns; j++)
            panel[l * TILE_COLUMNS + j] = (weight == NULL ? 1 : weight[l]) * b[l * b_row + j];
}

/* The panels of a block, one behind the other. */
static void copy_block(const block *at, real *panels)
{
    const blpo__product *p = at->p;
    for (int64_t j = 0; j < at->columns; j += TILE_COLUMNS) {
        const int64_t columns = at->columns - j < TILE_COLUMNS ? at->columns - j : TILE_COLUMNS;
        const real *b = p->b + at->l * p->b_row + (at->j + j) * p->b_column;
        real *panel = panels + j * at->depth;
        if (columns < TILE_COLUMNS)
            memset(panel, 0, (size_t)(at->depth * TILE_COLUMNS) * sizeof *panel);
        const real *weight = p->weight == NULL ? NULL : p->weight + at->l;
        if (p->b_column != 1)
            copy_columns(b, p->b_column, at->depth, columns, weight, panel);
        else if (columns == TILE_COLUMNS)
            copy_rows(b, p->b_row, at->depth, weight, panel);
        else
            copy_few(b, p->b_row, at->depth, columns, weight, panel);
    }
}

/* Apart, since three kernels end with it, and whole rows go by. */
static __attribute__((noinline)) void finish_row(const blpo__product *p, real *c, int64_t n)
{
    const int64_t at = c - p->c;
    if (p->finish == BLPO__TIMES_SLOPE)
        times_slope(p->activation, p->h + at, c, n);
    else if (p->finish == BLPO__SLOPES_APART)
        slopes(p->activation, n, p->h + at, c, p->also + at);
    else if (p->activation == BLPO_TANH)
        tanh_all(c, n);
    else
        relu_all(c, n);
}

/* Rows i .. and columns j .. of C, as soon as they are there: they are in the first cache then. */
static void finish_rows(const blpo__product *p, int64_t i, int64_t rows, int64_t j, int64_t columns)
{
    real *c = p->c + i * p->ldc + j;
    if (p->finish == BLPO__AS_IS)
        return;
    if (p->finish == BLPO__ROW_PRODUCTS)
        add_row_products(rows, columns, c, p->h + i * p->ldc + j, p->ldc, p->also + i);
    else { /* one row behind the other are one: constants are loaded once */
        const int64_t together = columns == p->ldc ? rows : 1;
        for (int64_t r = 0; r < rows; r += together)
            finish_row(p, c + r * p->ldc, together * columns);
    }
}

/* Rows i .. i + rows - 1 of A by the block. b: its panels, or the matrix itself (in_place). */
static void multiply_strip(const block *at, int64_t i, int rows, const real *b, int in_place)
{
    const blpo__product *p = at->p;
    const int onto = p->add || !at->first;
    const int64_t whole = at->columns / TILE_COLUMNS, left = at->columns % TILE_COLUMNS;
    real *c = p->c + i * p->ldc + at->j;
    tile_job job = {.n_tiles = whole,
                    .depth = at->depth,
                    .a = p->a + i * p->a_row + at->l * p->a_column,
                    .a_row = p->a_row,
                    .a_column = p->a_column,
                    .b = b,
                    .b_row = in_place ? p->b_row : TILE_COLUMNS,
                    .b_tile = in_place ? TILE_COLUMNS : TILE_COLUMNS * at->depth,
                    .start = onto ? c : p->bias != NULL ? p->bias + at->j : NULL,
                    .start_row = onto ? p->ldc : 0,
                    .c = c,
                    .c_row = p->ldc};
    wide_tiles(rows, &job);
    if (left > 0) {
        job.b += whole * job.b_tile;
        job.start = job.start == NULL ? NULL : job.start + whole * TILE_COLUMNS;
        job.c += whole * TILE_COLUMNS;
        cut_tile(rows, left, &job);
    }
    if (at->last)
        finish_rows(p, i, rows, at->j, at->columns);
}

/* Rows of B as they lie: where all tiles are whole, and B is small, so that it stays in the first cache uncopied, or is
 * walked but once. */
static int lies_well(const block *at)
{
    const blpo__product *p = at->p;
    return p->b_column == 1 && p->weight == NULL && at->columns % LANES == 0 &&
           (p->b_row * at->depth <= BLOCK_NUMBERS || p->m <= TILE_ROWS);
}

static void multiply_block(const block *at)
{
    const blpo__product *p = at->p;
    _Alignas(64) real panels[BLOCK_NUMBERS];
    const int in_place = lies_well(at);
    if (!in_place)
        copy_block(at, panels);
    for (int64_t i = 0; i < p->m; i += TILE_ROWS)
        multiply_strip(at, i, p->m - i < TILE_ROWS ? (int)(p->m - i) : TILE_ROWS,
                       in_place ? p->b + at->l * p->b_row + at->j : panels, in_place);
}

static void product(const blpo__product *p)
{
    const int64_t depth = p->k < BLOCK_DEPTH ? (p->k > 0 ? p->k : 1) : BLOCK_DEPTH;
    const int64_t width = BLOCK_NUMBERS / depth / TILE_COLUMNS * TILE_COLUMNS;
    for (int64_t j = 0; j < p->n; j += width)
        for (int64_t l = 0; l == 0 || l < p->k; l += depth) {
            const block at = {p, j, p->n - j < width ? p->n - j : width, l, p->k - l < depth ? p->k - l : depth, l == 0,
                              l + depth >= p->k};
            multiply_block(&at);
        }
}
