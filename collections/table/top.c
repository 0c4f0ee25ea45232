/* Rows that may belong to the first k are appended; when there are twice as many they are sorted and the rest goes. From
 * then on the last one kept is a bound: rows behind it are passed over, nearly all of them by the rank of the first
 * column alone. */
#include "collections/table/top.h"

#include "collections/table/groups/flat.h"
#include "core/base/array.h"
#include "core/base/limits.h"

enum { LEAST_ROOM = 2 * RK_BATCH_ROWS };

/* Rows as columns that grow. */
typedef struct rows {
    rk_array *data, *valid; /* of each column */
    rk_array positions;
    rk_array wrong; /* rask_bytes */
    rk_arena texts;
} rows;

struct rk_top {
    rask_column_type *types;
    rk_order *order;
    rk_column *views; /* of the rows */
    uint32_t count, order_count;
    uint64_t k;
    rows kept;
    bool sorted;    /* the rows are in order */
    bool bounded;   /* there are k, and row k - 1 was the last of them when they were sorted */
    uint64_t bound; /* rank of its first column */
    size_t next;
};

static void rows_fini(const rk_top *top, rows *r)
{
    for (uint32_t i = 0; r->data && i < 2 * top->count; i++)
        rk_array_fini(&r->data[i]);
    rk_free(r->data);
    rk_array_fini(&r->positions);
    rk_array_fini(&r->wrong);
    rk_arena_fini(&r->texts);
    *r = (rows){0};
}

static int rows_init(const rk_top *top, rows *r)
{
    size_t most = 2 * (size_t)RK_TOP_MOST + LEAST_ROOM;
    *r = (rows){.data = rk_calloc(2 * (size_t)top->count + 1, sizeof *r->data),
                .positions = RK_ARRAY(uint64_t, most),
                .wrong = RK_ARRAY(rask_bytes, most)};
    if (!r->data)
        return RASK_ENOMEM;
    r->valid = r->data + top->count;
    for (uint32_t i = 0; i < top->count; i++) {
        r->data[i] = (rk_array){.element = rk_column_size(top->types[i]), .ceiling = most};
        r->valid[i] = (rk_array){.element = 1, .ceiling = most};
    }
    return RASK_OK;
}

int rk_top_new(const rask_column_type *types, uint32_t count, const rk_order *order, uint32_t order_count,
               uint64_t k, rk_top **out)
{
    assert(order_count >= 1 && count >= 1);
    if (k > RK_TOP_MOST)
        return RASK_ELIMIT;
    rk_top *top = rk_calloc(1, sizeof *top);
    if (!top)
        return RASK_ENOMEM;
    *top = (rk_top){.count = count, .order_count = order_count, .k = k};
    top->types = rk_alloc_array(count, sizeof *types);
    top->order = rk_alloc_array(order_count, sizeof *order);
    top->views = rk_calloc(count, sizeof *top->views);
    int status = top->types && top->order && top->views ? RASK_OK : RASK_ENOMEM;
    if (!status) {
        memcpy(top->types, types, count * sizeof *types);
        memcpy(top->order, order, order_count * sizeof *order);
        status = rows_init(top, &top->kept);
    }
    if (status)
        rk_top_free(top);
    else
        *out = top;
    return status;
}

void rk_top_free(rk_top *top)
{
    if (!top)
        return;
    rows_fini(top, &top->kept);
    rk_free(top->types);
    rk_free(top->order);
    rk_free(top->views);
    rk_free(top);
}

size_t rk_top_bytes(const rk_top *top)
{
    const rows *r = &top->kept;
    size_t bytes = sizeof *top + r->positions.capacity * sizeof(uint64_t) +
                   r->wrong.capacity * sizeof(rask_bytes) + r->texts.total;
    for (uint32_t i = 0; i < 2 * top->count; i++)
        bytes += sizeof(rk_array) + r->data[i].capacity * r->data[i].element;
    return bytes;
}

