/* SPDX-License-Identifier: MIT
 * Reads model files beside the sound: one thread at most, the newest request waiting behind it. */
#ifndef TORCHDRUM_LOADER_H
#define TORCHDRUM_LOADER_H

#include <pthread.h>

#include "torchdrum.h"

enum { LOADER_PATH = 1024 };

typedef struct t_load {
    uint32_t request;
    char name[LOADER_PATH], path[LOADER_PATH];
    td_model *model; /* NULL when it failed; then why says so */
    char why[TD_ERROR_BYTES];
} t_load;

typedef struct t_loader {
    pthread_t thread;
    t_load now, next;
    int running, finished, waiting; /* finished is atomic */
} t_loader;

/* Reads at once. The model is allocated with malloc. */
void load_read(t_load *load);

void loader_start(t_loader *self, const t_load *load);
/* 1 when a load is finished and was copied to *load. */
int loader_poll(t_loader *self, t_load *load);
int loader_is_busy(const t_loader *self);
/* Waits for the thread and throws its result away. */
void loader_stop(t_loader *self);

#endif
