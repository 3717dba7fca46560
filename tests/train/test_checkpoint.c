/* Checkpoints of a trainer: a load goes on to the bits of the run that saved; what is damaged or made for another trainer is
 * refused whole. */
#include "support/check.h"
#include "support/memory.h"
#include "support/training.h"

#include <stdio.h>
#include <string.h>

enum { ENVS = 2 };

static script make(int32_t autoreset)
{
    script s = script_new(ENVS, autoreset);
    s.reacts = 1;
    return s;
}

/* Stops the collection after `rows` steps of environment 0, by a callback that gives up once. */
static void advance(script *s, blpo_trainer *trainer, int64_t updates, int64_t rows)
{
    trainer_updates(trainer, updates);
    if (rows == 0)
        return;
    s->fault = SCRIPT_GIVES_UP;
    s->fault_step = updates * 8 + rows;
    s->fault_times = 1;
    if (rows == 8)
        assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    else
        assert_status(blpo_trainer_collect(trainer), BLPO_ERR_CALLBACK);
    s->fault_times = 0;
}

static void check_resume(int32_t autoreset, int64_t updates, int64_t rows)
{
    script a = make(autoreset), b = make(autoreset);
    blpo_trainer *whole = script_trainer(&a, NULL, NULL), *resumed = script_trainer(&b, NULL, NULL);
    advance(&a, whole, updates, rows);
    byte_buffer saved = trainer_bytes(whole);
    assert_status(blpo_trainer_load(resumed, bytes_read, &saved), BLPO_OK);
    assert_true(saved.at == saved.length); /* all of it, and no byte more */
    assert_trainer_is(resumed, &saved);
    trainer_updates(whole, 3);
    trainer_updates(resumed, 3);
    assert_same_trainer(whole, resumed);
    assert_int_equal(a.violations + b.violations, 0);
    bytes_free(&saved);
    blpo_trainer_destroy(whole);
    blpo_trainer_destroy(resumed);
}

static void a_load_at_any_point_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    for (int32_t mode = BLPO_AUTORESET_DISABLED; mode <= BLPO_AUTORESET_NEXT_STEP; mode++)
        for (int64_t updates = 0; updates <= 2; updates++)
            for (int64_t rows = 0; rows <= 8; rows++)
                check_resume(mode, updates, rows);
}

/* Also into a trainer that has a life of its own already: nothing of it is left. */
static void a_load_replaces_all_that_was(void **state)
{
    (void)state;
    script a = make(BLPO_AUTORESET_DISABLED), b = make(BLPO_AUTORESET_DISABLED);
    blpo_trainer *whole = script_trainer(&a, NULL, NULL), *other = script_trainer(&b, NULL, NULL);
    advance(&a, whole, 1, 5);
    advance(&b, other, 3, 2);
    byte_buffer saved = trainer_bytes(whole);
    assert_status(blpo_trainer_load(other, bytes_read, &saved), BLPO_OK);
    trainer_updates(whole, 2);
    trainer_updates(other, 2);
    assert_same_trainer(whole, other);
    bytes_free(&saved);
    blpo_trainer_destroy(whole);
    blpo_trainer_destroy(other);
}

static void saving_changes_nothing(void **state)
{
    (void)state;
    script a = make(BLPO_AUTORESET_DISABLED), b = make(BLPO_AUTORESET_DISABLED);
    blpo_trainer *saved = script_trainer(&a, NULL, NULL), *quiet = script_trainer(&b, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        byte_buffer first = trainer_bytes(saved);
        assert_trainer_is(saved, &first);
        bytes_free(&first);
        trainer_updates(saved, 1);
        trainer_updates(quiet, 1);
    }
    assert_same_trainer(saved, quiet);
    blpo_trainer_destroy(saved);
    blpo_trainer_destroy(quiet);
}

