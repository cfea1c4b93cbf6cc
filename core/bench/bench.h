/* SPDX-License-Identifier: MIT
 * What the core costs, part by part, beside the reference in the same process. main.c prints it as a table, `torchdrum bench` as well. */
#ifndef TD_BENCH_H
#define TD_BENCH_H

#ifdef __cplusplus
extern "C" {
#endif

enum { TD_BENCH_CORE = 0, TD_BENCH_REFERENCE = 1 };

int td_bench_count(void);
const char *td_bench_name(int index);
const char *td_bench_unit(int index);      /* what one of the amount is: sample, network, frame of features */
double td_bench_amount(int index);         /* of units in a run */
int td_bench_has(int index, int which);    /* whether there is a reference */
double td_bench_run(int index, int which); /* once; returns the ns that it took */

/* Times of a block of 64 in the dense loop, in ns, each the shortest of some passes. */
void td_bench_blocks(int which, double *worst, double *mean);
/* Largest difference of what core and reference have played in their last runs of index 0. */
double td_bench_difference(void);

/* What has compiled it. */
const char *td_bench_compiler(void);

/* Before all others; 0 when there is no memory. */
int td_bench_begin(double seconds);
void td_bench_end(void);

#ifdef __cplusplus
}
#endif
#endif
