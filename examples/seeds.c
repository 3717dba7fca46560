/* Trains CartPole-v1 with several seeds at once: a trainer for each, shared out over threads of the program. Trainers know
 * nothing of each other, so each seed gives the bits that it gives alone, whatever --jobs is.
 *
 *     cc seeds.c -o seeds $(pkg-config --cflags --libs blpo)
 *     ./seeds --seeds 8 --no-stop --csv seeds.csv && ./plot_seeds.sh seeds.csv seeds.png
 *
 * The threads are the program's, one a job; a trainer has none of its own (blpo_runtime.n_threads is 1). For runs that are
 * repeated that is the best use of processors: no thread ever waits for another. The CSV is that of the other examples
 * (train.h), one seed after the other.
 *
 * Exit status as there. The last line on stdout: method= seeds= jobs= solved= steps= seconds= steps_per_s=
 */
#define _POSIX_C_SOURCE 200809L
#include "envs/cartpole.h"
#include "train.h"

#include <blpo/blpo.h>
#include <pthread.h>
#include <time.h>

enum { N_ENVS = 4, MOST_SEEDS = 1000 };

/* One seed. What the threads share of it is guarded by crew.lock. */
struct run {
    struct crew *crew;
    struct train train; /* its seed, its share of the CSV, when it was solved */
    char *csv_text;     /* what train.csv has written */
    size_t csv_size;
    char failure[256]; /* empty: none */
    blpo_metrics last; /* shared: of its last update */
    int ended;         /* shared */
};

struct crew {
    int n_seeds, jobs, quiet;
    const char *csv_path;
    struct run *runs; /* [n_seeds] */
    pthread_mutex_t lock;
    pthread_cond_t news; /* a run has ended */
    int next;            /* first run that nobody has begun */
    int n_ended;
    int n_working; /* threads */
    double began;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t); /* the clock that pthread_cond_timedwait() goes by */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* -- one seed, in one thread -- */

static int on_update(void *user, const blpo_metrics *m)
{
    struct run *r = (struct run *)user;
    pthread_mutex_lock(&r->crew->lock);
    r->last = *m;
    pthread_mutex_unlock(&r->crew->lock);
    return train_on_update(&r->train, m);
}

static int train_seed(struct run *r)
{
    struct cartpole poles[N_ENVS];
    struct cartpole_batch batch = {poles, N_ENVS, r->train.limit_terminates};
    blpo_env env;
    cartpole_env(&env, &batch);

    blpo_config config;
    train_settings(&r->train, &config);
    config.seed = r->train.seed;
    config.diagnostics_interval = r->train.csv ? 50 : 0;

    blpo_runtime runtime;
    train_runtime(&r->train, &runtime);

    blpo_trainer *trainer = NULL;
    int rc = blpo_trainer_create(&env, &config, &runtime, &trainer);
    if (rc == BLPO_OK)
        rc = blpo_trainer_run(trainer, r->train.steps, on_update, r);
    if (rc < 0)
        snprintf(r->failure, sizeof r->failure, "%s",
                 trainer ? blpo_trainer_error(trainer)->text : r->train.error.text);
    blpo_trainer_destroy(trainer);
    return rc;
}

static void do_run(struct run *r, int with_csv)
{
    r->train.csv = with_csv ? open_memstream(&r->csv_text, &r->csv_size) : NULL;
    if (with_csv && !r->train.csv) {
        snprintf(r->failure, sizeof r->failure, "no memory for the CSV");
        return;
    }
    train_seed(r);
    if (r->train.csv && fclose(r->train.csv) != 0)
        snprintf(r->failure, sizeof r->failure, "no memory for the CSV");
}

/* -- the threads: each takes the next seed that nobody has -- */

