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
    return blpo__tape_h(p->mlp, p->tape, layer, p->begin);
}

static const real *s_of(const pass *p, int64_t layer)
{
    return blpo__tape_s(p->mlp, p->tape, layer, p->begin);
}

/* hdot_l = phi'(z_l) zdot_l */
static void activate_tangent(const pass *p, int64_t layer)
{
    const int64_t n = p->rows * p->mlp->size[layer];
    memcpy(p->scratch->hdot[layer], p->scratch->zdot[layer], (size_t)n * sizeof(real));
    blpo__times_slope(p->mlp->activation, h_of(p, layer), p->scratch->hdot[layer], n);
}

/* Step 1 for one layer without its direction: zdot_l += hdot_{l-1} W_l^T, then hdot_l. */
static void tangent_through(const pass *p, int64_t layer)
{
    const int64_t in = p->mlp->size[layer - 1], out = p->mlp->size[layer];
    if (layer > 1)
        blpo__gemm_nt(p->rows, out, in, p->scratch->hdot[layer - 1], in, blpo__weight(p->mlp, p->parameters, layer), in,
                      1, p->scratch->zdot[layer], out);
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

static void tangents_up(const pass *p, const real *direction)
{
    for (int64_t l = 1; l <= p->mlp->n_layers; l++) {
        const int64_t in = p->mlp->size[l - 1], out = p->mlp->size[l];
        real *zdot = p->scratch->zdot[l];
        for (int64_t t = 0; t < p->rows; t++)
            memcpy(zdot + t * out, blpo__bias(p->mlp, direction, l), (size_t)out * sizeof *zdot);
        blpo__gemm_nt(p->rows, out, in, h_of(p, l - 1), in, blpo__weight(p->mlp, direction, l), in, 1, zdot, out);
        tangent_through(p, l);
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
