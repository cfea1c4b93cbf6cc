/* SPDX-License-Identifier: MIT */
#include "mock_max.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ext_critical.h"
#include "ext_drag.h"
#include "z_dsp.h"

enum { MOST = 256, LINE = 16384 };

static void fail(const char *why, const char *what)
{
    fprintf(stderr, "mock_max: %s %s\n", why, what);
    abort();
}

/* What no perform routine may do. */
static _Thread_local int performing;

static void not_in_perform(const char *what)
{
    if (performing) fail("in the audio thread:", what);
}

#ifdef MOCK_WATCHES_HEAP /* linked with --wrap for each */
void *__real_malloc(size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t bytes) { return not_in_perform("malloc"), __real_malloc(bytes); }
void *__wrap_realloc(void *memory, size_t bytes) { return not_in_perform("realloc"), __real_realloc(memory, bytes); }
void __wrap_free(void *memory) { not_in_perform("free"), __real_free(memory); }
#endif

static pthread_mutex_t world = PTHREAD_MUTEX_INITIALIZER; /* symbols, clocks, queue */
static _Thread_local int main_thread;
static int living;

static void count(int change) { __atomic_add_fetch(&living, change, __ATOMIC_SEQ_CST); }
int mock_leaks(void) { return __atomic_load_n(&living, __ATOMIC_SEQ_CST); }

void mock_main_thread(int is_main) { main_thread = is_main; }
short systhread_ismainthread(void) { return (short)main_thread; }

/* ---- log ---- */

static void (*log_line)(const char *);

void mock_log(void (*line)(const char *)) { log_line = line; }

void mock_say(const char *format, ...)
{
    char text[LINE];
    va_list arguments;
    if (!log_line) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_line(text);
}

/* ---- symbols and atoms ---- */

t_symbol *gensym(const char *s)
{
    static struct entry {
        t_symbol symbol;
        struct entry *next;
    } *table[1024];
    unsigned hash = 5381;
    not_in_perform("gensym");
    for (const char *c = s; *c; c++) hash = hash * 33 + (unsigned char)*c;
    pthread_mutex_lock(&world);
    struct entry **place = &table[hash % 1024];
    while (*place && strcmp((*place)->symbol.s_name, s)) place = &(*place)->next;
    if (!*place) {
        *place = calloc(1, sizeof **place);
        (*place)->symbol.s_name = malloc(strlen(s) + 1);
        strcpy((*place)->symbol.s_name, s);
    }
    t_symbol *found = &(*place)->symbol;
    pthread_mutex_unlock(&world);
    return found;
}

t_max_err atom_setlong(t_atom *a, t_atom_long b) { return a->a_type = A_LONG, a->a_w.w_long = b, MAX_ERR_NONE; }
t_max_err atom_setfloat(t_atom *a, double b) { return a->a_type = A_FLOAT, a->a_w.w_float = b, MAX_ERR_NONE; }
t_max_err atom_setsym(t_atom *a, t_symbol *b) { return a->a_type = A_SYM, a->a_w.w_sym = b, MAX_ERR_NONE; }
long atom_gettype(const t_atom *a) { return a->a_type; }

t_atom_long atom_getlong(const t_atom *a)
{
    return a->a_type == A_LONG ? a->a_w.w_long : a->a_type == A_FLOAT ? (t_atom_long)a->a_w.w_float : 0;
}

t_atom_float atom_getfloat(const t_atom *a)
{
    return a->a_type == A_FLOAT ? a->a_w.w_float : a->a_type == A_LONG ? (double)a->a_w.w_long : 0.0;
}

t_symbol *atom_getsym(const t_atom *a) { return a->a_type == A_SYM ? a->a_w.w_sym : gensym(""); }

t_max_err atom_alloc_array(long minsize, long *ac, t_atom **av, char *alloc)
{
    *alloc = 0;
    if (*ac && *av) return MAX_ERR_NONE;
    *av = malloc((size_t)minsize * sizeof **av);
    *ac = minsize;
    *alloc = 1;
    return *av ? MAX_ERR_NONE : MAX_ERR_OUT_OF_MEM;
}

void mock_words(char *to, size_t room, const char *head, t_symbol *s, long ac, const t_atom *av)
{
    size_t at = (size_t)snprintf(to, room, "%s%s%s", head, s ? "\t" : "", s ? s->s_name : "");
    for (long i = 0; i < ac && at < room; i++) {
        switch (av[i].a_type) {
        case A_LONG:
            at += (size_t)snprintf(to + at, room - at, "\t%lld", (long long)av[i].a_w.w_long);
            break;
        case A_FLOAT:
            at += (size_t)snprintf(to + at, room - at, "\t%.9g", av[i].a_w.w_float);
            break;
        case A_SYM:
            at += (size_t)snprintf(to + at, room - at, "\t%s", av[i].a_w.w_sym->s_name);
            break;
        default:
            fail("an atom of no known type", "");
        }
    }
    if (at >= room) fail("a line is too long:", to);
}

