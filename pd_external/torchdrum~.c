/* SPDX-License-Identifier: MIT
 * [torchdrum~] for Pure Data: a thin wrapper. What the messages mean is core/src/object.c; the sound is core/src/engine.c. */
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "m_pd.h"
#include "torchdrum_object.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

enum {
    CHUNK = 64,
    MAX_ATOMS = TD_STATE_VALUES + 1,
    POLL_MS = 5,
    MAX_CHANNELS = 256,
    MULTICHANNEL = 0x10 /* CLASS_MULTICHANNEL of Pd 0.54 */
};

/* A signal as Pd 0.54 and later have it; before, there is no count of channels. */
typedef struct t_channels {
    int n;
    t_sample *vec;
    t_float sr;
    int channels;
} t_channels;

typedef struct _torchdrum {
    t_object obj;
    t_float signal;   /* of the left inlet when no signal is connected */
    t_canvas *canvas; /* of creation: models are looked for beside its file */
    t_outlet *hit, *features, *params, *info;
    t_clock *news, *poll;
    t_loader loader;
    td_object *object;
    void *more; /* the object's channels beyond the first */
    int channels;
    double sample_rate;
    uint64_t block_position; /* engine's sample at the start of the last block … */
    double block_time;       /* … and Pd's logical time of it */
    int block;               /* its length */
    uint64_t position;
    td_event event;      /* taken from the ring and not yet due */
    int has_event;       /* its channel, from 1 up */
    int multi, creating; /* multi: one engine for each channel of the input */
} t_torchdrum;

static t_class *torchdrum_class, *multichannel_class; /* the latter is NULL before Pd 0.54 */
static void (*set_channels)(t_signal **signal, int channels);
static const td_model *builtin; /* read once in setup, never freed */

/* ---- what the object says ---- */

static void torchdrum_info(void *context, const char *selector, int count, const td_atom *atoms)
{
    t_torchdrum *x = context;
    t_atom out[MAX_ATOMS];
    if (count > MAX_ATOMS) count = MAX_ATOMS;
    for (int i = 0; i < count; i++) {
        if (atoms[i].text)
            SETSYMBOL(&out[i], gensym(atoms[i].text));
        else
            SETFLOAT(&out[i], (t_float)atoms[i].number);
    }
    if (!x->creating) outlet_anything(x->info, gensym(selector), count, out);
}

static void torchdrum_say(void *context, td_severity severity, const char *line)
{
    t_torchdrum *x = context;
    if (severity == TD_SAY_ERROR)
        pd_error(x, "torchdrum~: %s", line);
    else
        post("torchdrum~: %s", line);
}

static void torchdrum_write(void *context, const char *name, const char *text, size_t bytes)
{
    t_torchdrum *x = context;
    char path[MAXPDSTRING];
    canvas_makefilename(x->canvas, (char *)name, path, MAXPDSTRING);
    td_object_written(x->object, name, pd_write(path, text, bytes));
}

static void torchdrum_release(void *context, td_model *model)
{
    (void)context;
    free(model);
}

/* ---- loading ---- */

/* NULL where Pd has no such function (before 0.54). */
static void *find_in_pd(const char *name)
{
#ifdef _WIN32
    return (void *)GetProcAddress(GetModuleHandleA("pd.dll"), name);
#else
    return dlsym(RTLD_DEFAULT, name);
#endif
}

/* Without an audio device (pd -batch, -noaudio) nobody hears a late block, and every run must give the same: read at once. Pd declares
 * this function in a private header, so it is looked up and may be missing. */
static int is_heard(void)
{
    const union {
        void *found;
        int (*call)(void);
    } audio_isopen = {find_in_pd("audio_isopen")};
    return !audio_isopen.found || audio_isopen.call();
}

