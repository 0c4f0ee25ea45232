/* core/observe/dashboard/tell: what a live page has, as text. All under the lock, of what was gathered last. */
#ifndef RASK_CORE_OBSERVE_DASHBOARD_TELL_H
#define RASK_CORE_OBSERVE_DASHBOARD_TELL_H

#include "core/observe/dashboard/live.h"

#include <stdio.h>

#define RK_LIVE_VERSION 1

/* What a page knows already. */
typedef struct rk_live_reader {
    uint64_t chunk; /* the last one that it has */
    uint64_t plans; /* whose links it has */
    bool begun;
} rk_live_reader;

/* The state of /api/state as an object, but for its "links" and "history": those change rarely, or only by what is new. */
void rk_tell_state(FILE *out, const rk_live *live, const char *title, bool can_cancel);

/* With them. */
void rk_tell_whole(FILE *out, const rk_live *live, const char *title, bool can_cancel);

/* An event of a stream: a state that was made meanwhile, and what the reader has not seen. */
void rk_tell_event(FILE *out, const rk_live *live, const char *state, rk_live_reader *reader);

/* The figures for Prometheus. */
void rk_tell_metrics(FILE *out, const rk_live *live);

#endif
