/* rask_table_distinct(). */
#include "collections/table/list.h"
#include "collections/table/made.h"
#include "collections/table/table.h"
#include "core/base/limits.h"

static uint32_t *all_columns(rask_table *input, uint32_t *count, const char *file, int line)
{
    uint32_t *keys = rk_table_memory(input->graph, input->schema.count * sizeof *keys, file, line);
    *count = input->schema.count;
    for (uint32_t i = 0; keys && i < *count; i++)
        keys[i] = i;
    return keys;
}

static bool has_key(const uint32_t *keys, uint32_t count, uint32_t column)
{
    for (uint32_t i = 0; i < count; i++)
        if (keys[i] == column)
            return true;
    return false;
}

/* One twice counts once. NULL, latched. */
static uint32_t *find_columns(rask_table *input, const char *columns, uint32_t *count, const char *file,
                              int line)
{
    rk_list_item item;
    uint32_t *keys = rk_table_memory(input->graph, input->schema.count * sizeof *keys, file, line);
    *count = 0;
    for (size_t at = 0; keys && rk_list_next(columns, RK_LIST_NAMES, &at, &item);) {
        uint32_t column = rk_table_find(input, "rask_table_distinct", item.name, file, line);
        if (column == UINT32_MAX)
            return NULL;
        if (!has_key(keys, *count, column))
            keys[(*count)++] = column;
    }
    return keys;
}

rask_table *rk_build_distinct(rask_table *input, const char *columns, const char *file, int line)
{
    uint32_t count;
    if (!input)
        return NULL;
    uint32_t *keys = columns && *columns ? find_columns(input, columns, &count, file, line)
                                         : all_columns(input, &count, file, line);
    if (keys && count > RK_MAX_KEYS)
        return rk_table_fail(input, RASK_ELIMIT, file, line, "rask_table_distinct: more than %d columns",
                             RK_MAX_KEYS);
    rask_table *table = keys ? rk_table_like(input->graph, input, RK_TABLE_DISTINCT, file, line) : NULL;
    if (!table)
        return NULL;
    table->as.distinct.keys = keys;
    table->as.distinct.count = count;
    return table;
}
