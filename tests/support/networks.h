/* Networks, policies and critics as the vector files describe them: sizes, kinds and activations come from the file. */
#ifndef BLPO_TESTS_NETWORKS_H
#define BLPO_TESTS_NETWORKS_H

#include "test.h"
#include "vectors.h"

enum { NETWORK_MAX_LAYERS = 16, NETWORK_MAX_FILES = 256 };

typedef struct vec_network {
    int64_t n_layers;                   /* affine maps; 0: the file has no such network */
    int64_t in, out;                    /* of the whole network */
    int64_t hidden[NETWORK_MAX_LAYERS]; /* [n_layers - 1] */
    int32_t activation;                 /* from the comment of the file; tanh where it says nothing */
    int64_t n_parameters;               /* of the layers, without log_std */
} vec_network;

/* The shape of the records PREFIX.0.weight, PREFIX.0.bias, PREFIX.1.weight ... */
vec_network vec_network_shape(const vec_file *file, const char *prefix);

/* All of them one after the other, and PREFIX.log_std where there is one; *n receives how many. To be freed. */
double *vec_network_parameters(const vec_file *file, const char *prefix, int64_t *n);

/* Copies n numbers into a new array of test_real. To be freed. */
test_real *vec_reals(const double *value, int64_t n);

/* The policy (gaussian where there is actor.log_std) and the critic of a file, with their parameters set. */
blpo_policy *vec_policy(const vec_file *file, const char *prefix);
blpo_critic *vec_critic(const vec_file *file, const char *prefix);

/* Runs check on every .txt file of the directory of vectors that holds all of the named records (NULL ends the list);
 * fails when there was none. */
void vec_for_each(const char *const *needed, void (*check)(const vec_file *file));

#endif
