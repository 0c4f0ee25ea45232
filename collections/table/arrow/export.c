/* Computed rows as Arrow's structures. Whoever gets them may move children out and release them in any order, so each column
 * holds on to the rows by itself. */
#include "collections/table/arrow/buffers.h"
#include "collections/table/rows.h"
#include "core/base/alloc.h"

#include <rask/arrow.h>

#include <errno.h>
#include <string.h>

/* -- Schemas */

static void release_schema(struct ArrowSchema *s)
{
    if (s->dictionary && s->dictionary->release)
        s->dictionary->release(s->dictionary);
    rk_free(s->dictionary);
    for (int64_t i = 0; i < s->n_children; i++) {
        if (s->children[i]->release)
            s->children[i]->release(s->children[i]);
        rk_free(s->children[i]);
    }
    rk_free(s->children);
    rk_free(s->private_data);
    s->release = NULL;
}

static int make_field(const char *name, const char *format, struct ArrowSchema *out)
{
    char *copy = rk_strndup(name, strlen(name));
    *out = (struct ArrowSchema){.format = format,
                                .name = copy,
                                .flags = ARROW_FLAG_NULLABLE,
                                .release = copy ? release_schema : NULL,
                                .private_data = copy};
    return copy ? RASK_OK : RASK_ENOMEM;
}

/* Text that is kept as a dictionary goes out as one, and a column that is null for want of a type has Arrow's for that. */
static int make_column_field(const rask_rows *rows, uint32_t index, struct ArrowSchema *out)
{
    rk_stored stored = rk_chunk_stored(&rows->chunk, index);
    const char *format = rk_arrow_format_of(stored.column.type);
    if (rows->empty[index])
        return make_field(rows->names[index], RK_ARROW_NULLS, out);
    if (!stored.codes)
        return make_field(rows->names[index], format, out);
    int status = make_field(rows->names[index], RK_ARROW_INDICES, out);
    out->dictionary = status ? NULL : rk_calloc(1, sizeof *out->dictionary);
    if (!out->dictionary)
        return RASK_ENOMEM;
    return make_field("", format, out->dictionary);
}

static int make_schema(const rask_rows *rows, struct ArrowSchema *out)
{
    uint32_t count = rask_rows_columns(rows);
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .children = rk_calloc(count + (size_t)1, sizeof(void *)),
                                .release = release_schema};
    int status = out->children ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++) {
        struct ArrowSchema *child = rk_alloc(sizeof *child);
        if (!child)
            return RASK_ENOMEM;
        status = make_column_field(rows, i, child);
        out->children[out->n_children++] = child;
    }
    return status;
}

/* -- Arrays */

/* What the array of a column, or of its dictionary, is made of. */
typedef struct exported {
    rask_rows *rows;
    rk_arrow_buffers buffers;
    const void *pointers[3];
} exported;

static void release_column(struct ArrowArray *a)
{
    exported *e = a->private_data;
    if (a->dictionary && a->dictionary->release)
        a->dictionary->release(a->dictionary);
    rk_free(a->dictionary);
    rk_arrow_buffers_fini(&e->buffers);
    rask_rows_free(e->rows);
    rk_free(e);
    a->release = NULL;
}

typedef enum content { VALUES, INDICES, TEXTS, NULLS } content; /* of a column */

static int make_buffers(const rk_stored *stored, uint64_t rows, content of, rk_arrow_buffers *out)
{
    switch (of) {
    case INDICES: return rk_arrow_indices_init(out, stored, rows);
    case TEXTS: return rk_arrow_texts_init(out, stored);
    case NULLS: *out = (rk_arrow_buffers){.nulls = (int64_t)rows}; return RASK_OK;
    default: return rk_arrow_buffers_init(out, &stored->column, rows);
    }
}

