/* SPDX-License-Identifier: MIT
 * Forward pass of a small perceptron (spec 5). In double, so that no product of small numbers becomes a denormal and the result does not
 * depend on the processor's float mode; sums run in one fixed order, so that a build always gives the same bits. */
#include "mlp.h"

#include "td_math.h"

static const double norm_epsilon = 1e-5; /* PyTorch's LayerNorm */

size_t td_mlp_weights(const td_mlp *shape)
{
    size_t count = 0;
    for (int l = 0; l < shape->layers; l++) count += (size_t)(shape->width[l] + 1) * (size_t)shape->width[l + 1];
    return count;
}

static void normalize(double *y, int n)
{
    double mean = 0.0, variance = 0.0;
    for (int i = 0; i < n; i++) mean += y[i];
    mean /= (double)n;
    for (int i = 0; i < n; i++) variance += (y[i] - mean) * (y[i] - mean);
    variance /= (double)n;
    const double scale = 1.0 / sqrt(variance + norm_epsilon);
    for (int i = 0; i < n; i++) y[i] = (y[i] - mean) * scale;
}

static float to_float(double x) { return x > -(double)TD_TINY_F && x < (double)TD_TINY_F ? 0.0f : (float)x; }

/* Sums of n rows of weights, each in the order of its inputs; several side by side, because an addition waits for the one before it. */
enum { SIDE_BY_SIDE = 4 };
static void rows(const float *weights, const double *x, int inputs, int n, double *y)
{
    double sum[SIDE_BY_SIDE] = {0.0, 0.0, 0.0, 0.0};
    if (n == SIDE_BY_SIDE) {
        const float *const b = weights + inputs, *const c = b + inputs, *const d = c + inputs;
        for (int i = 0; i < inputs; i++) {
            sum[0] += (double)weights[i] * x[i];
            sum[1] += (double)b[i] * x[i];
            sum[2] += (double)c[i] * x[i];
            sum[3] += (double)d[i] * x[i];
        }
    } else {
        for (int o = 0; o < n; o++)
            for (int i = 0; i < inputs; i++) sum[o] += (double)weights[o * inputs + i] * x[i];
    }
    for (int o = 0; o < n; o++) y[o] = sum[o];
}

void td_mlp_run(const td_mlp *shape, const float *weights, const float *in, float *out)
{
    double buffer[2][TD_MAX_WIDTH];
    double *x = buffer[1], *y = buffer[0];
    for (int i = 0; i < shape->width[0]; i++) x[i] = (double)in[i];
    for (int l = 0; l < shape->layers; l++) {
        const int inputs = shape->width[l], outputs = shape->width[l + 1], last = l + 1 == shape->layers;
        const float *bias = weights + (size_t)inputs * (size_t)outputs;
        for (int o = 0; o < outputs; o += SIDE_BY_SIDE) {
            const int n = outputs - o < SIDE_BY_SIDE ? outputs - o : SIDE_BY_SIDE;
            rows(weights + (size_t)o * (size_t)inputs, x, inputs, n, y + o);
        }
        for (int o = 0; o < outputs; o++) y[o] += (double)bias[o];
        weights = bias + outputs;
        if (!last && shape->norm == TD_NORM_LAYER) normalize(y, outputs);
        for (int o = 0; o < outputs && !last; o++)
            y[o] = shape->activation == TD_TANH ? (double)td_tanh_fast(to_float(y[o])) : (y[o] > 0.0 ? y[o] : 0.0);
        double *used = x;
        x = y;
        y = used;
    }
    for (int o = 0; o < shape->width[shape->layers]; o++) {
        const float sum = to_float(x[o]);
        out[o] = shape->output == TD_OUTPUT_TANH ? td_tanh_fast(sum) : td_clip(sum, -1.0f, 1.0f);
    }
}
