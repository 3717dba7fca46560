/* Multilayer perceptrons: shape, forward pass, backward signals, gradients, forward mode, and products with the Hessian of
 * a loss that is a sum over rows.
 *
 * Layers are counted from 1 to L; layer l maps h_{l-1} [size_{l-1}] to h_l [size_l]; h_0 is the input, h_L the output (no
 * activation). Parameters lie flat: per layer weight W_l [size_l][size_{l-1}] row-major, then bias b_l [size_l]. */
#ifndef BLPO_NN_MLP_H
#define BLPO_NN_MLP_H

#include "core/memory.h"
#include "core/random.h"
#include "core/real.h"

#include <blpo/network.h>
#include <blpo/status.h>

#define BLPO__MAX_WIDTH 8192

typedef struct blpo__mlp {
    int64_t n_layers;         /* L >= 1 */
    int64_t *size;            /* [L + 1] */
    int64_t *offset;          /* [L + 1] first parameter of layer l + 1; offset[L] = n_parameters */
    int64_t n_parameters;
    int64_t widest;           /* largest of size[1] .. size[L] */
    int unbiased;             /* 1: no biases; one layer with one output then (blpo__mlp_create_linear()) */
    int32_t activation;
    double hidden_gain, output_gain;
} blpo__mlp;

/* Checks a network with these ends, without allocating; fills *n_parameters. Field names get `prefix` in front. */
int blpo__mlp_check(blpo_error *error, const char *prefix, const blpo_network *network, int64_t n_inputs,
                    int64_t n_outputs, int64_t *n_parameters);

/* Fills a shape from a network that was checked. Failure shows in memory->failed. */
void blpo__mlp_create(blpo__mlp *mlp, const blpo_network *network, int64_t n_inputs, int64_t n_outputs,
                      blpo__memory *memory);

/* One layer with one output and no bias: n_inputs parameters. */
void blpo__mlp_create_linear(blpo__mlp *mlp, int64_t n_inputs, blpo__memory *memory);

/* Orthogonal weights (Saxe et al., arXiv:1312.6120) times the gains, zero biases. `purpose` keys the draws. Takes its
 * scratch from `memory`: called at create only. */
void blpo__mlp_initialise(const blpo__mlp *mlp, uint64_t seed, blpo__purpose purpose, real *parameters,
                          blpo__memory *memory);

/* What a pass over rows leaves behind for the passes that follow. */
typedef struct blpo__tape {
    const real *input;  /* [rows][size_0], borrowed */
    real **h;           /* [L + 1] h[l]: [rows][size_l] for l = 1 .. L */
    real **s;           /* [L + 1] s[l]: [rows][size_l]: derivative of the row's scalar in the pre-activation of layer l;
                           s[L] is written by the caller: what the scalar is, is its choice */
} blpo__tape;

void blpo__tape_create(blpo__tape *tape, const blpo__mlp *mlp, int64_t rows, blpo__memory *memory);

#define BLPO__TOGETHER 8 /* rows of a Hessian whose thin sums are made together */

/* Scratch of one piece of work: one tile of rows. */
typedef struct blpo__scratch {
    real *a;            /* [BLPO__TILE][widest], and room for [BLPO__TOGETHER][size_0] */
    real *column[3];    /* [BLPO__TILE] each */
    real *together[2];  /* [BLPO__TOGETHER][BLPO__TILE] each: of rows of a Hessian */
    real **zdot;        /* [L + 1] zdot[l]: [BLPO__TILE][size_l] tangent of the pre-activation */
    real **hdot;        /* [L + 1] tangent of the activation */
    real **sdot;        /* [L + 1] tangent of the signal */
} blpo__scratch;

void blpo__scratch_create(blpo__scratch *scratch, const blpo__mlp *mlp, blpo__memory *memory);

/* All of the following work on rows begin .. end - 1 of a tape, at most BLPO__TILE of them, and may run at the same time
 * on other rows. */

/* h[1] .. h[L] from input. */
void blpo__mlp_forward(const blpo__mlp *mlp, const real *parameters, blpo__tape *tape, int64_t begin, int64_t end);

/* s[L-1] .. s[1] from s[L]: s_{l-1} = (s_l W_l) phi'(z_{l-1}). */
void blpo__mlp_signals(const blpo__mlp *mlp, const real *parameters, blpo__tape *tape, int64_t begin, int64_t end);

