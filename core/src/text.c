/* SPDX-License-Identifier: MIT */
#include "text.h"

#include "td_math.h"

td_text td_text_in(char *to, size_t room)
{
    td_text text = {to, room, 0};
    if (room) to[0] = 0;
    return text;
}

void td_text_add_part(td_text *text, const char *words, size_t length)
{
    while (length-- && text->length + 1 < text->room) text->to[text->length++] = *words++;
    if (text->room) text->to[text->length] = 0;
}

void td_text_add(td_text *text, const char *words)
{
    size_t length = 0;
    while (words[length]) length++;
    td_text_add_part(text, words, length);
}

void td_text_add_int(td_text *text, long value)
{
    char digits[24];
    size_t at = sizeof digits;
    unsigned long rest = value < 0 ? 0ul - (unsigned long)value : (unsigned long)value;
    do digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) digits[--at] = '-';
    td_text_add_part(text, digits + at, sizeof digits - at);
}

void td_text_add_number(td_text *text, double value) { td_text_add_digits(text, value, 6); }

void td_text_add_digits(td_text *text, double value, int most)
{
    if (value < 0.0) {
        td_text_add(text, "-");
        value = -value;
    }
    if (!(value <= 1e300)) {
        td_text_add(text, value > 0.0 ? "inf" : "nan");
        return;
    }
    if (value < 1e9 && value == (double)(long)value) {
        td_text_add_int(text, (long)value);
        return;
    }
    int exponent = 0; /* value = 0.dddddd · 10^exponent */
    if (value > 0.0) {
        while (value >= 1.0) value /= 10.0, exponent++;
        while (value < 0.1) value *= 10.0, exponent--;
    }
    int64_t full = 1;
    for (int i = 0; i < most; i++) full *= 10;
    int64_t digits = (int64_t)(value * (double)full + 0.5);
    if (digits >= full) digits /= 10, exponent++;
    char d[9];
    int count = most;
    for (int i = most - 1; i >= 0; i--, digits /= 10) d[i] = (char)('0' + digits % 10);
    while (count > 1 && d[count - 1] == '0') count--;
    if (value > 0.0 && (exponent < -3 || exponent > 9)) {
        td_text_add_part(text, d, 1);
        if (count > 1) {
            td_text_add(text, ".");
            td_text_add_part(text, d + 1, (size_t)count - 1);
        }
        td_text_add(text, "e");
        td_text_add_int(text, exponent - 1);
        return;
    }
    if (exponent <= 0) td_text_add(text, d[0] == '0' ? "0" : "0.");
    if (d[0] == '0') return;
    for (int i = exponent; i < 0; i++) td_text_add(text, "0");
    for (int i = 0; i < count || i < exponent; i++) {
        if (i == exponent && i > 0) td_text_add(text, ".");
        td_text_add_part(text, i < count ? &d[i] : "0", 1);
    }
}
