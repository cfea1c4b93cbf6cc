/* SPDX-License-Identifier: MIT
 * One process, one bench: its state is global, which the core itself never does. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/mlp.h"
#include "reference.h"

enum { RATE = 48000, BLOCK = 64, WINDOW = 256, FRAMES = 1000, NETWORKS = 10000, STROKE = 4000, PASSES = 9 };
enum { RISE = 0, CLASSIC = 1 }; /* words of the control detector */

static struct {
    size_t n; /* samples of a run */
    float *dense, *silence, *out[2], *trigger;
    td_model *model;
    td_patch patch;
    td_engine *engine, *rested;
    ref_engine *reference_rested;
    td_onset *onset;
    float param[TD_PARAMS]; /* of a voice that sounds for all of a run */
    size_t sounding;
    float small[3 * 32 + 32 + 32 * 14 + 14], large[3 * 64 + 64 + 2 * (64 * 64 + 64) + 64 * 14 + 14];
} b;

/* ---- engine ---- */

static void engine_begin(int detector)
{
    td_engine_init(b.engine, RATE, &b.patch, NULL);
    td_engine_set(b.engine, td_control_find("detector"), (float)detector);
}

static void engine_run(td_engine *engine, const float *in)
{
    for (size_t i = 0; i < b.n; i += BLOCK) td_engine_process(engine, in + i, b.out[0] + i, b.trigger + i, BLOCK);
}

static void reference_run(ref_engine *engine, const float *in)
{
    for (size_t i = 0; i < b.n; i += BLOCK) ref_process(engine, in + i, b.out[1] + i, b.trigger + i, BLOCK);
}

static void fresh_reference_run(const float *in)
{
    ref_engine *const engine = ref_new(RATE, b.model, 0);
    reference_run(engine, in);
    ref_free(engine);
}

static void classic_dense(void) { engine_begin(CLASSIC), engine_run(b.engine, b.dense); }
static void rise_dense(void) { engine_begin(RISE), engine_run(b.engine, b.dense); }
static void classic_silence(void) { engine_begin(CLASSIC), engine_run(b.engine, b.silence); }
static void rise_silence(void) { engine_begin(RISE), engine_run(b.engine, b.silence); }
static void rested(void) { engine_run(b.rested, b.silence); }
static void reference_dense(void) { fresh_reference_run(b.dense); }
static void reference_silence(void) { fresh_reference_run(b.silence); }
static void reference_rested(void) { reference_run(b.reference_rested, b.silence); }

/* ---- stages ---- */

static void onset_run(int detector)
{
    td_onset_settings settings;
    td_onset_setup(detector, 0, &settings);
    td_onset_init(b.onset, RATE, &settings, WINDOW);
    for (size_t at = 0; at < b.n;) {
        int fired;
        const size_t left = b.n - at;
        at += td_onset_process(b.onset, b.dense + at, NULL, left < BLOCK ? left : BLOCK, NULL, NULL, &fired);
    }
}

static void rise(void) { onset_run(RISE); }
static void classic(void) { onset_run(CLASSIC); }
static void reference_onset(void)
{
    ref_onset *const onset = ref_onset_new(RATE);
    ref_onset_run(onset, b.dense, b.n);
    free(onset);
}

static void voice(void) { td_snare808_render(b.param, RATE, 1, 1, b.out[0], b.sounding); }
static void reference_voice(void) { ref_snare808(b.param, RATE, 1, 1, b.out[1], b.sounding); }

static void features(void)
{
    float f[TD_FEATURES];
    for (int i = 0; i < FRAMES; i++) td_features(b.dense + i * 32, WINDOW, RATE, f);
}
static void reference_features(void)
{
    float f[TD_FEATURES];
    for (int i = 0; i < FRAMES; i++) ref_features(b.dense + i * 32, WINDOW, RATE, f);
}

static void network(const td_mlp *shape, const float *weights)
{
    float out[TD_PARAMS];
    for (int i = 0; i < NETWORKS; i++) td_mlp_run(shape, weights, b.dense + i, out);
}
static void small_network(void)
{
    static const td_mlp shape = {2, {3, 32, 14}, TD_RELU, TD_NORM_LAYER, TD_OUTPUT_TANH};
    network(&shape, b.small);
}
static void large_network(void)
{
    static const td_mlp shape = {4, {3, 64, 64, 64, 14}, TD_RELU, TD_NORM_LAYER, TD_OUTPUT_TANH};
    network(&shape, b.large);
}

/* ---- the table ---- */

static const struct {
    const char *name, *unit;
    int amount; /* 0: samples of a run, -1: samples of a sounding voice */
    void (*run[2])(void);
} cases[] = {
    {"engine, dense loop, classic", "sample", 0, {classic_dense, reference_dense}}, /* first: td_bench_difference compares it */
    {"engine, dense loop, rise", "sample", 0, {rise_dense, reference_dense}},
    {"engine, silence, classic", "sample", 0, {classic_silence, reference_silence}},
    {"engine, silence, rise", "sample", 0, {rise_silence, reference_silence}},
    {"engine, a minute after a hit, rise", "sample", 0, {rested, reference_rested}},
    {"detector classic", "sample", 0, {classic, reference_onset}},
    {"detector rise", "sample", 0, {rise, reference_onset}},
    {"voice sounding", "sample", -1, {voice, reference_voice}},
    {"features of a stroke", "stroke", FRAMES, {features, reference_features}},
    {"network 3-32-14", "stroke", NETWORKS, {small_network, NULL}},
    {"network 3-64-64-64-14", "stroke", NETWORKS, {large_network, NULL}},
};

