/* One run of the study of learning (scripts/methods): a task, a setting, kappa and a seed in, one line out.
 *
 *     learning --task cartpole --setting nystrom-published --kappa 1 --seed 0 [--steps N]
 *     learning --list          the tasks and settings there are
 *
 *     task= setting= kappa= seed= steps= seconds= auc= solved_at= stuck= collapsed= residual= cosine= direct= implicit=
 *     bound= indefinite= curve=r1,...,r20
 *
 * seconds: processor time of the program, so that runs side by side can be compared.
 * curve: mean return of the episodes that ended in each twentieth of the run; where none did, that of the one before, and
 * before the first the task's return of a policy that has learned nothing. auc: the mean of the curve. solved_at: steps,
 * empty if never. stuck: the last four are all below a tenth of the way from that return to `solved`. collapsed: after
 * having been solved, some twentieth is below half of that way. The rest are means over updates; residuals are measured in
 * every 20th. */
#include "settings.h"
#include "tasks.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BINS = 20 };

struct run {
    const struct task *task;
    const struct setting *setting;
    double kappa;
    uint64_t seed;
    int64_t steps;

    int64_t episodes[BINS];
    double returns[BINS]; /* sums */
    int64_t solved_at;    /* -1: not yet */
    int64_t updates, measured;
    double residual, cosine, direct, implicit, bound, indefinite; /* sums over updates */
};

static int on_update(void *user, const blpo_metrics *m)
{
    struct run *run = user;
    int64_t bin = (m->steps - 1) * BINS / run->steps;
    if (bin >= BINS)
        bin = BINS - 1;
    run->episodes[bin] += m->update_episodes;
    run->returns[bin] += (double)m->update_episodes * m->update_return_mean;
    if (run->solved_at < 0 && m->window_episodes >= 100 && m->episode_return_mean >= run->task->solved)
        run->solved_at = m->steps;
    run->updates++;
    run->measured += m->diagnostics_measured;
    run->residual += m->relative_residual;
    run->cosine += m->cosine;
    run->direct += m->direct_norm;
    run->implicit += m->implicit_norm;
    run->bound += m->kappa_bound_share;
    run->indefinite += m->indefinite_share;
    return BLPO_CONTINUE;
}

/* -- what a run was like -- */

static void curve_of(const struct run *run, double *curve)
{
    double last = run->task->worst;
    for (int i = 0; i < BINS; i++) {
        if (run->episodes[i] > 0)
            last = run->returns[i] / (double)run->episodes[i];
        curve[i] = last;
    }
}

/* The return at this part of the way from having learned nothing to solved. */
static double level(const struct run *run, double part)
{
    return run->task->worst + part * (run->task->solved - run->task->worst);
}

static int is_stuck(const struct run *run, const double *curve)
{
    for (int i = BINS - 4; i < BINS; i++)
        if (curve[i] >= level(run, 0.1))
            return 0;
    return 1;
}

static int has_collapsed(const struct run *run, const double *curve)
{
    if (run->solved_at < 0)
        return 0;
    for (int64_t i = run->solved_at * BINS / run->steps + 1; i < BINS; i++)
        if (curve[i] < level(run, 0.5))
            return 1;
    return 0;
}

static void print_run(const struct run *run, double seconds)
{
    double curve[BINS], auc = 0.0;
    const double updates = run->updates > 0 ? (double)run->updates : 1.0;
    curve_of(run, curve);
    for (int i = 0; i < BINS; i++)
        auc += curve[i] / BINS;
    printf("task=%s setting=%s kappa=%g seed=%" PRIu64 " steps=%" PRId64 " seconds=%.2f auc=%.2f solved_at=", run->task->name,
           run->setting->name, run->kappa, run->seed, run->steps, seconds, auc);
    if (run->solved_at >= 0)
        printf("%" PRId64, run->solved_at);
    printf(" stuck=%d collapsed=%d residual=%.4g cosine=%.4f direct=%.4g implicit=%.4g bound=%.3f indefinite=%.3f curve=",
           is_stuck(run, curve), has_collapsed(run, curve), run->residual / (run->measured > 0 ? (double)run->measured : 1.0),
           run->cosine / updates, run->direct / updates, run->implicit / updates, run->bound / updates,
           run->indefinite / updates);
    for (int i = 0; i < BINS; i++)
        printf("%s%.2f", i ? "," : "", curve[i]);
    printf("\n");
}

