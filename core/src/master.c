/* SPDX-License-Identifier: MIT */
#include "master.h"

#include "td_math.h"

static td_gains wanted(const td_master_controls *controls)
{
    td_gains g = {0.0f, 0.0f};
    if (controls->enable < 0.5f) return g;
    if (controls->bypass >= 0.5f) {
        g.dry = 1.0f;
        return g;
    }
    const float gain = (float)td_db_to_gain((double)controls->gain);
    g.dry = sqrtf(1.0f - controls->mix) * gain;
    g.drum = sqrtf(controls->mix) * gain;
    return g;
}

static td_gains now(const td_master *self)
{
    const td_gains g = {self->target.dry - self->step.dry * (float)self->left, self->target.drum - self->step.drum * (float)self->left};
    return g;
}

void td_master_set(td_master *self, const td_master_controls *controls, int at_once)
{
    const td_master_controls *old = &self->controls;
    if (!at_once && controls->mix == old->mix && controls->gain == old->gain && controls->bypass == old->bypass &&
        controls->enable == old->enable)
        return;
    const td_gains from = now(self);
    self->controls = *controls;
    self->target = wanted(controls);
    self->left = at_once ? 0 : self->length;
    self->step.dry = (self->target.dry - from.dry) / (float)self->length;
    self->step.drum = (self->target.drum - from.drum) / (float)self->length;
}

void td_master_run(td_master *self, const float *restrict dry, const float *restrict drum, float *restrict out, float *restrict own, int n)
{
    int i = 0;
    for (; i < n && self->left; i++) {
        self->left--;
        const td_gains g = now(self);
        own[i] = td_flush(g.drum * drum[i]);
        out[i] = td_flush(g.dry * dry[i] + g.drum * drum[i]);
    }
    const td_gains g = self->target;
    for (; i < n; i++) {
        own[i] = td_flush(g.drum * drum[i]);
        out[i] = td_flush(g.dry * dry[i] + g.drum * drum[i]);
    }
}
