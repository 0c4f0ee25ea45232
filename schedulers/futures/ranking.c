/* A binary heap of futures. */
#include "schedulers/futures/ranking.h"

static bool before(const rk_ranked *a, const rk_ranked *b)
{
    return a->key != b->key ? a->key < b->key : a->future->number < b->future->number;
}

static void swap(rk_ranked *a, rk_ranked *b)
{
    rk_ranked c = *a;
    *a = *b;
    *b = c;
}

static void rise(rk_ranked *items, size_t i)
{
    for (; i && before(&items[i], &items[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&items[i], &items[(i - 1) / 2]);
}

static void sink(rk_ranked *items, size_t count, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && before(&items[child + 1], &items[child]))
            child++;
        if (before(&items[i], &items[child]))
            break;
        swap(&items[i], &items[child]);
    }
}

bool rk_ranking_push(rk_ranking *ranking, int64_t key, rask_future *future)
{
    rk_ranked *last = rk_array_push(&ranking->items);
    if (!last)
        return false;
    *last = (rk_ranked){key, future};
    rise(ranking->items.data, ranking->items.count - 1);
    return true;
}

rk_ranked rk_ranking_first(const rk_ranking *ranking)
{
    return ranking->items.count ? *(const rk_ranked *)ranking->items.data : (rk_ranked){0, NULL};
}

rask_future *rk_ranking_pop(rk_ranking *ranking)
{
    rk_ranked *items = ranking->items.data;
    if (!ranking->items.count)
        return NULL;
    rask_future *future = items[0].future;
    items[0] = items[--ranking->items.count];
    sink(items, ranking->items.count, 0);
    return future;
}

size_t rk_ranking_take_done(rk_ranking *ranking, rask_future **out)
{
    rk_ranked *items = ranking->items.data;
    size_t kept = 0, taken = 0;
    for (size_t i = 0; i < ranking->items.count; i++)
        if (rk_future_is_done(items[i].future))
            out[taken++] = items[i].future;
        else
            items[kept++] = items[i];
    ranking->items.count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sink(items, kept, i);
    return taken;
}

void rk_ranking_fini(rk_ranking *ranking)
{
    rk_array_fini(&ranking->items);
}
