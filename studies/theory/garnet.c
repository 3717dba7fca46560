#include "garnet.h"

#include <math.h>
#include <string.h>

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

double study_uniform(uint64_t *state)
{
    return (double)(next(state) >> 11) * 0x1p-53;
}

/* Box and Muller; the second number of each pair is left. */
double study_normal(uint64_t *state)
{
    const double radius = sqrt(-2.0 * log(1.0 - study_uniform(state)));
    return radius * cos(2.0 * acos(-1.0) * study_uniform(state));
}

/* The lengths of [0, 1] cut at BRANCHING - 1 random points. */
static void partition(uint64_t *state, double length[BRANCHING])
{
    double cut[BRANCHING + 1] = {0.0};
    cut[BRANCHING] = 1.0;
    for (int i = 1; i < BRANCHING; i++) {
        double point = study_uniform(state);
        for (int j = 1; j <= i; j++)
            if (point < cut[j] || j == i) {
                const double larger = cut[j];
                cut[j] = point;
                point = larger;
            }
    }
    for (int i = 0; i < BRANCHING; i++)
        length[i] = cut[i + 1] - cut[i];
}

/* The first BRANCHING places of a shuffle. */
static void make_row(uint64_t *state, double row[STATES])
{
    int order[STATES];
    double length[BRANCHING];
    for (int i = 0; i < STATES; i++)
        order[i] = i;
    partition(state, length);
    memset(row, 0, STATES * sizeof *row);
    for (int i = 0; i < BRANCHING; i++) {
        const int j = i + (int)(study_uniform(state) * (STATES - i)), chosen = order[j];
        order[j] = order[i];
        row[chosen] = length[i];
    }
}

void garnet_make(uint64_t seed, garnet *out)
{
    uint64_t state = seed;
    out->gamma = 0.95;
    for (int s = 0; s < STATES; s++) {
        out->start[s] = 1.0 / STATES;
        for (int a = 0; a < ACTIONS; a++) {
            make_row(&state, out->transition[s][a]);
            out->reward[s * ACTIONS + a] = study_normal(&state);
        }
    }
}

void garnet_start_in(garnet *process, int64_t state)
{
    memset(process->start, 0, sizeof process->start);
    process->start[state] = 1.0;
}
