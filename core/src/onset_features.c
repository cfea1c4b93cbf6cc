/* SPDX-License-Identifier: MIT
 * The three features of an onset: loudness, spectral centroid, spectral flatness (spec 4). All in double: in float32 the flatness of
 * real strokes is off by a hundredth of a dB. */
#include "onset_features.h"

#include "params.h"
#include "td_math.h"

static const double highest_hz = 20000.0;
static const double power_floor = 1e-12; /* of a bin, -120 dB */
static const double loudness_floor_db = -80.0;
enum { window_at_48k = 256 };

int td_scaled(int samples_at_48k, double sample_rate) { return (int)((double)samples_at_48k * sample_rate / 48000.0 + 0.5); }

void td_spectrum_init(td_spectrum *self, double sample_rate)
{
    const int least = 2 * td_scaled(window_at_48k, sample_rate);
    self->sample_rate = sample_rate;
    self->fft = 4;
    while (self->fft < least) self->fft *= 2;
    self->bins = (int)(highest_hz * (double)self->fft / sample_rate);
    if (self->bins > self->fft / 2 - 1) self->bins = self->fft / 2 - 1;
    for (int k = 0; k <= self->fft / 4; k++) self->sine[k] = td_sin_cycles((double)k / (double)self->fft);
}

/* cos and sin of 2 pi k / N for 0 <= k < N/2 from the quarter table */
static void turn(const td_spectrum *self, int k, double *c, double *s)
{
    const int quarter = self->fft / 4;
    if (k <= quarter) {
        *c = self->sine[quarter - k];
        *s = self->sine[k];
    } else {
        *c = -self->sine[k - quarter];
        *s = self->sine[2 * quarter - k];
    }
}

/* In-place complex FFT of N/2 points, radix 2, decimation in time; z interleaved. */
static void fft_half(const td_spectrum *self, double *z)
{
    const int m = self->fft / 2;
    for (int i = 1, j = 0; i < m; i++) {
        int bit = m >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j |= bit;
        if (i < j) {
            const double re = z[2 * i], im = z[2 * i + 1];
            z[2 * i] = z[2 * j];
            z[2 * i + 1] = z[2 * j + 1];
            z[2 * j] = re;
            z[2 * j + 1] = im;
        }
    }
    for (int span = 1; span < m; span *= 2) {
        for (int k = 0; k < span; k++) {
            double c, s;
            turn(self, k * (m / span), &c, &s);
            for (int i = k; i < m; i += 2 * span) {
                double *a = z + 2 * i, *b = a + 2 * span;
                const double re = b[0] * c + b[1] * s, im = b[1] * c - b[0] * s;
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
        }
    }
}

void td_spectrum_features(const td_spectrum *self, const float *window, int samples, float out[TD_FEATURES])
{
    double hann[TD_MAX_WINDOW], z[TD_MAX_FFT];
    const int n = self->fft, half = n / 2;

    /* The window by rotation: exact to 1e-13 over 1024 steps. */
    const double dc = td_cos_cycles(1.0 / samples), ds = td_sin_cycles(1.0 / samples);
    double c = 1.0, s = 0.0, weight = 0.0, weight2 = 0.0, mean = 0.0;
    for (int i = 0; i < samples; i++) {
        const double w = 0.5 - 0.5 * c;
        hann[i] = w;
        weight += w;
        weight2 += w * w;
        mean += w * (double)window[i];
        const double next = c * dc - s * ds;
        s = s * dc + c * ds;
        c = next;
    }
    if (weight > 0.0)
        mean /= weight;
    else
        weight = weight2 = 1.0; /* a window of one sample is all zero */
    for (int i = 0; i < samples; i++) z[i] = hann[i] * ((double)window[i] - mean);
    for (int i = samples; i < n; i++) z[i] = 0.0;
    fft_half(self, z);

    double power_sum = 0.0, floored_sum = 0.0, amplitude_sum = 0.0, moment = 0.0, log_sum = 0.0;
    const double scale = 1.0 / (weight * weight);
    for (int k = 1; k <= self->bins; k++) {
        /* Split the half-length transform of the even (real) and odd (imaginary) samples: X(k) = E(k) + e^(-2 pi i k / N) O(k) */
        const double ar = z[2 * k], ai = z[2 * k + 1], br = z[2 * (half - k)], bi = -z[2 * (half - k) + 1];
        const double er = 0.5 * (ar + br), ei = 0.5 * (ai + bi), or_ = 0.5 * (ai - bi), oi = -0.5 * (ar - br);
        double tc, ts;
        turn(self, k, &tc, &ts);
        const double re = er + tc * or_ + ts * oi, im = ei + tc * oi - ts * or_;
        const double power = re * re + im * im;
        double floored = power * scale;
        if (floored < power_floor) floored = power_floor;
        power_sum += power;
        floored_sum += floored;
        log_sum += td_log2(floored);
        const double amplitude = sqrt(floored);
        amplitude_sum += amplitude;
        moment += amplitude * (double)k;
    }

    const double count = (double)self->bins;
    const double mean_square = 2.0 * power_sum / ((double)n * weight2);
    const double loudness = mean_square > 1e-30 ? 0.5 * td_gain_to_db(mean_square) : loudness_floor_db;
    const double centroid_hz = moment / amplitude_sum * self->sample_rate / (double)n;
    out[0] = (float)(loudness > loudness_floor_db ? loudness : loudness_floor_db);
    out[1] = (float)(12.0 * td_log2(centroid_hz / 440.0) + 69.0);
    out[2] = (float)(TD_DB_PER_OCTAVE * (log_sum / count - td_log2(floored_sum / count)));
}

td_status td_features(const float *window, int samples, double sample_rate, float out[TD_FEATURES])
{
    td_spectrum spectrum;
    if (!(sample_rate >= TD_MIN_RATE && sample_rate <= TD_MAX_RATE) || samples < 1 || samples > td_scaled(window_at_48k, sample_rate))
        return TD_ERR_ARGUMENT;
    td_spectrum_init(&spectrum, sample_rate);
    td_spectrum_features(&spectrum, window, samples, out);
    return TD_OK;
}
