/* SPDX-License-Identifier: MIT
 * torchdrum: an 808 that follows your playing.
 *
 * The whole instrument in C without heap, operating system or globals: audio in, detected strokes and an 808 out.
 * docs/spec.md holds every equation; this header says what to call, from which thread, in which units.
 *
 * Threads. AUDIO: td_engine_process and nothing else. CONTROL: every other td_engine_ function; calls of one engine's CONTROL
 * functions must not overlap each other, but they may run while AUDIO runs. INIT: while nothing else touches the object.
 * Functions without a mark touch only their arguments.
 *
 * Memory. The caller owns all of it, aligned as malloc does. Nothing holds a pointer into itself. */
#ifndef TORCHDRUM_H
#define TORCHDRUM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TD_VERSION "0.1.0"

enum {
    TD_FEATURES = 3,          /* loudness dB, centroid semitones, flatness dB */
    TD_PARAMS = 14,           /* of the 808 snare */
    TD_MAX_HIDDEN = 4,        /* hidden layers of a network */
    TD_MAX_WIDTH = 128,       /* units of a hidden layer */
    TD_MODEL_SLOTS = 2,       /* models of a patch, for morphing */
    TD_MAX_TRIGGERS = 64,     /* timed triggers waiting at once */
    TD_MAX_EVENTS = 256,      /* hits waiting to be read */
    TD_LEAST_CALIBRATION = 4, /* strokes */
    TD_MAX_CALIBRATION = 256,
    TD_MAX_MODEL_BYTES = 1048576,
    TD_WORD_BYTES = 32,     /* a word that a control takes with its final 0 */
    TD_NAME_BYTES = 201,    /* a text of a model with its final 0 */
    TD_PRESET_BYTES = 2048, /* a preset file that td_preset_write writes, with its final 0 */
    TD_ERROR_BYTES = 256    /* a reason with its final 0 */
};

typedef enum td_status {
    TD_OK = 0,
    TD_ERR_ARGUMENT = 1, /* out of range, null, not finite */
    TD_ERR_FULL = 2,     /* queue full, nothing was changed */
    TD_ERR_FORMAT = 3,   /* a file that is not as spec 8 or 9 says */
    TD_ERR_SPACE = 4     /* memory given is too small */
} td_status;

/* ---- tables ------------------------------------------------------------------------------------------------------- */

typedef struct td_param_info {
    const char *name, *key, *unit, *curve, *label;
    float min, max, def;
} td_param_info;

typedef struct td_control_info {
    const char *name, *unit, *aliases, *help;
    float min, max, def;
} td_control_info;

const td_param_info *td_param(int index);                                 /* NULL when index is not 0 .. TD_PARAMS-1 */
int td_param_find(const char *name_or_key);                               /* index, or -1 */
const td_control_info *td_control(int index);                             /* NULL after the last */
int td_control_find(const char *name_or_alias);                           /* index, or -1 */
int td_control_choice(int control, int choice, char word[TD_WORD_BYTES]); /* its word, 0 when there is none (spec 2.1) */
/* 1 and the value when choosing this detector and this input sets the control (spec 2.1). */
int td_setup_value(int detector, int input, int control, float *value);
void td_param_table_hash(int count, char hex[9]); /* spec 8.1, over the first count parameters */

/* ---- presets (spec 9) --------------------------------------------------------------------------------------------- */

typedef struct td_preset {
    float value[TD_PARAMS]; /* in units */
    float damping[TD_PARAMS];
} td_preset;

/* Reads a preset file from memory. On failure *preset is untouched and why says what is wrong. */
td_status td_preset_read(const char *json, size_t bytes, td_preset *preset, char why[TD_ERROR_BYTES]);
/* The file of a preset; every number reads back as it was. Returns its length; a 0 follows. */
size_t td_preset_write(const td_preset *preset, char json[TD_PRESET_BYTES]);

/* ---- models (spec 5, 8) ------------------------------------------------------------------------------------------- */

typedef struct td_model td_model; /* const once read; may be shared by any number of patches and threads */