/* The rows as columns, until more are appended. */
static const rk_column *views(const rk_top *top)
{
    for (uint32_t i = 0; i < top->count; i++)
        top->views[i] = (rk_column){.type = top->types[i],
                                    .nulls = true,
                                    .data = top->kept.data[i].data,
                                    .valid = top->kept.valid[i].data};
    return top->views;
}

/* Columns that have rows and where each of them comes in the input. */
typedef struct source {
    const rk_column *columns;
    const uint64_t *positions; /* NULL: position and up */
    uint64_t position;
    const rask_bytes *wrong; /* NULL: nothing */
} source;

static uint64_t position_of(const source *s, uint32_t row)
{
    return s->positions ? s->positions[row] : s->position + row;
}

static int compare_rows(const rk_top *top, const source *a, uint32_t row_a, const source *b, uint32_t row_b)
{
    for (uint32_t i = 0; i < top->order_count; i++) {
        uint32_t column = top->order[i].column;
        int order = rk_column_compare(&a->columns[column], row_a, &b->columns[column], row_b,
                                      top->order[i].descending);
        if (order)
            return order;
    }
    uint64_t at_a = position_of(a, row_a), at_b = position_of(b, row_b);
    return (at_a > at_b) - (at_a < at_b);
}

static int copy_text(rows *to, rask_bytes *text)
{
    char *copy = rk_arena_alloc(&to->texts, text->len + !text->len);
    if (!copy)
        return RASK_ENOMEM;
    if (text->len)
        memcpy(copy, text->data, text->len);
    text->data = copy;
    return RASK_OK;
}

static int append_value(rows *to, uint32_t i, const rk_column *column, uint32_t row)
{
    char *value = rk_array_push(&to->data[i]);
    uint8_t *valid = value ? rk_array_push(&to->valid[i]) : NULL;
    if (!valid)
        return RASK_ENOMEM;
    *valid = rk_column_has(column, row);
    size_t size = to->data[i].element;
    if (!*valid)
        memset(value, 0, size);
    else if (column->type != RASK_COL_TEXT)
        memcpy(value, (const char *)column->data + row * size, size);
    else {
        rask_bytes text = column->text[row];
        if (copy_text(to, &text))
            return RASK_ENOMEM;
        memcpy(value, &text, sizeof text);
    }
    return RASK_OK;
}

static int append(const rk_top *top, rows *to, const source *s, uint32_t row)
{
    uint64_t *position = rk_array_push(&to->positions);
    rask_bytes *wrong = position ? rk_array_push(&to->wrong) : NULL;
    if (!wrong)
        return RASK_ENOMEM;
    *position = position_of(s, row);
    *wrong = s->wrong ? s->wrong[row] : (rask_bytes){0};
    int status = wrong->len ? copy_text(to, wrong) : RASK_OK;
    for (uint32_t i = 0; i < top->count && !status; i++)
        status = append_value(to, i, &s->columns[i], row);
    return status;
}

static source kept_source(const rk_top *top)
{
    return (source){
        .columns = views(top), .positions = top->kept.positions.data, .wrong = top->kept.wrong.data};
}

typedef struct comparison {
    const rk_top *top;
    source kept;
} comparison;

static int compare_kept(const void *context, uint64_t a, uint64_t b)
{
    const comparison *c = context;
    return compare_rows(c->top, &c->kept, (uint32_t)a, &c->kept, (uint32_t)b);
}

/* Copies the first k of the ranked rows into new ones, which become those that are kept. */
static int keep_first(rk_top *top, const source *from, const rk_ranked *ranked, size_t count)
{
    rows first;
    int status = rows_init(top, &first);
    for (size_t i = 0; i < count && i < top->k && !status; i++)
        status = append(top, &first, from, (uint32_t)ranked[i].item);
    if (status) {
        rows_fini(top, &first);
        return status;
    }
    rows_fini(top, &top->kept);
    top->kept = first;
    return RASK_OK;
}

