/* Trainers as files (docs/checkpoint.md, kind 2).
 *
 * Every section is one function that walks through its values in order, and three passes walk with it: PUT writes them,
 * CHECK reads a file and looks at each, TAKE reads the same bytes again and keeps them. So the layout is written down
 * once, and nothing in the trainer changes before all of the file was found sound. */
#include "core/error.h"
#include "io/codec.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

#define MOST_COUNT (INT64_C(1) << 53)  /* more than any run counts to, and far from an overflow */
#define MOST_EXTRA (UINT64_C(1) << 30) /* what environments may add to a file, with the flag in front */
#define FIRST_PIECE (UINT64_C(1) << 20) /* of a file: what is taken on its head's word alone */
#define ENVIRONMENTS BLPO__TAG('E', 'N', 'V', 'I')

typedef enum pass { PUT, CHECK, TAKE } pass;

typedef struct walk {
    blpo_trainer *trainer; /* changed in TAKE only; its error record in CHECK too */
    blpo__writer *writer;  /* PUT */
    blpo__reader reader;   /* CHECK, TAKE: one section. `bad` also when a value breaks its rule */
    pass pass;
    int mismatch;
    int nonfinite;
} walk;

/* --- one value, or a row of them --- */

/* 0 .. most. Returns the value, also in CHECK, where it is 0 when it breaks the rule. */
static int64_t count(walk *w, int64_t *at, int64_t most)
{
    if (w->pass == PUT) {
        blpo__put_i64(w->writer, *at);
        return *at;
    }
    const int64_t value = blpo__get_i64(&w->reader);
    if (w->pass == TAKE) {
        *at = value;
    } else if (value < 0 || value > most) {
        w->reader.bad = 1;
        return 0;
    }
    return value;
}

static void counts(walk *w, int64_t *at, int64_t n, int64_t most)
{
    for (int64_t i = 0; i < n; i++)
        count(w, at + i, most);
}

