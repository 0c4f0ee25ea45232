#include "collections/bag/records.h"

#include "collections/bag/keyed.h"
#include "core/base/alloc.h"
#include "core/base/ascending.h"

#include <string.h>

uint64_t rask_records_count(const rask_records *records)
{
    return records ? records->count : 0;
}

const char *rask_records_types(const rask_records *records)
{
    return records ? records->shape.types : "";
}

int rask_records_get(const rask_records *records, uint64_t index, rask_record *out)
{
    if (!records || index >= records->count || !out)
        return RASK_EINVAL;
    if (records->places) {
        rk_bag_at(records->chunks, records->places[index], out);
        return RASK_OK;
    }
    size_t chunk = records->starts ? rk_last_at(records->starts, records->chunk_count, (int64_t)index) : 0;
    uint64_t start = records->starts ? (uint64_t)records->starts[chunk] : 0;
    rk_bag_chunk_get(&records->chunks[chunk], index - start, out);
    return RASK_OK;
}

/* Chunks without records are left out, so that every start is another. */
static void open_chunks(rask_records *records, rk_bag_chunk *chunks, int64_t *starts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        rask_bytes bytes;
        rk_bag_chunk *chunk = &chunks[records->chunk_count];
        if (rask_value_get_bytes(&records->values[i], &bytes))
            continue;
        rk_bag_chunk_open(chunk, bytes);
        starts[records->chunk_count] = (int64_t)records->count;
        records->chunk_count += chunk->count > 0;
        records->count += chunk->count;
    }
}

rask_records *rk_bag_records_new(const rk_shape *shape, rask_value *values, uint32_t count)
{
    rask_records *records = rk_calloc(1, sizeof *records);
    rk_bag_chunk *chunks = rk_calloc((size_t)count + 1, sizeof *chunks);
    int64_t *starts = rk_calloc((size_t)count + 1, sizeof *starts);
    rask_value *own = rk_calloc((size_t)count + 1, sizeof *own); /* one more, which is none and ends them */
    if (!records || !chunks || !starts || !own) {
        rk_free(records);
        rk_free(chunks);
        rk_free(starts);
        rk_free(own);
        return NULL;
    }
    memcpy(own, values, count * sizeof *own);
    memset(values, 0, count * sizeof *values);
    *records = (rask_records){.chunks = chunks, .starts = starts, .values = own, .shape = *shape};
    open_chunks(records, chunks, starts, count);
    return records;
}

void rask_records_free(rask_records *records)
{
    if (!records || !records->values)
        return;
    for (rask_value *value = records->values; value->type != RASK_NONE; value++)
        rask_value_unref(value);
    rk_free(records->values);
    rk_free((void *)records->chunks);
    rk_free((void *)records->starts);
    rk_free(records);
}
