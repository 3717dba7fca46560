/* Structs that carry their size: init functions write what they are told and no more; create reads a shorter or longer
 * struct as the header says. */
#include "support/check.h"
#include "support/creators.h"
#include "support/spectra.h"

#include <string.h>

enum { TAIL = 64, MARK = 0xA5 };

#define WRAP(function, type)                                                                                           \
    static int wrap_##function(void *p, size_t size)                                                                   \
    {                                                                                                                  \
        return function((type *)p, size);                                                                              \
    }
WRAP(blpo_runtime_init, blpo_runtime)
WRAP(blpo_problem_init, blpo_problem)
WRAP(blpo_hypergrad_config_init, blpo_hypergrad_config)
WRAP(blpo_policy_config_init, blpo_policy_config)
WRAP(blpo_critic_config_init, blpo_critic_config)
WRAP(blpo_rollout_config_init, blpo_rollout_config)
WRAP(blpo_env_init, blpo_env)
WRAP(blpo_config_init, blpo_config)
WRAP(blpo_config_recommended, blpo_config)

typedef struct initialiser {
    int (*init)(void *p, size_t size);
    size_t size;
    size_t least; /* the size up to the last field of 0.1 */
} initialiser;

#define UP_TO(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

static const initialiser INIT[] = {
    { wrap_blpo_runtime_init, sizeof(blpo_runtime), sizeof(blpo_runtime) },
    { wrap_blpo_problem_init, sizeof(blpo_problem), UP_TO(blpo_problem, mixed_product) },
    { wrap_blpo_hypergrad_config_init, sizeof(blpo_hypergrad_config), UP_TO(blpo_hypergrad_config, seed) },
    { wrap_blpo_policy_config_init, sizeof(blpo_policy_config), sizeof(blpo_policy_config) },
    { wrap_blpo_critic_config_init, sizeof(blpo_critic_config), UP_TO(blpo_critic_config, seed) },
    { wrap_blpo_rollout_config_init, sizeof(blpo_rollout_config), sizeof(blpo_rollout_config) },
    { wrap_blpo_env_init, sizeof(blpo_env), UP_TO(blpo_env, load) },
    { wrap_blpo_config_init, sizeof(blpo_config), UP_TO(blpo_config, critic) },
    { wrap_blpo_config_recommended, sizeof(blpo_config), UP_TO(blpo_config, ihvp_curvature) },
};

enum { ROOM = 1024 };

static void assert_marked(const unsigned char *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_int_equal(bytes[i], MARK);
}

typedef union storage {
    max_align_t align;
    unsigned char bytes[ROOM];
} storage;

static void init_writes_struct_size_bytes_and_no_more(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(INIT); i++) {
        storage s;
        size_t written;
        memset(&s, MARK, sizeof s);
        assert_status(INIT[i].init(&s, INIT[i].size), BLPO_OK);
        memcpy(&written, &s, sizeof written);
        assert_int_equal(written, INIT[i].size);
        assert_marked(s.bytes, INIT[i].size, ROOM);
    }
}

/* A program built against newer headers: what this library does not know becomes 0, the older behaviour. */
static void init_fills_a_longer_struct_with_zeroes(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(INIT); i++) {
        storage s;
        size_t written;
        memset(&s, MARK, sizeof s);
        assert_status(INIT[i].init(&s, INIT[i].size + 24), BLPO_OK);
        memcpy(&written, &s, sizeof written);
        assert_int_equal(written, INIT[i].size + 24);
        for (size_t j = 0; j < 24; j++)
            assert_int_equal(s.bytes[INIT[i].size + j], 0);
        assert_marked(s.bytes, INIT[i].size + 24, ROOM);
    }
}

