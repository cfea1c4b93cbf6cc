/* SPDX-License-Identifier: MIT
 * Model files: refused with a reason, or read and run. Each input is tried as it is and with its checksum made right. */
#include "../c/checksum.h"
#include "fuzz.h"

static void try_model(const void *file, size_t bytes)
{
    const size_t room = td_model_bytes(bytes);
    char why[TD_ERROR_BYTES] = "";
    td_model *model = malloc(room);
    if (td_model_read(file, bytes, model, room, why) == TD_OK) {
        td_model_info info;
        float out[TD_PARAMS];
        const float x[TD_FEATURES] = {0.0f, 1.0f, -2.0f};
        td_model_describe(model, &info);
        CHECK(strlen(info.name) < sizeof info.name && strlen(info.source) < sizeof info.source);
        CHECK(info.params >= 1 && info.params <= TD_PARAMS && info.hidden >= 0 && info.hidden <= TD_MAX_HIDDEN);
        for (int f = 0; f < TD_FEATURES; f++) CHECK(isfinite(info.min[f]) && info.min[f] < info.max[f]);
        td_model_run(model, x, out);
        for (int p = 0; p < TD_PARAMS; p++) CHECK(out[p] >= -1.0f && out[p] <= 1.0f);
    } else {
        CHECK(why[0] && strlen(why) < sizeof why);
    }
    free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_model(data, size);
    unsigned char *const mended = fuzz_copy(data, size);
    mend_checksum(mended, size);
    if (memcmp(mended, data, size) != 0) try_model(mended, size);
    free(mended);
    return 0;
}
