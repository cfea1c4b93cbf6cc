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

static void read_model(t_load *load, const unsigned char *file, size_t bytes)
{
    td_model *model = malloc(td_model_bytes(bytes));
    if (!model) {
        load_fail(load, "not enough memory");
    } else if (td_model_read(file, bytes, model, td_model_bytes(bytes), load->why) == TD_OK) {
        load->why[0] = 0;
        load->model = model;
    } else {
        free(model);
    }
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
    if (bytes >= 0 && !td_request_is_preset(load->request))
        read_model(load, file, (size_t)bytes);
    else if (bytes >= 0 && td_preset_read((const char *)file, (size_t)bytes, &load->preset, load->why) == TD_OK)
        load->why[0] = 0;
    free(file);
}

const char *const *load_endings(const t_load *load)
{
    static const char *const of_models[] = {"", ".safetensors", NULL}, *const of_presets[] = {"", ".json", NULL};
    return td_request_is_preset(load->request) ? of_presets : of_models;
}

void load_not_found(t_load *load)
{
    load_fail(load, td_request_is_preset(load->request)
                        ? "there is no such preset file beside the patch or in the search path"
                        : "there is no such model beside the patch, in the search path or among those that came with the object");
}

void load_answer(const t_load *load, td_object *object)
{
    if (load->why[0])
        td_object_load_failed(object, load->request, load->name, load->why);
    else if (td_request_is_preset(load->request))
        td_object_read(object, load->request, load->name, &load->preset);
    else
        td_object_loaded(object, load->request, load->name, load->model);
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
        const int kind = td_request_is_preset(load->request);
        self->next[kind] = *load;
        self->waiting[kind] = 1;
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
    for (int kind = 0; kind < 2 && !self->running; kind++) {
        if (!self->waiting[kind]) continue;
        self->waiting[kind] = 0;
        self->now = self->next[kind];
        spawn(self);
    }
    return 1;
}

void loader_stop(t_loader *self)
{
    if (self->running == 1) self->host->join(self->thread);
    if (self->running) free(self->now.model);
    self->running = self->waiting[0] = self->waiting[1] = 0;
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
