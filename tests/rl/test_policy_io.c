/* Saving and loading a policy. Damage of every kind is refused; nothing crashes, leaks or takes memory that the bytes do
 * not warrant. */
#include "support/bytes.h"
#include "support/check.h"
#include "support/creators.h"
#include "support/memory.h"

#include <math.h>
#include <string.h>

static byte_buffer saved_policy(int32_t kind, blpo_policy **policy)
{
    blpo_policy_config config = small_policy_config(kind);
    config.seed = 77;
    config.initial_log_std = -0.25;
    byte_buffer buffer = { 0 };
    assert_status(blpo_policy_create(&config, NULL, policy), BLPO_OK);
    assert_status(blpo_policy_save(*policy, bytes_write, &buffer), BLPO_OK);
    return buffer;
}

static void check_round_trip(int32_t kind)
{
    blpo_policy *policy, *loaded = NULL;
    byte_buffer buffer = saved_policy(kind, &policy), again = { 0 };
    assert_status(blpo_policy_load(buffer.bytes, buffer.length, NULL, &loaded), BLPO_OK);
    assert_status(blpo_policy_save(loaded, bytes_write, &again), BLPO_OK);
    assert_int_equal(again.length, buffer.length);
    assert_memory_equal(again.bytes, buffer.bytes, buffer.length);
    const int64_t n = blpo_policy_n_parameters(policy);
    test_real a[64], b[64];
    assert_int_equal(blpo_policy_n_parameters(loaded), n);
    assert_int_equal(blpo_policy_obs_dim(loaded), blpo_policy_obs_dim(policy));
    assert_status(blpo_policy_get_parameters(policy, a, n), BLPO_OK);
    assert_status(blpo_policy_get_parameters(loaded, b, n), BLPO_OK);
    assert_memory_equal(a, b, (size_t)n * sizeof *a);
    bytes_free(&buffer);
    bytes_free(&again);
    blpo_policy_destroy(policy);
    blpo_policy_destroy(loaded);
}

static void a_round_trip_keeps_every_bit(void **state)
{
    (void)state;
    check_round_trip(BLPO_ACTION_DISCRETE);
    check_round_trip(BLPO_ACTION_CONTINUOUS);
}

static void a_loaded_policy_keeps_its_bounds_and_acts_alike(void **state)
{
    (void)state;
    blpo_policy *policy, *loaded = NULL;
    byte_buffer buffer = saved_policy(BLPO_ACTION_CONTINUOUS, &policy);
    assert_status(blpo_policy_load(buffer.bytes, buffer.length, NULL, &loaded), BLPO_OK);
    memset(buffer.bytes, 0xFF, buffer.length); /* nothing points into it */
    blpo_action_space space;
    assert_status(blpo_policy_action_space(loaded, &space), BLPO_OK);
    assert_true(space.kind == BLPO_ACTION_CONTINUOUS && space.n == 2);
    assert_true(space.low[0] == -1 && space.low[1] == -2 && space.high[0] == 1 && space.high[1] == 2);
    const test_real obs[6] = { 1, -1, 2, (test_real)0.5, 0, 3 };
    test_real a[4], b[4];
    blpo_random random_a = { .seed = 8 }, random_b = { .seed = 8 };
    assert_status(blpo_policy_act(policy, obs, 2, BLPO_SAMPLE, &random_a, a), BLPO_OK);
    assert_status(blpo_policy_act(loaded, obs, 2, BLPO_SAMPLE, &random_b, b), BLPO_OK);
    assert_memory_equal(a, b, sizeof a);
    bytes_free(&buffer);
    blpo_policy_destroy(policy);
    blpo_policy_destroy(loaded);
}

static uint64_t fnv1a(const unsigned char *bytes, size_t n)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t stored_checksum(const byte_buffer *b)
{
    uint64_t sum = 0;
    for (int i = 0; i < 8; i++)
        sum |= (uint64_t)b->bytes[b->length - 8 + (size_t)i] << (8 * i);
    return sum;
}

static void sign(byte_buffer *b)
{
    const uint64_t sum = fnv1a(b->bytes, b->length - 8);
    for (int i = 0; i < 8; i++)
        b->bytes[b->length - 8 + (size_t)i] = (unsigned char)(sum >> (8 * i));
}

