/* Network outputs for any number of rows, tile by tile in memory of the stack: what lets the const functions of policies
 * and critics run in many threads at once without an allocation. */
#ifndef BLPO_RL_INFER_H
#define BLPO_RL_INFER_H

#include "nn/mlp.h"

/* output [n][size_L]. BLPO_OK; BLPO_ERR_NONFINITE, with part of the output written. */
int blpo__infer(const blpo__mlp *mlp, const real *turned, const real *input, int64_t n, real *output);

/* Looks at the output of one row. final 0: checks only, any code other than BLPO_OK ends the walk; 1: every row was found
 * good, results may be written and BLPO_OK is returned. */
typedef int (*blpo__visit)(void *context, int64_t row, const real *output, int final);

/* Visits every row with final 0, then every row with final 1, so that a failure at any row leaves results untouched.
 * BLPO_OK; BLPO_ERR_NONFINITE for an output; what a visit returned. */
int blpo__infer_rows(const blpo__mlp *mlp, const real *turned, const real *input, int64_t n, blpo__visit visit,
                     void *context);

/* What the public functions require of rows given by a caller: n in 1 .. INT32_MAX / widest row, all finite.
 * BLPO_OK, BLPO_ERR_ARGUMENT or BLPO_ERR_NONFINITE. */
int blpo__check_rows(const real *input, int64_t n, int64_t n_inputs, int64_t n_outputs);

#endif
