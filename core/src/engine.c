/* SPDX-License-Identifier: MIT
 * Puts the stages together (spec 7). process runs the input in segments that end where something happens: a detection, a hit, the end
 * of a buffer. Each stage works through a segment sample by sample, so that the cut of the input into blocks changes nothing. */
#include "engine.h"

#include "mapping.h"
#include "model.h"
#include "td_atomic.h"
#include "td_math.h"

_Static_assert(sizeof(struct td_engine) <= 16384, "an engine fits into 16 kB");

enum { SEGMENT = TD_VOICE_RUN, ADAPT_AFTER = 4, OUTSIDE_RUN = 8 };
static const double handover_s = 0.001, ramp_s = 0.005;
static const float least_velocity = 0.01f, velocity_range_db = 60.0f, silent_db = -120.0f, most_level_db = 24.0f;

static uint32_t samples_of(const td_engine *self, double seconds) { return (uint32_t)(seconds * self->sample_rate + 0.5); }

static float control(const td_engine *self, int index) { return td_load_float(&self->controls[index]); }

static td_master_controls master_controls(const td_engine *self)
{
    const td_master_controls c = {control(self, TD_CONTROL_mix), control(self, TD_CONTROL_gain), control(self, TD_CONTROL_bypass),
                                  control(self, TD_CONTROL_enable)};
    return c;
}

static td_onset_settings onset_settings(const td_engine *self)
{
    const td_onset_settings s = {control(self, TD_CONTROL_detector),    control(self, TD_CONTROL_sensitivity),
                                 control(self, TD_CONTROL_onthreshold), control(self, TD_CONTROL_offthreshold),
                                 control(self, TD_CONTROL_hold),        control(self, TD_CONTROL_floor),
                                 control(self, TD_CONTROL_highpass),    control(self, TD_CONTROL_selfmask)};
    return s;
}

/* ---- patches ---- */

static int window_samples(const td_engine *self, const td_patch *patch)
{
    const int samples = td_scaled(patch->model[0]->info.window, self->sample_rate);
    return samples > 0 ? samples : 1;
}

static int latency_samples(const td_engine *self, const td_patch *patch)
{
    const int latency = window_samples(self, patch) - td_scaled(patch->model[0]->info.preroll, self->sample_rate);
    return latency > 0 ? latency : 1;
}

static void patch_begin(td_engine *self)
{
    const td_patch *patch = self->patch;
    if (patch->seed_serial != self->seed_serial) self->hits = 0;
    self->seed_serial = patch->seed_serial;
    if (patch->normalize != self->normalize) self->adaptive.hits = 0;
    self->normalize = patch->normalize;
    memset(&self->outside, 0, sizeof self->outside);
    const td_onset_settings settings = onset_settings(self);
    td_onset_configure(&self->onset, &settings, window_samples(self, patch));
}

/* Takes the published patch up, unless a window is filling or the last one was not collected yet. */
static void patch_take(td_engine *self)
{
    if (self->pending || !td_load_ptr(&self->pending_patch) || td_load_ptr(&self->retired_patch)) return;
    const td_patch *next = (const td_patch *)td_exchange_ptr(&self->pending_patch, NULL);
    if (!next) return;
    td_exchange_ptr(&self->retired_patch, (void *)(uintptr_t)self->patch);
    self->patch = next;
    patch_begin(self);
}

/* ---- hits ---- */

/* n samples to and from a ring of size, from the place of position on. */
static void ring_write(float *ring, uint64_t size, uint64_t position, const float *x, int n)
{
    const uint64_t at = position % size, rest = size - at, first = rest < (uint64_t)n ? rest : (uint64_t)n;
    memcpy(ring + at, x, (size_t)first * sizeof *x);
    memcpy(ring, x + first, ((size_t)n - (size_t)first) * sizeof *x);
}

