/* Workers: how they come, what they are given, how they go. */
#include "schedulers/processes/away.h"

#include "core/base/clock.h"
#include "schedulers/told.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FAILED_STARTS = 3, STOPPED_NS = 1000000000, LEAVE_NS = 2000000000 };
#define COME_UP_NS 5000000000u

static int complain(rk_hands *h, int status, const char *what, const char *why)
{
    if (!*h->run->reason)
        snprintf(h->run->reason, sizeof h->run->reason, "processes: %s %s", what, why);
    return status;
}

/* A mailbox for the next to come: nothing is in it. */
static void clear_mailbox(rk_mailbox *box)
{
    memset(box, 0, offsetof(rk_mailbox, news));
}

static void unpost_all(rk_staff *staff)
{
    for (uint32_t i = 0; i < staff->post_count; i++) {
        staff->posts[i].count = staff->posts[i].sent = 0;
        staff->posts[i].asked = false;
        clear_mailbox(staff->posts[i].box);
    }
    staff->unsent.count = 0;
    staff->freed = 0;
}

int rk_staff_hire(rk_hands *h, uint32_t worker)
{
    rk_staff *staff = &h->staff[worker];
    rk_run *apart = rk_alloc(sizeof *apart);
    if (!apart || rk_run_init_apart(apart, h->run, &h->crew.board->stop)) {
        rk_free(apart);
        return complain(h, RASK_ENOMEM, "a worker cannot be started:", "out of memory");
    }
    rk_squad *squad = rk_squad_new(&h->crew, apart, worker, ++staff->life);
    int status = squad ? RASK_OK : complain(h, RASK_ENOMEM, "a worker cannot be started:", "out of memory");
    if (squad) {
        unpost_all(staff);
        fflush(stdout); /* what is in the buffer would be written by the worker, too */
        int forked = rk_child_fork(&staff->child, &h->crew.watch);
        if (forked > 0)
            rk_squad_work(squad);
        if (forked < 0)
            status = complain(h, RASK_ESYSTEM, "a worker cannot be started:", strerror(errno));
    }
    staff->ready = staff->stopped = staff->was_stopped = staff->doomed = staff->absent = false;
    staff->stopped_since = 0;
    staff->up_since = rk_clock_now();
    rk_squad_free(squad);
    rk_run_fini_apart(apart);
    rk_free(apart);
    return status;
}

/* -- Orders */

/* What a unit uses besides its result is its process's own, as far as anybody knows, and must not go into a result that
 * may be larger than expected. */
static uint64_t used_apart(const rk_hands *h, uint32_t unit)
{
    uint64_t bytes = 0;
    if (rk_budget_needs(h->run, rk_units_last(&h->units, unit)).sure)
        return 0;
    for (uint32_t task = h->run->plan->unit_start[unit]; task <= rk_units_last(&h->units, unit); task++)
        bytes += rk_budget_needs(h->run, task).scratch;
    return bytes;
}

/* A call that its worker was ended with is one of those that are repeated. */
static void note_tries(rk_hands *h, const rk_instruction *run)
{
    rk_atomic_u32 *tries = &h->crew.tries[run->task];
    uint32_t first = h->run->plan->unit_start[run->task];
    bool counts = !run->grown && rk_run_backoff(h->run, first);
    if (!counts || !run->tries) /* it begins, or begins anew */
        rk_store_relaxed(tries, 0);
    else if (rk_load_relaxed(tries) < run->tries)
        rk_store_relaxed(tries, run->tries);
}

void rk_staff_post(rk_hands *h, rk_staff *staff, const rk_instruction *run)
{
    bool io = !staff->here && rk_run_is_io(h->run, run->task);
    uint32_t first = io ? h->crew.threads : 0, end = io || staff->here ? staff->post_count : h->crew.threads;
    rk_post *post = &staff->posts[first];
    for (uint32_t i = first + 1; i < end; i++)
        if (staff->posts[i].count < post->count)
            post = &staff->posts[i];
    uint64_t apart = run->bytes ? used_apart(h, run->task) : 0;
    apart = apart < run->bytes ? apart : run->bytes;
    if (!run->grown)
        rk_store_relaxed(&h->crew.next_tasks[run->task], 0);
    if (h->crew.tries)
        note_tries(h, run);
    post->posted[post->count++] = (rk_posted){
        .unit = run->task, .attempt = run->attempt, .allowed = run->bytes - apart, .apart = apart};
    rk_staff_send(h, staff);
}

