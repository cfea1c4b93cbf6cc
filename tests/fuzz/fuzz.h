/* SPDX-License-Identifier: MIT
 * What the fuzz targets share. libFuzzer calls LLVMFuzzerTestOneInput; tests/fuzz/replay.c does where there is no libFuzzer. */
#ifndef FUZZ_H
#define FUZZ_H

#include "../c/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its own, so that a sanitizer sees a read past the end. */
static inline void *fuzz_copy(const void *data, size_t size)
{
    void *const copy = malloc(size ? size : 1);
    if (size) memcpy(copy, data, size);
    return copy;
}

/* The input as a sequence of choices; zeros when it is used up. */
typedef struct choices {
    const uint8_t *at, *end;
} choices;

static inline void choose_bytes(choices *c, void *to, size_t n)
{
    const size_t left = (size_t)(c->end - c->at), some = n < left ? n : left;
    memset(to, 0, n);
    memcpy(to, c->at, some);
    c->at += some;
}

static inline uint32_t choose(choices *c, uint32_t count)
{
    uint8_t byte;
    choose_bytes(c, &byte, 1);
    return byte % count;
}

static inline float choose_float(choices *c)
{
    float x;
    choose_bytes(c, &x, sizeof x);
    return x;
}

#endif
