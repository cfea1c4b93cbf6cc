/* SPDX-License-Identifier: MIT
 * Which model and which preset play: loading, morphing, single parameters, stores and preset files. */
#include "object.h"

#include "model.h"
#include "params.h"
#include "td_math.h"

/* A request is a running number and, in its lowest bits, what is to be done with the file. */
enum { KEEP = 1, MORPH = 2, PRESET = 4, FLAGS = 3 };

static uint32_t new_request(td_object *self, uint32_t flags) { return ++self->requests << FLAGS | flags; }

int td_request_is_preset(uint32_t request) { return (request & PRESET) != 0; }

void td_object_publish(td_object *self)
{
    td_patch patch = self->edit;
    for (int c = 0; c < self->channels; c++, patch.seed++) {
        td_channel *channel = td_object_channel(self, c);
        td_pool_publish(&channel->pool, &channel->engine, &patch);
    }
}

const char *td_param_name(int index) { return td_param(index)->name; }

/* ---- models ---- */

static const td_model *find_model(const td_object *self, const char *name)
{
    return td_same_text(self->builtin->info.name, name) ? self->builtin : td_library_find(&self->library, name);
}

/* Whether a morph waits for its models and this is one of them. */
static int is_waited_for(const td_object *self, const td_model *model)
{
    if ((int32_t)((self->morph.request >> FLAGS) - self->published) <= 0) return 0;
    return find_model(self, self->morph.name[0]) == model || find_model(self, self->morph.name[1]) == model;
}

static int is_needed(const void *context, const td_model *model)
{
    const td_object *self = context;
    if (td_patch_uses(&self->edit, model) || td_pool_uses(&self->first.pool, model) || is_waited_for(self, model)) return 1;
    for (int c = 1; c < self->channels; c++)
        if (td_pool_uses(&self->more[c - 1].pool, model)) return 1;
    return 0;
}

/* Those that were there when a load was asked for. */
static void drop_overrides(td_object *self, uint32_t asked)
{
    if ((int32_t)(self->preset_at - asked) < 0) self->preset = TD_PRESET_OF_MODEL;
    for (int i = 0; i < TD_PARAMS; i++)
        if ((int32_t)(self->set_at[i] - asked) < 0) self->set &= ~(1u << i);
    self->edit.override_mask = self->preset == TD_PRESET_OF_MODEL ? self->set : TD_ALL_PARAMS;
    self->dropped = asked;
}

static void say_detector(td_object *self, int slot)
{
    char detector[TD_WORD_BYTES], line[TD_LINE_BYTES];
    const char *own = self->edit.model[slot]->info.detector;
    td_control_choice(TD_CONTROL_detector, (int)td_engine_get(&self->first.engine, TD_CONTROL_detector), detector);
    if (td_same_text(detector, own)) return;
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, self->model_name[slot], " learned from strokes that the detector ", own);
    td_text_add_all(&text, " found, it plays with ", detector, " too (send detector ");
    td_text_add_all(&text, own, " for its own)", "");
    td_say(self, TD_SAY_POST, line, "", "");
}

static void say_window(td_object *self)
{
    const td_model_info *a = &self->edit.model[0]->info, *b = &self->edit.model[1]->info;
    if (a->window == b->window && a->preroll == b->preroll) return;
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, "morph: ", self->model_name[1], " learned from another part of the strokes than ");
    td_text_add_all(&text, self->model_name[0], ", whose window both hear", "");
    td_say(self, TD_SAY_POST, line, "", "");
}

/* Publishes one model or two, which name names. */
static void use_models(td_object *self, uint32_t request, char (*name)[TD_PATH_BYTES], const td_model *const model[TD_MODEL_SLOTS],
                       float morph)
{
    td_atom atoms[TD_MODEL_SLOTS];
    if ((int32_t)((request >> FLAGS) - self->published) < 0) return;
    self->published = request >> FLAGS;
    self->edit.morph = morph;
    int models = 0;
    for (int s = 0; s < TD_MODEL_SLOTS; s++) {
        self->edit.model[s] = model[s];
        if (!model[s]) break;
        memcpy(self->model_name[s], name[s], sizeof name[s]);
        atoms[models++] = td_word(self->model_name[s]);
    }
    if (!(request & KEEP)) drop_overrides(self, request >> FLAGS);
    /* what the network may do to a parameter is the model's, as long as no preset says it */
    for (int i = 0; i < TD_PARAMS; i++)
        if (self->preset == TD_PRESET_OF_MODEL) self->edit.damping[i] = model[0]->info.preset.damping[i];
    td_object_publish(self);
    td_info(self, "loaded", models, atoms);
    for (int s = 0; s < models; s++) say_detector(self, s);
    if (models > 1) say_window(self);
}