/* Orders that were taken back take room until the seat has passed them. */
static bool has_next(const rk_post *post)
{
    return post->sent < post->count && rk_mailbox_has_room(post->box);
}

static void send_next(rk_post *post)
{
    rk_posted *posted = &post->posted[post->sent++];
    posted->place = rk_mailbox_order(post->box, RK_ORDER_RUN, posted->unit, posted->allowed);
    posted->sent = true;
}

/* Units that ran together when a worker died run alone from then on, so that it is seen who ends workers: what a worker
 * has is waited for, and nothing is sent meanwhile. True: it has come to that. */
static bool send_suspect(const rk_hands *h, rk_staff *staff)
{
    rk_post *next = NULL;
    uint32_t out = 0;
    for (uint32_t i = 0; i < staff->post_count; i++) {
        rk_post *post = &staff->posts[i];
        for (uint32_t k = 0; k < post->sent && !post->asked; k++)
            if (h->is_suspect[post->posted[k].unit])
                return true;
        out += post->asked ? 0 : post->sent; /* who waits for memory may wait for what others hold */
        if (!next && has_next(post) && h->is_suspect[post->posted[post->sent].unit])
            next = post;
    }
    if (next && !out)
        send_next(next);
    return next;
}

void rk_staff_send(const rk_hands *h, rk_staff *staff)
{
    if (h->is_suspect && send_suspect(h, staff))
        return;
    for (uint32_t i = 0; i < staff->post_count; i++) {
        rk_post *post = &staff->posts[i];
        while (has_next(post) && !(h->is_suspect && h->is_suspect[post->posted[post->sent].unit]))
            send_next(post);
    }
}

void rk_staff_wake(rk_hands *h)
{
    for (uint32_t i = 0; i < h->staff_count; i++)
        for (uint32_t k = 0; k < h->staff[i].post_count; k++) {
            rk_mailbox *box = h->staff[i].posts[k].box;
            if (!h->staff[i].posts[k].sent || !rk_load_seq_cst(&box->asleep))
                continue;
            rk_store_relaxed(&box->asleep, 0);
            rk_system_wake(&box->asleep);
        }
}

static rk_posted *find_posted(rk_post *post, uint32_t unit)
{
    for (uint32_t i = 0; i < post->count; i++)
        if (post->posted[i].unit == unit)
            return &post->posted[i];
    return NULL;
}

static void forget_posted(rk_post *post, rk_posted *posted)
{
    size_t behind = (size_t)(post->posted + post->count - posted) - 1;
    post->sent -= posted->sent;
    memmove(posted, posted + 1, behind * sizeof *posted);
    post->count--;
}

bool rk_post_answered(rk_post *post, uint32_t unit, rk_posted *answered)
{
    rk_posted *posted = find_posted(post, unit);
    if (!posted)
        return false;
    *answered = *posted;
    forget_posted(post, posted);
    return true;
}

bool rk_staff_take_back(const rk_hands *h, rk_staff *staff, uint32_t unit)
{
    for (uint32_t i = 0; i < staff->post_count; i++) {
        rk_post *post = &staff->posts[i];
        rk_posted *posted = find_posted(post, unit);
        if (!posted)
            continue;
        if (posted->sent && !rk_mailbox_take_back(post->box, posted->place, unit))
            return false;
        forget_posted(post, posted);
        rk_staff_send(h, staff);
        return true;
    }
    return false;
}

/* -- Freed extents */

/* Freed memory that its owner has not come to take back is left resident as far as he may keep it himself. */
static bool is_too_much(const rk_hands *h, const rk_staff *staff, uint64_t bytes)
{
    return staff->freed - rk_load_relaxed(&staff->posts[0].box->reclaimed) + bytes > h->crew.kept;
}

