/* SPDX-License-Identifier: MIT
 * Messages become edits of a patch, which is then published to every channel; controls of the audio side are set at once. */
#include "object.h"

#include "model.h"
#include "params.h"
#include "td_atomic.h"
#include "td_math.h"

static int on_version(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (!td_read_nothing(self, "version", count)) return 1;
    const td_atom a = td_word(TD_VERSION);
    td_info(self, "version", 1, &a);
    return 1;
}

static const struct {
    const char *name;
    int (*act)(td_object *, int, const td_atom *);
} messages[] = {
    {"load", td_on_load},       {"reload", td_on_reload}, {"morph", td_on_morph},
    {"preset", td_on_preset},   {"set", td_on_set},       {"get", td_on_get},
    {"dump", td_on_dump},       {"bang", td_on_dump},     {"print", td_on_print},
    {"state", td_on_state},     {"store", td_on_store},   {"recall", td_on_recall},
    {"write", td_on_write},     {"read", td_on_read},     {"mask", td_on_mask},
    {"scale", td_on_scale},     {"offset", td_on_offset}, {"normalize", td_on_normalize},
    {"trigger", td_on_trigger}, {"reset", td_on_reset},   {"calibrate", td_on_calibrate},
    {"latency", td_on_latency}, {"meter", td_on_meter},   {"version", on_version},
};

const char *td_object_word(int index)
{
    return index >= 0 && index < (int)(sizeof messages / sizeof *messages) ? messages[index].name : NULL;
}

int td_object_message(td_object *self, const char *name, int count, const td_atom *atoms)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (td_same_text(messages[i].name, name)) return messages[i].act(self, count, atoms);
    const int control = td_control_find(name), param = td_param_find(name);
    if (control >= 0) return td_set_control(self, control, name, count, atoms);
    if (param >= 0) return td_set_param(self, param, count, atoms);
    td_wrong(self, "no message ", name, " (the help patch lists them)");
    return 0;
}

void td_object_delay(td_object *self, uint32_t samples) { self->delay = samples; }

double td_object_param(const td_object *self, int index)
{
    return index >= 0 && index < TD_PARAMS ? td_tidy(td_param_value(self, index)) : 0.0;
}

double td_object_control(const td_object *self, int index)
{
    return index >= 0 && index < TD_CONTROL_COUNT ? td_tidy(td_control_value(self, index)) : 0.0;
}

/* ---- life ---- */

size_t td_object_size(void) { return sizeof(td_object); }
size_t td_object_channel_size(void) { return sizeof(td_channel); }
td_engine *td_object_engine(td_object *self, int channel) { return &td_object_channel(self, channel)->engine; }

const char *td_object_model_name(const td_object *self, int slot) { return self->edit.model[slot] ? self->model_name[slot] : NULL; }

static td_status start_channels(td_object *self, double sample_rate)
{
    td_patch patch = self->edit;
    td_status status = TD_OK;
    for (int c = 0; c < self->channels && status == TD_OK; c++, patch.seed++) {
        td_channel *channel = td_object_channel(self, c);
        status = td_engine_init(&channel->engine, sample_rate, td_pool_restart(&channel->pool, &patch), &channel->ring);
    }
    return status;
}

td_status td_object_init(td_object *self, const td_host *host, const td_model *builtin, uint32_t seed)
{
    memset(self, 0, sizeof *self);
    self->host = *host;
    self->builtin = builtin;
    self->channels = 1;
    self->preset = TD_PRESET_OF_MODEL;
    td_patch_init(&self->edit, builtin);
    self->edit.seed = seed;
    td_text text = td_text_in(self->model_name[0], sizeof self->model_name[0]);
    td_text_add(&text, builtin->info.name);
    return start_channels(self, 48000.0); /* until the host says at which rate it runs */
}

void td_object_free(td_object *self)
{
    for (td_model *model; (model = td_library_take(&self->library)) != NULL;) self->host.release(self->host.context, model);
}

td_status td_object_prepare(td_object *self, double sample_rate, int channels, void *more)
{
    uint32_t controls[TD_CONTROL_COUNT];
    if (sample_rate == self->first.engine.sample_rate && channels == self->channels && more == self->more) return TD_OK;
    if (!(sample_rate >= TD_MIN_RATE && sample_rate <= TD_MAX_RATE)) {
        char line[TD_LINE_BYTES];
        td_text text = td_text_in(line, sizeof line);
        td_text_add(&text, "a sample rate of ");
        td_text_add_number(&text, sample_rate);
        td_text_add(&text, " Hz is not supported (8000 to 192000)");
        td_wrong(self, line, "", "");
        return TD_ERR_ARGUMENT;
    }
    memcpy(controls, self->first.engine.controls, sizeof controls);
    self->channels = channels;
    self->more = more;
    start_channels(self, sample_rate);
    for (int c = 0; c < channels; c++) memcpy(td_object_channel(self, c)->engine.controls, controls, sizeof controls);
    return TD_OK;
}

/* ---- events ---- */

static const td_channel *channel_of(const td_object *self, int index) { return index ? &self->more[index - 1] : &self->first; }

static int has_bad_samples(const td_object *self)
{
    for (int c = 0; c < self->channels; c++)
        if (td_engine_bad_samples(&channel_of(self, c)->engine)) return 1;
    return 0;
}

static int has_events(const td_channel *channel) { return td_load_acquire(&channel->ring.written) != td_load_relaxed(&channel->ring.read); }

int td_object_has_news(const td_object *self)
{
    for (int c = 0; c < self->channels; c++)
        if (has_events(channel_of(self, c))) return 1;
    return !td_load_relaxed(&self->bad_said) && has_bad_samples(self);
}

/* Words of a sentence as atoms, so that the info outlet can be read. */
static void info_outside(td_object *self, float db)
{
    const int below = db < 0.0f;
    const td_atom atoms[] = {td_word("input"),
                             td_word("is"),
                             td_number((double)(int)((below ? -db : db) + 0.5f)),
                             td_word("dB"),
                             td_word(below ? "below" : "above"),
                             td_word("the"),
                             td_word("model:"),
                             td_word("send"),
                             td_word("calibrate")};
    td_info(self, "level", (int)(sizeof atoms / sizeof *atoms), atoms);
}

int td_object_next_event(td_object *self, td_event *event)
{
    if (!self->bad_said && has_bad_samples(self)) {
        td_store_relaxed(&self->bad_said, 1);
        td_wrong(self, "the input holds NaN or infinite samples; they count as silence", "", "");
    }
    int earliest = -1;
    uint64_t time = 0;
    for (int c = 0; c < self->channels; c++) {
        const td_event_ring *ring = &channel_of(self, c)->ring;
        if (!has_events(channel_of(self, c))) continue;
        const uint64_t at = ring->slot[ring->read % TD_MAX_EVENTS].time;
        if (earliest < 0 || at < time) {
            earliest = c;
            time = at;
        }
    }
    if (earliest < 0 || !td_engine_next_event(&td_object_channel(self, earliest)->engine, event)) return 0;
    td_calibrate_stroke(self, event);
    if (event->outside_db != 0.0f && !self->wanted) info_outside(self, event->outside_db);
    return 1 + earliest;
}
