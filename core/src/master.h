/* SPDX-License-Identifier: MIT
 * Mix, gain, bypass, enable: two gains that move in a line to where the controls want them (spec 7.2). */
#ifndef TD_MASTER_H
#define TD_MASTER_H

#include <stdint.h>

typedef struct td_gains {
    float dry, drum;
} td_gains;

typedef struct td_master_controls {
    float mix, gain, bypass, enable;
} td_master_controls;

typedef struct td_master {
    td_gains target, step; /* now = target - step * left */
    uint32_t left, length; /* samples of the line */
    td_master_controls controls;
} td_master;

/* Sets out for new controls, or jumps there. */
void td_master_set(td_master *self, const td_master_controls *controls, int at_once);
/* own receives what of out is the drum. */
void td_master_run(td_master *self, const float *restrict dry, const float *restrict drum, float *restrict out, float *restrict own, int n);
static inline int td_master_is_enabled(const td_master *self) { return self->controls.enable >= 0.5f; }

#endif
