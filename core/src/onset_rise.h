/* SPDX-License-Identifier: MIT */
#ifndef TD_ONSET_RISE_H
#define TD_ONSET_RISE_H

#include "onset_settings.h"

enum { TD_RISE_LANES = 4, TD_RISE_BANDS = 8 };

/* State-variable filters of second order side by side (trapezoidal: V. Zavalishin, A. Simper). */
typedef struct td_svf_design {
    float g[TD_RISE_LANES], r[TD_RISE_LANES], d[TD_RISE_LANES];
} td_svf_design;

/* The same with fewer operations, for what runs at the full rate: twice the band is from1 s1 + c (x - s2), and what s1 and s2 become
 * follows from it. */
typedef struct td_svf_steps {
    float from1[TD_RISE_LANES], c[TD_RISE_LANES], g[TD_RISE_LANES]; /* 2 (1 - g r d), 2 g d */
} td_svf_steps;

typedef struct td_svf_state {
    float s1[TD_RISE_LANES], s2[TD_RISE_LANES];
} td_svf_state;

/* What parts a signal into eight bands. A crossover comes first: what is below goes on at the rate of the frames, through a high-pass and a
 * low-pass for each band; what is above at the full rate, through two band-passes in a row for each. */
typedef struct td_band_design {
    float cross_from1, cross_c, cross_g;
    td_svf_design low_edge, high_edge;
    td_svf_steps upper;
    float half_damping[TD_RISE_LANES], gain[TD_RISE_LANES]; /* upper bands; what makes a sum of squares a power */
} td_band_design;

/* A signal on its way through it. */
typedef struct td_band_split {
    float cross_s1, cross_s2;
    float low_sum; /* of the present frame, twice */
    td_svf_state low_edge, high_edge, upper[2];
    float energy[TD_RISE_LANES]; /* upper bands: sum of squares of the present frame */
} td_band_split;

/* Least power and most share (dB) that comes back, the level from which on a band counts alone, what a band may fall. They lie in memory
 * because gcc makes one instruction of the larger of two variables and four of the larger of a variable and a constant. */
typedef struct td_rise_limits {
    float power, faint, least_rise, most_returned;
} td_rise_limits;

/* The sum of the rises of eight bands (spec 2.3). Levels in dB. */
typedef struct td_onset_rise {
    uint32_t frame, in_frame;   /* samples of a frame, of the present one so far */
    uint32_t hold, since;       /* frames: least distance of strokes, since the last one */
    uint32_t travel, drum_span; /* frames in which sound comes back at the latest, of the span of our own drum's levels that is filling */
    uint32_t drum_left;         /* frames in which our own drum may still come back */
    int masks_drum;
    int still, silent; /* a silent frame changes nothing any more; the present frame has been silent so far */
    td_rise_limits limits;
    float per_frame;       /* 1 / frame */
    td_band_design design; /* of both */
    td_band_split bands, drum_bands;
    float smoothing[TD_RISE_BANDS], weight[TD_RISE_BANDS];
    float power[TD_RISE_BANDS], valley[TD_RISE_BANDS], noise[TD_RISE_BANDS], mask[TD_RISE_BANDS];
    float drum_power[TD_RISE_BANDS], drum_most[2][TD_RISE_BANDS], drum_least[2][TD_RISE_BANDS]; /* in the span that fills, in the last */
    float returned[TD_RISE_BANDS], echo[TD_RISE_BANDS]; /* how loud the drum comes back, re how it went out; what of it may be heard now */
    float floor, echo_margin;
    float valley_up, valley_rate, noise_up, noise_rate, mask_down, return_up, restless_rate, dense_rate, per_gap; /* per frame */
    float on, restless, dense;   /* dense: close strokes of the last time */
    float rise, threshold, peak; /* of the last frame; the largest rise since td_onset_meter */
} td_onset_rise;

void td_onset_rise_init(td_onset_rise *self, double sample_rate);
void td_onset_rise_configure(td_onset_rise *self, double sample_rate, const td_onset_settings *settings, uint32_t hold);
void td_onset_rise_reset(td_onset_rise *self);
size_t td_onset_rise_process(td_onset_rise *self, const float *in, const float *drum, size_t n, float *rise, float *threshold, int *fired);

#endif
