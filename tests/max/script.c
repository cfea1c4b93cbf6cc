/* SPDX-License-Identifier: MIT
 * Runs [torchdrum~] in the mock host as lines on stdin say, words separated by tabs; the log goes to stdout. tests/mock_max.py writes
 * the lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <unistd.h>
#endif

#include "mock_max.h"

enum { OBJECTS = 16, WORDS = 1100, MOST_FRAMES = 8192 };

static void *objects[OBJECTS];
static double *input;
static long input_length, input_at;
static FILE *drum_file, *trigger_file;
static double rate = 48000.0;

/* Messages that the scheduler sends while something plays. */
static struct {
    double ms;
    void *x;
    t_symbol *word;
    t_atom atom[3];
    long count;
} later[64];
static int later_count, later_sent;

static void print_line(const char *text)
{
    puts(text);
    fflush(stdout);
}

static void refuse(const char *word)
{
    fprintf(stderr, "script: not understood: %s\n", word);
    exit(2);
}

static void **place_of(const char *name)
{
    for (int i = 0; i < OBJECTS; i++)
        if (objects[i] && strcmp(mock_name(objects[i]), name) == 0) return &objects[i];
    refuse(name);
    return NULL;
}

static t_atom atom_of(const char *word)
{
    char *end;
    t_atom a;
    const double value = strtod(word, &end);
    if (!*word || *end || strchr("nNiI", word[word[0] == '-']))
        atom_setsym(&a, gensym(word));
    else if (strpbrk(word, ".eE"))
        atom_setfloat(&a, value);
    else
        atom_setlong(&a, (t_atom_long)value);
    return a;
}

static void read_input(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) refuse(path);
    fseek(file, 0, SEEK_END);
    input_length = ftell(file) / (long)sizeof *input;
    rewind(file);
    free(input);
    input = malloc((size_t)(input_length + 1) * sizeof *input);
    if (fread(input, sizeof *input, (size_t)input_length, file) != (size_t)input_length) refuse(path);
    fclose(file);
    input_at = 0;
}

/* In place, as Max may do it: the drum comes back in the memory of the input. */
static void play(void *x, long frames, long vector, int in_place)
{
    static double in[MOST_FRAMES], drum[MOST_FRAMES], trigger[MOST_FRAMES];
    static double samples;
    if (vector > MOST_FRAMES) refuse("vector");
    for (long n; frames > 0; frames -= n) {
        n = frames < vector ? frames : vector;
        for (long i = 0; i < n; i++) in[i] = input_at < input_length ? input[input_at++] : 0.0;
        double *outs[2] = {in_place ? in : drum, trigger};
        mock_perform(x, in, outs, n);
        fwrite(outs[0], sizeof(double), (size_t)n, drum_file);
        fwrite(trigger, sizeof(double), (size_t)n, trigger_file);
        /* the scheduler comes after the vector, whose time then begins; the queue comes when there is time */
        mock_main_thread(0);
        samples += (double)n;
        const double end = samples * 1000.0 / rate;
        for (; later_sent < later_count && later[later_sent].ms <= end; later_sent++) {
            mock_run_until(later[later_sent].ms);
            mock_send(later[later_sent].x, later[later_sent].word, later[later_sent].count, later[later_sent].atom);
        }
        mock_run_until(end);
        mock_main_thread(1);
        mock_run_queue();
    }
}

static void sleep_ms(int ms)
{
#ifdef _WIN32
    Sleep((DWORD)ms);
#else
    usleep((useconds_t)ms * 1000);
#endif
}

/* Until no clock is set: loads are finished, hits sent. */
static void pump(void)
{
    for (int tries = 0; tries < 5000; tries++) {
        mock_run_queue();
        if (!mock_clocks_set()) return;
        mock_main_thread(0);
        mock_run_until(mock_time_ms() + 5.0);
        mock_main_thread(1);
        sleep_ms(1);
    }
    refuse("pump: a clock never rests");
}

static void value_of(void *x)
{
    long ac = 0;
    t_atom *av = NULL;
    char text[16384];
    if (((t_max_err(*)(void *, long *, t_atom **))mock_method(x, "getvalueof"))(x, &ac, &av)) refuse("getvalueof");
    mock_words(text, sizeof text, "value", NULL, ac, av);
    mock_say("%s", text);
    free(av);
}

static void show_attribute(void *x, const char *name)
{
    long ac;
    t_atom *av;
    char text[16384];
    if (mock_attr_get(x, name, &ac, &av)) refuse(name);
    mock_words(text, sizeof text, "attribute", gensym(name), ac, av);
    mock_say("%s", text);
    free(av);
}

static void assist(void *x)
{
    char text[ASSIST_MAX_STRING_LEN] = "";
    typedef void (*assist_method)(void *, void *, long, long, char *);
    const assist_method ask = (assist_method)mock_method(x, "assist");
    for (int kind = ASSIST_INLET; kind <= ASSIST_OUTLET; kind++)
        for (long i = 0; i < (kind == ASSIST_INLET ? 1 : 6); i++) {
            ask(x, NULL, kind, i, text);
            mock_say("assist\t%s\t%ld\t%s", kind == ASSIST_INLET ? "in" : "out", i, text);
        }
}

