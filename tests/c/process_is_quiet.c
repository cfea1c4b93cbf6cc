/* SPDX-License-Identifier: MIT
 * td_engine_process allocates nothing, takes no lock and makes no system call.
 *     process_is_quiet            counts around process; exit 0 when all counts are 0
 *     process_is_quiet malloc     plants a malloc: must exit 1
 *     process_is_quiet lock       plants a lock: must exit 1
 *     process_is_quiet syscall    plants a system call: the kernel must kill it */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"

static volatile int watching, allocations, locks;

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);
void *malloc(size_t n)
{
    allocations += watching;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t size)
{
    allocations += watching;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n)
{
    allocations += watching;
    return __libc_realloc(p, n);
}
void free(void *p)
{
    allocations += watching && p;
    __libc_free(p);
}

static int (*real_lock)(pthread_mutex_t *);
int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    locks += watching;
    return real_lock ? real_lock(mutex) : 0;
}

/* From here on the kernel kills the process at any system call but exit_group and write. */
static void forbid_system_calls(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

int main(int argc, char **argv)
{
    enum { N = 1 << 18, BLOCK = 64 };
    static float in[N], out[BLOCK], trigger[BLOCK];
    const char *plant = argc > 1 ? argv[1] : "";
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    real_lock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    td_model *model = harness_builtin();
    td_patch patch[2];
    td_patch_init(&patch[0], model);
    patch[1] = patch[0];
    patch[1].model[1] = model;
    patch[1].morph = 0.5f;
    td_engine *engine = malloc(td_engine_size());
    td_event_ring *ring = malloc(td_event_ring_size());
    CHECK(td_engine_init(engine, 48000.0, &patch[0], ring) == TD_OK);
    harness_strokes(in, N, 6000);
    in[1000] = NAN;

    forbid_system_calls();
    watching = 1;
    int hits = 0;
    for (size_t at = 0; at < N; at += BLOCK) {
        td_event event;
        if (at == N / 2) td_engine_publish(engine, &patch[1]);
        if (at % (64 * BLOCK) == 0) td_engine_trigger(engine, 10, NULL);
        td_engine_process(engine, in + at, out, trigger, BLOCK);
        while (td_engine_next_event(engine, &event)) hits++;
    }
    void *volatile planted = NULL; /* or an optimizer takes it out */
    if (!strcmp(plant, "malloc")) planted = malloc(1);
    free(planted);
    if (!strcmp(plant, "lock")) pthread_mutex_lock(&mutex);
    if (!strcmp(plant, "syscall")) syscall(SYS_getpid);
    watching = 0;
    const char verdict[] = "hits were played, nothing was counted\n";
    CHECK(hits > 40 && allocations == 0 && locks == 0);
    CHECK(write(1, verdict, sizeof verdict - 1) > 0);
    _exit(0);
}
