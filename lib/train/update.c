/* One update (docs/algorithm.md, section 4; arXiv:2505.11714):
 *
 *   for each epoch, for each minibatch of whole trajectories in a fresh random order
 *     1. critic: K Adam steps on g, or its exact best response
 *     2. direct = grad_theta J
 *     3. v = grad_w J
 *     4. x ~ (H + rho I)^-1 v
 *     5. implicit = (d2 f2 / dtheta dw) x
 *     6. implicit bounded by kappa |direct|
 *     7. Adam on theta along direct - implicit
 *
 * "Nested only" leaves out 3 to 6; PPO has K = 1 besides. All changes are made to copies (game.theta, game.w and the Adam
 * states "in work"), which are committed at the end: an update that fails leaves no trace. */
#include "core/check.h"
#include "core/error.h"
#include "linalg/vector.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

/* What the minibatches of one update share. */
typedef struct run {
    blpo_trainer *trainer;
    blpo_metrics *metrics; /* sums over minibatches until finish() */
    int64_t minibatch;     /* number of the current one */
    double actor_rate, critic_rate;
    int64_t n_actor_steps; /* minibatches that have a hypergradient */
    double largest_value;  /* |V_{w_0}(s_t)|, as far as they were made */
    int diagnose;          /* measure what costs extra */
    int stopped;           /* target_kl was reached */
} run;

/* The all-reduce hook gave up. */
static int fail_callback(const run *r, int stage)
{
    blpo_error *error = &r->trainer->error;
    const int rc = blpo__error_callback(error, stage, "all_reduce", r->trainer->game.verdict);
    error->step = r->minibatch;
    return rc;
}

/* A number that is not finite: the element of an array, or with element -1 a single one. */
static int fail_nonfinite(const run *r, int stage, const char *field, int64_t element, double value)
{
    return blpo__error_element(&r->trainer->error, BLPO_ERR_NONFINITE, stage, -1, r->minibatch, field, element, value, NULL);
}

/* Scales a gradient of this norm to at most max_gradient_norm. */
static void clip_gradient(const run *r, real *gradient, int64_t n, double norm)
{
    const double most = r->trainer->config.max_gradient_norm;
    if (most > 0.0 && norm > most)
        for (int64_t i = 0; i < n; i++)
            gradient[i] = (real)((double)gradient[i] * (most / norm));
}

/* A minibatch for the game, all that is known of it before w moves. */
static int load(run *r, const int64_t *env, int64_t n_envs, const real *returns)
{
    blpo__game *game = &r->trainer->game;
    blpo__game_load(game, r->trainer->rollout, env, n_envs, returns);
    return blpo__game_features(game, &r->trainer->error);
}

static void note_before(run *r, double norm)
{
    r->metrics->critic_loss_before += r->trainer->game.critic_loss;
    r->metrics->critic_gradient_norm_before += norm;
}

static int fail_response(const run *r, int rc)
{
    return rc == BLPO_ERR_CALLBACK ? fail_callback(r, BLPO_STAGE_CRITIC)
                                   : fail_nonfinite(r, BLPO_STAGE_CRITIC, "best response", -1, (double)NAN);
}

/* Step 1 for a linear critic, in one. */
static int exact_critic(run *r)
{
    blpo_trainer *trainer = r->trainer;
    blpo__game *game = &trainer->game;
    int rc = blpo__game_critic_gradient(game, trainer->gradient);
    if (rc != BLPO_OK)
        return fail_callback(r, BLPO_STAGE_CRITIC);
    note_before(r, blpo__norm(trainer->gradient, game->critic->n_parameters));
    rc = blpo__best_response_find(&trainer->best_response, game, trainer->config.critic_ridge);
    if (rc != BLPO_OK)
        return fail_response(r, rc);
    r->metrics->best_response_rank += (double)trainer->best_response.system.rank;
    blpo__best_response_take(&trainer->best_response, game);
    const int64_t bad = blpo__first_nonfinite(game->w, game->critic->n_parameters);
    return bad < 0 ? BLPO_OK : fail_nonfinite(r, BLPO_STAGE_CRITIC, "best response", bad, (double)game->w[bad]);
}

