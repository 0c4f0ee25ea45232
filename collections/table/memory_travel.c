/* Design notes. Bytes of a table: how it is given, and with files these alone; else how many columns and parts there are, names and
 * types, rows and bytes of each part, and of values by part and column
 *   how many rows have good ones, and the status and a text that says what is wrong with the next
 *   of text how many there are in a dictionary; 0: it has none
 *   those, as a rask_column or a dictionary has them: data, of text where each ends and the codes of rows; 1 and a byte a row where
 *   some are null
 * What is written has a ceiling, whatever the rows take in memory: views may show one text many times.
 * Nobody misses what no task reads: a bad value is told of when its row is read, as in the program. */
#include "collections/table/memory_travel.h"

#include "collections/table/arrow/file.h"
#include "core/base/alloc.h"
#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>

enum { AS_VALUES, AS_FED, AS_FILES };

/* -- Writing */

/* The values of a column, as far as they are good. */
typedef struct gathering {
    rk_array data, ends, valid;
    bool nulls;
    uint64_t rows;
    int status;            /* of the row behind these, and */
    rk_memory_error wrong; /* what is wrong with it */
} gathering;

static int append(rk_array *to, const void *bytes, size_t size)
{
    int status = rk_array_reserve(to, size);
    if (status || !size)
        return status;
    memcpy((char *)to->data + to->count, bytes, size);
    to->count += size;
    return RASK_OK;
}

static int append_text(gathering *g, const rk_column *c, uint32_t rows)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < rows && !status; i++) {
        if (rk_column_has(c, i))
            status = append(&g->data, c->text[i].data, c->text[i].len);
        uint64_t end = g->data.count;
        if (!status)
            status = append(&g->ends, &end, sizeof end);
    }
    return status;
}

/* With zeros where there are nulls, for what a batch has there means nothing. */
static int append_numbers(gathering *g, const rk_column *c, uint32_t rows)
{
    size_t size = rk_column_size(c->type), first = g->data.count;
    int status = append(&g->data, c->data, rows * size);
    for (uint32_t i = 0; i < rows && !status; i++)
        if (!rk_column_has(c, i))
            memset((char *)g->data.data + first + i * size, 0, size);
    return status;
}

static int append_rows(gathering *g, const rk_column *c, uint32_t rows)
{
    int status = c->type == RASK_COL_TEXT ? append_text(g, c, rows) : append_numbers(g, c, rows);
    if (!status)
        status = rk_array_reserve(&g->valid, rows);
    for (uint32_t i = 0; i < rows && !status; i++) {
        uint8_t has = rk_column_has(c, i);
        status = append(&g->valid, &has, sizeof has);
        g->nulls |= !has;
    }
    g->rows += status ? 0 : rows;
    return status;
}

/* Batches, and of a bad one row by row what is good. */
static int gather(gathering *g, const rk_memory_column *from, uint64_t rows, rk_column *batch)
{
    uint64_t some = RK_BATCH_ROWS;
    while (g->rows < rows) {
        uint32_t next = (uint32_t)(rows - g->rows < some ? rows - g->rows : some);
        batch->nulls = false;
        g->status = from->read(from, g->rows, next, batch, &g->wrong);
        if (g->status == RASK_ENOMEM)
            return RASK_ENOMEM;
        if (g->status && next == 1)
            return RASK_OK;
        int status = g->status ? RASK_OK : append_rows(g, batch, next);
        some = g->status ? 1 : some;
        if (status)
            return status;
    }
    return RASK_OK;
}

static void put_head(uint64_t rows, int status, const char *wrong, rk_pack_out *out)
{
    rk_pack_put_u64(out, rows);
    rk_pack_put_u32(out, (uint32_t)status);
    rk_pack_put_text(out, wrong);
}

static void put_gathered(const gathering *g, rask_column_type type, rk_pack_out *out)
{
    put_head(g->rows, g->status, g->wrong.message, out);
    if (type == RASK_COL_TEXT)
        rk_pack_put_u32(out, 0);
    rk_pack_put_bytes(out, g->data.data, g->data.count);
    if (type == RASK_COL_TEXT)
        rk_pack_put(out, g->ends.data, g->ends.count);
    rk_pack_put_u8(out, g->nulls);
    if (g->nulls)
        rk_pack_put(out, g->valid.data, g->valid.count);
}

