/* SPDX-License-Identifier: MIT
 * Onset detector "rise" (spec 2.3): a stroke is a sudden rise of the level in dB, summed over eight bands. The loops over bands and lanes
 * have neither branches nor calls, so that compilers turn them into vector instructions. */
#if defined(__ARM_NEON) && !defined(__aarch64__) && defined(__GNUC__) && !defined(__clang__)
/* The vectors of armv7 flush denormals, so gcc computes with none of them unless told that this does no harm; here there are no denormals.
 * The order of operations stays as written. tests/test_arm.py holds that no bit changes. */
#pragma GCC optimize("unsafe-math-optimizations", "no-associative-math", "no-reciprocal-math", "signed-zeros")
#endif

#include "onset_rise.h"

#include "params.h"
#include "td_math.h"

enum { LANES = TD_RISE_LANES, BANDS = TD_RISE_BANDS };

/* Loops that gcc leaves whole until it comes to vectors. */
#if defined(__GNUC__) && !defined(__clang__)
#define EACH(i, count) _Pragma("GCC unroll 1") for (int i = 0; i < count; i++)
#else
#define EACH(i, count) for (int i = 0; i < count; i++)
#endif

/* What each stands for is told in docs/onsets.md. */
static const double edges_hz[BANDS + 1] = {40.0, 120.0, 300.0, 700.0, 1500.0, 3000.0, 6000.0, 11000.0, 18000.0};
static const double frame_rate_hz = 8000.0;
static const double smoothing_low_s = 0.013, smoothing_s = 0.0025; /* of the lowest band; of the upper four */
static const double valley_up_db_s = 560.0, valley_s = 0.0115;
static const float valley_depth_db = 10.0f, ripple_db = 1.7f;
static const float weight_low = 0.78f, weight_high = 1.22f; /* of the lowest and the highest band, in a line between */
static const float alone_db = 2.65f;
static const float noise_start_db = -45.0f, noise_margin_db = -4.4f;
static const double noise_up_db_s = 0.55, noise_down_s = 0.2;
static const float mask_share = 0.26f;
static const double mask_down_db_s = 175.0;
static const float forgotten = 1e-7f; /* memories below it count as 0 */
static const double restless_s = 0.3;
static const float restless_free = 0.016f, restless_gain = 230.0f, restless_most = 7.0f; /* octaves of the threshold */
/* Memory for close strokes; strokes twice that gap apart are not. From dense_free of them on one more is expected: the share of threshold
 * and ripple that goes off then. */
static const double dense_s = 0.25, dense_gap_s = 0.07;
static const float dense_free = 1.0f, dense_threshold = 0.5f, dense_ripple = 0.3f;
static const double travel_s = 0.04; /* longest way from our output back to the input */
static const double return_up_db_s = 20.0;
static const float return_start_db = -12.0f, sounding_db = -60.0f, echo_margin_db = -2.0f;
static const float most_power = 1e3f, nothing_db = -200.0f; /* a power; a level below all others */
static const td_rise_limits rise_limits = {.power = 1e-12f, .faint = -54.0f, .least_rise = -0.45f, .most_returned = -11.0f};

static const double butterworth = 1.41421356237309504880, twice_narrower = 1.55377397403003730734; /* 1/sqrt(sqrt 2 - 1) */

static float larger(float a, float b) { return a > b ? a : b; }
static float smaller(float a, float b) { return a < b ? a : b; }

static float sum_of(const float x[BANDS])
{
    float half[LANES];
    EACH(k, LANES) half[k] = x[k] + x[LANES + k];
    return (half[0] + half[2]) + (half[1] + half[3]);
}

/* ---- bands ---- */

/* tan of half the angle that a frequency turns in a sample: the bilinear transform then keeps it where it is. */
static double warped(double hz, double sample_rate)
{
    const double limit = 0.45 * sample_rate, half_cycles = 0.5 * (hz < limit ? hz : limit) / sample_rate;
    return td_sin_cycles(half_cycles) / td_cos_cycles(half_cycles);
}

