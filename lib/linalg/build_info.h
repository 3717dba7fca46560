/* Facts about the BLAS that runs; the public side is blpo/version.h. */
#ifndef BLPO_LINALG_BUILD_INFO_H
#define BLPO_LINALG_BUILD_INFO_H

#include "core/host.h"
#include "core/text.h"

/* One line about the build, and a warning where the BLAS runs kernels far below the processor and would be felt: it does
 * the dense systems alone; `order` is that of the largest, 0 for none. */
void blpo__log_build(const blpo_runtime *runtime, int64_t order);

#endif
