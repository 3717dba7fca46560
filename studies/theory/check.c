/* The equalities, in numbers: at a random theta, by each method that inverts exactly,
 *
 *     check WEIGHTS FEATURES METHOD SEED  distance of the hypergradient from differences of J(theta, w*(theta)) through the
 *         re-solved critic, by their norm; the same of the direct term; with 20 features of the policy gradient too (else -1)
 *
 * The game is evaluated in double in either build; what the solver takes and gives is float32 or float64. */
#include "difference.h"
#include "leader.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = 10, METHODS = 4 };

typedef struct method {
    const char *name;
    int32_t which;
    double rho; /* small enough to leave no trace, large enough for the method's roundings, which grow with 1 / rho */
} method;

static const method methods[METHODS] = {
    {"dense", BLPO_IHVP_DENSE, 1e-12},
    {"cg", BLPO_IHVP_CG, 1e-12},
    {"nystrom", BLPO_IHVP_NYSTROM, sizeof(study_real) == 8 ? 1e-8 : 1e-4},
    {"gauss-newton", BLPO_IHVP_GAUSS_NEWTON, sizeof(study_real) == 8 ? 1e-8 : 1e-4},
};

static double distance(const double *a, const double *b)
{
    double difference[THETA];
    for (int i = 0; i < THETA; i++)
        difference[i] = a[i] - b[i];
    return study_norm(difference, THETA) / study_norm(b, THETA);
}

static void hypergradient(game *g, const method *m, double out[THETA])
{
    blpo_hypergrad_config config;
    blpo_hypergrad_config_init(&config, sizeof config);
    config.method = m->which;
    config.nystrom_rho = m->rho;
    config.nystrom_rank = g->m; /* all rows: exact */
    config.nystrom_shift = 0.0;
    config.cg_iterations = 4 * g->m;
    blpo_hypergrad *solver = leader_solver(g, &config);
    leader_hypergradient(g, solver, out);
    blpo_hypergrad_destroy(solver);
}

static void check(game *g, uint64_t seed)
{
    double truth[THETA], direct[THETA], policy[THETA], out[THETA];
    game_difference(g, game_outer_at_response, NULL, truth);
    game_direct(g, direct);
    game_policy_gradient(g, policy);
    for (int i = 0; i < METHODS; i++) {
        hypergradient(g, &methods[i], out);
        printf("check %s %d %s %d %.3e %.3e %.3e\n", g->weights == GAME_VISITS ? "visits" : "fixed", (int)g->m,
               methods[i].name, (int)seed, distance(out, truth), distance(direct, truth),
               g->m == STATES ? distance(out, policy) : -1.0);
    }
}

int main(void)
{
    static const int64_t features[] = {1, 5, STATES};
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int i = 0; i < 3; i++)
            for (int weights = GAME_FIXED; weights <= GAME_VISITS; weights++) {
                garnet process;
                game g;
                double theta[THETA];
                uint64_t state = seed + 100;
                for (int j = 0; j < THETA; j++)
                    theta[j] = study_normal(&state);
                garnet_make(seed, &process);
                garnet_start_in(&process, 0);
                game_init(&g, &process);
                game_set_features(&g, features[i], seed);
                g.weights = (game_weights)weights;
                game_at(&g, theta);
                check(&g, seed);
            }
    return 0;
}
