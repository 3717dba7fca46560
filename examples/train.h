/* What the training examples share: options, progress line, CSV, files, the final line. The programs themselves show
 * how the library is used; this is what any program has around it.
 *
 *     --method blpo|nested|ppo|recommended   what to train with       --csv FILE          one row an update
 *     --seed N                   0 .. 2^64 - 1                        --save FILE         the policy, for deploy
 *     --steps N                  environment steps in all             --checkpoint FILE   everything, to go on later
 *     --no-stop                  go on when solved                    --resume FILE       go on from a checkpoint
 *     --quiet                    no progress on stderr                --limit-terminates  as in the published runs
 *     --help
 *
 * Exit status: 0 the run ended without an error (solved or not, Ctrl-C included), 1 it did not, 2 wrong usage.
 * The last line on stdout: method= seed= steps= seconds= steps_per_s= return_by_tenth=r1,...,r10 solved_at= */
#ifndef EXAMPLES_TRAIN_H
#define EXAMPLES_TRAIN_H

#include <blpo/blpo.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct train {
    /* set by the program before train_options() */
    int64_t steps;      /* environment steps of a run, unless --steps says otherwise */
    double solved;      /* solved when the mean return of the last 100 episodes reaches this */
    const char *arguments; /* what the usage says after the program's name, lines that explain it; NULL: [options] */
    const char *plot;      /* the script that draws the CSV; NULL: plot.sh */

    /* options */
    int method;         /* a blpo_method, or TRAIN_RECOMMENDED */
    uint64_t seed;
    int no_stop, quiet;
    int limit_terminates; /* for the environment: what a time limit counts as */
    const char *csv_path, *save_path, *checkpoint_path, *resume_path;

    /* the run */
    blpo_error error;   /* where a create that fails says why */
    int explained;      /* an error has been printed already */
    int64_t steps_left; /* to be run now: a resumed run has some behind it */
    FILE *csv;
    int64_t tenth_episodes[10];
    double tenth_return[10];  /* sums */
    int64_t solved_at;        /* steps; -1: not yet */
    int64_t printed_tenths;
    double printed_at;        /* seconds */
};

static volatile sig_atomic_t train_interrupted;

static inline void train_on_interrupt(int signal_number)
{
    train_interrupted = 1;
    signal(signal_number, SIG_DFL); /* a second Ctrl-C ends the program at once */
}

enum { TRAIN_RECOMMENDED = BLPO_METHOD_PPO + 1 }; /* BLPO with the recommended settings in place of the published ones */

static inline const char *train_method_name(int method)
{
    static const char *const names[] = {"", "blpo", "nested", "ppo", "recommended"};
    return names[method];
}

/* The settings of a method: every field of config is set. */
static inline void train_settings(const struct train *t, blpo_config *config)
{
    if (t->method == TRAIN_RECOMMENDED) {
        blpo_config_recommended(config, sizeof *config);
        return;
    }
    blpo_config_init(config, sizeof *config);
    blpo_config_set_method(config, t->method);
}

/* -- options -- */

static inline void train_usage(FILE *out, const char *program, const struct train *t)
{
    fprintf(out,
            "usage: %s %s\n"
            "  --method M                blpo, nested or ppo with the published settings, or recommended: blpo with those of\n"
            "                            blpo_config_recommended() (blpo)\n"
            "  --seed N                  keys everything random (0)\n"
            "  --steps N                 environment steps in all (%" PRId64 ")\n"
            "  --limit-terminates        count a time limit as a termination, as the published runs did\n"
            "  --no-stop                 run all steps, though solved (mean return of 100 episodes >= %g)\n"
            "  --quiet                   no progress on stderr\n"
            "  --csv FILE                write one row an update; %s draws it%s%s%s\n"
            "  --save FILE               write the policy at the end; deploy runs it\n"
            "  --checkpoint FILE         write everything at the end\n"
            "  --resume FILE             go on from a checkpoint; --seed must be the one it was made with\n"
            "  --help                    this text\n",
            program, t->arguments ? t->arguments : "[options]", t->steps, t->solved, t->plot ? t->plot : "plot.sh",
            t->csv_path ? " (" : "", t->csv_path ? t->csv_path : "", t->csv_path ? ")" : "");
}

