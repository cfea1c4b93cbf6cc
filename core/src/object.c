/* SPDX-License-Identifier: MIT
 * Messages become edits of a patch, which is then published; controls of the audio side are set at once. */
#include "torchdrum_object.h"

#include "engine.h"
#include "library.h"
#include "model.h"
#include "td_atomic.h"
#include "td_math.h"
#include "text.h"

enum { LINE_BYTES = 1536, ALL_PARAMS = (1 << TD_PARAMS) - 1 };

struct td_object {
    td_engine engine;
    td_event_ring ring;
    td_library library;
    td_patch edit; /* what was published last */
    td_host host;
    const td_model *builtin;
    char model_name[TD_PATH_BYTES];
    uint32_t requests;  /* loads asked for so far */
    uint32_t published; /* the newest of them that was published: what comes in late and is older stays unused */
    uint32_t bad_said;
    /* Where the overrides come from: a preset (its index and 1, or 0), then single parameters, each with the number of loads asked for
     * when it was set: a load that is answered later drops only what is older than itself. */
    int preset;
    uint32_t preset_at, set, set_at[TD_PARAMS];
    int seed_given;
};

/* ---- speaking ---- */

static void add(td_text *text, const char *a, const char *b, const char *c)
{
    td_text_add(text, a);
    td_text_add(text, b);
    td_text_add(text, c);
}

