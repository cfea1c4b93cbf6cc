/* SPDX-License-Identifier: MIT
 * The 808 snare (spec 6): two swept sine oscillators for the two bridged-T resonators of the circuit, high-passed noise for the snappy
 * part, four envelopes and a soft clipper. All coefficients are worked out in start; run holds only the recurrences. */
#include "snare808.h"

#include "noise.h"
#include "params.h"
#include "td_math.h"

static const double attack_s = 0.001, fade_s = 0.001;

static void envelope_start(td_envelope *env, double decay_ms, double sample_rate)
{
    const double attack = attack_s * sample_rate;                 /* A */
    const double decay = decay_ms * 0.001 * sample_rate;          /* samples in which it falls by 60 dB */
    const double octaves = -3.0 * 3.32192809488736234787 / decay; /* log2 of the ratio: 10^(-3/decay) */
    const double end = attack + decay * (4.0 / 3.0);              /* at -80 dB */
    env->rise = 1.0 / attack;
    env->peak = (uint32_t)attack;
    if ((double)env->peak < attack) env->peak++;
    env->end = (uint32_t)end;
    if ((double)env->end < end) env->end++;
    env->ratio = td_exp2(octaves);
    env->level = td_exp2(octaves * ((double)env->peak - attack));
}

/* Envelope of samples at .. at+n-1. */
static void envelope_run(td_envelope *env, uint32_t at, uint32_t fade, double *out, int n)
{
    for (int i = 0; i < n; i++, at++) {
        if (at >= env->end) {
            out[i] = 0.0;
        } else if (at < env->peak) {
            out[i] = (double)at * env->rise;
        } else {
            out[i] = env->level;
            env->level *= env->ratio;
            const uint32_t left = env->end - at;
            if (left < fade) out[i] *= (double)left / (double)fade;
        }
    }
}

static void oscillator_start(td_oscillator *osc, double freq_hz, double mod, double sample_rate)
{
    osc->phase = 0.0;
    osc->step = freq_hz / sample_rate;
    osc->sweep = osc->step * mod;
}

static void oscillator_run(td_oscillator *osc, const double *freq_env, const double *amp_env, float gain, float *sum, int n)
{
    double phase = osc->phase; /* kept in -1/2 .. 1/2; a step is below one cycle */
    for (int i = 0; i < n; i++) {
        sum[i] += gain * (float)amp_env[i] * td_sin_cycles_fast((float)phase);
        phase += osc->step + osc->sweep * freq_env[i];
        if (phase >= 0.5) phase -= 1.0;
    }
    osc->phase = phase;
}

/* Matched high-pass by Vicanek (spec 6.4). */
static void noise_filter_start(td_noise_filter *f, double cutoff_hz, double q, double sample_rate)
{
    const double limit = 0.45 * sample_rate;
    const double cycles = (cutoff_hz < limit ? cutoff_hz : limit) / sample_rate;
    const double damping = 0.5 / q; /* <= 1 because q >= 1/2 */
    const double radius = td_exp2(-damping * TD_TWO_PI * cycles * 1.44269504088896340736);
    f->a1 = -2.0 * radius * td_cos_cycles(cycles * sqrt(1.0 - damping * damping));
    f->a2 = radius * radius;
    const double s = td_sin_cycles(0.5 * cycles);
    const double phi1 = s * s, phi0 = 1.0 - phi1, phi2 = 4.0 * phi0 * phi1;
    const double sum = 1.0 + f->a1 + f->a2, alternating = 1.0 - f->a1 + f->a2;
    f->b0 = q * sqrt(sum * sum * phi0 + alternating * alternating * phi1 - 4.0 * f->a2 * phi2) / (4.0 * phi1);
    f->x1 = f->x2 = f->y1 = f->y2 = 0.0;
}

