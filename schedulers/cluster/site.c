/* One lock guards the queues of orders and of news, and nothing else: what a unit's result was before it was queued, seats see
 * by it, and what a seat wrote is seen by who takes the news. A seat writes the results of the unit that it executes only. */
#include "schedulers/cluster/site.h"

#include "core/base/clock.h"
#include "core/store/scratch.h"
#include "schedulers/cluster/values.h"

#include <string.h>

/* A unit from its order to its news. */
typedef struct job {
    rk_site_news news;
    struct job *next;
} job;

/* First come, first served. */
typedef struct queue {
    job *first, **last;
    pthread_cond_t work;
} queue;

typedef struct seat {
    rk_site *site;
    queue *queue;
    rk_worker worker;
    rk_atomic_u64 began_ns; /* its last call that may be timed */
    uint64_t told_ns;       /* as far as was told */
    const job *now;         /* under the lock; NULL: none */
    pthread_t thread;
    bool started;
    rk_array told; /* rask_task_info */
} seat;

/* Of a unit: its result, other than as a value. */
typedef struct form {
    char *encoded; /* NULL: not, or in the file */
    uint64_t size; /* of it */
    uint64_t place;
    bool customs; /* it was encoded once and for all: encode() is asked once */
} form;

struct rk_site {
    const rask_plan *plan;
    rk_run run;
    rask_cancel_token stop;
    rk_site_setup setup;
    form *forms;     /* by unit */
    uint32_t served; /* unit whose encoded result was read to its end; RK_NO_UNIT */
    rk_scratch scratch;
    uint64_t written, read;
    char message[RK_MAX_MESSAGE + 1];

    pthread_mutex_t lock;
    queue queues[2]; /* what computes, what waits */
    queue done;      /* jobs with news */
    job *heard;      /* of them, the caller's */
    bool ending;

    rask_observer observer;
    const rask_observer *observers[1];
    uint32_t seat_count;
    seat seats[];
};

static _Thread_local seat *sitting;

static uint32_t last_of(const rk_site *site, uint32_t unit)
{
    return site->plan->unit_start[unit + 1] - 1;
}

rask_value *rk_site_result(rk_site *site, uint32_t unit)
{
    return &site->run.results[last_of(site, unit)];
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
static int measure(rk_site *site, uint32_t unit, char *message, size_t capacity)
{
    form *f = &site->forms[unit];
    const rask_value *value = rk_site_result(site, unit);
    f->customs = rk_value_is_object(value) && rk_pack_has_customs(value);
    if (f->customs)
        return encode(f, value, message, capacity);
    f->size = count_encoded(value);
    return RASK_OK;
}

/* -- Seats */

static void note(void *context, const rask_task_info *info)
{
    (void)context;
    rask_task_info *told = rk_array_push(&sitting->told);
    if (told)
        *told = *info;
}

static void give_story(seat *s, rk_site_news *news)
{
    size_t count = s->told.count;
    s->told.count = 0;
    news->told = count ? rk_alloc_array(count, sizeof *news->told) : NULL;
    if (!news->told)
        return;
    memcpy(news->told, s->told.data, count * sizeof *news->told);
    news->told_count = (uint32_t)count;
}

static void fail(rk_site_news *news, uint32_t task, int status, const char *text)
{
    news->outcome = RK_SITE_FAILED;
    news->task = task;
    news->status = status;
    news->text = rk_strndup(text, strlen(text));
}

/* The result stays until it is dropped: no task is the last to take it. */
static void keep_result(seat *s, rk_site_news *news, uint32_t unit, uint32_t last)
{
    rk_site *site = s->site;
    rask_value *value = &site->run.results[last];
    int status = measure(site, unit, s->worker.message, sizeof s->worker.message);
    if (status) {
        rask_value_unref(value);
        news->done--;
        fail(news, last, status, s->worker.message);
        return;
    }
    rk_store_relaxed(&site->run.uses[last], UINT32_MAX / 2);
    news->bytes = rask_value_size(value);
    news->size = site->forms[unit].size;
}

static void judge(seat *s, rk_site_news *news, uint32_t unit)
{
    rk_run *run = &s->site->run;
    rk_failure failure;
    uint32_t last = last_of(s->site, unit);
    const rask_value *value = &run->results[last];
    news->done = s->worker.finished;
    news->retries = (uint32_t)s->worker.retries;
    if (value->type != RASK_NONE || !value->reserved) {
        keep_result(s, news, unit, last);
    } else if (rk_run_take_failure(run, s->site->plan->unit_start[unit], last + 1, &failure)) {
        news->outcome = RK_SITE_FAILED;
        news->task = failure.task;
        news->status = failure.status;
        news->text = failure.message;
    } else {
        news->outcome = RK_SITE_SKIPPED;
    }
    if (news->outcome != RK_SITE_FINISHED)
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
    give_story(s, &j->news);
    j->news.duration_ns = rk_clock_now() - start;
}

static void *sit(void *context)
{
    seat *s = context;
    rk_site *site = s->site;
    sitting = s;
    pthread_mutex_lock(&site->lock);
    while (!site->ending) {
        job *j = pop(s->queue);
        if (!j) {
            pthread_cond_wait(&s->queue->work, &site->lock);
            continue;
        }
        s->now = j;
        pthread_mutex_unlock(&site->lock);
        execute(s, j);
        pthread_mutex_lock(&site->lock);
        bool first = !site->done.first;
        s->now = NULL;
        push(&site->done, j);
        pthread_mutex_unlock(&site->lock);
        if (first)
            site->setup.wake(site->setup.context);
        pthread_mutex_lock(&site->lock);
    }
    pthread_mutex_unlock(&site->lock);
    return NULL;
}

/* -- Life */

static void seat_init(rk_site *site, uint32_t number)
{
    seat *s = &site->seats[number];
    s->site = site;
    s->queue = &site->queues[number >= site->setup.threads];
    s->told = (rk_array)RK_ARRAY(rask_task_info, SIZE_MAX / sizeof(rask_task_info));
    rk_worker_init(&s->worker, &site->run, site->setup.first_worker + number);
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
        rk_site_news_end(&j->news);
        rk_free(j);
    }
    pthread_cond_destroy(&q->work);
}