/* A dictionary and the codes of rows go as they are. */
static void put_numbered(const rk_stored *s, uint64_t rows, rk_pack_out *out)
{
    const rask_column *c = &s->column;
    put_head(rows, RASK_OK, "", out);
    rk_pack_put_u32(out, s->texts);
    rk_pack_put_bytes(out, c->bytes, c->as.offsets[s->texts]);
    rk_pack_put(out, c->as.offsets, (s->texts + (uint64_t)1) * sizeof *c->as.offsets);
    rk_pack_put(out, s->codes, rows * sizeof *s->codes);
    rk_pack_put_u8(out, c->valid != NULL);
    if (c->valid)
        rk_pack_put(out, c->valid, rows);
}

/* At most so many bytes: RASK_ELIMIT where it would be more. */
static int put_column(const rk_memory_column *from, rask_column_type type, uint64_t rows, size_t most,
                      rk_pack_out *out)
{
    rk_column batch = {.type = type};
    gathering g = {.data = RK_ARRAY(char, most), .ends = RK_ARRAY(char, most), .valid = RK_ARRAY(char, most)};
    const uint64_t none = 0;
    if (from->plain.codes) {
        put_numbered(&from->plain, rows, out);
        return RASK_OK;
    }
    int status = rk_column_init(&batch, type);
    if (!status)
        status = append(&g.ends, &none, sizeof none);
    if (!status)
        status = gather(&g, from, rows, &batch);
    if (!status)
        put_gathered(&g, type, out);
    rk_column_fini(&batch);
    rk_array_fini(&g.data);
    rk_array_fini(&g.ends);
    rk_array_fini(&g.valid);
    return status;
}

static void put_heads(const rask_table *table, rk_pack_out *out)
{
    const rk_memory_source *source = table->as.memory;
    rk_pack_put_u32(out, source->count);
    rk_pack_put_u32(out, source->part_count);
    for (uint32_t i = 0; i < source->count; i++) {
        rk_pack_put_text(out, table->schema.names[i]);
        rk_pack_put_u8(out, (uint8_t)table->schema.types[i]);
        rk_pack_put_u8(out, table->schema.empty[i]);
    }
    for (uint32_t i = 0; i < source->part_count; i++) {
        rk_pack_put_u64(out, source->parts[i].rows);
        rk_pack_put_u64(out, source->parts[i].bytes);
    }
}

static int fail_size(uint64_t bytes, rk_open_error *error)
{
    rk_open_fail(error, RASK_EUNSUPPORTED,
                 "a table in the program's memory has %llu bytes%s, and %zu can go: write it to a file that "
                 "workers see",
                 (unsigned long long)bytes, bytes > RK_MAX_TRAVELLING ? "" : ", and more as they are read",
                 RK_MAX_TRAVELLING);
    return error->status;
}

static int put_values(const rask_table *table, rk_pack_out *out, rk_open_error *error)
{
    const rk_memory_source *source = table->as.memory;
    const uint64_t end = out->size + RK_MAX_TRAVELLING;
    int status = source->bytes > RK_MAX_TRAVELLING ? RASK_ELIMIT : RASK_OK;
    if (!status)
        put_heads(table, out);
    for (uint32_t i = 0; i < source->part_count && !status; i++)
        for (uint32_t k = 0; k < source->count && !status; k++) {
            const rk_memory_part *part = &source->parts[i];
            status = out->size < end ? put_column(&part->columns[k], table->schema.types[k], part->rows,
                                                  end - out->size, out)
                                     : RASK_ELIMIT;
        }
    if (status == RASK_ELIMIT || (!status && out->size > end))
        return fail_size(source->bytes, error);
    if (status)
        rk_open_fail(error, status, "%s", rask_status_text(status));
    return status;
}

