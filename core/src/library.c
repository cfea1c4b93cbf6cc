/* SPDX-License-Identifier: MIT */
#include "library.h"

#include "params.h"
#include "text.h"

static void came_back(td_library *self, const td_patch *patch)
{
    if (patch) self->in_use[patch - self->patches] = 0;
}

void td_library_publish(td_library *self, td_engine *engine, const td_patch *patch)
{
    int slot = 0;
    came_back(self, td_engine_collect(engine));
    while (slot < TD_PATCHES - 1 && self->in_use[slot]) slot++;
    self->patches[slot] = *patch;
    self->in_use[slot] = 1;
    came_back(self, td_engine_publish(engine, &self->patches[slot]));
}

const td_patch *td_library_restart(td_library *self, const td_patch *patch)
{
    for (int i = 1; i < TD_PATCHES; i++) self->in_use[i] = 0;
    self->patches[0] = *patch;
    self->in_use[0] = 1;
    return &self->patches[0];
}

static int uses(const td_patch *patch, const td_model *model)
{
    for (int s = 0; s < TD_MODEL_SLOTS; s++)
        if (patch->model[s] == model) return 1;
    return 0;
}

static int is_needed(const td_library *self, const td_model *model, const td_patch *edited)
{
    int needed = uses(edited, model);
    for (int i = 0; i < TD_PATCHES; i++) needed |= self->in_use[i] && uses(&self->patches[i], model);
    return needed;
}

const td_model *td_library_find(const td_library *self, const char *name)
{
    for (int i = 0; i < TD_MODELS; i++)
        if (self->models[i].model && td_same_text(self->models[i].name, name)) return self->models[i].model;
    return NULL;
}

td_model *td_library_add(td_library *self, const char *name, td_model *model, const td_patch *edited)
{
    int place = -1;
    for (int i = 0; i < TD_MODELS; i++) {
        if (!self->models[i].model)
            place = place < 0 ? i : place;
        else if (td_same_text(self->models[i].name, name))
            self->models[i].name[0] = 0; /* stays until nothing needs it */
    }
    while (place < 0) {
        if (!is_needed(self, self->models[self->oldest].model, edited)) place = self->oldest;
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
