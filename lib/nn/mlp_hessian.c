/* Second-order passes: Hessian-vector product and single rows of the Hessian, for a loss sum_t f_t(V_t) of a network with
 * one output (forward over reverse: Pearlmutter, Neural Computation 6(1), 1994).
 *
 * Dots are derivatives along a direction X of the parameters; s_l are the unit signals dV/dz_l of the tape.
 *
 *   1. up:    zdot_l = hdot_{l-1} W_l^T + h_{l-1} X_l^T + x_l,     hdot_l = phi'(z_l) zdot_l,     hdot_0 = 0
 *   2. top:   Vdot = zdot_L,     sdot_L = 0
 *   3. down:  sdot_{l-1} = (sdot_l W_l + s_l X_l) phi'(z_{l-1}) + (s_l W_l) phi''(z_{l-1}) zdot_{l-1}
 *   4. out:   (H X)_l = sum_t (f'' Vdot s_l + f' sdot_l) h_{l-1}^T + (f' s_l) hdot_{l-1}^T;   bias: the first factor alone
 *
 * A row of H is the product with a unit direction, which touches unit a of layer m through input b (or its bias). Then
 * zdot is zero below layer m and one column in it, W_{m+1} acts on that column alone, and hdot_m h^T fills one column:
 * for 64-64 networks a row costs one or two products of a layer instead of six.
 *
 * Cost of a product: six products of size_l x size_{l-1} a row and layer. Everything is tile by tile. */
#include "linalg/activation.h"
#include "linalg/product.h"
#include "nn/mlp.h"

#include <string.h>

typedef struct pass {
    const blpo__mlp *mlp;
    const real *parameters;
    const blpo__tape *tape;
    const blpo__row_loss *loss;
    blpo__scratch *scratch;
    int64_t begin, rows;
} pass;

static const real *h_of(const pass *p, int64_t layer)
{
    return (layer == 0 ? p->tape->input : p->tape->h[layer]) + p->begin * p->mlp->size[layer];
}

static const real *s_of(const pass *p, int64_t layer)
{
    return p->tape->s[layer] + p->begin * p->mlp->size[layer];
}

/* hdot_l = phi'(z_l) zdot_l */
static void activate_tangent(const pass *p, int64_t layer)
{
    const int64_t n = p->rows * p->mlp->size[layer];
    memcpy(p->scratch->hdot[layer], p->scratch->zdot[layer], (size_t)n * sizeof(real));
    blpo__times_slope(p->mlp->activation, h_of(p, layer), p->scratch->hdot[layer], n);
}

/* Step 1 for one layer without its direction: zdot_l = hdot_{l-1} W_l^T, then hdot_l. */
static void tangent_through(const pass *p, int64_t layer, int add)
{
    const int64_t in = p->mlp->size[layer - 1], out = p->mlp->size[layer];
    if (layer > 1)
        blpo__gemm_nt(p->rows, out, in, p->scratch->hdot[layer - 1], in, blpo__weight(p->mlp, p->parameters, layer), in,
                      add, p->scratch->zdot[layer], out);
    if (layer < p->mlp->n_layers)
        activate_tangent(p, layer);
}

/* Step 4, first sum: q = f'' Vdot s_l + f' sdot_l into scratch->a, then its products. sdot NULL: zero. */
static void add_first_sum(const pass *p, int64_t layer, const real *sdot, real *out)
{
    const int64_t in = p->mlp->size[layer - 1], n = p->mlp->size[layer];
    const real *s = s_of(p, layer), *vdot = p->scratch->zdot[p->mlp->n_layers];
    real *q = p->scratch->a, *of_weight = out + p->mlp->offset[layer - 1], *of_bias = of_weight + in * n;
    for (int64_t t = 0; t < p->rows; t++) {
        const real along = p->loss->bend[p->begin + t] * vdot[t], slope = p->loss->slope[p->begin + t];
        for (int64_t j = 0; j < n; j++) {
            const real bent = sdot == NULL ? 0 : slope * sdot[t * n + j];
            q[t * n + j] = along * s[t * n + j] + bent;
            if (!p->mlp->unbiased)
                of_bias[j] += q[t * n + j];
        }
    }
    blpo__gemm_tn(n, in, p->rows, q, n, h_of(p, layer - 1), in, 1, of_weight, in);
}

