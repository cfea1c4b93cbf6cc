/* SPDX-License-Identifier: MIT
 * What the core costs, beside the frozen reference build in the same process. Times are medians; only the ratios mean something on
 * another machine. make bench runs it. */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reference/reference.h"

enum { RATE = 48000, SECONDS = 10, N = RATE * SECONDS, BLOCK = 64, ROUNDS = 7 };

static float dense[N], silence[N], out[N], trigger[N], other[N];
static td_model *model;
static td_engine *engine;
static td_patch patch;
static const float *input;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

/* Median time of a call in ns, divided by count. */
static double median_ns(void (*run)(void), double count)
{
    double t[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        const double start = now_ns();
        run();
        t[r] = now_ns() - start;
    }
    qsort(t, ROUNDS, sizeof *t, ascending);
    return t[ROUNDS / 2] / count;
}

static int detector; /* a word of the control: 0 rise, 1 classic, which is the reference's */

static void core_engine(void)
{
    td_engine_init(engine, RATE, &patch, NULL);
    td_engine_set(engine, td_control_find("detector"), (float)detector);
    for (size_t i = 0; i < N; i += BLOCK) td_engine_process(engine, input + i, out + i, trigger + i, BLOCK);
}

static void reference_engine(void)
{
    ref_engine *e = ref_new(RATE, model, 0);
    for (size_t i = 0; i < N; i += BLOCK) ref_process(e, input + i, other + i, trigger + i, BLOCK);
    ref_free(e);
}

static void core_onset(void)
{
    td_onset *o = malloc(td_onset_size());
    td_onset_settings settings;
    td_onset_setup(detector, 0, &settings);
    td_onset_init(o, RATE, &settings, 256);
    for (size_t at = 0; at < N;) {
        int fired;
        at += td_onset_process(o, dense + at, NULL, N - at, NULL, NULL, &fired);
    }
    free(o);
}

static void reference_onset(void)
{
    ref_onset *o = ref_onset_new(RATE);
    ref_onset_run(o, dense, N);
    free(o);
}

static float param[TD_PARAMS];
static void core_voice(void) { td_snare808_render(param, RATE, 1, 1, out, N); }
static void reference_voice(void) { ref_snare808(param, RATE, 1, 1, other, N); }

enum { FRAMES = 1000 };
static void core_features(void)
{
    float f[TD_FEATURES];
    for (int i = 0; i < FRAMES; i++) td_features(dense + i * 64, 256, RATE, f);
}
static void reference_features(void)
{
    float f[TD_FEATURES];
    for (int i = 0; i < FRAMES; i++) ref_features(dense + i * 64, 256, RATE, f);
}

static void row(const char *name, const char *unit, double core, double reference)
{
    printf("%-34s %9.2f %9.2f  %-9s %5.1f x\n", name, core, reference, unit, reference / core);
}

int main(void)
{
    char why[TD_ERROR_BYTES];
    size_t bytes;
    const unsigned char *file = td_builtin_model(&bytes);
    model = malloc(td_model_bytes(bytes));
    engine = malloc(td_engine_size());
    if (td_model_read(file, bytes, model, td_model_bytes(bytes), why) != TD_OK) return 1;
    td_patch_init(&patch, model);
    srand(1);
    for (int i = 0; i < N; i++) dense[i] = (float)((2.0 * rand() / RAND_MAX - 1.0) * (i / 4000 % 4 + 1) / 6.0 * exp(-(i % 4000) / 500.0));
    for (int i = 0; i < TD_PARAMS; i++) param[i] = td_param(i)->def;
    param[td_param_find("osc1_decay")] = param[td_param_find("osc2_decay")] = param[td_param_find("noise_decay")] = 2000;
    const int sounding = (int)(2.0 * 4.0 / 3.0 * RATE);

    printf("%-34s %9s %9s  %-9s %7s\n", "", "core", "reference", "unit", "ratio");
    input = dense;
    detector = 1;
    const double core = median_ns(core_engine, N), reference = median_ns(reference_engine, N);
    double worst = 0;
    for (int i = 0; i < N; i++) worst = fmax(worst, fabs((double)out[i] - (double)other[i]));
    row("engine, dense loop, classic", "ns/sample", core, reference);
    row("detector classic", "ns/sample", median_ns(core_onset, N), median_ns(reference_onset, N));
    input = silence;
    row("engine, silence, classic", "ns/sample", median_ns(core_engine, N), median_ns(reference_engine, N));
    detector = 0;
    row("engine, silence, rise", "ns/sample", median_ns(core_engine, N), median_ns(reference_engine, N));
    input = dense;
    row("engine, dense loop, rise", "ns/sample", median_ns(core_engine, N), median_ns(reference_engine, N));
    row("detector rise", "ns/sample", median_ns(core_onset, N), median_ns(reference_onset, N));
    row("voice sounding", "ns/sample", median_ns(core_voice, sounding), median_ns(reference_voice, sounding));
    row("features of a stroke", "us", median_ns(core_features, 1e3 * FRAMES), median_ns(reference_features, 1e3 * FRAMES));
    printf("both engines play the same: largest difference %.1e\n", worst);
    return worst < 1e-4 ? 0 : 1;
}
