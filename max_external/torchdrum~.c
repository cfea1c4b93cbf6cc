/* SPDX-License-Identifier: MIT
 * [torchdrum~] for Max: a thin wrapper. What the messages mean is core/src/object.c; the sound is core/src/engine.c.
 *
 * Messages come from Max's main thread and from its scheduler: `lock` serialises them, and what they answer is sent when it is free again.
 * The audio thread takes no lock: it runs the engine and sets a clock when there is news. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ext.h"
#include "ext_critical.h"
#include "ext_drag.h"
#include "ext_obex.h"
#include "z_dsp.h"

#include "../core/src/params.h"
#include "../core/src/td_atomic.h"
#include "loader.h"
#include "torchdrum_object.h"

#ifdef __MINGW32__
/* MaxAudio.lib exports a DllMain of its own, which the linker would take: Max then refuses the object. */
BOOL WINAPI DllMain(HINSTANCE library, DWORD why, LPVOID reserved)
{
    (void)library, (void)why, (void)reserved;
    return TRUE;
}
#endif

enum {
    CHUNK = 64,
    MAX_ATOMS = TD_STATE_VALUES + 1,
    POLL_MS = 5,
    ATTRIBUTES = TD_PARAM_COUNT + TD_CONTROL_COUNT,
    STATE_ATOMS = 1024,
    SHORT_NAMES = 64,      /* more than models that an object keeps */
    JSON_TYPE = 0x4a534f4e /* 'JSON' */
};

_Static_assert(TD_CONTROL_COUNT <= 32, "t_torchdrum.own has a bit for each control");

typedef struct t_answer {
    t_symbol *selector;
    short count;
    t_atom atoms[MAX_ATOMS];
} t_answer;

/* What one message says on the info outlet, kept until the lock is free. */
typedef struct t_turn {
    t_answer *answers;
    int count, room;
} t_turn;

/* A text to be written, in the main thread. */
typedef struct t_write {
    struct t_write *next;
    char name[LOADER_PATH];
    size_t bytes;
    char text[TD_PRESET_BYTES];
} t_write;

/* A file that was asked for by its path, and the name by which Max finds it anywhere. */
typedef struct t_short_name {
    t_symbol *path, *name;
} t_short_name;

typedef struct t_state {
    struct t_torchdrum *owner;
    long count;
    t_atom atoms[STATE_ATOMS];
} t_state;

/* The value of an attribute as Max was told of it last; which of the three depends on its type. */
typedef struct t_shown {
    double number;
    t_atom_long whole;
    t_symbol *word;
} t_shown;

typedef struct t_torchdrum {
    t_pxobject obj;
    void *hit, *features, *params, *info; /* outlets */
    t_clock *news, *poll;
    t_qelem *files, *changed, *settled;
    t_critical lock;
    td_object *object;
    t_turn *turn;
    t_loader loader;
    t_load wanted[2]; /* to be looked for in the main thread: model and preset */
    int has_wanted[2];
    t_write *writes; /* the oldest first */
    t_short_name short_names[SHORT_NAMES];
    int short_count; /* of all that ever were */
    int in_files;    /* the main thread's alone */
    double sample_rate;
    uint32_t position, vector; /* samples played and length of the last vector; atomic */
    uint32_t waiting;          /* a hit is taken from the ring and not yet due; atomic */
    uint32_t reached;          /* sample of the hit that was waited for last; atomic */
    uint32_t performed_us;     /* scheduler's time of the last vector; atomic */
    td_event event;
    int creating;
    uint32_t restoring; /* atomic */
    uint32_t own;       /* controls that attributes have set while restoring, by td_control */
    t_atom own_value[TD_CONTROL_COUNT];
    t_shown shown[ATTRIBUTES];
    t_state sound; /* where Max may keep the attribute; its accessors do not use it */
} t_torchdrum;

static t_class *torchdrum_class;
static const td_model *builtin; /* read once in ext_main, never freed */

/* ---- atoms ---- */

static t_atom to_max(td_atom from)
{
    t_atom a;
    if (from.text)
        atom_setsym(&a, gensym(from.text));
    else
        atom_setfloat(&a, from.number);
    return a;
}

static td_atom from_max(const t_atom *from)
{
    td_atom a = {NULL, 0.0};
    switch (atom_gettype(from)) {
    case A_LONG:
        a.number = (double)atom_getlong(from);
        break;
    case A_FLOAT:
        a.number = (double)atom_getfloat(from);
        break;
    case A_SYM:
        a.text = atom_getsym(from)->s_name;
        break;
    default:
        a.text = "";
    }
    return a;
}

/* ---- what the object says ---- */

static void torchdrum_info(void *context, const char *selector, int count, const td_atom *atoms)
{
    t_torchdrum *x = context;
    t_turn *turn = x->turn;
    if (x->creating) return; /* nothing is connected yet */
    if (turn->count == turn->room) {
        const int room = turn->room ? 2 * turn->room : 4;
        t_answer *more = realloc(turn->answers, (size_t)room * sizeof *more);
        if (!more) return;
        turn->answers = more;
        turn->room = room;
    }
    t_answer *answer = &turn->answers[turn->count++];
    answer->selector = gensym(selector);
    answer->count = (short)(count < MAX_ATOMS ? count : MAX_ATOMS);
    for (int i = 0; i < answer->count; i++) answer->atoms[i] = to_max(atoms[i]);
}

