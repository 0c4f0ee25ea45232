#include "collections/table/pipeline.h"

#include "core/base/alloc.h"

#include <assert.h>
#include <string.h>

enum { NOWHERE = UINT32_MAX };

/* -- Making one: forward from the source, then backward to leave out what nobody needs */

static bool is_row_by_row(const rask_table *t)
{
    return t->kind == RK_TABLE_PICK || t->kind == RK_TABLE_WITH || t->kind == RK_TABLE_FILTER;
}

/* While tables are walked up: the slots of the columns of the one last walked over. */
typedef struct maker {
    rk_pipeline *p;
    uint32_t *map, count;
} maker;

static uint32_t *copy_map(const maker *m)
{
    uint32_t *copy = rk_alloc_array(m->count ? m->count : 1, sizeof *copy);
    if (copy)
        memcpy(copy, m->map, m->count * sizeof *copy);
    return copy;
}

static int add_step(maker *m, const rk_expr *expr, uint32_t out)
{
    rk_step *step = &m->p->steps[m->p->step_count];
    uint32_t *slots = copy_map(m);
    if (!slots)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < m->count; i++)
        slots[i] = rk_expr_uses(expr, i) ? slots[i] : NOWHERE;
    *step = (rk_step){.expr = expr, .slots = slots, .slot_count = m->count, .out = out};
    m->p->step_count++;
    return RASK_OK;
}

static int walk_over(maker *m, const rask_table *t)
{
    int status = RASK_OK;
    if (t->kind == RK_TABLE_PICK) {
        uint32_t *before = copy_map(m);
        for (uint32_t i = 0; before && i < t->schema.count; i++)
            m->map[i] = before[t->as.pick[i]];
        status = before ? RASK_OK : RASK_ENOMEM;
        rk_free(before);
    } else if (t->kind == RK_TABLE_FILTER) {
        status = add_step(m, t->as.filter, NOWHERE);
    } else {
        status = add_step(m, t->as.with.expr, m->p->slot_count);
        m->map[t->as.with.column] = m->p->slot_count++;
    }
    m->count = t->schema.count;
    return status;
}

/* Leaves out steps whose slot nobody needs; marks what the others need. */
static void mark_needed(rk_pipeline *p, bool *needed)
{
    uint32_t kept = p->step_count;
    for (uint32_t i = p->step_count; i-- > 0;) {
        rk_step step = p->steps[i];
        if (step.out != NOWHERE && !needed[step.out]) {
            rk_free((void *)step.slots);
            continue;
        }
        for (uint32_t k = 0; k < step.slot_count; k++)
            if (step.slots[k] != NOWHERE)
                needed[step.slots[k]] = true;
        p->steps[--kept] = step;
    }
    p->step_count -= kept;
    memmove(p->steps, p->steps + kept, p->step_count * sizeof *p->steps);
}

static int find_wanted(rk_pipeline *p, const bool *needed)
{
    uint32_t all = p->source->schema.count;
    p->wanted = rk_alloc_array(all ? all : 1, sizeof *p->wanted);
    for (uint32_t i = 0; p->wanted && i < all; i++)
        if (needed[i])
            p->wanted[p->wanted_count++] = i;
    return p->wanted ? RASK_OK : RASK_ENOMEM;
}

/* The tables from the source up, without it; most: the widest of them, and of the source. */
static rask_table **way_up(rask_table *table, uint32_t *count, uint32_t *most, rask_table **source)
{
    *count = 0;
    *most = table->schema.count;
    rask_table *t = table;
    for (; is_row_by_row(t); t = t->input, ++*count)
        *most = t->schema.count > *most ? t->schema.count : *most;
    *most = t->schema.count > *most ? t->schema.count : *most;
    *source = t;
    rask_table **way = rk_alloc_array(*count + 1, sizeof *way);
    t = table;
    for (uint32_t i = *count; way && i-- > 0; t = t->input)
        way[i] = t;
    return way;
}

static int set_outputs(maker *m, const bool *needed)
{
    rk_pipeline *p = m->p;
    p->output_count = m->count;
    p->outputs = copy_map(m);
    for (uint32_t i = 0; p->outputs && needed && i < m->count; i++)
        p->outputs[i] = needed[i] ? p->outputs[i] : NOWHERE;
    return p->outputs ? RASK_OK : RASK_ENOMEM;
}

static int leave_out(rk_pipeline *p)
{
    bool *marks = rk_calloc(p->slot_count + 1, sizeof *marks);
    if (!marks)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < p->output_count; i++)
        if (p->outputs[i] != NOWHERE)
            marks[p->outputs[i]] = true;
    mark_needed(p, marks);
    int status = find_wanted(p, marks);
    rk_free(marks);
    return status;
}