static void svf_set(td_svf_design *lanes, int lane, double warped_hz, double damping)
{
    lanes->g[lane] = (float)warped_hz;
    lanes->r[lane] = (float)(damping + warped_hz);
    lanes->d[lane] = (float)(1.0 / (1.0 + warped_hz * (damping + warped_hz)));
}

static void steps_set(td_svf_steps *lanes, int lane, double warped_hz, double damping)
{
    const double g = warped_hz, r = damping + g, d = 1.0 / (1.0 + g * r);
    lanes->from1[lane] = (float)(2.0 * (1.0 - g * r * d));
    lanes->c[lane] = (float)(2.0 * g * d);
    lanes->g[lane] = (float)g;
}

static void design_set(td_band_design *self, double highpass_hz, double sample_rate, uint32_t frame)
{
    const double frame_rate = sample_rate / (double)frame, cross = warped(edges_hz[LANES], sample_rate);
    td_svf_steps one;
    steps_set(&one, 0, cross, butterworth);
    self->cross_from1 = one.from1[0];
    self->cross_c = one.c[0];
    self->cross_g = one.g[0];
    for (int i = 0; i < LANES; i++) {
        const double from_hz = edges_hz[i] > highpass_hz ? edges_hz[i] : highpass_hz;
        svf_set(&self->low_edge, i, warped(from_hz, frame_rate), butterworth);
        svf_set(&self->high_edge, i, warped(edges_hz[i + 1], frame_rate), butterworth);
        const double from_upper_hz = edges_hz[LANES + i] > highpass_hz ? edges_hz[LANES + i] : highpass_hz;
        const double low = warped(from_upper_hz, sample_rate), high = warped(edges_hz[LANES + i + 1], sample_rate);
        const int empty = high <= low; /* beyond half the sample rate, or below highpass: silent */
        const double centre = sqrt(low * high), damping = empty ? butterworth : twice_narrower * (high - low) / centre;
        const float half = empty ? 0.0f : (float)(0.5 * damping);
        steps_set(&self->upper, i, centre, damping);
        self->half_damping[i] = half;
        self->gain[i] = half * half / (float)frame;
    }
}

static void split_clear(td_band_split *self) { memset(self, 0, sizeof *self); }

/* Adds n samples to the frame. */
static void split_run(td_band_split *restrict self, const td_band_design *restrict design, const float *restrict x, size_t n)
{
    const float cm = design->cross_from1, cc = design->cross_c, cg = design->cross_g, half_damping = (float)(0.5 * butterworth);
    float c1 = self->cross_s1, c2 = self->cross_s2, sum = self->low_sum;
    const td_svf_steps f = design->upper;
    td_svf_state a = self->upper[0], b = self->upper[1];
    float half[LANES], energy[LANES];
    EACH(k, LANES) half[k] = design->half_damping[k], energy[k] = self->energy[k];
    for (size_t i = 0; i < n; i++) {
        const float band = cm * c1 + cc * (x[i] - c2), low = c2 + cg * band, twice_low = c2 + low;
        const float high = x[i] - half_damping * band - 0.5f * twice_low;
        c1 = band - c1;
        c2 = low;
        sum += twice_low;
        EACH(k, LANES)
        {
            const float first = f.from1[k] * a.s1[k] + f.c[k] * (high - a.s2[k]), in2 = half[k] * first;
            a.s1[k] = first - a.s1[k];
            a.s2[k] += f.g[k] * first;
            const float second = f.from1[k] * b.s1[k] + f.c[k] * (in2 - b.s2[k]);
            b.s1[k] = second - b.s1[k];
            b.s2[k] += f.g[k] * second;
            energy[k] += second * second;
        }
    }
    self->cross_s1 = c1, self->cross_s2 = c2, self->low_sum = sum;
    self->upper[0] = a, self->upper[1] = b;
    EACH(k, LANES) self->energy[k] = energy[k];
}

/* Long before squares are subnormal. */
static inline float flush(float x) { return fabsf(x) < 1e-13f ? 0.0f : x; }