static void flags(walk *w, uint8_t *at, int64_t n)
{
    if (w->pass == PUT) {
        blpo__put_bytes(w->writer, at, (size_t)n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const uint8_t value = blpo__get_u8(&w->reader);
        if (w->pass == TAKE)
            at[i] = value;
        else if (value > 1)
            w->reader.bad = 1;
    }
}

/* In low .. high, which is a matter of format, and finite. */
static void reals(walk *w, real *at, int64_t n, double low, double high)
{
    if (w->pass == PUT)
        blpo__put_reals(w->writer, at, n);
    else if (w->pass == TAKE)
        blpo__get_reals(&w->reader, at, n);
    else
        for (int64_t i = 0; i < n; i++) {
            const double value = (double)blpo__get_real(&w->reader);
            w->nonfinite |= !isfinite(value);
            w->reader.bad |= value < low || value > high;
        }
}

/* Whatever the bits say. */
static void any_reals(walk *w, real *at, int64_t n)
{
    if (w->pass == CHECK)
        blpo__get_bytes(&w->reader, (size_t)n * sizeof *at);
    else
        reals(w, at, n, -INFINITY, INFINITY);
}

static void doubles(walk *w, double *at, int64_t n)
{
    if (w->pass == PUT)
        blpo__put_doubles(w->writer, at, n);
    else if (w->pass == TAKE)
        blpo__get_doubles(&w->reader, at, n);
    else
        for (int64_t i = 0; i < n; i++)
            w->nonfinite |= !isfinite(blpo__get_double(&w->reader));
}

/* --- "SHAP": what must be equal --- */

static void report_mismatch(walk *w, const char *name, int64_t in_file, int64_t in_trainer)
{
    blpo_error *error = &w->trainer->error;
    w->mismatch = 1;
    char buffer[sizeof error->text];
    blpo__text text = blpo__text_begin(buffer, sizeof buffer);
    blpo__text_add(&text, name);
    if (in_file < 0 || in_trainer < 0) { /* a seed above 2^63, or no sense at all */
        blpo__text_add(&text, " of the checkpoint differs from that of the trainer");
    } else {
        blpo__text_add(&text, " is ");
        blpo__text_add_int(&text, in_file);
        blpo__text_add(&text, " in the checkpoint and ");
        blpo__text_add_int(&text, in_trainer);
        blpo__text_add(&text, " in the trainer");
    }
    blpo__error_set(error, BLPO_ERR_MISMATCH, BLPO_STAGE_LOAD, name, buffer);
}

static void setting(walk *w, const char *name, int64_t value)
{
    if (w->pass == PUT) {
        blpo__put_i64(w->writer, value);
        return;
    }
    const int64_t in_file = blpo__get_i64(&w->reader);
    if (w->pass == CHECK && in_file != value && !w->reader.bad && !w->mismatch)
        report_mismatch(w, name, in_file, value);
}

/* Where the depths differ, what follows is read by the wrong measure: the first mismatch is the one that counts. */
static void network(walk *w, const blpo__mlp *mlp, const char *depth, const char *width, const char *activation)
{
    setting(w, depth, mlp->n_layers - 1);
    for (int64_t l = 1; l < mlp->n_layers; l++)
        setting(w, width, mlp->size[l]);
    setting(w, activation, mlp->activation);
}

/* Only there where the critic is linear in features: files of networks are as they were before there were features. */
static void features(walk *w)
{
    const int64_t n = w->trainer->critic->n_features;
    if (w->pass == PUT ? n > 0 : blpo__reader_left(&w->reader) > 0)
        setting(w, "n_features", n);
    else if (w->pass == CHECK && n > 0 && !w->reader.bad && !w->mismatch)
        report_mismatch(w, "n_features", 0, n);
}

static void shape(walk *w)
{
    const blpo_trainer *t = w->trainer;
    setting(w, "n_envs", t->env.n_envs);
    setting(w, "n_steps", t->config.n_steps);
    setting(w, "obs_dim", t->env.obs_dim);
    setting(w, "action.kind", t->env.action.kind);
    setting(w, "action.n", t->env.action.n);
    setting(w, "autoreset", t->env.autoreset);
    setting(w, "seed", (int64_t)t->config.seed);
    setting(w, "stats_window", t->config.stats_window);
    setting(w, "n_processes", t->host.runtime.n_processes);
    setting(w, "process_index", t->host.runtime.process_index);
    network(w, &t->policy->mlp, "actor_network.n_hidden", "actor_network.hidden", "actor_network.activation");
    network(w, &t->critic->mlp, "critic_network.n_hidden", "critic_network.hidden", "critic_network.activation");
    features(w);
}

/* --- "PARA", "ADAM", "COUN": what was learned --- */

static void parameters(walk *w)
{
    const blpo_policy *policy = w->trainer->policy;
    const blpo_critic *critic = w->trainer->critic;
    const int64_t n_log_std = blpo__policy_n_log_std(policy), n = policy->n_parameters - n_log_std;
    reals(w, policy->parameters, n, -INFINITY, INFINITY);
    reals(w, policy->parameters + n, n_log_std, -BLPO__MAX_LOG_STD, BLPO__MAX_LOG_STD);
    reals(w, critic->parameters, critic->n_parameters, -INFINITY, INFINITY);
}

static void optimiser(walk *w, blpo__adam *adam)
{
    count(w, &adam->t, MOST_COUNT);
    reals(w, adam->m, adam->n, -INFINITY, INFINITY);
    reals(w, adam->v, adam->n, 0.0, INFINITY);
}

static void optimisers(walk *w)
{
    optimiser(w, &w->trainer->actor_adam);
    optimiser(w, &w->trainer->critic_adam);
}

/* Of the solver only statistics: its draws are keyed by update and minibatch. */
static void counters(walk *w)
{
    blpo_trainer *t = w->trainer;
    blpo__hypergrad_mark mark;
    memset(&mark, 0, sizeof mark);
    if (t->solver != NULL)
        blpo__hypergrad_mark_take(t->solver, &mark);
    int64_t n_draws = (int64_t)mark.n_draws;
    int64_t *const solver[] = { &mark.stats.n_solves,
                                &mark.stats.n_failed,
                                &mark.stats.n_products,
                                &mark.stats.n_indefinite,
                                &mark.stats.n_fallback,
                                &mark.stats.n_bound,
                                &n_draws };
    count(w, &t->n_updates, MOST_COUNT);
    count(w, &t->steps, MOST_COUNT / t->host.runtime.n_processes); /* times as many are told of */
    for (size_t i = 0; i < sizeof solver / sizeof *solver; i++)
        count(w, solver[i], MOST_COUNT);
    mark.n_draws = (uint64_t)n_draws;
    if (w->pass == TAKE && t->solver != NULL)
        blpo__hypergrad_mark_restore(t->solver, &mark);
}

/* --- "ROLL": the rollout as far as it is filled --- */

/* One array of transitions. Rows that are masked take part in nothing and may hold anything: they are not looked at. */
static void transitions(walk *w, real *at, int64_t width, int64_t length, const unsigned char *masked)
{
    const blpo_rollout *rollout = w->trainer->rollout;
    for (int64_t e = 0; e < rollout->config.n_envs; e++)
        for (int64_t t = 0; t < length; t++) {
            real *row = at + blpo__rollout_at(rollout, e, t) * width;
            if (masked != NULL && masked[e * length + t])
                any_reals(w, row, width);
            else
                reals(w, row, width, -INFINITY, INFINITY);
        }
}

static void discrete_actions(walk *w, int64_t length, const unsigned char *masked)
{
    const blpo_rollout *rollout = w->trainer->rollout;
    for (int64_t e = 0; e < rollout->config.n_envs; e++)
        for (int64_t t = 0; t < length; t++) {
            int64_t *action = rollout->discrete_action + blpo__rollout_at(rollout, e, t);
            if (masked != NULL && masked[e * length + t])
                blpo__get_i64(&w->reader);
            else
                count(w, action, rollout->config.action_n - 1);
        }
}

static void flags_of_steps(walk *w, uint8_t *at, int64_t length)
{
    const blpo_rollout *rollout = w->trainer->rollout;
    for (int64_t e = 0; e < rollout->config.n_envs; e++)
        flags(w, at + blpo__rollout_at(rollout, e, 0), length);
}

static void transitions_of_rollout(walk *w)
{
    blpo_rollout *rollout = w->trainer->rollout;
    const int64_t obs_dim = rollout->config.obs_dim, length = count(w, &rollout->length, rollout->config.n_steps);
    const unsigned char *masked = w->pass == CHECK ? w->reader.at : NULL; /* [n_envs][length], as it lies in the file */
    flags_of_steps(w, rollout->masked, length);
    flags_of_steps(w, rollout->terminated, length);
    flags_of_steps(w, rollout->truncated, length);
    if (w->pass == CHECK && w->reader.bad)
        return;
    transitions(w, rollout->obs, obs_dim, length, masked);
    if (rollout->discrete_action != NULL)
        discrete_actions(w, length, masked);
    else
        transitions(w, rollout->continuous_action, rollout->action_width, length, masked);
    transitions(w, rollout->log_prob, 1, length, masked);
    transitions(w, rollout->reward, 1, length, masked);
    transitions(w, rollout->next_obs, obs_dim, length, masked);
}

/* --- "STEP": where the environments stand --- */

/* Observations that are about to be replaced by a reset are not looked at. */
static void current_observations(walk *w, int64_t started, const unsigned char *needs_reset)
{
    const blpo_trainer *t = w->trainer;
    for (int64_t e = 0; e < t->env.n_envs; e++) {
        real *row = t->stepping.obs + e * t->env.obs_dim;
        if (w->pass == CHECK && (!started || needs_reset[e]))
            any_reals(w, row, t->env.obs_dim);
        else
            reals(w, row, t->env.obs_dim, -INFINITY, INFINITY);
    }
}

/* Whether an act waits for its observe is not kept: a program that loads begins with an act. */
static void stepping(walk *w)
{
    blpo_trainer *t = w->trainer;
    blpo__stepping *s = &t->stepping;
    const int64_t n_envs = t->env.n_envs;
    count(w, &t->pending.count, MOST_COUNT);
    flags(w, t->pending.was_end, n_envs);
    const int64_t started = count(w, &s->started, 1);
    const unsigned char *needs_reset = w->reader.at;
    flags(w, s->needs_reset, n_envs);
    counts(w, s->n_resets, n_envs, MOST_COUNT);
    if (w->pass != CHECK || !w->reader.bad)
        current_observations(w, started, needs_reset);
}

/* --- "EPIS", "METR": what is told about the run --- */

static void episodes(walk *w)
{
    blpo__episodes *e = &w->trainer->episodes;
    const int64_t n_envs = w->trainer->env.n_envs, window = w->trainer->config.stats_window;
    doubles(w, e->running_return, n_envs);
    counts(w, e->running_length, n_envs, MOST_COUNT);
    doubles(w, e->window_return, window);
    counts(w, e->window_length, window, MOST_COUNT);
    count(w, &e->n, MOST_COUNT);
    count(w, &e->n_void, MOST_COUNT);
    count(w, &e->n_dropped, MOST_COUNT);
    count(w, &e->in_rollout, MOST_COUNT);
    doubles(w, &e->return_in_rollout, 1);
}

/* Figures that were added after the first files were written: as many as the file has, the others 0. */
static void later_figures(walk *w, double *const *figures, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (w->pass == PUT || blpo__reader_left(&w->reader) > 0)
            doubles(w, figures[i], 1);
        else if (w->pass == TAKE)
            *figures[i] = 0.0;
    }
}

