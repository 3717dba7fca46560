/* First-order passes: forward, backward signals, weighted gradient, tangent.
 *
 * The backward signal s_l[t] is the derivative of one scalar per row (the value of a critic, the log-probability of an
 * action) in the pre-activations of layer l. It depends on parameters and data only, so that every gradient of a sum of
 * functions of those scalars, and every directional derivative of them, comes from the same signals:
 *
 *     gradient of sum_t c_t scalar_t:   W_l: sum_t c_t s_l[t] h_{l-1}[t]^T,   b_l: sum_t c_t s_l[t]
 *     d scalar_t . X:                   sum_l s_l[t] . (X_l h_{l-1}[t] + x_l)
 *
 * Cost per row and layer: one product of size_l x size_{l-1} for each of the four passes. */
#include "linalg/activation.h"
#include "linalg/product.h"
#include "nn/mlp.h"

#include <string.h>

/* h = phi(input W^T + b), no activation in the last layer; transposed: W^T is what is stored. Every field is named: where some are
 * not, compilers clear the whole struct first, by an instruction that takes a tenth of the time of one row. */
static void layer_forward(const blpo__mlp *mlp, const real *parameters, int64_t layer, int transposed, const real *input,
                          int64_t rows, real *h)
{
    const int64_t in = mlp->size[layer - 1], out = mlp->size[layer];
    const blpo__product p = {.m = rows, .n = out, .k = in,
                             .a = input, .a_row = in, .a_column = 1,
                             .b = blpo__weight(mlp, parameters, layer),
                             .b_row = transposed ? out : 1, .b_column = transposed ? 1 : in,
                             .weight = NULL, .bias = blpo__bias(mlp, parameters, layer), .add = 0,
                             .finish = layer < mlp->n_layers ? BLPO__ACTIVATE : BLPO__AS_IS, .activation = mlp->activation,
                             .h = NULL, .also = NULL, .c = h, .ldc = out};
    blpo__multiply(&p);
}

void blpo__mlp_forward(const blpo__mlp *mlp, const real *parameters, blpo__tape *tape, int64_t begin, int64_t end)
{
    for (int64_t l = 1; l <= mlp->n_layers; l++)
        layer_forward(mlp, parameters, l, 0, blpo__tape_h(mlp, tape, l - 1, begin), end - begin, tape->h[l] + begin * mlp->size[l]);
}

/* Layers of few outputs stay: scalar products serve them better. */
static int turns(const blpo__mlp *mlp, int64_t layer)
{
    return mlp->size[layer] > BLPO__FEW_COLUMNS;
}

void blpo__mlp_turn(const blpo__mlp *mlp, const real *parameters, real *turned)
{
    memcpy(turned, parameters, (size_t)mlp->n_parameters * sizeof *turned);
    for (int64_t l = 1; l <= mlp->n_layers; l++) {
        const int64_t in = mlp->size[l - 1], out = mlp->size[l];
        const real *from = blpo__weight(mlp, parameters, l);
        real *to = turned + mlp->offset[l - 1];
        for (int64_t i = 0; turns(mlp, l) && i < in; i++)
            for (int64_t j = 0; j < out; j++)
                to[i * out + j] = from[j * in + i];
    }
}

void blpo__mlp_infer(const blpo__mlp *mlp, const real *turned, const real *input, int64_t rows, real *a, real *b, real *output)
{
    for (int64_t l = 1; l < mlp->n_layers; l++) {
        layer_forward(mlp, turned, l, turns(mlp, l), input, rows, a);
        input = a;
        a = b;
        b = (real *)input;
    }
    layer_forward(mlp, turned, mlp->n_layers, turns(mlp, mlp->n_layers), input, rows, output);
}

