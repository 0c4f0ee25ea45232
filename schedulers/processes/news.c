/* What workers tell, and what the mover has done: to the coordinator, the run and its observers. */
#include "schedulers/processes/away.h"
#include "schedulers/told.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bytes that results and running tasks take, as the coordinator counts them. */
static uint64_t bytes_used(const rk_hands *h)
{
    rk_home_figures home = rk_coordinator_get_home(h->coordinator, 0);
    return home.live + home.reserved;
}

/* Workers know what their tasks did, and nothing of the memory of all together. Of one that is run again they tell what rests. */
static void relay_story(rk_hands *h, const rk_news *news)
{
    const rk_story *story = (const rk_story *)(uintptr_t)news->story;
    bool rests = news->kind == RK_NEWS_BACKS_OFF;
    for (uint32_t i = 0; story && i < story->count; i++) {
        rask_task_info info = story->told[i];
        info.live_bytes = bytes_used(h);
        info.spilled_bytes = rk_load_relaxed(&h->mover.on_disk);
        if (info.status && (rests || news->kind == RK_NEWS_FAILED) && info.task == news->task)
            info.message = (const char *)(uintptr_t)news->text;
        if (rests)
            rk_run_relay_rest(h->run, &info);
        else
            rk_run_relay(h->run, &info);
    }
    rk_result_free_note(h, news->story);
}

/* Reads what a seat is at, which may be another task by now: one that began no later than it was looked at. */
static void tell_begun(rk_hands *h, uint32_t worker, uint32_t seat)
{
    const rk_mailbox *box = h->staff[worker].posts[seat].box;
    uint32_t task = rk_load_acquire(&box->task);
    uint64_t since = rk_load_relaxed(&box->task_ns);
    if (task && task <= h->run->plan->tasks && rk_load_acquire(&box->task) == task)
        rk_run_begun(h->run, task - 1, rk_crew_seat_number(&h->crew, worker, seat),
                     rk_crew_is_lane(&h->crew, worker, seat), since);
}

void rk_hands_tell_begun(rk_hands *h)
{
    for (uint32_t i = 0; i < h->staff_count && h->run->observed; i++)
        for (uint32_t k = 0; k < h->staff[i].post_count; k++)
            tell_begun(h, i, k);
}

/* Once a unit, however often it is run. */
static void tell_observers(rk_hands *h, const rk_news *news)
{
    if (!h->run->observed || !news->story)
        return;
    if (rk_coordinator_outcome(h->coordinator, news->unit) != RK_NOT_OVER) {
        rk_result_free_note(h, news->story);
        return;
    }
    relay_story(h, news);
    rk_units_told(&h->units, news->unit);
}

void rk_hands_tell_part(rk_hands *h, const rk_news *news)
{
    if (h->run->observed && news->story)
        relay_story(h, news);
}

void rk_hands_fail(rk_hands *h, uint32_t task, int status, const char *message)
{
    rk_run_fail(h->run, task, status, message);
    if (!h->run->options.keep_going)
        rk_store_relaxed(&h->crew.board->stop.cancelled, true);
}

static int accept(rk_hands *h, const rk_news *news, uint64_t *bytes)
{
    int status = rk_result_accept(h, news->unit, news, bytes);
    if (!status)
        return status;
    rk_hands_fail(h, rk_units_last(&h->units, news->unit), status, "no memory for a note of its result");
    h->run->finished--;
    return status;
}

static void finish(rk_hands *h, rk_staff *staff, const rk_news *news, uint32_t attempt)
{
    uint64_t bytes;
    int status = accept(h, news, &bytes);
    if (status)
        rk_coordinator_failed(h->coordinator, h->now, staff->number, staff->epoch, news->unit, attempt,
                              status, true);
    else
        rk_coordinator_finished(h->coordinator, h->now, staff->number, staff->epoch, news->unit, attempt,
                                bytes, news->duration_ns);
}

/* When the run keeps going, what depends on the unit is run all the same: tasks of it that need the missing result
 * are skipped there, others of the same unit are not. */
static void hear_unfinished(rk_hands *h, rk_staff *staff, const rk_news *news, const rk_posted *posted)
{
    char refused[RK_MAX_MESSAGE + 1];
    const char *text = news->text ? (const char *)(uintptr_t)news->text : rask_status_text(news->status);
    uint32_t attempt = posted->attempt;
    if (posted->refused)
        rk_hands_say_refused(h, posted, refused, sizeof refused);
    if (news->kind == RK_NEWS_FAILED)
        rk_hands_fail(h, news->task, news->status, posted->refused ? refused : text);
    rk_result_free_note(h, news->text);
    if (h->run->options.keep_going && !h->stopping_since)
        finish(h, staff, news, attempt);
    else
        rk_coordinator_failed(h->coordinator, h->now, staff->number, staff->epoch, news->unit, attempt,
                              news->kind == RK_NEWS_FAILED ? news->status : RASK_ECANCELLED, true);
}

/* Functions of programs return what they like: what is no status, or is one of runs that were stopped, says nothing. */
static int status_of_set_up(int returned)
{
    bool known = strcmp(rask_status_name(returned), "RASK_E?") != 0;
    return known && returned != RASK_ECANCELLED && returned != RASK_ETIMEDOUT ? returned : RASK_ESYSTEM;
}

/* A worker is set up, or could not be. */
static void hear_of_worker(rk_hands *h, rk_staff *staff, const rk_news *news)
{
    if (news->kind == RK_NEWS_READY) {
        staff->ready = true;
        staff->up_since = h->now;
        return;
    }
    const char *text = news->text ? (const char *)(uintptr_t)news->text : "out of memory";
    snprintf(h->run->reason, sizeof h->run->reason, "processes: worker %u: %s", (unsigned)(staff - h->staff),
             text);
    rk_run_stop(h->run, status_of_set_up(news->status));
}

