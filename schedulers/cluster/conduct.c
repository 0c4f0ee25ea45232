/* Rules.
 *   - What a worker says counts as long as it is the hub's member: its number in the coordinator and its epoch are looked up by
 *     that, so what comes after its loss finds nobody.
 *   - A result of few bytes comes with the news of it, and is put into the orders of who needs it. All others are pulled.
 *     When it was lost with its worker, it is not made again.
 *   - A transfer that failed because a worker did not reach another is no failure yet (detour.h).
 *   - A result that is missing (keep_going) is told to every worker before anything that depends on it is run there, and to
 *     those who join later. */
#include "schedulers/cluster/conduct.h"

#include "core/base/clock.h"
#include "schedulers/cluster/grown.h"
#include "schedulers/cluster/ranks/launch.h"
#include "schedulers/cluster/worker.h"
#include "schedulers/told.h"

#include <stdio.h>
#include <string.h>

enum { MOST_REFUSALS_TOLD = 16, INLINE_BYTES = 512, LOOK_NS = 20000000 };

#define STOP_GRACE_NS 2000000000u
#define LONELY_NS     30000000000u
#define MISTAKEN_NS   3000000000u /* the same, when somebody came that should have been one */

/* -- Words */

void rk_conduct_order(rk_conduct *c, uint32_t home, rk_message message)
{
    rk_member *member = c->hands[home].member;
    message.run = c->number;
    if (member)
        rk_hub_say(c->hub, member, &message);
}

static rk_message about(rk_said kind, const rk_instruction *in)
{
    return (rk_message){.kind = kind, .unit = in->task, .attempt = in->attempt};
}

/* Tasks may see it. */
static void stop_tasks(rk_conduct *c)
{
    rk_shop_stop(c->own);
    for (uint32_t home = 1; home < c->home_count; home++)
        if (c->hands[home].joined)
            rk_conduct_order(c, home, (rk_message){.kind = RK_SAY_STOP});
}

static void fail_task(rk_conduct *c, uint32_t task, int status, const char *message)
{
    rk_run_fail(c->run, task, status, message);
    if (!c->run->options.keep_going)
        stop_tasks(c);
}

static void stop(rk_conduct *c, int status)
{
    if (c->stopping_since)
        return;
    c->stopping_since = c->hub->now;
    stop_tasks(c);
    rk_coordinator_cancel(c->coordinator, c->hub->now, status);
}

static void give_up(rk_conduct *c, int status, const char *why)
{
    if (!*c->run->reason)
        snprintf(c->run->reason, sizeof c->run->reason, "cluster: %.900s", why);
    rk_run_stop(c->run, status);
}

/* -- Results */

void rk_outcome_forget(rk_outcome_note *note)
{
    if (note->inlined != note->few)
        rk_free(note->inlined);
    note->inlined = NULL;
}

/* Without memory for the small result it is an object like any other. */
static void note_result(rk_conduct *c, uint32_t unit, uint64_t size, rask_bytes blob)
{
    rk_outcome_note *note = &c->notes[unit];
    rk_outcome_forget(note);
    note->size = size;
    note->copies++;
    if (!blob.len)
        return;
    note->size = blob.len;
    if (blob.len > sizeof note->few) {
        note->inlined = rk_strndup(blob.data, blob.len);
        return;
    }
    memcpy(note->few, blob.data, blob.len);
    note->inlined = note->few;
}

static void forget_copy(rk_conduct *c, uint32_t unit)
{
    rk_outcome_note *note = &c->notes[unit];
    if (note->copies && !--note->copies)
        rk_outcome_forget(note);
}

static void miss(rk_conduct *c, uint32_t unit)
{
    static const char missing = (char)0xff;
    note_result(c, unit, 1, (rask_bytes){&missing, 1});
    c->notes[unit].missing = true;
    rk_shop_miss(c->own, unit);
    for (uint32_t home = 1; home < c->home_count; home++)
        if (c->hands[home].joined)
            rk_conduct_order(c, home, (rk_message){.kind = RK_SAY_MISSING, .unit = unit});
}

/* -- News of units */

typedef struct rk_result_news {
    uint32_t home, unit, attempt, task;
    int status;
    uint32_t done, retries;
    uint64_t bytes, size, duration;
    rask_bytes blob;
    const char *text;
} rk_result_news;

static void finished(rk_conduct *c, const rk_result_news *n, uint64_t bytes)
{
    const rk_hand *hand = &c->hands[n->home];
    rk_coordinator_finished(c->coordinator, c->hub->now, hand->worker, hand->epoch, n->unit, n->attempt,
                            bytes, n->duration);
}

static bool count(rk_conduct *c, const rk_result_news *n)
{
    rk_outcome_note *note = &c->notes[n->unit];
    c->run->retries += n->retries;
    if (note->counted)
        return false;
    note->counted = true;
    c->run->finished += n->done;
    return true;
}

