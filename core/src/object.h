/* SPDX-License-Identifier: MIT
 * The object from inside: object.c receives messages, object_say.c speaks and reads arguments, object_sound.c loads and keeps models and
 * presets, object_mapping.c bends what lies between stroke and drum, object_controls.c the rest that is played with, object_state.c tells
 * what was set. */
#ifndef TD_OBJECT_H
#define TD_OBJECT_H

#include "torchdrum_object.h"

#include "engine.h"
#include "library.h"
#include "text.h"

enum { TD_LINE_BYTES = 1536, TD_ALL_PARAMS = (1 << TD_PARAMS) - 1, TD_STORES = 16, TD_PRESET_NUMBERS = 2 * TD_PARAMS };

/* One for each channel of sound. */
typedef struct td_channel {
    td_engine engine;
    td_event_ring ring;
    td_pool pool;
} td_channel;

/* A morph that waits for its models. */
typedef struct td_morph {
    uint32_t request; /* 0: there was none yet */
    char name[TD_MODEL_SLOTS][TD_PATH_BYTES];
    float x;
} td_morph;

enum { TD_PRESET_OF_MODEL = -1, TD_PRESET_NUMBERED = -2 }; /* where the base is no built-in preset */

struct td_object {
    td_channel first;
    td_channel *more; /* the other channels */
    int channels;
    td_library library;
    td_patch edit; /* what was published last */
    td_host host;
    const td_model *builtin;
    char model_name[TD_MODEL_SLOTS][TD_PATH_BYTES];
    uint32_t requests;  /* loads asked for so far */
    uint32_t published; /* the newest of them that was published: what comes in late and is older stays unused */
    td_morph morph;
    uint32_t bad_said;
    /* Where the overrides come from: a preset, then single parameters, each with the number of loads asked for when it was set: a load
     * that is answered later drops only what is older than itself. */
    int preset;
    uint32_t preset_at, set, set_at[TD_PARAMS];
    uint32_t dropped; /* the newest load that dropped overrides */
    int seed_given;
    uint32_t delay; /* of messages, samples */
    /* calibration: strokes wanted, 0 when none is going on, and heard */
    int wanted, heard;
    float strokes[TD_MAX_CALIBRATION][TD_FEATURES];
    uint32_t stored; /* bit of each store that holds something */
    td_preset store[TD_STORES];
    uint32_t busy_s, lasted_s; /* bits of floats: the audio side adds, a control call takes */
};

static inline td_channel *td_object_channel(td_object *self, int index) { return index ? &self->more[index - 1] : &self->first; }

/* ---- object_say.c ---- */

void td_text_add_all(td_text *text, const char *a, const char *b, const char *c);
void td_say(td_object *self, td_severity severity, const char *a, const char *b, const char *c);
int td_wrong(td_object *self, const char *a, const char *b, const char *c); /* says it; 1 */
td_atom td_number(double value);
td_atom td_word(const char *text);
void td_info(td_object *self, const char *selector, int count, const td_atom *atoms);
void td_info_numbers(td_object *self, const char *selector, int count, const float *values);
/* A float as a person would write it: 0.4 and not 0.4000000059604645. */
double td_tidy(float value);
/* Hz, ms and dB are said; what a plain number is, is not. */
void td_add_unit(td_text *text, const char *unit);
/* A number in its range; clipping is said. 0 when there is no number, which is said. */
int td_read_number(td_object *self, const char *what, const char *unit, float min, float max, int count, const td_atom *atoms,
                   float *value);
/* The first argument, when it is a word; else NULL, and the hint is said. */
const char *td_read_word(td_object *self, const char *message, const char *hint, int count, const td_atom *atoms);
/* 1 when there is no argument; else says that the message takes none. */
int td_read_nothing(td_object *self, const char *message, int count);
/* Whether it is this word. */
int td_is_word(const td_atom *atom, const char *text);
/* A line of the state: a message and its values. */
void td_line(td_state_line line, void *context, const char *message, td_atom value);
void td_named_line(td_state_line line, void *context, const char *message, const char *name, double value);

/* ---- object_sound.c ---- */

void td_object_publish(td_object *self);
const char *td_param_name(int index);
float td_param_value(const td_object *self, int index);
int td_set_param(td_object *self, int index, int count, const td_atom *atoms);
int td_on_load(td_object *self, int count, const td_atom *atoms);
int td_on_reload(td_object *self, int count, const td_atom *atoms);
int td_on_morph(td_object *self, int count, const td_atom *atoms);
int td_on_preset(td_object *self, int count, const td_atom *atoms);
int td_on_set(td_object *self, int count, const td_atom *atoms);
int td_on_store(td_object *self, int count, const td_atom *atoms);
int td_on_recall(td_object *self, int count, const td_atom *atoms);
int td_on_write(td_object *self, int count, const td_atom *atoms);
int td_on_read(td_object *self, int count, const td_atom *atoms);
void td_info_morph(td_object *self);
void td_info_stored(td_object *self);
void td_state_of_sound(const td_object *self, int changed, td_state_line line, void *context);
void td_state_of_stores(const td_object *self, td_state_line line, void *context);

/* ---- object_mapping.c ---- */

int td_on_mask(td_object *self, int count, const td_atom *atoms);
int td_on_scale(td_object *self, int count, const td_atom *atoms);
int td_on_offset(td_object *self, int count, const td_atom *atoms);
int td_on_normalize(td_object *self, int count, const td_atom *atoms);
int td_on_calibrate(td_object *self, int count, const td_atom *atoms);
void td_set_param_depth(td_object *self, int count, const td_atom *atoms);
const char *td_normalize_word(const td_object *self);
void td_calibrate_stroke(td_object *self, const td_event *event);
/* What get says of it. 0 when it has no such name. */
int td_info_mapping(td_object *self, const char *name);
/* changed: only what differs from a new object's; else also the lines that make it so. */
void td_state_of_mapping(const td_object *self, int changed, td_state_line line, void *context);

/* ---- object_controls.c ---- */

float td_control_value(const td_object *self, int index);
td_atom td_control_atom(const td_object *self, int index, char choice[TD_WORD_BYTES]);
int td_set_control(td_object *self, int index, const char *name, int count, const td_atom *atoms);
int td_on_trigger(td_object *self, int count, const td_atom *atoms);
int td_on_reset(td_object *self, int count, const td_atom *atoms);
int td_on_latency(td_object *self, int count, const td_atom *atoms);
int td_on_meter(td_object *self, int count, const td_atom *atoms);
void td_state_of_controls(const td_object *self, int changed, td_state_line line, void *context);

/* ---- object_state.c ---- */

int td_on_get(td_object *self, int count, const td_atom *atoms);
int td_on_dump(td_object *self, int count, const td_atom *atoms);
int td_on_print(td_object *self, int count, const td_atom *atoms);
int td_on_state(td_object *self, int count, const td_atom *atoms);

#endif
