/* SPDX-License-Identifier: MIT
 * Stand-in, see ext.h. */
#ifndef STAND_IN_EXT_DRAG_H
#define STAND_IN_EXT_DRAG_H

#include "ext.h"

long jdrag_matchdragrole(t_object *dx, t_symbol *role, long flags);
void jdrag_object_add(t_object *dg, t_object *obj, t_symbol *msg);

#endif
