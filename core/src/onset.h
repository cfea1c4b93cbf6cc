/* SPDX-License-Identifier: MIT
 * The detectors behind one set of functions (spec 2). A detector is a struct with _init, _configure, _reset and _process of its own;
 * onset.c chooses. */
#ifndef TD_ONSET_H
#define TD_ONSET_H

#include "onset_classic.h"
#include "onset_rise.h"

struct td_onset {
    double sample_rate;
    td_onset_settings settings;
    int window;
    union {
        td_onset_classic classic;
        td_onset_rise rise;
    } as;
};

/* Takes new settings; the state stays unless they name another detector. window in samples at this rate is the least hold. */
void td_onset_configure(td_onset *self, const td_onset_settings *settings, int window);
void td_onset_reset(td_onset *self);
/* The largest onset function since the last call, and what it must exceed now. */
void td_onset_meter(td_onset *self, float *rise, float *threshold);

#endif
