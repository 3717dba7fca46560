/* What the library was built with, and which kernels run: its own, for the products of networks, and those of the BLAS, for
 * dense systems. A BLAS that does not know the processor costs a factor of five there, and nothing else would say so. */
#include "linalg/build_info.h"

#include "core/check.h"
#include "linalg/kernels.h"

#include <blpo/version.h>

#include <cblas.h>
#include <lapacke.h>

#include <string.h>

#ifndef BLPO__COMPILER
#define BLPO__COMPILER "unknown"
#endif

#ifdef BLPO__BLAS_OPENBLAS
static const char *const blas = "OpenBLAS";
static const char *blas_config(void) { return openblas_get_config(); }
static const char *blas_kernels(void) { return openblas_get_corename(); }
#elif defined(BLPO__BLAS_BLIS)
/* Declared here because blis.h and cblas.h of some distributions do not go together. */
const char *bli_info_get_version_str(void);
static const char *const blas = "BLIS";
static const char *blas_config(void) { return bli_info_get_version_str(); }
static const char *blas_kernels(void) { return "unknown"; }
#else
static const char *const blas = "CBLAS";
static const char *blas_config(void) { return ""; }
static const char *blas_kernels(void) { return "unknown"; }
#endif

static const char *simd(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512f"))
        return "AVX-512";
    if (__builtin_cpu_supports("avx2"))
        return "AVX2";
    if (__builtin_cpu_supports("avx"))
        return "AVX";
    return "SSE2";
#else
    return "unknown";
#endif
}

/* OpenBLAS kernels for processors without AVX, on a processor that has it. */
static int generic(const char *kernels)
{
    static const char *const old[] = {"Prescott", "Core2", "Katmai", "Coppermine", "Northwood", "Banias", "Atom",
                                      "Penryn", "Dunnington", "Nehalem", "Opteron", "Barcelona", "Athlon", "Generic"};
    const int wide = strncmp(simd(), "AVX", 3) == 0;
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (wide && strncmp(kernels, old[i], strlen(old[i])) == 0)
            return 1;
    return 0;
}

const char *blpo_version(void)
{
    return BLPO_VERSION_STRING;
}

int32_t blpo_abi_version(void)
{
    return BLPO_ABI_VERSION;
}

int blpo_build_info(blpo_build *out)
{
    if (out == NULL)
        return BLPO_ERR_NULL;
    const blpo_build known = {.struct_size = sizeof known,
                              .version = blpo_version(),
                              .compiler = BLPO__COMPILER,
                              .blas = blas,
                              .blas_config = blas_config(),
                              .blas_kernels = blas_kernels(),
                              .random = "Philox 4x64-10 (Random123)",
                              .simd = simd(),
                              .blas_kernels_generic = generic(blas_kernels()),
                              .lapack_int_bytes = (int32_t)sizeof(lapack_int),
                              .kernels = blpo__kernels_best()->name};
    return blpo__write_struct(out, out->struct_size, &known, sizeof known, BLPO__SIZE_UP_TO(blpo_build, lapack_int_bytes));
}

enum { FELT = 64 }; /* order of a system whose factorisation takes as long as a pass over a minibatch */

void blpo__log_build(const blpo_runtime *runtime, int64_t order)
{
    char line[256];
    blpo__text text = blpo__text_begin(line, sizeof line);
    blpo__text_add(&text, "libblpo ");
    blpo__text_add(&text, blpo_version());
    blpo__text_add(&text, ", kernels ");
    blpo__text_add(&text, blpo__kernels_best()->name);
    blpo__text_add(&text, ", processor ");
    blpo__text_add(&text, simd());
    blpo__text_add(&text, ", BLAS ");
    blpo__text_add(&text, blas);
    blpo__text_add(&text, " with kernels ");
    blpo__text_add(&text, blas_kernels());
    blpo__log(runtime, BLPO_LOG_INFO, line);
    if (generic(blas_kernels()) && order >= FELT)
        blpo__log(runtime, BLPO_LOG_WARNING,
                  "the BLAS, which solves the dense systems of large nystrom_rank, of method dense and of exact best responses, "
                  "runs kernels far below this processor; a newer OpenBLAS, or BLIS, would be several times faster");
}