typedef struct td_model_info {
    int params, hidden, width[TD_MAX_HIDDEN]; /* outputs, hidden layers and their units */
    int window, preroll;                      /* samples at 48 kHz */
    float min[TD_FEATURES], max[TD_FEATURES], reference[TD_FEATURES];
    float low[TD_FEATURES], high[TD_FEATURES]; /* 10th and 90th percentile of the strokes that it learnt from */
    td_preset preset;
    char name[TD_NAME_BYTES], author[TD_NAME_BYTES], license[TD_NAME_BYTES], source[TD_NAME_BYTES];
    char detector[32], activation[16], norm[16], output[16], sample_rate[16], crc32[9];
} td_model_info;

/* Bytes that td_model_read needs for any file of this length; a model keeps nothing of the file. */
size_t td_model_bytes(size_t file_bytes);
td_status td_model_read(const void *file, size_t file_bytes, td_model *model, size_t model_bytes, char why[TD_ERROR_BYTES]);
void td_model_describe(const td_model *model, td_model_info *info);
/* Modulations -1 .. 1 of a network input (spec 4.3 x); out has room for TD_PARAMS, unused ones are 0. */
void td_model_run(const td_model *model, const float x[TD_FEATURES], float out[TD_PARAMS]);

/* Built in: the default model as a file, and the presets as JSON. NULL after the last. */
const unsigned char *td_builtin_model(size_t *bytes);
const char *td_builtin_preset(int index, const char **name);

/* ---- patch: what a hit reads (spec 7.3) --------------------------------------------------------------------------- */

enum { TD_NORMALIZE_MODEL = 0, TD_NORMALIZE_ADAPT = 1 };

typedef struct td_patch {
    const td_model *model[TD_MODEL_SLOTS]; /* [0] must be there; [1] may be NULL */
    float morph;                           /* 0 .. 1 between the two */
    float depth, param_depth[TD_PARAMS];
    float scale[TD_FEATURES], offset[TD_FEATURES];
    uint32_t override_mask, mask;              /* bit i: base[i] replaces the preset's; the network keeps off i */
    float base[TD_PARAMS], damping[TD_PARAMS]; /* where override_mask has the bit */
    uint32_t normalize;
    uint32_t seed, seed_serial;                /* another serial restarts the noise sequence */
    uint32_t calibrated;                       /* strokes heard to calibrate; 0: the model's range as it is (spec 4.3) */
    float low[TD_FEATURES], high[TD_FEATURES]; /* 10th and 90th percentile of these */
} td_patch;

void td_patch_init(td_patch *patch, const td_model *model);
/* The range that normalises the features of a stroke for one of the models. */
void td_patch_range(const td_patch *patch, int slot, float min[TD_FEATURES], float max[TD_FEATURES]);
/* Calibrates by the features of count strokes, TD_LEAST_CALIBRATION .. TD_MAX_CALIBRATION. */
td_status td_patch_calibrate(td_patch *patch, const float (*raw)[TD_FEATURES], int count);
/* The parameters that a modulation makes of the preset, of the parameters set by hand and of the morph; of zeros: what is not modulated. */
void td_patch_map(const td_patch *patch, const float modulation[TD_PARAMS], float param[TD_PARAMS]);

/* ---- engine ------------------------------------------------------------------------------------------------------- */

typedef enum td_event_kind { TD_STROKE = 0, TD_TRIGGER = 1, TD_TRIGGER_FEATURES = 2 } td_event_kind;

typedef struct td_event {
    uint64_t time;                 /* sample at which the drum starts, counted from init */
    uint64_t detected;             /* sample of the detection; = time for triggers */
    uint32_t kind;                 /* td_event_kind */
    float velocity;                /* 0 .. 1 */
    float raw[TD_FEATURES];        /* dB, semitones, dB */
    float normalized[TD_FEATURES]; /* 0 .. 1, before scale and offset */
    float input[TD_FEATURES];      /* what the network saw */
    float modulation[TD_PARAMS];   /* -1 .. 1, what the network said */
    float param[TD_PARAMS];        /* in units, what the drum played */
    float level_db;                /* that the drum is louder than its parameters say (spec 7.2) */
    float outside_db;              /* not 0 once after 8 strokes in a row outside the model's range: how far */
} td_event;

