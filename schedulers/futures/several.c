/* Executors that are helped in turn. */
#include "schedulers/futures/several.h"

enum { MOST = 1 << 16 };

void rk_several_init(rk_several *several)
{
    *several = (rk_several){.executors = RK_ARRAY(rk_executor *, MOST)};
}

void rk_several_fini(rk_several *several)
{
    rk_executor **all = several->executors.data;
    for (size_t i = 0; i < several->executors.count; i++)
        rk_executor_unref(all[i]);
    rk_array_fini(&several->executors);
}

/* Most of them have the last one's. */
static bool is_there(const rk_several *several, const rk_executor *executor)
{
    rk_executor *const *all = several->executors.data;
    size_t i = several->executors.count;
    while (i && all[i - 1] != executor)
        i--;
    return i;
}

void rk_several_add(rk_several *several, const rask_future *future)
{
    if (!future || is_there(several, future->executor))
        return;
    rk_executor **place = rk_array_push(&several->executors);
    if (place)
        *place = rk_executor_ref(future->executor);
}

bool rk_several_help(rk_several *several, const rk_awaited *awaited, uint64_t deadline_ns)
{
    rk_executor *const *all = several->executors.data;
    size_t count = several->executors.count;
    for (size_t i = 0; i < count; i++) {
        rk_executor *e = all[(several->turn + i) % count];
        if (rk_circles_in_doubt(&e->circles))
            rk_circles_settle(&e->circles);
        if (!rk_executor_help(e, awaited, deadline_ns))
            continue;
        several->turn = (several->turn + i + 1) % count;
        return true;
    }
    return false;
}
