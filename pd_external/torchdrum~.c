/* SPDX-License-Identifier: MIT
 * [torchdrum~] for Pure Data: a thin wrapper. What the messages mean is core/src/object.c; the sound is core/src/engine.c. */
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "m_pd.h"
#include "torchdrum_object.h"

#ifndef _WIN32
#include <dlfcn.h>
#endif

enum { CHUNK = 64, MAX_ATOMS = 16, POLL_MS = 5 };

typedef struct _torchdrum {
    t_object obj;
    t_float signal;   /* of the left inlet when no signal is connected */
    t_canvas *canvas; /* of creation: models are looked for beside its file */
    t_outlet *hit, *features, *params, *info;
    t_clock *news, *poll;
    t_loader loader;
    td_object *object;
    double sample_rate;
    uint64_t block_position; /* engine's sample at the start of the last block … */
    double block_time;       /* … and Pd's logical time of it */
    uint64_t position;
    td_event event; /* taken from the ring and not yet due */
    int has_event, creating;
} t_torchdrum;

static t_class *torchdrum_class;
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

static void torchdrum_release(void *context, td_model *model)
{
    (void)context;
    free(model);
}

/* ---- loading ---- */

/* Without an audio device (pd -batch, -noaudio) nobody hears a late block, and every run must give the same: read at once. Pd declares
 * this function in a private header, so it is looked up and may be missing. */
static int is_heard(void)
{
#ifdef _WIN32
    return 1;
#else
    union {
        void *found;
        int (*call)(void);
    } audio_isopen = {dlsym(RTLD_DEFAULT, "audio_isopen")};
    return !audio_isopen.found || audio_isopen.call();
#endif
}

static void torchdrum_loaded(t_torchdrum *x, const t_load *load)
{
    if (load->model)
        td_object_loaded(x->object, load->request, load->name, load->model);
    else
        td_object_load_failed(x->object, load->request, load->name, load->why);
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
    static const char ending[] = ".safetensors";
    if (strlen(name) >= MAXPDSTRING - sizeof ending) return 0;
    const char *folder = class_gethelpdir(torchdrum_class);
    shipped[0] = 0;
    if (strlen(folder) + strlen(name) + sizeof "/models/" <= MAXPDSTRING - sizeof ending) {
        strcpy(shipped, folder);
        strcat(shipped, "/models/");
        strcat(shipped, name);
    }
    return open_beside(x, name, "", load) || open_beside(x, name, ending, load) ||
           (*shipped && (open_beside(x, shipped, "", load) || open_beside(x, shipped, ending, load)));
}

static void torchdrum_load(void *context, const char *name, uint32_t request)
{
    t_torchdrum *x = context;
    t_load load;
    memset(&load, 0, sizeof load);
    load.request = request;
    strncpy(load.name, name, sizeof load.name - 1);
    if (!find_file(x, name, &load)) {
        td_object_load_failed(x->object, request, name, LOADER_NOT_FOUND);
        return;
    }
    if (!pd_getdspstate() || !is_heard()) {
        load_read(&load, &pd_files);
        torchdrum_loaded(x, &load);
    } else {
        loader_start(&x->loader, &load);
        clock_delay(x->poll, POLL_MS);
    }
}

static void torchdrum_poll(t_torchdrum *x)
{
    t_load load;
    if (loader_poll(&x->loader, &load)) torchdrum_loaded(x, &load);
    if (loader_is_busy(&x->loader)) clock_delay(x->poll, POLL_MS);
}

/* ---- hits ---- */

static void send_list(t_outlet *outlet, const float *values, int count)
{
    t_atom out[TD_PARAMS];
    for (int i = 0; i < count; i++) SETFLOAT(&out[i], values[i]);
    outlet_list(outlet, gensym("list"), count, out);
}

static void torchdrum_hit(t_torchdrum *x, const td_event *event)
{
    send_list(x->params, event->param, TD_PARAMS);
    if (event->kind != TD_TRIGGER) send_list(x->features, event->raw, TD_FEATURES);
    outlet_bang(x->hit);
}

/* Sends each hit at its own logical time plus one block: when perform runs, Pd's clock stands at the end of the block, and nothing can be
 * sent in the past. So messages keep the exact distances of the strokes. */
static void torchdrum_news(t_torchdrum *x)
{
    while (x->has_event || td_object_next_event(x->object, &x->event)) {
        const double due_ms = ((double)x->event.time - (double)x->block_position) * 1000.0 / x->sample_rate;
        const double wait_ms = due_ms - clock_gettimesince(x->block_time);
        x->has_event = wait_ms > 1e-6;
        if (x->has_event) {
            clock_delay(x->news, wait_ms);
            return;
        }
        const td_event event = x->event; /* an outlet may bring us back here */
        torchdrum_hit(x, &event);
    }
}

/* ---- sound ---- */

static void run(t_torchdrum *x, t_sample *in, t_sample *drum, t_sample *trigger, int n)
{
    td_engine *engine = td_object_engine(x->object);
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
    const int n = (int)w[5];
    x->block_position = x->position;
    x->block_time = clock_getlogicaltime();
    run(x, (t_sample *)w[2], (t_sample *)w[3], (t_sample *)w[4], n);
    x->position += (uint64_t)n;
    if (!x->has_event && td_object_has_news(x->object)) clock_delay(x->news, 0);
    return w + 6;
}

static void torchdrum_dsp(t_torchdrum *x, t_signal **sp)
{
    if (sp[0]->s_sr != x->sample_rate) {
        if (td_object_prepare(x->object, sp[0]->s_sr) != TD_OK) {
            dsp_add_zero(sp[1]->s_vec, sp[1]->s_n);
            dsp_add_zero(sp[2]->s_vec, sp[2]->s_n);
            return;
        }
        x->sample_rate = sp[0]->s_sr;
        x->position = 0;
        x->has_event = 0;
    }
    dsp_add(torchdrum_perform, 5, x, sp[0]->s_vec, sp[1]->s_vec, sp[2]->s_vec, (t_int)sp[0]->s_n);
}

/* ---- messages ---- */

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
        } else {
            pd_error(x, "torchdrum~: %s is not a flag of this version (-d starts disabled, -seed n fixes the noise)", flag);
        }
    }
    if (argc > 0) torchdrum_anything(x, gensym("load"), 1, argv);
    if (argc > 1) pd_error(x, "torchdrum~: only one model can be given, the rest is ignored");
}

static void torchdrum_free(t_torchdrum *x)
{
    loader_stop(&x->loader);
    if (x->news) clock_free(x->news);
    if (x->poll) clock_free(x->poll);
    if (x->object) td_object_free(x->object);
    free(x->object);
}

static void *torchdrum_new(t_symbol *s, int argc, t_atom *argv)
{
    t_torchdrum *x = (t_torchdrum *)pd_new(torchdrum_class);
    (void)s;
    const td_host host = {x, torchdrum_info, torchdrum_say, torchdrum_load, torchdrum_release};
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
    return x;
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
    torchdrum_class = class_new(gensym("torchdrum~"), (t_newmethod)(void (*)(void))torchdrum_new, (t_method)torchdrum_free,
                                sizeof(t_torchdrum), CLASS_DEFAULT, A_GIMME, A_NULL);
    CLASS_MAINSIGNALIN(torchdrum_class, t_torchdrum, signal);
    class_addmethod(torchdrum_class, (t_method)torchdrum_dsp, gensym("dsp"), A_CANT, A_NULL);
    class_addbang(torchdrum_class, torchdrum_bang);
    class_addanything(torchdrum_class, torchdrum_anything);
}
