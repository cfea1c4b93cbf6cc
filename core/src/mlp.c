/* SPDX-License-Identifier: MIT
 * Forward pass of a small perceptron (spec 5). Sums run in one fixed order, so that a build always gives the same bits. */
#include "mlp.h"

#include "td_math.h"

static const float norm_epsilon = 1e-5f; /* PyTorch's LayerNorm */

size_t td_mlp_weights(const td_mlp *shape)
{
    size_t count = 0;
    for (int l = 0; l < shape->layers; l++) count += (size_t)(shape->width[l] + 1) * (size_t)shape->width[l + 1];
    return count;
}

static void normalize(float *y, int n)
{
    float mean = 0.0f, variance = 0.0f;
    for (int i = 0; i < n; i++) mean += y[i];
    mean /= (float)n;
    for (int i = 0; i < n; i++) variance += (y[i] - mean) * (y[i] - mean);
    variance /= (float)n;
    const float scale = 1.0f / sqrtf(variance + norm_epsilon);
    for (int i = 0; i < n; i++) y[i] = (y[i] - mean) * scale;
}

void td_mlp_run(const td_mlp *shape, const float *weights, const float *in, float *out)
{
    float buffer[2][TD_MAX_WIDTH];
    const float *x = in;
    for (int l = 0; l < shape->layers; l++) {
        const int inputs = shape->width[l], outputs = shape->width[l + 1], last = l + 1 == shape->layers;
        const float *bias = weights + (size_t)inputs * (size_t)outputs;
        float *y = last ? out : buffer[l & 1];
        for (int o = 0; o < outputs; o++) {
            float sum = 0.0f;
            for (int i = 0; i < inputs; i++) sum += *weights++ * x[i];
            y[o] = sum + bias[o];
        }
        weights += outputs;
        if (last) break;
        if (shape->norm == TD_NORM_LAYER) normalize(y, outputs);
        for (int o = 0; o < outputs; o++) y[o] = shape->activation == TD_RELU ? (y[o] > 0.0f ? y[o] : 0.0f) : td_tanh_fast(y[o]);
        x = y;
    }
    for (int o = 0; o < shape->width[shape->layers]; o++)
        out[o] = shape->output == TD_OUTPUT_TANH ? td_tanh_fast(out[o]) : td_clip(out[o], -1.0f, 1.0f);
}
