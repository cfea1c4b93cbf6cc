/* SPDX-License-Identifier: MIT */
#ifndef TORCHDRUM_FILES_H
#define TORCHDRUM_FILES_H

#include "loader.h"

extern const t_loader_host pd_files;

#endif
