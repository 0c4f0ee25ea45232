#include "collections/table/groups/states.h"

#include "collections/table/order.h"

#include <assert.h>
#include <math.h>

typedef __int128 int128;

/* The bits of a NaN, which no comparison takes for more or less: of extremes of float64 before there is a value. */
#define NOTHING_PICKED UINT64_C(0x7ff8000000000000)

static bool is_sum(const rk_state *state)
{
    return state->kind == RK_STATE_SUM || state->kind == RK_STATE_SQUARES;
}

static bool is_pick(const rk_state *state)
{
    return state->kind >= RK_STATE_LEAST && state->kind <= RK_STATE_LAST;
}

static bool is_extreme(const rk_state *state)
{
    return (state->kind == RK_STATE_LEAST || state->kind == RK_STATE_MOST) && state->type != RASK_COL_TEXT &&
           state->type != RASK_COL_BOOL;
}

static size_t cell_size(rk_state_kind kind)
{
    switch (kind) {
    case RK_STATE_ROWS:
    case RK_STATE_NULLS: return sizeof(uint64_t);
    case RK_STATE_INTEGERS: return sizeof(int128);
    case RK_STATE_LEAST:
    case RK_STATE_MOST:
    case RK_STATE_FIRST:
    case RK_STATE_LAST: return sizeof(rk_pick);
    default: return 0; /* not in cells */
    }
}

int rk_state_init(rk_state *state, rk_state_kind kind, uint32_t argument, rask_column_type type,
                  uint64_t seed)
{
    *state = (rk_state){.kind = kind, .argument = argument, .type = type, .pair = {RASK_COL_I64, type}};
    state->cells = (rk_array){.element = cell_size(kind), .ceiling = UINT32_MAX};
    state->groups = (rk_array)RK_ARRAY(uint32_t, SIZE_MAX / 8);
    state->values = (rk_array)RK_ARRAY(double, SIZE_MAX / 8);
    if (is_sum(state))
        rk_sums_init(&state->sums, kind == RK_STATE_SQUARES);
    return kind == RK_STATE_DISTINCT ? rk_keys_init(&state->set, state->pair, 2, seed) : RASK_OK;
}

void rk_state_fini(rk_state *state)
{
    rk_array_fini(&state->cells);
    rk_arena_fini(&state->texts);
    rk_sums_fini(&state->sums);
    rk_keys_fini(&state->set);
    rk_array_fini(&state->groups);
    rk_array_fini(&state->values);
    rk_free(state->counts);
}

int rk_state_resize(rk_state *state, size_t groups)
{
    if (is_sum(state))
        return rk_sums_resize(&state->sums, groups);
    if (!state->cells.element)
        return RASK_OK;
    size_t had = state->cells.count;
    int status = rk_array_reserve(&state->cells, groups - had);
    if (status)
        return status;
    state->cells.count = groups;
    if (groups > had)
        memset((char *)state->cells.data + had * state->cells.element, 0,
               (groups - had) * state->cells.element);
    for (size_t i = is_extreme(state) && state->type == RASK_COL_F64 ? had : groups; i < groups; i++)
        ((rk_pick *)state->cells.data)[i].bits = NOTHING_PICKED;
    return RASK_OK;
}

size_t rk_state_bytes(const rk_state *state)
{
    const rk_array *arrays[] = {&state->cells, &state->sums.sums, &state->sums.wide, &state->groups,
                                &state->values};
    size_t bytes = state->texts.total + (state->set.slots ? rk_keys_bytes(&state->set) : 0);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        bytes += arrays[i]->capacity * arrays[i]->element;
    return bytes;
}

/* Adding rows. */

static void add_rows(rk_state *state, const uint32_t *groups, uint32_t rows)
{
    uint64_t *cell = state->cells.data;
    if (state->cells.count == 1)
        *cell += rows;
    else
        for (uint32_t i = 0; i < rows; i++)
            cell[groups[i]]++;
}

static void add_nulls(rk_state *state, const uint32_t *groups, const uint8_t *valid, uint32_t rows)
{
    uint64_t *cell = state->cells.data;
    for (uint32_t i = 0; i < rows; i++)
        cell[groups[i]] += !valid[i];
}

static void add_integers(rk_state *state, const uint32_t *groups, const rk_column *column, uint32_t first,
                         uint32_t rows)
{
    int128 *cell = state->cells.data;
    for (uint32_t i = 0, row = first; i < rows; i++, row++)
        if (rk_column_has(column, row))
            cell[groups[i]] += column->type == RASK_COL_BOOL ? column->boolean[row] : column->i64[row];
}

