/* The game of one minibatch (docs/algorithm.md, sections 3 and 5): the follower's loss g(w), the leader's objective
 * J(theta, w), and the products with second derivatives that the hypergradient needs. Those whose first argument is `user` have
 * signatures of blpo_problem, so that the solver sees this problem as it sees any other.
 *
 * Order of calls for a minibatch: load; critic_gradient and changes of w, K times; linearise; then products. */
#ifndef BLPO_TRAIN_GAME_H
#define BLPO_TRAIN_GAME_H

#include "core/host.h"
#include "nn/mlp.h"
#include "rl/critic.h"
#include "rl/policy.h"
#include "train/batch.h"

#include <blpo/trainer.h>
#include <math.h>

/* What a piece adds up beside a gradient, each a sum over its rows weighted by their shares; a line of the cache for each piece. */
typedef struct blpo__piece_sums {
    _Alignas(64) double critic_loss;
    double actor_loss, kl, clipped, entropy;
} blpo__piece_sums;

typedef struct blpo__game {
    const blpo__host *host;
    const blpo_config *config;
    const blpo__mlp *actor, *critic;
    int64_t n_log_std;         /* log_std parameters behind those of the actor's network */
    int32_t action_kind;
    real *theta, *w;           /* current parameters of the players, changed by the caller */
    blpo__batch batch;
    const blpo_rollout *rollout;
    const blpo_critic *features_of; /* NULL: the critic sees observations */
    real *features;            /* [n_states][n_features] what it sees else */

    blpo__tape actor_tape, critic_tape;
    blpo__scratch *actor_scratch, *critic_scratch; /* one a piece */
    real *partial;             /* [pieces - 1][partial_stride] sums of the pieces after the first */
    int64_t partial_stride;
    blpo__piece_sums *piece_sums; /* [BLPO__MAX_PIECES] */

    real *target;              /* [n] R_t */
    real *slope, *bend;        /* [n] g_t' and g_t'' in V(s_t) */
    real *state_weight;        /* [n_states] dJ/dV of every state */
    real *policy_weight;       /* [n] dJ/d log pi_t, then that of the mixed product */
    real *tangent;             /* [n_states] Vdot */
    real *of_log_std;          /* [n][n_log_std] d log pi / d log_std */
    double *log_ratio;         /* [n] log rho_t */
    double *ratio;             /* [n] rho_t */
    double *entropy;           /* [n] */
    double *advantage;         /* [n] A_t(w), scaled as J sees it in `used` */
    double *used;              /* [n] the advantages in J: A_t, or normalised */
    double *work;              /* [n] */

    /* what linearise found */
    double critic_loss, actor_loss, approx_kl, clip_fraction, mean_entropy;
    int64_t verdict;           /* of the all_reduce hook, when a call returns BLPO_ERR_CALLBACK */

    struct blpo__row_factors *row_factors; /* NULL: a Nystrom inverse gets the rows of H themselves */
    int64_t n_samples;         /* rows of the Jacobian, those that are zero included */
    real *sample;              /* [n_samples] weights of a sum of gradients */
} blpo__game;

void blpo__game_create(blpo__game *game, const blpo__host *host, const blpo_config *config, const blpo_policy *policy,
                       const blpo__mlp *critic, int64_t n_trajectories, int64_t n_steps, blpo__memory *memory);

/* Gathers the trajectories of these environments; returns from a rollout-sized array [n_envs][n_steps]. */
void blpo__game_load(blpo__game *game, const blpo_rollout *rollout, const int64_t *env, int64_t n_envs, const real *returns);

/* features.c. To be called once after create, n: transitions of the largest batch; then after each load, which makes the
 * features of the batch: BLPO_OK, or error filled and its code. */
void blpo__game_use_features(blpo__game *game, const blpo_critic *critic, int64_t n, blpo__memory *memory);
int blpo__game_features(blpo__game *game, blpo_error *error);

/* Values of all states of the batch: into critic_tape.h[L]. */
const real *blpo__game_values(blpo__game *game);

