/* schedulers/futures/several: executors that somebody waits for at once: where nobody works but who waits, each is helped in turn. Used
 * by one thread at a time. */
#ifndef RASK_SCHEDULERS_FUTURES_SEVERAL_H
#define RASK_SCHEDULERS_FUTURES_SEVERAL_H

#include "schedulers/futures/executor.h"

typedef struct rk_several {
    rk_array executors; /* rk_executor *, referenced, each once */
    size_t turn;
} rk_several;

void rk_several_init(rk_several *several);
void rk_several_fini(rk_several *several);

/* The future's; without memory it is not helped. NULL is legal. */
void rk_several_add(rk_several *several, const rask_future *future);
static inline bool rk_several_are(const rk_several *several)
{
    return several->executors.count > 1;
}
/* The first, of which there is one. */
static inline rk_executor *rk_several_first(const rk_several *several)
{
    return several->executors.count ? *(rk_executor **)several->executors.data : NULL;
}

/* As rk_executor_help(), of the next that has something. */
bool rk_several_help(rk_several *several, const rk_awaited *awaited, uint64_t deadline_ns);

#endif
