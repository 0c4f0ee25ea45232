/* Between arrays and tables or bags: the one room that knows them all. */
#include <rask/exchange.h>

#include "collections/array/computation.h"
#include "collections/bag/lower.h"
#include "collections/table/arrow/layout.h"
#include "collections/table/lower.h"
#include "collections/table/memory.h"
#include "collections/table/rows.h"
#include "core/base/alloc.h"

#include <math.h>
#include <string.h>

/* -- Columns as arrays */

static void end_rows(void *rows)
{
    rask_rows_free(rows);
}

static rask_dtype dtype_of(rask_column_type type)
{
    static const rask_dtype dtypes[] = {
        [RASK_COL_BOOL] = RASK_DT_BOOL, [RASK_COL_I64] = RASK_DT_I64,       [RASK_COL_F64] = RASK_DT_F64,
        [RASK_COL_DATE] = RASK_DT_I64,  [RASK_COL_TIMESTAMP] = RASK_DT_I64, [RASK_COL_TEXT] = RASK_DT_COUNT};
    return dtypes[type];
}

/* As it lies there: text that is in a dictionary is not spelt out to say that no array holds it. */
static bool find_column(const rask_rows *rows, const char *name, rask_column *out, bool *empty)
{
    for (uint32_t i = 0; i < rows->chunk.count; i++) {
        if (strcmp(rows->names[i], name) != 0)
            continue;
        *out = rk_chunk_stored(&rows->chunk, i).column;
        *empty = rows->empty[i];
        return true;
    }
    return false;
}

static rask_array *array_of(rask_graph *graph, const rask_column *c, void *data, uint64_t rows, bool borrow,
                            const char *file, int line)
{
    const rask_block block = {.dtype = dtype_of(c->type),
                              .ndim = 1,
                              .shape = {(int64_t)rows},
                              .strides = {c->type == RASK_COL_BOOL ? 1 : 8},
                              .data = data};
    return rask_array_from_block_at(graph, &block, borrow, file, line);
}

/* With NaN where there are nulls; empty: everywhere. */
static rask_array *copy_reals(rask_graph *graph, const rask_column *c, bool empty, uint64_t rows,
                              const char *file, int line)
{
    double *values = rk_alloc_array(rows + 1, sizeof *values);
    if (!values) {
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "rask_rows_array: no memory");
        return NULL;
    }
    for (uint64_t i = 0; i < rows; i++)
        values[i] = !empty && c->valid[i] ? c->as.f64[i] : NAN;
    rask_array *array =
        array_of(graph, &(rask_column){.type = RASK_COL_F64}, values, rows, false, file, line);
    rk_free(values);
    return array;
}

rask_array *rask_rows_array_at(rask_graph *graph, rask_rows *rows, const char *column, const char *file,
                               int line)
{
    rask_column c;
    bool empty;
    uint64_t count = rask_rows_count(rows);
    if (!graph || graph->status || !rows)
        return NULL;
    if (!column || !find_column(rows, column, &c, &empty)) {
        rk_graph_fail(graph, RASK_ENOENT, file, line, "rask_rows_array: no column \"%s\"",
                      column ? column : "");
        return NULL;
    }
    bool nulls = empty || (c.valid && memchr(c.valid, 0, count));
    if (!empty && (c.type == RASK_COL_TEXT || (nulls && c.type != RASK_COL_F64))) {
        rk_graph_fail(graph, nulls ? RASK_ERANGE : RASK_ETYPE, file, line,
                      "rask_rows_array: column \"%s\" is %s%s", column, rask_column_type_name(c.type),
                      nulls ? " and has nulls, which only float64 can tell" : ", which no array holds");
        return NULL;
    }
    if (nulls)
        return copy_reals(graph, &c, empty, count, file, line);
    if (rk_graph_at_end(graph, end_rows, rk_rows_ref(rows))) {
        rask_rows_free(rows);
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "rask_rows_array: no memory");
        return NULL;
    }
    return array_of(graph, &c, (void *)c.as.boolean, count, true, file, line);
}

