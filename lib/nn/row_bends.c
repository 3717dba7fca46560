/* S of row_factors.h: rows of sum_t f_t' d2V_t for a network with two hidden layers, V = W_3 phi(W_2 phi(W_1 x + b_1) + b_2) + b_3.
 *
 * Most rows are sparse. That of weight (a, b) of layer 2, or of the bias of its unit a, with x_t = h_1[t,b], or 1, is
 *
 *   W_3[a]:              o = sum_t f' phi'(z_2a) x_t
 *   W_2[a,:], b_2[a]:    sum_t c_t (h_1[t], 1),                      c_t = f' phi''(z_2a) w_3a x_t
 *   W_1, b_1:            sum_t g_t (x_0[t], 1)^T,                    g_t = c_t W_2[a,:] phi'(z_1) + d_t e_b,
 *                                                                    d_t = f' s_2[t,a] phi'(z_1b), for weights
 *
 * and nothing else: the steps of mlp_hessian_row.c without f''. That of weight a of layer 3 is the same with c_t = f' phi'(z_2a)
 * and without o and d; that of its bias is zero. Rows of layer 1 are full: mlp_hessian_row.c makes them, with f'' = 0.
 *
 * W_2[a,:] does not depend on t. So for all sparse rows together
 *
 *   Q [n_1][n_0 + 1][k] = sum_t phi'(z_1)[t] (x_0[t], 1) c_t
 *
 *   part in layer 1: W_2[a_j,i] Q_inj + [i = b_j] sum_t d_tj (x_0[t], 1)_n
 *
 * is one product, and so is J S^T, whose part of layer 1 is sum_n (x_0[t], 1)_n (s_1[t] . S_nj).
 *
 * Cost: four products of n_1 x k, two n_0 + 1 times as wide, per row of the tape; a full row costs that of mlp_hessian_row.c
 * and a tangent. Numbers are in `real`, as rows of H are; sums over parameters in double. */
#include "core/multiversion.h"
#include "linalg/activation.h"
#include "linalg/product.h"
#include "linalg/vector.h"
#include "nn/row_factors.h"

#include <string.h>

enum { PAD = 32 }; /* columns of a tile of a product, the widest: rows of the wide products are whole tiles */

int blpo__row_bends_possible(const blpo__mlp *mlp)
{
    return mlp->n_layers == 3 && mlp->size[3] == 1 && !mlp->unbiased;
}

void blpo__row_bends_create(blpo__row_bends *bends, const blpo__mlp *mlp, int64_t k, int64_t n, blpo__memory *memory)
{
    const int64_t inputs = mlp->size[0] + 1, units = mlp->size[1];
    bends->unit = blpo__allocate(memory, k, sizeof *bends->unit);
    bends->input = blpo__allocate(memory, k, sizeof *bends->input);
    bends->full = blpo__allocate(memory, k, sizeof *bends->full);
    blpo__picks_create(&bends->with_unit, k, memory);
    bends->of_layer_2 = blpo__allocate(memory, k, sizeof(real));
    bends->weight_of_layer_2 = blpo__allocate(memory, k, sizeof(real));
    bends->weight_of_layer_3 = blpo__allocate(memory, k, sizeof(real));
    bends->h2 = blpo__allocate(memory, n * k, sizeof *bends->h2);
    bends->s2 = blpo__allocate(memory, n * k, sizeof *bends->s2);
    bends->slope = blpo__allocate(memory, n * units, sizeof *bends->slope);
    bends->column = blpo__allocate(memory, n * k, sizeof *bends->column);
    bends->lower = blpo__allocate(memory, n * k, sizeof *bends->lower);
    bends->stride = (inputs * k + PAD - 1) / PAD * PAD;
    bends->of_input = blpo__allocate(memory, n * bends->stride, sizeof *bends->of_input);
    bends->first = blpo__allocate(memory, units * bends->stride, sizeof *bends->first);
    bends->second = blpo__allocate(memory, units * k, sizeof *bends->second);
    bends->second_bias = blpo__allocate(memory, k, sizeof *bends->second_bias);
    bends->top = blpo__allocate(memory, k, sizeof *bends->top);
    bends->lower_sum = blpo__allocate(memory, inputs * k, sizeof *bends->lower_sum);
    bends->of_second = blpo__allocate(memory, n * k, sizeof *bends->of_second);
    bends->of_weight = blpo__allocate(memory, k, sizeof *bends->of_weight);
    bends->along = blpo__allocate(memory, n, sizeof *bends->along);
    bends->rows = blpo__allocate(memory, k * mlp->n_parameters, sizeof *bends->rows);
}