static void torchdrum_say(void *context, td_severity severity, const char *line)
{
    t_torchdrum *x = context;
    if (severity == TD_SAY_ERROR)
        object_error((t_object *)x, "%s", line);
    else
        object_post((t_object *)x, "%s", line);
}

static void torchdrum_release(void *context, td_model *model)
{
    (void)context;
    free(model);
}

static void torchdrum_files(t_torchdrum *x);

static void turn_begin(t_torchdrum *x, t_turn *turn)
{
    memset(turn, 0, sizeof *turn);
    critical_enter(x->lock);
    x->turn = turn;
}

static void turn_end(t_torchdrum *x, t_turn *turn)
{
    const int files = x->has_wanted[0] || x->has_wanted[1] || x->writes != NULL;
    x->turn = NULL;
    critical_exit(x->lock);
    for (int i = 0; i < turn->count; i++)
        outlet_anything(x->info, turn->answers[i].selector, turn->answers[i].count, turn->answers[i].atoms);
    free(turn->answers);
    if (!files) return;
    if (systhread_ismainthread())
        torchdrum_files(x);
    else
        qelem_set(x->files);
}

static uint32_t scheduler_us(void)
{
    double ms;
    clock_getftime(&ms);
    return (uint32_t)(int64_t)(ms * 1000.0);
}

/* Samples from the start of the next vector to the scheduler's time of this message: what comes in the time of a vector plays in the
 * next, at the same distances. */
static uint32_t delay(const t_torchdrum *x)
{
    const double since_s = 1e-6 * (double)(int32_t)(scheduler_us() - td_load_relaxed(&x->performed_us));
    const double samples = since_s * x->sample_rate + 0.5;
    return sys_getdspstate() && samples >= 0.0 && samples < td_load_relaxed(&x->vector) + 1.0 ? (uint32_t)samples : 0;
}

static void torchdrum_send(t_torchdrum *x, const char *word, long count, const t_atom *atoms)
{
    td_atom given[MAX_ATOMS];
    t_turn turn;
    if (count > MAX_ATOMS) {
        object_error((t_object *)x, "%s: too many arguments", word);
        return;
    }
    for (long i = 0; i < count; i++) given[i] = from_max(&atoms[i]);
    turn_begin(x, &turn);
    td_object_delay(x->object, delay(x));
    td_object_message(x->object, word, (int)count, given);
    turn_end(x, &turn);
    qelem_set(x->changed);
}

/* ---- loading ---- */

static long read_file(t_load *load, unsigned char *data, size_t room)
{
    t_filehandle file;
    t_ptr_size bytes = 0;
    if (path_opensysfile(load->path, load->folder, &file, PATH_READ_PERM)) {
        load_fail(load, "the file cannot be opened");
        return -1;
    }
    t_max_err error = sysfile_geteof(file, &bytes);
    if (bytes > room) bytes = room;
    if (!error && bytes) error = sysfile_read(file, &bytes, data);
    sysfile_close(file);
    if (error) load_fail(load, "the file cannot be read");
    return error ? -1 : (long)bytes;
}

static void *work(t_loader *loader)
{
    loader_work(loader);
    systhread_exit(0);
    return NULL;
}

static int start_thread(void **thread, t_loader *loader)
{
    return systhread_create((method)work, loader, 0, 0, 0, (t_systhread *)thread) == 0;
}

static void join_thread(void *thread)
{
    unsigned int result;
    systhread_join((t_systhread)thread, &result);
}

static const t_loader_host max_files = {read_file, start_thread, join_thread};

/* As Max finds the patch's other files, the package's models among them; with or without the ending. */
static int find_file(t_load *load)
{
    const char *const *endings = load_endings(load);
    char wanted[MAX_PATH_CHARS], file[MAX_PATH_CHARS];
    for (int i = 0; endings[i]; i++) {
        t_fourcc type;
        if (strlen(load->name) + strlen(endings[i]) >= sizeof load->path) return 0;
        snprintf(wanted, sizeof wanted, "%s%s", load->name, endings[i]);
        memcpy(file, wanted, sizeof file);
        const int is_path = strpbrk(wanted, "/:") != NULL;
        if (locatefile_extended(file, &load->folder, &type, NULL, 0) == 0 ||
            (is_path && path_frompathname(wanted, &load->folder, file) == 0 && *file)) {
            t_filehandle opened;
            if (strlen(file) >= sizeof load->path || path_opensysfile(file, load->folder, &opened, PATH_READ_PERM)) continue;
            sysfile_close(opened);
            strcpy(load->path, file);
            return 1;
        }
    }
    return 0;
}

static t_symbol *short_name(const t_torchdrum *x, t_symbol *name)
{
    for (int i = 0; i < SHORT_NAMES && i < x->short_count; i++)
        if (x->short_names[i].path == name) return x->short_names[i].name;
    return name;
}

/* What was asked for by its path is kept by its name where Max finds the same file by that, here and on other machines. In the main thread.
 */