/* ---- classes ---- */

struct maxclass {
    t_symbol *name;
    method make, destroy;
    long size;
    struct {
        t_symbol *name;
        method fun;
        short type;
    } methods[MOST];
    t_object *attributes[MOST];
    int method_count, attribute_count, registered, is_dsp;
};

typedef struct attribute {
    t_object ob;
    t_symbol *name, *type;
    method get, set;
    long offset, size;
    double min, max;
    int is_clipped, property_count;
    struct {
        const char *name;
        char value[512];
    } properties[16];
} attribute;

/* What the host knows of an object, before its memory. */
typedef struct box {
    _Alignas(16) t_class *c;
    char name[64];
    t_object *dumpout;
    struct outlet *outlets[16];
    int outlet_count;
    t_perfroutine64 perform;
    void *user;
} box;

static box *box_of(void *x) { return (box *)x - 1; }
static t_class *class_of(void *x) { return (t_class *)((t_object *)x)->o_messlist; }

static t_class *classes[16];
static int class_count;

t_class *mock_class(const char *name)
{
    for (int i = 0; i < class_count; i++)
        if (strcmp(classes[i]->name->s_name, name) == 0 && classes[i]->registered) return classes[i];
    fail("there is no class", name);
    return NULL;
}

t_class *class_new(const char *name, const method mnew, const method mfree, long size, const method mmenu, short type, ...)
{
    t_class *c = calloc(1, sizeof *c);
    (void)mmenu;
    if (type != A_GIMME) fail("only constructors with A_GIMME are known here:", name);
    c->name = gensym(name);
    c->make = mnew;
    c->destroy = mfree;
    c->size = size;
    classes[class_count++] = c;
    return c;
}

t_max_err class_addmethod(t_class *c, const method m, const char *name, ...)
{
    va_list types;
    va_start(types, name);
    const int first = va_arg(types, int);
    if (first && va_arg(types, int) != 0) fail("the types do not end with 0:", name);
    va_end(types);
    for (int i = 0; i < c->method_count; i++)
        if (strcmp(c->methods[i].name->s_name, name) == 0) fail("a method twice:", name);
    if (c->method_count == MOST || !m) fail("no room, or no function, for", name);
    c->methods[c->method_count].name = gensym(name);
    c->methods[c->method_count].fun = m;
    c->methods[c->method_count++].type = (short)first;
    return MAX_ERR_NONE;
}

static int find_method(const t_class *c, const char *name)
{
    for (int i = 0; i < c->method_count; i++)
        if (strcmp(c->methods[i].name->s_name, name) == 0) return i;
    return -1;
}

method mock_method(void *x, const char *name)
{
    const int i = find_method(class_of(x), name);
    return i < 0 ? NULL : class_of(x)->methods[i].fun;
}

t_max_err class_register(t_symbol *name_space, t_class *c)
{
    if (name_space != gensym("box")) fail("not registered as a box:", c->name->s_name);
    c->registered = 1;
    return MAX_ERR_NONE;
}

static void msp_enable(t_pxobject *x, t_symbol *s, long ac, t_atom *av)
{
    (void)s;
    x->z_disabled = !(ac && atom_getlong(av));
}

void class_dspinit(t_class *c)
{
    c->is_dsp = 1;
    class_addmethod(c, (method)msp_enable, "enable", A_GIMME, 0);
}

void *object_method_imp(void *x, void *sym, void *p1, void *p2, void *p3, void *p4, void *p5, void *p6, void *p7, void *p8)
{
    const method m = mock_method(x, ((t_symbol *)sym)->s_name);
    typedef void *(*eight)(void *, void *, void *, void *, void *, void *, void *, void *, void *);
    return m ? ((eight)m)(x, p1, p2, p3, p4, p5, p6, p7, p8) : NULL;
}

/* ---- objects ---- */

void *object_alloc(t_class *c)
{
    box *b = calloc(1, sizeof *b + (size_t)c->size);
    b->c = c;
    t_object *x = (t_object *)(b + 1);
    x->o_messlist = (struct messlist *)c;
    count(1);
    return x;
}

t_symbol *object_classname(void *x) { return class_of(x)->name; }

/* Clocks are freed by object_free, too. */
static t_class clock_class;
static void free_clock(t_object *x);

