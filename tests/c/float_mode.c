/* SPDX-License-Identifier: MIT
 * Sets and reads the calling thread's treatment of denormal numbers, for the tests that say it must not matter. */
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>

/* 0x8040: results and operands that are denormal become 0 (FTZ, DAZ). */
void float_mode_flush(int on) { _mm_setcsr((_mm_getcsr() & ~0x8040u) | (on ? 0x8040u : 0u)); }

int float_mode_flushes(void) { return (_mm_getcsr() & 0x8040u) == 0x8040u; }

void float_mode_clear_flags(void) { _mm_setcsr(_mm_getcsr() & ~0x3fu); }

/* 0x12: since cleared, an operand was denormal or a result too small to be normal. */
int float_mode_met_denormals(void) { return (_mm_getcsr() & 0x12u) != 0; }

int float_mode_known(void) { return 1; }
#else
void float_mode_flush(int on) { (void)on; }

int float_mode_flushes(void) { return 0; }

void float_mode_clear_flags(void) {}

int float_mode_met_denormals(void) { return 0; }

int float_mode_known(void) { return 0; }
#endif
