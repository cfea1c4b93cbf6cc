/* SPDX-License-Identifier: MIT
 * Counts the instructions that a program executes under qemu-user, as a plugin of its translator:
 *     qemu-arm -plugin ./count_instructions.so PROGRAM …
 * Whenever the program writes to its standard output, and at its end, it prints on stderr how many there were so far and, of programs for
 * armv7 in Thumb, how many of them worked on floats: as vectors (NEON), one by one in single and one by one in double precision (VFP).
 * Loads and stores of floats are not among these. For the plugin interface 1 (qemu 6 to 8); the few functions that are needed are declared
 * here, since Debian does not package its header. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct info {
    const char *target_name;
};
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*translated)(uint64_t id, struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, void (*executed)(unsigned cpu, void *data), int flags, void *data);
typedef void syscall_entered(uint64_t id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                             uint64_t a6, uint64_t a7, uint64_t a8);
void qemu_plugin_register_vcpu_syscall_cb(uint64_t id, syscall_entered *entered);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*end)(uint64_t id, void *data), void *data);

int qemu_plugin_version = 1;

enum { ALL, VECTOR, SINGLE, DOUBLE, KINDS };
static uint64_t count[KINDS];
static int thumb;
static int64_t write_number; /* of the system call write */

/* Encodings T32 of the ARMv7 architecture reference manual, A7.4 (vectors) and A7.5 (VFP). */
static int kind(const struct qemu_plugin_insn *instruction)
{
    if (!thumb || qemu_plugin_insn_size(instruction) != 4) return ALL;
    uint16_t half[2];
    memcpy(half, qemu_plugin_insn_data(instruction), sizeof half);
    if ((half[0] & 0xef00) == 0xef00) return VECTOR;
    if ((half[0] & 0xff00) == 0xee00 && (half[1] & 0x0e10) == 0x0a00) return half[1] & 0x100 ? DOUBLE : SINGLE;
    return ALL;
}

static void executed(unsigned cpu, void *data)
{
    const uint32_t *block = data;
    (void)cpu;
    for (int i = 0; i < KINDS; i++) count[i] += block[i];
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    uint32_t *counts = calloc(KINDS, sizeof *counts); /* lives as long as the block, that is to the end */
    (void)id;
    counts[ALL] = (uint32_t)qemu_plugin_tb_n_insns(block);
    for (size_t i = 0; i < counts[ALL]; i++) {
        const int k = kind(qemu_plugin_tb_get_insn(block, i));
        if (k != ALL) counts[k]++;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0, counts);
}

static void print_counts(void)
{
    fprintf(stderr, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", count[ALL], count[VECTOR], count[SINGLE], count[DOUBLE]);
}

static void entered(uint64_t id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6,
                    uint64_t a7, uint64_t a8)
{
    (void)id, (void)cpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number == write_number && a1 == 1) print_counts();
}

static void end(uint64_t id, void *data)
{
    (void)id, (void)data;
    print_counts();
}

int qemu_plugin_install(uint64_t id, const struct info *info, int argc, char **argv)
{
    (void)argc, (void)argv;
    thumb = strcmp(info->target_name, "arm") == 0;
    write_number = thumb ? 4 : (strcmp(info->target_name, "aarch64") == 0 ? 64 : 1);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, entered);
    qemu_plugin_register_atexit_cb(id, end, NULL);
    return 0;
}
