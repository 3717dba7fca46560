/* Loops that are worth compiling for several processors: the widest one is chosen when the library is loaded. Only where
 * compiler and C library can do that, and not under sanitizers, whose set-up runs after the choice. */
#ifndef BLPO_CORE_MULTIVERSION_H
#define BLPO_CORE_MULTIVERSION_H

#include <limits.h> /* __GLIBC__, where there is one: <stddef.h> is the compiler's and does not say */

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(BLPO__SANITIZED)
#define BLPO__MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BLPO__MULTIVERSION
#endif

/* Before a loop whose arrays are apart: then vectors need no test of that at run time. */
#if defined(__clang__)
#define BLPO__APART _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define BLPO__APART _Pragma("GCC ivdep")
#else
#define BLPO__APART
#endif

#endif