static void init_refuses_a_shorter_struct_and_writes_nothing(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(INIT); i++) {
        const size_t sizes[4] = { 0, 1, sizeof(size_t), INIT[i].least - 8 };
        for (int j = 0; j < 4; j++) {
            storage s;
            memset(&s, MARK, sizeof s);
            assert_status(INIT[i].init(&s, sizes[j]), BLPO_ERR_VERSION);
            assert_marked(s.bytes, 0, ROOM);
        }
    }
}

/* A size that is none, as memory has it that nobody set. */
static void init_refuses_a_size_that_cannot_be(void **state)
{
    (void)state;
    static const size_t sizes[3] = { 65537, (size_t)0x4141414141414141, SIZE_MAX };
    for (int64_t i = 0; i < TEST_COUNT(INIT); i++)
        for (int j = 0; j < 3; j++) {
            storage s;
            memset(&s, MARK, sizeof s);
            assert_status(INIT[i].init(&s, sizes[j]), BLPO_ERR_VERSION);
            assert_marked(s.bytes, 0, ROOM);
        }
}

static void init_refuses_null(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(INIT); i++)
        assert_status(INIT[i].init(NULL, INIT[i].size), BLPO_ERR_NULL);
}

/* Which of the structs that go into one create call is changed. */
typedef enum part { PART_FIRST, PART_SECOND, PART_RUNTIME } part;

/* To be declared in place of the size: shorter than any; and what nobody set. */
#define CUT ((size_t)-1)
#define UNSET ((size_t)0x4141414141414141)

/* A struct of `size` bytes followed by a tail that this library does not know; its struct_size says so. */
typedef struct grown {
    storage s;
} grown;

static void grow(grown *out, const void *in, size_t size, size_t change, unsigned char last)
{
    memset(out, 0, sizeof *out);
    memcpy(&out->s, in, size);
    const size_t declared = change == CUT ? 2 * sizeof(size_t) : change == UNSET ? UNSET : size + change;
    memcpy(&out->s, &declared, sizeof declared);
    if (declared > size && change != UNSET)
        out->s.bytes[declared - 1] = last;
}

static blpo_error reported; /* by the last create */

static int reporting_runtime(blpo_runtime *runtime)
{
    memset(&reported, 0, sizeof reported);
    const int code = blpo_runtime_init(runtime, sizeof *runtime);
    runtime->error = &reported;
    return code;
}

/* Creates and destroys one handle of each kind with one of its structs grown by `change` bytes, or cut (CUT). */
static int create_policy_with(part which, size_t change, unsigned char last)
{
    const blpo_policy_config config = small_policy_config(BLPO_ACTION_DISCRETE);
    blpo_runtime runtime;
    assert_status(reporting_runtime(&runtime), BLPO_OK);
    grown c, r;
    grow(&c, &config, sizeof config, which == PART_FIRST ? change : 0, last);
    grow(&r, &runtime, sizeof runtime, which == PART_RUNTIME ? change : 0, last);
    blpo_policy *out = NULL;
    const int code = blpo_policy_create((void *)&c, (void *)&r, &out);
    assert_true((code == BLPO_OK) == (out != NULL));
    blpo_policy_destroy(out);
    return code;
}

static int create_critic_with(part which, size_t change, unsigned char last)
{
    const blpo_critic_config config = small_critic_config();
    blpo_runtime runtime;
    assert_status(reporting_runtime(&runtime), BLPO_OK);
    grown c, r;
    grow(&c, &config, sizeof config, which == PART_FIRST ? change : 0, last);
    grow(&r, &runtime, sizeof runtime, which == PART_RUNTIME ? change : 0, last);
    blpo_critic *out = NULL;
    const int code = blpo_critic_create((void *)&c, (void *)&r, &out);
    assert_true((code == BLPO_OK) == (out != NULL));
    blpo_critic_destroy(out);
    return code;
}