/* The coordinator alone knows whether the news are of what it said last. */
static bool is_awaited(const rk_conduct *c, uint32_t unit)
{
    return unit < c->run->plan->units && rk_coordinator_outcome(c->coordinator, unit) == RK_NOT_OVER;
}

static void hear_finished(rk_conduct *c, const rk_result_news *n)
{
    if (!is_awaited(c, n->unit))
        return;
    if (count(c, n) && c->units.told)
        rk_units_told(&c->units, n->unit);
    note_result(c, n->unit, n->size, n->blob);
    c->notes[n->unit].bytes = n->bytes;
    finished(c, n, n->bytes);
}

/* When the run keeps going, what depends on the unit is run all the same: tasks of it that need the missing result are skipped
 * there, others of the same unit are not. */
static void hear_unfinished(rk_conduct *c, const rk_result_news *n, bool failed)
{
    const rk_hand *hand = &c->hands[n->home];
    if (!is_awaited(c, n->unit))
        return;
    if (count(c, n) && c->units.told)
        rk_units_told(&c->units, n->unit);
    if (failed)
        fail_task(c, n->task, n->status, n->text);
    if (c->run->options.keep_going && !c->stopping_since) {
        miss(c, n->unit);
        finished(c, n, 0);
    } else {
        rk_coordinator_failed(c->coordinator, c->hub->now, hand->worker, hand->epoch, n->unit, n->attempt,
                              failed ? n->status : RASK_ECANCELLED, true);
    }
}

/* Nothing has become of it yet. */
static void hear_back_off(rk_conduct *c, uint32_t home, uint32_t unit, uint32_t attempt, uint32_t retries,
                          uint32_t tries, uint64_t rest_ns)
{
    const rk_hand *hand = &c->hands[home];
    c->run->retries += retries;
    if (!rk_coordinator_backs_off(c->coordinator, c->hub->now, hand->worker, hand->epoch, unit, attempt,
                                  rest_ns))
        return;
    c->notes[unit].tries = tries;
    rk_run_rest_until(c->run, unit, c->hub->now, rest_ns);
}

bool rk_conduct_is_lane(const rk_conduct *c, uint32_t home, uint32_t worker)
{
    const rk_hand *hand = &c->hands[home];
    uint32_t at = worker - hand->first;
    uint32_t lanes = hand->member && c->run->plan->io_tasks ? hand->member->lanes : 0;
    return at >= hand->threads && at - hand->threads < lanes;
}

/* What a task did; or its call has failed, and it rests until the next. */
static void relay(rk_conduct *c, uint32_t home, uint32_t task, rask_task_info told, bool rests)
{
    uint32_t unit = task < c->run->plan->tasks ? rk_plan_unit(c->run->plan, task) : RK_NO_UNIT;
    if (unit == RK_NO_UNIT || !c->units.told || c->units.told[unit] || !is_awaited(c, unit))
        return;
    rask_task_info info = rk_run_describe(c->run, task);
    info.message = told.message;
    info.attempt = told.attempt;
    info.status = told.status;
    info.worker = told.worker;
    info.lane = rk_conduct_is_lane(c, home, told.worker);
    info.bytes = told.bytes;
    info.bytes_in = told.bytes_in;
    info.start_ns = told.start_ns;
    info.end_ns = told.end_ns;
    if (rests)
        rk_run_relay_rest(c->run, &info);
    else
        rk_run_relay(c->run, &info);
}

/* -- From the own process */

static rask_bytes small_result(rk_conduct *c, const rk_shop_news *news, rk_pack_out *out)
{
    if (news->size > INLINE_BYTES || rk_shop_put_result(c->own, news->unit, out))
        return (rask_bytes){NULL, 0};
    return (rask_bytes){out->data, out->size};
}

static void hear_own_unit(rk_conduct *c, const rk_shop_news *news)
{
    rk_pack_out small = {0};
    rk_result_news n = {.unit = news->unit,
                        .attempt = news->attempt,
                        .task = news->task,
                        .status = news->status,
                        .done = news->done,
                        .retries = news->retries,
                        .bytes = news->bytes,
                        .size = news->size,
                        .duration = news->duration_ns,
                        .text = news->text ? news->text : rask_status_text(news->status)};
    for (uint32_t i = 0; i < news->told_count; i++) {
        rask_task_info told = news->told[i];
        told.message = told.status && told.task == news->task ? news->text : NULL;
        relay(c, 0, told.task, told, news->outcome == RK_SHOP_BACKS_OFF);
    }
    if (news->outcome == RK_SHOP_BACKS_OFF) {
        hear_back_off(c, 0, news->unit, news->attempt, news->retries, news->tries, news->rest_ns);
    } else if (news->outcome == RK_SHOP_FINISHED) {
        n.blob = small_result(c, news, &small);
        hear_finished(c, &n);
    } else {
        hear_unfinished(c, &n, news->outcome == RK_SHOP_FAILED);
    }
    rk_pack_out_fini(&small);
}

