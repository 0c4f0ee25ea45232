#include "collections/table/expr/program.h"

#include <string.h>

static const uint8_t ones[RK_BATCH_ROWS] = {[0 ... RK_BATCH_ROWS - 1] = 1};

const uint8_t *rk_expr_valid(const rk_column *column)
{
    return column->nulls ? column->valid : ones;
}

/* --- text */

enum { FIRST_CHUNK = 64 << 10 };

struct rk_expr_chunk {
    struct rk_expr_chunk *next;
    size_t capacity;
    char bytes[];
};

void rk_expr_text_rewind(rk_expr_text *text, rk_expr_text then)
{
    while (text->chunks != then.chunks) {
        struct rk_expr_chunk *next = text->chunks->next;
        rk_free(text->chunks);
        text->chunks = next;
    }
    *text = then;
}

void rk_expr_text_fini(rk_expr_text *text)
{
    rk_expr_text_rewind(text, (rk_expr_text){0});
}

/* Keeps the newest chunk, which is the largest. */
static void reset_text(rk_expr_text *text)
{
    while (text->chunks && text->chunks->next) {
        struct rk_expr_chunk *old = text->chunks->next;
        text->chunks->next = old->next;
        rk_free(old);
    }
    text->used = 0;
    text->total = text->chunks ? text->chunks->capacity : 0;
}

static int grow_text(rk_expr_text *text, size_t least)
{
    size_t capacity = text->chunks ? text->chunks->capacity * 2 : FIRST_CHUNK;
    if (capacity < least)
        capacity = least;
    if (capacity > RK_MAX_EXPR_TEXT - text->total)
        capacity = least;
    if (capacity > RK_MAX_EXPR_TEXT - text->total)
        return RASK_ELIMIT;
    struct rk_expr_chunk *chunk = rk_alloc(sizeof *chunk + capacity);
    if (!chunk)
        return RASK_ENOMEM;
    *chunk = (struct rk_expr_chunk){.next = text->chunks, .capacity = capacity};
    text->chunks = chunk;
    text->used = 0;
    text->total += capacity;
    return RASK_OK;
}

char *rk_expr_text_alloc(rk_expr_run *run, size_t len, int *status)
{
    rk_expr_text *text = &run->text;
    if ((!text->chunks || len > text->chunks->capacity - text->used) && (*status = grow_text(text, len)))
        return NULL;
    char *bytes = text->chunks->bytes + text->used;
    text->used += len;
    return bytes;
}

/* --- nulls */

void rk_expr_open_nulls(const rk_expr_call *c)
{
    c->out->nulls = true;
    memset(c->out->valid, 1, c->rows);
}

/* A strict step is null where an operand is. Constants are not. */
static void join_nulls(const rk_expr_call *c)
{
    uint8_t *restrict valid = c->out->valid;
    for (uint32_t k = 0; k < c->step->count; k++) {
        const uint8_t *restrict other = c->in[k]->valid;
        if (c->fixed[k] || !c->in[k]->nulls)
            continue;
        if (!c->out->nulls)
            memcpy(valid, other, c->rows);
        else
            for (uint32_t i = 0; i < c->rows; i++)
                valid[i] &= other[i];
        c->out->nulls = true;
    }
}

static void clear_nulls(rk_column *out, uint32_t rows)
{
    const uint8_t *restrict valid = out->valid;
    if (out->type == RASK_COL_BOOL) {
        uint8_t *restrict values = out->boolean;
        for (uint32_t i = 0; i < rows; i++)
            values[i] &= valid[i];
    } else if (out->type == RASK_COL_TEXT) {
        for (uint32_t i = 0; i < rows; i++) {
            if (!valid[i])
                out->text[i] = (rask_bytes){0};
        }
    } else { /* of floats the bits */
        uint64_t *restrict values = out->data;
        for (uint32_t i = 0; i < rows; i++)
            values[i] &= -(uint64_t)valid[i];
    }
}

int rk_expr_do(rk_expr_call *c)
{
    c->out->type = c->step->type;
    c->out->nulls = false;
    if (c->step->strict)
        join_nulls(c);
    int status = c->step->kernel(c);
    if (!status && c->out->nulls)
        clear_nulls(c->out, c->rows);
    return status;
}

