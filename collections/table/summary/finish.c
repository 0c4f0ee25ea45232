#include "collections/table/summary/finish.h"

#include "collections/table/groups/quantile.h"
#include "collections/table/value_text.h"
#include "core/base/alloc.h"

#include <math.h>
#include <string.h>

rk_summary_place rk_summary_place_of(const rk_table_sink_plan *plan, const uint64_t *counts, uint32_t column,
                                     uint32_t range)
{
    uint32_t ranges = plan->splitter_count + 1;
    const uint64_t *own = counts + (size_t)column * ranges;
    rk_summary_place place = {.count = own[range]};
    for (uint32_t r = 0; r < ranges; r++) {
        place.begin += r < range ? own[r] : 0;
        place.total += own[r];
    }
    return place;
}

/* What is being made of it: a row for each column, or for each quantile. */
typedef struct finishing {
    const rk_summary_found *all;
    const struct rk_summary *summary;
    rk_batch batch;
    rk_arena texts;
} finishing;

static rask_column_type type_of(const finishing *f, uint32_t column)
{
    return f->all->plan->schema->types[f->summary->columns[column]];
}

static void put_null(rk_column *out, uint32_t row)
{
    out->nulls = true;
    out->valid[row] = 0;
    if (out->type == RASK_COL_TEXT)
        out->text[row] = (rask_bytes){"", 0};
    else
        out->i64[row] = 0;
}

static void put_i64(rk_column *out, uint32_t row, int64_t value)
{
    out->valid[row] = 1;
    out->i64[row] = value;
}

static void put_f64(rk_column *out, uint32_t row, double value)
{
    out->valid[row] = 1;
    out->f64[row] = value;
}

static void put_text(rk_column *out, uint32_t row, rask_bytes text)
{
    out->valid[row] = 1;
    out->text[row] = text;
}

/* -- What ranges say */

static const char *column_data(const finishing *f, uint32_t column, uint32_t range)
{
    return f->all->ranges[range] + column * rk_summary_column_size(f->summary);
}

static int64_t different_values(const finishing *f, uint32_t column)
{
    int64_t different = 0, some;
    for (uint32_t r = 0; r <= f->all->plan->splitter_count; r++) {
        memcpy(&some, column_data(f, column, r), sizeof some);
        different += some;
    }
    return different;
}

/* The rank at a target, next: of the value behind it; it is in one range. False: there is none. */
static bool find_rank(const finishing *f, uint32_t column, uint32_t target, bool next, uint64_t *rank)
{
    for (uint32_t r = 0; r <= f->all->plan->splitter_count; r++) {
        const rk_found *found = (const rk_found *)(column_data(f, column, r) + sizeof(uint64_t));
        if (found[2 * target + next].has) {
            *rank = found[2 * target + next].rank;
            return true;
        }
    }
    return false;
}

static double number_of(rask_column_type type, uint64_t rank)
{
    if (type != RASK_COL_F64)
        return (double)rk_unrank_i64(rank);
    return rank == RK_RANK_NAN ? (double)NAN : rk_unrank_f64(rank);
}

/* Numbers lie between numbers; of dates it is the last one before. */
static void put_quantile(const finishing *f, uint32_t column, uint32_t target, rk_column *out, uint32_t row)
{
    rask_column_type type = type_of(f, column);
    uint64_t total = rk_summary_place_of(f->all->plan, f->all->counts, column, 0).total, a = 0, b = 0,
             last = 0;
    double t = 0;
    if (!total || !find_rank(f, column, target, false, &a)) {
        put_null(out, row);
        return;
    }
    rk_quantile_place(total, f->summary->targets[target], &t);
    b = a;
    find_rank(f, column, target, true, &b);
    find_rank(f, column, f->summary->target_count - 1, false, &last);
    if (out->type != RASK_COL_F64) {
        int64_t from = rk_unrank_i64(a);
        put_i64(out, row, t > 0 ? from + (int64_t)floor((double)(rk_unrank_i64(b) - from) * t) : from);
    } else if (type == RASK_COL_F64 && last == RK_RANK_NAN) {
        put_f64(out, row, (double)NAN);
    } else {
        put_f64(out, row, rk_quantile_between(number_of(type, a), number_of(type, b), t));
    }
}

/* -- A row for each quantile */

static int finish_quantiles(finishing *f)
{
    const struct rk_summary *s = f->summary;
    f->batch.rows = s->target_count - 1;
    for (uint32_t row = 0; row < f->batch.rows; row++) {
        put_f64(&f->batch.columns[0], row, s->targets[row]);
        for (uint32_t i = 0; i < s->count; i++)
            put_quantile(f, i, row, &f->batch.columns[1 + i], row);
    }
    return RASK_OK;
}

/* -- A row for each column */

/* A value as text. */
static int put_as_text(finishing *f, const rk_column *value, rk_column *out, uint32_t row)
{
    char text[RK_NUMBER_TEXT];
    rask_bytes bytes = {text, 0};
    if (!rk_column_has(value, 0)) {
        put_null(out, row);
        return RASK_OK;
    }
    if (value->type == RASK_COL_TEXT)
        bytes = *value->text;
    else
        bytes.len = rk_print_value(value, 0, text);
    char *copy = rk_arena_alloc(&f->texts, bytes.len + 1);
    if (!copy)
        return RASK_ENOMEM;
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    put_text(out, row, (rask_bytes){copy, bytes.len});
    return RASK_OK;
}

