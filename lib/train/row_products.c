/* What a Nystrom inverse asks of rows of the game's Hessian, or of its Gauss-Newton matrix, without the rows: in the space of
 * samples (nn/row_factors.c), where that takes fewer operations. So for many rows of few transitions; in one process, since a
 * mean of rows over processes has no such form; for at most a tile of transitions, so that no sum is divided over threads.
 * Which way is taken depends on sizes and settings alone. */
#include "nn/row_factors.h"
#include "train/game.h"

#include <float.h>

/* Of the Hessian there must be S as well. */
static int can(const blpo__game *game, int64_t n)
{
    const blpo_config *config = game->config;
    return config->hypergradient && config->ihvp_method == BLPO_IHVP_NYSTROM && !config->nystrom_space_efficient &&
           game->host->runtime.n_processes == 1 && n <= BLPO__TILE &&
           (config->ihvp_curvature == BLPO_CURVATURE_GAUSS_NEWTON || blpo__row_bends_possible(game->critic));
}

void blpo__game_row_factors_create(blpo__game *game, int64_t n, blpo__memory *memory)
{
    const int64_t k = game->config->nystrom_rank;
    const int with_bends = game->config->ihvp_curvature == BLPO_CURVATURE_HESSIAN;
    if (!can(game, n) ||
        blpo__row_factors_cost(game->critic, k, n, with_bends) > blpo__row_factors_cost_of_rows(game->critic, k, n))
        return;
    game->row_factors = blpo__allocate(memory, 1, sizeof *game->row_factors);
    if (game->row_factors != NULL)
        blpo__row_factors_create(game->row_factors, game->critic, k, n, with_bends, memory);
}

/* M of the Gauss-Newton matrix is a Gram matrix of n numbers each, in double: positive semi-definite but for n roundings of its
 * trace at most. */
static double resolution_of(int64_t n, int64_t k, const double *block)
{
    double trace = 0.0;
    for (int64_t i = 0; i < k; i++)
        trace += block[i * k + i];
    return (double)n * DBL_EPSILON * trace;
}

int blpo__game_rows_products(void *user, const int64_t *index, int64_t k, const real *v, double *block, double *gram,
                             double *products, double *resolution)
{
    blpo__game *game = user;
    blpo__row_factors *factors = game->row_factors;
    const blpo__row_loss loss = {game->slope, game->bend};
    blpo__game_value_tangents(game, game->batch.n, v);
    blpo__row_factors_make(factors, game->w, &game->critic_tape, &loss, index, game->batch.n, game->critic_scratch);
    blpo__row_factors_block(factors, block);
    blpo__row_factors_gram(factors, &game->critic_tape, game->critic_scratch, gram);
    blpo__row_factors_products(factors, v, game->tangent, products);
    if (factors->bends == NULL)
        *resolution = resolution_of(game->batch.n, k, block);
    return 0;
}

int blpo__game_rows_sum(void *user, const int64_t *index, int64_t k, const double *y, real *out)
{
    blpo__game *game = user;
    (void)index;
    (void)k;
    blpo__row_factors_sum(game->row_factors, &game->critic_tape, y, game->critic_scratch, out);
    return 0;
}
