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
static const float least_velocity = 0.01f;

static uint32_t samples_of(const td_engine *self, double seconds) { return (uint32_t)(seconds * self->sample_rate + 0.5); }

/* ---- voices ---- */

static float fade_next(td_fade *fade)
{
    const float gain = (float)fade->left / (float)fade->length;
    fade->left--;
    return gain;
}

static void voices_run(td_voices *self, float *out, int n)
{
    td_snare808_run(&self->voice, out, n);
    if (self->tail_fade.left) {
        float tail[SEGMENT];
        td_snare808_run(&self->tail, tail, n);
        for (int i = 0; i < n && self->tail_fade.left; i++) out[i] += fade_next(&self->tail_fade) * tail[i];
    }
    for (int i = 0; i < n && self->residual_fade.left; i++) out[i] += fade_next(&self->residual_fade) * self->residual;
}

/* The sounding voice becomes the tail; what the tail was becomes a residual. */
static void voices_release(td_voices *self, uint32_t fade)
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

static void voices_clear(td_voices *self)
{
    self->voice.n = self->voice.end = 0;
    self->tail_fade.left = self->residual_fade.left = 0;
}

/* ---- mix, gain, bypass, enable ---- */

static float control(const td_engine *self, int index) { return td_load_float(&self->controls[index]); }

static td_gains master_target(const td_master *m)
{
    td_gains g = {0.0f, 0.0f};
    if (m->enable < 0.5f) return g;
    if (m->bypass >= 0.5f) {
        g.dry = 1.0f;
        return g;
    }
    const float gain = (float)td_db_to_gain((double)m->gain);
    g.dry = sqrtf(1.0f - m->mix) * gain;
    g.drum = sqrtf(m->mix) * gain;
    return g;
}

static td_gains master_now(const td_master *m)
{
    const td_gains now = {m->target.dry - m->step.dry * (float)m->left, m->target.drum - m->step.drum * (float)m->left};
    return now;
}

/* Moves to the controls' targets, before the first sample at once. Returns whether enable changed. */
static int master_update(td_engine *self)
{
    const int at_once = self->position == 0;
    td_master *m = &self->master;
    const float mix = control(self, TD_CONTROL_mix), gain = control(self, TD_CONTROL_gain);
    const float bypass = control(self, TD_CONTROL_bypass), enable = control(self, TD_CONTROL_enable);
    if (!at_once && mix == m->mix && gain == m->gain && bypass == m->bypass && enable == m->enable) return 0;
    const int switched = (enable >= 0.5f) != (m->enable >= 0.5f);
    const td_gains from = master_now(m);
    m->mix = mix;
    m->gain = gain;
    m->bypass = bypass;
    m->enable = enable;
    m->target = master_target(m);
    m->left = at_once ? 0 : m->length;
    m->step.dry = (m->target.dry - from.dry) / (float)m->length;
    m->step.drum = (m->target.drum - from.drum) / (float)m->length;
    return switched;
}

static float flush(float x) { return x > -TD_TINY_F && x < TD_TINY_F ? 0.0f : x; }

static void master_run(td_master *m, const float *dry, const float *drum, float *out, int n)
{
    for (int i = 0; i < n; i++) {
        if (m->left) m->left--;
        const td_gains g = master_now(m);
        out[i] = flush(g.dry * dry[i] + g.drum * drum[i]);
    }
}

/* ---- patches ---- */

static td_onset_settings onset_settings(const td_engine *self)
{
    const td_onset_settings s = {control(self, TD_CONTROL_onthreshold), control(self, TD_CONTROL_offthreshold),
                                 control(self, TD_CONTROL_hold), control(self, TD_CONTROL_floor), control(self, TD_CONTROL_highpass)};
    return s;
}

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

static void voice_start(td_engine *self, td_event *event)
{
    event->time = self->position;
    voices_release(&self->voices, samples_of(self, handover_s));
    td_snare808_start(&self->voices.voice, event->param, self->sample_rate, self->patch->seed, self->hits++);
    event_push(self, event);
}

/* The window is full: hear it and play. Returns the velocity. */
static float play_stroke(td_engine *self)
{
    float window[TD_MAX_WINDOW], min[TD_FEATURES], max[TD_FEATURES];
    td_event event;
    memset(&event, 0, sizeof event);
    for (int i = 0; i < self->window; i++)
        window[i] = self->history[(self->position - (uint64_t)self->window + (uint64_t)i) % TD_MAX_WINDOW];
    self->pending = 0;
    event.kind = TD_STROKE;
    event.detected = self->detected;
    td_spectrum_features(&self->spectrum, window, self->window, event.raw);
    stroke_range(self, event.raw, min, max);
    td_normalize(event.raw, min, max, event.normalized);
    event.outside_db = outside_range(&self->outside, event.raw[0], min[0], max[0]);
    event.velocity = event.normalized[0] > least_velocity ? event.normalized[0] : least_velocity;
    td_patch_modulate(self->patch, event.raw, event.normalized, event.input, event.modulation);
    td_patch_map(self->patch, event.modulation, event.param);
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
    }
    td_patch_map(self->patch, event.modulation, event.param);
    voice_start(self, &event);
    return event.velocity;
}

/* ---- timed triggers ---- */

static void triggers_done(td_engine *self, int count) { td_store_release(&self->queue.done, self->queue.done + (uint32_t)count); }

