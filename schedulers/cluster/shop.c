#include "core/base/clock.h"
#include "schedulers/cluster/shop_parts.h"
#include "schedulers/futures/executor.h"
#include "schedulers/growth.h"

#include <string.h>

enum { LONG_UNIT_NS = 20000, MOST_UNHEARD = 32, BEGUN_NS = 20000000 };

_Thread_local rk_shop_seat *rk_shop_sitting;

/* -- Seats */

static void note_start(void *context, const rask_task_info *info)
{
    if (info->task == RASK_NO_TASK) {
        rk_shop_note_grown_start(context, info);
        return;
    }
    rk_store_relaxed(&rk_shop_sitting->task_ns, info->start_ns);
    rk_store_release(&rk_shop_sitting->task, info->task + 1);
}

static void note_story(const rask_task_info *info)
{
    rask_task_info *told = rk_array_push(&rk_shop_sitting->told);
    if (told) {
        *told = *info;
        told->message = NULL; /* the seat's own */
    }
}

static void note_rest(void *context, const rask_task_info *info)
{
    if (info->task == RASK_NO_TASK)
        rk_shop_note_grown(context, info, RK_GROWN_RESTS);
    else
        note_story(info);
}

static void note(void *context, const rask_task_info *info)
{
    if (info->task == RASK_NO_TASK)
        rk_shop_note_grown(context, info, RK_GROWN_ENDED);
    else
        note_story(info);
}

static void give_story(rk_shop_seat *s, rk_shop_news *news)
{
    size_t count = s->told.count;
    s->told.count = 0;
    news->told = count ? rk_alloc_array(count, sizeof *news->told) : NULL;
    if (!news->told)
        return;
    memcpy(news->told, s->told.data, count * sizeof *news->told);
    news->told_count = (uint32_t)count;
}

static void fail(rk_shop_news *news, uint32_t task, int status, const char *text)
{
    news->outcome = RK_SHOP_FAILED;
    news->task = task;
    news->status = status;
    news->text = rk_strndup(text, strlen(text));
}

/* The result stays until it is dropped: no task is the last to take it. */
static void keep_result(rk_shop_seat *s, rk_shop_news *news, uint32_t unit, uint32_t last)
{
    rk_shop *shop = s->shop;
    rask_value *value = &shop->run.results[last];
    int status = rk_shop_measure(shop, unit, s->worker.message, sizeof s->worker.message);
    if (status) {
        rask_value_unref(value);
        news->done--;
        fail(news, last, status, s->worker.message);
        return;
    }
    rk_store_relaxed(&shop->run.uses[last], UINT32_MAX / 2);
    news->bytes = rask_value_size(value);
    news->size = shop->forms[unit].size;
}

static void judge(rk_shop_seat *s, rk_shop_news *news, uint32_t unit)
{
    rk_run *run = &s->shop->run;
    rk_failure failure;
    uint32_t last = rk_shop_last(s->shop, unit);
    const rask_value *value = &run->results[last];
    if (value->type != RASK_NONE || !value->reserved) {
        keep_result(s, news, unit, last);
    } else if (rk_run_take_failure(run, s->shop->plan->unit_start[unit], last + 1, &failure)) {
        news->outcome = RK_SHOP_FAILED;
        news->task = failure.task;
        news->status = failure.status;
        news->text = failure.message;
    } else {
        news->outcome = RK_SHOP_SKIPPED;
    }
    if (news->outcome != RK_SHOP_FINISHED)
        run->results[last] = (rask_value){.reserved = 1};
}

static void back_off(const rk_shop_seat *s, rk_shop_news *news)
{
    news->outcome = RK_SHOP_BACKS_OFF;
    news->task = s->shop->plan->unit_start[news->unit];
    if (s->told.count)
        news->text = rk_strndup(s->worker.message, strlen(s->worker.message));
}

static void push(rk_shop_queue *q, rk_shop_job *j)
{
    j->next = NULL;
    *q->last = j;
    q->last = &j->next;
}

static rk_shop_job *pop(rk_shop_queue *q)
{
    rk_shop_job *j = q->first;
    if (j && !(q->first = j->next))
        q->last = &q->first;
    return j;
}

static void execute(rk_shop_seat *s, rk_shop_job *j)
{
    uint64_t start = rk_clock_now();
    rk_store_relaxed(&s->began_ns, start);
    s->worker.finished = s->worker.skipped = 0;
    s->worker.retries = 0;
    j->news.rest_ns =
        rk_run_unit_apart(&s->worker, j->news.unit, s->shop->plan->unit_start[j->news.unit], &j->news.tries);
    j->news.done = s->worker.finished;
    j->news.retries = (uint32_t)(s->worker.retries + rk_growth_take_retries(&s->shop->run));
    if (j->news.rest_ns)
        back_off(s, &j->news);
    else
        judge(s, &j->news, j->news.unit);
    rk_store_relaxed(&s->task, 0); /* who has its news does not take it for running */
    give_story(s, &j->news);
    j->news.duration_ns = rk_clock_now() - start;
}

