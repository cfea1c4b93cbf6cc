/* SPDX-License-Identifier: MIT
 * What two seconds of strokes cost a detector, for callgrind: argument 0 or 1, the word of the control detector. Only td_onset_process
 * counts (--toggle-collect=td_onset_process). */
#include "harness.h"

enum { RATE = 48000, SAMPLES = 2 * RATE, BLOCK = 64 };

int main(int argc, char **argv)
{
    static float strokes[SAMPLES];
    td_onset_settings settings;
    CHECK(argc == 2);
    harness_strokes(strokes, SAMPLES, RATE / 8);
    td_onset_setup(atoi(argv[1]), 0, &settings);
    td_onset *onset = malloc(td_onset_size());
    CHECK(td_onset_init(onset, RATE, &settings, 256) == TD_OK);
    int hits = 0;
    for (size_t at = 0; at < SAMPLES;) {
        int fired;
        const size_t left = SAMPLES - at;
        at += td_onset_process(onset, strokes + at, NULL, left < BLOCK ? left : BLOCK, NULL, NULL, &fired);
        hits += fired;
    }
    CHECK(hits > 10);
    free(onset);
    return 0;
}