/* gradient [p] = grad_w g(w); fills critic_loss. */
int blpo__game_critic_gradient(blpo__game *game, real *gradient);

/* At (theta, w): direct [q] = grad_theta J, response [p] = v = grad_w J (NULL: not wanted), and the figures above. */
int blpo__game_linearise(blpo__game *game, real *direct, real *response);

/* grad_w g at the point of linearise, from its signals: |grad_w g| after the nested steps for one product a layer. */
int blpo__game_critic_gradient_here(blpo__game *game, real *gradient);

/* blpo_hvp_fn, blpo_hessian_rows_fn and blpo_mixed_product_fn of the game; user is the game. */
int blpo__game_hessian_product(void *user, const real *v, real *hv);
int blpo__game_hessian_rows(void *user, const int64_t *index, int64_t k, real *rows);
int blpo__game_mixed_product(void *user, const real *x, real *out);

/* Rows of H for which there is room in the sums of the pieces: as many as the method asks for at a time. */
int64_t blpo__game_rows_at_once(const blpo_config *config);

/* blpo_jvp_fn, blpo_vjp_fn, blpo_jacobian_gram_fn (one process only), blpo_hessian_rows_fn of the Gauss-Newton matrix, and
 * blpo_gauss_newton_diagonal_fn of the game; user is the game. */
int blpo__game_jacobian_product(void *user, const real *x, real *jx);
int blpo__game_jacobian_transposed(void *user, const real *u, real *jtu);
int blpo__game_jacobian_gram(void *user, double *gram);
int blpo__game_gauss_newton_rows(void *user, const int64_t *index, int64_t k, real *rows);
int blpo__game_gauss_newton_diagonal(void *user, real *diagonal);

/* blpo_rows_products_fn and blpo_rows_sum_fn of the game, for the curvature of the settings, where row_factors is not NULL. */
int blpo__game_rows_products(void *user, const int64_t *index, int64_t k, const real *v, double *block, double *gram,
                             double *products, double *resolution);
int blpo__game_rows_sum(void *user, const int64_t *index, int64_t k, const double *y, real *out);

/* For blpo__game_create(): the workspace of the above, for n transitions. */
void blpo__game_row_factors_create(blpo__game *game, int64_t n, blpo__memory *memory);
void blpo__game_gauss_newton_create(blpo__game *game, int64_t n, blpo__memory *memory);

/* clip(ratio, 1 - eps, 1 + eps); a NaN stays one */
static inline double blpo__limited_ratio(double ratio, double eps)
{
    return ratio < 1.0 - eps ? 1.0 - eps : ratio > 1.0 + eps ? 1.0 + eps : ratio;
}

/* Shared by the files of the game: zeroes, runs and reduces the partial sums of n numbers over the rows. */
typedef void (*blpo__rows_fn)(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument);
void blpo__game_sum_rows(blpo__game *game, int64_t rows, int64_t n, blpo__rows_fn body, void *argument, real *sum);
int blpo__game_mean_over_processes(blpo__game *game, real *buffer, int64_t n);

/* rows [k][p], the mean over processes, as many at a time as there is room for in the sums of the pieces: body adds the part
 * of these transitions to the rows of some parameters. */
typedef void (*blpo__row_fn)(blpo__game *game, int64_t piece, const int64_t *index, int64_t k, int64_t begin, int64_t end,
                             real *rows);
int blpo__game_rows(blpo__game *game, const int64_t *index, int64_t k, blpo__row_fn body, real *rows);

/* gradient [p] = sum_t weight[t] grad V(s_t) over the first rows, the mean over processes. */
int blpo__game_value_gradient(blpo__game *game, int64_t rows, const real *weight, real *gradient);

/* game->tangent[t] = grad V(s_t) . direction for the first rows. */
void blpo__game_value_tangents(blpo__game *game, int64_t rows, const real *direction);

void blpo__game_add_policy_gradient(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *gradient);

#endif
