/* Rows of a Hessian in the space of samples: M, C C^T, C v and C^T y of k rows C = U J + S (row_factors.h) without C.
 *
 *   block    M = U' U^T + S[:,I],  U' = U without f''         gram      C C^T = U (K U^T + J S^T) + S J^T U^T + S S^T,   K = J J^T
 *   product  C v = U (J v) + S v                              sum       C^T y = J^T (U^T y) + S^T y
 *
 *   K_tu = sum_l (s_l[t] . s_l[u]) (h_{l-1}[t] . h_{l-1}[u] + 1)         as in train/gauss_newton.c
 *
 * U J S^T and its transpose are one product: with W = K U^T + 2 J S^T, C C^T - S S^T is the symmetric part of U W.
 *
 * Sums over samples are in double, of U as it is. For S = 0 the core rho M + C C^T is U (rho / f'' + K) U^T: an error of K of
 * size e is one of J J^T, and never larger than e f'' / rho of the core itself, however small its eigenvalues. So the dot products
 * of K may be in `real`. With S there is no such bound (rho S[:,I] may take away what is left); those of J S^T and S are as exact as
 * rows of H are, and errors of x were the same by rows and so (tests/nn/test_row_factors.c, bench/ihvp.c).
 *
 * Cost of the Gauss-Newton part: T^2 / 2 times twice the units of all layers, 2 T^2 k + 3 T k^2 in double, a tangent and a
 * gradient; by rows it would be k gradients and k^2 p in double. S: row_bends.c. */
#include "nn/row_factors.h"

#include "core/multiversion.h"
#include "linalg/lapack.h"
#include "linalg/product.h"
#include "linalg/vector.h"

#include <string.h>

/* ---- which way is shorter ---- */

/* Weights, and units with the inputs. */
static double n_weights(const blpo__mlp *mlp)
{
    double n = 0.0;
    for (int64_t l = 1; l <= mlp->n_layers; l++)
        n += (double)mlp->size[l - 1] * (double)mlp->size[l];
    return n;
}

static double n_dots(const blpo__mlp *mlp)
{
    double n = 0.0;
    for (int64_t l = 1; l <= mlp->n_layers; l++)
        n += (double)mlp->size[l - 1] + (double)mlp->size[l];
    return n;
}

double blpo__row_factors_cost_of_rows(const blpo__mlp *mlp, int64_t k, int64_t n)
{
    const double rows = (double)k;
    return 2.0 * rows * (double)n * n_weights(mlp) + 2.0 * rows * rows * (double)mlp->n_parameters;
}

double blpo__row_factors_cost(const blpo__mlp *mlp, int64_t k, int64_t n, int with_bends)
{
    const double t = (double)n, width = (double)blpo__padded(k), first = (double)(mlp->size[0] + 1) * (double)mlp->size[1];
    const double newton = t * t * n_dots(mlp) + 4.0 * t * t * width + 6.0 * t * width * width + 4.0 * t * n_weights(mlp);
    const double full = (double)k * first / (double)mlp->n_parameters; /* rows of the first layer, on average */
    const double bends = 4.0 * t * (double)k * (first + (double)mlp->size[1]) + 2.0 * first * width * width +
                         4.0 * full * t * n_weights(mlp);
    return newton + (with_bends ? bends : 0.0);
}

/* ---- U ---- */

void blpo__picks_create(blpo__picks *picks, int64_t k, blpo__memory *memory)
{
    picks->column = blpo__allocate(memory, k, sizeof *picks->column);
    picks->from = blpo__allocate(memory, k, sizeof *picks->from);
}

