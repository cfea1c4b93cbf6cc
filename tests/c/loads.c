/* SPDX-License-Identifier: MIT
 * Loads that are answered late: the newest that can be had wins, a failure takes nothing away. loads MODEL_FILE */
#include "harness.h"
#include "torchdrum_object.h"

static td_object *object;
static uint32_t requests[8];
static int asked;
static char loaded[8][32];
static int published;

static void on_info(void *context, const char *selector, int count, const td_atom *atoms)
{
    (void)context;
    if (strcmp(selector, "loaded") == 0 && count == 1) strncpy(loaded[published++], atoms[0].text, sizeof loaded[0] - 1);
}

static void on_say(void *context, td_severity severity, const char *line) { (void)context, (void)severity, (void)line; }
static void on_release(void *context, td_model *model) { (void)context, free(model); }

static void on_load(void *context, const char *name, uint32_t request)
{
    (void)context, (void)name;
    requests[asked++] = request;
}

static double osc1_freq(void) { return td_object_param(object, td_param_find("osc1_freq")); }

static void set_osc1_freq(double hz)
{
    const td_atom atom = {NULL, hz};
    td_object_message(object, "osc1_freq", 1, &atom);
}

static void load(const char *name)
{
    const td_atom atom = {name, 0.0};
    td_object_message(object, "load", 1, &atom);
}

int main(int argc, char **argv)
{
    static unsigned char file[1 << 20];
    CHECK(argc == 2);
    FILE *f = fopen(argv[1], "rb");
    CHECK(f);
    const size_t bytes = fread(file, 1, sizeof file, f);
    fclose(f);
    const td_host host = {NULL, on_info, on_say, on_load, on_release, NULL};
    td_model *builtin = harness_builtin();
    object = malloc(td_object_size());
    CHECK(td_object_init(object, &host, builtin, 1) == TD_OK);

    load("a");
    load("missing");
    CHECK(asked == 2);
    td_object_load_failed(object, requests[1], "missing", "it is not there");
    td_object_loaded(object, requests[0], "a", harness_model(file, bytes));
    CHECK(published == 1 && strcmp(loaded[0], "a") == 0); /* the typo after it took nothing away */

    load("b");
    load("a"); /* known: at once */
    CHECK(published == 2 && strcmp(loaded[1], "a") == 0);
    td_object_loaded(object, requests[2], "b", harness_model(file, bytes));
    CHECK(published == 2 && strcmp(td_object_model_name(object, 0), "a") == 0); /* too late */
    load("b");
    CHECK(published == 3 && strcmp(td_object_model_name(object, 0), "b") == 0 && asked == 3); /* but kept */

    set_osc1_freq(333.0);
    load("c");
    set_osc1_freq(400.0); /* after the load was asked for: not what it drops */
    load("d");
    set_osc1_freq(555.0);
    CHECK(asked == 5);
    td_object_load_failed(object, requests[4], "d", "it is not there");
    td_object_loaded(object, requests[3], "c", harness_model(file, bytes));
    CHECK(osc1_freq() == 555.0);
    load("a");
    CHECK(osc1_freq() != 555.0); /* known, so at once: what was set before is dropped */
    load("e");
    const td_atom preset = {"808_snare_3", 0.0};
    td_object_message(object, "preset", 1, &preset);
    const double other = osc1_freq();
    td_object_loaded(object, requests[5], "e", harness_model(file, bytes));
    CHECK(osc1_freq() == other);
    load("a");
    CHECK(osc1_freq() != other);

    td_object_free(object);
    free(object);
    free(builtin);
    return 0;
}
