/* Every way to make a handle, as one table: what must hold for all of them is tested once. */
#ifndef BLPO_TESTS_CREATORS_H
#define BLPO_TESTS_CREATORS_H

#include "check.h"
#include "memory.h"
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

/* A handle (policy, critic, rollout) whose config is sound but for one member is refused by name, without an allocation. */
#define REFUSE_SETTING(handle, sound, member, bad, code, name)                                                         \
    do {                                                                                                               \
        counted_memory memory = { 0 };                                                                                 \
        blpo_error error = { 0 };                                                                                      \
        const blpo_runtime runtime = counted_runtime(&memory, &error);                                                 \
        blpo_##handle##_config config = sound;                                                                         \
        config.member = bad;                                                                                           \
        blpo_##handle *out = NULL;                                                                                     \
        assert_status(blpo_##handle##_create(&config, &runtime, &out), code);                                          \
        assert_null(out);                                                                                              \
        assert_int_equal(memory.calls, 0);                                                                             \
        assert_error_names(&error, code, name);                                                                        \
    } while (0)

#endif