void blpo__mlp_signals(const blpo__mlp *mlp, const real *parameters, blpo__tape *tape, int64_t begin, int64_t end)
{
    for (int64_t l = mlp->n_layers; l > 1; l--) {
        const int64_t in = mlp->size[l - 1], out = mlp->size[l];
        if (out == 1) { /* columns of one number times a row */
            blpo__outer_slope(mlp->activation, end - begin, in, tape->s[l] + begin, blpo__weight(mlp, parameters, l),
                              tape->h[l - 1] + begin * in, NULL, NULL, tape->s[l - 1] + begin * in);
            continue;
        }
        const blpo__product p = {.m = end - begin, .n = in, .k = out,
                                 .a = tape->s[l] + begin * out, .a_row = out, .a_column = 1,
                                 .b = blpo__weight(mlp, parameters, l), .b_row = in, .b_column = 1,
                                 .finish = BLPO__TIMES_SLOPE, .activation = mlp->activation,
                                 .h = tape->h[l - 1] + begin * in,
                                 .c = tape->s[l - 1] + begin * in, .ldc = in};
        blpo__multiply(&p);
    }
}

void blpo__mlp_add_gradient(const blpo__mlp *mlp, const blpo__tape *tape, const real *weight, int64_t begin,
                            int64_t end, blpo__scratch *scratch, real *gradient)
{
    if (weight != NULL)
        weight += begin;
    for (int64_t l = 1; l <= mlp->n_layers; l++) {
        const int64_t in = mlp->size[l - 1], out = mlp->size[l];
        const real *s = tape->s[l] + begin * out;
        real *of_weight = gradient + mlp->offset[l - 1];
        blpo__add_layer_gradient(end - begin, out, in, weight, s, blpo__tape_h(mlp, tape, l - 1, begin), scratch->column[0],
                                 of_weight, mlp->unbiased ? NULL : of_weight + in * out);
    }
}

/* Layer l of the tangent, s_l . (X_l h_{l-1} + x_l), into `tangent` of these rows. The sum is made as (s_l X_l) . h_{l-1},
 * which needs no transposed matrix, but where a row of h may be wider than the scratch, or s is thin. */
static void add_tangent_of_layer(const blpo__mlp *mlp, int64_t layer, int64_t rows, const real *direction, const real *s,
                                 const real *h, real *scratch, real *tangent)
{
    const int64_t in = mlp->size[layer - 1], out = mlp->size[layer];
    const real *x = blpo__weight(mlp, direction, layer), *bias = blpo__bias(mlp, direction, layer);
    if (layer == 1 || out == 1) {
        const blpo__product p = {.m = rows, .n = out, .k = in, .a = h, .a_row = in, .a_column = 1, .b = x, .b_row = 1,
                                 .b_column = in, .bias = bias, .finish = BLPO__ROW_PRODUCTS, .h = s, .also = tangent,
                                 .c = scratch, .ldc = out};
        blpo__multiply(&p);
    } else {
        const blpo__product p = {.m = rows, .n = in, .k = out, .a = s, .a_row = out, .a_column = 1, .b = x, .b_row = in,
                                 .b_column = 1, .finish = BLPO__ROW_PRODUCTS, .h = h, .also = tangent, .c = scratch,
                                 .ldc = in};
        blpo__multiply(&p);
        blpo__gemm_nt(rows, 1, out, s, out, bias, out, 1, tangent, 1);
    }
}

void blpo__mlp_tangent(const blpo__mlp *mlp, const blpo__tape *tape, const real *direction, int64_t begin, int64_t end,
                       blpo__scratch *scratch, real *tangent)
{
    blpo__mlp_tangent_above(mlp, tape, direction, 0, begin, end, scratch, tangent);
}

void blpo__mlp_tangent_above(const blpo__mlp *mlp, const blpo__tape *tape, const real *direction, int64_t below, int64_t begin,
                             int64_t end, blpo__scratch *scratch, real *tangent)
{
    memset(tangent + begin, 0, (size_t)(end - begin) * sizeof *tangent);
    for (int64_t l = below + 1; l <= mlp->n_layers; l++)
        add_tangent_of_layer(mlp, l, end - begin, direction, tape->s[l] + begin * mlp->size[l], blpo__tape_h(mlp, tape, l - 1, begin),
                             scratch->a, tangent + begin);
}