static void use_model(td_object *self, uint32_t request, const char *name, const td_model *model)
{
    char names[1][TD_PATH_BYTES];
    td_text text = td_text_in(names[0], sizeof names[0]);
    const td_model *const models[TD_MODEL_SLOTS] = {model, NULL};
    td_text_add(&text, name);
    use_models(self, request, names, models, 0.0f);
}

/* Looks for the models of a morph one after the other: a host reads one file at a time and keeps the newest request only. */
static void go_on_morphing(td_object *self)
{
    td_morph *morph = &self->morph;
    const td_model *model[TD_MODEL_SLOTS];
    for (int s = 0; s < TD_MODEL_SLOTS; s++) {
        model[s] = find_model(self, morph->name[s]);
        if (model[s]) continue;
        self->host.load(self->host.context, morph->name[s], morph->request);
        return;
    }
    use_models(self, morph->request, morph->name, model, morph->x);
}

void td_object_loaded(td_object *self, uint32_t request, const char *name, td_model *model)
{
    td_model *forgotten = td_library_add(&self->library, name, model, is_needed, self);
    if (forgotten) self->host.release(self->host.context, forgotten);
    if (forgotten == model)
        td_object_load_failed(self, request, name, "too many models wait for a stroke on their channel, play first");
    else if (!(request & MORPH))
        use_model(self, request, name, model);
    else if (request == self->morph.request)
        go_on_morphing(self);
}

void td_object_load_failed(td_object *self, uint32_t request, const char *name, const char *reason)
{
    char line[TD_LINE_BYTES];
    const char *word = request & PRESET ? "read" : (request & MORPH ? "morph" : "load");
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, word, ": ", name);
    td_text_add_all(&text, ": ", reason, request & PRESET ? "; the sound is unchanged" : "; the model is unchanged");
    td_wrong(self, line, "", "");
    text = td_text_in(line, sizeof line);
    td_text_add_all(&text, name, ": ", reason);
    const td_atom atoms[] = {td_word(word), td_word(line)};
    td_info(self, "error", 2, atoms);
}

/* A name that fits into the object; else NULL, which is said. */
static const char *read_name(td_object *self, const char *message, const char *hint, int count, const td_atom *atoms)
{
    const char *name = td_read_word(self, message, hint, count, atoms);
    size_t length = 0;
    while (name && name[length]) length++;
    if (length < TD_PATH_BYTES - sizeof ".json") return name;
    td_wrong(self, message, ": the name is too long", "");
    return NULL;
}

int td_on_load(td_object *self, int count, const td_atom *atoms)
{
    const char *name = read_name(self, "load", "give the name or file of a model", count, atoms);
    if (!name) return 1;
    const int keep = count == 2 && td_is_word(&atoms[1], "keep");
    if (count > 1 && !keep) return td_wrong(self, "load: only the word keep may follow the name", "", "");
    const uint32_t request = new_request(self, keep ? KEEP : 0);
    const td_model *model = find_model(self, name);
    if (model)
        use_model(self, request, name, model);
    else
        self->host.load(self->host.context, name, request);
    return 1;
}

static void morph_between(td_object *self, const char *a, const char *b, float x, uint32_t flags)
{
    const char *const names[TD_MODEL_SLOTS] = {a, b};
    for (int s = 0; s < TD_MODEL_SLOTS; s++) {
        char name[TD_PATH_BYTES]; /* which may be the present one itself */
        td_text text = td_text_in(name, sizeof name);
        td_text_add(&text, names[s]);
        memcpy(self->morph.name[s], name, sizeof name);
    }
    self->morph.x = x;
    self->morph.request = new_request(self, flags | MORPH);
    go_on_morphing(self);
}

