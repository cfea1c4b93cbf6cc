/* SPDX-License-Identifier: MIT
 * The 808 snare (spec 6): two swept sine oscillators for the two bridged-T resonators of the circuit, high-passed noise for the snappy
 * part, four envelopes and a soft clipper. All coefficients are worked out in start. Samples are made in groups that lie at multiples of
 * their size in the voice's own time, so that loops over them become vector instructions and the cut into runs changes nothing. */
#include "snare808.h"

#include "noise.h"
#include "params.h"
#include "td_math.h"

enum { GROUP = TD_VOICE_GROUP, STEPS = TD_FILTER_STEPS };
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
    env->power[0] = 1.0;
    for (int k = 0; k < GROUP; k++) env->power[k + 1] = env->power[k] * env->ratio;
}

static int is_exponential(const td_envelope *env, uint32_t at, uint32_t fade)
{
    return at >= env->peak && at + (GROUP - 1) + fade <= env->end;
}

/* Envelope of the group that begins at a sample. */
static void envelope_group(td_envelope *restrict env, uint32_t at, uint32_t fade, double out[restrict GROUP])
{
    if (is_exponential(env, at, fade)) {
        const double level = env->level;
        for (int k = 0; k < GROUP; k++) out[k] = level * env->power[k];
        env->level = level * env->power[GROUP];
        return;
    }
    for (int k = 0; k < GROUP; k++, at++) {
        if (at >= env->end) {
            out[k] = 0.0;
        } else if (at < env->peak) {
            out[k] = (double)at * env->rise;
        } else {
            out[k] = env->level;
            env->level *= env->ratio;
            const uint32_t left = env->end - at;
            if (left < fade) out[k] *= (double)left / (double)fade;
        }
    }
}

/* Sums of the pitch envelope from the begin of the group to before each of its samples, and to its end. */
static void travel_group(td_snare808 *restrict self, double travel[restrict GROUP + 1])
{
    td_envelope *const env = &self->freq_env;
    if (is_exponential(env, self->n, self->fade)) {
        const double level = env->level;
        for (int k = 0; k <= GROUP; k++) travel[k] = level * self->travel[k];
        env->level = level * env->power[GROUP];
        return;
    }
    double out[GROUP];
    envelope_group(env, self->n, self->fade, out);
    travel[0] = 0.0;
    for (int k = 0; k < GROUP; k++) travel[k + 1] = travel[k] + out[k];
}

static void oscillator_start(td_oscillator *osc, double freq_hz, double mod, double sample_rate)
{
    osc->phase = 0.0;
    osc->step = freq_hz / sample_rate;
    osc->sweep = osc->step * mod;
}

/* To -1/2 .. 1/2 cycle: beyond 2^52 doubles are whole numbers. */
static inline double wrapped(double cycles)
{
    const double large = 6755399441055744.0;
    return cycles - ((cycles + large) - large);
}

static void oscillator_group(td_oscillator *restrict osc, const double travel[restrict GROUP + 1], const double amp_env[restrict GROUP],
                             float gain, float sum[restrict GROUP])
{
    const double phase = osc->phase, step = osc->step, sweep = osc->sweep;
    for (int k = 0; k < GROUP; k++) {
        const double cycles = wrapped(phase + step * (double)k + sweep * travel[k]);
        sum[k] += gain * (float)amp_env[k] * td_sin_cycles_fast((float)cycles);
    }
    osc->phase = wrapped(phase + step * (double)GROUP + sweep * travel[GROUP]);
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
    f->x1 = f->x2 = 0.0f;
    f->y1 = f->y2 = 0.0;
    double response[STEPS + 1] = {1.0, -f->a1}; /* of the recursion to one input */
    for (int k = 2; k <= STEPS; k++) response[k] = -f->a1 * response[k - 1] - f->a2 * response[k - 2];
    for (int k = 0; k < STEPS; k++) {
        for (int i = 0; i < STEPS; i++) f->of_input[i][k] = k < i ? 0.0 : response[k - i];
        f->of_y1[k] = response[k + 1];
        f->of_y2[k] = -f->a2 * response[k];
    }
}