static int open_beside(t_torchdrum *x, const char *name, const char *extension, t_load *load)
{
    char directory[MAXPDSTRING], *file;
    const int fd = canvas_open(x->canvas, name, extension, directory, &file, MAXPDSTRING, 1);
    if (fd < 0) return 0;
    sys_close(fd);
    const size_t length = strlen(directory);
    if (length + strlen(file) + 2 > sizeof load->path) return 0;
    memcpy(load->path, directory, length);
    load->path[length] = '/';
    strcpy(load->path + length + 1, file);
    return 1;
}

/* As the patch's other files are found, then in models/ beside the object; with or without the ending. */
static int find_file(t_torchdrum *x, const char *name, t_load *load)
{
    char shipped[2 * MAXPDSTRING];
    enum { ROOM_FOR_ENDING = 16 };
    if (strlen(name) >= MAXPDSTRING - ROOM_FOR_ENDING) return 0;
    const char *folder = class_gethelpdir(torchdrum_class);
    shipped[0] = 0;
    if (strlen(folder) + strlen(name) + sizeof "/models/" <= MAXPDSTRING - ROOM_FOR_ENDING) {
        strcpy(shipped, folder);
        strcat(shipped, "/models/");
        strcat(shipped, name);
    }
    const char *const *endings = load_endings(load);
    for (int i = 0; endings[i]; i++)
        if (open_beside(x, name, endings[i], load)) return 1;
    for (int i = 0; *shipped && endings[i]; i++)
        if (open_beside(x, shipped, endings[i], load)) return 1;
    return 0;
}

static void torchdrum_load(void *context, const char *name, uint32_t request)
{
    t_torchdrum *x = context;
    t_load load;
    memset(&load, 0, sizeof load);
    load.request = request;
    strncpy(load.name, name, sizeof load.name - 1);
    if (!find_file(x, name, &load)) {
        load_not_found(&load);
        load_answer(&load, x->object);
    } else if (!pd_getdspstate() || !is_heard()) {
        load_read(&load, &pd_files);
        load_answer(&load, x->object);
    } else {
        loader_start(&x->loader, &load);
        clock_delay(x->poll, POLL_MS);
    }
}

static void torchdrum_poll(t_torchdrum *x)
{
    t_load load;
    if (loader_poll(&x->loader, &load)) load_answer(&load, x->object);
    if (loader_is_busy(&x->loader)) clock_delay(x->poll, POLL_MS);
}

/* ---- hits ---- */

/* With several channels the number of the channel stands before everything. */
static void send_list(const t_torchdrum *x, t_outlet *outlet, int channel, const float *values, int count)
{
    t_atom out[1 + TD_PARAMS];
    int at = 0;
    if (x->multi) {
        SETFLOAT(&out[at], (t_float)channel);
        at++;
    }
    for (int i = 0; i < count; i++, at++) SETFLOAT(&out[at], values[i]);
    outlet_list(outlet, gensym("list"), at, out);
}

static void torchdrum_hit(t_torchdrum *x, int channel, const td_event *event)
{
    send_list(x, x->params, channel, event->param, TD_PARAMS);
    if (event->kind != TD_TRIGGER) send_list(x, x->features, channel, event->raw, TD_FEATURES);
    if (x->multi)
        outlet_float(x->hit, (t_float)channel);
    else
        outlet_bang(x->hit);
}

/* Sends each hit at its own logical time plus one block: when perform runs, Pd's clock stands at the end of the block, and nothing can be
 * sent in the past. So messages keep the exact distances of the strokes. */
static void torchdrum_news(t_torchdrum *x)
{
    for (;;) {
        const int channel = x->has_event ? x->has_event : td_object_next_event(x->object, &x->event);
        if (!channel) return;
        const double due_ms = ((double)x->event.time - (double)x->block_position) * 1000.0 / x->sample_rate;
        const double wait_ms = due_ms - clock_gettimesince(x->block_time);
        x->has_event = wait_ms > 1e-6 ? channel : 0;
        if (x->has_event) {
            clock_delay(x->news, wait_ms);
            return;
        }
        const td_event event = x->event; /* an outlet may bring us back here */
        torchdrum_hit(x, channel, &event);
    }
}