static int sort_kept(rk_top *top)
{
    if (top->sorted)
        return RASK_OK;
    comparison c = {top, kept_source(top)};
    const rk_order *first = &top->order[0];
    size_t count = top->kept.positions.count;
    rk_ranked *ranked = rk_alloc_array(2 * count + 1, sizeof *ranked);
    if (!ranked)
        return RASK_ENOMEM;
    for (size_t i = 0; i < count; i++)
        ranked[i] = (rk_ranked){rk_rank(&c.kept.columns[first->column], (uint32_t)i, first->descending), i};
    rk_sort(ranked, ranked + count, count, compare_kept, &c);
    int status = keep_first(top, &c.kept, ranked, count);
    top->bounded = !status && top->kept.positions.count == top->k && top->k;
    if (top->bounded)
        top->bound = ranked[top->k - 1].rank;
    top->sorted = !status;
    rk_free(ranked);
    return status;
}

uint32_t rk_top_candidates(const rk_top *top, const rk_column *column, uint32_t count, uint32_t *chosen)
{
    uint32_t n = 0;
    bool descending = top->order[0].descending;
    uint64_t bound = top->bounded ? top->bound : UINT64_MAX;
    if (column->type == RASK_COL_F64 && !column->nulls) {
        for (uint32_t i = 0; i < count; i++) {
            chosen[n] = i;
            n += rk_rank_f64(column->f64[i], descending) <= bound;
        }
    } else if (column->type == RASK_COL_I64 && !column->nulls) {
        for (uint32_t i = 0; i < count; i++) {
            chosen[n] = i;
            n += rk_rank_i64(column->i64[i], descending) <= bound;
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            chosen[n] = i;
            n += rk_rank(column, i, descending) <= bound;
        }
    }
    return n;
}

/* Whether a row comes before the last of the first k. They have been sorted at the front of what is kept. */
static bool is_before_bound(const rk_top *top, const source *s, uint32_t row)
{
    if (!top->bounded)
        return true;
    source kept = kept_source(top);
    return compare_rows(top, s, row, &kept, (uint32_t)top->k - 1) < 0;
}

static int add(rk_top *top, const source *s, uint32_t count)
{
    uint32_t chosen[RK_BATCH_ROWS];
    assert(count <= RK_BATCH_ROWS && !top->next);
    if (!top->k)
        return RASK_OK;
    uint32_t n = rk_top_candidates(top, &s->columns[top->order[0].column], count, chosen);
    size_t most = top->k * 2 > LEAST_ROOM ? top->k * 2 : LEAST_ROOM;
    int status = RASK_OK;
    for (uint32_t i = 0; i < n && !status; i++) {
        // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): rk_top_candidates() has set the first n
        if (!is_before_bound(top, s, chosen[i]))
            continue;
        status = append(top, &top->kept, s, chosen[i]);
        top->sorted = false;
        if (!status && top->kept.positions.count >= most)
            status = sort_kept(top);
    }
    return status;
}

int rk_top_add(rk_top *top, const rk_batch *batch, uint64_t position, const rask_bytes *wrong)
{
    assert(batch->count == top->count);
    source s = {.columns = batch->columns, .position = position, .wrong = wrong};
    return add(top, &s, batch->rows);
}

static void write_rows(const rk_top *top, rk_flat *out)
{
    const rk_column *columns = views(top);
    size_t count = top->kept.positions.count;
    rk_flat_put_u64(out, count);
    for (size_t row = 0; row < count; row++) {
        rask_bytes wrong = ((const rask_bytes *)top->kept.wrong.data)[row];
        rk_flat_put(out, (const uint64_t *)top->kept.positions.data + row, sizeof(uint64_t));
        rk_flat_put_u64(out, wrong.len);
        rk_flat_put(out, wrong.data, wrong.len);
        for (uint32_t i = 0; i < top->count; i++) {
            const rask_bytes *text = columns[i].type == RASK_COL_TEXT ? &columns[i].text[row] : NULL;
            size_t size = top->kept.data[i].element;
            rk_flat_put_u64(out, columns[i].valid[row]);
            if (text)
                rk_flat_put_u64(out, text->len);
            rk_flat_put(out, text ? text->data : (const char *)columns[i].data + row * size,
                        text ? text->len : size);
        }
    }
}