static void noise_group(td_noise_filter *restrict f, uint32_t key, uint32_t at, const double env[restrict GROUP], float gain,
                        float sum[restrict GROUP])
{
    float x[GROUP + 2];
    double u[GROUP], y[GROUP];
    x[0] = f->x2;
    x[1] = f->x1;
    for (int k = 0; k < GROUP; k++) x[k + 2] = td_noise_sample(key, at + (uint32_t)k);
    f->x2 = x[GROUP];
    f->x1 = x[GROUP + 1];
    for (int k = 0; k < GROUP; k++) u[k] = f->b0 * ((double)x[k + 2] - 2.0 * (double)x[k + 1] + (double)x[k]);
    for (int i = 0; i < GROUP; i += STEPS)
        for (int k = 0; k < STEPS; k++)
            y[i + k] =
                f->of_input[0][k] * u[i] + f->of_input[1][k] * u[i + 1] + f->of_input[2][k] * u[i + 2] + f->of_input[3][k] * u[i + 3];
    double y1 = f->y1, y2 = f->y2;
    for (int i = 0; i < GROUP; i += STEPS) {
        for (int k = 0; k < STEPS; k++) y[i + k] = (y[i + k] + f->of_y2[k] * y2) + f->of_y1[k] * y1;
        y2 = y[i + STEPS - 2];
        y1 = y[i + STEPS - 1];
    }
    f->y1 = y1;
    f->y2 = y2;
    for (int k = 0; k < GROUP; k++) sum[k] += gain * (float)(env[k] * y[k]);
}

static uint32_t latest(uint32_t a, uint32_t b) { return a > b ? a : b; }

void td_snare808_start(td_snare808 *self, const float param[TD_PARAMS], double sample_rate, uint32_t seed, uint32_t hit)
{
#define P(name) ((double)param[TD_PARAM_##name])
    self->n = 0;
    self->fade = (uint32_t)(fade_s * sample_rate + 0.5);
    self->key = td_noise_key(seed, hit);
    envelope_start(&self->freq_env, P(freq_env_decay), sample_rate);
    self->travel[0] = 0.0;
    for (int k = 0; k < GROUP; k++) self->travel[k + 1] = self->travel[k] + self->freq_env.power[k];
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

/* The samples from n on, a multiple of GROUP. */
static void make_group(td_snare808 *self)
{
    double travel[GROUP + 1], env[GROUP];
    float sum[GROUP];
    const uint32_t at = self->n;
    for (int k = 0; k < GROUP; k++) sum[k] = 0.0f;
    travel_group(self, travel);
    if (at < self->osc1_env.end) {
        envelope_group(&self->osc1_env, at, self->fade, env);
        oscillator_group(&self->osc1, travel, env, self->osc1_gain, sum);
    }
    if (at < self->osc2_env.end) {
        envelope_group(&self->osc2_env, at, self->fade, env);
        oscillator_group(&self->osc2, travel, env, self->osc2_gain, sum);
    }
    if (at < self->noise_env.end) {
        envelope_group(&self->noise_env, at, self->fade, env);
        noise_group(&self->filter, self->key, at, env, self->noise_gain, sum);
    }
    for (int k = 0; k < GROUP; k++) self->group[k] = td_flush(self->level * td_tanh_fast(self->drive * sum[k]));
}

void td_snare808_run(td_snare808 *self, float *out, int n)
{
    if (td_snare808_is_idle(self)) {
        memset(out, 0, (size_t)n * sizeof *out);
        return;
    }
    while (n) {
        const int made = (int)(self->n % GROUP), rest = GROUP - made, run = rest < n ? rest : n;
        if (made == 0) make_group(self);
        memcpy(out, self->group + made, (size_t)run * sizeof *out);
        self->n += (uint32_t)run;
        out += run;
        n -= run;
    }
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
