/* First derivatives of the game: g and its gradient, J, direct = grad_theta J and v = grad_w J.
 *
 *   rho_t = pi(a_t|s_t) / exp(l_t),   J = -sum_t share_t min(rho_t A_t, clip(rho_t, 1 - eps, 1 + eps) A_t)
 *   g = sum_t share_t (R_t - V(s_t))^2                                                  share_t = 1 / T for one trajectory
 *
 *   direct: policy gradient with weights  -share_t 1_t rho_t A_t,       1_t: the unclipped branch is the smaller
 *   v:      dJ/dA_t = -share_t (rho_t or clip(rho_t)), back through GAE to the values of all states, then one weighted
 *           gradient of the critic
 *
 * Paper: arXiv:2505.11714, with the objectives of arXiv:1707.06347; closed forms: docs/algorithm.md, section 5. With
 * normalised advantages, J uses (A - mean) / (std + 1e-8) of the minibatch and v is taken through both moments.
 * Cost: a forward and a backward pass of the actor on n rows, of the critic on n_states rows. */
#include "train/game.h"

#include "linalg/sums.h"
#include "linalg/vector.h"
#include "rl/distribution.h"

#include <math.h>
#include <string.h>

static blpo__scratch *scratches(const blpo__mlp *mlp, int64_t n_pieces, blpo__memory *memory)
{
    blpo__scratch *scratch = blpo__allocate(memory, n_pieces, sizeof *scratch);
    for (int64_t i = 0; scratch != NULL && i < n_pieces; i++)
        blpo__scratch_create(&scratch[i], mlp, memory);
    return scratch;
}

/* In the space of samples no sum is of more than one row. */
static int64_t largest_partial(const blpo__game *game, const blpo_policy *policy)
{
    const int64_t rows = game->row_factors != NULL ? 1 : blpo__game_rows_at_once(game->config);
    const int64_t of_critic = game->critic->n_parameters * rows;
    return of_critic > policy->n_parameters ? of_critic : policy->n_parameters;
}

void blpo__game_create(blpo__game *game, const blpo__host *host, const blpo_config *config, const blpo_policy *policy,
                       const blpo__mlp *critic, int64_t n_trajectories, int64_t n_steps, blpo__memory *memory)
{
    const int64_t n = n_trajectories * n_steps;
    game->host = host;
    game->config = config;
    game->actor = &policy->mlp;
    game->critic = critic;
    game->n_log_std = blpo__policy_n_log_std(policy);
    game->action_kind = policy->action.kind;
    game->theta = blpo__allocate(memory, policy->n_parameters, sizeof(real));
    game->w = blpo__allocate(memory, critic->n_parameters, sizeof(real));
    blpo__batch_create(&game->batch, n_trajectories, n_steps, policy->obs_dim, memory);
    blpo__tape_create(&game->actor_tape, game->actor, n, memory);
    blpo__tape_create(&game->critic_tape, critic, 2 * n, memory);
    game->actor_tape.input = game->critic_tape.input = game->batch.state;
    game->actor_scratch = scratches(game->actor, blpo__n_pieces(n), memory);
    game->critic_scratch = scratches(critic, blpo__n_pieces(2 * n), memory);
    blpo__game_row_factors_create(game, n, memory);
    game->partial_stride = (largest_partial(game, policy) + 15) / 16 * 16;
    game->partial = blpo__allocate(memory, (blpo__n_pieces(2 * n) - 1) * game->partial_stride, sizeof(real));
    game->piece_sums = blpo__allocate(memory, BLPO__MAX_PIECES, sizeof *game->piece_sums);
    game->target = blpo__allocate(memory, n, sizeof(real));
    game->slope = blpo__allocate(memory, n, sizeof(real));
    game->bend = blpo__allocate(memory, n, sizeof(real));
    game->state_weight = blpo__allocate(memory, 2 * n, sizeof(real));
    game->policy_weight = blpo__allocate(memory, n, sizeof(real));
    game->tangent = blpo__allocate(memory, 2 * n, sizeof(real));
    game->of_log_std = blpo__allocate(memory, n * game->n_log_std, sizeof(real));
    game->log_ratio = blpo__allocate(memory, n, sizeof(double));
    game->ratio = blpo__allocate(memory, n, sizeof(double));
    game->entropy = blpo__allocate(memory, n, sizeof(double));
    game->advantage = blpo__allocate(memory, n, sizeof(double));
    game->used = blpo__allocate(memory, n, sizeof(double));
    game->work = blpo__allocate(memory, n, sizeof(double));
    blpo__game_gauss_newton_create(game, n, memory);
}