/* As workers say it. */
static void hear_own_permit(rk_conduct *c, const rk_permit_news *news)
{
    static const rk_said kinds[] = {[RK_PERMIT_WANTED] = RK_SAY_WANTS,
                                    [RK_PERMIT_AGAIN] = RK_SAY_WANTS,
                                    [RK_PERMIT_GIVEN] = RK_SAY_GAVE,
                                    [RK_PERMIT_RESTS] = RK_SAY_RESTS};
    const rk_message m = {
        .kind = kinds[news->kind],
        .unit = news->unit,
        .attempt = news->attempt,
        .size = news->number,
        .status = (uint32_t)news->priority,
        .flag = news->kind == RK_PERMIT_AGAIN,
        .blob = {(const char *)news->needs.of, news->needs.count * sizeof news->needs.of[0]}};
    if (news->kind != RK_PERMIT_NONE)
        rk_permits_hear(c, 0, &m);
}

static bool hear_own(rk_conduct *c)
{
    rk_permit_news permit;
    rk_shop_news news;
    rk_shop_heard heard;
    bool any = false;
    while ((heard = rk_shop_next(c->own, &permit, &news))) {
        any = true;
        if (heard == RK_SHOP_PERMIT) {
            hear_own_permit(c, &permit);
            continue;
        }
        rk_grown_tell_own(c);
        hear_own_unit(c, &news);
        rk_shop_news_end(&news);
    }
    return any;
}

/* -- From workers */

static uint32_t home_of(const rk_conduct *c, const rk_member *member)
{
    if (member->last_run == c->number)
        return member->last_home;
    for (uint32_t home = c->home_count; home-- > 1;)
        if (c->hands[home].member == member)
            return home;
    return 0;
}

static void note_turned_away(rk_conduct *c, const rk_member *member, int status)
{
    snprintf(c->turned_away, sizeof c->turned_away, "%s: %s", member->name,
             status == RASK_ELIMIT ? "there are as many workers as a run takes" : rask_status_text(status));
}

/* There are more than a run takes, or there is no memory for it: the run does without. */
static void turn_away(rk_conduct *c, rk_hand *hand, int status)
{
    hand->turned_away = true;
    note_turned_away(c, hand->member, status);
    rk_hub_say(c->hub, hand->member, &(rk_message){.kind = RK_SAY_END, .run = c->number});
}

/* lost: why it is; NULL: it came. */
static void tell_worker(rk_conduct *c, const rk_hand *hand, const rk_member *member, const char *lost)
{
    rk_run_worker_changed(c->run, &(rask_worker_info){.lost = lost != NULL,
                                                      .first = hand->first,
                                                      .count = hand->threads,
                                                      .host = member->name,
                                                      .reason = lost ? lost : "",
                                                      .numbers = hand->numbers});
}

static void join(rk_conduct *c, uint32_t home)
{
    rk_hand *hand = &c->hands[home];
    const rk_member *member = hand->member;
    rk_worker_offer offer = {.home = home, .slots = member->threads, .lanes = member->lanes};
    int status = rk_coordinator_home(c->coordinator, c->hub->now, home, member->memory);
    if (!status)
        status = rk_coordinator_joined(c->coordinator, c->hub->now, &offer, &hand->worker, &hand->epoch);
    if (status) {
        turn_away(c, hand, status);
        return;
    }
    hand->joined = true;
    c->homes[hand->worker] = home;
    tell_worker(c, hand, member, NULL);
    for (uint32_t unit = 0; unit < c->run->plan->units; unit++)
        if (c->notes[unit].missing)
            rk_conduct_order(c, home, (rk_message){.kind = RK_SAY_MISSING, .unit = unit});
    if (member->leaving)
        rk_coordinator_leaving(c->coordinator, c->hub->now, hand->worker, hand->epoch);
}

static void hear_unable(rk_conduct *c, const rk_member *member, const rk_message *m)
{
    char why[256], text[sizeof why + sizeof member->name + 32];
    rk_word_copy(why, sizeof why, m->text);
    snprintf(text, sizeof text, "the worker on %s cannot take part: %s", member->name, why);
    /* with RASK_ETASK the run would wait for its tasks to end, and there is none */
    give_up(c, m->status && m->status <= RASK_EDIED && m->status != RASK_ETASK ? (int)m->status : RASK_EDIED,
            text);
}

