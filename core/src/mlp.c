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

/* One loop each for what compilers make vectors of. */
static void activate(td_activation kind, double *restrict y, int n)
{
    float x[TD_MAX_WIDTH];
    if (kind == TD_RELU) {
        for (int i = 0; i < n; i++) y[i] = y[i] > 0.0 ? y[i] : 0.0;
        return;
    }
    for (int i = 0; i < n; i++) x[i] = to_float(y[i]);
    for (int i = 0; i < n; i++) x[i] = td_tanh_fast(x[i]);
    for (int i = 0; i < n; i++) y[i] = (double)x[i];
}

enum { SIDE_BY_SIDE = 8, REST = 6 }; /* units at once; the 14 parameters are 8 and 6 */
/* What n units make of the inputs, each sum in the order of the inputs. Always called with a constant. */
static inline void units(const float *restrict weights, int stride, const double *restrict x, int inputs, const int n, double *restrict y)
{
    double sum[SIDE_BY_SIDE] = {0.0};
    for (int i = 0; i < inputs; i++, weights += stride)
        for (int k = 0; k < n; k++) sum[k] += (double)weights[k] * x[i];
    for (int k = 0; k < n; k++) y[k] = sum[k];
}

void td_mlp_run(const td_mlp *shape, const float *weights, const float *in, float *out)
{
    double buffer[2][TD_MAX_WIDTH];
    double *x = buffer[1], *y = buffer[0];
    for (int i = 0; i < shape->width[0]; i++) x[i] = (double)in[i];
    for (int l = 0; l < shape->layers; l++) {
        const int inputs = shape->width[l], outputs = shape->width[l + 1], last = l + 1 == shape->layers;
        const float *bias = weights + (size_t)inputs * (size_t)outputs;
        int unit = 0;
        for (; unit + SIDE_BY_SIDE <= outputs; unit += SIDE_BY_SIDE) units(weights + unit, outputs, x, inputs, SIDE_BY_SIDE, y + unit);
        for (; unit + REST <= outputs; unit += REST) units(weights + unit, outputs, x, inputs, REST, y + unit);
        for (; unit < outputs; unit++) units(weights + unit, outputs, x, inputs, 1, y + unit);
        for (int o = 0; o < outputs; o++) y[o] += (double)bias[o];
        weights = bias + outputs;
        if (!last && shape->norm == TD_NORM_LAYER) normalize(y, outputs);
        if (!last) activate(shape->activation, y, outputs);
        double *used = x;
        x = y;
        y = used;
    }
    const int outputs = shape->width[shape->layers];
    for (int o = 0; o < outputs; o++) out[o] = to_float(x[o]);
    if (shape->output == TD_OUTPUT_TANH)
        for (int o = 0; o < outputs; o++) out[o] = td_tanh_fast(out[o]);
    else
        for (int o = 0; o < outputs; o++) out[o] = td_clip(out[o], -1.0f, 1.0f);
}