void blpo__game_load(blpo__game *game, const blpo_rollout *rollout, const int64_t *env, int64_t n_envs, const real *returns)
{
    const blpo_config *config = game->config;
    blpo__batch *batch = &game->batch;
    blpo__batch_gather(batch, rollout, env, n_envs, config->gamma, config->gae_lambda, config->reward_scale);
    game->rollout = rollout;
    for (int64_t t = 0; t < batch->n; t++) {
        game->target[t] = returns == NULL ? 0 : returns[batch->source[t]];
        game->bend[t] = (real)(2.0 * batch->share[t]);
    }
}

/* ---- sums over rows, piece by piece and tile by tile ---- */

typedef struct sum_task {
    blpo__game *game;
    int64_t rows, n, n_pieces;
    blpo__rows_fn body;
    void *argument;
    blpo__sums sums;
} sum_task;

static void run_piece(void *context, int64_t piece)
{
    sum_task *task = context;
    real *partial = blpo__sums_of(&task->sums, piece);
    const int64_t begin = blpo__piece_begin(task->rows, task->n_pieces, piece);
    const int64_t rows = blpo__piece_begin(task->rows, task->n_pieces, piece + 1) - begin;
    const int64_t n_tiles = (rows + BLPO__TILE - 1) / BLPO__TILE;
    if (task->n > 0)
        memset(partial, 0, (size_t)task->n * sizeof *partial);
    task->game->piece_sums[piece] = (blpo__piece_sums){0};
    for (int64_t i = 0; i < n_tiles; i++) /* tiles of equal size: no short one at the end */
        task->body(task->game, piece, begin + rows * i / n_tiles, begin + rows * (i + 1) / n_tiles, partial, task->argument);
    if (task->n > 0)
        blpo__sums_join(&task->sums, piece);
}

void blpo__game_sum_rows(blpo__game *game, int64_t rows, int64_t n, blpo__rows_fn body, void *argument, real *sum)
{
    const int64_t n_pieces = blpo__n_pieces(rows);
    sum_task task = {game, rows, n, n_pieces, body, argument, {sum, game->partial, n_pieces, game->partial_stride, n, 0}};
    blpo__parallel_run(&game->host->parallel, task.n_pieces, run_piece, &task);
    if (n > 0 && rows == 0) /* another process may have some */
        memset(sum, 0, (size_t)n * sizeof *sum);
    if (n > 0)
        blpo__sums_finish(&task.sums, &game->host->parallel);
}

int blpo__game_mean_over_processes(blpo__game *game, real *buffer, int64_t n)
{
    return blpo__mean_over_processes(&game->host->runtime, buffer, n, &game->verdict);
}

typedef struct wanted_rows {
    const int64_t *index;
    int64_t k;
    blpo__row_fn body;
} wanted_rows;

static void add_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument)
{
    const wanted_rows *wanted = argument;
    wanted->body(game, piece, wanted->index, wanted->k, begin, end, partial);
}

int blpo__game_rows(blpo__game *game, const int64_t *index, int64_t k, blpo__row_fn body, real *rows)
{
    const int64_t p = game->critic->n_parameters, at_once = game->partial_stride / p;
    int rc = BLPO_OK;
    for (int64_t i = 0; rc == BLPO_OK && i < k; i += at_once) {
        wanted_rows wanted = {index + i, at_once < k - i ? at_once : k - i, body};
        blpo__game_sum_rows(game, game->batch.n, wanted.k * p, add_rows, &wanted, rows + i * p);
        rc = blpo__game_mean_over_processes(game, rows + i * p, wanted.k * p);
    }
    return rc;
}

