/* SPDX-License-Identifier: MIT
 * The whole object while it plays: messages with any arguments, models that come late or never, other rates and numbers of channels, any
 * samples in blocks of any size. Output stays finite, triggers stay in 0 .. 1, every model is given back. */
#include "fuzz.h"
#include "torchdrum_object.h"

enum { MOST_SAMPLES = 20000, MOST_CHANNELS = 3, MOST_BLOCK = 256 };

static td_object *object;
static int models, channels, ready; /* ready: the sample rate is one that is supported */
static void *more;

static void on_info(void *context, const char *selector, int count, const td_atom *atoms)
{
    (void)context;
    CHECK(selector[0]);
    for (int i = 0; i < count; i++) CHECK(atoms[i].text || isfinite(atoms[i].number));
}

static void on_say(void *context, td_severity severity, const char *line)
{
    (void)context;
    (void)severity;
    CHECK(line[0] && strlen(line) < 1536);
}

static void on_write(void *context, const char *name, const char *text, size_t bytes)
{
    char why[TD_ERROR_BYTES];
    td_preset preset;
    (void)context;
    CHECK(td_preset_read(text, bytes, &preset, why) == TD_OK);
    td_object_written(object, name, bytes % 2 ? NULL : "planted");
}

static void on_release(void *context, td_model *model)
{
    (void)context;
    models--;
    free(model);
}

/* What is asked for and not answered yet; of more than that the oldest is never answered. */
enum { WAITING = 4 };
static struct {
    uint32_t request;
    char name[64];
} waiting[WAITING];
static int asked;

static void on_load(void *context, const char *name, uint32_t request)
{
    (void)context;
    const int slot = asked++ % WAITING;
    waiting[slot].request = request;
    snprintf(waiting[slot].name, sizeof waiting[slot].name, "%s", name);
}

static void answer(choices *c)
{
    const uint32_t slot = choose(c, WAITING), request = waiting[slot].request;
    const int fails = choose(c, 4) == 0;
    if (!request) return;
    waiting[slot].request = 0;
    if (fails) {
        td_object_load_failed(object, request, waiting[slot].name, "planted");
    } else if (td_request_is_preset(request)) {
        td_preset preset;
        memset(&preset, 0, sizeof preset);
        for (int p = 0; p < TD_PARAMS; p++)
            preset.value[p] = td_param(p)->min + (float)choose(c, 256) / 255.0f * (td_param(p)->max - td_param(p)->min);
        td_object_read(object, request, waiting[slot].name, &preset);
    } else {
        models++;
        td_object_loaded(object, request, waiting[slot].name, harness_builtin());
    }
}

/* A word that the object knows, or any text. */
static const char *word(choices *c)
{
    static const char *const others[] = {"model", "adapt", "keep", "snare_2", "808_snare_3", "a.safetensors", "all",   "off",
                                         "done",  "range", "mic",  "contact", "classic",     "rise",          "state", ""};
    static char any[2][40];
    static int which;
    const uint32_t kind = choose(c, 5), index = choose(c, 256);
    if (kind == 0) return others[index % (sizeof others / sizeof *others)];
    if (kind == 1) return td_param((int)(index % TD_PARAMS))->name;
    if (kind == 2) return td_control((int)index) ? td_control((int)index)->name : "gain";
    if (kind == 3) {
        uint32_t count = 0;
        while (td_object_word((int)count)) count++;
        return td_object_word((int)(index % count));
    }
    char *const text = any[which ^= 1];
    const size_t n = index % (sizeof any[0] - 1);
    choose_bytes(c, text, n);
    text[n] = 0;
    return text;
}

static double number(choices *c)
{
    static const double special[] = {0.0, -0.0, 1.0, -1.0, 0.5, 1e30, -1e30, 1e300, NAN, INFINITY, -INFINITY, 2147483648.0, 1e-40, 14.0};
    const uint32_t kind = choose(c, 32);
    if (kind < sizeof special / sizeof *special) return special[kind];
    if (kind < 24) return (double)choose(c, 256) / 8.0 - 8.0;
    return (double)choose_float(c);
}

