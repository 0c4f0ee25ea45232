/* Tables as recipes: what they were lowered with, then the calls of builders that made them, and with those of sources these. */
#include "collections/table/recipe.h"

#include "collections/table/csv_source.h"
#include "collections/table/made.h"
#include "collections/table/memory_travel.h"
#include "collections/table/writer.h"
#include "core/base/alloc.h"

#include <string.h>

/* What a recipe is of. */
typedef struct table_recipe {
    rask_table *table;
    rk_table_root root;
    rk_table_lowering lowering;
} table_recipe;

typedef struct head {
    uint64_t budget, seed;
    uint32_t root, workers, tables, unused;
} head;

/* -- Writing */

static rk_builder_call *call_of(const void *table)
{
    return ((const rask_table *)table)->made;
}

static int put_table(const rk_builder_calls *calls, const rask_table *table, rk_pack_out *out,
                     rk_open_error *error)
{
    int status = rk_builder_call_put(calls, table->made, out, error);
    if (!status && table->kind == RK_TABLE_CSV)
        status = rk_csv_source_put(table->as.csv, out, error);
    if (!status && table->kind == RK_TABLE_ROWS)
        status = rk_memory_table_put(table, out, error);
    return status;
}

static int put(const void *of, rk_pack_out *out, rk_open_error *error)
{
    const table_recipe *r = of;
    rk_builder_calls calls = {.call_of = call_of, .why = "nobody knows how it was made"};
    if (!r->lowering.apart) {
        rk_open_fail(error, RASK_EUNSUPPORTED, "its tasks were made for a scheduler that shares memory");
        return RASK_EUNSUPPORTED;
    }
    int status = rk_builder_calls_find(&calls, r->table, error);
    const head h = {.budget = r->lowering.budget,
                    .seed = r->lowering.seed,
                    .root = r->root,
                    .workers = r->lowering.workers,
                    .tables = (uint32_t)calls.made.count};
    rk_pack_put(out, &h, sizeof h);
    for (size_t i = 0; i < calls.made.count && !status; i++)
        status = put_table(&calls, ((rask_table **)calls.made.data)[i], out, error);
    rk_array_fini(&calls.made);
    return status;
}

/* -- Reading */

typedef struct reading {
    rask_graph *graph;
    rk_pack_in *in;
    rk_open_error *error;
    bool others; /* files are others than the program saw: the error says which */
} reading;

static rask_table *get_csv(reading *r)
{
    rk_csv_source *source = rk_csv_source_get(r->graph, r->in, r->error);
    if (!source)
        return NULL;
    r->others = r->others || rk_text_files_check(&source->files, r->error);
    if (!rk_graph_at_end(r->graph, rk_csv_source_free, source))
        return rk_csv_source_table(r->graph, source, NULL, 0);
    rk_csv_source_free(source);
    return NULL;
}

static rask_table *join(const rk_builder_call *c)
{
    rask_join_options options = RASK_JOIN_OPTIONS_INIT;
    options.suffix = c->texts[1];
    options.method = (rask_join_method)(c->numbers[RK_MADE_METHOD] & UINT8_MAX);
    rask_join_how how = (rask_join_how)(c->numbers[RK_MADE_HOW] & UINT8_MAX);
    return c->input_count == 2 ? rask_table_join_with(c->inputs[0], c->inputs[1], c->texts[0], how, &options)
                               : NULL;
}