/* In the order of the pieces, which rows were cut into. */
static blpo__piece_sums sum_of_pieces(const blpo__game *game, int64_t rows)
{
    blpo__piece_sums sum = {0};
    for (int64_t i = 0; i < blpo__n_pieces(rows); i++) {
        const blpo__piece_sums *piece = &game->piece_sums[i];
        sum.critic_loss += piece->critic_loss;
        sum.actor_loss += piece->actor_loss;
        sum.kl += piece->kl;
        sum.clipped += piece->clipped;
        sum.entropy += piece->entropy;
    }
    return sum;
}

/* ---- the critic ---- */

static real *values(const blpo__game *game)
{
    return game->critic_tape.h[game->critic->n_layers];
}

/* g_t' = -2 share_t (R_t - V(s_t)) of these rows, and their part of g. */
static double slopes(blpo__game *game, int64_t begin, int64_t end)
{
    double loss = 0.0;
    for (int64_t t = begin; t < end; t++) {
        const double error = (double)game->target[t] - (double)values(game)[t];
        game->slope[t] = (real)(-2.0 * game->batch.share[t] * error);
        loss += game->batch.share[t] * error * error;
    }
    return loss;
}

/* Signals of V; with slopes those of g, for a gradient that is asked for once. */
static void critic_signals(blpo__game *game, int64_t begin, int64_t end, const real *slope)
{
    real *top = game->critic_tape.s[game->critic->n_layers];
    for (int64_t t = begin; t < end; t++)
        top[t] = slope != NULL ? slope[t] : 1;
    blpo__mlp_signals(game->critic, game->w, &game->critic_tape, begin, end);
}

static void forward_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument)
{
    (void)piece;
    (void)partial;
    (void)argument;
    blpo__mlp_forward(game->critic, game->w, &game->critic_tape, begin, end);
}

const real *blpo__game_values(blpo__game *game)
{
    blpo__game_sum_rows(game, game->batch.n_states, 0, forward_rows, NULL, NULL);
    return values(game);
}

static void critic_gradient_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument)
{
    (void)argument;
    blpo__mlp_forward(game->critic, game->w, &game->critic_tape, begin, end);
    game->piece_sums[piece].critic_loss += slopes(game, begin, end);
    critic_signals(game, begin, end, game->slope);
    blpo__mlp_add_gradient(game->critic, &game->critic_tape, NULL, begin, end, &game->critic_scratch[piece], partial);
}

int blpo__game_critic_gradient(blpo__game *game, real *gradient)
{
    blpo__game_sum_rows(game, game->batch.n, game->critic->n_parameters, critic_gradient_rows, NULL, gradient);
    game->critic_loss = sum_of_pieces(game, game->batch.n).critic_loss;
    return blpo__game_mean_over_processes(game, gradient, game->critic->n_parameters);
}

static void value_gradient_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *weight)
{
    blpo__mlp_add_gradient(game->critic, &game->critic_tape, weight, begin, end, &game->critic_scratch[piece], partial);
}

int blpo__game_value_gradient(blpo__game *game, int64_t rows, const real *weight, real *gradient)
{
    const int64_t p = game->critic->n_parameters;
    blpo__game_sum_rows(game, rows, p, value_gradient_rows, (void *)(uintptr_t)weight, gradient);
    return blpo__game_mean_over_processes(game, gradient, p);
}

static void value_tangent_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *direction)
{
    (void)partial;
    blpo__mlp_tangent(game->critic, &game->critic_tape, direction, begin, end, &game->critic_scratch[piece], game->tangent);
}

void blpo__game_value_tangents(blpo__game *game, int64_t rows, const real *direction)
{
    blpo__game_sum_rows(game, rows, 0, value_tangent_rows, (void *)(uintptr_t)direction, NULL);
}

int blpo__game_critic_gradient_here(blpo__game *game, real *gradient)
{
    return blpo__game_value_gradient(game, game->batch.n, game->slope, gradient);
}

/* ---- the actor ---- */

static blpo__distribution distribution(const blpo__game *game)
{
    return (blpo__distribution){game->action_kind, game->actor->size[game->actor->n_layers],
                                game->n_log_std > 0 ? game->theta + game->actor->n_parameters : NULL};
}

