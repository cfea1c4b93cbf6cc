/* SPDX-License-Identifier: MIT */
#ifndef TD_ENGINE_H
#define TD_ENGINE_H

#include "master.h"
#include "onset.h"
#include "onset_features.h"
#include "params.h"
#include "triggers.h"
#include "voices.h"

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

    float own[2 * TD_VOICE_RUN]; /* ring of what the drum has put out */

    td_voices voices;
    td_master master;
    uint32_t hits, seed_serial; /* k of the noise */
    td_adaptive_range adaptive;
    uint32_t normalize;
    td_outside outside;
    const td_patch *patch;

    /* shared with the control side */
    void *pending_patch, *retired_patch;
    td_triggers triggers;
    uint32_t controls[TD_CONTROL_COUNT]; /* bits of floats */
    uint32_t resets, resets_done;
    uint32_t bad_samples;
    uint32_t input_peak, rise_peak, threshold; /* bits of floats, for td_engine_meter */
    int latency;                               /* control side only */
    td_event_ring *ring;
};

struct td_event_ring {
    uint32_t written, read, lost;
    td_event slot[TD_MAX_EVENTS];
};

#endif