static void last_metrics(walk *w)
{
    blpo_metrics *m = &w->trainer->metrics;
    int64_t measured = m->diagnostics_measured;
    int64_t *const whole[] = { &m->n_updates,       &m->steps,         &m->n_episodes,
                               &m->n_void_episodes, &m->n_dropped,     &m->update_episodes,
                               &m->window_episodes, &m->n_minibatches, &m->n_skipped,
                               &m->n_products,      &measured };
    double *const figures[] = { &m->update_return_mean,
                                &m->episode_return_mean,
                                &m->episode_length_mean,
                                &m->actor_loss,
                                &m->critic_loss_before,
                                &m->critic_loss,
                                &m->critic_gradient_norm_before,
                                &m->critic_gradient_norm,
                                &m->direct_norm,
                                &m->implicit_norm,
                                &m->cosine,
                                &m->hypergradient_norm,
                                &m->kappa_bound_share,
                                &m->indefinite_share,
                                &m->fallback_share,
                                &m->relative_residual,
                                &m->condition_estimate,
                                &m->approx_kl,
                                &m->clip_fraction,
                                &m->entropy,
                                &m->explained_variance,
                                &m->actor_learning_rate,
                                &m->critic_learning_rate };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        count(w, whole[i], i + 1 < sizeof whole / sizeof *whole ? MOST_COUNT : 1);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        doubles(w, figures[i], 1);
    if (w->pass == TAKE)
        m->diagnostics_measured = (int32_t)measured;
    double *const later[] = { &m->best_response_gap, &m->best_response_rank, &m->largest_eigenvalue, &m->condition_number };
    later_figures(w, later, sizeof later / sizeof *later);
}

