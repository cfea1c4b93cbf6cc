/* SPDX-License-Identifier: MIT
 * What the messages of [torchdrum~] mean, the same in every host. A host wrapper turns its atoms into td_atom, hands every message to
 * td_object_message and gives the object a few functions to speak through. All calls are CONTROL calls of torchdrum.h: the wrapper
 * serialises them. The audio side calls td_engine_process on td_object_engine. */
#ifndef TORCHDRUM_OBJECT_H
#define TORCHDRUM_OBJECT_H

#include "torchdrum.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct td_atom {
    const char *text; /* NULL for a number */
    double number;
} td_atom;

typedef enum td_severity { TD_SAY_POST = 0, TD_SAY_ERROR = 1 } td_severity;

typedef struct td_host {
    void *context;
    /* The info outlet. */
    void (*info)(void *context, const char *selector, int count, const td_atom *atoms);
    /* One line for the console, without the object's name. */
    void (*say)(void *context, td_severity severity, const char *line);
    /* Find and read a model, or a preset where td_request_is_preset; answer now or later with td_object_loaded, td_object_read or
     * td_object_load_failed and the same request. */
    void (*load)(void *context, const char *name, uint32_t request);
    /* Free a model that came in by td_object_loaded. */
    void (*release)(void *context, td_model *model);
    /* Write a text file, beside the patch unless the name says where; answer now or later with td_object_written. */
    void (*write)(void *context, const char *name, const char *text, size_t bytes);
} td_host;

typedef struct td_object td_object;

size_t td_object_size(void);         /* bytes, aligned as malloc does */
size_t td_object_channel_size(void); /* of each channel beyond the first */

/* builtin: the default model, shared, must outlive the object. seed: of the noise, 0 .. 16777215; channel c has seed + c. */
td_status td_object_init(td_object *object, const td_host *host, const td_model *builtin, uint32_t seed);
/* Gives every loaded model back. The audio side must have stopped. */
void td_object_free(td_object *object);

/* Before audio starts at a sample rate with so many channels (audio is not running). more: memory of the channels beyond the first, which
 * lives until another is given or the object is freed; NULL for one channel. Keeps everything that a message has set; another rate or
 * number starts every channel anew. TD_ERR_ARGUMENT, with a line on the console, for a rate that is not supported: do not process then. */
td_status td_object_prepare(td_object *object, double sample_rate, int channels, void *more);
td_engine *td_object_engine(td_object *object, int channel);

/* Any message. What is wrong is said on the console and changes nothing. Returns 1 when it was understood. */
int td_object_message(td_object *object, const char *word, int count, const td_atom *atoms);
/* The longest list that a message may have behind its word. */
enum { TD_STATE_VALUES = 1 + 2 * TD_PARAMS };
/* Triggers that come now play so many samples after the next to be processed. */
void td_object_delay(td_object *object, uint32_t samples);
/* The words that are neither a control nor a parameter. NULL after the last. */
const char *td_object_word(int index);

/* The answers to host.load and host.write. The object owns the model from here on. why: NULL when it was written. */
void td_object_loaded(td_object *object, uint32_t request, const char *name, td_model *model);
void td_object_read(td_object *object, uint32_t request, const char *name, const td_preset *preset);
void td_object_load_failed(td_object *object, uint32_t request, const char *name, const char *reason);
void td_object_written(td_object *object, const char *name, const char *why);
int td_request_is_preset(uint32_t request);

/* AUDIO or CONTROL. Whether td_object_next_event has something to do. */
int td_object_has_news(const td_object *object);
/* AUDIO. What processing a block took, and how long the block is: for the message meter. */
void td_object_busy(td_object *object, float busy_s, float lasted_s);

/* The next hit for the outlets, the earliest of all channels; speaks on info when it has something to say. Returns its channel, from 1 up,
 * or 0 when there was none. */
int td_object_next_event(td_object *object, td_event *event);

/* Everything that was set, as messages: sent to another object in this order they make it sound the same. SOUND: models, preset,
 * parameters, mapping, stores, normalize and, where a message gave one, the seed. CONTROLS: all others. CHANGED: only what makes a new
 * object the same. */
enum { TD_STATE_SOUND = 1, TD_STATE_CONTROLS = 2, TD_STATE_CHANGED = 4 };
typedef void (*td_state_line)(void *context, const char *word, int count, const td_atom *values);
void td_object_state(const td_object *object, int parts, td_state_line line, void *context);
/* The same messages in one list: of each the number of its values, its word, its values. */
void td_object_restore(td_object *object, int count, const td_atom *atoms);

/* Present values, in units, as get says them; a control that takes words has the number of its word. 0 when there is none with this
 * index. */
double td_object_param(const td_object *object, int index);
double td_object_control(const td_object *object, int index);

/* The name or path of a model that was published last: 0, or 1 for the second one of a morph, which is NULL when there is none. */
const char *td_object_model_name(const td_object *object, int slot);

#ifdef __cplusplus
}
#endif
#endif
