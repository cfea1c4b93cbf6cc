/* SPDX-License-Identifier: MIT
 * Reads a preset file from memory, and writes one (spec 9). */
#include "json.h"
#include "params.h"
#include "text.h"

static td_status refuse(td_text *why, const char *a, const char *b, const char *c)
{
    td_text_add(why, a);
    td_text_add(why, b);
    td_text_add(why, c);
    return TD_ERR_FORMAT;
}

/* One object {key: number}; seen gets the bits of the keys that were there. */
static td_status read_values(td_json *j, float values[TD_PARAMS], uint32_t *seen, int check_range, td_text *why)
{
    char key[32];
    double number;
    if (!td_json_open(j, '{')) return TD_ERR_FORMAT;
    for (int first = 1; td_json_more(j, '}', &first);) {
        if (!td_json_key(j, key, sizeof key)) return TD_ERR_FORMAT;
        const int i = td_param_find(key);
        if (i < 0) return refuse(why, "the preset has an unknown parameter: ", key, "");
        if (*seen & 1u << i) return refuse(why, "the preset has a parameter twice: ", key, "");
        if (!td_json_number(j, &number)) return TD_ERR_FORMAT;
        const double lo = check_range ? (double)td_param(i)->min : 0.0, hi = check_range ? (double)td_param(i)->max : TD_MAX_DAMPING;
        values[i] = (float)number;
        if (!((double)values[i] >= lo && (double)values[i] <= hi)) {
            refuse(why, "the preset is out of range at ", key, " (");
            td_text_add_number(why, lo);
            td_text_add(why, " to ");
            td_text_add_number(why, hi);
            td_text_add(why, ")");
            return TD_ERR_FORMAT;
        }
        *seen |= 1u << i;
    }
    return j->error ? TD_ERR_FORMAT : TD_OK;
}

td_status td_preset_read(const char *json, size_t bytes, td_preset *preset, char why[TD_ERROR_BYTES])
{
    char key[32];
    td_preset read;
    uint32_t values = 0, dampings = 0;
    int has_values = 0, has_damping = 0;
    td_status status = TD_OK;
    td_text reason = td_text_in(why, TD_ERROR_BYTES);
    td_json j = td_json_in(json, bytes);
    for (int i = 0; i < TD_PARAMS; i++) read.damping[i] = 1.0f;
    if (td_json_open(&j, '{')) {
        for (int first = 1; status == TD_OK && td_json_more(&j, '}', &first);) {
            if (!td_json_key(&j, key, sizeof key)) break;
            if (td_same_text(key, "preset") && !has_values++)
                status = read_values(&j, read.value, &values, 1, &reason);
            else if (td_same_text(key, "damping") && !has_damping++)
                status = read_values(&j, read.damping, &dampings, 0, &reason);
            else
                status = refuse(&reason, "the preset has an unknown or repeated entry: ", key, "");
        }
        if (status == TD_OK) td_json_end(&j);
    }
    if (j.error) return refuse(&reason, "the preset cannot be read: ", j.error, "");
    if (status != TD_OK) return status;
    for (int i = 0; i < TD_PARAMS; i++)
        if (!(values & 1u << i)) return refuse(&reason, "the preset lacks ", td_param(i)->key, "");
    *preset = read;
    return TD_OK;
}

/* With as many digits as it takes. */
static void add_float(td_text *text, float value)
{
    char number[32];
    double back = 0.0;
    td_text digits = td_text_in(number, sizeof number);
    for (int count = 6; count <= 9; count++) {
        digits = td_text_in(number, sizeof number);
        td_text_add_digits(&digits, (double)value, count);
        td_json j = td_json_in(number, digits.length);
        if (td_json_number(&j, &back) && (float)back == value) break;
    }
    td_text_add(text, number);
}

static void add_values(td_text *text, const char *name, const float values[TD_PARAMS])
{
    td_text_add(text, " \"");
    td_text_add(text, name);
    td_text_add(text, "\": {\n");
    for (int i = 0; i < TD_PARAMS; i++) {
        td_text_add(text, "  \"");
        td_text_add(text, td_param(i)->key);
        td_text_add(text, "\": ");
        add_float(text, values[i]);
        td_text_add(text, i < TD_PARAMS - 1 ? ",\n" : "\n");
    }
    td_text_add(text, " }");
}

size_t td_preset_write(const td_preset *preset, char json[TD_PRESET_BYTES])
{
    td_text text = td_text_in(json, TD_PRESET_BYTES);
    td_text_add(&text, "{\n");
    add_values(&text, "preset", preset->value);
    td_text_add(&text, ",\n");
    add_values(&text, "damping", preset->damping);
    td_text_add(&text, "\n}\n");
    return text.length;
}
