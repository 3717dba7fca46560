/* Checkpoints that claim too much: lengths, counts and figures that no trainer would write, with a checksum that fits. */
#include "support/check.h"
#include "support/memory.h"
#include "support/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB (INT64_C(1) << 20)

/* --- memory --- */

/* A source of a true head and then zeros, that ends; it watches what has been taken each time it is asked. */
typedef struct endless {
    unsigned char head[24];
    int64_t given, ends, calls, most_beyond;
    const counted_memory *memory;
    int64_t before; /* bytes that lived before the load */
} endless;

static int give_zeros(void *user, void *bytes, size_t n)
{
    endless *s = user;
    const int64_t beyond = s->memory->live_bytes - s->before - 2 * s->given;
    s->most_beyond = beyond > s->most_beyond ? beyond : s->most_beyond;
    if (s->calls++ == 0) {
        assert_true(n == sizeof s->head);
        memcpy(bytes, s->head, n);
    } else if (s->given + (int64_t)n > s->ends) {
        return 5;
    } else {
        memset(bytes, 0, n);
    }
    s->given += (int64_t)n;
    return 0;
}

static void set_number(unsigned char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* The head says 1 GiB, which a trainer with such environments could have written. Asked for is never more than what has come
 * twice over and 1 MiB, some room for the allocator's sake included. */
static void memory_grows_with_the_bytes_that_come(void **state)
{
    (void)state;
    script env = script_new(1, BLPO_AUTORESET_DISABLED);
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, NULL);
    blpo_trainer *trainer = script_trainer(&env, NULL, &runtime);
    byte_buffer file = trainer_bytes(trainer);
    static const int64_t ends[4] = { 24, 2 * MIB, 5 * MIB, 40 * MIB };
    for (int i = 0; i < 4; i++) {
        endless source = { .ends = ends[i], .memory = &memory, .before = memory.live_bytes };
        memcpy(source.head, file.bytes, sizeof source.head);
        set_number(source.head + 16, 1024 * MIB);
        assert_status(blpo_trainer_load(trainer, give_zeros, &source), BLPO_ERR_CALLBACK);
        assert_in_range(source.most_beyond, 0, MIB + 1024);
        assert_true(source.calls > 1 && memory.live_bytes == source.before);
    }
    assert_trainer_is(trainer, &file);
    bytes_free(&file);
    blpo_trainer_destroy(trainer);
    assert_all_released(&memory);
}

/* --- environments that write very much --- */

typedef struct writer {
    int64_t length, calls;
    int64_t loaded; /* bytes that came back as they were written */
} writer;

static int write_much(void *user, blpo_write_fn write, void *sink)
{
    static unsigned char piece[MIB];
    writer *w = user;
    w->calls++;
    for (int64_t i = 0; i < MIB; i++)
        piece[i] = (unsigned char)(i * 7 / 5);
    int rc = 0;
    for (int64_t done = 0; rc == 0 && done < w->length; done += MIB) {
        const int64_t left = w->length - done;
        rc = write(sink, piece, (size_t)(left < MIB ? left : MIB));
    }
    return rc;
}

static int load_much(void *user, const void *bytes, size_t n)
{
    writer *w = user;
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++)
        w->loaded += at[i] == (unsigned char)((int64_t)i % MIB * 7 / 5);
    return (uintptr_t)bytes % 64 != 0; /* aligned for any struct */
}

static blpo_trainer *writing_trainer(script *s, writer *w)
{
    *s = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_env env = script_env(s);
    const blpo_config config = script_config();
    env.user = w;
    env.save = write_much;
    env.load = load_much;
    blpo_trainer *trainer = NULL;
    assert_status(blpo_trainer_create(&env, &config, NULL, &trainer), BLPO_OK);
    return trainer;
}

/* Read in pieces of 1, 1, 2 and 4 MiB, the last one less. */
static void a_file_of_several_pieces_comes_in_whole(void **state)
{
    (void)state;
    script s;
    writer w = { .length = 5 * MIB + 4321 };
    blpo_trainer *trainer = writing_trainer(&s, &w);
    byte_buffer file = trainer_bytes(trainer);
    file.calls = 0;
    assert_status(blpo_trainer_load(trainer, bytes_read, &file), BLPO_OK);
    assert_true(file.at == file.length);
    assert_int_equal(w.loaded, w.length);
    assert_int_equal(file.calls, 1 + 4);
    bytes_free(&file);
    blpo_trainer_destroy(trainer);
}

/* One byte less is written: there it is the sink that ends the save. */
static void a_save_that_no_load_would_take_is_refused_before_the_first_byte(void **state)
{
    (void)state;
    script s;
    writer w = { .length = 1024 * MIB };
    blpo_trainer *trainer = writing_trainer(&s, &w);
    byte_buffer sink = { .fail_at = 1 };
    assert_status(blpo_trainer_save(trainer, bytes_write, &sink), BLPO_ERR_SIZE);
    assert_error_names(blpo_trainer_error(trainer), BLPO_ERR_SIZE, "save");
    assert_true(sink.calls == 0 && w.calls == 1);
    w.length--;
    assert_status(blpo_trainer_save(trainer, bytes_write, &sink), BLPO_ERR_CALLBACK);
    assert_int_equal(sink.calls, 1);
    blpo_trainer_destroy(trainer);
}

/* --- forged values --- */

