/** @file export.h
 *  Marks the functions that the shared library exports. */
#ifndef BLPO_EXPORT_H
#define BLPO_EXPORT_H

/** Public symbol: everything else is hidden. */
#if defined(__GNUC__) || defined(__clang__)
#define BLPO_API __attribute__((visibility("default")))
#else
#define BLPO_API
#endif

#endif
