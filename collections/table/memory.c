#include "collections/table/memory.h"

#include "collections/table/arrow/layout.h"
#include "collections/table/made.h"
#include "collections/table/rows.h"
#include "core/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Reading */

int rk_memory_read_plain(const rk_memory_column *column, uint64_t first, uint32_t rows, rk_column *out,
                         rk_memory_error *error)
{
    (void)error;
    rk_stored_read(&column->plain, first, rows, out);
    return RASK_OK;
}

static void clear_nulls(rk_column *c, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++) {
        if (c->valid[i])
            continue;
        if (c->type == RASK_COL_TEXT)
            c->text[i] = (rask_bytes){"", 0};
        else if (c->type == RASK_COL_BOOL)
            c->boolean[i] = 0;
        else
            c->i64[i] = 0;
    }
}

int rk_memory_read_rows(const rk_memory_source *source, uint32_t part, uint32_t column, uint64_t first,
                        uint32_t rows, rk_column *out, rk_memory_error *error)
{
    rk_memory_error reason = {""};
    out->nulls = false;
    if (!rows) /* there may be no parts */
        return RASK_OK;
    const rk_memory_column *c = &source->parts[part].columns[column];
    int status = c->read(c, first, rows, out, &reason);
    if (!status && out->nulls)
        clear_nulls(out, rows);
    if (status)
        snprintf(error->message, sizeof error->message, "column \"%.100s\"%s%.200s", source->names[column],
                 *reason.message ? ", " : "", reason.message);
    return status;
}

/* -- Feeds */

int rk_memory_fed_init(rk_memory_fed *fed, const rk_memory_source *source, uint64_t rows)
{
    *fed = (rk_memory_fed){
        .source = *source,
        .part = {.rows = rows, .columns = rk_calloc(source->count, sizeof *fed->part.columns)},
        .layouts = rk_calloc(source->count, sizeof *fed->layouts),
        .own = rk_calloc(source->count, sizeof *fed->own)};
    fed->source.parts = &fed->part;
    return fed->part.columns && fed->layouts && fed->own ? RASK_OK : RASK_ENOMEM;
}

void rk_memory_fed_set(rk_memory_fed *fed, uint32_t column, const rask_block *block)
{
    rk_arrow_layout_block(&fed->layouts[column], block);
    fed->part.columns[column] =
        (rk_memory_column){.read = rk_arrow_read_rows, .layout = &fed->layouts[column]};
}

int rk_memory_fed_load(rk_memory_fed *fed, const rk_memory_source *source, const rk_memory_slice *slice,
                       uint32_t column, rk_memory_error *error)
{
    fed->part.columns[column] =
        (rk_memory_column){.read = rk_arrow_read_rows, .layout = &fed->layouts[column]};
    return !slice->rows ? RASK_OK
                        : source->loader->load(source->loader->what, slice->part, column, slice->first,
                                               slice->rows, &fed->layouts[column], &fed->own[column], error);
}

void rk_memory_fed_fini(rk_memory_fed *fed)
{
    for (uint32_t i = 0; fed->own && i < fed->source.count; i++)
        rk_free(fed->own[i]);
    rk_free(fed->own);
    rk_free(fed->part.columns);
    rk_free(fed->layouts);
}

/* -- Slices */

/* Rows of a slice of a part. */
static uint64_t slice_rows(const rk_memory_part *part, uint64_t rows)
{
    return part->whole && part->rows ? part->rows : rows;
}

static uint32_t count_slices(const rk_memory_source *source, uint64_t rows)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < source->part_count; i++) {
        uint64_t some = slice_rows(&source->parts[i], rows);
        count += (source->parts[i].rows + some - 1) / some;
    }
    return (uint32_t)count;
}

