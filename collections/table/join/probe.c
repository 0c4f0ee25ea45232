#include "collections/table/join/probe.h"

#include "core/base/alloc.h"

#include <string.h>

enum { AHEAD = 16 }; /* rows before its own that what belongs to one is fetched */

/* Like those of a chunk. */
static int init_columns(rk_column *columns, const rk_stored *like, uint32_t count)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < count && !status; i++)
        status = rk_column_init(&columns[i], like[i].column.type);
    return status;
}

int rk_probe_init(rk_probe *probe, const rk_pipeline *p, const rk_join_step *step, rask_bytes index,
                  rask_bytes chunk)
{
    const rk_join *join = step->join;
    rk_chunk opened;
    *probe = (rk_probe){.step = step,
                        .payload = rk_calloc(step->payload_count + (size_t)1, sizeof *probe->payload),
                        .made = rk_calloc(step->payload_count + (size_t)1, sizeof *probe->made),
                        .saved = rk_calloc(step->live_count + (size_t)1, sizeof *probe->saved),
                        .copies = rk_calloc(step->live_count + (size_t)1, sizeof *probe->copies),
                        .keys = rk_calloc(join->key_count, sizeof *probe->keys),
                        .ids = rk_alloc_array(3 * (size_t)RK_BATCH_ROWS, sizeof *probe->ids)};
    if (!probe->payload || !probe->made || !probe->saved || !probe->copies || !probe->keys || !probe->ids)
        return RASK_ENOMEM;
    probe->rows = probe->ids + RK_BATCH_ROWS;
    probe->partners = probe->rows + RK_BATCH_ROWS;
    rk_join_index_open(&probe->index, index);
    if (step->payload_count)
        rk_chunk_open(&opened, chunk);
    for (uint32_t i = 0; i < step->payload_count; i++)
        probe->payload[i] = rk_chunk_stored(&opened, join->key_count + i);
    const rk_join_by by = {join->types, join->key_count, p->seed};
    int status = init_columns(probe->made, probe->payload, step->payload_count);
    return status ? status : rk_join_finder_init(&probe->finder, &by);
}

static void fini_columns(rk_column *columns, uint32_t count)
{
    for (uint32_t i = 0; columns && i < count; i++)
        rk_column_fini(&columns[i]);
    rk_free(columns);
}

void rk_probe_fini(rk_probe *probe)
{
    if (!probe->step)
        return;
    fini_columns(probe->made, probe->step->payload_count);
    fini_columns(probe->copies, probe->step->live_count);
    rk_free(probe->payload);
    rk_free(probe->saved);
    rk_free(probe->keys);
    rk_free(probe->ids);
    rk_join_finder_fini(&probe->finder);
    *probe = (rk_probe){0};
}

/* -- Which rows come */

static uint32_t partners_of(const rk_probe *probe, uint32_t id)
{
    const uint32_t *starts = probe->index.starts;
    return id == RK_JOIN_NONE ? 0 : starts ? starts[id + 1] - starts[id] : 1;
}

/* Of ids: whether each row comes once at most. */
static bool is_single(const rk_probe *probe)
{
    bool single = true;
    if (probe->step->join->how == RASK_JOIN_SEMI || probe->step->join->how == RASK_JOIN_ANTI ||
        !probe->index.starts)
        return true;
    for (uint32_t i = 0; i < probe->count; i++) {
        uint32_t ahead = probe->ids[i + AHEAD < probe->count ? i + AHEAD : i];
        if (ahead != RK_JOIN_NONE)
            __builtin_prefetch(&probe->index.starts[ahead]);
        if (partners_of(probe, probe->ids[i]) > 1)
            single = false;
    }
    return single;
}

int rk_probe_begin(rk_probe *probe, const rk_column *slots, uint32_t rows)
{
    const rk_join_step *step = probe->step;
    for (uint32_t k = 0; k < step->join->key_count; k++)
        probe->keys[k] = &slots[step->keys[k]];
    int status = rk_join_find(&probe->finder, &probe->index, probe->keys, rows, probe->ids);
    for (uint32_t i = 0; i < step->live_count; i++)
        probe->saved[i] = slots[step->live[i]];
    probe->count = status ? 0 : rows;
    probe->next = probe->done = 0;
    probe->single = is_single(probe);
    return status;
}

/* Rows that have a partner, or that have none. */
static uint32_t choose_rows(rk_probe *probe, bool with)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < probe->count; i++) {
        probe->rows[count] = i;
        count += (probe->ids[i] != RK_JOIN_NONE) == with;
    }
    probe->next = probe->count;
    return count;
}

/* Some partners of the next row, which has some: how many. */
static uint32_t pair_row(rk_probe *probe, uint32_t room, uint32_t *rows, uint32_t *partners)
{
    const rk_join_index *index = &probe->index;
    uint32_t row = probe->next, id = probe->ids[row], all = partners_of(probe, id);
    uint32_t some = all - probe->done < room ? all - probe->done : room;
    const uint32_t *list = index->starts ? index->rows + index->starts[id] + probe->done : &id;
    for (uint32_t i = 0; i < some; i++) {
        rows[i] = row;
        partners[i] = list[i];
    }
    probe->done += some;
    if (probe->done == all) {
        probe->next++;
        probe->done = 0;
    }
    return some;
}

