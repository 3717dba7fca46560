/* Forward h1 = tanh(W1 s + b1), h2 = tanh(W2 h1 + b2), V = w3 . h2 + b3; backward d2 = w3 (1 - h2^2),
 * d1 = W2^T d2 (1 - h1^2). _dot at the end of a name: the derivative along x. */
#include "network.h"

#include <math.h>
#include <string.h>

void network_at(network *n, const double *w, const double obs[OBS])
{
    n->w = w;
    n->obs = obs;
    n->value = w[AT_B3];
    memset(n->d1, 0, sizeof n->d1);
    for (int i = 0; i < HIDDEN; i++) {
        double z = w[AT_B1 + i];
        for (int j = 0; j < OBS; j++)
            z += w[i * OBS + j] * obs[j];
        n->h1[i] = tanh(z);
    }
    for (int i = 0; i < HIDDEN; i++) {
        double z = w[AT_B2 + i];
        for (int j = 0; j < HIDDEN; j++)
            z += w[AT_W2 + i * HIDDEN + j] * n->h1[j];
        n->h2[i] = tanh(z);
        n->value += w[AT_W3 + i] * n->h2[i];
        n->d2[i] = w[AT_W3 + i] * (1.0 - n->h2[i] * n->h2[i]);
        for (int j = 0; j < HIDDEN; j++)
            n->d1[j] += w[AT_W2 + i * HIDDEN + j] * n->d2[i];
    }
    for (int j = 0; j < HIDDEN; j++)
        n->d1[j] *= 1.0 - n->h1[j] * n->h1[j];
}

/* out += scale (outer(signal, input) in W, signal in b) */
static void add_layer(double scale, const double *signal, const double *input, int inputs, double *weight, double *bias)
{
    for (int i = 0; i < HIDDEN; i++) {
        for (int j = 0; j < inputs; j++)
            weight[i * inputs + j] += scale * signal[i] * input[j];
        if (bias != NULL)
            bias[i] += scale * signal[i];
    }
}

void network_gradient(const network *n, double *gradient)
{
    memset(gradient, 0, NETWORK_P * sizeof *gradient);
    add_layer(1.0, n->d1, n->obs, OBS, gradient, gradient + AT_B1);
    add_layer(1.0, n->d2, n->h1, HIDDEN, gradient + AT_W2, gradient + AT_B2);
    memcpy(gradient + AT_W3, n->h2, sizeof n->h2);
    gradient[AT_B3] = 1.0;
}

/* h1_dot, h2_dot */
static void forward_along(const network *n, const double *x, double h1_dot[HIDDEN], double h2_dot[HIDDEN])
{
    for (int i = 0; i < HIDDEN; i++) {
        double z = x[AT_B1 + i];
        for (int j = 0; j < OBS; j++)
            z += x[i * OBS + j] * n->obs[j];
        h1_dot[i] = (1.0 - n->h1[i] * n->h1[i]) * z;
    }
    for (int i = 0; i < HIDDEN; i++) {
        double z = x[AT_B2 + i];
        for (int j = 0; j < HIDDEN; j++)
            z += x[AT_W2 + i * HIDDEN + j] * n->h1[j] + n->w[AT_W2 + i * HIDDEN + j] * h1_dot[j];
        h2_dot[i] = (1.0 - n->h2[i] * n->h2[i]) * z;
    }
}

/* d1_dot, d2_dot */
static void backward_along(const network *n, const double *x, const double h1_dot[HIDDEN], const double h2_dot[HIDDEN],
                           double d1_dot[HIDDEN], double d2_dot[HIDDEN])
{
    double s[HIDDEN] = {0.0}, s_dot[HIDDEN] = {0.0}; /* W2^T d2 and its derivative */
    for (int i = 0; i < HIDDEN; i++) {
        d2_dot[i] = x[AT_W3 + i] * (1.0 - n->h2[i] * n->h2[i]) - 2.0 * n->w[AT_W3 + i] * n->h2[i] * h2_dot[i];
        for (int j = 0; j < HIDDEN; j++) {
            s[j] += n->w[AT_W2 + i * HIDDEN + j] * n->d2[i];
            s_dot[j] += x[AT_W2 + i * HIDDEN + j] * n->d2[i] + n->w[AT_W2 + i * HIDDEN + j] * d2_dot[i];
        }
    }
    for (int j = 0; j < HIDDEN; j++)
        d1_dot[j] = s_dot[j] * (1.0 - n->h1[j] * n->h1[j]) - 2.0 * s[j] * n->h1[j] * h1_dot[j];
}

void network_add_second(const network *n, double scale, const double *x, double *out)
{
    double h1_dot[HIDDEN], h2_dot[HIDDEN], d1_dot[HIDDEN], d2_dot[HIDDEN];
    forward_along(n, x, h1_dot, h2_dot);
    backward_along(n, x, h1_dot, h2_dot, d1_dot, d2_dot);
    add_layer(scale, d1_dot, n->obs, OBS, out, out + AT_B1);
    add_layer(scale, d2_dot, n->h1, HIDDEN, out + AT_W2, out + AT_B2);
    add_layer(scale, n->d2, h1_dot, HIDDEN, out + AT_W2, NULL);
    for (int i = 0; i < HIDDEN; i++)
        out[AT_W3 + i] += scale * h2_dot[i];
}
