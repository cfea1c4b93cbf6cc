/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <stdint.h>

td_json td_json_in(const char *text, size_t bytes)
{
    td_json j = {text, text + bytes, NULL};
    return j;
}

static int fail(td_json *j, const char *why)
{
    if (!j->error) j->error = why;
    j->at = j->end;
    return 0;
}

static void skip_space(td_json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t')) j->at++;
}

static int accept(td_json *j, char c)
{
    skip_space(j);
    if (j->error || j->at == j->end || *j->at != c) return 0;
    j->at++;
    return 1;
}

int td_json_open(td_json *j, char bracket)
{
    return accept(j, bracket) || fail(j, bracket == '{' ? "an object { is missing" : "a list [ is missing");
}

int td_json_more(td_json *j, char bracket, int *first)
{
    const int was_first = *first;
    *first = 0;
    if (j->error || accept(j, bracket)) return 0;
    return was_first || accept(j, ',') || fail(j, "a comma or closing bracket is missing");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The character after a backslash, or -1. Control characters have no place in the texts that are read here. */
static int unescape(td_json *j)
{
    const char c = *j->at++;
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'u': {
        int code = 0;
        if (j->end - j->at < 4) return -1;
        for (int i = 0; i < 4; i++) {
            const int digit = hex_digit(*j->at++);
            if (digit < 0) return -1;
            code = code * 16 + digit;
        }
        return code >= 32 && code < 127 ? code : -1;
    }
    default:
        return -1;
    }
}

/* Whether n bytes are UTF-8 without overlong forms and surrogates (RFC 3629). */
static int is_utf8(const unsigned char *s, size_t n)
{
    while (n) {
        const size_t tail = s[0] < 0x80                   ? 0
                            : s[0] >= 0xc2 && s[0] < 0xe0 ? 1
                            : (s[0] & 0xf0) == 0xe0       ? 2
                            : s[0] >= 0xf0 && s[0] < 0xf5 ? 3
                                                          : n;
        if (tail >= n) return 0;
        for (size_t i = 1; i <= tail; i++)
            if ((s[i] & 0xc0) != 0x80) return 0;
        if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
            (s[0] == 0xf4 && s[1] > 0x8f))
            return 0;
        s += tail + 1;
        n -= tail + 1;
    }
    return 1;
}

int td_json_string(td_json *j, char *to, size_t room)
{
    size_t length = 0;
    if (!accept(j, '"')) return fail(j, "a text in double quotes is missing");
    while (j->at < j->end) {
        int c = (unsigned char)*j->at++;
        if (c == '"') {
            to[length] = 0;
            return is_utf8((const unsigned char *)to, length) || fail(j, "a text is not UTF-8");
        }
        const int second = c >= 0x80 && c < 0xa0 && length && (unsigned char)to[length - 1] == 0xc2; /* of U+0080 to U+009F */
        if (c < 32 || c == 127 || second) return fail(j, "a control character stands in a text");
        if (c == '\\') {
            if (j->at == j->end || (c = unescape(j)) < 0) return fail(j, "an escape in a text is wrong or stands for a control character");
        }
        if (length + 1 >= room) return fail(j, "a text is too long");
        to[length++] = (char)c;
    }
    return fail(j, "a text does not end");
}

int td_json_key(td_json *j, char *to, size_t room)
{
    return td_json_string(j, to, room) && (accept(j, ':') || fail(j, "a colon is missing"));
}

static int is_digit(const td_json *j) { return j->at < j->end && *j->at >= '0' && *j->at <= '9'; }

/* A product of doubles as an unevaluated sum, by Dekker's and Veltkamp's exact product. */
typedef struct wide {
    double hi, lo;
} wide;

