/* SPDX-License-Identifier: MIT
 * Plays a sound through the engine on any processor: render SOUND OUT RATE BLOCK DETECTOR. SOUND and OUT are float32, OUT the drum and then
 * the trigger signal. Prints the samples of detections and of hits, with what was heard and played as bits. */
#include "harness.h"

enum { MOST = 1 << 22 };
static float in[MOST], out[MOST], trigger[MOST];

static void print_bits(const float *x, int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        printf(" %08x", (unsigned)bits);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 6);
    FILE *file = fopen(argv[1], "rb");
    CHECK(file);
    const size_t n = fread(in, sizeof *in, MOST, file), block = (size_t)atol(argv[4]);
    fclose(file);
    td_patch patch;
    td_patch_init(&patch, harness_builtin());
    td_engine *engine = malloc(td_engine_size());
    CHECK(td_engine_init(engine, atof(argv[3]), &patch, malloc(td_event_ring_size())) == TD_OK);
    CHECK(td_engine_set(engine, td_control_find("detector"), (float)atoi(argv[5])) == TD_OK);
    for (size_t at = 0; at < n; at += block) {
        td_event event;
        td_engine_process(engine, in + at, out + at, trigger + at, n - at < block ? n - at : block);
        while (td_engine_next_event(engine, &event)) {
            printf("%llu %llu", (unsigned long long)event.detected, (unsigned long long)event.time);
            print_bits(event.raw, TD_FEATURES);
            print_bits(event.param, TD_PARAMS);
            puts("");
        }
    }
    file = fopen(argv[2], "wb");
    CHECK(file);
    CHECK(fwrite(out, sizeof *out, n, file) == n && fwrite(trigger, sizeof *trigger, n, file) == n && fclose(file) == 0);
    return 0;
}
