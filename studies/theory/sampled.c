/* Directions of the library's update on rollouts of a Garnet, against exact ones.
 *
 * One trajectory of T steps, one minibatch: the critic, linear in given features, at its exact best response to the sampled
 * returns (from the best response to the exact values), the published f2, lambda 0.95. theta is standard normal; the policy is
 * a network without hidden layers on one-hot states, and its biases are left out of every comparison.
 *
 *     limit    WALK FEATURES SEED  fields of print_limit()
 *     sampled  WALK FEATURES SOLVER SEED T  fields of print_sampled()
 *
 * WALK: `on`, the process goes on for ever, and the exact game starts from and weighs by the stationary distribution; `cut`,
 * it begins again in state 0 with chance 1 - gamma, and the exact game starts there and weighs by the discounted visits.
 * SOLVER: `dense`, H inverted with rho 1 / T, half of what one visit to a state adds to H (a state that is only seen as the
 * last has no entry in H, but one in v); `published`, nystrom with k 5 (or all), rho 50, s 1. `averaged`: dense, the
 * directions of as many rollouts as make AVERAGED steps added up, so that of their scatter little is left. */
#include "difference.h"
#include "leader.h"
#include "limit.h"
#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 10, SHORTEST = 32, LONGEST = 32768, AVERAGED = 65536 };
static const double LAMBDA = 0.95;

typedef struct directions {
    double direct[THETA], implicit[THETA], hypergradient[THETA];
} directions;

typedef struct scene {
    const char *walk, *solver;
    uint64_t seed;
    double cut;
    garnet process; /* what is walked on */
    garnet start;   /* the same, as the exact game starts in it */
    game game;
    limit limit;
    directions exact;
    double policy[THETA]; /* (1 - gamma) times the policy gradient: the mean of -A grad log pi over d */
} scene;

/* -- exact -- */

static void subtract(const double *a, const double *b, double *out)
{
    for (int i = 0; i < THETA; i++)
        out[i] = a[i] - b[i];
}

/* Weights of the exact game: how often the walk is where. */
static void place(scene *s)
{
    double d[STATES];
    if (s->cut == 0.0) {
        limit_stationary(&s->game.policy, d);
        memcpy(s->start.start, d, sizeof d);
    } else {
        evaluation_visits(&s->game.policy, s->start.start, d);
        for (int i = 0; i < STATES; i++)
            d[i] *= 1.0 - s->start.gamma;
    }
    memcpy(s->game.weight, d, sizeof d);
}

static void set_scene(scene *s, const char *kind, int64_t features, uint64_t seed)
{
    uint64_t state = seed + 100;
    double theta[THETA], v[STATES], x[STATES];
    for (int i = 0; i < THETA; i++)
        theta[i] = study_normal(&state);
    s->walk = kind;
    s->seed = seed;
    garnet_make(seed, &s->process);
    s->cut = kind[0] == 'o' ? 0.0 : 1.0 - s->process.gamma;
    garnet_start_in(&s->process, 0);
    s->start = s->process;
    game_init(&s->game, &s->start);
    game_set_features(&s->game, features, seed);
    game_at(&s->game, theta);
    place(s);
    game_at(&s->game, theta);

    game_direct(&s->game, s->exact.direct);
    game_response_gradient(&s->game, v);
    game_solve(&s->game, 0.0, v, x);
    game_mixed(&s->game, x, s->exact.implicit);
    subtract(s->exact.direct, s->exact.implicit, s->exact.hypergradient);
    game_policy_gradient(&s->game, s->policy);
    for (int i = 0; i < THETA; i++)
        s->policy[i] *= 1.0 - s->start.gamma;
    limit_of(&s->game, LAMBDA, s->cut, &s->limit);
}

static double dot(const double *a, const double *b)
{
    double sum = 0.0;
    for (int i = 0; i < THETA; i++)
        sum += a[i] * b[i];
    return sum;
}

static double cosine(const double *a, const double *b)
{
    return dot(a, b) / study_norm(a, THETA) / study_norm(b, THETA);
}
static double ratio(const double *a, const double *b)
{
    return study_norm(a, THETA) / study_norm(b, THETA);
}

/* -- the limit -- */

typedef struct acting {
    evaluation policy;
    double kappa;
} acting;

static double outer_of_limit(game *g, const void *context)
{
    const acting *a = context;
    return limit_outer(g, &a->policy, a->kappa);
}

/* Distance of direct - implicit of the limit from differences of its J(theta', w*(theta')), by their norm. */
static double limit_error(scene *s)
{
    acting context = {s->game.policy, s->limit.kappa};
    double total[THETA], expected[THETA];
    game_difference(&s->game, outer_of_limit, &context, expected);
    subtract(s->limit.direct, s->limit.implicit, total);
    subtract(total, expected, total);
    return study_norm(total, THETA) / study_norm(expected, THETA);
}

