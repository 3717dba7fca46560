/* V(s) of a network OBS-width-width-1 with tanh, and its derivatives in the parameters, one state at a time and in double.
 *
 * Parameters in the library's order: W1 [width][OBS], b1, W2 [width][width], b2, w3 [width], b3. Written apart from the
 * library, so that it is no witness in its own cause. */
#ifndef STUDIES_THEORY_NETWORK_H
#define STUDIES_THEORY_NETWORK_H

#include "minibatch.h"

typedef struct network {
    int width; /* up to MAX_WIDTH */
    int b1, w2, b2, w3, b3, p; /* where these parameters begin, and how many there are */
    const double *w, *obs;
    double h1[MAX_WIDTH], h2[MAX_WIDTH]; /* activations */
    double d1[MAX_WIDTH], d2[MAX_WIDTH]; /* dV by the input of each unit */
    double value;
} network;

void network_at(network *n, int width, const double *w, const double obs[OBS]);

/* gradient [p] = dV/dw */
void network_gradient(const network *n, double *gradient);

/* out [p] += scale (d2V/dw2) x (Pearlmutter, Neural Computation 6, 1994) */
void network_add_second(const network *n, double scale, const double *x, double *out);

#endif
