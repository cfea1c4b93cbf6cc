# SPDX-License-Identifier: MIT
# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The core over many strokes and files at once, on all cores: C loops that let go of Python's lock.

The single-stroke forms, with their units, are in stages.py. threads: how many work at once (0: as many as there are cores); it never changes
a result.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
import os
import threading

import numpy as np

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t


cdef extern from "torchdrum.h" nogil:
    enum:
        TD_PARAMS
        TD_FEATURES
    int td_features(const float *window, int samples, double sample_rate, float *out)
    size_t td_snare808_render(const float *param, double sample_rate, uint32_t seed, uint32_t hit, float *out, size_t n)

cdef extern from "snare808_gradient.h" nogil:
    void snare808_gradient(const float *param, double sample_rate, uint32_t seed, uint32_t hit, const float *grad, size_t n, double *out)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool(threads):
    return ThreadPoolExecutor(threads, thread_name_prefix="torchdrum", initializer=lambda: setattr(_here, "works", True))


_here = threading.local()  # works: this thread is one of a pool, which must not wait for its own pool
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has no threads


def each(work, things, threads=0) -> list:
    """[work(thing) for thing in things] in threads, for work that lets go of Python's lock: most calls of the core do."""
    threads = threads or cores()
    things = list(things)
    if threads == 1 or len(things) < 2 or getattr(_here, "works", False):
        return [work(thing) for thing in things]
    return list(_pool(threads).map(work, things))


def _in_parts(work, count, threads):
    """work(first, last) over all of 0 … count − 1."""
    parts = min(threads or cores(), max(count, 1))
    ends = [count * k // parts for k in range(parts + 1)]
    each(lambda k: work(ends[k], ends[k + 1]), range(parts), parts)


def _strokes(params, double sample_rate, hits):
    if not 8000 <= sample_rate <= 192000:
        raise ValueError(f"the core does not run at {sample_rate:g} Hz")
    params = np.ascontiguousarray(params, np.float32)
    hits = (np.atleast_1d(np.asarray(hits, np.int64)) & 0xFFFFFFFF).astype(np.uint32)
    if params.ndim != 2 or params.shape[1] != TD_PARAMS or len(hits) != len(params):
        raise ValueError(f"parameters [strokes, {TD_PARAMS}] and as many hit numbers are needed, not {params.shape} and {hits.shape}")
    if not np.isfinite(params).all():
        raise ValueError("the parameters of the voice are finite numbers")
    return params, hits


def render(params, double sample_rate, seed, hits, Py_ssize_t n, threads=0):
    """The first n samples of strokes of the 808 snare (spec 6), float32 [B, n]: td_snare808_render for each row.

    params: [B, 14] in units. seed and hits [B]: whole numbers, the noise of each row.
    """
    params, hits = _strokes(params, sample_rate, hits)
    out = np.empty((len(params), n), np.float32)
    if n <= 0:
        return out
    cdef const float[:, ::1] p = params
    cdef const uint32_t[::1] h = hits
    cdef float[:, ::1] y = out
    cdef uint32_t s = seed & 0xFFFFFFFF

    def part(Py_ssize_t first, Py_ssize_t last):
        cdef Py_ssize_t i
        with nogil:
            for i in range(first, last):
                td_snare808_render(&p[i, 0], sample_rate, s, h[i], &y[i, 0], n)

    _in_parts(part, len(params), threads)
    return out


def gradient(params, double sample_rate, seed, hits, grad, threads=0):
    """Slopes [B, 14] float64 of a number with the parameters, when grad [B, n] are its slopes with the samples of render."""
    params, hits = _strokes(params, sample_rate, hits)
    grad = np.ascontiguousarray(grad, np.float32)
    if grad.ndim != 2 or len(grad) != len(params):
        raise ValueError(f"a slope for each sample of {len(params)} strokes is needed, not {grad.shape}")
    out = np.zeros((len(params), TD_PARAMS))
    cdef Py_ssize_t n = grad.shape[1]
    if n == 0:
        return out
    cdef const float[:, ::1] p = params
    cdef const uint32_t[::1] h = hits
    cdef const float[:, ::1] g = grad
    cdef double[:, ::1] slopes = out
    cdef uint32_t s = seed & 0xFFFFFFFF

    def part(Py_ssize_t first, Py_ssize_t last):
        cdef Py_ssize_t i
        with nogil:
            for i in range(first, last):
                snare808_gradient(&p[i, 0], sample_rate, s, h[i], &g[i, 0], n, &slopes[i, 0])

    _in_parts(part, len(params), threads)
    return out


def features(x, starts, Py_ssize_t window, double sample_rate, threads=0):
    """Loudness, centroid, flatness (spec 4), float32 [k, 3], of the windows x[start : start + window] of finite float32 x [n]."""
    x = np.ascontiguousarray(x, np.float32)
    starts = np.atleast_1d(np.asarray(starts, np.int64))
    if x.ndim != 1 or window < 1 or (len(starts) and not (starts.min() >= 0 and starts.max() + window <= len(x))):
        raise ValueError(f"not every window of {window} samples lies in the {x.shape} samples")
    out = np.empty((len(starts), TD_FEATURES), np.float32)
    if not len(starts):
        return out
    cdef const float[::1] samples = x
    cdef const int64_t[::1] at = starts
    cdef float[:, ::1] rows = out
    cdef int size = <int>window
    wrong = []

    def part(Py_ssize_t first, Py_ssize_t last):
        cdef Py_ssize_t i
        cdef int status = 0
        with nogil:
            for i in range(first, last):
                status |= td_features(&samples[at[i]], size, sample_rate, &rows[i, 0])
        if status:
            wrong.append(status)

    _in_parts(part, len(starts), threads)
    if wrong:
        raise ValueError(f"a window of {window} samples at {sample_rate:g} Hz is more than the core takes")
    return out