static void keep_short_name(t_torchdrum *x, const t_load *load)
{
    char file[MAX_PATH_CHARS];
    short folder;
    t_fourcc type;
    if (!strpbrk(load->name, "/:")) return;
    strcpy(file, load->path);
    if (locatefile_extended(file, &folder, &type, NULL, 0) || folder != load->folder || strcmp(file, load->path)) return;
    t_symbol *path = gensym(load->name), *name = gensym(load->path);
    critical_enter(x->lock);
    if (short_name(x, path) == path) x->short_names[x->short_count++ % SHORT_NAMES] = (t_short_name){path, name};
    critical_exit(x->lock);
}

static void torchdrum_load(void *context, const char *name, uint32_t request)
{
    t_torchdrum *x = context;
    const int kind = td_request_is_preset(request);
    t_load *wanted = &x->wanted[kind];
    memset(wanted, 0, sizeof *wanted);
    wanted->request = request;
    strncpy(wanted->name, name, sizeof wanted->name - 1);
    x->has_wanted[kind] = 1; /* what is asked for twice before it was looked for: the newest */
}

static void torchdrum_write(void *context, const char *name, const char *text, size_t bytes)
{
    t_torchdrum *x = context;
    t_write *write = calloc(1, sizeof *write), **last = &x->writes;
    if (!write || bytes > sizeof write->text) {
        free(write);
        td_object_written(x->object, name, "not enough memory");
        return;
    }
    strncpy(write->name, name, sizeof write->name - 1);
    memcpy(write->text, text, bytes);
    write->bytes = bytes;
    while (*last) last = &(*last)->next;
    *last = write;
}

static void torchdrum_loaded(t_torchdrum *x, const t_load *load)
{
    t_turn turn;
    turn_begin(x, &turn);
    load_answer(load, x->object);
    turn_end(x, &turn);
    qelem_set(x->changed);
}

/* While the DSP is off nobody hears a late block: read at once. */
static void find_wanted(t_torchdrum *x, int kind)
{
    t_load load;
    critical_enter(x->lock);
    const int wanted = x->has_wanted[kind];
    load = x->wanted[kind];
    x->has_wanted[kind] = 0;
    critical_exit(x->lock);
    if (!wanted) return;
    if (!find_file(&load)) {
        load_not_found(&load);
        torchdrum_loaded(x, &load);
        return;
    }
    keep_short_name(x, &load);
    if (!sys_getdspstate()) {
        load_read(&load, &max_files);
        torchdrum_loaded(x, &load);
    } else {
        critical_enter(x->lock);
        loader_start(&x->loader, &load);
        critical_exit(x->lock);
        clock_delay(x->poll, POLL_MS);
    }
}

/* Takes the place of a file that may be there: a failure leaves that one. */
static int replace_file(const char *file, const char *new, short folder)
{
    char old[MAX_PATH_CHARS + 8];
    snprintf(old, sizeof old, "%s.old", file);
    path_deletefile(old, folder);
    const int had = path_renamefile(file, folder, old) == 0;
    if (path_renamefile(new, folder, file) == 0) {
        if (had) path_deletefile(old, folder);
        return 1;
    }
    if (had) path_renamefile(old, folder, file);
    return 0;
}

/* In Max's default folder unless the name says where. First under another name, so that a full disk leaves the old file as it was. */
static const char *write_file(const t_write *write)
{
    char file[MAX_PATH_CHARS], beside[MAX_PATH_CHARS + 8];
    short folder = path_getdefault();
    t_filehandle opened;
    t_ptr_size written = (t_ptr_size)write->bytes;
    strcpy(file, write->name);
    if (strpbrk(file, "/:") && path_frompathname(write->name, &folder, file)) return "there is no such folder";
    snprintf(beside, sizeof beside, "%s.part", file);
    if (path_createsysfile(beside, folder, JSON_TYPE, &opened)) return "the file cannot be made";
    t_max_err error = sysfile_write(opened, &written, write->text);
    if (!error) error = sysfile_seteof(opened, (t_ptr_size)write->bytes);
    sysfile_close(opened);
    if (!error && written == write->bytes && replace_file(file, beside, folder)) return NULL;
    path_deletefile(beside, folder);
    return "the file cannot be written";
}

static void write_wanted(t_torchdrum *x)
{
    for (;;) {
        t_turn turn;
        critical_enter(x->lock);
        t_write *write = x->writes;
        if (write) x->writes = write->next;
        critical_exit(x->lock);
        if (!write) return;
        const char *why = write_file(write);
        turn_begin(x, &turn);
        td_object_written(x->object, write->name, why);
        turn_end(x, &turn);
        free(write);
    }
}

static int has_files(t_torchdrum *x)
{
    critical_enter(x->lock);
    const int has = x->has_wanted[0] || x->has_wanted[1] || x->writes;
    critical_exit(x->lock);
    return has;
}

/* In the main thread, where files may be looked for. What an answer asks for in turn comes in the next round, or later. */
static void torchdrum_files(t_torchdrum *x)
{
    if (x->in_files) return;
    x->in_files = 1;
    for (int round = 0; round < 16 && has_files(x); round++) {
        write_wanted(x);
        find_wanted(x, 0);
        find_wanted(x, 1);
    }
    x->in_files = 0;
    if (has_files(x)) qelem_set(x->files);
}

