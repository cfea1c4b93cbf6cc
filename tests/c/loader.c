/* SPDX-License-Identifier: MIT
 * The Pd object's file reader, without Pd: loader GOOD_MODEL BAD_FILE. Built with the thread sanitizer. */
#include <fcntl.h>
#include <unistd.h>

#include "../../pd_external/files.h"
#include "harness.h"

int sys_open(const char *path, int flags, ...) { return open(path, flags); }
int sys_close(int fd) { return close(fd); }
FILE *sys_fopen(const char *path, const char *mode) { return fopen(path, mode); }

/* Their lowest bits say what is asked for: a model. */
static uint32_t nth(uint32_t number) { return number << 3; }

static t_load request(uint32_t number, const char *path)
{
    t_load load;
    memset(&load, 0, sizeof load);
    load.request = nth(number);
    strncpy(load.path, path, sizeof load.path - 1);
    return load;
}

static t_load finish(t_loader *loader)
{
    t_load load;
    while (!loader_poll(loader, &load)) usleep(100);
    return load;
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    static t_loader loader;
    loader_init(&loader, &pd_files);
    const t_load good = request(1, argv[1]), bad = request(2, argv[2]), newest = request(3, argv[1]), none = request(4, "/nonexistent");
    for (int round = 0; round < 200; round++) {
        loader_start(&loader, &good);
        t_load load = finish(&loader);
        CHECK(load.request == nth(1) && load.model);
        free(load.model);

        loader_start(&loader, &bad); /* the newest waiting request wins */
        loader_start(&loader, &none);
        loader_start(&loader, &newest);
        load = finish(&loader);
        CHECK(load.request == nth(2) && !load.model && load.why[0]);
        load = finish(&loader);
        CHECK(load.request == nth(3) && load.model);
        free(load.model);
        CHECK(!loader_is_busy(&loader));

        loader_start(&loader, &none);
        load = finish(&loader);
        CHECK(!load.model && load.why[0]);

        loader_start(&loader, &good); /* the object is deleted in the middle */
        loader_stop(&loader);
        CHECK(!loader_is_busy(&loader));
    }
    puts("loaded, refused, superseded and stopped");
    return 0;
}