static void *work(void *user)
{
    struct crew *c = (struct crew *)user;
    pthread_mutex_lock(&c->lock);
    while (c->next < c->n_seeds && !train_interrupted) {
        struct run *r = &c->runs[c->next++];
        pthread_mutex_unlock(&c->lock);
        do_run(r, c->csv_path != NULL);
        pthread_mutex_lock(&c->lock);
        r->ended = 1;
        c->n_ended++;
        pthread_cond_signal(&c->news);
    }
    c->n_working--;
    pthread_cond_signal(&c->news);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static int64_t steps_of(const struct crew *c)
{
    int64_t steps = 0;
    for (int i = 0; i < c->n_seeds; i++)
        steps += c->runs[i].last.steps;
    return steps;
}

/* On a terminal a line that is rewritten, else one a seed that has ended. Called with the lock. */
static void report(struct crew *c, int *told, int live)
{
    const double seconds = now() - c->began;
    const int64_t steps = steps_of(c);
    if (c->quiet)
        return;
    if (live) {
        fprintf(stderr, "\r%3d of %d seeds done  %10" PRId64 " steps  %8.0f steps/s  %5.0f s%s", c->n_ended, c->n_seeds,
                steps, seconds > 0 ? (double)steps / seconds : 0.0, seconds, c->n_working == 0 ? "\n" : "");
        return;
    }
    for (; *told < c->n_ended; ++*told)
        fprintf(stderr, "%d of %d seeds done, %.1f s\n", *told + 1, c->n_seeds, seconds);
}

/* Tells how far the runs are until no thread is left. */
static void watch(struct crew *c)
{
    const int live = isatty(STDERR_FILENO);
    int told = 0;
    pthread_mutex_lock(&c->lock);
    while (c->n_working > 0) {
        const double until = now() + (live ? 0.1 : 3600.0);
        const struct timespec t = {(time_t)until, (long)(1e9 * (until - floor(until)))};
        pthread_cond_timedwait(&c->news, &c->lock, &t);
        report(c, &told, live);
    }
    pthread_mutex_unlock(&c->lock);
}

/* 0, or -1 where not even one thread could be started. Fewer than were asked for do the same work. */
static int run_all(struct crew *c)
{
    pthread_t thread[MOST_SEEDS];
    int started = 0;
    pthread_mutex_lock(&c->lock); /* nobody counts down before all are counted */
    while (started < c->jobs && pthread_create(&thread[started], NULL, work, c) == 0)
        started++;
    c->jobs = c->n_working = started;
    pthread_mutex_unlock(&c->lock);
    watch(c);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    return started > 0 ? 0 : -1;
}

/* -- what came of it -- */

static int write_csv(const struct crew *c)
{
    char part[4096];
    FILE *f = train_open_part(c->csv_path, part, sizeof part);
    if (!f)
        return -1;
    train_csv_header(f);
    for (int i = 0; i < c->n_seeds; i++)
        if (c->runs[i].csv_text)
            fwrite(c->runs[i].csv_text, 1, c->runs[i].csv_size, f);
    int good = !ferror(f);
    if (train_close_part(f, c->csv_path, part, good) == 0)
        return 0;
    fprintf(stderr, "%s: not all was written\n", c->csv_path);
    return -1;
}

static void table(const struct crew *c)
{
    printf("      seed      steps    return  solved at   seconds   steps/s\n");
    for (int i = 0; i < c->n_seeds; i++) {
        const struct run *r = &c->runs[i];
        if (!r->ended)
            continue;
        printf("%10" PRIu64 " %10" PRId64 " %9.1f ", r->train.seed, r->last.steps, r->last.episode_return_mean);
        if (r->train.solved_at >= 0)
            printf("%10" PRId64, r->train.solved_at);
        else
            printf("%10s", "-");
        printf(" %9.2f %9.0f%s%s\n", r->last.seconds, r->last.steps_per_second, r->failure[0] ? "  " : "", r->failure);
    }
}

/* The exit status. */
static int finish(struct crew *c)
{
    const double seconds = now() - c->began;
    const int64_t steps = steps_of(c);
    int solved = 0, failed = 0;
    for (int i = 0; i < c->n_seeds; i++) {
        solved += c->runs[i].train.solved_at >= 0;
        failed |= c->runs[i].failure[0] != '\0';
    }
    failed |= c->csv_path && write_csv(c) < 0;
    table(c);
    printf("method=%s seeds=%d jobs=%d solved=%d steps=%" PRId64 " seconds=%.2f steps_per_s=%.0f\n",
           train_method_name(c->runs[0].train.method), c->n_seeds, c->jobs, solved, steps, seconds,
           (double)steps / seconds);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("stdout");
        failed = 1;
    }
    for (int i = 0; i < c->n_seeds; i++)
        free(c->runs[i].csv_text);
    free(c->runs);
    return failed ? 1 : 0;
}