int rk_memory_table_put(const rask_table *table, rk_pack_out *out, rk_open_error *error)
{
    const rk_memory_source *source = table->as.memory;
    if (source->loader) {
        rk_pack_put_u8(out, AS_FILES);
        return rk_arrow_files_put(source, out, error);
    }
    rk_pack_put_u8(out, source->feed ? AS_FED : AS_VALUES);
    if (!source->feed)
        return put_values(table, out, error);
    put_heads(table, out);
    return RASK_OK;
}

/* -- Reading */

/* A copy in the graph's memory of the next size bytes; NULL: they are not there, or latched. */
static void *take(rask_graph *graph, rk_pack_in *in, uint64_t size)
{
    const char *at = rk_pack_get(in, size);
    void *own = at ? rk_table_memory(graph, size ? size : 1, NULL, 0) : NULL;
    if (own && size)
        memcpy(own, at, size);
    return own;
}

/* Of a column with a bad value: what is wrong with it. */
typedef struct flaw {
    uint64_t row;
    int status;
    const char *message;
} flaw;

static int read_flawed(const rk_memory_column *column, uint64_t first, uint32_t rows, rk_column *out,
                       rk_memory_error *error)
{
    const flaw *f = column->layout;
    if (first + rows <= f->row)
        return rk_memory_read_plain(column, first, rows, out, error);
    snprintf(error->message, sizeof error->message, "%s", f->message);
    return f->status;
}

/* Text that is spelt out, or its dictionary and the codes of rows. */
static bool get_texts(rask_graph *graph, rk_pack_in *in, rk_stored *s, uint64_t rows)
{
    rask_column *c = &s->column;
    s->texts = rk_pack_get_u32(in);
    uint64_t bytes = rk_pack_get_u64(in), values = s->texts ? s->texts : rows;
    c->bytes = take(graph, in, bytes);
    c->as.offsets = values < RK_MAX_TRAVELLING ? take(graph, in, (values + 1) * sizeof *c->as.offsets) : NULL;
    if (!c->bytes || !c->as.offsets || c->as.offsets[0] || c->as.offsets[values] != bytes)
        return false;
    if (s->texts && rows < RK_MAX_TRAVELLING)
        s->codes = take(graph, in, rows * sizeof *s->codes);
    return !s->texts || s->codes;
}

static bool get_numbers(rask_graph *graph, rk_pack_in *in, rask_column *c, uint64_t rows)
{
    uint64_t bytes = rk_pack_get_u64(in), wanted;
    if (__builtin_mul_overflow(rows, rk_column_size(c->type), &wanted) || bytes != wanted)
        return false;
    c->as.boolean = take(graph, in, bytes);
    return c->as.boolean != NULL;
}

static bool get_values(rask_graph *graph, rk_pack_in *in, rk_stored *s, uint64_t rows)
{
    bool good = s->column.type == RASK_COL_TEXT ? get_texts(graph, in, s, rows)
                                                : get_numbers(graph, in, &s->column, rows);
    return good && (!rk_pack_get_u8(in) || (s->column.valid = take(graph, in, rows)));
}

static bool is_sound(const rk_stored *s, uint64_t rows)
{
    const rask_column texts = {.type = RASK_COL_TEXT, .as = s->column.as, .bytes = s->column.bytes};
    for (uint64_t i = 0; s->codes && i < rows; i++)
        if (s->codes[i] >= s->texts || (s->column.valid && s->column.valid[i] > 1))
            return false;
    return s->codes ? !rk_memory_find_fault(&texts, s->texts) : !rk_memory_find_fault(&s->column, rows);
}

static bool get_column(rask_graph *graph, rk_pack_in *in, rask_column_type type, uint64_t rows,
                       rk_memory_column *out)
{
    char *wrong = NULL;
    flaw *f = rk_table_memory(graph, sizeof *f, NULL, 0);
    *out = (rk_memory_column){.read = rk_memory_read_plain, .plain = {.column = {.type = type}}};
    uint64_t good = rk_pack_get_u64(in);
    int status = (int)rk_pack_get_u32(in);
    if (!f || !rk_pack_get_text(in, &wrong))
        return false;
    bool fits = wrong && (status ? good < rows : good == rows) && get_values(graph, in, &out->plain, good);
    if (fits && status) {
        *f = (flaw){good, status, rk_table_text(graph, (rask_bytes){wrong, strlen(wrong)}, NULL, 0)};
        out->read = read_flawed;
        out->layout = f;
        fits = f->message != NULL;
    }
    rk_free(wrong);
    return fits && !in->failed && is_sound(&out->plain, good);
}

