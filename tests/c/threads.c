/* SPDX-License-Identifier: MIT
 * A control thread against an audio thread, for the thread sanitizer: patches published, controls set, hits triggered while the other side
 * plays. Every hit must have been played with one whole patch: its depth and seed belong together. */
#include <pthread.h>

#include "harness.h"

enum { PATCHES = 4, SWAPS = 20000, BLOCK = 64 };

static td_engine *engine;
static int done;
static float in[6000];

static void *audio(void *context)
{
    static float out[BLOCK], trigger[BLOCK];
    (void)context;
    for (size_t at = 0; !__atomic_load_n(&done, __ATOMIC_ACQUIRE); at = (at + BLOCK) % (6000 - BLOCK))
        td_engine_process(engine, in + at, out, trigger, BLOCK);
    return NULL;
}

int main(void)
{
    td_model *model = harness_builtin();
    td_patch patches[PATCHES];
    int in_use[PATCHES] = {1, 0, 0, 0};
    const int osc1_freq = td_param_find("osc1_freq"), osc2_freq = td_param_find("osc2_freq");
    for (int i = 0; i < PATCHES; i++) {
        td_patch_init(&patches[i], model);
        patches[i].depth = 0.0f;
        patches[i].override_mask = 1u << osc1_freq | 1u << osc2_freq;
        patches[i].base[osc1_freq] = patches[i].base[osc2_freq] = 100.0f;
    }
    engine = malloc(td_engine_size());
    CHECK(td_engine_init(engine, 48000.0, &patches[0], malloc(td_event_ring_size())) == TD_OK);
    harness_strokes(in, 6000, 2000);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, audio, NULL) == 0);
    long hits = 0, mixed = 0, swaps = 0;
    while (swaps < SWAPS || hits < 200) {
        const td_patch *back = td_engine_collect(engine);
        if (back) in_use[back - patches] = 0;
        int slot = 0;
        while (slot < PATCHES && in_use[slot]) slot++;
        CHECK(slot < PATCHES);
        /* one number in two places: a torn patch would show */
        const float value = 100.0f + (float)(swaps % 1000);
        patches[slot].base[osc1_freq] = patches[slot].base[osc2_freq] = value;
        in_use[slot] = 1;
        back = td_engine_publish(engine, &patches[slot]);
        if (back) in_use[back - patches] = 0;
        td_engine_set(engine, td_control_find("gain"), -random_unit());
        td_engine_trigger(engine, random_bits() % 100, NULL);
        td_event event;
        while (td_engine_next_event(engine, &event)) {
            hits++;
            mixed += event.param[osc1_freq] != event.param[osc2_freq];
        }
        swaps++;
    }
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    printf("%ld patches published, %ld hits played, %ld torn, %u events lost\n", swaps, hits, mixed, td_engine_lost_events(engine));
    CHECK(mixed == 0);
    return 0;
}