rk_memory_slice *rk_memory_cut(const rk_memory_source *source, uint64_t bytes, uint32_t *count)
{
    uint64_t row = source->rows ? source->bytes / source->rows + 1 : 1, least = source->rows / (1 << 20);
    uint64_t rows = bytes / row + 1;
    if (rows > RK_BATCH_ROWS)
        rows = (rows + RK_BATCH_ROWS - 1) / RK_BATCH_ROWS * RK_BATCH_ROWS;
    rows = rows < least ? least : rows;
    uint32_t n = 0;
    rk_memory_slice *slices = rk_alloc_array(count_slices(source, rows) + (size_t)1, sizeof *slices);
    for (uint32_t i = 0; slices && i < source->part_count; i++)
        for (uint64_t first = 0, left = source->parts[i].rows; left; n++) {
            uint64_t most = slice_rows(&source->parts[i], rows), some = left < most ? left : most;
            slices[n] = (rk_memory_slice){i, first, some};
            first += some;
            left -= some;
        }
    if (slices && !n)
        slices[n++] = (rk_memory_slice){0};
    *count = n;
    return slices;
}

/* -- Tables */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two columns of one name: NULL when there are none, or no memory to see. */
static const char *find_twice(const char *const *names, uint32_t count)
{
    const char *twice = NULL, **sorted = rk_alloc_array(count, sizeof *sorted);
    if (!sorted)
        return NULL;
    memcpy(sorted, names, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (uint32_t i = 1; i < count && !twice; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            twice = sorted[i];
    rk_free(sorted);
    return twice;
}

static const char *name_column(const rask_table *table, const char *name, uint32_t number, const char *file,
                               int line)
{
    char text[32];
    if (!name || !*name) {
        snprintf(text, sizeof text, "column_%u", number + 1);
        name = text;
    }
    return rk_table_text(table->graph, (rask_bytes){name, strlen(name)}, file, line);
}

rask_table *rk_memory_table_new(rask_graph *graph, const char *what, const char *const *names,
                                const rask_column_type *types, uint32_t count, const char *file, int line)
{
    if (!count)
        return (rask_table *)rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: no columns", what);
    rask_table *table = rk_table_new(graph, RK_TABLE_ROWS, NULL, count, file, line);
    rk_memory_source *source = table ? rk_table_memory(graph, sizeof *source, file, line) : NULL;
    if (!source)
        return NULL;
    *source = (rk_memory_source){.names = table->schema.names, .count = count};
    table->as.memory = source;
    for (uint32_t i = 0; i < count; i++) {
        table->schema.types[i] = types[i];
        table->schema.names[i] = name_column(table, names[i], i, file, line);
        if (!table->schema.names[i])
            return NULL;
    }
    const char *twice = find_twice(table->schema.names, count);
    return twice ? rk_table_fail(table, RASK_EINVAL, file, line, "%s: two columns \"%.200s\"", what, twice)
                 : table;
}

int rk_memory_table_parts(rask_table *table, uint32_t count, const char *file, int line)
{
    rk_memory_source *source = table->as.memory;
    size_t size = source->count * sizeof(rk_memory_column);
    source->parts = rk_table_memory(table->graph, count * sizeof *source->parts, file, line);
    for (; source->parts && source->part_count < count; source->part_count++) {
        rk_memory_column *columns = rk_table_memory(table->graph, size, file, line);
        if (!columns)
            return RASK_ENOMEM;
        memset(columns, 0, size);
        source->parts[source->part_count] = (rk_memory_part){.columns = columns};
    }
    return source->parts ? RASK_OK : RASK_ENOMEM;
}

rask_table *rk_memory_table_end(rask_table *table)
{
    rk_memory_source *source = table->as.memory;
    for (uint32_t i = 0; i < source->part_count; i++) {
        source->rows += source->parts[i].rows;
        source->bytes += source->parts[i].bytes;
    }
    table->bytes = source->bytes;
    return rk_table_note(table, &(rk_builder_call){.builder = RK_BUILDER_ROWS});
}

/* -- Columns of the program's, and computed rows: one part */

static uint64_t column_bytes(const rk_stored *s, uint64_t rows)
{
    const rask_column *c = &s->column;
    uint64_t bytes = c->valid ? rows : 0, values = s->codes ? s->texts : rows;
    bytes += s->codes ? rows * sizeof *s->codes : 0;
    bytes += values * (c->type == RASK_COL_BOOL ? 1 : 8);
    return bytes + (c->type == RASK_COL_TEXT && rows ? c->as.offsets[values] - c->as.offsets[0] : 0);
}

const char *rk_memory_find_fault(const rask_column *c, uint64_t rows)
{
    if ((unsigned)c->type >= RASK_COLUMN_TYPES)
        return "no such type";
    if (!c->as.boolean && rows)
        return "no values";
    for (uint64_t i = 0; c->type == RASK_COL_TEXT && i < rows; i++)
        if (c->as.offsets[i] > c->as.offsets[i + 1])
            return "text that ends before it begins";
    if (c->type == RASK_COL_TEXT && rows && !c->bytes && c->as.offsets[rows] > c->as.offsets[0])
        return "no bytes";
    for (uint64_t i = 0; c->type == RASK_COL_BOOL && i < rows; i++)
        if (c->as.boolean[i] > 1)
            return "a bool that is neither 0 nor 1";
    for (uint64_t i = 0; c->valid && i < rows; i++)
        if (c->valid[i] > 1)
            return "valid is neither 0 nor 1";
    return NULL;
}

/* One part over columns that somebody keeps. */
static rask_table *make_table(rask_graph *graph, const char *what, const rk_stored *columns, uint32_t count,
                              uint64_t rows, const char *file, int line)
{
    const char **names = columns ? rk_table_memory(graph, count * sizeof *names, file, line) : NULL;
    rask_column_type *types = rk_table_memory(graph, count * sizeof *types, file, line);
    for (uint32_t i = 0; names && types && i < count; i++) {
        names[i] = columns[i].column.name;
        types[i] = columns[i].column.type;
    }
    rask_table *table =
        names && types ? rk_memory_table_new(graph, what, names, types, count, file, line) : NULL;
    if (!table || rk_memory_table_parts(table, 1, file, line))
        return NULL;
    rk_memory_part *part = table->as.memory->parts;
    part->rows = rows;
    for (uint32_t i = 0; i < count; i++) {
        part->columns[i] = (rk_memory_column){.read = rk_memory_read_plain, .plain = columns[i]};
        part->bytes += column_bytes(&columns[i], rows);
    }
    return rk_memory_table_end(table);
}

rask_table *rask_table_from_columns_at(rask_graph *graph, const rask_column *columns, uint32_t count,
                                       uint64_t rows, const char *file, int line)
{
    static const char what[] = "rask_table_from_columns";
    if (!graph || graph->status)
        return NULL;
    for (uint32_t i = 0; columns && i < count; i++) {
        const char *fault = rk_memory_find_fault(&columns[i], rows);
        if (fault)
            return (rask_table *)rk_graph_fail(graph, RASK_EINVAL, file, line,
                                               "%s: column %u, \"%.200s\": %s", what, i + 1,
                                               columns[i].name ? columns[i].name : "", fault);
    }
    count = columns ? count : 0;
    rk_stored *stored = rk_table_memory(graph, (count + (size_t)1) * sizeof *stored, file, line);
    for (uint32_t i = 0; stored && i < count; i++)
        stored[i] = (rk_stored){.column = columns[i]};
    return make_table(graph, what, stored, count, rows, file, line);
}

static void end_rows(void *rows)
{
    rask_rows_free(rows);
}

rask_table *rask_table_from_rows_at(rask_graph *graph, rask_rows *rows, const char *file, int line)
{
    uint32_t count = rask_rows_columns(rows);
    if (!graph || graph->status || !rows)
        return NULL;
    rk_stored *columns = rk_table_memory(graph, (count + (size_t)1) * sizeof *columns, file, line);
    for (uint32_t i = 0; columns && i < count; i++) {
        columns[i] = rk_chunk_stored(&rows->chunk, i);
        columns[i].column.name = rows->names[i];
    }
    if (columns && rk_graph_at_end(graph, end_rows, rk_rows_ref(rows))) {
        rask_rows_free(rows);
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "no memory for a table");
        return NULL;
    }
    rask_table *table =
        columns ? make_table(graph, "rask_table_from_rows", columns, count, rask_rows_count(rows), file, line)
                : NULL;
    if (table)
        memcpy(table->schema.empty, rows->empty, count * sizeof *rows->empty);
    return table;
}