/* Adam on a player's copy; threads share it where they share the rows of a minibatch too, for then they are awake. Returns
 * |gradient|. */
static double adam_step(const run *r, blpo__adam *adam, double rate, const real *gradient, real *x)
{
    const blpo_config *config = &r->trainer->config;
    const int share_rows = blpo__n_pieces(config->trajectories_per_minibatch * config->n_steps) > 1;
    return blpo__adam_step_in_blocks(adam, &r->trainer->host.parallel, blpo__adam_blocks(adam, share_rows), rate, gradient, x);
}

/* One step along trainer->gradient, cut where that is wanted; returns its norm before. One that is not finite has moved w, but
 * that is a copy. */
static double critic_step(const run *r)
{
    blpo_trainer *trainer = r->trainer;
    const int clips = trainer->config.max_gradient_norm > 0.0;
    const int64_t p = trainer->critic->n_parameters;
    const double before = clips ? blpo__norm(trainer->gradient, p) : 0.0;
    clip_gradient(r, trainer->gradient, p, before);
    const double norm = adam_step(r, &trainer->critic_adam_work, r->critic_rate, trainer->gradient, trainer->game.w);
    return clips ? before : norm;
}

/* Step 1. */
static int nested_critic(run *r)
{
    blpo_trainer *trainer = r->trainer;
    blpo__game *game = &trainer->game;
    for (int64_t k = 0; k < trainer->config.critic_steps; k++) {
        const int rc = blpo__game_critic_gradient(game, trainer->gradient);
        if (rc != BLPO_OK)
            return fail_callback(r, BLPO_STAGE_CRITIC);
        const double norm = critic_step(r);
        if (!isfinite(norm))
            return fail_nonfinite(r, BLPO_STAGE_CRITIC, "norm of the critic gradient", -1, norm);
        if (k == 0)
            note_before(r, norm);
    }
    return BLPO_OK;
}

/* The gap that step 1 left: exact for a linear critic, else what a search finds. */
static int measure_gap(run *r)
{
    blpo_trainer *trainer = r->trainer;
    blpo_metrics *m = r->metrics;
    double gap = 0.0;
    int rc = BLPO_OK;
    if (blpo__critic_is_linear(trainer->critic)) {
        rc = blpo__best_response_find(&trainer->best_response, &trainer->game, 0.0);
        gap = trainer->best_response.gap;
        if (trainer->config.critic_response == BLPO_RESPONSE_NESTED)
            m->best_response_rank += (double)trainer->best_response.system.rank;
    } else if (trainer->config.gap_steps > 0) {
        rc = blpo__gap_search(&trainer->gap, &trainer->game, trainer->config.gap_steps, &gap);
    }
    if (rc != BLPO_OK)
        return fail_response(r, rc);
    m->best_response_gap += gap;
    return isfinite(gap) ? BLPO_OK : fail_nonfinite(r, BLPO_STAGE_CRITIC, "best_response_gap", -1, gap);
}

/* The KL too: a bound on it would take a NaN for a small one. */
static int check_linearised(const run *r)
{
    const blpo_trainer *trainer = r->trainer;
    const blpo__game *game = &trainer->game;
    if (!isfinite(game->critic_loss))
        return fail_nonfinite(r, BLPO_STAGE_CRITIC, "critic loss", -1, game->critic_loss);
    if (!isfinite(game->actor_loss))
        return fail_nonfinite(r, BLPO_STAGE_DIRECT, "actor loss", -1, game->actor_loss);
    if (!isfinite(game->approx_kl))
        return fail_nonfinite(r, BLPO_STAGE_DIRECT, "approx_kl", -1, game->approx_kl);
    const int64_t bad = blpo__first_nonfinite(trainer->direct, trainer->policy->n_parameters);
    return bad < 0 ? BLPO_OK : fail_nonfinite(r, BLPO_STAGE_DIRECT, "direct", bad, (double)trainer->direct[bad]);
}

