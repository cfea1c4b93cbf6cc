/* SPDX-License-Identifier: MIT
 * What the glue of every host shares above the core: models and presets read beside the sound, one thread at most, the newest request
 * for a model and for a preset waiting behind it. How a file is read and a thread started is the host's. */
#ifndef TORCHDRUM_LOADER_H
#define TORCHDRUM_LOADER_H

#include "torchdrum_object.h"

enum { LOADER_PATH = 1024 };

typedef struct t_load {
    uint32_t request;
    char name[LOADER_PATH], path[LOADER_PATH];
    short folder;    /* where path is looked up, for hosts that number folders */
    td_model *model; /* of a request for a model, and preset of one for a preset; when it failed, why says so */
    td_preset preset;
    char why[TD_ERROR_BYTES]; /* empty when it did not fail */
} t_load;

typedef struct t_loader t_loader;

typedef struct t_loader_host {
    /* At most room bytes of the file; returns how many, or -1 with load_fail. In the thread, or where load_read was called. */
    long (*read)(t_load *load, unsigned char *data, size_t room);
    int (*start)(void **thread, t_loader *loader); /* of a thread that calls loader_work; 1 when it runs */
    void (*join)(void *thread);
} t_loader_host;

struct t_loader {
    const t_loader_host *host;
    void *thread;
    t_load now, next[2]; /* by whether it is for a preset */
    int running, waiting[2];
    uint32_t finished; /* atomic */
};

/* The endings that a name may lack, NULL after the last. */
const char *const *load_endings(const t_load *load);
void load_not_found(t_load *load);
/* Tells the object. */
void load_answer(const t_load *load, td_object *object);

void load_fail(t_load *load, const char *why);
/* Reads at once. The model is allocated with malloc. */
void load_read(t_load *load, const t_loader_host *host);

void loader_init(t_loader *self, const t_loader_host *host);
void loader_work(t_loader *self);
void loader_start(t_loader *self, const t_load *load);
/* 1 when a load is finished and was copied to *load. */
int loader_poll(t_loader *self, t_load *load);
int loader_is_busy(const t_loader *self);
/* Waits for the thread and throws its result away. */
void loader_stop(t_loader *self);

/* The model that is compiled in, with malloc; NULL when there is no memory for it. */
const td_model *loader_builtin(void);
/* Another noise for every object: they must not sound like copies of each other. */
uint32_t loader_seed(const void *object);

#endif
