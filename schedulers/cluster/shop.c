/* One lock guards the queues of orders and of news, and nothing else: what a unit's result was before it was queued, seats see
 * by it, and what a seat wrote is seen by who takes the news. A seat writes the results of the unit that it executes only. */
#include "schedulers/cluster/shop.h"

#include "core/base/clock.h"
#include "core/store/scratch.h"
#include "schedulers/cluster/numbers.h"
#include "schedulers/cluster/values.h"
#include "schedulers/futures/executor.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { LONG_UNIT_NS = 20000, MOST_UNHEARD = 32, BEGUN_NS = 20000000 };

/* What is to be told of something that is counted. Those that admissions have are theirs until it is given back. */
typedef struct permit {
    rk_permit_news news;
    struct permit *next;
    bool queued, own;     /* own: it is told last, and ends then */
    rk_admission *asked;  /* that waits; NULL: it does not, or did not */
    rk_numbered numbered; /* while it does */
} permit;

/* A unit from its order to its news. */
typedef struct job {
    rk_shop_news news;
    permit rests; /* told before the news are: it is free by then */
    struct job *next;
} job;

/* First come, first served. */
typedef struct queue {
    job *first, **last;
    pthread_cond_t work;
} queue;

typedef struct seat {
    rk_shop *shop;
    queue *queue;
    rk_worker worker;
    rk_atomic_u64 began_ns; /* its last call that may be timed */
    uint64_t told_ns;       /* as far as was told */
    rk_atomic_u64 task_ns;  /* when somebody observes: since when it is at */
    rk_atomic_u32 task;     /* one less than this; 0: none */
    uint64_t begun_ns;      /* of the last one that was told of */
    job *now;               /* under the lock; NULL: none */
    pthread_t thread;
    bool started;
    rk_array told; /* rask_task_info */
    permit again;
    bool answered; /* under the lock, as all that follows */
    int denied;    /* the answer: a status, and why */
    char why[RK_MAX_MESSAGE + 1];
} seat;

/* Of a unit: its result, other than as a value. */
typedef struct form {
    char *encoded; /* NULL: not, or in the file */
    uint64_t size; /* of it */
    uint64_t place;
    bool customs; /* it was encoded once and for all: encode() is asked once */
} form;

struct rk_shop {
    const rask_plan *plan;
    rk_run run;
    rask_cancel_token stop;
    rk_shop_setup setup;
    form *forms;       /* by unit */
    rk_pack_out piece; /* that is put together of an object */
    uint32_t served;   /* unit whose encoded result was read to its end; RK_NO_UNIT */
    rk_scratch scratch;
    uint64_t written, read;
    char message[RK_MAX_MESSAGE + 1];

    pthread_mutex_t lock;
    queue queues[2];  /* what computes, what waits */
    queue done;       /* jobs with news */
    job *heard;       /* of them, the caller's */
    job *spare;       /* the caller's, without news: as many as there were at once */
    uint32_t unheard; /* of them, since the caller was woken */
    bool ending;
    permit *first_permit, *last_permit;
    rk_admission *asked, *last_asked; /* that wait, in their order, */
    rk_numbers numbers;               /* and by the numbers of their permits */
    uint64_t permits_numbered;
    pthread_cond_t answered;
    rk_permits permits; /* written at first */

    rask_observer observer;
    const rask_observer *observers[1];
    uint32_t seat_count;
    seat seats[];
};

static _Thread_local seat *sitting;

static uint32_t last_of(const rk_shop *shop, uint32_t unit)
{
    return shop->plan->unit_start[unit + 1] - 1;
}

rask_value *rk_shop_result(rk_shop *shop, uint32_t unit)
{
    return &shop->run.results[last_of(shop, unit)];
}

/* -- Encoding */

static uint64_t count_encoded(const rask_value *value)
{
    char message[RK_MAX_MESSAGE + 1];
    rk_pack_out out = {.counting = true};
    return rk_pack_put_value(&out, value, message, sizeof message) ? 0 : out.size;
}

