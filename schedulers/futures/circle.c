/* Circles of futures that wait for each other.
 *
 * A walk goes depth first from futures to those that they wait for, each once, with references to all that it has seen. Who comes back
 * to one on its way has found a circle. What a walk sees changes meanwhile; but what is on a circle does not change any more, and
 * each edge is there before who made it looks, so that who made the last one sees it. */
#include "schedulers/futures/circle.h"

#include "core/base/print.h"
#include "schedulers/futures/executor.h"

#include <assert.h>

enum { FAR = 64, MANY = 1024, PART = 8, NONE = UINT32_MAX };

/* A future that was seen. */
typedef struct seen {
    rask_future *future; /* referenced */
    uint32_t next, end;  /* of what it waits for, what is to be looked at: numbers in walk.ahead */
    uint32_t before;     /* on the way to it: a number in walk.all; NONE: the way begins here */
    bool entered, on_way;
} seen;

typedef struct walk {
    rk_array all;      /* seen */
    rk_array ahead;    /* rask_future *, referenced: what those that were entered wait for */
    uint32_t *buckets; /* one more than numbers in all; 0: empty */
    uint32_t mask;
    uint32_t now; /* the end of the way */
    bool failed;  /* no memory */
} walk;

/* -- What was seen */

static seen *at(const walk *w, uint32_t number)
{
    seen *all = w->all.data;
    assert(all && number < w->all.count);
    return &all[number];
}

static uint32_t *bucket_of(const walk *w, const rask_future *future)
{
    uint32_t place = (uint32_t)(((uintptr_t)future >> 4) * 2654435761u) & w->mask;
    while (w->buckets[place] && at(w, w->buckets[place] - 1)->future != future)
        place = (place + 1) & w->mask;
    return &w->buckets[place];
}

static bool widen(walk *w)
{
    uint32_t *before = w->buckets, size = w->buckets ? 2 * (w->mask + 1) : 4 * FAR;
    uint32_t *wider = rk_calloc(size, sizeof *wider);
    if (!wider)
        return false;
    w->buckets = wider;
    w->mask = size - 1;
    for (uint32_t i = 0; i < w->all.count; i++)
        *bucket_of(w, at(w, i)->future) = i + 1;
    rk_free(before);
    return true;
}

/* Its number; NONE: no memory. */
static uint32_t see(walk *w, rask_future *future)
{
    if (2 * w->all.count >= (w->buckets ? w->mask : 0) && !widen(w))
        return NONE;
    uint32_t *bucket = bucket_of(w, future);
    if (*bucket)
        return *bucket - 1;
    seen *s = rk_array_push(&w->all);
    if (!s)
        return NONE;
    *s = (seen){.future = rask_future_ref(future), .before = NONE};
    *bucket = (uint32_t)w->all.count;
    return *bucket - 1;
}

/* -- What it waits for */

static void note(walk *w, rask_future *from)
{
    rask_future **place = from ? rk_array_push(&w->ahead) : NULL;
    if (place)
        *place = rask_future_ref(from);
    w->failed |= from && !place;
}

static void note_edges(walk *w, rask_future *future)
{
    bool free = false;
    while (!rk_cas_seq_cst(&future->searched, &free, true)) {
        free = false;
        rk_relax();
    }
    if (rk_load_seq_cst(&future->state) == RK_FUTURE_WAITING)
        for (uint32_t i = 0; i < future->edge_count; i++)
            note(w, rk_future_edges(future)[i].from);
    rk_store_release(&future->searched, false);
}

static void note_grown(walk *w, const rask_future *future)
{
    pthread_mutex_lock(&future->executor->lock);
    if (rk_load_seq_cst(&future->state) == RK_FUTURE_GROWN)
        note(w, future->grown->from);
    pthread_mutex_unlock(&future->executor->lock);
}

static void enter(walk *w, uint32_t number, uint32_t before)
{
    seen *s = at(w, number);
    uint32_t state = rk_load_seq_cst(&s->future->state);
    s->entered = s->on_way = true;
    s->before = before;
    s->next = (uint32_t)w->ahead.count;
    if (state == RK_FUTURE_WAITING)
        note_edges(w, s->future);
    else if (state == RK_FUTURE_GROWN)
        note_grown(w, s->future);
    s->end = (uint32_t)w->ahead.count;
    w->now = number;
}

/* -- The walk */

/* One step. True: the way has come back to *number, which is on it. */
static bool step(walk *w, uint32_t *number)
{
    seen *s = at(w, w->now);
    if (s->next == s->end) {
        s->on_way = false;
        w->now = s->before;
        return false;
    }
    uint32_t next = see(w, ((rask_future **)w->ahead.data)[s->next++]);
    w->failed |= next == NONE;
    if (w->failed)
        return false;
    const seen *n = at(w, next);
    *number = next;
    if (n->entered)
        return n->on_way;
    enter(w, next, w->now);
    return false;
}

/* From the future on: the number of one to which its way came back; NONE: of none, or there was no memory. *far: it has not come to an
 * end after seeing so many; 0: any number. */
static uint32_t go(walk *w, rask_future *future, size_t most, bool *far)
{
    uint32_t number = see(w, future);
    *far = false;
    if (number == NONE || at(w, number)->entered)
        return NONE;
    enter(w, number, NONE);
    while (w->now != NONE && !w->failed) {
        if (step(w, &number))
            return number;
        if (most && w->all.count > most) {
            *far = true;
            break;
        }
    }
    return NONE;
}

static walk begin_walk(void)
{
    return (walk){.all = RK_ARRAY(seen, UINT32_MAX / 4), .ahead = RK_ARRAY(rask_future *, UINT32_MAX / 2)};
}

