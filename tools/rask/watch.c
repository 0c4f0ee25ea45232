#include "watch.h"

#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- Where files go */

static bool can_write(const char *command, const char *option, const char *path)
{
    if (!path || !*path)
        return true;
    const char *slash = strrchr(path, '/');
    size_t len = !slash || slash == path ? 1 : (size_t)(slash - path);
    char *folder = strndup(slash ? path : ".", len);
    struct stat there;
    bool can = folder && access(folder, W_OK | X_OK) == 0;
    if (can && stat(path, &there) == 0 && S_ISDIR(there.st_mode)) {
        errno = EISDIR;
        can = false;
    }
    if (!can)
        say_error(command, "%s: %s: %s", option, path, strerror(errno));
    free(folder);
    return can;
}

bool watch_can(const char *command, const common_options *o)
{
    return can_write(command, "--draw", o->draw) && can_write(command, "--trace", o->trace) &&
           can_write(command, "--profile", o->profile) && can_write(command, "--report", o->page);
}

/* -- Drawing */

static rask_colour colour_of(const common_options *o)
{
    return o->colour ? (rask_colour)options_find(options_colours, o->colour) : RASK_COLOUR_DURATION;
}

/* While the plan is there; of several runs the last one's drawing stays. A run that failed is drawn when colours tell what
 * failed. */
static void draw(void *context, const rask_run_info *run)
{
    watch *w = context;
    rask_draw_options options = RASK_DRAW_OPTIONS_INIT;
    options.colour = colour_of(w->options);
    options.recording = w->recording;
    if (run->plan && (!run->status || options.colour == RASK_COLOUR_STATUS))
        w->drawn = rask_draw_plan(run->plan, w->options->draw, &options, w->message, sizeof w->message);
}

static bool add_artist(watch *w)
{
    w->recording = rask_recording_new();
    w->artist = (rask_observer){.size = sizeof w->artist, .context = w, .run_ended = draw};
    if (!w->recording)
        return false;
    w->observers[w->count++] = rask_recording_observer(w->recording);
    w->observers[w->count++] = &w->artist;
    return true;
}

/* -- The watch */

static bool add_trace(watch *w)
{
    w->trace = rask_trace_new(0);
    if (w->trace)
        w->observers[w->count++] = rask_trace_observer(w->trace);
    return w->trace;
}

static bool add_profile(watch *w)
{
    w->profile = rask_profile_new();
    if (w->profile)
        w->observers[w->count++] = rask_profile_observer(w->profile);
    return w->profile;
}

static void add_progress(watch *w)
{
    char title[32];
    snprintf(title, sizeof title, "rask %s", w->command);
    w->progress = w->options->no_progress ? NULL : rask_progress_new(title, w->options->progress);
    if (w->progress)
        w->observers[w->count++] = rask_progress_observer(w->progress);
}

/* The one line that has the token. */
static bool add_dashboard(watch *w, rask_cancel_token *cancel)
{
    char title[32];
    rask_dashboard_options options = RASK_DASHBOARD_OPTIONS_INIT;
    snprintf(title, sizeof title, "rask %s", w->command);
    options.address = w->options->dashboard;
    options.title = title;
    options.open = w->options->dashboard_open;
    options.cancel = cancel;
    int status = rask_dashboard_open(&options, &w->dashboard, w->message, sizeof w->message);
    if (status) {
        w->misused = status == RASK_EINVAL;
        say_error(w->command, "--dashboard: %s", w->message);
        return false;
    }
    say_error(w->command, "the run is shown at %s", rask_dashboard_url(w->dashboard));
    w->observers[w->count++] = rask_dashboard_observer(w->dashboard);
    return true;
}

bool watch_begin(watch *w, const char *command, const common_options *o, rask_options *run)
{
    memset(w, 0, sizeof *w);
    w->command = command;
    w->options = o;
    add_progress(w);
    if (o->observer)
        w->observers[w->count++] = o->observer;
    if ((w->waiting = waiting_new(command, run)))
        w->observers[w->count++] = waiting_observer(w->waiting);
    bool made = (!(o->trace || o->page) || add_trace(w)) && (!(o->profile || o->page) || add_profile(w)) &&
                (!o->draw || add_artist(w));
    if (!made)
        say_error(command, "%s", rask_status_text(RASK_ENOMEM));
    w->whole = made && (!(o->dashboard || o->dashboard_open) || add_dashboard(w, run->cancel));
    run->observers = w->observers;
    run->observer_count = w->count;
    return w->whole;
}

static int say_status(watch *w, int status)
{
    if (status)
        say_error(w->command, "%s", *w->message ? w->message : rask_status_text(status));
    return status ? EXIT_FAILED : EXIT_DONE;
}

/* None when no run ended. */
static int tell_profile(watch *w)
{
    if (*w->options->profile)
        return say_status(w,
                          rask_profile_write(w->profile, w->options->profile, w->message, sizeof w->message));
    size_t len = rask_profile_text(w->profile, NULL, 0);
    char *text = len ? malloc(len + 1) : NULL;
    if (text && rask_profile_text(w->profile, text, len + 1))
        fputs(text, stderr);
    free(text);
    *w->message = 0;
    return len && !text ? say_status(w, RASK_ENOMEM) : EXIT_DONE;
}

static int write_all(watch *w)
{
    const common_options *o = w->options;
    char title[64];
    int outcome = EXIT_DONE;
    snprintf(title, sizeof title, "rask %s", w->command);
    if (o->trace && say_status(w, rask_trace_write(w->trace, o->trace, w->message, sizeof w->message)))
        outcome = EXIT_FAILED;
    if (o->page &&
        say_status(w, rask_page_write(w->trace, w->profile, title, o->page, w->message, sizeof w->message)))
        outcome = EXIT_FAILED;
    if (o->profile && tell_profile(w))
        outcome = EXIT_FAILED;
    return outcome;
}

int watch_end(watch *w)
{
    int outcome = say_status(w, w->drawn);
    char by[64];
    rask_progress_free(w->progress);
    waiting_free(w->waiting);
    bool cancelled = rask_dashboard_cancelled(w->dashboard, by, sizeof by);
    rask_dashboard_close(w->dashboard);
    if (cancelled)
        say_error(w->command, "cancelled by the live page, from %s", by);
    if (w->whole && write_all(w))
        outcome = EXIT_FAILED;
    rask_trace_free(w->trace);
    rask_profile_free(w->profile);
    rask_recording_free(w->recording);
    return outcome;
}