static uint64_t long_ago(const rk_conduct *c, uint64_t age)
{
    return c->hub->now > age ? c->hub->now - age : 1;
}

/* A task that goes on. */
static void begun(rk_conduct *c, uint32_t home, uint32_t task, uint32_t worker, uint64_t since_ns)
{
    uint32_t unit = task < c->run->plan->tasks ? rk_plan_unit(c->run->plan, task) : RK_NO_UNIT;
    if (unit != RK_NO_UNIT && c->units.told && !c->units.told[unit] && is_awaited(c, unit))
        rk_run_begun(c->run, task, worker, rk_conduct_is_lane(c, home, worker), since_ns);
}

static void own_begun(void *context, uint32_t task, uint32_t worker, uint64_t since_ns)
{
    begun(context, 0, task, worker, since_ns);
}

static void hear_told(rk_conduct *c, uint32_t home, const rk_message *m)
{
    char text[RK_MAX_MESSAGE + 1];
    uint64_t end = long_ago(c, m->age);
    rk_word_copy(text, sizeof text, m->text);
    if (m->task < c->run->plan->tasks)
        relay(c, home, m->task,
              (rask_task_info){.attempt = m->attempt,
                               .status = (int)m->status,
                               .worker = m->worker,
                               .bytes = m->bytes,
                               .bytes_in = m->size,
                               .start_ns = end > m->duration ? end - m->duration : 1,
                               .end_ns = end,
                               .message = m->text.len ? text : NULL},
              m->flag);
}

static bool is_of_unit(const rk_conduct *c, uint32_t unit, uint32_t task)
{
    const uint32_t *start = c->run->plan->unit_start;
    return task >= start[unit] && task < start[unit + 1];
}

static void hear_result(rk_conduct *c, uint32_t home, const rk_message *m)
{
    char text[RK_MAX_MESSAGE + 1];
    const uint32_t *start = c->run->plan->unit_start + m->unit;
    uint32_t tasks = start[1] - start[0];
    rk_result_news n = {.home = home,
                        .unit = m->unit,
                        .attempt = m->attempt,
                        .task = is_of_unit(c, m->unit, m->task) ? m->task : rk_units_last(&c->units, m->unit),
                        .status = m->status ? (int)m->status : RASK_ETASK,
                        .done = m->done < tasks ? m->done : tasks,
                        .retries = m->retries,
                        .bytes = m->bytes,
                        .size = m->size,
                        .duration = m->duration,
                        .blob = m->blob,
                        .text = text};
    rk_word_copy(text, sizeof text, m->text);
    if (m->kind == RK_SAY_FINISHED)
        hear_finished(c, &n);
    else
        hear_unfinished(c, &n, m->kind == RK_SAY_FAILED);
}

static void hear_moved(rk_conduct *c, uint32_t home, const rk_message *m)
{
    if (!rk_detour_ended(c, m->attempt) && m->status == RASK_EIO)
        rk_detour_doubt(c, home, m->unit, m->attempt);
    else
        rk_transfer_ended(c, home, m->unit, m->attempt, (int)m->status, m->bytes, m->duration);
}

/* For what status tells: it is through with a unit. */
static void answered(rk_conduct *c, uint32_t home, uint32_t done)
{
    rk_hand *hand = &c->hands[home];
    hand->under_way -= hand->under_way > 0;
    hand->member->done += done;
}

static void hear_of_unit(rk_conduct *c, uint32_t home, const rk_message *m)
{
    const rk_hand *hand = &c->hands[home];
    rk_coordinator *to = c->coordinator;
    uint64_t now = c->hub->now;
    int status = (int)m->status;
    switch (m->kind) {
    case RK_SAY_FINISHED:
    case RK_SAY_FAILED:
    case RK_SAY_SKIPPED:
        answered(c, home, m->done);
        hear_result(c, home, m);
        break;
    case RK_SAY_BACKS_OFF:
        answered(c, home, 0);
        hear_back_off(c, home, m->unit, m->attempt, m->retries, m->done, m->duration);
        break;
    case RK_SAY_RECALLED:
        if (m->flag)
            answered(c, home, 0);
        rk_coordinator_recalled(to, now, hand->worker, hand->epoch, m->unit, m->attempt, m->flag);
        break;
    case RK_SAY_RENEWED:
        rk_coordinator_renewed(to, now, hand->worker, hand->epoch, m->unit, m->attempt);
        break;
    case RK_SAY_FETCHED: hear_moved(c, home, m); break;
    case RK_SAY_SPILLED: rk_coordinator_spilled(to, now, home, m->unit, m->attempt, status, m->bytes); break;
    case RK_SAY_LOADED: rk_coordinator_loaded(to, now, home, m->unit, m->attempt, status); break;
    case RK_SAY_WANTS:
    case RK_SAY_GAVE:
    case RK_SAY_RESTS: rk_permits_hear(c, home, m); break;
    default: break;
    }
}