static void message(choices *c)
{
    td_atom atoms[TD_STATE_VALUES];
    char texts[8][40];
    const char *const selector = word(c);
    char name[64];
    snprintf(name, sizeof name, "%s", selector);
    const int few = (int)choose(c, 16), count = few < 14 ? few % 7 : (few == 14 ? TD_PARAMS : TD_STATE_VALUES);
    for (int i = 0; i < count; i++) {
        atoms[i].text = NULL;
        atoms[i].number = number(c);
        if (i < 8 && choose(c, 3) == 0) {
            snprintf(texts[i], sizeof texts[i], "%s", word(c));
            atoms[i].text = texts[i];
        }
    }
    if (choose(c, 16) == 0)
        td_object_restore(object, count, atoms);
    else
        td_object_message(object, name, count, atoms);
}

static void prepare(choices *c)
{
    static const double rates[] = {48000.0, 44100.0, 96000.0, 8000.0, 192000.0, 22050.0, 0.0, -1.0, 1e9, NAN, 11025.0, 88200.0};
    const double rate = rates[choose(c, sizeof rates / sizeof *rates)];
    const int wanted = 1 + (int)choose(c, MOST_CHANNELS);
    void *const memory = wanted > 1 ? malloc((size_t)(wanted - 1) * td_object_channel_size()) : NULL;
    ready = td_object_prepare(object, rate, wanted, memory) == TD_OK;
    if (!ready) {
        free(memory);
        return;
    }
    free(more);
    more = memory;
    channels = wanted;
}

static void fill(choices *c, float *x, int n)
{
    const uint32_t kind = choose(c, 4);
    const float level = (float)choose(c, 256) / 128.0f;
    for (int i = 0; i < n; i++) x[i] = kind == 0 ? 0.0f : kind == 1 ? level : level * (2.0f * random_unit() - 1.0f);
    if (kind == 3)
        for (int i = 0; i < n && i < 8; i++) x[i] = choose_float(c);
}

static int play(choices *c)
{
    float in[MOST_BLOCK], out[MOST_BLOCK], trigger[MOST_BLOCK];
    const int n = 1 + (int)choose(c, MOST_BLOCK);
    for (int channel = 0; channel < channels && ready; channel++) {
        fill(c, in, n);
        td_engine_process(td_object_engine(object, channel), in, out, trigger, (size_t)n);
        for (int i = 0; i < n; i++) CHECK(isfinite(out[i]) && trigger[i] >= 0.0f && trigger[i] <= 1.0f);
    }
    td_object_busy(object, choose_float(c), 1e-3f);
    return n * channels;
}

static void events(void)
{
    td_event event;
    for (int channel; (channel = td_object_next_event(object, &event)) > 0;) {
        CHECK(channel <= channels);
        for (int p = 0; p < TD_PARAMS; p++) CHECK(event.param[p] >= td_param(p)->min && event.param[p] <= td_param(p)->max);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static td_model *builtin;
    const td_host host = {NULL, on_info, on_say, on_load, on_release, on_write};
    choices c = {data, data + size};
    if (!builtin) builtin = harness_builtin();
    harness_state = 88172645463325252u;
    memset(waiting, 0, sizeof waiting);
    models = asked = 0;
    channels = ready = 1;
    object = malloc(td_object_size());
    CHECK(td_object_init(object, &host, builtin, 1) == TD_OK);
    for (int samples = 0; c.at < c.end && samples < MOST_SAMPLES;) {
        switch (choose(&c, 8)) {
        case 0:
        case 1:
        case 2:
            message(&c);
            break;
        case 3:
            answer(&c);
            break;
        case 4:
            if (choose(&c, 8) == 0) prepare(&c);
            td_object_delay(object, choose(&c, 256));
            break;
        default:
            samples += play(&c);
            break;
        }
        events();
    }
    td_object_free(object);
    CHECK(models == 0);
    free(more);
    more = NULL;
    free(object);
    return 0;
}