static int encode(form *f, const rask_value *value, char *message, size_t capacity)
{
    rk_pack_out out = {0};
    int status = rk_pack_put_value(&out, value, message, capacity);
    if (status) {
        rk_pack_out_fini(&out);
        return status;
    }
    f->encoded = out.data;
    f->size = out.size;
    return RASK_OK;
}

/* How large the result is when encoded. Customs are encoded to know. */
static int measure(rk_shop *shop, uint32_t unit, char *message, size_t capacity)
{
    form *f = &shop->forms[unit];
    const rask_value *value = rk_shop_result(shop, unit);
    f->customs = rk_value_is_object(value) && rk_pack_has_customs(value);
    if (f->customs)
        return encode(f, value, message, capacity);
    f->size = count_encoded(value);
    return RASK_OK;
}

/* -- Seats */

static void note_start(void *context, const rask_task_info *info)
{
    (void)context;
    if (info->task == RASK_NO_TASK)
        return;
    rk_store_relaxed(&sitting->task_ns, info->start_ns);
    rk_store_release(&sitting->task, info->task + 1);
}

static void note(void *context, const rask_task_info *info)
{
    (void)context;
    if (info->task == RASK_NO_TASK)
        return; /* it grew here, and no plan has it */
    rask_task_info *told = rk_array_push(&sitting->told);
    if (told) {
        *told = *info;
        told->message = NULL; /* the seat's own */
    }
}

