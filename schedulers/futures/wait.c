/* What a program does with futures: wait, read, cancel, be told. */
#include "schedulers/futures/client.h"

#include "core/base/clock.h"
#include "core/base/print.h"
#include "core/plan/plan.h"

#include <string.h>

uint64_t rk_deadline_in(double seconds)
{
    return seconds < 0 || seconds >= 9e9 ? 0 : rk_clock_now() + (uint64_t)(seconds * 1e9);
}

bool rask_future_done(const rask_future *future)
{
    return !future || rk_future_is_done(future);
}

int rask_future_wait(rask_future *future, double seconds)
{
    if (!future)
        return RASK_OK;
    return rk_executor_wait(future->executor, future, rk_deadline_in(seconds)) ? RASK_OK : RASK_ETIMEDOUT;
}

int rask_future_result(rask_future *future, rask_value *value)
{
    if (!future)
        return RASK_ENOMEM;
    rk_executor_wait(future->executor, future, 0);
    if (!future->status && value)
        *value = rask_value_ref(&future->result);
    return future->status;
}

int rask_future_out(rask_future *future, rask_out_kind kind, void *out)
{
    rask_value value;
    int status = out ? rask_future_result(future, &value) : RASK_EINVAL;
    if (status)
        return status;
    status = rk_out_put(&value, kind, out);
    rask_value_unref(&value);
    return status;
}

/* -- Errors */

/* The one that failed first. */
static const rask_future *origin_of(const rask_future *future)
{
    while (future->cause)
        future = future->cause;
    return future;
}

static void add_origin(rk_print *out, const rask_future *origin)
{
    const char *message = origin->message ? origin->message : rask_status_text(origin->status);
    if (origin->flags & RK_FUTURE_NO_TASK) {
        rk_print_add(out, "%s", message);
        return;
    }
    rk_print_add(out, "task %s (node %u", origin->def->name, origin->node);
    if (origin->file)
        rk_print_add(out, ", %s:%d", origin->file, origin->line);
    rk_print_add(out, "): %s", message);
}

/* From who needed the first to fail, to this one: the causes the other way round. */
static void add_chain(rk_print *out, const rask_future *future)
{
    const rask_future *last[RK_MAX_CHAIN];
    size_t count = 0;
    for (; future->cause; future = future->cause)
        last[count++ % RK_MAX_CHAIN] = future;
    for (size_t i = 0; i < count && i < RK_MAX_CHAIN; i++)
        rk_print_add(out, i ? " < %s" : "; needed by %s", last[(count - 1 - i) % RK_MAX_CHAIN]->def->name);
    if (count > RK_MAX_CHAIN)
        rk_print_add(out, " < … (%zu more)", count - RK_MAX_CHAIN);
}

const char *rask_future_error(rask_future *future)
{
    if (!future)
        return rask_status_text(RASK_ENOMEM);
    rk_executor_wait(future->executor, future, 0);
    const char *known = rk_load_acquire(&future->text);
    if (!future->status || known)
        return known ? known : "";
    char text[RK_MAX_ERROR] = "";
    rk_print out = {text, sizeof text, 0};
    add_origin(&out, origin_of(future));
    add_chain(&out, future);
    char *made = rk_strndup(text, strnlen(text, sizeof text)), *none = NULL;
    if (!made)
        return rask_status_text(future->status);
    if (!rk_cas_acq_rel(&future->text, &none, made))
        rk_free(made);
    return rk_load_acquire(&future->text);
}

/* -- Cancelling */

static bool take_one(rk_atomic_u32 *count)
{
    uint32_t seen = rk_load_relaxed(count);
    while (seen)
        if (rk_cas_acq_rel(count, &seen, seen - 1))
            return true;
    return false;
}

bool rask_future_cancel(rask_future *future)
{
    rk_endings endings = {NULL};
    if (!future || rk_future_is_done(future) || !take_one(&future->handles))
        return false;
    rk_future_unwant(future, &endings);
    bool ended = !rk_load_acquire(&future->wants) && rk_load_acquire(&future->reason) != RK_FUTURE_TOO_LATE;
    rk_futures_end(&endings);
    return ended;
}

/* -- Being told */

