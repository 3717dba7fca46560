/* Derivatives in theta by finite differences, to check closed forms with: four points, h = 1e-3, so wrong by h^4 / 30 times a
 * fifth derivative and by 3 h^-1 roundings. Where a function and its derivatives are of order 10 that is 1e-12 and 1e-12. */
#ifndef STUDIES_THEORY_DIFFERENCE_H
#define STUDIES_THEORY_DIFFERENCE_H

#include "game.h"

/* A number that depends on where the game is. It may move w; context is passed on. */
typedef double (*game_function)(game *g, const void *context);

/* out = d function / d theta where the game is, which comes back there, w at its best response. */
void game_difference(game *g, game_function function, const void *context, double out[THETA]);

/* J at the best response: its derivative is the hypergradient. */
double game_outer_at_response(game *g, const void *unused);

#endif
