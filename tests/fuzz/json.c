/* SPDX-License-Identifier: MIT
 * The JSON reader, walked as its callers walk it, with room for strings chosen by the first byte. */
#include "../../core/src/json.h"
#include "fuzz.h"

enum { DEEPEST = 12 };

static void check_string(const char *text, size_t room)
{
    CHECK(memchr(text, 0, room));
    for (; *text; text++) CHECK((unsigned char)*text >= 0x20);
}

static void value(td_json *j, size_t room, int depth)
{
    char text[256];
    int first = 1;
    const char *next = j->at;
    while (next < j->end && memchr(" \n\r\t", *next, 4)) next++;
    const char kind = next < j->end ? *next : 0;
    if (kind == '{' && depth < DEEPEST && td_json_open(j, '{')) {
        while (td_json_more(j, '}', &first)) {
            if (td_json_key(j, text, room)) check_string(text, room);
            value(j, room, depth + 1);
        }
    } else if (kind == '[' && depth < DEEPEST && td_json_open(j, '[')) {
        while (td_json_more(j, ']', &first)) value(j, room, depth + 1);
    } else if (kind == '"') {
        if (td_json_string(j, text, room)) check_string(text, room);
    } else if (room % 2) {
        double number = 0.0;
        if (td_json_number(j, &number)) CHECK(isfinite(number));
    } else {
        size_t size = 0;
        if (td_json_size(j, &size)) CHECK(size <= 2147483647u);
    }
    CHECK(j->at <= j->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    char *const text = fuzz_copy(data + 1, size - 1);
    td_json j = td_json_in(text, size - 1);
    value(&j, 1 + data[0], 0);
    CHECK(td_json_end(&j) == (j.error == NULL));
    free(text);
    return 0;
}
