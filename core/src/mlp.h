/* SPDX-License-Identifier: MIT */
#ifndef TD_MLP_H
#define TD_MLP_H

#include "torchdrum.h"

typedef enum td_activation { TD_RELU, TD_TANH } td_activation;
typedef enum td_norm { TD_NORM_NONE, TD_NORM_LAYER } td_norm;
typedef enum td_output { TD_OUTPUT_TANH, TD_OUTPUT_CLAMP } td_output;

/* Shape of a network; its weights lie layer after layer as [in][out] followed by [out] biases. */
typedef struct td_mlp {
    int layers;                   /* 1 = linear */
    int width[TD_MAX_HIDDEN + 2]; /* inputs, hidden units …, outputs */
    td_activation activation;
    td_norm norm;
    td_output output;
} td_mlp;

size_t td_mlp_weights(const td_mlp *shape); /* count of floats */
void td_mlp_run(const td_mlp *shape, const float *weights, const float *in, float *out);

#endif
