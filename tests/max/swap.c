/* SPDX-License-Identifier: MIT
 * Three threads as Max has them, for the thread sanitizer: audio performs, the scheduler runs clocks and sends messages, the main thread
 * swaps models, some of them read anew in a worker. swap MODELS_FOLDER SWAPS, the folder absolute */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mock_max.h"

enum { VECTOR = 64 };

static void *x;
static int done, loaded, hits, failed;

#define LOAD(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define ADD(p) __atomic_add_fetch(&(p), 1, __ATOMIC_ACQ_REL)

static void count_line(const char *line)
{
    if (strncmp(line, "out\tx\t2\t", 8) == 0) ADD(hits);
    if (strncmp(line, "out\tx\t5\t", 8) == 0 && strstr(line, "\tloaded\t")) ADD(loaded);
    if (strncmp(line, "error\t", 6) == 0) {
        if (ADD(failed) == 1) fprintf(stderr, "%s\n", line);
    }
}

static void message(const char *word, const char *text, double value)
{
    t_atom atom;
    if (text)
        atom_setsym(&atom, gensym(text));
    else
        atom_setfloat(&atom, value);
    mock_send(x, gensym(word), 1, &atom);
}

static void *audio(void *unused)
{
    double in[VECTOR], drum[VECTOR], trigger[VECTOR], *outs[2] = {drum, trigger};
    (void)unused;
    for (long block = 0; !LOAD(done); block++) {
        for (int i = 0; i < VECTOR; i++) in[i] = block % 40 ? 0.0 : 0.5 * exp(-i / 10.0);
        mock_perform(x, in, outs, VECTOR);
        for (int i = 0; i < VECTOR; i++)
            if (!isfinite(drum[i])) ADD(failed);
    }
    return NULL;
}

static void *scheduler(void *unused)
{
    (void)unused;
    for (long turn = 0; !LOAD(done); turn++) {
        mock_run_until((double)turn);
        message("gain", NULL, -(double)(turn % 12));
        message("osc1_freq", NULL, 100.0 + (double)(turn % 400));
        if (turn % 16 == 0) mock_send(x, gensym("trigger"), 0, NULL);
        if (turn % 64 == 0) message("load", "snare_2", 0.0);
        if (turn % 256 == 0) mock_send(x, gensym("dump"), 0, NULL);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static const char *const models[] = {"snare_1", "snare_2", "snare_3", "open_snare", "noisy_snare"};
    pthread_t threads[2];
    if (argc != 3) return 2;
    const int swaps = atoi(argv[2]);
    mock_main_thread(1);
    mock_search(argv[1]);
    mock_log(count_line);
    ext_main(NULL);
    x = mock_new("torchdrum~", "x", 0, NULL);
    mock_dsp_state(1);
    mock_dsp(x, 48000.0, VECTOR);
    pthread_create(&threads[0], NULL, audio, NULL);
    pthread_create(&threads[1], NULL, scheduler, NULL);
    for (int swap = 0; swap < swaps || LOAD(hits) < 200; swap++) {
        message("load", models[swap % 5], 0.0);
        if (swap % 50 == 0) mock_send(x, gensym("reload"), 0, NULL);
        if (swap % 10 == 0) mock_run_queue();
    }
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    mock_free(x);
    printf("%d loads in effect, %d hits, %d failures, %d things not given back\n", loaded, hits, failed, mock_leaks());
    return loaded < swaps || failed || mock_leaks();
}