/* --- the file --- */

typedef struct part {
    uint32_t tag;
    void (*walk)(walk *w);
} part;

static const part parts[] = {
    { BLPO__TAG('S', 'H', 'A', 'P'), shape },
    { BLPO__TAG('P', 'A', 'R', 'A'), parameters },
    { BLPO__TAG('A', 'D', 'A', 'M'), optimisers },
    { BLPO__TAG('C', 'O', 'U', 'N'), counters },
    { BLPO__TAG('R', 'O', 'L', 'L'), transitions_of_rollout },
    { BLPO__TAG('S', 'T', 'E', 'P'), stepping },
    { BLPO__TAG('E', 'P', 'I', 'S'), episodes },
    { BLPO__TAG('M', 'E', 'T', 'R'), last_metrics },
};
enum { N_PARTS = sizeof parts / sizeof *parts };

typedef struct subject {
    blpo_trainer *trainer;
    const part *part;
} subject;

static void put_part(blpo__writer *writer, const void *what)
{
    const subject *s = what;
    walk w = { .trainer = s->trainer, .writer = writer, .pass = PUT };
    s->part->walk(&w);
}

/* All but the environments. */
static void put_parts(blpo__writer *writer, blpo_trainer *trainer)
{
    for (int i = 0; i < N_PARTS; i++) {
        const subject s = { trainer, &parts[i] };
        blpo__put_section_of(writer, parts[i].tag, put_part, &s);
    }
}

