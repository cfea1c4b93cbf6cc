/* SPDX-License-Identifier: MIT
 * The errors that core/src/td_math.h states, measured against libm in long double. */
#include "../../core/src/td_math.h"

#include "harness.h"

static long double worst(long double seen, long double got, long double want, long double scale)
{
    const long double error = fabsl(got - want) / scale;
    return error > seen ? error : seen;
}

int main(void)
{
    const long double two_pi = 2.0L * acosl(-1.0L);
    long double exp2_error = 0, log2_error = 0, sin_error = 0, fast_sin_error = 0, tanh_error = 0, fast_exp2_error = 0;
    for (int i = 0; i < 2000000; i++) {
        const double r = (double)random_bits() / 4294967296.0, x = (r - 0.5) * 600.0;
        const long double power = exp2l((long double)x);
        exp2_error = worst(exp2_error, td_exp2(x), power, power);
        const float octaves = (float)((r - 0.5) * 252.0);
        const long double fast_power = exp2l((long double)octaves);
        fast_exp2_error = worst(fast_exp2_error, td_exp2_fast(octaves), fast_power, fast_power);
        const double y = (double)power;
        const long double logarithm = log2l((long double)y), unit = fabsl(logarithm) > 1.0L ? fabsl(logarithm) : 1.0L;
        log2_error = worst(log2_error, td_log2(y), logarithm, unit);
        const double near_one = 1.0 + (r - 0.5) * 1e-3;
        log2_error = worst(log2_error, td_log2(near_one), log2l((long double)near_one), 1.0L);
        sin_error = worst(sin_error, td_sin_cycles(r * 4.0 - 2.0), sinl(two_pi * (long double)(r * 4.0 - 2.0)), 1.0L);
        const float c = (float)(r - 0.5), s = (float)((r - 0.5) * 30.0), small = (float)(r * 1e-4);
        fast_sin_error = worst(fast_sin_error, td_sin_cycles_fast(c), sinl(two_pi * (long double)c), 1.0L);
        const long double tiny = sinl(two_pi * (long double)small);
        if (small > 0.0f) fast_sin_error = worst(fast_sin_error, td_sin_cycles_fast(small), tiny, tiny);
        const long double t = tanhl((long double)s);
        if (s != 0.0f) tanh_error = worst(tanh_error, td_tanh_fast(s), t, fabsl(t));
        CHECK(fabsf(td_tanh_fast(s)) <= 1.0f && fabsf(td_sin_cycles_fast(c)) <= 1.000001f);
    }
    printf("exp2 %.1Le  log2 %.1Le  sin %.1Le  fast exp2 %.1Le  fast sin %.1Le  fast tanh %.1Le\n", exp2_error, log2_error, sin_error,
           fast_exp2_error, fast_sin_error, tanh_error);
    CHECK(fast_exp2_error < 3e-7L && exp2_error < 4e-16L && log2_error < 1e-15L && sin_error < 2e-15L && fast_sin_error < 3e-7L &&
          tanh_error < 1e-6L);
    return 0;
}
