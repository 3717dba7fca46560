/* What every handle takes from its host: memory that is all given back, settings that are checked first. */
#include "support/check.h"
#include "support/creators.h"
#include "support/memory.h"

#include <stdio.h>
#include <string.h>

static char sentinel;

static void version_and_abi_are_those_of_the_headers(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(blpo_version(), BLPO_VERSION_STRING);
    assert_int_equal(blpo_abi_version(), BLPO_ABI_VERSION);
    snprintf(text, sizeof text, "%d.%d.%d", BLPO_VERSION_MAJOR, BLPO_VERSION_MINOR, BLPO_VERSION_PATCH);
    assert_string_equal(text, BLPO_VERSION_STRING);
}

static void build_info_says_what_runs(void **state)
{
    (void)state;
    blpo_build build;
    memset(&build, 0xA5, sizeof build);
    build.struct_size = sizeof build;
    assert_status(blpo_build_info(&build), BLPO_OK);
    assert_int_equal(build.struct_size, sizeof build);
    assert_string_equal(build.version, blpo_version());
    assert_true(strlen(build.compiler) > 0 && strlen(build.random) > 0 && strlen(build.simd) > 0);
    assert_true(strlen(build.blas_kernels) > 0 && strlen(build.kernels) > 0);
    assert_non_null(build.blas_config);
    assert_true(!strcmp(build.blas, "OpenBLAS") || !strcmp(build.blas, "BLIS") || !strcmp(build.blas, "CBLAS"));
    assert_true(build.blas_kernels_generic == 0 || build.blas_kernels_generic == 1);
    assert_int_equal(build.lapack_int_bytes, 4);
}

static void build_info_refuses_null_and_a_short_struct(void **state)
{
    (void)state;
    blpo_build build = { .struct_size = offsetof(blpo_build, lapack_int_bytes) };
    const blpo_build before = build;
    assert_status(blpo_build_info(&build), BLPO_ERR_VERSION);
    assert_memory_equal(&build, &before, sizeof build);
    assert_status(blpo_build_info(NULL), BLPO_ERR_NULL);
}

static void assert_missing(blpo_error *error, int code, const char *name)
{
    assert_status(code, BLPO_ERR_NULL);
    assert_error_names(error, BLPO_ERR_NULL, name);
    assert_string_equal(error->field, name);
    assert_int_equal(error->stage, BLPO_STAGE_CREATE);
    memset(error, 0, sizeof *error);
}

/* A NULL is said by name where the caller lent a record: where it stands first, and where the handle should go. */
static void create_names_the_argument_that_is_missing(void **state)
{
    (void)state;
    const blpo_policy_config of_policy = small_policy_config(BLPO_ACTION_DISCRETE);
    const blpo_critic_config of_critic = small_critic_config();
    const blpo_rollout_config of_rollout = small_rollout_config();
    const blpo_env env = small_env();
    blpo_problem problem;
    blpo_policy *policy = NULL;
    blpo_critic *critic = NULL;
    blpo_rollout *rollout = NULL;
    blpo_hypergrad *solver = NULL;
    blpo_trainer *trainer = NULL;
    blpo_error error = { 0 };
    blpo_runtime r;
    assert_status(blpo_runtime_init(&r, sizeof r), BLPO_OK);
    assert_status(blpo_problem_init(&problem, sizeof problem), BLPO_OK);
    r.error = &error;
    assert_missing(&error, blpo_policy_create(NULL, &r, &policy), "config");
    assert_missing(&error, blpo_policy_create(&of_policy, &r, NULL), "out");
    assert_missing(&error, blpo_policy_load(NULL, 3, &r, &policy), "bytes");
    assert_missing(&error, blpo_policy_load("abc", 3, &r, NULL), "out");
    assert_missing(&error, blpo_critic_create(NULL, &r, &critic), "config");
    assert_missing(&error, blpo_critic_create(&of_critic, &r, NULL), "out");
    assert_missing(&error, blpo_rollout_create(NULL, &r, &rollout), "config");
    assert_missing(&error, blpo_rollout_create(&of_rollout, &r, NULL), "out");
    assert_missing(&error, blpo_hypergrad_create(NULL, NULL, &r, &solver), "problem");
    assert_missing(&error, blpo_hypergrad_create(&problem, NULL, &r, NULL), "out");
    assert_missing(&error, blpo_trainer_create(NULL, NULL, &r, &trainer), "env");
    assert_missing(&error, blpo_trainer_create(&env, NULL, &r, NULL), "out");
    r.struct_size = 8; /* vouches for no address in it */
    assert_status(blpo_trainer_create(NULL, NULL, &r, &trainer), BLPO_ERR_NULL);
    assert_int_equal(error.code, 0);
}

