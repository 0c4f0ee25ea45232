#include "schedulers/cluster/grown.h"

#include "core/base/clock.h"
#include "schedulers/cluster/conduct.h"

#include <pthread.h>
#include <string.h>

/* -- Names */

enum { MOST_NAMES = 4096, MOST_NAME = 256 };

static struct {
    pthread_mutex_t lock;
    char *all[MOST_NAMES]; /* by their bytes, in the first place that was free */
    uint32_t count;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint32_t place_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % MOST_NAMES;
}

/* Under the lock. Three quarters of the places are used at most; NULL: they are, or there is no memory. */
static const char *find_name(const char *name)
{
    uint32_t at = place_of(name);
    for (; names.all[at]; at = (at + 1) % MOST_NAMES)
        if (!strcmp(names.all[at], name))
            return names.all[at];
    if (names.count >= MOST_NAMES / 4 * 3 || !(names.all[at] = rk_strndup(name, strlen(name))))
        return NULL;
    names.count++;
    return names.all[at];
}

static const char *keep_name(rask_bytes word)
{
    char name[MOST_NAME];
    rk_word_copy(name, sizeof name, word);
    pthread_mutex_lock(&names.lock);
    const char *kept = find_name(name);
    pthread_mutex_unlock(&names.lock);
    return kept ? kept : "a task that grew";
}

/* -- Telling */

rk_message rk_grown_message(const rk_grown_news *news)
{
    const rask_task_info *info = &news->info;
    uint64_t now = rk_clock_now(), last_ns = news->event == RK_GROWN_BEGAN ? info->start_ns : info->end_ns;
    return (rk_message){.kind = RK_SAY_TOLD_GROWN,
                        .unit = info->node,
                        .task = info->grown_by,
                        .attempt = info->attempt,
                        .status = (uint32_t)info->status,
                        .worker = info->worker,
                        .bytes = info->bytes,
                        .size = info->ready_ns ? info->start_ns - info->ready_ns : 0,
                        .duration = last_ns - info->start_ns,
                        .age = now - last_ns,
                        .flag = (uint8_t)(news->event | (news->begun ? RK_GROWN_WAS_TOLD : 0)),
                        .text = rk_word(info->message ? info->message : ""),
                        .program = rk_word(info->name)};
}

/* One of the threads that the worker has for this run. */
static bool is_of_home(const rk_conduct *c, uint32_t home, const rk_message *m)
{
    const rk_hand *hand = &c->hands[home];
    return m->worker >= hand->first && m->worker - hand->first < hand->numbers;
}

static uint64_t before(uint64_t ns, uint64_t span_ns)
{
    return ns > span_ns ? ns - span_ns : 1;
}

void rk_grown_hear(rk_conduct *c, uint32_t home, const rk_message *m)
{
    char text[RK_MAX_MESSAGE + 1];
    uint32_t event = m->flag & ~RK_GROWN_WAS_TOLD;
    uint64_t last_ns = before(c->hub->now, m->age);
    bool origin = m->task < c->run->plan->tasks || m->task == RASK_NO_TASK;
    if (!c->run->observed || event > RK_GROWN_ENDED || !origin || !is_of_home(c, home, m))
        return;
    rk_word_copy(text, sizeof text, m->text);
    rask_task_info info = {.task = RASK_NO_TASK,
                           .node = m->unit,
                           .name = keep_name(m->program),
                           .label = "",
                           .worker = m->worker,
                           .lane = rk_conduct_is_lane(c, home, m->worker),
                           .status = (int)m->status,
                           .attempt = m->attempt,
                           .start_ns = before(last_ns, m->duration),
                           .end_ns = event == RK_GROWN_BEGAN ? 0 : last_ns,
                           .bytes = m->bytes,
                           .grown_by = m->task,
                           .message = m->text.len ? text : NULL};
    info.ready_ns = before(info.start_ns, m->size);
    rk_run_grown(c->run, &info, (rk_grown_event)event, m->flag & RK_GROWN_WAS_TOLD);
}

static void tell_own(void *context, const rk_grown_news *news)
{
    const rk_conduct *c = context;
    rask_task_info info = news->info;
    info.lane = rk_conduct_is_lane(c, 0, info.worker);
    rk_run_grown(c->run, &info, news->event, news->begun);
}

void rk_grown_tell_own(rk_conduct *c)
{
    rk_shop_tell_grown(c->own, tell_own, c);
}

void rk_grown_tell_own_begun(rk_conduct *c)
{
    rk_shop_tell_grown_begun(c->own, tell_own, c);
}