/* Of many short units who listens is told together, but before the seat runs dry. Under the lock. */
static bool is_worth_a_wake(const rk_shop_seat *s, const rk_shop_job *j)
{
    return ++s->shop->unheard >= MOST_UNHEARD || j->news.duration_ns >= LONG_UNIT_NS || !s->queue->first;
}

/* Helpers make room. */
static void execute_seated(rk_shop_seat *s, rk_shop_job *j)
{
    bool computes = s->queue == &s->shop->queues[0];
    if (computes)
        rk_seat_begins(&s->shop->busy);
    execute(s, j);
    if (computes)
        rk_seat_ends(&s->shop->busy);
}

static void *sit(void *context)
{
    rk_shop_seat *s = context;
    rk_shop *shop = s->shop;
    rk_shop_sitting = s;
    pthread_mutex_lock(&shop->lock);
    while (!shop->ending) {
        rk_shop_job *j = pop(s->queue);
        if (!j) {
            pthread_cond_wait(&s->queue->work, &shop->lock);
            continue;
        }
        s->now = j;
        pthread_mutex_unlock(&shop->lock);
        execute_seated(s, j);
        pthread_mutex_lock(&shop->lock);
        bool wake = is_worth_a_wake(s, j);
        s->now = NULL;
        push(&shop->done, j);
        if (!wake)
            continue;
        shop->unheard = 0;
        pthread_mutex_unlock(&shop->lock);
        shop->setup.wake(shop->setup.context);
        pthread_mutex_lock(&shop->lock);
    }
    pthread_mutex_unlock(&shop->lock);
    return NULL;
}

/* -- What grows */

/* From any thread: what was queued before this is seen by who has taken the mark away before it looked. */
static void note_growth(void *context)
{
    rk_shop *shop = context;
    if (rk_load_seq_cst(&shop->grows))
        return;
    rk_store_seq_cst(&shop->grows, true);
    shop->setup.wake(shop->setup.context);
}

rk_atomic_bool *rk_shop_grows(rk_shop *shop)
{
    return &shop->grows;
}

rk_executor *rk_shop_executor(rk_shop *shop)
{
    return rk_growth_executor(&shop->run);
}

rk_executor *rk_shop_find_executor(rk_shop *shop)
{
    return rk_load_acquire(&shop->run.growth);
}

bool rk_shop_help(rk_shop *shop)
{
    rk_executor *executor = rk_shop_executor(shop);
    if (!shop->helpers && executor && !rk_shop_is_stopped(shop))
        shop->helpers = rk_helpers_new(executor, shop->setup.threads,
                                       shop->setup.first_worker + shop->seat_count, &shop->busy);
    return shop->helpers;
}

uint32_t rk_shop_helping(const rk_shop *shop)
{
    return rk_helpers_active(shop->helpers);
}

bool rk_shop_is_stopped(const rk_shop *shop)
{
    return rk_load_relaxed(&shop->stop.cancelled);
}

bool rk_shop_is_quiet(const rk_shop *shop)
{
    return !rk_load_acquire(&shop->busy.busy) && !rk_helpers_active(shop->helpers);
}

static void end_helpers(rk_shop *shop)
{
    if (shop->helpers)
        rk_executor_close(rk_shop_find_executor(shop));
    rk_helpers_free(shop->helpers);
    shop->helpers = NULL;
}

/* -- Life */

static void seat_init(rk_shop *shop, uint32_t number)
{
    rk_shop_seat *s = &shop->seats[number];
    s->shop = shop;
    s->queue = &shop->queues[number >= shop->setup.threads];
    s->told = (rk_array)RK_ARRAY(rask_task_info, SIZE_MAX / sizeof(rask_task_info));
    rk_worker_init(&s->worker, &shop->run, shop->setup.first_worker + number);
    s->worker.lane = number >= shop->setup.threads;
    s->worker.began_ns = &s->began_ns;
}

static void queue_init(rk_shop_queue *q)
{
    q->last = &q->first;
    pthread_cond_init(&q->work, NULL);
}

static void queue_fini(rk_shop_queue *q)
{
    rk_shop_job *j;
    while ((j = pop(q))) {
        rk_shop_news_end(&j->news);
        rk_free(j);
    }
    pthread_cond_destroy(&q->work);
}

static int start_seats(rk_shop *shop)
{
    for (uint32_t i = 0; i < shop->seat_count; i++) {
        if (pthread_create(&shop->seats[i].thread, NULL, sit, &shop->seats[i]))
            return RASK_ENOMEM;
        shop->seats[i].started = true;
    }
    return RASK_OK;
}

