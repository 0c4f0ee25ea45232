/* core/observe/dashboard/request: what a request is for, and whether it may. Knows no server. */
#ifndef RASK_CORE_OBSERVE_DASHBOARD_REQUEST_H
#define RASK_CORE_OBSERVE_DASHBOARD_REQUEST_H

#include "core/observe/dashboard/http.h"

enum { RK_TOKEN_DIGITS = 32 }; /* of 128 bits */

typedef enum rk_wanted {
    RK_WANTS_PAGE,
    RK_WANTS_STYLE,
    RK_WANTS_SCRIPT,
    RK_WANTS_EVENTS,
    RK_WANTS_STATE,
    RK_WANTS_METRICS,
    RK_WANTS_HEALTH,
    RK_WANTS_CANCEL,
    RK_WANTS_SLASH, /* the page, by an address that lacks its last slash */
} rk_wanted;

/* A token that nobody guesses, of RK_TOKEN_DIGITS digits and a NUL. False: the system has no random numbers. */
bool rk_token_make(char *token);

/* 0, and what is wanted; else the status of a refusal, with its reason in why (static). token: behind the first slash of good
 * paths, or in "Authorization: Bearer"; "": whoever asks may read, and nobody may cancel. host: a name that the server is
 * known by beside addresses and localhost; "": none. */
int rk_request_read(const rk_http_request *request, const char *token, const char *host, rk_wanted *wanted,
                    const char **why);

#endif
