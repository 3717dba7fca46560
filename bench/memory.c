/* Memory that a trainer holds, counted through its allocator, against what its parts need; and what an update allocates.
 *
 *     memory
 *
 * With p and q parameters of critic and actor, N transitions of a rollout and n of a minibatch (n rows of the actor, 2 n of
 * the critic: final observations may need rows of their own), P pieces of work, o numbers an observation, S layers' widths
 * summed, W the widest of them, 64 rows a tile, numbers of 4 bytes:
 *
 *     parameters, two moments each, of the run and of the update in work; gradients; the solver    14 p + 11 q
 *     rows of the Hessian, and a partial sum a piece                                               k p + P max(k p, q)
 *     activations and signals                                                                      2 n S_q + 4 n S_p
 *     scratch, 16 pieces                                                                           16 x 64 (3 S + 2 W), both networks
 *     rollout; observations of a minibatch                                                         N (2 o + 6); 2 n o
 *
 * Nothing grows with p squared. Method gauss_newton adds n^2 numbers of 8 bytes, and no rows. */
#include "harness.h"
#include "runs.h"

enum { TILE = 64, MOST_PIECES = 16, NUMBER = 4 };

static double larger(double a, double b) { return a > b ? a : b; }

static double widths(const bench_shape *s, int64_t outputs) { return (double)(s->n_hidden * s->hidden + outputs); }

static double parameters(const bench_shape *s, int64_t outputs) { return bench_weights(s, outputs) + bench_biases(s, outputs); }

static double pieces(double rows)
{
    const double tiles = (double)(((int64_t)rows + TILE - 1) / TILE);
    return tiles < MOST_PIECES ? tiles : MOST_PIECES;
}

static double scratch(const bench_shape *s, int64_t outputs)
{
    return MOST_PIECES * TILE * (3.0 * widths(s, outputs) + 2.0 * larger((double)s->hidden, (double)outputs));
}

static double formula(const bench_plan *plan, const bench_shape *s)
{
    const int hypergradient = plan->method->method == BLPO_METHOD_BLPO, rows = plan->method->ihvp == BLPO_IHVP_NYSTROM;
    const double p = parameters(s, 1), q = parameters(s, s->outputs), k = rows ? (double)plan->rank : 0.0;
    const double transitions = (double)(plan->n_envs * plan->n_steps), n = (double)(plan->trajectories * plan->n_steps);
    double numbers = (hypergradient ? 14.0 : 10.0) * p + (hypergradient ? 11.0 : 9.0) * q;
    numbers += k * p + pieces(2.0 * n) * larger(larger(k, 1.0) * p, q);
    numbers += 2.0 * n * widths(s, s->outputs) + 4.0 * n * widths(s, 1);
    numbers += scratch(s, s->outputs) + scratch(s, 1);
    numbers += transitions * (2.0 * (double)s->obs + 6.0) + 2.0 * n * (double)s->obs;
    return NUMBER * numbers;
}

static void measure(const bench_plan *plan)
{
    blpo_runtime runtime;
    bench_memory memory;
    blpo_runtime_init(&runtime, sizeof runtime);
    bench_count_memory(&memory, &runtime);
    bench_run run = bench_run_create(plan, &runtime);
    const bench_memory made = memory;
    bench_check(blpo_trainer_run(run.trainer, plan->n_envs * plan->n_steps, NULL, NULL), "run", NULL);
    bench_line("{\"what\":\"memory\",\"method\":\"%s\",\"T\":%lld,\"envs\":%lld,\"hidden\":%lld,\"k\":%lld,\"observation\":%lld,"
               "\"held\":%lld,\"formula\":%.0f,\"blocks\":%lld,\"by_update\":%lld}",
               plan->method->name, (long long)plan->n_steps, (long long)plan->n_envs, (long long)plan->hidden,
               (long long)plan->rank, (long long)plan->obs, (long long)made.held, formula(plan, &run.shape),
               (long long)made.blocks, (long long)(memory.held - made.held));
    bench_run_destroy(&run);
}

int main(void)
{
    static const struct {
        const char *method;
        int64_t envs, steps, hidden, rank, obs;
    } sizes[] = {{"nystrom", 4, 128, 64, 5, 4},   {"ppo", 4, 128, 64, 5, 4},       {"nystrom", 4, 1024, 64, 5, 4},
                 {"nystrom", 4, 128, 64, 50, 4},  {"nystrom", 4, 128, 256, 5, 4},  {"nystrom", 32, 640, 64, 5, 376},
                 {"cg", 4, 128, 256, 5, 4}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bench_plan plan;
        bench_plan_default(&plan);
        plan.env = "noise";
        plan.method = bench_find_method(sizes[i].method);
        plan.n_envs = sizes[i].envs;
        plan.n_steps = sizes[i].steps;
        plan.hidden = sizes[i].hidden;
        plan.rank = sizes[i].rank;
        plan.obs = sizes[i].obs;
        measure(&plan);
    }
    return 0;
}
