/* Where the same texts come again and again, what is made of them is kept: patterns are matched, texts changed and searched once
 * for each different text that a run meets. What comes out is the same.
 *
 * It stops where it does not pay: most texts are new, or there is no room for them, which the memos of a thread share. Then the steps are
 * done for each row, as if there were no memo, and others have the room. */
#include "collections/table/codes.h"
#include "collections/table/expr/program.h"

#include <string.h>

enum {
    NONE = UINT32_MAX, /* columns: no step has any */
    MIXED = UINT32_MAX - 1,
    WORTH = 40, /* nanoseconds a row, about: much more than looking a text up */
};

/* -- Finding them */

typedef struct branch {
    uint32_t column; /* that all its steps depend on; or NONE, MIXED */
    uint32_t first,
        size; /* its steps are size ones up to its own; they lie together when the first one is where that begins */
    uint32_t cost;
} branch;

/* Nanoseconds for a short text, about. */
static uint32_t cost_of(const rk_expr_step *step)
{
    enum { LONG_LIST = 16 };
    static const struct {
        rk_expr_kernel *kernel;
        uint32_t cost;
    } costs[] = {{rk_expr_matches, 80},   {rk_expr_extract, 90},    {rk_expr_replace, 15},
                 {rk_expr_lower, 8},      {rk_expr_upper, 8},       {rk_expr_find, 8},
                 {rk_expr_contains, 8},   {rk_expr_strip, 4},       {rk_expr_substring, 6},
                 {rk_expr_concat, 10},    {rk_expr_parse_date, 20}, {rk_expr_parse_timestamp, 30},
                 {rk_expr_parse_f64, 30}, {rk_expr_parse_i64, 15},  {rk_expr_lt_text, 8},
                 {rk_expr_le_text, 8}};
    if (step->kernel == rk_expr_in_list)
        return ((const rk_expr_list *)step->more)->count >= LONG_LIST ? WORTH : 8;
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
        if (costs[i].kernel == step->kernel)
            return costs[i].cost;
    return 1;
}

static uint32_t together(uint32_t a, uint32_t b)
{
    return a == NONE || a == b ? b : b == NONE ? a : MIXED;
}

/* writers: the step that wrote each register last. */
static branch branch_of(const rk_expr_step *steps, uint32_t i, const branch *branches,
                        const uint32_t *writers)
{
    branch b = {.column = NONE, .first = i, .size = 1, .cost = cost_of(&steps[i])};
    for (uint32_t k = 0; k < steps[i].count; k++) {
        rk_expr_operand in = steps[i].in[k];
        if (in.from == RK_FROM_COLUMN)
            b.column = together(b.column, in.index);
        if (in.from != RK_FROM_REGISTER)
            continue;
        const branch *from = &branches[writers[in.index]];
        b.column = together(b.column, from->column);
        b.first = from->first < b.first ? from->first : b.first;
        b.size += from->size;
        b.cost += from->cost;
    }
    return b;
}

static bool is_worth_it(const branch *b, uint32_t last, const rask_column_type *types)
{
    return b->column < MIXED && types[b->column] == RASK_COL_TEXT && b->cost >= WORTH &&
           last - b->first + 1 == b->size;
}

static void reverse(rk_array *memos)
{
    rk_expr_memo *items = memos->data;
    for (size_t i = 0, k = memos->count; i + 1 < k; i++) {
        rk_expr_memo item = items[i];
        items[i] = items[--k];
        items[k] = item;
    }
}

bool rk_expr_memo_find(rk_expr *e, const rask_column_type *types)
{
    const rk_expr_step *steps = e->steps.data;
    uint32_t count = (uint32_t)e->steps.count, writers[RK_MAX_EXPR_LIVE] = {0};
    branch *branches = rk_alloc_array(count + (size_t)1, sizeof *branches);
    bool good = branches != NULL;
    for (uint32_t i = 0; good && i < count; i++) {
        branches[i] = branch_of(steps, i, branches, writers);
        writers[steps[i].out] = i;
    }
    for (uint32_t i = good ? count : 0; good && i-- > 0;) {
        if (!is_worth_it(&branches[i], i, types))
            continue;
        rk_expr_memo *memo = rk_array_push(&e->memos);
        good = memo != NULL;
        if (good)
            *memo = (rk_expr_memo){branches[i].first, i, branches[i].column};
        i = branches[i].first;
    }
    reverse(&e->memos);
    rk_free(branches);
    return good;
}

bool rk_expr_keeps(const rk_expr *e)
{
    return e->memos.count > 0;
}

/* -- Runs */

