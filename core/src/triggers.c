/* SPDX-License-Identifier: MIT */
#include "triggers.h"

#include "td_atomic.h"
#include "td_math.h"

td_status td_triggers_push(td_triggers *self, uint32_t delay, const float *features, uint32_t reset_serial)
{
    const uint32_t written = self->written;
    if (written - td_load_acquire(&self->done) == TD_MAX_TRIGGERS) return TD_ERR_FULL;
    td_trigger_message m = {delay, reset_serial, features != NULL, {0.0f, 0.0f, 0.0f}};
    for (int f = 0; features && f < TD_FEATURES; f++) {
        if (!td_is_finite(features[f])) return TD_ERR_ARGUMENT;
        m.features[f] = td_clip(features[f], 0.0f, 1.0f);
    }
    self->slot[written % TD_MAX_TRIGGERS] = m;
    td_store_release(&self->written, written + 1);
    return TD_OK;
}

static void finish(td_triggers *self, int count) { td_store_release(&self->done, self->done + (uint32_t)count); }

void td_triggers_collect(td_triggers *self, uint64_t position, uint32_t reset_serial, int dropping)
{
    const uint32_t written = td_load_acquire(&self->written);
    for (; self->read != written; self->read++) {
        const td_trigger_message *m = &self->slot[self->read % TD_MAX_TRIGGERS];
        if ((int32_t)(m->reset_serial - reset_serial) > 0) return; /* sent after a reset that is not seen yet */
        if (m->reset_serial != reset_serial || dropping) {
            finish(self, 1);
            continue;
        }
        /* sorted by time, first sent first */
        const uint64_t due = position + m->delay;
        int at = self->count++;
        for (; at > 0 && self->waiting[at - 1].due > due; at--) self->waiting[at] = self->waiting[at - 1];
        self->waiting[at].due = due;
        self->waiting[at].has_features = m->has_features;
        memcpy(self->waiting[at].features, m->features, sizeof m->features);
    }
}

int td_triggers_next(td_triggers *self, uint64_t position, td_timed_trigger *trigger)
{
    if (!self->count || self->waiting[0].due != position) return 0;
    *trigger = self->waiting[0];
    self->count--;
    memmove(&self->waiting[0], &self->waiting[1], (size_t)self->count * sizeof self->waiting[0]);
    finish(self, 1);
    return 1;
}

void td_triggers_clear(td_triggers *self)
{
    finish(self, self->count);
    self->count = 0;
}