static int init_run(rk_shop *shop)
{
    const rask_plan *plan = shop->plan;
    int status = rk_run_init_apart(&shop->run, shop->setup.model, &shop->stop);
    if (status)
        return status;
    if ((status = rk_run_allow_rests(&shop->run))) {
        rk_run_fini_apart(&shop->run);
        return status;
    }
    rk_shop_count(shop);
    if (shop->setup.shares) {
        shop->run.wake = note_growth;
        shop->run.wake_context = shop;
    }
    memset((void *)shop->run.results, 0, ((size_t)plan->tasks + 1) * sizeof *shop->run.results);
    if (shop->setup.observed) {
        shop->observer = (rask_observer){.size = sizeof shop->observer,
                                         .context = shop,
                                         .task_started = note_start,
                                         .task_finished = note,
                                         .task_rested = note_rest};
        shop->observers[0] = &shop->observer;
        rk_run_observe_apart(&shop->run, shop->observers);
    }
    return RASK_OK;
}

static void free_shell(rk_shop *shop)
{
    rk_scratch_fini(&shop->scratch);
    rk_pack_out_fini(&shop->piece);
    rk_free(shop->forms);
    rk_shop_end_permits(shop);
    rk_shop_grown_fini(&shop->grown);
    pthread_cond_destroy(&shop->answered);
    pthread_mutex_destroy(&shop->lock);
    for (int i = 0; i < 2; i++)
        queue_fini(&shop->queues[i]);
    queue_fini(&shop->done);
    while (shop->spare) {
        rk_shop_job *next = shop->spare->next;
        rk_free(shop->spare);
        shop->spare = next;
    }
    rk_free(shop);
}

int rk_shop_new(const rk_shop_setup *setup, rk_shop **out)
{
    uint32_t seats = setup->threads + setup->lanes;
    rk_shop *shop = rk_calloc(1, sizeof *shop + seats * sizeof(rk_shop_seat));
    if (!shop)
        return RASK_ENOMEM;
    shop->setup = *setup;
    shop->plan = setup->model->plan;
    shop->seat_count = seats;
    shop->served = RK_NO_UNIT;
    pthread_mutex_init(&shop->lock, NULL);
    pthread_cond_init(&shop->answered, NULL);
    rk_shop_grown_init(&shop->grown);
    rk_scratch_init(&shop->scratch, setup->model->options.scratch);
    for (int i = 0; i < 2; i++)
        queue_init(&shop->queues[i]);
    queue_init(&shop->done);
    shop->forms = rk_calloc((size_t)shop->plan->units + 1, sizeof *shop->forms);
    for (uint32_t unit = 0; shop->forms && unit < shop->plan->units; unit++)
        shop->forms[unit].place = RK_NO_PLACE;
    if (!shop->forms || init_run(shop)) {
        free_shell(shop);
        return RASK_ENOMEM;
    }
    for (uint32_t i = 0; i < seats; i++)
        seat_init(shop, i);
    int status = start_seats(shop);
    if (status)
        rk_shop_free(shop);
    else
        *out = shop;
    return status;
}

void rk_shop_stop(rk_shop *shop)
{
    pthread_mutex_lock(&shop->lock);
    rk_store_relaxed(&shop->stop.cancelled, true);
    pthread_mutex_unlock(&shop->lock);
    rk_shop_let_all_in(shop);
}

static void end_seats(rk_shop *shop)
{
    pthread_mutex_lock(&shop->lock);
    shop->ending = true;
    for (int i = 0; i < 2; i++)
        pthread_cond_broadcast(&shop->queues[i].work);
    pthread_mutex_unlock(&shop->lock);
    for (uint32_t i = 0; i < shop->seat_count; i++)
        if (shop->seats[i].started)
            pthread_join(shop->seats[i].thread, NULL);
}

void rk_shop_free(rk_shop *shop)
{
    rk_permit_news wanted;
    rk_shop_news news;
    rk_shop_heard heard;
    if (!shop)
        return;
    rk_shop_stop(shop);
    end_seats(shop);
    end_helpers(shop);
    while ((heard = rk_shop_next(shop, &wanted, &news)))
        if (heard == RK_SHOP_UNIT)
            rk_shop_news_end(&news);
    for (uint32_t unit = 0; unit < shop->plan->units; unit++)
        rk_shop_drop(shop, unit);
    for (uint32_t i = 0; i < shop->seat_count; i++)
        rk_array_fini(&shop->seats[i].told);
    rk_run_fini_apart(&shop->run);
    free_shell(shop);
}

/* -- Orders and news */

