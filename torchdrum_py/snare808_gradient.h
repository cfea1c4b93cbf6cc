/* SPDX-License-Identifier: MIT
 * The gradient of the 808 snare of the core with respect to its parameters, for training. */
#ifndef SNARE808_GRADIENT_H
#define SNARE808_GRADIENT_H

#include "torchdrum.h"

/* of[i] = sum over the first n samples of grad * d(sample)/d(param[i]), the samples being those of td_snare808_render. Ends of envelopes
 * stand at whole samples and are constants; a cutoff above its limit has no slope. */
void snare808_gradient(const float param[TD_PARAMS], double sample_rate, uint32_t seed, uint32_t hit, const float *grad, size_t n,
                       double of[TD_PARAMS]);

#endif