static int create_rollout_with(part which, size_t change, unsigned char last)
{
    const blpo_rollout_config config = small_rollout_config();
    blpo_runtime runtime;
    assert_status(reporting_runtime(&runtime), BLPO_OK);
    grown c, r;
    grow(&c, &config, sizeof config, which == PART_FIRST ? change : 0, last);
    grow(&r, &runtime, sizeof runtime, which == PART_RUNTIME ? change : 0, last);
    blpo_rollout *out = NULL;
    const int code = blpo_rollout_create((void *)&c, (void *)&r, &out);
    assert_true((code == BLPO_OK) == (out != NULL));
    blpo_rollout_destroy(out);
    return code;
}

static int create_solver_with(part which, size_t change, unsigned char last)
{
    static const double one = 1.0;
    quadratic quad = { .p = 1, .hessian = &one };
    const blpo_problem problem = quadratic_problem(&quad, 1);
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 1, 1.0, 1.0);
    blpo_runtime runtime;
    assert_status(reporting_runtime(&runtime), BLPO_OK);
    grown p, c, r;
    grow(&p, &problem, sizeof problem, which == PART_FIRST ? change : 0, last);
    grow(&c, &config, sizeof config, which == PART_SECOND ? change : 0, last);
    grow(&r, &runtime, sizeof runtime, which == PART_RUNTIME ? change : 0, last);
    blpo_hypergrad *out = NULL;
    const int code = blpo_hypergrad_create((void *)&p, (void *)&c, (void *)&r, &out);
    assert_true((code == BLPO_OK) == (out != NULL));
    blpo_hypergrad_destroy(out);
    return code;
}

static int create_trainer_with(part which, size_t change, unsigned char last)
{
    const blpo_env env = small_env();
    const blpo_config config = small_config();
    blpo_runtime runtime;
    assert_status(reporting_runtime(&runtime), BLPO_OK);
    grown e, c, r;
    grow(&e, &env, sizeof env, which == PART_FIRST ? change : 0, last);
    grow(&c, &config, sizeof config, which == PART_SECOND ? change : 0, last);
    grow(&r, &runtime, sizeof runtime, which == PART_RUNTIME ? change : 0, last);
    blpo_trainer *out = NULL;
    const int code = blpo_trainer_create((void *)&e, (void *)&c, (void *)&r, &out);
    assert_true((code == BLPO_OK) == (out != NULL));
    blpo_trainer_destroy(out);
    return code;
}

typedef struct maker {
    int (*create)(part which, size_t change, unsigned char last);
    part last_part; /* that comes before the runtime */
} maker;

static const maker MAKERS[] = {
    { create_policy_with, PART_FIRST }, { create_critic_with, PART_FIRST },   { create_rollout_with, PART_FIRST },
    { create_solver_with, PART_SECOND }, { create_trainer_with, PART_SECOND },
};

static void check_all(size_t change, unsigned char last, int expected)
{
    for (int64_t i = 0; i < TEST_COUNT(MAKERS); i++) {
        for (int which = PART_FIRST; which <= (int)MAKERS[i].last_part; which++) {
            assert_status(MAKERS[i].create((part)which, change, last), expected);
            if (expected != BLPO_OK)
                assert_error_names(&reported, expected, "struct_size");
        }
        assert_status(MAKERS[i].create(PART_RUNTIME, change, last), expected);
        if (expected != BLPO_OK && change < ROOM) /* longer than is known: `error` is where it always was */
            assert_error_names(&reported, expected, "struct_size");
        else
            assert_int_equal(reported.code, 0); /* a size that cannot be vouches for no address in it */
    }
}

static void a_longer_struct_with_a_zero_tail_is_taken(void **state)
{
    (void)state;
    check_all(0, 0, BLPO_OK);
    check_all(40, 0, BLPO_OK);
}

static void an_unknown_tail_that_is_not_zero_is_refused(void **state)
{
    (void)state;
    check_all(1, 1, BLPO_ERR_VERSION);
    check_all(40, 0x80, BLPO_ERR_VERSION);
}

