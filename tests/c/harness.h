/* SPDX-License-Identifier: MIT
 * What the C tests share: an engine with the built-in model, a reproducible random generator, drum-like input. */
#ifndef HARNESS_H
#define HARNESS_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torchdrum.h"

#define CHECK(condition)                                                                                                                   \
    do {                                                                                                                                   \
        if (!(condition)) {                                                                                                                \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                                      \
            exit(1);                                                                                                                       \
        }                                                                                                                                  \
    } while (0)

static uint64_t harness_state = 88172645463325252u;

static inline uint32_t random_bits(void)
{
    harness_state ^= harness_state << 13;
    harness_state ^= harness_state >> 7;
    harness_state ^= harness_state << 17;
    return (uint32_t)(harness_state >> 32);
}

static inline float random_unit(void) { return (float)(random_bits() >> 8) / 16777216.0f; }

static inline td_model *harness_model(const void *file, size_t bytes)
{
    char why[TD_ERROR_BYTES];
    td_model *model = malloc(td_model_bytes(bytes));
    if (td_model_read(file, bytes, model, td_model_bytes(bytes), why) == TD_OK) return model;
    free(model);
    return NULL;
}

static inline td_model *harness_builtin(void)
{
    size_t bytes;
    const unsigned char *file = td_builtin_model(&bytes);
    td_model *model = harness_model(file, bytes);
    CHECK(model);
    return model;
}

/* n samples with a noise burst every period samples, decaying by 60 dB in a tenth of a second at 48 kHz. */
static inline void harness_strokes(float *x, size_t n, size_t period)
{
    for (size_t i = 0; i < n; i++) x[i] = (2.0f * random_unit() - 1.0f) * 0.5f * expf(-(float)(i % period) / 700.0f);
}

#endif