static void give_story(seat *s, rk_shop_news *news)
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
static void keep_result(seat *s, rk_shop_news *news, uint32_t unit, uint32_t last)
{
    rk_shop *shop = s->shop;
    rask_value *value = &shop->run.results[last];
    int status = measure(shop, unit, s->worker.message, sizeof s->worker.message);
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

static void judge(seat *s, rk_shop_news *news, uint32_t unit)
{
    rk_run *run = &s->shop->run;
    rk_failure failure;
    uint32_t last = last_of(s->shop, unit);
    const rask_value *value = &run->results[last];
    news->done = s->worker.finished;
    news->retries = (uint32_t)s->worker.retries;
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

static void push(queue *q, job *j)
{
    j->next = NULL;
    *q->last = j;
    q->last = &j->next;
}

static job *pop(queue *q)
{
    job *j = q->first;
    if (j && !(q->first = j->next))
        q->last = &q->first;
    return j;
}

static void execute(seat *s, job *j)
{
    uint64_t start = rk_clock_now();
    rk_store_relaxed(&s->began_ns, start);
    s->worker.finished = s->worker.skipped = 0;
    s->worker.retries = 0;
    rk_run_unit(&s->worker, j->news.unit);
    judge(s, &j->news, j->news.unit);
    rk_store_relaxed(&s->task, 0); /* who has its news does not take it for running */
    give_story(s, &j->news);
    j->news.duration_ns = rk_clock_now() - start;
}

/* Of many short units who listens is told together, but before the seat runs dry. Under the lock. */
static bool is_worth_a_wake(const seat *s, const job *j)
{
    return ++s->shop->unheard >= MOST_UNHEARD || j->news.duration_ns >= LONG_UNIT_NS || !s->queue->first;
}

static void *sit(void *context)
{
    seat *s = context;
    rk_shop *shop = s->shop;
    sitting = s;
    pthread_mutex_lock(&shop->lock);
    while (!shop->ending) {
        job *j = pop(s->queue);
        if (!j) {
            pthread_cond_wait(&s->queue->work, &shop->lock);
            continue;
        }
        s->now = j;
        pthread_mutex_unlock(&shop->lock);
        execute(s, j);
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

/* -- What is counted */

static const char no_memory[] = "no memory for what it takes";

static permit *permit_of(rk_numbered *numbered)
{
    return (permit *)((char *)numbered - offsetof(permit, numbered));
}

/* Under the lock. */
static void queue_permit(rk_shop *shop, permit *p)
{
    if (p->queued)
        return;
    p->next = NULL;
    p->queued = true;
    *(shop->first_permit ? &shop->last_permit->next : &shop->first_permit) = p;
    shop->last_permit = p;
}

static void tell_permits(rk_shop *shop)
{
    pthread_mutex_unlock(&shop->lock);
    shop->setup.wake(shop->setup.context);
}

static bool is_stopped(const rk_shop *shop)
{
    return rk_load_relaxed(&shop->stop.cancelled);
}

static void let_in(rk_shop *shop, rk_admission *admission)
{
    admission->waiter.next = NULL;
    rk_executor_let_in(rk_load_acquire(&shop->run.growth), &admission->waiter);
}

/* Under the lock, and the next too. RASK_ENOMEM: it cannot ask. */
static int link_asked(rk_shop *shop, permit *p, rk_admission *a)
{
    p->numbered.number = p->news.number = ++shop->permits_numbered;
    if (rk_numbers_add(&shop->numbers, &p->numbered))
        return RASK_ENOMEM;
    p->asked = a;
    a->note = p;
    a->asked = true;
    a->next = NULL;
    a->previous = shop->last_asked;
    *(a->previous ? &a->previous->next : &shop->asked) = a;
    shop->last_asked = a;
    return RASK_OK;
}

static void unlink_asked(rk_shop *shop, rk_admission *a)
{
    permit *p = a->note;
    rk_numbers_remove(&shop->numbers, &p->numbered);
    p->asked = NULL;
    a->asked = false;
    *(a->previous ? &a->previous->next : &shop->asked) = a->next;
    *(a->next ? &a->next->previous : &shop->last_asked) = a->previous;
}

static permit *permit_new(const rk_admission *a)
{
    permit *p = rk_calloc(1, sizeof *p);
    if (p)
        p->news = (rk_permit_news){.kind = RK_PERMIT_WANTED,
                                   .priority = a->waiter.priority,
                                   .needs = *rk_gate_needs(a->future->executor->gate, a->waiter.class)};
    return p;
}

/* Under the lock. What is not asked for ends. */
static bool asks(rk_shop *shop, rk_admission *a, permit *p)
{
    int status = p ? RASK_OK : RASK_ENOMEM;
    bool stopped = is_stopped(shop);
    if (!status && !stopped)
        status = link_asked(shop, p, a);
    if (status)
        rk_admission_refuse(a, status, no_memory);
    else if (!stopped)
        queue_permit(shop, p);
    if (status || stopped)
        rk_free(p);
    return !status && !stopped;
}

static void ask(void *context, rk_admission *a)
{
    rk_shop *shop = context;
    permit *p = permit_new(a);
    a->note = NULL;
    pthread_mutex_lock(&shop->lock);
    if (asks(shop, a, p)) {
        tell_permits(shop);
        return;
    }
    pthread_mutex_unlock(&shop->lock);
    let_in(shop, a);
}

/* Under the lock, which it leaves: what was not even asked for need not be told. */
static void end_permit(rk_shop *shop, permit *p)
{
    p->own = true;
    bool told = p->queued || is_stopped(shop);
    p->news.kind = p->queued ? RK_PERMIT_NONE : RK_PERMIT_GIVEN;
    queue_permit(shop, p);
    if (told)
        pthread_mutex_unlock(&shop->lock);
    else
        tell_permits(shop);
}

static void give(void *context, rk_admission *a)
{
    rk_shop *shop = context;
    if (!a->note)
        return;
    pthread_mutex_lock(&shop->lock);
    end_permit(shop, a->note);
    a->note = NULL;
}

static bool forget(void *context, rk_admission *a)
{
    rk_shop *shop = context;
    pthread_mutex_lock(&shop->lock);
    bool asked = a->asked;
    if (!asked) {
        pthread_mutex_unlock(&shop->lock);
        return false;
    }
    unlink_asked(shop, a);
    end_permit(shop, a->note);
    a->note = NULL;
    return true;
}

/* Under the lock. */
static void queue_about_unit(const seat *s, permit *p, rk_permit_kind kind)
{
    p->news.kind = kind;
    p->news.unit = s->now->news.unit;
    p->news.attempt = s->now->news.attempt;
    queue_permit(s->shop, p);
}

static void rest(void *context)
{
    rk_shop *shop = context;
    pthread_mutex_lock(&shop->lock);
    queue_about_unit(sitting, &sitting->now->rests, RK_PERMIT_RESTS);
    tell_permits(shop);
}

/* The seat waits: its unit has what it took, or cannot have it, or is to end. */
static int resume(void *context, char *message, size_t capacity)
{
    rk_shop *shop = context;
    seat *s = sitting;
    pthread_mutex_lock(&shop->lock);
    s->again.news.number = ++shop->permits_numbered;
    s->answered = false;
    s->denied = RASK_OK;
    queue_about_unit(s, &s->again, RK_PERMIT_AGAIN);
    tell_permits(shop);
    pthread_mutex_lock(&shop->lock);
    while (!s->answered && !is_stopped(shop))
        pthread_cond_wait(&shop->answered, &shop->lock);
    int status = s->denied;
    if (status)
        snprintf(message, capacity, "%s", s->why);
    pthread_mutex_unlock(&shop->lock);
    return status;
}

/* Under the lock. */
static void answer_seat(rk_shop *shop, uint64_t number, int status, const char *why)
{
    for (uint32_t i = 0; i < shop->seat_count; i++) {
        seat *s = &shop->seats[i];
        if (s->answered || s->again.news.number != number)
            continue;
        s->answered = true;
        s->denied = status;
        snprintf(s->why, sizeof s->why, "%s", why);
    }
    pthread_cond_broadcast(&shop->answered);
}

/* Under the lock: the program has not what was asked for. It asked, or whoever answers lies. */
static void deny(rk_admission *a, int status, const char *why)
{
    permit *p = a->note;
    rk_admission_refuse(a, status, why);
    a->note = NULL;
    p->own = p->queued;
    p->news.kind = RK_PERMIT_NONE;
    if (!p->own)
        rk_free(p);
}

static void answer(rk_shop *shop, uint64_t number, int status, const char *why)
{
    pthread_mutex_lock(&shop->lock);
    rk_numbered *found = rk_numbers_find(&shop->numbers, 0, number);
    rk_admission *a = found ? permit_of(found)->asked : NULL;
    if (a)
        unlink_asked(shop, a);
    else
        answer_seat(shop, number, status, why);
    if (a && status)
        deny(a, status, why);
    pthread_mutex_unlock(&shop->lock);
    if (a)
        let_in(shop, a);
}

void rk_shop_granted(rk_shop *shop, uint64_t number)
{
    answer(shop, number, RASK_OK, "");
}

void rk_shop_denied(rk_shop *shop, uint64_t number, int status, const char *why)
{
    answer(shop, number, status ? status : RASK_ELIMIT, why);
}

/* Nothing is called any more: who waits fails. */
static void let_all_in(rk_shop *shop)
{
    rk_admission *a;
    do {
        pthread_mutex_lock(&shop->lock);
        if ((a = shop->asked))
            unlink_asked(shop, a);
        pthread_cond_broadcast(&shop->answered);
        pthread_mutex_unlock(&shop->lock);
        if (a)
            let_in(shop, a);
    } while (a);
}

/* -- Life */

static void seat_init(rk_shop *shop, uint32_t number)
{
    seat *s = &shop->seats[number];
    s->shop = shop;
    s->queue = &shop->queues[number >= shop->setup.threads];
    s->told = (rk_array)RK_ARRAY(rask_task_info, SIZE_MAX / sizeof(rask_task_info));
    rk_worker_init(&s->worker, &shop->run, shop->setup.first_worker + number);
    s->worker.began_ns = &s->began_ns;
}

static void queue_init(queue *q)
{
    q->last = &q->first;
    pthread_cond_init(&q->work, NULL);
}

static void queue_fini(queue *q)
{
    job *j;
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
    shop->permits = (rk_permits){shop, ask, give, forget, rest, resume};
    shop->run.counted_elsewhere = true;
    shop->run.permits = &shop->permits;
    memset((void *)shop->run.results, 0, ((size_t)plan->tasks + 1) * sizeof *shop->run.results);
    if (shop->setup.observed) {
        shop->observer =
            (rask_observer){.size = sizeof shop->observer, .task_started = note_start, .task_finished = note};
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
    for (permit *p; (p = shop->first_permit);) {
        shop->first_permit = p->next;
        if (p->own)
            rk_free(p);
    }
    pthread_cond_destroy(&shop->answered);
    rk_numbers_fini(&shop->numbers);
    pthread_mutex_destroy(&shop->lock);
    for (int i = 0; i < 2; i++)
        queue_fini(&shop->queues[i]);
    queue_fini(&shop->done);
    while (shop->spare) {
        job *next = shop->spare->next;
        rk_free(shop->spare);
        shop->spare = next;
    }
    rk_free(shop);
}

int rk_shop_new(const rk_shop_setup *setup, rk_shop **out)
{
    uint32_t seats = setup->threads + setup->lanes;
    rk_shop *shop = rk_calloc(1, sizeof *shop + seats * sizeof(seat));
    if (!shop)
        return RASK_ENOMEM;
    shop->setup = *setup;
    shop->plan = setup->model->plan;
    shop->seat_count = seats;
    shop->served = RK_NO_UNIT;
    pthread_mutex_init(&shop->lock, NULL);
    pthread_cond_init(&shop->answered, NULL);
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
    let_all_in(shop);
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

static job *take_spare(rk_shop *shop)
{
    job *j = shop->spare;
    if (!j)
        return rk_calloc(1, sizeof *j);
    shop->spare = j->next;
    *j = (job){0};
    return j;
}

static void keep_spare(rk_shop *shop, job *j)
{
    j->next = shop->spare;
    shop->spare = j;
}

int rk_shop_run(rk_shop *shop, uint32_t unit, uint32_t attempt)
{
    bool io = shop->setup.lanes && rk_run_is_io(&shop->run, unit);
    queue *q = &shop->queues[io];
    job *j = take_spare(shop);
    if (!j)
        return RASK_ENOMEM;
    j->news.unit = unit;
    j->news.attempt = attempt;
    rk_shop_drop(shop, unit); /* of an attempt before */
    pthread_mutex_lock(&shop->lock);
    push(q, j);
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&shop->lock);
    return RASK_OK;
}

static job *take_back(queue *q, uint32_t unit)
{
    job **at = &q->first;
    while (*at && (*at)->news.unit != unit)
        at = &(*at)->next;
    job *found = *at;
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
    job *found = take_back(&shop->queues[0], unit);
    if (!found)
        found = take_back(&shop->queues[1], unit);
    pthread_mutex_unlock(&shop->lock);
    if (found)
        keep_spare(shop, found);
    return found;
}

/* Under the lock. */
static bool pop_permit(rk_shop *shop, rk_permit_news *news)
{
    permit *p = shop->first_permit;
    if (!p)
        return false;
    shop->first_permit = p->next;
    p->queued = false;
    *news = p->news;
    if (p->own)
        rk_free(p);
    return true;
}

/* True: a permit. What has come of units up to now is taken when all permits have been. */
static bool take_news(rk_shop *shop, rk_permit_news *wanted)
{
    pthread_mutex_lock(&shop->lock);
    bool any = pop_permit(shop, wanted);
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
    job *j = shop->heard;
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
    for (uint32_t task = shop->plan->unit_start[unit]; task <= last_of(shop, unit); task++)
        if (!rk_run_timeout(&shop->run, task))
            return false;
    return true;
}

void rk_shop_renewed(rk_shop *shop, void (*tell)(void *context, uint32_t unit, uint32_t attempt),
                     void *context)
{
    for (uint32_t i = 0; i < shop->seat_count; i++) {
        seat *s = &shop->seats[i];
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
    seat *s = &shop->seats[number];
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

/* -- Results */

static void forget_form(rk_shop *shop, uint32_t unit)
{
    form *f = &shop->forms[unit];
    if (f->place != RK_NO_PLACE)
        rk_scratch_give(&shop->scratch, f->place, f->size);
    rk_free(f->encoded);
    *f = (form){.place = RK_NO_PLACE};
    if (shop->served == unit)
        shop->served = RK_NO_UNIT;
}

void rk_shop_drop(rk_shop *shop, uint32_t unit)
{
    rask_value *value = rk_shop_result(shop, unit);
    forget_form(shop, unit);
    rask_value_unref(value);
    *value = rask_value_none();
}

/* What encode() of a class made stays as it was, for others who have been told how large it is. */
static int keep_encoded(rk_shop *shop, uint32_t unit, const char *encoded, uint64_t size)
{
    form *f = &shop->forms[unit];
    const rask_value *value = rk_shop_result(shop, unit);
    if (!rk_value_is_object(value) || !rk_pack_has_customs(value))
        return RASK_OK;
    f->encoded = rk_alloc(size);
    if (!f->encoded) {
        rk_shop_drop(shop, unit);
        return RASK_ENOMEM;
    }
    memcpy(f->encoded, encoded, size);
    f->size = size;
    f->customs = true;
    return RASK_OK;
}

static void take_value(rk_shop *shop, uint32_t unit, rask_value value, uint64_t *bytes)
{
    rk_shop_drop(shop, unit);
    *rk_shop_result(shop, unit) = value;
    rk_store_relaxed(&shop->run.uses[last_of(shop, unit)], UINT32_MAX / 2);
    if (value.type == RASK_NONE && value.reserved)
        rk_store_relaxed(&shop->run.any_failed, 1);
    *bytes = rask_value_size(&value);
}

int rk_shop_take(rk_shop *shop, uint32_t unit, const char *encoded, uint64_t size, uint64_t *bytes,
                 char *message, size_t capacity)
{
    rk_pack_in in = {encoded, encoded + size, false, NULL};
    rask_value value;
    int status = rk_pack_get_value(&in, &value, message, capacity);
    if (status)
        return status;
    take_value(shop, unit, value, bytes);
    return keep_encoded(shop, unit, encoded, size);
}

int rk_shop_adopt(rk_shop *shop, uint32_t unit, char **encoded, uint64_t size, uint64_t *bytes, char *message,
                  size_t capacity)
{
    rask_value value;
    if (!rk_pack_adopt_value(*encoded, size, &value))
        return rk_shop_take(shop, unit, *encoded, size, bytes, message, capacity);
    take_value(shop, unit, value, bytes);
    *encoded = NULL;
    return RASK_OK;
}

void rk_shop_miss(rk_shop *shop, uint32_t unit)
{
    rk_shop_drop(shop, unit);
    rk_shop_result(shop, unit)->reserved = 1;
    rk_store_relaxed(&shop->run.any_failed, 1);
}

int rk_shop_put_result(rk_shop *shop, uint32_t unit, rk_pack_out *out)
{
    const form *f = &shop->forms[unit];
    if (!f->encoded)
        return rk_pack_put_value(out, rk_shop_result(shop, unit), shop->message, sizeof shop->message);
    rk_pack_put(out, f->encoded, f->size);
    return out->failed ? RASK_ENOMEM : RASK_OK;
}

/* What was read to its end is encoded no more, unless it was by encode(). */
static void forget_served(rk_shop *shop, uint32_t unit)
{
    if (shop->served == RK_NO_UNIT || shop->served == unit)
        return;
    form *f = &shop->forms[shop->served];
    shop->served = RK_NO_UNIT;
    if (f->customs)
        return;
    rk_free(f->encoded);
    f->encoded = NULL;
}

/* The encoded result, into memory. */
static int bring(rk_shop *shop, uint32_t unit)
{
    form *f = &shop->forms[unit];
    if (f->encoded)
        return RASK_OK;
    if (f->place == RK_NO_PLACE)
        return encode(f, rk_shop_result(shop, unit), shop->message, sizeof shop->message);
    char *encoded = rk_alloc(f->size);
    int status = encoded ? rk_scratch_read(&shop->scratch, f->place, encoded, f->size, shop->message,
                                           sizeof shop->message)
                         : RASK_ENOMEM;
    if (status)
        rk_free(encoded);
    else
        f->encoded = encoded;
    return status;
}

/* From the value itself; only what has the head in it is put together. NULL: it is no such value, not that large, or there is no
 * memory. */
static const char *flat_object(rk_shop *shop, uint32_t unit, uint64_t begin, uint64_t size, uint64_t *total)
{
    rask_bytes rest;
    rk_pack_out *piece = &shop->piece;
    piece->size = 0;
    piece->failed = false;
    if (!rk_pack_put_flat(piece, rk_shop_result(shop, unit), &rest))
        return NULL;
    uint64_t head = piece->size;
    *total = head + rest.len;
    if (begin > *total || size > *total - begin)
        return NULL;
    if (begin >= head)
        return rest.data + (begin - head);
    if (begin + size > head)
        rk_pack_put(piece, rest.data, begin + size - head);
    return piece->failed ? NULL : piece->data + begin;
}

const char *rk_shop_object(rk_shop *shop, uint32_t unit, uint64_t begin, uint64_t size, uint64_t *total)
{
    forget_served(shop, unit);
    if (unit >= shop->plan->units)
        return NULL;
    if (!shop->forms[unit].encoded && shop->forms[unit].place == RK_NO_PLACE) {
        const char *bytes = flat_object(shop, unit, begin, size, total);
        if (bytes)
            return bytes;
    }
    if (bring(shop, unit))
        return NULL;
    const form *f = &shop->forms[unit];
    *total = f->size;
    if (begin > f->size || size > f->size - begin)
        return NULL;
    if (begin + size == f->size)
        shop->served = unit;
    return f->encoded + begin;
}

int rk_shop_spill(rk_shop *shop, uint32_t unit, uint64_t *bytes)
{
    form *f = &shop->forms[unit];
    rask_value *value = rk_shop_result(shop, unit);
    if (!rk_value_is_object(value))
        return RASK_ENOENT;
    int status = rk_scratch_open(&shop->scratch, shop->message, sizeof shop->message);
    if (!status && f->place == RK_NO_PLACE && !(status = bring(shop, unit))) {
        f->place = rk_scratch_take(&shop->scratch, f->size);
        status = rk_scratch_write(&shop->scratch, f->place, f->encoded, f->size, shop->message,
                                  sizeof shop->message);
        shop->written += status ? 0 : f->size;
    }
    if (status) {
        if (f->place != RK_NO_PLACE)
            rk_scratch_give(&shop->scratch, f->place, f->size);
        f->place = RK_NO_PLACE;
        return status;
    }
    *bytes = rask_value_size(value);
    rk_free(f->encoded);
    f->encoded = NULL;
    rask_value_unref(value);
    *value = rask_value_none();
    return RASK_OK;
}

int rk_shop_load(rk_shop *shop, uint32_t unit)
{
    form *f = &shop->forms[unit];
    if (f->place == RK_NO_PLACE)
        return RASK_ENOENT;
    int status = bring(shop, unit);
    if (!status) {
        rk_pack_in in = {f->encoded, f->encoded + f->size, false, NULL};
        status = rk_pack_get_value(&in, rk_shop_result(shop, unit), shop->message, sizeof shop->message);
    }
    if (status) {
        rk_shop_drop(shop, unit);
        return status;
    }
    shop->read += f->size;
    rk_store_relaxed(&shop->run.uses[last_of(shop, unit)], UINT32_MAX / 2);
    rk_free(f->encoded);
    f->encoded = NULL;
    return RASK_OK;
}

const char *rk_shop_disk_message(const rk_shop *shop)
{
    return shop->message;
}

void rk_shop_disk_bytes(const rk_shop *shop, uint64_t *written, uint64_t *read)
{
    *written = shop->written;
    *read = shop->read;
}
