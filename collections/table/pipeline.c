#include "collections/table/pipeline.h"

#include "collections/table/join/join.h"
#include "collections/table/join/probe.h"
#include "core/base/alloc.h"

#include <assert.h>
#include <string.h>

enum { NOWHERE = UINT32_MAX };

/* -- Making one: forward from the source, then backward to leave out what nobody needs */

static bool is_row_by_row(const rask_table *t, uint64_t room)
{
    return t->kind == RK_TABLE_PICK || t->kind == RK_TABLE_WITH || t->kind == RK_TABLE_FILTER ||
           (t->kind == RK_TABLE_JOIN && rk_join_is_small(t, room));
}

rask_table *rk_pipeline_source(rask_table *table, uint64_t room)
{
    while (is_row_by_row(table, room))
        table = table->input;
    return table;
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

static int add_step(maker *m, const rk_expr *expr, uint32_t out, const char *name)
{
    rk_step *step = &m->p->steps[m->p->step_count];
    uint32_t *slots = copy_map(m);
    if (!slots)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < m->count; i++)
        slots[i] = rk_expr_uses(expr, i) ? slots[i] : NOWHERE;
    *step = (rk_step){.expr = expr, .slots = slots, .slot_count = m->count, .out = out, .name = name};
    m->p->step_count++;
    return RASK_OK;
}

static void free_join(rk_join_step *step)
{
    if (!step)
        return;
    rk_free(step->keys);
    rk_free(step->payload);
    rk_free(step->slots);
    rk_free(step->live);
    rk_free(step);
}

/* All of the payload, each column in a slot of its own. */
static int add_join(maker *m, const rk_join *join)
{
    rk_pipeline *p = m->p;
    rk_join_step *step = rk_calloc(1, sizeof *step);
    p->steps[p->step_count++] = (rk_step){.join = step, .out = NOWHERE};
    if (!step)
        return RASK_ENOMEM;
    *step = (rk_join_step){.join = join,
                           .number = p->join_count++,
                           .keys = rk_alloc_array(join->key_count, sizeof *step->keys),
                           .payload = rk_alloc_array(join->payload_count + (size_t)1, sizeof *step->payload),
                           .slots = rk_alloc_array(join->payload_count + (size_t)1, sizeof *step->slots),
                           .payload_count = join->payload_count,
                           .live = rk_alloc_array(p->slot_count + (size_t)1, sizeof *step->live),
                           .live_count = p->slot_count};
    if (!step->keys || !step->payload || !step->slots || !step->live)
        return RASK_ENOMEM;
    for (uint32_t k = 0; k < join->key_count; k++)
        step->keys[k] = m->map[join->keys[k]];
    for (uint32_t i = 0; i < join->payload_count; i++) {
        step->payload[i] = join->payload[i];
        m->map[m->count + i] = step->slots[i] = p->slot_count++;
    }
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
        status = add_step(m, t->as.filter, NOWHERE, NULL);
    } else if (t->kind == RK_TABLE_JOIN) {
        status = add_join(m, t->as.join);
    } else {
        status = add_step(m, t->as.with.expr, m->p->slot_count, t->schema.names[t->as.with.column]);
        m->map[t->as.with.column] = m->p->slot_count++;
    }
    m->count = t->schema.count;
    return status;
}

/* Whether a step looks at what another before it makes. */
static bool depends(const rk_step *step, const rk_step *before)
{
    for (uint32_t k = 0; k < step->slot_count; k++) {
        uint32_t slot = step->slots[k];
        if (slot != NOWHERE && (before->join ? slot >= before->join->live_count : slot == before->out))
            return true;
    }
    return false;
}

/* Filters go before the joins that they do not need, so that fewer rows look for partners. */
static void filter_early(rk_pipeline *p)
{
    for (uint32_t i = 0; p->join_count && i < p->step_count; i++) {
        rk_step step = p->steps[i];
        uint32_t to = i;
        if (step.join || step.out != NOWHERE)
            continue;
        for (uint32_t j = i; j > 0 && !depends(&step, &p->steps[j - 1]); j--)
            to = p->steps[j - 1].join ? j - 1 : to;
        memmove(&p->steps[to + 1], &p->steps[to], (i - to) * sizeof step);
        p->steps[to] = step;
    }
}

