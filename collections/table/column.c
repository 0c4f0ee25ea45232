#include "collections/table/column.h"

#include "core/base/alloc.h"

#include <string.h>

const char *rask_column_type_name(rask_column_type type)
{
    static const char *const names[] = {
#define RASK_COLUMN_NAME(name, text) text,
        RASK_COLUMN_TYPE_TABLE(RASK_COLUMN_NAME)
#undef RASK_COLUMN_NAME
    };
    return (unsigned)type < RASK_COLUMN_TYPES ? names[type] : "?";
}

size_t rk_column_size(rask_column_type type)
{
    return type == RASK_COL_BOOL ? 1 : type == RASK_COL_TEXT ? sizeof(rask_bytes) : 8;
}

int rk_column_init(rk_column *column, rask_column_type type)
{
    size_t bytes = RK_BATCH_ROWS * rk_column_size(type);
    char *memory = rk_alloc(bytes + RK_BATCH_ROWS);
    if (!memory)
        return RASK_ENOMEM;
    *column = (rk_column){.type = type, .data = memory, .valid = (uint8_t *)memory + bytes};
    return RASK_OK;
}

void rk_column_fini(rk_column *column)
{
    rk_free(column->data);
    *column = (rk_column){0};
}

int rk_batch_init(rk_batch *batch, const rask_column_type *types, uint32_t count)
{
    *batch = (rk_batch){.columns = rk_calloc(count ? count : 1, sizeof *batch->columns)};
    if (!batch->columns)
        return RASK_ENOMEM;
    int status = RASK_OK;
    for (; !status && batch->count < count; batch->count += !status)
        status = rk_column_init(&batch->columns[batch->count], types[batch->count]);
    if (status)
        rk_batch_fini(batch);
    return status;
}

void rk_batch_fini(rk_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        rk_column_fini(&batch->columns[i]);
    rk_free(batch->columns);
    *batch = (rk_batch){0};
}

#define KEEP(type, values)                                                                                   \
    do {                                                                                                     \
        type *v = (values);                                                                                  \
        for (uint32_t i = 0; i < count; i++)                                                                 \
            v[i] = v[rows[i]];                                                                               \
    } while (0)

void rk_column_keep(rk_column *column, const uint32_t *rows, uint32_t count)
{
    switch (rk_column_size(column->type)) {
    case 1: KEEP(uint8_t, column->boolean); break;
    case 8: KEEP(int64_t, column->i64); break;
    default: KEEP(rask_bytes, column->text);
    }
    if (column->nulls)
        KEEP(uint8_t, column->valid);
}

void rk_batch_keep(rk_batch *batch, const uint32_t *rows, uint32_t count)
{
    for (uint32_t i = 0; i < batch->count; i++)
        rk_column_keep(&batch->columns[i], rows, count);
    batch->rows = count;
}
