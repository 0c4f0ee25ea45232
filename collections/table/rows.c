#include "collections/table/rows.h"

#include "core/base/alloc.h"

#include <string.h>

static void free_names(char **names, uint32_t count)
{
    for (uint32_t i = 0; names && i < count; i++)
        rk_free(names[i]);
    rk_free(names);
}

rask_rows *rk_rows_new(const rk_schema *schema, rask_value value)
{
    rask_bytes bytes;
    rask_rows *rows = rk_calloc(1, sizeof *rows);
    char **names = rk_calloc(schema->count + (size_t)1, sizeof *names);
    bool good = rows && names && rask_value_get_bytes(&value, &bytes) == RASK_OK;
    for (uint32_t i = 0; good && i < schema->count; i++)
        good = (names[i] = rk_strndup(schema->names[i], strlen(schema->names[i])));
    if (!good) {
        free_names(names, schema->count);
        rk_free(rows);
        rask_value_unref(&value);
        return NULL;
    }
    rk_init(&rows->refs, 1);
    rows->value = value;
    rows->names = names;
    rk_chunk_open(&rows->chunk, bytes);
    return rows;
}

rask_rows *rk_rows_ref(rask_rows *rows)
{
    rk_add_relaxed(&rows->refs, 1);
    return rows;
}

void rask_rows_free(rask_rows *rows)
{
    if (!rows || rk_sub_acq_rel(&rows->refs, 1) > 1)
        return;
    free_names(rows->names, rows->chunk.count);
    rask_value_unref(&rows->value);
    rk_free(rows);
}

uint64_t rask_rows_count(const rask_rows *rows)
{
    return rows ? rows->chunk.rows : 0;
}

uint32_t rask_rows_columns(const rask_rows *rows)
{
    return rows ? rows->chunk.count : 0;
}

int rask_rows_column(const rask_rows *rows, uint32_t index, rask_column *out)
{
    if (!rows || index >= rows->chunk.count)
        return RASK_EINVAL;
    *out = rk_chunk_column_at(&rows->chunk, index);
    out->name = rows->names[index];
    return RASK_OK;
}
