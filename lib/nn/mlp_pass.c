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
#include "core/multiversion.h"
#include "linalg/activation.h"
#include "linalg/blas.h"
#include "nn/mlp.h"

#include <string.h>

/* Input rows of a layer: the tape's input below layer 1. */
static const real *below(const blpo__mlp *mlp, const blpo__tape *tape, int64_t layer, int64_t row)
{
    const real *base = layer == 1 ? tape->input : tape->h[layer - 1];
    return base + row * mlp->size[layer - 1];
}

static void spread_bias(const real *bias, int64_t n, int64_t rows, real *z)
{
    for (int64_t t = 0; t < rows; t++)
        memcpy(z + t * n, bias, (size_t)n * sizeof *z);
}

/* h = phi(input W^T + b), no activation in the last layer. */
static void layer_forward(const blpo__mlp *mlp, const real *parameters, int64_t layer, const real *input, int64_t rows,
                          real *h)
{
    const int64_t in = mlp->size[layer - 1], out = mlp->size[layer];
    spread_bias(blpo__bias(mlp, parameters, layer), out, rows, h);
    blpo__gemm_nt(rows, out, in, input, in, blpo__weight(mlp, parameters, layer), in, 1, h, out);
    if (layer < mlp->n_layers)
        blpo__activate(mlp->activation, h, rows * out);
}

void blpo__mlp_forward(const blpo__mlp *mlp, const real *parameters, blpo__tape *tape, int64_t begin, int64_t end)
{
    for (int64_t l = 1; l <= mlp->n_layers; l++)
        layer_forward(mlp, parameters, l, below(mlp, tape, l, begin), end - begin, tape->h[l] + begin * mlp->size[l]);
}

void blpo__mlp_infer(const blpo__mlp *mlp, const real *parameters, const real *input, int64_t rows, real *a, real *b,
                     real *output)
{
    for (int64_t l = 1; l < mlp->n_layers; l++) {
        layer_forward(mlp, parameters, l, input, rows, a);
        input = a;
        a = b;
        b = (real *)input;
    }
    layer_forward(mlp, parameters, mlp->n_layers, input, rows, output);
}

void blpo__mlp_signals(const blpo__mlp *mlp, const real *parameters, blpo__tape *tape, int64_t begin, int64_t end)
{
    const int64_t rows = end - begin;
    for (int64_t l = mlp->n_layers; l > 1; l--) {
        const int64_t in = mlp->size[l - 1], out = mlp->size[l];
        real *s = tape->s[l - 1] + begin * in;
        blpo__gemm_nn(rows, in, out, tape->s[l] + begin * out, out, blpo__weight(mlp, parameters, l), in, 0, s, in);
        blpo__times_slope(mlp->activation, tape->h[l - 1] + begin * in, s, rows * in);
    }
}

BLPO__MULTIVERSION
static void scale_rows(const real *weight, const real *from, int64_t rows, int64_t n, real *to)
{
    for (int64_t t = 0; t < rows; t++)
        for (int64_t j = 0; j < n; j++)
            to[t * n + j] = weight[t] * from[t * n + j];
}

BLPO__MULTIVERSION
static void add_column_sums(const real *matrix, int64_t rows, int64_t n, real *sum)
{
    for (int64_t t = 0; t < rows; t++)
        for (int64_t j = 0; j < n; j++)
            sum[j] += matrix[t * n + j];
}

void blpo__mlp_add_gradient(const blpo__mlp *mlp, const blpo__tape *tape, const real *weight, int64_t begin,
                            int64_t end, blpo__scratch *scratch, real *gradient)
{
    const int64_t rows = end - begin;
    for (int64_t l = 1; l <= mlp->n_layers; l++) {
        const int64_t in = mlp->size[l - 1], out = mlp->size[l];
        real *of_weight = gradient + mlp->offset[l - 1];
        scale_rows(weight + begin, tape->s[l] + begin * out, rows, out, scratch->a);
        blpo__gemm_tn(out, in, rows, scratch->a, out, below(mlp, tape, l, begin), in, 1, of_weight, in);
        if (!mlp->unbiased)
            add_column_sums(scratch->a, rows, out, of_weight + in * out);
    }
}

void blpo__mlp_tangent(const blpo__mlp *mlp, const blpo__tape *tape, const real *direction, int64_t begin, int64_t end,
                       blpo__scratch *scratch, real *tangent)
{
    const int64_t rows = end - begin;
    memset(tangent + begin, 0, (size_t)rows * sizeof *tangent);
    for (int64_t l = 1; l <= mlp->n_layers; l++) {
        const int64_t in = mlp->size[l - 1], out = mlp->size[l];
        const real *s = tape->s[l] + begin * out;
        spread_bias(blpo__bias(mlp, direction, l), out, rows, scratch->a);
        blpo__gemm_nt(rows, out, in, below(mlp, tape, l, begin), in, blpo__weight(mlp, direction, l), in, 1, scratch->a, out);
        for (int64_t t = 0; t < rows; t++)
            for (int64_t j = 0; j < out; j++)
                tangent[begin + t] += s[t * out + j] * scratch->a[t * out + j];
    }
}