/* -- Arrays as columns: a feed whose nodes are regions */

typedef struct columns {
    rask_array **arrays;
    rk_memory_feed feed;
} columns;

/* What a feed is while it is lowered. */
typedef struct begun {
    rask_array *const *arrays;
    rk_lowering *lowering;
} begun;

static void end_feed(void *what)
{
    begun *b = what;
    if (b)
        rk_lowering_free(b->lowering);
    rk_free(b);
}

static void *begin_arrays(rask_array *const *arrays, rask_graph *graph, uint64_t budget, uint32_t workers)
{
    begun *b = rk_calloc(1, sizeof *b);
    if (b)
        *b = (begun){arrays, rk_lowering_new(graph, budget, workers)};
    if (b && b->lowering)
        return b;
    end_feed(b);
    return rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for arrays");
}

static void *begin_columns(const void *what, const rk_table_lowering *l)
{
    return begin_arrays(((const columns *)what)->arrays, l->graph, l->budget, l->workers);
}

static rask_node *column_node(void *what, uint32_t column, uint64_t first, uint64_t rows)
{
    const begun *b = what;
    const rk_region region = {.ndim = 1, .start = {(int64_t)first}, .count = {(int64_t)rows}};
    return rk_lower_region(b->lowering, b->arrays[column], &region);
}

/* Whether an array is made of nodes, of which a run of its own cannot be made. RASK_OK, RASK_ENOMEM, RASK_ELIMIT. */
static int find_nodes(rask_array *a, bool *nodes)
{
    rk_array reach;
    int status = rk_computation_reach(&a, 1, &reach);
    *nodes = false;
    for (size_t i = 0; i < reach.count; i++) {
        const rask_array *part = ((rask_array **)reach.data)[i];
        *nodes |= part->kind == RK_OPAQUE && part->as.opaque->own_graph;
    }
    rk_array_fini(&reach);
    return status;
}

/* What is wrong with an array as a column, and its status; NULL: nothing. */
static const char *find_fault(rask_graph *graph, rask_array *a, const rask_array *first, int *status)
{
    *status = RASK_EINVAL;
    if (!a || a->graph != graph)
        return "is not an array of this graph";
    if (a->ndim != 1 || a->shape[0] != first->shape[0])
        return "is not of one axis, as long as that of the first";
    *status = RASK_ETYPE;
    if (rk_arrow_dtype(a->dtype) == RASK_COLUMN_TYPES)
        return "is of complex numbers, which no column holds";
    bool nodes;
    *status = find_nodes(a, &nodes);
    if (*status)
        return "is too much for the memory that there is";
    *status = RASK_EUNSUPPORTED;
    return nodes ? "is made of nodes: compute it first" : NULL;
}

static int check_arrays(rask_graph *graph, const char *const *names, rask_array *const *arrays,
                        uint32_t count, const char *file, int line)
{
    int status;
    for (uint32_t i = 0; i < count; i++) {
        const char *fault = find_fault(graph, arrays[i], arrays[0], &status);
        if (fault) {
            rk_graph_fail(graph, status, file, line, "rask_table_from_arrays: \"%.200s\" %s",
                          names[i] ? names[i] : "", fault);
            return status;
        }
    }
    return RASK_OK;
}

static columns *keep_arrays(rask_graph *graph, rask_array *const *arrays, uint32_t count, const char *file,
                            int line)
{
    columns *c = rk_table_memory(graph, sizeof *c, file, line);
    rask_array **copies = rk_table_memory(graph, count * sizeof(rask_array *), file, line);
    if (!c || !copies)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        copies[i] = arrays[i];
    *c = (columns){.arrays = copies, .feed = {c, begin_columns, column_node, end_feed}};
    return c;
}