/* The power of each band in the frame that ends here; the next begins. */
static void split_end_frame(td_band_split *restrict self, const td_band_design *restrict design, float per_frame, float power[BANDS])
{
    const td_svf_design *const l = &design->low_edge, *const h = &design->high_edge;
    td_svf_state *const ls = &self->low_edge, *const hs = &self->high_edge;
    const float x = 0.5f * self->low_sum * per_frame;
    EACH(k, LANES)
    {
        const float high = (x - l->r[k] * ls->s1[k] - ls->s2[k]) * l->d[k], u = l->g[k] * high, band = u + ls->s1[k];
        const float v = l->g[k] * band;
        ls->s1[k] = flush(band + u);
        ls->s2[k] = flush(ls->s2[k] + v + v);
        const float high2 = (high - h->r[k] * hs->s1[k] - hs->s2[k]) * h->d[k], u2 = h->g[k] * high2, band2 = u2 + hs->s1[k];
        const float v2 = h->g[k] * band2, low = v2 + hs->s2[k];
        hs->s1[k] = flush(band2 + u2);
        hs->s2[k] = flush(low + v2);
        power[k] = low * low;
    }
    EACH(k, LANES)
    {
        power[LANES + k] = self->energy[k] * design->gain[k];
        self->energy[k] = 0.0f;
    }
    for (int i = 0; i < 2; i++) EACH(k, LANES)
        {
            self->upper[i].s1[k] = flush(self->upper[i].s1[k]);
            self->upper[i].s2[k] = flush(self->upper[i].s2[k]);
        }
    self->cross_s1 = flush(self->cross_s1);
    self->cross_s2 = flush(self->cross_s2);
    self->low_sum = 0.0f;
}

/* What is 30 dB over full scale or no number is no sound, and what it has done to the filters shall not last. */
static void split_refuse(td_band_split *self, float power[BANDS])
{
    if (sum_of(power) < most_power) return;
    split_clear(self);
    memset(power, 0, BANDS * sizeof *power);
}

/* 10 log10 of normal powers > 0; error below 1e-5 dB. log2 as in td_log2: 2/ln 2 artanh((m-1)/(m+1)) and the exponent. */
static void powers_to_db(const float power[BANDS], float db[BANDS])
{
    int32_t bits[BANDS];
    float mantissa[BANDS], exponent[BANDS];
    memcpy(bits, power, sizeof bits);
    EACH(b, BANDS)
    {
        const int32_t shifted = bits[b] + (0x3f800000 - 0x3f3504f3);
        exponent[b] = (float)((shifted >> 23) - 127);
        bits[b] = (shifted & 0x007fffff) + 0x3f3504f3;
    }
    memcpy(mantissa, bits, sizeof mantissa);
    EACH(b, BANDS)
    {
        const float s = (mantissa[b] - 1.0f) / (mantissa[b] + 1.0f), u = s * s;
        db[b] = 3.01029995664f * exponent[b] + 8.68588963807f * s * (1.0f + u * (0.333333333f + u * (0.2f + u * 0.142857143f)));
    }
}

/* ---- frames ---- */

/* The span of levels that is filling becomes the last one, an empty one begins. */
static void drum_turn(td_onset_rise *self)
{
    self->drum_span = 0;
    EACH(b, BANDS)
    {
        self->drum_most[1][b] = self->drum_most[0][b];
        self->drum_least[1][b] = self->drum_least[0][b];
        self->drum_most[0][b] = nothing_db;
        self->drum_least[0][b] = -nothing_db;
    }
}

static void drum_forget(td_onset_rise *self)
{
    split_clear(&self->drum_bands);
    drum_turn(self);
    EACH(b, BANDS)
    {
        self->drum_power[b] = self->limits.power;
        self->drum_most[1][b] = self->drum_least[1][b] = self->echo[b] = nothing_db;
    }
}

/* What of our own drum may be in the input, at level (spec 2.4): the most that the drum was while sound may have travelled, times the
 * share that comes back. That share cannot be more than the input has above the least that the drum was. */
