/* SPDX-License-Identifier: MIT
 * Indices of the two tables, made from them. */
#ifndef TD_PARAMS_H
#define TD_PARAMS_H

#include "torchdrum.h"

#define TD_MIN_RATE 8000.0
#define TD_MAX_RATE 192000.0
#define TD_MAX_DAMPING 10.0

enum {
#define X(name, key, unit, min, max, def, curve, label) TD_PARAM_##name,
#include "snare808.def"
#undef X
    TD_PARAM_COUNT
};

enum {
#define X(name, unit, min, max, def, aliases, help) TD_CONTROL_##name,
#include "controls.def"
#undef X
    TD_CONTROL_COUNT
};

int td_same_text(const char *a, const char *b);

#endif
