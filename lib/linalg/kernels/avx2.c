/* Kernels for AVX2 and FMA (x86-64-v3: Haswell, Zen and later). */
#define TABLE blpo__kernels_avx2
#define LEVEL_NAME "AVX2"
#if defined(BLPO__X86_LEVELS) && defined(__AVX2__)
#include "linalg/kernels/table.h"
#else
typedef int blpo__kernels_avx2_not_here;
#endif
