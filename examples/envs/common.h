/* What the example environments share: random starts, time limits, and their state as bytes in a checkpoint. */
#ifndef EXAMPLES_ENVS_COMMON_H
#define EXAMPLES_ENVS_COMMON_H

#include <blpo/blpo.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define ENV_PI 3.14159265358979323846

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): any seed is a good one, and so is the next. */
static inline uint64_t env_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform from low to high. */
static inline double env_uniform(uint64_t *state, double low, double high)
{
    /* 53 random bits by 2^53 */
    return low + (high - low) * (double)(env_random(state) >> 11) / 9007199254740992.0;
}

static inline double env_clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* How row i ended. A limit that terminates is the shortcut of many programs: nothing is expected after a time limit either. */
static inline void env_end(blpo_step *io, int64_t i, int terminated, int truncated, int limit_terminates)
{
    io->terminated[i] = (uint8_t)(terminated || (truncated && limit_terminates));
    io->truncated[i] = (uint8_t)(truncated && !limit_terminates);
}

/* Writes n numbers, each as the 8 bytes of its float64, little-endian: the same bytes on every machine. */
static inline int env_put(blpo_write_fn write, void *sink, const double *value, int n)
{
    for (int i = 0; i < n; i++) {
        uint64_t bits;
        unsigned char byte[8];
        memcpy(&bits, &value[i], sizeof bits);
        for (int b = 0; b < 8; b++)
            byte[b] = (unsigned char)(bits >> (8 * b));
        int rc = write(sink, byte, sizeof byte);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Number i of what env_put() wrote. */
static inline double env_get(const void *bytes, int64_t i)
{
    const unsigned char *byte = (const unsigned char *)bytes + 8 * i;
    uint64_t bits = 0;
    for (int b = 0; b < 8; b++)
        bits |= (uint64_t)byte[b] << (8 * b);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Whether the bytes hold `rows` rows of `columns` numbers that a state can have (the environments here stay far below
 * 1000), the last of each row a count of steps in 0 .. limit. */
static inline int env_sound(const void *bytes, size_t n_bytes, int64_t rows, int columns, int limit)
{
    if (n_bytes != (size_t)rows * (size_t)columns * 8)
        return 0;
    for (int64_t i = 0; i < rows * columns; i++) {
        double value = env_get(bytes, i);
        int is_steps = i % columns == columns - 1;
        if (!(fabs(value) <= 1000) || (is_steps && (value < 0 || value > limit || floor(value) != value)))
            return 0;
    }
    return 1;
}

#endif