static void send_unsent(rk_staff *staff)
{
    void **unsent = staff->unsent.data;
    while (staff->unsent.count &&
           rk_mailbox_free(staff->posts[0].box, (uint64_t)(uintptr_t)unsent[staff->unsent.count - 1]))
        staff->unsent.count--;
}

void rk_staff_send_freed(rk_hands *h, void *content)
{
    rk_mover_forget(&h->mover, content);
    if (rk_away_free(h, content))
        return;
    rk_extent *extent = rk_extent_of(content);
    rk_staff *staff = &h->staff[rk_region_range_of(h->crew.region, content)];
    bool gone = extent->life != staff->life || (!staff->here && !staff->child.pid);
    if (gone || is_too_much(h, staff, extent->bytes))
        rk_region_discard(content, extent->bytes);
    if (gone)
        return;
    staff->freed += extent->bytes;
    void **place = rk_array_push(&staff->unsent); /* without memory: lost to its heap until the run ends */
    if (place)
        *place = content;
    send_unsent(staff);
}

/* -- Ends */

const char *rk_staff_last_words(const rk_hands *h, uint32_t unit)
{
    const rk_death *deaths = h->deaths.data;
    for (size_t i = h->deaths.count; i-- > 0;)
        if (deaths[i].unit == unit)
            return deaths[i].how;
    return "ended";
}

/* The unit that a seat was executing; RK_NO_TASK: none. */
static uint32_t current_of(rk_post *post)
{
    uint64_t current = rk_load_acquire(&post->box->current);
    return current && find_posted(post, (uint32_t)(current - 1)) ? (uint32_t)(current - 1) : RK_NO_TASK;
}

const rk_posted *rk_post_asking(rk_post *post)
{
    uint64_t bytes = post->asked ? 0 : rk_mailbox_asked(post->box);
    if (!bytes)
        return NULL;
    uint32_t unit = current_of(post);
    rk_posted *posted = unit == RK_NO_TASK ? NULL : find_posted(post, unit);
    if (posted)
        posted->wanted = bytes + posted->apart;
    post->asked = posted;
    return posted;
}

/* The seat that waits for memory for a unit; NULL: none does. */
static rk_post *find_asking(rk_staff *staff, uint32_t unit)
{
    for (uint32_t i = 0; i < staff->post_count; i++)
        if (staff->posts[i].asked && current_of(&staff->posts[i]) == unit)
            return &staff->posts[i];
    return NULL;
}

static void answer(rk_post *post, uint64_t granted)
{
    post->asked = false;
    rk_mailbox_answer(post->box, granted);
    rk_system_wake(&post->box->asks);
}

void rk_staff_answer(rk_staff *staff, const rk_instruction *in)
{
    rk_post *post = find_asking(staff, in->task);
    if (!post)
        return;
    rk_posted *posted = find_posted(post, in->task);
    if (in->kind == RK_DO_REFUSE) {
        posted->refused = in->status;
        posted->needed = in->bytes;
        posted->budget = in->budget;
    }
    answer(post, in->kind == RK_DO_GRANT ? in->bytes - posted->apart : 0);
}

bool rk_staff_deny(rk_staff *staff, uint32_t unit)
{
    rk_post *post = find_asking(staff, unit);
    if (post)
        answer(post, 0);
    return post;
}

void rk_staff_renew(rk_hands *h)
{
    for (uint32_t i = 0; i < h->staff_count; i++)
        for (uint32_t k = 0; k < h->staff[i].post_count; k++) {
            rk_post *post = &h->staff[i].posts[k];
            uint64_t since = rk_load_relaxed(&post->box->since_ns);
            uint32_t unit = since == post->since_ns ? RK_NO_TASK : current_of(post);
            if (unit == RK_NO_TASK)
                continue;
            post->since_ns = since;
            rk_coordinator_renewed(h->coordinator, h->now, h->staff[i].number, h->staff[i].epoch, unit,
                                   find_posted(post, unit)->attempt);
        }
}

