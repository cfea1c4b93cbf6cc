/* SPDX-License-Identifier: MIT
 * The few atomic operations that the control and the audio side share. Pointers are exchanged with acquire and release; single controls are
 * relaxed. */
#ifndef TD_ATOMIC_H
#define TD_ATOMIC_H

#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)

static inline void *td_exchange_ptr(void **p, void *value) { return __atomic_exchange_n(p, value, __ATOMIC_ACQ_REL); }
static inline void *td_load_ptr(void *const *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline uint32_t td_load_relaxed(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
static inline void td_store_relaxed(uint32_t *p, uint32_t value) { __atomic_store_n(p, value, __ATOMIC_RELAXED); }
static inline uint32_t td_load_acquire(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void td_store_release(uint32_t *p, uint32_t value) { __atomic_store_n(p, value, __ATOMIC_RELEASE); }

#elif defined(_MSC_VER) /* written from the documentation, not run yet */

#include <intrin.h>
static inline void *td_exchange_ptr(void **p, void *value) { return _InterlockedExchangePointer((void *volatile *)p, value); }
static inline void *td_load_ptr(void *const *p) { return _InterlockedCompareExchangePointer((void *volatile *)(uintptr_t)p, 0, 0); }
static inline uint32_t td_load_relaxed(const uint32_t *p) { return *(const volatile uint32_t *)p; }
static inline void td_store_relaxed(uint32_t *p, uint32_t value) { *(volatile uint32_t *)p = value; }
static inline uint32_t td_load_acquire(const uint32_t *p) { return (uint32_t)_InterlockedOr((volatile long *)(uintptr_t)p, 0); }
static inline void td_store_release(uint32_t *p, uint32_t value) { _InterlockedExchange((volatile long *)p, (long)value); }

#else
#error "torchdrum needs gcc, clang or MSVC"
#endif

static inline float td_load_float(const uint32_t *p)
{
    const uint32_t bits = td_load_relaxed(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline void td_store_float(uint32_t *p, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    td_store_relaxed(p, bits);
}

#endif
