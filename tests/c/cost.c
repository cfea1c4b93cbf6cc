/* SPDX-License-Identifier: MIT
 * What a second of the core costs, for a counter of instructions: cost PART DETECTOR ROUNDS. PART is dense (the engine while strokes come
 * and drums sound), silence, detector, voice or features; DETECTOR a word of the control. Every round is the same work, so that the
 * difference of two counts of rounds is free of what comes before and after. */
#include "harness.h"

enum { RATE = 48000, BLOCK = 64, STROKE = RATE / 12, WINDOW = 256 };

static float sound[RATE], out[RATE], trigger[RATE];

static void run_engine(td_engine *engine)
{
    for (size_t at = 0; at < RATE; at += BLOCK) td_engine_process(engine, sound + at, out + at, trigger + at, BLOCK);
}

static int run_detector(td_onset *onset)
{
    int hits = 0;
    for (size_t at = 0; at < RATE;) {
        int fired;
        const size_t block = BLOCK - at % BLOCK;
        at += td_onset_process(onset, sound + at, NULL, block, NULL, NULL, &fired);
        hits += fired;
    }
    return hits;
}

int main(int argc, char **argv)
{
    CHECK(argc == 4);
    const char *part = argv[1];
    const int detector = atoi(argv[2]), rounds = atoi(argv[3]);
    if (strcmp(part, "silence") != 0) harness_strokes(sound, RATE, STROKE);
    td_patch patch;
    td_patch_init(&patch, harness_builtin());
    td_engine *engine = malloc(td_engine_size());
    CHECK(td_engine_init(engine, RATE, &patch, NULL) == TD_OK);
    CHECK(td_engine_set(engine, td_control_find("detector"), (float)detector) == TD_OK);
    td_onset_settings settings;
    td_onset_setup(detector, 0, &settings);
    td_onset *onset = malloc(td_onset_size());
    CHECK(td_onset_init(onset, RATE, &settings, WINDOW) == TD_OK);
    float param[TD_PARAMS], feature[TD_FEATURES];
    for (int i = 0; i < TD_PARAMS; i++) param[i] = td_param(i)->def;
    param[td_param_find("osc1_decay")] = param[td_param_find("osc2_decay")] = param[td_param_find("noise_decay")] = 2000;
    for (int round = 0; round < rounds; round++) {
        if (strcmp(part, "dense") == 0 || strcmp(part, "silence") == 0)
            run_engine(engine);
        else if (strcmp(part, "detector") == 0)
            CHECK(run_detector(onset) >= RATE / STROKE - 1);
        else if (strcmp(part, "voice") == 0)
            CHECK(td_snare808_render(param, RATE, 1, 1, out, RATE) == RATE);
        else if (strcmp(part, "features") == 0)
            CHECK(td_features(sound + round % 1000, WINDOW, RATE, feature) == TD_OK);
        else
            return 2;
    }
    return 0;
}