int td_bench_count(void) { return (int)(sizeof cases / sizeof *cases); }
const char *td_bench_name(int index) { return cases[index].name; }
const char *td_bench_unit(int index) { return cases[index].unit; }
int td_bench_has(int index, int which) { return cases[index].run[which] != NULL; }

double td_bench_amount(int index)
{
    const int amount = cases[index].amount;
    return (double)(amount > 0 ? (size_t)amount : (amount ? b.sounding : b.n));
}

/* Of the processor, so that what else runs on the machine counts little. */
static double cpu_ns(void) { return 1e9 / CLOCKS_PER_SEC * (double)clock(); }

static double now_ns(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

double td_bench_run(int index, int which)
{
    const double begin = cpu_ns();
    cases[index].run[which]();
    return cpu_ns() - begin;
}

void td_bench_blocks(int which, double *worst, double *mean)
{
    const size_t blocks = b.n / BLOCK;
    double *const shortest = malloc(blocks * sizeof *shortest);
    *worst = *mean = 0.0;
    if (!shortest) return;
    for (int pass = 0; pass < PASSES; pass++) {
        ref_engine *const reference = which == TD_BENCH_REFERENCE ? ref_new(RATE, b.model, 0) : NULL;
        engine_begin(RISE);
        for (size_t i = 0; i < blocks; i++) {
            const size_t at = i * BLOCK;
            const double begin = now_ns();
            if (reference)
                ref_process(reference, b.dense + at, b.out[1] + at, b.trigger + at, BLOCK);
            else
                td_engine_process(b.engine, b.dense + at, b.out[0] + at, b.trigger + at, BLOCK);
            const double took = now_ns() - begin;
            if (pass == 0 || took < shortest[i]) shortest[i] = took;
        }
        if (reference) ref_free(reference);
    }
    for (size_t i = 0; i < blocks; i++) {
        *worst = fmax(*worst, shortest[i]);
        *mean += shortest[i] / (double)blocks;
    }
    free(shortest);
}

/* Not fmax, on which gcc 12 for arm64 stumbles. */
static double larger(double a, double b) { return a > b ? a : b; }

double td_bench_difference(void)
{
    double most = 0.0;
    classic_dense();
    reference_dense();
    for (size_t i = 0; i < b.n; i++) most = larger(most, fabs((double)b.out[0][i] - (double)b.out[1][i]));
    return most;
}

const char *td_bench_compiler(void)
{
#ifdef __VERSION__
    return __VERSION__;
#else
    return "";
#endif
}

/* ---- begin and end ---- */

static float noise(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(int32_t)state / 2147483648.0f;
}

static void fill(float *weights, size_t n)
{
    for (size_t i = 0; i < n; i++) weights[i] = 0.5f * noise();
}

/* A minute of silence after a stroke. */
static void rest(void)
{
    td_engine_init(b.rested, RATE, &b.patch, NULL);
    engine_run(b.rested, b.dense);
    reference_run(b.reference_rested, b.dense);
    for (size_t i = 0; i < (size_t)60 * RATE; i += b.n) {
        engine_run(b.rested, b.silence);
        reference_run(b.reference_rested, b.silence);
    }
}

int td_bench_begin(double seconds)
{
    char why[TD_ERROR_BYTES];
    size_t bytes;
    const unsigned char *const file = td_builtin_model(&bytes);
    memset(&b, 0, sizeof b);
    b.n = (size_t)(seconds * RATE) / BLOCK * BLOCK;
    if (b.n < (size_t)RATE) b.n = RATE / BLOCK * BLOCK;
    b.dense = calloc(b.n, sizeof(float));
    b.silence = calloc(b.n, sizeof(float));
    b.out[0] = calloc(b.n, sizeof(float));
    b.out[1] = calloc(b.n, sizeof(float));
    b.trigger = calloc(b.n, sizeof(float));
    b.model = malloc(td_model_bytes(bytes));
    b.engine = malloc(td_engine_size());
    b.rested = malloc(td_engine_size());
    b.onset = malloc(td_onset_size());
    if (!b.dense || !b.silence || !b.out[0] || !b.out[1] || !b.trigger || !b.model || !b.engine || !b.rested || !b.onset ||
        td_model_read(file, bytes, b.model, td_model_bytes(bytes), why) != TD_OK || !(b.reference_rested = ref_new(RATE, b.model, 0))) {
        td_bench_end();
        return 0;
    }
    td_patch_init(&b.patch, b.model);
    for (size_t i = 0; i < b.n; i++) b.dense[i] = noise() * (float)(i / STROKE % 4 + 1) / 6.0f * expf(-(float)(i % STROKE) / 500.0f);
    for (int i = 0; i < TD_PARAMS; i++) b.param[i] = td_param(i)->def;
    b.param[td_param_find("osc1_decay")] = b.param[td_param_find("osc2_decay")] = b.param[td_param_find("noise_decay")] = 2000.0f;
    b.sounding = b.n < (size_t)(2 * RATE) ? b.n : (size_t)(2 * RATE);
    fill(b.small, sizeof b.small / sizeof *b.small);
    fill(b.large, sizeof b.large / sizeof *b.large);
    rest();
    return 1;
}

void td_bench_end(void)
{
    free(b.dense);
    free(b.silence);
    free(b.out[0]);
    free(b.out[1]);
    free(b.trigger);
    free(b.model);
    free(b.engine);
    free(b.rested);
    free(b.onset);
    if (b.reference_rested) ref_free(b.reference_rested);
    memset(&b, 0, sizeof b);
}
