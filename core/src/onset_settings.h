/* SPDX-License-Identifier: MIT
 * What the detectors share. */
#ifndef TD_ONSET_SETTINGS_H
#define TD_ONSET_SETTINGS_H

#include <string.h>

#include "td_math.h"
#include "torchdrum.h"

/* onthreshold as sensitivity bends it (spec 2.1). */
static inline double td_on_threshold(const td_onset_settings *settings)
{
    return (double)settings->onthreshold * td_exp2((50.0 - (double)settings->sensitivity) / 25.0);
}

static inline int td_is_silent(const float *x, size_t n)
{
    uint32_t any = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        any |= bits << 1; /* without the sign */
    }
    return any == 0;
}

static inline void td_fill(float *out, size_t n, float value)
{
    for (size_t i = 0; i < n; i++) out[i] = value;
}

#endif
