/* Arrow's arrays as tables. What was moved here is kept until the graph ends; schemas are needed while the table is made. */
#include "collections/table/arrow/bits.h"
#include "collections/table/arrow/layout.h"
#include "core/base/alloc.h"
#include "core/base/array.h"

#include <stdio.h>
#include <string.h>

enum { MOST_ARRAYS = 1 << 24 };

/* Arrays of one schema, and what is known of their columns. Belongs to the graph once it is whole. */
typedef struct holding {
    rk_array arrays; /* struct ArrowArray */
    rk_arrow_layout
        *layouts; /* array by array, column by column; then those of the indices of dictionaries */
    size_t layout_count;
} holding;

typedef struct import {
    rask_graph *graph;
    const char *what, *file;
    int line;
    struct ArrowSchema schema;
    holding *held;
    rask_table *table;
} import;

static int fail(const import *m, int status, const char *message)
{
    rk_graph_fail(m->graph, status, m->file, m->line, "%s: %s", m->what, message);
    return status;
}

static int fail_column(const import *m, int64_t column, int status, const char *fault)
{
    const char *name = m->schema.children[column]->name;
    rk_graph_fail(m->graph, status, m->file, m->line, "%s: column \"%.200s\": %s", m->what, name ? name : "",
                  fault);
    return status;
}

/* -- Holding */

static void end_holding(void *what)
{
    holding *h = what;
    struct ArrowArray *arrays = h->arrays.data;
    for (size_t i = 0; i < h->layout_count; i++)
        rk_arrow_dictionary_fini(&h->layouts[i]);
    for (size_t i = 0; i < h->arrays.count; i++)
        if (arrays[i].release)
            arrays[i].release(&arrays[i]);
    rk_free(h->layouts);
    rk_array_fini(&h->arrays);
    rk_free(h);
}

/* Takes over an array, also on failure. */
static int hold(const import *m, struct ArrowArray *array)
{
    struct ArrowArray *place = m->held ? rk_array_push(&m->held->arrays) : NULL;
    if (place)
        *place = *array;
    else if (array->release)
        array->release(array);
    array->release = NULL;
    return place ? RASK_OK : fail(m, RASK_ENOMEM, "no memory for an array");
}

/* -- Schema */

static bool has_children(const struct ArrowSchema *s)
{
    if (s->n_children < 0 || (s->n_children && !s->children))
        return false;
    for (int64_t i = 0; i < s->n_children; i++)
        if (!s->children[i])
            return false;
    return true;
}

/* How a column's values are laid out, and those of its dictionary, which is then what the column has. */
static int read_format(const import *m, int64_t column, rk_arrow_layout *layout, rk_arrow_layout *dictionary)
{
    const struct ArrowSchema *s = m->schema.children[column], *d = s->dictionary;
    char fault[200];
    snprintf(fault, sizeof fault, "format \"%.100s\" fits no column", s->format ? s->format : "");
    bool good = rk_arrow_format(s->format, layout) && !s->n_children;
    if (good && d) {
        snprintf(fault, sizeof fault, "a dictionary of \"%.100s\" at \"%.20s\" fits no column",
                 d->format ? d->format : "", s->format);
        good = layout->type == RASK_COL_I64 && !d->dictionary && !d->n_children &&
               rk_arrow_format(d->format, dictionary);
    }
    return good ? RASK_OK : fail_column(m, column, RASK_ETYPE, fault);
}