static void drum_frame(td_onset_rise *restrict self, const float level[restrict BANDS])
{
    const td_rise_limits *const limits = &self->limits;
    float power[BANDS], drum[BANDS];
    split_end_frame(&self->drum_bands, &self->design, self->per_frame, power);
    EACH(b, BANDS)
    self->drum_power[b] = power[b] = larger(self->drum_power[b] + self->smoothing[b] * (power[b] - self->drum_power[b]), limits->power);
    powers_to_db(power, drum);
    if (self->drum_span == self->travel) drum_turn(self);
    self->drum_span++;
    EACH(b, BANDS)
    {
        self->drum_most[0][b] = larger(drum[b], self->drum_most[0][b]);
        self->drum_least[0][b] = smaller(drum[b], self->drum_least[0][b]);
        const float most = larger(self->drum_most[0][b], self->drum_most[1][b]);
        const float least = smaller(self->drum_least[0][b], self->drum_least[1][b]);
        const float share = smaller(smaller(self->returned[b] + self->return_up, limits->most_returned), level[b] - least);
        self->returned[b] = least > sounding_db ? share : self->returned[b];
        self->echo[b] = most + self->returned[b] + self->echo_margin;
    }
    if (--self->drum_left == 0) drum_forget(self);
}

/* What a sound in one band may leak into the others: the filters are not steep. */
static void leaks(const float level[BANDS], float leak[BANDS])
{
#define AWAY(a) {AWAY_BY(a, 0), AWAY_BY(a, 1), AWAY_BY(a, 2), AWAY_BY(a, 3), AWAY_BY(a, 4), AWAY_BY(a, 5), AWAY_BY(a, 6), AWAY_BY(a, 7)}
#define AWAY_BY(a, b) (a == b ? 1e6f : 14.0f * (a > b ? a - b : b - a)) /* dB */
    static const float away[BANDS][BANDS] = {AWAY(0), AWAY(1), AWAY(2), AWAY(3), AWAY(4), AWAY(5), AWAY(6), AWAY(7)};
    EACH(b, BANDS) leak[b] = level[0] - away[0][b];
    for (int a = 1; a < BANDS; a++) EACH(b, BANDS) leak[b] = larger(level[a] - away[a][b], leak[b]);
}

/* Rises of the bands beyond what rises without a stroke, summed. */
static float rise_frame(td_onset_rise *restrict self, float ripple, float level[restrict BANDS])
{
    const td_rise_limits *const limits = &self->limits;
    float power[BANDS], leak[BANDS], rise[BANDS];
    split_end_frame(&self->bands, &self->design, self->per_frame, power);
    split_refuse(&self->bands, power);
    EACH(b, BANDS) self->power[b] = power[b] = larger(self->power[b] + self->smoothing[b] * (power[b] - self->power[b]), limits->power);
    powers_to_db(power, level);
    EACH(b, BANDS) level[b] = larger(level[b], self->floor);
    if (self->drum_left) drum_frame(self, level);
    leaks(level, leak);
    EACH(b, BANDS)
    {
        const float up = self->valley[b] + self->valley_up + self->valley_rate * (larger(level[b], self->valley[b]) - self->valley[b]);
        self->valley[b] = smaller(level[b], larger(up, level[b] - valley_depth_db));
        self->noise[b] += smaller((level[b] - self->noise[b]) * self->noise_rate, self->noise_up);
        self->mask[b] = larger(self->mask[b] - self->mask_down, self->floor);
        const float from = larger(larger(self->valley[b], self->noise[b] + noise_margin_db), larger(self->echo[b], leak[b]));
        const float above = level[b] - from - mask_share * (larger(self->mask[b], level[b]) - level[b]);
        const float most = alone_db + (larger(level[b], limits->faint) - limits->faint);
        rise[b] = self->weight[b] * larger(smaller(above - ripple, most), limits->least_rise);
    }
    return sum_of(rise);
}

/* While a stroke holds, its own level is the valley to rise from and the mask for the next. */
static void hold_frame(td_onset_rise *restrict self, const float level[restrict BANDS])
{
    EACH(b, BANDS)
    {
        self->valley[b] = level[b];
        self->mask[b] = larger(self->mask[b], level[b]);
    }
}

static float kept(float memory) { return memory < forgotten ? 0.0f : memory; }

