/* SPDX-License-Identifier: MIT
 * In double, rounded once at the end, so that a value without modulation is the preset's to the bit. */
#include "mapping.h"

#include "model.h"
#include "td_math.h"

enum { TRUST_HALF = 10 }; /* strokes after which a calibration's width counts half */

void td_patch_init(td_patch *patch, const td_model *model)
{
    memset(patch, 0, sizeof *patch);
    patch->model[0] = model;
    patch->depth = 1.0f;
    for (int i = 0; i < TD_PARAMS; i++) {
        patch->param_depth[i] = 1.0f;
        patch->base[i] = td_param(i)->def;
        patch->damping[i] = 1.0f;
    }
    for (int f = 0; f < TD_FEATURES; f++) patch->scale[f] = 1.0f;
}

void td_patch_range(const td_patch *patch, int slot, float min[TD_FEATURES], float max[TD_FEATURES])
{
    const td_model_info *info = &patch->model[slot]->info;
    memcpy(min, info->min, TD_FEATURES * sizeof *min);
    memcpy(max, info->max, TD_FEATURES * sizeof *max);
    if (!patch->calibrated) return;
    /* the few tell surely where they lie, how wide only by and by */
    const double trust = (double)patch->calibrated / (double)(patch->calibrated + TRUST_HALF);
    for (int f = 0; f < TD_FEATURES; f++) {
        const double own = (double)info->max[f] - (double)info->min[f], most = (double)info->high[f] - (double)info->low[f];
        const double heard = own * ((double)patch->high[f] - (double)patch->low[f]) / most;
        double span = own + trust * (heard - own);
        if (span < (double)td_least_span[f]) span = (double)td_least_span[f];
        const double middle = 0.5 * ((double)patch->low[f] + (double)patch->high[f]);
        const double below = (0.5 * ((double)info->low[f] + (double)info->high[f]) - (double)info->min[f]) / own;
        min[f] = (float)(middle - below * span);
        max[f] = (float)(middle - below * span + span);
    }
}

/* The value below which a share of the sorted ones lie, between two of them in a line. */
static float percentile(const float *sorted, int count, double share)
{
    const double at = share * (double)(count - 1);
    const int below = (int)at;
    if (below >= count - 1) return sorted[count - 1];
    return (float)((double)sorted[below] + (at - (double)below) * ((double)sorted[below + 1] - (double)sorted[below]));
}

td_status td_patch_calibrate(td_patch *patch, const float (*raw)[TD_FEATURES], int count)
{
    float sorted[TD_MAX_CALIBRATION];
    if (count < TD_LEAST_CALIBRATION || count > TD_MAX_CALIBRATION) return TD_ERR_ARGUMENT;
    for (int f = 0; f < TD_FEATURES; f++) {
        for (int i = 0; i < count; i++) {
            int at = i;
            for (; at > 0 && sorted[at - 1] > raw[i][f]; at--) sorted[at] = sorted[at - 1];
            sorted[at] = raw[i][f];
        }
        patch->low[f] = percentile(sorted, count, 0.1);
        patch->high[f] = percentile(sorted, count, 0.9);
    }
    patch->calibrated = (uint32_t)count;
    return TD_OK;
}

void td_normalize(const float raw[TD_FEATURES], const float min[TD_FEATURES], const float max[TD_FEATURES], float normalized[TD_FEATURES])
{
    for (int f = 0; f < TD_FEATURES; f++) {
        const double v = ((double)raw[f] - (double)min[f]) / ((double)max[f] - (double)min[f]);
        normalized[f] = (float)(v < 0.0 ? 0.0 : (v > 1.0 ? 1.0 : v));
    }
}

static int has_morph(const td_patch *patch) { return patch->model[1] && patch->morph > 0.0f; }

static void run_slot(const td_patch *patch, int slot, const float normalized[TD_FEATURES], float input[TD_FEATURES],
                     float modulation[TD_PARAMS])
{
    const td_model *model = patch->model[slot];
    for (int f = 0; f < TD_FEATURES; f++)
        input[f] = (float)((double)normalized[f] * (double)patch->scale[f] + (double)patch->offset[f] - (double)model->info.reference[f]);
    td_model_run(model, input, modulation);
}

void td_patch_modulate(const td_patch *patch, const float *raw, const float normalized[TD_FEATURES], float input[TD_FEATURES],
                       float modulation[TD_PARAMS])
{
    run_slot(patch, 0, normalized, input, modulation);
    if (!has_morph(patch)) return;
    float other[TD_PARAMS], other_input[TD_FEATURES], other_normalized[TD_FEATURES], min[TD_FEATURES], max[TD_FEATURES];
    memcpy(other_normalized, normalized, sizeof other_normalized);
    if (raw && patch->normalize == TD_NORMALIZE_MODEL) {
        td_patch_range(patch, 1, min, max);
        td_normalize(raw, min, max, other_normalized);
    }
    run_slot(patch, 1, other_normalized, other_input, other);
    for (int i = 0; i < TD_PARAMS; i++) modulation[i] = (1.0f - patch->morph) * modulation[i] + patch->morph * other[i];
}

void td_patch_map(const td_patch *patch, const float modulation[TD_PARAMS], float param[TD_PARAMS])
{
    const td_preset *a = &patch->model[0]->info.preset;
    const td_preset *b = has_morph(patch) ? &patch->model[1]->info.preset : a;
    const double x = (double)patch->morph;
    for (int i = 0; i < TD_PARAMS; i++) {
        const td_param_info *p = td_param(i);
        const double min = (double)p->min, max = (double)p->max;
        double value = (double)a->value[i], damping = (double)a->damping[i];
        if (patch->override_mask & 1u << i) {
            value = (double)patch->base[i];
            damping = (double)patch->damping[i];
        } else if (b != a) {
            value = (1.0 - x) * value + x * (double)b->value[i];
            damping = (1.0 - x) * damping + x * (double)b->damping[i];
        }
        if (!(patch->mask & 1u << i))
            value += (max - min) * ((double)patch->depth * (double)patch->param_depth[i] * damping * (double)modulation[i]);
        param[i] = (float)(value < min ? min : (value > max ? max : value));
    }
}
