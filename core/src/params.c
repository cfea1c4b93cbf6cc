/* SPDX-License-Identifier: MIT
 * The tables as data: names, ranges, look-up, hash (spec 5.1, 8.1). */
#include "params.h"

#include "crc32.h"

static const td_param_info params[] = {
#define X(name, key, unit, min, max, def, curve, label) {#name, key, unit, #curve, label, (float)(min), (float)(max), (float)(def)},
#include "snare808.def"
#undef X
};

static const td_control_info controls[] = {
#define X(name, unit, min, max, def, aliases, help) {#name, unit, aliases, help, (float)(min), (float)(max), (float)(def)},
#include "controls.def"
#undef X
};

/* One row for each line of setups.def; the controls that it sets, in its order. */
static const int set_up_controls[] = {TD_CONTROL_onthreshold, TD_CONTROL_offthreshold, TD_CONTROL_hold, TD_CONTROL_floor,
                                      TD_CONTROL_highpass};
enum { SET_UP_CONTROLS = sizeof set_up_controls / sizeof *set_up_controls };

static const struct {
    const char *detector, *input;
    float value[SET_UP_CONTROLS];
} setups[] = {
#define X(detector, input, onthreshold, offthreshold, hold, floor, highpass)                                                               \
    {#detector, #input, {(float)(onthreshold), (float)(offthreshold), (float)(hold), (float)(floor), (float)(highpass)}},
#include "setups.def"
#undef X
};

static const char *const hash_lines[] = {
#define X(name, key, unit, min, max, def, curve, label) key " " unit " " #min " " #max " " #curve "\n",
#include "snare808.def"
#undef X
};

_Static_assert((int)TD_PARAM_COUNT == (int)TD_PARAMS, "snare808.def and TD_PARAMS must agree");

int td_same_text(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

/* Whether the word stands in a list of words separated by single spaces. */
static int in_list(const char *list, const char *word)
{
    while (*list) {
        const char *w = word;
        while (*list && *list != ' ' && *list == *w) list++, w++;
        if (!*w && w != word && (!*list || *list == ' ')) return 1;
        while (*list && *list != ' ') list++;
        while (*list == ' ') list++;
    }
    return 0;
}

const td_param_info *td_param(int index) { return index >= 0 && index < TD_PARAMS ? &params[index] : NULL; }

int td_param_find(const char *name_or_key)
{
    for (int i = 0; i < TD_PARAMS; i++)
        if (td_same_text(params[i].name, name_or_key) || td_same_text(params[i].key, name_or_key)) return i;
    return -1;
}

const td_control_info *td_control(int index) { return index >= 0 && index < TD_CONTROL_COUNT ? &controls[index] : NULL; }

int td_control_find(const char *name_or_alias)
{
    for (int i = 0; i < TD_CONTROL_COUNT; i++)
        if (td_same_text(controls[i].name, name_or_alias) || in_list(controls[i].aliases, name_or_alias)) return i;
    return -1;
}

int td_control_choice(int control, int choice, char word[TD_WORD_BYTES])
{
    const char *unit = td_control(control) ? controls[control].unit : "";
    const char *end = unit;
    while (*end && *end != '|') end++;
    if (!*end || choice < 0) return 0;
    for (; choice && *unit; unit++) choice -= *unit == '|';
    size_t length = 0;
    for (; *unit && *unit != '|' && length < TD_WORD_BYTES - 1; unit++) word[length++] = *unit;
    word[length] = 0;
    return length > 0;
}

static int is_choice(int control, int choice, const char *wanted)
{
    char word[TD_WORD_BYTES];
    return td_control_choice(control, choice, word) && (td_same_text(word, wanted) || td_same_text(wanted, "any"));
}

int td_setup_value(int detector, int input, int control, float *value)
{
    int column = 0;
    while (column < SET_UP_CONTROLS && set_up_controls[column] != control) column++;
    if (column == SET_UP_CONTROLS) return 0;
    *value = controls[control].def;
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++)
        if (is_choice(TD_CONTROL_detector, detector, setups[i].detector) && is_choice(TD_CONTROL_input, input, setups[i].input))
            *value = setups[i].value[column];
    return 1;
}

void td_param_table_hash(int count, char hex[9])
{
    uint32_t crc = TD_CRC32_START;
    for (int i = 0; i < count && i < TD_PARAMS; i++) {
        size_t length = 0;
        while (hash_lines[i][length]) length++;
        crc = td_crc32_update(crc, hash_lines[i], length);
    }
    td_crc32_hex(td_crc32_end(crc), hex);
}
