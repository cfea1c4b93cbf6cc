/* SPDX-License-Identifier: MIT
 * A control thread against an audio thread, for the thread sanitizer: patches published, controls set, hits triggered while the other side
 * plays. Every hit must have been played with one whole patch: two of its numbers are always the same.
 *     threads [SWAPS]      with ten controls set for each */
#include <pthread.h>

#include "harness.h"

enum { PATCHES = 4, SETS = 10, BLOCK = 64 };

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

int main(int argc, char **argv)
{
    const long wanted = argc > 1 ? atol(argv[1]) : 20000;
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
    int controls = 0;
    while (td_control(controls)) controls++;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, audio, NULL) == 0);
    long hits = 0, mixed = 0, swaps = 0, sets = 0;
    while (swaps < wanted || hits < 200) {
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
        for (int i = 0; i < SETS;) {
            const int control = (int)(random_bits() % (uint32_t)controls);
            const td_control_info *const info = td_control(control);
            if (td_engine_set(engine, control, info->min + random_unit() * (info->max - info->min)) != TD_OK) continue;
            i++;
            sets++;
        }
        td_engine_set(engine, td_control_find("enable"), 1.0f);
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
    printf("%ld patches published, %ld controls set, %ld hits played, %ld torn, %u events lost\n", swaps, sets, hits, mixed,
           td_engine_lost_events(engine));
    CHECK(mixed == 0);
    return 0;
}