/* Equal in all processes, since it decides on going on. Alone it stays a double, which holds more than the reals that the
 * hook adds. */
static int mean_kl(blpo_trainer *trainer)
{
    blpo__game *game = &trainer->game;
    if (trainer->host.runtime.n_processes == 1)
        return BLPO_OK;
    real kl = (real)game->approx_kl;
    const int rc = blpo__game_mean_over_processes(game, &kl, 1);
    game->approx_kl = (double)kl;
    return rc;
}

/* What costs extra: |grad_w g| where the critic stands now. */
static int measure_critic(run *r)
{
    blpo_trainer *trainer = r->trainer;
    if (!r->diagnose)
        return BLPO_OK;
    if (blpo__game_critic_gradient_here(&trainer->game, trainer->gradient) != BLPO_OK)
        return fail_callback(r, BLPO_STAGE_CRITIC);
    const double norm = blpo__norm(trainer->gradient, trainer->critic->n_parameters);
    if (!isfinite(norm))
        return fail_nonfinite(r, BLPO_STAGE_CRITIC, "critic_gradient_norm", -1, norm);
    r->metrics->critic_gradient_norm += norm;
    return BLPO_OK;
}

/* Steps 2 and 3. */
static int linearise(run *r)
{
    blpo_trainer *trainer = r->trainer;
    blpo__game *game = &trainer->game;
    real *response = trainer->solver != NULL || r->diagnose ? trainer->response : NULL;
    int rc = blpo__game_linearise(game, trainer->direct, response);
    if (rc == BLPO_OK)
        rc = mean_kl(trainer);
    if (rc != BLPO_OK)
        return fail_callback(r, BLPO_STAGE_DIRECT);
    rc = check_linearised(r);
    if (rc == BLPO_OK)
        rc = measure_critic(r);
    if (rc != BLPO_OK)
        return rc;
    r->metrics->actor_loss += game->actor_loss;
    r->metrics->critic_loss += game->critic_loss;
    r->metrics->approx_kl += game->approx_kl;
    r->metrics->clip_fraction += game->clip_fraction;
    r->metrics->entropy += game->mean_entropy;
    return BLPO_OK;
}

static void count_solve(run *r, const blpo_hypergrad_report *report)
{
    blpo_metrics *m = r->metrics;
    m->direct_norm += report->direct_norm;
    m->implicit_norm += report->implicit_norm;
    m->cosine += report->cosine;
    m->hypergradient_norm += report->hypergradient_norm;
    m->kappa_bound_share += report->bound_scale < 1.0;
    m->indefinite_share += report->indefinite;
    m->fallback_share += report->fallback;
    m->relative_residual += report->relative_residual > 0.0 ? report->relative_residual : 0.0; /* -1: not measured */
    m->condition_estimate += report->condition_estimate > 0.0 ? report->condition_estimate : 0.0;
    m->n_products += report->n_products;
    m->largest_eigenvalue = fmax(m->largest_eigenvalue, report->largest_eigenvalue);
    m->condition_number = fmax(m->condition_number, report->condition_number);
}

static int choose_rows(const run *r)
{
    const blpo_trainer *trainer = r->trainer;
    const int64_t k = trainer->config.nystrom_rank;
    blpo__hypergrad_set_draw(trainer->solver, (uint64_t)trainer->n_updates, (uint64_t)r->minibatch);
    if (trainer->plan.indices == NULL)
        return BLPO_OK;
    return blpo_hypergrad_set_indices(trainer->solver, trainer->plan.indices + r->minibatch * k, k);
}

