/* SPDX-License-Identifier: MIT
 * Timed triggers: a queue from the control to the audio side, and the audio side's list of what waits, by time. */
#ifndef TD_TRIGGERS_H
#define TD_TRIGGERS_H

#include "torchdrum.h"

typedef struct td_trigger_message {
    uint32_t delay, reset_serial, has_features;
    float features[TD_FEATURES];
} td_trigger_message;

typedef struct td_timed_trigger {
    uint64_t due;
    uint32_t has_features;
    float features[TD_FEATURES];
} td_timed_trigger;

typedef struct td_triggers {
    uint32_t written; /* by the control side */
    uint32_t done;    /* by the audio side: played or dropped; at most TD_MAX_TRIGGERS are on their way */
    uint32_t read;    /* audio side only: taken over into the list */
    td_trigger_message slot[TD_MAX_TRIGGERS];
    td_timed_trigger waiting[TD_MAX_TRIGGERS]; /* audio side only, first to come first */
    int count;
} td_triggers;

/* CONTROL. TD_ERR_FULL when too many are on their way. reset_serial: how many resets were asked for so far. */
td_status td_triggers_push(td_triggers *self, uint32_t delay, const float *features, uint32_t reset_serial);
/* AUDIO. Takes over what was pushed; what is older than the last reset, and everything when dropping, is forgotten. */
void td_triggers_collect(td_triggers *self, uint64_t position, uint32_t reset_serial, int dropping);
/* AUDIO. Takes the first that is due at this sample. */
int td_triggers_next(td_triggers *self, uint64_t position, td_timed_trigger *trigger);
void td_triggers_clear(td_triggers *self);

#endif