static void torchdrum_poll(t_torchdrum *x)
{
    t_load load;
    critical_enter(x->lock);
    const int finished = loader_poll(&x->loader, &load), busy = loader_is_busy(&x->loader);
    critical_exit(x->lock);
    if (finished) torchdrum_loaded(x, &load);
    if (busy) clock_delay(x->poll, POLL_MS);
}

/* ---- hits ---- */

static void send_list(void *outlet, const float *values, short count)
{
    t_atom out[TD_PARAMS];
    for (short i = 0; i < count; i++) atom_setfloat(&out[i], (double)values[i]);
    outlet_list(outlet, NULL, count, out);
}

static void send_hit(t_torchdrum *x, const td_event *event)
{
    send_list(x->params, event->param, TD_PARAMS);
    if (event->kind != TD_TRIGGER) send_list(x->features, event->raw, TD_FEATURES);
    outlet_bang(x->hit);
}

/* When a vector has been computed its time begins: each hit waits as long as it stands behind the vector's start, or behind the hit before
 * that waited, so that messages keep the distances of the strokes. The samples played meanwhile are the clock. */
static double wait_ms(const t_torchdrum *x)
{
    uint32_t from = td_load_acquire(&x->position) - td_load_relaxed(&x->vector);
    const uint32_t reached = td_load_relaxed(&x->reached);
    if ((int32_t)(reached - from) > 0) from = reached;
    return (double)(int32_t)((uint32_t)x->event.time - from) * 1000.0 / x->sample_rate;
}

/* On the scheduler. */
static void torchdrum_news(t_torchdrum *x)
{
    int due = (int)td_load_relaxed(&x->waiting); /* its clock has fired */
    for (;;) {
        if (!due) {
            t_turn turn;
            turn_begin(x, &turn);
            const int found = td_object_next_event(x->object, &x->event);
            const double wait = found ? wait_ms(x) : 0.0;
            turn_end(x, &turn);
            if (!found) return;
            if (wait > 0.5) { /* nearer than that the scheduler does not look */
                td_store_relaxed(&x->waiting, 1);
                clock_fdelay(x->news, wait);
                return;
            }
        }
        if (due) td_store_relaxed(&x->reached, (uint32_t)x->event.time);
        due = 0;
        td_store_relaxed(&x->waiting, 0);
        const td_event event = x->event; /* an outlet may bring us back here */
        send_hit(x, &event);
    }
}

/* ---- sound ---- */

static void torchdrum_perform64(t_torchdrum *x, t_object *dsp64, double **ins, long numins, double **outs, long numouts, long n, long flags,
                                void *up)
{
    td_engine *engine = td_object_engine(x->object, 0);
    const double began_ms = systimer_gettime();
    float input[CHUNK], drum[CHUNK], trigger[CHUNK];
    (void)dsp64, (void)numins, (void)numouts, (void)flags, (void)up;
    for (long done = 0; done < n; done += CHUNK) {
        const long count = n - done < CHUNK ? n - done : CHUNK;
        for (long i = 0; i < count; i++) input[i] = (float)ins[0][done + i];
        td_engine_process(engine, input, drum, trigger, (size_t)count);
        for (long i = 0; i < count; i++) { /* both may be the memory of the input */
            outs[0][done + i] = (double)drum[i];
            outs[1][done + i] = (double)trigger[i];
        }
    }
    td_object_busy(x->object, (float)(1e-3 * (systimer_gettime() - began_ms)), (float)((double)n / x->sample_rate));
    td_store_relaxed(&x->performed_us, scheduler_us());
    td_store_relaxed(&x->vector, (uint32_t)n);
    td_store_release(&x->position, td_load_relaxed(&x->position) + (uint32_t)n);
    if (!td_load_relaxed(&x->waiting) && td_object_has_news(x->object)) clock_delay(x->news, 0);
}

static void torchdrum_silence64(t_torchdrum *x, t_object *dsp64, double **ins, long numins, double **outs, long numouts, long n, long flags,
                                void *up)
{
    (void)x, (void)dsp64, (void)ins, (void)numins, (void)flags, (void)up;
    for (long o = 0; o < numouts; o++) memset(outs[o], 0, (size_t)n * sizeof **outs);
}

static void torchdrum_dsp64(t_torchdrum *x, t_object *dsp64, short *connected, double sample_rate, long maxvector, long flags)
{
    method perform = (method)torchdrum_perform64;
    (void)connected, (void)maxvector, (void)flags;
    if (sample_rate != x->sample_rate) {
        critical_enter(x->lock);
        if (td_object_prepare(x->object, sample_rate, 1, NULL) == TD_OK) {
            x->sample_rate = sample_rate;
            td_store_relaxed(&x->position, 0);
            td_store_relaxed(&x->waiting, 0);
            td_store_relaxed(&x->reached, 0);
        } else {
            perform = (method)torchdrum_silence64;
        }
        critical_exit(x->lock);
    }
    object_method(dsp64, gensym("dsp_add64"), x, perform, 0, NULL);
}

