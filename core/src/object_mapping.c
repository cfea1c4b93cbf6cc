/* SPDX-License-Identifier: MIT
 * The mapping by hand: which parameters the network may move and how far, what it hears, and the range of this drum. */
#include "object.h"

#include "params.h"
#include "td_math.h"

static const char *const feature_names[TD_FEATURES] = {"loudness", "centroid", "flatness"};
static const char *const normalize_words[] = {"model", "adapt"};
static const float most_scale = 4.0f, most_offset = 2.0f;
static const float least_feature = -1000.0f, most_feature = 1000.0f; /* dB, semitones: anything that can be heard lies between */
enum { CALIBRATION = 10, RANGE = 2 * TD_FEATURES };

static const char *feature_name(int index) { return feature_names[index]; }

/* A name, or all, and a number, of a table with count names: bits says which are meant. 0 when it was something else, which is said. */
static int read_named(td_object *self, const char *message, const char *example, const char *(*name)(int), int names, float min, float max,
                      const char *unit, int count, const td_atom *atoms, uint32_t *bits, float *value)
{
    const char *wanted = count == 2 && atoms[0].text ? atoms[0].text : "";
    *bits = td_same_text(wanted, "all") ? (1u << names) - 1u : 0u;
    for (int i = 0; i < names; i++)
        if (td_same_text(wanted, name(i))) *bits = 1u << i;
    if (name == td_param_name && !*bits && td_param_find(wanted) >= 0) *bits = 1u << td_param_find(wanted);
    if (*bits) return td_read_number(self, message, unit, min, max, 1, atoms + 1, value);
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, message, ": give a name and a number, such as ", message);
    td_text_add_all(&text, " ", example, " (");
    for (int i = 0; i < names; i++) td_text_add_all(&text, i ? ", " : "", name(i), "");
    return td_wrong(self, line, ", all)", ""), 0;
}

int td_on_mask(td_object *self, int count, const td_atom *atoms)
{
    uint32_t bits;
    float value;
    if (!read_named(self, "mask", "osc1_mod 1", td_param_name, TD_PARAMS, 0.0f, 1.0f, "on/off", count, atoms, &bits, &value)) return 1;
    self->edit.mask = value != 0.0f ? self->edit.mask | bits : self->edit.mask & ~bits;
    td_object_publish(self);
    return 1;
}

void td_set_param_depth(td_object *self, int count, const td_atom *atoms)
{
    const td_control_info *c = td_control(TD_CONTROL_depth);
    uint32_t bits;
    float value;
    if (!read_named(self, c->name, "osc1_freq 0.5", td_param_name, TD_PARAMS, c->min, c->max, c->unit, count, atoms, &bits, &value)) return;
    for (int i = 0; i < TD_PARAMS; i++)
        if (bits & 1u << i) self->edit.param_depth[i] = value;
    td_object_publish(self);
}

static int set_features(td_object *self, const char *message, float min, float max, float *features, int count, const td_atom *atoms)
{
    uint32_t bits;
    float value;
    if (!read_named(self, message, "centroid 0.5", feature_name, TD_FEATURES, min, max, "", count, atoms, &bits, &value)) return 1;
    for (int f = 0; f < TD_FEATURES; f++)
        if (bits & 1u << f) features[f] = value;
    td_object_publish(self);
    return 1;
}

int td_on_scale(td_object *self, int count, const td_atom *atoms)
{
    return set_features(self, "scale", -most_scale, most_scale, self->edit.scale, count, atoms);
}

int td_on_offset(td_object *self, int count, const td_atom *atoms)
{
    return set_features(self, "offset", -most_offset, most_offset, self->edit.offset, count, atoms);
}

int td_on_normalize(td_object *self, int count, const td_atom *atoms)
{
    for (uint32_t i = 0; i < 2; i++) {
        if (count != 1 || !td_is_word(atoms, normalize_words[i])) continue;
        self->edit.normalize = i;
        td_object_publish(self);
        return 1;
    }
    return td_wrong(self, "normalize: give model or adapt", "", "");
}

const char *td_normalize_word(const td_object *self) { return normalize_words[self->edit.normalize]; }

/* ---- calibration ---- */

static int give_calibration(const td_object *self, td_atom atoms[1 + RANGE])
{
    atoms[0] = self->edit.calibrated ? td_number((double)self->edit.calibrated) : td_word("off");
    if (!self->edit.calibrated) return 1;
    for (int f = 0; f < TD_FEATURES; f++) {
        atoms[1 + 2 * f] = td_number(td_tidy(self->edit.low[f]));
        atoms[2 + 2 * f] = td_number(td_tidy(self->edit.high[f]));
    }
    return 1 + RANGE;
}

static void info_calibration(td_object *self, const char *selector)
{
    td_atom atoms[1 + RANGE];
    td_info(self, selector, give_calibration(self, atoms), atoms);
}

static void finish_calibration(td_object *self)
{
    td_patch_calibrate(&self->edit, (const float(*)[TD_FEATURES])self->strokes, self->heard);
    self->edit.normalize = TD_NORMALIZE_MODEL;
    self->wanted = 0;
    td_object_publish(self);
    info_calibration(self, "calibrated");
}

static void info_heard(td_object *self)
{
    const td_atom atoms[] = {td_number(self->heard), td_number(self->wanted)};
    td_info(self, "calibrate", 2, atoms);
}

void td_calibrate_stroke(td_object *self, const td_event *event)
{
    if (!self->wanted || event->kind != TD_STROKE) return;
    memcpy(self->strokes[self->heard++], event->raw, sizeof event->raw);
    info_heard(self);
    if (self->heard == self->wanted) finish_calibration(self);
}