enum { MOST_NAMED = 4 };

void rk_staff_name_running(rk_hands *h)
{
    const rask_plan *plan = h->run->plan;
    rk_print out = {h->run->reason, sizeof h->run->reason, 0};
    uint32_t running = 0;
    for (uint32_t i = 0; i < h->staff_count; i++)
        for (uint32_t k = 0; k < h->staff[i].post_count; k++) {
            uint32_t unit = current_of(&h->staff[i].posts[k]);
            if (unit == RK_NO_TASK || running++ >= MOST_NAMED)
                continue;
            const rask_node *node = rk_graph_node(plan->graph, plan->node[rk_units_last(&h->units, unit)]);
            rk_print_add(&out, "%s%s (node %u)", running == 1 ? "" : ", ", rask_node_name(node), node->id);
        }
    if (running > MOST_NAMED)
        rk_print_add(&out, " and %u more", running - MOST_NAMED);
}

static void suspect_all(rk_hands *h, rk_staff *staff)
{
    if (!h->is_suspect)
        h->is_suspect = rk_calloc(h->run->plan->units, 1);
    for (uint32_t i = 0; i < staff->post_count && h->is_suspect; i++) {
        uint32_t unit = current_of(&staff->posts[i]);
        if (unit != RK_NO_TASK)
            h->is_suspect[unit] = 1;
    }
}

/* The unit that the worker died of: the one that it was executing. Nobody's fault, a number that no unit has, when there
 * was none; and when there were several, who did it is still to be seen. */
static uint32_t find_culprit(rk_hands *h, rk_staff *staff)
{
    uint32_t culprit = h->run->plan->units, running = 0;
    for (uint32_t i = 0; i < staff->post_count; i++) {
        uint32_t unit = current_of(&staff->posts[i]);
        if (unit == RK_NO_TASK)
            continue;
        culprit = unit;
        running++;
    }
    if (staff->absent)
        return h->run->plan->units;
    if (running < 2 || staff->doomed)
        return culprit;
    suspect_all(h, staff);
    return h->is_suspect ? h->run->plan->units : RK_NO_TASK;
}

static void note_death(rk_hands *h, uint32_t unit, const char *how, pid_t pid)
{
    char to[96];
    rk_death *death = rk_array_push(&h->deaths);
    if (!death)
        return;
    rk_system_describe_stderr(to, sizeof to);
    death->unit = unit;
    snprintf(death->how, sizeof death->how, "%s: process %ld, whose messages go %s", how, (long)pid, to);
}

void rk_staff_tell(rk_hands *h, const rk_staff *staff, pid_t pid, const char *lost)
{
    rask_worker_info info = {.lost = lost != NULL,
                             .first = (uint32_t)(staff - h->staff) * h->crew.threads,
                             .count = h->crew.threads,
                             .process = (uint64_t)pid,
                             .host = "",
                             .reason = lost ? lost : "",
                             .numbers = h->crew.threads};
    if (!staff->here)
        rk_run_worker_changed(h->run, &info);
}

static void lose(rk_hands *h, uint32_t worker)
{
    rk_staff *staff = &h->staff[worker];
    char how[96];
    pid_t pid = staff->child.pid;
    uint32_t culprit = find_culprit(h, staff);
    rk_child_end(&staff->child, &h->crew.watch, how, sizeof how);
    if (staff->was_stopped)
        snprintf(how, sizeof how, "was stopped by a signal, and ended when it did not go on");
    if (staff->absent)
        snprintf(how, sizeof how, "did not come up: a lock that it needs was taken when it was forked");
    if (culprit < h->run->plan->units && !staff->doomed)
        note_death(h, culprit, how, pid);
    rk_result_tidy(h, worker);
    staff->failed_starts = staff->ready && !staff->absent ? 0 : staff->failed_starts + 1;
    if (staff->joined && !h->ended && !h->stopping_since)
        rk_staff_tell(h, staff, pid, how);
    if (staff->joined)
        rk_coordinator_lost(h->coordinator, h->now, staff->number, staff->epoch, culprit, false);
    staff->joined = false;
    if (h->ended || h->stopping_since)
        return;
    if (staff->failed_starts >= FAILED_STARTS) {
        complain(h, RASK_EDIED,
                 "workers end before their first task, by worker_init() or from outside; the last", how);
        rk_run_stop(h->run, RASK_EDIED);
    } else {
        int status = rk_staff_hire(h, worker);
        if (status)
            rk_run_stop(h->run, status);
    }
}