/* By what factor restlessness raises the threshold. */
static float raised(const td_onset_rise *self)
{
    const float excess = restless_gain * (self->restless - restless_free);
    return excess > 0.0f ? td_exp2_fast(smaller(excess, restless_most)) : 1.0f;
}

/* From 0 to 1: whether one more stroke is to be expected because the last ones came close together. Not while restless. */
static float expected(const td_onset_rise *self, float factor)
{
    return larger(smaller(self->dense - dense_free, 1.0f), 0.0f) / (factor * factor);
}

/* A stroke counts as close when it comes within dense_gap_s of the last one, and less and less up to twice that. */
static float closeness(const td_onset_rise *self) { return larger(smaller(2.0f - (float)self->since * self->per_gap, 1.0f), 0.0f); }

/* Whether a stroke is detected at the end of this frame. */
static int frame_end(td_onset_rise *self)
{
    float level[BANDS];
    int fired = 0;
    self->dense = kept(self->dense - self->dense_rate * self->dense);
    const float factor = raised(self), dense = expected(self, factor);
    const float threshold = self->on * factor * (1.0f - dense_threshold * dense), per_threshold = 1.0f / threshold;
    self->rise = rise_frame(self, ripple_db - ripple_db * dense_ripple * dense, level);
    self->peak = larger(self->peak, self->rise);
    self->since += self->since != UINT32_MAX;
    if (self->since >= self->hold) {
        self->threshold = threshold;
        fired = self->rise > threshold;
        const float share = larger(smaller(self->rise * per_threshold, 1.0f), 0.0f);
        self->restless = kept(self->restless + self->restless_rate * (share - self->restless));
        if (fired) {
            self->dense += closeness(self);
            self->since = 0;
            memcpy(self->mask, level, sizeof self->mask);
        }
    }
    if (self->since < self->hold) hold_frame(self, level);
    return fired;
}

/* ---- silence ---- */

/* Nothing rings in the filters that see the samples. */
static int split_rests(const td_band_split *self)
{
    float sum = fabsf(self->cross_s1) + fabsf(self->cross_s2) + fabsf(self->low_sum);
    if (sum != 0.0f) return 0;
    EACH(k, LANES)
    for (int i = 0; i < 2; i++) sum += fabsf(self->upper[i].s1[k]) + fabsf(self->upper[i].s2[k]);
    EACH(k, LANES) sum += self->energy[k];
    return sum == 0.0f;
}

/* Ends a frame in which all was silent. Once such a frame changes nothing, the next ones need not be worked out. */
static int silent_frame_end(td_onset_rise *self)
{
    if (self->still) {
        self->since += self->since != UINT32_MAX;
        return 0;
    }
    td_onset_rise before = *self;
    const int fired = frame_end(self);
    before.since = self->since;
    self->still = self->since > self->hold && self->rise <= 0.0f && !self->drum_left && memcmp(&before, self, sizeof before) == 0;
    return fired;
}

/* At rest, silence takes only time. */
static int sleeps(td_onset_rise *self, const float *in, const float *drum, size_t n)
{
    if (!self->still || !td_is_silent(in, n) || (drum && self->masks_drum && !td_is_silent(drum, n))) return 0;
    const size_t samples = self->in_frame + n, frames = samples / self->frame;
    self->silent = 1;
    self->in_frame = (uint32_t)(samples % self->frame);
    self->since = frames < UINT32_MAX - self->since ? self->since + (uint32_t)frames : UINT32_MAX;
    return 1;
}

static void drum_run(td_onset_rise *self, const float *drum, size_t n)
{
    if (!td_is_silent(drum, n)) {
        self->drum_left = 2 * self->travel;
        self->still = 0;
    }
    if (self->drum_left) split_run(&self->drum_bands, &self->design, drum, n);
}

/* Hears the samples of a frame, or a part of them. */
static void run(td_onset_rise *self, const float *in, const float *drum, size_t n)
{
    if (self->in_frame == 0) self->silent = split_rests(&self->bands);
    if (self->silent && !td_is_silent(in, n)) self->silent = self->still = 0;
    if (!self->silent) split_run(&self->bands, &self->design, in, n);
    if (drum && self->masks_drum) drum_run(self, drum, n);
}

