/* SPDX-License-Identifier: MIT */
#ifndef TORCHDRUM_FILES_H
#define TORCHDRUM_FILES_H

#include "loader.h"

extern const t_loader_host pd_files;

/* Writes a file as a whole or not at all; NULL, or why not. */
const char *pd_write(const char *path, const char *text, size_t bytes);

#endif
