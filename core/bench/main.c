/* SPDX-License-Identifier: MIT
 * The table of bench.h where there is no Python: on a Bela, a Raspberry Pi. make bench builds and runs it.
 *     bench count      every part of the core once, a line after each, for a counter of instructions (bench/instructions.py) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { ROUNDS = 9, RATE = 48000 };

static int ascending(const void *a, const void *b)
{
    const double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

/* Medians of ns for one unit, core and reference in turns. */
static void measure(int index, double median[2])
{
    double ns[2][ROUNDS] = {{0}};
    for (int r = 0; r < ROUNDS; r++)
        for (int which = 0; which < 2; which++)
            if (td_bench_has(index, which)) ns[which][r] = td_bench_run(index, which) / td_bench_amount(index);
    for (int which = 0; which < 2; which++) {
        qsort(ns[which], ROUNDS, sizeof **ns, ascending);
        median[which] = ns[which][ROUNDS / 2];
    }
}

static void row(const char *name, const char *unit, const double ns[2])
{
    printf("%-36s %10.2f", name, ns[0]);
    if (ns[1] > 0.0)
        printf(" %10.2f %6.1f x", ns[1], ns[1] / ns[0]);
    else
        printf(" %10s %8s", "", "");
    printf("  ns/%s\n", unit);
}

static int count(void)
{
    if (!td_bench_begin(1.0)) return 1;
    for (int i = -1; i < td_bench_count(); i++) {
        if (i >= 0) td_bench_run(i, TD_BENCH_CORE);
        printf("%s\t%s\t%.0f\n", i < 0 ? "begin" : td_bench_name(i), i < 0 ? "" : td_bench_unit(i), i < 0 ? 0.0 : td_bench_amount(i));
        fflush(stdout);
    }
    td_bench_end();
    return 0;
}

int main(int argc, char **argv)
{
    double ns[2], worst[2], mean[2];
    if (argc > 1 && strcmp(argv[1], "count") == 0) return count();
    if (!td_bench_begin(10.0)) return 1;
    printf("%-36s %10s %10s %8s\n", "", "core", "reference", "ratio");
    double playing = 0.0;
    for (int i = 0; i < td_bench_count(); i++) {
        measure(i, ns);
        if (i == 1) playing = ns[0];
        row(td_bench_name(i), td_bench_unit(i), ns);
    }
    for (int which = 0; which < 2; which++) td_bench_blocks(which, &worst[which], &mean[which]);
    row("worst block of 64", "block", worst);
    row("average block of 64", "block", mean);
    const double difference = td_bench_difference();
    printf("%.0f engines play in real time on one core; core and reference differ by at most %.1e\n", 1e9 / RATE / playing, difference);
    td_bench_end();
    return difference < 1e-4 ? 0 : 1;
}