static uint32_t pair_rows(rk_probe *probe, bool alone)
{
    uint32_t count = 0;
    while (count < RK_BATCH_ROWS && rk_probe_more(probe)) {
        uint32_t id = probe->ids[probe->next];
        if (id == RK_JOIN_NONE) {
            probe->rows[count] = probe->next++;
            probe->partners[count] = RK_JOIN_NONE;
            count += alone;
            continue;
        }
        count += pair_row(probe, RK_BATCH_ROWS - count, probe->rows + count, probe->partners + count);
    }
    return count;
}

/* -- What they have */

/* out[i] is row rows[i] of from. */
static void copy_rows(const rk_column *from, const uint32_t *rows, uint32_t count, rk_column *out)
{
    out->nulls = from->nulls;
    for (uint32_t i = 0; from->nulls && i < count; i++)
        out->valid[i] = from->valid[rows[i]];
    switch (rk_column_size(from->type)) {
    case 1:
        for (uint32_t i = 0; i < count; i++)
            out->boolean[i] = from->boolean[rows[i]];
        break;
    case 8:
        for (uint32_t i = 0; i < count; i++)
            out->i64[i] = from->i64[rows[i]];
        break;
    default:
        for (uint32_t i = 0; i < count; i++)
            out->text[i] = from->text[rows[i]];
    }
}

static int copy_live(rk_probe *probe, uint32_t count, rk_column *slots, uint32_t slot_count)
{
    const rk_join_step *step = probe->step;
    memset(slots, 0, slot_count * sizeof *slots);
    for (uint32_t i = 0; i < step->live_count; i++) {
        rk_column *copy = &probe->copies[i];
        if (!copy->data && rk_column_init(copy, probe->saved[i].type))
            return RASK_ENOMEM;
        copy_rows(&probe->saved[i], probe->rows, count, copy);
        slots[step->live[i]] = *copy;
    }
    return RASK_OK;
}

static inline __attribute__((always_inline)) void look_ahead(const rk_stored *from, uint32_t row)
{
    if (from->codes)
        __builtin_prefetch(&from->codes[row]);
    else
        __builtin_prefetch(&from->column.as.offsets[row]);
}

static void fetch_text(const rk_stored *from, const uint32_t *rows, uint32_t count, rask_bytes *out)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t ahead = rows[i + AHEAD < count ? i + AHEAD : i];
        look_ahead(from, ahead == RK_JOIN_NONE ? 0 : ahead);
        out[i] = rows[i] == RK_JOIN_NONE ? (rask_bytes){"", 0} : rk_stored_text(from, rows[i]);
    }
}

static void fetch_words(const int64_t *from, const uint32_t *rows, uint32_t count, int64_t *out)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t ahead = rows[i + AHEAD < count ? i + AHEAD : i];
        __builtin_prefetch(&from[ahead == RK_JOIN_NONE ? 0 : ahead]);
        out[i] = rows[i] == RK_JOIN_NONE ? 0 : from[rows[i]];
    }
}

/* Rows of a column of the chunk; missing: some may be RK_JOIN_NONE. */
static void fetch(const rk_stored *stored, const uint32_t *rows, uint32_t count, bool missing, rk_column *out)
{
    const rask_column *from = &stored->column;
    out->nulls = missing || from->valid;
    for (uint32_t i = 0; out->nulls && i < count; i++)
        out->valid[i] = rows[i] != RK_JOIN_NONE && (!from->valid || from->valid[rows[i]]);
    if (from->type == RASK_COL_TEXT)
        fetch_text(stored, rows, count, out->text);
    else if (from->type == RASK_COL_BOOL)
        for (uint32_t i = 0; i < count; i++)
            out->boolean[i] = rows[i] == RK_JOIN_NONE ? 0 : from->as.boolean[rows[i]];
    else
        fetch_words(from->as.i64, rows, count, out->i64);
}

static bool some_missing(const uint32_t *partners, uint32_t count)
{
    bool missing = false;
    for (uint32_t i = 0; i < count; i++)
        missing |= partners[i] == RK_JOIN_NONE;
    return missing;
}

int rk_probe_next(rk_probe *probe, rk_column *slots, uint32_t slot_count, uint32_t *rows, bool *keep)
{
    const rk_join_step *step = probe->step;
    rask_join_how how = step->join->how;
    bool alone = how == RASK_JOIN_SEMI || how == RASK_JOIN_ANTI;
    *rows = alone ? choose_rows(probe, how == RASK_JOIN_SEMI) : pair_rows(probe, how == RASK_JOIN_LEFT);
    *keep = probe->single;
    int status = *keep ? RASK_OK : copy_live(probe, *rows, slots, slot_count);
    bool missing = step->payload_count && how == RASK_JOIN_LEFT && some_missing(probe->partners, *rows);
    for (uint32_t i = 0; i < step->payload_count && !status; i++)
        fetch(&probe->payload[i], probe->partners, *rows, missing, &probe->made[i]);
    return status;
}

void rk_probe_show(const rk_probe *probe, rk_column *slots)
{
    for (uint32_t i = 0; i < probe->step->payload_count; i++)
        slots[probe->step->slots[i]] = probe->made[i];
}
