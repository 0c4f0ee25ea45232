/* The thread that polls calls what runs in the program: an observer may pause there, or write to a terminal that nobody reads, for as
 * long as it likes, and the job shall not end of it. So another one stands in; a process that is stopped as a whole is silent. */
#include "schedulers/cluster/mpi/beats.h"

#include "core/base/clock.h"
#include "core/base/cond.h"
#include "schedulers/cluster/mpi/farewell.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BEAT_MS = 1000, /* a word is said at least so often, */
    BEATS = 4,      /* and at least so many in the time after which a rank is silent, */
    SILENCE_S = 8,  /* which is when what was said was not received for so long, and nothing came */
    LEAST_SILENCE_S = 1,
    MOST_SILENCE_S = 1000000,
    PRECEDENCE_S =
        3, /* most that the others wait longer than rank 0: what that says is seen, so it is the first to speak */
    LONGEST_TURN_MS = 200, /* time between two polls counts as no more: who was stopped has not listened */
    STAND_IN_MS = 100      /* how often the thread looks whether it is needed */
};

#define MS UINT64_C(1000000)

static bool read_seconds(const char *text, double *seconds)
{
    char *end;
    if (!*text || strspn(text, "0123456789.") != strlen(text))
        return false;
    double number = strtod(text, &end);
    if (*end || (number != 0 && (number < LEAST_SILENCE_S || number > MOST_SILENCE_S)))
        return false;
    *seconds = number;
    return true;
}

int rk_beats_read(rk_wire *wire, char *reason, size_t capacity)
{
    const char *said = getenv("RASK_MPI_SILENCE");
    double seconds = SILENCE_S;
    if (said && *said && !read_seconds(said, &seconds)) {
        snprintf(reason, capacity,
                 "RASK_MPI_SILENCE: \"%.100s\" is neither a number of seconds, %d to %d, nor 0, for good",
                 said, LEAST_SILENCE_S, MOST_SILENCE_S);
        return RASK_EINVAL;
    }
    double longer = seconds * PRECEDENCE_S / SILENCE_S;
    double beat = seconds / BEATS;
    wire->beat_ns = (uint64_t)((beat < BEAT_MS / 1e3 ? beat : BEAT_MS / 1e3) * 1e9);
    if (wire->rank)
        seconds += longer < PRECEDENCE_S ? longer : PRECEDENCE_S;
    wire->silence_ns = (uint64_t)(seconds * 1e9);
    return RASK_OK;
}

static void look_after(rk_wire *wire, rk_link *link)
{
    if (link->ended || link->rank == wire->rank)
        return;
    if (!link->sending[RK_CONTROL])
        rk_mail_send(wire, link, RK_CONTROL, MAIL_BEAT, NULL, 0, NULL, 0);
    else if (wire->clock_ns - link->heard_ns > wire->silence_ns)
        rk_farewell(wire, link->rank);
}

void rk_beats_pass(rk_wire *wire)
{
    const uint64_t most = LONGEST_TURN_MS * MS, now = rk_clock_now();
    uint64_t passed = wire->passed_ns ? now - wire->passed_ns : 0;
    int others = wire->rank ? 1 : wire->ranks;
    wire->clock_ns += passed < most ? passed : most;
    wire->passed_ns = now;
    if (!wire->silence_ns || wire->closing_ns || wire->clock_ns - wire->looked_ns < wire->beat_ns)
        return;
    wire->looked_ns = wire->clock_ns;
    for (int i = 0; i < others; i++)
        look_after(wire, &wire->links[i]);
}

bool rk_beats_part(const rk_wire *wire)
{
    bool any = false;
    for (int i = 0; i < wire->ranks && wire->silence_ns; i++) {
        const rk_link *link = &wire->links[i];
        uint64_t since = link->heard_ns > wire->closing_ns ? link->heard_ns : wire->closing_ns;
        bool leaving = link->state == LINK_LEAVING;
        any |= leaving;
        if (leaving && wire->clock_ns > since + wire->silence_ns)
            rk_farewell(wire, i);
    }
    return any;
}

/* -- Who stands in */

static void stand_in(rk_wire *wire)
{
    rk_mail_enter();
    if (rk_clock_now() - wire->polled_ns > LONGEST_TURN_MS * MS) {
        rk_beats_pass(wire);
        rk_mail_test(wire);
    }
    rk_mail_leave();
}

static void *be_beating(void *at)
{
    rk_wire *wire = at;
    rk_beating *b = &wire->beating;
    pthread_mutex_lock(&b->lock);
    while (!b->over) {
        const struct timespec moment = rk_cond_in(STAND_IN_MS * MS);
        if (rk_cond_wait_until(&b->ended, &b->lock, &moment))
            continue;
        pthread_mutex_unlock(&b->lock);
        stand_in(wire);
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* Signals are for the program's own threads. */
int rk_beats_begin(rk_wire *wire, char *reason, size_t capacity)
{
    sigset_t all, before;
    rk_beating *b = &wire->beating;
    if (!wire->silence_ns || wire->ranks < 2)
        return RASK_OK;
    wire->polled_ns = rk_clock_now();
    pthread_mutex_init(&b->lock, NULL);
    rk_cond_init(&b->ended);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    b->any = !pthread_create(&b->thread, NULL, be_beating, wire);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (b->any)
        return RASK_OK;
    snprintf(reason, capacity, "no thread is to be had that looks after the other ranks");
    return RASK_ESYSTEM;
}

void rk_beats_end(rk_wire *wire)
{
    rk_beating *b = &wire->beating;
    if (!b->any)
        return;
    pthread_mutex_lock(&b->lock);
    b->over = true;
    pthread_cond_signal(&b->ended);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    b->any = false;
}
