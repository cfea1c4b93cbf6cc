/* SPDX-License-Identifier: MIT
 * The state of an object that random messages went through, restored in a fresh one: the same answers and the same sound, also when the
 * fresh one gets its model late. state MODEL_FILE MODEL_FILE … */
#include "harness.h"
#include "torchdrum_object.h"

enum { ROUNDS = 300, ATOMS = 1024, BLOCK = 20000 };

typedef struct side {
    td_object *object;
    char said[4096], words[ATOMS][64];
    td_atom state[ATOMS];
    int count, late;
    int takes_seeds;
    int pending; /* a model is asked for and not given yet */
    uint32_t request;
    char name[64];
} side;

static char **files;
static int file_count;

static td_model *read_model(const char *name)
{
    static unsigned char file[1 << 20];
    FILE *f = fopen(files[name[0] - '0'], "rb");
    CHECK(f);
    const size_t bytes = fread(file, 1, sizeof file, f);
    fclose(f);
    return harness_model(file, bytes);
}

static void on_info(void *context, const char *selector, int count, const td_atom *atoms)
{
    side *self = context;
    size_t at = strlen(self->said);
    at += (size_t)snprintf(self->said + at, sizeof self->said - at, "%s", selector);
    for (int i = 0; i < count; i++) {
        if (atoms[i].text)
            at += (size_t)snprintf(self->said + at, sizeof self->said - at, " %s", atoms[i].text);
        else
            at += (size_t)snprintf(self->said + at, sizeof self->said - at, " %.17g", atoms[i].number);
    }
    snprintf(self->said + at, sizeof self->said - at, "\n");
    CHECK(at < sizeof self->said - 2);
}

static void on_say(void *context, td_severity severity, const char *line)
{
    (void)context;
    if (severity == TD_SAY_ERROR) fprintf(stderr, "%s\n", line);
    CHECK(severity != TD_SAY_ERROR);
}

static void on_release(void *context, td_model *model) { (void)context, free(model); }

static void on_load(void *context, const char *name, uint32_t request)
{
    side *self = context;
    self->request = request;
    snprintf(self->name, sizeof self->name, "%s", name);
    self->pending = self->late;
    if (!self->late) td_object_loaded(self->object, request, name, read_model(name));
}

static void keep_atom(side *self, const char *text, double number)
{
    CHECK(self->count < ATOMS);
    if (text) snprintf(self->words[self->count], sizeof self->words[0], "%s", text);
    self->state[self->count].text = text ? self->words[self->count] : NULL;
    self->state[self->count++].number = number;
}

static void keep(void *context, const char *word, int count, const td_atom *values)
{
    keep_atom(context, NULL, count);
    keep_atom(context, word, 0.0);
    for (int i = 0; i < count; i++) keep_atom(context, values[i].text, values[i].number);
}

static void number(side *self, const char *word, double x)
{
    const td_atom atom = {NULL, x};
    td_object_message(self->object, word, 1, &atom);
}

static void word(side *self, const char *message, const char *text)
{
    const td_atom atom = {text, 0.0};
    td_object_message(self->object, message, 1, &atom);
}

