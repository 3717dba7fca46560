/* Inverse-Hessian-vector products alone, on one given problem: the critic 4-64-64-1 of tests/vectors/ihvp_problem.npz, whose
 * Hessian is indefinite, with float64 solutions x = (H + rho I)^-1 v to compare with.
 *
 *     ihvp FILE.npz [--method NAME --rho RHO] [--seconds S] [--serve | --repeat N]
 *
 * A line a case (all of them without --method, but for dense, whose matrix of 4545 rows takes seconds): microseconds of a solve
 * alone, from weights and observations, so with the critic's forward pass and signals ("us"), and of a solve as an update has it,
 * where those are there already ("us_solve");
 * residual |(H + rho I) x - v| / |v| and error |x - x*| / |x*|, means over draws of I where I is drawn, for v = grad_w J and for a
 * right-hand side of random numbers. Of dense one solve is timed. */
#include "harness.h"
#include "npz.h"

#include "core/parallel.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBS = 4, ROWS = 128, DRAWS = 16 };

/* What is measured: a new method is a new line. */
typedef struct ihvp_case {
    const char *name;
    int32_t method;
    int64_t rank;       /* k, of nystrom, nystrom_pcg */
    double shift;       /* s, of nystrom */
    int64_t iterations; /* of cg, nystrom_pcg */
    double tolerance;   /* of cg, nystrom_pcg */
    int32_t curvature;
    int32_t draw, space_efficient; /* of nystrom */
    int32_t preconditioner;        /* of cg */
} ihvp_case;

static const ihvp_case cases[] = {
    {.name = "none", .method = BLPO_IHVP_NONE, .rank = 1},
    {.name = "nystrom-5", .method = BLPO_IHVP_NYSTROM, .rank = 5},
    {.name = "nystrom-5-s1", .method = BLPO_IHVP_NYSTROM, .rank = 5, .shift = 1},
    {.name = "nystrom-5-diagonal", .method = BLPO_IHVP_NYSTROM, .rank = 5, .draw = BLPO_DRAW_DIAGONAL},
    {.name = "nystrom-5-space", .method = BLPO_IHVP_NYSTROM, .rank = 5, .space_efficient = 1},
    {.name = "nystrom-10", .method = BLPO_IHVP_NYSTROM, .rank = 10},
    {.name = "nystrom-50", .method = BLPO_IHVP_NYSTROM, .rank = 50},
    {.name = "nystrom-50-diagonal", .method = BLPO_IHVP_NYSTROM, .rank = 50, .draw = BLPO_DRAW_DIAGONAL},
    {.name = "nystrom-50-space", .method = BLPO_IHVP_NYSTROM, .rank = 50, .space_efficient = 1},
    {.name = "nystrom-100", .method = BLPO_IHVP_NYSTROM, .rank = 100},
    {.name = "nystrom-5-gn", .method = BLPO_IHVP_NYSTROM, .rank = 5, .curvature = BLPO_CURVATURE_GAUSS_NEWTON},
    {.name = "nystrom-50-gn", .method = BLPO_IHVP_NYSTROM, .rank = 50, .curvature = BLPO_CURVATURE_GAUSS_NEWTON},
    {.name = "cg-10", .method = BLPO_IHVP_CG, .rank = 1, .iterations = 10},
    {.name = "cg-1e-5", .method = BLPO_IHVP_CG, .rank = 1, .iterations = 200, .tolerance = 1e-5},
    {.name = "cg-1e-5-gn",
     .method = BLPO_IHVP_CG,
     .rank = 1,
     .iterations = 200,
     .tolerance = 1e-5,
     .curvature = BLPO_CURVATURE_GAUSS_NEWTON},
    {.name = "cg-1e-5-precond",
     .method = BLPO_IHVP_CG,
     .rank = 1,
     .iterations = 200,
     .tolerance = 1e-5,
     .preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON},
    {.name = "cg-1e-5-precond-gn",
     .method = BLPO_IHVP_CG,
     .rank = 1,
     .iterations = 200,
     .tolerance = 1e-5,
     .curvature = BLPO_CURVATURE_GAUSS_NEWTON,
     .preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON},
    {.name = "nystrom_pcg-10-1e-5", .method = BLPO_IHVP_NYSTROM_PCG, .rank = 10, .iterations = 200, .tolerance = 1e-5},
    {.name = "nystrom_pcg-10-1e-5-gn",
     .method = BLPO_IHVP_NYSTROM_PCG,
     .rank = 10,
     .iterations = 200,
     .tolerance = 1e-5,
     .curvature = BLPO_CURVATURE_GAUSS_NEWTON},
    {.name = "neumann-10", .method = BLPO_IHVP_NEUMANN, .rank = 1},
    {.name = "gauss_newton", .method = BLPO_IHVP_GAUSS_NEWTON, .rank = 1, .curvature = BLPO_CURVATURE_GAUSS_NEWTON},
    {.name = "dense", .method = BLPO_IHVP_DENSE, .rank = 1},
    {.name = NULL},
};

