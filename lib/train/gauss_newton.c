/* The Jacobian of the critic's residuals, for curvature Gauss-Newton, at the point where blpo__game_linearise() was called
 * with a response:
 *
 *   J [T][p], J_t = c_t grad V(s_t), c_t = sqrt(2 share_t):   J^T J = 2 sum_t share_t grad V grad V^T, the Gauss-Newton part of
 *   H = d2g/dw2, which leaves out - 2 sum_t share_t e_t d2V(s_t)
 *
 * T is the largest number of transitions of a minibatch; rows beyond those that are there are zero: J x is 0 in them, J^T u
 * does not see them, and J J^T has zero rows and columns.
 *
 * J is never formed. In layer l the gradient of V(s_t) is s_l h_{l-1}^T and, for the bias, s_l, so that (docs/algorithm.md,
 * section 5)
 *
 *   (J J^T)_tu = c_t c_u sum_l (s_l[t] . s_l[u]) (h_{l-1}[t] . h_{l-1}[u] + 1)
 *
 * without the 1 where the critic has no biases, and the column of J for a weight (o, j) of layer l is
 * c_t s_l[t]_o h_{l-1}[t]_j. Dot products of a layer are in `real`: they are no less exact than s and h; their products are summed
 * over layers in double.
 * Over processes H is the mean of theirs: J^T u, rows and diagonal are averaged, so J^T (J x) is right; J J^T is not, since it
 * would need products between processes.
 *
 * Cost per row: J x, J^T u one product a layer; J J^T size_{l-1} + size_l for each of T / 2; a row of J^T J one product a layer;
 * the diagonal one product a layer. */
#include "core/multiversion.h"
#include "linalg/lapack.h"
#include "linalg/product.h"
#include "train/game.h"

#include <math.h>
#include <string.h>

static double scale(const blpo__game *game, int64_t t)
{
    return sqrt(2.0 * game->batch.share[t]);
}

void blpo__game_gauss_newton_create(blpo__game *game, int64_t n, blpo__memory *memory)
{
    game->n_samples = n;
    game->sample = blpo__allocate(memory, n, sizeof *game->sample);
}

/* -- J x and J^T u -- */

int blpo__game_jacobian_product(void *user, const real *x, real *jx)
{
    blpo__game *game = user;
    blpo__game_value_tangents(game, game->batch.n, x);
    memset(jx, 0, (size_t)game->n_samples * sizeof *jx);
    for (int64_t t = 0; t < game->batch.n; t++)
        jx[t] = (real)(scale(game, t) * (double)game->tangent[t]);
    return 0;
}

int blpo__game_jacobian_transposed(void *user, const real *u, real *jtu)
{
    blpo__game *game = user;
    for (int64_t t = 0; t < game->batch.n; t++)
        game->sample[t] = (real)(scale(game, t) * (double)u[t]);
    return blpo__game_value_gradient(game, game->batch.n, game->sample, jtu);
}

/* -- J J^T -- */

static const real *layer_input(const blpo__game *game, int64_t layer, int64_t row)
{
    return blpo__tape_h(game->critic, &game->critic_tape, layer - 1, row);
}

/* row[u] *= factor scale[u] */
BLPO__MULTIVERSION
static void scale_row(int64_t n, double factor, const double *restrict scale, double *restrict row)
{
    for (int64_t u = 0; u < n; u++)
        row[u] *= factor * scale[u];
}

static void gram_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument)
{
    double *gram = argument;
    const int64_t n = game->n_samples, columns = game->batch.n;
    (void)piece;
    (void)partial;
    blpo__mlp_gram(game->critic, &game->critic_tape, begin, end, columns, gram, n);
    for (int64_t t = begin; t < end; t++)
        scale_row(columns - t, game->work[t], game->work + t, gram + t * n + t);
}

int blpo__game_jacobian_gram(void *user, double *gram)
{
    blpo__game *game = user;
    const int64_t n = game->n_samples, here = game->batch.n;
    for (int64_t t = 0; t < here; t++)
        game->work[t] = scale(game, t);
    blpo__game_sum_rows(game, here, 0, gram_rows, gram, NULL);
    blpo__mirror(here, gram, 1, n);
    for (int64_t t = 0; t < n; t++) /* rows that are not there */
        memset(gram + t * n + (t < here ? here : 0), 0, (size_t)(t < here ? n - here : n) * sizeof *gram);
    return 0;
}

/* -- rows and diagonal of J^T J -- */

/* sample[t] = c_t J[t, parameter]: what J^T is weighted with for that row. */
static void weigh(blpo__game *game, int64_t parameter, int64_t begin, int64_t end)
{
    const blpo__place at = blpo__place_of(game->critic, parameter);
    const int64_t in = game->critic->size[at.layer - 1], out = game->critic->size[at.layer];
    const real *signal = game->critic_tape.s[at.layer], *input = layer_input(game, at.layer, 0);
    for (int64_t t = begin; t < end; t++) {
        const double h = at.input < in ? (double)input[t * in + at.input] : 1.0;
        game->sample[t] = (real)(2.0 * game->batch.share[t] * (double)signal[t * out + at.unit] * h);
    }
}

static void gauss_newton_rows(blpo__game *game, int64_t piece, const int64_t *index, int64_t k, int64_t begin, int64_t end,
                              real *rows)
{
    for (int64_t j = 0; j < k; j++) {
        weigh(game, index[j], begin, end);
        blpo__mlp_add_gradient(game->critic, &game->critic_tape, game->sample, begin, end, &game->critic_scratch[piece],
                               rows + j * game->critic->n_parameters);
    }
}

int blpo__game_gauss_newton_rows(void *user, const int64_t *index, int64_t k, real *rows)
{
    return blpo__game_rows(user, index, k, gauss_newton_rows, rows);
}

/* Of this layer: the weight (o, j) gets sum_t (c_t s_o h_j)^2, the bias of unit o sum_t (c_t s_o)^2. */
static void add_layer_diagonal(const blpo__game *game, int64_t layer, int64_t begin, int64_t end, real *diagonal)
{
    const int64_t in = game->critic->size[layer - 1], out = game->critic->size[layer];
    real *of_weight = diagonal + game->critic->offset[layer - 1], *of_bias = of_weight + in * out;
    for (int64_t t = begin; t < end; t++) {
        const real *h = layer_input(game, layer, t), *s = game->critic_tape.s[layer] + t * out;
        for (int64_t o = 0; o < out; o++) {
            const real square = (real)(2.0 * game->batch.share[t]) * s[o] * s[o];
            if (!game->critic->unbiased)
                of_bias[o] += square;
            for (int64_t j = 0; j < in; j++)
                of_weight[o * in + j] += square * h[j] * h[j];
        }
    }
}

static void diagonal_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument)
{
    (void)piece;
    (void)argument;
    for (int64_t l = 1; l <= game->critic->n_layers; l++)
        add_layer_diagonal(game, l, begin, end, partial);
}

int blpo__game_gauss_newton_diagonal(void *user, real *diagonal)
{
    blpo__game *game = user;
    const int64_t p = game->critic->n_parameters;
    blpo__game_sum_rows(game, game->batch.n, p, diagonal_rows, NULL, diagonal);
    return blpo__game_mean_over_processes(game, diagonal, p);
}
