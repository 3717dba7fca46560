/* Distributions of actions. o [n]: outputs of the network for one observation.
 *
 *   categorical   m = max_j o_j,  S = sum_j exp(o_j - m),  log p_j = o_j - m - log S
 *                 log pi(a) = log p_a,  H = log S - sum_j p_j (o_j - m)
 *                 d log pi(a) / d o_j = [j = a] - p_j,  d H / d o_j = -p_j (log p_j + H)
 *   Gaussian      z_i = (a_i - o_i) exp(-l_i), l = log_std
 *                 log pi(a) = -sum_i (z_i^2 / 2 + l_i + log(2 pi) / 2),  H = sum_i (l_i + (1 + log(2 pi)) / 2)
 *                 d log pi(a) / d o_i = z_i exp(-l_i),  d log pi(a) / d l_i = z_i^2 - 1,  d H / d l_i = 1
 *
 * All in double. A p_j that underflows to 0 adds nothing to H: where o_j - m is -inf (outputs near the largest double, in
 * the build of the tests), 0 times it would be NaN. */
#include "rl/distribution.h"

#include "linalg/vector.h"

#include <blpo/env.h>

#include <math.h>
#include <string.h>

static const double HALF_LOG_TWO_PI = 0.91893853320467274178;

/* exp(o_j - m). Of two outcomes one is the largest, and for it there is nothing to compute. */
static double exp_below(double x)
{
    return x == 0.0 ? 1.0 : exp(x);
}

typedef struct softmax {
    double max; /* m */
    double sum; /* S */
} softmax;

static softmax softmax_of(const real *output, int64_t n)
{
    softmax s = {(double)output[0], 0.0};
    for (int64_t j = 1; j < n; j++)
        s.max = (double)output[j] > s.max ? (double)output[j] : s.max;
    for (int64_t j = 0; j < n; j++)
        s.sum += exp_below((double)output[j] - s.max);
    return s;
}

static double categorical_entropy(const softmax *s, const real *output, int64_t n)
{
    double weighted = 0.0;
    for (int64_t j = 0; j < n; j++) {
        const double x = (double)output[j] - s->max, e = exp_below(x);
        weighted += e > 0.0 ? e * x : 0.0;
    }
    return log(s->sum) - weighted / s->sum;
}

static int64_t argmax(const real *output, int64_t n)
{
    int64_t best = 0;
    for (int64_t j = 1; j < n; j++)
        best = output[j] > output[best] ? j : best;
    return best;
}

double blpo__log_prob(const blpo__distribution *d, const real *output, const void *action)
{
    if (d->kind == BLPO_ACTION_DISCRETE) {
        const softmax s = softmax_of(output, d->n);
        return (double)output[*(const int64_t *)action] - s.max - log(s.sum);
    }
    const real *a = action;
    double sum = 0.0;
    for (int64_t i = 0; i < d->n; i++) {
        const double l = (double)d->log_std[i], z = ((double)a[i] - (double)output[i]) * exp(-l);
        sum += 0.5 * z * z + l + HALF_LOG_TWO_PI;
    }
    return -sum;
}

/* Of as many rows at a time as have so many outcomes, or of one row with more of them, so many at a time. */
enum { TOGETHER = 256 };

/* Row t: max_t becomes m, sum_t S, log_sum_t its logarithm and weighted_t sum_j exp(o_j - m) (o_j - m). of_output takes the
 * exponentials on their way to p_j. */
static void softmaxes(int64_t rows, int64_t n, const real *output, double *max, double *sum, double *log_sum, double *weighted,
                      real *of_output)
{
    double e[TOGETHER];
    for (int64_t t = 0; t < rows; t++) {
        max[t] = (double)output[t * n];
        sum[t] = weighted[t] = 0.0;
        for (int64_t j = 1; j < n; j++)
            max[t] = (double)output[t * n + j] > max[t] ? (double)output[t * n + j] : max[t];
    }
    for (int64_t from = 0; from < n; from += TOGETHER) {
        const int64_t width = n - from < TOGETHER ? n - from : TOGETHER;
        for (int64_t t = 0; t < rows; t++)
            for (int64_t j = 0; j < width; j++)
                e[t * width + j] = (double)output[t * n + from + j] - max[t];
        blpo__exponentials(e, rows * width);
        for (int64_t t = 0; t < rows; t++)
            for (int64_t j = 0; j < width; j++) {
                const double x = (double)output[t * n + from + j] - max[t], power = e[t * width + j];
                sum[t] += power;
                weighted[t] += power > 0.0 ? power * x : 0.0;
                of_output[t * n + from + j] = (real)power;
            }
    }
    memcpy(log_sum, sum, (size_t)rows * sizeof *sum);
    blpo__logarithms(log_sum, rows);
}