/* Numbers as float64: in place when they are that, else in room for rows of them. */
static const double *as_doubles(const rk_column *column, uint32_t first, uint32_t rows, double *room)
{
    if (column->type == RASK_COL_F64)
        return column->f64 + first;
    for (uint32_t i = 0; i < rows; i++)
        room[i] = column->type == RASK_COL_BOOL ? column->boolean[first + i] : (double)column->i64[first + i];
    return room;
}

static int add_sums(rk_state *state, const uint32_t *groups, const rk_column *column, uint32_t first,
                    uint32_t rows)
{
    double room[RK_KEYS_ROWS];
    const double *x = as_doubles(column, first, rows, room);
    return rk_sums_add(&state->sums, groups, x, column->nulls ? column->valid + first : NULL, rows);
}

/* What comes out for a number. Of least and most values equal ones must have equal bits, whichever came first. */
static uint64_t picked_bits(const rk_state *state, const rk_column *column, uint32_t row)
{
    if (column->type != RASK_COL_F64)
        return column->type == RASK_COL_BOOL ? column->boolean[row] : (uint64_t)column->i64[row];
    double x = column->f64[row];
    if (state->kind == RK_STATE_LEAST || state->kind == RK_STATE_MOST)
        x = x == x ? x + 0.0 : (double)NAN;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* A copy of text for the pick, in place of the one it has when that is as long. */
static int keep_text(rk_state *state, rk_pick *pick, rask_bytes text)
{
    if (text.len > pick->room || !pick->has) {
        size_t room = 16;
        while (room < text.len)
            room *= 2;
        char *copy = rk_arena_alloc(&state->texts, room);
        if (!copy || room > UINT32_MAX)
            return copy ? RASK_ELIMIT : RASK_ENOMEM;
        pick->bits = (uintptr_t)copy;
        pick->room = (uint32_t)room;
    }
    if (text.len)
        memcpy((char *)(uintptr_t)pick->bits, text.data, text.len);
    pick->len = text.len;
    return RASK_OK;
}

/* Whether text of this rank comes before what is picked. */
static bool text_wins(const rk_state *state, const rk_pick *pick, uint64_t rank, rask_bytes text)
{
    if (!pick->has || rank != pick->rank)
        return !pick->has || rank < pick->rank;
    if (state->kind != RK_STATE_LEAST && state->kind != RK_STATE_MOST)
        return false;
    int order = rk_text_compare(text, (rask_bytes){(const char *)(uintptr_t)pick->bits, pick->len});
    return state->kind == RK_STATE_LEAST ? order < 0 : order > 0;
}

static int pick_text(rk_state *state, rk_pick *pick, uint64_t rank, rask_bytes text)
{
    if (!text_wins(state, pick, rank, text))
        return RASK_OK;
    int status = keep_text(state, pick, text);
    pick->rank = rank;
    pick->has = true;
    return status;
}

static inline void pick_number(rk_pick *pick, uint64_t rank, uint64_t bits)
{
    if (pick->has && pick->rank <= rank)
        return;
    *pick = (rk_pick){.rank = rank, .bits = bits, .has = true};
}

static uint64_t rank_of(const rk_state *state, const rk_column *column, uint32_t row, uint64_t position)
{
    switch (state->kind) {
    case RK_STATE_FIRST: return position;
    case RK_STATE_LAST: return ~position;
    default: return rk_rank(column, row, state->kind == RK_STATE_MOST);
    }
}

/* The least or, descending, most integers of groups: as below, without looking at what a column is for each row. */
static inline __attribute__((always_inline)) void
add_extreme_integers(const rk_state *state, const uint32_t *groups, const rk_column *column, uint32_t first,
                     uint32_t rows, bool descending)
{
    rk_pick *picks = state->cells.data;
    for (uint32_t i = 0, row = first; i < rows; i++, row++) {
        rk_pick *pick = &picks[groups[i]];
        uint64_t rank = rk_rank_i64(column->i64[row], descending);
        if (__builtin_expect(!pick->has || rank < pick->rank, 0) && rk_column_has(column, row))
            pick_number(pick, rank, picked_bits(state, column, row));
    }
}

/* The same of float64, whose ranks are only looked at where a comparison with what is picked, which is NaN before there is
 * anything, does not say that it stays. */
static inline __attribute__((always_inline)) void add_extreme_doubles(const rk_state *state,
                                                                      const uint32_t *groups,
                                                                      const rk_column *column, uint32_t first,
                                                                      uint32_t rows, bool descending)
{
    rk_pick *picks = state->cells.data;
    for (uint32_t i = 0, row = first; i < rows; i++, row++) {
        rk_pick *pick = &picks[groups[i]];
        double x = column->f64[row], picked;
        memcpy(&picked, &pick->bits, sizeof picked);
        if (__builtin_expect(descending ? x <= picked : x >= picked, 1) || !rk_column_has(column, row))
            continue;
        pick_number(pick, rk_rank_f64(x, descending), picked_bits(state, column, row));
    }
}

static void add_extremes(const rk_state *state, const uint32_t *groups, const rk_column *column,
                         uint32_t first, uint32_t rows)
{
    bool most = state->kind == RK_STATE_MOST;
    if (state->type == RASK_COL_F64 && most)
        add_extreme_doubles(state, groups, column, first, rows, true);
    else if (state->type == RASK_COL_F64)
        add_extreme_doubles(state, groups, column, first, rows, false);
    else if (most)
        add_extreme_integers(state, groups, column, first, rows, true);
    else
        add_extreme_integers(state, groups, column, first, rows, false);
}

static int add_picks(rk_state *state, const uint32_t *groups, const rk_column *column, uint32_t first,
                     uint32_t rows, uint64_t position)
{
    rk_pick *picks = state->cells.data;
    int status = RASK_OK;
    if (is_extreme(state)) {
        add_extremes(state, groups, column, first, rows);
        return RASK_OK;
    }
    for (uint32_t i = 0, row = first; i < rows && !status; i++, row++) {
        if (!rk_column_has(column, row))
            continue;
        uint64_t rank = rank_of(state, column, row, position + i);
        if (column->type == RASK_COL_TEXT)
            status = pick_text(state, &picks[groups[i]], rank, column->text[row]);
        else
            pick_number(&picks[groups[i]], rank, picked_bits(state, column, row));
    }
    return status;
}

/* Pairs of group and value. The first column has rows from 0 on, the second from first on. */
static int add_distinct(rk_state *state, const uint32_t *groups, const rk_column *column, uint32_t first,
                        uint32_t rows)
{
    int64_t numbers[RK_KEYS_ROWS];
    uint32_t ids[RK_KEYS_ROWS];
    for (uint32_t i = 0; i < rows; i++)
        numbers[i] = groups[i];
    rk_column group = {.type = RASK_COL_I64, .data = numbers}, value = *column;
    value.data = (char *)column->data + first * rk_column_size(column->type);
    if (value.nulls)
        value.valid += first;
    const rk_column *const pair[] = {&group, &value};
    return rk_keys_find(&state->set, pair, 0, rows, ids);
}

static int add_values(rk_state *state, const uint32_t *groups, const rk_column *column, uint32_t first,
                      uint32_t rows)
{
    double room[RK_KEYS_ROWS];
    const double *x = as_doubles(column, first, rows, room);
    int status = rk_array_reserve(&state->groups, rows);
    if (!status)
        status = rk_array_reserve(&state->values, rows);
    for (uint32_t i = 0; i < rows && !status; i++) {
        if (!rk_column_has(column, first + i))
            continue;
        ((uint32_t *)state->groups.data)[state->groups.count++] = groups[i];
        ((double *)state->values.data)[state->values.count++] = x[i];
    }
    return status;
}

int rk_state_add(rk_state *state, const uint32_t *groups, const rk_column *column, uint32_t first,
                 uint32_t rows, uint64_t position)
{
    assert(rows <= RK_KEYS_ROWS);
    switch (state->kind) {
    case RK_STATE_ROWS: add_rows(state, groups, rows); return RASK_OK;
    case RK_STATE_NULLS:
        if (column->nulls)
            add_nulls(state, groups, column->valid + first, rows);
        return RASK_OK;
    case RK_STATE_INTEGERS: add_integers(state, groups, column, first, rows); return RASK_OK;
    case RK_STATE_SUM:
    case RK_STATE_SQUARES: return add_sums(state, groups, column, first, rows);
    case RK_STATE_DISTINCT: return add_distinct(state, groups, column, first, rows);
    case RK_STATE_VALUES: return add_values(state, groups, column, first, rows);
    default: return add_picks(state, groups, column, first, rows, position);
    }
}

/* Writing. */

static void write_sums(const rk_state *state, const uint32_t *groups, uint32_t count, rk_flat *out)
{
    const rk_sum *sums = state->sums.sums.data;
    for (uint32_t i = 0; i < count; i++) {
        rk_sum s = sums[groups[i]];
        const uint64_t *wide = rk_sums_wide(&state->sums, &s);
        s.wide = wide != NULL;
        rk_flat_put(out, &s, sizeof s);
        if (wide)
            rk_flat_put(out, wide, rk_sums_limbs(&state->sums) * sizeof(uint64_t));
    }
}

static void write_texts(const rk_state *state, const uint32_t *groups, uint32_t count, rk_flat *out)
{
    for (uint32_t i = 0; i < count; i++) {
        rk_pick pick = *(const rk_pick *)rk_state_cell(state, groups[i]);
        const char *text = (const char *)(uintptr_t)pick.bits;
        pick.bits = pick.room = 0;
        rk_flat_put(out, &pick, sizeof pick);
        rk_flat_put(out, text, pick.len);
    }
}

static void write_cells(const rk_state *state, const uint32_t *groups, uint32_t count, rk_flat *out)
{
    for (uint32_t i = 0; i < count; i++)
        rk_flat_put(out, rk_state_cell(state, groups[i]), state->cells.element);
}

/* The group of a pair, or 0 when its value is null or it is not among those that are written. */
static uint32_t local_of(const rk_state *state, const uint64_t *row, const uint32_t *local)
{
    return rk_keys_is_null(&state->set, row, 1) ? 0 : local[row[2]];
}

static void write_distinct(const rk_state *state, const uint32_t *local, rk_flat *out)
{
    uint64_t count = 0;
    for (size_t id = 0; id < state->set.rows.count; id++)
        count += local_of(state, rk_keys_row(&state->set, id), local) != 0;
    rk_flat_put_u64(out, count);
    for (size_t id = 0; id < state->set.rows.count; id++) {
        const uint64_t *row = rk_keys_row(&state->set, id);
        uint32_t number = local_of(state, row, local);
        if (!number)
            continue;
        rk_flat_put_u64(out, number - 1);
        rk_flat_put_u64(out, row[3]);
        if (state->type == RASK_COL_TEXT)
            rk_flat_put(out, rk_key_text(row + 3), row[3]);
    }
}

static void write_values(const rk_state *state, const uint32_t *local, rk_flat *out)
{
    const uint32_t *groups = state->groups.data;
    const double *values = state->values.data;
    uint64_t count = 0;
    for (size_t i = 0; i < state->groups.count; i++)
        count += local[groups[i]] != 0;
    rk_flat_put_u64(out, count);
    for (size_t i = 0; i < state->groups.count; i++) {
        if (!local[groups[i]])
            continue;
        rk_flat_put_u64(out, local[groups[i]] - 1);
        rk_flat_put(out, &values[i], sizeof values[i]);
    }
}

void rk_state_write(const rk_state *state, const uint32_t *groups, uint32_t count, const uint32_t *local,
                    rk_flat *out)
{
    if (is_sum(state))
        write_sums(state, groups, count, out);
    else if (state->kind == RK_STATE_DISTINCT)
        write_distinct(state, local, out);
    else if (state->kind == RK_STATE_VALUES)
        write_values(state, local, out);
    else if (is_pick(state) && state->type == RASK_COL_TEXT)
        write_texts(state, groups, count, out);
    else
        write_cells(state, groups, count, out);
}

/* Merging. */

static int merge_sums(rk_state *state, rk_unflat *in, const uint32_t *map, uint32_t count)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        rk_sum s;
        uint64_t wide[RK_SUM_SQUARES_LIMBS];
        size_t bytes = rk_sums_limbs(&state->sums) * sizeof(uint64_t);
        memcpy(&s, rk_flat_get(in, sizeof s), sizeof s);
        if (s.wide)
            memcpy(wide, rk_flat_get(in, bytes), bytes);
        status = rk_sums_merge(&state->sums, map[i], &s, wide);
    }
    return status;
}