static void the_frame_is_the_documented_one(void **state)
{
    (void)state;
    blpo_policy *policy;
    byte_buffer buffer = saved_policy(BLPO_ACTION_DISCRETE, &policy);
    assert_memory_equal(buffer.bytes, "BLPO\x1A\r\n\0", 8);
    assert_true(stored_checksum(&buffer) == fnv1a(buffer.bytes, buffer.length - 8));
    bytes_free(&buffer);
    blpo_policy_destroy(policy);
}

/* Loads and expects a refusal that leaves *out and keeps no memory. */
static void check_refused(const void *bytes, size_t n)
{
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, NULL);
    char sentinel;
    blpo_policy *out = (blpo_policy *)(void *)&sentinel;
    assert_status(blpo_policy_load(bytes, n, &runtime, &out), BLPO_ERR_FORMAT);
    assert_ptr_equal(out, &sentinel);
    assert_all_released(&memory);
    assert_int_equal(memory.calls, 0);
}

/* FNV-1a is a bijection of its state for each byte that follows: no change of one byte can go unnoticed. */
static void every_flipped_byte_is_refused(void **state)
{
    (void)state;
    for (int32_t kind = BLPO_ACTION_DISCRETE; kind <= BLPO_ACTION_CONTINUOUS; kind++) {
        blpo_policy *policy;
        byte_buffer buffer = saved_policy(kind, &policy);
        for (size_t at = 0; at < buffer.length; at++)
            for (int bit = 0; bit <= 8; bit += 4) {
                const unsigned char flip = (unsigned char)(bit == 8 ? 0xFFU : 1U << bit);
                buffer.bytes[at] = (unsigned char)(buffer.bytes[at] ^ flip);
                check_refused(buffer.bytes, buffer.length);
                buffer.bytes[at] = (unsigned char)(buffer.bytes[at] ^ flip);
            }
        bytes_free(&buffer);
        blpo_policy_destroy(policy);
    }
}

/* Each cut is copied to a block of just its size, so that a read past its end is seen by a memory checker. */
static void every_truncation_and_a_longer_file_are_refused(void **state)
{
    (void)state;
    blpo_policy *policy;
    byte_buffer buffer = saved_policy(BLPO_ACTION_CONTINUOUS, &policy);
    for (size_t n = 0; n < buffer.length; n++) {
        unsigned char *cut = test_malloc(n + (n == 0));
        memcpy(cut, buffer.bytes, n);
        check_refused(cut, n);
        test_free(cut);
    }
    assert_int_equal(bytes_write(&buffer, "\0", 1), 0);
    check_refused(buffer.bytes, buffer.length);
    bytes_free(&buffer);
    blpo_policy_destroy(policy);
}

/* The lengths: none, in the head, after it, one byte short, one too many; then a byte of the magic, of the version, of the
 * kind (a bit that no kind has), of the contents. */
static void the_text_of_a_refusal_says_what_is_wrong(void **state)
{
    (void)state;
    blpo_policy *policy, *out = NULL;
    byte_buffer buffer = saved_policy(BLPO_ACTION_DISCRETE, &policy);
    const size_t length = buffer.length;
    assert_int_equal(bytes_write(&buffer, "\0", 1), 0);
    const struct {
        size_t length, flip;
        const char *says;
    } cases[] = {
        { 0, 40, "end within their head" },        { 23, 40, "end within their head" },
        { 24, 40, "cut short" },                   { length - 1, 40, "cut short" },
        { length + 1, length, "more bytes than" }, { length, 0, "do not begin" },
        { length, 8, "format version" },           { length, 13, "does not know" },
        { length, 40, "checksum" },
    };
    for (int64_t i = 0; i < TEST_COUNT(cases); i++) {
        blpo_error error = { 0 };
        blpo_runtime runtime;
        assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
        runtime.error = &error;
        buffer.bytes[cases[i].flip] ^= 0x40;
        assert_status(blpo_policy_load(buffer.bytes, cases[i].length, &runtime, &out), BLPO_ERR_FORMAT);
        buffer.bytes[cases[i].flip] ^= 0x40;
        assert_error_names(&error, BLPO_ERR_FORMAT, cases[i].says);
        assert_int_equal(error.stage, BLPO_STAGE_LOAD);
        assert_null(out);
    }
    bytes_free(&buffer);
    blpo_policy_destroy(policy);
}

