/* schedulers/shown: how options that say so show what is computed: a line of progress, a live page. */
#ifndef RASK_SCHEDULERS_SHOWN_H
#define RASK_SCHEDULERS_SHOWN_H

#include <rask/dashboard.h>
#include <rask/observe.h>

typedef struct rk_shown {
    rask_progress *progress;
    rask_dashboard *dashboard;
    rask_cancel_token *cancel; /* of the page's button, where options have none */
    const rask_observer **observers;
} rk_shown;

/* For a run that will have these options, resolved: they get observers, and a token, which live until rk_shown_close(). On
 * failure there is nothing to close, and reason gets a text: what rask_dashboard_open() says, RASK_ENOMEM. */
int rk_shown_run(rask_options *options, rk_shown *shown, char *reason, size_t capacity);

/* For a client that will have them: the page alone, whose button is there when options.cancel is. */
int rk_shown_client(rask_options *options, rk_shown *shown, char *reason, size_t capacity);

/* After what it showed. */
void rk_shown_close(rk_shown *shown);

#endif
