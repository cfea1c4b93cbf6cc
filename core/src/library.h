/* SPDX-License-Identifier: MIT
 * What a control side keeps: the patches that the engine may be reading, and the models that were loaded (contract of td_engine_publish).
 * It allocates nothing; models come from and go back to the host. */
#ifndef TD_LIBRARY_H
#define TD_LIBRARY_H

#include "torchdrum.h"

/* Active, pending, retired and one to write to. */
enum { TD_PATCHES = 4 };
/* More than patches can hold at once, so that there is always one that nobody needs. */
enum { TD_MODELS = (TD_PATCHES + 1) * TD_MODEL_SLOTS + 2 };
enum { TD_PATH_BYTES = 1024 };

typedef struct td_library {
    td_patch patches[TD_PATCHES];
    int in_use[TD_PATCHES]; /* published and not come back */
    struct {
        td_model *model;
        char name[TD_PATH_BYTES];
    } models[TD_MODELS];
    int oldest; /* where the search for a model to forget begins */
} td_library;

/* Publishes a copy of the patch. */
void td_library_publish(td_library *self, td_engine *engine, const td_patch *patch);
/* The copy with which an engine is initialised; no engine reads any other from here on. */
const td_patch *td_library_restart(td_library *self, const td_patch *patch);

const td_model *td_library_find(const td_library *self, const char *name);
/* Keeps a model under a name, instead of the one that had it. Returns a model that nobody needs any more, or NULL. */
td_model *td_library_add(td_library *self, const char *name, td_model *model, const td_patch *edited);
/* Takes any model out, NULL when there is none left. The engine must have stopped. */
td_model *td_library_take(td_library *self);

#endif
