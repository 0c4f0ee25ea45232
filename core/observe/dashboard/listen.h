/* core/observe/dashboard/listen: a socket for a live page. */
#ifndef RASK_CORE_OBSERVE_DASHBOARD_LISTEN_H
#define RASK_CORE_OBSERVE_DASHBOARD_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rk_listener {
    int socket;
    char authority[300]; /* as in addresses: "127.0.0.1:8787", "[::1]:8787" */
    char host[256]; /* a name of this machine, where it listens to all of its addresses; "": it does not */
} rk_listener;

/* address: "HOST:PORT", "HOST", "PORT" or ":PORT", where HOST is an address of this machine, or localhost; without one it is
 * 127.0.0.1, without a port one that is free. NULL or "": neither. RASK_EINVAL: it is none; RASK_EIO: it cannot be had, as when
 * somebody else has the port; with a message. */
int rk_listen(const char *address, rk_listener *listener, char *error, size_t capacity);

#endif
