/* rask_table_describe() and rask_table_quantiles(): what is asked, written down; and its lowering. */
#include "collections/table/list.h"
#include "collections/table/made.h"
#include "collections/table/splitters.h"
#include "collections/table/summary/finish.h"
#include "core/base/limits.h"
#include "core/base/print.h"

#include <string.h>

enum {
    TEXT_A_COLUMN = 160, /* bytes */
    QUARTILES = 3,
    MOST_TABLES = 8 << 20, /* bytes that values are counted in, of a task */
};

static const double quartiles[QUARTILES + 1] = {0.25, 0.5, 0.75, 1};

/* What is built, and where to complain. */
typedef struct building {
    rask_table *input;
    const char *what, *file;
    int line;
} building;

static void *fail(const building *b, int status, const char *message, const char *name)
{
    return rk_table_fail(b->input, status, b->file, b->line, "%s: %s%s", b->what, message, name);
}

static void *memory(const building *b, size_t size)
{
    return rk_table_memory(b->input->graph, size, b->file, b->line);
}

/* -- Facts */

/* The input with columns called c0, c1, …, so that names need no quotes. */
static rask_table *number_columns(const building *b)
{
    uint32_t count = b->input->schema.count;
    rask_table *table = rk_table_new(b->input->graph, RK_TABLE_PICK, b->input, count, b->file, b->line);
    uint32_t *pick = table ? memory(b, count * sizeof *pick) : NULL;
    for (uint32_t i = 0; pick && i < count; i++) {
        char name[16];
        rk_print text = {name, sizeof name, 0};
        rk_print_add(&text, "c%u", i);
        pick[i] = i;
        table->schema.types[i] = b->input->schema.types[i];
        table->schema.names[i] =
            rk_table_text(b->input->graph, (rask_bytes){name, text.len}, b->file, b->line);
        if (!table->schema.names[i])
            return NULL;
    }
    if (pick)
        table->as.pick = pick;
    return pick ? table : NULL;
}

/* One row with what RK_FACT_… lists of each column, and the number of rows. */
static rask_table *make_facts(const building *b, rask_table *numbered)
{
    uint32_t count = numbered->schema.count;
    size_t room = ((size_t)count + 1) * TEXT_A_COLUMN;
    rk_print text = {memory(b, room), room, 0};
    if (!text.buffer)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        rk_print_add(&text, "count(c%u) as n%u, min(c%u) as a%u, max(c%u) as z%u, ", i, i, i, i, i, i);
        if (numbered->schema.types[i] <= RASK_COL_F64)
            rk_print_add(&text, "mean(c%u) as m%u, std(c%u) as s%u, ", i, i, i, i);
    }
    rk_print_add(&text, "count() as rows");
    return rk_build_groupby(numbered, "", text.buffer, b->file, b->line);
}

/* -- Tables */

static struct rk_summary *new_summary(const building *b, uint32_t count, uint32_t targets)
{
    struct rk_summary *s = memory(b, sizeof *s);
    uint32_t *columns = memory(b, count * sizeof *columns);
    double *places = memory(b, (targets + 1) * sizeof *places);
    const char **names = memory(b, count * sizeof *names);
    if (!s || !columns || !places || !names)
        return NULL;
    *s = (struct rk_summary){
        .count = count, .columns = columns, .names = names, .target_count = targets + 1, .targets = places};
    return s;
}

rask_table *rk_build_describe(rask_table *input, const char *file, int line)
{
    static const char *const names[] = {"column", "type", "count", "nulls", "distinct", "mean",
                                        "std",    "min",  "25%",   "50%",   "75%",      "max"};
    static const rask_column_type types[] = {RASK_COL_TEXT, RASK_COL_TEXT, RASK_COL_I64,  RASK_COL_I64,
                                             RASK_COL_I64,  RASK_COL_F64,  RASK_COL_F64,  RASK_COL_TEXT,
                                             RASK_COL_TEXT, RASK_COL_TEXT, RASK_COL_TEXT, RASK_COL_TEXT};
    enum { COLUMNS = sizeof types / sizeof *types, MOST = (RK_MAX_AGGREGATES - 1) / RK_FACTS };
    building b = {input, "rask_table_describe", file, line};
    if (!input)
        return NULL;
    uint32_t count = input->schema.count;
    if (!count || count > MOST)
        return fail(&b, count ? RASK_ELIMIT : RASK_EINVAL,
                    count ? "too many columns: select some" : "no columns", "");
    rask_table *numbered = number_columns(&b), *facts = numbered ? make_facts(&b, numbered) : NULL;
    rask_table *table =
        facts ? rk_table_new(input->graph, RK_TABLE_SUMMARY, numbered, COLUMNS, file, line) : NULL;
    struct rk_summary *s = table ? new_summary(&b, count, QUARTILES) : NULL;
    if (!s)
        return NULL;
    memcpy(table->schema.names, names, sizeof names);
    memcpy(table->schema.types, types, sizeof types);
    memcpy((void *)s->targets, quartiles, sizeof quartiles);
    memcpy((void *)s->names, input->schema.names, count * sizeof *s->names);
    for (uint32_t i = 0; i < count; i++)
        ((uint32_t *)s->columns)[i] = i;
    s->facts = facts;
    table->as.summary = s;
    return table;
}

