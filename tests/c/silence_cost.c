/* SPDX-License-Identifier: MIT
 * What a second of silence costs, for callgrind: arguments "fresh", or "late": after strokes and a minute of silence, or
 * "sounding": while the drum rings; and the number of the detector. Only measured() counts (--toggle-collect=measured). */
#include "harness.h"

enum { RATE = 48000, BLOCK = 64 };

static void run(td_engine *engine, const float *in, size_t n)
{
    float out[BLOCK], trigger[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) td_engine_process(engine, in + i, out, trigger, BLOCK);
}

__attribute__((noinline)) void measured(td_engine *engine, const float *in, size_t n)
{
    run(engine, in, n);
    __asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
    static float silence[RATE], strokes[RATE];
    CHECK(argc == 3);
    harness_strokes(strokes, RATE, RATE / 4);
    td_model *model = harness_builtin();
    td_patch patch;
    td_patch_init(&patch, model);
    td_engine *engine = aligned_alloc(16, (td_engine_size() + 15) / 16 * 16);
    td_event_ring *ring = aligned_alloc(16, (td_event_ring_size() + 15) / 16 * 16);
    CHECK(td_engine_init(engine, RATE, &patch, ring) == TD_OK);
    CHECK(td_engine_set(engine, td_control_find("detector"), (float)atoi(argv[2])) == TD_OK);
    if (strcmp(argv[1], "fresh") != 0) {
        td_event event;
        run(engine, strokes, RATE);
        CHECK(td_engine_next_event(engine, &event));
    }
    if (strcmp(argv[1], "sounding") == 0) CHECK(td_engine_trigger(engine, 0, NULL) == TD_OK);
    if (strcmp(argv[1], "late") == 0)
        for (int second = 0; second < 60; second++) run(engine, silence, RATE);
    measured(engine, silence, strcmp(argv[1], "sounding") == 0 ? RATE / 10 / BLOCK * BLOCK : RATE);
    free(engine);
    free(ring);
    free(model);
    return 0;
}
