/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* ---- detector (spec 2), default settings ---- */

struct ref_onset {
    double b0, b1, b2, a1, a2, s1, s2, attack, release, both, fast, slow, last, on, off, floor;
    long hold, since;
    int armed;
};

/* Of the detector classic, which this is. */
static double setting(const char *name)
{
    const int classic = 1, mic = 0;
    float value = 0;
    td_setup_value(classic, mic, td_control_find(name), &value);
    return (double)value;
}

static void onset_init(ref_onset *o, double sr, int window)
{
    const double w = 2 * pi * fmin(setting("highpass"), 0.45 * sr) / sr, alpha = sin(w) / sqrt(2), a0 = 1 + alpha;
    memset(o, 0, sizeof *o);
    o->b0 = o->b2 = (1 + cos(w)) / 2 / a0;
    o->b1 = -(1 + cos(w)) / a0;
    o->a1 = -2 * cos(w) / a0;
    o->a2 = (1 - alpha) / a0;
    o->attack = 1 - pow(1 - 1.0 / 3, 48000 / sr);
    o->release = 1 - pow(1 - 1.0 / 383, 48000 / sr);
    o->both = 1 - pow(1 - 1.0 / 2205, 48000 / sr);
    o->on = setting("onthreshold");
    o->off = setting("offthreshold");
    o->floor = o->fast = o->slow = setting("floor");
    o->hold = (long)fmax(floor(setting("hold") * 0.001 * sr + 0.5), window);
    o->since = 1000000000;
    o->armed = 1;
}

static int onset_tick(ref_onset *o, double x)
{
    const double y = o->b0 * x + o->s1;
    o->s1 = o->b1 * x - o->a1 * y + o->s2;
    o->s2 = o->b2 * x - o->a2 * y;
    if (fabs(o->s1) < 1e-30) o->s1 = 0;
    if (fabs(o->s2) < 1e-30) o->s2 = 0;
    const double level = y == 0 ? o->floor : fmax(o->floor, 20 * log10(fabs(y)));
    o->fast += (level > o->fast ? o->attack : o->release) * (level - o->fast);
    o->slow += o->both * (level - o->slow);
    const double d = o->fast - o->slow;
    o->since++;
    if (d < o->off) o->armed = 1;
    const int fired = o->armed && d >= o->on && o->last < o->on && o->since >= o->hold;
    if (fired) o->armed = 0, o->since = 0;
    o->last = d;
    return fired;
}

ref_onset *ref_onset_new(double sr)
{
    ref_onset *o = malloc(sizeof *o);
    if (o) onset_init(o, sr, td_scaled(256, sr));
    return o;
}

int ref_onset_run(ref_onset *o, const float *in, size_t n)
{
    int hits = 0;
    for (size_t i = 0; i < n; i++) hits += onset_tick(o, in[i]);
    return hits;
}

/* ---- features (spec 4) ---- */

static void fft(double *re, double *im, int n)
{
    if (n == 1) return;
    double even_re[1024], even_im[1024], odd_re[1024], odd_im[1024];
    for (int i = 0; i < n / 2; i++) {
        even_re[i] = re[2 * i], even_im[i] = im[2 * i];
        odd_re[i] = re[2 * i + 1], odd_im[i] = im[2 * i + 1];
    }
    fft(even_re, even_im, n / 2);
    fft(odd_re, odd_im, n / 2);
    for (int k = 0; k < n / 2; k++) {
        const double c = cos(2 * pi * k / n), s = -sin(2 * pi * k / n);
        const double r = c * odd_re[k] - s * odd_im[k], i = c * odd_im[k] + s * odd_re[k];
        re[k] = even_re[k] + r, im[k] = even_im[k] + i;
        re[k + n / 2] = even_re[k] - r, im[k + n / 2] = even_im[k] - i;
    }
}