static void noise_run(td_noise_filter *f, uint32_t key, uint32_t at, const double *env, float gain, float *sum, int n)
{
    for (int i = 0; i < n; i++) {
        const double x = (double)td_noise_sample(key, at + (uint32_t)i);
        const double y = f->b0 * (x - 2.0 * f->x1 + f->x2) - f->a1 * f->y1 - f->a2 * f->y2;
        f->x2 = f->x1;
        f->x1 = x;
        f->y2 = f->y1;
        f->y1 = y;
        sum[i] += gain * (float)(env[i] * y);
    }
}

static uint32_t latest(uint32_t a, uint32_t b) { return a > b ? a : b; }

void td_snare808_start(td_snare808 *self, const float param[TD_PARAMS], double sample_rate, uint32_t seed, uint32_t hit)
{
#define P(name) ((double)param[TD_PARAM_##name])
    self->n = 0;
    self->fade = (uint32_t)(fade_s * sample_rate + 0.5);
    self->key = td_noise_key(seed, hit);
    envelope_start(&self->freq_env, P(freq_env_decay), sample_rate);
    envelope_start(&self->osc1_env, P(osc1_decay), sample_rate);
    envelope_start(&self->osc2_env, P(osc2_decay), sample_rate);
    envelope_start(&self->noise_env, P(noise_decay), sample_rate);
    self->end = latest(latest(self->osc1_env.end, self->osc2_env.end), self->noise_env.end);
    oscillator_start(&self->osc1, P(osc1_freq), P(osc1_mod), sample_rate);
    oscillator_start(&self->osc2, P(osc2_freq), P(osc2_mod), sample_rate);
    noise_filter_start(&self->filter, P(noise_filter_freq), P(noise_filter_q), sample_rate);
    self->osc1_gain = (float)td_db_to_gain(P(osc1_gain));
    self->osc2_gain = (float)td_db_to_gain(P(osc2_gain));
    self->noise_gain = (float)(td_db_to_gain(P(noise_gain)) * sqrt(sample_rate / 48000.0));
    self->drive = (float)td_db_to_gain(P(tanh_gain));
    self->level = 1.0f;
#undef P
}

void td_snare808_run(td_snare808 *self, float *out, int n)
{
    double freq_env[TD_VOICE_RUN], amp_env[TD_VOICE_RUN];
    const uint32_t at = self->n;
    for (int i = 0; i < n; i++) out[i] = 0.0f;
    if (td_snare808_is_idle(self)) return;

    envelope_run(&self->freq_env, at, self->fade, freq_env, n);
    if (at < self->osc1_env.end) {
        envelope_run(&self->osc1_env, at, self->fade, amp_env, n);
        oscillator_run(&self->osc1, freq_env, amp_env, self->osc1_gain, out, n);
    }
    if (at < self->osc2_env.end) {
        envelope_run(&self->osc2_env, at, self->fade, amp_env, n);
        oscillator_run(&self->osc2, freq_env, amp_env, self->osc2_gain, out, n);
    }
    if (at < self->noise_env.end) {
        envelope_run(&self->noise_env, at, self->fade, amp_env, n);
        noise_run(&self->filter, self->key, at, amp_env, self->noise_gain, out, n);
    }
    for (int i = 0; i < n; i++) {
        const float y = self->level * td_tanh_fast(self->drive * out[i]);
        out[i] = y > -TD_TINY_F && y < TD_TINY_F ? 0.0f : y;
    }
    self->n = at + (uint32_t)n;
}

size_t td_snare808_render(const float param[TD_PARAMS], double sample_rate, uint32_t seed, uint32_t hit, float *out, size_t n)
{
    td_snare808 voice;
    td_snare808_start(&voice, param, sample_rate, seed, hit);
    for (size_t done = 0; done < n;) {
        const size_t rest = n - done;
        const int run = rest < TD_VOICE_RUN ? (int)rest : TD_VOICE_RUN;
        td_snare808_run(&voice, out + done, run);
        done += (size_t)run;
    }
    return voice.end < n ? voice.end : n;
}

void td_noise(uint32_t seed, uint32_t hit, uint32_t first, float *out, size_t n)
{
    const uint32_t key = td_noise_key(seed, hit);
    for (size_t i = 0; i < n; i++) out[i] = td_noise_sample(key, first + (uint32_t)i);
}