t_max_err object_free(void *x)
{
    if (class_of(x) == &clock_class) {
        free_clock(x);
        return MAX_ERR_NONE;
    }
    ((void (*)(void *))class_of(x)->destroy)(x);
    for (int i = 0; i < box_of(x)->outlet_count; i++) free(box_of(x)->outlets[i]);
    free(box_of(x));
    count(-1);
    return MAX_ERR_NONE;
}

void *mock_new(const char *class_name, const char *name, long ac, t_atom *av)
{
    t_class *c = mock_class(class_name);
    void *x = ((void *(*)(t_symbol *, long, t_atom *))c->make)(c->name, ac, av);
    if (x) snprintf(box_of(x)->name, sizeof box_of(x)->name, "%s", name);
    return x;
}

void mock_free(void *x) { object_free(x); }
const char *mock_name(void *x) { return x ? box_of(x)->name : ""; }

static void say(const char *kind, t_object *x, const char *s, va_list arguments)
{
    char text[4096];
    not_in_perform(kind);
    vsnprintf(text, sizeof text, s, arguments);
    mock_say("%s\t%s\t%s", kind, mock_name(x), text);
}

void object_post(t_object *x, const char *s, ...)
{
    va_list arguments;
    va_start(arguments, s);
    say("post", x, s, arguments);
    va_end(arguments);
}

void object_error(t_object *x, const char *s, ...)
{
    va_list arguments;
    va_start(arguments, s);
    say("error", x, s, arguments);
    va_end(arguments);
}

t_max_err object_notify(void *x, t_symbol *s, void *data)
{
    (void)data;
    if (!main_thread) fail("a notification outside the main thread:", s->s_name);
    mock_say("notify\t%s\t%s", mock_name(x), s->s_name);
    return MAX_ERR_NONE;
}

/* ---- attributes ---- */

static t_class attribute_class;

static void *get_name(attribute *a) { return a->name; }

static attribute *new_attribute(const char *name, const t_symbol *type, method mget, method mset, long offset, long size)
{
    static const struct {
        const char *name;
        size_t size;
    } types[] = {{"float64", sizeof(double)}, {"atom_long", sizeof(t_atom_long)}, {"symbol", sizeof(void *)}, {"atom", sizeof(t_atom)}};
    attribute *a = calloc(1, sizeof *a);
    if (!attribute_class.method_count) class_addmethod(&attribute_class, (method)get_name, "getname", A_CANT, 0);
    a->ob.o_messlist = (struct messlist *)&attribute_class;
    a->name = gensym(name);
    a->get = mget;
    a->set = mset;
    a->offset = offset;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type->s_name, types[i].name) == 0) a->type = gensym(types[i].name), a->size = size * (long)types[i].size;
    if (!a->type) fail("a type of attributes that is not known here:", type->s_name);
    if (!mget || !mset) fail("only attributes with accessors are known here:", name);
    return a;
}

t_object *attr_offset_new(const char *name, const t_symbol *type, long flags, const method mget, const method mset, long offset)
{
    (void)flags;
    return &new_attribute(name, type, mget, mset, offset, 1)->ob;
}

t_object *attr_offset_array_new(const char *name, t_symbol *type, long size, long flags, method mget, method mset, long offsetcount,
                                long offset)
{
    (void)flags, (void)offsetcount;
    return &new_attribute(name, type, mget, mset, offset, size)->ob;
}

t_max_err attr_addfilter_clip(void *x, double min, double max, long usemin, long usemax)
{
    attribute *a = x;
    if (!usemin || !usemax || !(min < max)) fail("a filter without a range:", a->name->s_name);
    a->min = min;
    a->max = max;
    a->is_clipped = 1;
    return MAX_ERR_NONE;
}

static attribute *find_attribute(const t_class *c, const char *name)
{
    for (int i = 0; i < c->attribute_count; i++)
        if (strcmp(((attribute *)c->attributes[i])->name->s_name, name) == 0) return (attribute *)c->attributes[i];
    return NULL;
}

t_max_err class_addattr(t_class *c, t_object *attr)
{
    attribute *a = (attribute *)attr;
    if (find_attribute(c, a->name->s_name)) fail("an attribute twice:", a->name->s_name);
    if (a->offset < (long)sizeof(t_object) || a->offset + a->size > c->size) fail("outside the object's memory:", a->name->s_name);
    if (c->attribute_count == MOST) fail("no room for", a->name->s_name);
    c->attributes[c->attribute_count++] = attr;
    return MAX_ERR_NONE;
}

