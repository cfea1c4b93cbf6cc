/* SPDX-License-Identifier: MIT
 * Stand-in, see ext.h. */
#ifndef STAND_IN_EXT_CRITICAL_H
#define STAND_IN_EXT_CRITICAL_H

#include "ext.h"

#ifdef _WIN32
typedef LPCRITICAL_SECTION t_critical;
#else
typedef pthread_mutex_t *t_critical;
#endif

void critical_new(t_critical *x);
void critical_free(t_critical x);
void critical_enter(t_critical x);
void critical_exit(t_critical x);

#endif