/* Entropy bonus: its gradient has output signals of its own, so it is added before those of log pi take their place. */
static void add_entropy_gradient(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *gradient)
{
    const blpo__distribution d = distribution(game);
    blpo__tape *tape = &game->actor_tape;
    const int64_t top = game->actor->n_layers;
    for (int64_t t = begin; t < end; t++) {
        blpo__entropy_score(&d, tape->h[top] + t * d.n, tape->s[top] + t * d.n);
        game->policy_weight[t] = (real)(-game->config->entropy_coefficient * game->batch.share[t]);
        for (int64_t j = 0; j < game->n_log_std; j++)
            gradient[game->actor->n_parameters + j] += game->policy_weight[t];
    }
    blpo__mlp_signals(game->actor, game->theta, tape, begin, end);
    blpo__mlp_add_gradient(game->actor, tape, game->policy_weight, begin, end, &game->actor_scratch[piece], gradient);
}

/* log rho_t, entropies, and the scores of log pi(a_t|s_t). */
static void scores(blpo__game *game, int64_t begin, int64_t end)
{
    const blpo__distribution d = distribution(game);
    blpo__tape *tape = &game->actor_tape;
    const int64_t top = game->actor->n_layers;
    const blpo__scores rows = {.rows = end - begin,
                               .output = tape->h[top] + begin * d.n,
                               .actions = blpo__rollout_action(game->rollout, 0),
                               .at = game->batch.source + begin,
                               .of_output = tape->s[top] + begin * d.n,
                               .of_log_std = game->n_log_std > 0 ? game->of_log_std + begin * d.n : NULL,
                               .log_prob = game->log_ratio + begin,
                               .entropy = game->entropy + begin};
    blpo__log_prob_scores(&d, &rows);
    for (int64_t t = begin; t < end; t++)
        game->log_ratio[t] -= (double)game->rollout->log_prob[game->batch.source[t]];
}

void blpo__game_add_policy_gradient(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *gradient)
{
    blpo__mlp_add_gradient(game->actor, &game->actor_tape, game->policy_weight, begin, end, &game->actor_scratch[piece],
                           gradient);
    real *of_log_std = gradient + game->actor->n_parameters;
    for (int64_t t = begin; t < end; t++)
        for (int64_t j = 0; j < game->n_log_std; j++)
            of_log_std[j] += game->policy_weight[t] * game->of_log_std[t * game->n_log_std + j];
}

/* ---- J ---- */

typedef struct moments {
    double mean, deviation;
} moments;

static moments normalise(const double *from, int64_t n, double *to)
{
    moments m = {0.0, 0.0};
    for (int64_t t = 0; t < n; t++)
        m.mean += from[t] / (double)n;
    for (int64_t t = 0; t < n; t++)
        m.deviation += (from[t] - m.mean) * (from[t] - m.mean) / (double)n;
    m.deviation = sqrt(m.deviation);
    for (int64_t t = 0; t < n; t++)
        to[t] = (from[t] - m.mean) / (m.deviation + 1e-8);
    return m;
}

/* From dJ/d(normalised A) to dJ/dA: dA'_t/dA_s = (1_{ts} - 1/n)/(d + eps) - (A_t - m)(A_s - m)/(n d (d + eps)^2). */
static void through_normalisation(const blpo__game *game, moments m, double *adjoint)
{
    const int64_t n = game->batch.n;
    double sum = 0.0, along = 0.0;
    for (int64_t t = 0; t < n; t++) {
        sum += adjoint[t];
        along += adjoint[t] * (game->advantage[t] - m.mean);
    }
    const double below = m.deviation + 1e-8;
    const double bent = m.deviation > 0.0 ? along / ((double)n * m.deviation * below * below) : 0.0;
    for (int64_t t = 0; t < n; t++)
        adjoint[t] = (adjoint[t] - sum / (double)n) / below - bent * (game->advantage[t] - m.mean);
}

