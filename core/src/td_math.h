/* SPDX-License-Identifier: MIT
 * Elementary functions of our own, so that no result depends on a libm (glibc's differ with and without FMA).
 * Errors are stated at each function and tested in tests/test_math.py. */
#ifndef TD_MATH_H
#define TD_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define TD_TWO_PI 6.283185307179586476925
#define TD_TINY_F 1e-30f /* signals below this count as 0 (spec 1) */
#define TD_TINY 1e-30    /* and filter states (spec 2) */

static inline int td_is_finite(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits & 0x7f800000u) != 0x7f800000u;
}

static inline float td_clip(float x, float lo, float hi) { return x < lo ? lo : (x > hi ? hi : x); }

static inline float td_flush(float x) { return fabsf(x) < TD_TINY_F ? 0.0f : x; }

/* 2^x for -1000 <= x <= 1000 (clipped); relative error below 4e-16 */
static inline double td_exp2(double x)
{
    x = x < -1000.0 ? -1000.0 : (x > 1000.0 ? 1000.0 : x);
    const double whole = (double)(int)(x + (x < 0.0 ? -0.5 : 0.5));
    const double y = (x - whole) * 0.693147180559945309417;
    double sum = 1.0 / 87178291200.0; /* 1/14! */
    sum = sum * y + 1.0 / 6227020800.0;
    sum = sum * y + 1.0 / 479001600.0;
    sum = sum * y + 1.0 / 39916800.0;
    sum = sum * y + 1.0 / 3628800.0;
    sum = sum * y + 1.0 / 362880.0;
    sum = sum * y + 1.0 / 40320.0;
    sum = sum * y + 1.0 / 5040.0;
    sum = sum * y + 1.0 / 720.0;
    sum = sum * y + 1.0 / 120.0;
    sum = sum * y + 1.0 / 24.0;
    sum = sum * y + 1.0 / 6.0;
    sum = sum * y + 0.5;
    sum = sum * y + 1.0;
    sum = sum * y + 1.0;
    const uint64_t bits = (uint64_t)((int64_t)whole + 1023) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return sum * scale;
}

/* 2^x for -126 <= x <= 126; relative error below 3e-7. Polynomial interpolated at Chebyshev nodes of [-1/2, 1/2], in pairs, because a
 * detector waits for it in every frame. */
static inline float td_exp2_fast(float x)
{
    const float large = 12582912.0f; /* beyond 2^23 floats are whole numbers */
    const float whole = (x + large) - large, y = x - whole, y2 = y * y;
    const float low = 1.0f + 0.693147206703f * y, mid = 0.240226509223f + 0.0555032722667f * y;
    const float high = 0.00961805667858f + 0.00134004281773f * y + 0.000154614446765f * y2;
    const uint32_t bits = (uint32_t)((int32_t)whole + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return (low + y2 * (mid + y2 * high)) * scale;
}

/* log2 x for normal x > 0; absolute error below 1e-15 or one unit in the last place */
static inline double td_log2(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    /* mantissa to [sqrt(1/2), sqrt 2): adding the distance of its bit pattern to that of 1 carries into the exponent */
    const uint64_t shifted = bits + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    const int exponent = (int)(shifted >> 52) - 1023;
    bits = (shifted & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu;
    double m;
    memcpy(&m, &bits, sizeof m);
    const double s = (m - 1.0) / (m + 1.0), s2 = s * s;
    /* log2 m = 2/ln 2 · artanh s */
    double sum = 1.0 / 21.0;
    sum = sum * s2 + 1.0 / 19.0;
    sum = sum * s2 + 1.0 / 17.0;
    sum = sum * s2 + 1.0 / 15.0;
    sum = sum * s2 + 1.0 / 13.0;
    sum = sum * s2 + 1.0 / 11.0;
    sum = sum * s2 + 1.0 / 9.0;
    sum = sum * s2 + 1.0 / 7.0;
    sum = sum * s2 + 1.0 / 5.0;
    sum = sum * s2 + 1.0 / 3.0;
    sum = sum * s2 + 1.0;
    return (double)exponent + 2.88539008177792681472 * s * sum;
}

#define TD_DB_PER_OCTAVE 6.02059991327962390428 /* 20 log10 2 */

static inline double td_db_to_gain(double db) { return td_exp2(db / TD_DB_PER_OCTAVE); }
static inline double td_gain_to_db(double gain) { return TD_DB_PER_OCTAVE * td_log2(gain); }

/* sin of c cycles; absolute error below 2e-15 for |c| < 1000 */
static inline double td_sin_cycles(double c)
{
    c -= (double)(int64_t)(c + (c < 0.0 ? -0.5 : 0.5));
    if (c > 0.25) c = 0.5 - c;
    if (c < -0.25) c = -0.5 - c;
    const double x = c * TD_TWO_PI, x2 = x * x;
    double sum = 1.0;
    sum = 1.0 - sum * x2 * (1.0 / 420.0);
    sum = 1.0 - sum * x2 * (1.0 / 342.0);
    sum = 1.0 - sum * x2 * (1.0 / 272.0);
    sum = 1.0 - sum * x2 * (1.0 / 210.0);
    sum = 1.0 - sum * x2 * (1.0 / 156.0);
    sum = 1.0 - sum * x2 * (1.0 / 110.0);
    sum = 1.0 - sum * x2 * (1.0 / 72.0);
    sum = 1.0 - sum * x2 * (1.0 / 42.0);
    sum = 1.0 - sum * x2 * (1.0 / 20.0);
    sum = 1.0 - sum * x2 * (1.0 / 6.0);
    return x * sum;
}

static inline double td_cos_cycles(double c) { return td_sin_cycles(c + 0.25); }

/* sin of c cycles, -1/2 <= c <= 1/2; error below 3e-7 of the value near 0 and absolute elsewhere. Odd polynomial interpolated at
 * Chebyshev nodes of c^2 in [0, 1/16]. */
static inline float td_sin_cycles_fast(float c)
{
    c = c > 0.25f ? 0.5f - c : c;
    c = c < -0.25f ? -0.5f - c : c;
    const float u = c * c;
    float sum = 39.7598270853f;
    sum = sum * u - 76.5811726443f;
    sum = sum * u + 81.6024763689f;
    sum = sum * u - 41.3416806133f;
    sum = sum * u + 6.28318528015f;
    return c * sum;
}

/* tanh; relative error below 1e-6. Rational in x^2 interpolated for |x| <= 8.7, where tanh rounds to 1. */
static inline float td_tanh_fast(float x)
{
    x = td_clip(x, -8.7f, 8.7f);
    const float u = x * x;
    float p = 3.12946169588e-11f;
    p = p * u + 1.01536178392e-7f;
    p = p * u + 4.04767329013e-5f;
    p = p * u + 0.00435371970617f;
    p = p * u + 0.140444117837f;
    p = p * u + 0.999999989088f;
    float q = 2.60992750884e-9f;
    q = q * u + 2.44178500045e-6f;
    q = q * u + 0.000487131266996f;
    q = q * u + 0.0289462273641f;
    q = q * u + 0.473777411057f;
    q = q * u + 1.0f;
    return td_clip(x * p / q, -1.0f, 1.0f);
}

#endif
