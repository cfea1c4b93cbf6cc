/* SPDX-License-Identifier: MIT
 * Sentences without printf: the core has no libc. A text never overflows; what does not fit is cut. */
#ifndef TD_TEXT_H
#define TD_TEXT_H

#include <stddef.h>

typedef struct td_text {
    char *to;
    size_t room, length;
} td_text;

td_text td_text_in(char *to, size_t room);
void td_text_add(td_text *text, const char *words);
void td_text_add_part(td_text *text, const char *words, size_t length);
void td_text_add_int(td_text *text, long value);
void td_text_add_digits(td_text *text, double value, int digits); /* at most 9, whole numbers all: 0.25, -60, 16777215, 1e-07 */
void td_text_add_number(td_text *text, double value);             /* six digits */

#endif