typedef struct rk_expr_memory {
    bool began, off;
    uint64_t taken;       /* of the room */
    rk_codes codes;       /* of the texts, which are in ends and bytes */
    rk_array ends, bytes; /* as codes.h says */
    rk_array values;      /* of null, then of each text */
    rk_array valid;
    rk_arena texts;            /* that values are */
    uint64_t rows;             /* so far */
    rk_column fresh;           /* texts that were not there before */
    const rk_column **columns; /* for the steps: all but one are missing */
    uint32_t *numbers;         /* by row: 0 is null, else that of the text + 1 */
} rk_expr_memory;

static void free_memory(rk_expr_memory *m)
{
    rk_codes_fini(&m->codes);
    rk_array_fini(&m->ends);
    rk_array_fini(&m->bytes);
    rk_array_fini(&m->values);
    rk_array_fini(&m->valid);
    rk_arena_fini(&m->texts);
    rk_column_fini(&m->fresh);
    rk_free(m->columns);
    rk_free(m->numbers);
}

static void end_memory(rk_expr_run *run, rk_expr_memory *m)
{
    *run->room += m->taken;
    free_memory(m);
    *m = (rk_expr_memory){.began = true, .off = true};
}

void rk_expr_memo_fini(rk_expr_run *run)
{
    for (size_t i = 0; run->memories && i < run->expr->memos.count; i++)
        free_memory(&run->memories[i]);
    rk_free(run->memories);
    run->memories = NULL;
}

/* By its arrays and its fresh column. */
static uint64_t bytes_of(const rk_expr_memory *m)
{
    return RK_BATCH_ROWS * (sizeof(rask_bytes) + 1 + sizeof *m->numbers) + m->bytes.capacity +
           m->texts.total + m->codes.slot_count * sizeof(uint64_t) + m->ends.capacity * sizeof(uint64_t) +
           m->valid.capacity + m->values.capacity * m->values.element;
}

/* What it holds by now goes off the room. RASK_OK, or RASK_ELIMIT: there is less. */
static int take_room(rk_expr_run *run, rk_expr_memory *m)
{
    uint64_t more = bytes_of(m) + run->expr->columns * sizeof *m->columns - m->taken;
    if (more > *run->room)
        return RASK_ELIMIT;
    *run->room -= more;
    m->taken += more;
    return RASK_OK;
}

static int keep_text(rk_expr_run *run, rk_expr_memory *m, rask_bytes *text)
{
    if (text->len > *run->room)
        return RASK_ELIMIT;
    char *copy = text->len ? rk_arena_alloc(&m->texts, text->len) : NULL;
    if (text->len && !copy)
        return RASK_ENOMEM;
    if (copy)
        text->data = memcpy(copy, text->data, text->len);
    return take_room(run, m);
}

/* What the steps made of count texts is kept behind what is there. */
static int keep_values(rk_expr_run *run, rk_expr_memory *m, const rk_column *made, uint32_t count)
{
    if (rk_array_reserve(&m->values, count) || rk_array_reserve(&m->valid, count))
        return RASK_ENOMEM;
    char *values = (char *)m->values.data + m->values.count * m->values.element;
    memcpy(values, made->data, count * m->values.element);
    for (uint32_t i = 0; i < count; i++)
        *(uint8_t *)rk_array_push(&m->valid) = rk_column_has(made, i);
    int status = take_room(run, m);
    for (uint32_t i = 0; made->type == RASK_COL_TEXT && i < count && !status; i++)
        status = keep_text(run, m, (rask_bytes *)values + i);
    m->values.count += count;
    return status;
}

/* The steps over the first count of the fresh texts. */
static int learn(rk_expr_run *run, const rk_expr_memo *memo, rk_expr_memory *m, uint32_t count)
{
    const rk_expr_step *last = (const rk_expr_step *)run->expr->steps.data + memo->last;
    int status = rk_expr_run_steps(run, memo->first, memo->last, m->columns, count);
    return status ? status : keep_values(run, m, &run->registers[last->out], count);
}

/* Null is learned first. No column of texts is longer than the room. */
static int begin(rk_expr_run *run, const rk_expr_memo *memo, rk_expr_memory *m)
{
    const rk_expr *e = run->expr;
    const rk_expr_step *last = (const rk_expr_step *)e->steps.data + memo->last;
    *m = (rk_expr_memory){.began = true};
    if (take_room(run, m))
        return RASK_ELIMIT;
    *m = (rk_expr_memory){.began = true,
                          .taken = m->taken,
                          .ends = RK_ARRAY(uint64_t, SIZE_MAX),
                          .bytes = RK_ARRAY(char, *run->room),
                          .values = {.element = rk_column_size(last->type), .ceiling = SIZE_MAX},
                          .valid = RK_ARRAY(uint8_t, SIZE_MAX),
                          .columns = rk_calloc(e->columns, sizeof *m->columns),
                          .numbers = rk_alloc_array(RK_BATCH_ROWS, sizeof *m->numbers)};
    rk_codes_init(&m->codes);
    if (!m->columns || !m->numbers || rk_column_init(&m->fresh, RASK_COL_TEXT))
        return RASK_ENOMEM;
    m->columns[memo->column] = &m->fresh;
    m->fresh.nulls = true;
    m->fresh.valid[0] = 0;
    m->fresh.text[0] = (rask_bytes){"", 0};
    int status = learn(run, memo, m, 1);
    m->fresh.nulls = false;
    return status;
}