/* ---- messages ---- */

static void torchdrum_anything(t_torchdrum *x, t_symbol *s, long argc, t_atom *argv)
{
    td_store_relaxed(&x->restoring, 0);
    torchdrum_send(x, s->s_name, argc, argv);
}

static void torchdrum_bang(t_torchdrum *x) { torchdrum_anything(x, gensym("bang"), 0, NULL); }

static void keep_state(void *context, const char *word, int count, const td_atom *values)
{
    t_state *state = context;
    const int are_models = strcmp(word, "load") == 0 || strcmp(word, "morph") == 0;
    if (state->count + 2 + count > STATE_ATOMS) return;
    atom_setlong(&state->atoms[state->count++], count);
    atom_setsym(&state->atoms[state->count++], gensym(word));
    for (int i = 0; i < count; i++) {
        t_atom *a = &state->atoms[state->count++];
        *a = to_max(values[i]);
        if (are_models && values[i].text) atom_setsym(a, short_name(state->owner, atom_getsym(a)));
    }
}

static void read_state(t_torchdrum *x, int parts, t_state *state)
{
    state->owner = x;
    state->count = 0;
    critical_enter(x->lock);
    td_object_state(x->object, parts, keep_state, state);
    critical_exit(x->lock);
}

static void restore_state(t_torchdrum *x, long argc, const t_atom *argv)
{
    td_atom atoms[STATE_ATOMS];
    t_turn turn;
    if (argc > STATE_ATOMS) argc = STATE_ATOMS;
    for (long i = 0; i < argc; i++) atoms[i] = from_max(&argv[i]);
    turn_begin(x, &turn);
    td_object_restore(x->object, (int)argc, atoms);
    turn_end(x, &turn);
    qelem_set(x->changed);
}

/* preset_store takes as many arguments as its format has letters. */
static void store_line(t_torchdrum *x, t_symbol *own, t_symbol *word, long count, const t_atom *v)
{
#define F(i) (double)atom_getfloat(v + (i))
#define F7(i) F(i), F(i + 1), F(i + 2), F(i + 3), F(i + 4), F(i + 5), F(i + 6)
#define S(i) atom_getsym(v + (i))
    if (count == 1 && atom_gettype(v) == A_SYM)
        preset_store((char *)"osss", x, own, word, S(0));
    else if (count == 1)
        preset_store((char *)"ossf", x, own, word, F(0));
    else if (count == 2)
        preset_store((char *)"osssf", x, own, word, S(0), F(1));
    else if (count == 3)
        preset_store((char *)"ossssf", x, own, word, S(0), S(1), F(2));
    else if (count == 7)
        preset_store((char *)"ossfffffff", x, own, word, F7(0));
    else if (count == 28)
        preset_store((char *)"ossffffffffffffffffffffffffffff", x, own, word, F7(0), F7(7), F7(14), F7(21));
    else if (count == 29)
        preset_store((char *)"ossfffffffffffffffffffffffffffff", x, own, word, F7(0), F7(7), F7(14), F7(21), F(28));
#undef F
#undef F7
#undef S
}

/* A name is a message of ours; without one it is Max's [preset] that asks for our state. How it calls this is nowhere written: whatever is
 * not plainly a message is taken for the question. */
static void torchdrum_preset(t_torchdrum *x, t_symbol *s, long argc, t_atom *argv)
{
    if (s == gensym("preset") && argc > 0) {
        torchdrum_anything(x, s, argc, argv);
        return;
    }
    t_state state;
    t_symbol *own = object_classname(x);
    read_state(x, TD_STATE_SOUND | TD_STATE_CONTROLS, &state);
    for (long i = 0; i + 2 < state.count; i += 2 + atom_getlong(&state.atoms[i]))
        store_line(x, own, atom_getsym(&state.atoms[i + 1]), atom_getlong(&state.atoms[i]), &state.atoms[i + 2]);
}

static t_max_err give_state(t_torchdrum *x, int parts, long *argc, t_atom **argv)
{
    t_state state;
    char allocated;
    read_state(x, parts, &state);
    if (atom_alloc_array(state.count, argc, argv, &allocated)) return MAX_ERR_OUT_OF_MEM;
    if (*argc > state.count) *argc = state.count;
    memcpy(*argv, state.atoms, (size_t)*argc * sizeof **argv);
    return MAX_ERR_NONE;
}

static t_max_err torchdrum_getvalueof(t_torchdrum *x, long *argc, t_atom **argv)
{
    return give_state(x, TD_STATE_SOUND | TD_STATE_CONTROLS, argc, argv);
}

static t_max_err torchdrum_setvalueof(t_torchdrum *x, long argc, t_atom *argv)
{
    if (argc && argv) restore_state(x, argc, argv);
    return MAX_ERR_NONE;
}

/* ---- attributes: parameters, then controls, in the order of the tables ---- */

/* MSP takes the word enable for itself, on every object. */
static const char *attribute_name(int index)
{
    if (index < TD_PARAM_COUNT) return td_param(index)->name;
    return index - TD_PARAM_COUNT == TD_CONTROL_enable ? "active" : td_control(index - TD_PARAM_COUNT)->name;
}

