/* SPDX-License-Identifier: MIT */
#ifndef TD_ONSET_CLASSIC_H
#define TD_ONSET_CLASSIC_H

#include "onset_settings.h"

/* Transposed direct form II, in double: a 600 Hz section at 192 kHz needs it. */
typedef struct td_biquad {
    double b0, b1, b2, a1, a2, s1, s2;
} td_biquad;

/* Two followers of the high-passed level in dB (spec 2.2). */
typedef struct td_onset_classic {
    double fast_attack, fast_release, slow_both; /* follower coefficients */
    float peak;                                  /* the largest difference since td_onset_meter */
    double on, off, floor;                       /* dB */
    uint32_t hold, since;                        /* samples; since the last detection, saturating */
    td_biquad highpass;
    double fast, slow, difference; /* dB */
    int armed, still;              /* still: silence changes nothing any more */
} td_onset_classic;

void td_onset_classic_init(td_onset_classic *self, double sample_rate);
void td_onset_classic_configure(td_onset_classic *self, double sample_rate, const td_onset_settings *settings, uint32_t hold);
void td_onset_classic_reset(td_onset_classic *self);
size_t td_onset_classic_process(td_onset_classic *self, const float *in, size_t n, float *rise, float *threshold, int *fired);

#endif