void rk_conduct_hear(rk_conduct *c, rk_member *member, const rk_message *m)
{
    uint32_t home = home_of(c, member);
    if (!home)
        return;
    if (c->ended)
        rk_exchange_hear(c, home, m);
    else if (m->kind == RK_SAY_READY && !c->hands[home].joined && !c->hands[home].turned_away)
        join(c, home);
    else if (m->kind == RK_SAY_UNABLE)
        hear_unable(c, member, m);
    else if (m->kind == RK_SAY_TOLD)
        hear_told(c, home, m);
    else if (m->kind == RK_SAY_TOLD_GROWN)
        rk_grown_hear(c, home, m);
    else if (m->kind == RK_SAY_BEGUN)
        begun(c, home, m->task, m->worker, long_ago(c, m->age));
    else if (c->hands[home].joined && !rk_exchange_hear(c, home, m) && m->unit < c->run->plan->units)
        hear_of_unit(c, home, m);
}

void rk_conduct_refused(rk_conduct *c)
{
    if (c->refusals >= MOST_REFUSALS_TOLD || !strcmp(c->refused, c->hub->refused))
        return;
    c->refusals++;
    snprintf(c->refused, sizeof c->refused, "%s", c->hub->refused);
    rk_run_worker_refused(c->run, c->refused);
}

/* Its threads, its lanes, and helpers: each thread may have a second one for what grows (helpers.h). */
static uint32_t count_numbers(const rk_conduct *c, const rk_member *member)
{
    return 2 * member->threads + (c->run->plan->io_tasks ? member->lanes : 0);
}

void rk_conduct_admit(rk_conduct *c, rk_member *member)
{
    if (c->home_count == RK_CONDUCT_HOMES)
        note_turned_away(c, member, RASK_ELIMIT);
    if (c->home_count == RK_CONDUCT_HOMES || c->ended)
        return;
    uint32_t home = c->home_count++;
    c->hands[home] = (rk_hand){.member = member,
                               .first = c->next_worker,
                               .threads = member->threads,
                               .numbers = count_numbers(c, member)};
    c->hands[home].transfers = rk_transfers_none();
    member->last_run = c->number;
    member->last_home = home;
    rk_conduct_order(c, home,
                     (rk_message){.kind = RK_SAY_BEGIN,
                                  .size = c->plan.size,
                                  .worker = c->next_worker,
                                  .flag = c->run->observed,
                                  .text = rk_word(c->run->options.limits ? c->run->options.limits : "")});
    c->next_worker += c->hands[home].numbers;
}

void rk_conduct_leaving(rk_conduct *c, const rk_member *member)
{
    uint32_t home = home_of(c, member);
    const rk_hand *hand = &c->hands[home];
    if (home && hand->joined && !c->ended)
        rk_coordinator_leaving(c->coordinator, c->hub->now, hand->worker, hand->epoch);
}

bool rk_conduct_spares(const rk_conduct *c, const rk_member *member)
{
    uint32_t home = home_of(c, member);
    if (!home || !c->hands[home].joined || c->ended)
        return true;
    rk_home_figures figures = rk_coordinator_get_home(c->coordinator, home);
    return c->hands[home].retired && figures.empty && !c->hands[home].dealings.borrowed;
}

/* One that was asked to leave has not died of what it was running: the culprit is then a number that no unit has. */
void rk_conduct_lost(rk_conduct *c, const rk_member *member, const char *why)
{
    uint32_t home = home_of(c, member), culprit = member->leaving ? c->run->plan->units : RK_NO_TASK;
    rk_hand *hand = &c->hands[home];
    if (!home)
        return;
    c->lost += !member->leaving && !hand->turned_away;
    if (!member->leaving)
        snprintf(c->last_words, sizeof c->last_words, "on %s: %.100s", member->name, why);
    if (hand->joined && !c->ended)
        rk_coordinator_lost(c->coordinator, c->hub->now, hand->worker, hand->epoch, culprit, true);
    if (!c->ended)
        rk_permits_lose(c, home);
    rk_exchange_lose(c, home);
    rk_detours_settle(c);
    hand->member = NULL;
    if (hand->joined && !c->ended)
        tell_worker(c, hand, member, why);
    hand->joined = false;
}

const void *rk_conduct_object(rk_conduct *c, uint32_t unit, uint64_t begin, uint64_t size, uint64_t *total)
{
    const char *bytes = unit == RK_NO_UNIT ? c->plan.data : rk_detour_object(c, unit, total);
    if (!bytes)
        return rk_shop_object(c->own, unit, begin, size, total);
    if (unit == RK_NO_UNIT)
        *total = c->plan.size;
    return begin > *total || size > *total - begin ? NULL : bytes + begin;
}