/* Two models and a number, or a number once there are two, or off. */
int td_on_morph(td_object *self, int count, const td_atom *atoms)
{
    static const char hint[] = "give two models and a number 0 to 1, such as morph snare_1 open_snare 0.5, then a number alone, or off";
    float x;
    if (count == 3) {
        const char *a = read_name(self, "morph", hint, 1, atoms), *b = a ? read_name(self, "morph", hint, 1, atoms + 1) : NULL;
        if (b && td_read_number(self, "morph", "", 0.0f, 1.0f, 1, atoms + 2, &x)) morph_between(self, a, b, x, 0);
        return 1;
    }
    const int off = count == 1 && td_is_word(&atoms[0], "off");
    if (!off && (count != 1 || atoms[0].text)) return td_wrong(self, "morph: ", hint, "");
    if (off) {
        self->edit.model[1] = NULL;
        self->edit.morph = 0.0f;
    } else if (!self->edit.model[1]) {
        return td_wrong(self, "morph: there is one model only, ", hint, "");
    } else if (!td_read_number(self, "morph", "", 0.0f, 1.0f, 1, atoms, &self->edit.morph)) {
        return 1;
    }
    td_object_publish(self);
    return 1;
}

int td_on_reload(td_object *self, int count, const td_atom *atoms)
{
    (void)atoms;
    if (!td_read_nothing(self, "reload", count)) return 1;
    for (int s = 0; s < TD_MODEL_SLOTS; s++)
        if (self->edit.model[s]) td_library_forget(&self->library, self->model_name[s]);
    if (self->edit.model[1]) {
        morph_between(self, self->model_name[0], self->model_name[1], self->edit.morph, KEEP);
    } else {
        const td_atom again[] = {td_word(self->model_name[0]), td_word("keep")};
        td_on_load(self, 2, again);
    }
    return 1;
}

void td_info_morph(td_object *self)
{
    const td_atom off = td_word("off");
    const td_atom atoms[] = {td_word(self->model_name[0]), td_word(self->model_name[1]), td_number(td_tidy(self->edit.morph))};
    td_info(self, "morph", self->edit.model[1] ? 3 : 1, self->edit.model[1] ? atoms : &off);
}

/* ---- presets ---- */

float td_param_value(const td_object *self, int index)
{
    static const float still[TD_PARAMS];
    float param[TD_PARAMS];
    td_patch_map(&self->edit, still, param);
    return param[index];
}

/* asked: the number of loads asked for when the preset was. Single parameters that are in later stay as they are. */
static void use_preset(td_object *self, const td_preset *preset, int which, uint32_t asked, uint32_t later)
{
    for (int i = 0; i < TD_PARAMS; i++) {
        if (!(later & 1u << i)) self->edit.base[i] = preset->value[i];
        self->edit.damping[i] = preset->damping[i];
    }
    self->edit.override_mask = TD_ALL_PARAMS;
    self->preset = which;
    self->preset_at = asked;
    self->set = later;
    td_object_publish(self);
}

/* The present sound, as a preset. */
static td_preset present(const td_object *self)
{
    td_preset preset;
    for (int i = 0; i < TD_PARAMS; i++) {
        preset.value[i] = td_param_value(self, i);
        preset.damping[i] = self->edit.override_mask & 1u << i ? self->edit.damping[i] : self->edit.model[0]->info.preset.damping[i];
    }
    return preset;
}

/* A preset as numbers: the parameters in units, then how far the network may move each. */
static int read_numbers(td_object *self, const td_atom *atoms, td_preset *preset)
{
    for (int i = 0; i < TD_PARAMS; i++) {
        const td_param_info *p = td_param(i);
        if (!td_read_number(self, p->name, p->unit, p->min, p->max, 1, atoms + i, &preset->value[i]) ||
            !td_read_number(self, "damping", "", 0.0f, (float)TD_MAX_DAMPING, 1, atoms + TD_PARAMS + i, &preset->damping[i]))
            return 0;
    }
    return 1;
}