static const double rhos[] = {50, 1, 0.1};

typedef struct ihvp {
    bench_npz file;
    blpo_policy *policy;
    blpo_critic *critic;
    blpo_trainer *trainer; /* its rollout holds X, its game the critic at w */
    float *X, *returns;    /* [ROWS][OBS], [ROWS] */
    int64_t p;
    float *v, *random, *x;        /* [p] v of the game, and one of random numbers */
    double *exact, *exact_random; /* [p] at the rho of the case */
    blpo_hypergrad *solver;
} ihvp;

/* ---- the problem, as a minibatch of a trainer ---- */

static void make_networks(ihvp *b)
{
    blpo_policy_config policy;
    blpo_critic_config critic;
    blpo_policy_config_init(&policy, sizeof policy);
    policy.obs_dim = OBS;
    policy.action.kind = BLPO_ACTION_DISCRETE;
    policy.action.n = 2;
    bench_check(blpo_policy_create(&policy, NULL, &b->policy), "policy", NULL);
    blpo_critic_config_init(&critic, sizeof critic);
    critic.obs_dim = OBS;
    bench_check(blpo_critic_create(&critic, NULL, &b->critic), "critic", NULL);
    b->p = blpo_critic_n_parameters(b->critic);
}

static void set_weights(ihvp *b)
{
    static const struct {
        const char *name;
        int64_t n;
    } parts[] = {{"w0", 64 * OBS}, {"w1", 64}, {"w2", 64 * 64}, {"w3", 64}, {"w4", 64}, {"w5", 1}};
    float *w = b->x;
    for (int i = 0; i < 6; i++) {
        bench_npz_get_float(&b->file, parts[i].name, parts[i].n, w);
        w += parts[i].n;
    }
    bench_check(blpo_critic_set_parameters(b->critic, b->x, b->p), "weights", NULL);
}

/* In push mode the trainer takes the observations one after another; rewards play no part, since R is given. */
static void fill_rollout(ihvp *b)
{
    const float *X = b->X;
    static const float reward;
    static const uint8_t no;
    int64_t action;
    for (int64_t t = 0; t < ROWS; t++) {
        const blpo_transition next = {sizeof next, X + (t + 1) % ROWS * OBS, &reward, &no, &no, NULL};
        bench_check(blpo_trainer_act(b->trainer, X + t * OBS, &action), "act", blpo_trainer_error(b->trainer));
        bench_check(blpo_trainer_observe(b->trainer, &next), "observe", blpo_trainer_error(b->trainer));
    }
}

static void *numbers(int64_t n, size_t size)
{
    void *memory = calloc((size_t)n, size);
    if (memory == NULL)
        exit(1);
    return memory;
}

static void open_problem(ihvp *b, const char *path)
{
    b->file = bench_npz_open(path);
    make_networks(b);
    b->v = numbers(b->p, sizeof *b->v);
    b->random = numbers(b->p, sizeof *b->random);
    b->x = numbers(b->p, sizeof *b->x);
    b->exact = numbers(b->p, sizeof *b->exact);
    b->exact_random = numbers(b->p, sizeof *b->exact_random);
    b->returns = numbers(ROWS, sizeof *b->returns);
    b->X = numbers(ROWS * OBS, sizeof *b->X);
    set_weights(b);
    bench_npz_get_float(&b->file, "X", ROWS * OBS, b->X);
    bench_npz_get_float(&b->file, "R", ROWS, b->returns);
    bench_npz_get_float(&b->file, "v", b->p, b->v);
    bench_npz_get_float(&b->file, "v_rand", b->p, b->random);
}