/* Leaves out of a join what nobody needs behind it; marks its keys. */
static void mark_join(rk_join_step *step, bool *needed)
{
    uint32_t before = step->live_count, count = 0;
    step->live_count = 0;
    for (uint32_t i = 0; i < before; i++)
        if (needed[i])
            step->live[step->live_count++] = i;
    for (uint32_t i = 0; i < step->payload_count; i++) {
        step->payload[count] = step->payload[i];
        step->slots[count] = step->slots[i];
        count += needed[step->slots[i]];
    }
    step->payload_count = count;
    for (uint32_t k = 0; k < step->join->key_count; k++)
        needed[step->keys[k]] = true;
}

/* Leaves out steps whose slot nobody needs; marks what the others need. */
static void mark_needed(rk_pipeline *p, bool *needed)
{
    uint32_t kept = p->step_count;
    for (uint32_t i = p->step_count; i-- > 0;) {
        rk_step step = p->steps[i];
        if (step.join)
            mark_join(step.join, needed);
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
static rask_table **way_up(rask_table *table, uint64_t room, uint32_t *count, uint32_t *most,
                           rask_table **source)
{
    *count = 0;
    *most = table->schema.count;
    rask_table *t = table;
    for (; is_row_by_row(t, room); t = t->input, ++*count)
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
    filter_early(p);
    mark_needed(p, marks);
    int status = find_wanted(p, marks);
    rk_free(marks);
    return status;
}

int rk_pipeline_init(rk_pipeline *p, rask_table *table, const bool *needed, uint64_t room)
{
    uint32_t count, most;
    *p = (rk_pipeline){0};
    rask_table **way = way_up(table, room, &count, &most, &p->source);
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

/* Steps whose columns are needed early come first, in the order they have; needed: slots. */
static int order_steps(rk_pipeline *p, bool *needed)
{
    bool *early = rk_calloc(p->step_count + 1, sizeof *early);
    rk_step *steps = rk_alloc_array(p->step_count + 1, sizeof *steps);
    uint32_t count = 0;
    for (uint32_t i = early && steps ? p->step_count : 0; i-- > 0;) {
        const rk_step *step = &p->steps[i];
        early[i] = step->out == NOWHERE || needed[step->out];
        for (uint32_t k = 0; early[i] && k < step->slot_count; k++)
            if (step->slots[k] != NOWHERE)
                needed[step->slots[k]] = true;
    }
    if (!early || !steps) {
        rk_free(early);
        rk_free(steps);
        return RASK_ENOMEM;
    }
    for (int late = 0; late < 2; late++) {
        for (uint32_t i = 0; i < p->step_count; i++)
            if (early[i] == !late)
                steps[count++] = p->steps[i];
        p->early = late ? p->early : count;
    }
    rk_free(p->steps);
    p->steps = steps;
    rk_free(early);
    return RASK_OK;
}

int rk_pipeline_delay(rk_pipeline *p, uint32_t first)
{
    bool *needed = rk_calloc(p->slot_count + 1, sizeof *needed), any = first != NOWHERE;
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->step_count; i++)
        any |= p->steps[i].out == NOWHERE;
    if (!any || p->join_count || !needed) {
        rk_free(needed);
        return any && !p->join_count ? RASK_ENOMEM : RASK_OK;
    }
    if (first != NOWHERE)
        needed[p->outputs[first]] = true;
    int status = order_steps(p, needed);
    p->late = status ? NULL : rk_calloc(p->wanted_count + 1, sizeof *p->late);
    for (uint32_t i = 0; p->late && i < p->wanted_count; i++)
        count += p->late[i] = !needed[p->wanted[i]];
    status = p->late ? RASK_OK : RASK_ENOMEM;
    if (!count) {
        rk_free(p->late);
        p->late = NULL;
    }
    rk_free(needed);
    return status;
}

void rk_pipeline_fini(rk_pipeline *p)
{
    rk_free(p->late);
    for (uint32_t i = 0; p->steps && i < p->step_count; i++) {
        rk_free((void *)p->steps[i].slots);
        free_join(p->steps[i].join);
    }
    rk_free(p->steps);
    rk_free(p->wanted);
    rk_free(p->outputs);
    *p = (rk_pipeline){0};
}

/* -- Running */

/* Of a step: what it needs to run. */
static int init_step(rk_pipeline_run *run, const rk_step *step, rk_expr_run **expr, const rask_bytes *others)
{
    if (!step->join)
        return rk_expr_run_new(step->expr, run->room ? &run->room : NULL, expr);
    uint32_t number = step->join->number;
    return rk_probe_init(&run->probes[number], run->pipeline, step->join, others[2 * number],
                         others[2 * number + 1]);
}

int rk_pipeline_run_init(rk_pipeline_run *run, const rk_pipeline *p, const rask_bytes *others)
{
    size_t most = p->output_count;
    for (uint32_t i = 0; i < p->step_count; i++)
        most = p->steps[i].slot_count > most ? p->steps[i].slot_count : most;
    *run = (rk_pipeline_run){.pipeline = p,
                             .room = p->memo_room,
                             .runs = rk_calloc(p->step_count + 1, sizeof *run->runs),
                             .slots = rk_calloc(p->slot_count + 1, sizeof *run->slots),
                             .inputs = rk_calloc(most + 1, sizeof *run->inputs),
                             .outputs = rk_calloc(p->output_count + 1, sizeof *run->outputs),
                             .chosen = rk_alloc_array(RK_BATCH_ROWS, sizeof *run->chosen),
                             .origins = rk_alloc_array(RK_BATCH_ROWS, sizeof *run->origins),
                             .probes = rk_calloc(p->join_count + (size_t)1, sizeof *run->probes)};
    bool all =
        run->runs && run->slots && run->inputs && run->outputs && run->chosen && run->origins && run->probes;
    int status = all ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; !status && i < p->step_count; i++)
        status = init_step(run, &p->steps[i], &run->runs[i], others);
    if (status)
        rk_pipeline_run_fini(run);
    return status;
}

void rk_pipeline_run_fini(rk_pipeline_run *run)
{
    for (uint32_t i = 0; run->runs && i < run->pipeline->step_count; i++)
        rk_expr_run_free(run->runs[i]);
    for (uint32_t i = 0; run->probes && i < run->pipeline->join_count; i++)
        rk_probe_fini(&run->probes[i]);
    rk_free(run->probes);
    rk_free(run->runs);
    rk_free(run->slots);
    rk_free(run->inputs);
    rk_free(run->outputs);
    rk_free(run->chosen);
    rk_free(run->origins);
    *run = (rk_pipeline_run){0};
}

/* Keeps these rows of every slot that there is; made columns may share memory with others, which is then moved but
 * once. */
void rk_pipeline_choose(rk_pipeline_run *run, const uint32_t *chosen, uint32_t count)
{
    const rk_pipeline *p = run->pipeline;
    for (uint32_t i = 0; i < p->slot_count; i++) {
        rk_column *c = &run->slots[i];
        bool moved = !c->data;
        for (uint32_t k = i < p->source->schema.count ? i : 0; k < i && !moved; k++)
            moved = run->slots[k].data == c->data;
        if (!moved)
            rk_column_keep(c, chosen, count);
    }
    for (uint32_t i = 0; p->late && !run->eager && i < count; i++)
        run->origins[i] = run->origins[chosen[i]];
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
        rk_pipeline_choose(run, run->chosen, count);
    return RASK_OK;
}

/* The next rows that a join makes of what it has taken. */
static int join_rows(rk_pipeline_run *run, rk_probe *probe)
{
    uint32_t count;
    bool in_place;
    int status = rk_probe_next(probe, run->slots, run->pipeline->slot_count, &count, &in_place);
    if (status)
        return status;
    if (in_place && count < run->rows)
        rk_pipeline_choose(run, probe->rows, count);
    run->rows = count;
    rk_probe_show(probe, run->slots);
    return RASK_OK;
}

static void set_outputs_of(rk_pipeline_run *run)
{
    const rk_pipeline *p = run->pipeline;
    for (uint32_t i = 0; i < p->output_count; i++)
        run->outputs[i] = p->outputs[i] == NOWHERE ? NULL : &run->slots[p->outputs[i]];
}

/* Steps from a number on, up to but without another. */
static int take_steps(rk_pipeline_run *run, uint32_t from, uint32_t to)
{
    const rk_pipeline *p = run->pipeline;
    int status = RASK_OK;
    for (uint32_t i = from; i < to && run->rows && !status; i++) {
        rk_probe *probe = p->steps[i].join ? &run->probes[p->steps[i].join->number] : NULL;
        status = probe ? rk_probe_begin(probe, run->slots, run->rows) : take_step(run, i);
        if (probe && !status)
            status = join_rows(run, probe);
    }
    set_outputs_of(run);
    return status;
}

int rk_pipeline_begin(rk_pipeline_run *run, rk_batch *batch)
{
    const rk_pipeline *p = run->pipeline;
    bool late = p->late && !run->eager;
    assert(batch->count == p->wanted_count);
    memset(run->slots, 0, p->slot_count * sizeof *run->slots);
    for (uint32_t i = 0; i < p->wanted_count; i++)
        if (!late || !p->late[i])
            run->slots[p->wanted[i]] = batch->columns[i];
    run->rows = batch->rows;
    for (uint32_t i = 0; late && i < run->rows; i++)
        run->origins[i] = i;
    return take_steps(run, 0, p->late ? p->early : p->step_count);
}

int rk_pipeline_end(rk_pipeline_run *run, rk_batch *batch)
{
    const rk_pipeline *p = run->pipeline;
    if (!p->late)
        return RASK_OK;
    for (uint32_t i = 0; i < p->wanted_count; i++)
        if (p->late[i] && !run->eager)
            run->slots[p->wanted[i]] = batch->columns[i];
    return take_steps(run, p->early, p->step_count);
}

int rk_pipeline_take(rk_pipeline_run *run, rk_batch *batch)
{
    int status = rk_pipeline_begin(run, batch);
    return status ? status : rk_pipeline_end(run, batch);
}

/* The last step that is a join with more to come; UINT32_MAX: none is. */
static uint32_t last_with_more(const rk_pipeline_run *run)
{
    const rk_pipeline *p = run->pipeline;
    for (uint32_t i = p->join_count ? p->step_count : 0; i-- > 0;)
        if (p->steps[i].join && rk_probe_more(&run->probes[p->steps[i].join->number]))
            return i;
    return UINT32_MAX;
}

bool rk_pipeline_more(const rk_pipeline_run *run)
{
    return last_with_more(run) != UINT32_MAX;
}

int rk_pipeline_next(rk_pipeline_run *run)
{
    uint32_t number = last_with_more(run);
    assert(number != UINT32_MAX);
    int status = join_rows(run, &run->probes[run->pipeline->steps[number].join->number]);
    return status ? status : take_steps(run, number + 1, run->pipeline->step_count);
}

uint64_t rk_pipeline_bytes(const rk_pipeline *p)
{
    uint64_t columns = p->wanted_count;
    bool keeps = false;
    for (uint32_t i = 0; i < p->step_count; i++) {
        const rk_join_step *join = p->steps[i].join;
        keeps |= !join && rk_expr_keeps(p->steps[i].expr);
        columns += join ? 2 * join->live_count + join->payload_count + join->join->key_count
                        : 4; /* a step's own column, and those of its parts */
    }
    return (columns + 1) * RK_BATCH_ROWS * (sizeof(rask_bytes) + 1) + (keeps ? p->memo_room : 0);
}