t_max_err class_attr_addattr_parse(t_class *c, const char *attrname, const char *attrname2, t_symbol *type, long flags,
                                   const char *parsestr)
{
    attribute *a = find_attribute(c, attrname);
    (void)type, (void)flags;
    if (!a || a->property_count == 16) fail("no attribute, or no room:", attrname);
    a->properties[a->property_count].name = gensym(attrname2)->s_name;
    snprintf(a->properties[a->property_count++].value, sizeof a->properties[0].value, "%s", parsestr);
    return MAX_ERR_NONE;
}

t_max_err class_attr_addattr_format(t_class *c, const char *attrname, const char *attrname2, const t_symbol *type, long flags,
                                    const char *fmt, ...)
{
    va_list arguments;
    if (strcmp(fmt, "s")) fail("a format that is not known here:", fmt);
    va_start(arguments, fmt);
    t_symbol *value = va_arg(arguments, t_symbol *);
    va_end(arguments);
    return class_attr_addattr_parse(c, attrname, attrname2, gensym(type->s_name), flags, value->s_name);
}

static const char *property(const attribute *a, const char *name)
{
    for (int i = 0; i < a->property_count; i++)
        if (strcmp(a->properties[i].name, name) == 0) return a->properties[i].value;
    return "";
}

t_max_err mock_attr_set(void *x, const char *name, long ac, t_atom *av)
{
    attribute *a = find_attribute(class_of(x), name);
    t_atom clipped[MOST];
    if (!a || ac > MOST) return MAX_ERR_GENERIC;
    for (long i = 0; i < ac; i++) {
        clipped[i] = av[i];
        if (!a->is_clipped || av[i].a_type == A_SYM) continue;
        const double value = atom_getfloat(&av[i]);
        if (value < a->min) atom_setfloat(&clipped[i], a->min);
        if (value > a->max) atom_setfloat(&clipped[i], a->max);
    }
    return ((t_max_err(*)(void *, void *, long, t_atom *))a->set)(x, a, ac, clipped);
}

t_max_err mock_attr_get(void *x, const char *name, long *ac, t_atom **av)
{
    attribute *a = find_attribute(class_of(x), name);
    *ac = 0;
    *av = NULL;
    return a ? ((t_max_err(*)(void *, void *, long *, t_atom **))a->get)(x, a, ac, av) : MAX_ERR_GENERIC;
}

t_max_err object_attr_touch(t_object *x, t_symbol *attrname)
{
    if (!main_thread || !find_attribute(class_of(x), attrname->s_name)) fail("touched what is none, or elsewhere:", attrname->s_name);
    mock_say("touch\t%s\t%s", mock_name(x), attrname->s_name);
    return MAX_ERR_NONE;
}

static int is_name(const t_atom *a) { return a->a_type == A_SYM && a->a_w.w_sym->s_name[0] == '@'; }

long attr_args_offset(short ac, t_atom *av)
{
    short i = 0;
    while (i < ac && !is_name(&av[i])) i++;
    return i;
}

void attr_args_process(void *x, short ac, t_atom *av)
{
    for (long i = attr_args_offset(ac, av), next; i < ac; i = next) {
        for (next = i + 1; next < ac && !is_name(&av[next]); next++) continue;
        if (mock_attr_set(x, av[i].a_w.w_sym->s_name + 1, next - i - 1, av + i + 1))
            mock_say("error\t%s\t%s is not a valid attribute argument", mock_name(x), av[i].a_w.w_sym->s_name);
    }
}

t_max_err object_obex_store(void *x, t_symbol *key, t_object *val)
{
    if (strcmp(key->s_name, "dumpout")) fail("only dumpout is kept:", key->s_name);
    box_of(x)->dumpout = val;
    return MAX_ERR_NONE;
}

void object_obex_dumpout(void *x, t_symbol *s, long argc, t_atom *argv) { outlet_anything(box_of(x)->dumpout, s, (short)argc, argv); }

/* ---- messages ---- */

static int send_get(void *x, t_symbol *s)
{
    long ac;
    t_atom *av;
    if (strncmp(s->s_name, "get", 3) || mock_attr_get(x, s->s_name + 3, &ac, &av)) return 0;
    object_obex_dumpout(x, gensym(s->s_name + 3), ac, av);
    free(av);
    return 1;
}

void mock_send(void *x, t_symbol *s, long ac, t_atom *av)
{
    t_class *c = class_of(x);
    int i = find_method(c, s->s_name);
    if (i >= 0 && c->methods[i].type == A_CANT) i = -1;
    if (i < 0 && !mock_attr_set(x, s->s_name, ac, av)) return;
    if (i < 0 && send_get(x, s)) return;
    const int is_number = strcmp(s->s_name, "int") == 0 || strcmp(s->s_name, "float") == 0;
    if (i < 0 && !is_number) i = find_method(c, "anything");
    if (i < 0)
        mock_say("error\t%s\tdoesn't understand \"%s\"", mock_name(x), s->s_name);
    else if (c->methods[i].type == A_GIMME)
        ((void (*)(void *, t_symbol *, long, t_atom *))c->methods[i].fun)(x, s, ac, av);
    else if (ac)
        mock_say("error\t%s\textra arguments for message \"%s\"", mock_name(x), s->s_name);
    else
        ((void (*)(void *))c->methods[i].fun)(x);
}