static void merge_counts(rk_state *state, rk_unflat *in, const uint32_t *map, uint32_t count)
{
    uint64_t *cell = state->cells.data;
    for (uint32_t i = 0; i < count; i++)
        cell[map[i]] += rk_flat_get_u64(in);
}

static void merge_integers(rk_state *state, rk_unflat *in, const uint32_t *map, uint32_t count)
{
    int128 *cell = state->cells.data, other;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&other, rk_flat_get(in, sizeof other), sizeof other);
        cell[map[i]] += other;
    }
}

static int merge_picks(rk_state *state, rk_unflat *in, const uint32_t *map, uint32_t count)
{
    rk_pick *picks = state->cells.data, other;
    int status = RASK_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        memcpy(&other, rk_flat_get(in, sizeof other), sizeof other);
        if (other.has && state->type == RASK_COL_TEXT)
            status = pick_text(state, &picks[map[i]], other.rank,
                               (rask_bytes){rk_flat_get(in, other.len), other.len});
        else if (other.has)
            pick_number(&picks[map[i]], other.rank, other.bits);
    }
    return status;
}

static int merge_distinct(rk_state *state, rk_unflat *in, const uint32_t *map)
{
    uint64_t left = rk_flat_get_u64(in);
    int status = RASK_OK;
    while (left && !status) {
        uint32_t groups[RK_KEYS_ROWS], rows = left < RK_KEYS_ROWS ? (uint32_t)left : RK_KEYS_ROWS;
        rask_bytes texts[RK_KEYS_ROWS];
        int64_t numbers[RK_KEYS_ROWS];
        uint8_t booleans[RK_KEYS_ROWS];
        for (uint32_t i = 0; i < rows; i++) {
            groups[i] = map[rk_flat_get_u64(in)];
            numbers[i] = (int64_t)rk_flat_get_u64(in);
            texts[i].len = (size_t)numbers[i];
            booleans[i] = (uint8_t)numbers[i];
            if (state->type == RASK_COL_TEXT)
                texts[i].data = rk_flat_get(in, texts[i].len);
        }
        rk_column column = {.type = state->type, .data = numbers};
        if (state->type == RASK_COL_TEXT)
            column.text = texts;
        if (state->type == RASK_COL_BOOL)
            column.boolean = booleans;
        status = add_distinct(state, groups, &column, 0, rows);
        left -= rows;
    }
    return status;
}

