/* SPDX-License-Identifier: MIT */
#ifndef TD_ONSET_FEATURES_H
#define TD_ONSET_FEATURES_H

#include "torchdrum.h"

enum { TD_MAX_WINDOW = 1024, TD_MAX_FFT = 2048 };

/* What depends on the sample rate alone. */
typedef struct td_spectrum {
    double sample_rate;
    int fft;                         /* N */
    int bins;                        /* K: bins 1 .. K are heard */
    double sine[TD_MAX_FFT / 4 + 1]; /* sin(2 pi k / N), first quarter */
} td_spectrum;

void td_spectrum_init(td_spectrum *self, double sample_rate);
void td_spectrum_features(const td_spectrum *self, const float *window, int samples, float out[TD_FEATURES]);

#endif