static int attribute_index(const char *name)
{
    for (int i = 0; i < ATTRIBUTES; i++)
        if (strcmp(attribute_name(i), name) == 0) return i;
    return -1;
}

typedef enum t_kind { IS_NUMBER, IS_WHOLE, IS_WORD } t_kind;

static t_kind attribute_kind(int index)
{
    char word[TD_WORD_BYTES];
    if (index < TD_PARAM_COUNT) return IS_NUMBER;
    const int control = index - TD_PARAM_COUNT;
    if (td_control_choice(control, 0, word)) return IS_WORD;
    return strcmp(td_control(control)->unit, "on/off") && strcmp(td_control(control)->unit, "count") ? IS_NUMBER : IS_WHOLE;
}

static t_symbol *name_of(void *attribute) { return (t_symbol *)object_method(attribute, gensym("getname")); }

static t_shown value_of(t_torchdrum *x, int index)
{
    char word[TD_WORD_BYTES];
    t_shown value = {0.0, 0, NULL};
    const int control = index - TD_PARAM_COUNT;
    value.number = control < 0 ? td_object_param(x->object, index) : td_object_control(x->object, control);
    value.whole = (t_atom_long)value.number;
    if (td_control_choice(control, (int)value.whole, word)) value.word = gensym(word);
    return value;
}

static t_max_err torchdrum_get(t_torchdrum *x, void *attribute, long *argc, t_atom **argv)
{
    const int index = attribute_index(name_of(attribute)->s_name);
    char allocated;
    if (index < 0 || atom_alloc_array(1, argc, argv, &allocated)) return MAX_ERR_GENERIC;
    *argc = 1;
    critical_enter(x->lock);
    const t_shown value = value_of(x, index);
    critical_exit(x->lock);
    switch (attribute_kind(index)) {
    case IS_NUMBER:
        atom_setfloat(*argv, value.number);
        break;
    case IS_WHOLE:
        atom_setlong(*argv, value.whole);
        break;
    case IS_WORD:
        atom_setsym(*argv, value.word);
    }
    return MAX_ERR_NONE;
}

/* While a patcher opens, attributes come in an order that is Max's, and choosing a detector or an input sets other controls: those that the
 * patcher has values for are set again. */
static void keep_own(t_torchdrum *x, int control, long argc, t_atom *argv)
{
    float ignored;
    if (td_setup_value(0, 0, control, &ignored)) {
        x->own |= 1u << control;
        x->own_value[control] = argv[0];
    } else if (attribute_kind(TD_PARAM_COUNT + control) == IS_WORD) {
        for (int i = 0; i < TD_CONTROL_COUNT; i++)
            if (x->own & 1u << i) torchdrum_send(x, td_control(i)->name, argc, &x->own_value[i]);
    }
}

static t_max_err torchdrum_set(t_torchdrum *x, void *attribute, long argc, t_atom *argv)
{
    const char *name = name_of(attribute)->s_name;
    const int control = attribute_index(name) - TD_PARAM_COUNT;
    torchdrum_send(x, name, argc, argv);
    if (td_load_relaxed(&x->restoring) && control >= 0 && argc == 1) keep_own(x, control, argc, argv);
    return MAX_ERR_NONE;
}

/* Model, preset and parameters are one thing and are saved as one: the attribute sound. */
static t_max_err torchdrum_getsound(t_torchdrum *x, void *attribute, long *argc, t_atom **argv)
{
    (void)attribute;
    return give_state(x, TD_STATE_SOUND, argc, argv);
}

static t_max_err torchdrum_setsound(t_torchdrum *x, void *attribute, long argc, t_atom *argv)
{
    (void)attribute;
    if (argc && argv) restore_state(x, argc, argv);
    return MAX_ERR_NONE;
}

/* In the main thread: inspectors, [attrui] and [pattr] hear what a message has changed. */
static void torchdrum_changed(t_torchdrum *x)
{
    int changed[ATTRIBUTES];
    critical_enter(x->lock);
    for (int i = 0; i < ATTRIBUTES; i++) {
        const t_shown value = value_of(x, i);
        changed[i] = value.number != x->shown[i].number;
        x->shown[i] = value;
    }
    critical_exit(x->lock);
    int any = 0;
    for (int i = 0; i < ATTRIBUTES; i++) {
        if (!changed[i]) continue;
        object_attr_touch((t_object *)x, gensym(attribute_name(i)));
        any = 1;
    }
    if (any) object_notify(x, gensym("modified"), NULL);
}

/* In the main thread, once the patcher has been opened. */
static void torchdrum_settled(t_torchdrum *x) { td_store_relaxed(&x->restoring, 0); }

static void describe(t_class *c, const char *name, const char *what, const char *value)
{
    class_attr_addattr_format(c, name, what, gensym("symbol"), 0, "s", gensym(value));
}