static int start_seats(rk_site *site)
{
    for (uint32_t i = 0; i < site->seat_count; i++) {
        if (pthread_create(&site->seats[i].thread, NULL, sit, &site->seats[i]))
            return RASK_ENOMEM;
        site->seats[i].started = true;
    }
    return RASK_OK;
}

static int init_run(rk_site *site)
{
    const rask_plan *plan = site->plan;
    int status = rk_run_init_apart(&site->run, site->setup.model, &site->stop);
    if (status)
        return status;
    memset((void *)site->run.results, 0, ((size_t)plan->tasks + 1) * sizeof *site->run.results);
    if (site->setup.observed) {
        site->observer = (rask_observer){.size = sizeof site->observer, .task_finished = note};
        site->observers[0] = &site->observer;
        rk_run_observe_apart(&site->run, site->observers);
    }
    return RASK_OK;
}

static void free_shell(rk_site *site)
{
    rk_scratch_fini(&site->scratch);
    rk_free(site->forms);
    pthread_mutex_destroy(&site->lock);
    for (int i = 0; i < 2; i++)
        queue_fini(&site->queues[i]);
    queue_fini(&site->done);
    rk_free(site);
}

int rk_site_new(const rk_site_setup *setup, rk_site **out)
{
    uint32_t seats = setup->threads + setup->lanes;
    rk_site *site = rk_calloc(1, sizeof *site + seats * sizeof(seat));
    if (!site)
        return RASK_ENOMEM;
    site->setup = *setup;
    site->plan = setup->model->plan;
    site->seat_count = seats;
    site->served = RK_NO_UNIT;
    pthread_mutex_init(&site->lock, NULL);
    rk_scratch_init(&site->scratch, setup->model->options.scratch);
    for (int i = 0; i < 2; i++)
        queue_init(&site->queues[i]);
    queue_init(&site->done);
    site->forms = rk_calloc((size_t)site->plan->units + 1, sizeof *site->forms);
    for (uint32_t unit = 0; site->forms && unit < site->plan->units; unit++)
        site->forms[unit].place = RK_NO_PLACE;
    if (!site->forms || init_run(site)) {
        free_shell(site);
        return RASK_ENOMEM;
    }
    for (uint32_t i = 0; i < seats; i++)
        seat_init(site, i);
    int status = start_seats(site);
    if (status)
        rk_site_free(site);
    else
        *out = site;
    return status;
}

void rk_site_stop(rk_site *site)
{
    rk_store_relaxed(&site->stop.cancelled, true);
}

static void end_seats(rk_site *site)
{
    pthread_mutex_lock(&site->lock);
    site->ending = true;
    for (int i = 0; i < 2; i++)
        pthread_cond_broadcast(&site->queues[i].work);
    pthread_mutex_unlock(&site->lock);
    for (uint32_t i = 0; i < site->seat_count; i++)
        if (site->seats[i].started)
            pthread_join(site->seats[i].thread, NULL);
}