static inline void train_wrong_usage(const char *program, const struct train *t, const char *option, const char *value)
{
    fprintf(stderr, "%s: wrong value for --%s: \"%s\"\n", program, option, value);
    train_usage(stderr, program, t);
    exit(2);
}

/* A decimal number in 0 .. UINT64_MAX, and nothing after it. */
static inline int train_parse(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0)
        return 0;
    *out = value;
    return 1;
}

static inline int train_parse_method(const char *text, int *method)
{
    for (int m = BLPO_METHOD_BLPO; m <= TRAIN_RECOMMENDED; m++)
        if (strcmp(text, train_method_name(m)) == 0) {
            *method = m;
            return 1;
        }
    return 0;
}

/* Two names of one file, whether or not it is there yet. Devices may be named twice: nothing is kept in them. */
static inline int train_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    if (!a || !b)
        return 0;
    if (stat(a, &of_a) != 0 || stat(b, &of_b) != 0)
        return strcmp(a, b) == 0;
    return S_ISREG(of_a.st_mode) && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

/* Ends the program where one file would overwrite another. A checkpoint may take the place of the one it goes on from. */
static inline void train_check_paths(const struct train *t, const char *program)
{
    const struct {
        const char *name, *path;
    } file[] = {{"csv", t->csv_path}, {"save", t->save_path}, {"checkpoint", t->checkpoint_path}, {"resume", t->resume_path}};
    for (int i = 0; i < 4; i++)
        for (int j = i + 1; j < 4; j++)
            if (!(i == 2 && j == 3) && train_same_file(file[i].path, file[j].path)) {
                fprintf(stderr, "%s: --%s and --%s are the same file: %s\n", program, file[i].name, file[j].name, file[i].path);
                exit(2);
            }
}

