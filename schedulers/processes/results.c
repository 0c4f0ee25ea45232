/* Where results are, and how long. */
#include "schedulers/processes/away.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void ref_extent(void *content)
{
    rk_add_relaxed(&rk_extent_of(content)->refs, 1);
}

static void unref_extent(rk_hands *h, void *content)
{
    if (rk_sub_acq_rel(&rk_extent_of(content)->refs, 1) == 1)
        rk_staff_send_freed(h, content);
}

void rk_result_free_note(rk_hands *h, uint64_t address)
{
    if (address)
        rk_staff_send_freed(h, (void *)(uintptr_t)address);
}

/* Extents that are new count with this result, those of its arguments with theirs. *bytes: of the new ones. */
static rk_result *result_new(const rk_parcel *parcel, uint32_t unit, uint64_t *bytes)
{
    rk_result *result = rk_alloc(sizeof *result + (parcel->extents + 1) * sizeof(void *));
    if (!result)
        return NULL;
    *result = (rk_result){.parcel = parcel};
    for (uint64_t i = 0; i <= parcel->extents; i++) {
        void *content = i ? parcel->extent[i - 1] : (void *)parcel;
        rk_extent *extent = rk_extent_of(content);
        if (extent->payer == unit + 1)
            continue; /* it is in there several times */
        if (!rk_load_relaxed(&extent->refs)) {
            extent->payer = unit + 1;
            *bytes += extent->held;
        }
        result->extents[result->count++] = content;
        ref_extent(content);
    }
    return result;
}

int rk_result_accept(rk_hands *h, uint32_t unit, const rk_news *news, uint64_t *bytes)
{
    rask_value *place = &h->crew.places[rk_units_last(&h->units, unit)];
    *bytes = 0;
    if (!news->parcel) {
        *place = news->result;
        return RASK_OK;
    }
    const rk_parcel *parcel = (const rk_parcel *)(uintptr_t)news->parcel;
    if (h->results[unit])
        rk_result_drop(h, unit);
    h->results[unit] = result_new(parcel, unit, bytes);
    if (!h->results[unit])
        return RASK_ENOMEM;
    *place = (rask_value){.type = RK_PLACE_PARCEL, .as.i64 = (int64_t)news->parcel};
    return RASK_OK;
}

/* A result that an extent counted with is gone or away, and others refer to it. */
static void count_alone(rk_hands *h, rk_extent *extent)
{
    extent->payer = 0;
    h->alone += extent->held;
}

static void count_no_more_alone(rk_hands *h, rk_extent *extent, uint32_t payer)
{
    if (!extent->payer)
        h->alone -= extent->held;
    extent->payer = payer;
}

void rk_result_tell_alone(rk_hands *h)
{
    uint64_t bytes = h->alone + rk_away_bytes(h);
    if (bytes == h->told_alone)
        return;
    h->told_alone = bytes;
    rk_coordinator_memory(h->coordinator, h->now, 0, bytes);
}

void rk_result_drop(rk_hands *h, uint32_t unit)
{
    rk_result *result = h->results[unit];
    if (!result)
        return;
    assert(!result->moving); /* DROP is said, and a lost result made again, when a movement is over */
    h->results[unit] = NULL;
    for (uint64_t i = 0; i < result->count; i++) {
        rk_extent *extent = rk_extent_of(result->extents[i]);
        if (rk_load_relaxed(&extent->refs) == 1)
            count_no_more_alone(h, extent, unit + 1);
        else if (extent->payer == unit + 1)
            count_alone(h, extent);
        unref_extent(h, result->extents[i]);
    }
    rk_free(result);
}

/* Extents that are to be moved: those in memory that nobody else refers to, or those in the file. */
static rk_move *move_new(const rk_result *result, uint32_t unit, uint32_t attempt, bool back)
{
    rk_move *move = rk_alloc(sizeof *move + result->count * sizeof(void *));
    if (!move)
        return NULL;
    *move = (rk_move){.back = back, .unit = unit, .attempt = attempt};
    for (uint64_t i = 0; i < result->count; i++) {
        const rk_extent *extent = rk_extent_of(result->extents[i]);
        if (back ? extent->scratch != 0 : rk_load_relaxed(&extent->refs) == 1)
            move->extents[move->count++] = result->extents[i];
    }
    return move;
}

