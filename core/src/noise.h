/* SPDX-License-Identifier: MIT
 * White noise that can be sought: sample n of hit k of seed s is a function of the three (spec 6.3). */
#ifndef TD_NOISE_H
#define TD_NOISE_H

#include <stdint.h>

#define TD_GOLDEN 0x9e3779b9u

static inline uint32_t td_mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x21f0aaadu;
    x ^= x >> 15;
    x *= 0xd35a2d97u;
    x ^= x >> 15;
    return x;
}

static inline uint32_t td_noise_key(uint32_t seed, uint32_t hit) { return td_mix(td_mix(seed) + hit * TD_GOLDEN); }

static inline float td_noise_sample(uint32_t key, uint32_t n)
{
    return (float)(int32_t)(td_mix(key ^ (n * TD_GOLDEN)) >> 8) * (1.0f / 8388608.0f) - 1.0f;
}

#endif
