/* SPDX-License-Identifier: MIT
 * From features to the parameters of the voice (spec 4.3, 5, 5.1). */
#ifndef TD_MAPPING_H
#define TD_MAPPING_H

#include "torchdrum.h"

void td_normalize(const float raw[TD_FEATURES], const float min[TD_FEATURES], const float max[TD_FEATURES], float normalized[TD_FEATURES]);
/* Modulations of a hit. input gets what the first network saw. raw, when the hit was heard, lets the second network have a range of its
 * own unless the patch or the adaptive normaliser gives one for both. */
void td_patch_modulate(const td_patch *patch, const float *raw, const float normalized[TD_FEATURES], float input[TD_FEATURES],
                       float modulation[TD_PARAMS]);

#endif