void rk_site_free(rk_site *site)
{
    rk_site_news news;
    if (!site)
        return;
    rk_site_stop(site);
    end_seats(site);
    while (rk_site_next(site, &news))
        rk_site_news_end(&news);
    for (uint32_t unit = 0; unit < site->plan->units; unit++)
        rk_site_drop(site, unit);
    for (uint32_t i = 0; i < site->seat_count; i++)
        rk_array_fini(&site->seats[i].told);
    rk_run_fini_apart(&site->run);
    free_shell(site);
}

/* -- Orders and news */

int rk_site_run(rk_site *site, uint32_t unit, uint32_t attempt)
{
    bool io = site->setup.lanes && rk_run_is_io(&site->run, unit);
    queue *q = &site->queues[io];
    job *j = rk_calloc(1, sizeof *j);
    if (!j)
        return RASK_ENOMEM;
    j->news.unit = unit;
    j->news.attempt = attempt;
    rk_site_drop(site, unit); /* of an attempt before */
    pthread_mutex_lock(&site->lock);
    push(q, j);
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&site->lock);
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

bool rk_site_recall(rk_site *site, uint32_t unit)
{
    pthread_mutex_lock(&site->lock);
    job *found = take_back(&site->queues[0], unit);
    if (!found)
        found = take_back(&site->queues[1], unit);
    pthread_mutex_unlock(&site->lock);
    rk_free(found);
    return found;
}

bool rk_site_next(rk_site *site, rk_site_news *news)
{
    if (!site->heard) {
        pthread_mutex_lock(&site->lock);
        site->heard = site->done.first;
        site->done.first = NULL;
        site->done.last = &site->done.first;
        pthread_mutex_unlock(&site->lock);
    }
    job *j = site->heard;
    if (!j)
        return false;
    site->heard = j->next;
    *news = j->news;
    rk_free(j);
    return true;
}

void rk_site_news_end(rk_site_news *news)
{
    rk_free(news->text);
    rk_free(news->told);
    news->text = NULL;
    news->told = NULL;
}

/* A unit is timed when all its tasks are. */
static bool is_timed(const rk_site *site, uint32_t unit)
{
    for (uint32_t task = site->plan->unit_start[unit]; task <= last_of(site, unit); task++)
        if (!rk_run_timeout(&site->run, task))
            return false;
    return true;
}

void rk_site_renewed(rk_site *site, void (*tell)(void *context, uint32_t unit, uint32_t attempt),
                     void *context)
{
    for (uint32_t i = 0; i < site->seat_count; i++) {
        seat *s = &site->seats[i];
        uint64_t began = rk_load_relaxed(&s->began_ns);
        if (began == s->told_ns)
            continue;
        s->told_ns = began;
        pthread_mutex_lock(&site->lock);
        uint32_t unit = s->now ? s->now->news.unit : RK_NO_UNIT, attempt = s->now ? s->now->news.attempt : 0;
        pthread_mutex_unlock(&site->lock);
        if (unit != RK_NO_UNIT && is_timed(site, unit))
            tell(context, unit, attempt);
    }
}

/* -- Results */

static void forget_form(rk_site *site, uint32_t unit)
{
    form *f = &site->forms[unit];
    if (f->place != RK_NO_PLACE)
        rk_scratch_give(&site->scratch, f->place, f->size);
    rk_free(f->encoded);
    *f = (form){.place = RK_NO_PLACE};
    if (site->served == unit)
        site->served = RK_NO_UNIT;
}

void rk_site_drop(rk_site *site, uint32_t unit)
{
    rask_value *value = rk_site_result(site, unit);
    forget_form(site, unit);
    rask_value_unref(value);
    *value = rask_value_none();
}

/* What encode() of a class made stays as it was, for others who have been told how large it is. */
static int keep_encoded(rk_site *site, uint32_t unit, const char *encoded, uint64_t size)
{
    form *f = &site->forms[unit];
    const rask_value *value = rk_site_result(site, unit);
    if (!rk_value_is_object(value) || !rk_pack_has_customs(value))
        return RASK_OK;
    f->encoded = rk_alloc(size);
    if (!f->encoded) {
        rk_site_drop(site, unit);
        return RASK_ENOMEM;
    }
    memcpy(f->encoded, encoded, size);
    f->size = size;
    f->customs = true;
    return RASK_OK;
}