/* There is one input at least. */
static rask_table *build(const rk_builder_call *c)
{
    rask_table *in = c->inputs[0];
    const char *a = c->texts[0], *b = c->texts[1];
    const double *q = (const double *)(const void *)c->bytes.data;
    switch (c->builder) {
    case RK_BUILDER_SELECT: return rask_table_select(in, a);
    case RK_BUILDER_DROP: return rask_table_drop(in, a);
    case RK_BUILDER_WITH: return rask_table_with(in, a, b);
    case RK_BUILDER_FILTER: return rask_table_filter(in, a);
    case RK_BUILDER_SORT: return rask_table_sort(in, a);
    case RK_BUILDER_LIMIT: return rask_table_limit(in, c->numbers[RK_MADE_ROWS]);
    case RK_BUILDER_TAIL: return rask_table_tail(in, c->numbers[RK_MADE_ROWS]);
    case RK_BUILDER_RENAME: return rask_table_rename(in, a);
    case RK_BUILDER_DROP_NULLS: return rask_table_drop_nulls(in, a);
    case RK_BUILDER_FILL_NULLS: return rask_table_fill_nulls(in, a, b);
    case RK_BUILDER_VALUE_COUNTS: return rask_table_value_counts(in, a);
    case RK_BUILDER_GROUPBY: return rask_table_groupby(in, a, b);
    case RK_BUILDER_DESCRIBE: return rask_table_describe(in);
    case RK_BUILDER_QUANTILES: return rask_table_quantiles(in, a, q, c->bytes.len / sizeof *q);
    case RK_BUILDER_DISTINCT: return rask_table_distinct(in, a);
    case RK_BUILDER_CONCAT: return rask_table_concat((rask_table *const *)c->inputs, c->input_count);
    case RK_BUILDER_JOIN: return join(c);
    default: return NULL;
    }
}

/* RASK_OK; RASK_EFORMAT, RASK_ENOMEM, RASK_EIO with the error. */
static int get_table(reading *r, rask_table **tables, uint32_t number)
{
    rk_builder_call call;
    int status = rk_builder_call_get(r->in, (void *const *)tables, number, &call);
    rask_table *table = NULL;
    if (!status && call.builder == RK_BUILDER_CSV)
        table = get_csv(r);
    else if (!status && call.builder == RK_BUILDER_ROWS)
        table = rk_memory_table_get(r->graph, r->in, r->error);
    else if (!status && call.input_count)
        table = build(&call);
    rk_builder_call_fini(&call);
    if (!status && !table)
        status = r->graph->status == RASK_ENOMEM              ? RASK_ENOMEM
                 : r->error->status == RASK_EIO && !r->others ? RASK_EIO
                                                              : RASK_EFORMAT;
    tables[number] = table;
    return status;
}

static int lower(const rk_table_lowering *l, rask_table *table, uint32_t root)
{
    rk_nodes nodes;
    switch (root) {
    case RK_ROOT_TABLE: rk_lower_table(l, table); break;
    case RK_ROOT_ROWS: rk_lower_rows(l, table, &nodes); break;
    default: rk_text_writer_lower(l, table, root == RK_ROOT_JSON, NULL, NULL, &nodes); break;
    }
    return l->graph->status;
}

static int lower_again(const reading *r, const head *h, rask_table *table)
{
    struct rk_join_built *built = NULL;
    const rk_table_lowering l = {.graph = r->graph,
                                 .budget = h->budget,
                                 .workers = h->workers,
                                 .seed = h->seed,
                                 .apart = true,
                                 .built = &built};
    if (r->others)
        return RASK_EIO;
    int status = lower(&l, table, h->root);
    if (status && status != RASK_ENOMEM) {
        rk_open_fail(r->error, RASK_EIO, "%s", rask_graph_error(r->graph));
        rk_open_error_say_where(r->error);
        return RASK_EIO;
    }
    return status;
}

static int again(rask_graph *graph, rk_pack_in *in, rk_open_error *error)
{
    reading r = {.graph = graph, .in = in, .error = error};
    head h;
    const char *at = rk_pack_get(in, sizeof h);
    if (!at)
        return RASK_EFORMAT;
    memcpy(&h, at, sizeof h);
    if (h.root >= RK_ROOTS || !h.workers || !h.budget || !h.tables || h.tables > rk_pack_left(in))
        return RASK_EFORMAT;
    rask_table **tables = rk_alloc_array(h.tables, sizeof *tables);
    int status = tables ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < h.tables && !status; i++)
        status = get_table(&r, tables, i);
    if (!status)
        status = lower_again(&r, &h, tables[h.tables - 1]);
    rk_free((void *)tables);
    return status;
}

static const rk_recipe_kind table_kind = {.size = sizeof(table_recipe), .put = put, .again = again};

rk_recipe *rk_table_recipe_begin(const rk_table_lowering *l, rask_table *table, rk_table_root root)
{
    const table_recipe of = {.table = table, .root = root, .lowering = *l};
    return rk_recipe_begin(&table_kind, &of);
}

int rk_table_shared_decode(rask_bytes bytes, void **shared)
{
    return rk_shared_decode(&table_kind, bytes, shared);
}