/* ---- outlets ---- */

typedef struct outlet {
    t_object ob;
    void *owner;
    int order; /* they are made from right to left */
    char type[32];
} outlet;

void *outlet_new(void *x, const char *s)
{
    box *b = box_of(x);
    outlet *o = calloc(1, sizeof *o);
    if (b->outlet_count == 16) fail("too many outlets", "");
    o->owner = x;
    o->order = b->outlet_count;
    snprintf(o->type, sizeof o->type, "%s", s ? s : "");
    b->outlets[b->outlet_count++] = o;
    return o;
}

static void *sent(outlet *o, const char *type, t_symbol *s, long ac, t_atom *av)
{
    char head[128], text[LINE];
    if (o->type[0] && strcmp(o->type, type)) fail("a message through an outlet of another type:", o->type);
    snprintf(head, sizeof head, "out\t%s\t%d\t%.6f", mock_name(o->owner), box_of(o->owner)->outlet_count - 1 - o->order, mock_time_ms());
    mock_words(text, sizeof text, head, s, ac, av);
    mock_say("%s", text);
    return NULL;
}

void *outlet_bang(t_outlet *x)
{
    not_in_perform("a message to an outlet");
    return sent(x, "bang", gensym("bang"), 0, NULL);
}

void *outlet_list(t_outlet *x, t_symbol *s, short ac, t_atom *av)
{
    (void)s;
    not_in_perform("a message to an outlet");
    return sent(x, "list", gensym("list"), ac, av);
}

void *outlet_anything(t_outlet *x, t_symbol *s, short ac, t_atom *av)
{
    not_in_perform("a message to an outlet");
    return sent(x, "", s, ac, av);
}

void stdinletinfo(t_object *s, void *b, long a, char *t) { (void)s, (void)b, (void)a, *t = 0; }

/* ---- clocks ---- */

typedef struct clock_entry {
    t_object ob;
    void *owner;
    method fn;
    double due;
    int set;
    struct clock_entry *next;
} clock_entry;

static clock_entry *clocks;
static double now_ms;

t_clock *clock_new(void *obj, method fn)
{
    clock_entry *c = calloc(1, sizeof *c);
    c->ob.o_messlist = (struct messlist *)&clock_class;
    c->owner = obj;
    c->fn = fn;
    pthread_mutex_lock(&world);
    c->next = clocks;
    clocks = c;
    pthread_mutex_unlock(&world);
    count(1);
    return c;
}

static void free_clock(t_object *x)
{
    pthread_mutex_lock(&world);
    clock_entry **place = &clocks;
    while (*place != (clock_entry *)x) place = &(*place)->next;
    *place = (*place)->next;
    pthread_mutex_unlock(&world);
    free(x);
    count(-1);
}

void clock_fdelay(t_clock *x, double f)
{
    clock_entry *c = x;
    pthread_mutex_lock(&world);
    c->due = now_ms + f;
    c->set = 1;
    pthread_mutex_unlock(&world);
}

void clock_delay(t_clock *x, long n) { clock_fdelay(x, (double)n); }

double mock_time_ms(void)
{
    pthread_mutex_lock(&world);
    const double time = now_ms;
    pthread_mutex_unlock(&world);
    return time;
}

void clock_getftime(double *time) { *time = mock_time_ms(); }
double systimer_gettime(void) { return 1e3 * (double)clock() / CLOCKS_PER_SEC; }

int mock_clocks_set(void)
{
    int set = 0;
    pthread_mutex_lock(&world);
    for (clock_entry *c = clocks; c; c = c->next) set += c->set;
    pthread_mutex_unlock(&world);
    return set;
}

void mock_run_until(double ms)
{
    for (;;) {
        clock_entry *first = NULL;
        pthread_mutex_lock(&world);
        for (clock_entry *c = clocks; c; c = c->next)
            if (c->set && c->due <= ms && (!first || c->due < first->due)) first = c;
        if (first) {
            first->set = 0;
            if (first->due > now_ms) now_ms = first->due;
        } else if (ms > now_ms) {
            now_ms = ms;
        }
        pthread_mutex_unlock(&world);
        if (!first) return;
        ((void (*)(void *))first->fn)(first->owner);
    }
}

/* ---- the main thread's queue ---- */

