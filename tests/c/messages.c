/* SPDX-License-Identifier: MIT
 * Random messages with right, wrong and missing arguments against the object while it plays; output stays finite, memory is given back.
 *     messages MODEL_FILE [COUNT]      built with the address and undefined-behaviour sanitizers */
#include "harness.h"
#include "torchdrum_object.h"

static unsigned char file[1 << 20];
static size_t bytes;
static td_object *object;
static uint32_t waiting_request;
static char waiting_name[64];
static long lines, infos, models;

static void on_info(void *context, const char *selector, int count, const td_atom *atoms)
{
    (void)context;
    CHECK(selector[0] && count <= TD_STATE_VALUES + 1);
    for (int i = 0; i < count; i++) CHECK(atoms[i].text || isfinite(atoms[i].number));
    infos++;
}

static void on_say(void *context, td_severity severity, const char *line)
{
    (void)context;
    (void)severity;
    CHECK(line[0] && strlen(line) < 1536);
    lines++;
}

static void on_write(void *context, const char *name, const char *text, size_t length)
{
    char why[TD_ERROR_BYTES];
    td_preset preset;
    (void)context;
    CHECK(td_preset_read(text, length, &preset, why) == TD_OK);
    td_object_written(object, name, random_bits() % 2 ? NULL : "planted");
}

static void on_release(void *context, td_model *model)
{
    (void)context;
    models--;
    free(model);
}

static void answer(uint32_t request, const char *name)
{
    if (random_bits() % 4 == 0) {
        td_object_load_failed(object, request, name, "planted");
        return;
    }
    if (td_request_is_preset(request)) {
        td_preset preset;
        memset(&preset, 0, sizeof preset);
        for (int i = 0; i < TD_PARAMS; i++) preset.value[i] = td_param(i)->min + random_unit() * (td_param(i)->max - td_param(i)->min);
        td_object_read(object, request, name, &preset);
        return;
    }
    models++;
    td_object_loaded(object, request, name, harness_model(file, bytes));
}

/* Sometimes at once, sometimes later, sometimes out of order. */
static void on_load(void *context, const char *name, uint32_t request)
{
    (void)context;
    if (random_bits() % 2) {
        answer(request, name);
        return;
    }
    waiting_request = request;
    strncpy(waiting_name, name, sizeof waiting_name - 1);
}

static const char *any_word(void)
{
    static const char *const words[] = {"model", "adapt",    "keep",  "snare_1", "808_snare_3", "noisy_snare", "a.safetensors",
                                        "b",     "c",        "d",     "e",       "f",           "g",           "h",
                                        "i",     "j",        "k",     "l",       "m",           "n",           "o",
                                        "",      "nonsense", "list",  "thresh",  "drywet",      "all",         "centroid",
                                        "off",   "done",     "range", "stored"};
    enum { WORDS = sizeof words / sizeof *words };
    static int controls, messages;
    while (td_control(controls)) controls++;
    while (td_object_word(messages)) messages++;
    uint32_t r = random_bits() % (uint32_t)(WORDS + messages + TD_PARAMS + controls);
    if (r < WORDS) return words[r];
    if ((r -= WORDS) < (uint32_t)messages) return td_object_word((int)r);
    if ((r -= (uint32_t)messages) < TD_PARAMS) return td_param((int)r)->name;
    return td_control((int)(r - TD_PARAMS))->name;
}

static int channels = 1;
static void *more;

static void prepare(void)
{
    const int now = 1 + (int)(random_bits() % 3);
    void *memory = now > 1 ? malloc((size_t)(now - 1) * td_object_channel_size()) : NULL;
    CHECK(td_object_prepare(object, 8000.0 + (double)(random_bits() % 184000), now, memory) == TD_OK);
    free(more);
    more = memory;
    channels = now;
}

static int any_count(void)
{
    static const int lengths[] = {0, 1, 2, 3, 4, 7, 2 * TD_PARAMS, 1 + 2 * TD_PARAMS};
    return lengths[random_bits() % (random_bits() % 4 ? 4 : sizeof lengths / sizeof *lengths)];
}

int main(int argc, char **argv)
{
    enum { BLOCK = 64 };
    static float in[48000], out[BLOCK], trigger[BLOCK];
    static const double numbers[] = {0, 1, -1, 0.5, 2, 10, 180, 1000, -60, 1e30, -1e30, 1e-30, NAN, INFINITY, -INFINITY, 16777215, 1e9};
    CHECK(argc >= 2);
    FILE *f = fopen(argv[1], "rb");
    CHECK(f);
    bytes = fread(file, 1, sizeof file, f);
    fclose(f);
    const long count = argc > 2 ? atol(argv[2]) : 20000;
    const td_host host = {NULL, on_info, on_say, on_load, on_release, on_write};
    td_model *builtin = harness_builtin();
    object = malloc(td_object_size());
    CHECK(td_object_init(object, &host, builtin, 1) == TD_OK);
    harness_strokes(in, 48000, 3000);
    long hits = 0;
    for (long i = 0; i < count; i++) {
        td_atom atoms[TD_STATE_VALUES];
        td_event event;
        const int n = any_count();
        for (int a = 0; a < n; a++) {
            atoms[a].text = random_bits() % 3 ? NULL : any_word();
            atoms[a].number = random_bits() % 2 ? numbers[random_bits() % (sizeof numbers / sizeof *numbers)] : (double)random_unit();
        }
        td_object_message(object, any_word(), n, atoms);
        if (waiting_request && random_bits() % 8 == 0) {
            answer(waiting_request, waiting_name);
            waiting_request = 0;
        }
        if (random_bits() % 512 == 0) prepare();
        for (int b = (int)(random_bits() % 8); b > 0; b--) {
            for (int c = 0; c < channels; c++) {
                td_engine_process(td_object_engine(object, c), in + random_bits() % (48000 - BLOCK), out, trigger, BLOCK);
                for (int s = 0; s < BLOCK; s++) CHECK(isfinite(out[s]) && trigger[s] >= 0.0f && trigger[s] <= 1.0f);
            }
            td_object_busy(object, 1e-6f, 1e-3f);
        }
        for (int channel; (channel = td_object_next_event(object, &event)) > 0;) {
            CHECK(channel <= channels);
            hits++;
            for (int p = 0; p < TD_PARAMS; p++) CHECK(event.param[p] >= td_param(p)->min && event.param[p] <= td_param(p)->max);
        }
    }
    td_object_prepare(object, 48000.0, 1, NULL);
    td_object_free(object);
    CHECK(models == 0 && hits > 0);
    free(more);
    free(object);
    free(builtin);
    printf("%ld messages, %ld lines, %ld infos, %ld hits, no model left\n", count, lines, infos, hits);
    return 0;
}