static void triggers_collect(td_engine *self)
{
    td_trigger_queue *q = &self->queue;
    const uint32_t written = td_load_acquire(&q->written);
    uint32_t read = q->read;
    for (; read != written; read++) {
        const td_trigger_message *m = &q->slot[read % TD_MAX_TRIGGERS];
        if ((int32_t)(m->reset_serial - self->resets_done) > 0) break; /* sent after a reset that is not seen yet */
        if (m->reset_serial != self->resets_done || self->master.enable < 0.5f) {
            triggers_done(self, 1);
            continue;
        }
        /* sorted by time, first sent first */
        const uint64_t due = self->position + m->delay;
        int at = self->trigger_count++;
        for (; at > 0 && self->triggers[at - 1].due > due; at--) self->triggers[at] = self->triggers[at - 1];
        self->triggers[at].due = due;
        self->triggers[at].has_features = m->has_features;
        memcpy(self->triggers[at].features, m->features, sizeof m->features);
    }
    q->read = read;
}

static void trigger_drop_first(td_engine *self)
{
    triggers_done(self, 1);
    self->trigger_count--;
    memmove(&self->triggers[0], &self->triggers[1], (size_t)self->trigger_count * sizeof self->triggers[0]);
}

/* ---- process ---- */

static void listen_afresh(td_engine *self)
{
    td_onset_reset(&self->onset);
    memset(self->history, 0, sizeof self->history);
    self->pending = 0;
    triggers_done(self, self->trigger_count);
    self->trigger_count = 0;
}

static void controls_begin(td_engine *self)
{
    const uint32_t resets = td_load_acquire(&self->resets);
    if (resets != self->resets_done) {
        self->resets_done = resets;
        listen_afresh(self);
        voices_release(&self->voices, samples_of(self, ramp_s));
    }
    if (master_update(self)) listen_afresh(self);
    const td_onset_settings settings = onset_settings(self);
    td_onset_configure(&self->onset, &settings, window_samples(self, self->patch));
    triggers_collect(self);
}

static int is_silent(const td_engine *self)
{
    const td_voices *v = &self->voices;
    return td_snare808_is_idle(&v->voice) && !v->tail_fade.left && !v->residual_fade.left;
}

/* Plays what is due at this sample; returns the velocity of the last hit, 0 when there was none. */
static float play_due(td_engine *self)
{
    float velocity = 0.0f;
    if (self->pending && self->due == self->position) velocity = play_stroke(self);
    while (self->trigger_count && self->triggers[0].due == self->position) {
        const td_timed_trigger trigger = self->triggers[0];
        trigger_drop_first(self);
        velocity = play_trigger(self, &trigger);
    }
    return velocity;
}

/* Samples to the next planned hit, at most most. */
static int until_due(const td_engine *self, int most)
{
    uint64_t next = self->position + (uint64_t)most;
    if (self->pending && self->due < next) next = self->due;
    if (self->trigger_count && self->triggers[0].due < next) next = self->triggers[0].due;
    return (int)(next - self->position);
}

/* Copies n samples, NaN and infinity as 0. Returns how many those were. */
static uint32_t clean(const float *in, float *x, int n)
{
    uint32_t bad = 0;
    for (int i = 0; i < n; i++) {
        const int finite = td_is_finite(in[i]);
        bad += !finite;
        x[i] = finite ? flush(in[i]) : 0.0f;
    }
    return bad;
}

/* Runs the detector over at most n samples and remembers them; returns how many. */
static int listen(td_engine *self, const float *x, int n)
{
    int fired;
    n = (int)td_onset_process(&self->onset, x, (size_t)n, NULL, &fired);
    for (int i = 0; i < n; i++) self->history[(self->position + (uint64_t)i) % TD_MAX_WINDOW] = x[i];
    if (fired) {
        patch_take(self);
        self->detected = self->position + (uint64_t)n - 1;
        self->due = self->detected + (uint64_t)latency_samples(self, self->patch);
        self->window = window_samples(self, self->patch);
        self->pending = 1;
    }
    return n;
}

void td_engine_process(td_engine *self, const float *in, float *out, float *trigger, size_t count)
{
    controls_begin(self);
    while (count) {
        float x[SEGMENT], drum[SEGMENT];
        const int listening = self->master.enable >= 0.5f;
        const float velocity = listening ? play_due(self) : 0.0f;
        int n = until_due(self, count < SEGMENT ? (int)count : SEGMENT);
        uint32_t bad = clean(in, x, n);
        if (listening) {
            const int heard = listen(self, x, n);
            if (heard < n) bad = clean(in, x, heard);
            n = heard;
        }
        if (bad) td_store_relaxed(&self->bad_samples, self->bad_samples + bad);

        if (is_silent(self))
            memset(drum, 0, sizeof drum);
        else
            voices_run(&self->voices, drum, n);
        master_run(&self->master, x, drum, out, n);
        if (!listening && !self->master.left) voices_clear(&self->voices);
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
    master_update(self);
    return TD_OK;
}

static int belongs_to_patch(int control_index) { return control_index == TD_CONTROL_depth || control_index == TD_CONTROL_seed; }

td_status td_engine_set(td_engine *self, int index, float value)
{
    const td_control_info *info = td_control(index);
    if (!info || belongs_to_patch(index) || !td_is_finite(value)) return TD_ERR_ARGUMENT;
    td_store_float(&self->controls[index], td_clip(value, info->min, info->max));
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
    td_trigger_queue *q = &self->queue;
    const uint32_t written = q->written;
    if (written - td_load_acquire(&q->done) == TD_MAX_TRIGGERS) return TD_ERR_FULL;
    td_trigger_message m = {delay, self->resets, features != NULL, {0.0f, 0.0f, 0.0f}};
    for (int f = 0; features && f < TD_FEATURES; f++) {
        if (!td_is_finite(features[f])) return TD_ERR_ARGUMENT;
        m.features[f] = td_clip(features[f], 0.0f, 1.0f);
    }
    q->slot[written % TD_MAX_TRIGGERS] = m;
    td_store_release(&q->written, written + 1);
    return TD_OK;
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
int td_engine_latency(const td_engine *self) { return self->latency; }
