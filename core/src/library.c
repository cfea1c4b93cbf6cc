/* SPDX-License-Identifier: MIT */
#include "library.h"

#include "params.h"
#include "text.h"

static void came_back(td_pool *self, const td_patch *patch)
{
    if (patch) self->in_use[patch - self->patches] = 0;
}

void td_pool_publish(td_pool *self, td_engine *engine, const td_patch *patch)
{
    int slot = 0;
    came_back(self, td_engine_collect(engine));
    while (slot < TD_PATCHES - 1 && self->in_use[slot]) slot++;
    self->patches[slot] = *patch;
    self->in_use[slot] = 1;
    came_back(self, td_engine_publish(engine, &self->patches[slot]));
}

const td_patch *td_pool_restart(td_pool *self, const td_patch *patch)
{
    for (int i = 1; i < TD_PATCHES; i++) self->in_use[i] = 0;
    self->patches[0] = *patch;
    self->in_use[0] = 1;
    return &self->patches[0];
}

int td_patch_uses(const td_patch *patch, const td_model *model)
{
    for (int s = 0; s < TD_MODEL_SLOTS; s++)
        if (patch->model[s] == model) return 1;
    return 0;
}

int td_pool_uses(const td_pool *self, const td_model *model)
{
    for (int i = 0; i < TD_PATCHES; i++)
        if (self->in_use[i] && td_patch_uses(&self->patches[i], model)) return 1;
    return 0;
}

const td_model *td_library_find(const td_library *self, const char *name)
{
    for (int i = 0; i < TD_MODELS; i++)
        if (self->models[i].model && td_same_text(self->models[i].name, name)) return self->models[i].model;
    return NULL;
}

void td_library_forget(td_library *self, const char *name)
{
    for (int i = 0; i < TD_MODELS; i++)
        if (self->models[i].model && td_same_text(self->models[i].name, name)) self->models[i].name[0] = 0;
}

td_model *td_library_add(td_library *self, const char *name, td_model *model, int (*is_needed)(const void *, const td_model *),
                         const void *context)
{
    int place = -1;
    td_library_forget(self, name);
    for (int i = TD_MODELS - 1; i >= 0; i--)
        if (!self->models[i].model) place = i;
    for (int tried = 0; place < 0; tried++) {
        if (tried == TD_MODELS) return model;
        if (!is_needed(context, self->models[self->oldest].model)) place = self->oldest;
        self->oldest = (self->oldest + 1) % TD_MODELS;
    }
    td_model *forgotten = self->models[place].model;
    td_text text = td_text_in(self->models[place].name, TD_PATH_BYTES);
    td_text_add(&text, name);
    self->models[place].model = model;
    return forgotten;
}

td_model *td_library_take(td_library *self)
{
    for (int i = 0; i < TD_MODELS; i++) {
        td_model *model = self->models[i].model;
        self->models[i].model = NULL;
        if (model) return model;
    }
    return NULL;
}