/* ---- sound ---- */

static void run(td_engine *engine, t_sample *in, t_sample *drum, t_sample *trigger, int n)
{
#if PD_FLOATSIZE == 32
    td_engine_process(engine, in, drum, trigger, (size_t)n);
#else
    float input[CHUNK], output[CHUNK], impulse[CHUNK];
    for (int done = 0; done < n; done += CHUNK) {
        const int count = n - done < CHUNK ? n - done : CHUNK;
        for (int i = 0; i < count; i++) input[i] = (float)in[done + i];
        td_engine_process(engine, input, output, impulse, (size_t)count);
        for (int i = 0; i < count; i++) {
            drum[done + i] = output[i];
            trigger[done + i] = impulse[i];
        }
    }
#endif
}

static t_int *torchdrum_perform(t_int *w)
{
    t_torchdrum *x = (t_torchdrum *)w[1];
    t_sample *in = (t_sample *)w[2], *drum = (t_sample *)w[3], *trigger = (t_sample *)w[4];
    const int n = (int)w[5];
    const double began = sys_getrealtime();
    x->block_position = x->position;
    x->block_time = clock_getlogicaltime();
    x->block = n;
    for (int c = 0; c < x->channels; c++) run(td_object_engine(x->object, c), in + c * n, drum + c * n, trigger + c * n, n);
    x->position += (uint64_t)n;
    if (!x->has_event && td_object_has_news(x->object)) clock_delay(x->news, 0);
    td_object_busy(x->object, (float)(sys_getrealtime() - began), (float)(n / x->sample_rate));
    return w + 6;
}

/* Channels of the input, and as many for both outputs. */
static int count_channels(const t_torchdrum *x, t_signal **sp)
{
    if (!x->multi) return 1;
    const int channels = ((const t_channels *)sp[0])->channels;
    set_channels(&sp[1], channels);
    set_channels(&sp[2], channels);
    return channels;
}

static int prepare(t_torchdrum *x, double sample_rate, int channels)
{
    if (sample_rate == x->sample_rate && channels == x->channels) return 1;
    void *more = x->more;
    if (channels > MAX_CHANNELS) {
        pd_error(x, "torchdrum~: %d channels are more than the %d that can be played", channels, MAX_CHANNELS);
        return 0;
    }
    if (channels != x->channels && channels > 1) {
        more = malloc((size_t)(channels - 1) * td_object_channel_size());
        if (!more) {
            pd_error(x, "torchdrum~: not enough memory for %d channels", channels);
            return 0;
        }
    }
    if (channels == 1) more = NULL;
    if (td_object_prepare(x->object, sample_rate, channels, more) != TD_OK) {
        if (more != x->more) free(more);
        return 0;
    }
    if (more != x->more) free(x->more);
    x->more = more;
    x->channels = channels;
    x->sample_rate = sample_rate;
    x->position = 0;
    x->has_event = 0;
    return 1;
}

static void torchdrum_dsp(t_torchdrum *x, t_signal **sp)
{
    const int channels = count_channels(x, sp);
    x->block_time = clock_getlogicaltime();
    x->block = sp[0]->s_n;
    if (prepare(x, sp[0]->s_sr, channels)) {
        dsp_add(torchdrum_perform, 5, x, sp[0]->s_vec, sp[1]->s_vec, sp[2]->s_vec, (t_int)sp[0]->s_n);
    } else {
        dsp_add_zero(sp[1]->s_vec, channels * sp[0]->s_n);
        dsp_add_zero(sp[2]->s_vec, channels * sp[0]->s_n);
    }
}

/* ---- messages ---- */

/* Samples from the start of the next block to the logical time of this message: Pd runs messages of a block's time before the block. */
static uint32_t delay(const t_torchdrum *x)
{
    const double samples = clock_gettimesince(x->block_time) * 0.001 * x->sample_rate + 0.5;
    return pd_getdspstate() && samples >= 0.0 && samples < x->block + 1.0 ? (uint32_t)samples : 0;
}

