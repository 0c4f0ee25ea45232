#include "collections/table/rows.h"

#include "core/base/alloc.h"

#include <string.h>

/* -- Text in dictionaries, as rask_column has it */

/* NULL: no memory. */
static uint64_t *spell(const rk_stored *s, uint64_t rows)
{
    uint64_t size = 0, end = 0;
    for (uint64_t i = 0; i < rows; i++)
        size += rk_stored_text(s, i).len;
    uint64_t *ends = rk_alloc((rows + 1) * sizeof *ends + size);
    char *bytes = (char *)(ends ? ends + rows + 1 : NULL);
    if (!ends)
        return NULL;
    ends[0] = 0;
    for (uint64_t i = 0; i < rows; i++) {
        rask_bytes text = rk_stored_text(s, i);
        memcpy(bytes + end, text.data, text.len);
        ends[i + 1] = end += text.len;
    }
    return ends;
}

/* The first of those who ask at once has it made; NULL: no memory. */
static const uint64_t *spelt(const rask_rows *rows, uint32_t index, const rk_stored *s)
{
    uint64_t *there = rk_load_acquire(&rows->spelt[index]);
    if (there)
        return there;
    uint64_t *made = spell(s, rows->chunk.rows);
    if (!made || rk_cas_acq_rel(&rows->spelt[index], &there, made))
        return made;
    rk_free(made);
    return rk_load_acquire(&rows->spelt[index]);
}

/* -- Rows */

static bool has_value(const rk_chunk *chunk, uint32_t index)
{
    const uint8_t *valid = rk_chunk_stored(chunk, index).column.valid;
    return chunk->rows && (!valid || memchr(valid, 1, chunk->rows));
}

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
    rk_spelt *spelt = rk_calloc(schema->count + (size_t)1, sizeof *spelt);
    bool *empty = rk_calloc(schema->count + (size_t)1, sizeof *empty);
    bool good = rows && names && spelt && empty && rask_value_get_bytes(&value, &bytes) == RASK_OK;
    for (uint32_t i = 0; good && i < schema->count; i++)
        good = (names[i] = rk_strndup(schema->names[i], strlen(schema->names[i])));
    if (!good) {
        free_names(names, schema->count);
        rk_free(spelt);
        rk_free(empty);
        rk_free(rows);
        rask_value_unref(&value);
        return NULL;
    }
    rk_init(&rows->refs, 1);
    rows->value = value;
    rows->names = names;
    rows->spelt = spelt;
    rows->empty = empty;
    rk_chunk_open(&rows->chunk, bytes);
    for (uint32_t i = 0; i < rows->chunk.count; i++)
        empty[i] = schema->empty && schema->empty[i] && !has_value(&rows->chunk, i);
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
    for (uint32_t i = 0; i < rows->chunk.count; i++)
        rk_free(rk_load_relaxed(&rows->spelt[i]));
    rk_free(rows->spelt);
    rk_free(rows->empty);
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
    rk_stored stored = rk_chunk_stored(&rows->chunk, index);
    stored.column.name = rows->names[index];
    if (stored.codes) {
        stored.column.as.offsets = spelt(rows, index, &stored);
        stored.column.bytes = (const char *)(stored.column.as.offsets + rows->chunk.rows + 1);
    }
    if (!stored.column.as.offsets)
        return RASK_ENOMEM;
    *out = stored.column;
    return RASK_OK;
}
