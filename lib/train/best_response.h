/* The exact best response of a linear critic to a minibatch. */
#ifndef BLPO_TRAIN_BEST_RESPONSE_H
#define BLPO_TRAIN_BEST_RESPONSE_H

#include "core/sum.h"
#include "linalg/semidefinite.h"
#include "train/game.h"

typedef struct blpo__best_response {
    blpo__semidefinite system; /* [p][p] A + ridge I, then its factors; `rank` of the last one */
    double *step;              /* [p] b, then the step to the best response */
    double *rows, *weighted;   /* [p][64] some rows of features, and times share */
    double gap;                /* g(w) + ridge |w|^2, less its least value */
    blpo__sum_scratch scratch; /* [p p]; NULL in one process */
} blpo__best_response;

void blpo__best_response_create(blpo__best_response *response, const blpo__game *game, blpo__memory *memory);

/* From the game's w, a minibatch loaded and its features made: fills step and gap. BLPO_OK; BLPO_ERR_CALLBACK
 * (game->verdict filled); BLPO_ERR_NONFINITE. */
int blpo__best_response_find(blpo__best_response *response, blpo__game *game, double ridge);

/* w += step */
void blpo__best_response_take(const blpo__best_response *response, blpo__game *game);

#endif