/* Step 4, second sum: (f' s_l) hdot_{l-1}^T. */
static void add_second_sum(const pass *p, int64_t layer, real *out)
{
    const int64_t in = p->mlp->size[layer - 1], n = p->mlp->size[layer];
    const real *s = s_of(p, layer);
    real *q = p->scratch->a;
    for (int64_t t = 0; t < p->rows; t++)
        for (int64_t j = 0; j < n; j++)
            q[t * n + j] = p->loss->slope[p->begin + t] * s[t * n + j];
    blpo__gemm_tn(n, in, p->rows, q, n, p->scratch->hdot[layer - 1], in, 1, out + p->mlp->offset[layer - 1], in);
}

/* Step 3 after the products: sdot_{l} *= phi', += bend; zdot NULL: zero. */
static void finish_signal_tangent(const pass *p, int64_t layer, const real *zdot)
{
    const int64_t n = p->rows * p->mlp->size[layer];
    blpo__times_slope(p->mlp->activation, h_of(p, layer), p->scratch->sdot[layer], n);
    if (zdot != NULL)
        blpo__add_bend(p->mlp->activation, h_of(p, layer), s_of(p, layer), zdot, p->scratch->sdot[layer], n);
}

/* ---- product with any direction ---- */

static void tangents_up(const pass *p, const real *direction)
{
    for (int64_t l = 1; l <= p->mlp->n_layers; l++) {
        const int64_t in = p->mlp->size[l - 1], out = p->mlp->size[l];
        real *zdot = p->scratch->zdot[l];
        for (int64_t t = 0; t < p->rows; t++)
            memcpy(zdot + t * out, blpo__bias(p->mlp, direction, l), (size_t)out * sizeof *zdot);
        blpo__gemm_nt(p->rows, out, in, h_of(p, l - 1), in, blpo__weight(p->mlp, direction, l), in, 1, zdot, out);
        tangent_through(p, l, 1);
    }
}

static void signal_tangent_down(const pass *p, int64_t layer, const real *direction)
{
    const int64_t in = p->mlp->size[layer - 1], out = p->mlp->size[layer];
    real *sdot = p->scratch->sdot[layer - 1];
    blpo__gemm_nn(p->rows, in, out, s_of(p, layer), out, blpo__weight(p->mlp, direction, layer), in, 0, sdot, in);
    if (layer < p->mlp->n_layers)
        blpo__gemm_nn(p->rows, in, out, p->scratch->sdot[layer], out, blpo__weight(p->mlp, p->parameters, layer), in, 1,
                      sdot, in);
    finish_signal_tangent(p, layer - 1, p->scratch->zdot[layer - 1]);
}

void blpo__mlp_add_hessian_product(const blpo__mlp *mlp, const real *parameters, const blpo__tape *tape,
                                   const blpo__row_loss *loss, const real *direction, int64_t begin, int64_t end,
                                   blpo__scratch *scratch, real *out)
{
    const pass p = {mlp, parameters, tape, loss, scratch, begin, end - begin};
    tangents_up(&p, direction);
    for (int64_t l = mlp->n_layers; l >= 1; l--) {
        add_first_sum(&p, l, l < mlp->n_layers ? scratch->sdot[l] : NULL, out);
        if (l > 1) {
            add_second_sum(&p, l, out);
            signal_tangent_down(&p, l, direction);
        }
    }
}

/* ---- one row: the direction is a unit vector ---- */

typedef struct place {
    int64_t layer, unit, input; /* input = size_{layer-1}: the bias */
} place;

static place place_of(const blpo__mlp *mlp, int64_t coordinate)
{
    int64_t layer = 1;
    while (coordinate >= mlp->offset[layer])
        layer++;
    const int64_t local = coordinate - mlp->offset[layer - 1], in = mlp->size[layer - 1], n_weights = in * mlp->size[layer];
    if (local >= n_weights)
        return (place){layer, local - n_weights, in};
    return (place){layer, local / in, local % in};
}

