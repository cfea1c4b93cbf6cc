/* SPDX-License-Identifier: MIT
 * What sounds: the voice of the newest hit, and under it for a moment what it replaced (spec 7.1). */
#ifndef TD_VOICES_H
#define TD_VOICES_H

#include "snare808.h"

typedef struct td_fade {
    uint32_t left, length;
} td_fade;

typedef struct td_voices {
    td_snare808 voice, tail;
    td_fade tail_fade, residual_fade;
    float residual;
} td_voices;

/* Writes the sum of the next n <= TD_VOICE_RUN samples. */
void td_voices_run(td_voices *self, float *out, int n);
/* The sounding voice becomes the tail and fades in so many samples; what the tail was becomes a residual. */
void td_voices_release(td_voices *self, uint32_t fade);
void td_voices_clear(td_voices *self);

static inline int td_voices_are_idle(const td_voices *self)
{
    return td_snare808_is_idle(&self->voice) && !self->tail_fade.left && !self->residual_fade.left;
}

#endif