static void close_problem(ihvp *b)
{
    blpo_critic_destroy(b->critic);
    blpo_policy_destroy(b->policy);
    bench_npz_close(&b->file);
    free(b->X);
    free(b->v);
    free(b->random);
    free(b->x);
    free(b->exact);
    free(b->exact_random);
    free(b->returns);
}

/* ---- a case ---- */

static blpo_config settings_of(const ihvp *b, const ihvp_case *c, double rho)
{
    blpo_config config;
    blpo_config_init(&config, sizeof config);
    config.n_steps = ROWS;
    config.policy = b->policy;
    config.critic = b->critic;
    config.ihvp_method = c->method;
    config.ihvp_curvature = c->curvature;
    config.nystrom_rank = c->rank;
    config.nystrom_shift = c->shift;
    config.nystrom_draw = c->draw;
    config.nystrom_space_efficient = c->space_efficient;
    config.nystrom_rho = rho;
    config.cg_preconditioner = c->preconditioner;
    if (c->iterations > 0)
        config.cg_iterations = c->iterations;
    return config;
}

static void make_trainer(ihvp *b, const blpo_config *config)
{
    blpo_env env;
    blpo_env_init(&env, sizeof env);
    env.n_envs = 1;
    env.obs_dim = OBS;
    env.action.kind = BLPO_ACTION_DISCRETE;
    env.action.n = 2;
    bench_check(blpo_trainer_create(&env, config, NULL, &b->trainer), "trainer", NULL);
    fill_rollout(b);
}

/* The minibatch at w, with the signals of both networks. */
static void load(ihvp *b)
{
    const int64_t env = 0;
    blpo__game *game = &b->trainer->game;
    blpo__game_load(game, b->trainer->rollout, &env, 1, b->returns);
    blpo_critic_get_parameters(b->critic, game->w, b->p);
    blpo_policy_get_parameters(b->policy, game->theta, blpo_policy_n_parameters(b->policy));
    bench_check(blpo__game_linearise(game, b->trainer->direct, b->trainer->response), "linearise", NULL);
}

/* The solver sees the game through the door that the trainer itself uses. */
static void make_solver(ihvp *b, const ihvp_case *c, const blpo_config *config, int32_t report_residual)
{
    blpo_problem problem;
    blpo_hypergrad_config settings;
    blpo__trainer_problem(config, b->trainer->policy->n_parameters, b->p, &b->trainer->game, &problem, &settings);
    settings.cg_tolerance = c->tolerance;
    settings.report_residual = report_residual;
    bench_check(blpo_hypergrad_create(&problem, &settings, NULL, &b->solver), c->name, NULL);
    blpo__hypergrad_trust(b->solver);
}

static void solve(void *user)
{
    ihvp *b = user;
    bench_check(blpo_hypergrad_solve(b->solver, b->v, b->x, NULL), "solve", blpo_hypergrad_error(b->solver));
}

/* What blpo__game_linearise() does for the critic and a solve needs: forward pass, g_t' and the signals of V. */
static void critic_signals(blpo__game *game)
{
    const int64_t top = game->critic->n_layers;
    for (int64_t begin = 0; begin < game->batch.n; begin += BLPO__TILE) {
        const int64_t end = begin + BLPO__TILE < game->batch.n ? begin + BLPO__TILE : game->batch.n;
        blpo__mlp_forward(game->critic, game->w, &game->critic_tape, begin, end);
        for (int64_t t = begin; t < end; t++) {
            const double error = (double)game->target[t] - (double)game->critic_tape.h[top][t];
            game->slope[t] = (float)(-2.0 * game->batch.share[t] * error);
            game->critic_tape.s[top][t] = 1.0f;
        }
        blpo__mlp_signals(game->critic, game->w, &game->critic_tape, begin, end);
    }
}

static void alone(void *user)
{
    ihvp *b = user;
    critic_signals(&b->trainer->game);
    solve(b);
}

static double error_of(const ihvp *b, const double *exact)
{
    double difference = 0.0, norm = 0.0;
    for (int64_t i = 0; i < b->p; i++) {
        difference += ((double)b->x[i] - exact[i]) * ((double)b->x[i] - exact[i]);
        norm += exact[i] * exact[i];
    }
    return sqrt(difference / norm);
}