bool rk_result_move(rk_hands *h, uint32_t unit, uint32_t attempt, bool back, int *status)
{
    rk_result *result = h->results[unit];
    if (!result || result->away != back)
        return false;
    rk_move *move = move_new(result, unit, attempt, back);
    *status = move ? rk_mover_move(&h->mover, move) : RASK_ENOMEM;
    if (*status)
        rk_free(move);
    result->moving = !*status;
    return !*status;
}

uint64_t rk_result_moved(rk_hands *h, const rk_move *move)
{
    rk_result *result = h->results[move->unit];
    assert(result && result->moving);
    result->moving = false;
    if (!move->status)
        result->away = !move->back;
    for (uint64_t i = 0; i < result->count && !move->back && !move->status; i++) {
        rk_extent *extent = rk_extent_of(result->extents[i]);
        if (extent->scratch)
            count_no_more_alone(h, extent, move->unit + 1);
        else if (extent->payer == move->unit + 1)
            count_alone(h, extent);
    }
    return move->bytes;
}

void rk_result_pin_arguments(rk_hands *h, uint32_t unit)
{
    for (uint64_t i = h->units.input_start[unit]; i < h->units.input_start[unit + 1]; i++) {
        uint32_t input = h->units.inputs[i];
        rk_result *result = input & RK_INPUT_ORDER ? NULL : h->results[input];
        for (uint64_t e = 0; result && e < result->count; e++) {
            void **pinned =
                rk_array_push(&h->pinned); /* without memory: pinned all the same, and lost at a death */
            if (pinned)
                *pinned = result->extents[e];
            ref_extent(result->extents[e]);
        }
    }
}

/* -- What outlives the run */

/* The owner of content that a value handed out refers to. */
typedef struct kept {
    rk_region *region;
    void *extent;
} kept;

typedef struct keeping {
    rk_hands *h;
    const rk_result *result;
    rk_array extents; /* void *: handed out */
} keeping;

static void release(void *owner)
{
    kept *k = owner;
    rk_extent *extent = rk_extent_of(k->extent);
    if (rk_sub_acq_rel(&extent->refs, 1) == 1)
        rk_region_discard(k->extent, extent->bytes);
    rk_region_unref(k->region);
    rk_free(k);
}

static void *keep(void *context, const char *content, uint64_t bytes)
{
    keeping *k = context;
    (void)bytes;
    for (uint64_t i = 0; i < k->result->count; i++) {
        char *extent = k->result->extents[i];
        if ((uintptr_t)content - (uintptr_t)extent >= rk_extent_of(extent)->bytes)
            continue;
        kept *owner = rk_alloc(sizeof *owner);
        void **noted = owner ? rk_array_push(&k->extents) : NULL;
        if (!noted) {
            rk_free(owner);
            return NULL;
        }
        *noted = extent;
        *owner = (kept){k->h->crew.region, extent};
        ref_extent(extent);
        rk_region_ref(owner->region);
        return owner;
    }
    return NULL;
}