static void torchdrum_anything(t_torchdrum *x, t_symbol *s, int argc, t_atom *argv)
{
    td_atom atoms[MAX_ATOMS];
    if (argc > MAX_ATOMS) {
        pd_error(x, "torchdrum~: %s: too many arguments", s->s_name);
        return;
    }
    for (int i = 0; i < argc; i++) {
        atoms[i].text = argv[i].a_type == A_FLOAT ? NULL : argv[i].a_type == A_SYMBOL ? argv[i].a_w.w_symbol->s_name : "";
        atoms[i].number = argv[i].a_type == A_FLOAT ? (double)argv[i].a_w.w_float : 0.0;
    }
    td_object_delay(x->object, delay(x));
    td_object_message(x->object, s->s_name, argc, atoms);
}

static void torchdrum_bang(t_torchdrum *x) { td_object_message(x->object, "bang", 0, NULL); }

/* Flags first, then at most one model. */
static void torchdrum_arguments(t_torchdrum *x, int argc, t_atom *argv)
{
    for (; argc > 0 && argv->a_type == A_SYMBOL && argv->a_w.w_symbol->s_name[0] == '-'; argc--, argv++) {
        const char *flag = argv->a_w.w_symbol->s_name;
        if (!strcmp(flag, "-d")) {
            const td_atom off = {NULL, 0.0};
            td_object_message(x->object, "enable", 1, &off);
        } else if (!strcmp(flag, "-seed") && argc > 1 && argv[1].a_type == A_FLOAT) {
            torchdrum_anything(x, gensym("seed"), 1, argv + 1);
            argc--, argv++;
        } else if (strcmp(flag, "-m")) {
            pd_error(x, "torchdrum~: %s is not a flag (-m: a drum for each channel, -d: starts disabled, -seed n: fixes the noise)", flag);
        }
    }
    if (argc > 0) torchdrum_anything(x, gensym("load"), 1, argv);
    if (argc > 1) pd_error(x, "torchdrum~: only one model can be given, the rest is ignored");
}

/* ---- saved with the patch ---- */

typedef struct t_save {
    t_binbuf *to;
    const char *folder; /* of the patch: models in it are named from there */
} t_save;

/* Everything that was set follows the object as messages, as Pd's arrays do it: #A is whoever was made last. */
static void save_line(void *context, const char *word, int count, const td_atom *values)
{
    const t_save *save = context;
    t_atom out[MAX_ATOMS + 1];
    const size_t length = strlen(save->folder);
    const int has_names = !strcmp(word, "load") || !strcmp(word, "morph");
    SETSYMBOL(&out[0], gensym("#A"));
    SETSYMBOL(&out[1], gensym(word));
    for (int i = 0; i < count; i++) {
        const char *text = values[i].text;
        if (has_names && text && length && !strncmp(text, save->folder, length) && text[length] == '/') text += length + 1;
        if (text)
            SETSYMBOL(&out[2 + i], gensym(text));
        else
            SETFLOAT(&out[2 + i], (t_float)values[i].number);
    }
    binbuf_add(save->to, 2 + count, out);
    binbuf_addsemi(save->to);
}

static void torchdrum_save(t_gobj *z, t_binbuf *b)
{
    t_torchdrum *x = (t_torchdrum *)z;
    t_save save = {b, canvas_getdir(x->canvas)->s_name};
    binbuf_addv(b, "ssii", gensym("#X"), gensym("obj"), (int)x->obj.te_xpix, (int)x->obj.te_ypix);
    binbuf_addbinbuf(b, x->obj.ob_binbuf);
    binbuf_addsemi(b);
    td_object_state(x->object, TD_STATE_SOUND | TD_STATE_CONTROLS | TD_STATE_CHANGED, save_line, &save);
    obj_saveformat(&x->obj, b);
}

static void be_last(t_torchdrum *x)
{
    gensym("#A")->s_thing = NULL;
    pd_bind(&x->obj.ob_pd, gensym("#A"));
}

