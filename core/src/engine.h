/* SPDX-License-Identifier: MIT */
#ifndef TD_ENGINE_H
#define TD_ENGINE_H

#include "onset_features.h"
#include "onset.h"
#include "params.h"
#include "snare808.h"

/* Sum of what still sounds after a new hit took the voice (spec 7.1). */
typedef struct td_fade {
    uint32_t left, length;
} td_fade;

typedef struct td_voices {
    td_snare808 voice, tail;
    td_fade tail_fade, residual_fade;
    float residual;
} td_voices;

/* Dry and drum gain, moving in a line to their targets (spec 7.2). */
typedef struct td_gains {
    float dry, drum;
} td_gains;

typedef struct td_master {
    td_gains target, step; /* now = target - step * left */
    uint32_t left, length;
    float mix, gain, bypass, enable;
} td_master;

typedef struct td_timed_trigger {
    uint64_t due;
    uint32_t has_features;
    float features[TD_FEATURES];
} td_timed_trigger;

/* From the control to the audio side: single producer, single consumer. */
typedef struct td_trigger_message {
    uint32_t delay, reset_serial, has_features;
    float features[TD_FEATURES];
} td_trigger_message;
typedef struct td_trigger_queue {
    uint32_t written; /* by the control side */
    uint32_t done;    /* by the audio side: played or dropped; at most TD_MAX_TRIGGERS are on their way */
    uint32_t read;    /* audio side only: taken over into its own list */
    td_trigger_message slot[TD_MAX_TRIGGERS];
} td_trigger_queue;

typedef struct td_adaptive_range {
    uint32_t hits;
    float min[TD_FEATURES], max[TD_FEATURES];
} td_adaptive_range;

typedef struct td_outside {
    uint32_t run;
    int said;
    float sum_db;
} td_outside;

struct td_engine {
    double sample_rate;
    uint64_t position; /* of the next sample to be processed */

    td_onset onset;
    td_spectrum spectrum;
    float history[TD_MAX_WINDOW]; /* ring of input samples; position & (TD_MAX_WINDOW-1) is the next to be written */
    int pending;                  /* a stroke was detected and its window is filling */
    uint64_t detected, due;
    int window; /* of the pending stroke */

    td_timed_trigger triggers[TD_MAX_TRIGGERS];
    int trigger_count;

    td_voices voices;
    td_master master;
    uint32_t hits, seed_serial; /* k of the noise */
    td_adaptive_range adaptive;
    uint32_t normalize;
    td_outside outside;
    const td_patch *patch;

    /* shared with the control side */
    void *pending_patch, *retired_patch;
    td_trigger_queue queue;
    uint32_t controls[TD_CONTROL_COUNT]; /* bits of floats */
    uint32_t resets, resets_done;
    uint32_t bad_samples;
    int latency; /* control side only */
    td_event_ring *ring;
};

struct td_event_ring {
    uint32_t written, read, lost;
    td_event slot[TD_MAX_EVENTS];
};

#endif
