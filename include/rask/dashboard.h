/* rask/dashboard.h: a page that shows runs while they go on, in a browser: what runs where, how far it is, memory, failures.
 * docs/observing.md shows it. Calls may come from any thread; close() when no other uses the dashboard. */
#ifndef RASK_DASHBOARD_H
#define RASK_DASHBOARD_H

#include <rask/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rask_dashboard rask_dashboard;

typedef struct rask_dashboard_options {
    size_t size; /* sizeof(rask_dashboard_options), set by RASK_DASHBOARD_OPTIONS_INIT */
    const char *
        address; /* where it is served: "HOST:PORT", "HOST", "PORT" or "[HOST]:PORT", where HOST is an address of this
                        * machine. NULL: 127.0.0.1 and a port that is free. What is not of loopback others can reach */
    const char *title; /* of the page; NULL: "rask". It is copied */
    bool open;         /* no token in the address: whoever reaches it may read, and nobody may cancel */
    rask_cancel_token
        *cancel; /* which the page's button cancels; valid until the dashboard is closed. NULL: no button */
} rask_dashboard_options;

/* Everything at its default. */
#ifdef __cplusplus
static inline rask_dashboard_options rask_dashboard_options_init()
{
    rask_dashboard_options options = rask_dashboard_options();
    options.size = sizeof options;
    return options;
}
#    define RASK_DASHBOARD_OPTIONS_INIT rask_dashboard_options_init()
#else
#    define RASK_DASHBOARD_OPTIONS_INIT ((rask_dashboard_options){.size = sizeof(rask_dashboard_options)})
#endif

/* Serves a page, by two threads of its own, until it is closed. options may be NULL. RASK_OK; RASK_EINVAL: no such address;
 * RASK_EIO: it cannot be had, as when the port is in use; RASK_EUNSUPPORTED: this build has no HTTP server, and the message names
 * the package; RASK_ENOMEM; with a message of at most capacity bytes in error (may be NULL). */
RASK_API int rask_dashboard_open(const rask_dashboard_options *options, rask_dashboard **dashboard,
                                 char *error, size_t capacity);

/* For rask_options.observers; valid as long as the dashboard. Runs are shown one after the other; one that begins while another
 * is shown is left out, and counted. */
RASK_API const rask_observer *rask_dashboard_observer(const rask_dashboard *dashboard);

/* The address of the page, with the token: a secret of those who may look and cancel. Valid as long as the dashboard. */
RASK_API const char *rask_dashboard_url(const rask_dashboard *dashboard);

/* True: somebody cancelled by the page; the address that came from is in text (capacity bytes; NULL: not wanted), such as
 * "127.0.0.1". */
RASK_API bool rask_dashboard_cancelled(rask_dashboard *dashboard, char *text, size_t capacity);

/* After the runs. Pages that are open are told that it is over, which takes half a second at most, and keep what they show. NULL
 * is legal. */
RASK_API void rask_dashboard_close(rask_dashboard *dashboard);

#ifdef __cplusplus
}
#endif

#endif