/* Step 1 in the layer of the place, and the layer above, which sees one column: column[t] = hdot_m[t, unit]. */
static void tangents_up_from(const pass *p, place at, real *column)
{
    const int64_t m = at.layer, in = p->mlp->size[m - 1], out = p->mlp->size[m];
    const real *h = h_of(p, m - 1);
    for (int64_t t = 0; t < p->rows; t++)
        column[t] = at.input == in ? 1 : h[t * in + at.input];
    if (m == p->mlp->n_layers) {
        memcpy(p->scratch->zdot[m], column, (size_t)p->rows * sizeof *column);
        return;
    }
    real *zdot = p->scratch->zdot[m]; /* one column; the rest is not read */
    for (int64_t t = 0; t < p->rows; t++) {
        zdot[t * out + at.unit] = column[t];
        column[t] *= blpo__slope(p->mlp->activation, h_of(p, m)[t * out + at.unit]);
    }
    const int64_t above = p->mlp->size[m + 1];
    const real *weight = blpo__weight(p->mlp, p->parameters, m + 1);
    for (int64_t t = 0; t < p->rows; t++)
        for (int64_t j = 0; j < above; j++)
            p->scratch->zdot[m + 1][t * above + j] = column[t] * weight[j * out + at.unit];
    if (m + 1 < p->mlp->n_layers)
        activate_tangent(p, m + 1);
    for (int64_t l = m + 2; l <= p->mlp->n_layers; l++)
        tangent_through(p, l, 0);
}

/* The bend of step 3 in layer m, where zdot is one column. */
static void bend_one_column(const pass *p, place at)
{
    const int64_t n = p->mlp->size[at.layer];
    const real *h = h_of(p, at.layer), *s = s_of(p, at.layer), *zdot = p->scratch->zdot[at.layer];
    for (int64_t t = 0; t < p->rows; t++) {
        const int64_t i = t * n + at.unit;
        blpo__add_bend(p->mlp->activation, h + i, s + i, zdot + i, p->scratch->sdot[at.layer] + i, 1);
    }
}

/* Step 4, second sum, in layer m + 1: hdot_m is one column. */
static void add_second_sum_column(const pass *p, place at, const real *column, real *out)
{
    const int64_t in = p->mlp->size[at.layer], n = p->mlp->size[at.layer + 1];
    const real *s = s_of(p, at.layer + 1);
    real *of_weight = out + p->mlp->offset[at.layer];
    real *sum = p->scratch->b;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int64_t t = 0; t < p->rows; t++) {
        const real weight = p->loss->slope[p->begin + t] * column[t];
        for (int64_t j = 0; j < n; j++)
            sum[j] += weight * s[t * n + j];
    }
    for (int64_t j = 0; j < n; j++)
        of_weight[j * in + at.unit] += sum[j];
}

/* sdot_{l-1} from sdot_l (NULL: zero) and, in the layer of the place, from s_l X_l: one column. */
static void signal_tangent_down_from(const pass *p, int64_t layer, const real *sdot, place at)
{
    const int64_t in = p->mlp->size[layer - 1], out = p->mlp->size[layer];
    real *below = p->scratch->sdot[layer - 1];
    if (sdot == NULL)
        memset(below, 0, (size_t)(p->rows * in) * sizeof *below);
    else
        blpo__gemm_nn(p->rows, in, out, sdot, out, blpo__weight(p->mlp, p->parameters, layer), in, 0, below, in);
    if (layer == at.layer && at.input < in)
        for (int64_t t = 0; t < p->rows; t++)
            below[t * in + at.input] += s_of(p, layer)[t * out + at.unit];
    finish_signal_tangent(p, layer - 1, layer - 1 > at.layer ? p->scratch->zdot[layer - 1] : NULL);
    if (layer - 1 == at.layer)
        bend_one_column(p, at);
}

void blpo__mlp_add_hessian_row(const blpo__mlp *mlp, const real *parameters, const blpo__tape *tape,
                               const blpo__row_loss *loss, int64_t coordinate, int64_t begin, int64_t end,
                               blpo__scratch *scratch, real *row)
{
    const pass p = {mlp, parameters, tape, loss, scratch, begin, end - begin};
    const place at = place_of(mlp, coordinate);
    real *column = scratch->column;
    tangents_up_from(&p, at, column);
    const real *sdot = NULL;
    for (int64_t l = mlp->n_layers; l >= 1; l--) {
        add_first_sum(&p, l, sdot, row);
        if (l > at.layer + 1)
            add_second_sum(&p, l, row);
        else if (l == at.layer + 1)
            add_second_sum_column(&p, at, column, row);
        if (l > 1) {
            signal_tangent_down_from(&p, l, sdot, at);
            sdot = scratch->sdot[l - 1];
        }
    }
}