/* The metrics of the last update, wall time apart, and the counters come back too. */
static void metrics_come_back(void **state)
{
    (void)state;
    script a = make(BLPO_AUTORESET_DISABLED), b = make(BLPO_AUTORESET_DISABLED);
    blpo_trainer *whole = script_trainer(&a, NULL, NULL), *resumed = script_trainer(&b, NULL, NULL);
    advance(&a, whole, 2, 4);
    byte_buffer saved = trainer_bytes(whole);
    assert_status(blpo_trainer_load(resumed, bytes_read, &saved), BLPO_OK);
    const blpo_metrics m = trainer_metrics(whole), n = trainer_metrics(resumed);
    assert_true(m.n_updates == n.n_updates && m.steps == n.steps && m.n_episodes == n.n_episodes);
    assert_true(m.window_episodes == n.window_episodes && m.episode_return_mean == n.episode_return_mean);
    assert_true(m.episode_length_mean == n.episode_length_mean && m.n_dropped == n.n_dropped);
    bytes_free(&saved);
    blpo_trainer_destroy(whole);
    blpo_trainer_destroy(resumed);
}

/* Without save and load of the environments they are reset before the next step, and the run goes on. */
static void without_environment_state_the_environments_are_reset(void **state)
{
    (void)state;
    script a = make(BLPO_AUTORESET_DISABLED), b = make(BLPO_AUTORESET_DISABLED);
    blpo_env env_a = script_env(&a), env_b = script_env(&b);
    env_a.save = env_b.save = NULL;
    env_a.load = env_b.load = NULL;
    const blpo_config config = script_config();
    blpo_trainer *whole = NULL, *resumed = NULL;
    assert_status(blpo_trainer_create(&env_a, &config, NULL, &whole), BLPO_OK);
    assert_status(blpo_trainer_create(&env_b, &config, NULL, &resumed), BLPO_OK);
    advance(&a, whole, 1, 5);
    byte_buffer saved = trainer_bytes(whole);
    assert_status(blpo_trainer_load(resumed, bytes_read, &saved), BLPO_OK);
    assert_int_equal(b.reset_calls, 0);
    assert_status(blpo_trainer_collect(resumed), BLPO_UPDATE_DUE);
    assert_true(b.now.resets[0] >= 1 && b.now.resets[1] >= 1);
    assert_int_equal(b.now.steps[0], 3);
    assert_int_equal(b.violations, 0);
    assert_status(blpo_trainer_update(resumed, NULL), BLPO_OK);
    bytes_free(&saved);
    blpo_trainer_destroy(whole);
    blpo_trainer_destroy(resumed);
}

static uint64_t fnv1a(const unsigned char *bytes, size_t n)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static void sign(byte_buffer *b)
{
    const uint64_t sum = fnv1a(b->bytes, b->length - 8);
    for (int i = 0; i < 8; i++)
        b->bytes[b->length - 8 + (size_t)i] = (unsigned char)(sum >> (8 * i));
}

/* A trainer in the middle of things, its bytes, and an environment that notices whether it is loaded into. */
typedef struct fixture {
    script env;
    blpo_trainer *trainer;
    byte_buffer before; /* what the trainer is */
    byte_buffer good;   /* sound bytes of another one of the same kind */
} fixture;

static void begin(fixture *f)
{
    script other = make(BLPO_AUTORESET_DISABLED);
    blpo_trainer *source = script_trainer(&other, NULL, NULL);
    memset(f, 0, sizeof *f);
    f->env = make(BLPO_AUTORESET_DISABLED);
    f->trainer = script_trainer(&f->env, NULL, NULL);
    advance(&f->env, f->trainer, 1, 3);
    f->before = trainer_bytes(f->trainer);
    advance(&other, source, 2, 5);
    f->good = trainer_bytes(source);
    blpo_trainer_destroy(source);
}

static void end(fixture *f)
{
    blpo_trainer_destroy(f->trainer);
    bytes_free(&f->before);
    bytes_free(&f->good);
}

static int load_from(fixture *f, byte_buffer *bytes)
{
    bytes->at = 0;
    return blpo_trainer_load(f->trainer, bytes_read, bytes);
}