/* ---- life ---- */

static void torchdrum_free(t_torchdrum *x)
{
    if (gensym("#A")->s_thing == &x->obj.ob_pd) pd_unbind(&x->obj.ob_pd, gensym("#A"));
    loader_stop(&x->loader);
    if (x->news) clock_free(x->news);
    if (x->poll) clock_free(x->poll);
    if (x->object) td_object_free(x->object);
    free(x->object);
    free(x->more);
}

static int has_flag(const char *flag, int argc, const t_atom *argv)
{
    for (int i = 0; i < argc; i++)
        if (argv[i].a_type == A_SYMBOL && !strcmp(argv[i].a_w.w_symbol->s_name, flag)) return 1;
    return 0;
}

static void *torchdrum_new(t_symbol *s, int argc, t_atom *argv)
{
    const int wants_channels = has_flag("-m", argc, argv), multi = wants_channels && multichannel_class;
    t_torchdrum *x = (t_torchdrum *)pd_new(multi ? multichannel_class : torchdrum_class);
    (void)s;
    const td_host host = {x, torchdrum_info, torchdrum_say, torchdrum_load, torchdrum_release, torchdrum_write};
    x->multi = multi;
    x->channels = 1;
    x->more = NULL;
    x->block = 0;
    x->canvas = canvas_getcurrent();
    loader_init(&x->loader, &pd_files);
    x->news = clock_new(x, (t_method)torchdrum_news);
    x->poll = clock_new(x, (t_method)torchdrum_poll);
    x->position = x->block_position = 0;
    x->block_time = clock_getlogicaltime();
    x->sample_rate = x->has_event = 0;
    x->object = malloc(td_object_size());
    if (!x->object || td_object_init(x->object, &host, builtin, loader_seed(x)) != TD_OK) {
        pd_error(x, "torchdrum~: not enough memory");
        pd_free((t_pd *)x);
        return NULL;
    }
    outlet_new(&x->obj, gensym("signal"));
    outlet_new(&x->obj, gensym("signal"));
    x->hit = outlet_new(&x->obj, gensym("bang"));
    x->features = outlet_new(&x->obj, gensym("list"));
    x->params = outlet_new(&x->obj, gensym("list"));
    x->info = outlet_new(&x->obj, gensym("anything"));
    x->creating = 1;
    torchdrum_arguments(x, argc, argv);
    x->creating = 0;
    if (wants_channels && !multi) pd_error(x, "torchdrum~: -m needs Pd 0.54 or newer, one channel is played");
    be_last(x);
    return x;
}

static t_class *make_class(t_newmethod make, int flags)
{
    t_class *c =
        class_new(gensym("torchdrum~"), make, (t_method)torchdrum_free, sizeof(t_torchdrum), CLASS_DEFAULT | flags, A_GIMME, A_NULL);
    CLASS_MAINSIGNALIN(c, t_torchdrum, signal);
    class_addmethod(c, (t_method)torchdrum_dsp, gensym("dsp"), A_CANT, A_NULL);
    class_addbang(c, torchdrum_bang);
    class_addanything(c, torchdrum_anything);
    class_setsavefn(c, torchdrum_save);
    return c;
}

#if defined(_WIN32)
__declspec(dllexport)
#else
__attribute__((visibility("default")))
#endif
void torchdrum_tilde_setup(void)
{
    if (!builtin) builtin = loader_builtin();
    if (!builtin) {
        pd_error(NULL, "torchdrum~: the built-in model cannot be read; please install the object again");
        return;
    }
    torchdrum_class = make_class((t_newmethod)(void (*)(void))torchdrum_new, 0);
    const union {
        void *found;
        void (*call)(t_signal **signal, int channels);
    } multichannel = {find_in_pd("signal_setmultiout")};
    set_channels = multichannel.call;
    /* a class of its own: Pd asks every object of such a class to make its outputs */
    if (set_channels) multichannel_class = make_class(NULL, MULTICHANNEL);
}