/* Rows t .. t + rows - 1. */
static void categorical_scores(const blpo__distribution *d, const blpo__scores *s, int64_t t, int64_t rows)
{
    double max[TOGETHER], sum[TOGETHER], log_sum[TOGETHER], weighted[TOGETHER];
    const real *output = s->output + t * d->n;
    real *of_output = s->of_output + t * d->n;
    softmaxes(rows, d->n, output, max, sum, log_sum, weighted, of_output);
    for (int64_t i = 0; i < rows; i++, output += d->n, of_output += d->n) {
        const int64_t action = ((const int64_t *)s->actions)[s->at[t + i]];
        const double inverse = 1.0 / sum[i];
        for (int64_t j = 0; j < d->n; j++)
            of_output[j] = (real)((j == action ? 1.0 : 0.0) - (double)of_output[j] * inverse);
        s->log_prob[t + i] = (double)output[action] - max[i] - log_sum[i];
        s->entropy[t + i] = log_sum[i] - weighted[i] * inverse;
    }
}

static void gaussian_scores(const blpo__distribution *d, const blpo__scores *s)
{
    const double entropy = blpo__entropy(d, s->output);
    for (int64_t t = 0; t < s->rows; t++) {
        s->entropy[t] = entropy;
        s->log_prob[t] = 0.5 * (double)d->n - entropy; /* where all z are 0 */
    }
    for (int64_t i = 0; i < d->n; i++) {
        const double inverse = exp(-(double)d->log_std[i]);
        for (int64_t t = 0; t < s->rows; t++) {
            const double a = (double)((const real *)s->actions)[s->at[t] * d->n + i];
            const double z = (a - (double)s->output[t * d->n + i]) * inverse;
            s->log_prob[t] -= 0.5 * z * z;
            s->of_output[t * d->n + i] = (real)(z * inverse);
            s->of_log_std[t * d->n + i] = (real)(z * z - 1.0);
        }
    }
}

void blpo__log_prob_scores(const blpo__distribution *d, const blpo__scores *s)
{
    if (d->kind != BLPO_ACTION_DISCRETE) {
        gaussian_scores(d, s);
        return;
    }
    const int64_t at_once = d->n < TOGETHER ? TOGETHER / d->n : 1;
    for (int64_t t = 0; t < s->rows; t += at_once)
        categorical_scores(d, s, t, s->rows - t < at_once ? s->rows - t : at_once);
}

double blpo__entropy(const blpo__distribution *d, const real *output)
{
    if (d->kind == BLPO_ACTION_DISCRETE) {
        const softmax s = softmax_of(output, d->n);
        return categorical_entropy(&s, output, d->n);
    }
    double sum = 0.0;
    for (int64_t i = 0; i < d->n; i++)
        sum += (double)d->log_std[i] + 0.5 + HALF_LOG_TWO_PI;
    return sum;
}

void blpo__entropy_score(const blpo__distribution *d, const real *output, real *of_output)
{
    if (d->kind != BLPO_ACTION_DISCRETE) {
        for (int64_t i = 0; i < d->n; i++)
            of_output[i] = 0;
        return;
    }
    const softmax s = softmax_of(output, d->n);
    const double entropy = categorical_entropy(&s, output, d->n), log_sum = log(s.sum);
    for (int64_t j = 0; j < d->n; j++) {
        const double log_p = (double)output[j] - s.max - log_sum, p = exp(log_p);
        of_output[j] = (real)(p > 0.0 ? -p * (log_p + entropy) : 0.0);
    }
}

/* Inverse of the cumulative sums. Where rounding leaves the target above the last of them, the last action that has a
 * probability at all is taken. */
static int64_t sample_categorical(const blpo__distribution *d, const real *output, blpo__stream *stream)
{
    const softmax s = softmax_of(output, d->n);
    const double target = blpo__uniform(stream) * s.sum;
    double sum = 0.0;
    int64_t action = 0;
    for (int64_t j = 0; j < d->n && sum <= target; j++) {
        const double e = exp_below((double)output[j] - s.max);
        action = e > 0.0 ? j : action;
        sum += e;
    }
    return action;
}

/* A normal number of the stream is at most sqrt(108 log 2) < 9 in size, so with log_std <= 20 the sum differs from the mean
 * by less than half a unit in the last place of the largest real: a finite mean gives a finite action. */
void blpo__sample(const blpo__distribution *d, const real *output, blpo__stream *stream, void *action)
{
    if (d->kind == BLPO_ACTION_DISCRETE) {
        *(int64_t *)action = sample_categorical(d, output, stream);
        return;
    }
    real *a = action;
    for (int64_t i = 0; i < d->n; i++)
        a[i] = (real)((double)output[i] + exp((double)d->log_std[i]) * blpo__normal(stream));
}

void blpo__mode(const blpo__distribution *d, const real *output, void *action)
{
    if (d->kind == BLPO_ACTION_DISCRETE) {
        *(int64_t *)action = argmax(output, d->n);
        return;
    }
    real *a = action;
    for (int64_t i = 0; i < d->n; i++)
        a[i] = output[i];
}