typedef struct qelem_entry {
    void *owner;
    method fn;
    int set;
    struct qelem_entry *next;
} qelem_entry;

static qelem_entry *queue;

void *qelem_new(void *obj, method fn)
{
    qelem_entry *q = calloc(1, sizeof *q);
    q->owner = obj;
    q->fn = fn;
    pthread_mutex_lock(&world);
    q->next = queue;
    queue = q;
    pthread_mutex_unlock(&world);
    count(1);
    return q;
}

void qelem_set(t_qelem *x)
{
    pthread_mutex_lock(&world);
    ((qelem_entry *)x)->set = 1;
    pthread_mutex_unlock(&world);
}

void qelem_free(t_qelem *x)
{
    pthread_mutex_lock(&world);
    qelem_entry **place = &queue;
    while (*place != x) place = &(*place)->next;
    *place = (*place)->next;
    pthread_mutex_unlock(&world);
    free(x);
    count(-1);
}

void mock_run_queue(void)
{
    if (!main_thread) fail("the queue is the main thread's", "");
    for (;;) {
        qelem_entry *first = NULL;
        pthread_mutex_lock(&world);
        for (qelem_entry *q = queue; q; q = q->next)
            if (q->set) first = q;
        if (first) first->set = 0;
        pthread_mutex_unlock(&world);
        if (!first) return;
        ((void (*)(void *))first->fn)(first->owner);
    }
}

/* ---- threads ---- */

long systhread_create(method entryproc, void *arg, long stacksize, long priority, long flags, t_systhread *thread)
{
    pthread_t *started = malloc(sizeof *started);
    (void)stacksize, (void)priority, (void)flags;
    if (pthread_create(started, NULL, (void *(*)(void *))entryproc, arg)) fail("no thread", "");
    *thread = started;
    count(1);
    return 0;
}

void systhread_exit(long status)
{
    (void)status;
    pthread_exit(NULL);
}

long systhread_join(t_systhread thread, unsigned int *retval)
{
    pthread_join(*(pthread_t *)thread, NULL);
    free(thread);
    *retval = 0;
    count(-1);
    return 0;
}

#ifdef _WIN32
void critical_new(t_critical *x)
{
    *x = malloc(sizeof **x);
    InitializeCriticalSection(*x);
    count(1);
}

void critical_free(t_critical x)
{
    DeleteCriticalSection(x);
    free(x);
    count(-1);
}

void critical_enter(t_critical x) { not_in_perform("a lock"), EnterCriticalSection(x); }
void critical_exit(t_critical x) { LeaveCriticalSection(x); }
#else
void critical_new(t_critical *x)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    *x = malloc(sizeof **x);
    pthread_mutex_init(*x, &recursive);
    pthread_mutexattr_destroy(&recursive);
    count(1);
}

void critical_free(t_critical x)
{
    pthread_mutex_destroy(x);
    free(x);
    count(-1);
}

void critical_enter(t_critical x) { not_in_perform("a lock"), pthread_mutex_lock(x); }
void critical_exit(t_critical x) { pthread_mutex_unlock(x); }
#endif

/* ---- files ---- */

static char folders[64][MAX_PATH_CHARS];
static short folder_count, search[16];
static int search_count;

static short folder_number(const char *path)
{
    for (short i = 0; i < folder_count; i++)
        if (strcmp(folders[i], path) == 0) return i;
    if (folder_count == 64) fail("too many folders", path);
    snprintf(folders[folder_count], sizeof folders[0], "%s", path);
    return folder_count++;
}

static char failing[256];

void mock_fail(const char *names) { snprintf(failing, sizeof failing, "%s", names); }
static int fails(const char *name) { return strstr(failing, name) != NULL; }

void mock_search(const char *folder) { search[search_count++] = folder_number(folder); }

static int is_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && (found.st_mode & S_IFMT) == S_IFREG;
}

short path_frompathname(const char *name, short *path, char *filename)
{
    char folder[MAX_PATH_CHARS];
    if (name[0] != '/' && !(name[0] && name[1] == ':')) return -1;
    snprintf(folder, sizeof folder, "%s", name);
    char *last = strrchr(folder, '/');
    if (!last) return -1;
    *last = 0;
    snprintf(filename, MAX_PATH_CHARS, "%s", last + 1);
    *path = folder_number(folder);
    return 0;
}

short locatefile_extended(char *name, short *outvol, t_fourcc *outtype, const t_fourcc *filetypelist, short numtypes)
{
    char path[2 * MAX_PATH_CHARS];
    (void)filetypelist, (void)numtypes;
    if (!main_thread) fail("a file is looked for outside the main thread:", name);
    for (int i = 0; i < search_count; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[search[i]], name);
        if (!is_file(path)) continue;
        *outtype = 0;
        return path_frompathname(path, outvol, name);
    }
    return -1;
}

