/* End to end: environment steps a second, collecting and updating together.
 *
 *     train [--env cartpole|pendulum|noise] [--method NAME] [--steps N] [--threads N] [--rows T] [--hidden H] [--rank K]
 *           [--envs N] [--epochs N] [--trainers N --jobs J] [--serve | --repeat N]
 *
 * One measurement is N more steps of a trainer that has been warmed up by two updates. With --trainers there are several,
 * with seeds of their own, shared out over J threads: the time is that until all are done. Steps a second are by processor time
 * of one thread, and by wall time of several: processor time would count them as one. */
#include "harness.h"
#include "runs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MAX_TRAINERS = 64 };

typedef struct crew {
    bench_run run[MAX_TRAINERS];
    int64_t n, jobs, steps;
    _Atomic int64_t next;
} crew;

static void advance(bench_run *run, int64_t steps)
{
    bench_check(blpo_trainer_run(run->trainer, steps, NULL, NULL), "run", blpo_trainer_error(run->trainer));
}

/* Each thread takes the next trainer that nobody has. */
static void *work(void *user)
{
    crew *all = user;
    for (int64_t i; (i = atomic_fetch_add(&all->next, 1)) < all->n;)
        advance(&all->run[i], all->steps);
    return NULL;
}

static void run_all(crew *all)
{
    pthread_t thread[MAX_TRAINERS];
    all->next = 0;
    for (int64_t i = 1; i < all->jobs; i++)
        if (pthread_create(&thread[i], NULL, work, all) != 0)
            exit(1);
    work(all);
    for (int64_t i = 1; i < all->jobs; i++)
        pthread_join(thread[i], NULL);
}

static void measure(crew *all, const bench_plan *plan)
{
    const double wall = bench_wall(), cpu = bench_cpu();
    run_all(all);
    const double seconds = bench_wall() - wall, busy = bench_cpu() - cpu;
    const double steps = (double)(all->n * all->steps);
    const int alone = plan->threads == 1 && all->jobs == 1;
    bench_line("{\"what\":\"train\",\"env\":\"%s\",\"method\":\"%s\",\"threads\":%lld,\"trainers\":%lld,\"jobs\":%lld,"
               "\"steps\":%.0f,\"wall\":%.6f,\"cpu\":%.6f,\"steps_per_s\":%.1f,\"flops_per_step\":%.1f}",
               plan->env, plan->method->name, (long long)plan->threads, (long long)all->n, (long long)all->jobs, steps,
               seconds, busy, steps / (alone ? busy : seconds), all->run[0].update_flops / (double)(plan->n_envs * plan->n_steps));
}

int main(int argc, char **argv)
{
    static crew all;
    bench_plan plan;
    bench_plan_default(&plan);
    bench_plan_options(&plan, argc, argv);
    all.n = bench_int(argc, argv, "--trainers", 1);
    all.jobs = bench_int(argc, argv, "--jobs", 1);
    all.n = all.n < 1 ? 1 : all.n > MAX_TRAINERS ? MAX_TRAINERS : all.n;
    all.jobs = all.jobs < 1 ? 1 : all.jobs > all.n ? all.n : all.jobs;
    const int64_t rollout = plan.n_envs * plan.n_steps, wanted = bench_int(argc, argv, "--steps", 40 * rollout);
    all.steps = (wanted + rollout - 1) / rollout * rollout;
    for (int64_t i = 0; i < all.n; i++, plan.seed++) {
        all.run[i] = bench_run_create(&plan, NULL);
        advance(&all.run[i], 2 * rollout);
    }
    bench_turns turns = bench_begin(argc, argv, "train");
    while (bench_next(&turns))
        measure(&all, &plan);
    for (int64_t i = 0; i < all.n; i++)
        bench_run_destroy(&all.run[i]);
    return 0;
}