static int make_part(rask_rows *rows, const rk_stored *stored, content of, struct ArrowArray *out)
{
    exported *e = rk_calloc(1, sizeof *e);
    *out = (struct ArrowArray){0}; /* there is nothing to release */
    int status = e ? make_buffers(stored, rask_rows_count(rows), of, &e->buffers) : RASK_ENOMEM;
    if (status) {
        rk_free(e);
        return status;
    }
    e->rows = rk_rows_ref(rows);
    for (uint32_t i = 0; i < e->buffers.count; i++)
        e->pointers[i] = e->buffers.buffers[i].data;
    *out = (struct ArrowArray){.length = (int64_t)(of == TEXTS ? stored->texts : rask_rows_count(rows)),
                               .null_count = (int64_t)e->buffers.nulls,
                               .n_buffers = e->buffers.count,
                               .buffers = e->pointers,
                               .release = release_column,
                               .private_data = e};
    return RASK_OK;
}

static int make_column(rask_rows *rows, uint32_t index, struct ArrowArray *out)
{
    rk_stored stored = rk_chunk_stored(&rows->chunk, index);
    content of = rows->empty[index] ? NULLS : stored.codes ? INDICES : VALUES;
    int status = make_part(rows, &stored, of, out);
    if (status || of != INDICES)
        return status;
    out->dictionary = rk_calloc(1, sizeof *out->dictionary);
    return out->dictionary ? make_part(rows, &stored, TEXTS, out->dictionary) : RASK_ENOMEM;
}

static void release_array(struct ArrowArray *a)
{
    for (int64_t i = 0; i < a->n_children; i++) {
        if (a->children[i]->release)
            a->children[i]->release(a->children[i]);
        rk_free(a->children[i]);
    }
    rk_free(a->children);
    a->release = NULL;
}

static int make_array(rask_rows *rows, struct ArrowArray *out)
{
    static const void *no_nulls[1] = {NULL};
    uint32_t count = rask_rows_columns(rows);
    *out = (struct ArrowArray){.length = (int64_t)rask_rows_count(rows),
                               .n_buffers = 1,
                               .buffers = no_nulls,
                               .children = rk_calloc(count + (size_t)1, sizeof(void *)),
                               .release = release_array};
    int status = out->children ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++) {
        struct ArrowArray *child = rk_alloc(sizeof *child);
        if (!child)
            return RASK_ENOMEM;
        status = make_column(rows, i, child);
        out->children[out->n_children++] = child;
    }
    return status;
}

/* Neither is set on failure. */
static int make_both(rask_rows *rows, struct ArrowSchema *schema, struct ArrowArray *array)
{
    int status = make_schema(rows, schema);
    if (!status)
        status = make_array(rows, array);
    if (status && array->release)
        array->release(array);
    if (status)
        schema->release(schema);
    return status;
}

int rask_rows_arrow(rask_rows *rows, struct ArrowSchema *schema, struct ArrowArray *array)
{
    struct ArrowSchema new_schema = {0};
    struct ArrowArray new_array = {0};
    if (!rows || !schema || !array)
        return RASK_EINVAL;
    int status = make_both(rows, &new_schema, &new_array);
    if (status)
        return status;
    *schema = new_schema;
    *array = new_array;
    return RASK_OK;
}

/* -- A stream: both are made at once, so that giving them does not fail */

typedef struct rows_stream {
    rask_rows *rows;
    struct ArrowArray array; /* released: it was given */
} rows_stream;

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const rows_stream *s = stream->private_data;
    int status = make_schema(s->rows, out);
    if (status)
        out->release(out);
    return status ? ENOMEM : 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    rows_stream *s = stream->private_data;
    *out = s->array;
    s->array.release = NULL;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return rask_status_text(RASK_ENOMEM);
}

static void release_stream(struct ArrowArrayStream *stream)
{
    rows_stream *s = stream->private_data;
    if (s->array.release)
        s->array.release(&s->array);
    rask_rows_free(s->rows);
    rk_free(s);
    stream->release = NULL;
}

int rask_rows_arrow_stream(rask_rows *rows, struct ArrowArrayStream *stream)
{
    if (!rows || !stream)
        return RASK_EINVAL;
    rows_stream *s = rk_calloc(1, sizeof *s);
    int status = s ? make_array(rows, &s->array) : RASK_ENOMEM;
    if (status) {
        if (s && s->array.release)
            s->array.release(&s->array);
        rk_free(s);
        return status;
    }
    s->rows = rk_rows_ref(rows);
    *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, s};
    return RASK_OK;
}