static bool get_parts(rk_pack_in *in, rask_table *table, bool values)
{
    rk_memory_source *source = table->as.memory;
    for (uint32_t i = 0; i < source->part_count; i++) {
        source->parts[i].rows = rk_pack_get_u64(in);
        source->parts[i].bytes = rk_pack_get_u64(in);
    }
    for (uint32_t i = 0; i < source->part_count && values && !in->failed; i++)
        for (uint32_t k = 0; k < source->count; k++)
            if (!get_column(table->graph, in, table->schema.types[k], source->parts[i].rows,
                            &source->parts[i].columns[k]))
                return false;
    return !in->failed;
}

/* Nobody calls the tasks that these nodes are in, which are the program's. */
static void *begin(const void *what, const struct rk_table_lowering *l)
{
    (void)l;
    return (void *)what;
}

static rask_node *stand_in(void *begun, uint32_t column, uint64_t first, uint64_t rows)
{
    (void)column;
    (void)first;
    (void)rows;
    return rask_list(begun, NULL, 0);
}

static void end(void *begun)
{
    (void)begun;
}

static rask_table *finish(rask_table *table, bool fed)
{
    rask_graph *graph = table->graph;
    rk_memory_feed *feed = fed ? rk_table_memory(graph, sizeof *feed, NULL, 0) : NULL;
    if (fed && !feed)
        return NULL;
    if (fed)
        *feed = (rk_memory_feed){graph, begin, stand_in, end};
    table->as.memory->feed = feed;
    return rk_memory_table_end(table);
}

/* Names and types of so many columns, in arrays with room for them, and whether they are known to have no value; the names are to be
 * freed in any case. */
static bool get_schema(rk_pack_in *in, uint32_t count, char **names, rask_column_type *types, bool *empty)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!rk_pack_get_text(in, &names[i]) || !names[i])
            return false;
        types[i] = (rask_column_type)rk_pack_get_u8(in);
        empty[i] = rk_pack_get_u8(in) != 0;
        if (types[i] >= RASK_COLUMN_TYPES || (empty[i] && types[i] != RASK_COL_TEXT))
            return false;
    }
    return !in->failed;
}

static rask_table *get_table(rask_graph *graph, rk_pack_in *in, uint32_t count, uint32_t parts, bool fed)
{
    static const char what[] = "a table in memory";
    char **names = rk_calloc(count, sizeof *names);
    rask_column_type *types = rk_calloc(count, sizeof *types);
    bool *empty = rk_calloc(count, sizeof *empty);
    rask_table *table = NULL;
    if (names && types && empty && get_schema(in, count, names, types, empty))
        table = rk_memory_table_new(graph, what, (const char *const *)names, types, count, NULL, 0);
    if (table)
        memcpy(table->schema.empty, empty, count * sizeof *empty);
    if (table && (rk_memory_table_parts(table, parts, NULL, 0) || !get_parts(in, table, !fed)))
        table = NULL;
    for (uint32_t i = 0; names && i < count; i++)
        rk_free(names[i]);
    rk_free(names);
    rk_free(types);
    rk_free(empty);
    return table ? finish(table, fed) : NULL;
}

rask_table *rk_memory_table_get(rask_graph *graph, rk_pack_in *in, rk_open_error *error)
{
    uint8_t form = rk_pack_get_u8(in);
    if (form == AS_FILES)
        return rk_arrow_files_get(graph, in, error);
    uint32_t count = rk_pack_get_u32(in), parts = rk_pack_get_u32(in);
    if (form > AS_FILES || in->failed || !count || count > RK_TABLE_COLUMNS || count > rk_pack_left(in) ||
        parts > rk_pack_left(in) / (2 * sizeof(uint64_t)) || (form == AS_FED && parts > 1) ||
        (form == AS_VALUES && parts > rk_pack_left(in) / count))
        return NULL;
    return get_table(graph, in, count, parts, form == AS_FED);
}
