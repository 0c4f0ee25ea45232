/* What commands let observe a run: progress, waiting, trace, profile, report, live page, drawing. */
#ifndef WATCH_H
#define WATCH_H

#include "options.h"
#include "waiting.h"

#include <rask/dashboard.h>
#include <rask/draw.h>
#include <rask/trace.h>

enum { WATCH_MOST = 9 };

typedef struct watch {
    const char *command;
    const common_options *options;
    rask_progress *progress;
    waiting *waiting;
    rask_trace *trace;
    rask_profile *profile;
    rask_recording *recording;
    rask_dashboard *dashboard;
    rask_observer artist; /* draws when the run has ended */
    bool whole;           /* all that was asked for is there */
    bool misused;         /* it is not, and for what an option says */
    int drawn;            /* status */
    char message[1200];
    const rask_observer *observers[WATCH_MOST];
    size_t count;
} watch;

/* Whether files can be written where the options want some, so that nothing runs in vain; else why not has been told. */
bool watch_can(const char *command, const common_options *options);

/* Makes what the options ask for, and notes it in run, whose cancel token the live page's button is for. False, told: no
 * memory, or no live page; end is to be called all the same. The watch stays where it is until then. */
bool watch_begin(watch *w, const char *command, const common_options *options, rask_options *run);

/* After the run: the line of progress is gone, files are written, tables told; so is who cancelled it by the live page. An
 * exit status, failures are told. */
int watch_end(watch *w);

#endif
