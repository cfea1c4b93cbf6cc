/* SPDX-License-Identifier: MIT */
#include "voices.h"

static float fade_next(td_fade *fade)
{
    const float gain = (float)fade->left / (float)fade->length;
    fade->left--;
    return gain;
}

void td_voices_run(td_voices *self, float *out, int n)
{
    td_snare808_run(&self->voice, out, n);
    if (self->tail_fade.left) {
        float tail[TD_VOICE_RUN];
        td_snare808_run(&self->tail, tail, n);
        for (int i = 0; i < n && self->tail_fade.left; i++) out[i] += fade_next(&self->tail_fade) * tail[i];
    }
    for (int i = 0; i < n && self->residual_fade.left; i++) out[i] += fade_next(&self->residual_fade) * self->residual;
}

void td_voices_release(td_voices *self, uint32_t fade)
{
    if (self->tail_fade.left || self->residual_fade.left) {
        float now = 0.0f;
        if (self->tail_fade.left) {
            td_snare808_run(&self->tail, &now, 1);
            now *= fade_next(&self->tail_fade);
        }
        if (self->residual_fade.left) now += fade_next(&self->residual_fade) * self->residual;
        self->residual = now;
        self->residual_fade.left = self->residual_fade.length = fade;
    }
    self->tail = self->voice;
    self->tail_fade.left = td_snare808_is_idle(&self->voice) ? 0 : fade;
    self->tail_fade.length = fade;
    self->voice.n = self->voice.end = 0;
}

void td_voices_clear(td_voices *self)
{
    self->voice.n = self->voice.end = 0;
    self->tail_fade.left = self->residual_fade.left = 0;
}
