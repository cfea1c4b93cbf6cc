/* SPDX-License-Identifier: MIT */
#ifndef TD_ONSET_H
#define TD_ONSET_H

#include "torchdrum.h"

/* Transposed direct form II, in double: a 600 Hz section at 192 kHz needs it. */
typedef struct td_biquad {
    double b0, b1, b2, a1, a2, s1, s2;
} td_biquad;

/* The classic detector: two followers of the high-passed level in dB (spec 2). A further detector becomes another struct with the
 * same three functions, and a union here. */
struct td_onset {
    double sample_rate;
    double fast_attack, fast_release, slow_both; /* follower coefficients */
    double on, off, floor;                       /* dB */
    uint32_t hold, since;                        /* samples; since the last detection, saturating */
    td_onset_settings settings;
    int window;
    td_biquad highpass;
    double fast, slow, difference; /* dB */
    int armed;
};

/* Takes new settings without touching the state. window in samples at this rate is the least hold. */
void td_onset_configure(td_onset *self, const td_onset_settings *settings, int window);
void td_onset_reset(td_onset *self);

#endif
