/* SPDX-License-Identifier: MIT
 * What a control side keeps: the patches that an engine may be reading, and the models that were loaded (contract of td_engine_publish).
 * It allocates nothing; models come from and go back to the host. */
#ifndef TD_LIBRARY_H
#define TD_LIBRARY_H

#include "torchdrum.h"

/* Active, pending, retired and one to write to. */
enum { TD_PATCHES = 4 };
/* More than the patches of one engine can hold at once, and some for the channels that have not played since. */
enum { TD_MODELS = (TD_PATCHES + 1) * TD_MODEL_SLOTS + 14 };
enum { TD_PATH_BYTES = 1024 };

/* The patches of one engine. */
typedef struct td_pool {
    td_patch patches[TD_PATCHES];
    int in_use[TD_PATCHES]; /* published and not come back */
} td_pool;

/* Publishes a copy of the patch. */
void td_pool_publish(td_pool *self, td_engine *engine, const td_patch *patch);
/* The copy with which an engine is initialised; no engine reads any other from here on. */
const td_patch *td_pool_restart(td_pool *self, const td_patch *patch);
int td_pool_uses(const td_pool *self, const td_model *model);
int td_patch_uses(const td_patch *patch, const td_model *model);

typedef struct td_library {
    struct {
        td_model *model;
        char name[TD_PATH_BYTES];
    } models[TD_MODELS];
    int oldest; /* where the search for a model to forget begins */
} td_library;

const td_model *td_library_find(const td_library *self, const char *name);
/* Keeps a model under a name, instead of the one that had it, and forgets the oldest one that nobody needs. Returns what was forgotten or,
 * when all are needed, the model itself; NULL when there was room. */
td_model *td_library_add(td_library *self, const char *name, td_model *model, int (*is_needed)(const void *, const td_model *),
                         const void *context);
/* The model goes on, but is not found any more: to read its file again. */
void td_library_forget(td_library *self, const char *name);
/* Takes any model out, NULL when there is none left. The engines must have stopped. */
td_model *td_library_take(td_library *self);

#endif