/* Reading past the end is a callback's failure, all else a matter of format: no byte of the trainer changes in either. */
static void every_truncation_is_refused_and_changes_no_byte(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    const size_t length = f.good.length;
    for (size_t n = 0; n < length; n++) {
        f.good.length = n;
        const int code = load_from(&f, &f.good);
        assert_true(code == BLPO_ERR_FORMAT || code == BLPO_ERR_CALLBACK);
        if (n % 97 == 0)
            assert_trainer_is(f.trainer, &f.before);
    }
    assert_trainer_is(f.trainer, &f.before);
    f.good.length = length;
    assert_status(load_from(&f, &f.good), BLPO_OK);
    assert_trainer_is(f.trainer, &f.good);
    end(&f);
}

/* A length made larger asks for bytes that the source does not have: a failure of the callback. */
static void every_flipped_byte_is_refused_and_changes_no_byte(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    for (size_t at = 0; at < f.good.length; at++) {
        f.good.bytes[at] ^= 0x10;
        const int code = load_from(&f, &f.good);
        f.good.bytes[at] ^= 0x10;
        assert_true(code == BLPO_ERR_FORMAT || code == BLPO_ERR_CALLBACK);
        if (at % 97 == 0)
            assert_trainer_is(f.trainer, &f.before);
    }
    assert_trainer_is(f.trainer, &f.before);
    end(&f);
}

/* Damage with a checksum that fits: refused and nothing changed, or taken and then sound. The next collect and update must
 * neither crash nor hang. */
static void check_forged(const byte_buffer *good, const byte_buffer *before, size_t at, unsigned char byte,
                         size_t width)
{
    script env = make(BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&env, NULL, NULL);
    byte_buffer forged = bytes_copy(good);
    memset(forged.bytes + at, byte, width);
    sign(&forged);
    const int code = blpo_trainer_load(trainer, bytes_read, &forged);
    assert_true(code <= 0);
    if (code != BLPO_OK) {
        assert_trainer_is(trainer, before);
    } else {
        env.violations = 0;
        const int collected = blpo_trainer_collect(trainer);
        assert_true(collected == BLPO_UPDATE_DUE || collected < 0);
        if (collected == BLPO_UPDATE_DUE)
            assert_true(blpo_trainer_update(trainer, NULL) <= 0);
    }
    bytes_free(&forged);
    blpo_trainer_destroy(trainer);
}

static void forged_bytes_with_a_right_checksum_are_refused_or_sound(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    script env = make(BLPO_AUTORESET_DISABLED);
    blpo_trainer *fresh = script_trainer(&env, NULL, NULL);
    byte_buffer before = trainer_bytes(fresh);
    for (size_t at = 0; at + 16 <= f.good.length; at++) {
        check_forged(&f.good, &before, at, 0xFF, 1);
        if (at % 4 == 0) {
            check_forged(&f.good, &before, at, 0x7F, 8);
            check_forged(&f.good, &before, at, 0x00, 4);
        }
    }
    bytes_free(&before);
    blpo_trainer_destroy(fresh);
    end(&f);
}

static void check_mismatch(const blpo_config *config, int64_t n_envs, int32_t autoreset, int continuous,
                           const char *name)
{
    fixture f;
    begin(&f);
    script other = script_new(n_envs, autoreset);
    other.continuous = continuous;
    blpo_trainer *trainer = script_trainer(&other, config, NULL);
    byte_buffer before = trainer_bytes(trainer);
    f.good.at = 0;
    assert_status(blpo_trainer_load(trainer, bytes_read, &f.good), BLPO_ERR_MISMATCH);
    assert_error_names(blpo_trainer_error(trainer), BLPO_ERR_MISMATCH, name);
    assert_int_equal(blpo_trainer_error(trainer)->stage, BLPO_STAGE_LOAD);
    assert_trainer_is(trainer, &before);
    bytes_free(&before);
    blpo_trainer_destroy(trainer);
    end(&f);
}

