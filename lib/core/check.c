#include "core/check.h"

#include "core/error.h"
#include "core/multiversion.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { RULE_SIZE = 96, MOST_STRUCT = 65536 };

/* "it must be in [LOW, HIGH]" with either kind of bracket */
static void write_rule(char *rule, const char *open, double low, double high, const char *close)
{
    blpo__text text = blpo__text_begin(rule, RULE_SIZE);
    blpo__text_add(&text, "it must be in ");
    blpo__text_add(&text, open);
    blpo__text_add_double(&text, low);
    blpo__text_add(&text, ", ");
    blpo__text_add_double(&text, high);
    blpo__text_add(&text, close);
}

int blpo__check_int(blpo_error *error, const char *field, int64_t value, int64_t low, int64_t high)
{
    if (value >= low && value <= high)
        return BLPO_OK;
    char rule[RULE_SIZE];
    blpo__text text = blpo__text_begin(rule, sizeof rule);
    blpo__text_add(&text, "it must be in ");
    blpo__text_add_int(&text, low);
    blpo__text_add(&text, " .. ");
    blpo__text_add_int(&text, high);
    return blpo__error_int(error, BLPO_ERR_CONFIG, field, value, rule);
}

int blpo__check_double(blpo_error *error, const char *field, double value, double low, double high)
{
    if (value >= low && value <= high) /* false for NaN */
        return BLPO_OK;
    char rule[RULE_SIZE];
    write_rule(rule, "[", low, high, "]");
    return blpo__error_double(error, BLPO_ERR_CONFIG, field, value, rule);
}

int blpo__check_positive(blpo_error *error, const char *field, double value, double high)
{
    if (value > 0.0 && value <= high)
        return BLPO_OK;
    char rule[RULE_SIZE];
    write_rule(rule, "(", 0.0, high, "]");
    return blpo__error_double(error, BLPO_ERR_CONFIG, field, value, rule);
}

int blpo__check_below(blpo_error *error, const char *field, double value, double low, double high)
{
    if (value >= low && value < high)
        return BLPO_OK;
    char rule[RULE_SIZE];
    write_rule(rule, "[", low, high, ")");
    return blpo__error_double(error, BLPO_ERR_CONFIG, field, value, rule);
}

int blpo__check_size(blpo_error *error, const char *field, int64_t value)
{
    if (value > INT_MAX)
        return blpo__error_int(error, BLPO_ERR_SIZE, field, value, "it must be in 1 .. 2147483647");
    return blpo__check_int(error, field, value, 1, INT_MAX);
}

int blpo__check_product(blpo_error *error, const char *field, int64_t a, int64_t b)
{
    return blpo__check_product_of(error, field, NULL, a, b);
}

int blpo__check_product_of(blpo_error *error, const char *field, const char *product, int64_t a, int64_t b)
{
    if (a == 0 || b <= INT_MAX / a)
        return BLPO_OK;
    if (error == NULL)
        return BLPO_ERR_SIZE;
    char text[sizeof error->text];
    blpo__text out = blpo__text_begin(text, sizeof text);
    blpo__text_add(&out, field);
    if (product != NULL) {
        blpo__text_add(&out, " is too large: ");
        blpo__text_add(&out, product);
    }
    blpo__text_add(&out, " is ");
    blpo__text_add_int(&out, a);
    blpo__text_add(&out, " x ");
    blpo__text_add_int(&out, b);
    blpo__text_add(&out, "; it must be at most ");
    blpo__text_add_int(&out, INT_MAX);
    return blpo__error_set(error, BLPO_ERR_SIZE, BLPO_STAGE_CREATE, field, text);
}

/* x - x is 0 for a finite number and NaN otherwise. Many sums: the loop can use vector instructions without leave to reorder,
 * additions need not wait for each other, and the search is rare. */
#define FIRST_NONFINITE(TYPE)                                                                                          \
    enum { SUMS = 64 };                                                                                                \
    int64_t at = 0;                                                                                                    \
    TYPE left = 0;                                                                                                     \
    if (n >= SUMS) {                                                                                                   \
        TYPE sum[SUMS] = {0};                                                                                          \
        for (; at + SUMS <= n; at += SUMS)                                                                             \
            for (int j = 0; j < SUMS; j++)                                                                             \
                sum[j] += x[at + j] - x[at + j];                                                                       \
        for (int j = 0; j < SUMS; j++)                                                                                 \
            left += sum[j];                                                                                            \
    }                                                                                                                  \
    for (; at < n; at++)                                                                                               \
        left += x[at] - x[at];                                                                                         \
    if (left == 0)                                                                                                     \
        return -1;                                                                                                     \
    for (int64_t i = 0; i < n; i++)                                                                                    \
        if (!isfinite(x[i]))                                                                                           \
            return i;                                                                                                  \
    return -1

BLPO__MULTIVERSION
int64_t blpo__first_nonfinite(const real *x, int64_t n)
{
    FIRST_NONFINITE(real);
}

BLPO__MULTIVERSION
int64_t blpo__first_nonfinite_double(const double *x, int64_t n)
{
    FIRST_NONFINITE(double);
}

int blpo__struct_size_fits(size_t size, size_t least)
{
    return size >= least && size <= MOST_STRUCT;
}

int blpo__read_struct(void *out, size_t known, size_t least, const void *in)
{
    size_t size;
    memcpy(&size, in, sizeof size);
    if (!blpo__struct_size_fits(size, least))
        return BLPO_ERR_VERSION;
    const unsigned char *byte = in;
    for (size_t i = known; i < size; i++)
        if (byte[i] != 0)
            return BLPO_ERR_VERSION;
    memset(out, 0, known);
    memcpy(out, in, size < known ? size : known);
    return BLPO_OK;
}

int blpo__write_struct(void *out, size_t struct_size, const void *in, size_t known, size_t least)
{
    if (!blpo__struct_size_fits(struct_size, least))
        return BLPO_ERR_VERSION;
    const size_t both = struct_size < known ? struct_size : known;
    memcpy(out, in, both);
    memset((char *)out + both, 0, struct_size - both);
    memcpy(out, &struct_size, sizeof struct_size);
    return BLPO_OK;
}
