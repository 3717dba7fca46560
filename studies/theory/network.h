/* V(s) of a network OBS-HIDDEN-HIDDEN-1 with tanh, and its derivatives in the parameters, one state at a time and in double.
 *
 * Parameters in the library's order: W1 [HIDDEN][OBS], b1, W2 [HIDDEN][HIDDEN], b2, w3 [HIDDEN], b3. Written apart from the
 * library, so that it is no witness in its own cause. */
#ifndef STUDIES_THEORY_NETWORK_H
#define STUDIES_THEORY_NETWORK_H

#include "minibatch.h"

enum {
    AT_B1 = HIDDEN * OBS,
    AT_W2 = AT_B1 + HIDDEN,
    AT_B2 = AT_W2 + HIDDEN * HIDDEN,
    AT_W3 = AT_B2 + HIDDEN,
    AT_B3 = AT_W3 + HIDDEN,
    NETWORK_P = AT_B3 + 1
};

typedef struct network {
    const double *w, *obs;
    double h1[HIDDEN], h2[HIDDEN]; /* activations */
    double d1[HIDDEN], d2[HIDDEN]; /* dV by the input of each unit */
    double value;
} network;

void network_at(network *n, const double *w, const double obs[OBS]);

/* gradient [NETWORK_P] = dV/dw */
void network_gradient(const network *n, double *gradient);

/* out [NETWORK_P] += scale (d2V/dw2) x (Pearlmutter, Neural Computation 6, 1994) */
void network_add_second(const network *n, double scale, const double *x, double *out);

#endif
