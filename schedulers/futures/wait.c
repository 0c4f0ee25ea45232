/* What a program does with futures: wait, read, cancel, be told. */
#include "schedulers/futures/client.h"

#include "core/base/clock.h"
#include "core/base/print.h"
#include "core/plan/plan.h"
#include "schedulers/futures/holding.h"
#include "schedulers/futures/several.h"

#include <string.h>

uint64_t rk_deadline_in(double seconds)
{
    return !(seconds >= 0) || seconds >= 9e9 ? 0 : rk_clock_now() + (uint64_t)(seconds * 1e9);
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

/* All that is to be said of it; the first who says it is right. */
static const char *note_text(rask_future *future, const char *text)
{
    char *made = rk_strndup(text, strlen(text)), *none = NULL;
    if (made && !rk_cas_acq_rel(&future->text, &none, made))
        rk_free(made);
    return rk_load_acquire(&future->text);
}

int rask_future_result(rask_future *future, rask_value *value)
{
    char message[RK_MAX_MESSAGE + 1];
    if (!future)
        return RASK_ENOMEM;
    rk_executor_wait(future->executor, future, 0);
    if (future->status || !value)
        return future->status;
    int status = rk_future_read_result(future, value, message);
    if (status)
        note_text(future, message);
    return status;
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
    const char *noted = note_text(future, text);
    return noted ? noted : rask_status_text(future->status);
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
    rk_endings endings = {0};
    if (!future || rk_future_is_done(future) || !take_one(&future->handles))
        return false;
    rk_future_unwant(future, &endings);
    bool ended = !rk_load_acquire(&future->wants) && rk_load_acquire(&future->reason) != RK_FUTURE_TOO_LATE;
    rk_futures_end(&endings);
    return ended;
}

/* -- Being told */

typedef struct program_call {
    rk_waiter waiter;
    void (*call)(void *context, rask_future *future);
    void *context;
} program_call;

static void make_call(rk_waiter *waiter, rask_future *done, rk_endings *endings)
{
    program_call call = *(program_call *)waiter;
    if (endings && endings->ready.first) /* the program may wait for it */
        rk_executor_push_all(done->executor, &endings->ready);
    rk_free(waiter);
    call.call(call.context, done);
}

int rask_future_on_done(rask_future *future, void (*call)(void *context, rask_future *future), void *context)
{
    if (!future || !call)
        return future ? RASK_EINVAL : RASK_ENOMEM;
    program_call *c = rk_alloc(sizeof *c);
    if (!c)
        return RASK_ENOMEM;
    *c = (program_call){.waiter.tell = make_call, .call = call, .context = context};
    if (!rk_future_add_waiter(future, &c->waiter))
        make_call(&c->waiter, future, NULL);
    return RASK_OK;
}

/* Some of several, which are waited for at once. */
typedef struct waiting {
    rask_future *const *futures;
    size_t count;
    size_t done;       /* number of the first that is */
    rk_several others; /* those of all of them, if there is more than one */
} waiting;

static void begin_waiting(waiting *w, rask_future *const *futures, size_t count)
{
    const rk_executor *last = NULL;
    bool mixed = false;
    *w = (waiting){.futures = futures, .count = count};
    rk_several_init(&w->others);
    for (size_t i = 0; i < count && !mixed; i++) {
        mixed = last && futures[i] && futures[i]->executor != last;
        last = futures[i] ? futures[i]->executor : last;
    }
    for (size_t i = 0; i < count && mixed; i++)
        rk_several_add(&w->others, futures[i]);
}

static bool await(waiting *w, rk_executor *executor, rk_awaited awaited, uint64_t deadline_ns)
{
    bool mixed = rk_several_are(&w->others);
    awaited.shortly = mixed;
    awaited.several = mixed ? &w->others : NULL;
    return rk_executor_await(executor, &awaited, deadline_ns);
}

/* The number of the first that is not there in time; as many as there are: all are. */
static size_t await_each(waiting *w, uint64_t deadline_ns)
{
    size_t i = 0;
    for (; i < w->count; i++) {
        rask_future *future = w->futures[i];
        if (future && !await(w, future->executor, rk_awaited_future(future), deadline_ns))
            break;
    }
    return i;
}

int rask_wait_all(rask_future *const *futures, size_t count, double seconds)
{
    waiting w;
    begin_waiting(&w, futures, count);
    size_t there = await_each(&w, rk_deadline_in(seconds));
    rk_several_fini(&w.others);
    return there == count ? RASK_OK : RASK_ETIMEDOUT;
}

static bool is_any_done(void *what)
{
    waiting *w = what;
    for (w->done = 0; w->done < w->count; w->done++)
        if (!w->futures[w->done] || rk_load_seq_cst(&w->futures[w->done]->state) == RK_FUTURE_DONE)
            return true;
    return false;
}

static void watch_all(void *what)
{
    const waiting *w = what;
    for (size_t i = 0; i < w->count; i++)
        rk_store_seq_cst(&w->futures[i]->watched, true);
}

size_t rask_wait_any(rask_future *const *futures, size_t count, double seconds)
{
    waiting w = {.futures = futures, .count = count};
    if (!count || is_any_done(&w))
        return count ? w.done : 0;
    begin_waiting(&w, futures, count);
    rk_awaited awaited = {.holds = is_any_done, .watch = watch_all, .what = &w};
    bool any = await(&w, futures[0]->executor, awaited, rk_deadline_in(seconds));
    rk_several_fini(&w.others);
    return any ? w.done : count;
}
