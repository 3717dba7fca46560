#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_close(double actual, double expected, double relative, double absolute, const char *what, const char *file,
                 int line)
{
    const double bound = absolute + relative * fabs(expected);
    if (fabs(actual - expected) <= bound || actual == expected)
        return;
    print_error("%s is %.17g, expected %.17g: off by %.3g, allowed %.3g\n", what, actual, expected,
                fabs(actual - expected), bound);
    _fail(file, line);
}

void check_all_close(const test_real *actual, const double *expected, int64_t n, double relative, double absolute,
                     const char *what, const char *file, int line)
{
    for (int64_t i = 0; i < n; i++) {
        const double a = (double)actual[i], bound = absolute + relative * fabs(expected[i]);
        if (fabs(a - expected[i]) <= bound)
            continue;
        print_error("%s[%lld] is %.17g, expected %.17g: off by %.3g, allowed %.3g\n", what, (long long)i, a,
                    expected[i], fabs(a - expected[i]), bound);
        _fail(file, line);
    }
}

void check_near(const test_real *actual, const double *expected, int64_t n, double relative, double absolute,
                const char *what, const char *file, int line)
{
    double difference = 0.0, norm = 0.0;
    for (int64_t i = 0; i < n; i++) {
        difference = hypot(difference, (double)actual[i] - expected[i]);
        norm = hypot(norm, expected[i]);
    }
    const double bound = absolute + relative * norm;
    if (difference <= bound)
        return;
    print_error("%s is off by %.3g in norm, allowed %.3g; norm of what was expected %.6g\n", what, difference, bound,
                norm);
    _fail(file, line);
}

void check_status(int actual, int expected, const char *what, const char *file, int line)
{
    if (actual == expected)
        return;
    print_error("%s gave %s (%d), expected %s (%d)\n", what, blpo_status_name(actual), actual,
                blpo_status_name(expected), expected);
    _fail(file, line);
}

void check_error_names(const blpo_error *error, int code, const char *name, const char *file, int line)
{
    if (error != NULL && error->code == code && strlen(error->text) > 0
        && (strstr(error->field, name) || strstr(error->text, name)))
        return;
    print_error("the record is %s, field \"%s\", text \"%s\"; expected %s and the name \"%s\"\n",
                error ? blpo_status_name(error->code) : "NULL", error ? error->field : "", error ? error->text : "",
                blpo_status_name(code), name);
    _fail(file, line);
}

static int text_has(const char *text, int64_t number)
{
    char digits[32];
    if (number < 0)
        return 1;
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    return strstr(text, digits) != NULL;
}

void check_error_at(const blpo_error *error, int code, int64_t env, int64_t step, int64_t element, const char *file,
                    int line)
{
    if (error->code == code && error->env == env && error->step == step && error->element == element
        && text_has(error->text, env) && text_has(error->text, step) && text_has(error->text, element))
        return;
    print_error("the record is %s, env %lld, step %lld, element %lld, text \"%s\"; expected %s, %lld, %lld, %lld\n",
                blpo_status_name(error->code), (long long)error->env, (long long)error->step, (long long)error->element,
                error->text, blpo_status_name(code), (long long)env, (long long)step, (long long)element);
    _fail(file, line);
}

/* A block is: length, zone, array, zone. Each zone is 64 bytes of 0xA5. */
enum { ZONE = 64, HEAD = 64 };

test_real *guarded_new(int64_t n)
{
    const size_t size = (size_t)n * sizeof(test_real);
    unsigned char *block = malloc(HEAD + ZONE + size + ZONE);
    if (block == NULL)
        abort();
    memcpy(block, &size, sizeof size);
    memset(block + HEAD, 0xA5, ZONE);
    memset(block + HEAD + ZONE, 0xFF, size); /* all bits set is a NaN in either precision */
    memset(block + HEAD + ZONE + size, 0xA5, ZONE);
    return (test_real *)(void *)(block + HEAD + ZONE);
}

test_real *guarded_copy(const test_real *x, int64_t n)
{
    test_real *copy = guarded_new(n);
    memcpy(copy, x, (size_t)n * sizeof *x);
    return copy;
}

void guarded_free(test_real *x)
{
    unsigned char *block = (unsigned char *)x - ZONE - HEAD;
    size_t size;
    memcpy(&size, block, sizeof size);
    int64_t damage = 0;
    for (size_t i = 0; i < ZONE; i++)
        damage += (block[HEAD + i] != 0xA5) + (block[HEAD + ZONE + size + i] != 0xA5);
    free(block);
    assert_int_equal(damage, 0);
}
