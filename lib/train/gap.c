/* The best-response gap of a critic that is not linear: g(w) - min g of the minibatch, as far as a search finds it.
 *
 * The search is L-BFGS from w with a budget, on a copy. What it finds is a lower bound of the gap, and may be one of a
 * local minimum: nothing finds the least value of a network's loss for certain. With more parameters than transitions that
 * least value is near 0, and the gap near g itself: then it says how much of the minibatch's errors is left, noise that no
 * critic should learn included. A linear critic has its gap exactly (best_response.c).
 * Cost: one critic step an evaluation. */
#include "train/gap.h"

#include <string.h>

void blpo__gap_create(blpo__gap *gap, int64_t n_parameters, blpo__memory *memory)
{
    blpo__lbfgs_create(&gap->lbfgs, n_parameters, memory);
    gap->w = blpo__allocate(memory, n_parameters, sizeof *gap->w);
}

/* g over all processes: the search must go the same way in each. */
static int evaluate(void *context, const real *w, double *value, real *gradient)
{
    blpo__game *game = context;
    memcpy(game->w, w, (size_t)game->critic->n_parameters * sizeof *w);
    int rc = blpo__game_critic_gradient(game, gradient);
    *value = game->critic_loss;
    if (rc == BLPO_OK && game->host->runtime.n_processes > 1) {
        real mean = (real)*value;
        rc = blpo__game_mean_over_processes(game, &mean, 1);
        *value = (double)mean;
    }
    return rc;
}

int blpo__gap_search(blpo__gap *gap, blpo__game *game, int64_t budget, double *out)
{
    const size_t size = (size_t)game->critic->n_parameters * sizeof(real);
    double here = 0.0, least = 0.0;
    memcpy(gap->w, game->w, size);
    const int rc = blpo__lbfgs_minimise(&gap->lbfgs, gap->w, budget, evaluate, game, &here, &least);
    memcpy(game->w, gap->w, size);
    *out = here - least;
    return rc;
}