static int give_numbers(const td_preset *preset, td_atom atoms[TD_PRESET_NUMBERS])
{
    for (int i = 0; i < TD_PARAMS; i++) {
        atoms[i] = td_number(td_tidy(preset->value[i]));
        atoms[TD_PARAMS + i] = td_number(td_tidy(preset->damping[i]));
    }
    return TD_PRESET_NUMBERS;
}

static const char *short_name(const char *preset) { return memcmp(preset, "808_", 4) == 0 ? preset + 4 : preset; }

int td_on_preset(td_object *self, int count, const td_atom *atoms)
{
    char names[256], why[TD_ERROR_BYTES];
    const char *json, *name;
    td_preset preset;
    td_text list = td_text_in(names, sizeof names);
    if (count == TD_PRESET_NUMBERS) {
        if (read_numbers(self, atoms, &preset)) use_preset(self, &preset, TD_PRESET_NUMBERED, self->requests, 0);
        return 1;
    }
    for (int i = 0; (json = td_builtin_preset(i, &name)) != NULL; i++) {
        size_t bytes = 0;
        td_text_add_all(&list, i ? ", " : "", name, "");
        if (count != 1 || (!td_is_word(atoms, name) && !td_is_word(atoms, short_name(name)))) continue;
        while (json[bytes]) bytes++;
        if (td_preset_read(json, bytes, &preset, why)) return td_wrong(self, "preset: ", why, "");
        use_preset(self, &preset, i, self->requests, 0);
        return 1;
    }
    return td_wrong(self, "preset: give one of ", names, "");
}

int td_set_param(td_object *self, int index, int count, const td_atom *atoms)
{
    const td_param_info *p = td_param(index);
    float value;
    if (!td_read_number(self, p->name, p->unit, p->min, p->max, count, atoms, &value)) return 1;
    const uint32_t bit = 1u << index;
    if (!(self->edit.override_mask & bit)) self->edit.damping[index] = self->edit.model[0]->info.preset.damping[index];
    self->edit.base[index] = value;
    self->edit.override_mask |= bit;
    self->set |= bit;
    self->set_at[index] = self->requests;
    td_object_publish(self);
    return 1;
}

int td_on_set(td_object *self, int count, const td_atom *atoms)
{
    const char *name = td_read_word(self, "set", "give a parameter and a number, such as set osc1_freq 200", count, atoms);
    if (!name) return 1;
    const int index = td_param_find(name);
    if (index < 0) return td_wrong(self, "set: there is no parameter ", name, " (dump lists them)");
    return td_set_param(self, index, count - 1, atoms + 1);
}

/* ---- stores and preset files ---- */

/* The number of a store, or -1, which is said. */
static int read_place(td_object *self, const char *message, int count, const td_atom *atoms)
{
    if (count == 1 && !atoms[0].text && atoms[0].number >= 1.0 && atoms[0].number < TD_STORES + 1) return (int)atoms[0].number - 1;
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, message, ": give one number, 1 to ", "");
    td_text_add_int(&text, TD_STORES);
    td_wrong(self, line, "", "");
    return -1;
}

int td_on_store(td_object *self, int count, const td_atom *atoms)
{
    td_preset preset = present(self);
    const int numbers = count == 1 + TD_PRESET_NUMBERS;
    const int place = read_place(self, "store", numbers ? 1 : count, atoms);
    if (place < 0 || (numbers && !read_numbers(self, atoms + 1, &preset))) return 1;
    self->store[place] = preset;
    self->stored |= 1u << place;
    return 1;
}

int td_on_recall(td_object *self, int count, const td_atom *atoms)
{
    const int place = read_place(self, "recall", count, atoms);
    if (place < 0) return 1;
    if (!(self->stored & 1u << place)) return td_wrong(self, "recall: nothing is stored there (store <n> keeps the present sound)", "", "");
    use_preset(self, &self->store[place], TD_PRESET_NUMBERED, self->requests, 0);
    return 1;
}