struct _filestruct {
    FILE *file;
};

short path_opensysfile(const char *name, const short path, t_filehandle *ref, short perm)
{
    char whole[2 * MAX_PATH_CHARS];
    if (perm != PATH_READ_PERM || path < 0 || path >= folder_count) fail("not opened for reading, or in no folder:", name);
    snprintf(whole, sizeof whole, "%s/%s", folders[path], name);
    FILE *file = is_file(whole) ? fopen(whole, "rb") : NULL;
    if (!file) return -1;
    *ref = malloc(sizeof **ref);
    (*ref)->file = file;
    count(1);
    return 0;
}

/* Files are written into the folder that is searched first. */
short path_getdefault(void) { return search[0]; }

static void whole_path(char *to, size_t room, const char *name, short path)
{
    if (!main_thread || path < 0 || path >= folder_count) fail("not in the main thread, or in no folder:", name);
    snprintf(to, room, "%s/%s", folders[path], name);
}

short path_createsysfile(const char *name, short path, t_fourcc type, t_filehandle *ref)
{
    char whole[2 * MAX_PATH_CHARS];
    (void)type;
    whole_path(whole, sizeof whole, name, path);
    FILE *file = fails(__func__) ? NULL : fopen(whole, "wb");
    if (!file) return -1;
    *ref = malloc(sizeof **ref);
    (*ref)->file = file;
    count(1);
    return 0;
}

short path_deletefile(const char *name, const short path)
{
    char whole[2 * MAX_PATH_CHARS];
    whole_path(whole, sizeof whole, name, path);
    return (short)remove(whole);
}

/* Replaces nothing: the reference does not say that it does. */
short path_renamefile(const char *name, const short path, const char *newname)
{
    char from[2 * MAX_PATH_CHARS], to[2 * MAX_PATH_CHARS];
    whole_path(from, sizeof from, name, path);
    whole_path(to, sizeof to, newname, path);
    return is_file(to) || (fails(__func__) && is_file(from) && strstr(name, ".part")) ? -1 : (short)rename(from, to);
}

t_max_err sysfile_write(t_filehandle f, t_ptr_size *count_, const void *bufptr)
{
    const size_t wanted = *count_;
    *count_ = fwrite(bufptr, 1, fails(__func__) ? wanted / 2 : wanted, f->file);
    return *count_ == wanted ? MAX_ERR_NONE : MAX_ERR_GENERIC;
}

t_max_err sysfile_seteof(t_filehandle f, t_ptr_size logeof)
{
    return (t_ptr_size)ftell(f->file) == logeof && !fails(__func__) ? MAX_ERR_NONE : MAX_ERR_GENERIC;
}

t_max_err sysfile_geteof(t_filehandle f, t_ptr_size *logeof)
{
    fseek(f->file, 0, SEEK_END);
    *logeof = (t_ptr_size)ftell(f->file);
    rewind(f->file);
    return MAX_ERR_NONE;
}

t_max_err sysfile_read(t_filehandle f, t_ptr_size *count_, void *bufptr)
{
    const size_t wanted = *count_;
    *count_ = fread(bufptr, 1, wanted, f->file);
    return *count_ == wanted ? MAX_ERR_NONE : MAX_ERR_GENERIC;
}

t_max_err sysfile_close(t_filehandle f)
{
    fclose(f->file);
    free(f);
    count(-1);
    return MAX_ERR_NONE;
}

void fileusage_addfile(void *w, long flags, const char *name, short path)
{
    (void)w;
    mock_say("fileusage\t%ld\t%s\t%s", flags, folders[path], name);
}

/* ---- MSP ---- */

static int dsp_is_on;
static t_class chain_class;
static t_object chain = {(struct messlist *)&chain_class, 0, NULL, NULL};

void mock_dsp_state(int on) { dsp_is_on = on; }
int sys_getdspstate(void) { return dsp_is_on; }

void z_dsp_setup(t_pxobject *x, long nsignals) { x->z_count = (short)nsignals; }
void z_dsp_free(t_pxobject *x) { box_of(x)->perform = NULL; }

static void dsp_add64(t_object *dsp64, void *x, t_perfroutine64 perform, long flags, void *user)
{
    (void)dsp64, (void)flags;
    box_of(x)->perform = perform;
    box_of(x)->user = user;
}

