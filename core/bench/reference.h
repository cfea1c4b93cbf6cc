/* SPDX-License-Identifier: MIT
 * The yardstick: the engine of docs/spec.md as one would first write it, a sample at a time, with libm and without a thought for speed.
 * Frozen: speed work is measured against it, so it changes only when the specification does. One model, no morph, no timed triggers, no
 * controls; everything else is there. */
#ifndef TD_REFERENCE_H
#define TD_REFERENCE_H

#include "torchdrum.h"

typedef struct ref_engine ref_engine;

ref_engine *ref_new(double sample_rate, const td_model *model, uint32_t seed); /* allocates */
void ref_free(ref_engine *engine);
void ref_process(ref_engine *engine, const float *in, float *out, float *trigger, size_t n);
int ref_hits(const ref_engine *engine);

/* Single stages, for bench.c. */
typedef struct ref_onset ref_onset;
ref_onset *ref_onset_new(double sample_rate);
int ref_onset_run(ref_onset *onset, const float *in, size_t n); /* hits */
void ref_features(const float *window, int samples, double sample_rate, float out[TD_FEATURES]);
void ref_snare808(const float param[TD_PARAMS], double sample_rate, uint32_t seed, uint32_t hit, float *out, size_t n);

#endif
