/* schedulers/futures/ranking: futures by a key, the least first, and of equal ones who was made first: a binary heap. */
#ifndef RASK_SCHEDULERS_FUTURES_RANKING_H
#define RASK_SCHEDULERS_FUTURES_RANKING_H

#include "schedulers/futures/future.h"

typedef struct rk_ranked {
    int64_t key;
    rask_future *future;
} rk_ranked;

typedef struct rk_ranking {
    rk_array items; /* rk_ranked */
} rk_ranking;

#define RK_RANKING                                                                                           \
    {                                                                                                        \
        RK_ARRAY(rk_ranked, SIZE_MAX / sizeof(rk_ranked))                                                    \
    }

/* False: no memory. */
bool rk_ranking_push(rk_ranking *ranking, int64_t key, rask_future *future);
/* future is NULL when it is empty. */
rk_ranked rk_ranking_first(const rk_ranking *ranking);
rask_future *rk_ranking_pop(rk_ranking *ranking);
/* Takes out all that are done, into out, which has room for as many as there are; how many. */
size_t rk_ranking_take_done(rk_ranking *ranking, rask_future **out);
void rk_ranking_fini(rk_ranking *ranking);

#endif
