#include "collections/table/origin.h"

/* Only PICK, WITH and FILTER stand above the files. */
static bool is_plain(const rask_table *t)
{
    while (t->kind == RK_TABLE_PICK || t->kind == RK_TABLE_WITH || t->kind == RK_TABLE_FILTER)
        t = t->input;
    return t->kind == RK_TABLE_CSV;
}

static const rask_table *largest(const rask_table *concat)
{
    const rask_table *most = concat->input;
    for (uint32_t i = 1; i < concat->as.concat.count; i++)
        if (concat->as.concat.tables[i]->bytes > most->bytes)
            most = concat->as.concat.tables[i];
    return most;
}

/* From a join to the side that has the column. */
static const rask_table *side_of(const rask_table *t, uint32_t *column)
{
    uint32_t count = t->input->schema.count;
    if (*column < count)
        return t->input;
    *column = t->as.join->payload[*column - count];
    return t->as.join->other;
}

const rask_table *rk_table_below(const rask_table *t, uint32_t *column)
{
    switch (t->kind) {
    case RK_TABLE_PICK: *column = t->as.pick[*column]; return t->input;
    case RK_TABLE_WITH: return *column == t->as.with.column ? NULL : t->input;
    case RK_TABLE_JOIN: return side_of(t, column);
    case RK_TABLE_CONCAT: return largest(t);
    case RK_TABLE_GROUP:
        if (*column >= t->as.grouping->key_count)
            return NULL;
        *column = t->as.grouping->keys[*column];
        return t->input;
    case RK_TABLE_FILTER:
    case RK_TABLE_SORT:
    case RK_TABLE_LIMIT:
    case RK_TABLE_TAIL:
    case RK_TABLE_DISTINCT: return t->input;
    default: return NULL;
    }
}

bool rk_table_origin(const rask_table **table, uint32_t *column)
{
    const rask_table *t = *table;
    while (t && !is_plain(t))
        t = rk_table_below(t, column);
    *table = t ? t : *table;
    return t != NULL;
}
