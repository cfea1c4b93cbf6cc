/* SPDX-License-Identifier: MIT
 * Onset detector "classic" (spec 2): a hit is where the fast level runs away from the slow one. */
#include "onset.h"

#include "params.h"
#include "td_math.h"

/* Follower times in samples at 48 kHz: 0.0625, 7.98 and 45.94 ms (TorchDrum's and FluCoMa's drum settings). */
static const double fast_attack_samples = 3.0, fast_release_samples = 383.0, slow_samples = 2205.0;

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

static inline double flush(double x) { return x > -TD_TINY && x < TD_TINY ? 0.0 : x; }

static inline double highpass_tick(td_biquad *f, double x)
{
    const double y = f->b0 * x + f->s1;
    f->s1 = flush(f->b1 * x - f->a1 * y + f->s2);
    f->s2 = flush(f->b2 * x - f->a2 * y);
    return y;
}

size_t td_onset_size(void) { return sizeof(td_onset); }

void td_onset_reset(td_onset *self)
{
    self->highpass.s1 = self->highpass.s2 = 0.0;
    self->fast = self->slow = (double)td_control(TD_CONTROL_floor)->def;
    self->difference = 0.0;
    self->armed = 1;
    self->since = UINT32_MAX;
}

void td_onset_configure(td_onset *self, const td_onset_settings *settings, int window)
{
    if (window == self->window && memcmp(settings, &self->settings, sizeof *settings) == 0) return;
    self->settings = *settings;
    self->window = window;
    self->on = (double)settings->onthreshold;
    self->off = (double)settings->offthreshold;
    self->floor = (double)settings->floor;
    const uint32_t hold = (uint32_t)((double)settings->hold * 0.001 * self->sample_rate + 0.5);
    self->hold = hold > (uint32_t)window ? hold : (uint32_t)window;
    highpass_design(&self->highpass, (double)settings->highpass, self->sample_rate);
}

static int in_range(int control, float value) { return value >= td_control(control)->min && value <= td_control(control)->max; }

td_status td_onset_init(td_onset *self, double sample_rate, const td_onset_settings *settings, int window)
{
    if (!(sample_rate >= TD_MIN_RATE && sample_rate <= TD_MAX_RATE) || window < 1) return TD_ERR_ARGUMENT;
    if (!in_range(TD_CONTROL_onthreshold, settings->onthreshold) || !in_range(TD_CONTROL_offthreshold, settings->offthreshold) ||
        !in_range(TD_CONTROL_hold, settings->hold) || !in_range(TD_CONTROL_floor, settings->floor) ||
        !in_range(TD_CONTROL_highpass, settings->highpass))
        return TD_ERR_ARGUMENT;
    memset(self, 0, sizeof *self);
    self->sample_rate = sample_rate;
    self->fast_attack = follower_coefficient(fast_attack_samples, sample_rate);
    self->fast_release = follower_coefficient(fast_release_samples, sample_rate);
    self->slow_both = follower_coefficient(slow_samples, sample_rate);
    td_onset_configure(self, settings, window);
    td_onset_reset(self);
    return TD_OK;
}

size_t td_onset_process(td_onset *self, const float *in, size_t n, float *difference, int *fired)
{
    td_biquad highpass = self->highpass;
    double fast = self->fast, slow = self->slow, last = self->difference;
    uint32_t since = self->since;
    int armed = self->armed;
    size_t i = 0;
    *fired = 0;
    while (i < n && !*fired) {
        const double h = highpass_tick(&highpass, (double)in[i]);
        const double magnitude = h < 0.0 ? -h : h;
        double level = self->floor;
        if (magnitude > TD_TINY) {
            level = td_gain_to_db(magnitude);
            if (level < self->floor) level = self->floor;
        }
        fast += (level > fast ? self->fast_attack : self->fast_release) * (level - fast);
        slow += self->slow_both * (level - slow);
        const double now = fast - slow;
        if (since != UINT32_MAX) since++;
        if (now < self->off) armed = 1;
        if (armed && now >= self->on && last < self->on && since >= self->hold) {
            *fired = 1;
            armed = 0;
            since = 0;
        }
        last = now;
        if (difference) difference[i] = (float)now;
        i++;
    }
    self->highpass = highpass;
    self->fast = fast;
    self->slow = slow;
    self->difference = last;
    self->since = since;
    self->armed = armed;
    return i;
}
