/* SPDX-License-Identifier: MIT
 * Random sequences of messages, attributes, states and files, from the main thread and from the scheduler, to objects that come, play and
 * go: the output stays finite, everything is given back.
 *     sequences MODELS_FOLDER FOLDER [COUNT]      paths are absolute; files are written into FOLDER */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/src/params.h"
#include "../c/harness.h"
#include "mock_max.h"
#include "torchdrum_object.h"

enum { VECTOR = 64, MOST_ATOMS = 34, MOST_STEPS = 24, INPUT = 48000 };

static float input[INPUT];
static char file_here[1024];
static long lines, hits, written, loaded;
static void *x;
static long state_count;
static t_atom *state;

static void count_line(const char *line)
{
    lines++;
    if (strncmp(line, "out\tx\t2\t", 8) == 0) hits++;
    if (strncmp(line, "out\tx\t5\t", 8) == 0) written += strstr(line, "\twritten\t") != NULL, loaded += strstr(line, "\tloaded\t") != NULL;
}

static const char *any_word(void)
{
    static const char *const words[] = {
        "model", "adapt",    "keep", "snare_1", "snare_2", "snare_3", "open_snare", "noisy_snare", "a",     "b",    "a.json", "nothere",
        "",      "nonsense", "list", "thresh",  "drywet",  "all",     "centroid",   "off",         "done",  "read", "write",  "morph",
        "state", "store",    "set",  "active",  "sound",   "gain",    "getgain",    "getsound",    "no/no", "inf",  "load",   "recall",
    };
    enum { WORDS = sizeof words / sizeof *words };
    static int controls, messages;
    while (td_control(controls)) controls++;
    while (td_object_word(messages)) messages++;
    uint32_t r = random_bits() % (uint32_t)(WORDS + 1 + messages + TD_PARAMS + controls);
    if (r < WORDS) return words[r];
    if ((r -= WORDS) == 0) return file_here;
    if ((r -= 1) < (uint32_t)messages) return td_object_word((int)r);
    if ((r -= (uint32_t)messages) < TD_PARAMS) return td_param((int)r)->name;
    return td_control((int)(r - TD_PARAMS))->name;
}

static long any_atoms(t_atom *atoms)
{
    static const double numbers[] = {0, 1, -1, 0.5, 2, 10, 180, 1000, -60, 1e30, -1e30, 1e-30, NAN, INFINITY, -INFINITY, 16777215, 1e9};
    static const long lengths[] = {0, 1, 2, 3, 4, 7, 28, 29, 30, MOST_ATOMS};
    const long count = lengths[random_bits() % (random_bits() % 4 ? 4 : sizeof lengths / sizeof *lengths)];
    for (long i = 0; i < count; i++) {
        if (random_bits() % 3 == 0)
            atom_setsym(&atoms[i], gensym(any_word()));
        else if (random_bits() % 2)
            atom_setlong(&atoms[i], (t_atom_long)(random_bits() % 40) - 4);
        else if (random_bits() % 2)
            atom_setfloat(&atoms[i], numbers[random_bits() % (sizeof numbers / sizeof *numbers)]);
        else
            atom_setfloat(&atoms[i], (double)random_unit());
    }
    return count;
}

static void play(int vectors)
{
    static double in[VECTOR], drum[VECTOR], trigger[VECTOR];
    double *outs[2] = {drum, trigger};
    for (; vectors > 0; vectors--) {
        const long n = 1 + random_bits() % VECTOR;
        const float *from = input + random_bits() % (INPUT - VECTOR);
        for (long i = 0; i < n; i++) in[i] = (double)from[i];
        mock_perform(x, in, outs, n);
        for (long i = 0; i < n; i++) CHECK(isfinite(drum[i]) && trigger[i] >= 0.0 && trigger[i] <= 1.0);
    }
}

/* What Max keeps of this object or of another that was before, whole or spoilt. */
static void keep_or_restore(void)
{
    if (random_bits() % 2 || !state_count) {
        free(state);
        state = NULL;
        state_count = 0;
        CHECK(((t_max_err(*)(void *, long *, t_atom **))mock_method(x, "getvalueof"))(x, &state_count, &state) == MAX_ERR_NONE);
        if (random_bits() % 8 == 0) any_atoms(state + (state_count > MOST_ATOMS ? random_bits() % (state_count - MOST_ATOMS) : 0));
    } else if (random_bits() % 2) {
        ((t_max_err(*)(void *, long, t_atom *))mock_method(x, "setvalueof"))(x, state_count, state);
    } else {
        mock_attr_set(x, "sound", state_count < 256 ? state_count : 256, state);
    }
}

static void step(void)
{
    t_atom atoms[MOST_ATOMS];
    const uint32_t r = random_bits() % 32;
    long count;
    t_atom *values;
    mock_main_thread(random_bits() % 2 == 0);
    if (r < 18) {
        count = any_atoms(atoms);
        mock_send(x, gensym(any_word()), count, atoms);
    } else if (r < 22) {
        count = any_atoms(atoms);
        mock_attr_set(x, any_word(), count, atoms);
    } else if (r < 24) {
        if (mock_attr_get(x, any_word(), &count, &values) == MAX_ERR_NONE) free(values);
    } else if (r < 26) {
        keep_or_restore();
    } else if (r == 26) {
        mock_preset(x, random_bits() % 2 == 0);
    } else if (r == 27) {
        mock_recall(x);
    } else if (r == 28) {
        mock_fail(random_bits() % 4 ? "" : "path_renamefile");
    } else if (r == 29) {
        mock_dsp_state(random_bits() % 2 == 0);
        mock_main_thread(1);
        mock_dsp(x, 8000.0 + random_bits() % 184000, VECTOR);
    } else {
        mock_run_until(mock_time_ms() + random_unit() * 20.0);
    }
    mock_main_thread(1);
    if (random_bits() % 4 == 0) mock_run_queue();
    play((int)(random_bits() % 24));
}

int main(int argc, char **argv)
{
    t_atom atoms[MOST_ATOMS];
    CHECK(argc >= 3);
    const long count = argc > 3 ? atol(argv[3]) : 10000;
    snprintf(file_here, sizeof file_here, "%s/here", argv[2]);
    harness_strokes(input, INPUT, 3000);
    mock_main_thread(1);
    mock_search(argv[2]);
    mock_search(argv[1]);
    mock_log(count_line);
    ext_main(NULL);
    for (long sequence = 0; sequence < count; sequence++) {
        x = mock_new("torchdrum~", "x", random_bits() % 2 ? any_atoms(atoms) : 0, atoms);
        mock_dsp(x, 48000.0, VECTOR);
        for (int steps = (int)(random_bits() % MOST_STEPS); steps > 0; steps--) step();
        mock_free(x);
    }
    free(state);
    CHECK(mock_leaks() == 0 && hits > count / 100 && written > 0 && loaded > 0);
    printf("%ld sequences, %ld lines, %ld hits, %ld files written, %ld loads in effect\n", count, lines, hits, written, loaded);
    return 0;
}