/* Numbers the texts of the rows; *count: fresh ones among them. */
static int number(rk_expr_run *run, rk_expr_memory *m, const rk_column *in, uint32_t rows, uint32_t *count)
{
    uint32_t known = m->codes.texts;
    int status = RASK_OK;
    for (uint32_t i = 0; i < rows && !status; i++) {
        uint32_t found = NONE;
        if (rk_column_has(in, i))
            status = rk_codes_find(&m->codes, &m->ends, &m->bytes, in->text[i], &found);
        m->numbers[i] = found + 1;
        if (status || found == NONE || found < known)
            continue;
        m->fresh.text[found - known] = in->text[i];
        status = take_room(run, m);
    }
    *count = m->codes.texts - known;
    return status;
}

/* Whether enough rows had a text that was known. */
static bool pays(const rk_expr_memory *m)
{
    enum { SOME = 16 << 10, MANY = 64 << 10 };
    uint64_t texts = m->codes.texts;
    return (m->rows < SOME || texts <= m->rows / 4 * 3) && (m->rows < MANY || texts <= m->rows / 2);
}

static void give_words(const rk_expr_memory *m, uint32_t rows, int64_t *out)
{
    const int64_t *values = m->values.data;
    for (uint32_t i = 0; i < rows; i++)
        out[i] = values[m->numbers[i]];
}

static void give_bytes(const uint8_t *values, const uint32_t *numbers, uint32_t rows, uint8_t *out)
{
    for (uint32_t i = 0; i < rows; i++)
        out[i] = values[numbers[i]];
}

static void give_texts(const rk_expr_memory *m, uint32_t rows, rask_bytes *out)
{
    const rask_bytes *values = m->values.data;
    for (uint32_t i = 0; i < rows; i++)
        out[i] = values[m->numbers[i]];
}

/* To each row what its text has. */
static void give(const rk_expr_memory *m, uint32_t rows, rask_column_type type, rk_column *out)
{
    out->type = type;
    if (type == RASK_COL_TEXT)
        give_texts(m, rows, out->text);
    else if (type == RASK_COL_BOOL)
        give_bytes(m->values.data, m->numbers, rows, out->boolean);
    else
        give_words(m, rows, out->i64);
    give_bytes(m->valid.data, m->numbers, rows, out->valid);
    out->nulls = memchr(out->valid, 0, rows) != NULL;
}

static int run_memory(rk_expr_run *run, const rk_expr_memo *memo, rk_expr_memory *m, const rk_column *in,
                      uint32_t rows)
{
    const rk_expr_step *last = (const rk_expr_step *)run->expr->steps.data + memo->last;
    uint32_t fresh = 0;
    int status = m->began ? RASK_OK : begin(run, memo, m);
    if (!status)
        status = number(run, m, in, rows, &fresh);
    if (!status && fresh)
        status = learn(run, memo, m, fresh);
    if (status)
        return status;
    m->rows += rows;
    give(m, rows, last->type, &run->registers[last->out]);
    return RASK_OK;
}

int rk_expr_memo_run(rk_expr_run *run, uint32_t index, const rk_column *const *columns, uint32_t rows)
{
    const rk_expr_memo *memo = (const rk_expr_memo *)run->expr->memos.data + index;
    if (!run->memories)
        run->memories = rk_calloc(run->expr->memos.count, sizeof *run->memories);
    rk_expr_memory *m = run->memories ? &run->memories[index] : NULL;
    if (!m)
        return RASK_ENOMEM;
    if (m->began && !m->off && !pays(m))
        end_memory(run, m);
    const rk_expr_text text = run->text;
    int status = m->off ? RASK_ELIMIT : run_memory(run, memo, m, columns[memo->column], rows);
    if (status != RASK_ELIMIT)
        return status;
    rk_expr_text_rewind(&run->text, text); /* of steps that are done again */
    if (!m->off)
        end_memory(run, m);
    return rk_expr_run_steps(run, memo->first, memo->last, columns, rows);
}
