/* Forward h1 = tanh(W1 s + b1), h2 = tanh(W2 h1 + b2), V = w3 . h2 + b3; backward d2 = w3 (1 - h2^2),
 * d1 = W2^T d2 (1 - h1^2). _dot at the end of a name: the derivative along x. */
#include "network.h"

#include <math.h>
#include <string.h>

static void place(network *n, int width)
{
    n->width = width;
    n->b1 = width * OBS;
    n->w2 = n->b1 + width;
    n->b2 = n->w2 + width * width;
    n->w3 = n->b2 + width;
    n->b3 = n->w3 + width;
    n->p = n->b3 + 1;
}

void network_at(network *n, int width, const double *w, const double obs[OBS])
{
    place(n, width);
    n->w = w;
    n->obs = obs;
    n->value = w[n->b3];
    memset(n->d1, 0, sizeof n->d1);
    for (int i = 0; i < n->width; i++) {
        double z = w[n->b1 + i];
        for (int j = 0; j < OBS; j++)
            z += w[i * OBS + j] * obs[j];
        n->h1[i] = tanh(z);
    }
    for (int i = 0; i < n->width; i++) {
        double z = w[n->b2 + i];
        for (int j = 0; j < n->width; j++)
            z += w[n->w2 + i * n->width + j] * n->h1[j];
        n->h2[i] = tanh(z);
        n->value += w[n->w3 + i] * n->h2[i];
        n->d2[i] = w[n->w3 + i] * (1.0 - n->h2[i] * n->h2[i]);
        for (int j = 0; j < n->width; j++)
            n->d1[j] += w[n->w2 + i * n->width + j] * n->d2[i];
    }
    for (int j = 0; j < n->width; j++)
        n->d1[j] *= 1.0 - n->h1[j] * n->h1[j];
}

/* out += scale (outer(signal, input) in W, signal in b) */
static void add_layer(const network *n, double scale, const double *signal, const double *input, int inputs, double *weight,
                      double *bias)
{
    for (int i = 0; i < n->width; i++) {
        for (int j = 0; j < inputs; j++)
            weight[i * inputs + j] += scale * signal[i] * input[j];
        if (bias != NULL)
            bias[i] += scale * signal[i];
    }
}

void network_gradient(const network *n, double *gradient)
{
    memset(gradient, 0, (size_t)n->p * sizeof *gradient);
    add_layer(n, 1.0, n->d1, n->obs, OBS, gradient, gradient + n->b1);
    add_layer(n, 1.0, n->d2, n->h1, n->width, gradient + n->w2, gradient + n->b2);
    memcpy(gradient + n->w3, n->h2, (size_t)n->width * sizeof *n->h2);
    gradient[n->b3] = 1.0;
}

/* h1_dot, h2_dot */
static void forward_along(const network *n, const double *x, double h1_dot[MAX_WIDTH], double h2_dot[MAX_WIDTH])
{
    for (int i = 0; i < n->width; i++) {
        double z = x[n->b1 + i];
        for (int j = 0; j < OBS; j++)
            z += x[i * OBS + j] * n->obs[j];
        h1_dot[i] = (1.0 - n->h1[i] * n->h1[i]) * z;
    }
    for (int i = 0; i < n->width; i++) {
        double z = x[n->b2 + i];
        for (int j = 0; j < n->width; j++)
            z += x[n->w2 + i * n->width + j] * n->h1[j] + n->w[n->w2 + i * n->width + j] * h1_dot[j];
        h2_dot[i] = (1.0 - n->h2[i] * n->h2[i]) * z;
    }
}

/* d1_dot, d2_dot */
static void backward_along(const network *n, const double *x, const double h1_dot[MAX_WIDTH], const double h2_dot[MAX_WIDTH],
                           double d1_dot[MAX_WIDTH], double d2_dot[MAX_WIDTH])
{
    double s[MAX_WIDTH] = {0.0}, s_dot[MAX_WIDTH] = {0.0}; /* W2^T d2 and its derivative */
    for (int i = 0; i < n->width; i++) {
        d2_dot[i] = x[n->w3 + i] * (1.0 - n->h2[i] * n->h2[i]) - 2.0 * n->w[n->w3 + i] * n->h2[i] * h2_dot[i];
        for (int j = 0; j < n->width; j++) {
            s[j] += n->w[n->w2 + i * n->width + j] * n->d2[i];
            s_dot[j] += x[n->w2 + i * n->width + j] * n->d2[i] + n->w[n->w2 + i * n->width + j] * d2_dot[i];
        }
    }
    for (int j = 0; j < n->width; j++)
        d1_dot[j] = s_dot[j] * (1.0 - n->h1[j] * n->h1[j]) - 2.0 * s[j] * n->h1[j] * h1_dot[j];
}

void network_add_second(const network *n, double scale, const double *x, double *out)
{
    double h1_dot[MAX_WIDTH], h2_dot[MAX_WIDTH], d1_dot[MAX_WIDTH], d2_dot[MAX_WIDTH];
    forward_along(n, x, h1_dot, h2_dot);
    backward_along(n, x, h1_dot, h2_dot, d1_dot, d2_dot);
    add_layer(n, scale, d1_dot, n->obs, OBS, out, out + n->b1);
    add_layer(n, scale, d2_dot, n->h1, n->width, out + n->w2, out + n->b2);
    add_layer(n, scale, n->d2, h1_dot, n->width, out + n->w2, NULL);
    for (int i = 0; i < n->width; i++)
        out[n->w3 + i] += scale * h2_dot[i];
}