static wide product(double a, double b)
{
    const double split = 134217729.0; /* 2^27 + 1 */
    const double p = a * b, ta = a * split, tb = b * split;
    const double ah = ta - (ta - a), al = a - ah, bh = tb - (tb - b), bl = b - bh;
    const wide r = {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
    return r;
}

static wide times(wide a, double b)
{
    wide r = product(a.hi, b);
    r.lo += a.lo * b;
    const double sum = r.hi + r.lo;
    r.lo += r.hi - sum;
    r.hi = sum;
    return r;
}

static wide over(wide a, double b)
{
    const double q = a.hi / b;
    const wide back = product(q, b);
    wide r = {q, ((a.hi - back.hi) - back.lo + a.lo) / b};
    const double sum = r.hi + r.lo;
    r.lo += r.hi - sum;
    r.hi = sum;
    return r;
}

/* digits · 10^exponent. Twice double precision, so the nearest double in all but one of 10^14 cases. */
static double decimal(uint64_t digits, int exponent)
{
    wide value = {(double)(digits >> 32) * 4294967296.0, (double)(digits & 0xffffffffu)};
    const double sum = value.hi + value.lo;
    value.lo += value.hi - sum;
    value.hi = sum;
    for (; exponent >= 22; exponent -= 22) value = times(value, 1e22);
    for (; exponent <= -22; exponent += 22) value = over(value, 1e22);
    double power = 1.0;
    for (int i = exponent < 0 ? -exponent : exponent; i > 0; i--) power *= 10.0; /* exact to 10^22 */
    value = exponent < 0 ? over(value, power) : times(value, power);
    return value.hi + value.lo;
}

int td_json_number(td_json *j, double *value)
{
    uint64_t digits = 0;
    int exponent = 0, negative = 0;
    skip_space(j);
    if (j->error) return 0;
    if (j->at < j->end && *j->at == '-') negative = 1, j->at++;
    if (!is_digit(j)) return fail(j, "a number is missing");
    if (*j->at == '0' && j->end - j->at > 1 && j->at[1] >= '0' && j->at[1] <= '9') return fail(j, "a number begins with 0");
    int significant = 0, fraction = 0;
    for (;;) {
        if (is_digit(j)) {
            if (significant < 19) {
                digits = digits * 10u + (uint64_t)(*j->at - '0');
                if (digits) significant++;
                exponent -= fraction;
            } else {
                exponent += 1 - fraction; /* beyond double precision: only its place counts */
            }
            if (exponent > 400 || exponent < -400) return fail(j, "a number has too many digits");
            j->at++;
        } else if (!fraction && j->at < j->end && *j->at == '.') {
            fraction = 1;
            j->at++;
            if (!is_digit(j)) return fail(j, "a digit is missing after the point of a number");
        } else {
            break;
        }
    }
    if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) {
        int power = 0, down = 0;
        j->at++;
        if (j->at < j->end && (*j->at == '+' || *j->at == '-')) down = *j->at++ == '-';
        if (!is_digit(j)) return fail(j, "the exponent of a number is missing");
        for (; is_digit(j); j->at++)
            if ((power = power * 10 + (*j->at - '0')) > 400) return fail(j, "a number is too large or too small");
        exponent += down ? -power : power;
    }
    if (digits && (exponent + significant > 280 || exponent + significant < -280)) return fail(j, "a number is too large or too small");
    const double magnitude = digits ? decimal(digits, exponent) : 0.0;
    *value = negative ? -magnitude : magnitude;
    return 1;
}

int td_json_size(td_json *j, size_t *value)
{
    skip_space(j);
    if (j->error) return 0;
    if (!is_digit(j) || (*j->at == '0' && j->end - j->at > 1 && j->at[1] >= '0' && j->at[1] <= '9'))
        return fail(j, "a whole number is missing");
    size_t sum = 0;
    for (; is_digit(j); j->at++)
        if ((sum = sum * 10 + (size_t)(*j->at - '0')) > 0x7fffffffu) return fail(j, "a whole number is too large");
    *value = sum;
    return 1;
}

int td_json_end(td_json *j)
{
    skip_space(j);
    return !j->error && (j->at == j->end || fail(j, "something is left over at the end"));
}
