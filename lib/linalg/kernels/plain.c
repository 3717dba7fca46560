/* Kernels for the processor that the compiler was told of, and no more: SSE2 on x86-64. */
#define TABLE blpo__kernels_plain
#if defined(__AVX512F__) || defined(__AVX2__) /* the whole library was built for such a processor */
#define LEVEL_NAME "compiler's"
#elif defined(__x86_64__)
#define LEVEL_NAME "SSE2"
#else
#define LEVEL_NAME "plain C"
#endif
#include "linalg/kernels/table.h"