/* -- What the coordinator says */

static void take_small(rk_conduct *c, uint32_t unit, uint32_t attempt)
{
    char message[RK_MAX_MESSAGE + 1];
    uint64_t bytes = 0;
    const rk_outcome_note *note = &c->notes[unit];
    int status = rk_shop_take(c->own, unit, note->inlined, note->size, &bytes, message, sizeof message);
    rk_transfer_ended(c, 0, unit, attempt, status, bytes, 0);
}

static void adopt(rk_conduct *c, rk_fetch *f)
{
    char message[RK_MAX_MESSAGE + 1];
    uint64_t bytes = 0;
    int status = rk_shop_adopt(c->own, f->unit, &f->into, f->size, &bytes, message, sizeof message);
    rk_transfer_ended(c, 0, f->unit, f->attempt, status, bytes, rk_clock_now() - f->began_ns);
}

void rk_conduct_pulled(rk_conduct *c, rk_fetch *f)
{
    if (c->ended || f->unit >= c->run->plan->units || rk_detour_pulled(c, f))
        return;
    if (f->status == RASK_EIO)
        rk_detour_doubt(c, 0, f->unit, f->attempt);
    else if (f->status)
        rk_transfer_ended(c, 0, f->unit, f->attempt, f->status, 0, 0);
    else
        adopt(c, f);
}

static void fetch_small(rk_conduct *c, const rk_instruction *in)
{
    const rk_outcome_note *note = &c->notes[in->task];
    rk_message m = about(RK_SAY_PUT, in);
    m.blob = (rask_bytes){note->inlined, note->size};
    if (in->home)
        rk_conduct_order(c, in->home, m);
    else
        take_small(c, in->task, in->attempt);
}

static void fetch(rk_conduct *c, const rk_instruction *in)
{
    const rk_outcome_note *note = &c->notes[in->task];
    bool lost = in->from == RK_NO_HOME;
    const rk_member *source = lost ? NULL : c->hands[in->from].member;
    rk_message m = about(RK_SAY_FETCH, in);
    int status = RASK_OK;
    if (!lost)
        rk_transfer_begun(c, in);
    if (note->inlined) {
        c->notes[in->task].copies++;
        fetch_small(c, in);
        return;
    }
    if (source && rk_detour_takes(c, in->home, in->from, in->task, in->attempt))
        return;
    m.size = note->size;
    if (in->from && source)
        m.contact = rk_word(source->contact);
    if (in->home && !lost && (!in->from || source))
        rk_conduct_order(c, in->home, m);
    else if (source)
        status = rk_fetches_add(&c->hub->fetches, source->peer, c->number, in->task, in->attempt, note->size);
    else
        status = RASK_EIO;
    if (status)
        rk_transfer_ended(c, in->home, in->task, in->attempt, status, 0, 0);
}

static void move(rk_conduct *c, const rk_instruction *in, bool back)
{
    uint64_t bytes = 0;
    if (in->home) {
        rk_conduct_order(c, in->home, about(back ? RK_SAY_LOAD : RK_SAY_SPILL, in));
        return;
    }
    int status = back ? rk_shop_load(c->own, in->task) : rk_shop_spill(c->own, in->task, &bytes);
    if (back)
        rk_coordinator_loaded(c->coordinator, c->hub->now, 0, in->task, in->attempt, status);
    else
        rk_coordinator_spilled(c->coordinator, c->hub->now, 0, in->task, in->attempt, status, bytes);
}

static void drop(rk_conduct *c, const rk_instruction *in)
{
    forget_copy(c, in->task);
    if (in->home)
        rk_conduct_order(c, in->home, about(RK_SAY_DROP, in));
    else if (!c->notes[in->task].missing)
        rk_shop_drop(c->own, in->task);
}

/* A small result that was lost with its worker is still here: it is put there instead of being made again. */
static bool has_been_run(rk_conduct *c, const rk_instruction *in)
{
    const rk_outcome_note *note = &c->notes[in->task];
    char message[RK_MAX_MESSAGE + 1];
    uint32_t home = c->homes[in->worker];
    uint64_t bytes = note->bytes;
    rk_message m = about(RK_SAY_PUT, in);
    if (!note->inlined)
        return false;
    m.blob = (rask_bytes){note->inlined, note->size};
    if (home)
        rk_conduct_order(c, home, m);
    else if (rk_shop_take(c->own, in->task, note->inlined, note->size, &bytes, message, sizeof message))
        return false;
    c->notes[in->task].copies++;
    rk_coordinator_finished(c->coordinator, c->hub->now, in->worker, in->epoch, in->task, in->attempt, bytes,
                            0);
    return true;
}

