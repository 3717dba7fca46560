/* Kernels for AVX-512 (x86-64-v4: Skylake-X, Zen 4 and later). */
#define TABLE blpo__kernels_avx512
#define LEVEL_NAME "AVX-512"
#if defined(BLPO__X86_LEVELS) && defined(__AVX512F__)
#include "linalg/kernels/table.h"
#else
typedef int blpo__kernels_avx512_not_here;
#endif