rask_table *rask_table_from_arrays_at(rask_graph *graph, const char *const *names, rask_array *const *arrays,
                                      uint32_t count, const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    if (!names || !arrays || !count) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "rask_table_from_arrays: no arrays");
        return NULL;
    }
    if (check_arrays(graph, names, arrays, count, file, line))
        return NULL;
    rask_column_type *types = rk_table_memory(graph, count * sizeof *types, file, line);
    columns *kept = types ? keep_arrays(graph, arrays, count, file, line) : NULL;
    for (uint32_t i = 0; kept && i < count; i++)
        types[i] = rk_arrow_dtype(arrays[i]->dtype);
    rask_table *table =
        kept ? rk_memory_table_new(graph, "rask_table_from_arrays", names, types, count, file, line) : NULL;
    if (!table || rk_memory_table_parts(table, 1, file, line))
        return NULL;
    rk_memory_source *source = table->as.memory;
    source->feed = &kept->feed;
    source->parts->rows = (uint64_t)arrays[0]->shape[0];
    source->parts->bytes = source->parts->rows * count * 8;
    return rk_memory_table_end(table);
}

/* -- Rows of an array as records */

static void *begin_records(const void *what, const rk_bag_lowering *l)
{
    return begin_arrays(what, l->graph, l->budget, l->workers);
}

static rask_node *records_node(void *what, uint64_t first, uint64_t rows)
{
    const begun *b = what;
    rask_array *a = b->arrays[0];
    rk_region region = {.ndim = a->ndim, .start = {(int64_t)first}, .count = {(int64_t)rows}};
    if (a->ndim == 2)
        region.count[1] = a->shape[1];
    return rk_lower_region(b->lowering, a, &region);
}

/* Whether rows of an array are records; else latched. */
static bool check_rows(rask_array *a, const rk_bag_site *site)
{
    bool nodes;
    int64_t fields = a->ndim == 2 ? a->shape[1] : 1;
    if (a->ndim < 1 || a->ndim > 2)
        rk_bag_refuse(a->graph, RASK_EINVAL, site, "an array of %u axes is no list of records", a->ndim);
    else if (fields < 1 || fields > RASK_MAX_FIELDS)
        rk_bag_refuse(a->graph, RASK_EINVAL, site, "rows of %lld numbers are no records of 1 to %d fields",
                      (long long)fields, RASK_MAX_FIELDS);
    else if (rk_arrow_dtype(a->dtype) == RASK_COLUMN_TYPES)
        rk_bag_refuse(a->graph, RASK_ETYPE, site, "complex numbers, which no record holds");
    else if (find_nodes(a, &nodes))
        rk_bag_refuse(a->graph, RASK_ENOMEM, site, "no memory");
    else if (nodes)
        rk_bag_refuse(a->graph, RASK_EUNSUPPORTED, site, "the array is made of nodes: compute it first");
    return !a->graph->status;
}

rask_bag *rask_bag_from_array_at(rask_array *array, const char *file, int line)
{
    const rk_bag_site site = {"rask_bag_from_array", file, line};
    char types[RASK_MAX_FIELDS + 1] = "";
    rk_shape shape;
    if (!array || array->graph->status || !check_rows(array, &site))
        return NULL;
    bool real = rk_arrow_dtype(array->dtype) == RASK_COL_F64;
    if (array->dtype != RASK_DT_U64)
        array = rask_array_astype_at(array, real ? RASK_DT_F64 : RASK_DT_I64, file, line);
    rask_array **kept = array ? rk_bag_keep(array->graph, &array, sizeof *kept, &site) : NULL;
    if (!kept)
        return NULL;
    memset(types, real ? 'd' : 'i', array->ndim == 2 ? (size_t)array->shape[1] : 1);
    const rk_bag_feed feed = {kept, (uint64_t)array->shape[0], begin_records, records_node, end_feed};
    return rk_shape_init(&shape, types, 0) ? NULL : rk_bag_fed_new(array->graph, &feed, &shape, &site);
}
