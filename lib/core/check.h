/* Checking what comes from outside: settings, sizes, arrays, structs that carry their size. */
#ifndef BLPO_CORE_CHECK_H
#define BLPO_CORE_CHECK_H

#include "core/real.h"

#include <blpo/status.h>

/* Each check returns BLPO_OK, or fills the record and returns its code. */
int blpo__check_int(blpo_error *error, const char *field, int64_t value, int64_t low, int64_t high);
int blpo__check_double(blpo_error *error, const char *field, double value, double low, double high);     /* [low, high] */
int blpo__check_positive(blpo_error *error, const char *field, double value, double high);               /* (0, high] */
int blpo__check_below(blpo_error *error, const char *field, double value, double low, double high);      /* [low, high) */

/* A count of things in memory, 1 .. 2147483647: below a rule is broken (BLPO_ERR_CONFIG), above it is BLPO_ERR_SIZE. */
int blpo__check_size(blpo_error *error, const char *field, int64_t value);

/* a * b fits the int of BLAS and LAPACK; both are >= 0. `field` names what would be too large. */
int blpo__check_product(blpo_error *error, const char *field, int64_t a, int64_t b);

/* The same for a product that is no setting of its own: `field` is the setting to make smaller, `product` names what it is in. */
int blpo__check_product_of(blpo_error *error, const char *field, const char *product, int64_t a, int64_t b);

/* Index of the first element that is not finite, or -1. */
int64_t blpo__first_nonfinite(const real *x, int64_t n);
int64_t blpo__first_nonfinite_double(const double *x, int64_t n);

/* A struct_size that may be one: at least that of version 0.1, and no larger than any struct will ever be. Memory that
 * nobody has set gives a size in the order of addresses, and must not be believed. */
int blpo__struct_size_fits(size_t size, size_t least);

/* Copies a struct that begins with its struct_size into `known` bytes at `out`: a missing tail counts as 0, an unknown
 * tail that is not 0 is BLPO_ERR_VERSION, as is a size that does not fit. */
int blpo__read_struct(void *out, size_t known, size_t least, const void *in);

/* Copies `known` bytes into a caller's struct of `struct_size` bytes: never more than it has, zeroes beyond. The first
 * field of `out` becomes struct_size. */
int blpo__write_struct(void *out, size_t struct_size, const void *in, size_t known, size_t least);

/* Smallest size of a struct: that of version 0.1, up to and with its last field of then. */
#define BLPO__SIZE_UP_TO(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

#endif