typedef struct td_engine td_engine;
typedef struct td_event_ring td_event_ring;

const char *td_version(void);
size_t td_engine_size(void);
size_t td_event_ring_size(void);

/* INIT. ring may be NULL: events are then not kept. The engine keeps the pointer. The patch is copied nowhere: it and its models
 * must live until given back. Sample rate 8000 .. 192000 Hz. */
td_status td_engine_init(td_engine *engine, double sample_rate, const td_patch *patch, td_event_ring *ring);

/* AUDIO. trigger may be NULL; in, out and trigger may be the same memory. */
void td_engine_process(td_engine *engine, const float *in, float *out, float *trigger, size_t n);

/* CONTROL. */
/* Clips to the range; TD_ERR_ARGUMENT for a control that belongs to the patch, or a value that is not finite. Choosing a detector or an
 * input sets other controls with it (spec 2.1). */
td_status td_engine_set(td_engine *engine, int control, float value);
float td_engine_get(const td_engine *engine, int control);
void td_engine_reset(td_engine *engine);
/* Publishes a patch; returns the one that it displaced before any hit read it (or NULL), which the caller may change again. */
const td_patch *td_engine_publish(td_engine *engine, const td_patch *patch);
/* Returns a patch that the audio side has finished with, or NULL. */
const td_patch *td_engine_collect(td_engine *engine);
/* features NULL: the preset as it is. Else normalised features. delay counts from the next sample to be processed. */
td_status td_engine_trigger(td_engine *engine, uint32_t delay, const float *features);
int td_engine_next_event(td_engine *engine, td_event *event); /* 1 when there was one */
uint32_t td_engine_lost_events(const td_engine *engine);      /* since init: ring was full */
uint32_t td_engine_bad_samples(const td_engine *engine);      /* since init: NaN and infinite input samples */
/* What was at most since the last call: input level in dBFS (-120 when silent), onset function and what it must exceed in dB (spec 2). */
typedef struct td_meter {
    float level, rise, threshold;
} td_meter;
void td_engine_meter(td_engine *engine, td_meter *meter);
int td_engine_latency(const td_engine *engine); /* samples from detection to drum with the present patch */

/* ---- stages, for tests and training -------------------------------------------------------------------------------- */

/* Features of one window (spec 4.1, 4.2): samples = td_scaled(window, sample_rate) of them. */
td_status td_features(const float *window, int samples, double sample_rate, float out[TD_FEATURES]);
int td_scaled(int samples_at_48k, double sample_rate); /* spec, "scaled to the rate" */

/* One hit of the 808 with parameters in units; returns how many samples sound (the rest of out is 0). */
size_t td_snare808_render(const float param[TD_PARAMS], double sample_rate, uint32_t seed, uint32_t hit, float *out, size_t n);
void td_noise(uint32_t seed, uint32_t hit, uint32_t first, float *out, size_t n);

/* The detector alone. TD_ERR_ARGUMENT for a setting beyond its control's range. */
typedef struct td_onset_settings {
    float detector, sensitivity, onthreshold, offthreshold, hold, floor, highpass, selfmask;
} td_onset_settings;
typedef struct td_onset td_onset;
/* What choosing this detector and this input gives (spec 2.1), sensitivity and selfmask at their defaults. */
void td_onset_setup(int detector, int input, td_onset_settings *settings);
size_t td_onset_size(void);
td_status td_onset_init(td_onset *onset, double sample_rate, const td_onset_settings *settings, int window);
/* Runs to the end of in or through the sample of the next detection; *fired says which. Returns the samples consumed. drum (may be NULL)
 * is our own output, which may come back and is not to be taken for a stroke; rise and threshold (may be NULL) receive the onset function
 * and what it must exceed, in dB. */
size_t td_onset_process(td_onset *onset, const float *in, const float *drum, size_t n, float *rise, float *threshold, int *fired);

#ifdef __cplusplus
}
#endif
#endif