static void ring_read(const float *ring, uint64_t size, uint64_t position, float *x, int n)
{
    const uint64_t at = position % size, rest = size - at, first = rest < (uint64_t)n ? rest : (uint64_t)n;
    memcpy(x, ring + at, (size_t)first * sizeof *x);
    memcpy(x + first, ring, ((size_t)n - (size_t)first) * sizeof *x);
}

static void event_push(td_engine *self, const td_event *event)
{
    td_event_ring *ring = self->ring;
    if (!ring) return;
    const uint32_t written = ring->written;
    if (written - td_load_acquire(&ring->read) == TD_MAX_EVENTS) {
        td_store_relaxed(&ring->lost, ring->lost + 1);
        return;
    }
    ring->slot[written % TD_MAX_EVENTS] = *event;
    td_store_release(&ring->written, written + 1);
}

/* The range that normalises this stroke; moves the adaptive one (spec 4.3). */
static void stroke_range(td_engine *self, const float raw[TD_FEATURES], float min[TD_FEATURES], float max[TD_FEATURES])
{
    td_adaptive_range *a = &self->adaptive;
    td_patch_range(self->patch, 0, min, max);
    if (self->patch->normalize != TD_NORMALIZE_ADAPT) return;
    for (int f = 0; f < TD_FEATURES; f++) {
        a->min[f] = a->hits && a->min[f] < raw[f] ? a->min[f] : raw[f];
        a->max[f] = a->hits && a->max[f] > raw[f] ? a->max[f] : raw[f];
    }
    if (a->hits <= ADAPT_AFTER) a->hits++;
    if (a->hits <= ADAPT_AFTER) return;
    for (int f = 0; f < TD_FEATURES; f++) {
        const float missing = td_least_span[f] - (a->max[f] - a->min[f]);
        const float widen = missing > 0.0f ? 0.5f * missing : 0.0f;
        min[f] = a->min[f] - widen;
        max[f] = a->max[f] + widen;
    }
}

/* Mean distance of 8 strokes in a row from the model's loudness range, once; else 0. */
static float outside_range(td_outside *self, float loudness, float min, float max)
{
    const float distance = loudness < min ? loudness - min : (loudness > max ? loudness - max : 0.0f);
    if (distance == 0.0f) {
        self->run = 0;
        self->sum_db = 0.0f;
        return 0.0f;
    }
    self->sum_db += distance;
    if (++self->run < OUTSIDE_RUN || self->said) return 0.0f;
    self->said = 1;
    return self->sum_db / (float)self->run;
}

/* How hard: 0 at -60 dBFS, 1 at full scale, in a line over the dB (spec 3). */
static float velocity_of(float loudness_db)
{
    const float v = 1.0f + loudness_db / velocity_range_db;
    return v < least_velocity ? least_velocity : (v > 1.0f ? 1.0f : v);
}

/* What the control loudness adds to the drum of a stroke (spec 7.2). */
static float level_db(const td_engine *self, float loudness, float min, float max)
{
    const float reference = min + self->patch->model[0]->info.reference[0] * (max - min);
    return td_clip(control(self, TD_CONTROL_loudness) * (loudness - reference), -most_level_db, most_level_db);
}

static void voice_start(td_engine *self, td_event *event)
{
    event->time = self->position;
    td_voices_release(&self->voices, samples_of(self, handover_s));
    td_snare808_start(&self->voices.voice, event->param, self->sample_rate, self->patch->seed, self->hits++);
    self->voices.voice.level = (float)td_db_to_gain((double)event->level_db);
    event_push(self, event);
}

