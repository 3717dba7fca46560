/* Codes, names and texts. */
#include "support/check.h"

#include <limits.h>
#include <string.h>

typedef struct row {
    int number;
    const char *name;
} row;

/* Written out once more: a number that changes breaks programs that are compiled already. */
static const row FROZEN[] = {
    { 0, "BLPO_OK" },
    { 1, "BLPO_UPDATE_DUE" },
    { 2, "BLPO_STOPPED" },
    { -1, "BLPO_ERR_NULL" },
    { -2, "BLPO_ERR_CONFIG" },
    { -3, "BLPO_ERR_SIZE" },
    { -4, "BLPO_ERR_NOMEM" },
    { -5, "BLPO_ERR_NONFINITE" },
    { -6, "BLPO_ERR_CALLBACK" },
    { -7, "BLPO_ERR_BUSY" },
    { -8, "BLPO_ERR_STATE" },
    { -9, "BLPO_ERR_VERSION" },
    { -10, "BLPO_ERR_ARGUMENT" },
    { -11, "BLPO_ERR_SINGULAR" },
    { -12, "BLPO_ERR_FORMAT" },
    { -13, "BLPO_ERR_MISMATCH" },
};

static int is_frozen(int number)
{
    for (int64_t i = 0; i < TEST_COUNT(FROZEN); i++)
        if (FROZEN[i].number == number)
            return 1;
    return 0;
}

static void every_code_keeps_its_number_and_name(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(FROZEN); i++)
        assert_string_equal(blpo_status_name(FROZEN[i].number), FROZEN[i].name);
}

static void every_code_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(FROZEN); i++) {
        const char *text = blpo_status_text(FROZEN[i].number);
        assert_true(strlen(text) > 0);
        assert_string_not_equal(text, "unknown status");
        for (int64_t j = 0; j < i; j++)
            assert_string_not_equal(text, blpo_status_text(FROZEN[j].number));
    }
}

static void assert_unknown(int number)
{
    assert_string_equal(blpo_status_name(number), "BLPO_UNKNOWN");
    assert_string_equal(blpo_status_text(number), "unknown status");
}

static void every_other_int_is_unknown(void **state)
{
    (void)state;
    for (int number = -1000; number <= 1000; number++)
        if (!is_frozen(number))
            assert_unknown(number);
    assert_unknown(INT_MIN);
    assert_unknown(INT_MAX);
}

static void the_map_of_the_header_is_what_the_library_says(void **state)
{
    (void)state;
#define CHECK_ROW(name, number, text)                                                                                  \
    assert_int_equal(name, number);                                                                                    \
    assert_string_equal(blpo_status_name(number), #name);                                                              \
    assert_string_equal(blpo_status_text(number), text);
    BLPO_STATUS_MAP(CHECK_ROW)
#undef CHECK_ROW
}

static void the_error_record_of_no_handle_says_so(void **state)
{
    (void)state;
    const blpo_error *records[3] = { blpo_trainer_error(NULL), blpo_rollout_error(NULL), blpo_hypergrad_error(NULL) };
    for (int i = 0; i < 3; i++) {
        assert_non_null(records[i]);
        assert_int_equal(records[i]->code, BLPO_ERR_NULL);
        assert_true(strlen(records[i]->text) > 0);
        assert_true(records[i]->env == -1 && records[i]->step == -1 && records[i]->element == -1);
    }
}

/* The record is plain data that bindings read: its layout is part of the ABI. */
static void the_error_record_keeps_its_layout(void **state)
{
    (void)state;
    assert_int_equal(offsetof(blpo_error, stage), 4);
    assert_int_equal(offsetof(blpo_error, env), 8);
    assert_int_equal(offsetof(blpo_error, callback_code), 32);
    assert_int_equal(offsetof(blpo_error, field), 40);
    assert_int_equal(offsetof(blpo_error, text), 88);
    assert_int_equal(sizeof(blpo_error), 344);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_keeps_its_number_and_name),
        cmocka_unit_test(every_code_has_a_text_of_its_own),
        cmocka_unit_test(every_other_int_is_unknown),
        cmocka_unit_test(the_map_of_the_header_is_what_the_library_says),
        cmocka_unit_test(the_error_record_of_no_handle_says_so),
        cmocka_unit_test(the_error_record_keeps_its_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
