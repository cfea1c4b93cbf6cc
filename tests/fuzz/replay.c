/* SPDX-License-Identifier: MIT
 * Gives files to a fuzz target, one after the other: replay FILE… */
#include "fuzz.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        static unsigned char data[1 << 20];
        FILE *const file = fopen(argv[i], "rb");
        CHECK(file);
        const size_t bytes = fread(data, 1, sizeof data, file);
        fclose(file);
        void *const copy = fuzz_copy(data, bytes);
        LLVMFuzzerTestOneInput(copy, bytes);
        free(copy);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