/* -- one run -- */

static void configure(const struct run *run, blpo_config *config)
{
    const struct setting *setting = run->setting;
    if (setting->recommended) {
        blpo_config_recommended(config, sizeof *config);
        config->hypergradient = setting->method == BLPO_METHOD_BLPO;
    } else {
        blpo_config_init(config, sizeof *config);
        blpo_config_set_method(config, setting->method);
        config->kappa = run->kappa;
        config->normalize_advantages = setting->normalized;
    }
    run->task->configure(config);
    config->seed = run->seed;
    config->diagnostics_interval = 20;
    if (setting->method != BLPO_METHOD_BLPO || setting->recommended)
        return;
    config->ihvp_method = setting->ihvp;
    config->ihvp_curvature = setting->curvature;
    config->nystrom_rho = setting->rho;
    config->nystrom_shift = setting->shift;
}

static int train(struct run *run)
{
    blpo_env env;
    blpo_config config;
    blpo_runtime runtime;
    blpo_error error = {0};
    run->task->open(&env);
    configure(run, &config);
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = &error;
    blpo_trainer *trainer = NULL;
    int rc = blpo_trainer_create(&env, &config, &runtime, &trainer);
    if (rc == BLPO_OK)
        rc = blpo_trainer_run(trainer, run->steps, on_update, run);
    if (rc < 0) {
        fprintf(stderr, "%s %s: %s\n", run->task->name, run->setting->name, trainer ? blpo_trainer_error(trainer)->text : error.text);
    } else {
        print_run(run, (double)clock() / CLOCKS_PER_SEC);
    }
    blpo_trainer_destroy(trainer);
    return rc < 0;
}

/* -- the command line -- */

static void list(void)
{
    for (int i = 0; i < N_TASKS; i++)
        printf("task %s\n", tasks[i].name);
    for (int i = 0; i < N_SETTINGS; i++)
        printf("setting %s\n", settings[i].name);
}

static void choose(struct run *run, const char *task, const char *setting)
{
    for (int i = 0; i < N_TASKS; i++)
        if (strcmp(task, tasks[i].name) == 0)
            run->task = &tasks[i];
    for (int i = 0; i < N_SETTINGS; i++)
        if (strcmp(setting, settings[i].name) == 0)
            run->setting = &settings[i];
    if (run->steps == 0 && run->task)
        run->steps = run->task->steps;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"task", required_argument, NULL, 't'},  {"setting", required_argument, NULL, 'm'},
                                            {"kappa", required_argument, NULL, 'k'}, {"seed", required_argument, NULL, 's'},
                                            {"steps", required_argument, NULL, 'n'}, {"list", no_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    struct run run = {.kappa = 1.0, .solved_at = -1};
    const char *task = "", *setting = "";
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 't': task = optarg; break;
        case 'm': setting = optarg; break;
        case 'k': run.kappa = strtod(optarg, NULL); break;
        case 's': run.seed = strtoull(optarg, NULL, 10); break;
        case 'n': run.steps = strtoll(optarg, NULL, 10); break;
        case 'l': list(); return 0;
        default: return 2;
        }
    }
    choose(&run, task, setting);
    if (run.task == NULL || run.setting == NULL || run.steps < 1) {
        fprintf(stderr, "usage: %s --task T --setting S [--kappa K] [--seed N] [--steps N], or --list\n", argv[0]);
        return 2;
    }
    return train(&run);
}