/* -- options -- */

static void usage(FILE *out, const char *program, const struct crew *c, const struct train *t)
{
    fprintf(out,
            "usage: %s [options]\n"
            "  --seeds N                 how many (%d)\n"
            "  --seed N                  the first of them (0)\n"
            "  --jobs N                  how many at a time (as many as there are processors: %d)\n"
            "  --method M                blpo, nested, ppo or recommended (blpo)\n"
            "  --steps N                 environment steps of each (%" PRId64 ")\n"
            "  --limit-terminates        count a time limit as a termination, as the published runs did\n"
            "  --no-stop                 run all steps, though solved (mean return of 100 episodes >= %g)\n"
            "  --quiet                   no progress on stderr\n"
            "  --csv FILE                write one row an update, seed by seed; plot_seeds.sh draws it\n"
            "  --help                    this text\n",
            program, c->n_seeds, c->jobs, t->steps, t->solved);
}

/* A number from least to most. */
static int parse_count(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    return train_parse(text, out) && *out >= least && *out <= most;
}

static void read_options(struct crew *c, struct train *t, int argc, char **argv)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'S'},
        {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},
        {"method", required_argument, NULL, 'm'},
        {"steps", required_argument, NULL, 'n'},
        {"limit-terminates", no_argument, NULL, 'l'},
        {"no-stop", no_argument, NULL, 'a'},
        {"quiet", no_argument, NULL, 'q'},
        {"csv", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    uint64_t seeds = (uint64_t)c->n_seeds, jobs = (uint64_t)c->jobs, steps = (uint64_t)t->steps;
    for (int o, at = -1; (o = getopt_long(argc, argv, "", options, &at)) != -1;) {
        int good = 1;
        switch (o) {
        case 'S': good = parse_count(optarg, 1, MOST_SEEDS, &seeds); break;
        case 's': good = train_parse(optarg, &t->seed); break;
        case 'j': good = parse_count(optarg, 1, MOST_SEEDS, &jobs); break;
        case 'm': good = train_parse_method(optarg, &t->method); break;
        case 'n': good = parse_count(optarg, 1, UINT64_C(1000000000000), &steps); break;
        case 'l': t->limit_terminates = 1; break;
        case 'a': t->no_stop = 1; break;
        case 'q': c->quiet = 1; break;
        case 'c': c->csv_path = optarg; break;
        case 'h': usage(stdout, argv[0], c, t); exit(0);
        default: usage(stderr, argv[0], c, t); exit(2);
        }
        if (!good) {
            fprintf(stderr, "%s: wrong value for --%s: \"%s\"\n", argv[0], options[at].name, optarg);
            usage(stderr, argv[0], c, t);
            exit(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: what is \"%s\"?\n", argv[0], argv[optind]);
        usage(stderr, argv[0], c, t);
        exit(2);
    }
    c->n_seeds = (int)seeds;
    c->jobs = jobs < seeds ? (int)jobs : (int)seeds;
    t->steps = (int64_t)steps;
}

static int processors(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MOST_SEEDS ? MOST_SEEDS : (int)n;
}

int main(int argc, char **argv)
{
    struct train each = {.steps = 500000, .solved = 475.0, .method = BLPO_METHOD_BLPO, .solved_at = -1, .quiet = 1};
    struct crew c = {.n_seeds = 8, .jobs = processors()};
    read_options(&c, &each, argc, argv);
    if (!train_writable(c.csv_path))
        return 1;
    c.runs = (struct run *)calloc((size_t)c.n_seeds, sizeof *c.runs);
    if (!c.runs) {
        perror(argv[0]);
        return 1;
    }
    for (int i = 0; i < c.n_seeds; i++) {
        c.runs[i].crew = &c;
        c.runs[i].train = each;
        c.runs[i].train.seed += (uint64_t)i;
    }
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.news, NULL);
    signal(SIGINT, train_on_interrupt);
    c.began = now();
    if (run_all(&c) < 0)
        fprintf(stderr, "%s: no thread could be started\n", argv[0]);
    pthread_cond_destroy(&c.news);
    pthread_mutex_destroy(&c.lock);
    return c.jobs > 0 ? finish(&c) : 1;
}