/* Columns of a list, or all that are numbers and dates: their number, and places[] of them. UINT32_MAX, latched. */
static uint32_t find_columns(const building *b, const char *list, uint32_t *places)
{
    const rk_schema *schema = &b->input->schema;
    rk_list_item item;
    uint32_t count = 0;
    for (uint32_t i = 0; !list && i < schema->count; i++)
        if (schema->types[i] != RASK_COL_TEXT && schema->types[i] != RASK_COL_BOOL)
            places[count++] = i;
    for (size_t at = 0; list && rk_list_next(list, RK_LIST_NAMES, &at, &item);) {
        uint32_t column = rk_table_find(b->input, b->what, item.name, b->file, b->line);
        if (column == UINT32_MAX)
            return column;
        for (uint32_t i = 0; i < count; i++)
            if (places[i] == column) {
                fail(b, RASK_EINVAL, "two columns ", schema->names[column]);
                return UINT32_MAX;
            }
        if (!rk_summary_orders(schema->types[column])) {
            fail(b, RASK_ETYPE, "no number and no date: ", schema->names[column]);
            return UINT32_MAX;
        }
        places[count++] = column;
    }
    return count;
}

static bool check_targets(const building *b, const double *q, size_t count)
{
    char text[40];
    if (!q || !count || count > RK_MAX_QUANTILES) {
        rk_print number = {text, sizeof text, 0};
        rk_print_add(&number, "1 to %d quantiles expected", RK_MAX_QUANTILES);
        return fail(b, count ? RASK_ELIMIT : RASK_EINVAL, text, "");
    }
    for (size_t i = 0; i < count; i++)
        if (!(q[i] >= 0 && q[i] <= 1))
            return fail(b, RASK_ERANGE, "a quantile is from 0 to 1", "");
    return true;
}

static bool has_free_name(const building *b, const uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(b->input->schema.names[places[i]], "quantile") == 0)
            return fail(b, RASK_EEXIST, "a column has the name of the first one of the result: quantile", "");
    return true;
}

rask_table *rk_build_quantiles(rask_table *input, const char *columns, const double *q, size_t count,
                               const char *file, int line)
{
    building b = {input, "rask_table_quantiles", file, line};
    if (!input || !check_targets(&b, q, count))
        return NULL;
    uint32_t *places = memory(&b, input->schema.count * sizeof *places);
    uint32_t found = places ? find_columns(&b, columns, places) : UINT32_MAX;
    if (found == UINT32_MAX || !has_free_name(&b, places, found))
        return NULL;
    if (!found)
        return fail(&b, RASK_EINVAL, "no column of numbers or dates", "");
    rask_table *table = rk_table_new(input->graph, RK_TABLE_SUMMARY, input, found + 1, file, line);
    struct rk_summary *s = table ? new_summary(&b, found, (uint32_t)count) : NULL;
    if (!s)
        return NULL;
    table->schema.names[0] = "quantile";
    table->schema.types[0] = RASK_COL_F64;
    for (uint32_t i = 0; i < found; i++) {
        rask_column_type type = input->schema.types[places[i]];
        table->schema.names[1 + i] = s->names[i] = input->schema.names[places[i]];
        table->schema.types[1 + i] =
            type == RASK_COL_DATE || type == RASK_COL_TIMESTAMP ? type : RASK_COL_F64;
    }
    s->columns = places;
    memcpy((void *)s->targets, q, count * sizeof *q);
    ((double *)s->targets)[count] = 1;
    table->as.summary = s;
    return table;
}

/* -- Lowering */

int rk_summary_lower(const rk_table_lowering *l, rask_table *table, rk_nodes *out)
{
    const struct rk_summary *s = table->as.summary;
    uint64_t tables = l->budget / (16 * (uint64_t)l->workers);
    rk_table_sink_plan sink = {.kind = RK_SINK_SUMMARY,
                               .schema = &table->input->schema,
                               .result = &table->schema,
                               .summary = s,
                               .grouping = s->facts ? s->facts->as.grouping : NULL,
                               .seed = l->seed,
                               .slots =
                                   rk_spread_slots(s->count, tables < MOST_TABLES ? tables : MOST_TABLES)};
    rk_nodes parts;
    int status = rk_splitters_summary(l, table->input, &sink);
    if (!status)
        status = rk_lower_stage(l, table->input, &sink, &parts);
    if (status)
        return status;
    *out = (rk_nodes){.nodes = rk_table_memory(l->graph, sizeof *out->nodes, NULL, 0), .count = 1};
    if (out->nodes)
        out->nodes[0] = rk_summary_ranges(l, &sink, parts);
    return l->graph->status;
}
