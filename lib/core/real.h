/* The number type of data and parameters: float in the library, double in the build that only the tests use, so that
 * derivatives can be checked to 1e-9. Public headers say float; that build reads copies of them that say double. */
#ifndef BLPO_CORE_REAL_H
#define BLPO_CORE_REAL_H

#include <float.h>
#include <stddef.h>
#include <stdint.h>

#ifdef BLPO__FLOAT64
typedef double real;
#define BLPO__EPSILON DBL_EPSILON /* rounding of a real, as a double */
#else
typedef float real;
#define BLPO__EPSILON ((double)FLT_EPSILON) /* rounding of a real, as a double */
#endif

#endif