/* Objects created, played a little and freed. */
static void churn(long count)
{
    static double in[64], drum[64], trigger[64];
    double *outs[2] = {drum, trigger};
    t_atom arguments[3];
    for (long k = 0; k < count; k++) {
        arguments[0] = atom_of(k % 3 ? "snare_2" : "snare_1");
        arguments[1] = atom_of("@seed");
        atom_setlong(&arguments[2], k);
        void *x = mock_new("torchdrum~", "churn", 3, arguments);
        mock_dsp(x, rate, 64);
        mock_send(x, gensym("trigger"), 0, NULL);
        for (int b = 0; b < 20; b++) mock_perform(x, in, outs, 64);
        t_atom model = atom_of("open_snare");
        if (k % 5 == 0) mock_send(x, gensym("load"), 1, &model);
        if (k % 2) mock_run_until(mock_time_ms() + 1.0);
        if (k % 7) mock_run_queue();
        mock_free(x);
    }
    mock_run_queue();
}

static void obey(int count, char **words)
{
    t_atom atoms[WORDS];
    const char *verb = words[0];
    for (int i = 2; i < count; i++) atoms[i - 2] = atom_of(words[i]);
    const long given = count > 2 ? count - 2 : 0;
    if (strcmp(verb, "search") == 0) {
        mock_search(words[1]);
    } else if (strcmp(verb, "new") == 0) {
        int place = 0;
        while (objects[place]) place++;
        objects[place] = mock_new("torchdrum~", words[1], given, atoms);
    } else if (strcmp(verb, "input") == 0) {
        read_input(words[1]);
    } else if (strcmp(verb, "output") == 0) {
        drum_file = fopen(words[1], "wb");
        trigger_file = fopen(words[2], "wb");
        if (!drum_file || !trigger_file) refuse(words[1]);
    } else if (strcmp(verb, "dspstate") == 0) {
        mock_dsp_state(atoi(words[1]));
    } else if (strcmp(verb, "thread") == 0) {
        mock_main_thread(strcmp(words[1], "main") == 0);
    } else if (strcmp(verb, "pump") == 0) {
        pump();
    } else if (strcmp(verb, "queue") == 0) {
        mock_run_queue();
    } else if (strcmp(verb, "describe") == 0) {
        mock_describe(mock_class("torchdrum~"));
    } else if (strcmp(verb, "churn") == 0) {
        churn(atol(words[1]));
    } else if (strcmp(verb, "fail") == 0) {
        mock_fail(count > 1 ? words[1] : "");
    } else if (strcmp(verb, "mark") == 0) {
        mock_say("mark\t%s", words[1]);
    } else if (strcmp(verb, "leaks") == 0) {
        mock_say("leaks\t%d", mock_leaks());
    } else if (count < 2) {
        refuse(verb);
    } else {
        void **place = place_of(words[1]), *x = *place;
        if (strcmp(verb, "free") == 0) {
            mock_free(x);
            *place = NULL;
        } else if (strcmp(verb, "send") == 0 && atoms[0].a_type == A_SYM) {
            mock_send(x, atoms[0].a_w.w_sym, given - 1, atoms + 1);
        } else if (strcmp(verb, "send") == 0) {
            mock_send(x, gensym(given > 1 ? "list" : atoms[0].a_type == A_LONG ? "int" : "float"), given, atoms);
        } else if (strcmp(verb, "later") == 0 && given >= 2 && given <= 5 && later_count < 64) {
            later[later_count].ms = atom_getfloat(&atoms[0]);
            later[later_count].x = x;
            later[later_count].word = atom_getsym(&atoms[1]);
            later[later_count].count = given - 2;
            memcpy(later[later_count++].atom, atoms + 2, (size_t)(given - 2) * sizeof *atoms);
        } else if (strcmp(verb, "set") == 0) {
            if (mock_attr_set(x, words[2], given - 1, atoms + 1)) refuse(words[2]);
        } else if (strcmp(verb, "get") == 0) {
            show_attribute(x, words[2]);
        } else if (strcmp(verb, "dsp") == 0) {
            rate = atof(words[2]);
            mock_dsp_state(1);
            mock_dsp(x, rate, 64);
        } else if (strcmp(verb, "play") == 0) {
            play(x, atol(words[2]), atol(words[3]), count > 4);
        } else if (strcmp(verb, "saved") == 0) {
            mock_saved(x);
        } else if (strcmp(verb, "getvalueof") == 0) {
            value_of(x);
        } else if (strcmp(verb, "setvalueof") == 0) {
            ((t_max_err(*)(void *, long, t_atom *))mock_method(x, "setvalueof"))(x, given, atoms);
        } else if (strcmp(verb, "preset") == 0) {
            mock_preset(x, count > 2);
        } else if (strcmp(verb, "recall") == 0) {
            mock_recall(x);
        } else if (strcmp(verb, "drag") == 0) {
            mock_drag(x, words[2]);
        } else if (strcmp(verb, "fileusage") == 0) {
            ((void (*)(void *, void *))mock_method(x, "fileusage"))(x, NULL);
        } else if (strcmp(verb, "assist") == 0) {
            assist(x);
        } else {
            refuse(verb);
        }
    }
}

int main(void)
{
    static char line[65536];
    mock_main_thread(1);
    mock_log(print_line);
    ext_main(NULL);
    while (fgets(line, sizeof line, stdin)) {
        char *words[WORDS];
        int count = 0;
        line[strcspn(line, "\r\n")] = 0;
        for (char *at = line; at && count < WORDS; count++) {
            words[count] = at;
            at = strchr(at, '\t');
            if (at) *at++ = 0;
        }
        obey(count, words);
    }
    for (int i = 0; i < OBJECTS; i++)
        if (objects[i]) mock_free(objects[i]);
    free(input);
    if (drum_file) fclose(drum_file);
    if (trigger_file) fclose(trigger_file);
    if (mock_leaks()) fprintf(stderr, "script: %d things of the host were not given back\n", mock_leaks());
    return mock_leaks() != 0;
}