/* As give_calibration gives it. */
static int set_calibration(td_object *self, const td_atom *atoms)
{
    float strokes, range[RANGE];
    if (!td_read_number(self, "calibrate", "count", TD_LEAST_CALIBRATION, TD_MAX_CALIBRATION, 1, atoms, &strokes)) return 1;
    for (int i = 0; i < RANGE; i++)
        if (!td_read_number(self, feature_names[i / 2], "", least_feature, most_feature, 1, atoms + 1 + i, &range[i])) return 1;
    for (int f = 0; f < TD_FEATURES; f++)
        if (range[2 * f] > range[2 * f + 1]) return td_wrong(self, "calibrate: the low ", feature_names[f], " is above the high one");
    for (int f = 0; f < TD_FEATURES; f++) {
        self->edit.low[f] = range[2 * f];
        self->edit.high[f] = range[2 * f + 1];
    }
    self->edit.calibrated = (uint32_t)strokes;
    self->wanted = 0;
    td_object_publish(self);
    return 1;
}

static void say_too_few(td_object *self)
{
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add(&text, "calibrate: play at least ");
    td_text_add_int(&text, TD_LEAST_CALIBRATION);
    td_wrong(self, line, " strokes, soft and hard, before done", "");
}

int td_on_calibrate(td_object *self, int count, const td_atom *atoms)
{
    float strokes = CALIBRATION;
    if (count == 1 + RANGE) return set_calibration(self, atoms);
    if (count == 1 && td_is_word(atoms, "off")) {
        self->wanted = 0;
        self->edit.calibrated = 0;
        td_object_publish(self);
        return 1;
    }
    if (count == 1 && td_is_word(atoms, "done")) {
        if (!self->wanted) return td_wrong(self, "calibrate: it is not listening, send calibrate 10 first", "", "");
        if (self->heard >= TD_LEAST_CALIBRATION)
            finish_calibration(self);
        else
            say_too_few(self);
        return 1;
    }
    if (count > 1 || (count == 1 && atoms[0].text))
        return td_wrong(self, "calibrate: give a number of strokes, then play them from soft to hard; done ends it, off forgets it", "",
                        "");
    if (count && !td_read_number(self, "calibrate", "count", TD_LEAST_CALIBRATION, TD_MAX_CALIBRATION, 1, atoms, &strokes)) return 1;
    self->wanted = (int)strokes;
    self->heard = 0;
    info_heard(self);
    return 1;
}

/* ---- what it tells ---- */

static void info_mask(td_object *self)
{
    float bits[TD_PARAMS];
    for (int i = 0; i < TD_PARAMS; i++) bits[i] = self->edit.mask & 1u << i ? 1.0f : 0.0f;
    td_info_numbers(self, "mask", TD_PARAMS, bits);
}

static void info_range(td_object *self)
{
    float min[TD_FEATURES], max[TD_FEATURES], range[RANGE];
    td_patch_range(&self->edit, 0, min, max);
    for (int f = 0; f < TD_FEATURES; f++) {
        range[2 * f] = min[f];
        range[2 * f + 1] = max[f];
    }
    td_info_numbers(self, "range", RANGE, range);
}

int td_info_mapping(td_object *self, const char *name)
{
    if (td_same_text(name, "normalize")) {
        const td_atom a = td_word(td_normalize_word(self));
        td_info(self, name, 1, &a);
    } else if (td_same_text(name, "scale")) {
        td_info_numbers(self, name, TD_FEATURES, self->edit.scale);
    } else if (td_same_text(name, "offset")) {
        td_info_numbers(self, name, TD_FEATURES, self->edit.offset);
    } else if (td_same_text(name, "mask")) {
        info_mask(self);
    } else if (td_same_text(name, "calibrate")) {
        info_calibration(self, name);
    } else if (td_same_text(name, "range")) {
        info_range(self);
    } else {
        return 0;
    }
    return 1;
}

void td_state_of_mapping(const td_object *self, int changed, td_state_line line, void *context)
{
    const char *depth = td_control(TD_CONTROL_depth)->name;
    const td_atom off = td_word("off");
    td_atom atoms[1 + RANGE];
    if (!changed) td_named_line(line, context, "mask", "all", 0.0);
    for (int i = 0; i < TD_PARAMS; i++)
        if (self->edit.mask & 1u << i) td_named_line(line, context, "mask", td_param_name(i), 1.0);
    if (!changed) td_named_line(line, context, depth, "all", 1.0);
    for (int i = 0; i < TD_PARAMS; i++)
        if (self->edit.param_depth[i] != 1.0f) td_named_line(line, context, depth, td_param_name(i), td_tidy(self->edit.param_depth[i]));
    if (!changed) td_named_line(line, context, "scale", "all", 1.0);
    for (int f = 0; f < TD_FEATURES; f++)
        if (self->edit.scale[f] != 1.0f) td_named_line(line, context, "scale", feature_name(f), td_tidy(self->edit.scale[f]));
    if (!changed) td_named_line(line, context, "offset", "all", 0.0);
    for (int f = 0; f < TD_FEATURES; f++)
        if (self->edit.offset[f] != 0.0f) td_named_line(line, context, "offset", feature_name(f), td_tidy(self->edit.offset[f]));
    if (self->edit.calibrated)
        line(context, "calibrate", give_calibration(self, atoms), atoms);
    else if (!changed)
        line(context, "calibrate", 1, &off);
}