/* The window is full: hear it and play. Returns the velocity. */
static float play_stroke(td_engine *self)
{
    float window[TD_MAX_WINDOW], min[TD_FEATURES], max[TD_FEATURES];
    td_event event;
    memset(&event, 0, sizeof event);
    ring_read(self->history, TD_MAX_WINDOW, self->position - (uint64_t)self->window, window, self->window);
    self->pending = 0;
    event.kind = TD_STROKE;
    event.detected = self->detected;
    td_spectrum_features(&self->spectrum, window, self->window, event.raw);
    stroke_range(self, event.raw, min, max);
    td_normalize(event.raw, min, max, event.normalized);
    event.outside_db = outside_range(&self->outside, event.raw[0], min[0], max[0]);
    event.velocity = velocity_of(event.raw[0]);
    td_patch_modulate(self->patch, event.raw, event.normalized, event.input, event.modulation);
    td_patch_map(self->patch, event.modulation, event.param);
    event.level_db = level_db(self, event.raw[0], min[0], max[0]);
    voice_start(self, &event);
    return event.velocity;
}

static float play_trigger(td_engine *self, const td_timed_trigger *trigger)
{
    float min[TD_FEATURES], max[TD_FEATURES];
    td_event event;
    patch_take(self);
    memset(&event, 0, sizeof event);
    event.kind = TD_TRIGGER;
    event.detected = self->position;
    event.velocity = 1.0f;
    if (trigger->has_features) {
        event.kind = TD_TRIGGER_FEATURES;
        td_patch_range(self->patch, 0, min, max);
        for (int f = 0; f < TD_FEATURES; f++) {
            event.normalized[f] = trigger->features[f];
            event.raw[f] = min[f] + trigger->features[f] * (max[f] - min[f]);
        }
        event.velocity = event.normalized[0] > least_velocity ? event.normalized[0] : least_velocity;
        td_patch_modulate(self->patch, NULL, event.normalized, event.input, event.modulation);
        event.level_db = level_db(self, event.raw[0], min[0], max[0]);
    }
    td_patch_map(self->patch, event.modulation, event.param);
    voice_start(self, &event);
    return event.velocity;
}

/* ---- process ---- */

static void listen_afresh(td_engine *self)
{
    td_onset_reset(&self->onset);
    memset(self->history, 0, sizeof self->history);
    memset(self->own, 0, sizeof self->own);
    self->pending = 0;
    td_triggers_clear(&self->triggers);
}

static void controls_begin(td_engine *self)
{
    const uint32_t resets = td_load_acquire(&self->resets);
    if (resets != self->resets_done) {
        self->resets_done = resets;
        listen_afresh(self);
        td_voices_release(&self->voices, samples_of(self, ramp_s));
    }
    const td_master_controls controls = master_controls(self);
    const int was_enabled = td_master_is_enabled(&self->master);
    td_master_set(&self->master, &controls, self->position == 0);
    if (td_master_is_enabled(&self->master) != was_enabled) listen_afresh(self);
    const td_onset_settings settings = onset_settings(self);
    td_onset_configure(&self->onset, &settings, window_samples(self, self->patch));
    td_triggers_collect(&self->triggers, self->position, self->resets_done, !td_master_is_enabled(&self->master));
}

/* Plays what is due at this sample; returns the velocity of the last hit, 0 when there was none. */
static float play_due(td_engine *self)
{
    float velocity = 0.0f;
    if (self->pending && self->due == self->position) velocity = play_stroke(self);
    td_timed_trigger trigger;
    while (td_triggers_next(&self->triggers, self->position, &trigger)) velocity = play_trigger(self, &trigger);
    return velocity;
}

/* Samples to the next planned hit, at most most. */
static int until_due(const td_engine *self, int most)
{
    uint64_t next = self->position + (uint64_t)most;
    if (self->pending && self->due < next) next = self->due;
    const td_triggers *triggers = &self->triggers;
    if (triggers->count && triggers->waiting[0].due < next) next = triggers->waiting[0].due;
    return (int)(next - self->position);
}