/* J and its figures; weights of the policy gradient; adjoints dJ/dA into work. */
static void surrogate(blpo__game *game, int64_t begin, int64_t end, blpo__piece_sums *sums)
{
    const double eps = game->config->clip_range;
    memcpy(game->ratio + begin, game->log_ratio + begin, (size_t)(end - begin) * sizeof *game->ratio);
    blpo__exponentials(game->ratio + begin, end - begin);
    for (int64_t t = begin; t < end; t++) {
        const double share = game->batch.share[t], ratio = game->ratio[t], a = game->used[t];
        const double limited = blpo__limited_ratio(ratio, eps);
        const int unclipped = ratio * a <= limited * a;
        game->policy_weight[t] = (real)(unclipped ? -share * ratio * a : 0.0);
        game->work[t] = -share * (unclipped ? ratio : limited);
        sums->actor_loss -= share * (unclipped ? ratio * a : limited * a);
        sums->kl += share * (ratio - 1.0 - game->log_ratio[t]);
        sums->clipped += share * (limited != ratio);
        sums->entropy += share * game->entropy[t];
    }
}

static void actor_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument)
{
    (void)argument;
    blpo__mlp_forward(game->actor, game->theta, &game->actor_tape, begin, end);
    if (game->config->entropy_coefficient > 0.0)
        add_entropy_gradient(game, piece, begin, end, partial);
    scores(game, begin, end);
    surrogate(game, begin, end, &game->piece_sums[piece]);
    blpo__mlp_signals(game->actor, game->theta, &game->actor_tape, begin, end);
    blpo__game_add_policy_gradient(game, piece, begin, end, partial);
}

/* The whole actor, at advantages that are known: direct, and all that J says. */
static void actor(blpo__game *game, real *direct)
{
    const int64_t n = game->batch.n, q = game->actor->n_parameters + game->n_log_std;
    blpo__game_sum_rows(game, n, q, actor_rows, NULL, direct);
    const blpo__piece_sums sum = sum_of_pieces(game, n);
    game->actor_loss = sum.actor_loss - game->config->entropy_coefficient * sum.entropy;
    game->approx_kl = sum.kl;
    game->clip_fraction = sum.clipped;
    game->mean_entropy = sum.entropy;
}

/* The critic at w: values of all states, slopes of g, and with an argument the signals of V. */
static void critic_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument)
{
    forward_rows(game, piece, begin, end, partial, NULL);
    const int64_t n = game->batch.n; /* rows behind it have no target */
    game->piece_sums[piece].critic_loss += slopes(game, begin, end < n ? end : n);
    if (argument != NULL)
        critic_signals(game, begin, end, NULL);
}

/* The whole critic, and the advantages as J sees them. */
static moments critic(blpo__game *game, int with_signals)
{
    const int64_t n = game->batch.n;
    moments m = {0.0, 0.0};
    blpo__game_sum_rows(game, game->batch.n_states, 0, critic_rows, with_signals ? game : NULL, NULL);
    game->critic_loss = sum_of_pieces(game, game->batch.n_states).critic_loss;
    blpo__batch_advantages(&game->batch, values(game), game->advantage);
    if (game->config->normalize_advantages)
        m = normalise(game->advantage, n, game->used);
    else
        memcpy(game->used, game->advantage, (size_t)n * sizeof *game->used);
    return m;
}

/* dJ/ddelta from work, dJ/dA; and from it dJ/dV of every state. */
static void state_weights(blpo__game *game)
{
    const blpo__batch *batch = &game->batch;
    double kept = 0.0; /* keep_{t-1} y_{t-1} */
    memset(game->state_weight, 0, (size_t)batch->n_states * sizeof *game->state_weight);
    for (int64_t t = 0; t < batch->n; t++) {
        const double y = game->work[t] + kept;
        game->state_weight[t] -= (real)y;
        game->state_weight[batch->next[t]] += (real)(batch->discount[t] * y);
        kept = batch->keep[t] * y;
    }
}

int blpo__game_linearise(blpo__game *game, real *direct, real *response)
{
    const moments m = critic(game, response != NULL);
    actor(game, direct);
    int rc = blpo__game_mean_over_processes(game, direct, game->actor->n_parameters + game->n_log_std);
    if (rc != BLPO_OK || response == NULL)
        return rc;
    if (game->config->normalize_advantages)
        through_normalisation(game, m, game->work);
    state_weights(game);
    return blpo__game_value_gradient(game, game->batch.n_states, game->state_weight, response);
}
