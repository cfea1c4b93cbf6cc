/* SPDX-License-Identifier: MIT
 * A stand-in for the part of Max's API that [torchdrum~] uses, written from the names and signatures of the public reference, so that the
 * object can be compiled and run without Max. tests/max/conformance.c compares this with the real headers, where they are. */
#ifndef STAND_IN_EXT_H
#define STAND_IN_EXT_H

#include <stddef.h>
#include <stdint.h>
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <pthread.h>
#endif

#ifdef _WIN32
#define C74_EXPORT __declspec(dllexport)
#else
#define C74_EXPORT __attribute__((visibility("default")))
#endif

typedef intptr_t t_ptr_int;
typedef uintptr_t t_ptr_uint;
typedef t_ptr_uint t_ptr_size;
typedef t_ptr_int t_atom_long; /* 64 bits everywhere, where a long of Windows has 32 */
typedef double t_atom_float;
typedef t_atom_long t_max_err;
typedef uint32_t t_fourcc;
typedef void *(*method)(void *);

enum { MAX_ERR_NONE = 0, MAX_ERR_GENERIC = -1, MAX_ERR_INVALID_PTR = -2, MAX_ERR_DUPLICATE = -3, MAX_ERR_OUT_OF_MEM = -4 };
enum { A_NOTHING = 0, A_LONG, A_FLOAT, A_SYM, A_OBJ, A_DEFLONG, A_DEFFLOAT, A_DEFSYM, A_GIMME, A_CANT };
enum { ASSIST_INLET = 1, ASSIST_OUTLET = 2, ASSIST_MAX_STRING_LEN = 500 };
enum { MAX_PATH_CHARS = 2048, PATH_READ_PERM = 1 };

struct object;
typedef void t_outlet, t_inlet, t_qelem, t_clock;
typedef struct maxclass t_class;

typedef struct symbol {
    char *s_name;
    struct object *s_thing;
} t_symbol;

typedef struct object {
    struct messlist *o_messlist;
    t_ptr_int o_magic;
    t_inlet *o_inlet;
    t_outlet *o_outlet;
} t_object;

union word {
    t_atom_long w_long;
    t_atom_float w_float;
    struct symbol *w_sym;
    struct object *w_obj;
};

typedef struct atom {
    short a_type;
    union word a_w;
} t_atom;

void C74_EXPORT ext_main(void *r);

t_symbol *gensym(const char *s);

t_max_err atom_setlong(t_atom *a, t_atom_long b);
t_max_err atom_setfloat(t_atom *a, double b);
t_max_err atom_setsym(t_atom *a, t_symbol *b);
t_atom_long atom_getlong(const t_atom *a);
t_atom_float atom_getfloat(const t_atom *a);
t_symbol *atom_getsym(const t_atom *a);
long atom_gettype(const t_atom *a);

void object_post(t_object *x, const char *s, ...);
void object_error(t_object *x, const char *s, ...);

void *outlet_new(void *x, const char *s);
void *outlet_bang(t_outlet *x);
void *outlet_list(t_outlet *x, t_symbol *s, short ac, t_atom *av);
void *outlet_anything(t_outlet *x, t_symbol *s, short ac, t_atom *av);
void stdinletinfo(t_object *s, void *b, long a, char *t);

t_clock *clock_new(void *obj, method fn);
void clock_delay(t_clock *x, long n);
void clock_getftime(double *time);
void clock_fdelay(t_clock *x, double f);
double systimer_gettime(void);
void *qelem_new(void *obj, method fn);
void qelem_set(t_qelem *x);
void qelem_free(t_qelem *x);

typedef void *t_systhread;
long systhread_create(method entryproc, void *arg, long stacksize, long priority, long flags, t_systhread *thread);
long systhread_join(t_systhread thread, unsigned int *retval);
void systhread_exit(long status);
short systhread_ismainthread(void);

typedef struct _filestruct t_filestruct;
typedef t_filestruct *t_filehandle;
short locatefile_extended(char *name, short *outvol, t_fourcc *outtype, const t_fourcc *filetypelist, short numtypes);
short path_frompathname(const char *name, short *path, char *filename);
short path_opensysfile(const char *name, const short path, t_filehandle *ref, short perm);
short path_createsysfile(const char *name, short path, t_fourcc type, t_filehandle *ref);
short path_deletefile(const char *name, const short path);
short path_renamefile(const char *name, const short path, const char *newname);
short path_getdefault(void);
t_max_err sysfile_geteof(t_filehandle f, t_ptr_size *logeof);
t_max_err sysfile_read(t_filehandle f, t_ptr_size *count, void *bufptr);
t_max_err sysfile_write(t_filehandle f, t_ptr_size *count, const void *bufptr);
t_max_err sysfile_seteof(t_filehandle f, t_ptr_size logeof);
t_max_err sysfile_close(t_filehandle f);
void fileusage_addfile(void *w, long flags, const char *name, short path);

void preset_store(char *fmt, ...);

#endif
