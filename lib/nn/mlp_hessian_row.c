/* Rows of the Hessian of a loss sum_t f_t(V_t), for a network with one output: products with unit directions, without
 * what that leaves zero (the passes of any direction: mlp_hessian.c).
 *
 * The direction is weight (a, b) of layer m, or the bias of unit a there. s_l are the unit signals dV/dz_l of the tape.
 *
 *   1. x_t = h_{m-1}[t,b], or 1.  Vdot_t = s_m[t,a] x_t: no pass up is needed for it
 *   2. up (stored times f'_t, which goes along with a row; here without): zdot is zero below layer m, and x in column a of it;
 *          hdot_m = phi'(z_m) x there;
 *          zdot_{m+1} = hdot_m[:,a] W_{m+1}[:,a]^T,  zdot_l = hdot_{l-1} W_l^T above,  hdot_l = phi'(z_l) zdot_l      (l < L)
 *   3. down, for u_l = f' sdot_l, from u_L = 0:
 *          u_{l-1} = (u_l W_l) phi'(z_{l-1})  +  [l = m]: f' s_m[:,a] phi'(z_{m-1})[:,b] in column b
 *                  + [l-1 = m]: f' bend(x) in column a  +  [l-1 > m]: f' bend(zdot_{l-1}),      bend(y) = (s_l W_l) phi'' y
 *   4. out_l = sum_t (f'' Vdot s_l + u_l) h_{l-1}^T,  bias: the first factor alone
 *            + [l = m+1]: sum_t f' s_l hdot_m[t,a] in column a  +  [l > m+1]: sum_t f' s_l hdot_{l-1}^T
 *
 * So u is nothing at the top, then one column, and all columns only below that: u_{l-1} then is column times a row of W_l.
 * A weight of the last hidden layer, where most weights of a 64-64 network are, needs one product of that layer (step 4, with
 * the weights f'' Vdot) and sums over single columns; one of the layer before it a second one (step 3).
 *
 * Sums over rows with one weight a row (the top layer, biases, single columns) are left until some rows of H are done, and made
 * for these together: a matrix goes by once and not once for each.
 *
 * Cost: L products in step 4 (small at the ends), L - m - 2 in step 2 and in the second sum of step 4, and as many in step 3
 * as there are layers with all columns. */
#include "core/multiversion.h"
#include "core/parallel.h"
#include "linalg/activation.h"
#include "linalg/product.h"
#include "nn/mlp.h"

#include <string.h>

/* The sums of a row that are left to be made with those of other rows: what they are of lies in scratch.together. */
typedef struct thin_sums {
    real *out;           /* [p] the row */
    int64_t along_to;    /* biases of layers along_to .. L - 1: f'' Vdot s_l is all there is of their first factor, but a column */
    int64_t layer, unit; /* u_layer is the column of that unit; layer 0: there is none */
} thin_sums;

/* One tile of rows; the arrays are parts of the scratch. */
typedef struct pass {
    const blpo__mlp *mlp;
    const real *parameters;
    const blpo__tape *tape;
    blpo__scratch *scratch;
    int64_t begin, rows;
    blpo__place at;          /* layer m, unit a, input b */
    const real *slope, *bend; /* [rows] f', f''; bend NULL: 0 */
    real *x;      /* [rows] */
    real *along;  /* [rows] f'' Vdot, in scratch.together */
    real *hidden; /* [rows] f' hdot_m[t,a] */
    real *column; /* [rows] u_l, where it is one column, in scratch.together */
    real *work;   /* [rows] */
    thin_sums *later;
} pass;

typedef enum form { NOTHING, ONE_COLUMN, ALL, WITH_ALONG } form; /* WITH_ALONG: f'' Vdot s_l has been added */

/* u_l: column `unit` is pass.column, or all is scratch.sdot[l]. */
typedef struct signal {
    form form;
    int64_t unit;
} signal;

static const real *h_of(const pass *p, int64_t layer)
{
    return blpo__tape_h(p->mlp, p->tape, layer, p->begin);
}

static const real *s_of(const pass *p, int64_t layer)
{
    return blpo__tape_s(p->mlp, p->tape, layer, p->begin);
}

/* Step 1. */
static void begin_row(pass *p)
{
    const int64_t in = p->mlp->size[p->at.layer - 1], n = p->mlp->size[p->at.layer];
    const real *h = h_of(p, p->at.layer - 1), *s = s_of(p, p->at.layer);
    for (int64_t t = 0; t < p->rows; t++) {
        p->x[t] = p->at.input == in ? 1 : h[t * in + p->at.input];
        p->along[t] = p->bend == NULL ? 0 : p->bend[t] * s[t * n + p->at.unit] * p->x[t];
    }
}

