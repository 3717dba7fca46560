/* What the measuring programs share: options, clocks, the least time of a call, and lines of JSON.
 *
 * Every program prints one JSON object a line. With --serve it prints {"ready":...} when it is set up and then measures
 * once for each line it reads, until there are no more: so a driver (compare.py) lets two programs take turns, A B A B,
 * with all preparation done before. Without, it measures --repeat times (1). */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <blpo/blpo.h>

#include <stdint.h>

typedef struct bench_turns {
    const char *name;
    int serve;
    int64_t left;
} bench_turns;

/* "--name VALUE" among the arguments, or what stands for it. Ends the program when the value is no number >= 0. */
int64_t bench_int(int argc, char **argv, const char *name, int64_t otherwise);
double bench_double(int argc, char **argv, const char *name, double otherwise);
const char *bench_text(int argc, char **argv, const char *name, const char *otherwise);
int bench_flag(int argc, char **argv, const char *name);

/* Says that the program is ready, and with which build; then bench_next() is 1 as often as it is to measure. */
bench_turns bench_begin(int argc, char **argv, const char *name);
int bench_next(bench_turns *turns);

/* Seconds: of this process on all processors, and of the wall. What else runs on the machine shows less in the first. */
double bench_cpu(void);
double bench_wall(void);

/* Least time of one call in microseconds of processor time, over batches of calls that together take about `seconds`. */
double bench_least_us(void (*call)(void *), void *user, double seconds);

/* One line of output, flushed. */
void bench_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the program unless rc is good. */
void bench_check(int rc, const char *what, const blpo_error *error);

/* An allocator that counts what is held. */
typedef struct bench_memory {
    int64_t held, blocks;
} bench_memory;

void bench_count_memory(bench_memory *memory, blpo_runtime *runtime);

/* Uniform in [-1, 1), advancing the state. */
float bench_noise(uint64_t *state);

#endif
