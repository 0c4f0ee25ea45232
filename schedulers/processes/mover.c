#include "schedulers/processes/mover.h"

#include "core/base/clock.h"

#include <stdio.h>
#include <string.h>

void rk_mover_init(rk_mover *mover, const char *folder, const rk_watch *watch)
{
    memset(mover, 0, sizeof *mover);
    rk_scratch_init(&mover->scratch, folder);
    pthread_mutex_init(&mover->lock, NULL);
    pthread_cond_init(&mover->work, NULL);
    mover->last = &mover->first;
    mover->watch = watch;
}

/* An extent's place in the file is one more than noted: 0 says that it is in memory. */
static int put_away(rk_mover *mover, void *content, char *message, size_t capacity)
{
    rk_extent *extent = rk_extent_of(content);
    uint64_t bytes = rk_extent_content(extent), place = rk_scratch_take(&mover->scratch, bytes);
    int status = rk_scratch_write(&mover->scratch, place, content, bytes, message, capacity);
    if (status) {
        rk_scratch_give(&mover->scratch, place, bytes);
        return status;
    }
    extent->scratch = place + 1;
    rk_add_relaxed(&mover->on_disk, bytes);
    return RASK_OK;
}

/* All or nothing: pages go only when everything is written. */
static int spill(rk_mover *mover, rk_move *move, char *message, size_t capacity)
{
    int status = rk_scratch_open(&mover->scratch, message, capacity);
    for (uint64_t i = 0; i < move->count && !status; i++)
        status = put_away(mover, move->extents[i], message, capacity);
    for (uint64_t i = 0; i < move->count; i++) {
        rk_extent *extent = rk_extent_of(move->extents[i]);
        if (!extent->scratch)
            continue;
        if (status) {
            rk_mover_forget(mover, move->extents[i]);
        } else {
            move->bytes += extent->held;
            rk_region_discard(move->extents[i], extent->bytes);
        }
    }
    return status;
}

static int bring_back(rk_mover *mover, rk_move *move, char *message, size_t capacity)
{
    int status = RASK_OK;
    for (uint64_t i = 0; i < move->count && !status; i++) {
        rk_extent *extent = rk_extent_of(move->extents[i]);
        status = rk_scratch_read(&mover->scratch, extent->scratch - 1, move->extents[i],
                                 rk_extent_content(extent), message, capacity);
        move->bytes += extent->held;
    }
    for (uint64_t i = 0; i < move->count; i++) {
        rk_extent *extent = rk_extent_of(move->extents[i]);
        if (!status)
            rk_mover_forget(mover, move->extents[i]);
        else
            rk_region_discard(move->extents[i], extent->bytes);
    }
    return status;
}

void rk_mover_forget(rk_mover *mover, void *content)
{
    rk_extent *extent = rk_extent_of(content);
    uint64_t bytes = rk_extent_content(extent);
    if (extent->scratch) {
        rk_scratch_give(&mover->scratch, extent->scratch - 1, bytes);
        rk_sub_relaxed(&mover->on_disk, bytes);
    }
    extent->scratch = 0;
}

static rk_move *next_move(rk_mover *mover)
{
    while (!mover->first && !mover->ending)
        pthread_cond_wait(&mover->work, &mover->lock);
    rk_move *move = mover->first;
    if (move && !(mover->first = move->next))
        mover->last = &mover->first;
    return move;
}

static void *move_all(void *context)
{
    rk_mover *mover = context;
    rk_move *move;
    pthread_mutex_lock(&mover->lock);
    while ((move = next_move(mover))) {
        char message[sizeof mover->message];
        pthread_mutex_unlock(&mover->lock);
        move->start_ns = rk_clock_now();
        move->status = move->back ? bring_back(mover, move, message, sizeof message)
                                  : spill(mover, move, message, sizeof message);
        move->end_ns = rk_clock_now();
        pthread_mutex_lock(&mover->lock);
        if (move->status && !*mover->message)
            memcpy(mover->message, message, sizeof message);
        if (!move->status)
            *(move->back ? &mover->read : &mover->written) += move->bytes;
        move->next = mover->done;
        mover->done = move;
        rk_watch_ring(mover->watch);
    }
    pthread_mutex_unlock(&mover->lock);
    return NULL;
}

int rk_mover_move(rk_mover *mover, rk_move *move)
{
    pthread_mutex_lock(&mover->lock);
    if (!mover->started)
        mover->started = !pthread_create(&mover->thread, NULL, move_all, mover);
    bool started = mover->started;
    if (started) {
        *mover->last = move;
        mover->last = &move->next;
        pthread_cond_signal(&mover->work);
    }
    pthread_mutex_unlock(&mover->lock);
    return started ? RASK_OK : RASK_ENOMEM;
}

rk_move *rk_mover_next_done(rk_mover *mover)
{
    pthread_mutex_lock(&mover->lock);
    rk_move *move = mover->done;
    if (move)
        mover->done = move->next;
    pthread_mutex_unlock(&mover->lock);
    return move;
}

void rk_mover_fini(rk_mover *mover)
{
    pthread_mutex_lock(&mover->lock);
    mover->ending = true;
    pthread_cond_signal(&mover->work);
    pthread_mutex_unlock(&mover->lock);
    if (mover->started)
        pthread_join(mover->thread, NULL);
    rk_move *move;
    while ((move = rk_mover_next_done(mover)))
        rk_free(move);
    rk_scratch_fini(&mover->scratch);
    pthread_cond_destroy(&mover->work);
    pthread_mutex_destroy(&mover->lock);
}