/* to [rows][n] = scale[t] w[j ld] */
BLPO__MULTIVERSION
static void outer_column(int64_t rows, int64_t n, const real *scale, const real *w, int64_t ld, real *column, real *restrict to)
{
    for (int64_t j = 0; j < n; j++)
        column[j] = w[j * ld];
    for (int64_t t = 0; t < rows; t++, to += n)
        for (int64_t j = 0; j < n; j++)
            to[j] = scale[t] * column[j];
}

/* Step 2, times f', which goes along with a row. Step 3 needs zdot, and step 4 hdot, of hidden layers above m. */
static void tangents_up(pass *p)
{
    const blpo__mlp *mlp = p->mlp;
    const int64_t m = p->at.layer, n = mlp->size[m];
    const real *h = h_of(p, m);
    for (int64_t t = 0; m < mlp->n_layers && t < p->rows; t++)
        p->hidden[t] = p->slope[t] * (blpo__slope(mlp->activation, h[t * n + p->at.unit]) * p->x[t]);
    for (int64_t l = m + 1; l < mlp->n_layers; l++) {
        const int64_t in = mlp->size[l - 1], out = mlp->size[l];
        const real *weight = blpo__weight(mlp, p->parameters, l);
        real *zdot = p->scratch->zdot[l];
        if (l == m + 1)
            outer_column(p->rows, out, p->hidden, weight + p->at.unit, in, p->scratch->a, zdot);
        else
            blpo__gemm_nt(p->rows, out, in, p->scratch->hdot[l - 1], in, weight, in, 0, zdot, out);
        memcpy(p->scratch->hdot[l], zdot, (size_t)(p->rows * out) * sizeof *zdot);
        blpo__times_slope(mlp->activation, h_of(p, l), p->scratch->hdot[l], p->rows * out);
    }
}

/* ---- step 3 ---- */

/* f' s_m[:,a] phi'(z_{m-1})[:,b]: weight (a, b) itself, in the signals below. */
static void column_of_weight(const pass *p, real *to)
{
    const int64_t in = p->mlp->size[p->at.layer - 1], n = p->mlp->size[p->at.layer];
    const real *h = h_of(p, p->at.layer - 1) + p->at.input, *s = s_of(p, p->at.layer) + p->at.unit;
    for (int64_t t = 0; t < p->rows; t++)
        to[t] = p->slope[t] * s[t * n] * blpo__slope(p->mlp->activation, h[t * in]);
}

/* f' bend(x): the tangent of unit a, in its own signal. */
static void column_of_unit(const pass *p, real *to)
{
    const int64_t n = p->mlp->size[p->at.layer];
    const real *h = h_of(p, p->at.layer) + p->at.unit, *s = s_of(p, p->at.layer) + p->at.unit;
    for (int64_t t = 0; t < p->rows; t++)
        to[t] = p->slope[t] * blpo__bend(p->mlp->activation, h[t * n], s[t * n]) * p->x[t];
}

/* The part of u_{l-1} that is in one column; returns that column, -1: none. Into `to`. */
static int64_t single_column(const pass *p, int64_t layer, real *to)
{
    if (layer == p->at.layer && p->at.input < p->mlp->size[layer - 1]) {
        column_of_weight(p, to);
        return p->at.input;
    }
    if (layer - 1 == p->at.layer && p->mlp->activation != BLPO_RELU) {
        column_of_unit(p, to);
        return p->at.unit;
    }
    return -1;
}

/* u += bend(zdot) of n numbers, for tanh */
BLPO__MULTIVERSION
static void add_bends_of(int64_t n, const real *h, const real *s, const real *zdot, real *restrict u)
{
    for (int64_t j = 0; j < n; j++)
        u[j] += blpo__bend(BLPO_TANH, h[j], s[j]) * zdot[j];
}

/* u_{l-1} += f' bend(zdot_{l-1}), zdot with f' in it */
static void add_bends(const pass *p, int64_t layer, real *u)
{
    if (p->mlp->activation == BLPO_TANH)
        add_bends_of(p->rows * p->mlp->size[layer - 1], h_of(p, layer - 1), s_of(p, layer - 1), p->scratch->zdot[layer - 1], u);
}

