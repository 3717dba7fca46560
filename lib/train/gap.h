/* How far the critic is from its best response to a minibatch. */
#ifndef BLPO_TRAIN_GAP_H
#define BLPO_TRAIN_GAP_H

#include "nn/lbfgs.h"
#include "train/best_response.h"

typedef struct blpo__gap {
    blpo__lbfgs lbfgs; /* critics that are not linear */
    real *w;           /* [p] of the game, put back at the end */
} blpo__gap;

void blpo__gap_create(blpo__gap *gap, int64_t n_parameters, blpo__memory *memory);

/* *out = g(w) less the least g found from w on by `budget` >= 1 evaluations: never above the gap itself; NaN where g or its
 * gradient is not finite at w. The game's w is as it was; what it had computed at w is not. BLPO_OK; BLPO_ERR_CALLBACK
 * (game->verdict filled). */
int blpo__gap_search(blpo__gap *gap, blpo__game *game, int64_t budget, double *out);

#endif