/* Steps 4 to 6, by the solver; without one the direct term alone. norm: of what comes out. */
static int hypergradient(run *r, double *norm)
{
    blpo_trainer *trainer = r->trainer;
    const int64_t q = trainer->policy->n_parameters;
    if (trainer->solver == NULL) {
        memcpy(trainer->total, trainer->direct, (size_t)q * sizeof *trainer->total);
        *norm = blpo__norm(trainer->direct, q);
        r->metrics->direct_norm += *norm;
        r->metrics->hypergradient_norm += *norm;
        r->n_actor_steps++;
        return BLPO_OK;
    }
    blpo_hypergrad_report report = {.struct_size = sizeof report};
    int rc = choose_rows(r);
    if (rc == BLPO_OK)
        rc = blpo_hypergrad_compute(trainer->solver, trainer->direct, trainer->response, trainer->total, &report);
    if (rc != BLPO_OK) {
        trainer->error = *blpo_hypergrad_error(trainer->solver);
        trainer->error.step = r->minibatch;
        trainer->error.callback_code = rc == BLPO_ERR_CALLBACK ? trainer->game.verdict : 0;
        return rc;
    }
    count_solve(r, &report);
    *norm = report.hypergradient_norm;
    r->n_actor_steps++;
    return BLPO_OK;
}

/* Step 7, along a hypergradient of this norm. log_std stays where a policy may be saved and loaded again. */
static int actor_step(run *r, double norm)
{
    blpo_trainer *trainer = r->trainer;
    blpo__game *game = &trainer->game;
    const int64_t q = trainer->policy->n_parameters;
    if (!isfinite(norm))
        return fail_nonfinite(r, BLPO_STAGE_ACTOR, "norm of the hypergradient", -1, norm);
    clip_gradient(r, trainer->total, q, norm);
    adam_step(r, &trainer->actor_adam_work, r->actor_rate, trainer->total, game->theta);
    for (int64_t i = game->actor->n_parameters; i < q; i++) {
        const real x = game->theta[i], most = (real)BLPO__MAX_LOG_STD;
        game->theta[i] = x > most ? most : x < -most ? -most : x;
    }
    return BLPO_OK;
}

/* The minibatch in hand is left out: the update was stopped, or no transition is in it, in any process; whoever works with
 * others cannot know that of them. */
static int skips(const run *r)
{
    const blpo_trainer *trainer = r->trainer;
    return r->stopped || (trainer->game.batch.n == 0 && trainer->host.runtime.n_processes == 1);
}

static int minibatch(run *r, const int64_t *env, int64_t n_envs)
{
    blpo_trainer *trainer = r->trainer;
    int rc = r->stopped ? BLPO_OK : load(r, env, n_envs, trainer->returns);
    if (rc != BLPO_OK)
        return rc;
    if (skips(r)) {
        r->metrics->n_skipped++;
        return BLPO_OK;
    }
    rc = trainer->config.critic_response == BLPO_RESPONSE_EXACT ? exact_critic(r) : nested_critic(r);
    if (rc == BLPO_OK && r->diagnose)
        rc = measure_gap(r);
    if (rc == BLPO_OK)
        rc = linearise(r);
    if (rc != BLPO_OK)
        return rc;
    r->metrics->n_minibatches++;
    const double target_kl = trainer->config.target_kl;
    if (target_kl > 0.0 && trainer->game.approx_kl > target_kl) {
        r->stopped = 1;
        return BLPO_OK;
    }
    double norm = 0.0;
    rc = hypergradient(r, &norm);
    if (rc != BLPO_OK)
        return rc;
    blpo__directions_mark(trainer);
    return actor_step(r, norm);
}

