/* SPDX-License-Identifier: MIT
 * What the detectors share. */
#ifndef TD_ONSET_SETTINGS_H
#define TD_ONSET_SETTINGS_H

#include "torchdrum.h"

/* onthreshold as sensitivity bends it (spec 2.1). */
double td_on_threshold(const td_onset_settings *settings);

#endif