static void print_limit(scene *s)
{
    const double gamma = s->start.gamma;
    printf("limit %s %d %d direct_policy_cosine=%.6f direct_policy_ratio=%.6f exact_implicit_direct_cosine=%.6f"
           " exact_implicit_direct_ratio=%.6f own_implicit_direct_cosine=%.6f own_implicit_direct_ratio=%.6f"
           " own_error=%.1e predicted=%.6f\n",
           s->walk, (int)s->game.m, (int)s->seed, cosine(s->limit.direct, s->policy), ratio(s->limit.direct, s->policy),
           cosine(s->exact.implicit, s->exact.direct), ratio(s->exact.implicit, s->exact.direct),
           cosine(s->limit.implicit, s->limit.direct), ratio(s->limit.implicit, s->limit.direct), limit_error(s),
           (1.0 - gamma) / (1.0 - s->limit.kappa));
}

/* -- sampled -- */

static void must(int rc, const blpo_error *error)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s\n", error->text);
    exit(1);
}

/* One for each rollout. */
static uint64_t seed_of(const scene *s, uint64_t rollout)
{
    return s->seed + 1000 * rollout;
}

static void configure(scene *s, int64_t steps, uint64_t rollout, blpo_config *out)
{
    blpo_config_init(out, sizeof *out);
    out->seed = seed_of(s, rollout);
    out->n_steps = steps;
    out->n_epochs = 1;
    out->gamma = s->process.gamma;
    out->gae_lambda = LAMBDA;
    out->critic_response = BLPO_RESPONSE_EXACT;
    out->kappa = 1e30;
    if (out->nystrom_rank > s->game.m)
        out->nystrom_rank = s->game.m;
    if (strcmp(s->solver, "published") != 0) {
        out->ihvp_method = BLPO_IHVP_DENSE;
        out->nystrom_rho = 1.0 / (double)steps;
    }
}

static void take(const blpo_trainer *trainer, int which, double out[THETA])
{
    study_real parameters[THETA + ACTIONS];
    must(blpo_trainer_get_direction(trainer, which, parameters), blpo_trainer_error(trainer));
    walk_theta(parameters, out);
}

static void sample(scene *s, int64_t steps, uint64_t rollout, directions *out)
{
    walk walker;
    blpo_env env;
    blpo_config config;
    blpo_error error = {0};
    blpo_runtime runtime;
    blpo_trainer *trainer = NULL;
    blpo_policy *policy = walk_policy(s->game.theta);
    blpo_critic *critic = walk_critic(&s->game);
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = &error;
    walk_env(&walker, &s->process, s->cut, seed_of(s, rollout), &env);
    configure(s, steps, rollout, &config);
    config.policy = policy;
    config.critic = critic;
    must(blpo_trainer_create(&env, &config, &runtime, &trainer), &error);
    must(blpo_trainer_collect(trainer), blpo_trainer_error(trainer));
    must(blpo_trainer_update(trainer, NULL), blpo_trainer_error(trainer));
    take(trainer, BLPO_DIRECTION_DIRECT, out->direct);
    take(trainer, BLPO_DIRECTION_IMPLICIT, out->implicit);
    take(trainer, BLPO_DIRECTION_HYPERGRADIENT, out->hypergradient);
    blpo_trainer_destroy(trainer);
    blpo_critic_destroy(critic);
    blpo_policy_destroy(policy);
}

static void add(const double *a, int64_t n, double *mean)
{
    for (int i = 0; i < THETA; i++)
        mean[i] += a[i] / (double)n;
}

static void average(scene *s, int64_t steps, int64_t rollouts, directions *out)
{
    memset(out, 0, sizeof *out);
    for (int64_t i = 0; i < rollouts; i++) {
        directions one;
        sample(s, steps, (uint64_t)i, &one);
        add(one.direct, rollouts, out->direct);
        add(one.implicit, rollouts, out->implicit);
        add(one.hypergradient, rollouts, out->hypergradient);
    }
}

static void print_sampled(scene *s, int64_t steps)
{
    directions d;
    average(s, steps, strcmp(s->solver, "averaged") == 0 ? AVERAGED / steps : 1, &d);
    printf("sampled %s %d %s %d %lld", s->walk, (int)s->game.m, s->solver, (int)s->seed, (long long)steps);
    printf(" %.6f %.6f", cosine(d.direct, s->exact.direct), ratio(d.direct, s->exact.direct));
    printf(" %.6f %.6f", cosine(d.implicit, s->exact.implicit), ratio(d.implicit, s->exact.implicit));
    printf(" %.6f %.6f", cosine(d.hypergradient, s->exact.hypergradient),
           ratio(d.hypergradient, s->exact.hypergradient));
    printf(" %.6f %.6f", cosine(d.direct, s->policy), ratio(d.direct, s->policy));
    printf(" %.6f %.6f", cosine(d.hypergradient, s->policy), ratio(d.hypergradient, s->policy));
    printf(" %.6f %.6f\n", cosine(d.implicit, d.direct), ratio(d.implicit, d.direct));
}

static void run(scene *s)
{
    static const char *const solvers[] = {"dense", "published", "averaged"};
    print_limit(s);
    for (int i = 0; i < 3; i++)
        for (int64_t steps = SHORTEST; steps <= LONGEST; steps *= 2) {
            s->solver = solvers[i];
            print_sampled(s, steps);
        }
}

int main(void)
{
    static const char *const walks[] = {"on", "cut"};
    static const int64_t features[] = {STATES, 5, 1};
    static scene s;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int w = 0; w < 2; w++)
            for (int i = 0; i < 3; i++) {
                set_scene(&s, walks[w], features[i], seed);
                run(&s);
            }
    return 0;
}
