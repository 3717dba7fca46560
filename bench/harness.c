#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- options ---- */

const char *bench_text(int argc, char **argv, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return otherwise;
}

int bench_flag(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return 1;
    return 0;
}

double bench_double(int argc, char **argv, const char *name, double otherwise)
{
    const char *text = bench_text(argc, argv, name, NULL);
    if (text == NULL)
        return otherwise;
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 0.0)) {
        fprintf(stderr, "%s: wrong value for %s: \"%s\"\n", argv[0], name, text);
        exit(2);
    }
    return value;
}

int64_t bench_int(int argc, char **argv, const char *name, int64_t otherwise)
{
    return (int64_t)bench_double(argc, argv, name, (double)otherwise);
}

/* ---- turns ---- */

bench_turns bench_begin(int argc, char **argv, const char *name)
{
    const bench_turns turns = {name, bench_flag(argc, argv, "--serve"), bench_int(argc, argv, "--repeat", 1)};
    blpo_build build = {.struct_size = sizeof build};
    blpo_build_info(&build);
    if (turns.serve)
        bench_line("{\"ready\":\"%s\",\"version\":\"%s\",\"blas\":\"%s\",\"blas_config\":\"%s\",\"kernels\":\"%s\","
                   "\"own_kernels\":\"%s\"}",
                   name, build.version, build.blas, build.blas_config, build.blas_kernels, build.kernels);
    return turns;
}

int bench_next(bench_turns *turns)
{
    char line[64];
    if (turns->serve)
        return fgets(line, sizeof line, stdin) != NULL;
    return turns->left-- > 0;
}

void bench_line(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

void bench_check(int rc, const char *what, const blpo_error *error)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, error != NULL && error->text[0] != '\0' ? error->text : blpo_status_text(rc));
    exit(1);
}

/* ---- clocks ---- */

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_cpu(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

double bench_wall(void) { return seconds_of(CLOCK_MONOTONIC); }

static double batch(void (*call)(void *), void *user, int64_t n)
{
    const double start = bench_cpu();
    for (int64_t i = 0; i < n; i++)
        call(user);
    return bench_cpu() - start;
}

/* The first call, which warms caches, is not counted; batches are some twentieth of the whole, and at least one call. */
double bench_least_us(void (*call)(void *), void *user, double seconds)
{
    int64_t n = 1;
    double took = batch(call, user, 1);
    while ((took = batch(call, user, n)) < seconds / 20.0)
        n *= 2;
    double best = took;
    for (double spent = took; spent < seconds; spent += took) {
        took = batch(call, user, n);
        best = took < best ? took : best;
    }
    return 1e6 * best / (double)n;
}

/* ---- memory ---- */

static void *take(void *user, size_t size, size_t alignment)
{
    bench_memory *memory = user;
    memory->held += (int64_t)size;
    memory->blocks++;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void give(void *user, void *block, size_t size)
{
    bench_memory *memory = user;
    memory->held -= (int64_t)size;
    memory->blocks--;
    free(block);
}

void bench_count_memory(bench_memory *memory, blpo_runtime *runtime)
{
    *memory = (bench_memory){0, 0};
    runtime->allocate = take;
    runtime->release = give;
    runtime->allocator_user = memory;
}

/* ---- numbers ---- */

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
float bench_noise(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (float)(z >> 40) / 8388608.0f - 1.0f;
}
