/* What every test includes first: cmocka with what it needs, the library, the number type. */
#ifndef BLPO_TESTS_TEST_H
#define BLPO_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <blpo/blpo.h>

#include "test_real.h"

#define TEST_COUNT(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

#endif
