/* SPDX-License-Identifier: MIT
 * What the detectors have in common: settings, the choice between them, the public functions. */
#include "onset.h"

#include "params.h"

static int is_classic(const td_onset *self) { return self->settings.detector >= 0.5f; }

void td_onset_reset(td_onset *self)
{
    if (is_classic(self))
        td_onset_classic_reset(&self->as.classic);
    else
        td_onset_rise_reset(&self->as.rise);
}

static void apply(td_onset *self)
{
    const uint32_t hold = (uint32_t)((double)self->settings.hold * 0.001 * self->sample_rate + 0.5);
    const uint32_t least = hold > (uint32_t)self->window ? hold : (uint32_t)self->window;
    if (is_classic(self))
        td_onset_classic_configure(&self->as.classic, self->sample_rate, &self->settings, least);
    else
        td_onset_rise_configure(&self->as.rise, self->sample_rate, &self->settings, least);
}

static void start(td_onset *self)
{
    if (is_classic(self))
        td_onset_classic_init(&self->as.classic, self->sample_rate);
    else
        td_onset_rise_init(&self->as.rise, self->sample_rate);
    apply(self);
    td_onset_reset(self);
}

void td_onset_configure(td_onset *self, const td_onset_settings *settings, int window)
{
    const int was_classic = is_classic(self);
    if (window == self->window && memcmp(settings, &self->settings, sizeof *settings) == 0) return;
    self->settings = *settings;
    self->window = window;
    if (is_classic(self) != was_classic)
        start(self);
    else
        apply(self);
}

static float set_up(int detector, int input, int control)
{
    float value = td_control(control)->def;
    td_setup_value(detector, input, control, &value);
    return value;
}

void td_onset_setup(int detector, int input, td_onset_settings *settings)
{
    settings->detector = (float)detector;
    settings->sensitivity = set_up(detector, input, TD_CONTROL_sensitivity);
    settings->onthreshold = set_up(detector, input, TD_CONTROL_onthreshold);
    settings->offthreshold = set_up(detector, input, TD_CONTROL_offthreshold);
    settings->hold = set_up(detector, input, TD_CONTROL_hold);
    settings->floor = set_up(detector, input, TD_CONTROL_floor);
    settings->highpass = set_up(detector, input, TD_CONTROL_highpass);
    settings->selfmask = set_up(detector, input, TD_CONTROL_selfmask);
}

size_t td_onset_size(void) { return sizeof(td_onset); }

static int in_range(int control, float value) { return value >= td_control(control)->min && value <= td_control(control)->max; }

td_status td_onset_init(td_onset *self, double sample_rate, const td_onset_settings *s, int window)
{
    if (!(sample_rate >= TD_MIN_RATE && sample_rate <= TD_MAX_RATE) || window < 1) return TD_ERR_ARGUMENT;
    if (!in_range(TD_CONTROL_detector, s->detector) || !in_range(TD_CONTROL_sensitivity, s->sensitivity) ||
        !in_range(TD_CONTROL_onthreshold, s->onthreshold) || !in_range(TD_CONTROL_offthreshold, s->offthreshold) ||
        !in_range(TD_CONTROL_hold, s->hold) || !in_range(TD_CONTROL_floor, s->floor) || !in_range(TD_CONTROL_highpass, s->highpass) ||
        !in_range(TD_CONTROL_selfmask, s->selfmask))
        return TD_ERR_ARGUMENT;
    memset(self, 0, sizeof *self);
    self->sample_rate = sample_rate;
    self->settings = *s;
    self->window = window;
    start(self);
    return TD_OK;
}

size_t td_onset_process(td_onset *self, const float *in, const float *drum, size_t n, float *rise, float *threshold, int *fired)
{
    if (is_classic(self)) return td_onset_classic_process(&self->as.classic, in, n, rise, threshold, fired);
    return td_onset_rise_process(&self->as.rise, in, drum, n, rise, threshold, fired);
}

void td_onset_meter(td_onset *self, float *rise, float *threshold)
{
    float *peak = is_classic(self) ? &self->as.classic.peak : &self->as.rise.peak;
    *rise = *peak;
    *threshold = is_classic(self) ? (float)self->as.classic.on : self->as.rise.threshold;
    *peak = 0.0f;
}