static int put_quantile_text(finishing *f, uint32_t column, uint32_t target, rk_column *out)
{
    rask_column_type type = type_of(f, column);
    int64_t data = 0;
    uint8_t valid = 1;
    bool date = type == RASK_COL_DATE || type == RASK_COL_TIMESTAMP;
    rk_column value = {.type = date ? type : RASK_COL_F64, .data = &data, .valid = &valid};
    if (type == RASK_COL_TEXT || type == RASK_COL_BOOL)
        put_null(&value, 0);
    else
        put_quantile(f, column, target, &value, 0);
    return put_as_text(f, &value, out, column);
}

/* The facts about a column, as columns of the row that there is. */
typedef struct fact {
    rk_column column;
    rask_bytes text;
    uint8_t valid;
} fact;

static void read_fact(const finishing *f, uint32_t index, fact *out)
{
    rask_column c = rk_chunk_column_at(&f->all->facts, index);
    out->valid = !c.valid || c.valid[0];
    out->column = (rk_column){.type = c.type, .nulls = !out->valid, .valid = &out->valid};
    if (c.type == RASK_COL_TEXT) {
        out->text = (rask_bytes){c.bytes + c.as.offsets[0], c.as.offsets[1] - c.as.offsets[0]};
        out->column.text = &out->text;
    } else {
        out->column.data = (void *)c.as.i64;
    }
}

static void put_fact(const fact *from, rk_column *out, uint32_t row)
{
    if (rk_column_has(&from->column, 0))
        put_f64(out, row, *from->column.f64);
    else
        put_null(out, row);
}

/* Of columns as rask_table_describe() has them. */
static int describe_column(finishing *f, uint32_t i, uint32_t *next_fact, int64_t rows)
{
    enum { NAME, TYPE, COUNT, NULLS, DISTINCT, MEAN, STD, MIN, QUARTILES, MAX = QUARTILES + 3 };
    rk_column *out = f->batch.columns;
    fact facts[RK_FACTS];
    const char *name = f->summary->names[i], *type = rask_column_type_name(type_of(f, i));
    bool numbers = type_of(f, i) <= RASK_COL_F64;
    for (int k = 0; k < (numbers ? RK_FACTS : RK_FACT_MEAN); k++)
        read_fact(f, (*next_fact)++, &facts[k]);
    put_text(&out[NAME], i, (rask_bytes){name, strlen(name)});
    put_text(&out[TYPE], i, (rask_bytes){type, strlen(type)});
    put_i64(&out[COUNT], i, *facts[RK_FACT_COUNT].column.i64);
    put_i64(&out[NULLS], i, rows - *facts[RK_FACT_COUNT].column.i64);
    put_i64(&out[DISTINCT], i, different_values(f, i));
    if (numbers) {
        put_fact(&facts[RK_FACT_MEAN], &out[MEAN], i);
        put_fact(&facts[RK_FACT_STD], &out[STD], i);
    } else {
        put_null(&out[MEAN], i);
        put_null(&out[STD], i);
    }
    int status = put_as_text(f, &facts[RK_FACT_MIN].column, &out[MIN], i);
    for (uint32_t k = 0; k < 3 && !status; k++)
        status = put_quantile_text(f, i, k, &out[QUARTILES + k]);
    return status ? status : put_as_text(f, &facts[RK_FACT_MAX].column, &out[MAX], i);
}

static int finish_description(finishing *f)
{
    fact rows;
    uint32_t next_fact = 0;
    int status = RASK_OK;
    read_fact(f, f->all->facts.count - 1, &rows);
    f->batch.rows = f->summary->count;
    for (uint32_t i = 0; i < f->summary->count && !status; i++)
        status = describe_column(f, i, &next_fact, *rows.column.i64);
    return status;
}

int rk_summary_finish(const rk_summary_found *all, rask_value *out)
{
    const rk_schema *result = all->plan->result;
    finishing f = {.all = all, .summary = all->plan->summary};
    rk_chunk_builder builder = {0};
    const rk_column **columns = rk_alloc_array(result->count + 1, sizeof *columns);
    int status = columns ? rk_batch_init(&f.batch, result->types, result->count) : RASK_ENOMEM;
    if (!status)
        status = f.summary->facts ? finish_description(&f) : finish_quantiles(&f);
    if (!status)
        status = rk_chunk_builder_init(&builder, result->types, result->count);
    for (uint32_t i = 0; !status && i < result->count; i++)
        columns[i] = &f.batch.columns[i];
    if (!status)
        status = rk_chunk_builder_add_rows(&builder, columns, NULL, f.batch.rows);
    if (!status)
        status = rk_chunk_builder_pack(&builder, out);
    rk_chunk_builder_fini(&builder);
    rk_batch_fini(&f.batch);
    rk_arena_fini(&f.texts);
    rk_free((void *)columns);
    return status;
}