/* The trajectories of one epoch, in their order, cut into minibatches. */
static int epoch(run *r, int64_t number)
{
    blpo_trainer *trainer = r->trainer;
    const int64_t n_envs = trainer->env.n_envs, at_once = trainer->config.trajectories_per_minibatch;
    blpo__stream stream =
        blpo__stream_at(trainer->config.seed, BLPO__FOR_ORDER, (uint64_t)trainer->n_updates, (uint64_t)number, 0);
    blpo__shuffle(&stream, trainer->order, n_envs);
    if (trainer->plan.order != NULL)
        memcpy(trainer->order, trainer->plan.order + number * n_envs, (size_t)n_envs * sizeof *trainer->order);
    int rc = BLPO_OK;
    for (int64_t i = 0; rc == BLPO_OK && i < n_envs; i += at_once, r->minibatch++)
        rc = minibatch(r, trainer->order + i, at_once < n_envs - i ? at_once : n_envs - i);
    return rc;
}

/* Running moments of two samples (Welford). */
typedef struct spread {
    double n, mean, sum;
} spread;

static void spread_add(spread *s, double x)
{
    s->n++;
    const double away = x - s->mean;
    s->mean += away / s->n;
    s->sum += away * (x - s->mean);
}

static real return_of(const blpo__game *game, const real *value, int64_t t)
{
    return (real)(game->advantage[t] + (double)value[t]);
}

/* A return is not finite. The recursion runs back: of several such steps it is the last where the numbers ended. */
static int fail_return(const run *r, const real *value, int64_t env)
{
    const blpo__game *game = &r->trainer->game;
    int64_t t = game->batch.n - 1;
    while (isfinite(return_of(game, value, t)))
        t--;
    const int64_t step = game->batch.source[t] - blpo__rollout_at(r->trainer->rollout, env, 0);
    return blpo__error_element(&r->trainer->error, BLPO_ERR_NONFINITE, BLPO_STAGE_CRITIC, env, step, "return", -1,
                               (double)return_of(game, value, t), NULL);
}

/* R_t = A_t(w_0) + V_{w_0}(s_t) of the whole rollout, frozen for the update. */
static int freeze_returns(run *r)
{
    blpo_trainer *trainer = r->trainer;
    blpo__game *game = &trainer->game;
    spread of_return = {0}, of_error = {0};
    for (int64_t e = 0; e < trainer->env.n_envs; e++) {
        const int rc = load(r, &e, 1, NULL);
        if (rc != BLPO_OK)
            return rc;
        const real *value = blpo__game_values(game);
        blpo__batch_advantages(&game->batch, value, game->advantage);
        for (int64_t t = 0; t < game->batch.n; t++) {
            const real target = return_of(game, value, t);
            r->largest_value = fmax(r->largest_value, fabs((double)value[t]));
            if (!isfinite(target))
                return fail_return(r, value, e);
            trainer->returns[game->batch.source[t]] = target;
            spread_add(&of_return, (double)target);
            spread_add(&of_error, game->advantage[t]);
        }
    }
    r->metrics->explained_variance = of_return.sum > 0.0 ? 1.0 - of_error.sum / of_return.sum : 0.0;
    return BLPO_OK;
}

static double annealed(const blpo_trainer *trainer, double rate)
{
    if (trainer->config.anneal_steps == 0)
        return rate;
    const double done = (double)trainer->steps * (double)trainer->host.runtime.n_processes;
    return rate * fmax(0.0, 1.0 - done / (double)trainer->config.anneal_steps);
}

static int begin(run *r)
{
    blpo_trainer *trainer = r->trainer;
    const int64_t interval = trainer->config.diagnostics_interval;
    r->actor_rate = annealed(trainer, trainer->config.actor_learning_rate);
    r->critic_rate = annealed(trainer, trainer->config.critic_learning_rate);
    r->diagnose = interval > 0 && trainer->n_updates % interval == 0;
    blpo__directions_begin(trainer);
    memcpy(trainer->game.theta, trainer->policy->parameters, (size_t)trainer->policy->n_parameters * sizeof(real));
    memcpy(trainer->game.w, trainer->critic->parameters, (size_t)trainer->critic->n_parameters * sizeof(real));
    blpo__adam_copy(&trainer->actor_adam_work, &trainer->actor_adam);
    blpo__adam_copy(&trainer->critic_adam_work, &trainer->critic_adam);
    if (trainer->solver != NULL)
        blpo__hypergrad_measure_residual(trainer->solver, r->diagnose);
    return freeze_returns(r);
}

