/* SPDX-License-Identifier: MIT
 * Onset detector "classic" (spec 2.2): a hit is where the fast level runs away from the slow one. */
#include "onset_classic.h"

#include "params.h"
#include "td_math.h"

/* Follower times in samples at 48 kHz: 0.0625, 7.98 and 45.94 ms (TorchDrum's and FluCoMa's drum settings). */
static const double fast_attack_samples = 3.0, fast_release_samples = 383.0, slow_samples = 2205.0;
static const double start_level = -55.0; /* dB, of both followers */

static double follower_coefficient(double samples_at_48k, double sample_rate)
{
    return 1.0 - td_exp2(48000.0 / sample_rate * td_log2(1.0 - 1.0 / samples_at_48k));
}

static void highpass_design(td_biquad *f, double cutoff_hz, double sample_rate)
{
    const double limit = 0.45 * sample_rate;
    const double cycles = (cutoff_hz < limit ? cutoff_hz : limit) / sample_rate;
    const double c = td_cos_cycles(cycles), alpha = td_sin_cycles(cycles) * 0.70710678118654752440;
    const double a0 = 1.0 + alpha;
    f->b0 = f->b2 = 0.5 * (1.0 + c) / a0;
    f->b1 = -(1.0 + c) / a0;
    f->a1 = -2.0 * c / a0;
    f->a2 = (1.0 - alpha) / a0;
}

static inline double larger(double a, double b) { return a > b ? a : b; }

static inline double flush(double x) { return x > -TD_TINY && x < TD_TINY ? 0.0 : x; }

static inline double highpass_tick(td_biquad *f, double x)
{
    const double y = f->b0 * x + f->s1;
    f->s1 = flush(f->b1 * x - f->a1 * y + f->s2);
    f->s2 = flush(f->b2 * x - f->a2 * y);
    return y;
}

void td_onset_classic_reset(td_onset_classic *self)
{
    self->highpass.s1 = self->highpass.s2 = 0.0;
    self->fast = self->slow = start_level;
    self->difference = 0.0;
    self->peak = 0.0f;
    self->armed = 1;
    self->still = 0;
    self->since = UINT32_MAX;
}

void td_onset_classic_configure(td_onset_classic *self, double sample_rate, const td_onset_settings *settings, uint32_t hold)
{
    self->on = td_on_threshold(settings);
    self->off = (double)settings->offthreshold;
    self->floor = (double)settings->floor;
    self->hold = hold;
    self->still = 0;
    highpass_design(&self->highpass, (double)settings->highpass, sample_rate);
}

void td_onset_classic_init(td_onset_classic *self, double sample_rate)
{
    memset(self, 0, sizeof *self);
    self->fast_attack = follower_coefficient(fast_attack_samples, sample_rate);
    self->fast_release = follower_coefficient(fast_release_samples, sample_rate);
    self->slow_both = follower_coefficient(slow_samples, sample_rate);
}

static inline double fast_next(const td_onset_classic *self, double fast, double level)
{
    return larger(fast + self->fast_attack * (level - fast), fast + self->fast_release * (level - fast));
}

static inline double slow_next(const td_onset_classic *self, double slow, double level) { return slow + self->slow_both * (level - slow); }

/* Another sample of silence would change nothing but the time since the last detection. */
static int rests(const td_onset_classic *self)
{
    return self->highpass.s1 == 0.0 && self->highpass.s2 == 0.0 && fast_next(self, self->fast, self->floor) == self->fast &&
           slow_next(self, self->slow, self->floor) == self->slow && self->fast - self->slow == self->difference &&
           (self->armed || self->difference >= self->off);
}

static void sleep_through(td_onset_classic *self, size_t n, float *rise, float *threshold)
{
    const float now = (float)self->difference;
    self->since = n < UINT32_MAX - self->since ? self->since + (uint32_t)n : UINT32_MAX;
    if (now > self->peak) self->peak = now;
    if (rise) td_fill(rise, n, now);
    if (threshold) td_fill(threshold, n, (float)self->on);
}

size_t td_onset_classic_process(td_onset_classic *self, const float *in, size_t n, float *rise, float *threshold, int *fired)
{
    td_biquad highpass = self->highpass;
    double fast = self->fast, slow = self->slow, last = self->difference;
    uint32_t since = self->since;
    float peak = self->peak;
    int armed = self->armed;
    size_t i = 0;
    *fired = 0;
    if (self->still && td_is_silent(in, n)) {
        sleep_through(self, n, rise, threshold);
        return n;
    }
    while (i < n && !*fired) {
        const double h = highpass_tick(&highpass, (double)in[i]);
        const double magnitude = h < 0.0 ? -h : h;
        double level = self->floor;
        if (magnitude > TD_TINY) {
            level = td_gain_to_db(magnitude);
            if (level < self->floor) level = self->floor;
        }
        fast = fast_next(self, fast, level);
        slow = slow_next(self, slow, level);
        const double now = fast - slow;
        if (since != UINT32_MAX) since++;
        if (now < self->off) armed = 1;
        if (armed && now >= self->on && last < self->on && since >= self->hold) {
            *fired = 1;
            armed = 0;
            since = 0;
        }
        last = now;
        if ((float)now > peak) peak = (float)now;
        if (rise) rise[i] = (float)now;
        if (threshold) threshold[i] = (float)self->on;
        i++;
    }
    self->highpass = highpass;
    self->fast = fast;
    self->slow = slow;
    self->difference = last;
    self->since = since;
    self->armed = armed;
    self->peak = peak;
    self->still = i && in[i - 1] == 0.0f && rests(self);
    return i;
}