static void say(td_object *self, td_severity severity, const char *a, const char *b, const char *c)
{
    char line[LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    add(&text, a, b, c);
    self->host.say(self->host.context, severity, line);
}

static int wrong(td_object *self, const char *a, const char *b, const char *c)
{
    say(self, TD_SAY_ERROR, a, b, c);
    return 1;
}

static td_atom number(double value)
{
    const td_atom a = {NULL, value};
    return a;
}

static td_atom word(const char *text)
{
    const td_atom a = {text, 0.0};
    return a;
}

static void info(td_object *self, const char *selector, int count, const td_atom *atoms)
{
    self->host.info(self->host.context, selector, count, atoms);
}

static void info_number(td_object *self, const char *selector, double value)
{
    const td_atom a = number(value);
    info(self, selector, 1, &a);
}

/* A float as a person would write it: 0.4 and not 0.4000000059604645. */
static double tidy(float value)
{
    double scale = 1.0;
    for (int i = 0; i < 7; i++, scale *= 10.0) {
        const double scaled = (double)value * scale, rounded = (double)(int64_t)(scaled + (scaled < 0.0 ? -0.5 : 0.5));
        if ((float)(rounded / scale) == value) return rounded / scale;
    }
    return (double)value;
}

/* Hz, ms and dB are said; what a plain number is, is not. */
static void add_unit(td_text *text, const char *unit)
{
    static const char *const plain[] = {"", "on/off", "count", "ratio", "x", "Q", "%"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (td_same_text(unit, plain[i])) return;
    for (const char *c = unit; *c; c++)
        if (*c == '|') return;
    add(text, " ", unit, "");
}

static void add_range(td_text *text, double min, double max, const char *unit)
{
    td_text_add_number(text, min);
    td_text_add(text, " to ");
    td_text_add_number(text, max);
    add_unit(text, unit);
}

/* A number in its range; clipping is said. 0 when there is no number. */
static int read_number(td_object *self, const char *what, const char *unit, float min, float max, int count, const td_atom *atoms,
                       float *value)
{
    char line[LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    add(&text, what, ": ", "");
    if (count != 1 || atoms[0].text || !(atoms[0].number - atoms[0].number == 0.0)) {
        td_text_add(&text, "give one number, ");
        add_range(&text, tidy(min), tidy(max), unit);
        self->host.say(self->host.context, TD_SAY_ERROR, line);
        return 0;
    }
    double x = atoms[0].number;
    const double wanted = x;
    if (td_same_text(unit, "on/off")) x = x >= 0.5 ? 1.0 : 0.0;
    if (td_same_text(unit, "count") && x > 0.0 && x < 1e9) x = (double)(int64_t)x;
    /* compared as the float that it becomes: 4.66 is what the table says */
    *value = x < (double)min ? min : (x > (double)max ? max : (float)x);
    if (wanted < (double)min || (wanted > (double)max && (float)wanted > max)) {
        td_text_add_number(&text, wanted);
        td_text_add(&text, " is out of range (");
        add_range(&text, tidy(min), tidy(max), unit);
        td_text_add(&text, "), taken as ");
        td_text_add_number(&text, tidy(*value));
        self->host.say(self->host.context, TD_SAY_ERROR, line);
    }
    return 1;
}

/* ---- patches and models ---- */

static void publish(td_object *self) { td_library_publish(&self->library, &self->engine, &self->edit); }

static const td_model *find_model(const td_object *self, const char *name)
{
    return td_same_text(self->builtin->info.name, name) ? self->builtin : td_library_find(&self->library, name);
}

/* A request is a running number and, in the lowest bit, whether the overrides are kept. */
static uint32_t new_request(td_object *self, int keep) { return ++self->requests << 1 | (uint32_t)(keep != 0); }

/* Those that were there when a load was asked for. */
static void drop_overrides(td_object *self, uint32_t asked)
{
    if ((int32_t)(self->preset_at - asked) < 0) self->preset = 0;
    for (int i = 0; i < TD_PARAMS; i++)
        if ((int32_t)(self->set_at[i] - asked) < 0) self->set &= ~(1u << i);
    self->edit.override_mask = self->preset ? ALL_PARAMS : self->set;
}

static void use_model(td_object *self, uint32_t request, const char *name, const td_model *model)
{
    if ((int32_t)(request - self->published) < 0) return;
    self->published = request;
    if (name != self->model_name) {
        td_text text = td_text_in(self->model_name, sizeof self->model_name);
        td_text_add(&text, name);
    }
    self->edit.model[0] = model;
    if (!(request & 1u)) drop_overrides(self, request >> 1);
    /* what the network may do to a parameter is the model's, as long as no preset says it */
    for (int i = 0; i < TD_PARAMS; i++)
        if (!self->preset) self->edit.damping[i] = model->info.preset.damping[i];
    publish(self);
    const td_atom a = word(self->model_name);
    info(self, "loaded", 1, &a);
    char detector[TD_WORD_BYTES];
    td_control_choice(TD_CONTROL_detector, (int)td_engine_get(&self->engine, TD_CONTROL_detector), detector);
    if (td_same_text(detector, model->info.detector)) return;
    char line[LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    add(&text, self->model_name, " learned from strokes that the detector ", model->info.detector);
    add(&text, " found, it plays with ", detector, " too (send detector ");
    add(&text, model->info.detector, " for its own)", "");
    self->host.say(self->host.context, TD_SAY_POST, line);
}

void td_object_loaded(td_object *self, uint32_t request, const char *name, td_model *model)
{
    td_model *forgotten = td_library_add(&self->library, name, model, &self->edit);
    if (forgotten) self->host.release(self->host.context, forgotten);
    use_model(self, request, name, model);
}

void td_object_load_failed(td_object *self, uint32_t request, const char *name, const char *reason)
{
    char line[LINE_BYTES];
    (void)request;
    td_text text = td_text_in(line, sizeof line);
    add(&text, name, ": ", reason);
    say(self, TD_SAY_ERROR, "load: ", line, "; the model is unchanged");
    const td_atom atoms[2] = {word("load"), word(line)};
    info(self, "error", 2, atoms);
}

/* ---- messages ---- */

static const char *one_word(td_object *self, const char *message, const char *hint, int count, const td_atom *atoms)
{
    if (count >= 1 && atoms[0].text && atoms[0].text[0]) return atoms[0].text;
    wrong(self, message, ": ", hint);
    return NULL;
}

static int on_load(td_object *self, int count, const td_atom *atoms)
{
    const char *name = one_word(self, "load", "give the name or file of a model", count, atoms);
    if (!name) return 1;
    const int keep = count == 2 && atoms[1].text && td_same_text(atoms[1].text, "keep");
    if (count > 1 && !keep) return wrong(self, "load: only the word keep may follow the name", "", "");
    size_t length = 0;
    while (name[length]) length++;
    if (length >= TD_PATH_BYTES) return wrong(self, "load: the name is too long", "", "");
    const uint32_t request = new_request(self, keep);
    const td_model *model = find_model(self, name);
    if (model)
        use_model(self, request, name, model);
    else
        self->host.load(self->host.context, name, request);
    return 1;
}

static int on_reload(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (count) return wrong(self, "reload: takes no argument, it reads the present model again", "", "");
    const uint32_t request = new_request(self, 1);
    if (self->edit.model[0] == self->builtin)
        use_model(self, request, self->model_name, self->builtin);
    else
        self->host.load(self->host.context, self->model_name, request);
    return 1;
}

static const char *short_name(const char *preset) { return memcmp(preset, "808_", 4) == 0 ? preset + 4 : preset; }

static int on_preset(td_object *self, int count, const td_atom *atoms)
{
    char names[256], why[TD_ERROR_BYTES];
    const char *json, *name, *wanted = count == 1 && atoms[0].text ? atoms[0].text : "";
    td_text list = td_text_in(names, sizeof names);
    for (int i = 0; (json = td_builtin_preset(i, &name)) != NULL; i++) {
        td_preset preset;
        size_t bytes = 0;
        add(&list, i ? ", " : "", name, "");
        if (!td_same_text(wanted, name) && !td_same_text(wanted, short_name(name))) continue;
        while (json[bytes]) bytes++;
        if (td_preset_read(json, bytes, &preset, why)) return wrong(self, "preset: ", why, "");
        memcpy(self->edit.base, preset.value, sizeof self->edit.base);
        memcpy(self->edit.damping, preset.damping, sizeof self->edit.damping);
        self->edit.override_mask = ALL_PARAMS;
        self->preset = i + 1;
        self->preset_at = self->requests;
        self->set = 0;
        publish(self);
        return 1;
    }
    return wrong(self, "preset: give one of ", names, "");
}

static int set_param(td_object *self, int index, int count, const td_atom *atoms)
{
    const td_param_info *p = td_param(index);
    float value;
    if (!read_number(self, p->name, p->unit, p->min, p->max, count, atoms, &value)) return 1;
    const uint32_t bit = 1u << index;
    if (!(self->edit.override_mask & bit)) self->edit.damping[index] = self->edit.model[0]->info.preset.damping[index];
    self->edit.base[index] = value;
    self->edit.override_mask |= bit;
    self->set |= bit;
    self->set_at[index] = self->requests;
    publish(self);
    return 1;
}

static int on_set(td_object *self, int count, const td_atom *atoms)
{
    const char *name = one_word(self, "set", "give a parameter and a number, such as set osc1_freq 200", count, atoms);
    if (!name) return 1;
    const int index = td_param_find(name);
    if (index < 0) return wrong(self, "set: there is no parameter ", name, " (dump lists them)");
    return set_param(self, index, count - 1, atoms + 1);
}

static float param_value(const td_object *self, int index)
{
    return self->edit.override_mask & 1u << index ? self->edit.base[index] : self->edit.model[0]->info.preset.value[index];
}

static float control_value(const td_object *self, int index)
{
    if (index == TD_CONTROL_depth) return self->edit.depth;
    if (index == TD_CONTROL_seed) return (float)self->edit.seed;
    return td_engine_get(&self->engine, index);
}

/* The number of a word that a control takes. 0 when it takes words and this is none of them. */
static int read_choice(td_object *self, int index, const char *name, int count, const td_atom *atoms, float *value)
{
    char choice[TD_WORD_BYTES], words[256];
    td_text list = td_text_in(words, sizeof words);
    for (int i = 0; td_control_choice(index, i, choice); i++) {
        add(&list, i ? ", " : "", choice, "");
        *value = (float)i;
        if (count == 1 && (atoms[0].text ? td_same_text(choice, atoms[0].text) : atoms[0].number == (double)i)) return 1;
    }
    wrong(self, name, ": give one of ", words);
    return 0;
}

static td_atom control_atom(const td_object *self, int index, char choice[TD_WORD_BYTES])
{
    const float value = control_value(self, index);
    return td_control_choice(index, (int)value, choice) ? word(choice) : number(tidy(value));
}

static int set_control(td_object *self, int index, const char *name, int count, const td_atom *atoms)
{
    char choice[TD_WORD_BYTES];
    const td_control_info *c = td_control(index);
    float value;
    if (td_control_choice(index, 0, choice)) {
        if (!read_choice(self, index, name, count, atoms, &value)) return 1;
    } else if (!read_number(self, name, c->unit, c->min, c->max, count, atoms, &value)) {
        return 1;
    }
    if (index == TD_CONTROL_depth) {
        self->edit.depth = value;
        publish(self);
    } else if (index == TD_CONTROL_seed) {
        self->edit.seed = (uint32_t)value;
        self->edit.seed_serial++;
        self->seed_given = 1;
        publish(self);
    } else {
        td_engine_set(&self->engine, index, value);
    }
    return 1;
}

static const char *const normalize_words[] = {"model", "adapt"};

/* Everything that was set, a line at a time. */
typedef void (*report)(td_object *self, const char *name, td_atom value, const char *unit);

static void report_all(td_object *self, report line)
{
    line(self, "model", word(self->model_name), "");
    for (int i = 0; i < TD_PARAMS; i++) line(self, td_param(i)->name, number(tidy(param_value(self, i))), td_param(i)->unit);
    char choice[TD_WORD_BYTES];
    for (int i = 0; i < TD_CONTROL_COUNT; i++) line(self, td_control(i)->name, control_atom(self, i, choice), td_control(i)->unit);
    line(self, "normalize", word(normalize_words[self->edit.normalize]), "");
}

static void report_info(td_object *self, const char *name, td_atom value, const char *unit)
{
    (void)unit;
    info(self, name, 1, &value);
}

static void report_console(td_object *self, const char *name, td_atom value, const char *unit)
{
    char line[LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    add(&text, name, " ", "");
    if (value.text)
        td_text_add(&text, value.text);
    else
        td_text_add_number(&text, value.number);
    add_unit(&text, unit);
    self->host.say(self->host.context, TD_SAY_POST, line);
}

static int on_dump(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (count) return wrong(self, "dump: takes no argument (get gives one value)", "", "");
    report_all(self, report_info);
    return 1;
}

static int on_print(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (count) return wrong(self, "print: takes no argument", "", "");
    report_all(self, report_console);
    return 1;
}

static int on_get(td_object *self, int count, const td_atom *atoms)
{
    const char *name = one_word(self, "get", "give the name of a parameter or control (dump lists them)", count, atoms);
    if (!name) return 1;
    const int param = td_param_find(name), control = td_control_find(name);
    char choice[TD_WORD_BYTES];
    if (count > 1) return wrong(self, "get: takes one name", "", "");
    if (param >= 0)
        info_number(self, td_param(param)->name, tidy(param_value(self, param)));
    else if (control >= 0)
        report_info(self, td_control(control)->name, control_atom(self, control, choice), "");
    else if (td_same_text(name, "model"))
        report_info(self, name, word(self->model_name), "");
    else if (td_same_text(name, "normalize"))
        report_info(self, name, word(normalize_words[self->edit.normalize]), "");
    else
        return wrong(self, "get: there is nothing called ", name, " (dump lists what there is)");
    return 1;
}

static int on_normalize(td_object *self, int count, const td_atom *atoms)
{
    for (uint32_t i = 0; i < 2; i++) {
        if (count != 1 || !atoms[0].text || !td_same_text(atoms[0].text, normalize_words[i])) continue;
        self->edit.normalize = i;
        publish(self);
        return 1;
    }
    return wrong(self, "normalize: give model or adapt", "", "");
}

static int on_trigger(td_object *self, int count, const td_atom *atoms)
{
    static const char *const names[TD_FEATURES] = {"trigger loudness", "trigger centroid", "trigger flatness"};
    float features[TD_FEATURES];
    if (count != 0 && count != TD_FEATURES)
        return wrong(self, "trigger: give nothing or three numbers 0 to 1: loudness centroid flatness", "", "");
    for (int f = 0; f < count; f++)
        if (!read_number(self, names[f], "", 0.0f, 1.0f, 1, atoms + f, &features[f])) return 1;
    if (td_engine_trigger(&self->engine, 0, count ? features : NULL) == TD_ERR_FULL)
        return wrong(self, "trigger: too many are waiting, is the DSP on?", "", "");
    return 1;
}

static int on_reset(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (count) return wrong(self, "reset: takes no argument", "", "");
    td_engine_reset(&self->engine);
    return 1;
}

static int on_latency(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (count) return wrong(self, "latency: takes no argument", "", "");
    const int samples = td_engine_latency(&self->engine);
    const td_atom out[2] = {number(samples), number(1000.0 * samples / self->engine.sample_rate)};
    info(self, "latency", 2, out);
    return 1;
}

static int on_meter(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (count) return wrong(self, "meter: takes no argument", "", "");
    td_meter meter;
    td_engine_meter(&self->engine, &meter);
    const td_atom out[] = {number(tidy(meter.level)), number(tidy(meter.rise)), number(tidy(meter.threshold))};
    info(self, "meter", sizeof out / sizeof *out, out);
    return 1;
}

static int on_version(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (count) return wrong(self, "version: takes no argument", "", "");
    const td_atom a = word(TD_VERSION);
    info(self, "version", 1, &a);
    return 1;
}

static const struct {
    const char *name;
    int (*act)(td_object *, int, const td_atom *);
} messages[] = {
    {"load", on_load},       {"reload", on_reload}, {"preset", on_preset},
    {"set", on_set},         {"get", on_get},       {"dump", on_dump},
    {"bang", on_dump},       {"print", on_print},   {"normalize", on_normalize},
    {"trigger", on_trigger}, {"reset", on_reset},   {"latency", on_latency},
    {"version", on_version}, {"meter", on_meter},
};

const char *td_object_word(int index)
{
    return index >= 0 && index < (int)(sizeof messages / sizeof *messages) ? messages[index].name : NULL;
}

int td_object_message(td_object *self, const char *name, int count, const td_atom *atoms)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (td_same_text(messages[i].name, name)) return messages[i].act(self, count, atoms);
    const int control = td_control_find(name), param = td_param_find(name);
    if (control >= 0) return set_control(self, control, name, count, atoms);
    if (param >= 0) return set_param(self, param, count, atoms);
    wrong(self, "no message ", name, " (the help patch lists them)");
    return 0;
}

/* ---- state ---- */

static const char *preset_name(int index)
{
    const char *name = "";
    td_builtin_preset(index, &name);
    return name;
}

static void state_of_sound(const td_object *self, td_state_line line, void *context)
{
    line(context, "load", word(self->model_name));
    if (self->preset) line(context, "preset", word(preset_name(self->preset - 1)));
    for (int i = 0; i < TD_PARAMS; i++)
        if (self->set & 1u << i) line(context, td_param(i)->name, number(tidy(self->edit.base[i])));
    line(context, "normalize", word(normalize_words[self->edit.normalize]));
    if (self->seed_given) line(context, td_control(TD_CONTROL_seed)->name, number((double)self->edit.seed));
}

/* What is chosen by a word may set other controls: those first. */
static void state_of_controls(const td_object *self, td_state_line line, void *context)
{
    char choice[TD_WORD_BYTES];
    for (int words = 1; words >= 0; words--)
        for (int i = 0; i < TD_CONTROL_COUNT; i++)
            if (i != TD_CONTROL_seed && td_control_choice(i, 0, choice) == words)
                line(context, td_control(i)->name, control_atom(self, i, choice));
}

void td_object_state(const td_object *self, int parts, td_state_line line, void *context)
{
    if (parts & TD_STATE_SOUND) state_of_sound(self, line, context);
    if (parts & TD_STATE_CONTROLS) state_of_controls(self, line, context);
}

void td_object_restore(td_object *self, int count, const td_atom *atoms)
{
    for (int i = 0; i < count; i += 2) {
        if (!atoms[i].text || i + 1 == count) {
            wrong(self, "the state that was kept is not whole: a word and its value are expected", "", "");
            return;
        }
        td_object_message(self, atoms[i].text, 1, &atoms[i + 1]);
    }
}

double td_object_param(const td_object *self, int index) { return index >= 0 && index < TD_PARAMS ? tidy(param_value(self, index)) : 0.0; }

double td_object_control(const td_object *self, int index)
{
    return index >= 0 && index < TD_CONTROL_COUNT ? tidy(control_value(self, index)) : 0.0;
}

/* ---- life ---- */

size_t td_object_size(void) { return sizeof(td_object); }
td_engine *td_object_engine(td_object *self) { return &self->engine; }
const char *td_object_model_name(const td_object *self) { return self->model_name; }

static td_status start_engine(td_object *self, double sample_rate)
{
    return td_engine_init(&self->engine, sample_rate, td_library_restart(&self->library, &self->edit), &self->ring);
}

td_status td_object_init(td_object *self, const td_host *host, const td_model *builtin, uint32_t seed)
{
    memset(self, 0, sizeof *self);
    self->host = *host;
    self->builtin = builtin;
    td_patch_init(&self->edit, builtin);
    self->edit.seed = seed;
    td_text text = td_text_in(self->model_name, sizeof self->model_name);
    td_text_add(&text, builtin->info.name);
    return start_engine(self, 48000.0); /* until the host says at which rate it runs */
}

void td_object_free(td_object *self)
{
    for (td_model *model; (model = td_library_take(&self->library)) != NULL;) self->host.release(self->host.context, model);
}

td_status td_object_prepare(td_object *self, double sample_rate)
{
    uint32_t controls[TD_CONTROL_COUNT];
    if (sample_rate == self->engine.sample_rate) return TD_OK;
    if (!(sample_rate >= TD_MIN_RATE && sample_rate <= TD_MAX_RATE)) {
        char line[LINE_BYTES];
        td_text text = td_text_in(line, sizeof line);
        td_text_add(&text, "a sample rate of ");
        td_text_add_number(&text, sample_rate);
        td_text_add(&text, " Hz is not supported (8000 to 192000)");
        self->host.say(self->host.context, TD_SAY_ERROR, line);
        return TD_ERR_ARGUMENT;
    }
    memcpy(controls, self->engine.controls, sizeof controls);
    start_engine(self, sample_rate);
    memcpy(self->engine.controls, controls, sizeof controls);
    return TD_OK;
}

/* Words of a sentence as atoms, so that the info outlet can be read. */
static void info_outside(td_object *self, float db)
{
    const int below = db < 0.0f;
    const td_atom atoms[] = {word("input"),
                             word("is"),
                             number((double)(int)((below ? -db : db) + 0.5f)),
                             word("dB"),
                             word(below ? "below" : "above"),
                             word("the"),
                             word("model:"),
                             word("send"),
                             word("normalize"),
                             word("adapt")};
    info(self, "level", (int)(sizeof atoms / sizeof *atoms), atoms);
}

int td_object_has_news(const td_object *self)
{
    return td_load_acquire(&self->ring.written) != td_load_relaxed(&self->ring.read) ||
           (td_engine_bad_samples(&self->engine) && !td_load_relaxed(&self->bad_said));
}

int td_object_next_event(td_object *self, td_event *event)
{
    if (td_engine_bad_samples(&self->engine) && !self->bad_said) {
        td_store_relaxed(&self->bad_said, 1);
        wrong(self, "the input holds NaN or infinite samples; they count as silence", "", "");
    }
    if (!td_engine_next_event(&self->engine, event)) return 0;
    if (event->outside_db != 0.0f) info_outside(self, event->outside_db);
    return 1;
}