/* ---- the columns c, d and o ---- */

/* Which rows are what; rows of layer 1 are full. */
static void sort_rows(const blpo__row_factors *factors, blpo__row_bends *bends)
{
    int64_t n_full = 0;
    bends->with_unit.n = 0;
    for (int64_t j = 0; j < factors->k; j++) {
        const blpo__place at = factors->place[j];
        const int weight = at.input < factors->mlp->size[at.layer - 1];
        bends->full[j] = at.layer == 1 ? n_full++ : -1;
        bends->unit[j] = at.layer == 2 ? at.unit : at.layer == 3 && weight ? at.input : -1;
        bends->input[j] = at.layer == 2 && weight ? at.input : -1;
        bends->of_layer_2[j] = at.layer == 2;
        bends->weight_of_layer_2[j] = at.layer == 2 && weight;
        bends->weight_of_layer_3[j] = at.layer == 3 && weight;
        if (bends->unit[j] >= 0)
            blpo__add_pick(&bends->with_unit, j, bends->unit[j]);
    }
}

/* Of one transition. Where a row has no such number, a factor of 0 is in front; what comes of that, 0 or not, is not read. */
static inline void make_columns_of(int32_t kind, int64_t k, int64_t t, real slope, const real *restrict s, const real *restrict x,
                                   const blpo__row_bends *bends)
{
    const real *restrict of_2 = bends->of_layer_2, *restrict weight_2 = bends->weight_of_layer_2,
               *restrict weight_3 = bends->weight_of_layer_3, *restrict h2 = bends->h2 + t * k;
    real *restrict column = bends->column + t * k, *restrict lower = bends->lower + t * k, *restrict top = bends->top;
    BLPO__APART
    for (int64_t j = 0; j < k; j++) {
        const real up = blpo__slope(kind, h2[j]);
        column[j] = slope * (of_2[j] * blpo__bend(kind, h2[j], s[j]) * x[j] + weight_3[j] * up);
        lower[j] = slope * weight_2[j] * s[j] * blpo__slope(kind, x[j]);
        top[j] += slope * of_2[j] * up * x[j];
    }
}

/* The activation is a constant in each of the loops, so that they become vectors. */
BLPO__MULTIVERSION
static void make_columns(int32_t kind, int64_t n, int64_t k, const real *slope, const real *signal, const real *input,
                         const blpo__row_bends *bends)
{
    memset(bends->top, 0, (size_t)k * sizeof *bends->top);
    for (int64_t t = 0; t < n; t++)
        if (kind == BLPO_TANH)
            make_columns_of(BLPO_TANH, k, t, slope[t], signal + t * k, input + t * k, bends);
        else
            make_columns_of(BLPO_RELU, k, t, slope[t], signal + t * k, input + t * k, bends);
}

/* ---- sparse rows ---- */

/* to [n][n_0 + 1][k] = from [n][k] times inputs, and 1 */
BLPO__MULTIVERSION
static void times_inputs(const real *restrict from, const real *input, int64_t n, int64_t n_inputs, int64_t k, real *restrict to,
                         int64_t stride)
{
    for (int64_t t = 0; t < n; t++)
        for (int64_t i = 0; i <= n_inputs; i++) {
            const real x = i < n_inputs ? input[t * n_inputs + i] : 1;
            BLPO__APART
            for (int64_t j = 0; j < k; j++)
                to[t * stride + i * k + j] = from[t * k + j] * x;
        }
}

BLPO__MULTIVERSION
static void slopes(int32_t kind, const real *restrict h, int64_t n, real *restrict out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = blpo__slope(kind, h[i]);
}

/* From Q to the part of layer 1. */
BLPO__MULTIVERSION
static void times_weights(const real *weight, int64_t units, int64_t inputs, int64_t k, const blpo__row_bends *bends)
{
    real *restrict factor = bends->of_weight;
    for (int64_t i = 0; i < units; i++) {
        for (int64_t q = 0; q < bends->with_unit.n; q++)
            factor[bends->with_unit.column[q]] = weight[bends->with_unit.from[q] * units + i];
        real *restrict to = bends->first + i * bends->stride;
        for (int64_t b = 0; b < inputs; b++)
            BLPO__APART
            for (int64_t j = 0; j < k; j++)
                to[b * k + j] *= factor[j];
    }
}