static void add_attribute(t_class *c, int index)
{
    static const struct {
        const char *type, *style;
        size_t offset;
    } kinds[] = {{"float64", "text", offsetof(t_shown, number)},
                 {"atom_long", "text", offsetof(t_shown, whole)},
                 {"symbol", "enum", offsetof(t_shown, word)}};
    const td_param_info *p = index < TD_PARAM_COUNT ? td_param(index) : NULL;
    const td_control_info *k = p ? NULL : td_control(index - TD_PARAM_COUNT);
    const t_kind kind = attribute_kind(index);
    const char *name = attribute_name(index), *unit = p ? p->unit : k->unit;
    char text[256];
    t_object *attribute = attr_offset_new(name, gensym(kinds[kind].type), 0, (method)torchdrum_get, (method)torchdrum_set,
                                          (long)(offsetof(t_torchdrum, shown) + (size_t)index * sizeof(t_shown) + kinds[kind].offset));
    if (kind != IS_WORD) attr_addfilter_clip(attribute, (double)(p ? p->min : k->min), (double)(p ? p->max : k->max), 1, 1);
    class_addattr(c, attribute);
    const int has_unit = unit[0] && strchr("Hmd%", unit[0]) && kind == IS_NUMBER; /* Hz, ms, dB, % */
    snprintf(text, sizeof text, has_unit ? "%s (%s)" : "%s", p ? p->label : name, unit);
    if (text[0] >= 'a' && text[0] <= 'z') text[0] = (char)(text[0] - 'a' + 'A');
    describe(c, name, "label", text);
    describe(c, name, "style", strcmp(unit, "on/off") == 0 ? "onoff" : kinds[kind].style);
    describe(c, name, "category", p ? "Drum" : "Playing");
    snprintf(text, sizeof text, "%d", index + 1);
    class_attr_addattr_parse(c, name, "order", gensym("long"), 0, text);
    if (kind == IS_WORD) {
        char word[TD_WORD_BYTES];
        size_t at = 0;
        for (int i = 0; td_control_choice(index - TD_PARAM_COUNT, i, word); i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "", word);
        class_attr_addattr_parse(c, name, "enumvals", gensym("atom"), 0, text);
        td_control_choice(index - TD_PARAM_COUNT, (int)k->def, word);
        snprintf(text, sizeof text, "%s", word);
    } else {
        snprintf(text, sizeof text, kind == IS_WHOLE ? "%.0f" : "%g", (double)(p ? p->def : k->def));
    }
    class_attr_addattr_parse(c, name, "default", gensym(kinds[kind].type), 0, text);
    /* parameters and seed are part of the sound: the model has defaults of its own, and every object another noise */
    if (k && index - TD_PARAM_COUNT != TD_CONTROL_seed) class_attr_addattr_parse(c, name, "save", gensym("long"), 0, "1");
}

static void add_sound(t_class *c)
{
    class_addattr(c, attr_offset_array_new("sound", gensym("atom"), STATE_ATOMS, 0, (method)torchdrum_getsound, (method)torchdrum_setsound,
                                           (long)offsetof(t_torchdrum, sound.count), (long)offsetof(t_torchdrum, sound.atoms)));
    describe(c, "sound", "label", "Model, preset and parameters");
    describe(c, "sound", "category", "Drum");
    class_attr_addattr_parse(c, "sound", "order", gensym("long"), 0, "0");
    class_attr_addattr_parse(c, "sound", "save", gensym("long"), 0, "1");
}

/* ---- Max's own questions ---- */

static void torchdrum_assist(t_torchdrum *x, void *box, long kind, long index, char *text)
{
    static const char *const outlets[] = {"(signal) the drum",
                                          "(signal) impulse where the drum starts, loud as the stroke",
                                          "(bang) a stroke was played",
                                          "(list) heard: loudness dB, centroid st, flatness dB",
                                          "(list) the drum's parameters, in units",
                                          "(anything) answers; dumpout"};
    (void)x, (void)box;
    const char *words = "(signal) your drum; every message";
    if (kind == ASSIST_OUTLET) words = index >= 0 && index < (long)(sizeof outlets / sizeof *outlets) ? outlets[index] : "";
    snprintf(text, ASSIST_MAX_STRING_LEN, "%s", words);
}

static long torchdrum_acceptsdrag(t_torchdrum *x, t_object *drag, t_object *view)
{
    (void)view;
    if (!jdrag_matchdragrole(drag, gensym("file"), 0)) return 0;
    jdrag_object_add(drag, (t_object *)x, gensym("load"));
    return 1;
}

/* Collectives and standalones take the model along. */
static void torchdrum_fileusage(t_torchdrum *x, void *collective)
{
    td_model_info info;
    td_model_describe(builtin, &info);
    for (int slot = 0; slot < TD_MODEL_SLOTS; slot++) {
        t_load load;
        memset(&load, 0, sizeof load);
        critical_enter(x->lock);
        const char *name = td_object_model_name(x->object, slot);
        if (name) strncpy(load.name, name, sizeof load.name - 1);
        critical_exit(x->lock);
        if (name && strcmp(load.name, info.name) && find_file(&load)) fileusage_addfile(collective, 1, load.path, load.folder);
    }
}

/* ---- life ---- */

