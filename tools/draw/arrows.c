/* Edges between items as arrows between boxes, each once, with their number. */
#include "tools/draw/picture.h"

#include <stdlib.h>

typedef struct collector {
    rk_picture *picture;
    rk_array arrows; /* rk_arrow */
    uint32_t *slots; /* index + 1; 0 is empty */
    size_t slot_count;
    uint32_t last; /* the arrow that was found last: the next edge is often the same */
} collector;

static size_t slot_of(const collector *c, uint32_t from, uint32_t to, bool order_only)
{
    uint64_t key = ((uint64_t)from << 32 | to) * 2 + order_only;
    return (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (c->slot_count - 1);
}

static rk_arrow *arrow_at(const collector *c, uint32_t index)
{
    return (rk_arrow *)c->arrows.data + index;
}

static bool is_arrow(const rk_arrow *arrow, uint32_t from, uint32_t to, bool order_only)
{
    return arrow->from == from && arrow->to == to && arrow->order_only == order_only;
}

static int grow_slots(collector *c)
{
    enum { FIRST_SLOTS = 1024 };
    if (2 * c->arrows.count < c->slot_count)
        return RASK_OK;
    size_t count = c->slot_count ? 2 * c->slot_count : FIRST_SLOTS;
    uint32_t *slots = rk_calloc(count, sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    rk_free(c->slots);
    c->slots = slots;
    c->slot_count = count;
    for (uint32_t i = 0; i < c->arrows.count; i++) {
        const rk_arrow *arrow = arrow_at(c, i);
        size_t at = slot_of(c, arrow->from, arrow->to, arrow->order_only);
        while (slots[at])
            at = (at + 1) & (count - 1);
        slots[at] = i + 1;
    }
    return RASK_OK;
}

/* c->last becomes the arrow, which is made when there was none. */
static int find_arrow(collector *c, uint32_t from, uint32_t to, bool order_only)
{
    if (c->arrows.count && is_arrow(arrow_at(c, c->last), from, to, order_only))
        return RASK_OK;
    int status = grow_slots(c);
    if (status)
        return status;
    size_t at = slot_of(c, from, to, order_only);
    for (; c->slots[at]; at = (at + 1) & (c->slot_count - 1)) {
        c->last = c->slots[at] - 1;
        if (is_arrow(arrow_at(c, c->last), from, to, order_only))
            return RASK_OK;
    }
    status = rk_array_reserve(&c->arrows, 1);
    if (status)
        return status;
    c->last = (uint32_t)c->arrows.count;
    *(rk_arrow *)rk_array_push(&c->arrows) = (rk_arrow){.from = from, .to = to, .order_only = order_only};
    c->slots[at] = c->last + 1;
    return RASK_OK;
}

static int collect(collector *c)
{
    const rk_sketch *sketch = c->picture->sketch;
    const uint32_t *box_of = c->picture->box_of;
    for (uint32_t item = 0; item < sketch->count; item++)
        for (uint32_t e = sketch->pred_start[item]; e < sketch->pred_start[item + 1]; e++) {
            uint32_t from = box_of[sketch->pred[e] & ~RK_ORDER_ONLY], to = box_of[item];
            if (from == to)
                continue;
            int status = find_arrow(c, from, to, sketch->pred[e] & RK_ORDER_ONLY);
            if (status)
                return status;
            arrow_at(c, c->last)->count++;
        }
    return RASK_OK;
}

static int compare_place(const void *a, const void *b)
{
    const rk_arrow *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return (int)x->order_only - (int)y->order_only;
}

static uint32_t reach(const rk_arrow *arrow)
{
    return arrow->from < arrow->to ? arrow->to - arrow->from : arrow->from - arrow->to;
}

/* Needed ones first, then heavy ones, of equal ones the short: boxes are numbered by level. */
static int compare_weight(const void *a, const void *b)
{
    const rk_arrow *x = a, *y = b;
    if (x->needed != y->needed)
        return x->needed ? -1 : 1;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (reach(x) != reach(y))
        return reach(x) < reach(y) ? -1 : 1;
    return compare_place(a, b);
}

/* Of the arrows into each box and of those out of it the first, when they are sorted by weight: so no box
 * that has neighbours stands alone. */
static int find_needed(rk_picture *picture)
{
    bool *into = rk_calloc(picture->box_count, sizeof *into),
         *out_of = rk_calloc(picture->box_count, sizeof *out_of);
    if (into && out_of)
        for (uint32_t i = 0; i < picture->arrow_count; i++) {
            rk_arrow *arrow = &picture->arrows[i];
            arrow->needed = !into[arrow->to] || !out_of[arrow->from];
            into[arrow->to] = out_of[arrow->from] = true;
        }
    bool enough = into && out_of;
    rk_free(into);
    rk_free(out_of);
    return enough ? RASK_OK : RASK_ENOMEM;
}

static int leave_out_light_ones(rk_picture *picture)
{
    uint64_t most = (uint64_t)RK_SYNOPSIS_ARROWS_PER_BOX * picture->box_count;
    if (most < RK_SYNOPSIS_ARROWS)
        most = RK_SYNOPSIS_ARROWS;
    if (!picture->synopsis || picture->arrow_count <= most)
        return RASK_OK;
    qsort(picture->arrows, picture->arrow_count, sizeof *picture->arrows, compare_weight);
    int status = find_needed(picture);
    if (status)
        return status;
    qsort(picture->arrows, picture->arrow_count, sizeof *picture->arrows, compare_weight);
    picture->arrows_left_out = picture->arrow_count - (uint32_t)most;
    picture->arrow_count = (uint32_t)most;
    return RASK_OK;
}

int rk_picture_arrows(rk_picture *picture)
{
    collector c = {.picture = picture, .arrows = RK_ARRAY(rk_arrow, UINT32_MAX - 1)};
    int status = collect(&c);
    rk_free(c.slots);
    picture->arrows = c.arrows.data;
    picture->arrow_count = (uint32_t)c.arrows.count;
    if (status)
        return status;
    for (uint32_t i = 0; i < picture->arrow_count; i++)
        if (!picture->arrows[i].order_only)
            picture->boxes[picture->arrows[i].from].uses += picture->arrows[i].count;
    status = leave_out_light_ones(picture);
    if (picture->arrow_count)
        qsort(picture->arrows, picture->arrow_count, sizeof *picture->arrows, compare_place);
    return status;
}