static int save_failed(blpo_trainer *trainer, const blpo__writer *writer, int env_verdict)
{
    if (writer->verdict != 0)
        return blpo__error_callback(&trainer->error, BLPO_STAGE_SAVE, "write", writer->verdict);
    if (env_verdict != 0)
        return blpo__error_callback(&trainer->error, BLPO_STAGE_SAVE, "save", env_verdict);
    return blpo__error_set(&trainer->error, BLPO_ERR_CALLBACK, BLPO_STAGE_SAVE, "save",
                           "the callback save wrote another number of bytes when it was called again");
}

/* The environments write twice: once to be counted, since lengths stand in front. Where some of them are a step ahead of
 * others they do not write: a load then begins new episodes. */
static int save(blpo_trainer *trainer, blpo_write_fn write, void *user)
{
    const blpo_env *env = &trainer->env;
    const int with_state = env->save != NULL && !blpo__trainer_is_halfway(trainer);
    blpo__writer writer;
    int verdict = 0;
    blpo__writer_count(&writer, BLPO__FILE_TRAINER);
    const uint64_t head = writer.length;
    if (with_state)
        verdict = env->save(env->user, blpo__writer_sink, &writer);
    if (verdict != 0)
        return save_failed(trainer, &writer, verdict);
    const uint64_t env_length = 1 + writer.length - head;
    if (env_length > MOST_EXTRA)
        return blpo__error_set(&trainer->error, BLPO_ERR_SIZE, BLPO_STAGE_SAVE, "save",
                               "the environments write 1 GiB or more: no trainer would load that");

    blpo__writer_count(&writer, BLPO__FILE_TRAINER);
    put_parts(&writer, trainer);
    blpo__put_section(&writer, ENVIRONMENTS, env_length);
    blpo__writer_end(&writer);
    blpo__writer_begin(&writer, BLPO__FILE_TRAINER, writer.length + env_length, write, user);
    put_parts(&writer, trainer);
    blpo__put_section(&writer, ENVIRONMENTS, env_length);
    blpo__put_u8(&writer, (uint8_t)with_state);
    if (with_state)
        verdict = env->save(env->user, blpo__writer_sink, &writer);
    if (verdict != 0 || blpo__writer_end(&writer) != BLPO_OK)
        return save_failed(trainer, &writer, verdict);
    return BLPO_OK;
}

