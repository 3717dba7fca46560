/* Random finite decision processes ("Garnets": Archibald, McKinnon, Thomas, J. Oper. Res. Soc. 46, 1995; Bhatnagar, Sutton,
 * Ghavamzadeh, Lee, Automatica 45, 2009): 20 states, 4 actions, each pair leading to 3 states drawn without replacement,
 * with the lengths of a random partition of [0, 1] as probabilities and a standard normal reward. */
#ifndef STUDIES_THEORY_GARNET_H
#define STUDIES_THEORY_GARNET_H

#include <stdint.h>

enum { STATES = 20, ACTIONS = 4, BRANCHING = 3, THETA = STATES * ACTIONS };

typedef struct garnet {
    double gamma;                               /* 0.95 */
    double transition[STATES][ACTIONS][STATES]; /* P(s'|s, a) */
    double reward[THETA];                       /* r(s, a), at s ACTIONS + a as every table here */
    double start[STATES];                       /* rho0 */
} garnet;

/* A number generator of its own (splitmix64, Steele, Lea, Flood, OOPSLA 2014): equal seeds, equal processes everywhere. */
double study_uniform(uint64_t *state); /* in [0, 1) */
double study_normal(uint64_t *state);

/* The process of a seed; it starts in each state with equal probability. */
void garnet_make(uint64_t seed, garnet *out);

/* From now on it starts in one state. */
void garnet_start_in(garnet *process, int64_t state);

#endif