/* A unit gave up because it was given no more memory: for now, and it runs again; or it never will be. True: that was
 * all. */
static bool hear_given_up(rk_hands *h, const rk_staff *staff, rk_news *news, const rk_posted *posted)
{
    if (!posted->refused) {
        rk_result_free_note(h, news->text);
        rk_coordinator_recalled(h->coordinator, h->now, staff->number, staff->epoch, news->unit,
                                posted->attempt, true);
        return true;
    }
    news->kind = RK_NEWS_FAILED;
    news->status = posted->refused;
    return false;
}

void rk_hands_conclude(rk_hands *h, rk_staff *staff, rk_news *news, const rk_posted *posted)
{
    if (news->kind == RK_NEWS_GIVEN_UP && hear_given_up(h, staff, news, posted))
        return;
    if (rk_coordinator_outcome(h->coordinator, news->unit) == RK_NOT_OVER)
        h->run->finished += news->finished;
    h->run->retries += news->retries;
    tell_observers(h, news);
    if (news->kept)
        rk_result_pin_arguments(h, news->unit);
    if (news->kind == RK_NEWS_FINISHED)
        finish(h, staff, news, posted->attempt);
    else
        hear_unfinished(h, staff, news, posted);
    rk_away_over(h, news->unit);
}

/* Nothing has become of it yet. */
static void hear_back_off(rk_hands *h, const rk_staff *staff, const rk_news *news, const rk_posted *posted)
{
    h->run->retries += news->retries;
    if (rk_coordinator_outcome(h->coordinator, news->unit) == RK_NOT_OVER)
        relay_story(h, news);
    else
        rk_result_free_note(h, news->story);
    rk_result_free_note(h, news->text);
    if (news->kept)
        rk_result_pin_arguments(h, news->unit);
    if (!rk_coordinator_backs_off(h->coordinator, h->now, staff->number, staff->epoch, news->unit,
                                  posted->attempt, news->rest_ns))
        return;
    rk_store_relaxed(&h->crew.tries[news->unit], news->tries);
    rk_run_rest_until(h->run, news->unit, h->now, news->rest_ns);
}

/* True: it has come to nodes, which others run. */
static bool hear_grown(rk_hands *h, const rk_staff *staff, rk_news *news, const rk_posted *posted)
{
    int status = rk_away_take(h, staff, news, posted);
    if (!status)
        return true;
    news->kind = RK_NEWS_FAILED;
    news->status = status;
    news->finished--;
    news->parcel = 0;
    news->result = (rask_value){.reserved = 1};
    return false;
}

static void hear(rk_hands *h, rk_staff *staff, rk_post *post, rk_news *news)
{
    rk_posted posted;
    if (news->unit == RK_NO_UNIT) {
        hear_of_worker(h, staff, news);
        return;
    }
    if (news->unit >= h->run->plan->units || !rk_post_answered(post, news->unit, &posted))
        return;
    if (news->kind == RK_NEWS_BACKS_OFF)
        hear_back_off(h, staff, news, &posted);
    else if (news->kind != RK_NEWS_GROWN || !hear_grown(h, staff, news, &posted))
        rk_hands_conclude(h, staff, news, &posted);
}

static bool hear_question(rk_hands *h, const rk_staff *staff, rk_post *post)
{
    const rk_posted *posted = rk_post_asking(post);
    if (posted)
        rk_coordinator_asked(h->coordinator, h->now, staff->number, staff->epoch, posted->unit,
                             posted->attempt, posted->wanted);
    return posted;
}

bool rk_hands_hear(rk_hands *h, rk_staff *staff)
{
    rk_news news;
    bool heard = false;
    for (uint32_t i = 0; i < staff->post_count; i++) {
        while (rk_mailbox_read(staff->posts[i].box, &news)) {
            hear(h, staff, &staff->posts[i], &news);
            heard = true;
        }
        heard |= hear_question(h, staff, &staff->posts[i]);
    }
    if (heard)
        rk_staff_send(h, staff);
    return heard;
}

static void tell_move(rk_hands *h, const rk_move *move)
{
    rask_move_info info = {.run = h->run->info.run,
                           .move = move->back ? RASK_MOVE_READ_BACK : RASK_MOVE_SPILLED,
                           .task = rk_units_last(&h->units, move->unit),
                           .status = move->status,
                           .start_ns = move->start_ns,
                           .end_ns = move->end_ns,
                           .bytes = move->bytes,
                           .live_bytes = bytes_used(h),
                           .spilled_bytes = rk_load_relaxed(&h->mover.on_disk)};
    rk_run_moved(h->run, &info);
}

bool rk_hands_hear_all(rk_hands *h)
{
    bool heard = false;
    rk_move *move;
    for (uint32_t i = 0; i < h->staff_count; i++)
        heard |= rk_hands_hear(h, &h->staff[i]);
    heard |= rk_away_hear(h);
    while (h->mover.started && (move = rk_mover_next_done(&h->mover))) {
        uint64_t bytes = rk_result_moved(h, move);
        if (move->back)
            rk_coordinator_loaded(h->coordinator, h->now, 0, move->unit, move->attempt, move->status);
        else
            rk_coordinator_spilled(h->coordinator, h->now, 0, move->unit, move->attempt, move->status, bytes);
        rk_result_tell_alone(h);
        if (h->run->observed)
            tell_move(h, move);
        rk_free(move);
        heard = true;
    }
    return heard;
}