/* Copies n samples, NaN and infinity as 0. Returns how many those were. */
static uint32_t clean(const float *in, float *x, int n)
{
    const float tiny = TD_TINY_F;
    const int32_t infinite = 0x7f800000;
    int32_t bits[SEGMENT], least, bad = 0;
    memcpy(&least, &tiny, sizeof least);
    memcpy(bits, in, (size_t)n * sizeof *bits);
    for (int i = 0; i < n; i++) {
        const int32_t magnitude = bits[i] & 0x7fffffff;
        bad += magnitude >= infinite;
        bits[i] &= -(int32_t)(magnitude >= least) & -(int32_t)(magnitude < infinite);
    }
    memcpy(x, bits, (size_t)n * sizeof *bits);
    return (uint32_t)bad;
}

static float peak_of(const float *x, int n)
{
    int32_t bits[SEGMENT], most = 0; /* magnitudes are in the order of their bits */
    float peak;
    memcpy(bits, x, (size_t)n * sizeof *bits);
    for (int i = 0; i < n; i++) {
        const int32_t magnitude = bits[i] & 0x7fffffff;
        most = magnitude > most ? magnitude : most;
    }
    memcpy(&peak, &most, sizeof peak);
    return peak;
}

/* Runs the detector over at most n samples and remembers them; returns how many. The drum's output is a segment late, so that all of it
 * is known however the input is cut. */
static int listen(td_engine *self, const float *x, int n)
{
    int fired;
    float drum[SEGMENT];
    ring_read(self->own, 2 * SEGMENT, self->position, drum, n);
    n = (int)td_onset_process(&self->onset, x, drum, (size_t)n, NULL, NULL, &fired);
    ring_write(self->history, TD_MAX_WINDOW, self->position, x, n);
    if (fired) {
        patch_take(self);
        self->detected = self->position + (uint64_t)n - 1;
        self->due = self->detected + (uint64_t)latency_samples(self, self->patch);
        self->window = window_samples(self, self->patch);
        self->pending = 1;
    }
    return n;
}

/* A peak that grows until td_engine_meter takes it. */
static void meter_raise(uint32_t *peak, float value)
{
    if (value > td_load_float(peak)) td_store_float(peak, value);
}

static void meter_run(td_engine *self, float input_peak)
{
    float rise, threshold;
    td_onset_meter(&self->onset, &rise, &threshold);
    meter_raise(&self->input_peak, input_peak);
    meter_raise(&self->rise_peak, rise);
    td_store_float(&self->threshold, threshold);
}

void td_engine_process(td_engine *self, const float *in, float *out, float *trigger, size_t count)
{
    float input_peak = 0.0f;
    controls_begin(self);
    while (count) {
        float x[SEGMENT], drum[SEGMENT], own[SEGMENT];
        const int listening = td_master_is_enabled(&self->master);
        const float velocity = listening ? play_due(self) : 0.0f;
        int n = until_due(self, count < SEGMENT ? (int)count : SEGMENT);
        uint32_t bad = clean(in, x, n);
        if (listening) {
            const int heard = listen(self, x, n);
            if (heard < n) bad = clean(in, x, heard);
            n = heard;
        }
        const float peak = peak_of(x, n);
        if (peak > input_peak) input_peak = peak;
        if (bad) td_store_relaxed(&self->bad_samples, self->bad_samples + bad);

        if (td_voices_are_idle(&self->voices))
            memset(drum, 0, sizeof drum);
        else
            td_voices_run(&self->voices, drum, n);
        td_master_run(&self->master, x, drum, out, own, n);
        ring_write(self->own, 2 * SEGMENT, self->position + SEGMENT, own, n);
        if (!listening && !self->master.left) td_voices_clear(&self->voices);
        if (trigger) {
            memset(trigger, 0, (size_t)n * sizeof *trigger);
            trigger[0] = velocity;
            trigger += n;
        }
        in += n;
        out += n;
        count -= (size_t)n;
        self->position += (uint64_t)n;
    }
    meter_run(self, input_peak);
}

/* ---- control side ---- */

const char *td_version(void) { return TD_VERSION; }
size_t td_engine_size(void) { return sizeof(struct td_engine); }
size_t td_event_ring_size(void) { return sizeof(struct td_event_ring); }

