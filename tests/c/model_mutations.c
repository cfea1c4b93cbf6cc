/* SPDX-License-Identifier: MIT
 * Hostile model files.
 *     model_mutations FILE          every truncation and every single-bit flip of FILE is refused with a reason
 *     model_mutations FILE COUNT    so many random mutations, with the checksum made right again half of the time, are refused or read
 *                                   and run without a crash */
#include "checksum.h"
#include "harness.h"

static unsigned char file[1 << 20], copy[1 << 20];
static size_t bytes;

/* The reader gets exactly the bytes it is told of, so that a sanitizer sees a read past the end. */
static td_model *try_read(const unsigned char *data, size_t n, char why[TD_ERROR_BYTES])
{
    unsigned char *exact = malloc(n ? n : 1);
    td_model *model = malloc(td_model_bytes(n));
    memcpy(exact, data, n);
    const td_status status = td_model_read(exact, n, model, td_model_bytes(n), why);
    free(exact);
    if (status == TD_OK) return model;
    free(model);
    CHECK(why[0]);
    return NULL;
}

static size_t mutate(unsigned char *data, size_t n)
{
    static const char *const words[] = {"{",
                                        "}",
                                        "\"",
                                        ":",
                                        ",",
                                        "[",
                                        "]",
                                        "F32",
                                        "-1",
                                        "1e400",
                                        "4294967296",
                                        "null",
                                        "\\u0041",
                                        "preset",
                                        "layers.9.weight",
                                        "99999999999999999999",
                                        "0.0",
                                        "\\"};
    const size_t header = n > 8 ? 8 + ((size_t)data[0] | (size_t)data[1] << 8) : n;
    const int edits = 1 + (int)(random_bits() % 4);
    for (int e = 0; e < edits && n > 16; e++) {
        const size_t limit = random_bits() % 2 && header < n ? header : n, at = random_bits() % limit;
        const char *word = words[random_bits() % (sizeof words / sizeof *words)];
        const size_t length = strlen(word), gap = random_bits() % 8;
        switch (random_bits() % 6) {
        case 0:
            data[at] ^= (unsigned char)(1u << random_bits() % 8);
            break;
        case 1:
            data[at] = (unsigned char)random_bits();
            break;
        case 2:
            if (at + length <= n) memcpy(data + at, word, length);
            break;
        case 3:
            if (at + gap < n) memmove(data + at, data + at + gap, n - at - gap), n -= gap;
            break;
        case 4:
            if (n + gap < sizeof copy) memmove(data + at + gap, data + at, n - at), n += gap;
            break;
        default:
            n = at;
            break;
        }
    }
    return n;
}

static void truncate_and_flip(void)
{
    char why[TD_ERROR_BYTES];
    for (size_t n = 0; n < bytes; n++) CHECK(!try_read(file, n, why));
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        file[bit / 8] ^= (unsigned char)(1u << bit % 8);
        CHECK(!try_read(file, bytes, why));
        file[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    printf("%zu truncations and %zu bit flips refused\n", bytes, 8 * bytes);
}

static void mutate_and_run(long count)
{
    char why[TD_ERROR_BYTES];
    long read = 0;
    for (long i = 0; i < count; i++) {
        memcpy(copy, file, bytes);
        const size_t n = mutate(copy, bytes);
        if (random_bits() % 2) mend_checksum(copy, n);
        td_model *model = try_read(copy, n, why);
        if (!model) continue;
        const float x[TD_FEATURES] = {random_unit(), random_unit(), random_unit()};
        float out[TD_PARAMS];
        td_model_run(model, x, out);
        for (int p = 0; p < TD_PARAMS; p++) CHECK(out[p] >= -1.0f && out[p] <= 1.0f);
        free(model);
        read++;
    }
    printf("of %ld mutations %ld were valid models\n", count, read);
}

int main(int argc, char **argv)
{
    char why[TD_ERROR_BYTES];
    CHECK(argc == 2 || argc == 3);
    FILE *f = fopen(argv[1], "rb");
    CHECK(f);
    bytes = fread(file, 1, sizeof file, f);
    fclose(f);
    td_model *whole = try_read(file, bytes, why);
    CHECK(whole);
    free(whole);
    if (argc == 2)
        truncate_and_flip();
    else
        mutate_and_run(atol(argv[2]));
    return 0;
}
