/* The number type of arrays that cross the public interface: float, or double in the build that exists for tests alone. */
#ifndef BLPO_TESTS_TEST_REAL_H
#define BLPO_TESTS_TEST_REAL_H

#include <float.h>

#ifdef BLPO__FLOAT64
typedef double test_real;
#define TEST_EPSILON DBL_EPSILON
#define TEST_REAL_MAX DBL_MAX
#else
typedef float test_real;
#define TEST_EPSILON ((double)FLT_EPSILON)
#define TEST_REAL_MAX FLT_MAX
#endif

#endif
