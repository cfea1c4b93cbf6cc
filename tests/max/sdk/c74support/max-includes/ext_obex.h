/* SPDX-License-Identifier: MIT
 * Stand-in, see ext.h: classes, attributes. */
#ifndef STAND_IN_EXT_OBEX_H
#define STAND_IN_EXT_OBEX_H

#include "ext.h"

#define CLASS_BOX gensym("box")

t_class *class_new(const char *name, const method mnew, const method mfree, long size, const method mmenu, short type, ...);
t_max_err class_addmethod(t_class *c, const method m, const char *name, ...);
t_max_err class_addattr(t_class *c, t_object *attr);
t_max_err class_register(t_symbol *name_space, t_class *c);

t_object *attr_offset_new(const char *name, const t_symbol *type, long flags, const method mget, const method mset, long offset);
t_object *attr_offset_array_new(const char *name, t_symbol *type, long size, long flags, method mget, method mset, long offsetcount,
                                long offset);
t_max_err attr_addfilter_clip(void *x, double min, double max, long usemin, long usemax);
t_max_err class_attr_addattr_format(t_class *c, const char *attrname, const char *attrname2, const t_symbol *type, long flags,
                                    const char *fmt, ...);
t_max_err class_attr_addattr_parse(t_class *c, const char *attrname, const char *attrname2, t_symbol *type, long flags,
                                   const char *parsestr);
void attr_args_process(void *x, short ac, t_atom *av);
long attr_args_offset(short ac, t_atom *av);
t_max_err atom_alloc_array(long minsize, long *ac, t_atom **av, char *alloc);

void *object_alloc(t_class *c);
t_max_err object_free(void *x);
t_symbol *object_classname(void *x);
t_max_err object_notify(void *x, t_symbol *s, void *data);
t_max_err object_attr_touch(t_object *x, t_symbol *attrname);
t_max_err object_obex_store(void *x, t_symbol *key, t_object *val);
void object_obex_dumpout(void *x, t_symbol *s, long argc, t_atom *argv);

/* Eight pointers, whatever is given: never a double. */
void *object_method_imp(void *x, void *sym, void *p1, void *p2, void *p3, void *p4, void *p5, void *p6, void *p7, void *p8);
#define STAND_IN_PAD(x, s, p1, p2, p3, p4, p5, p6, p7, p8, ...)                                                                            \
    object_method_imp(x, s, (void *)(p1), (void *)(p2), (void *)(p3), (void *)(p4), (void *)(p5), (void *)(p6), (void *)(p7), (void *)(p8))
#define object_method(...) STAND_IN_PAD(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0, 0)

#endif