static int merge_values(rk_state *state, rk_unflat *in, const uint32_t *map)
{
    uint64_t count = rk_flat_get_u64(in);
    int status = rk_array_reserve(&state->groups, count);
    if (!status)
        status = rk_array_reserve(&state->values, count);
    for (uint64_t i = 0; i < count && !status; i++) {
        ((uint32_t *)state->groups.data)[state->groups.count++] = map[rk_flat_get_u64(in)];
        memcpy((double *)state->values.data + state->values.count++, rk_flat_get(in, sizeof(double)),
               sizeof(double));
    }
    return status;
}

int rk_state_merge(rk_state *state, rk_unflat *in, const uint32_t *map, uint32_t count)
{
    switch (state->kind) {
    case RK_STATE_ROWS:
    case RK_STATE_NULLS: merge_counts(state, in, map, count); return RASK_OK;
    case RK_STATE_INTEGERS: merge_integers(state, in, map, count); return RASK_OK;
    case RK_STATE_SUM:
    case RK_STATE_SQUARES: return merge_sums(state, in, map, count);
    case RK_STATE_DISTINCT: return merge_distinct(state, in, map);
    case RK_STATE_VALUES: return merge_values(state, in, map);
    default: return merge_picks(state, in, map, count);
    }
}

/* Finishing. */

