/* Trajectories of vector files in rollouts, and settings of theirs: for the tests of a minibatch and of whole updates. */
#ifndef BLPO_TESTS_PLAY_H
#define BLPO_TESTS_PLAY_H

#include "networks.h"

/* The published settings with what the file states in their place. */
blpo_config vec_config(const vec_file *file);

/* A full rollout of n trajectories of equal length. PREFIX of trajectory i is given by format, "trajectory.%d." say. */
blpo_rollout *vec_rollout(const vec_file *file, const char *format, int64_t n, const blpo_policy *policy);

/* Returns of the same, [n][steps]. To be freed. */
test_real *vec_returns(const vec_file *file, const char *format, int64_t n);

/* The record PREFIX + name of trajectory i. */
const vec_record *vec_of_trajectory(const vec_file *file, const char *format, int64_t i, const char *name);

#endif
