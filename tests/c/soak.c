/* SPDX-License-Identifier: MIT
 * A long night: soak MODEL SOUND PASSES [random]. Each pass is the same five minutes at 48 kHz: a groove (SOUND, floats) at several levels,
 * noise, full scale, samples that are no numbers, silence, with models and controls changed at fixed times. From the second pass on every
 * one must give the same strokes and the same samples, to the bit; memory must not grow and a pass must not cost more at the end. With
 * random, messages of any kind come in between, and only what must always hold is checked: finite output, no model left. */
#define _POSIX_C_SOURCE 199309L
#include <time.h>

#include "harness.h"
#include "torchdrum_object.h"

/* Bytes that malloc has given out, where the C library tells. */
#ifdef __GLIBC__
#include <malloc.h>
static size_t heap_in_use(void) { return mallinfo2().uordblks; }
#else
static size_t heap_in_use(void) { return 0; }
#endif

enum { RATE = 48000, BLOCK = 64, SECOND = RATE / BLOCK, PASS_S = 300, MOST_SOUND = 60 * RATE };

static unsigned char file[1 << 20];
static size_t file_bytes;
static float sound[MOST_SOUND];
static size_t sound_samples;
static td_object *object;
static long models;

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
    CHECK(line[0]);
}

static void on_load(void *context, const char *name, uint32_t request)
{
    (void)context;
    if (td_request_is_preset(request)) {
        td_object_load_failed(object, request, name, "planted");
        return;
    }
    models++;
    td_object_loaded(object, request, name, harness_model(file, file_bytes));
}

static void on_release(void *context, td_model *model)
{
    (void)context;
    models--;
    free(model);
}

static void on_write(void *context, const char *name, const char *text, size_t bytes)
{
    (void)context;
    CHECK(bytes == strlen(text));
    td_object_written(object, name, NULL);
}

static void say(const char *word, const char *text, double number)
{
    const td_atom atom = {text, number};
    CHECK(td_object_message(object, word, 1, &atom));
}

/* What a pass changes at the begin of a second of it. The first line makes every pass begin the same. */
static void change(int second)
{
    switch (second) {
    case 0:
        say("seed", NULL, 7.0);
        say("detector", "rise", 0.0);
        say("mix", NULL, 1.0);
        say("load", "snare_1", 0.0);
        break;
    case 30:
        say("load", "another", 0.0);
        break;
    case 60:
        say("preset", "snare_3", 0.0);
        break;
    case 90:
        say("mix", NULL, 0.5);
        say("load", "snare_1", 0.0);
        break;
    case 120:
        say("detector", "classic", 0.0);
        break;
    case 150:
        say("detector", "rise", 0.0);
        say("reload", NULL, 0.0);
        break;
    default:
        break;
    }
}

static float input(int second, size_t sample)
{
    const float groove = sound[((size_t)second * RATE + sample) % sound_samples];
    if (second < 150) return groove * (second % 60 < 30 ? 1.0f : 0.1f);
    if (second < 160) return 0.1f * (2.0f * random_unit() - 1.0f);
    if (second < 165) return second % 2 ? 1.0f : -1.0f;
    if (second < 166) return sample % 3 ? groove : (sample % 2 ? NAN : -INFINITY);
    if (second < 220) return groove;
    return 0.0f;
}

typedef struct pass {
    long hits;
    uint64_t strokes, samples; /* checksums: of when and how, of the output */
    double cost_s;
    size_t heap;
} pass;

static uint64_t mixed_in(uint64_t sum, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) sum = (sum ^ ((const unsigned char *)data)[i]) * 1099511628211u; /* FNV-1a */
    return sum;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void random_message(void)
{
    static const double numbers[] = {0.0, 1.0, -1.0, 0.5, 14.0, 1e30, 200.0};
    static const char *const texts[] = {"snare_2", "off", "all", "centroid", "keep", "adapt"};
    td_atom atoms[4];
    int words = 0;
    while (td_object_word(words)) words++;
    const int count = (int)(random_bits() % 5), word = (int)(random_bits() % (uint32_t)(words + TD_PARAMS));
    for (int i = 0; i < count; i++) {
        atoms[i].text = random_bits() % 3 ? NULL : texts[random_bits() % (sizeof texts / sizeof *texts)];
        atoms[i].number = random_bits() % 2 ? numbers[random_bits() % (sizeof numbers / sizeof *numbers)] : (double)random_unit();
    }
    td_object_message(object, word < words ? td_object_word(word) : td_param(word - words)->name, count, atoms);
}

