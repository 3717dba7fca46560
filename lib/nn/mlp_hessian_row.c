/* One row of the Hessian of a loss sum_t f_t(V_t), for a network with one output: the product with a unit direction, without
 * what that leaves zero (the passes of any direction: mlp_hessian.c).
 *
 * The direction is weight (a, b) of layer m, or the bias of unit a there. s_l are the unit signals dV/dz_l of the tape.
 *
 *   1. x_t = h_{m-1}[t,b], or 1.  Vdot_t = s_m[t,a] x_t: no pass up is needed for it
 *   2. up, all times f'_t, which goes along with a row: zdot is zero below layer m, and x in column a of it; hdot_m = phi'(z_m) x there;
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
 * Cost: L products in step 4 (small at the ends), L - m - 1 in step 2 and in the second sum of step 4, and as many in step 3
 * as there are layers with all columns. */
#include "core/multiversion.h"
#include "linalg/activation.h"
#include "linalg/product.h"
#include "nn/mlp.h"

#include <string.h>

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
    real *along;  /* [rows] f'' Vdot */
    real *hidden; /* [rows] f' hdot_m[t,a] */
    real *column; /* [rows] u_l, where it is one column */
    real *work;   /* [rows] */
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

/* The part of u_{l-1} that is in one column; returns that column, -1: none. Into `to`. */
static int64_t single_column(const pass *p, int64_t layer, real *to)
{
    const int64_t n = p->mlp->size[layer - 1], in = p->mlp->size[p->at.layer - 1], out = p->mlp->size[p->at.layer];
    const int64_t unit = layer == p->at.layer ? p->at.input : p->at.unit;
    const real *h = h_of(p, layer - 1), *s = s_of(p, layer == p->at.layer ? layer : layer - 1);
    if (layer == p->at.layer && p->at.input < in) {
        for (int64_t t = 0; t < p->rows; t++)
            to[t] = p->slope[t] * s[t * out + p->at.unit] * blpo__slope(p->mlp->activation, h[t * n + unit]);
        return unit;
    }
    if (layer - 1 != p->at.layer || p->mlp->activation == BLPO_RELU)
        return -1;
    for (int64_t t = 0; t < p->rows; t++)
        to[t] = p->slope[t] * blpo__bend(p->mlp->activation, h[t * n + unit], s[t * n + unit]) * p->x[t];
    return unit;
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

/* The part of u_l that is in one column, where it is all there is of u_l. */
static void add_column(const pass *p, int64_t layer, signal u, real *of_weight, real *of_bias)
{
    const int64_t in = p->mlp->size[layer - 1];
    if (u.form != ONE_COLUMN)
        return;
    blpo__add_weighted_rows(p->rows, in, p->column, h_of(p, layer - 1), of_weight + u.unit * in);
    for (int64_t t = 0; t < p->rows; t++)
        of_bias[u.unit] += p->column[t];
}

static void add_first_sum(const pass *p, int64_t layer, signal u, real *out)
{
    const int64_t in = p->mlp->size[layer - 1], n = p->mlp->size[layer];
    const real *h = h_of(p, layer - 1), *s = s_of(p, layer), *weight = p->along;
    real *of_weight = out + p->mlp->offset[layer - 1], *of_bias = of_weight + in * n;
    if (p->bend == NULL && (u.form == NOTHING || u.form == ONE_COLUMN)) {
        add_column(p, layer, u, of_weight, of_bias);
        return;
    }
    if (u.form == WITH_ALONG || u.form == ALL) {
        const int apart = u.form == ALL && p->bend != NULL;
        real *sum = apart ? p->scratch->a : p->scratch->sdot[layer];
        if (apart)
            blpo__scaled_rows(p->rows, n, p->along, s, p->scratch->sdot[layer], sum);
        s = sum;
        weight = NULL;
    }
    blpo__add_outer_products(p->rows, n, in, weight, s, h, p->work, of_weight);
    if (!p->mlp->unbiased)
        blpo__add_weighted_rows(p->rows, n, weight, s, of_bias);
    add_column(p, layer, u, of_weight, of_bias);
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

void blpo__mlp_add_hessian_row(const blpo__mlp *mlp, const real *parameters, const blpo__tape *tape,
                               const blpo__row_loss *loss, int64_t coordinate, int64_t begin, int64_t end,
                               blpo__scratch *scratch, real *row)
{
    real **column = scratch->column;
    pass p = {mlp, parameters, tape, scratch, begin, end - begin, blpo__place_of(mlp, coordinate),
              loss->slope + begin, loss->bend == NULL ? NULL : loss->bend + begin, column[0], column[1], column[2], column[3], column[4]};
    begin_row(&p);
    tangents_up(&p);
    signal u = {NOTHING, 0};
    for (int64_t l = mlp->n_layers; l >= 1; l--) {
        add_first_sum(&p, l, u, row);
        if (l > p.at.layer + 1)
            add_second_sum(&p, l, row);
        else if (l == p.at.layer + 1)
            add_second_sum_column(&p, row);
        if (l == 2 && u.form == ONE_COLUMN && mlp->size[0] <= BLPO__FEW_INPUTS) {
            add_first_layer(&p, u, row);
            return;
        }
        if (l > 1)
            u = signal_below(&p, l, u);
    }
}
