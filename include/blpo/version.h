/** @file version.h
 *  Version of the library and facts about its build. */
#ifndef BLPO_VERSION_H
#define BLPO_VERSION_H

#include <blpo/export.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BLPO_VERSION_MAJOR 0 /**< Version of these headers: major. */
#define BLPO_VERSION_MINOR 1 /**< Version of these headers: minor. */
#define BLPO_VERSION_PATCH 0 /**< Version of these headers: patch. */
#define BLPO_VERSION_STRING "0.1.0" /**< Version of these headers as text. */

/** ABI number, the one in the SONAME. It changes only when a program built against older headers could break,
 *  whatever the version does. */
#define BLPO_ABI_VERSION 0

/** @return version of the library that runs, as BLPO_VERSION_STRING; static storage. Any thread. Since 0.1. */
BLPO_API const char *blpo_version(void);

/** @return ABI number of the library that runs. Compare with BLPO_ABI_VERSION. Any thread. Since 0.1. */
BLPO_API int32_t blpo_abi_version(void);

/** What the library that runs was made of. Every text is static storage of the library or of the BLAS. */
typedef struct blpo_build {
    size_t struct_size;       /**< set by the caller to sizeof(blpo_build) */
    const char *version;      /**< blpo_version() */
    const char *compiler;     /**< name and version of the C compiler */
    const char *blas;         /**< BLAS chosen when the library was built: "OpenBLAS", "BLIS" or "CBLAS" */
    const char *blas_config;  /**< what the BLAS that runs says of itself; "" where it has nothing to say */
    const char *blas_kernels; /**< processor family whose kernels run now, "Zen" say; "unknown" where it cannot be asked */
    const char *random;       /**< generator behind the random streams */
    const char *simd;         /**< widest vector instructions of this processor that the system lets programs use */
    int32_t blas_kernels_generic; /**< 1: the BLAS runs kernels far below this processor, else 0. It does dense systems
                                       alone: where these are large (nystrom_rank, method dense, exact best responses) a
                                       log line warns */
    int32_t lapack_int_bytes; /**< size of LAPACK integers, 4 */
    const char *kernels;      /**< vector instructions of the library's own kernels that run now: the products of networks */
} blpo_build;

/** Fills what is known about the build that runs.
 *  @param out  struct_size set by the caller; the rest is written.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a struct_size smaller than that of 0.1.
 *  Any thread; does not allocate. Since 0.1. */
BLPO_API int blpo_build_info(blpo_build *out);

#ifdef __cplusplus
}
#endif
#endif
