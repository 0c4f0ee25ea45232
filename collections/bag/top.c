/* The first records of an order. A state keeps up to twice as many as are wanted, then those that are first among them;
 * records that come behind the last of these are not kept at all. */
#include "collections/bag/reduction.h"
#include "core/base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { SLACK = 64 };

typedef struct top {
    rk_bag_builder records;
    bool
        full; /* the first of them, as many as are wanted, came out of a choice: the last of these is a bound */
} top;

/* By the last field, the largest first and nothing last; then by the others, from the first on. */
static int compare_default(const rask_record *a, const rask_record *b)
{
    uint32_t last = a->count - 1;
    const rask_item *x = &a->items[last], *y = &b->items[last];
    bool nothing = x->type == 'n' || y->type == 'n';
    int order = nothing ? rk_item_compare(x, y) : rk_item_compare(y, x);
    return order ? order : rk_record_compare(a, b, last);
}

static int compare(const rk_bag_reduction *r, const rask_record *a, const rask_record *b)
{
    return r->compare ? r->compare(a, b, r->context) : compare_default(a, b);
}

/* What sorting needs: qsort_r() may call malloc() and is not stable, so that places decide what is equal. */
typedef struct ranking {
    const rk_bag_reduction *reduction;
    rk_bag_chunk records;
} ranking;

static bool comes_before(const ranking *r, uint64_t a, uint64_t b)
{
    rask_record x, y;
    rk_bag_chunk_get(&r->records, a, &x);
    rk_bag_chunk_get(&r->records, b, &y);
    int order = compare(r->reduction, &x, &y);
    return order ? order < 0 : a < b;
}

/* Makes place i the root of a heap whose children are heaps: whatever comes last is on top. */
static void sift(const ranking *r, uint64_t *places, uint64_t i, uint64_t count)
{
    for (uint64_t child = 2 * i + 1; child < count; i = child, child = 2 * i + 1) {
        if (child + 1 < count && comes_before(r, places[child], places[child + 1]))
            child++;
        if (!comes_before(r, places[i], places[child]))
            return;
        uint64_t swap = places[i];
        places[i] = places[child];
        places[child] = swap;
    }
}

static void sort_places(const ranking *r, uint64_t *places, uint64_t count)
{
    for (uint64_t i = count / 2; i-- > 0;)
        sift(r, places, i, count);
    for (uint64_t n = count; n-- > 1;) {
        uint64_t swap = places[0];
        places[0] = places[n];
        places[n] = swap;
        sift(r, places, 0, n);
    }
}

static int copy_places(const ranking *r, const uint64_t *places, uint64_t count, rk_bag_builder *to)
{
    int status = RASK_OK;
    for (uint64_t i = 0; i < count && !status; i++) {
        rask_record record;
        rk_bag_chunk_get(&r->records, places[i], &record);
        status = rk_bag_builder_add(to, &record);
    }
    return status;
}

/* The first records, in order, and no others. */
static int choose(const rk_bag_state *state)
{
    top *t = state->own;
    rk_bag_builder chosen;
    ranking r = {.reduction = state->reduction};
    uint64_t count = t->records.count, limit = state->reduction->limit;
    uint64_t *places = rk_alloc_array(count + 1, sizeof *places);
    if (!places)
        return RASK_ENOMEM;
    for (uint64_t i = 0; i < count; i++)
        places[i] = i;
    rk_bag_builder_view(&t->records, &r.records);
    sort_places(&r, places, count);
    count = count < limit ? count : limit;
    rk_bag_builder_init(&chosen, &t->records.shape);
    int status = copy_places(&r, places, count, &chosen);
    rk_free(places);
    if (status) {
        rk_bag_builder_fini(&chosen);
        return status;
    }
    rk_bag_builder_fini(&t->records);
    t->records = chosen;
    t->full = count == limit;
    return RASK_OK;
}

static int top_init(rk_bag_state *state)
{
    rk_bag_builder_init(&((top *)state->own)->records, &state->reduction->in);
    return RASK_OK;
}

static void top_fini(rk_bag_state *state)
{
    rk_bag_builder_fini(&((top *)state->own)->records);
}

static int top_add(rk_bag_state *state, const rask_record *record)
{
    top *t = state->own;
    uint64_t limit = state->reduction->limit;
    if (limit == 0)
        return RASK_OK;
    if (t->full) {
        rask_record last;
        rk_bag_builder_get(&t->records, limit - 1, &last);
        if (compare(state->reduction, record, &last) >= 0)
            return RASK_OK;
    }
    int status = rk_bag_builder_add(&t->records, record);
    bool many = t->records.count - limit < UINT64_MAX / 2 && t->records.count - limit >= limit + SLACK;
    return !status && many ? choose(state) : status;
}

static int top_pack(rk_bag_state *state, uint32_t ranges, rask_value *values)
{
    int status = choose(state);
    (void)ranges;
    return status ? status : rk_bag_builder_value(&((top *)state->own)->records, values);
}

static int top_take(rk_bag_state *state, rask_bytes packed)
{
    rk_bag_chunk chunk;
    int status = RASK_OK;
    rk_bag_chunk_open(&chunk, packed);
    for (uint64_t i = 0; i < chunk.count && !status; i++) {
        rask_record record;
        rk_bag_chunk_get(&chunk, i, &record);
        status = top_add(state, &record);
    }
    return status;
}

static int top_finish(rk_bag_state *state, rk_bag_builder *records)
{
    top *t = state->own;
    int status = choose(state);
    if (status)
        return status;
    rk_bag_builder_fini(records);
    *records = t->records;
    rk_bag_builder_init(&t->records, &state->reduction->in);
    return RASK_OK;
}

const rk_bag_reduction_class rk_bag_reduce_top = {.name = "topk",
                                                  .size = sizeof(top),
                                                  .init = top_init,
                                                  .fini = top_fini,
                                                  .add = top_add,
                                                  .pack = top_pack,
                                                  .take = top_take,
                                                  .finish = top_finish};
