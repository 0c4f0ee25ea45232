/* Classes: tasks that the same workers can run, by io, here and tags. */
#include "schedulers/coordinator/state.h"

#include "core/base/alloc.h"

#include <string.h>

static bool same_class(const rk_class *class, const rk_traits *traits)
{
    return class->io == traits->io && class->here == traits->here &&
           class->need_count == traits->need_count &&
           (!traits->need_count ||
            !memcmp(class->needs, traits->needs, traits->need_count * sizeof *traits->needs));
}

/* Room for the seats of one class more. */
static int make_seats(rk_coordinator *c)
{
    uint64_t workers = c->options.most_workers, homes = c->options.most_homes, classes = c->class_count + 1u;
    uint64_t heads = homes * RK_ROOMS * 2;
    rk_seat_link *seats = rk_realloc(c->seats, classes * workers * sizeof *seats);
    if (!seats)
        return RASK_ENOMEM;
    c->seats = seats;
    memset(&seats[c->class_count * workers], 0, workers * sizeof *seats);
    for (uint32_t worker = 0; worker < workers; worker++)
        seats[c->class_count * workers + worker].room = RK_ROOM_NONE;
    uint32_t *all = rk_realloc(c->seat_heads, classes * heads * sizeof *all);
    if (!all)
        return RASK_ENOMEM;
    c->seat_heads = all;
    memset(&all[c->class_count * heads], 0xff, heads * sizeof *all);
    return RASK_OK;
}

static int check_needs(const rk_coordinator *c, const rk_traits *traits)
{
    if (c->class_count == RK_MAX_CLASSES)
        return RASK_ELIMIT;
    if (traits->need_count > RK_MAX_NEEDS)
        return RASK_EINVAL;
    for (uint32_t i = 0; i < traits->need_count; i++)
        if (traits->needs[i].tag >= c->options.tags)
            return RASK_EINVAL;
    return RASK_OK;
}

static int make_sets(const rk_coordinator *c, rk_class *class)
{
    if (!rk_bitmap_init(&class->ready, c->graph.tasks) &&
        !rk_bitmap_init(&class->homes[RK_ROOM_NOW], c->options.most_homes) &&
        !rk_bitmap_init(&class->homes[RK_ROOM_AHEAD], c->options.most_homes) &&
        !rk_heap_reserve(&class->grown, c->number_room - c->graph.tasks))
        return RASK_OK;
    rk_bitmap_fini(&class->ready);
    rk_bitmap_fini(&class->homes[RK_ROOM_NOW]);
    rk_bitmap_fini(&class->homes[RK_ROOM_AHEAD]);
    return RASK_ENOMEM;
}

/* Workers that are there already may run such tasks. */
static void seat_workers(rk_coordinator *c, uint32_t class)
{
    for (uint32_t worker = 0; worker < c->used_workers; worker++) {
        if (c->workers[worker].state == RK_WORKER_GONE)
            continue;
        c->seats[(uint64_t) class * c->options.most_workers + worker].suits =
            rk_co_worker_suits(c, worker, &c->classes[class]);
        rk_co_worker_refresh(c, worker, false);
    }
}

static int class_add(rk_coordinator *c, const rk_traits *traits)
{
    int status = check_needs(c, traits);
    if (status)
        return status;
    rk_class class = {.io = traits->io, .here = traits->here, .need_count = traits->need_count};
    memcpy(class.needs, traits->needs, sizeof class.needs);
    if (make_seats(c) || make_sets(c, &class))
        return RASK_ENOMEM;
    c->classes[c->class_count] = class;
    if (!traits->here && !traits->need_count)
        c->plain[traits->io] = c->class_count;
    seat_workers(c, c->class_count++);
    return RASK_OK;
}

int rk_co_classify(rk_coordinator *c, const rk_traits *traits, uint32_t *class)
{
    uint32_t k = 0;
    while (k < c->class_count && !same_class(&c->classes[k], traits))
        k++;
    int status = k == c->class_count ? class_add(c, traits) : RASK_OK;
    if (!status)
        *class = k;
    return status;
}

uint32_t rk_co_first_loose(const rk_coordinator *c, uint32_t class)
{
    const rk_class *k = &c->classes[class];
    uint32_t task = rk_bitmap_first(&k->ready);
    return k->grown.count ? rk_co_sooner(c, task, k->grown.entries[0].item) : task;
}