/* The counting allocator fills memory with NaN and checks alignment, sizes and the bytes behind each block. */
static void all_memory_comes_from_the_allocator_and_is_given_back(void **state)
{
    (void)state;
    for (const creator *c = CREATORS; c->name; c++) {
        counted_memory memory = { 0 };
        const blpo_runtime runtime = counted_runtime(&memory, NULL);
        void *handle = NULL;
        assert_status(c->create(&runtime, &handle), BLPO_OK);
        assert_true(memory.calls > 0);
        c->destroy(handle);
        assert_all_released(&memory);
    }
}

static void the_runtime_is_copied(void **state)
{
    (void)state;
    for (const creator *c = CREATORS; c->name; c++) {
        counted_memory memory = { 0 };
        blpo_error *error = test_malloc(sizeof *error);
        blpo_runtime *runtime = test_malloc(sizeof *runtime);
        *runtime = counted_runtime(&memory, error);
        void *handle = NULL;
        assert_status(c->create(runtime, &handle), BLPO_OK);
        memset(runtime, 0xFF, sizeof *runtime);
        test_free(runtime);
        test_free(error);
        c->destroy(handle);
        assert_all_released(&memory);
    }
}

/* Each allocation of each create is made to fail once. */
static void create_unwinds_when_any_allocation_fails(void **state)
{
    (void)state;
    for (const creator *c = CREATORS; c->name; c++) {
        counted_memory whole = { 0 };
        blpo_runtime runtime = counted_runtime(&whole, NULL);
        void *handle = NULL;
        assert_status(c->create(&runtime, &handle), BLPO_OK);
        c->destroy(handle);
        for (int64_t n = 1; n <= whole.calls; n++) {
            counted_memory memory = { .fail_at = n };
            blpo_error error = { 0 };
            runtime = counted_runtime(&memory, &error);
            handle = &sentinel;
            assert_status(c->create(&runtime, &handle), BLPO_ERR_NOMEM);
            assert_ptr_equal(handle, &sentinel);
            assert_int_equal(error.code, BLPO_ERR_NOMEM);
            assert_all_released(&memory);
        }
    }
}

/* Also with threads of the library's own, whose stacks and locks must not be left behind. */
static void create_with_threads_unwinds_when_any_allocation_fails(void **state)
{
    (void)state;
    for (const creator *c = CREATORS; c->name; c++) {
        counted_memory memory = { 0 };
        blpo_runtime runtime = counted_runtime(&memory, NULL);
        runtime.n_threads = 3;
        void *handle = NULL;
        assert_status(c->create(&runtime, &handle), BLPO_OK);
        c->destroy(handle);
        assert_all_released(&memory);
        const int64_t calls = memory.calls;
        for (int64_t n = 1; n <= calls; n++) {
            memory = (counted_memory){ .fail_at = n };
            handle = &sentinel;
            assert_status(c->create(&runtime, &handle), BLPO_ERR_NOMEM);
            assert_ptr_equal(handle, &sentinel);
            assert_all_released(&memory);
        }
    }
}

static void no_parallel(void *user, int64_t n, blpo_task_fn task, void *context)
{
    (void)user;
    for (int64_t i = 0; i < n; i++)
        task(context, i);
}

static int no_reduce(void *user, test_real *buffer, int64_t n)
{
    (void)user;
    (void)buffer;
    (void)n;
    return 0;
}

/* Every create refuses the runtime by the name of its field, takes no memory and leaves *out. */
static void check_refused(blpo_runtime runtime, const char *field)
{
    for (const creator *c = CREATORS; c->name; c++) {
        counted_memory memory = { 0 };
        blpo_error error = { 0 };
        runtime.allocator_user = &memory;
        runtime.error = &error;
        void *handle = &sentinel;
        assert_status(c->create(&runtime, &handle), BLPO_ERR_CONFIG);
        assert_ptr_equal(handle, &sentinel);
        assert_error_names(&error, BLPO_ERR_CONFIG, field);
        assert_int_equal(memory.calls, 0);
    }
}

