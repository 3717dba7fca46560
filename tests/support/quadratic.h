/* A bilevel problem whose Hessian, Jacobian and mixed derivative are given matrices, with callbacks that watch and can
 * misbehave. */
#ifndef BLPO_TESTS_QUADRATIC_H
#define BLPO_TESTS_QUADRATIC_H

#include "test.h"

enum { QUADRATIC_MAX_K = 64 };

typedef enum quadratic_callback {
    QUADRATIC_HVP = 1,
    QUADRATIC_ROWS = 2,
    QUADRATIC_MIXED = 3,
    QUADRATIC_JVP = 4,
    QUADRATIC_VJP = 5,
    QUADRATIC_GRAM = 6,
    QUADRATIC_NEWTON_ROWS = 7,
    QUADRATIC_DIAGONAL = 8,
    QUADRATIC_ANY = 9 /* fault_at counts the calls of all */
} quadratic_callback;

typedef struct quadratic {
    int64_t p, q;
    const double *hessian; /* [p][p] */
    const double *mixed;   /* [q][p] */
    const double *jacobian; /* [n_samples][p], or NULL: no Jacobian callbacks */
    int64_t n_samples;

    int64_t hvp_calls, rows_calls, mixed_calls, jvp_calls, vjp_calls, gram_calls, newton_rows_calls, diagonal_calls;
    int64_t calls;    /* of all */
    int64_t products; /* hvp, rows and vjp */
    int64_t index[QUADRATIC_MAX_K]; /* of the last call of hessian_rows */
    int64_t k;
    int64_t overlaps; /* calls whose output met their input */

    int fault;         /* a quadratic_callback that misbehaves, or 0 */
    int64_t fault_at;  /* in its call of that number, counted from 1 */
    int verdict;       /* what it returns then; 0: it writes a NaN instead */
    int64_t nan_at;    /* into that element */
    int64_t excess;    /* not 0: it does neither, but writes so many elements too many, or too few where below 0 */
    const char *faulty; /* the callback that misbehaved */
    void (*inside)(struct quadratic *self); /* NULL, or what every callback calls first */
    void *inside_data;
} quadratic;

/* A problem over it. Rows come from hessian_rows when with_rows, else from hvp; hvp is always there. With a Jacobian jvp and vjp
 * are there too, and with_rows stands for gauss_newton_rows, jacobian_gram and gauss_newton_diagonal as well. */
blpo_problem quadratic_problem(quadratic *quad, int with_rows);

#endif