static void add_lower(int64_t inputs, int64_t k, const blpo__row_bends *bends)
{
    for (int64_t j = 0; j < k; j++)
        for (int64_t b = 0; b < inputs && bends->input[j] >= 0; b++)
            bends->first[bends->input[j] * bends->stride + b * k + j] += bends->lower_sum[b * k + j];
}

static void sum_columns(int64_t n, int64_t k, const real *columns, real *sum)
{
    memset(sum, 0, (size_t)k * sizeof *sum);
    blpo__add_weighted_rows(n, k, NULL, columns, sum);
}

static void make_sparse(const blpo__row_factors *factors, const real *parameters, const blpo__tape *tape)
{
    const blpo__mlp *mlp = factors->mlp;
    const blpo__row_bends *bends = factors->bends;
    const int64_t n = factors->n, k = factors->k, n0 = mlp->size[0], units = mlp->size[1], wide = bends->stride;
    slopes(mlp->activation, tape->h[1], n * units, bends->slope);
    times_inputs(bends->column, tape->input, n, n0, k, bends->of_input, wide);
    blpo__gemm_tn(units, wide, n, bends->slope, units, bends->of_input, wide, 0, bends->first, wide);
    blpo__gemm_tn(k, units, n, bends->column, k, tape->h[1], units, 0, bends->second, units);
    blpo__gemm_tn(n0, k, n, tape->input, n0, bends->lower, k, 0, bends->lower_sum, k);
    sum_columns(n, k, bends->column, bends->second_bias);
    sum_columns(n, k, bends->lower, bends->lower_sum + n0 * k);
    times_weights(blpo__weight(mlp, parameters, 2), units, n0 + 1, k, bends);
    add_lower(n0 + 1, k, bends);
}

/* ---- full rows ---- */

/* Their part of layer 1 goes to the others'. */
static void move_first(const blpo__mlp *mlp, int64_t k, int64_t j, real *row, blpo__row_bends *bends)
{
    const int64_t n0 = mlp->size[0], units = mlp->size[1];
    for (int64_t i = 0; i < units; i++) {
        for (int64_t b = 0; b < n0; b++)
            bends->first[i * bends->stride + b * k + j] = row[i * n0 + b];
        bends->first[i * bends->stride + n0 * k + j] = row[n0 * units + i];
    }
    memset(row, 0, (size_t)mlp->offset[1] * sizeof *row);
}

static void make_full(const blpo__row_factors *factors, const real *parameters, const blpo__tape *tape, const real *slope,
                      blpo__scratch *scratch)
{
    const blpo__mlp *mlp = factors->mlp;
    blpo__row_bends *bends = factors->bends;
    const blpo__row_loss loss = {slope, NULL};
    for (int64_t j = 0; j < factors->k; j++) {
        if (bends->full[j] < 0)
            continue;
        real *row = bends->rows + bends->full[j] * mlp->n_parameters;
        memset(row, 0, (size_t)mlp->n_parameters * sizeof *row);
        blpo__mlp_add_hessian_rows(mlp, parameters, tape, &loss, &factors->index[j], 1, 0, factors->n, scratch, row);
        move_first(mlp, factors->k, j, row, bends);
    }
}

/* to [n_1 (n_0 + 1)][width] = the part of layer 1 */
BLPO__MULTIVERSION
static void widen(const blpo__row_bends *bends, int64_t units, int64_t inputs, int64_t k, double *restrict to, int64_t width)
{
    for (int64_t i = 0; i < units; i++)
        for (int64_t b = 0; b < inputs; b++, to += width)
            BLPO__APART
            for (int64_t j = 0; j < k; j++)
                to[j] = (double)bends->first[i * bends->stride + b * k + j];
}

void blpo__row_bends_make(blpo__row_factors *factors, const real *parameters, const blpo__tape *tape,
                          const blpo__row_loss *loss, blpo__scratch *scratch)
{
    const blpo__mlp *mlp = factors->mlp;
    blpo__row_bends *bends = factors->bends;
    sort_rows(factors, bends);
    memset(bends->h2, 0, (size_t)(factors->n * factors->k) * sizeof *bends->h2);
    memset(bends->s2, 0, (size_t)(factors->n * factors->k) * sizeof *bends->s2);
    blpo__pick(&bends->with_unit, factors->n, tape->h[2], mlp->size[2], factors->k, bends->h2);
    blpo__pick(&bends->with_unit, factors->n, tape->s[2], mlp->size[2], factors->k, bends->s2);
    make_columns(mlp->activation, factors->n, factors->k, loss->slope, factors->signal, factors->input, bends);
    make_sparse(factors, parameters, tape);
    make_full(factors, parameters, tape, loss->slope, scratch);
    widen(bends, mlp->size[1], mlp->size[0] + 1, factors->k, factors->wide, factors->width);
}