static void end_walk(walk *w)
{
    for (size_t i = 0; i < w->all.count; i++)
        rask_future_unref(at(w, (uint32_t)i)->future);
    for (size_t i = 0; i < w->ahead.count; i++)
        rask_future_unref(((rask_future **)w->ahead.data)[i]);
    rk_array_fini(&w->all);
    rk_array_fini(&w->ahead);
    rk_free(w->buckets);
}

/* -- What is said of it */

/* From the end of the way back to number: names, the other way round. Begins and ends with the one that fails. */
static void say(const walk *w, uint32_t number, uint32_t fails, rk_print *out)
{
    uint32_t count = 1, from = 0, *circle;
    for (uint32_t i = w->now; i != number; i = at(w, i)->before)
        count++;
    rk_print_add(out, "it waits for itself: ");
    if (!(circle = rk_alloc_array(count, sizeof *circle))) {
        rk_print_add(out, "%s, with %u others", at(w, fails)->future->def->name, count - 1);
        return;
    }
    for (uint32_t i = count, node = w->now; i--; node = at(w, node)->before) {
        circle[i] = node;
        from = node == fails ? i : from;
    }
    for (uint32_t i = 0; i < count && i < RK_MAX_CHAIN; i++)
        rk_print_add(out, "%s -> ", at(w, circle[(from + i) % count])->future->def->name);
    if (count > RK_MAX_CHAIN)
        rk_print_add(out, "… (%u more) -> ", count - RK_MAX_CHAIN);
    rk_print_add(out, "%s", at(w, fails)->future->def->name);
    rk_free(circle);
}

/* One on the circle that stands for another: the last that did, as far as that is known. */
static uint32_t choose(const walk *w, uint32_t number)
{
    uint32_t node = w->now, found = NONE;
    for (bool more = true; more; node = at(w, node)->before) {
        if (rk_load_relaxed(&at(w, node)->future->state) == RK_FUTURE_GROWN)
            found = node;
        more = node != number;
    }
    return found;
}

static void fail(const walk *w, uint32_t number, uint32_t fails, rk_endings *endings)
{
    char message[RK_MAX_MESSAGE + 1] = "";
    rk_print out = {message, sizeof message, 0};
    if (fails == NONE)
        return; /* somebody has broken it meanwhile */
    say(w, number, fails, &out);
    rk_future_fail(at(w, fails)->future, RK_FUTURE_GROWN, RASK_ECYCLE, message, NULL, endings);
}

/* -- Those in doubt */

void rk_circles_init(rk_circles *circles)
{
    *circles = (rk_circles){.doubtful = RK_ARRAY(rask_future *, UINT32_MAX), .many = MANY};
    pthread_mutex_init(&circles->lock, NULL);
}

void rk_circles_fini(rk_circles *circles)
{
    assert(!circles->doubtful.count);
    rk_array_fini(&circles->doubtful);
    pthread_mutex_destroy(&circles->lock);
}

/* All of them, the caller's from here on. */
static rk_array take_all(rk_circles *circles)
{
    pthread_mutex_lock(&circles->lock);
    rk_array taken = circles->doubtful;
    circles->doubtful = (rk_array)RK_ARRAY(rask_future *, UINT32_MAX);
    rk_store_relaxed(&circles->count, 0);
    pthread_mutex_unlock(&circles->lock);
    return taken;
}

static void let_go(rk_array *futures)
{
    for (size_t i = 0; i < futures->count; i++)
        rask_future_unref(((rask_future **)futures->data)[i]);
    rk_array_fini(futures);
}

void rk_circles_settle(rk_circles *circles)
{
    rk_array taken = take_all(circles);
    rk_endings endings = {0};
    walk w = begin_walk();
    bool far;
    for (size_t i = 0; i < taken.count && !w.failed;) {
        uint32_t number = go(&w, ((rask_future **)taken.data)[i], 0, &far);
        if (number == NONE) {
            i++;
            continue;
        }
        fail(&w, number, choose(&w, number), &endings);
        rk_futures_end(&endings);
        endings = (rk_endings){0};
        end_walk(&w); /* there may be more by way of what was seen */
        w = begin_walk();
    }
    pthread_mutex_lock(&circles->lock);
    circles->many = w.all.count / PART > MANY ? w.all.count / PART : MANY;
    pthread_mutex_unlock(&circles->lock);
    end_walk(&w);
    let_go(&taken);
}

/* True: there are many by now. Without memory it is not remembered. */
static bool remember(rk_circles *circles, rask_future *future)
{
    pthread_mutex_lock(&circles->lock);
    rask_future **place = circles->closed ? NULL : rk_array_push(&circles->doubtful);
    if (place)
        *place = rask_future_ref(future);
    rk_store_relaxed(&circles->count, (uint32_t)circles->doubtful.count);
    bool many = circles->doubtful.count >= circles->many;
    pthread_mutex_unlock(&circles->lock);
    return many;
}

void rk_circle_look(rk_circles *circles, rask_future *future, rk_endings *endings)
{
    bool far;
    walk w = begin_walk();
    uint32_t number = go(&w, future, FAR, &far);
    if (number != NONE)
        fail(&w, number, number == 0 ? 0 : choose(&w, number), endings);
    end_walk(&w);
    if (far && remember(circles, future))
        rk_circles_settle(circles);
}

void rk_circles_close(rk_circles *circles)
{
    pthread_mutex_lock(&circles->lock);
    circles->closed = true;
    pthread_mutex_unlock(&circles->lock);
    rk_array taken = take_all(circles);
    let_go(&taken);
}