/* Calls of the unit's first task before. A call that its worker was ended with is one of those that are repeated. */
static uint32_t tries_of(rk_conduct *c, const rk_instruction *in)
{
    rk_outcome_note *note = &c->notes[in->task];
    if (!rk_run_backoff(c->run, c->run->plan->unit_start[in->task]))
        return 0;
    if (!in->tries) /* it begins, or begins anew */
        note->tries = 0;
    else if (note->tries < in->tries)
        note->tries = in->tries;
    return note->tries;
}

static void run(rk_conduct *c, const rk_instruction *in)
{
    uint32_t home = c->homes[in->worker];
    rk_message m = about(RK_SAY_RUN, in);
    if (has_been_run(c, in))
        return;
    m.retries = tries_of(c, in);
    if (home) {
        rk_conduct_order(c, home, m);
        c->hands[home].under_way++;
        return;
    }
    int status = rk_shop_run(c->own, in->task, in->attempt, m.retries);
    if (!status)
        return;
    fail_task(c, rk_units_last(&c->units, in->task), status, "no memory to queue it");
    rk_coordinator_failed(c->coordinator, c->hub->now, in->worker, in->epoch, in->task, in->attempt, status,
                          true);
}

static void recall(rk_conduct *c, const rk_instruction *in)
{
    uint32_t home = c->homes[in->worker];
    if (home)
        rk_conduct_order(c, home, about(RK_SAY_RECALL, in));
    else
        rk_coordinator_recalled(c->coordinator, c->hub->now, in->worker, in->epoch, in->task, in->attempt,
                                rk_shop_recall(c->own, in->task));
}

static void blame(rk_conduct *c, const rk_instruction *in)
{
    char text[RK_MAX_MESSAGE + 1];
    uint32_t task;
    int status =
        rk_units_blame(&c->units, in, c->last_words, rk_shop_disk_message(c->own), &task, text, sizeof text);
    fail_task(c, task, status, text);
    rk_units_tell_failed(&c->units, in->task);
}

static void kill(rk_conduct *c, const rk_instruction *in)
{
    rk_member *member = c->hands[c->homes[in->worker]].member;
    if (member)
        rk_hub_kill(c->hub, member);
}

/* The report counts threads of the workers that are there in the end. */
static void end_run(rk_conduct *c, int status)
{
    uint32_t threads = 0;
    for (uint32_t home = 1; home < c->home_count; home++)
        if (c->hands[home].joined)
            threads += c->hands[home].member->threads;
    c->run->info.workers = threads;
    c->ended = true;
    c->ended_since = c->hub->now;
    c->end_status = status;
}

static void obey(rk_conduct *c, const rk_instruction *in)
{
    switch (in->kind) {
    case RK_DO_RUN: run(c, in); break;
    case RK_DO_RECALL: recall(c, in); break;
    case RK_DO_FETCH: fetch(c, in); break;
    case RK_DO_SPILL: move(c, in, false); break;
    case RK_DO_LOAD: move(c, in, true); break;
    case RK_DO_DROP: drop(c, in); break;
    case RK_DO_KILL: kill(c, in); break;
    case RK_DO_BLAME: blame(c, in); break;
    case RK_DO_RETIRE: c->hands[c->homes[in->worker]].retired = true; break;
    case RK_DO_END: end_run(c, in->status); break;
    case RK_DO_GRANT: /* nobody asks for memory, */
    case RK_DO_REFUSE:
    case RK_DO_DONE: /* and nothing is added to a plan that runs */
    case RK_DO_FORGET: break;
    }
}

/* -- Turns */

/* Tasks that do not see that the run is being stopped end with their workers. */
static void end_stubborn(rk_conduct *c)
{
    if (!c->stopping_since || c->hub->now - c->stopping_since < STOP_GRACE_NS)
        return;
    for (uint32_t home = 1; home < c->home_count; home++)
        if (c->hands[home].joined)
            rk_hub_kill(c->hub, c->hands[home].member);
}

/* Of a run that never had a worker: to others, who has none of the keys does no harm. */
static bool waits_in_vain(rk_conduct *c)
{
    uint64_t mistaken = c->hub->mistaken_ns;
    if (c->home_count > 1 || !mistaken || mistaken + MISTAKEN_NS < c->lonely_since)
        return false;
    if (!c->mistaken_since)
        c->mistaken_since = mistaken > c->lonely_since ? mistaken : c->lonely_since;
    return c->hub->now - c->mistaken_since >= MISTAKEN_NS;
}

static bool is_lonely(const rk_conduct *c)
{
    for (uint32_t home = 1; home < c->home_count; home++)
        if (c->hands[home].member && !c->hands[home].turned_away)
            return false;
    return true;
}

