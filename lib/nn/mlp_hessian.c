/* Hessian-vector product for a loss sum_t f_t(V_t) of a network with one output (forward over reverse: Pearlmutter, Neural
 * Computation 6(1), 1994). Rows of the Hessian: mlp_hessian_row.c.
 *
 * Dots are derivatives along a direction X of the parameters; s_l are the unit signals dV/dz_l of the tape.
 *
 *   1. up:    zdot_l = hdot_{l-1} W_l^T + h_{l-1} X_l^T + x_l,     hdot_l = phi'(z_l) zdot_l,     hdot_0 = 0
 *   2. top:   Vdot = zdot_L,     sdot_L = 0
 *   3. down:  sdot_{l-1} = (sdot_l W_l + s_l X_l) phi'(z_{l-1}) + (s_l W_l) phi''(z_{l-1}) zdot_{l-1}
 *   4. out:   (H X)_l = sum_t (f'' Vdot s_l + f' sdot_l) h_{l-1}^T + (f' s_l) hdot_{l-1}^T;   bias: the first factor alone
 *
 * Cost of a product: six products of size_l x size_{l-1} a row and layer, two in the first layer and four of one row in the
 * last. Everything is tile by tile; what lies between the products is one pass a layer and way (kernels/tangent_body.h). */
#include "linalg/activation.h"
#include "linalg/product.h"
#include "nn/mlp.h"

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
    return blpo__tape_h(p->mlp, p->tape, layer, p->begin);
}

static const real *s_of(const pass *p, int64_t layer)
{
    return blpo__tape_s(p->mlp, p->tape, layer, p->begin);
}

/* Step 1: zdot_l and, but for the last layer, hdot_l, which is made where a product leaves zdot_l. */
static void tangents_up(const pass *p, const real *direction)
{
    for (int64_t l = 1; l <= p->mlp->n_layers; l++) {
        const int64_t in = p->mlp->size[l - 1], out = p->mlp->size[l];
        blpo__product along = {.m = p->rows, .n = out, .k = in,
                               .a = h_of(p, l - 1), .a_row = in, .a_column = 1,
                               .b = blpo__weight(p->mlp, direction, l), .b_row = 1, .b_column = in,
                               .bias = blpo__bias(p->mlp, direction, l),
                               .activation = p->mlp->activation, .h = h_of(p, l), .also = p->scratch->hdot[l],
                               .c = p->scratch->zdot[l], .ldc = out};
        blpo__product through = along;
        through.a = p->scratch->hdot[l - 1];
        through.b = blpo__weight(p->mlp, p->parameters, l);
        through.bias = NULL;
        through.add = 1;
        (l > 1 ? &through : &along)->finish = l < p->mlp->n_layers ? BLPO__SLOPES_APART : BLPO__AS_IS;
        blpo__multiply(&along);
        if (l > 1)
            blpo__multiply(&through);
    }
}

/* Step 2: f'' Vdot, and q_L, what the last layer's first sum is weighted with. */
static void weights_of_rows(const pass *p, real *along, real *q)
{
    const int64_t top = p->mlp->n_layers;
    for (int64_t t = 0; t < p->rows; t++) {
        along[t] = p->loss->bend[p->begin + t] * p->scratch->zdot[top][t];
        q[t] = along[t] * s_of(p, top)[t];
    }
}

/* Step 3, with q_{l-1} = f'' Vdot s_{l-1} + f' sdot_{l-1}. The last layer has one unit, and sdot_L = 0: a column times a row. */
static void signal_tangent_down(const pass *p, int64_t layer, const real *direction, const real *along, real *q)
{
    const int64_t in = p->mlp->size[layer - 1], out = p->mlp->size[layer];
    real *sdot = p->scratch->sdot[layer - 1];
    const int top = layer == p->mlp->n_layers;
    if (!top) {
        blpo__gemm_nn(p->rows, in, out, s_of(p, layer), out, blpo__weight(p->mlp, direction, layer), in, 0, sdot, in);
        blpo__gemm_nn(p->rows, in, out, p->scratch->sdot[layer], out, blpo__weight(p->mlp, p->parameters, layer), in, 1,
                      sdot, in);
    }
    const blpo__signal_tangents tangents = {.activation = p->mlp->activation, .rows = p->rows, .n = in,
                                            .g = top ? NULL : sdot,
                                            .scale = s_of(p, layer), .w = blpo__weight(p->mlp, direction, layer),
                                            .h = h_of(p, layer - 1), .s = s_of(p, layer - 1),
                                            .zdot = p->scratch->zdot[layer - 1],
                                            .along = along, .slope = p->loss->slope + p->begin,
                                            .sdot = layer == 2 ? NULL : sdot, .q = q};
    blpo__signal_tangents_of(&tangents);
}

/* Step 4 of a layer: q_l h_{l-1}^T, its bias, and (f' s_l) hdot_{l-1}^T. */
static void add_sums(const pass *p, int64_t layer, const real *q, real *out)
{
    const int64_t in = p->mlp->size[layer - 1], n = p->mlp->size[layer];
    real *of_weight = out + p->mlp->offset[layer - 1], *work = p->scratch->column[1];
    blpo__add_outer_products(p->rows, n, in, NULL, q, h_of(p, layer - 1), work, of_weight);
    if (!p->mlp->unbiased)
        blpo__add_weighted_rows(p->rows, n, NULL, q, of_weight + in * n);
    if (layer > 1)
        blpo__add_outer_products(p->rows, n, in, p->loss->slope + p->begin, s_of(p, layer), p->scratch->hdot[layer - 1],
                                 work, of_weight);
}

void blpo__mlp_add_hessian_product(const blpo__mlp *mlp, const real *parameters, const blpo__tape *tape,
                                   const blpo__row_loss *loss, const real *direction, int64_t begin, int64_t end,
                                   blpo__scratch *scratch, real *out)
{
    const pass p = {mlp, parameters, tape, loss, scratch, begin, end - begin};
    real *along = scratch->column[0], *q = scratch->a;
    tangents_up(&p, direction);
    weights_of_rows(&p, along, q);
    for (int64_t l = mlp->n_layers; l >= 1; l--) {
        add_sums(&p, l, q, out);
        if (l > 1)
            signal_tangent_down(&p, l, direction, along, q);
    }
}