static unsigned char *section(const byte_buffer *file, const char *tag)
{
    for (size_t i = 24; i + 12 < file->length; i++)
        if (memcmp(file->bytes + i, tag, 4) == 0)
            return file->bytes + i + 12;
    fail_msg("no section %s", tag);
    return NULL;
}

static void sign(byte_buffer *file)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < file->length - 8; i++)
        hash = (hash ^ file->bytes[i]) * UINT64_C(1099511628211);
    set_number(file->bytes + file->length - 8, hash);
}

static int load(blpo_trainer *trainer, byte_buffer *file)
{
    sign(file);
    file->at = 0;
    return blpo_trainer_load(trainer, bytes_read, file);
}

static int multiply(void *user, test_real *buffer, int64_t n)
{
    (void)user;
    for (int64_t i = 0; i < n; i++)
        buffer[i] *= (test_real)INT32_MAX;
    return 0;
}

/* So many processes that the steps of all of them have no number, if one may claim 2^53. */
static void steps_of_all_processes_stay_in_range(void **state)
{
    (void)state;
    script env = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.n_processes = INT32_MAX;
    runtime.all_reduce = multiply;
    blpo_trainer *trainer = script_trainer(&env, NULL, &runtime);
    byte_buffer before = trainer_bytes(trainer), file = bytes_copy(&before);
    unsigned char *steps = section(&file, "COUN") + 8;
    const uint64_t most = (UINT64_C(1) << 53) / INT32_MAX;
    static const uint64_t too_many[3] = { UINT64_C(1) << 53, UINT64_C(1) << 40, (UINT64_C(1) << 53) / INT32_MAX + 1 };
    for (int i = 0; i < 3; i++) {
        set_number(steps, too_many[i]);
        assert_status(load(trainer, &file), BLPO_ERR_FORMAT);
        assert_string_equal(blpo_trainer_error(trainer)->field, "COUN");
        assert_trainer_is(trainer, &before);
    }
    set_number(steps, most);
    assert_status(load(trainer, &file), BLPO_OK);
    assert_true(trainer_metrics(trainer).steps == (int64_t)most * INT32_MAX);
    assert_status(blpo_trainer_run(trainer, 1, NULL, NULL), BLPO_OK);
    assert_true(trainer_metrics(trainer).steps == (int64_t)(most + 8) * INT32_MAX);
    bytes_free(&before);
    bytes_free(&file);
    blpo_trainer_destroy(trainer);
}

/* Every figure of the last update, after eleven counts: 23 and those that were added to them. */
static void figures_without_a_number_are_refused(void **state)
{
    (void)state;
    script env = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&env, NULL, NULL);
    trainer_updates(trainer, 1);
    byte_buffer before = trainer_bytes(trainer);
    uint64_t bits[2];
    const double values[2] = { (double)NAN, (double)INFINITY };
    memcpy(bits, values, sizeof bits);
    for (int i = 0; i < 23; i++) {
        byte_buffer file = bytes_copy(&before);
        set_number(section(&file, "METR") + (size_t)8 * (size_t)(11 + i), bits[i % 2]);
        assert_status(load(trainer, &file), BLPO_ERR_NONFINITE);
        assert_string_equal(blpo_trainer_error(trainer)->field, "METR");
        assert_trainer_is(trainer, &before);
        bytes_free(&file);
    }
    bytes_free(&before);
    blpo_trainer_destroy(trainer);
}

/* Returns as large as a double can be: their mean is one. */
static void a_mean_of_large_returns_is_a_number(void **state)
{
    (void)state;
    script env = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_config config = script_config();
    config.stats_window = 2;
    blpo_trainer *trainer = script_trainer(&env, &config, NULL);
    trainer_updates(trainer, 2);
    byte_buffer file = trainer_bytes(trainer);
    uint64_t bits;
    const double large = 1.5e308;
    memcpy(&bits, &large, sizeof bits);
    for (size_t i = 0; i < 2; i++) /* after return and length of the episode that runs */
        set_number(section(&file, "EPIS") + 8 * (2 + i), bits);
    assert_status(load(trainer, &file), BLPO_OK);
    assert_close(trainer_metrics(trainer).episode_return_mean, large, 1e-15, 0.0);
    bytes_free(&file);
    blpo_trainer_destroy(trainer);
}

/* What a refusal says leads to the place: a section that is called otherwise is not there, by the name that was expected. */
static void a_refusal_names_the_section(void **state)
{
    (void)state;
    static const char *const tags[9] = { "SHAP", "PARA", "ADAM", "COUN", "ROLL", "STEP", "EPIS", "METR", "ENVI" };
    script env = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&env, NULL, NULL);
    for (int i = 0; i < 9; i++) {
        byte_buffer file = trainer_bytes(trainer);
        section(&file, tags[i])[-12] ^= 1;
        assert_status(load(trainer, &file), BLPO_ERR_FORMAT);
        assert_string_equal(blpo_trainer_error(trainer)->field, tags[i]);
        assert_non_null(strstr(blpo_trainer_error(trainer)->text, tags[i]));
        bytes_free(&file);
    }
    blpo_trainer_destroy(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_grows_with_the_bytes_that_come),
        cmocka_unit_test(a_file_of_several_pieces_comes_in_whole),
        cmocka_unit_test(a_save_that_no_load_would_take_is_refused_before_the_first_byte),
        cmocka_unit_test(steps_of_all_processes_stay_in_range),
        cmocka_unit_test(figures_without_a_number_are_refused),
        cmocka_unit_test(a_mean_of_large_returns_is_a_number),
        cmocka_unit_test(a_refusal_names_the_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
