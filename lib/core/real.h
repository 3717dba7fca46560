/* The number type of data and parameters: float in the library, double in the build that only the tests use, so that
 * derivatives can be checked to 1e-9. Public headers say float; that build reads copies of them that say double. */
#ifndef BLPO_CORE_REAL_H
#define BLPO_CORE_REAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef BLPO__FLOAT64
typedef double real;
#else
typedef float real;
#endif

#endif
