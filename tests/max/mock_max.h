/* SPDX-License-Identifier: MIT
 * A host that is not Max: as much of its API as [torchdrum~] uses (tests/max/sdk), with the scheduler and the queue of the main thread
 * turned by hand. It shows that the object works with what the public reference says; it shows nothing about Max itself.
 *
 * Everything that an object says or sends becomes a line of the log: words separated by tabs. */
#ifndef MOCK_MAX_H
#define MOCK_MAX_H

#include "ext.h"
#include "ext_obex.h"

/* The log; NULL keeps nothing. */
void mock_log(void (*line)(const char *text));

/* Makes the calling thread count as Max's main thread, or as its scheduler. */
void mock_main_thread(int is_main);

/* A folder of the search path. */
void mock_search(const char *folder);

/* From now on these functions that write files fail, by their names; "" for none. */
void mock_fail(const char *names);

t_class *mock_class(const char *name);
void *mock_new(const char *class_name, const char *name, long ac, t_atom *av);
void mock_free(void *x); /* as the user deletes it */
const char *mock_name(void *x);

/* A message as a cord brings it: a method, else an attribute, else get and an attribute, else anything. */
void mock_send(void *x, t_symbol *s, long ac, t_atom *av);
t_max_err mock_attr_set(void *x, const char *name, long ac, t_atom *av); /* as an inspector does: through the filter */
t_max_err mock_attr_get(void *x, const char *name, long *ac, t_atom **av);

void mock_dsp(void *x, double sample_rate, long max_vector);
void mock_dsp_state(int on);
void mock_perform(void *x, double *in, double *outs[], long n);

double mock_time_ms(void);
void mock_run_until(double ms); /* clocks */
int mock_clocks_set(void);
void mock_run_queue(void); /* qelems */

/* Kernel requests; answers are in the log. */
void mock_preset(void *x, int typed);
void mock_recall(void *x);
void mock_drag(void *x, const char *role);
void mock_describe(t_class *c);
void mock_saved(void *x);
method mock_method(void *x, const char *name);

void mock_words(char *to, size_t room, const char *head, t_symbol *s, long ac, const t_atom *av);
void mock_say(const char *format, ...);
int mock_leaks(void); /* objects, clocks, queue elements, regions and threads that still are */

#endif