static void a_shorter_struct_is_refused(void **state)
{
    (void)state;
    check_all(CUT, 0, BLPO_ERR_VERSION);
    for (int64_t i = 0; i < TEST_COUNT(MAKERS); i++)
        assert_status(MAKERS[i].create(PART_RUNTIME, (size_t)8 - sizeof(blpo_runtime), 0), BLPO_ERR_VERSION);
}

static void a_size_that_nobody_set_is_refused(void **state)
{
    (void)state;
    check_all(UNSET, 0, BLPO_ERR_VERSION);
}

/* --- structs that are filled for the caller --- */

static blpo_trainer *full_trainer(void)
{
    const blpo_env env = small_env();
    const blpo_config config = small_config();
    const test_real obs[6] = { 0 }, reward[2] = { 0 };
    const uint8_t no[2] = { 0 };
    const blpo_transition transition = { sizeof transition, obs, reward, no, no, NULL };
    blpo_trainer *trainer = NULL;
    assert_status(blpo_trainer_create(&env, &config, NULL, &trainer), BLPO_OK);
    for (int t = 0; t < 8; t++) {
        int64_t action[2];
        assert_status(blpo_trainer_act(trainer, obs, action), BLPO_OK);
        assert_true(blpo_trainer_observe(trainer, &transition) >= 0);
    }
    return trainer;
}

/* Each call that fills one, with a struct of that size in `s`. */
static void check_outputs(const blpo_trainer *trainer, blpo_hypergrad *solver, storage *s, int expected)
{
    assert_status(blpo_trainer_get_metrics(trainer, (blpo_metrics *)s), expected);
    assert_status(blpo_rollout_get_view(blpo_trainer_rollout(trainer), (blpo_rollout_view *)s), expected);
    assert_status(blpo_hypergrad_get_stats(solver, (blpo_hypergrad_stats *)s), expected);
    assert_status(blpo_build_info((blpo_build *)s), expected);
}

/* Such a struct is not written to, nor is the work done that it should tell of: the caller would not know how it went. */
static void an_output_whose_size_nobody_set_is_left_alone(void **state)
{
    (void)state;
    static const double one = 1.0;
    static const size_t sizes[4] = { 0, 65537, UNSET, SIZE_MAX };
    quadratic quad = { .p = 1, .hessian = &one };
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, 1, 1.0, 1.0);
    blpo_hypergrad *solver = solver_new(&quad, 1, &config);
    blpo_trainer *trainer = full_trainer();
    for (int i = 0; i < 4; i++) {
        test_real v = 1, x = 5;
        storage s;
        memset(&s, MARK, sizeof s);
        memcpy(&s, &sizes[i], sizeof sizes[i]);
        check_outputs(trainer, solver, &s, BLPO_ERR_VERSION);
        assert_status(blpo_hypergrad_solve(solver, &v, &x, (blpo_hypergrad_report *)&s), BLPO_ERR_VERSION);
        assert_status(blpo_trainer_update(trainer, (blpo_metrics *)&s), BLPO_ERR_VERSION);
        assert_marked(s.bytes, sizeof(size_t), ROOM);
        assert_true(x == 5 && blpo_rollout_full(blpo_trainer_rollout(trainer)));
    }
    blpo_hypergrad_destroy(solver);
    blpo_trainer_destroy(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_writes_struct_size_bytes_and_no_more),
        cmocka_unit_test(init_fills_a_longer_struct_with_zeroes),
        cmocka_unit_test(init_refuses_a_shorter_struct_and_writes_nothing),
        cmocka_unit_test(init_refuses_a_size_that_cannot_be),
        cmocka_unit_test(init_refuses_null),
        cmocka_unit_test(a_longer_struct_with_a_zero_tail_is_taken),
        cmocka_unit_test(an_unknown_tail_that_is_not_zero_is_refused),
        cmocka_unit_test(a_shorter_struct_is_refused),
        cmocka_unit_test(a_size_that_nobody_set_is_refused),
        cmocka_unit_test(an_output_whose_size_nobody_set_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
