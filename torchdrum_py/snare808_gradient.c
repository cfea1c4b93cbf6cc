/* SPDX-License-Identifier: MIT
 * Every slope of the voice is an inner product of the arriving gradient with something that can be run beside the sound: the sound itself,
 * its envelope's moment, the other phase of a sine, a second filter. So one pass forward over the samples gives all 14. */
#include "snare808_gradient.h"

#include "noise.h"
#include "params.h"
#include "snare808.h"
#include "td_math.h"

#define LN10 2.30258509299404568402

enum { RUN = TD_VOICE_RUN, LANES = 8 };

/* Sum of a*b, in a fixed order that vectorises. */
static double dot(const double *a, const double *b)
{
    double lane[LANES] = {0.0};
    for (int i = 0; i < RUN; i += LANES)
        for (int k = 0; k < LANES; k++) lane[k] += a[i + k] * b[i + k];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* An envelope e(n) and its moment e(n)*(n - A), which is its slope with the decay but for a factor. */
typedef struct envelope {
    td_envelope at_start;
    double level, attack, slope; /* slope = d(ln e)/d(decay in ms) per sample after the attack */
    double value[RUN], moment[RUN];
} envelope;

static void envelope_start(envelope *self, const td_envelope *env, double decay_ms, double sample_rate)
{
    self->at_start = *env;
    self->level = env->level;
    self->attack = 1.0 / env->rise;
    self->slope = 3.0 * LN10 / (decay_ms * decay_ms * 0.001 * sample_rate);
}

static void envelope_run(envelope *self, uint32_t at, uint32_t fade)
{
    const td_envelope *env = &self->at_start;
    for (int i = 0; i < RUN; i++, at++) {
        double e = 0.0;
        if (at < env->peak) {
            self->value[i] = (double)at * env->rise;
            self->moment[i] = 0.0;
            continue;
        }
        if (at < env->end) {
            const uint32_t left = env->end - at;
            e = left < fade ? self->level * (double)left / (double)fade : self->level;
            self->level *= env->ratio;
        }
        self->value[i] = e;
        self->moment[i] = e * ((double)at - self->attack);
    }
}

typedef struct oscillator {
    envelope env;
    td_oscillator osc;
    double sound[RUN], bent[RUN], sine[RUN];                     /* e*sin; e*cos, what a change of phase adds; sin */
    double by_gain, by_decay, by_time, by_sweep, by_sweep_decay; /* inner products */
} oscillator;

static void oscillator_run(oscillator *self, const double *freq_env)
{
    float phase[RUN], quarter[RUN];
    double at = self->osc.phase;
    for (int i = 0; i < RUN; i++) {
        phase[i] = (float)at;
        quarter[i] = (float)(at < 0.25 ? at + 0.25 : at - 0.75);
        at += self->osc.step + self->osc.sweep * freq_env[i];
        if (at >= 0.5) at -= 1.0;
    }
    self->osc.phase = at;
    for (int i = 0; i < RUN; i++) {
        self->sine[i] = (double)td_sin_cycles_fast(phase[i]);
        self->sound[i] = self->env.value[i] * self->sine[i];
        self->bent[i] = self->env.value[i] * (double)td_sin_cycles_fast(quarter[i]);
    }
}

static void oscillator_sum(oscillator *self, const double *grad, const double *time, const double *turned, const double *turned_moment)
{
    double both[RUN];
    self->by_gain += dot(grad, self->sound);
    for (int i = 0; i < RUN; i++) both[i] = grad[i] * self->sine[i];
    self->by_decay += dot(both, self->env.moment);
    for (int i = 0; i < RUN; i++) both[i] = grad[i] * self->bent[i];
    self->by_time += dot(both, time);
    self->by_sweep += dot(both, turned);
    self->by_sweep_decay += dot(both, turned_moment);
}

typedef struct snappy {
    envelope env;
    td_noise_filter filter;
    double u1, u2; /* d(filtered)/d(a1) one and two samples ago; d/d(a2) is the former */
    double filtered[RUN], by_pole[RUN], by_pole_before[RUN];
    double by_gain, by_decay, by_a1, by_a2;
} snappy;

static void snappy_run(snappy *self, uint32_t key, uint32_t at)
{
    td_noise_filter *f = &self->filter;
    for (int i = 0; i < RUN; i++) {
        const double x = (double)td_noise_sample(key, at + (uint32_t)i);
        const double u = -f->y1 - f->a1 * self->u1 - f->a2 * self->u2;
        const double y = f->b0 * (x - 2.0 * f->x1 + f->x2) - f->a1 * f->y1 - f->a2 * f->y2;
        self->by_pole[i] = u;
        self->by_pole_before[i] = self->u1;
        self->filtered[i] = y;
        self->u2 = self->u1;
        self->u1 = u;
        f->x2 = f->x1;
        f->x1 = x;
        f->y2 = f->y1;
        f->y1 = y;
    }
}

static void snappy_sum(snappy *self, const double *grad)
{
    double shaped[RUN], both[RUN];
    for (int i = 0; i < RUN; i++) {
        shaped[i] = grad[i] * self->env.value[i];
        both[i] = grad[i] * self->filtered[i];
    }
    self->by_gain += dot(shaped, self->filtered);
    self->by_decay += dot(both, self->env.moment);
    self->by_a1 += dot(shaped, self->by_pole);
    self->by_a2 += dot(shaped, self->by_pole_before);
}

/* From slopes with b0, a1, a2 to those with cutoff and Q (spec 6.4, differentiated). by_b0 is that of ln b0. */
static void filter_slopes(const td_noise_filter *f, double cutoff_hz, double q, double sample_rate, double by_b0, double by_a1,
                          double by_a2, double *by_cutoff, double *by_q)
{
    const double limit = 0.45 * sample_rate;
    const double w = TD_TWO_PI * (cutoff_hz < limit ? cutoff_hz : limit) / sample_rate, zeta = 0.5 / q;
    const double radius = td_exp2(-zeta * w / 0.693147180559945309417), root = sqrt(1.0 - zeta * zeta), angle = w * root;
    const double c = td_cos_cycles(angle / TD_TWO_PI), s = td_sin_cycles(angle / TD_TWO_PI);
    const double s_by_angle = angle > 1e-6 ? s / angle : 1.0;
    const double a1_w = 2.0 * radius * (zeta * c + s * root), a2_w = -2.0 * zeta * f->a2;
    const double a1_zeta = 2.0 * radius * w * (c - w * zeta * s_by_angle), a2_zeta = -2.0 * w * f->a2;
    const double h = td_sin_cycles(0.5 * w / TD_TWO_PI), phi1 = h * h, phi0 = 1.0 - phi1, phi2 = 4.0 * phi0 * phi1;
    const double phi1_w = 0.5 * td_sin_cycles(w / TD_TWO_PI), phi2_w = 4.0 * (1.0 - 2.0 * phi1) * phi1_w;
    const double sum = 1.0 + f->a1 + f->a2, alternating = 1.0 - f->a1 + f->a2;
    const double power = sum * sum * phi0 + alternating * alternating * phi1 - 4.0 * f->a2 * phi2;
    const double power_a1 = 2.0 * (sum * phi0 - alternating * phi1), power_a2 = 2.0 * (sum * phi0 + alternating * phi1) - 4.0 * phi2;
    const double power_w = (alternating * alternating - sum * sum) * phi1_w - 4.0 * f->a2 * phi2_w;
    const double b0_w = 0.5 * (power_a1 * a1_w + power_a2 * a2_w + power_w) / power - phi1_w / phi1;
    const double b0_zeta = 0.5 * (power_a1 * a1_zeta + power_a2 * a2_zeta) / power;
    const double by_w = by_b0 * b0_w + by_a1 * a1_w + by_a2 * a2_w, by_zeta = by_b0 * b0_zeta + by_a1 * a1_zeta + by_a2 * a2_zeta;
    *by_cutoff = cutoff_hz < limit ? by_w * TD_TWO_PI / sample_rate : 0.0;
    *by_q = by_b0 / q - by_zeta * 0.5 / (q * q);
}

void snare808_gradient(const float param[TD_PARAMS], double sample_rate, uint32_t seed, uint32_t hit, const float *grad, size_t n,
                       double of[TD_PARAMS])
{
#define P(name) ((double)param[TD_PARAM_##name])
    td_snare808 voice;
    td_snare808_start(&voice, param, sample_rate, seed, hit);
    envelope freq_env;
    oscillator osc1 = {.osc = voice.osc1}, osc2 = {.osc = voice.osc2};
    snappy noise = {.filter = voice.filter};
    envelope_start(&freq_env, &voice.freq_env, P(freq_env_decay), sample_rate);
    envelope_start(&osc1.env, &voice.osc1_env, P(osc1_decay), sample_rate);
    envelope_start(&osc2.env, &voice.osc2_env, P(osc2_decay), sample_rate);
    envelope_start(&noise.env, &voice.noise_env, P(noise_decay), sample_rate);
    const double g1 = (double)voice.osc1_gain, g2 = (double)voice.osc2_gain, gn = (double)voice.noise_gain, drive = (double)voice.drive;
    double turned_now = 0.0, moment_now = 0.0, by_drive = 0.0;

    for (uint32_t at = 0; at < n && at < voice.end; at += RUN) {
        double time[RUN], turned[RUN], turned_moment[RUN], driven[RUN], arriving[RUN];
        envelope_run(&freq_env, at, voice.fade);
        for (int i = 0; i < RUN; i++) {
            time[i] = (double)(at + (uint32_t)i);
            turned[i] = turned_now;
            turned_moment[i] = moment_now;
            turned_now += freq_env.value[i];
            moment_now += freq_env.moment[i];
        }
        const int one = at < voice.osc1_env.end, two = at < voice.osc2_env.end, three = at < voice.noise_env.end;
        for (int i = 0; i < RUN; i++) driven[i] = 0.0;
        if (one) {
            envelope_run(&osc1.env, at, voice.fade);
            oscillator_run(&osc1, freq_env.value);
            for (int i = 0; i < RUN; i++) driven[i] += g1 * osc1.sound[i];
        }
        if (two) {
            envelope_run(&osc2.env, at, voice.fade);
            oscillator_run(&osc2, freq_env.value);
            for (int i = 0; i < RUN; i++) driven[i] += g2 * osc2.sound[i];
        }
        if (three) {
            envelope_run(&noise.env, at, voice.fade);
            snappy_run(&noise, voice.key, at);
            for (int i = 0; i < RUN; i++) driven[i] += gn * noise.env.value[i] * noise.filtered[i];
        }
        const size_t left = n - at;
        const int used = left < RUN ? (int)left : RUN;
        for (int i = 0; i < RUN; i++) arriving[i] = i < used ? (double)grad[at + (uint32_t)i] : 0.0;
        for (int i = 0; i < RUN; i++) {
            driven[i] *= drive;
            const double y = (double)td_tanh_fast((float)driven[i]);
            arriving[i] *= 1.0 - y * y;
        }
        by_drive += dot(arriving, driven);
        if (one) oscillator_sum(&osc1, arriving, time, turned, turned_moment);
        if (two) oscillator_sum(&osc2, arriving, time, turned, turned_moment);
        if (three) snappy_sum(&noise, arriving);
    }

    const double per_db = LN10 / 20.0, turn1 = TD_TWO_PI * drive * g1, turn2 = TD_TWO_PI * drive * g2;
#define OF(name) of[TD_PARAM_##name]
    OF(osc1_freq) = turn1 / sample_rate * (osc1.by_time + P(osc1_mod) * osc1.by_sweep);
    OF(osc2_freq) = turn2 / sample_rate * (osc2.by_time + P(osc2_mod) * osc2.by_sweep);
    OF(osc1_mod) = turn1 * voice.osc1.step * osc1.by_sweep;
    OF(osc2_mod) = turn2 * voice.osc2.step * osc2.by_sweep;
    OF(freq_env_decay) = freq_env.slope * (turn1 * voice.osc1.sweep * osc1.by_sweep_decay + turn2 * voice.osc2.sweep * osc2.by_sweep_decay);
    OF(osc1_decay) = drive * g1 * osc1.env.slope * osc1.by_decay;
    OF(osc2_decay) = drive * g2 * osc2.env.slope * osc2.by_decay;
    OF(noise_decay) = drive * gn * noise.env.slope * noise.by_decay;
    filter_slopes(&voice.filter, P(noise_filter_freq), P(noise_filter_q), sample_rate, drive * gn * noise.by_gain, drive * gn * noise.by_a1,
                  drive * gn * noise.by_a2, &OF(noise_filter_freq), &OF(noise_filter_q));
    OF(osc1_gain) = per_db * drive * g1 * osc1.by_gain;
    OF(osc2_gain) = per_db * drive * g2 * osc2.by_gain;
    OF(noise_gain) = per_db * drive * gn * noise.by_gain;
    OF(tanh_gain) = per_db * by_drive;
#undef OF
#undef P
}