void ref_features(const float *window, int samples, double sr, float out[TD_FEATURES])
{
    double re[2048] = {0}, im[2048] = {0}, hann[1024], sum = 0, sum2 = 0, mean = 0;
    int n = 4;
    while (n < 2 * td_scaled(256, sr)) n *= 2;
    for (int i = 0; i < samples; i++) {
        hann[i] = 0.5 - 0.5 * cos(2 * pi * i / samples);
        sum += hann[i], sum2 += hann[i] * hann[i], mean += hann[i] * window[i];
    }
    for (int i = 0; i < samples; i++) re[i] = hann[i] * (window[i] - mean / sum);
    fft(re, im, n);
    double power = 0, floored = 0, logs = 0, amplitude = 0, moment = 0;
    int bins = 0;
    for (int k = 1; k < n / 2 && k * sr / n <= 20000; k++, bins++) {
        const double p = re[k] * re[k] + im[k] * im[k], f = fmax(p / (sum * sum), 1e-12);
        power += p, floored += f, logs += log(f), amplitude += sqrt(f), moment += sqrt(f) * k * sr / n;
    }
    out[0] = (float)fmax(-80, 10 * log10(fmax(2 * power / (n * sum2), 1e-30)));
    out[1] = (float)(12 * log2(moment / amplitude / 440) + 69);
    out[2] = (float)(20 * log10(exp(logs / bins) / (floored / bins)));
}

/* ---- voice (spec 6) ---- */

typedef struct ref_envelope {
    double value, ratio, attack;
    uint32_t end, fade;
} ref_envelope;

typedef struct ref_voice {
    ref_envelope sweep, env1, env2, env_noise;
    double phase1, phase2, step1, step2, mod1, mod2, gain1, gain2, gain_noise, drive, x1, x2, y1, y2, b0, a1, a2;
    uint32_t key, n, end;
} ref_voice;

static uint32_t mix(uint32_t x)
{
    x ^= x >> 16, x *= 0x21f0aaadu, x ^= x >> 15, x *= 0xd35a2d97u, x ^= x >> 15;
    return x;
}

static void envelope_start(ref_envelope *e, double decay_ms, double sr)
{
    const double samples = decay_ms * 0.001 * sr;
    e->attack = 0.001 * sr;
    e->fade = (uint32_t)(0.001 * sr + 0.5);
    e->end = (uint32_t)ceil(e->attack + samples * 4 / 3);
    e->ratio = pow(10, -3 / samples);
    e->value = pow(10, -3 * (ceil(e->attack) - e->attack) / samples);
}

static double envelope_tick(ref_envelope *e, uint32_t n)
{
    if (n >= e->end) return 0;
    if (n < e->attack) return n / e->attack;
    const double value = e->end - n < e->fade ? e->value * (e->end - n) / e->fade : e->value;
    e->value *= e->ratio;
    return value;
}

enum { F1, M1, F2, M2, FREQ_DECAY, DECAY1, DECAY2, NOISE_DECAY, CUTOFF, Q, GAIN1, GAIN2, NOISE_GAIN, DRIVE };

static void voice_start(ref_voice *v, const float *p, double sr, uint32_t seed, uint32_t hit)
{
    memset(v, 0, sizeof *v);
    v->key = mix(mix(seed) + hit * 0x9e3779b9u);
    envelope_start(&v->sweep, p[FREQ_DECAY], sr);
    envelope_start(&v->env1, p[DECAY1], sr);
    envelope_start(&v->env2, p[DECAY2], sr);
    envelope_start(&v->env_noise, p[NOISE_DECAY], sr);
    v->end = v->env1.end > v->env2.end ? v->env1.end : v->env2.end;
    if (v->env_noise.end > v->end) v->end = v->env_noise.end;
    v->step1 = p[F1] / sr, v->step2 = p[F2] / sr;
    v->mod1 = p[M1], v->mod2 = p[M2];
    v->gain1 = pow(10, p[GAIN1] / 20), v->gain2 = pow(10, p[GAIN2] / 20);
    v->gain_noise = pow(10, p[NOISE_GAIN] / 20) * sqrt(sr / 48000);
    v->drive = pow(10, p[DRIVE] / 20);
    const double w = 2 * pi * fmin(p[CUTOFF], 0.45 * sr) / sr, z = 0.5 / p[Q];
    v->a1 = -2 * exp(-z * w) * cos(w * sqrt(1 - z * z));
    v->a2 = exp(-2 * z * w);
    const double f1 = pow(sin(w / 2), 2), f0 = 1 - f1, f2 = 4 * f0 * f1;
    v->b0 = p[Q] * sqrt(pow(1 + v->a1 + v->a2, 2) * f0 + pow(1 - v->a1 + v->a2, 2) * f1 - 4 * v->a2 * f2) / (4 * f1);
}