void mock_dsp(void *x, double sample_rate, long max_vector)
{
    typedef void (*dsp64_method)(void *, t_object *, short *, double, long, long);
    short connected[8] = {1, 1, 1};
    if (!chain_class.method_count) class_addmethod(&chain_class, (method)dsp_add64, "dsp_add64", A_CANT, 0);
    box_of(x)->perform = NULL;
    ((dsp64_method)mock_method(x, "dsp64"))(x, &chain, connected, sample_rate, max_vector, 0);
    if (!box_of(x)->perform) fail("no perform routine was added by", mock_name(x));
}

void mock_perform(void *x, double *in, double *outs[], long n)
{
    if (((t_pxobject *)x)->z_disabled) {
        for (int o = 0; o < 2; o++) memset(outs[o], 0, (size_t)n * sizeof **outs);
        return;
    }
    double *ins[1] = {in};
    performing = 1;
    box_of(x)->perform(x, &chain, ins, 1, outs, 2, n, 0, box_of(x)->user);
    performing = 0;
}

/* ---- presets, dragging, saving ---- */

static struct {
    t_symbol *word;
    short count;
    t_atom values[32];
} stored[MOST];
static int stored_count;

void preset_store(char *fmt, ...)
{
    va_list arguments;
    char text[1024];
    if (strncmp(fmt, "oss", 3) || strlen(fmt) < 4 || strlen(fmt) > 3 + 32 || stored_count == MOST)
        fail("a format that is not known here:", fmt);
    va_start(arguments, fmt);
    void *x = va_arg(arguments, void *);
    if (va_arg(arguments, t_symbol *) != object_classname(x)) fail("the class is another", "");
    stored[stored_count].word = va_arg(arguments, t_symbol *);
    stored[stored_count].count = (short)(strlen(fmt) - 3);
    for (int i = 0; fmt[3 + i]; i++) {
        if (fmt[3 + i] == 's')
            atom_setsym(&stored[stored_count].values[i], va_arg(arguments, t_symbol *));
        else if (fmt[3 + i] == 'f')
            atom_setfloat(&stored[stored_count].values[i], va_arg(arguments, double));
        else
            fail("a format that is not known here:", fmt);
    }
    va_end(arguments);
    mock_words(text, sizeof text, "stored", stored[stored_count].word, stored[stored_count].count, stored[stored_count].values);
    mock_say("%s", text);
    stored_count++;
}

void mock_preset(void *x, int typed)
{
    stored_count = 0;
    if (typed)
        mock_send(x, gensym("preset"), 0, NULL);
    else
        object_method(x, gensym("preset"));
}

void mock_recall(void *x)
{
    for (int i = 0; i < stored_count; i++) mock_send(x, stored[i].word, stored[i].count, stored[i].values);
}

static const char *dragged = "";

long jdrag_matchdragrole(t_object *dx, t_symbol *role, long flags)
{
    (void)dx, (void)flags;
    return strcmp(role->s_name, dragged) == 0;
}

void jdrag_object_add(t_object *dg, t_object *obj, t_symbol *msg)
{
    (void)dg;
    mock_say("drop\t%s\t%s", mock_name(obj), msg->s_name);
}

void mock_drag(void *x, const char *role)
{
    dragged = role;
    for (int locked = 0; locked < 2; locked++) {
        const method m = mock_method(x, locked ? "acceptsdrag_locked" : "acceptsdrag_unlocked");
        mock_say("drag\t%ld", ((long (*)(void *, t_object *, t_object *))m)(x, NULL, NULL));
    }
}

void mock_saved(void *x)
{
    for (int i = 0; i < class_of(x)->attribute_count; i++) {
        attribute *a = (attribute *)class_of(x)->attributes[i];
        long ac;
        t_atom *av;
        char text[LINE];
        if (strcmp(property(a, "save"), "1")) continue;
        if (mock_attr_get(x, a->name->s_name, &ac, &av)) fail("an attribute that cannot be read:", a->name->s_name);
        mock_words(text, sizeof text, "saved", a->name, ac, av);
        mock_say("%s", text);
        free(av);
    }
}

void mock_describe(t_class *c)
{
    for (int i = 0; i < c->method_count; i++)
        mock_say("method\t%s\t%s", c->methods[i].name->s_name, c->methods[i].type == A_CANT ? "cant" : "message");
    for (int i = 0; i < c->attribute_count; i++) {
        attribute *a = (attribute *)c->attributes[i];
        mock_say("attribute\t%s\ttype\t%s", a->name->s_name, a->type->s_name);
        if (a->is_clipped) mock_say("attribute\t%s\trange\t%.9g\t%.9g", a->name->s_name, a->min, a->max);
        for (int p = 0; p < a->property_count; p++)
            mock_say("attribute\t%s\t%s\t%s", a->name->s_name, a->properties[p].name, a->properties[p].value);
    }
}
