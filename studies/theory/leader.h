/* Directions of the leader of an exact game, by the library's solver through its interface for user problems. */
#ifndef STUDIES_THEORY_LEADER_H
#define STUDIES_THEORY_LEADER_H

#include "game.h"

/* What the leader follows. */
typedef enum leader_direction {
    LEADER_HYPERGRADIENT = 0, /* method dense, rho 1e-12: exact */
    LEADER_DIRECT = 1,        /* the direct term alone; the critic is at its best response all the same */
    LEADER_PUBLISHED = 2,     /* method nystrom with the published k 5, rho 50, s 1 */
    LEADER_DIRECTIONS = 3
} leader_direction;

extern const char *const leader_name[LEADER_DIRECTIONS];

typedef struct leader {
    game *game;            /* borrowed */
    blpo_hypergrad *exact; /* dense */
    blpo_hypergrad *nystrom;
} leader;

/* A game with fewer than 5 features has its rank as k. Ends the program when a solver cannot be had. */
void leader_create(game *g, leader *out);
void leader_destroy(leader *l);

/* Where the game is now: out [THETA]. */
void leader_direction_of(leader *l, leader_direction which, double out[THETA]);

/* A solver of the game's problem. Ends the program when it cannot be had. */
blpo_hypergrad *leader_solver(game *g, const blpo_hypergrad_config *config);

/* The hypergradient where the game is now, by a solver of its problem. */
void leader_hypergradient(game *g, blpo_hypergrad *solver, double out[THETA]);

double study_norm(const double *x, int64_t n);

#endif