void blpo__row_factors_create(blpo__row_factors *factors, const blpo__mlp *mlp, int64_t k, int64_t n, int with_bends,
                              blpo__memory *memory)
{
    factors->mlp = mlp;
    factors->k = k;
    factors->width = blpo__padded(k);
    factors->stride = blpo__padded(n);
    factors->place = blpo__allocate(memory, k, sizeof *factors->place);
    blpo__picks_create(&factors->picks, k, memory);
    factors->signal = blpo__allocate(memory, n * k, sizeof *factors->signal);
    factors->input = blpo__allocate(memory, n * k, sizeof *factors->input);
    factors->y = blpo__allocate(memory, factors->width, sizeof *factors->y);
    factors->gradient = blpo__allocate(memory, n * factors->width, sizeof *factors->gradient);
    factors->u = blpo__allocate(memory, n * factors->width, sizeof *factors->u);
    factors->through = blpo__allocate(memory, n * factors->width, sizeof *factors->through);
    factors->gram = blpo__allocate(memory, n * factors->stride, sizeof *factors->gram);
    factors->sums = blpo__allocate(memory, factors->width * factors->width, sizeof *factors->sums);
    factors->weight = blpo__allocate(memory, n, sizeof *factors->weight);
    factors->bends = with_bends ? blpo__allocate(memory, 1, sizeof *factors->bends) : NULL;
    if (factors->bends == NULL)
        return;
    factors->wide = blpo__allocate(memory, (mlp->size[0] + 1) * mlp->size[1] * factors->width, sizeof *factors->wide);
    blpo__row_bends_create(factors->bends, mlp, k, n, memory);
}

BLPO__MULTIVERSION
void blpo__pick(const blpo__picks *picks, int64_t n, const real *from, int64_t ld, int64_t k, real *to)
{
    for (int64_t t = 0; t < n; t++)
        for (int64_t q = 0; q < picks->n; q++)
            to[t * k + picks->column[q]] = from[t * ld + picks->from[q]];
}

/* signal and input of the parameters of one layer; the input of a bias is 1, which is there already. */
static void pick_layer(blpo__row_factors *factors, const blpo__tape *tape, int64_t layer)
{
    const int64_t k = factors->k, in = factors->mlp->size[layer - 1];
    blpo__picks *picks = &factors->picks;
    picks->n = 0;
    for (int64_t j = 0; j < k; j++)
        if (factors->place[j].layer == layer)
            blpo__add_pick(picks, j, factors->place[j].unit);
    blpo__pick(picks, factors->n, blpo__tape_s(factors->mlp, tape, layer, 0), factors->mlp->size[layer], k, factors->signal);
    picks->n = 0;
    for (int64_t j = 0; j < k; j++)
        if (factors->place[j].layer == layer && factors->place[j].input < in)
            blpo__add_pick(picks, j, factors->place[j].input);
    blpo__pick(picks, factors->n, blpo__tape_h(factors->mlp, tape, layer - 1, 0), in, k, factors->input);
}

BLPO__MULTIVERSION
static void make_gradients(blpo__row_factors *factors, const real *bend)
{
    const int64_t k = factors->k, width = factors->width;
    for (int64_t t = 0; t < factors->n; t++) {
        const real *restrict signal = factors->signal + t * k, *restrict input = factors->input + t * k;
        double *restrict gradient = factors->gradient + t * width, *restrict u = factors->u + t * width;
        const double weight = (double)bend[t];
        BLPO__APART
        for (int64_t j = 0; j < k; j++) {
            gradient[j] = (double)signal[j] * (double)input[j];
            u[j] = weight * gradient[j];
        }
    }
}

void blpo__row_factors_make(blpo__row_factors *factors, const real *parameters, const blpo__tape *tape,
                            const blpo__row_loss *loss, const int64_t *index, int64_t n, blpo__scratch *scratch)
{
    factors->n = n;
    factors->index = index;
    for (int64_t j = 0; j < factors->k; j++)
        factors->place[j] = blpo__place_of(factors->mlp, index[j]);
    for (int64_t i = 0; i < n * factors->k; i++)
        factors->input[i] = 1;
    for (int64_t l = 1; l <= factors->mlp->n_layers; l++)
        pick_layer(factors, tape, l);
    make_gradients(factors, loss->bend);
    if (factors->bends != NULL)
        blpo__row_bends_make(factors, parameters, tape, loss, scratch);
}

/* ---- M and C C^T ---- */

/* sums = A^T B over samples; upper: on and above the diagonal. */
static void sum_over_samples(const blpo__row_factors *factors, const double *a, const double *b, int upper)
{
    const int64_t width = factors->width;
    memset(factors->sums, 0, (size_t)(width * width) * sizeof *factors->sums);
    blpo__add_double_products(&(blpo__double_products){.m = factors->k, .n = width, .depth = factors->n, .a = a, .lda = width,
                                                       .b = b, .ldb = width, .upper = upper, .c = factors->sums, .ldc = width});
}

