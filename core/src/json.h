/* SPDX-License-Identifier: MIT
 * A strict, bounded JSON reader that walks a text in memory and allocates nothing. Depth at most 8; no duplicate detection (callers know
 * which keys they expect); strings are UTF-8 without control characters, escapes stand for printable ASCII only. */
#ifndef TD_JSON_H
#define TD_JSON_H

#include <stddef.h>

typedef struct td_json {
    const char *at, *end;
    const char *error; /* NULL, or what was wrong first; everything after that fails too */
} td_json;

td_json td_json_in(const char *text, size_t bytes);

/* Objects: if (td_json_open(j, '{')) while (td_json_more(j, '}', &first)) { key … } with int first = 1. The same with '[' and ']'. */
int td_json_open(td_json *j, char bracket);
int td_json_more(td_json *j, char bracket, int *first);
int td_json_key(td_json *j, char *to, size_t room); /* a string and the colon; 0 when it failed or did not fit */
int td_json_string(td_json *j, char *to, size_t room);
int td_json_number(td_json *j, double *value);
int td_json_size(td_json *j, size_t *value); /* a whole number 0 … 2^31-1 without sign, point or exponent */
int td_json_end(td_json *j);                 /* nothing but white space is left */

#endif