static double voice_tick(ref_voice *v)
{
    const double sweep = envelope_tick(&v->sweep, v->n);
    const double noise = (double)(mix(v->key ^ (v->n * 0x9e3779b9u)) >> 8) / 8388608 - 1;
    const double y = v->b0 * (noise - 2 * v->x1 + v->x2) - v->a1 * v->y1 - v->a2 * v->y2;
    v->x2 = v->x1, v->x1 = noise, v->y2 = v->y1, v->y1 = y;
    const double sum = v->gain1 * envelope_tick(&v->env1, v->n) * sin(2 * pi * v->phase1) +
                       v->gain2 * envelope_tick(&v->env2, v->n) * sin(2 * pi * v->phase2) +
                       v->gain_noise * envelope_tick(&v->env_noise, v->n) * y;
    v->phase1 += v->step1 * (1 + v->mod1 * sweep);
    v->phase2 += v->step2 * (1 + v->mod2 * sweep);
    v->phase1 -= floor(v->phase1);
    v->phase2 -= floor(v->phase2);
    v->n++;
    return v->n <= v->end ? tanh(v->drive * sum) : 0;
}

void ref_snare808(const float param[TD_PARAMS], double sr, uint32_t seed, uint32_t hit, float *out, size_t n)
{
    ref_voice v;
    voice_start(&v, param, sr, seed, hit);
    for (size_t i = 0; i < n; i++) out[i] = (float)voice_tick(&v);
}

/* ---- engine (spec 3, 5.1, 7.1) ---- */

struct ref_engine {
    double sr;
    const td_model *model;
    td_model_info info;
    ref_onset onset;
    ref_voice voice, tail;
    int window, latency, handover, fading, waiting, hits, at;
    double residual;
    int residual_left;
    uint32_t seed;
    float history[1024]; /* a ring; at is the oldest sample */
};

ref_engine *ref_new(double sr, const td_model *model, uint32_t seed)
{
    ref_engine *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->sr = sr, e->model = model, e->seed = seed;
    td_model_describe(model, &e->info);
    e->window = td_scaled(e->info.window, sr);
    e->latency = e->window - td_scaled(e->info.preroll, sr);
    e->handover = (int)(0.001 * sr + 0.5);
    e->waiting = -1;
    onset_init(&e->onset, sr, e->window);
    return e;
}

void ref_free(ref_engine *e) { free(e); }
int ref_hits(const ref_engine *e) { return e->hits; }

static float play(ref_engine *e)
{
    float window[1024], features[TD_FEATURES], x[TD_FEATURES], m[TD_PARAMS], p[TD_PARAMS];
    double velocity = 0;
    for (int i = 0; i < e->window; i++) window[i] = e->history[(e->at - e->window + i) & 1023];
    ref_features(window, e->window, e->sr, features);
    for (int f = 0; f < TD_FEATURES; f++) {
        const double v = fmin(1, fmax(0, (features[f] - e->info.min[f]) / (e->info.max[f] - e->info.min[f])));
        if (f == 0) velocity = v;
        x[f] = (float)(v - e->info.reference[f]);
    }
    td_model_run(e->model, x, m); /* the network's own loops are plain already */
    for (int i = 0; i < TD_PARAMS; i++) {
        const double lo = td_param(i)->min, span = td_param(i)->max - lo;
        const double u = (e->info.preset.value[i] - lo) / span + e->info.preset.damping[i] * m[i];
        p[i] = (float)(lo + fmin(1, fmax(0, u)) * span);
    }
    if (e->fading || e->residual_left) {
        double now = e->fading ? voice_tick(&e->tail) * e->fading / e->handover : 0;
        if (e->residual_left) now += e->residual * e->residual_left / e->handover;
        e->residual = now;
        e->residual_left = e->handover;
    }
    e->tail = e->voice;
    e->fading = e->voice.n < e->voice.end ? e->handover : 0;
    voice_start(&e->voice, p, e->sr, e->seed, (uint32_t)e->hits++);
    return (float)fmax(velocity, 0.01);
}

void ref_process(ref_engine *e, const float *in, float *out, float *trigger, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        trigger[i] = 0;
        if (e->waiting >= 0 && e->waiting-- == 0) trigger[i] = play(e);
        const float x = isfinite(in[i]) ? in[i] : 0;
        e->history[e->at] = x;
        e->at = (e->at + 1) & 1023;
        if (onset_tick(&e->onset, x)) e->waiting = e->latency - 1;
        double y = e->voice.n < e->voice.end ? voice_tick(&e->voice) : 0;
        if (e->fading) y += voice_tick(&e->tail) * e->fading-- / e->handover;
        if (e->residual_left) y += e->residual * e->residual_left-- / e->handover;
        out[i] = (float)y;
    }
}