/* Sums over minibatches become means. */
static void finish_metrics(run *r)
{
    blpo_metrics *m = r->metrics;
    const double n = m->n_minibatches > 0 ? (double)m->n_minibatches : 1.0;
    const double steps = r->n_actor_steps > 0 ? (double)r->n_actor_steps : 1.0;
    double *const of_minibatch[] = {&m->actor_loss, &m->critic_loss_before, &m->critic_loss, &m->critic_gradient_norm_before,
                                    &m->critic_gradient_norm, &m->approx_kl, &m->clip_fraction, &m->entropy,
                                    &m->best_response_gap, &m->best_response_rank};
    double *const of_actor_step[] = {&m->direct_norm, &m->implicit_norm, &m->cosine, &m->hypergradient_norm,
                                     &m->kappa_bound_share, &m->indefinite_share, &m->fallback_share,
                                     &m->relative_residual, &m->condition_estimate};
    for (size_t i = 0; i < sizeof of_minibatch / sizeof *of_minibatch; i++)
        *of_minibatch[i] /= n;
    for (size_t i = 0; i < sizeof of_actor_step / sizeof *of_actor_step; i++)
        *of_actor_step[i] /= steps;
    m->actor_learning_rate = r->actor_rate;
    m->critic_learning_rate = r->critic_rate;
    m->diagnostics_measured = r->diagnose;
    const blpo__episodes *episodes = &r->trainer->episodes;
    m->update_episodes = episodes->in_rollout;
    m->update_return_mean = episodes->in_rollout > 0 ? episodes->return_in_rollout / (double)episodes->in_rollout : 0.0;
}

/* Nothing here can fail. */
static void commit(run *r)
{
    blpo_trainer *trainer = r->trainer;
    memcpy(trainer->policy->parameters, trainer->game.theta, (size_t)trainer->policy->n_parameters * sizeof(real));
    memcpy(trainer->critic->parameters, trainer->game.w, (size_t)trainer->critic->n_parameters * sizeof(real));
    blpo__policy_changed(trainer->policy);
    blpo__critic_changed(trainer->critic);
    blpo__adam_copy(&trainer->actor_adam, &trainer->actor_adam_work);
    blpo__adam_copy(&trainer->critic_adam, &trainer->critic_adam_work);
    blpo__directions_keep(trainer);
    trainer->episodes.in_rollout = 0;
    trainer->episodes.return_in_rollout = 0.0;
    trainer->metrics = *r->metrics;
    trainer->rollout->length = 0;
    trainer->n_updates++;
}

/* Adam's mean of squares too: with an infinite one a parameter would stand still for ever. Its mean of gradients needs no
 * look: it lies between gradients that were finite. */
static int finite_result(const run *r)
{
    const blpo_trainer *trainer = r->trainer;
    const int64_t q = trainer->policy->n_parameters, p = trainer->critic->n_parameters;
    const struct {
        const char *name;
        const real *array;
        int64_t n;
        int stage;
    } result[] = {{"actor parameters", trainer->game.theta, q, BLPO_STAGE_ACTOR},
                  {"critic parameters", trainer->game.w, p, BLPO_STAGE_CRITIC},
                  {"actor's mean of squares", trainer->actor_adam_work.v, q, BLPO_STAGE_ACTOR},
                  {"critic's mean of squares", trainer->critic_adam_work.v, p, BLPO_STAGE_CRITIC}};
    for (size_t i = 0; i < sizeof result / sizeof *result; i++) {
        const int64_t bad = blpo__first_nonfinite(result[i].array, result[i].n);
        if (bad >= 0)
            return blpo__error_element(&r->trainer->error, BLPO_ERR_NONFINITE, result[i].stage, -1, -1, result[i].name, bad,
                                       (double)result[i].array[bad], NULL);
    }
    return BLPO_OK;
}