int rask_future_on_done(rask_future *future, void (*call)(void *context, rask_future *future), void *context)
{
    if (!future || !call)
        return future ? RASK_EINVAL : RASK_ENOMEM;
    rk_waiter *waiter = rk_alloc(sizeof *waiter);
    if (!waiter)
        return RASK_ENOMEM;
    *waiter = (rk_waiter){.call = call, .context = context};
    if (!rk_future_add_waiter(future, waiter)) {
        rk_free(waiter);
        rk_executor_wait(future->executor, future, 0);
        call(context, future);
    }
    return RASK_OK;
}

int rask_wait_all(rask_future *const *futures, size_t count, double seconds)
{
    uint64_t deadline_ns = rk_deadline_in(seconds);
    for (size_t i = 0; i < count; i++)
        if (futures[i] && !rk_executor_wait(futures[i]->executor, futures[i], deadline_ns))
            return RASK_ETIMEDOUT;
    return RASK_OK;
}

/* -- As they complete. Futures tell it by calls that may come when it is gone: each holds a reference. */

typedef struct told_of {
    struct told_of *next;
    rask_completion *completion;
    size_t number;
} told_of;

struct rask_completion {
    rk_atomic_u32 refs;
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t count, given;
    told_of *first, *last;
    rk_executor *executor; /* of all; NULL: there are none */
    told_of all[];
};

static void completion_unref(rask_completion *c)
{
    if (rk_sub_acq_rel(&c->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->more);
    rk_executor_unref(c->executor);
    rk_free(c);
}

static void note(void *context, rask_future *future)
{
    told_of *told = context;
    rask_completion *c = told->completion;
    (void)future;
    pthread_mutex_lock(&c->lock);
    *(c->first ? &c->last->next : &c->first) = told;
    c->last = told;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    completion_unref(c);
}

rask_completion *rask_as_completed(rask_future *const *futures, size_t count)
{
    rask_completion *c =
        count < SIZE_MAX / sizeof(told_of) - 2 ? rk_calloc(1, sizeof *c + count * sizeof *c->all) : NULL;
    if (!c)
        return NULL;
    rk_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    rk_cond_init(&c->more);
    c->count = count;
    for (size_t i = 0; i < count; i++) {
        c->all[i] = (told_of){.completion = c, .number = i};
        rk_add_relaxed(&c->refs, 1);
        if (futures[i] && !c->executor)
            c->executor = rk_executor_ref(futures[i]->executor);
        if (rask_future_on_done(futures[i], note, &c->all[i]))
            note(&c->all[i],
                 NULL); /* no future: as done as it will be; no memory: whoever looks waits for it */
    }
    return c;
}

static size_t take_told(rask_completion *c, uint64_t deadline_ns)
{
    uint32_t worker = c->executor ? rk_executor_worker(c->executor) : RK_NO_WORKER;
    pthread_mutex_lock(&c->lock);
    while (!c->first && (!deadline_ns || rk_clock_now() < deadline_ns)) {
        pthread_mutex_unlock(&c->lock);
        bool ran = worker != RK_NO_WORKER && rk_executor_run_one(c->executor, worker);
        pthread_mutex_lock(&c->lock);
        if (!ran && !c->first)
            rk_cond_wait_until(&c->more, &c->lock, deadline_ns, worker != RK_NO_WORKER);
    }
    told_of *told = c->first;
    if (told)
        c->first = told->next;
    pthread_mutex_unlock(&c->lock);
    return told ? told->number : c->count;
}

size_t rask_completion_next(rask_completion *c)
{
    if (!c)
        return 0;
    if (c->given == c->count)
        return c->count;
    c->given++;
    return take_told(c, 0);
}

void rask_completion_free(rask_completion *c)
{
    if (c)
        completion_unref(c);
}

size_t rask_wait_any(rask_future *const *futures, size_t count, double seconds)
{
    uint64_t deadline_ns = rk_deadline_in(seconds);
    for (size_t i = 0; i < count; i++)
        if (rask_future_done(futures[i]))
            return i;
    rask_completion *c = count ? rask_as_completed(futures, count) : NULL;
    if (!c)
        return count;
    size_t number = take_told(c, deadline_ns);
    completion_unref(c);
    return number;
}