/* The table, without rows. */
static int read_schema(import *m)
{
    const struct ArrowSchema *s = &m->schema;
    rk_arrow_layout layout = {0}, dictionary = {0};
    int status = RASK_OK;
    if (!s->format || strcmp(s->format, "+s") != 0 || !has_children(s))
        return fail(m, RASK_ETYPE, "no struct (\"+s\") whose children are the columns");
    if (s->n_children > RK_TABLE_COLUMNS)
        return fail(m, RASK_ELIMIT, "more columns than a table may have");
    size_t count = (size_t)s->n_children;
    const char **names = rk_table_memory(m->graph, count * sizeof *names, m->file, m->line);
    rask_column_type *types = rk_table_memory(m->graph, count * sizeof *types, m->file, m->line);
    bool *empty = rk_table_memory(m->graph, count * sizeof *empty, m->file, m->line);
    if (!names || !types || !empty)
        return RASK_ENOMEM;
    for (size_t i = 0; i < count && !status; i++) {
        status = read_format(m, (int64_t)i, &layout, &dictionary);
        names[i] = s->children[i]->name;
        types[i] = s->children[i]->dictionary ? dictionary.type : layout.type;
        empty[i] = !s->children[i]->dictionary && rk_arrow_is_null(&layout);
    }
    if (!status)
        m->table = rk_memory_table_new(m->graph, m->what, names, types, (uint32_t)count, m->file, m->line);
    if (!m->table)
        return status ? status : RASK_EINVAL;
    memcpy(m->table->schema.empty, empty, count * sizeof *empty);
    return RASK_OK;
}

/* -- Arrays */

static const char *check_struct(const import *m, const struct ArrowArray *a)
{
    if (a->length < 0 || a->offset < 0 || a->offset > INT64_MAX / 16 || a->length > INT64_MAX / 16)
        return "no length";
    if (a->n_children != m->schema.n_children || !a->children)
        return "another number of columns than the schema has";
    const uint8_t *valid = a->null_count && a->n_buffers > 0 && a->buffers ? a->buffers[0] : NULL;
    for (int64_t i = 0; valid && i < a->length; i++)
        if (!rk_bit(valid, (uint64_t)(a->offset + i)))
            return "a row that is null as a whole";
    return NULL;
}

/* What the layout was are the indices; it gives what stands at them. */
static int bind_dictionary(import *m, int64_t column, rk_arrow_layout *layout, rk_arrow_layout *values,
                           const struct ArrowArray *dictionary)
{
    rk_memory_error error = {""};
    rk_arrow_layout *indices = &m->held->layouts[m->held->layout_count++];
    const char *fault = rk_arrow_bind(values, dictionary);
    *indices = *layout;
    layout->indices = indices;
    if (fault)
        return fail_column(m, column, RASK_EFORMAT, fault);
    int status = rk_arrow_dictionary_init(layout, values, &error);
    return status ? fail_column(m, column, status, *error.message ? error.message : rask_status_text(status))
                  : RASK_OK;
}

static uint64_t text_bytes(const rk_arrow_layout *l, const struct ArrowSchema *s)
{
    int32_t ends[2];
    int64_t large[2];
    const char *at = l->values;
    if (!at || !l->length || s->dictionary)
        return 0;
    if (*s->format == 'u' || *s->format == 'z') {
        memcpy(&ends[0], at + l->offset * sizeof *ends, sizeof *ends);
        memcpy(&ends[1], at + (l->offset + l->length) * sizeof *ends, sizeof *ends);
        return ends[1] > ends[0] ? (uint64_t)(ends[1] - (int64_t)ends[0]) : 0;
    }
    if (*s->format == 'U' || *s->format == 'Z') {
        memcpy(&large[0], at + l->offset * sizeof *large, sizeof *large);
        memcpy(&large[1], at + (l->offset + l->length) * sizeof *large, sizeof *large);
        return large[0] >= 0 && large[1] > large[0] ? (uint64_t)(large[1] - large[0]) : 0;
    }
    return 0;
}

static int bind_column(import *m, const struct ArrowArray *whole, int64_t column, rk_memory_part *part)
{
    const struct ArrowSchema *s = m->schema.children[column];
    const struct ArrowArray *a = whole->children[column];
    rk_arrow_layout *layout = &m->held->layouts[m->held->layout_count++], dictionary;
    int status = read_format(m, column, layout, &dictionary);
    if (status)
        return status;
    const char *fault = rk_arrow_bind(layout, a);
    if (!fault && a->length < whole->offset + whole->length)
        fault = "fewer values than there are rows";
    if (!fault && !s->dictionary != !a->dictionary)
        fault = "a dictionary in one of schema and array";
    if (fault)
        return fail_column(m, column, RASK_EFORMAT, fault);
    layout->offset += (uint64_t)whole->offset;
    layout->length = (uint64_t)whole->length;
    part->bytes += layout->length * 8 + text_bytes(layout, s);
    part->columns[column] = (rk_memory_column){.read = rk_arrow_read_rows, .layout = layout};
    return s->dictionary ? bind_dictionary(m, column, layout, &dictionary, a->dictionary) : RASK_OK;
}

