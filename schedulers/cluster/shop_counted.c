/* What tasks that grew here take of what is counted: the program counts, and is asked. */
#include "schedulers/cluster/shop_parts.h"
#include "schedulers/futures/executor.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char no_memory[] = "no memory for what it takes";

static rk_shop_permit *permit_of(rk_numbered *numbered)
{
    return (rk_shop_permit *)((char *)numbered - offsetof(rk_shop_permit, numbered));
}

/* Under the lock. */
static void queue_permit(rk_shop *shop, rk_shop_permit *p)
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

static void let_in(rk_shop *shop, rk_admission *admission)
{
    admission->waiter.next = NULL;
    rk_executor_let_in(rk_load_acquire(&shop->run.growth), &admission->waiter);
}

/* Under the lock, and the next too. RASK_ENOMEM: it cannot ask. */
static int link_asked(rk_shop *shop, rk_shop_permit *p, rk_admission *a)
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
    rk_shop_permit *p = a->note;
    rk_numbers_remove(&shop->numbers, &p->numbered);
    p->asked = NULL;
    a->asked = false;
    *(a->previous ? &a->previous->next : &shop->asked) = a->next;
    *(a->next ? &a->next->previous : &shop->last_asked) = a->previous;
}

static rk_shop_permit *permit_new(const rk_admission *a)
{
    rk_shop_permit *p = rk_calloc(1, sizeof *p);
    if (p)
        p->news = (rk_permit_news){.kind = RK_PERMIT_WANTED,
                                   .priority = a->waiter.priority,
                                   .needs = *rk_gate_needs(a->future->executor->gate, a->waiter.class)};
    return p;
}

/* Under the lock. What is not asked for ends. */
static bool asks(rk_shop *shop, rk_admission *a, rk_shop_permit *p)
{
    int status = p ? RASK_OK : RASK_ENOMEM;
    bool stopped = rk_shop_is_stopped(shop);
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
    rk_shop_permit *p = permit_new(a);
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
static void end_permit(rk_shop *shop, rk_shop_permit *p)
{
    p->own = true;
    bool told = p->queued || rk_shop_is_stopped(shop);
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
static void queue_about_unit(const rk_shop_seat *s, rk_shop_permit *p, rk_permit_kind kind)
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
    queue_about_unit(rk_shop_sitting, &rk_shop_sitting->now->rests, RK_PERMIT_RESTS);
    tell_permits(shop);
}

/* The seat waits: its unit has what it took, or cannot have it, or is to end. */
static int resume(void *context, char *message, size_t capacity)
{
    rk_shop *shop = context;
    rk_shop_seat *s = rk_shop_sitting;
    pthread_mutex_lock(&shop->lock);
    s->again.news.number = ++shop->permits_numbered;
    s->answered = false;
    s->denied = RASK_OK;
    queue_about_unit(s, &s->again, RK_PERMIT_AGAIN);
    tell_permits(shop);
    pthread_mutex_lock(&shop->lock);
    while (!s->answered && !rk_shop_is_stopped(shop))
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
        rk_shop_seat *s = &shop->seats[i];
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
    rk_shop_permit *p = a->note;
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

void rk_shop_let_all_in(rk_shop *shop)
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

bool rk_shop_pop_permit(rk_shop *shop, rk_permit_news *news)
{
    rk_shop_permit *p = shop->first_permit;
    if (!p)
        return false;
    shop->first_permit = p->next;
    p->queued = false;
    *news = p->news;
    if (p->own)
        rk_free(p);
    return true;
}

void rk_shop_count(rk_shop *shop)
{
    shop->permits = (rk_permits){shop, ask, give, forget, rest, resume};
    shop->run.counted_elsewhere = true;
    shop->run.permits = &shop->permits;
}

void rk_shop_end_permits(rk_shop *shop)
{
    for (rk_shop_permit *p; (p = shop->first_permit);) {
        shop->first_permit = p->next;
        if (p->own)
            rk_free(p);
    }
    rk_numbers_fini(&shop->numbers);
}