/* How good x is for one right-hand side, and what a solve costs. */
typedef struct quality {
    double residual, error;
    long long products;
} quality;

static quality quality_of(ihvp *b, const ihvp_case *c, const float *v, const double *exact)
{
    const int draws = c->method == BLPO_IHVP_NYSTROM || c->method == BLPO_IHVP_NYSTROM_PCG ? DRAWS : 1;
    quality q = {0.0, 0.0, 0};
    for (int i = 0; i < draws; i++) {
        blpo_hypergrad_report report = {.struct_size = sizeof report};
        bench_check(blpo_hypergrad_solve(b->solver, v, b->x, &report), "solve", blpo_hypergrad_error(b->solver));
        q.residual += report.relative_residual / draws;
        q.error += error_of(b, exact) / draws;
        q.products = (long long)report.n_products - 1; /* without the residual's own */
    }
    return q;
}

static void exact_solutions(ihvp *b, double rho)
{
    char name[32];
    snprintf(name, sizeof name, "x_v_%g", rho);
    bench_npz_get(&b->file, name, b->p, b->exact);
    snprintf(name, sizeof name, "x_v_rand_%g", rho);
    bench_npz_get(&b->file, name, b->p, b->exact_random);
}

static double us_of_one(void (*call)(void *), void *user)
{
    const double start = bench_cpu();
    call(user);
    return 1e6 * (bench_cpu() - start);
}

static void measure(ihvp *b, const ihvp_case *c, double rho, double seconds)
{
    const int once = c->method == BLPO_IHVP_DENSE;
    exact_solutions(b, rho);
    const blpo_config config = settings_of(b, c, rho);
    make_trainer(b, &config);
    load(b);
    make_solver(b, c, &config, 1);
    const quality q = quality_of(b, c, b->v, b->exact), random = quality_of(b, c, b->random, b->exact_random);
    blpo_hypergrad_destroy(b->solver);
    make_solver(b, c, &config, 0); /* the report costs a product */
    const double us_solve = once ? us_of_one(solve, b) : bench_least_us(solve, b, seconds);
    const double us = once ? us_solve : bench_least_us(alone, b, seconds);
    if (c->method == BLPO_IHVP_CG && fabs(error_of(b, b->exact) - q.error) > 1e-3 * q.error + 1e-7)
        bench_check(BLPO_ERR_STATE, "a solve alone gives another x", NULL); /* the signals are not those of linearise */
    bench_line(
        "{\"what\":\"ihvp\",\"case\":\"%s\",\"rho\":%g,\"us\":%.2f,\"us_solve\":%.2f,\"residual\":%.3e,\"error\":%.3e,"
        "\"residual_random\":%.3e,\"error_random\":%.3e,\"products\":%lld}",
        c->name, rho, us, us_solve, q.residual, q.error, random.residual, random.error, q.products);
    blpo_hypergrad_destroy(b->solver);
    blpo_trainer_destroy(b->trainer);
}

static void measure_all(ihvp *b, double seconds)
{
    for (const ihvp_case *c = cases; c->name != NULL; c++)
        for (size_t i = 0; i < sizeof rhos / sizeof *rhos && c->method != BLPO_IHVP_DENSE; i++)
            measure(b, c, rhos[i], seconds);
}

static const ihvp_case *find(const char *name)
{
    const ihvp_case *c = cases;
    while (c->name != NULL && strcmp(c->name, name) != 0)
        c++;
    if (c->name == NULL) {
        fprintf(stderr, "no such case: %s\n", name);
        exit(2);
    }
    return c;
}

int main(int argc, char **argv)
{
    static ihvp b;
    const char *name = bench_text(argc, argv, "--method", NULL);
    const double rho = bench_double(argc, argv, "--rho", 50.0), seconds = bench_double(argc, argv, "--seconds", 0.1);
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: ihvp FILE.npz [options]\n");
        return 2;
    }
    open_problem(&b, argv[1]);
    bench_turns turns = bench_begin(argc, argv, "ihvp");
    while (bench_next(&turns)) {
        if (name != NULL)
            measure(&b, find(name), rho, seconds);
        else
            measure_all(&b, seconds);
    }
    close_problem(&b);
    return 0;
}