/* ---- what is asked of them ---- */

/* Row a of W_2 of a sparse row. */
static const real *second_of(const blpo__row_factors *factors, int64_t j)
{
    return factors->bends->second + j * factors->mlp->size[1];
}

/* A full row but for layer 1. */
static real *full_row(const blpo__row_factors *factors, int64_t j)
{
    return factors->bends->rows + factors->bends->full[j] * factors->mlp->n_parameters;
}

/* Element i_l of a row, for i_l above layer 1. */
static double element_above(const blpo__row_factors *factors, int64_t row, int64_t l)
{
    const blpo__row_bends *bends = factors->bends;
    const blpo__place at = factors->place[l];
    if (bends->full[row] >= 0)
        return (double)full_row(factors, row)[factors->index[l]];
    if ((at.layer == 3 ? at.input : at.unit) != bends->unit[row])
        return 0.0;
    if (at.layer == 3)
        return (double)bends->top[row];
    return (double)(at.input < factors->mlp->size[1] ? second_of(factors, row)[at.input] : bends->second_bias[row]);
}

/* block [k][k] += S[:,I] */
void blpo__row_bends_add_block(const blpo__row_factors *factors, double *block)
{
    const int64_t k = factors->k;
    for (int64_t l = 0; l < k; l++) {
        const blpo__place at = factors->place[l];
        const real *first = at.layer == 1 ? factors->bends->first + at.unit * factors->bends->stride + at.input * k : NULL;
        for (int64_t j = 0; j < k; j++)
            block[j * k + l] += first != NULL ? (double)first[j] : element_above(factors, j, l);
    }
}

/* to [n][width] = sum over inputs of of_input, and the parts of layers 2 and 3 */
BLPO__MULTIVERSION
static void sum_of_layers(const real *input, int64_t n, int64_t n_inputs, int64_t k, const blpo__row_bends *bends, double *to,
                          int64_t width)
{
    const real *restrict bias = bends->second_bias, *restrict top = bends->top;
    for (int64_t t = 0; t < n; t++) {
        real *restrict sum = bends->of_second + t * k;
        const real *restrict h2 = bends->h2 + t * k, *restrict s2 = bends->s2 + t * k;
        const real *restrict of_input = bends->of_input + t * bends->stride;
        BLPO__APART
        for (int64_t j = 0; j < k; j++)
            sum[j] = s2[j] * (sum[j] + bias[j]) + h2[j] * top[j];
        for (int64_t b = 0; b <= n_inputs; b++) {
            const real x = b < n_inputs ? input[t * n_inputs + b] : 1;
            BLPO__APART
            for (int64_t j = 0; j < k; j++)
                sum[j] += of_input[b * k + j] * x;
        }
        BLPO__APART
        for (int64_t j = 0; j < k; j++)
            to[t * width + j] = (double)sum[j];
    }
}

/* to [n][width] = J S^T */
void blpo__row_bends_tangents(blpo__row_factors *factors, const blpo__tape *tape, blpo__scratch *scratch, double *to)
{
    const blpo__mlp *mlp = factors->mlp;
    const blpo__row_bends *bends = factors->bends;
    const int64_t n = factors->n, k = factors->k, n0 = mlp->size[0], n1 = mlp->size[1], wide = bends->stride;
    blpo__gemm_nn(n, wide, n1, tape->s[1], n1, bends->first, wide, 0, bends->of_input, wide);
    blpo__gemm_nt(n, k, n1, tape->h[1], n1, bends->second, n1, 0, bends->of_second, k);
    sum_of_layers(tape->input, n, n0, k, bends, to, factors->width);
    for (int64_t j = 0; j < k; j++) {
        if (bends->full[j] < 0)
            continue;
        blpo__mlp_tangent_above(mlp, tape, full_row(factors, j), 1, 0, n, scratch, bends->along);
        for (int64_t t = 0; t < n; t++)
            to[t * factors->width + j] += (double)bends->along[t];
    }
}

