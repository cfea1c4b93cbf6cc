/* SPDX-License-Identifier: MIT
 * Everything that was set: told on the info outlet and on the console, kept and restored. */
#include "object.h"

#include "params.h"
#include "td_math.h"

/* dump and print: every value a line, then of the mapping what differs from a new object's. */
typedef void (*report)(td_object *self, const char *name, td_atom value, const char *unit);

static void report_all(td_object *self, report line)
{
    line(self, "model", td_word(self->model_name[0]), "");
    for (int i = 0; i < TD_PARAMS; i++) line(self, td_param(i)->name, td_number(td_tidy(td_param_value(self, i))), td_param(i)->unit);
    char choice[TD_WORD_BYTES];
    for (int i = 0; i < TD_CONTROL_COUNT; i++) line(self, td_control(i)->name, td_control_atom(self, i, choice), td_control(i)->unit);
    line(self, "normalize", td_word(td_normalize_word(self)), "");
}

static void report_info(td_object *self, const char *name, td_atom value, const char *unit)
{
    (void)unit;
    td_info(self, name, 1, &value);
}

static void add_atom(td_text *text, td_atom value)
{
    if (value.text)
        td_text_add(text, value.text);
    else
        td_text_add_number(text, value.number);
}

static void report_console(td_object *self, const char *name, td_atom value, const char *unit)
{
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, name, " ", "");
    add_atom(&text, value);
    td_add_unit(&text, unit);
    td_say(self, TD_SAY_POST, line, "", "");
}

static void info_line(void *context, const char *name, int count, const td_atom *values) { td_info(context, name, count, values); }

static void console_line(void *context, const char *name, int count, const td_atom *values)
{
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add(&text, name);
    for (int i = 0; i < count; i++) {
        td_text_add(&text, " ");
        add_atom(&text, values[i]);
    }
    td_say(context, TD_SAY_POST, line, "", "");
}

/* Two models are a line of their own, which dump gives as state does. */
static void morph_line(td_object *self, td_state_line line)
{
    const td_atom atoms[] = {td_word(self->model_name[0]), td_word(self->model_name[1]), td_number(td_tidy(self->edit.morph))};
    if (self->edit.model[1]) line(self, "morph", 3, atoms);
}

int td_on_dump(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (!td_read_nothing(self, "dump", count)) return 1;
    report_all(self, report_info);
    morph_line(self, info_line);
    td_state_of_mapping(self, 1, info_line, self);
    return 1;
}

int td_on_print(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (!td_read_nothing(self, "print", count)) return 1;
    report_all(self, report_console);
    morph_line(self, console_line);
    td_state_of_mapping(self, 1, console_line, self);
    return 1;
}

int td_on_get(td_object *self, int count, const td_atom *atoms)
{
    const char *name = td_read_word(self, "get", "give the name of a parameter or control (dump lists them)", count, atoms);
    if (!name) return 1;
    const int param = td_param_find(name), control = td_control_find(name);
    char choice[TD_WORD_BYTES];
    if (count > 1) return td_wrong(self, "get: takes one name", "", "");
    if (param >= 0)
        report_info(self, td_param(param)->name, td_number(td_tidy(td_param_value(self, param))), "");
    else if (control >= 0)
        report_info(self, td_control(control)->name, td_control_atom(self, control, choice), "");
    else if (td_same_text(name, "model"))
        report_info(self, name, td_word(self->model_name[0]), "");
    else if (td_same_text(name, "morph"))
        td_info_morph(self);
    else if (td_same_text(name, "stored"))
        td_info_stored(self);
    else if (!td_info_mapping(self, name))
        return td_wrong(self, "get: there is nothing called ", name, " (dump lists what there is)");
    return 1;
}

void td_object_state(const td_object *self, int parts, td_state_line line, void *context)
{
    const int changed = parts & TD_STATE_CHANGED;
    if (parts & TD_STATE_SOUND) {
        td_state_of_sound(self, changed, line, context);
        td_state_of_mapping(self, changed, line, context);
        if (!changed || self->edit.normalize != TD_NORMALIZE_MODEL) td_line(line, context, "normalize", td_word(td_normalize_word(self)));
        td_state_of_stores(self, line, context);
        if (self->seed_given) td_line(line, context, td_control(TD_CONTROL_seed)->name, td_number((double)self->edit.seed));
    }
    if (parts & TD_STATE_CONTROLS) td_state_of_controls(self, changed, line, context);
}

static void state_line(void *context, const char *word, int count, const td_atom *values)
{
    td_atom atoms[TD_STATE_VALUES + 1];
    atoms[0] = td_word(word);
    memcpy(atoms + 1, values, (size_t)count * sizeof *values);
    td_info(context, "state", count + 1, atoms);
}

int td_on_state(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (td_read_nothing(self, "state", count))
        td_object_state(self, TD_STATE_SOUND | TD_STATE_CONTROLS | TD_STATE_CHANGED, state_line, self);
    return 1;
}

void td_object_restore(td_object *self, int count, const td_atom *atoms)
{
    for (int i = 0; i < count;) {
        const int values = atoms[i].text || !(atoms[i].number >= 0.0 && atoms[i].number < count) ? count : (int)atoms[i].number;
        if (values > count - i - 2 || !atoms[i + 1].text) {
            td_wrong(self, "the state that was kept is not whole: the number of values, a word and its values are expected", "", "");
            return;
        }
        td_object_message(self, atoms[i + 1].text, values, &atoms[i + 2]);
        i += 2 + values;
    }
}