size_t td_onset_rise_process(td_onset_rise *self, const float *in, const float *drum, size_t n, float *rise, float *threshold, int *fired)
{
    size_t i = 0;
    *fired = 0;
    if (sleeps(self, in, drum, n)) {
        if (rise) td_fill(rise, n, self->rise);
        if (threshold) td_fill(threshold, n, self->threshold);
        return n;
    }
    while (i < n && !*fired) {
        const size_t rest = self->frame - self->in_frame, some = rest < n - i ? rest : n - i;
        run(self, in + i, drum ? drum + i : NULL, some);
        if (rise) td_fill(rise + i, some - 1, self->rise);
        if (threshold) td_fill(threshold + i, some - 1, self->threshold);
        i += some - 1;
        self->in_frame += (uint32_t)some;
        if (self->in_frame == self->frame) {
            self->in_frame = 0;
            *fired = self->silent ? silent_frame_end(self) : frame_end(self);
        }
        if (rise) rise[i] = self->rise;
        if (threshold) threshold[i] = self->threshold;
        i++;
    }
    return i;
}

/* ---- settings ---- */

void td_onset_rise_reset(td_onset_rise *self)
{
    split_clear(&self->bands);
    drum_forget(self);
    self->in_frame = self->drum_left = 0;
    self->still = self->silent = 0;
    self->since = UINT32_MAX;
    self->restless = self->dense = self->rise = self->peak = 0.0f;
    self->threshold = self->on;
    EACH(b, BANDS)
    {
        self->power[b] = self->limits.power;
        self->valley[b] = self->floor;
        self->noise[b] = noise_start_db;
        self->mask[b] = nothing_db;
        self->returned[b] = return_start_db;
    }
}

void td_onset_rise_configure(td_onset_rise *self, double sample_rate, const td_onset_settings *settings, uint32_t hold)
{
    design_set(&self->design, (double)settings->highpass, sample_rate, self->frame);
    self->still = 0;
    self->floor = settings->floor;
    self->hold = (hold + self->frame - 1) / self->frame;
    self->on = (float)td_on_threshold(settings);
    self->masks_drum = settings->selfmask > 0.0f;
    self->echo_margin = echo_margin_db + 0.24f * (settings->selfmask - 50.0f);
    if (!self->masks_drum && self->drum_left) {
        self->drum_left = 0;
        drum_forget(self);
    }
}

/* Share of the way that is gone in one frame with a time constant. */
static double frame_share(double seconds, double frames_per_s) { return 1.0 - td_exp2(-1.44269504088896340736 / (seconds * frames_per_s)); }

void td_onset_rise_init(td_onset_rise *self, double sample_rate)
{
    memset(self, 0, sizeof *self);
    self->limits = rise_limits;
    self->frame = (uint32_t)(sample_rate / frame_rate_hz + 0.5);
    if (self->frame == 0) self->frame = 1;
    self->per_frame = 1.0f / (float)self->frame;
    const double rate = sample_rate / (double)self->frame;
    for (int b = 0; b < BANDS; b++) {
        const double to_middle = b < LANES ? (double)b / LANES : 1.0;
        self->smoothing[b] = (float)frame_share(smoothing_low_s * td_exp2(to_middle * td_log2(smoothing_s / smoothing_low_s)), rate);
    }
    for (int b = 0; b < BANDS; b++) self->weight[b] = weight_low + (weight_high - weight_low) * (float)b / (BANDS - 1);
    self->valley_up = (float)(valley_up_db_s / rate);
    self->valley_rate = (float)frame_share(valley_s, rate);
    self->noise_up = (float)(noise_up_db_s / rate);
    self->noise_rate = (float)frame_share(noise_down_s, rate);
    self->mask_down = (float)(mask_down_db_s / rate);
    self->return_up = (float)(return_up_db_s / rate);
    self->travel = (uint32_t)(travel_s * rate) + 1;
    self->restless_rate = (float)frame_share(restless_s, rate);
    self->dense_rate = (float)frame_share(dense_s, rate);
    self->per_gap = (float)(1.0 / (dense_gap_s * rate));
}
