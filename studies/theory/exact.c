/* Descent of the leader on the exact game, and what holds where it ends.
 *
 *     theory_exact [STEPS] > rows
 *
 * theta <- theta - STEP direction, w at its best response before each step; no line search, so that rates show. For each
 * seed, place of start, number of features and direction:
 *
 *     descent  SETTING DIRECTION SEED  step  |hypergradient|  J
 *     end      SETTING DIRECTION SEED  then the fields of print_end()
 *
 * SETTING is START-FEATURES, with `-little` for little entropy. The measure is the exact hypergradient whatever direction is
 * followed. */
#include "leader.h"

#include <lapacke.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 10, SETTINGS = 6 };
static const double STEP = 1.0;

typedef struct setting {
    const char *name;
    int one_start; /* else every state with equal probability */
    int64_t features;
    double tau;
} setting;

static const setting settings[SETTINGS] = {
    {"anywhere-20", 0, 20, 0.5}, {"anywhere-5", 0, 5, 0.5},           {"one-20", 1, 20, 0.5},
    {"one-5", 1, 5, 0.5},        {"anywhere-20-little", 0, 20, 0.01}, {"one-20-little", 1, 20, 0.01},
};

typedef struct run {
    const setting *setting;
    leader_direction direction;
    uint64_t seed;
    garnet process;
    game game;
    leader leader;
    double theta[THETA];
} run;

static void begin(run *r, const setting *s, leader_direction direction, uint64_t seed)
{
    r->setting = s;
    r->direction = direction;
    r->seed = seed;
    memset(r->theta, 0, sizeof r->theta);
    garnet_make(seed, &r->process);
    if (s->one_start)
        garnet_start_in(&r->process, 0);
    game_init(&r->game, &r->process);
    game_set_features(&r->game, s->features, seed);
    r->game.weights = GAME_VISITS;
    r->game.tau = s->tau;
    game_at(&r->game, r->theta);
    leader_create(&r->game, &r->leader);
}

static double hypergradient_norm(run *r)
{
    double direction[THETA];
    leader_direction_of(&r->leader, LEADER_HYPERGRADIENT, direction);
    return study_norm(direction, THETA);
}

static void print_step(run *r, int64_t step)
{
    printf("descent %s %s %d %lld %.6e %.15e\n", r->setting->name, leader_name[r->direction], (int)r->seed,
           (long long)step, hypergradient_norm(r), game_outer(&r->game));
}

static void descend(run *r, int64_t steps)
{
    double direction[THETA];
    int64_t next = 1;
    for (int64_t step = 1; step <= steps; step++) {
        if (step == next || step == steps) {
            print_step(r, step);
            next = next + 1 + next / 12;
        }
        leader_direction_of(&r->leader, r->direction, direction);
        for (int i = 0; i < THETA; i++)
            r->theta[i] -= STEP * direction[i];
        game_at(&r->game, r->theta);
    }
}

/* Smallest eigenvalue of a symmetric matrix [n][n], which is destroyed. */
static double smallest_eigenvalue(double *matrix, int64_t n, double *largest)
{
    double value[THETA];
    if (LAPACKE_dsyev(LAPACK_COL_MAJOR, 'N', 'L', (int)n, matrix, (int)n, value) != 0)
        abort();
    *largest = value[n - 1];
    return value[0];
}

/* Column i of d2/dtheta2 J(theta, w*(theta)), by central differences of the hypergradient. */
static void second_derivative(run *r, int i, double column[THETA])
{
    const double h = 1e-4;
    double theta[THETA], minus[THETA];
    memcpy(theta, r->theta, sizeof theta);
    theta[i] = r->theta[i] - h;
    game_at(&r->game, theta);
    leader_direction_of(&r->leader, LEADER_HYPERGRADIENT, minus);
    theta[i] = r->theta[i] + h;
    game_at(&r->game, theta);
    leader_direction_of(&r->leader, LEADER_HYPERGRADIENT, column);
    for (int j = 0; j < THETA; j++)
        column[j] = (column[j] - minus[j]) / (2.0 * h);
}

/* Smallest eigenvalue by the largest. Adding a number to all theta(s, .) changes nothing, so STATES of them are 0. */
static double leader_curvature(run *r)
{
    static double matrix[THETA * THETA];
    double largest;
    for (int i = 0; i < THETA; i++)
        second_derivative(r, i, matrix + i * THETA);
    for (int i = 0; i < THETA; i++)
        for (int j = 0; j < i; j++)
            matrix[i * THETA + j] = matrix[j * THETA + i] = (matrix[i * THETA + j] + matrix[j * THETA + i]) / 2.0;
    game_at(&r->game, r->theta);
    const double smallest = smallest_eigenvalue(matrix, THETA, &largest);
    return smallest / largest;
}

static void print_end(run *r, int64_t steps)
{
    double gradient[STATES], direction[THETA], hessian[STATES * STATES], largest;
    game_inner_gradient(&r->game, gradient);
    game_hessian(&r->game, hessian);
    leader_direction_of(&r->leader, r->direction, direction);
    printf("end %s %s %d steps=%lld hypergradient=%.6e followed=%.6e J=%.15e return=%.15e inner_gradient=%.3e"
           " value_norm=%.6e h_smallest=%.6e leader_curvature=%.3e\n",
           r->setting->name, leader_name[r->direction], (int)r->seed, (long long)steps, hypergradient_norm(r),
           study_norm(direction, THETA), game_outer(&r->game), game_return(&r->game), study_norm(gradient, r->game.m),
           study_norm(r->game.value, STATES), smallest_eigenvalue(hessian, r->game.m, &largest), leader_curvature(r));
}

int main(int argc, char **argv)
{
    const int64_t steps = argc > 1 ? atoll(argv[1]) : 40000;
    static run r;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int s = 0; s < SETTINGS; s++)
            for (int d = 0; d < LEADER_DIRECTIONS; d++) {
                begin(&r, &settings[s], (leader_direction)d, seed);
                print_end(&r, 0);
                descend(&r, steps);
                print_end(&r, steps);
                leader_destroy(&r.leader);
            }
    return 0;
}