/* Nobody has come, and there are ranks of the same job that do not come to this address. */
static void tell_of_ranks(const rk_conduct *c, char *text, size_t capacity)
{
    uint32_t ranks = rk_launch_elsewhere(c->hub->address);
    if (ranks)
        snprintf(text, capacity,
                 "; %u more %s started with this program, and %s its workers where no address is named, or "
                 "with RASK_TRANSPORT=tcp at RASK_CLUSTER",
                 ranks, ranks == 1 ? "was" : "were", ranks == 1 ? "is" : "are");
}

/* What became of those that had come. */
static void tell_of_those_before(const rk_conduct *c, char *text, size_t capacity)
{
    uint32_t came = 0;
    for (uint32_t home = 1; home < c->home_count; home++)
        came += !c->hands[home].turned_away;
    int len = came ? snprintf(text, capacity, "; of %u that had come %u %s lost", came, c->lost,
                              c->lost == 1 ? "was" : "were")
                   : 0;
    if (c->lost)
        snprintf(text + len, capacity - (size_t)len, ", the last %s", c->last_words);
}

static void tell_how_they_come(const rk_conduct *c, char *text, size_t capacity)
{
    if (rk_worker_may_be())
        snprintf(text, capacity, ": RASK_WORKER_OF=%.200s makes a worker of this program", c->hub->address);
    else
        snprintf(
            text, capacity,
            ": workers are processes of this program whose main() begins with rask_cluster_init(), and this "
            "one's does not; of rask: rask worker");
}

void rk_conduct_say_lonely(const rk_conduct *c, char *text, size_t capacity)
{
    int len =
        snprintf(text, capacity, "no %sworker has come to %.200s for %u seconds", c->lost ? "other " : "",
                 c->hub->address, (unsigned)((c->hub->now - c->lonely_since) / 1000000000));
    if (*c->hub->refused)
        snprintf(text + len, capacity - (size_t)len, "; the last that came was refused: %s", c->hub->refused);
    else if (*c->turned_away)
        snprintf(text + len, capacity - (size_t)len, "; the last that came was not taken, %s",
                 c->turned_away);
    else if (c->home_count > 1)
        tell_of_those_before(c, text + len, capacity - (size_t)len);
    else if (!rk_launch_elsewhere(c->hub->address))
        tell_how_they_come(c, text + len, capacity - (size_t)len);
    if (c->home_count == 1)
        tell_of_ranks(c, text + strlen(text), capacity - strlen(text));
}

/* Nobody comes. */
static void watch_loneliness(rk_conduct *c)
{
    char text[RK_MAX_MESSAGE + 1];
    bool lonely = is_lonely(c);
    if (!lonely || !c->lonely_since)
        c->lonely_since = c->hub->now;
    if (!lonely || (c->hub->now - c->lonely_since < LONELY_NS && !waits_in_vain(c)))
        return;
    rk_conduct_say_lonely(c, text, sizeof text);
    give_up(c, c->home_count > 1 ? RASK_EDIED : RASK_EIO, text);
}

static void look_around(rk_conduct *c)
{
    c->looked_at = c->hub->now;
    watch_loneliness(c);
    rk_detours_settle(c);
    if (c->run->finished + c->run->failed < c->run->plan->tasks)
        rk_run_must_stop(c->run);
    uint32_t status = rk_load_relaxed(&c->run->env.stop);
    if (status && status != RASK_ETASK)
        stop(c, (int)status);
    end_stubborn(c);
    rk_shop_begun(c->own, own_begun, c);
    rk_grown_tell_own(c);
    rk_grown_tell_own_begun(c);
}

/* What was lent and nobody needs any more is told to end. */
static void await_loans(rk_conduct *c)
{
    if (c->hub->now - c->ended_since >= STOP_GRACE_NS)
        rk_exchange_kill(c);
}

bool rk_conduct_is_through(const rk_conduct *c)
{
    return c->ended && !c->exchange.live;
}

bool rk_conduct_turn(rk_conduct *c)
{
    rk_instruction in;
    if (c->ended) {
        await_loans(c);
        return false;
    }
    bool any = hear_own(c);
    if (c->hub->now - c->looked_at >= LOOK_NS)
        look_around(c);
    if (rk_coordinator_wants_tick(c->coordinator) <= c->hub->now)
        rk_coordinator_tick(c->coordinator, c->hub->now);
    rk_permits_balance(c);
    while (!c->ended && rk_coordinator_next(c->coordinator, &in)) {
        obey(c, &in);
        any = true;
    }
    rk_exchange_balance(c);
    return any;
}

uint64_t rk_conduct_patience(const rk_conduct *c)
{
    uint64_t tick = rk_coordinator_wants_tick(c->coordinator), now = c->hub->now;
    return tick <= now ? 0 : tick - now < LOOK_NS ? tick - now : LOOK_NS;
}