static int save_guarded(blpo_trainer *trainer, blpo_write_fn write, void *user)
{
    if (write == NULL)
        return blpo__error_missing(&trainer->error, BLPO_STAGE_SAVE, "write");
    blpo__guard_save(&trainer->policy->guard);
    blpo__guard_save(&trainer->critic->guard);
    const int rc = save(trainer, write, user);
    blpo__guard_saved(&trainer->critic->guard);
    blpo__guard_saved(&trainer->policy->guard);
    return rc;
}

int blpo_trainer_save(blpo_trainer *trainer, blpo_write_fn write, void *user)
{
    if (trainer == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&trainer->busy))
        return BLPO_ERR_BUSY;
    const int rc = save_guarded(trainer, write, user);
    blpo__leave(&trainer->busy);
    return rc;
}

/* --- load --- */

/* The environments' own bytes; NULL where the file has none. */
typedef struct blob {
    const unsigned char *bytes;
    size_t n;
} blob;

/* why: a sentence, or NULL where the text of the code has to do. */
static int load_failed(blpo_trainer *trainer, int rc, const char *why)
{
    return blpo__error_set(&trainer->error, rc, BLPO_STAGE_LOAD, "", why != NULL ? why : blpo_status_text(rc));
}

/* The record names the section. */
static int section_failed(blpo_trainer *trainer, uint32_t tag, int rc, const char *before, const char *after)
{
    char name[5], sentence[128];
    for (int i = 0; i < 4; i++)
        name[i] = (char)(tag >> (8 * i) & 0x7F);
    name[4] = '\0';
    blpo__text text = blpo__text_begin(sentence, sizeof sentence);
    blpo__text_add(&text, before);
    blpo__text_add(&text, name);
    blpo__text_add(&text, after);
    return blpo__error_set(&trainer->error, rc, BLPO_STAGE_LOAD, name, sentence);
}

static int section_broken(blpo_trainer *trainer, uint32_t tag)
{
    return section_failed(trainer, tag, BLPO_ERR_FORMAT, "section ",
                          " is not there, has another length, or a value against its rule");
}

static int check_environments(blpo_trainer *trainer, blpo__reader *file, blob *state)
{
    blpo__reader inside;
    if (blpo__get_section(file, ENVIRONMENTS, &inside) != BLPO_OK)
        return section_broken(trainer, ENVIRONMENTS);
    const uint8_t has = blpo__get_u8(&inside);
    state->n = blpo__reader_left(&inside);
    state->bytes = has ? inside.at : NULL;
    if (inside.bad || has > 1 || (!has && state->n > 0))
        return section_broken(trainer, ENVIRONMENTS);
    return blpo__reader_end(file) == BLPO_OK ? BLPO_OK
                                             : load_failed(trainer, BLPO_ERR_FORMAT, "there is something after the last section");
}

/* A number that is not finite is told of last: it says least about what the bytes are. */
static int check_parts(blpo_trainer *trainer, blpo__reader file, blob *state)
{
    uint32_t nonfinite = 0;
    for (int i = 0; i < N_PARTS; i++) {
        walk w = { .trainer = trainer, .pass = CHECK };
        if (blpo__get_section(&file, parts[i].tag, &w.reader) != BLPO_OK)
            return section_broken(trainer, parts[i].tag);
        parts[i].walk(&w);
        if (w.mismatch)
            return BLPO_ERR_MISMATCH;
        if (blpo__reader_end(&w.reader) != BLPO_OK)
            return section_broken(trainer, parts[i].tag);
        if (w.nonfinite && nonfinite == 0)
            nonfinite = parts[i].tag;
    }
    const int rc = check_environments(trainer, &file, state);
    if (rc != BLPO_OK || nonfinite == 0)
        return rc;
    return section_failed(trainer, nonfinite, BLPO_ERR_NONFINITE, "a number in section ", " is a NaN or an infinity");
}