/* --- runs */

static const rk_column *operand(const rk_expr_run *run, const rk_column *const *columns, rk_expr_operand o)
{
    switch (o.from) {
    case RK_FROM_COLUMN: return columns[o.index];
    case RK_FROM_CONSTANT: return (const rk_column *)run->expr->constants.data + o.index;
    default: return &run->registers[o.index];
    }
}

static int run_step(rk_expr_run *run, const rk_expr_step *step, const rk_column *const *columns,
                    uint32_t rows)
{
    rk_expr_call c = {.rows = rows, .out = &run->registers[step->out], .step = step, .run = run};
    for (uint32_t k = 0; k < step->count; k++) {
        c.in[k] = operand(run, columns, step->in[k]);
        c.fixed[k] = step->in[k].from == RK_FROM_CONSTANT;
    }
    return rk_expr_do(&c);
}

int rk_expr_run_steps(rk_expr_run *run, uint32_t first, uint32_t last, const rk_column *const *columns,
                      uint32_t rows)
{
    const rk_expr_step *steps = run->expr->steps.data;
    int status = RASK_OK;
    for (size_t i = first; i <= last && !status; i++)
        status = run_step(run, &steps[i], columns, rows);
    return status;
}

int rk_expr_evaluate(const rk_expr *e, rk_expr_run *run, const rk_column *const *columns, uint32_t rows,
                     const rk_column **out)
{
    const rk_expr_memo *memo = e->memos.data, *end = memo ? memo + e->memos.count : NULL;
    const rk_expr_step *steps = e->steps.data;
    int status = RASK_OK;
    reset_text(&run->text);
    for (uint32_t i = 0; i < e->steps.count && !status; i++) {
        if (!run->room || memo == end || i < memo->first) {
            status = run_step(run, &steps[i], columns, rows);
            continue;
        }
        status = rk_expr_memo_run(run, (uint32_t)(e->memos.count - (size_t)(end - memo)), columns, rows);
        i = memo++->last;
    }
    if (!status)
        *out = operand(run, columns, e->result);
    return status;
}

int rk_expr_run_new(const rk_expr *e, uint64_t *room, rk_expr_run **out)
{
    rk_expr_run *run = rk_calloc(1, sizeof *run);
    if (!run)
        return RASK_ENOMEM;
    run->expr = e;
    run->room = room;
    run->registers = rk_calloc(e->registers ? e->registers : 1, sizeof *run->registers);
    for (uint32_t i = 0; run->registers && i < e->registers; i++) {
        size_t bytes = (size_t)RK_BATCH_ROWS * e->sizes[i];
        char *memory = rk_alloc(bytes + RK_BATCH_ROWS);
        if (!memory)
            break;
        run->registers[i].data = memory;
        run->registers[i].valid = (uint8_t *)memory + bytes;
    }
    if (!run->registers || (e->registers && !run->registers[e->registers - 1].data)) {
        rk_expr_run_free(run);
        return RASK_ENOMEM;
    }
    *out = run;
    return RASK_OK;
}

void rk_expr_run_free(rk_expr_run *run)
{
    if (!run)
        return;
    for (uint32_t i = 0; run->registers && i < run->expr->registers; i++)
        rk_free(run->registers[i].data);
    rk_free(run->registers);
    rk_expr_text_fini(&run->text);
    rk_regex_memory_free(run->match);
    rk_expr_memo_fini(run);
    rk_free(run);
}

uint32_t rk_column_true(const rk_column *column, uint32_t rows, uint32_t *out)
{
    const uint8_t *values = column->boolean;
    uint32_t count = 0, i = 0;
    for (; i + 8 <= rows; i += 8) {
        uint64_t eight;
        memcpy(&eight, values + i, 8);
        for (uint32_t k = 0; eight && k < 8; k++) {
            out[count] = i + k;
            count += values[i + k] != 0;
        }
    }
    for (; i < rows; i++) {
        out[count] = i;
        count += values[i] != 0;
    }
    return count;
}
