/* Sums over the pieces of a batch, each of which adds up its own part. */
#ifndef BLPO_LINALG_SUMS_H
#define BLPO_LINALG_SUMS_H

#include "core/parallel.h"

#include <stdatomic.h>

/* sum [n] is that of piece 0; those of the others lie `stride` apart in `partial`. met begins as 0. */
typedef struct blpo__sums {
    real *sum, *partial;
    int64_t n_pieces, stride, n;
    _Alignas(64) atomic_uint met; /* apart from what all read. Bit i: one of the two sides that meet where i begins has come */
} blpo__sums;

/* Where a piece adds up its part. */
real *blpo__sums_of(const blpo__sums *sums, int64_t piece);

/* The part of this piece is complete. To be called by each piece, at its end. */
void blpo__sums_join(blpo__sums *sums, int64_t piece);

/* After the batch: sum is that of all pieces. */
void blpo__sums_finish(blpo__sums *sums, const blpo__parallel *parallel);

#endif
