/* Flops that the work needs at least: those of products with dense layers, two a multiplication; all else, activations,
 * GAE, Adam, copies, counts as nothing. So "share of the machine's peak" charges us for everything that is not a product.
 *
 * For a network of layers s_0 .. s_L, W = sum s_l s_{l+1} weights, and n rows:
 *
 *     forward               2 n W                        gradient of a weighted sum   2 n W
 *     backward signals      2 n (W - s_0 s_1)            a row of the Hessian         2 n W  (its first term alone)
 *     product J x           2 n W                        a product with H           2 n (6 W - 4 s_0 s_1)
 *
 * A minibatch of BLPO: K critic gradients (forward, signals, gradient); then critic forward and signals, v (a gradient);
 * actor forward, signals, gradient; k rows and k^2 p for the core; J x and one more gradient of the actor. For the rows of a
 * critic with two hidden layers there is a second way, in the space of samples (lib/nn/row_factors.c): the shorter one counts. */
#ifndef BENCH_MODEL_H
#define BENCH_MODEL_H

#include <stdint.h>

typedef struct bench_shape {
    int64_t obs, outputs;         /* of the actor; the critic has one output */
    int64_t n_hidden, hidden;     /* equal widths */
} bench_shape;

typedef struct bench_work {
    double rows;                  /* of a minibatch */
    double critic_steps, rank;    /* K; k, 0: no hypergradient */
} bench_work;

static inline double bench_first(const bench_shape *s, int64_t outputs)
{
    return (double)s->obs * (double)(s->n_hidden > 0 ? s->hidden : outputs);
}

static inline double bench_weights(const bench_shape *s, int64_t outputs)
{
    if (s->n_hidden == 0)
        return (double)(s->obs * outputs);
    return (double)(s->obs * s->hidden + (s->n_hidden - 1) * s->hidden * s->hidden + s->hidden * outputs);
}

static inline double bench_biases(const bench_shape *s, int64_t outputs)
{
    return (double)(s->n_hidden * s->hidden + outputs);
}

/* A product with the full Hessian, a row: tangents forward, tangents of the signals, gradient, each two products a layer, those
 * that are zero in the first layer left out. */
static inline double bench_hessian_product(const bench_shape *s, int64_t outputs)
{
    return 2.0 * (6.0 * bench_weights(s, outputs) - 4.0 * bench_first(s, outputs));
}

/* Forward and backward signals, a row. */
static inline double bench_signals(const bench_shape *s, int64_t outputs)
{
    return 2.0 * bench_weights(s, outputs) + 2.0 * (bench_weights(s, outputs) - bench_first(s, outputs));
}

/* k rows and the core. An operation in double counts as two: a vector holds half as many. */
static inline double bench_rows_flops(const bench_shape *s, double n, double k)
{
    const double w = bench_weights(s, 1), p = w + bench_biases(s, 1), h = (double)s->hidden, inputs = (double)s->obs + 1.0;
    const double by_rows = 2.0 * n * k * w + k * k * p;
    const double units = (double)s->obs + 4.0 * h + 1.0; /* a Gram matrix of each side of each layer, half of it */
    const double newton = n * n * units + 4.0 * n * n * k + 6.0 * n * k * k + 4.0 * n * w;
    const double in_samples = newton + 4.0 * n * k * h * (inputs + 1.0) + 2.0 * h * inputs * k * k;
    return s->n_hidden == 2 && in_samples < by_rows ? in_samples : by_rows;
}

static inline double bench_minibatch_flops(const bench_shape *s, const bench_work *work)
{
    const double critic = 2.0 * bench_weights(s, 1), actor = 2.0 * bench_weights(s, s->outputs);
    const double k = work->rank;
    double flops = work->rows * work->critic_steps * (bench_signals(s, 1) + critic);
    flops += work->rows * (critic + bench_signals(s, s->outputs) + actor);           /* A(w); direct */
    if (k > 0.0)
        flops += work->rows * (bench_signals(s, 1) - critic + critic                   /* signals, v */
                               + critic + actor) + bench_rows_flops(s, work->rows, k); /* J x, mixed; rows, core */
    return flops;
}

#endif
