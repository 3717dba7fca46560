#include "core/text.h"

#include <math.h>

blpo__text blpo__text_begin(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (blpo__text){buffer, buffer + size - 1};
}

static void add_char(blpo__text *text, char c)
{
    if (text->at < text->last) {
        *text->at++ = c;
        *text->at = '\0';
    }
}

void blpo__text_add(blpo__text *text, const char *string)
{
    while (*string != '\0')
        add_char(text, *string++);
}

/* Digits of value, at least `least` of them. */
static void add_digits(blpo__text *text, uint64_t value, int least)
{
    char digit[20];
    int n = 0;
    while (value > 0 || n < least) {
        digit[n++] = (char)('0' + value % 10);
        value /= 10;
    }
    while (n > 0)
        add_char(text, digit[--n]);
}

void blpo__text_add_int(blpo__text *text, int64_t value)
{
    if (value < 0)
        add_char(text, '-');
    add_digits(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 1);
}

/* A fraction of `places` decimal digits, its trailing zeros left out, with its point. */
static void add_fraction(blpo__text *text, uint64_t fraction, int places)
{
    if (fraction == 0)
        return;
    while (fraction % 10 == 0) {
        fraction /= 10;
        places--;
    }
    add_char(text, '.');
    add_digits(text, fraction, places);
}

/* A positive finite number whose decimal exponent is `exponent`, rounded to 6 digits: d.ddddde+xx outside 1e-5 .. 1e6. */
static void add_positive(blpo__text *text, double value, int exponent)
{
    const int scientific = exponent < -5 || exponent > 5;
    const double scaled = exponent < -300 ? value * 1e300 * pow(10.0, 5.0 - exponent - 300.0) : value * pow(10.0, 5.0 - exponent);
    uint64_t digits = (uint64_t)llround(scaled);
    if (digits >= 1000000) { /* 9.999996 became 10.00000 */
        digits /= 10;
        exponent++;
    }
    if (scientific) {
        add_digits(text, digits / 100000, 1);
        add_fraction(text, digits % 100000, 5);
        blpo__text_add(text, exponent < 0 ? "e-" : "e+");
        add_digits(text, (uint64_t)(exponent < 0 ? -exponent : exponent), 2);
    } else if (exponent >= 0) {
        uint64_t unit = 1;
        for (int i = exponent; i < 5; i++)
            unit *= 10;
        add_digits(text, digits / unit, 1);
        add_fraction(text, digits % unit, 5 - exponent);
    } else {
        add_char(text, '0');
        add_fraction(text, digits, 5 - exponent);
    }
}

void blpo__text_add_double(blpo__text *text, double value)
{
    if (isnan(value)) {
        blpo__text_add(text, "NaN");
        return;
    }
    if (signbit(value))
        add_char(text, '-');
    if (isinf(value))
        blpo__text_add(text, "infinity");
    else if (value == 0.0)
        add_char(text, '0');
    else
        add_positive(text, fabs(value), (int)floor(log10(fabs(value))));
}
