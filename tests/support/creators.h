/* Every way to make a handle, as one table: what must hold for all of them is tested once. */
#ifndef BLPO_TESTS_CREATORS_H
#define BLPO_TESTS_CREATORS_H

#include "test.h"

typedef struct creator {
    const char *name;
    int (*create)(const blpo_runtime *runtime, void **out);
    void (*destroy)(void *handle);
} creator;

/* Ends with a name of NULL. */
extern const creator CREATORS[];

/* Small settings that are valid. The environment of the trainer has no callbacks: push mode. */
blpo_policy_config small_policy_config(int32_t kind);
blpo_critic_config small_critic_config(void);
blpo_rollout_config small_rollout_config(void);
blpo_env small_env(void);
blpo_config small_config(void);

#endif
