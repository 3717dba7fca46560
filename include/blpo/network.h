/** @file network.h
 *  Shape of a multilayer perceptron, shared by policies and critics. */
#ifndef BLPO_NETWORK_H
#define BLPO_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Activation of the hidden layers; the last layer is affine. */
typedef enum blpo_activation {
    BLPO_TANH = 1, /**< hyperbolic tangent */
    BLPO_RELU = 2  /**< max(0, x); its derivative at 0 is 0 */
} blpo_activation;

/** A multilayer perceptron. Its parameters lie in one flat array, layer by layer: weight[out][in] row-major, then
 *  bias[out]. Checkpoints, bindings and Nystrom indices all use this order; it is torch's.
 *  Initial weights are orthogonal (Saxe et al., arXiv:1312.6120) times a gain, biases zero. */
typedef struct blpo_network {
    const int64_t *hidden;  /**< [n_hidden] widths, each 1 .. 8192; copied at create. NULL with n_hidden 0 */
    int64_t n_hidden;       /**< 0 .. 1024; 0: an affine function. Default 2: {64, 64} */
    int32_t activation;     /**< a blpo_activation, default BLPO_TANH */
    double hidden_gain;     /**< gain of hidden layers, in [-1e6, 1e6], default sqrt(2) */
    double output_gain;     /**< gain of the last layer, in [-1e6, 1e6], default 0.01 for policies, 1 for critics */
} blpo_network;

#ifdef __cplusplus
}
#endif
#endif
