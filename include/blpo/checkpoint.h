/** @file checkpoint.h
 *  Byte sinks and sources for saving and loading. The library opens no files.
 *
 *  Format 1: "BLPO" 1A 0D 0A 00, format version, total length, sections (name, length, contents), and a 64-bit FNV-1a
 *  checksum of everything before it; all numbers little-endian. Data only: nothing in it is executed. The layout is in
 *  docs/checkpoint.md. */
#ifndef BLPO_CHECKPOINT_H
#define BLPO_CHECKPOINT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Takes n bytes. @param user  as given. @param bytes [n] valid during the call. @param n  > 0.
 *  @return 0 when all were taken; anything else ends the save with BLPO_ERR_CALLBACK. */
typedef int (*blpo_write_fn)(void *user, const void *bytes, size_t n);

/** Gives the next n bytes. @param user  as given. @param bytes [n] to be filled. @param n  > 0.
 *  @return 0 when all n were given; anything else (end of data included) ends the load with BLPO_ERR_CALLBACK, and the
 *          error text says how many bytes were asked for, after how many. */
typedef int (*blpo_read_fn)(void *user, void *bytes, size_t n);

#ifdef __cplusplus
}
#endif
#endif