/* u_{l-1} = (u_l W_l) phi' from what there is of u_l: its form. */
static form through_layer(const pass *p, int64_t layer, signal from, real *u)
{
    const int64_t n = p->mlp->size[layer - 1], out = p->mlp->size[layer];
    const real *weight = blpo__weight(p->mlp, p->parameters, layer);
    if (from.form == NOTHING) {
        if (layer - 1 <= p->at.layer || p->mlp->activation == BLPO_RELU)
            return NOTHING;
        memset(u, 0, (size_t)(p->rows * n) * sizeof *u); /* bends are to come */
    } else if (from.form == ONE_COLUMN) {
        const int last = layer == 2; /* nothing below: u_1 is needed in the sum of step 4 alone */
        blpo__outer_slope(p->mlp->activation, p->rows, n, p->column, weight + from.unit * n, h_of(p, layer - 1),
                          last ? p->along : NULL, s_of(p, layer - 1), u);
        return last ? WITH_ALONG : ALL;
    } else {
        const blpo__product product = {.m = p->rows, .n = n, .k = out,
                                       .a = p->scratch->sdot[layer], .a_row = out, .a_column = 1,
                                       .b = weight, .b_row = n, .b_column = 1,
                                       .finish = BLPO__TIMES_SLOPE, .activation = p->mlp->activation, .h = h_of(p, layer - 1),
                                       .c = u, .ldc = n};
        blpo__multiply(&product);
    }
    return ALL;
}

static signal signal_below(const pass *p, int64_t layer, signal from)
{
    const int64_t n = p->mlp->size[layer - 1];
    real *u = p->scratch->sdot[layer - 1];
    signal below = {through_layer(p, layer, from, u), 0};
    if (layer - 1 > p->at.layer && below.form != NOTHING)
        add_bends(p, layer, u);
    real *to = below.form == NOTHING ? p->column : p->work;
    const int64_t unit = single_column(p, layer, to);
    if (unit >= 0 && below.form == NOTHING)
        return (signal){ONE_COLUMN, unit};
    for (int64_t t = 0; unit >= 0 && t < p->rows; t++)
        u[t * n + unit] += to[t];
    return below;
}

/* ---- step 4 ---- */

/* The product of the layer now; sums of single rows later. The top layer is all thin. */
static void add_first_sum(const pass *p, int64_t layer, signal u, real *out)
{
    const int64_t in = p->mlp->size[layer - 1], n = p->mlp->size[layer];
    const real *h = h_of(p, layer - 1), *s = s_of(p, layer), *weight = p->along;
    real *of_weight = out + p->mlp->offset[layer - 1];
    if (u.form == ONE_COLUMN) {
        p->later->layer = layer;
        p->later->unit = u.unit;
    }
    if (u.form == NOTHING || u.form == ONE_COLUMN) {
        p->later->along_to = layer;
        if (layer == p->mlp->n_layers || p->bend == NULL)
            return;
    } else {
        const int apart = u.form == ALL && p->bend != NULL;
        real *sum = apart ? p->scratch->a : p->scratch->sdot[layer];
        if (apart)
            blpo__scaled_rows(p->rows, n, p->along, s, p->scratch->sdot[layer], sum);
        s = sum;
        weight = NULL;
        blpo__add_weighted_rows(p->rows, n, NULL, s, of_weight + in * n);
    }
    blpo__add_outer_products(p->rows, n, in, weight, s, h, p->work, of_weight);
}

/* Where hdot_{l-1} is one column. */
static void add_second_sum_column(const pass *p, real *out)
{
    const int64_t layer = p->at.layer + 1, in = p->mlp->size[layer - 1], n = p->mlp->size[layer];
    real *sum = p->scratch->a, *of_weight = out + p->mlp->offset[layer - 1];
    memset(sum, 0, (size_t)n * sizeof *sum);
    blpo__add_weighted_rows(p->rows, n, p->hidden, s_of(p, layer), sum);
    for (int64_t j = 0; j < n; j++)
        of_weight[j * in + p->at.unit] += sum[j];
}

static void add_second_sum(const pass *p, int64_t layer, real *out)
{
    blpo__add_outer_products(p->rows, p->mlp->size[layer], p->mlp->size[layer - 1], NULL, s_of(p, layer),
                             p->scratch->hdot[layer - 1], p->work, out + p->mlp->offset[layer - 1]);
}

/* Steps 3 and 4 of the first layer where u_2 is one column and inputs are few: u_1 is not stored. */
static void add_first_layer(const pass *p, signal u, real *out)
{
    const int64_t in = p->mlp->size[0], n = p->mlp->size[1];
    real *of_bias = out + in * n;
    const blpo__first_layer sums = {.activation = p->mlp->activation, .rows = p->rows, .n = n, .n_inputs = in,
                                    .column = p->column, .along = p->along,
                                    .w = blpo__weight(p->mlp, p->parameters, 2) + u.unit * n,
                                    .h = h_of(p, 1), .s = s_of(p, 1), .input = h_of(p, 0), .out = out, .bias = of_bias};
    blpo__add_first_layer(&sums);
    const int64_t unit = single_column(p, 2, p->work);
    if (unit < 0)
        return;
    blpo__add_weighted_rows(p->rows, in, p->work, h_of(p, 0), out + unit * in);
    for (int64_t t = 0; t < p->rows; t++)
        of_bias[unit] += p->work[t];
}