static rk_shop_job *take_spare(rk_shop *shop)
{
    rk_shop_job *j = shop->spare;
    if (!j)
        return rk_calloc(1, sizeof *j);
    shop->spare = j->next;
    *j = (rk_shop_job){0};
    return j;
}

static void keep_spare(rk_shop *shop, rk_shop_job *j)
{
    j->next = shop->spare;
    shop->spare = j;
}

int rk_shop_run(rk_shop *shop, uint32_t unit, uint32_t attempt, uint32_t tries)
{
    bool io = shop->setup.lanes && rk_run_is_io(&shop->run, unit);
    rk_shop_queue *q = &shop->queues[io];
    rk_shop_job *j = take_spare(shop);
    if (!j)
        return RASK_ENOMEM;
    j->news.unit = unit;
    j->news.attempt = attempt;
    j->news.tries = tries;
    rk_shop_drop(shop, unit); /* of an attempt before */
    pthread_mutex_lock(&shop->lock);
    push(q, j);
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&shop->lock);
    return RASK_OK;
}

static rk_shop_job *take_back(rk_shop_queue *q, uint32_t unit)
{
    rk_shop_job **at = &q->first;
    while (*at && (*at)->news.unit != unit)
        at = &(*at)->next;
    rk_shop_job *found = *at;
    if (!found)
        return NULL;
    *at = found->next;
    if (!*at)
        q->last = at;
    return found;
}

bool rk_shop_recall(rk_shop *shop, uint32_t unit)
{
    pthread_mutex_lock(&shop->lock);
    rk_shop_job *found = take_back(&shop->queues[0], unit);
    if (!found)
        found = take_back(&shop->queues[1], unit);
    pthread_mutex_unlock(&shop->lock);
    if (found)
        keep_spare(shop, found);
    return found;
}

/* True: a permit. What has come of units up to now is taken when all permits have been. */
static bool take_news(rk_shop *shop, rk_permit_news *wanted)
{
    pthread_mutex_lock(&shop->lock);
    bool any = rk_shop_pop_permit(shop, wanted);
    if (!any) {
        shop->heard = shop->done.first;
        shop->done.first = NULL;
        shop->done.last = &shop->done.first;
    }
    pthread_mutex_unlock(&shop->lock);
    return any;
}

rk_shop_heard rk_shop_next(rk_shop *shop, rk_permit_news *wanted, rk_shop_news *news)
{
    if (!shop->heard && take_news(shop, wanted))
        return RK_SHOP_PERMIT;
    rk_shop_job *j = shop->heard;
    if (!j)
        return RK_SHOP_NOTHING;
    shop->heard = j->next;
    *news = j->news;
    keep_spare(shop, j);
    return RK_SHOP_UNIT;
}

void rk_shop_news_end(rk_shop_news *news)
{
    rk_free(news->text);
    rk_free(news->told);
    news->text = NULL;
    news->told = NULL;
}

/* A unit is timed when all its tasks are. */
static bool is_timed(const rk_shop *shop, uint32_t unit)
{
    for (uint32_t task = shop->plan->unit_start[unit]; task <= rk_shop_last(shop, unit); task++)
        if (!rk_run_timeout(&shop->run, task))
            return false;
    return true;
}

void rk_shop_renewed(rk_shop *shop, void (*tell)(void *context, uint32_t unit, uint32_t attempt),
                     void *context)
{
    for (uint32_t i = 0; i < shop->seat_count; i++) {
        rk_shop_seat *s = &shop->seats[i];
        uint64_t began = rk_load_relaxed(&s->began_ns);
        if (began == s->told_ns)
            continue;
        s->told_ns = began;
        pthread_mutex_lock(&shop->lock);
        uint32_t unit = s->now ? s->now->news.unit : RK_NO_UNIT, attempt = s->now ? s->now->news.attempt : 0;
        pthread_mutex_unlock(&shop->lock);
        if (unit != RK_NO_UNIT && is_timed(shop, unit))
            tell(context, unit, attempt);
    }
}

static void tell_begun(rk_shop *shop, uint32_t number, uint64_t now, rk_shop_tell_begun *tell, void *context)
{
    rk_shop_seat *s = &shop->seats[number];
    uint32_t task = rk_load_acquire(&s->task);
    uint64_t since = rk_load_relaxed(&s->task_ns);
    if (!task || since == s->begun_ns || now < since + BEGUN_NS || rk_load_acquire(&s->task) != task)
        return;
    s->begun_ns = since;
    tell(context, task - 1, shop->setup.first_worker + number, since);
}

void rk_shop_begun(rk_shop *shop, rk_shop_tell_begun *tell, void *context)
{
    uint64_t now = rk_clock_now();
    for (uint32_t i = 0; i < shop->seat_count && shop->setup.observed; i++)
        tell_begun(shop, i, now, tell, context);
}