int rk_top_pack(rk_top *top, rask_value *out)
{
    rk_flat flat = {0};
    int status = sort_kept(top);
    if (status)
        return status;
    write_rows(top, &flat);
    status = rask_value_bytes_alloc(flat.len, &flat.data, out);
    flat.len = 0;
    if (!status)
        write_rows(top, &flat);
    return status;
}

/* Reads some rows into a batch. */
static void read_rows(rk_unflat *in, rk_batch *batch, uint64_t *positions, rask_bytes *wrong, uint32_t count)
{
    batch->rows = count;
    for (uint32_t row = 0; row < count; row++) {
        positions[row] = rk_flat_get_u64(in);
        wrong[row].len = rk_flat_get_u64(in);
        wrong[row].data = rk_flat_get(in, wrong[row].len);
        for (uint32_t i = 0; i < batch->count; i++) {
            rk_column *column = &batch->columns[i];
            size_t size = rk_column_size(column->type);
            column->nulls = true;
            column->valid[row] = (uint8_t)rk_flat_get_u64(in);
            if (column->type != RASK_COL_TEXT) {
                memcpy((char *)column->data + row * size, rk_flat_get(in, size), size);
                continue;
            }
            size_t len = rk_flat_get_u64(in);
            column->text[row] = (rask_bytes){rk_flat_get(in, len), len};
        }
    }
}

int rk_top_merge(rk_top *top, rask_bytes packed)
{
    rk_unflat in = {.data = packed.data, .len = packed.len};
    rk_batch batch = {0};
    uint64_t *positions = rk_alloc_array(RK_BATCH_ROWS, sizeof *positions);
    rask_bytes *wrong = rk_alloc_array(RK_BATCH_ROWS, sizeof *wrong);
    int status = positions && wrong ? rk_batch_init(&batch, top->types, top->count) : RASK_ENOMEM;
    for (uint64_t left = status ? 0 : rk_flat_get_u64(&in); left && !status; left -= batch.rows) {
        read_rows(&in, &batch, positions, wrong, left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS);
        source s = {.columns = batch.columns, .positions = positions, .wrong = wrong};
        status = add(top, &s, batch.rows);
    }
    rk_batch_fini(&batch);
    rk_free(positions);
    rk_free(wrong);
    return status;
}

int rk_top_finish(rk_top *top)
{
    return sort_kept(top);
}

rask_bytes rk_top_wrong(const rk_top *top)
{
    const rask_bytes *wrong = top->kept.wrong.data;
    for (size_t i = 0; i < top->kept.wrong.count; i++)
        if (wrong[i].len)
            return wrong[i];
    return (rask_bytes){0};
}

void rk_top_next(rk_top *top, rk_batch *batch)
{
    assert(top->sorted || !top->kept.positions.count);
    const rk_column *columns = views(top);
    size_t left = top->kept.positions.count - top->next;
    batch->rows = left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS;
    for (uint32_t i = 0; i < top->count && batch->rows; i++) {
        size_t size = rk_column_size(top->types[i]);
        rk_column *out = &batch->columns[i];
        memcpy(out->data, (const char *)columns[i].data + top->next * size, batch->rows * size);
        memcpy(out->valid, columns[i].valid + top->next, batch->rows);
        out->nulls = memchr(out->valid, 0, batch->rows) != NULL;
    }
    top->next += batch->rows;
}