void rk_staff_kill(rk_staff *staff)
{
    if (!staff->child.pid)
        return;
    staff->doomed = true;
    rk_child_kill(&staff->child);
}

/* A worker that somebody stopped is as good as dead; but a moment later it may go on. */
static void watch_stopped(const rk_hands *h, rk_staff *staff)
{
    if (!rk_child_is_stopped(&staff->child, &staff->stopped))
        staff->stopped_since = 0;
    else if (!staff->stopped_since)
        staff->stopped_since = h->now;
    else if (h->now - staff->stopped_since > STOPPED_NS) {
        staff->was_stopped = true;
        rk_child_kill(&staff->child);
    }
}

/* A lock that another thread of the program had at the fork is never free in the worker: what waits for it on the way up,
 * a thread that is being started, say, waits for ever. How long worker_init() takes is the program's business. */
static void watch_arrival(const rk_hands *h, rk_staff *staff)
{
    if ((!staff->ready && h->run->options.worker_init) || h->now < staff->up_since + COME_UP_NS)
        return;
    uint32_t present = 0;
    for (uint32_t i = 0; i < staff->post_count; i++)
        present += rk_load_acquire(&staff->posts[i].box->present);
    if (present == staff->post_count && staff->ready)
        return;
    staff->absent = true;
    rk_staff_kill(staff);
}

void rk_staff_watch(const rk_hands *h, rk_staff *staff)
{
    watch_stopped(h, staff);
    watch_arrival(h, staff);
}

void rk_staff_look_after(rk_hands *h, bool all)
{
    for (uint32_t i = 0; i < h->staff_count; i++) {
        rk_staff *staff = &h->staff[i];
        if (staff->unsent.count)
            send_unsent(staff);
        if (!staff->child.pid)
            continue;
        if (rk_child_has_ended(&staff->child)) {
            rk_hands_hear(h, staff); /* its last news count */
            lose(h, i);
        } else if (all) {
            rk_staff_watch(h, staff);
        }
    }
}

static void order_to_leave(rk_staff *staff)
{
    for (uint32_t i = 0; i < staff->post_count; i++) {
        rk_mailbox *box = staff->posts[i].box;
        if (!rk_mailbox_has_room(box)) {
            staff->doomed = true;
            continue;
        }
        rk_mailbox_order(box, RK_ORDER_LEAVE, 0, 0);
        rk_store_seq_cst(&box->asleep, 0);
        rk_system_wake(&box->asleep);
    }
}

/* What is still executed returns to nobody. */
static bool is_idle(const rk_staff *staff)
{
    for (uint32_t i = 0; i < staff->post_count; i++)
        if (staff->posts[i].count)
            return false;
    return staff->ready && !staff->doomed;
}

void rk_staff_dismiss(rk_hands *h)
{
    char how[96];
    for (uint32_t i = 0; i < h->staff_count; i++)
        if (h->staff[i].here || h->staff[i].child.pid)
            order_to_leave(&h->staff[i]);
    uint64_t start = rk_clock_now();
    for (uint32_t i = 0; i < h->staff_count; i++) {
        rk_staff *staff = &h->staff[i];
        if (!staff->child.pid)
            continue;
        bool patient = is_idle(staff);
        while (patient && !rk_child_has_ended(&staff->child) && rk_clock_now() - start < LEAVE_NS)
            rk_clock_sleep(50000);
        rk_child_kill(&staff->child);
        rk_child_end(&staff->child, &h->crew.watch, how, sizeof how);
    }
}
