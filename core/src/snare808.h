/* SPDX-License-Identifier: MIT */
#ifndef TD_SNARE808_H
#define TD_SNARE808_H

#include "torchdrum.h"

enum { TD_VOICE_RUN = 64, TD_VOICE_GROUP = 16, TD_FILTER_STEPS = 4 }; /* most samples of one call of td_snare808_run; worked out at once */

/* 1 ms up, exponentially down, a short line to 0 (spec 6.1). */
typedef struct td_envelope {
    double level, ratio, rise;        /* of the exponential part; rise = 1/A */
    uint32_t peak, end;               /* first sample of the exponential part; first silent sample */
    double power[TD_VOICE_GROUP + 1]; /* of ratio, from 0 on */
} td_envelope;

typedef struct td_oscillator {
    double phase, step, sweep;
} td_oscillator; /* cycles; cycles per sample, at rest and per unit of envelope */

typedef struct td_noise_filter {
    double b0, a1, a2, y1, y2;
    float x1, x2;
    /* Several steps of the recursion at once: what each output has of each input, and of the two outputs before. */
    double of_input[TD_FILTER_STEPS][TD_FILTER_STEPS], of_y1[TD_FILTER_STEPS], of_y2[TD_FILTER_STEPS];
} td_noise_filter;

/* One hit. A plain value: it may be copied while it sounds. */
typedef struct td_snare808 {
    uint32_t n, end; /* next sample; first silent sample */
    uint32_t fade;   /* length of an envelope's last line, samples */
    uint32_t key;    /* of the noise */
    td_envelope freq_env, osc1_env, osc2_env, noise_env;
    td_oscillator osc1, osc2;
    td_noise_filter filter;
    float osc1_gain, osc2_gain, noise_gain, drive;
    float level;                       /* of the whole, after the drive */
    double travel[TD_VOICE_GROUP + 1]; /* sums of freq_env.power */
    float group[TD_VOICE_GROUP];       /* the samples around n, from a multiple of TD_VOICE_GROUP on */
} td_snare808;

void td_snare808_start(td_snare808 *self, const float param[TD_PARAMS], double sample_rate, uint32_t seed, uint32_t hit);
/* Writes the next n <= TD_VOICE_RUN samples. */
void td_snare808_run(td_snare808 *self, float *out, int n);
static inline int td_snare808_is_idle(const td_snare808 *self) { return self->n >= self->end; }

#endif
