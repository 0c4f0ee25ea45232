#include "collections/table/sorted.h"

#include "collections/table/row_order.h"
#include "core/base/alloc.h"

int rk_sorted_init(rk_sorted *s, const rk_table_sink_plan *plan, const rk_pipeline *p,
                   const rask_bytes *chunks, size_t count)
{
    rk_chunk *opened = rk_alloc_array(count + 1, sizeof *opened);
    *s = (rk_sorted){.count = count,
                     .columns = rk_alloc_array((count + 1) * (p->wanted_count + 1), sizeof *s->columns)};
    int status = opened && s->columns ? RASK_OK : RASK_ENOMEM;
    for (size_t k = 0; k < count && !status; k++) {
        rk_chunk_open(&opened[k], chunks[k]);
        s->rows += opened[k].rows;
        for (uint32_t i = 0; i < p->wanted_count; i++)
            s->columns[i * count + k] = rk_chunk_stored(&opened[k], rk_pipeline_column(p, i));
    }
    if (!status)
        status = rk_rows_sort(plan->keys, plan->key_count, opened, count, s->rows, &s->places);
    rk_free(opened);
    return status;
}

void rk_sorted_fini(rk_sorted *s)
{
    rk_free(s->columns);
    rk_free(s->places);
    *s = (rk_sorted){0};
}

enum { AHEAD = 64 }; /* rows before its own that a value is fetched: they stand anywhere */

/* Of numbers, and of the ends of texts. Always inline: a function that only fetches is one that does nothing. */
static inline __attribute__((always_inline)) void look_ahead(const rk_stored *columns, const uint64_t *places,
                                                             uint32_t i, uint32_t rows)
{
    if (i + AHEAD >= rows)
        return;
    const rk_stored *s = &columns[places[i + AHEAD] >> 32];
    uint64_t row = places[i + AHEAD] & UINT32_MAX;
    __builtin_prefetch(s->codes ? (const void *)&s->codes[row] : &s->column.as.i64[row]);
}

static void read_words(const rk_stored *columns, const uint64_t *places, uint32_t rows, int64_t *out)
{
    for (uint32_t i = 0; i < rows; i++) {
        look_ahead(columns, places, i, rows);
        out[i] = columns[places[i] >> 32].column.as.i64[places[i] & UINT32_MAX];
    }
}

static void read_bytes(const rk_stored *columns, const uint64_t *places, uint32_t rows, uint8_t *out)
{
    for (uint32_t i = 0; i < rows; i++)
        out[i] = columns[places[i] >> 32].column.as.boolean[places[i] & UINT32_MAX];
}

/* Who reads it next has its bytes near by then. */
static void read_text(const rk_stored *columns, const uint64_t *places, uint32_t rows, rask_bytes *out)
{
    for (uint32_t i = 0; i < rows; i++) {
        look_ahead(columns, places, i, rows);
        out[i] = rk_stored_text(&columns[places[i] >> 32], places[i] & UINT32_MAX);
        __builtin_prefetch(out[i].data);
    }
}

static bool read_valid(const rk_stored *columns, size_t count, const uint64_t *places, uint32_t rows,
                       uint8_t *out)
{
    bool nulls = false;
    for (size_t k = 0; k < count; k++)
        nulls |= columns[k].column.valid != NULL;
    for (uint32_t i = 0; i < rows && nulls; i++) {
        const uint8_t *valid = columns[places[i] >> 32].column.valid;
        out[i] = valid ? valid[places[i] & UINT32_MAX] : 1;
    }
    return nulls;
}

void rk_sorted_read(const rk_sorted *s, uint32_t wanted, uint64_t first, uint32_t rows, rk_column *out)
{
    const rk_stored *columns = s->columns + wanted * s->count;
    const uint64_t *places = s->places + first;
    out->nulls = read_valid(columns, s->count, places, rows, out->valid);
    if (out->type == RASK_COL_TEXT)
        read_text(columns, places, rows, out->text);
    else if (out->type == RASK_COL_BOOL)
        read_bytes(columns, places, rows, out->boolean);
    else
        read_words(columns, places, rows, out->i64);
}
