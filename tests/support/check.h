/* Assertions about numbers, arrays and error records; each prints what it saw and what it wanted. */
#ifndef BLPO_TESTS_CHECK_H
#define BLPO_TESTS_CHECK_H

#include "test.h"

/* |actual - expected| <= absolute + relative |expected|; false for NaN. */
#define assert_close(actual, expected, relative, absolute)                                                             \
    check_close((double)(actual), (double)(expected), relative, absolute, #actual, __FILE__, __LINE__)

/* The same for each of n elements. */
#define assert_all_close(actual, expected, n, relative, absolute)                                                      \
    check_all_close(actual, expected, n, relative, absolute, #actual, __FILE__, __LINE__)

/* Norm of the difference <= relative |expected| + absolute (Euclidean). */
#define assert_near(actual, expected, n, relative, absolute)                                                           \
    check_near(actual, expected, n, relative, absolute, #actual, __FILE__, __LINE__)

/* A code of the library, printed by name. */
#define assert_status(actual, expected) check_status(actual, expected, #actual, __FILE__, __LINE__)

/* The record holds that code, and its field or text names what is wanted. */
#define assert_error_names(error, code, name) check_error_names(error, code, name, __FILE__, __LINE__)

/* The record holds that code, environment, step and element, and its text has the three numbers that are not -1. */
#define assert_error_at(error, code, env, step, element)                                                               \
    check_error_at(error, code, env, step, element, __FILE__, __LINE__)

void check_close(double actual, double expected, double relative, double absolute, const char *what, const char *file,
                 int line);
void check_all_close(const test_real *actual, const double *expected, int64_t n, double relative, double absolute,
                     const char *what, const char *file, int line);
void check_near(const test_real *actual, const double *expected, int64_t n, double relative, double absolute,
                const char *what, const char *file, int line);
void check_status(int actual, int expected, const char *what, const char *file, int line);
void check_error_names(const blpo_error *error, int code, const char *name, const char *file, int line);
void check_error_at(const blpo_error *error, int code, int64_t env, int64_t step, int64_t element, const char *file,
                    int line);

/* An array between two guard zones. All of it starts as NaN. */
test_real *guarded_new(int64_t n);
test_real *guarded_copy(const test_real *x, int64_t n);
/* Frees; fails the test when a guard zone was written to. */
void guarded_free(test_real *x);

#endif
