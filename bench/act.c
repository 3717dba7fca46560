/* One action from one observation: a policy 64-64 tanh, alone, its mode. As a robot has it: one row, nothing batched.
 *
 *     act [--obs N] [--actions N] [--continuous] [--hidden H] [--rows N] [--seconds S] [--serve | --repeat N] */
#include "harness.h"

enum { MAX_OBS = 4096, MAX_ACTIONS = 256 };

typedef struct actor {
    blpo_policy *policy;
    int64_t rows;
    float obs[MAX_OBS];
    union {
        int64_t index[MAX_ACTIONS];
        float number[MAX_ACTIONS];
    } action;
} actor;

static void act(void *user)
{
    actor *a = user;
    bench_check(blpo_policy_act(a->policy, a->obs, a->rows, BLPO_DETERMINISTIC, NULL, &a->action), "act", NULL);
}

static void make(actor *a, int argc, char **argv)
{
    const int64_t hidden[2] = {bench_int(argc, argv, "--hidden", 64), bench_int(argc, argv, "--hidden", 64)};
    uint64_t state = 1;
    blpo_policy_config config;
    blpo_policy_config_init(&config, sizeof config);
    config.obs_dim = bench_int(argc, argv, "--obs", 4);
    config.action.kind = bench_flag(argc, argv, "--continuous") ? BLPO_ACTION_CONTINUOUS : BLPO_ACTION_DISCRETE;
    config.action.n = bench_int(argc, argv, "--actions", 2);
    config.network.hidden = hidden;
    a->rows = bench_int(argc, argv, "--rows", 1);
    bench_check(a->rows * config.obs_dim <= MAX_OBS && a->rows * config.action.n <= MAX_ACTIONS ? 0 : BLPO_ERR_SIZE,
                "--rows, --obs, --actions", NULL);
    for (int64_t i = 0; i < a->rows * config.obs_dim; i++)
        a->obs[i] = bench_noise(&state);
    bench_check(blpo_policy_create(&config, NULL, &a->policy), "policy", NULL);
}

int main(int argc, char **argv)
{
    static actor a;
    make(&a, argc, argv);
    const double seconds = bench_double(argc, argv, "--seconds", 0.2);
    bench_turns turns = bench_begin(argc, argv, "act");
    while (bench_next(&turns))
        bench_line("{\"what\":\"act\",\"rows\":%lld,\"us\":%.4f}", (long long)a.rows, bench_least_us(act, &a, seconds));
    blpo_policy_destroy(a.policy);
    return 0;
}