/* gradient += sum_t weight[t] d(scalar_t)/d(parameters); weight [rows] is indexed like the tape, NULL: 1. */
void blpo__mlp_add_gradient(const blpo__mlp *mlp, const blpo__tape *tape, const real *weight, int64_t begin,
                            int64_t end, blpo__scratch *scratch, real *gradient);

/* tangent[t] = d(scalar_t)/d(parameters) . direction, from the signals: no tangent goes through the layers. */
void blpo__mlp_tangent(const blpo__mlp *mlp, const blpo__tape *tape, const real *direction, int64_t begin, int64_t end,
                       blpo__scratch *scratch, real *tangent);

/* The same for a direction that is zero up to layer `below`. */
void blpo__mlp_tangent_above(const blpo__mlp *mlp, const blpo__tape *tape, const real *direction, int64_t below, int64_t begin,
                             int64_t end, blpo__scratch *scratch, real *tangent);

/* gram [n][ld] = J J^T, J_t = d(scalar_t)/d(parameters), of rows begin .. end - 1 and columns up to n, on and above the
 * diagonal; below it these rows may be changed too. Dot products in real, of which there are two a layer, and their products and
 * sums in double. Any number of rows. */
void blpo__mlp_gram(const blpo__mlp *mlp, const blpo__tape *tape, int64_t begin, int64_t end, int64_t n, double *gram, int64_t ld);

/* A loss sum_t f_t(V_t) of a network with one output; s[L] = 1 on the tape. */
typedef struct blpo__row_loss {
    const real *slope; /* [rows] f_t' */
    const real *bend;  /* [rows] f_t'' */
} blpo__row_loss;

/* out += H direction, H the Hessian of the loss over these rows. */
void blpo__mlp_add_hessian_product(const blpo__mlp *mlp, const real *parameters, const blpo__tape *tape,
                                   const blpo__row_loss *loss, const real *direction, int64_t begin, int64_t end,
                                   blpo__scratch *scratch, real *out);

/* rows[j] += H[index[j], :] over rows begin .. end - 1 of the tape, rows [k][n_parameters]; loss->bend NULL: f'' = 0. */
void blpo__mlp_add_hessian_rows(const blpo__mlp *mlp, const real *parameters, const blpo__tape *tape,
                                const blpo__row_loss *loss, const int64_t *index, int64_t k, int64_t begin, int64_t end,
                                blpo__scratch *scratch, real *rows);

/* The parameters as blpo__mlp_infer() wants them, [n_parameters]: weight matrices lie as [size_{l-1}][size_l], so that a row
 * or a few go through them without sums over the lanes of a vector, and without a copy of them. */
void blpo__mlp_turn(const blpo__mlp *mlp, const real *parameters, real *turned);

/* One pass without a tape, for inference: output [rows][size_L], a and b [rows][widest] of scratch. */
void blpo__mlp_infer(const blpo__mlp *mlp, const real *turned, const real *input, int64_t rows, real *a, real *b,
                     real *output);

/* A parameter: weight (unit, input) of a layer; input = size_{layer-1}: the bias of the unit. */
typedef struct blpo__place {
    int64_t layer, unit, input;
} blpo__place;

blpo__place blpo__place_of(const blpo__mlp *mlp, int64_t parameter);

/* h_layer, h_0 the input, and s_layer of a tape from that row on. */
static inline const real *blpo__tape_h(const blpo__mlp *mlp, const blpo__tape *tape, int64_t layer, int64_t row)
{
    return (layer == 0 ? tape->input : tape->h[layer]) + row * mlp->size[layer];
}

static inline const real *blpo__tape_s(const blpo__mlp *mlp, const blpo__tape *tape, int64_t layer, int64_t row)
{
    return tape->s[layer] + row * mlp->size[layer];
}

static inline const real *blpo__weight(const blpo__mlp *mlp, const real *parameters, int64_t layer)
{
    return parameters + mlp->offset[layer - 1];
}

/* To be read only; that of a layer without one is zero. */
static inline const real *blpo__bias(const blpo__mlp *mlp, const real *parameters, int64_t layer)
{
    static const real none = 0;
    return mlp->unbiased ? &none : parameters + mlp->offset[layer] - mlp->size[layer];
}

#endif
