/* SPDX-License-Identifier: MIT
 * How Pd's side of the loader reads a file and runs a thread, and how a file is written. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#ifdef _WIN32
#include <io.h>
#define read _read
#else
#include <unistd.h>
#endif

#include "m_pd.h"

#ifndef O_BINARY
#define O_BINARY 0
#endif

static long read_file(t_load *load, unsigned char *data, size_t room)
{
    const int file = sys_open(load->path, O_RDONLY | O_BINARY);
    long got = -1, bytes = 0;
    if (file >= 0) {
        for (; (size_t)bytes < room; bytes += got) {
            got = (long)read(file, data + bytes, (unsigned)(room - (size_t)bytes));
            if (got <= 0) break;
        }
    }
    if (got < 0) load_fail(load, strerror(errno));
    if (file >= 0) sys_close(file);
    return got < 0 ? -1 : bytes;
}

_Static_assert(sizeof(pthread_t) <= sizeof(void *), "a pthread_t must fit into the loader");

static void *work(void *loader)
{
    loader_work(loader);
    return NULL;
}

static int start(void **thread, t_loader *loader)
{
    pthread_t started;
    if (pthread_create(&started, NULL, work, loader)) return 0;
    memcpy(thread, &started, sizeof started);
    return 1;
}

static void join(void *thread)
{
    pthread_t started;
    memcpy(&started, &thread, sizeof started);
    pthread_join(started, NULL);
}

const t_loader_host pd_files = {read_file, start, join};

/* First under another name, so that a full disk leaves the old file as it was. */
const char *pd_write(const char *path, const char *text, size_t bytes)
{
    char beside[MAXPDSTRING];
    if (snprintf(beside, sizeof beside, "%s.part", path) >= (int)sizeof beside) return "the name is too long";
    FILE *file = sys_fopen(beside, "wb");
    if (!file) return strerror(errno);
    int failed = fwrite(text, 1, bytes, file) == bytes ? 0 : errno;
    if (fclose(file) && !failed) failed = errno;
#ifdef _WIN32
    if (!failed) remove(path); /* rename does not replace there */
#endif
    if (!failed && rename(beside, path)) failed = errno;
    if (failed) remove(beside);
    return failed ? strerror(failed) : NULL;
}
