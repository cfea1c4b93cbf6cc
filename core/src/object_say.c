/* SPDX-License-Identifier: MIT
 * How the object speaks, and how it reads what stands behind a message's word. */
#include "object.h"

#include "params.h"

void td_text_add_all(td_text *text, const char *a, const char *b, const char *c)
{
    td_text_add(text, a);
    td_text_add(text, b);
    td_text_add(text, c);
}

void td_say(td_object *self, td_severity severity, const char *a, const char *b, const char *c)
{
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, a, b, c);
    self->host.say(self->host.context, severity, line);
}

int td_wrong(td_object *self, const char *a, const char *b, const char *c)
{
    td_say(self, TD_SAY_ERROR, a, b, c);
    return 1;
}

td_atom td_number(double value)
{
    const td_atom a = {NULL, value};
    return a;
}

td_atom td_word(const char *text)
{
    const td_atom a = {text, 0.0};
    return a;
}

void td_info(td_object *self, const char *selector, int count, const td_atom *atoms)
{
    self->host.info(self->host.context, selector, count, atoms);
}

void td_info_numbers(td_object *self, const char *selector, int count, const float *values)
{
    td_atom atoms[TD_PARAMS];
    for (int i = 0; i < count; i++) atoms[i] = td_number(td_tidy(values[i]));
    td_info(self, selector, count, atoms);
}

void td_line(td_state_line line, void *context, const char *message, td_atom value) { line(context, message, 1, &value); }

void td_named_line(td_state_line line, void *context, const char *message, const char *name, double value)
{
    const td_atom values[] = {td_word(name), td_number(value)};
    line(context, message, 2, values);
}

double td_tidy(float value)
{
    double scale = 1.0;
    if (!(value > -16777216.0f && value < 16777216.0f)) return (double)value; /* whole, or no number */
    for (int i = 0; i < 7; i++, scale *= 10.0) {
        const double scaled = (double)value * scale, rounded = (double)(int64_t)(scaled + (scaled < 0.0 ? -0.5 : 0.5));
        if ((float)(rounded / scale) == value) return rounded / scale;
    }
    return (double)value;
}

void td_add_unit(td_text *text, const char *unit)
{
    static const char *const plain[] = {"", "on/off", "count", "ratio", "x", "Q", "%"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (td_same_text(unit, plain[i])) return;
    for (const char *c = unit; *c; c++)
        if (*c == '|') return;
    td_text_add_all(text, " ", unit, "");
}

static void add_range(td_text *text, double min, double max, const char *unit)
{
    td_text_add_number(text, min);
    td_text_add(text, " to ");
    td_text_add_number(text, max);
    td_add_unit(text, unit);
}

int td_read_number(td_object *self, const char *what, const char *unit, float min, float max, int count, const td_atom *atoms, float *value)
{
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, what, ": ", "");
    if (count != 1 || atoms[0].text || !(atoms[0].number - atoms[0].number == 0.0)) {
        td_text_add(&text, "give one number, ");
        add_range(&text, td_tidy(min), td_tidy(max), unit);
        td_wrong(self, line, "", "");
        return 0;
    }
    double x = atoms[0].number;
    const double wanted = x;
    if (td_same_text(unit, "on/off")) x = x >= 0.5 ? 1.0 : 0.0;
    if (td_same_text(unit, "count") && x > 0.0 && x < 1e9) x = (double)(int64_t)x;
    /* compared as the float that it becomes: 4.66 is what the table says */
    *value = x < (double)min ? min : (x > (double)max ? max : (float)x);
    if (wanted < (double)min || (wanted > (double)max && (float)wanted > max)) {
        td_text_add_number(&text, wanted);
        td_text_add(&text, " is out of range (");
        add_range(&text, td_tidy(min), td_tidy(max), unit);
        td_text_add(&text, "), taken as ");
        td_text_add_number(&text, td_tidy(*value));
        td_wrong(self, line, "", "");
    }
    return 1;
}

const char *td_read_word(td_object *self, const char *message, const char *hint, int count, const td_atom *atoms)
{
    if (count >= 1 && atoms[0].text && atoms[0].text[0]) return atoms[0].text;
    td_wrong(self, message, ": ", hint);
    return NULL;
}

int td_read_nothing(td_object *self, const char *message, int count)
{
    if (count) td_wrong(self, message, ": takes no argument", "");
    return count == 0;
}

int td_is_word(const td_atom *atom, const char *text) { return atom->text && td_same_text(atom->text, text); }