static void count_distinct(const rk_state *state, uint64_t *counts)
{
    for (size_t id = 0; id < state->set.rows.count; id++) {
        const uint64_t *row = rk_keys_row(&state->set, id);
        counts[row[2]] += !rk_keys_is_null(&state->set, row, 1);
    }
}

/* Sorts the values by group: those of group g become starts[g] … starts[g + 1] - 1. */
static int gather_values(rk_state *state, size_t groups, uint64_t *starts)
{
    const uint32_t *group = state->groups.data;
    const double *values = state->values.data;
    size_t count = state->values.count;
    double *gathered = rk_alloc_array(count + 1, sizeof *gathered);
    if (!gathered)
        return RASK_ENOMEM;
    for (size_t i = 0; i < count; i++)
        starts[group[i]]++;
    for (size_t g = 0, sum = 0; g <= groups; g++)
        starts[g] = sum += starts[g];
    for (size_t i = count; i > 0; i--)
        gathered[--starts[group[i - 1]]] = values[i - 1];
    rk_array_fini(&state->groups);
    rk_array_fini(&state->values);
    state->values.data = gathered;
    state->values.count = state->values.capacity = count;
    return RASK_OK;
}

int rk_state_finish(rk_state *state, size_t groups)
{
    if (state->kind != RK_STATE_DISTINCT && state->kind != RK_STATE_VALUES)
        return RASK_OK;
    uint64_t *counts = rk_calloc(groups + 1, sizeof *counts);
    if (!counts)
        return RASK_ENOMEM;
    state->counts = counts;
    if (state->kind == RK_STATE_VALUES)
        return gather_values(state, groups, counts);
    count_distinct(state, counts);
    return RASK_OK;
}