#define MISMATCH(member, value)                                                                                        \
    do {                                                                                                               \
        blpo_config config = script_config();                                                                          \
        config.member = value;                                                                                         \
        check_mismatch(&config, ENVS, BLPO_AUTORESET_DISABLED, 0, #member);                                            \
    } while (0)

static void bytes_of_other_shapes_or_seeds_are_refused_by_name(void **state)
{
    (void)state;
    static const int64_t wide = 5;
    MISMATCH(n_steps, 9);
    MISMATCH(seed, 22);
    MISMATCH(stats_window, 7);
    MISMATCH(actor_network.hidden, &wide);
    MISMATCH(critic_network.hidden, &wide);
    MISMATCH(actor_network.activation, BLPO_RELU);
    MISMATCH(critic_network.activation, BLPO_RELU);
    check_mismatch(NULL, 3, BLPO_AUTORESET_DISABLED, 0, "n_envs");
    check_mismatch(NULL, ENVS, BLPO_AUTORESET_SAME_STEP, 0, "autoreset");
    check_mismatch(NULL, ENVS, BLPO_AUTORESET_DISABLED, 1, "action");
}

#define TAKEN(member, value)                                                                                           \
    do {                                                                                                               \
        fixture f;                                                                                                     \
        begin(&f);                                                                                                     \
        script other = script_new(ENVS, BLPO_AUTORESET_DISABLED);                                                      \
        blpo_config config = script_config();                                                                          \
        config.member = value;                                                                                         \
        blpo_trainer *trainer = script_trainer(&other, &config, NULL);                                                 \
        f.good.at = 0;                                                                                                 \
        assert_status(blpo_trainer_load(trainer, bytes_read, &f.good), BLPO_OK);                                       \
        trainer_updates(trainer, 1);                                                                                   \
        blpo_trainer_destroy(trainer);                                                                                 \
        end(&f);                                                                                                       \
    } while (0)

static uint64_t number_at(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void put_number(unsigned char *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
}

/* Cuts n bytes off the end of a section, with lengths and checksum that fit. */
static void shorten(byte_buffer *b, const char *tag, size_t n)
{
    size_t at = 24;
    while (memcmp(b->bytes + at, tag, 4) != 0)
        at += 12 + (size_t)number_at(b->bytes + at + 4);
    const uint64_t length = number_at(b->bytes + at + 4);
    unsigned char *end = b->bytes + at + 12 + length;
    put_number(b->bytes + at + 4, length - n);
    memmove(end - n, end, (size_t)(b->bytes + b->length - end));
    b->length -= n;
    put_number(b->bytes + 16, b->length);
    sign(b);
}

/* The four figures at the end of METR came after the first files. Half a figure is damage, as is a cut into the older ones. */
static void files_without_the_later_metrics_load_with_zeroes(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    for (size_t cut = 0; cut <= 40; cut += 4) {
        byte_buffer bytes = bytes_copy(&f.good);
        shorten(&bytes, "METR", cut);
        const int known = cut % 8 == 0 && cut <= 32;
        assert_status(load_from(&f, &bytes), known ? BLPO_OK : BLPO_ERR_FORMAT);
        if (known)
            assert_true(trainer_metrics(f.trainer).critic_loss > 0.0);
        if (cut == 32)
            assert_true(trainer_metrics(f.trainer).best_response_gap == 0.0);
        bytes_free(&bytes);
    }
    end(&f);
}

/* Settings that shape nothing in the bytes stay those of the trainer that loads: it goes on with them. */
static void a_trainer_with_other_rates_takes_the_bytes(void **state)
{
    (void)state;
    TAKEN(n_epochs, 3);
    TAKEN(gamma, 0.5);
    TAKEN(actor_learning_rate, 1e-3);
    TAKEN(critic_learning_rate, 1e-3);
    TAKEN(critic_steps, 2);
    TAKEN(hypergradient, 0);
    TAKEN(nystrom_rank, 4);
    TAKEN(kappa, 2.0);
}

/* A policy is no trainer, and the other way round: the text names who takes the file. */
static void bytes_of_another_kind_are_refused(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    byte_buffer policy = { 0 };
    assert_status(blpo_trainer_save_policy(f.trainer, bytes_write, &policy), BLPO_OK);
    assert_status(load_from(&f, &policy), BLPO_ERR_FORMAT);
    assert_error_names(blpo_trainer_error(f.trainer), BLPO_ERR_FORMAT, "blpo_policy_load");
    assert_trainer_is(f.trainer, &f.before);
    blpo_policy *out = NULL;
    blpo_error error = { 0 };
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, &error);
    assert_status(blpo_policy_load(f.good.bytes, f.good.length, &runtime, &out), BLPO_ERR_FORMAT);
    assert_error_names(&error, BLPO_ERR_FORMAT, "blpo_trainer_load");
    assert_null(out);
    bytes_free(&policy);
    end(&f);
}

/* Bytes that end early, in the head (24 bytes) and after it; what was asked for is in the text, so that it can be compared
 * with the length of the file. Then what the head says, and the checksum. */
static void the_text_of_a_refusal_says_what_is_wrong(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    const size_t length = f.good.length;
    char rest[64];
    snprintf(rest, sizeof rest, "%zu bytes after the first 24", length - 24);
    f.good.length = length - 1;
    assert_status(load_from(&f, &f.good), BLPO_ERR_CALLBACK);
    assert_error_names(blpo_trainer_error(f.trainer), BLPO_ERR_CALLBACK, rest);
    assert_int_equal(blpo_trainer_error(f.trainer)->callback_code, 5);
    f.good.length = 23;
    assert_status(load_from(&f, &f.good), BLPO_ERR_CALLBACK);
    assert_error_names(blpo_trainer_error(f.trainer), BLPO_ERR_CALLBACK, "24 bytes after the first 0");
    f.good.length = length;
    static const struct {
        size_t byte;
        const char *says;
    } damage[] = { { 0, "do not begin" }, { 8, "format version" }, { 13, "does not know" }, { 30, "checksum" } };
    for (int64_t i = 0; i < TEST_COUNT(damage); i++) {
        f.good.bytes[damage[i].byte] ^= 0x40;
        assert_status(load_from(&f, &f.good), BLPO_ERR_FORMAT);
        assert_error_names(blpo_trainer_error(f.trainer), BLPO_ERR_FORMAT, damage[i].says);
        f.good.bytes[damage[i].byte] ^= 0x40;
    }
    assert_trainer_is(f.trainer, &f.before);
    end(&f);
}

static void a_saved_policy_loads_alone_and_is_the_trainers(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    byte_buffer bytes = { 0 };
    blpo_policy *policy = NULL;
    test_real a[128], b[128];
    assert_status(blpo_trainer_save_policy(f.trainer, bytes_write, &bytes), BLPO_OK);
    assert_status(blpo_policy_load(bytes.bytes, bytes.length, NULL, &policy), BLPO_OK);
    const int64_t n = blpo_policy_n_parameters(policy);
    assert_status(blpo_policy_get_parameters(policy, a, n), BLPO_OK);
    assert_status(blpo_policy_get_parameters(blpo_trainer_policy(f.trainer), b, n), BLPO_OK);
    assert_memory_equal(a, b, (size_t)n * sizeof *a);
    blpo_policy_destroy(policy);
    bytes_free(&bytes);
    end(&f);
}

static void a_sink_that_fails_ends_the_save_and_changes_nothing(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    for (int64_t n = 1; n <= f.before.calls; n++) {
        byte_buffer sink = { .fail_at = n };
        assert_status(blpo_trainer_save(f.trainer, bytes_write, &sink), BLPO_ERR_CALLBACK);
        assert_int_equal(sink.calls, n);
        assert_int_equal(blpo_trainer_error(f.trainer)->callback_code, 5);
        assert_int_equal(blpo_trainer_error(f.trainer)->stage, BLPO_STAGE_SAVE);
        bytes_free(&sink);
    }
    assert_trainer_is(f.trainer, &f.before);
    end(&f);
}

static void a_source_that_fails_ends_the_load_and_changes_nothing(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    script unused = make(BLPO_AUTORESET_DISABLED);
    blpo_trainer *probe = script_trainer(&unused, NULL, NULL);
    f.good.calls = 0;
    assert_status(blpo_trainer_load(probe, bytes_read, &f.good), BLPO_OK);
    const int64_t calls = f.good.calls;
    for (int64_t n = 1; n <= calls; n++) {
        f.good.calls = 0;
        f.good.fail_at = n;
        assert_status(load_from(&f, &f.good), BLPO_ERR_CALLBACK);
        assert_int_equal(blpo_trainer_error(f.trainer)->callback_code, 5);
        assert_trainer_is(f.trainer, &f.before);
    }
    blpo_trainer_destroy(probe);
    end(&f);
}

static void an_environment_that_fails_to_save_ends_the_save(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    byte_buffer sink = { 0 };
    f.env.save_fails = 1;
    assert_status(blpo_trainer_save(f.trainer, bytes_write, &sink), BLPO_ERR_CALLBACK);
    assert_int_equal(blpo_trainer_error(f.trainer)->callback_code, 11);
    f.env.save_fails = 0;
    assert_trainer_is(f.trainer, &f.before);
    bytes_free(&sink);
    end(&f);
}

/* The environment is asked last, and its refusal undoes all. */
static void an_environment_that_refuses_its_state_leaves_the_trainer_as_it_was(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    f.env.load_fails = 1;
    assert_status(load_from(&f, &f.good), BLPO_ERR_CALLBACK);
    assert_int_equal(blpo_trainer_error(f.trainer)->callback_code, 12);
    assert_trainer_is(f.trainer, &f.before);
    trainer_updates(f.trainer, 1);
    end(&f);
}

/* Save and load may take memory: each time the allocator fails, the trainer stays as it was. */
static void a_load_without_memory_changes_nothing_and_leaks_nothing(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    script env = make(BLPO_AUTORESET_DISABLED);
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, NULL);
    blpo_trainer *trainer = script_trainer(&env, NULL, &runtime);
    byte_buffer before = trainer_bytes(trainer);
    const int64_t live = memory.live;
    int failures = 0, code = BLPO_ERR_NOMEM;
    for (int64_t n = 1; code == BLPO_ERR_NOMEM; n++) {
        memory.calls = 0;
        memory.fail_at = n;
        f.good.at = 0;
        code = blpo_trainer_load(trainer, bytes_read, &f.good);
        memory.fail_at = 0;
        assert_int_equal(memory.live, live);
        if (code == BLPO_ERR_NOMEM) {
            failures++;
            assert_trainer_is(trainer, &before);
        }
    }
    assert_status(code, BLPO_OK);
    assert_in_range(failures, 0, 1000);
    assert_trainer_is(trainer, &f.good);
    bytes_free(&before);
    blpo_trainer_destroy(trainer);
    assert_all_released(&memory);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_at_any_point_goes_on_to_the_same_bits),
        cmocka_unit_test(a_load_replaces_all_that_was),
        cmocka_unit_test(saving_changes_nothing),
        cmocka_unit_test(metrics_come_back),
        cmocka_unit_test(without_environment_state_the_environments_are_reset),
        cmocka_unit_test(every_truncation_is_refused_and_changes_no_byte),
        cmocka_unit_test(every_flipped_byte_is_refused_and_changes_no_byte),
        cmocka_unit_test(forged_bytes_with_a_right_checksum_are_refused_or_sound),
        cmocka_unit_test(bytes_of_other_shapes_or_seeds_are_refused_by_name),
        cmocka_unit_test(files_without_the_later_metrics_load_with_zeroes),
        cmocka_unit_test(a_trainer_with_other_rates_takes_the_bytes),
        cmocka_unit_test(bytes_of_another_kind_are_refused),
        cmocka_unit_test(the_text_of_a_refusal_says_what_is_wrong),
        cmocka_unit_test(a_saved_policy_loads_alone_and_is_the_trainers),
        cmocka_unit_test(a_sink_that_fails_ends_the_save_and_changes_nothing),
        cmocka_unit_test(a_source_that_fails_ends_the_load_and_changes_nothing),
        cmocka_unit_test(an_environment_that_fails_to_save_ends_the_save),
        cmocka_unit_test(an_environment_that_refuses_its_state_leaves_the_trainer_as_it_was),
        cmocka_unit_test(a_load_without_memory_changes_nothing_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
