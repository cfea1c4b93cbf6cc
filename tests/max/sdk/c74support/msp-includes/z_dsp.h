/* SPDX-License-Identifier: MIT
 * Stand-in, see ext.h: MSP. */
#ifndef STAND_IN_Z_DSP_H
#define STAND_IN_Z_DSP_H

#include "ext_obex.h"

typedef struct t_pxobject {
    struct object z_ob;
    long z_in;
    void *z_proxy;
    long z_disabled;
    short z_count;
    short z_misc;
} t_pxobject;

typedef void (*t_perfroutine64)(t_object *x, t_object *dsp64, double **ins, long numins, double **outs, long numouts, long sampleframes,
                                long flags, void *userparam);

void class_dspinit(t_class *c);
void z_dsp_setup(t_pxobject *x, long nsignals);
void z_dsp_free(t_pxobject *x);
#define dsp_setup z_dsp_setup
#define dsp_free z_dsp_free
int sys_getdspstate(void);

#endif