static int compare_addresses(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

/* The pages of a range, but for these extents; sorts them. */
static void discard_others(rk_hands *h, uint32_t range, rk_array *extents)
{
    char *at = rk_region_range(h->crew.region, range), *end = at + rk_load_acquire(&h->crew.used[range]);
    void **stay = extents->data;
    if (extents->count)
        qsort(stay, extents->count, sizeof *stay, compare_addresses);
    for (size_t i = 0; i < extents->count; i++) {
        char *extent = stay[i];
        if (extent < at || extent >= end)
            continue; /* elsewhere, or once more the same */
        rk_region_discard(at, (uint64_t)((char *)rk_extent_of(extent) - at));
        at = extent + rk_extent_of(extent)->bytes;
    }
    rk_region_discard(at, (uint64_t)(end - at));
}

static void add_extents(const rk_result *result, rk_array *extents, bool *complete)
{
    for (uint64_t i = 0; result && i < result->count; i++) {
        void **place = rk_array_push(extents);
        *complete &= place != NULL;
        if (place)
            *place = result->extents[i];
    }
}

void rk_result_tidy(rk_hands *h, uint32_t range)
{
    rk_array extents = RK_ARRAY(void *, SIZE_MAX / sizeof(void *));
    bool complete = true;
    for (uint32_t unit = 0; unit < h->run->plan->units; unit++)
        add_extents(h->results[unit], &extents, &complete);
    for (size_t i = 0; i < h->pinned.count; i++) {
        void **place = rk_array_push(&extents);
        complete &= place != NULL;
        if (place)
            *place = ((void **)h->pinned.data)[i];
    }
    if (complete && rk_away_add_extents(h, &extents))
        discard_others(h, range, &extents);
    rk_array_fini(&extents);
}

bool rk_result_targets_fit(rk_hands *h)
{
    const rask_plan *plan = h->run->plan;
    rk_store_need need = {0};
    uint64_t budget = rk_coordinator_get_home(h->coordinator, 0).budget;
    char text[RK_MAX_MESSAGE + 1];
    rk_print out = {text, sizeof text, 0};
    uint32_t last = 0;
    for (uint32_t unit = 0; unit < plan->units; unit++)
        if (h->units.is_target[unit] && h->results[unit]) {
            need.arguments += h->results[unit]->parcel->bytes;
            last = rk_units_last(&h->units, unit);
        }
    if (need.arguments <= budget)
        return true;
    if (plan->target_count > 1) {
        rk_run_refuse_targets(h->run, need.arguments, budget);
        return false;
    }
    rk_store_say_too_large(&out, need, budget);
    rk_run_fail(h->run, last, RASK_EBUDGET, text);
    return false;
}

static void gather(rk_hands *h, keeping *k, uint32_t task)
{
    const rk_parcel_keeper keeper = {.context = k, .keep = keep, .release = release};
    rk_run *run = h->run;
    const rask_value *place = &h->crew.places[task];
    char message[RK_MAX_MESSAGE + 1];
    if (place->type != RK_PLACE_PARCEL) {
        run->results[task] = *place;
        return;
    }
    k->result = h->results[rk_plan_unit(run->plan, task)];
    int status = rk_parcel_take(k->result->parcel, &keeper, &run->results[task], message, sizeof message);
    if (status)
        rk_run_fail(run, task, status, message);
}

void rk_result_expect(rk_hands *h)
{
    rk_run *run = h->run;
    for (uint32_t i = 0; i < run->plan->target_count; i++) {
        uint32_t task = run->plan->targets[i];
        if (task & RK_CONSTANT)
            continue;
        run->results[task] = (rask_value){.reserved = 1};
        rk_store_relaxed(&run->uses[task], 0);
    }
}

void rk_result_gather(rk_hands *h)
{
    rk_run *run = h->run;
    const rask_plan *plan = run->plan;
    keeping k = {.h = h, .extents = RK_ARRAY(void *, SIZE_MAX / sizeof(void *))};
    for (uint32_t i = 0; i < plan->target_count; i++)
        if (!(plan->targets[i] & RK_CONSTANT) && !rk_add_relaxed(&run->uses[plan->targets[i]], 1))
            gather(h, &k, plan->targets[i]);
    for (uint32_t range = 0; range < h->crew.region->ranges; range++)
        discard_others(h, range, &k.extents);
    rk_array_fini(&k.extents);
}

void rk_result_end_all(rk_hands *h)
{
    for (uint32_t unit = 0; h->results && unit < h->run->plan->units; unit++)
        rk_free(h->results[unit]);
    rk_array_fini(&h->pinned);
}