static pass one_pass(int is_random)
{
    pass p = {0, 14695981039346656037u, 14695981039346656037u, 0.0, 0};
    const uint64_t noise = harness_state;
    uint64_t begin = 0;
    if (!is_random) harness_state = 88172645463325252u;
    for (int second = 0; second < PASS_S; second++) {
        change(second);
        for (int b = 0; b < SECOND; b++) {
            float in[BLOCK], out[BLOCK], trigger[BLOCK];
            td_event event;
            for (int i = 0; i < BLOCK; i++) in[i] = input(second, (size_t)b * BLOCK + (size_t)i);
            if (is_random && random_bits() % 256 == 0) random_message();
            const double start = cpu_s();
            td_engine_process(td_object_engine(object, 0), in, out, trigger, BLOCK);
            p.cost_s += cpu_s() - start;
            for (int i = 0; i < BLOCK; i++) CHECK(isfinite(out[i]) && trigger[i] >= 0.0f && trigger[i] <= 1.0f);
            p.samples = mixed_in(p.samples, out, sizeof out);
            while (td_object_next_event(object, &event)) {
                if (!p.hits++) begin = event.time;
                const uint64_t since = event.time - begin;
                p.strokes = mixed_in(p.strokes, &since, sizeof since);
                p.strokes = mixed_in(p.strokes, event.raw, sizeof event.raw);
                p.strokes = mixed_in(p.strokes, event.param, sizeof event.param);
            }
        }
    }
    if (!is_random) harness_state = noise;
    p.heap = heap_in_use();
    return p;
}

int main(int argc, char **argv)
{
    CHECK(argc >= 4);
    const int passes = atoi(argv[3]), is_random = argc > 4;
    FILE *f = fopen(argv[1], "rb");
    CHECK(f);
    file_bytes = fread(file, 1, sizeof file, f);
    fclose(f);
    f = fopen(argv[2], "rb");
    CHECK(f);
    sound_samples = fread(sound, sizeof *sound, MOST_SOUND, f);
    fclose(f);
    CHECK(sound_samples > RATE && passes >= 4);

    const td_host host = {NULL, on_info, on_say, on_load, on_release, on_write};
    td_model *builtin = harness_builtin();
    object = malloc(td_object_size());
    CHECK(td_object_init(object, &host, builtin, 1) == TD_OK);
    pass second = {0, 0, 0, 0.0, 0};
    double early_s = 0.0, late_s = 0.0;
    long hits = 0;
    for (int i = 0; i < passes; i++) {
        const pass p = one_pass(is_random);
        hits += p.hits;
        if (i == 1) second = p;
        (i < passes / 2 ? &early_s : &late_s)[0] += p.cost_s;
        printf("pass %d: %ld strokes, checksums %016llx %016llx, %.2f s, %zu bytes\n", i + 1, p.hits, (unsigned long long)p.strokes,
               (unsigned long long)p.samples, p.cost_s, p.heap);
        fflush(stdout);
        if (is_random || i < 2) continue;
        CHECK(p.hits == second.hits && p.strokes == second.strokes && p.samples == second.samples && p.heap == second.heap);
    }
    const double growth = late_s / (passes - passes / 2) / (early_s / (passes / 2));
    printf("%.1f hours of audio, %ld strokes, %.3f times the cost in the second half, %ld models\n", passes * PASS_S / 3600.0, hits, growth,
           models);
    CHECK(hits > 0 && growth < 1.3);
    td_object_free(object);
    CHECK(models == 0);
    free(object);
    free(builtin);
    return 0;
}
