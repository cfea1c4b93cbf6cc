/* SPDX-License-Identifier: MIT
 * What [torchdrum~] believes of Max's API, as static assertions: they must hold for the stand-ins and for the real headers, natively and
 * for Windows, where a long has 32 bits. Compiling this file is the test. */
#include <stddef.h>
#include <stdint.h>

#include "ext.h"
#include "ext_critical.h"
#include "ext_drag.h"
#include "ext_obex.h"
#include "z_dsp.h"

#define SAME(a, b) _Static_assert(__builtin_types_compatible_p(a, b), #a " is not " #b)
#define FUNCTION(name, result, ...)                                                                                                        \
    typedef result expected_##name(__VA_ARGS__);                                                                                           \
    SAME(__typeof__(&name), expected_##name *)
#define CONSTANT(name, value) _Static_assert((name) == (value), #name)

SAME(t_atom_long, intptr_t);
SAME(t_atom_float, double);
SAME(t_max_err, intptr_t);
SAME(t_ptr_size, uintptr_t);
SAME(t_fourcc, uint32_t);
SAME(method, void *(*)(void *));
_Static_assert(sizeof(t_systhread) == sizeof(void *), "a thread is a pointer");
_Static_assert(sizeof(t_filehandle) == sizeof(void *), "a file is a pointer");
_Static_assert(sizeof(t_critical) == sizeof(void *), "a critical region is a pointer");

_Static_assert(sizeof(t_atom) == 16 && offsetof(t_atom, a_w) == 8, "atoms have 16 bytes");
_Static_assert(offsetof(t_symbol, s_name) == 0, "a symbol begins with its name");
_Static_assert(sizeof(t_object) == 4 * sizeof(void *), "the head of an object");
_Static_assert(offsetof(t_pxobject, z_ob) == 0 && offsetof(t_pxobject, z_in) == sizeof(t_object), "the head of an MSP object");
#ifdef _WIN32
_Static_assert(sizeof(long) == 4 && offsetof(t_pxobject, z_disabled) == sizeof(t_object) + 16, "a long has 32 bits");
#else
_Static_assert(sizeof(long) == 8 && offsetof(t_pxobject, z_disabled) == sizeof(t_object) + 16, "a long has 64 bits");
#endif
SAME(__typeof__(((t_pxobject *)0)->z_disabled), long);
SAME(t_perfroutine64, void (*)(t_object *, t_object *, double **, long, double **, long, long, long, void *));

CONSTANT(A_LONG, 1);
CONSTANT(A_FLOAT, 2);
CONSTANT(A_SYM, 3);
CONSTANT(A_GIMME, 8);
CONSTANT(A_CANT, 9);
CONSTANT(MAX_ERR_NONE, 0);
CONSTANT(MAX_ERR_GENERIC, -1);
CONSTANT(MAX_ERR_OUT_OF_MEM, -4);
CONSTANT(ASSIST_INLET, 1);
CONSTANT(ASSIST_OUTLET, 2);
CONSTANT(MAX_PATH_CHARS, 2048);
CONSTANT(PATH_READ_PERM, 1);

FUNCTION(gensym, t_symbol *, const char *);
FUNCTION(atom_setlong, t_max_err, t_atom *, t_atom_long);
FUNCTION(atom_setfloat, t_max_err, t_atom *, double);
FUNCTION(atom_setsym, t_max_err, t_atom *, t_symbol *);
FUNCTION(atom_getlong, t_atom_long, const t_atom *);
FUNCTION(atom_getfloat, t_atom_float, const t_atom *);
FUNCTION(atom_getsym, t_symbol *, const t_atom *);
FUNCTION(atom_gettype, long, const t_atom *);
FUNCTION(object_post, void, t_object *, const char *, ...);
FUNCTION(object_error, void, t_object *, const char *, ...);
FUNCTION(outlet_new, void *, void *, const char *);
FUNCTION(outlet_bang, void *, t_outlet *);
FUNCTION(outlet_list, void *, t_outlet *, t_symbol *, short, t_atom *);
FUNCTION(outlet_anything, void *, t_outlet *, t_symbol *, short, t_atom *);
FUNCTION(stdinletinfo, void, t_object *, void *, long, char *);
FUNCTION(clock_new, t_clock *, void *, method);
FUNCTION(clock_delay, void, t_clock *, long);
FUNCTION(clock_getftime, void, double *);
FUNCTION(clock_fdelay, void, t_clock *, double);
FUNCTION(systimer_gettime, double, void);
FUNCTION(qelem_new, void *, void *, method);
FUNCTION(qelem_set, void, t_qelem *);
FUNCTION(qelem_free, void, t_qelem *);
FUNCTION(systhread_create, long, method, void *, long, long, long, t_systhread *);
FUNCTION(systhread_join, long, t_systhread, unsigned int *);
FUNCTION(systhread_exit, void, long);
FUNCTION(systhread_ismainthread, short, void);
FUNCTION(locatefile_extended, short, char *, short *, t_fourcc *, const t_fourcc *, short);
FUNCTION(path_frompathname, short, const char *, short *, char *);
FUNCTION(path_opensysfile, short, const char *, short, t_filehandle *, short);
FUNCTION(path_createsysfile, short, const char *, short, t_fourcc, t_filehandle *);
FUNCTION(path_deletefile, short, const char *, short);
FUNCTION(path_renamefile, short, const char *, short, const char *);
FUNCTION(path_getdefault, short, void);
FUNCTION(sysfile_write, t_max_err, t_filehandle, t_ptr_size *, const void *);
FUNCTION(sysfile_seteof, t_max_err, t_filehandle, t_ptr_size);
FUNCTION(sysfile_geteof, t_max_err, t_filehandle, t_ptr_size *);
FUNCTION(sysfile_read, t_max_err, t_filehandle, t_ptr_size *, void *);
FUNCTION(sysfile_close, t_max_err, t_filehandle);
FUNCTION(fileusage_addfile, void, void *, long, const char *, short);
FUNCTION(preset_store, void, char *, ...);
FUNCTION(class_new, t_class *, const char *, method, method, long, method, short, ...);
FUNCTION(class_addmethod, t_max_err, t_class *, method, const char *, ...);
FUNCTION(class_addattr, t_max_err, t_class *, t_object *);
FUNCTION(class_register, t_max_err, t_symbol *, t_class *);
FUNCTION(attr_offset_new, t_object *, const char *, const t_symbol *, long, method, method, long);
FUNCTION(attr_offset_array_new, t_object *, const char *, t_symbol *, long, long, method, method, long, long);
FUNCTION(attr_addfilter_clip, t_max_err, void *, double, double, long, long);
FUNCTION(class_attr_addattr_format, t_max_err, t_class *, const char *, const char *, const t_symbol *, long, const char *, ...);
FUNCTION(class_attr_addattr_parse, t_max_err, t_class *, const char *, const char *, t_symbol *, long, const char *);
FUNCTION(attr_args_process, void, void *, short, t_atom *);
FUNCTION(attr_args_offset, long, short, t_atom *);
FUNCTION(atom_alloc_array, t_max_err, long, long *, t_atom **, char *);
FUNCTION(object_alloc, void *, t_class *);
FUNCTION(object_free, t_max_err, void *);
FUNCTION(object_classname, t_symbol *, void *);
FUNCTION(object_notify, t_max_err, void *, t_symbol *, void *);
FUNCTION(object_attr_touch, t_max_err, t_object *, t_symbol *);
FUNCTION(object_obex_store, t_max_err, void *, t_symbol *, t_object *);
FUNCTION(object_obex_dumpout, void, void *, t_symbol *, long, t_atom *);
FUNCTION(object_method_imp, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *);
FUNCTION(critical_new, void, t_critical *);
FUNCTION(critical_free, void, t_critical);
FUNCTION(critical_enter, void, t_critical);
FUNCTION(critical_exit, void, t_critical);
FUNCTION(jdrag_matchdragrole, long, t_object *, t_symbol *, long);
FUNCTION(jdrag_object_add, void, t_object *, t_object *, t_symbol *);
FUNCTION(class_dspinit, void, t_class *);
FUNCTION(z_dsp_setup, void, t_pxobject *, long);
FUNCTION(z_dsp_free, void, t_pxobject *);
FUNCTION(sys_getdspstate, int, void);

/* Macros that are used, as they are used. */
void *uses_of_macros(t_pxobject *x, t_object *chain);
void *uses_of_macros(t_pxobject *x, t_object *chain)
{
    dsp_setup(x, 1);
    dsp_free(x);
    class_register(CLASS_BOX, NULL);
    return object_method(chain, gensym("dsp_add64"), x, (t_perfroutine64)0, 0, NULL);
}