/* A loaded policy must be sound, whatever the bytes were. */
static void assert_sound(const blpo_policy *policy)
{
    const int64_t n = blpo_policy_n_parameters(policy), obs_dim = blpo_policy_obs_dim(policy);
    assert_in_range(n, 1, 100000);
    assert_in_range(obs_dim, 1, 100000);
    test_real *parameters = test_malloc((size_t)n * sizeof *parameters);
    test_real *obs = test_calloc((size_t)obs_dim, sizeof *obs);
    assert_status(blpo_policy_get_parameters(policy, parameters, n), BLPO_OK);
    for (int64_t i = 0; i < n; i++)
        assert_true(isfinite(parameters[i]) != 0);
    blpo_action_space space;
    assert_status(blpo_policy_action_space(policy, &space), BLPO_OK);
    assert_in_range(space.n, 1, 8192);
    int64_t *action = test_calloc((size_t)space.n, sizeof *action); /* wide enough for either kind */
    const int code = blpo_policy_act(policy, obs, 1, BLPO_DETERMINISTIC, NULL, action);
    assert_true(code == BLPO_OK || code == BLPO_ERR_NONFINITE);
    test_free(parameters);
    test_free(obs);
    test_free(action);
}

/* Damage with a checksum that fits. Refused or sound, never more memory than a small multiple of the bytes. */
static void check_forged(byte_buffer *forged)
{
    sign(forged);
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, NULL);
    blpo_policy *out = NULL;
    const int code = blpo_policy_load(forged->bytes, forged->length, &runtime, &out);
    assert_true(code <= 0);
    assert_true((code == BLPO_OK) == (out != NULL));
    assert_true(memory.live_bytes < 1 << 20);
    if (code != BLPO_OK)
        assert_int_equal(memory.calls, 0);
    else
        assert_sound(out);
    blpo_policy_destroy(out);
    assert_all_released(&memory);
}

static void forged_bytes_with_a_right_checksum_are_refused_or_sound(void **state)
{
    (void)state;
    static const unsigned char patterns[6] = { 0x00, 0x01, 0x7F, 0x80, 0xFF, 0x40 };
    static const size_t widths[3] = { 1, 4, 8 };
    for (int32_t kind = BLPO_ACTION_DISCRETE; kind <= BLPO_ACTION_CONTINUOUS; kind++) {
        blpo_policy *policy;
        byte_buffer buffer = saved_policy(kind, &policy);
        for (size_t at = 0; at + 16 <= buffer.length; at++)
            for (int w = 0; w < 3; w++)
                for (int i = 0; i < 6; i++) {
                    byte_buffer forged = bytes_copy(&buffer);
                    memset(forged.bytes + at, patterns[i], widths[w]);
                    check_forged(&forged);
                    bytes_free(&forged);
                }
        bytes_free(&buffer);
        blpo_policy_destroy(policy);
    }
}

static void saving_stops_where_the_sink_fails(void **state)
{
    (void)state;
    blpo_policy *policy;
    byte_buffer buffer = saved_policy(BLPO_ACTION_CONTINUOUS, &policy);
    for (int64_t n = 1; n <= buffer.calls; n++) {
        byte_buffer sink = { .fail_at = n };
        assert_status(blpo_policy_save(policy, bytes_write, &sink), BLPO_ERR_CALLBACK);
        assert_int_equal(sink.calls, n);
        bytes_free(&sink);
    }
    bytes_free(&buffer);
    blpo_policy_destroy(policy);
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    blpo_policy *policy, *out = NULL;
    byte_buffer buffer = saved_policy(BLPO_ACTION_DISCRETE, &policy);
    assert_status(blpo_policy_save(NULL, bytes_write, &buffer), BLPO_ERR_NULL);
    assert_status(blpo_policy_save(policy, NULL, &buffer), BLPO_ERR_NULL);
    assert_status(blpo_policy_load(NULL, 10, NULL, &out), BLPO_ERR_NULL);
    assert_status(blpo_policy_load(buffer.bytes, buffer.length, NULL, NULL), BLPO_ERR_NULL);
    assert_null(out);
    bytes_free(&buffer);
    blpo_policy_destroy(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_trip_keeps_every_bit),
        cmocka_unit_test(a_loaded_policy_keeps_its_bounds_and_acts_alike),
        cmocka_unit_test(the_frame_is_the_documented_one),
        cmocka_unit_test(every_flipped_byte_is_refused),
        cmocka_unit_test(every_truncation_and_a_longer_file_are_refused),
        cmocka_unit_test(the_text_of_a_refusal_says_what_is_wrong),
        cmocka_unit_test(forged_bytes_with_a_right_checksum_are_refused_or_sound),
        cmocka_unit_test(saving_stops_where_the_sink_fails),
        cmocka_unit_test(null_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