static void take_parts(blpo_trainer *trainer, blpo__reader file)
{
    for (int i = 0; i < N_PARTS; i++) {
        walk w = { .trainer = trainer, .pass = TAKE };
        if (blpo__get_section(&file, parts[i].tag, &w.reader) == BLPO_OK)
            parts[i].walk(&w);
    }
    blpo__policy_changed(trainer->policy);
    blpo__critic_changed(trainer->critic);
    trainer->pending.waiting = 0;
    blpo__trainer_forget_step(trainer);
    trainer->directions.known = 0;
    trainer->metrics.seconds = trainer->metrics.steps_per_second = 0.0;
    trainer->clock_start = -1.0;
    trainer->clock_steps = trainer->steps;
}

/* The environments do not stand where the file left them: new episodes begin. What runs in the rollout is cut there. */
static void begin_new_episodes(blpo_trainer *trainer)
{
    trainer->stepping.started = 0;
    for (int64_t e = 0; e < trainer->env.n_envs; e++) {
        blpo__trainer_cut_row(trainer, e);
        trainer->pending.was_end[e] = 0;
        trainer->stepping.needs_reset[e] = 0;
    }
}

/* Moved, within the buffer, to where a struct may lie: the file gives it any address. */
static int load_environments(blpo_trainer *trainer, unsigned char *buffer, blob state)
{
    const blpo_env *env = &trainer->env;
    const size_t align = BLPO__ALIGNMENT, offset = (size_t)(state.bytes - buffer);
    const size_t to = (offset + align - 1) / align * align;
    memmove(buffer + to, state.bytes, state.n);
    const int verdict = env->load(env->user, buffer + to, state.n);
    return verdict == 0 ? BLPO_OK : blpo__error_callback(&trainer->error, BLPO_STAGE_LOAD, "load", verdict);
}

static int take_file(blpo_trainer *trainer, unsigned char *buffer, size_t n)
{
    blpo__reader file;
    blob state;
    const char *why;
    if (blpo__reader_open(&file, buffer, n, BLPO__FILE_TRAINER, &why) != BLPO_OK)
        return load_failed(trainer, BLPO_ERR_FORMAT, why);
    int rc = check_parts(trainer, file, &state);
    if (rc != BLPO_OK)
        return rc;
    const int resumed = state.bytes != NULL && trainer->env.load != NULL;
    if (resumed)
        rc = load_environments(trainer, buffer, state); /* the last section: those before it stay as they are */
    if (rc != BLPO_OK)
        return rc;
    take_parts(trainer, file);
    if (!resumed)
        begin_new_episodes(trainer);
    return BLPO_OK;
}

/* No file for this trainer is longer. */
static uint64_t longest(blpo_trainer *trainer)
{
    const blpo_rollout *rollout = trainer->rollout;
    blpo__writer writer;
    blpo__writer_count(&writer, BLPO__FILE_TRAINER);
    put_parts(&writer, trainer);
    blpo__put_section(&writer, ENVIRONMENTS, 0);
    blpo__writer_end(&writer);
    const int64_t width = 2 * rollout->config.obs_dim + 2 + 2 * rollout->action_width; /* in reals, a little too wide */
    const uint64_t transition = (uint64_t)width * sizeof(real) + 3;
    return writer.length + (uint64_t)(rollout->config.n_envs * rollout->config.n_steps) * transition + MOST_EXTRA;
}

/* Reads n bytes from byte `from` of the source on. The callback cannot say whether the source ended or broke, so the text
 * says what it was asked for: who knows the length of the file sees which. */
static int ask(blpo_trainer *trainer, blpo_read_fn read, void *user, unsigned char *bytes, size_t from, size_t n)
{
    const int verdict = read(user, bytes, n);
    if (verdict == 0)
        return BLPO_OK;
    blpo_error *error = &trainer->error;
    blpo__error_callback(error, BLPO_STAGE_LOAD, "read", verdict);
    blpo__text text = blpo__text_begin(error->text, sizeof error->text);
    blpo__text_add(&text, "the callback read returned ");
    blpo__text_add_int(&text, verdict);
    blpo__text_add(&text, " when asked for ");
    blpo__text_add_int(&text, (int64_t)n);
    blpo__text_add(&text, " bytes after the first ");
    blpo__text_add_int(&text, (int64_t)from);
    blpo__text_add(&text, ": the source gave up, or it ends before the checkpoint does");
    return BLPO_ERR_CALLBACK;
}

