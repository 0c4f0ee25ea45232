/* What options ask for, opened as a program would open it, and given to the run as more observers. */
#include "schedulers/shown.h"

#include "core/base/alloc.h"

#include <stdio.h>
#include <string.h>

enum { MOST_OWN = 2 }; /* observers */

static int open_page(const rask_options *options, rk_shown *shown, char *reason, size_t capacity)
{
    rask_dashboard_options page = RASK_DASHBOARD_OPTIONS_INIT;
    page.address = *options->dashboard ? options->dashboard : NULL;
    page.cancel = options->cancel;
    char why[400];
    int status = rask_dashboard_open(&page, &shown->dashboard, why, sizeof why);
    if (status)
        snprintf(reason, capacity, "options.dashboard: %s", why);
    else
        fprintf(stderr, "rask: what is computed is shown at %s\n", rask_dashboard_url(shown->dashboard));
    return status;
}

/* Those that options have, and our own. */
static int add_observers(rask_options *options, rk_shown *shown)
{
    size_t count = options->observer_count;
    shown->observers = rk_alloc_array(count + MOST_OWN, sizeof *shown->observers);
    if (!shown->observers)
        return RASK_ENOMEM;
    for (size_t i = 0; i < count; i++)
        shown->observers[i] = options->observers[i];
    if (shown->progress)
        shown->observers[count++] = rask_progress_observer(shown->progress);
    if (shown->dashboard)
        shown->observers[count++] = rask_dashboard_observer(shown->dashboard);
    options->observers = shown->observers;
    options->observer_count = count;
    return RASK_OK;
}

static int show(rask_options *options, rk_shown *shown, char *reason, size_t capacity)
{
    int status = options->dashboard ? open_page(options, shown, reason, capacity) : RASK_OK;
    if (!status && (shown->progress || shown->dashboard) && (status = add_observers(options, shown)))
        snprintf(reason, capacity, "options: %s", rask_status_text(status));
    if (status)
        rk_shown_close(shown);
    return status;
}

int rk_shown_run(rask_options *options, rk_shown *shown, char *reason, size_t capacity)
{
    *shown = (rk_shown){0};
    if (options->progress)
        shown->progress = rask_progress_new(NULL, false);
    if (options->dashboard && !options->cancel) {
        options->cancel = shown->cancel = rask_cancel_token_new();
        if (!shown->cancel) {
            snprintf(reason, capacity, "options: %s", rask_status_text(RASK_ENOMEM));
            rk_shown_close(shown);
            return RASK_ENOMEM;
        }
    }
    return show(options, shown, reason, capacity);
}

int rk_shown_client(rask_options *options, rk_shown *shown, char *reason, size_t capacity)
{
    *shown = (rk_shown){0};
    return show(options, shown, reason, capacity);
}

void rk_shown_close(rk_shown *shown)
{
    rask_progress_free(shown->progress);
    rask_dashboard_close(shown->dashboard);
    rask_cancel_token_free(shown->cancel);
    rk_free((void *)shown->observers);
    *shown = (rk_shown){0};
}
