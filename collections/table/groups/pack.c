/* Packed groups: a header, each group's first position and key, then the states, each for all groups. */
#include "collections/table/groups/inside.h"

/* Groups that are packed together. */
typedef struct part {
    const uint32_t *groups;
    uint32_t count;
    const uint32_t *local; /* as for rk_state_write() */
} part;

/* Equal for groups that can be merged. */
static uint64_t signature(const rk_groups *groups)
{
    uint64_t h = groups->seed;
    for (uint32_t i = 0; i < groups->keys.columns; i++)
        h = (h ^ groups->types[i]) * 0x100000001b3u;
    for (uint32_t i = 0; i < groups->state_count; i++) {
        const rk_state *state = &groups->states[i];
        h = (h ^ (uint64_t)state->kind ^ (uint64_t)state->type << 8 ^ (uint64_t)state->argument << 16) *
            0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

/* The words of a column of a key when it is text that is elsewhere, else NULL; *at moves on to the next column. */
static uint64_t *long_text(const rk_keys *keys, uint64_t *row, uint32_t column, uint32_t *at)
{
    bool text = keys->types[column] == RASK_COL_TEXT;
    uint64_t *word = row + *at;
    *at += text ? 3 : 1;
    return text && word[0] > RK_KEY_INLINE && word[0] != RK_KEY_NULL ? word : NULL;
}

/* A key without addresses, then its long texts. */
static void write_key(const rk_keys *keys, uint64_t *row, rk_flat *out)
{
    uint64_t words[2 + 3 * RK_MAX_KEYS];
    memcpy(words, row, keys->rows.element);
    for (uint32_t k = 0, at = 1 + keys->mask; k < keys->columns; k++) {
        uint64_t *word = long_text(keys, words, k, &at);
        if (word)
            word[2] = 0;
    }
    rk_flat_put(out, words, keys->rows.element);
    for (uint32_t k = 0, at = 1 + keys->mask; k < keys->columns; k++) {
        const uint64_t *word = long_text(keys, row, k, &at);
        if (word)
            rk_flat_put(out, rk_key_text(word), word[0]);
    }
}

static void write_keys(const rk_groups *groups, const part *p, rk_flat *out)
{
    for (uint32_t i = 0; i < p->count; i++) {
        rk_flat_put_u64(out, ((const uint64_t *)groups->firsts.data)[p->groups[i]]);
        write_key(&groups->keys, rk_keys_row(&groups->keys, p->groups[i]), out);
    }
}

static void write_part(const rk_groups *groups, const part *p, rk_flat *out)
{
    rk_flat_put_u64(out, signature(groups));
    rk_flat_put_u64(out, p->count);
    rk_flat_put_u64(out, groups->seen);
    write_keys(groups, p, out);
    for (uint32_t i = 0; i < groups->state_count; i++)
        rk_state_write(&groups->states[i], p->groups, p->count, p->local, out);
}

static int pack_part(const rk_groups *groups, const part *p, rask_value *out)
{
    rk_flat flat = {0};
    write_part(groups, p, &flat);
    int status = rask_value_bytes_alloc(flat.len, &flat.data, out);
    flat.len = 0;
    if (!status)
        write_part(groups, p, &flat);
    return status;
}

/* Which part a group goes to: by its hash, or where there are splitters by rank. */
typedef struct division {
    uint32_t parts;
    const uint64_t *splitters;
} division;

/* Upper bits of the hash, which no table uses for slots. */
static uint32_t part_of(const rk_groups *groups, uint32_t group, const division *d)
{
    if (d->splitters)
        return rk_range_of(d->splitters, d->parts - 1, rk_groups_rank(groups, group));
    return (uint32_t)((*rk_keys_row(&groups->keys, group) >> 32) * d->parts >> 32);
}

/* The groups in order of their parts; starts has parts + 1 elements, zeroed. */
static void sort_by_part(const rk_groups *groups, const division *d, uint32_t *sorted, uint32_t *starts)
{
    uint32_t count = rk_groups_count(groups);
    for (uint32_t g = 0; g < count; g++)
        starts[part_of(groups, g, d)]++;
    for (uint32_t i = 0, sum = 0; i <= d->parts; i++)
        starts[i] = sum += starts[i];
    for (uint32_t g = count; g > 0; g--)
        sorted[--starts[part_of(groups, g - 1, d)]] = g - 1;
}

static int divide(const rk_groups *groups, const division *d, uint32_t *room, rask_value *out)
{
    uint32_t count = rk_groups_count(groups), *sorted = room, *local = room + count, *starts = local + count;
    sort_by_part(groups, d, sorted, starts);
    int status = RASK_OK;
    uint32_t done = 0;
    for (; done < d->parts && !status; done += !status) {
        part p = {sorted + starts[done], starts[done + 1] - starts[done], local};
        for (uint32_t i = 0; i < p.count; i++)
            local[p.groups[i]] = i + 1;
        status = pack_part(groups, &p, &out[done]);
        for (uint32_t i = 0; i < p.count; i++)
            local[p.groups[i]] = 0;
    }
    while (status && done > 0)
        rask_value_unref(&out[--done]);
    return status;
}

static int split(const rk_groups *groups, const division *d, rask_value *out)
{
    uint32_t *room = rk_calloc(2 * (size_t)rk_groups_count(groups) + d->parts + 1, sizeof *room);
    if (!room)
        return RASK_ENOMEM;
    int status = divide(groups, d, room, out);
    rk_free(room);
    return status;
}

int rk_groups_split(const rk_groups *groups, uint32_t parts, rask_value *out)
{
    assert(parts >= 1 && parts <= 1 << 16);
    return split(groups, &(division){parts, NULL}, out);
}

int rk_groups_cut(const rk_groups *groups, const uint64_t *splitters, uint32_t count, rask_value *out)
{
    assert(groups->keys.columns);
    return split(groups, &(division){count + 1, splitters}, out);
}

int rk_groups_pack(const rk_groups *groups, rask_value *out)
{
    return rk_groups_split(groups, 1, out);
}

/* Reads a few keys and finds or adds their groups. */
static int merge_keys(rk_groups *groups, rk_unflat *in, uint32_t rows, uint32_t *map)
{
    rk_keys *keys = &groups->keys;
    uint64_t positions[RK_KEYS_ROWS];
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t *row = keys->scratch + (size_t)i * keys->stride;
        positions[i] = rk_flat_get_u64(in);
        memcpy(row, rk_flat_get(in, keys->rows.element), keys->rows.element);
        for (uint32_t k = 0, at = 1 + keys->mask; k < keys->columns; k++) {
            uint64_t *word = long_text(keys, row, k, &at);
            if (word)
                word[2] = (uintptr_t)rk_flat_get(in, word[0]);
        }
    }
    int status = rk_keys_find_words(keys, keys->scratch, rows, map);
    if (!status)
        status = rk_groups_grow(groups);
    uint64_t *firsts = groups->firsts.data;
    for (uint32_t i = 0; i < rows && !status; i++)
        if (positions[i] < firsts[map[i]])
            firsts[map[i]] = positions[i];
    return status;
}

static int merge_states(rk_groups *groups, rk_unflat *in, uint32_t *map, uint32_t count)
{
    int status = RASK_OK;
    for (uint32_t i = 0, n; i < count && !status; i += n) {
        n = count - i < RK_KEYS_ROWS ? count - i : RK_KEYS_ROWS;
        status = merge_keys(groups, in, n, map + i);
    }
    for (uint32_t i = 0; i < groups->state_count && !status; i++)
        status = rk_state_merge(&groups->states[i], in, map, count);
    assert(status || in->at == in->len);
    return status;
}

int rk_groups_merge(rk_groups *groups, rask_bytes packed)
{
    rk_unflat in = {.data = packed.data, .len = packed.len};
    uint64_t signed_as = rk_flat_get_u64(&in);
    uint32_t count = (uint32_t)rk_flat_get_u64(&in);
    uint64_t seen = rk_flat_get_u64(&in);
    assert(!groups->order && signed_as == signature(groups) && "groups of other keys, aggregates or seed");
    (void)signed_as;
    uint32_t *map = rk_alloc_array((size_t)count + 1, sizeof *map);
    if (!map)
        return RASK_ENOMEM;
    int status = merge_states(groups, &in, map, count);
    rk_free(map);
    if (seen > groups->seen)
        groups->seen = seen;
    return status;
}
