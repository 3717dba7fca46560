#include "leader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const leader_name[LEADER_DIRECTIONS] = {"hypergradient", "direct", "published"};

double study_norm(const double *x, int64_t n)
{
    double norm = 0.0;
    for (int64_t i = 0; i < n; i++)
        norm = hypot(norm, x[i]);
    return norm;
}

static void stop(const char *what, const blpo_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->text);
    exit(1);
}

blpo_hypergrad *leader_solver(game *g, const blpo_hypergrad_config *config)
{
    blpo_problem problem;
    blpo_runtime runtime;
    blpo_error error;
    blpo_hypergrad *out = NULL;
    memset(&error, 0, sizeof error);
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = &error;
    game_problem(g, &problem);
    if (blpo_hypergrad_create(&problem, config, &runtime, &out) != BLPO_OK)
        stop("blpo_hypergrad_create", &error);
    return out;
}

void leader_create(game *g, leader *out)
{
    blpo_hypergrad_config config;
    blpo_hypergrad_config_init(&config, sizeof config); /* the published settings */
    if (config.nystrom_rank > g->m)
        config.nystrom_rank = g->m;
    out->game = g;
    out->nystrom = leader_solver(g, &config);
    config.method = BLPO_IHVP_DENSE;
    config.nystrom_rho = 1e-12;
    out->exact = leader_solver(g, &config);
}

void leader_destroy(leader *l)
{
    blpo_hypergrad_destroy(l->nystrom);
    blpo_hypergrad_destroy(l->exact);
}

static void narrow(const double *from, int64_t n, study_real *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (study_real)from[i];
}

void leader_hypergradient(game *g, blpo_hypergrad *solver, double out[THETA])
{
    study_real direct[THETA], response[STATES];
    double v[STATES];
    game_direct(g, out);
    game_response_gradient(g, v);
    narrow(out, THETA, direct);
    narrow(v, g->m, response);
    if (blpo_hypergrad_compute(solver, direct, response, direct, NULL) != BLPO_OK)
        stop("blpo_hypergrad_compute", blpo_hypergrad_error(solver));
    for (int i = 0; i < THETA; i++)
        out[i] = (double)direct[i];
}

void leader_direction_of(leader *l, leader_direction which, double out[THETA])
{
    if (which == LEADER_DIRECT)
        game_direct(l->game, out);
    else
        leader_hypergradient(l->game, which == LEADER_PUBLISHED ? l->nystrom : l->exact, out);
}