/* Each figure was looked at in its minibatch; here it is the sums that may have left the range. */
static int finite_metrics(const run *r)
{
    const blpo_metrics *m = r->metrics;
    const struct {
        const char *name;
        double value;
    } figure[] = {{"update_return_mean", m->update_return_mean},
                  {"actor_loss", m->actor_loss},
                  {"critic_loss_before", m->critic_loss_before},
                  {"critic_loss", m->critic_loss},
                  {"critic_gradient_norm_before", m->critic_gradient_norm_before},
                  {"critic_gradient_norm", m->critic_gradient_norm},
                  {"direct_norm", m->direct_norm},
                  {"implicit_norm", m->implicit_norm},
                  {"cosine", m->cosine},
                  {"hypergradient_norm", m->hypergradient_norm},
                  {"relative_residual", m->relative_residual},
                  {"condition_estimate", m->condition_estimate},
                  {"approx_kl", m->approx_kl},
                  {"clip_fraction", m->clip_fraction},
                  {"entropy", m->entropy},
                  {"explained_variance", m->explained_variance},
                  {"best_response_gap", m->best_response_gap},
                  {"largest_eigenvalue", m->largest_eigenvalue},
                  {"condition_number", m->condition_number}};
    for (size_t i = 0; i < sizeof figure / sizeof *figure; i++)
        if (!isfinite(figure[i].value))
            return blpo__error_element(&r->trainer->error, BLPO_ERR_NONFINITE, BLPO_STAGE_METRICS, -1, -1, figure[i].name, -1,
                                       figure[i].value, NULL);
    return BLPO_OK;
}

/* No policy has returns above (largest reward) / (1 - gamma); without discount, n_steps stands for the horizon. Where V is a
 * million times that it has fed on itself: a response to one minibatch that goes far astray on the states of the next, from
 * which returns are bootstrapped, update after update. What overflows in the end may be anything, so the record says this too. */
static void explain(const run *r)
{
    const blpo_trainer *trainer = r->trainer;
    blpo_error *error = &r->trainer->error;
    const int64_t n_steps = trainer->config.n_steps;
    const double gamma = trainer->config.gamma, horizon = gamma < 1.0 ? 1.0 / (1.0 - gamma) : (double)n_steps;
    double reward = 0.0;
    for (int64_t i = 0; i < trainer->env.n_envs * n_steps; i++)
        reward = fmax(reward, fabs((double)trainer->rollout->reward[i]));
    if (!(r->largest_value > 1e6 * horizon * reward))
        return;
    blpo__error_add(error, "; V diverges by bootstrapping: it reaches ");
    blpo__error_add_double(error, r->largest_value);
    blpo__error_add(error, ", rewards ");
    blpo__error_add_double(error, reward);
    blpo__error_add(error, ". A smaller critic_learning_rate helps, or with an exact response a larger critic_ridge");
}

int blpo__trainer_update(blpo_trainer *trainer)
{
    blpo_metrics metrics = {.struct_size = sizeof metrics};
    run r = {.trainer = trainer, .metrics = &metrics};
    blpo__hypergrad_mark mark;
    if (trainer->solver != NULL)
        blpo__hypergrad_mark_take(trainer->solver, &mark);
    int rc = begin(&r);
    for (int64_t e = 0; rc == BLPO_OK && e < trainer->config.n_epochs; e++)
        rc = epoch(&r, e);
    if (rc == BLPO_OK)
        rc = finite_result(&r);
    if (rc == BLPO_OK) {
        finish_metrics(&r);
        rc = finite_metrics(&r);
    }
    if (rc == BLPO_ERR_NONFINITE)
        explain(&r);
    if (rc == BLPO_OK)
        commit(&r);
    else if (trainer->solver != NULL)
        blpo__hypergrad_mark_restore(trainer->solver, &mark);
    return rc;
}
