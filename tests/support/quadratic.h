/* A bilevel problem whose Hessian and mixed derivative are given matrices, with callbacks that watch and can misbehave. */
#ifndef BLPO_TESTS_QUADRATIC_H
#define BLPO_TESTS_QUADRATIC_H

#include "test.h"

enum { QUADRATIC_MAX_K = 64 };

typedef enum quadratic_callback { QUADRATIC_HVP = 1, QUADRATIC_ROWS = 2, QUADRATIC_MIXED = 3 } quadratic_callback;

typedef struct quadratic {
    int64_t p, q;
    const double *hessian; /* [p][p] */
    const double *mixed;   /* [q][p] */

    int64_t hvp_calls, rows_calls, mixed_calls;
    int64_t index[QUADRATIC_MAX_K]; /* of the last call of hessian_rows */
    int64_t k;
    int64_t overlaps; /* calls whose output met their input */

    int fault;         /* a quadratic_callback that misbehaves, or 0 */
    int64_t fault_at;  /* in its call of that number, counted from 1 */
    int verdict;       /* what it returns then; 0: it writes a NaN instead */
    int64_t nan_at;    /* into that element */
    void (*inside)(struct quadratic *self); /* NULL, or what every callback calls first */
    void *inside_data;
} quadratic;

/* A problem over it. Rows come from hessian_rows when with_rows, else from hvp; hvp is always there. */
blpo_problem quadratic_problem(quadratic *quad, int with_rows);

#endif
