/* Loops of forward mode between the products (nn/mlp_hessian.c), each one pass over what it reads: data of a layer do not fit
 * into the first cache together, so passes cost more than arithmetic.
 *
 *   signal_tangents   sdot_tj = g_tj phi'(z_tj) + phi''(z_tj) u_tj zdot_tj,    q_tj = along_t s_tj + slope_t sdot_tj
 *                     g_tj given, or scale_t w_j;  h = phi(z), s = u phi'(z): tanh'' u zdot = -2 h s zdot, relu'' = 0
 *   add_first_layer   out_jb += sum_t x_tj input_tb, bias_j += sum_t x_tj,   x_tj = column_t w_j phi'(z_tj) + along_t s_tj, few b */

/* Columns j .. of row t. */
INLINE void signal_tangent(int32_t activation, int whole, const blpo__signal_tangents *p, int64_t t, int64_t j)
{
    const int64_t at = t * p->n + j, left = p->n - j;
    const vector h = take(p->h + at, whole, left), s = take(p->s + at, whole, left);
    vector sdot = slope_of(activation, h);
    if (p->g != NULL)
        sdot *= take(p->g + at, whole, left);
    else
        sdot *= p->scale[t] * take(p->w + j, whole, left);
    if (activation == BLPO_TANH)
        sdot -= 2 * h * s * take(p->zdot + at, whole, left);
    if (p->sdot != NULL)
        put(sdot, p->sdot + at, whole, left);
    put(p->along[t] * s + p->slope[t] * sdot, p->q + at, whole, left);
}

INLINE void signal_tangents_of(int32_t activation, const blpo__signal_tangents *p)
{
    for (int64_t t = 0; t < p->rows; t++) {
        int64_t j = 0;
        for (; j + LANES <= p->n; j += LANES)
            signal_tangent(activation, 1, p, t, j);
        if (j < p->n)
            signal_tangent(activation, 0, p, t, j);
    }
}

static void signal_tangents(const blpo__signal_tangents *p)
{
    if (p->activation == BLPO_TANH)
        signal_tangents_of(BLPO_TANH, p);
    else
        signal_tangents_of(BLPO_RELU, p);
}

enum {
#if defined(__AVX512F__)
    FIRST_VECTORS = 2, /* up to 14 sums */
#else
    FIRST_VECTORS = 1,
#endif
    FIRST_COLUMNS = FIRST_VECTORS * LANES,
    FIRST_ROWS = 256
};

/* Columns j .. of x, vectors vectors of them: their sums with `inputs` inputs and that of the bias, all rows in one pass,
 * into sums [inputs and bias][FIRST_COLUMNS]. The inputs are filled up with zeroes to a number that is a constant. */
INLINE void first_layer_columns(int32_t activation, int vectors, int inputs, int whole, const blpo__first_layer *p,
                                const real *input, int64_t j, real *sums)
{
    vector sum[BLPO__FEW_INPUTS + 1][FIRST_VECTORS], w[FIRST_VECTORS];
    UNROLLED
    for (int v = 0; v < vectors; v++) {
        w[v] = take(p->w + j + v * LANES, whole, p->n - j);
        UNROLLED
        for (int b = 0; b <= inputs; b++)
            sum[b][v] = (vector){0};
    }
    for (int64_t t = 0; t < p->rows; t++)
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            const int64_t at = t * p->n + j + v * LANES;
            const vector x = p->column[t] * w[v] * slope_of(activation, take(p->h + at, whole, p->n - j)) +
                             p->along[t] * take(p->s + at, whole, p->n - j);
            UNROLLED
            for (int b = 0; b < inputs; b++)
                sum[b][v] += input[t * inputs + b] * x;
            sum[inputs][v] += x;
        }
    UNROLLED
    for (int b = 0; b <= inputs; b++)
        UNROLLED
        for (int v = 0; v < vectors; v++)
            *(loose_vector *)(sums + b * FIRST_COLUMNS + v * LANES) = sum[b][v];
}

/* Sums of columns j .. to their places: [inputs and bias][FIRST_COLUMNS], which lie transposed there. */
static __attribute__((noinline)) void put_first_layer(const blpo__first_layer *p, int inputs, const real *sums, int64_t j)
{
    const int64_t n = p->n - j < FIRST_COLUMNS ? p->n - j : FIRST_COLUMNS;
    real *out = p->out + j * p->n_inputs;
    for (int64_t b = 0; b < p->n_inputs; b++)
        for (int64_t i = 0; i < n; i++)
            out[i * p->n_inputs + b] += sums[b * FIRST_COLUMNS + i];
    for (int64_t i = 0; i < n; i++)
        p->bias[j + i] += sums[inputs * FIRST_COLUMNS + i];
}

/* activation and inputs are constants where this is inlined. */
INLINE void first_layer_of(int32_t activation, int inputs, const blpo__first_layer *p, const real *input)
{
    real sums[(BLPO__FEW_INPUTS + 1) * FIRST_COLUMNS];
    for (int64_t j = 0; j < p->n; j += FIRST_COLUMNS) {
        if (j + FIRST_COLUMNS <= p->n)
            first_layer_columns(activation, FIRST_VECTORS, inputs, 1, p, input, j, sums);
        else
            for (int64_t i = 0; i < FIRST_COLUMNS && j + i < p->n; i += LANES)
                first_layer_columns(activation, 1, inputs, 0, p, input, j + i, sums + i);
        put_first_layer(p, inputs, sums, j);
    }
}

/* FIRST_ROWS rows at most */
static void first_layer_rows(const blpo__first_layer *p)
{
    real filled[FIRST_ROWS * BLPO__FEW_INPUTS];
    const int inputs = p->n_inputs <= 4 ? 4 : BLPO__FEW_INPUTS;
    const real *input = p->n_inputs == inputs ? p->input : filled;
    for (int64_t t = 0; input == filled && t < p->rows; t++)
        for (int b = 0; b < inputs; b++)
            filled[t * inputs + b] = b < p->n_inputs ? p->input[t * p->n_inputs + b] : 0;
    if (p->activation == BLPO_TANH && inputs == 4)
        first_layer_of(BLPO_TANH, 4, p, input);
    else if (p->activation == BLPO_TANH)
        first_layer_of(BLPO_TANH, BLPO__FEW_INPUTS, p, input);
    else if (inputs == 4)
        first_layer_of(BLPO_RELU, 4, p, input);
    else
        first_layer_of(BLPO_RELU, BLPO__FEW_INPUTS, p, input);
}

static void add_first_layer(const blpo__first_layer *p)
{
    for (int64_t t = 0; t < p->rows; t += FIRST_ROWS) {
        blpo__first_layer some_rows = *p;
        some_rows.rows = p->rows - t < FIRST_ROWS ? p->rows - t : FIRST_ROWS;
        some_rows.column += t;
        some_rows.along += t;
        some_rows.h += t * p->n;
        some_rows.s += t * p->n;
        some_rows.input += t * p->n_inputs;
        first_layer_rows(&some_rows);
    }
}