int rk_pipeline_init(rk_pipeline *p, rask_table *table, const bool *needed)
{
    uint32_t count, most;
    *p = (rk_pipeline){0};
    rask_table **way = way_up(table, &count, &most, &p->source);
    maker m = {.p = p, .map = rk_alloc_array(most + 1, sizeof *m.map), .count = p->source->schema.count};
    p->slot_count = m.count;
    p->steps = rk_calloc(count + 1, sizeof *p->steps);
    int status = way && m.map && p->steps ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; !status && i < m.count; i++)
        m.map[i] = i;
    for (uint32_t i = 0; !status && i < count; i++)
        status = walk_over(&m, way[i]);
    if (!status)
        status = set_outputs(&m, needed);
    if (!status)
        status = leave_out(p);
    rk_free(way);
    rk_free(m.map);
    if (status)
        rk_pipeline_fini(p);
    return status;
}

void rk_pipeline_fini(rk_pipeline *p)
{
    for (uint32_t i = 0; i < p->step_count; i++)
        rk_free((void *)p->steps[i].slots);
    rk_free(p->steps);
    rk_free(p->wanted);
    rk_free(p->outputs);
    *p = (rk_pipeline){0};
}

/* -- Running */

int rk_pipeline_run_init(rk_pipeline_run *run, const rk_pipeline *p)
{
    size_t most = p->output_count;
    for (uint32_t i = 0; i < p->step_count; i++)
        most = p->steps[i].slot_count > most ? p->steps[i].slot_count : most;
    *run = (rk_pipeline_run){.pipeline = p,
                             .runs = rk_calloc(p->step_count + 1, sizeof *run->runs),
                             .slots = rk_calloc(p->slot_count + 1, sizeof *run->slots),
                             .inputs = rk_calloc(most + 1, sizeof *run->inputs),
                             .outputs = rk_calloc(p->output_count + 1, sizeof *run->outputs),
                             .chosen = rk_alloc_array(RK_BATCH_ROWS, sizeof *run->chosen)};
    int status =
        run->runs && run->slots && run->inputs && run->outputs && run->chosen ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; !status && i < p->step_count; i++)
        status = rk_expr_run_new(p->steps[i].expr, &run->runs[i]);
    if (status)
        rk_pipeline_run_fini(run);
    return status;
}

void rk_pipeline_run_fini(rk_pipeline_run *run)
{
    for (uint32_t i = 0; run->runs && i < run->pipeline->step_count; i++)
        rk_expr_run_free(run->runs[i]);
    rk_free(run->runs);
    rk_free(run->slots);
    rk_free(run->inputs);
    rk_free(run->outputs);
    rk_free(run->chosen);
    *run = (rk_pipeline_run){0};
}

/* Keeps the chosen rows of every slot that there is; made columns may share memory with others, which is then moved but
 * once. */
static void keep(rk_pipeline_run *run, uint32_t count)
{
    const rk_pipeline *p = run->pipeline;
    for (uint32_t i = 0; i < p->slot_count; i++) {
        rk_column *c = &run->slots[i];
        bool moved = !c->data;
        for (uint32_t k = i < p->source->schema.count ? i : 0; k < i && !moved; k++)
            moved = run->slots[k].data == c->data;
        if (!moved)
            rk_column_keep(c, run->chosen, count);
    }
    run->rows = count;
}

static int take_step(rk_pipeline_run *run, uint32_t number)
{
    const rk_step *step = &run->pipeline->steps[number];
    const rk_column *out;
    for (uint32_t i = 0; i < step->slot_count; i++)
        run->inputs[i] = step->slots[i] == NOWHERE ? NULL : &run->slots[step->slots[i]];
    int status = rk_expr_evaluate(step->expr, run->runs[number], run->inputs, run->rows, &out);
    if (status)
        return status;
    if (step->out != NOWHERE) {
        run->slots[step->out] = *out;
        return RASK_OK;
    }
    uint32_t count = rk_column_true(out, run->rows, run->chosen);
    if (count < run->rows)
        keep(run, count);
    return RASK_OK;
}

int rk_pipeline_take(rk_pipeline_run *run, rk_batch *batch)
{
    const rk_pipeline *p = run->pipeline;
    int status = RASK_OK;
    assert(batch->count == p->wanted_count);
    memset(run->slots, 0, p->slot_count * sizeof *run->slots);
    for (uint32_t i = 0; i < p->wanted_count; i++)
        run->slots[p->wanted[i]] = batch->columns[i];
    run->rows = batch->rows;
    for (uint32_t i = 0; i < p->step_count && run->rows && !status; i++)
        status = take_step(run, i);
    for (uint32_t i = 0; i < p->output_count; i++)
        run->outputs[i] = p->outputs[i] == NOWHERE ? NULL : &run->slots[p->outputs[i]];
    return status;
}

uint64_t rk_pipeline_bytes(const rk_pipeline *p)
{
    uint64_t columns = p->wanted_count;
    for (uint32_t i = 0; i < p->step_count; i++)
        columns += 4; /* a step's own column, and those of its parts */
    return (columns + 1) * RK_BATCH_ROWS * (sizeof(rask_bytes) + 1);
}