int rk_site_take(rk_site *site, uint32_t unit, const char *encoded, uint64_t size, uint64_t *bytes,
                 char *message, size_t capacity)
{
    rk_pack_in in = {encoded, encoded + size, false};
    rask_value value;
    int status = rk_pack_get_value(&in, &value, message, capacity);
    if (status)
        return status;
    rk_site_drop(site, unit);
    *rk_site_result(site, unit) = value;
    rk_store_relaxed(&site->run.uses[last_of(site, unit)], UINT32_MAX / 2);
    if (value.type == RASK_NONE && value.reserved)
        rk_store_relaxed(&site->run.any_failed, 1);
    *bytes = rask_value_size(&value);
    return keep_encoded(site, unit, encoded, size);
}

void rk_site_miss(rk_site *site, uint32_t unit)
{
    rk_site_drop(site, unit);
    rk_site_result(site, unit)->reserved = 1;
    rk_store_relaxed(&site->run.any_failed, 1);
}

int rk_site_put_result(rk_site *site, uint32_t unit, rk_pack_out *out)
{
    const form *f = &site->forms[unit];
    if (!f->encoded)
        return rk_pack_put_value(out, rk_site_result(site, unit), site->message, sizeof site->message);
    rk_pack_put(out, f->encoded, f->size);
    return out->failed ? RASK_ENOMEM : RASK_OK;
}

/* What was read to its end is encoded no more, unless it was by encode(). */
static void forget_served(rk_site *site, uint32_t unit)
{
    if (site->served == RK_NO_UNIT || site->served == unit)
        return;
    form *f = &site->forms[site->served];
    site->served = RK_NO_UNIT;
    if (f->customs)
        return;
    rk_free(f->encoded);
    f->encoded = NULL;
}

/* The encoded result, into memory. */
static int bring(rk_site *site, uint32_t unit)
{
    form *f = &site->forms[unit];
    if (f->encoded)
        return RASK_OK;
    if (f->place == RK_NO_PLACE)
        return encode(f, rk_site_result(site, unit), site->message, sizeof site->message);
    char *encoded = rk_alloc(f->size);
    int status = encoded ? rk_scratch_read(&site->scratch, f->place, encoded, f->size, site->message,
                                           sizeof site->message)
                         : RASK_ENOMEM;
    if (status)
        rk_free(encoded);
    else
        f->encoded = encoded;
    return status;
}

const char *rk_site_object(rk_site *site, uint32_t unit, uint64_t begin, uint64_t size, uint64_t *total)
{
    forget_served(site, unit);
    if (unit >= site->plan->units || bring(site, unit))
        return NULL;
    const form *f = &site->forms[unit];
    *total = f->size;
    if (begin > f->size || size > f->size - begin)
        return NULL;
    if (begin + size == f->size)
        site->served = unit;
    return f->encoded + begin;
}

int rk_site_spill(rk_site *site, uint32_t unit, uint64_t *bytes)
{
    form *f = &site->forms[unit];
    rask_value *value = rk_site_result(site, unit);
    if (!rk_value_is_object(value))
        return RASK_ENOENT;
    int status = rk_scratch_open(&site->scratch, site->message, sizeof site->message);
    if (!status && f->place == RK_NO_PLACE && !(status = bring(site, unit))) {
        f->place = rk_scratch_take(&site->scratch, f->size);
        status = rk_scratch_write(&site->scratch, f->place, f->encoded, f->size, site->message,
                                  sizeof site->message);
        site->written += status ? 0 : f->size;
    }
    if (status) {
        if (f->place != RK_NO_PLACE)
            rk_scratch_give(&site->scratch, f->place, f->size);
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

int rk_site_load(rk_site *site, uint32_t unit)
{
    form *f = &site->forms[unit];
    if (f->place == RK_NO_PLACE)
        return RASK_ENOENT;
    int status = bring(site, unit);
    if (!status) {
        rk_pack_in in = {f->encoded, f->encoded + f->size, false};
        status = rk_pack_get_value(&in, rk_site_result(site, unit), site->message, sizeof site->message);
    }
    if (status) {
        rk_site_drop(site, unit);
        return status;
    }
    site->read += f->size;
    rk_store_relaxed(&site->run.uses[last_of(site, unit)], UINT32_MAX / 2);
    rk_free(f->encoded);
    f->encoded = NULL;
    return RASK_OK;
}

const char *rk_site_disk_message(const rk_site *site)
{
    return site->message;
}

void rk_site_disk_bytes(const rk_site *site, uint64_t *written, uint64_t *read)
{
    *written = site->written;
    *read = site->read;
}