void blpo__row_factors_block(const blpo__row_factors *factors, double *block)
{
    const int64_t k = factors->k;
    sum_over_samples(factors, factors->gradient, factors->u, 1);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++) {
            const int upper = i < j; /* the Gauss-Newton part is symmetric to the last bit or two: made once */
            block[i * k + j] = factors->sums[(upper ? i : j) * factors->width + (upper ? j : i)];
        }
    if (factors->bends != NULL)
        blpo__row_bends_add_block(factors, block);
}

void blpo__mlp_gram(const blpo__mlp *mlp, const blpo__tape *tape, int64_t begin, int64_t end, int64_t n, double *gram, int64_t ld)
{
    for (int64_t l = 1; l <= mlp->n_layers; l++) {
        const blpo__gram_products part = {.begin = begin, .end = end, .n = n,
                                          .a = tape->s[l], .a_width = mlp->size[l],
                                          .b = blpo__tape_h(mlp, tape, l - 1, 0), .b_width = mlp->size[l - 1],
                                          .shift = mlp->unbiased ? 0.0 : 1.0, .add = l > 1, .out = gram, .ld = ld};
        blpo__add_gram_products(&part);
    }
}

/* through = K U^T + 2 J S^T */
static void make_through(blpo__row_factors *factors, const blpo__tape *tape, blpo__scratch *scratch)
{
    const int64_t n = factors->n, width = factors->width;
    if (factors->bends == NULL)
        memset(factors->through, 0, (size_t)(n * width) * sizeof *factors->through);
    else
        blpo__row_bends_tangents(factors, tape, scratch, factors->through); /* behind the k columns zeroes stay */
    for (int64_t i = 0; factors->bends != NULL && i < n * width; i++)
        factors->through[i] *= 2.0;
    blpo__mlp_gram(factors->mlp, tape, 0, n, n, factors->gram, factors->stride);
    blpo__mirror(n, factors->gram, 1, factors->stride);
    blpo__add_double_products(&(blpo__double_products){.m = n, .n = width, .depth = n, .a = factors->gram, .lda = factors->stride,
                                                       .b = factors->u, .ldb = width, .c = factors->through, .ldc = width});
}

void blpo__row_factors_gram(blpo__row_factors *factors, const blpo__tape *tape, blpo__scratch *scratch, double *gram)
{
    const int64_t k = factors->k, width = factors->width;
    double *sums = factors->sums;
    make_through(factors, tape, scratch);
    sum_over_samples(factors, factors->u, factors->through, 0);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i; j < k; j++)
            sums[i * width + j] = 0.5 * (sums[i * width + j] + sums[j * width + i]);
    if (factors->bends != NULL)
        blpo__row_bends_add_gram(factors, sums);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i; j < k; j++)
            gram[i * k + j] = gram[j * k + i] = sums[i * width + j];
}

/* ---- C v and C^T y ---- */

/* In eight sums, so that vectors hold them. */
BLPO__MULTIVERSION
double blpo__dot_of_padded(const double *a, const double *b, int64_t n)
{
    double part[8] = {0.0};
    for (int64_t j = 0; j < n; j += 8)
        for (int q = 0; q < 8; q++)
            part[q] += a[j + q] * b[j + q];
    return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

void blpo__row_factors_products(const blpo__row_factors *factors, const real *v, const real *tangent, double *products)
{
    memset(products, 0, (size_t)factors->k * sizeof *products);
    for (int64_t t = 0; t < factors->n; t++)
        blpo__add_multiple(products, (double)tangent[t], factors->u + t * factors->width, factors->k);
    if (factors->bends != NULL)
        blpo__row_bends_add_products(factors, v, products);
}

void blpo__row_factors_sum(blpo__row_factors *factors, const blpo__tape *tape, const double *y, blpo__scratch *scratch,
                           real *out)
{
    memcpy(factors->y, y, (size_t)factors->k * sizeof *y); /* zeroes behind it */
    for (int64_t t = 0; t < factors->n; t++)
        factors->weight[t] = (real)blpo__dot_of_padded(factors->y, factors->u + t * factors->width, factors->width);
    memset(out, 0, (size_t)factors->mlp->n_parameters * sizeof *out);
    blpo__mlp_add_gradient(factors->mlp, tape, factors->weight, 0, factors->n, scratch, out);
    if (factors->bends != NULL)
        blpo__row_bends_add_sum(factors, out);
}