void td_info_stored(td_object *self)
{
    td_atom atoms[TD_STORES];
    int count = 0;
    for (int i = 0; i < TD_STORES; i++)
        if (self->stored & 1u << i) atoms[count++] = td_number(i + 1);
    td_info(self, "stored", count, atoms);
}

static void with_ending(td_text *text, const char *name)
{
    static const char ending[] = ".json";
    const size_t length = sizeof ending - 1;
    td_text_add(text, name);
    if (text->length < length || !td_same_text(text->to + text->length - length, ending)) td_text_add(text, ending);
}

int td_on_write(td_object *self, int count, const td_atom *atoms)
{
    char file[TD_PATH_BYTES], json[TD_PRESET_BYTES];
    const char *name = read_name(self, "write", "give the name of a file for the present sound, such as write my_snare", count, atoms);
    if (!name) return 1;
    if (count > 1) return td_wrong(self, "write: takes one name", "", "");
    td_text text = td_text_in(file, sizeof file);
    with_ending(&text, name);
    const td_preset preset = present(self);
    self->host.write(self->host.context, file, json, td_preset_write(&preset, json));
    return 1;
}

void td_object_written(td_object *self, const char *name, const char *why)
{
    char line[TD_LINE_BYTES];
    td_text text = td_text_in(line, sizeof line);
    td_text_add_all(&text, name, why ? ": " : "", why ? why : "");
    const td_atom atoms[] = {td_word("write"), td_word(line)};
    if (why) {
        td_wrong(self, "write: ", line, "; nothing was written");
        td_info(self, "error", 2, atoms);
    } else {
        td_info(self, "written", 1, &atoms[1]);
    }
}

int td_on_read(td_object *self, int count, const td_atom *atoms)
{
    const char *name = read_name(self, "read", "give a preset file, such as read my_snare", count, atoms);
    if (!name) return 1;
    if (count > 1) return td_wrong(self, "read: takes one name", "", "");
    self->host.load(self->host.context, name, new_request(self, PRESET));
    return 1;
}

void td_object_read(td_object *self, uint32_t request, const char *name, const td_preset *preset)
{
    const uint32_t asked = request >> FLAGS;
    /* what came since is newer: a preset or a load that drops what was there */
    if ((self->preset != TD_PRESET_OF_MODEL && (int32_t)(self->preset_at - asked) >= 0) || (int32_t)(self->dropped - asked) > 0) return;
    uint32_t later = 0;
    for (int i = 0; i < TD_PARAMS; i++)
        if (self->set & 1u << i && (int32_t)(self->set_at[i] - asked) >= 0) later |= 1u << i;
    use_preset(self, preset, TD_PRESET_NUMBERED, asked, later);
    const td_atom a = td_word(name);
    td_info(self, "read", 1, &a);
}

/* ---- state ---- */

void td_state_of_sound(const td_object *self, int changed, td_state_line line, void *context)
{
    td_atom atoms[TD_PRESET_NUMBERS];
    const char *name;
    atoms[0] = td_word(self->model_name[0]);
    atoms[1] = td_word(self->model_name[1]);
    atoms[2] = td_number(td_tidy(self->edit.morph));
    if (self->edit.model[1])
        line(context, "morph", 3, atoms);
    else if (!changed || self->requests)
        line(context, "load", 1, atoms);
    if (self->preset == TD_PRESET_NUMBERED) {
        const td_preset preset = present(self);
        line(context, "preset", give_numbers(&preset, atoms), atoms);
    } else if (self->preset >= 0) {
        td_builtin_preset(self->preset, &name);
        td_line(line, context, "preset", td_word(name));
    }
    for (int i = 0; i < TD_PARAMS; i++)
        if (self->set & 1u << i) td_line(line, context, td_param_name(i), td_number(td_tidy(self->edit.base[i])));
}

void td_state_of_stores(const td_object *self, td_state_line line, void *context)
{
    td_atom atoms[1 + TD_PRESET_NUMBERS];
    for (int i = 0; i < TD_STORES; i++) {
        if (!(self->stored & 1u << i)) continue;
        atoms[0] = td_number(i + 1);
        line(context, "store", 1 + give_numbers(&self->store[i], atoms + 1), atoms);
    }
}