/* A file on its way in: memory grows with what has come, so that a head alone, true or not, cannot ask for much. */
typedef struct intake {
    blpo__memory memory;
    unsigned char *bytes;
    size_t n;
} intake;

static int grow(intake *in, size_t room)
{
    blpo__memory memory = in->memory;
    memory.blocks = NULL;
    unsigned char *bytes = blpo__allocate(&memory, (int64_t)room + BLPO__ALIGNMENT, 1);
    if (bytes == NULL)
        return BLPO_ERR_NOMEM;
    memcpy(bytes, in->bytes, in->n);
    blpo__memory_release(&in->memory);
    in->memory = memory;
    in->bytes = bytes;
    return BLPO_OK;
}

/* As much again as there is, each time. */
static int take_in(blpo_trainer *trainer, blpo_read_fn read, void *user, intake *in, uint64_t total)
{
    int rc = BLPO_OK;
    while (rc == BLPO_OK && in->n < total) {
        const uint64_t more = in->n > FIRST_PIECE ? in->n : FIRST_PIECE, left = total - in->n;
        const size_t piece = (size_t)(more < left ? more : left);
        rc = grow(in, in->n + piece);
        if (rc != BLPO_OK)
            return load_failed(trainer, rc, NULL);
        rc = ask(trainer, read, user, in->bytes + in->n, in->n, piece);
        in->n += piece;
    }
    return rc;
}

static int check_head(blpo_trainer *trainer, const unsigned char *head, uint64_t *total)
{
    const char *why;
    if (blpo__header_check(head, BLPO__FILE_TRAINER, total, &why) != BLPO_OK)
        return load_failed(trainer, BLPO_ERR_FORMAT, why);
    if (*total > longest(trainer))
        return load_failed(trainer, BLPO_ERR_FORMAT, "the checkpoint is longer than any that this trainer could write");
    return BLPO_OK;
}

static int load_with(blpo_trainer *trainer, blpo_read_fn read, void *user)
{
    unsigned char head[BLPO__HEAD_SIZE];
    uint64_t total;
    int rc = ask(trainer, read, user, head, 0, sizeof head);
    if (rc == BLPO_OK)
        rc = check_head(trainer, head, &total);
    if (rc != BLPO_OK)
        return rc;
    intake in = { .memory = trainer->host.memory, .bytes = head, .n = sizeof head }; /* the same allocator, a list of its own */
    in.memory.blocks = NULL;
    in.memory.failed = 0;
    rc = take_in(trainer, read, user, &in, total);
    if (rc == BLPO_OK)
        rc = take_file(trainer, in.bytes, in.n);
    blpo__memory_release(&in.memory);
    return rc;
}

/* The players are held all along: what somebody set meanwhile would be overwritten. */
static int load(blpo_trainer *trainer, blpo_read_fn read, void *user)
{
    if (read == NULL)
        return blpo__error_missing(&trainer->error, BLPO_STAGE_LOAD, "read");
    int rc = blpo__trainer_hold_players(trainer);
    if (rc != BLPO_OK)
        return rc;
    rc = load_with(trainer, read, user);
    blpo__trainer_release_players(trainer);
    return rc;
}

int blpo_trainer_load(blpo_trainer *trainer, blpo_read_fn read, void *user)
{
    if (trainer == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&trainer->busy))
        return BLPO_ERR_BUSY;
    const int rc = load(trainer, read, user);
    blpo__leave(&trainer->busy);
    return rc;
}
