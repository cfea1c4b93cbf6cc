/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <stdlib.h>
#include <string.h>

#include "../src/td_atomic.h"

void load_fail(t_load *load, const char *why)
{
    strncpy(load->why, why, sizeof load->why - 1);
    load->why[sizeof load->why - 1] = 0;
}

void load_read(t_load *load, const t_loader_host *host)
{
    const size_t room = TD_MAX_MODEL_BYTES + 1; /* one more than a model may have */
    unsigned char *file = malloc(room);
    load->model = NULL;
    if (!file) {
        load_fail(load, "not enough memory");
        return;
    }
    const long bytes = host->read(load, file, room);
    td_model *model = bytes < 0 ? NULL : malloc(td_model_bytes((size_t)bytes));
    if (model && td_model_read(file, (size_t)bytes, model, td_model_bytes((size_t)bytes), load->why) == TD_OK) {
        load->model = model;
    } else {
        if (bytes >= 0 && !model) load_fail(load, "not enough memory");
        free(model);
    }
    free(file);
}

void loader_work(t_loader *self)
{
    load_read(&self->now, self->host);
    td_store_release(&self->finished, 1);
}

static void spawn(t_loader *self)
{
    self->finished = 0;
    self->running = self->host->start(&self->thread, self) ? 1 : 2;
    if (self->running == 2) loader_work(self); /* no thread to be had: read here rather than not at all */
}

void loader_init(t_loader *self, const t_loader_host *host)
{
    memset(self, 0, sizeof *self);
    self->host = host;
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
    if (!self->running || !td_load_acquire(&self->finished)) return 0;
    if (self->running == 1) self->host->join(self->thread);
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
    if (self->running == 1) self->host->join(self->thread);
    if (self->running) free(self->now.model);
    self->running = self->waiting = 0;
}

const td_model *loader_builtin(void)
{
    char why[TD_ERROR_BYTES];
    size_t bytes;
    const unsigned char *file = td_builtin_model(&bytes);
    td_model *model = malloc(td_model_bytes(bytes));
    if (model && td_model_read(file, bytes, model, td_model_bytes(bytes), why) == TD_OK) return model;
    free(model);
    return NULL;
}

uint32_t loader_seed(const void *object)
{
    const uint64_t bits = ((uint64_t)(uintptr_t)object >> 4) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(bits >> 40);
}