static void add_row(pass *p, real *row)
{
    begin_row(p);
    tangents_up(p);
    signal u = {NOTHING, 0};
    for (int64_t l = p->mlp->n_layers; l >= 1; l--) {
        add_first_sum(p, l, u, row);
        if (l > p->at.layer + 1)
            add_second_sum(p, l, row);
        else if (l == p->at.layer + 1)
            add_second_sum_column(p, row);
        if (l == 2 && u.form == ONE_COLUMN && p->mlp->size[0] <= BLPO__FEW_INPUTS) {
            add_first_layer(p, u, row);
            return;
        }
        if (l > 1)
            u = signal_below(p, l, u);
    }
}

/* ---- thin sums of step 4 ---- */

static void add_to(int64_t n, const real *from, real *to)
{
    blpo__add_weighted_rows(1, n, NULL, from, to);
}

/* In eight sums, so that none waits for another. */
static real sum_of(const real *x, int64_t n)
{
    real part[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int q = 0; q < 8; q++)
            part[q] += x[i + q];
    for (; i < n; i++)
        part[0] += x[i];
    return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

/* sums [k][n] = sum_t weights[j][t] a[t], weights [k][BLPO__TILE]; into scratch.a */
static const real *weighted_sums(const pass *p, int64_t k, const real *weights, int64_t n, const real *a)
{
    blpo__gemm_nn(k, n, p->rows, weights, BLPO__TILE, a, n, 0, p->scratch->a, n);
    return p->scratch->a;
}

/* f'' Vdot s_l: of the top layer, where s is 1, all of the first sum, and biases of layers below. */
static void add_along(const pass *p, const thin_sums *later, int64_t k)
{
    const blpo__mlp *mlp = p->mlp;
    const real *along = p->scratch->together[0];
    const int64_t top = mlp->n_layers, in = mlp->size[top - 1];
    const real *sums = weighted_sums(p, k, along, in, h_of(p, top - 1));
    for (int64_t j = 0; j < k; j++) {
        add_to(in, sums + j * in, later[j].out + mlp->offset[top - 1]);
        if (!mlp->unbiased)
            later[j].out[mlp->n_parameters - 1] += sum_of(along + j * BLPO__TILE, p->rows);
    }
    for (int64_t l = top - 1; l >= 1; l--) {
        const int64_t n = mlp->size[l];
        sums = weighted_sums(p, k, along, n, s_of(p, l));
        for (int64_t j = 0; j < k; j++)
            if (later[j].along_to <= l)
                add_to(n, sums + j * n, later[j].out + mlp->offset[l] - n);
    }
}

/* u_l where it is one column. */
static void add_columns(const pass *p, const thin_sums *later, int64_t k)
{
    const blpo__mlp *mlp = p->mlp;
    const real *column = p->scratch->together[1];
    for (int64_t l = mlp->n_layers - 1; l >= 1; l--) {
        const int64_t in = mlp->size[l - 1];
        const real *sums = NULL;
        for (int64_t j = 0; j < k; j++)
            if (later[j].layer == l) {
                if (sums == NULL)
                    sums = weighted_sums(p, k, column, in, h_of(p, l - 1));
                add_to(in, sums + j * in, later[j].out + mlp->offset[l - 1] + later[j].unit * in);
                later[j].out[mlp->offset[l] - mlp->size[l] + later[j].unit] += sum_of(column + j * BLPO__TILE, p->rows);
            }
    }
}

void blpo__mlp_add_hessian_rows(const blpo__mlp *mlp, const real *parameters, const blpo__tape *tape,
                                const blpo__row_loss *loss, const int64_t *index, int64_t k, int64_t begin, int64_t end,
                                blpo__scratch *scratch, real *rows)
{
    real **work = scratch->column, **together = scratch->together;
    pass p = {.mlp = mlp, .parameters = parameters, .tape = tape, .scratch = scratch, .begin = begin, .rows = end - begin,
              .slope = loss->slope + begin, .bend = loss->bend == NULL ? NULL : loss->bend + begin,
              .x = work[0], .hidden = work[1], .work = work[2]};
    for (int64_t first = 0; first < k; first += BLPO__TOGETHER) {
        const int64_t some = k - first < BLPO__TOGETHER ? k - first : BLPO__TOGETHER;
        thin_sums later[BLPO__TOGETHER];
        for (int64_t j = 0; j < some; j++) {
            p.at = blpo__place_of(mlp, index[first + j]);
            p.along = together[0] + j * BLPO__TILE;
            p.column = together[1] + j * BLPO__TILE;
            p.later = &later[j];
            later[j] = (thin_sums){rows + (first + j) * mlp->n_parameters, mlp->n_layers, 0, 0};
            add_row(&p, later[j].out);
        }
        if (p.bend != NULL)
            add_along(&p, later, some);
        add_columns(&p, later, some);
    }
}
