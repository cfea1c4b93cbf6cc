/* SPDX-License-Identifier: MIT */
#ifndef TD_MODEL_H
#define TD_MODEL_H

#include "mlp.h"

struct td_model {
    td_mlp shape;
    td_model_info info;
    float weights[]; /* as td_mlp wants them */
};

/* Least width of the normaliser's range per feature: 6 dB, 3 st, 6 dB (spec 4.3). */
extern const float td_least_span[TD_FEATURES];

#endif