static int bind_arrays(import *m)
{
    const struct ArrowArray *arrays = m->held->arrays.data;
    size_t count = m->held->arrays.count, columns = (size_t)m->schema.n_children;
    m->held->layouts = rk_calloc(2 * count * columns + 1, sizeof *m->held->layouts);
    if (!m->held->layouts)
        return fail(m, RASK_ENOMEM, "no memory for columns");
    int status = rk_memory_table_parts(m->table, (uint32_t)count, m->file, m->line);
    for (size_t i = 0; i < count && !status; i++) {
        rk_memory_part *part = &m->table->as.memory->parts[i];
        const char *fault = check_struct(m, &arrays[i]);
        status = fault ? fail(m, RASK_EFORMAT, fault) : RASK_OK;
        part->rows = (uint64_t)arrays[i].length;
        for (int64_t c = 0; c < m->schema.n_children && !status; c++)
            status = bind_column(m, &arrays[i], c, part);
    }
    return status;
}

/* -- Both calls */

static holding *new_holding(void)
{
    holding *h = rk_calloc(1, sizeof *h);
    if (h)
        h->arrays = (rk_array)RK_ARRAY(struct ArrowArray, MOST_ARRAYS);
    return h;
}

/* Ends what is not needed for longer, and on failure everything. */
static rask_table *finish(import *m, int status)
{
    if (!status)
        status = read_schema(m);
    if (!status)
        status = bind_arrays(m);
    if (!status && rk_graph_at_end(m->graph, end_holding, m->held))
        status = fail(m, RASK_ENOMEM, "no memory for a table");
    if (status && m->held)
        end_holding(m->held);
    if (m->schema.release)
        m->schema.release(&m->schema);
    return status ? NULL : rk_memory_table_end(m->table);
}

rask_table *rask_table_from_arrow_at(rask_graph *graph, struct ArrowSchema *schema, struct ArrowArray *array,
                                     const char *file, int line)
{
import m = {.graph = graph, .what = "rask_table_from_arrow", .file = file, .line = line };
    int status = RASK_OK;
    if (!graph || graph->status || !schema || !array || !schema->release || !array->release) {
        if (graph && !graph->status)
            fail(&m, RASK_EINVAL, "a structure that is not there, or was released");
        if (schema && schema->release)
            schema->release(schema);
        if (array && array->release)
            array->release(array);
        return NULL;
    }
    m.schema = *schema;
    schema->release = NULL;
    m.held = new_holding();
    status = hold(&m, array);
    return finish(&m, status);
}

static int fail_stream(const import *m, struct ArrowArrayStream *stream, int number)
{
    const char *said = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    return fail(m, RASK_EIO, said ? said : strerror(number));
}

static int fetch(import *m, struct ArrowArrayStream *stream)
{
    int status = m->held ? RASK_OK : fail(m, RASK_ENOMEM, "no memory for a stream"), number;
    if (!status && (number = stream->get_schema(stream, &m->schema)))
        return fail_stream(m, stream, number);
    while (!status) {
        struct ArrowArray array = {0};
        if ((number = stream->get_next(stream, &array)))
            return fail_stream(m, stream, number);
        if (!array.release)
            break;
        status = hold(m, &array);
    }
    return status;
}

rask_table *rask_table_from_arrow_stream_at(rask_graph *graph, struct ArrowArrayStream *stream,
                                            const char *file, int line)
{
import m = {.graph = graph, .what = "rask_table_from_arrow_stream", .file = file, .line = line };
    if (!stream || !stream->release) {
        if (graph && !graph->status)
            fail(&m, RASK_EINVAL, "a stream that is not there, or was released");
        return NULL;
    }
    if (!graph || graph->status) {
        stream->release(stream);
        return NULL;
    }
    m.held = new_holding();
    int status = fetch(&m, stream);
    stream->release(stream);
    return finish(&m, status);
}
