#include "collections/table/explain.h"

#include "collections/table/compute.h"
#include "collections/table/join/join.h"
#include "collections/table/summary/summary.h"
#include "core/plan/plan.h"

#include <inttypes.h>

enum { NAMES = 20 }; /* that are listed */

/* -- Stages */

static void add_files(rk_print *out, const rk_text_files *files)
{
    rk_print_add(out, "%s", rk_text_path_name(files->files[0].path));
    if (files->count > 1)
        rk_print_add(out, " and %zu more file%s", files->count - 1, files->count == 2 ? "" : "s");
    if (!files->files[0].stream || files->count > 1) {
        rk_print_add(out, " (");
        rk_print_bytes(out, files->bytes);
        rk_print_add(out, ")");
    }
}

static void add_join(rk_print *out, const rk_join *join)
{
    static const char *const hows[] = {"inner", "left", "right", "outer", "semi", "anti"};
    rk_print_add(out, "  %s join on ", hows[join->how]);
    for (uint32_t i = 0; i < join->key_count; i++)
        rk_print_add(out, "%s%s = %s", i ? ", " : "", join->input->schema.names[join->keys[i]],
                     join->other->schema.names[join->other_keys[i]]);
    rk_print_add(out, "\n");
}

void rk_explain_reading(rk_print *out, const rk_scan_job *job)
{
    const rk_pipeline *p = &job->pipeline;
    const rk_schema *schema = &p->source->schema;
    rk_print_add(out, "reads ");
    add_files(out, &job->source->files);
    rk_print_add(out, " in %u part%s: ", job->part_count, job->part_count == 1 ? "" : "s");
    for (uint32_t i = 0; i < p->wanted_count && i < NAMES; i++)
        rk_print_add(out, "%s%s", i ? ", " : "", schema->names[p->wanted[i]]);
    rk_print_add(out, "%s%u of %u columns\n",
                 p->wanted_count > NAMES ? ", …: "
                 : p->wanted_count       ? ": "
                                         : "",
                 p->wanted_count, schema->count);
    for (uint32_t i = 0; i < p->step_count; i++) {
        const rk_step *step = &p->steps[i];
        if (step->join)
            add_join(out, step->join->join);
        else if (step->name)
            rk_print_add(out, "  with %s = %s\n", step->name, rk_expr_source(step->expr));
        else
            rk_print_add(out, "  where %s\n", rk_expr_source(step->expr));
    }
}

/* -- Where all rows are needed */

static void add_group(rk_print *out, const rask_table *t)
{
    const rk_grouping *g = t->as.grouping;
    rk_print_add(out, "groups ");
    for (uint32_t i = 0; i < g->key_count; i++)
        rk_print_add(out, "%s%s", i ? ", " : "by ", t->schema.names[i]);
    rk_print_add(out, "%s%s\n", g->key_count ? ": " : "all rows: ", g->aggregates.text);
}

static void add_sort(rk_print *out, const rask_table *t)
{
    rk_print_add(out, "sorts by ");
    for (uint32_t i = 0; i < t->as.sort.count; i++)
        rk_print_add(out, "%s%s%s", i ? ", " : "", t->schema.names[t->as.sort.keys[i].column],
                     t->as.sort.keys[i].descending ? " desc" : "");
    rk_print_add(out, "\n");
}

static void add_summary(rk_print *out, const struct rk_summary *s)
{
    if (s->facts)
        rk_print_add(out, "describes %u column%s\n", s->count, s->count == 1 ? "" : "s");
    else
        rk_print_add(out, "finds %u quantile%s of %u column%s\n", s->target_count - 1,
                     s->target_count == 2 ? "" : "s", s->count, s->count == 1 ? "" : "s");
}

/* Joins beside a small table are part of what is read. */
static void add_operation(rk_print *out, const rask_table *t, uint64_t room)
{
    switch (t->kind) {
    case RK_TABLE_GROUP: add_group(out, t); break;
    case RK_TABLE_SORT: add_sort(out, t); break;
    case RK_TABLE_LIMIT: rk_print_add(out, "keeps the first %" PRIu64 " rows\n", t->as.limit); break;
    case RK_TABLE_TAIL: rk_print_add(out, "keeps the last %" PRIu64 " rows\n", t->as.limit); break;
    case RK_TABLE_JOIN:
        if (!rk_join_is_small(t, room))
            add_join(out, t->as.join);
        break;
    case RK_TABLE_DISTINCT: rk_print_add(out, "keeps the first row of each kind\n"); break;
    case RK_TABLE_CONCAT:
        rk_print_add(out, "puts %u tables one behind the other\n", t->as.concat.count);
        break;
    case RK_TABLE_SUMMARY: add_summary(out, t->as.summary); break;
    default: break;
    }
}

/* In the order in which they are done. */
static void add_operations(rk_print *out, const rask_table *table, uint64_t room)
{
    const rask_table *way[RK_TABLE_DEPTH];
    uint32_t count = 0;
    for (const rask_table *t = table; t && t->depth; t = t->input)
        if (t->depth > (t->input ? t->input->depth : 0))
            way[count++] = t;
    while (count)
        add_operation(out, way[--count], room);
}

static void add_columns(rk_print *out, const rk_schema *s)
{
    rk_print_add(out, "gives ");
    for (uint32_t i = 0; i < s->count && i < NAMES; i++)
        rk_print_add(out, "%s%s %s", i ? ", " : "", s->names[i], rask_column_type_name(s->types[i]));
    rk_print_add(out, "%s\n", s->count > NAMES ? ", …" : "");
}

size_t rask_table_explain(rask_table *table, const rask_options *options, char *buffer, size_t capacity)
{
    rk_table_run run;
    rask_plan *plan = NULL;
    rk_print out = {buffer, capacity, 0};
    int status = rk_table_run_begin(&run, table, options);
    run.lowering.notes = &out;
    rask_node *node = status ? NULL : rk_lower_table(&run.lowering, table);
    if (!status)
        status = node ? rask_plan_new(&node, 1, &plan) : run.lowering.graph->status;
    if (!status) {
        add_operations(&out, table, rk_join_room(&run.lowering));
        add_columns(&out, &table->schema);
        rk_plan_explain(&out, plan, &run.own.options);
    }
    rask_plan_free(plan);
    return rk_own_run_end(&run.own, status) ? 0 : out.len;
}
