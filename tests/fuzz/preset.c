/* SPDX-License-Identifier: MIT
 * Preset files: refused with a reason and nothing changed, or read, and what is written of it reads back the same. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[TD_ERROR_BYTES] = "", text[TD_PRESET_BYTES];
    td_preset preset, untouched, again;
    memset(&preset, 0x5a, sizeof preset);
    memcpy(&untouched, &preset, sizeof preset);
    char *const json = fuzz_copy(data, size);
    if (td_preset_read(json, size, &preset, why) == TD_OK) {
        for (int p = 0; p < TD_PARAMS; p++) CHECK(preset.value[p] >= td_param(p)->min && preset.value[p] <= td_param(p)->max);
        const size_t written = td_preset_write(&preset, text);
        CHECK(written < sizeof text && text[written] == 0);
        CHECK(td_preset_read(text, written, &again, why) == TD_OK);
        for (int p = 0; p < TD_PARAMS; p++) CHECK(again.value[p] == preset.value[p] && again.damping[p] == preset.damping[p]);
    } else {
        CHECK(why[0] && memcmp(&preset, &untouched, sizeof preset) == 0);
    }
    free(json);
    return 0;
}