/* Layers 2 and 3 of a row times those of a vector of all parameters. */
static double times_above(const blpo__row_factors *factors, int64_t j, const real *vector)
{
    const blpo__mlp *mlp = factors->mlp;
    const blpo__row_bends *bends = factors->bends;
    const int64_t n1 = mlp->size[1], first = mlp->offset[1], a = bends->unit[j];
    if (bends->full[j] >= 0)
        return blpo__dot(full_row(factors, j) + first, vector + first, mlp->n_parameters - first);
    if (a < 0)
        return 0.0;
    return blpo__dot(second_of(factors, j), vector + first + a * n1, n1) +
           (double)bends->second_bias[j] * (double)blpo__bias(mlp, vector, 2)[a] +
           (double)bends->top[j] * (double)blpo__weight(mlp, vector, 3)[a];
}

/* Layers 2 and 3 of two rows. */
static double above_first(const blpo__row_factors *factors, int64_t j, int64_t l)
{
    const blpo__row_bends *bends = factors->bends;
    if (bends->full[j] >= 0)
        return times_above(factors, l, full_row(factors, j));
    if (bends->full[l] >= 0)
        return times_above(factors, j, full_row(factors, l));
    if (bends->unit[j] < 0 || bends->unit[j] != bends->unit[l])
        return 0.0;
    return blpo__dot(second_of(factors, j), second_of(factors, l), factors->mlp->size[1]) +
           (double)bends->second_bias[j] * (double)bends->second_bias[l] + (double)bends->top[j] * (double)bends->top[l];
}

/* gram [k][width] += S S^T, on and above the diagonal */
void blpo__row_bends_add_gram(blpo__row_factors *factors, double *gram)
{
    const int64_t k = factors->k, width = factors->width, n_first = (factors->mlp->size[0] + 1) * factors->mlp->size[1];
    blpo__add_double_products(&(blpo__double_products){.m = k, .n = width, .depth = n_first, .a = factors->wide, .lda = width,
                                                       .b = factors->wide, .ldb = width, .upper = 1, .c = gram, .ldc = width});
    for (int64_t j = 0; j < k; j++)
        for (int64_t l = j; l < k; l++)
            gram[j * width + l] += above_first(factors, j, l);
}

/* Where element b of unit i of layer 1 lies; b = n_0: the bias. */
static int64_t in_first(const blpo__mlp *mlp, int64_t i, int64_t b)
{
    return b < mlp->size[0] ? i * mlp->size[0] + b : mlp->size[0] * mlp->size[1] + i;
}

/* products [k] += S v */
void blpo__row_bends_add_products(const blpo__row_factors *factors, const real *v, double *products)
{
    const blpo__mlp *mlp = factors->mlp;
    const int64_t k = factors->k, inputs = mlp->size[0] + 1;
    for (int64_t i = 0; i < mlp->size[1]; i++)
        for (int64_t b = 0; b < inputs; b++)
            blpo__add_multiple(products, (double)v[in_first(mlp, i, b)], factors->wide + (i * inputs + b) * factors->width, k);
    for (int64_t j = 0; j < k; j++)
        products[j] += times_above(factors, j, v);
}

BLPO__MULTIVERSION
static void add_row(double y, const real *restrict row, int64_t n, real *restrict out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] += (real)(y * (double)row[i]);
}

/* out [p] += S^T y, y that of the factors */
void blpo__row_bends_add_sum(const blpo__row_factors *factors, real *out)
{
    const blpo__mlp *mlp = factors->mlp;
    const blpo__row_bends *bends = factors->bends;
    const int64_t width = factors->width, inputs = mlp->size[0] + 1, n1 = mlp->size[1], first = mlp->offset[1];
    for (int64_t i = 0; i < n1; i++)
        for (int64_t b = 0; b < inputs; b++)
            out[in_first(mlp, i, b)] += (real)blpo__dot_of_padded(factors->y, factors->wide + (i * inputs + b) * width, width);
    for (int64_t j = 0; j < factors->k; j++) {
        const int64_t a = bends->unit[j];
        const double y = factors->y[j];
        if (bends->full[j] >= 0)
            add_row(y, full_row(factors, j) + first, mlp->n_parameters - first, out + first);
        if (a < 0)
            continue;
        add_row(y, second_of(factors, j), n1, out + first + a * n1);
        out[mlp->offset[2] - mlp->size[2] + a] += (real)(y * (double)bends->second_bias[j]);
        out[mlp->offset[2] + a] += (real)(y * (double)bends->top[j]);
    }
}
