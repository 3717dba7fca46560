/* Memory that a trainer holds, counted through its allocator, against what its parts need; and what an update allocates.
 *
 *     memory
 *
 * With p and q parameters of critic and actor, N transitions of a rollout and n of a minibatch (n rows of the actor, 2 n of
 * the critic: final observations may need rows of their own), P(rows) pieces of work, o numbers an observation, S layers'
 * widths summed, W the widest of them, t rows a tile, numbers of 4 bytes:
 *
 *     parameters, also turned for inference, moments of the run and of the update in work; gradients; the solver
 *                                                                                         15 p + 12 q (11 p + 10 q without)
 *     rows of the Hessian, and a partial sum a piece; the core                            k p + P(2 n) max(k p, q) + 4 k^2
 *     in the space of samples, w = k rounded up to 16, h the first layer's width:         k p + P(2 n) max(p, q) + 4 k^2 + 2 n^2
 *                                          + 6 n w + 2 w^2 + 2 (o + 1) h w + 7 n k + n h + (n + h) (o + 1) k + k h
 *     activations and signals                                                             2 n S_q + 4 n S_p
 *     scratch of a piece                                                                  P(n) t (3 S_q + W_q), P(2 n) t (3 S_p + W_p)
 *     rollout; minibatch                                                                  N (2 o + 6); n (2 o + 30)
 *
 * Nothing of this grows with p squared. Method gauss_newton adds n^2 numbers of 8 bytes, and no rows; method dense 2 p^2, and the
 * exact response of a linear critic 2 p^2 (4 p^2 with several processes): neither is measured here. */
#include "harness.h"
#include "runs.h"

#include "core/parallel.h"
#include "train/trainer.h"

#include <math.h>

enum { NUMBER = 4 };

static double larger(double a, double b) { return a > b ? a : b; }

static double widths(const bench_shape *s, int64_t outputs) { return (double)(s->n_hidden * s->hidden + outputs); }

static double parameters(const bench_shape *s, int64_t outputs) { return bench_weights(s, outputs) + bench_biases(s, outputs); }

static double scratch(const bench_shape *s, int64_t outputs, int64_t rows)
{
    const double widest = larger((double)s->hidden, (double)outputs);
    return (double)(blpo__n_pieces(rows) * BLPO__TILE) * (3.0 * widths(s, outputs) + widest);
}

/* What takes the place of more than one row in the sums of the pieces. */
static double in_samples(const bench_shape *s, double n, double k)
{
    const double w = 16.0 * ceil(k / 16.0), inputs = (double)s->obs + 1.0, h = (double)s->hidden;
    return 2.0 * n * n + 6.0 * n * w + 2.0 * w * w + 2.0 * inputs * h * w + 7.0 * n * k + n * h + (n + h) * inputs * k + k * h;
}

static double formula(const bench_plan *plan, const bench_shape *s, int samples)
{
    const int hypergradient = plan->method->method == BLPO_METHOD_BLPO, rows = plan->method->ihvp == BLPO_IHVP_NYSTROM;
    const double p = parameters(s, 1), q = parameters(s, s->outputs), k = rows ? (double)plan->rank : 0.0;
    const int64_t minibatch = plan->trajectories * plan->n_steps;
    const double transitions = (double)(plan->n_envs * plan->n_steps), n = (double)minibatch;
    double numbers = hypergradient ? 15.0 * p + 12.0 * q : 11.0 * p + 10.0 * q;
    numbers += k * p + (double)(blpo__n_pieces(2 * minibatch) - 1) * larger((samples ? 1.0 : larger(k, 1.0)) * p, q) + 4.0 * k * k;
    numbers += samples ? in_samples(s, n, k) : 0.0;
    numbers += 2.0 * n * widths(s, s->outputs) + 4.0 * n * widths(s, 1);
    numbers += scratch(s, s->outputs, minibatch) + scratch(s, 1, 2 * minibatch);
    numbers += transitions * (2.0 * (double)s->obs + 6.0) + n * (2.0 * (double)s->obs + 30.0);
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
    const int samples = run.trainer->game.row_factors != NULL;
    bench_check(blpo_trainer_run(run.trainer, plan->n_envs * plan->n_steps, NULL, NULL), "run", NULL);
    bench_line("{\"what\":\"memory\",\"method\":\"%s\",\"T\":%lld,\"envs\":%lld,\"hidden\":%lld,\"k\":%lld,\"observation\":%lld,"
               "\"held\":%lld,\"formula\":%.0f,\"blocks\":%lld,\"by_update\":%lld}",
               plan->method->name, (long long)plan->n_steps, (long long)plan->n_envs, (long long)plan->hidden,
               (long long)plan->rank, (long long)plan->obs, (long long)made.held, formula(plan, &run.shape, samples),
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