td_status td_engine_init(td_engine *self, double sample_rate, const td_patch *patch, td_event_ring *ring)
{
    if (!(sample_rate >= TD_MIN_RATE && sample_rate <= TD_MAX_RATE) || !patch || !patch->model[0]) return TD_ERR_ARGUMENT;
    memset(self, 0, sizeof *self);
    self->sample_rate = sample_rate;
    self->patch = patch;
    self->ring = ring;
    if (ring) ring->written = ring->read = ring->lost = 0;
    for (int i = 0; i < TD_CONTROL_COUNT; i++) td_store_float(&self->controls[i], td_control(i)->def);
    td_spectrum_init(&self->spectrum, sample_rate);
    const td_onset_settings settings = onset_settings(self);
    td_onset_init(&self->onset, sample_rate, &settings, window_samples(self, patch));
    self->seed_serial = patch->seed_serial;
    self->normalize = patch->normalize;
    self->latency = latency_samples(self, patch);
    self->master.length = samples_of(self, ramp_s);
    const td_master_controls controls = master_controls(self);
    td_master_set(&self->master, &controls, 1);
    return TD_OK;
}

static int belongs_to_patch(int control_index) { return control_index == TD_CONTROL_depth || control_index == TD_CONTROL_seed; }

td_status td_engine_set(td_engine *self, int index, float value)
{
    const td_control_info *info = td_control(index);
    if (!info || belongs_to_patch(index) || !td_is_finite(value)) return TD_ERR_ARGUMENT;
    td_store_float(&self->controls[index], td_clip(value, info->min, info->max));
    if (index != TD_CONTROL_detector && index != TD_CONTROL_input) return TD_OK;
    for (int i = 0; i < TD_CONTROL_COUNT; i++)
        if (td_setup_value((int)control(self, TD_CONTROL_detector), (int)control(self, TD_CONTROL_input), i, &value))
            td_store_float(&self->controls[i], value);
    return TD_OK;
}

float td_engine_get(const td_engine *self, int index) { return td_control(index) ? control(self, index) : 0.0f; }

void td_engine_reset(td_engine *self) { td_store_release(&self->resets, self->resets + 1); }

const td_patch *td_engine_publish(td_engine *self, const td_patch *patch)
{
    self->latency = latency_samples(self, patch);
    return (const td_patch *)td_exchange_ptr(&self->pending_patch, (void *)(uintptr_t)patch);
}

const td_patch *td_engine_collect(td_engine *self) { return (const td_patch *)td_exchange_ptr(&self->retired_patch, NULL); }

td_status td_engine_trigger(td_engine *self, uint32_t delay, const float *features)
{
    return td_triggers_push(&self->triggers, delay, features, self->resets);
}

int td_engine_next_event(td_engine *self, td_event *event)
{
    td_event_ring *ring = self->ring;
    if (!ring) return 0;
    const uint32_t read = ring->read;
    if (read == td_load_acquire(&ring->written)) return 0;
    *event = ring->slot[read % TD_MAX_EVENTS];
    td_store_release(&ring->read, read + 1);
    return 1;
}

uint32_t td_engine_lost_events(const td_engine *self) { return self->ring ? td_load_relaxed(&self->ring->lost) : 0; }
uint32_t td_engine_bad_samples(const td_engine *self) { return td_load_relaxed(&self->bad_samples); }

void td_engine_meter(td_engine *self, td_meter *meter)
{
    const float peak = td_load_float(&self->input_peak);
    meter->level = peak > 1e-6f ? (float)td_gain_to_db((double)peak) : silent_db;
    meter->rise = td_load_float(&self->rise_peak);
    meter->threshold = td_load_float(&self->threshold);
    td_store_float(&self->input_peak, 0.0f);
    td_store_float(&self->rise_peak, 0.0f);
}

int td_engine_latency(const td_engine *self) { return self->latency; }
