/* What observers are to be told of calls that grew in a shop, or were lent to it: noted by whoever makes them, and told by the shop's
 * caller. Those that take long are told of before they are over. */
#include "core/base/clock.h"
#include "schedulers/cluster/shop_parts.h"

#include <string.h>

enum { MOST_NOTED = 1 << 20, BEGUN_NS = 20000000 };

void rk_shop_grown_init(rk_shop_grown *grown)
{
    pthread_mutex_init(&grown->lock, NULL);
    grown->running = (rk_array)RK_ARRAY(rk_grown_news, MOST_NOTED);
    grown->told = (rk_array)RK_ARRAY(rk_grown_news, MOST_NOTED);
}

static void end_news(rk_array *all)
{
    rk_grown_news *news = all->data;
    for (size_t i = 0; i < all->count; i++)
        rk_free(news[i].text);
    rk_array_fini(all);
}

void rk_shop_grown_fini(rk_shop_grown *grown)
{
    end_news(&grown->running);
    end_news(&grown->told);
    pthread_mutex_destroy(&grown->lock);
}

void rk_shop_note_grown_start(rk_shop *shop, const rask_task_info *info)
{
    pthread_mutex_lock(&shop->grown.lock);
    rk_grown_news *news = rk_array_push(&shop->grown.running);
    if (news)
        *news = (rk_grown_news){.event = RK_GROWN_BEGAN, .info = *info};
    pthread_mutex_unlock(&shop->grown.lock);
}

/* Under the lock. Whether its beginning has been told of; it runs no more. */
static bool take_running(rk_shop_grown *grown, const rask_task_info *info)
{
    rk_grown_news *all = grown->running.data;
    size_t i = grown->running.count;
    while (i && (all[i - 1].info.worker != info->worker || all[i - 1].info.start_ns != info->start_ns ||
                 all[i - 1].info.node != info->node))
        i--;
    if (!i)
        return false;
    bool begun = all[i - 1].begun;
    all[i - 1] = all[--grown->running.count];
    return begun;
}

void rk_shop_note_grown(rk_shop *shop, const rask_task_info *info, rk_grown_event event)
{
    const char *why = info->status ? info->message : NULL;
    char *text = why ? rk_strndup(why, strlen(why)) : NULL;
    pthread_mutex_lock(&shop->grown.lock);
    bool begun = take_running(&shop->grown, info);
    rk_grown_news *news = rk_array_push(&shop->grown.told);
    if (news)
        *news = (rk_grown_news){.event = event, .begun = begun, .info = *info, .text = text};
    pthread_mutex_unlock(&shop->grown.lock);
    if (!news)
        rk_free(text);
}

void rk_shop_tell_grown(rk_shop *shop, rk_shop_tell_of_grown *tell, void *context)
{
    if (!shop->setup.observed)
        return;
    pthread_mutex_lock(&shop->grown.lock);
    rk_array taken = shop->grown.told;
    shop->grown.told = (rk_array)RK_ARRAY(rk_grown_news, MOST_NOTED);
    pthread_mutex_unlock(&shop->grown.lock);
    rk_grown_news *news = taken.data;
    for (size_t i = 0; i < taken.count; i++) {
        news[i].info.message = news[i].text;
        tell(context, &news[i]);
    }
    end_news(&taken);
}

/* Under the lock: copies of those that have been going on for a while, of which nobody was told. */
static rk_array take_begun(rk_shop_grown *grown)
{
    uint64_t now = rk_clock_now();
    rk_array taken = RK_ARRAY(rk_grown_news, MOST_NOTED);
    rk_grown_news *all = grown->running.data, *copy;
    for (size_t i = 0; i < grown->running.count; i++) {
        if (all[i].begun || now < all[i].info.start_ns + BEGUN_NS || !(copy = rk_array_push(&taken)))
            continue;
        *copy = all[i];
        all[i].begun = true;
    }
    return taken;
}

void rk_shop_tell_grown_begun(rk_shop *shop, rk_shop_tell_of_grown *tell, void *context)
{
    if (!shop->setup.observed)
        return;
    pthread_mutex_lock(&shop->grown.lock);
    rk_array taken = take_begun(&shop->grown);
    pthread_mutex_unlock(&shop->grown.lock);
    const rk_grown_news *news = taken.data;
    for (size_t i = 0; i < taken.count; i++)
        tell(context, &news[i]);
    rk_array_fini(&taken);
}