/* Reads the command line; ends the program on --help and on wrong usage. */
static inline void train_options(struct train *t, int argc, char **argv)
{
    static const struct option options[] = {
        {"method", required_argument, NULL, 'm'}, {"seed", required_argument, NULL, 's'},
        {"steps", required_argument, NULL, 'n'},  {"csv", required_argument, NULL, 'c'},
        {"save", required_argument, NULL, 'p'},   {"checkpoint", required_argument, NULL, 'k'},
        {"resume", required_argument, NULL, 'r'}, {"no-stop", no_argument, NULL, 'a'},
        {"quiet", no_argument, NULL, 'q'},        {"help", no_argument, NULL, 'h'},
        {"limit-terminates", no_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    uint64_t steps = 0;
    t->method = BLPO_METHOD_BLPO;
    t->solved_at = -1;
    for (int c, at = -1; (c = getopt_long(argc, argv, "", options, &at)) != -1;) {
        int good = 1;
        switch (c) {
        case 'm': good = train_parse_method(optarg, &t->method); break;
        case 's': good = train_parse(optarg, &t->seed); break;
        case 'n':
            good = train_parse(optarg, &steps) && steps >= 1 && steps <= UINT64_C(1000000000000000);
            if (good)
                t->steps = (int64_t)steps;
            break;
        case 'c': t->csv_path = optarg; break;
        case 'p': t->save_path = optarg; break;
        case 'k': t->checkpoint_path = optarg; break;
        case 'r': t->resume_path = optarg; break;
        case 'a': t->no_stop = 1; break;
        case 'q': t->quiet = 1; break;
        case 'l': t->limit_terminates = 1; break;
        case 'h': train_usage(stdout, argv[0], t); exit(0);
        default: train_usage(stderr, argv[0], t); exit(2);
        }
        if (!good)
            train_wrong_usage(argv[0], t, options[at].name, optarg);
    }
    if (optind < argc) {
        fprintf(stderr, "%s: what is \"%s\"?\n", argv[0], argv[optind]);
        train_usage(stderr, argv[0], t);
        exit(2);
    }
    train_check_paths(t, argv[0]);
}

/* -- what the library needs of its host -- */

static inline void train_log(void *user, int32_t level, const char *text)
{
    const struct train *t = (const struct train *)user;
    if (!t->quiet || level >= BLPO_LOG_WARNING)
        fprintf(stderr, "%s\n", text);
}

/* Log lines to stderr; a create that fails explains itself in t->error. */
static inline void train_runtime(struct train *t, blpo_runtime *runtime)
{
    blpo_runtime_init(runtime, sizeof *runtime);
    runtime->log = train_log;
    runtime->log_user = t;
    runtime->error = &t->error;
}

static inline int train_write(void *file, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, (FILE *)file) == n ? 0 : -1;
}

static inline int train_read(void *file, void *bytes, size_t n)
{
    return fread(bytes, 1, n, (FILE *)file) == n ? 0 : -1;
}

/* -- the CSV: one line of names, one row an update; an empty field was not measured -- */

/* X(name, value, measured) */
#define TRAIN_COLUMNS(X)                                                                                               \
    X("steps", (double)m->steps, 1)                                                                                    \
    X("episodes", (double)m->n_episodes, 1)                                                                            \
    X("return_mean", m->episode_return_mean, m->window_episodes > 0)                                                   \
    X("length_mean", m->episode_length_mean, m->window_episodes > 0)                                                   \
    X("update_episodes", (double)m->update_episodes, 1)                                                                \
    X("update_return_mean", m->update_return_mean, m->update_episodes > 0)                                             \
    X("seconds", m->seconds, 1)                                                                                        \
    X("steps_per_second", m->steps_per_second, 1)                                                                      \
    X("actor_loss", m->actor_loss, 1)                                                                                  \
    X("critic_loss_before", m->critic_loss_before, 1)                                                                  \
    X("critic_loss", m->critic_loss, 1)                                                                                \
    X("critic_gradient_norm_before", m->critic_gradient_norm_before, 1)                                                \
    X("critic_gradient_norm", m->critic_gradient_norm, m->diagnostics_measured)                                        \
    X("best_response_gap", m->best_response_gap, m->diagnostics_measured)                                              \
    X("best_response_rank", m->best_response_rank, m->best_response_rank > 0)                                          \
    X("direct_norm", m->direct_norm, 1)                                                                                \
    X("implicit_norm", m->implicit_norm, m->n_products > 0)                                                            \
    X("cosine", m->cosine, m->n_products > 0)                                                                          \
    X("hypergradient_norm", m->hypergradient_norm, 1)                                                                  \
    X("kappa_bound_share", m->kappa_bound_share, m->n_products > 0)                                                    \
    X("indefinite_share", m->indefinite_share, m->n_products > 0)                                                      \
    X("fallback_share", m->fallback_share, m->n_products > 0)                                                          \
    X("relative_residual", m->relative_residual, m->diagnostics_measured && m->n_products > 0)                         \
    X("condition_estimate", m->condition_estimate, m->condition_estimate > 0)                                          \
    X("largest_eigenvalue", m->largest_eigenvalue, m->largest_eigenvalue > 0)                                          \
    X("condition_number", m->condition_number, m->condition_number > 0)                                                \
    X("products", (double)m->n_products, 1)                                                                            \
    X("approx_kl", m->approx_kl, 1)                                                                                    \
    X("clip_fraction", m->clip_fraction, 1)                                                                            \
    X("entropy", m->entropy, 1)                                                                                        \
    X("explained_variance", m->explained_variance, 1)                                                                  \
    X("actor_learning_rate", m->actor_learning_rate, 1)                                                                \
    X("critic_learning_rate", m->critic_learning_rate, 1)                                                              \
    X("updates", (double)m->n_updates, 1)                                                                              \
    X("minibatches", (double)m->n_minibatches, 1)                                                                      \
    X("skipped", (double)m->n_skipped, 1)                                                                              \
    X("window_episodes", (double)m->window_episodes, 1)                                                                \
    X("void_episodes", (double)m->n_void_episodes, 1)                                                                  \
    X("dropped", (double)m->n_dropped, 1)

static inline void train_csv_header(FILE *csv)
{
#define X(name, value, measured) "," name
    fprintf(csv, "method,seed,solved%s\n", TRAIN_COLUMNS(X));
#undef X
}

static inline void train_csv_row(const struct train *t, const blpo_metrics *m)
{
    fprintf(t->csv, "%s,%" PRIu64 ",%g", train_method_name(t->method), t->seed, t->solved);
#define X(name, value, measured) fprintf(t->csv, (measured) ? ",%.9g" : ",", value);
    TRAIN_COLUMNS(X)
#undef X
    fprintf(t->csv, "\n");
    fflush(t->csv); /* so that it can be plotted while the run goes on */
}

/* -- while it runs -- */

/* On a terminal a line that is rewritten ten times a second; in a log one line each tenth of the run. */
static inline void train_progress(struct train *t, const blpo_metrics *m)
{
    int live = isatty(STDERR_FILENO);
    int64_t tenths = m->steps * 10 / t->steps;
    int ended = m->steps >= t->steps || train_interrupted || (t->solved_at >= 0 && !t->no_stop);
    if (!ended && (live ? m->seconds < t->printed_at + 0.1 : tenths == t->printed_tenths))
        return;
    t->printed_at = m->seconds;
    t->printed_tenths = tenths;
    int64_t left = t->steps > m->steps ? t->steps - m->steps : 0;
    fprintf(stderr, "%s%10" PRId64 " steps  return %8.1f  %8.0f steps/s  %5.0f s left%s", live ? "\r" : "", m->steps,
            m->episode_return_mean, m->steps_per_second,
            m->steps_per_second > 0 ? (double)left / m->steps_per_second : 0.0, live && !ended ? "" : "\n");
}

/* The callback for blpo_trainer_run(). An update counts for the tenth of the run in which it ends. */
static inline int train_on_update(void *user, const blpo_metrics *m)
{
    struct train *t = (struct train *)user;
    int64_t tenth = (m->steps - 1) * 10 / t->steps;
    if (tenth > 9)
        tenth = 9;
    t->tenth_episodes[tenth] += m->update_episodes;
    t->tenth_return[tenth] += (double)m->update_episodes * m->update_return_mean;
    if (t->solved_at < 0 && m->window_episodes >= 100 && m->episode_return_mean >= t->solved)
        t->solved_at = m->steps;
    if (t->csv)
        train_csv_row(t, m);
    if (!t->quiet)
        train_progress(t, m);
    return train_interrupted || (t->solved_at >= 0 && !t->no_stop) ? BLPO_STOP : BLPO_CONTINUE;
}

/* -- before and after -- */

static inline FILE *train_open(struct train *t, const char *path, const char *mode)
{
    FILE *f = fopen(path, mode);
    if (!f) {
        perror(path);
        t->explained = 1;
    }
    return f;
}

/* Something that is there and is no file: a pipe or a device is written to as it is, a rename would replace it. */
static inline int train_is_special(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

/* "FILE.part", where FILE is written before it gets its name; FILE itself where that is special. NULL, with an explanation,
 * when it cannot be opened. */
static inline FILE *train_open_part(const char *path, char *part, size_t size)
{
    int length = snprintf(part, size, "%s%s", path, train_is_special(path) ? "" : ".part");
    FILE *f = length > 0 && (size_t)length < size ? fopen(part, "wb") : NULL;
    if (!f)
        fprintf(stderr, "%s: cannot be written: %s\n", path, strerror(errno));
    return f;
}

/* Gives FILE its name, or takes what was written of it away. 0, or -1 with errno set. */
static inline int train_close_part(FILE *f, const char *path, const char *part, int good)
{
    int special = strcmp(path, part) == 0;
    if (fclose(f) == 0 && good && (special || rename(part, path) == 0))
        return 0;
    int reason = errno;
    if (!special)
        remove(part);
    errno = reason;
    return -1;
}

/* Better known before the run than after it. A pipe is not opened for it: its reader would take that for the end. */
static inline int train_writable(const char *path)
{
    struct stat s;
    char part[4096];
    if (!path)
        return 1;
    if (train_is_special(path)) {
        int directory = stat(path, &s) == 0 && S_ISDIR(s.st_mode);
        if (!directory && access(path, W_OK) == 0)
            return 1;
        fprintf(stderr, "%s: cannot be written: %s\n", path, strerror(directory ? EISDIR : errno));
        return 0;
    }
    FILE *f = train_open_part(path, part, sizeof part);
    if (!f)
        return 0;
    fclose(f);
    remove(part);
    return 1;
}

/* Opens what the options ask for and sets train.steps_left. Returns BLPO_OK, BLPO_STOPPED when a checkpoint has all the
 * steps already, or a negative number. */
static inline int train_begin(struct train *t, blpo_trainer *trainer)
{
    if (t->resume_path) {
        FILE *f = train_open(t, t->resume_path, "rb");
        if (!f)
            return BLPO_ERR_ARGUMENT;
        int rc = blpo_trainer_load(trainer, train_read, f);
        fclose(f);
        if (rc < 0) {
            fprintf(stderr, "%s: %s\n", t->resume_path, blpo_trainer_error(trainer)->text);
            t->explained = 1;
            return rc;
        }
    }
    if (t->csv_path) {
        t->csv = train_open(t, t->csv_path, "w");
        if (!t->csv)
            return BLPO_ERR_ARGUMENT;
        train_csv_header(t->csv);
    }
    if (!train_writable(t->save_path) || !train_writable(t->checkpoint_path)) {
        t->explained = 1;
        return BLPO_ERR_ARGUMENT;
    }
    signal(SIGINT, train_on_interrupt);
    blpo_metrics now = {.struct_size = sizeof now};
    blpo_trainer_get_metrics(trainer, &now);
    t->steps_left = t->steps - now.steps;
    return t->steps_left > 0 ? BLPO_OK : BLPO_STOPPED;
}

/* Writes beside the file and renames, so that a file that is there is whole. */
static inline int train_save(const char *path, blpo_trainer *trainer, int whole)
{
    char part[4096];
    FILE *f = train_open_part(path, part, sizeof part);
    if (!f)
        return -1;
    int rc = whole ? blpo_trainer_save(trainer, train_write, f) : blpo_trainer_save_policy(trainer, train_write, f);
    if (train_close_part(f, path, part, rc >= 0) == 0)
        return 0;
    fprintf(stderr, "%s: not written: %s\n", path, rc < 0 ? blpo_status_text(rc) : strerror(errno));
    return -1;
}

/* 0, or -1 with an explanation when stdout did not take it. */
static inline int train_final_line(const struct train *t, const blpo_metrics *m)
{
    printf("method=%s seed=%" PRIu64 " steps=%" PRId64 " seconds=%.2f steps_per_s=%.0f return_by_tenth=",
           train_method_name(t->method), t->seed, m->steps, m->seconds, m->steps_per_second);
    for (int i = 0; i < 10; i++) {
        if (t->tenth_episodes[i] > 0)
            printf("%s%.2f", i ? "," : "", t->tenth_return[i] / (double)t->tenth_episodes[i]);
        else
            printf("%snan", i ? "," : "");
    }
    printf(" solved_at=");
    if (t->solved_at >= 0)
        printf("%" PRId64, t->solved_at);
    printf("\n");
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    perror("stdout");
    return -1;
}

/* 0, or -1 with an explanation when a row was lost (a full disk). */
static inline int train_close_csv(struct train *t)
{
    int lost = ferror(t->csv);
    int closed = fclose(t->csv);
    if (lost || closed != 0)
        fprintf(stderr, "%s: not all was written\n", t->csv_path);
    return lost || closed != 0 ? -1 : 0;
}

/* Says what went wrong, or writes files and the final line; frees the trainer. rc is what the last call gave.
 * Returns the exit status. A run that went well is saved whatever became of its CSV. */
static inline int train_end(struct train *t, blpo_trainer *trainer, int rc)
{
    int failed = rc < 0;
    if (failed && !t->explained)
        fprintf(stderr, "%s\n", trainer ? blpo_trainer_error(trainer)->text : t->error.text);
    if (t->csv && train_close_csv(t) < 0)
        failed = 1;
    if (rc >= 0 && t->checkpoint_path && train_save(t->checkpoint_path, trainer, 1) < 0)
        failed = 1;
    if (rc >= 0 && t->save_path && train_save(t->save_path, trainer, 0) < 0)
        failed = 1;
    if (rc >= 0) {
        blpo_metrics m = {.struct_size = sizeof m};
        blpo_trainer_get_metrics(trainer, &m);
        if (train_final_line(t, &m) < 0)
            failed = 1;
    }
    blpo_trainer_destroy(trainer);
    return failed ? 1 : 0;
}

#endif