static blpo_runtime watched(void)
{
    return counted_runtime(NULL, NULL);
}

static void n_threads_out_of_range_is_refused(void **state)
{
    (void)state;
    static const int64_t bad[4] = { 0, -1, 257, INT64_MAX };
    for (int i = 0; i < 4; i++) {
        blpo_runtime runtime = watched();
        runtime.n_threads = bad[i];
        check_refused(runtime, "n_threads");
    }
}

static void a_parallel_hook_and_own_threads_exclude_each_other(void **state)
{
    (void)state;
    blpo_runtime runtime = watched();
    runtime.parallel_for = no_parallel;
    runtime.n_threads = 2;
    check_refused(runtime, "n_threads");
}

static void processes_out_of_range_are_refused(void **state)
{
    (void)state;
    blpo_runtime runtime = watched();
    runtime.all_reduce = no_reduce;
    runtime.n_processes = 0;
    check_refused(runtime, "n_processes");
    runtime.n_processes = -3;
    check_refused(runtime, "n_processes");
    runtime.n_processes = 2;
    runtime.process_index = 2;
    check_refused(runtime, "process_index");
    runtime.process_index = -1;
    check_refused(runtime, "process_index");
}

static void several_processes_without_all_reduce_are_refused(void **state)
{
    (void)state;
    blpo_runtime runtime = watched();
    runtime.n_processes = 2;
    check_refused(runtime, "all_reduce");
}

static void half_an_allocator_is_refused(void **state)
{
    (void)state;
    blpo_runtime runtime = watched();
    runtime.release = NULL;
    check_refused(runtime, "release");
    runtime = watched();
    runtime.allocate = NULL;
    check_refused(runtime, "allocate");
}

typedef struct log_watch {
    int64_t lines;
    int64_t bad;
} log_watch;

static void watch_log(void *user, int32_t level, const char *text)
{
    log_watch *watch = user;
    watch->lines++;
    watch->bad += (level != BLPO_LOG_INFO && level != BLPO_LOG_WARNING) || text == NULL || strlen(text) == 0
                  || strchr(text, '\n') != NULL;
}

/* A log line without a newline and with a level of the list; a trainer tells which kernels run. */
static void log_lines_are_lines_and_a_trainer_tells_of_kernels(void **state)
{
    (void)state;
    for (const creator *c = CREATORS; c->name; c++) {
        log_watch watch = { 0 };
        blpo_runtime runtime;
        assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
        runtime.log = watch_log;
        runtime.log_user = &watch;
        void *handle = NULL;
        assert_status(c->create(&runtime, &handle), BLPO_OK);
        c->destroy(handle);
        assert_int_equal(watch.bad, 0);
        if (strcmp(c->name, "trainer") == 0)
            assert_true(watch.lines > 0);
    }
}

static void destroy_takes_null(void **state)
{
    (void)state;
    for (const creator *c = CREATORS; c->name; c++)
        c->destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_abi_are_those_of_the_headers),
        cmocka_unit_test(build_info_says_what_runs),
        cmocka_unit_test(build_info_refuses_null_and_a_short_struct),
        cmocka_unit_test(create_names_the_argument_that_is_missing),
        cmocka_unit_test(all_memory_comes_from_the_allocator_and_is_given_back),
        cmocka_unit_test(the_runtime_is_copied),
        cmocka_unit_test(create_unwinds_when_any_allocation_fails),
        cmocka_unit_test(create_with_threads_unwinds_when_any_allocation_fails),
        cmocka_unit_test(n_threads_out_of_range_is_refused),
        cmocka_unit_test(a_parallel_hook_and_own_threads_exclude_each_other),
        cmocka_unit_test(processes_out_of_range_are_refused),
        cmocka_unit_test(several_processes_without_all_reduce_are_refused),
        cmocka_unit_test(half_an_allocator_is_refused),
        cmocka_unit_test(log_lines_are_lines_and_a_trainer_tells_of_kernels),
        cmocka_unit_test(destroy_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