static void torchdrum_free(t_torchdrum *x)
{
    dsp_free(&x->obj);
    if (x->news) object_free(x->news);
    if (x->poll) object_free(x->poll);
    loader_stop(&x->loader);
    if (x->files) qelem_free(x->files);
    if (x->changed) qelem_free(x->changed);
    if (x->settled) qelem_free(x->settled);
    if (x->object) td_object_free(x->object);
    free(x->object);
    for (t_write *write = x->writes, *next; write; write = next) {
        next = write->next;
        free(write);
    }
    if (x->lock) critical_free(x->lock);
}

/* Right to left, as Max makes them. */
static void add_outlets(t_torchdrum *x)
{
    x->info = outlet_new(x, NULL);
    object_obex_store(x, gensym("dumpout"), x->info);
    x->params = outlet_new(x, "list");
    x->features = outlet_new(x, "list");
    x->hit = outlet_new(x, "bang");
    outlet_new(x, "signal");
    outlet_new(x, "signal");
}

static void *torchdrum_new(t_symbol *s, long argc, t_atom *argv)
{
    t_torchdrum *x = object_alloc(torchdrum_class);
    (void)s;
    if (!x) return NULL;
    const td_host host = {x, torchdrum_info, torchdrum_say, torchdrum_load, torchdrum_release, torchdrum_write};
    x->hit = x->features = x->params = x->info = x->news = x->poll = x->files = x->changed = x->settled = NULL;
    x->lock = NULL;
    x->turn = NULL;
    x->has_wanted[0] = x->has_wanted[1] = 0;
    x->writes = NULL;
    x->short_count = x->in_files = 0;
    x->sample_rate = 0.0;
    x->position = x->vector = x->waiting = x->reached = x->own = x->performed_us = 0;
    x->sound.count = 0;
    loader_init(&x->loader, &max_files);
    dsp_setup(&x->obj, 1);
    x->object = malloc(td_object_size());
    if (!x->object || td_object_init(x->object, &host, builtin, loader_seed(x)) != TD_OK) {
        object_error((t_object *)x, "not enough memory");
        object_free(x);
        return NULL;
    }
    critical_new(&x->lock);
    x->news = clock_new(x, (method)torchdrum_news);
    x->poll = clock_new(x, (method)torchdrum_poll);
    x->files = qelem_new(x, (method)torchdrum_files);
    x->changed = qelem_new(x, (method)torchdrum_changed);
    x->settled = qelem_new(x, (method)torchdrum_settled);
    add_outlets(x);
    for (int i = 0; i < ATTRIBUTES; i++) x->shown[i] = value_of(x, i);
    x->creating = x->restoring = 1;
    const long plain = attr_args_offset((short)argc, argv);
    if (plain > 0) torchdrum_send(x, "load", 1, argv);
    if (plain > 1) object_error((t_object *)x, "only one model can be given, the rest is ignored");
    attr_args_process(x, (short)argc, argv);
    x->creating = 0;
    qelem_set(x->settled);
    return x;
}

/* Every word that the tables know, except those that are methods of their own or MSP's. */
static void add_messages(t_class *c)
{
    const char *word;
    for (int i = 0; (word = td_object_word(i)) != NULL; i++)
        if (strcmp(word, "bang") && strcmp(word, "preset")) class_addmethod(c, (method)torchdrum_anything, word, A_GIMME, 0);
    for (int i = 0; i < ATTRIBUTES; i++) class_addmethod(c, (method)torchdrum_anything, attribute_name(i), A_GIMME, 0);
    class_addmethod(c, (method)torchdrum_bang, "bang", 0);
    class_addmethod(c, (method)torchdrum_preset, "preset", A_GIMME, 0);
    class_addmethod(c, (method)torchdrum_anything, "anything", A_GIMME, 0);
}

static void add_questions(t_class *c)
{
    class_addmethod(c, (method)torchdrum_dsp64, "dsp64", A_CANT, 0);
    class_addmethod(c, (method)torchdrum_assist, "assist", A_CANT, 0);
    class_addmethod(c, (method)stdinletinfo, "inletinfo", A_CANT, 0);
    class_addmethod(c, (method)object_obex_dumpout, "dumpout", A_CANT, 0);
    class_addmethod(c, (method)torchdrum_getvalueof, "getvalueof", A_CANT, 0);
    class_addmethod(c, (method)torchdrum_setvalueof, "setvalueof", A_CANT, 0);
    class_addmethod(c, (method)torchdrum_acceptsdrag, "acceptsdrag_locked", A_CANT, 0);
    class_addmethod(c, (method)torchdrum_acceptsdrag, "acceptsdrag_unlocked", A_CANT, 0);
    class_addmethod(c, (method)torchdrum_fileusage, "fileusage", A_CANT, 0);
}

void C74_EXPORT ext_main(void *r)
{
    (void)r;
    if (!builtin) builtin = loader_builtin();
    if (!builtin) {
        object_error(NULL, "torchdrum~: not enough memory");
        return;
    }
    t_class *c = class_new("torchdrum~", (method)torchdrum_new, (method)torchdrum_free, (long)sizeof(t_torchdrum), NULL, A_GIMME, 0);
    add_messages(c);
    add_questions(c);
    add_sound(c);
    for (int i = 0; i < ATTRIBUTES; i++) add_attribute(c, i);
    class_dspinit(c);
    class_register(CLASS_BOX, c);
    torchdrum_class = c;
}
