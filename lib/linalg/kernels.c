#include "linalg/kernels.h"

#ifdef BLPO__X86_LEVELS

/* Exactly what avx2.c and avx512.c are compiled for (lib/CMakeLists.txt). */
static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}

const blpo__kernels *blpo__kernels_best(void)
{
    return has_avx512() ? &blpo__kernels_avx512 : has_avx2() ? &blpo__kernels_avx2 : &blpo__kernels_plain;
}

const blpo__kernels *blpo__kernels_level(int level)
{
    if (level == 1)
        return has_avx2() ? &blpo__kernels_avx2 : NULL;
    if (level == 2)
        return has_avx512() ? &blpo__kernels_avx512 : NULL;
    return level == 0 ? &blpo__kernels_plain : NULL;
}

#else

const blpo__kernels *blpo__kernels_best(void)
{
    return &blpo__kernels_plain;
}

const blpo__kernels *blpo__kernels_level(int level)
{
    return level == 0 ? &blpo__kernels_plain : NULL;
}

#endif