static void random_message(side *self)
{
    static const char *const presets[] = {"snare_1", "noisy_snare", "open_snare"};
    char name[2] = {(char)('0' + random_bits() % (uint32_t)file_count), 0}, choice[TD_WORD_BYTES];
    const td_param_info *p = td_param((int)(random_bits() % TD_PARAMS));
    int controls = 0;
    while (td_control(controls)) controls++;
    switch (random_bits() % 15) {
    case 0:
        word(self, "load", name);
        return;
    case 1:
        word(self, "preset", presets[random_bits() % 3]);
        return;
    case 2:
        word(self, "normalize", random_bits() % 2 ? "model" : "adapt");
        return;
    case 3: {
        const td_atom atoms[2] = {{name, 0.0}, {"keep", 0.0}};
        td_object_message(self->object, "load", 2, atoms);
        return;
    }
    case 4: {
        static const char *const features[] = {"loudness", "centroid", "flatness", "all"};
        const td_atom atoms[2] = {{features[random_bits() % 4], 0.0}, {NULL, random_unit() * 4.0 - 2.0}};
        td_object_message(self->object, random_bits() % 2 ? "scale" : "offset", 2, atoms);
        return;
    }
    case 5: {
        const td_atom atoms[2] = {{random_bits() % 8 ? p->name : "all", 0.0}, {NULL, random_bits() % 2}};
        td_object_message(self->object, random_bits() % 2 ? "mask" : "depth", 2, atoms);
        return;
    }
    case 6: {
        char second[2] = {(char)('0' + random_bits() % (uint32_t)file_count), 0};
        const td_atom atoms[3] = {{random_bits() % 4 ? name : "snare_1", 0.0}, {second, 0.0}, {NULL, random_unit()}};
        td_object_message(self->object, "morph", 3, atoms);
        return;
    }
    case 7: {
        td_atom atoms[7] = {{NULL, 4 + random_bits() % 250}};
        for (int i = 1; i < 7; i++) atoms[i] = (td_atom){NULL, (i - 4) * 20.0 + random_unit()};
        td_object_message(self->object, "calibrate", 7, atoms);
        return;
    }
    case 8:
        number(self, "store", 1 + random_bits() % 16);
        return;
    case 9: {
        td_atom atoms[2 * TD_PARAMS];
        for (int i = 0; i < TD_PARAMS; i++) {
            atoms[i] = (td_atom){NULL, (double)(td_param(i)->min + random_unit() * (td_param(i)->max - td_param(i)->min))};
            atoms[TD_PARAMS + i] = (td_atom){NULL, random_unit() * 3.0};
        }
        td_object_message(self->object, "preset", 2 * TD_PARAMS, atoms);
        return;
    }
    case 10:
        word(self, "calibrate", "off");
        return;
    case 11:
    case 12:
        number(self, p->name, (double)(p->min + random_unit() * (p->max - p->min)));
        return;
    default: {
        const int c = (int)(random_bits() % (uint32_t)controls);
        if (!self->takes_seeds && strcmp(td_control(c)->name, "seed") == 0) return; /* which none is given for stays as it is */
        if (td_control_choice(c, 0, choice))
            number(self, td_control(c)->name, 0.0);
        else
            number(self, td_control(c)->name, (double)(td_control(c)->min + random_unit() * (td_control(c)->max - td_control(c)->min)));
        if (strcmp(td_control(c)->name, "detector") == 0) word(self, "detector", random_bits() % 2 ? "classic" : "rise");
        if (strcmp(td_control(c)->name, "input") == 0) word(self, "input", random_bits() % 2 ? "line" : "mic");
    }
    }
}

static void open_side(side *self, const td_model *builtin)
{
    const td_host host = {self, on_info, on_say, on_load, on_release, NULL};
    memset(self, 0, sizeof *self);
    self->object = malloc(td_object_size());
    CHECK(td_object_init(self->object, &host, builtin, 77) == TD_OK);
}

static void close_side(side *self)
{
    td_object_free(self->object);
    free(self->object);
}

static void sound(side *self, float *out)
{
    static float in[BLOCK], trigger[BLOCK];
    td_atom features[TD_FEATURES];
    for (int f = 0; f < TD_FEATURES; f++) features[f].text = NULL, features[f].number = 0.3 + 0.2 * f;
    number(self, "enable", 1.0);
    number(self, "mix", 1.0);
    td_object_message(self->object, "trigger", TD_FEATURES, features);
    td_engine_process(td_object_engine(self->object, 0), in, out, trigger, BLOCK);
}

int main(int argc, char **argv)
{
    static side one, other;
    static float sound_one[BLOCK], sound_other[BLOCK];
    CHECK(argc > 2);
    files = argv + 1;
    file_count = argc - 1;
    td_model *builtin = harness_builtin();
    for (int round = 0; round < ROUNDS; round++) {
        open_side(&one, builtin);
        open_side(&other, builtin);
        one.takes_seeds = 1;
        for (int i = (int)(random_bits() % 12); i > 0; i--) random_message(&one);
        /* into a new object what has changed, into any other everything */
        const int everything = TD_STATE_SOUND | TD_STATE_CONTROLS, changed = round / 2 % 2;
        for (int i = changed ? 0 : (int)(random_bits() % 12); i > 0; i--) random_message(&other);
        td_object_state(one.object, everything | (changed ? TD_STATE_CHANGED : 0), keep, &one);
        other.late = round % 2;
        td_object_restore(other.object, one.count, one.state);
        while (other.pending) {
            other.pending = 0;
            td_object_loaded(other.object, other.request, other.name, read_model(other.name));
        }
        one.said[0] = other.said[0] = 0;
        td_object_message(one.object, "dump", 0, NULL);
        td_object_message(other.object, "dump", 0, NULL);
        if (strcmp(one.said, other.said)) fprintf(stderr, "%s\n%s", one.said, other.said);
        CHECK(strcmp(one.said, other.said) == 0);
        /* one may be at another place of its noise: started again in both */
        number(&one, "seed", 5.0);
        number(&other, "seed", 5.0);
        sound(&one, sound_one);
        sound(&other, sound_other);
        CHECK(memcmp(sound_one, sound_other, sizeof sound_one) == 0);
        close_side(&one);
        close_side(&other);
    }
    free(builtin);
    return 0;
}
