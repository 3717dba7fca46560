/* An environment whose every number is known beforehand, in all three autoreset modes, that watches how it is called and
 * fails on request.
 *
 * Episode k of environment e has 3 + (e + k) % 3 steps; it ends terminated, truncated or both for (e + k) % 3 = 0, 1, 2.
 * Its observation after t steps is (e/4 + (k % 4)/2, t/8): exact in binary. The reward of the step from t is 1/2 + t/4, plus
 * 1/2 times the action where `reacts` (continuous: minus a^2 / 4). */
#ifndef BLPO_TESTS_SCRIPT_H
#define BLPO_TESTS_SCRIPT_H

#include "test.h"

enum { SCRIPT_MAX_ENVS = 8, SCRIPT_OBS = 2 };

typedef enum script_fault {
    SCRIPT_NONE,
    SCRIPT_ROW_FAILS,   /* step returns 3, failed of that row set, its numbers NaN */
    SCRIPT_ALL_FAIL,    /* step returns 3, no failed row set */
    SCRIPT_GIVES_UP,    /* step returns -4 */
    SCRIPT_NAN_OBS,     /* obs[1] of that row is NaN */
    SCRIPT_INF_OBS,     /* obs[0] of that row is infinite */
    SCRIPT_NAN_REWARD,  /* reward of that row is NaN */
    SCRIPT_BAD_FLAG,    /* terminated of that row is 2 */
    SCRIPT_RESET_FAILS, /* reset returns 6 */
    SCRIPT_RESET_NAN,   /* obs[1] of that row after reset is NaN */
    SCRIPT_HUGE_REWARD  /* reward is half the largest number */
} script_fault;

typedef struct script_state {
    int64_t episode[SCRIPT_MAX_ENVS]; /* -1 before the first reset */
    int64_t time[SCRIPT_MAX_ENVS];
    int64_t waits[SCRIPT_MAX_ENVS];   /* 1: a reset has to come before, or in, the next step */
    int64_t steps[SCRIPT_MAX_ENVS];   /* steps taken, failed ones left out */
    int64_t resets[SCRIPT_MAX_ENVS];  /* by the library */
} script_state;

typedef struct script {
    int64_t n_envs;
    int64_t first_env;  /* number of environment 0 in the formulas above */
    int32_t autoreset;
    int continuous;
    int reacts;
    int64_t concurrent_rows; /* of the environment; one thread only: its counters are shared */
    script_state now;
    uint64_t seed[SCRIPT_MAX_ENVS]; /* of the last reset */

    int64_t violations; /* of the contract of env.h by the library */
    int64_t step_calls, reset_calls;
    double last_action[SCRIPT_MAX_ENVS];

    script_fault fault;
    int64_t fault_env;
    int64_t fault_step;  /* the first step that finds so many steps of that environment taken, or resets made */
    int64_t fault_times; /* then that often */
    int save_fails, load_fails;
    void (*inside)(struct script *self); /* NULL, or called first in each callback */
    void *inside_data;
} script;

script script_new(int64_t n_envs, int32_t autoreset);

/* The environment over it, with step, reset, save and load. */
blpo_env script_env(script *s);

int64_t script_length(int64_t e, int64_t k);
int script_terminates(int64_t e, int64_t k);
int script_truncates(int64_t e, int64_t k);
void script_obs(int64_t e, int64_t k, int64_t t, test_real obs[SCRIPT_OBS]);
double script_reward(int64_t t);

/* Push mode over the same environment: resets what waits (DISABLED), acts, steps, observes. Returns what observe, or the
 * call that failed, returned. The observations that act sees are kept in `obs` [n_envs][SCRIPT_OBS]. */
int script_push(script *s, blpo_trainer *trainer, test_real *obs);

/* A configuration for it that is small and quick: 8 steps, 2 epochs, networks 2-4-n. */
blpo_config script_config(void);

/* A trainer over it; create must succeed. config, runtime: NULL for script_config() and defaults. */
blpo_trainer *script_trainer(script *s, const blpo_config *config, const blpo_runtime *runtime);

#endif
