#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static rask_cancel_token *token; /* set before the handlers are, ended after they are gone */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int number)
{
    (void)number;
    // NOLINTNEXTLINE(bugprone-signal-handler): rask_cancel() says that signal handlers may call it
    rask_cancel(token);
}

/* A signal that the program's caller had ignored, as nohup does, stays ignored. */
static void handle(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler}, old;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

rask_cancel_token *interrupt_begin(void)
{
    token = rask_cancel_token_new();
    if (token)
        handle(on_signal);
    return token;
}

bool interrupt_end(void)
{
    if (!token)
        return false;
    handle(SIG_DFL);
    bool came = rask_cancelled(token);
    rask_cancel_token_free(token);
    token = NULL;
    return came;
}
