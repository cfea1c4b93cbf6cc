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

enum { HALF = TD_MAX_FFT / 2, LANES = 4 };

typedef struct points {
    double re[HALF], im[HALF];
} points;

/* One stage of a Stockham FFT, radix 4, decimation in frequency: transforms of n points, stride of them side by side. */
static void fft_stage(const td_spectrum *self, const points *restrict x, points *restrict y, int n, int stride)
{
    const int quarter = n / 4 * stride;
    for (int p = 0; p < n / 4; p++) {
        double c1, s1;
        turn(self, p * (self->fft / n), &c1, &s1);
        const double c2 = c1 * c1 - s1 * s1, s2 = 2.0 * c1 * s1, c3 = c1 * c2 - s1 * s2, s3 = c1 * s2 + s1 * c2;
        const double *const re = x->re + p * stride, *const im = x->im + p * stride;
        double *const out_re = y->re + 4 * p * stride, *const out_im = y->im + 4 * p * stride;
        for (int q = 0; q < stride; q++) {
            const double sum_re = re[q] + re[q + 2 * quarter], sum_im = im[q] + im[q + 2 * quarter];
            const double dif_re = re[q] - re[q + 2 * quarter], dif_im = im[q] - im[q + 2 * quarter];
            const double odd_re = re[q + quarter] + re[q + 3 * quarter], odd_im = im[q + quarter] + im[q + 3 * quarter];
            const double rot_re = im[q + quarter] - im[q + 3 * quarter], rot_im = re[q + 3 * quarter] - re[q + quarter];
            const double b_re = dif_re + rot_re, b_im = dif_im + rot_im, c_re = sum_re - odd_re, c_im = sum_im - odd_im;
            const double d_re = dif_re - rot_re, d_im = dif_im - rot_im;
            out_re[q] = sum_re + odd_re;
            out_im[q] = sum_im + odd_im;
            out_re[q + stride] = b_re * c1 + b_im * s1;
            out_im[q + stride] = b_im * c1 - b_re * s1;
            out_re[q + 2 * stride] = c_re * c2 + c_im * s2;
            out_im[q + 2 * stride] = c_im * c2 - c_re * s2;
            out_re[q + 3 * stride] = d_re * c3 + d_im * s3;
            out_im[q + 3 * stride] = d_im * c3 - d_re * s3;
        }
    }
}

/* FFT of N/2 complex points; returns the one of the two in which the result is. */
static const points *fft_half(const td_spectrum *self, points *x, points *y)
{
    int n = self->fft / 2, stride = 1;
    for (; n >= 4; n /= 4, stride *= 4) {
        fft_stage(self, x, y, n, stride);
        points *const used = x;
        x = y;
        y = used;
    }
    if (n == 1) return x;
    for (int q = 0; q < stride; q++) {
        y->re[q] = x->re[q] + x->re[q + stride];
        y->im[q] = x->im[q] + x->im[q + stride];
        y->re[q + stride] = x->re[q] - x->re[q + stride];
        y->im[q + stride] = x->im[q] - x->im[q + stride];
    }
    return y;
}

/* Hann windows the samples, less their weighted mean, into z, even ones as real, odd ones as imaginary parts. */
static void windowed(const float *window, int samples, int fft, points *z, double *weight, double *weight2)
{
    double hann[TD_MAX_WINDOW + LANES], c[LANES], s[LANES], sum[LANES] = {0}, sum2[LANES] = {0}, product[LANES] = {0};
    /* The window by rotation, several side by side: exact to 1e-13 over 1024 steps. */
    const double step_c = td_cos_cycles((double)LANES / samples), step_s = td_sin_cycles((double)LANES / samples);
    for (int k = 0; k < LANES; k++) {
        c[k] = td_cos_cycles((double)k / samples);
        s[k] = td_sin_cycles((double)k / samples);
    }
    for (int i = 0; i < samples; i += LANES) {
        for (int k = 0; k < LANES; k++) {
            const double next = c[k] * step_c - s[k] * step_s;
            hann[i + k] = 0.5 - 0.5 * c[k];
            s[k] = s[k] * step_c + c[k] * step_s;
            c[k] = next;
        }
    }
    for (int i = samples; i % LANES; i++) hann[i] = 0.0;
    for (int i = 0; i < samples; i += LANES) {
        for (int k = 0; k < LANES; k++) {
            const double w = hann[i + k];
            sum[k] += w;
            sum2[k] += w * w;
            product[k] += w * (i + k < samples ? (double)window[i + k] : 0.0);
        }
    }
    *weight = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    *weight2 = (sum2[0] + sum2[1]) + (sum2[2] + sum2[3]);
    double mean = (product[0] + product[1]) + (product[2] + product[3]);
    if (*weight > 0.0)
        mean /= *weight;
    else
        *weight = *weight2 = 1.0; /* a window of one sample is all zero */
    const int pairs = samples / 2;
    for (int i = 0; i < pairs; i++) {
        z->re[i] = hann[2 * i] * ((double)window[2 * i] - mean);
        z->im[i] = hann[2 * i + 1] * ((double)window[2 * i + 1] - mean);
    }
    for (int i = pairs; i < fft / 2; i++) z->re[i] = z->im[i] = 0.0;
    if (samples % 2) z->re[pairs] = hann[samples - 1] * ((double)window[samples - 1] - mean);
}

/* The logarithm of a product of many normal numbers > 0: the exponents are added, the mantissas (below 2^1023 even for 1000) multiplied. */
typedef struct log_product {
    double mantissas;
    int64_t exponents;
} log_product;

static inline void multiply(log_product *self, double x)
{
    uint64_t bits;
    double mantissa;
    memcpy(&bits, &x, sizeof bits);
    self->exponents += (int64_t)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    memcpy(&mantissa, &bits, sizeof mantissa);
    self->mantissas *= mantissa;
}

void td_spectrum_features(const td_spectrum *self, const float *window, int samples, float out[TD_FEATURES])
{
    points buffer[2];
    double weight, weight2;
    const int n = self->fft, half = n / 2;
    windowed(window, samples, n, buffer, &weight, &weight2);
    const points *const z = fft_half(self, buffer, buffer + 1);

    double power_sum = 0.0, floored_sum = 0.0, amplitude_sum = 0.0, moment = 0.0;
    log_product powers = {1.0, 0};
    const double scale = 1.0 / (weight * weight);
    for (int k = 1; k <= self->bins; k++) {
        /* Split the half-length transform of the even (real) and odd (imaginary) samples: X(k) = E(k) + e^(-2 pi i k / N) O(k) */
        const double ar = z->re[k], ai = z->im[k], br = z->re[half - k], bi = -z->im[half - k];
        const double er = 0.5 * (ar + br), ei = 0.5 * (ai + bi), or_ = 0.5 * (ai - bi), oi = -0.5 * (ar - br);
        double tc, ts;
        turn(self, k, &tc, &ts);
        const double re = er + tc * or_ + ts * oi, im = ei + tc * oi - ts * or_;
        const double power = re * re + im * im, scaled = power * scale, floored = scaled > power_floor ? scaled : power_floor;
        const double amplitude = sqrt(floored);
        power_sum += power;
        floored_sum += floored;
        amplitude_sum += amplitude;
        moment += amplitude * (double)k;
        multiply(&powers, floored);
    }
    const double log_sum = (double)powers.exponents + td_log2(powers.mantissas);

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
