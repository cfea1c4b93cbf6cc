/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

static void reason(t_load *load, const char *why)
{
    strncpy(load->why, why, sizeof load->why - 1);
    load->why[sizeof load->why - 1] = 0;
}

/* The bytes of a file, at most one more than a model may have; NULL with a reason. */
static unsigned char *read_file(t_load *load, size_t *bytes)
{
    const size_t room = TD_MAX_MODEL_BYTES + 1;
    const int file = sys_open(load->path, O_RDONLY | O_BINARY);
    unsigned char *data = file >= 0 ? malloc(room) : NULL;
    if (!data) {
        reason(load, file < 0 ? strerror(errno) : "not enough memory");
        if (file >= 0) sys_close(file);
        return NULL;
    }
    long got = 0;
    for (*bytes = 0; *bytes < room; *bytes += (size_t)got) {
        got = (long)read(file, data + *bytes, (unsigned)(room - *bytes));
        if (got <= 0) break;
    }
    if (got < 0) {
        reason(load, strerror(errno));
        free(data);
        data = NULL;
    }
    sys_close(file);
    return data;
}

void load_read(t_load *load)
{
    size_t bytes;
    unsigned char *file = read_file(load, &bytes);
    load->model = NULL;
    if (!file) return;
    const size_t room = td_model_bytes(bytes);
    td_model *model = malloc(room);
    if (!model) {
        reason(load, "not enough memory");
    } else if (td_model_read(file, bytes, model, room, load->why) == TD_OK) {
        load->model = model;
    } else {
        free(model);
    }
    free(file);
}

static void *work(void *context)
{
    t_loader *self = context;
    load_read(&self->now);
    __atomic_store_n(&self->finished, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void spawn(t_loader *self)
{
    self->finished = 0;
    self->running = pthread_create(&self->thread, NULL, work, self) == 0;
    if (self->running) return;
    self->running = 2; /* no thread to be had: read here rather than not at all */
    work(self);
}

void loader_start(t_loader *self, const t_load *load)
{
    if (self->running) {
        self->next = *load;
        self->waiting = 1;
        return;
    }
    self->now = *load;
    spawn(self);
}

int loader_is_busy(const t_loader *self) { return self->running; }

int loader_poll(t_loader *self, t_load *load)
{
    if (!self->running || !__atomic_load_n(&self->finished, __ATOMIC_ACQUIRE)) return 0;
    if (self->running == 1) pthread_join(self->thread, NULL);
    self->running = 0;
    *load = self->now;
    if (self->waiting) {
        self->waiting = 0;
        self->now = self->next;
        spawn(self);
    }
    return 1;
}

void loader_stop(t_loader *self)
{
    if (self->running == 1) pthread_join(self->thread, NULL);
    if (self->running) free(self->now.model);
    self->running = self->waiting = 0;
}
