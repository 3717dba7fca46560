/* Sums of doubles over processes. */
#ifndef BLPO_CORE_SUM_H
#define BLPO_CORE_SUM_H

#include "core/host.h"

typedef struct blpo__sum_scratch {
    double *rest; /* [n] */
    real *slice;  /* [n] */
} blpo__sum_scratch;

/* x [n] becomes its sum over all processes; nothing to do in one. The same numbers in all of them, right to rounding in double
 * and 2^-57 of the sum of the largest |x_i| of each. BLPO_OK; BLPO_ERR_CALLBACK (*verdict filled); BLPO_ERR_NONFINITE, in all
 * processes or in none. */
int blpo__sum_over_processes(const blpo_runtime *runtime, double *x, int64_t n, blpo__sum_scratch scratch,
                             int64_t *verdict);

#endif
