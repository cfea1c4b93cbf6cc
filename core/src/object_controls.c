/* SPDX-License-Identifier: MIT
 * What is played with: the controls of the table, triggers, and what the engine measures. */
#include "object.h"

#include "params.h"
#include "td_atomic.h"

static const char *const trigger_names[TD_FEATURES] = {"trigger loudness", "trigger centroid", "trigger flatness"};

float td_control_value(const td_object *self, int index)
{
    if (index == TD_CONTROL_depth) return self->edit.depth;
    if (index == TD_CONTROL_seed) return (float)self->edit.seed;
    return td_engine_get(&self->first.engine, index);
}

td_atom td_control_atom(const td_object *self, int index, char choice[TD_WORD_BYTES])
{
    const float value = td_control_value(self, index);
    return td_control_choice(index, (int)value, choice) ? td_word(choice) : td_number(td_tidy(value));
}

/* The number of a word that a control takes. 0 when it takes words and this is none of them. */
static int read_choice(td_object *self, int index, const char *name, int count, const td_atom *atoms, float *value)
{
    char choice[TD_WORD_BYTES], words[256];
    td_text list = td_text_in(words, sizeof words);
    for (int i = 0; td_control_choice(index, i, choice); i++) {
        td_text_add_all(&list, i ? ", " : "", choice, "");
        *value = (float)i;
        if (count == 1 && (atoms[0].text ? td_same_text(choice, atoms[0].text) : atoms[0].number == (double)i)) return 1;
    }
    td_wrong(self, name, ": give one of ", words);
    return 0;
}

int td_set_control(td_object *self, int index, const char *name, int count, const td_atom *atoms)
{
    char choice[TD_WORD_BYTES];
    const td_control_info *c = td_control(index);
    float value;
    if (index == TD_CONTROL_depth && count == 2) {
        td_set_param_depth(self, count, atoms);
        return 1;
    }
    if (td_control_choice(index, 0, choice)) {
        if (!read_choice(self, index, name, count, atoms, &value)) return 1;
    } else if (!td_read_number(self, name, c->unit, c->min, c->max, count, atoms, &value)) {
        return 1;
    }
    if (index == TD_CONTROL_depth) {
        self->edit.depth = value;
        td_object_publish(self);
    } else if (index == TD_CONTROL_seed) {
        self->edit.seed = (uint32_t)value;
        self->edit.seed_serial++;
        self->seed_given = 1;
        td_object_publish(self);
    } else {
        for (int i = 0; i < self->channels; i++) td_engine_set(&td_object_channel(self, i)->engine, index, value);
    }
    return 1;
}

int td_on_trigger(td_object *self, int count, const td_atom *atoms)
{
    float features[TD_FEATURES];
    if (count != 0 && count != TD_FEATURES)
        return td_wrong(self, "trigger: give nothing or three numbers 0 to 1: loudness centroid flatness", "", "");
    for (int f = 0; f < count; f++)
        if (!td_read_number(self, trigger_names[f], "", 0.0f, 1.0f, 1, atoms + f, &features[f])) return 1;
    for (int i = 0; i < self->channels; i++)
        if (td_engine_trigger(&td_object_channel(self, i)->engine, self->delay, count ? features : NULL) == TD_ERR_FULL)
            return td_wrong(self, "trigger: too many are waiting, is the DSP on?", "", "");
    return 1;
}

int td_on_reset(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (!td_read_nothing(self, "reset", count)) return 1;
    for (int i = 0; i < self->channels; i++) td_engine_reset(&td_object_channel(self, i)->engine);
    return 1;
}

int td_on_latency(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (!td_read_nothing(self, "latency", count)) return 1;
    const int samples = td_engine_latency(&self->first.engine);
    const td_atom out[2] = {td_number(samples), td_number(1000.0 * samples / self->first.engine.sample_rate)};
    td_info(self, "latency", 2, out);
    return 1;
}

void td_object_busy(td_object *self, float busy_s, float lasted_s)
{
    td_store_float(&self->busy_s, td_load_float(&self->busy_s) + busy_s);
    td_store_float(&self->lasted_s, td_load_float(&self->lasted_s) + lasted_s);
}

/* Of the time since it was asked last, in which the audio side ran. */
static float busy_percent(td_object *self)
{
    const float busy = td_load_float(&self->busy_s), lasted = td_load_float(&self->lasted_s);
    td_store_float(&self->busy_s, 0.0f);
    td_store_float(&self->lasted_s, 0.0f);
    const float percent = 100.0f * busy / lasted;
    return percent >= 0.0f && percent < 1e6f ? percent : 0.0f; /* 0 when nothing, or nonsense, was measured */
}

int td_on_meter(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (!td_read_nothing(self, "meter", count)) return 1;
    td_meter meter, other;
    td_engine_meter(&self->first.engine, &meter);
    for (int i = 1; i < self->channels; i++) {
        td_engine_meter(&td_object_channel(self, i)->engine, &other);
        if (other.level > meter.level) meter.level = other.level;
        if (other.rise > meter.rise) meter.rise = other.rise;
    }
    const float out[] = {meter.level, meter.rise, meter.threshold, busy_percent(self)};
    td_info_numbers(self, "meter", sizeof out / sizeof *out, out);
    return 1;
}

/* Whether a new object has this value, and the lines before do not change it. */
static int is_as_new(const td_object *self, int index)
{
    float set_up;
    if (td_control_value(self, index) != td_control(index)->def) return 0;
    return !td_setup_value(0, 0, index, &set_up) || (td_control_value(self, TD_CONTROL_detector) == td_control(TD_CONTROL_detector)->def &&
                                                     td_control_value(self, TD_CONTROL_input) == td_control(TD_CONTROL_input)->def);
}

/* What is chosen by a word may set other controls: those first. */
void td_state_of_controls(const td_object *self, int changed, td_state_line line, void *context)
{
    char choice[TD_WORD_BYTES];
    for (int words = 1; words >= 0; words--)
        for (int i = 0; i < TD_CONTROL_COUNT; i++)
            if (i != TD_CONTROL_seed && td_control_choice(i, 0, choice) == words && !(changed && is_as_new(self, i)))
                td_line(line, context, td_control(i)->name, td_control_atom(self, i, choice));
}
