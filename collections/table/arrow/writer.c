/* Rows as an Arrow file or stream: tasks make chunks, and from their rows batches are made.
 *
 * Where a batch ends depends on its rows alone, and not on how many of them came in one chunk: so the file is the same whatever
 * the blocks. */
#include "collections/table/writer.h"
#include "collections/table/arrow/messages.h"
#include "collections/table/chunk.h"
#include "collections/table/output.h"
#include "core/base/alloc.h"

#include <stdio.h>
#include <string.h>

static const char magic[] = "ARROW1", nothing[RK_ARROW_ALIGNMENT];
enum {
    MAGIC = sizeof magic - 1,
    MOST_ROWS = 64 << 10, /* of a batch */
    STEP = 1 << 7,        /* rows after which it is looked whether a batch is large */
    LARGE = 8 << 20,      /* bytes */
};

typedef struct arrow_writer {
    rk_writer base;
    rk_output output;
    bool stream;     /* else a file, which has a footer */
    rk_array blocks; /* rk_arrow_block */
    rk_chunk_builder batch;
} arrow_writer;

static int append(arrow_writer *w, const void *data, size_t size)
{
    int status = size ? rk_output_append(&w->output, data, size) : RASK_OK;
    if (status)
        snprintf(w->base.message, sizeof w->base.message, "%s", w->output.message);
    return status;
}

static int append_padded(arrow_writer *w, const void *data, size_t size)
{
    int status = append(w, data, size);
    return status ? status : append(w, nothing, rk_arrow_padded(size) - size);
}

/* A message's metadata: 0xffffffff, its length with padding, itself. block says where it is. */
static int append_message(arrow_writer *w, const rk_flat *f, rk_arrow_block *block)
{
    uint32_t head[2] = {UINT32_MAX, (uint32_t)rk_arrow_padded(f->bytes.count)};
    if (f->status)
        return f->status;
    *block = (rk_arrow_block){.place = (uint64_t)w->output.end, .metadata = sizeof head + head[1]};
    int status = append(w, head, sizeof head);
    return status ? status : append_padded(w, f->bytes.data, f->bytes.count);
}

static int append_schema(arrow_writer *w)
{
    rk_flat f;
    rk_arrow_block block;
    int status = w->stream ? RASK_OK : append_padded(w, magic, MAGIC);
    rk_arrow_schema_message(&f, &w->base.table->schema);
    if (!status)
        status = append_message(w, &f, &block);
    rk_flat_fini(&f);
    return status;
}

/* -- Batches */

static int append_batch(arrow_writer *w, const rk_arrow_buffers *columns, uint32_t count, uint64_t rows)
{
    rk_flat f;
    uint64_t body = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < columns[i].count; k++)
            body += rk_arrow_padded(columns[i].buffers[k].size);
    rk_arrow_batch_message(&f, columns, count, rows, body);
    rk_arrow_block *block = rk_array_push(&w->blocks);
    int status = block ? append_message(w, &f, block) : RASK_ENOMEM;
    rk_flat_fini(&f);
    if (!status)
        block->body = body;
    for (uint32_t i = 0; i < count && !status; i++)
        for (uint32_t k = 0; k < columns[i].count && !status; k++)
            status = append_padded(w, columns[i].buffers[k].data, columns[i].buffers[k].size);
    return status;
}

static int convert_column(arrow_writer *w, uint32_t index, rk_arrow_buffers *out)
{
    rask_column column = rk_chunk_builder_column(&w->batch, index);
    int status = rk_arrow_buffers_init(out, &column, w->batch.rows);
    if (status == RASK_ERANGE)
        snprintf(w->base.message, sizeof w->base.message,
                 "%.500s: column \"%.200s\": a date that 32 bits do not hold", w->output.path,
                 w->base.table->schema.names[index]);
    return status;
}

static int write_batch(arrow_writer *w)
{
    uint32_t count = w->batch.count;
    rk_arrow_buffers *columns = rk_calloc(count + (size_t)1, sizeof *columns);
    int status = columns ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++)
        status = convert_column(w, i, &columns[i]);
    if (!status)
        status = append_batch(w, columns, count, w->batch.rows);
    for (uint32_t i = 0; columns && i < count; i++)
        rk_arrow_buffers_fini(&columns[i]);
    rk_free(columns);
    rk_chunk_builder_clear(&w->batch);
    return status;
}

static int take(rk_writer *base, rask_bytes value)
{
    arrow_writer *w = (arrow_writer *)base;
    rk_chunk chunk;
    int status = w->output.end ? RASK_OK : append_schema(w);
    rk_chunk_open(&chunk, value);
    for (uint64_t row = 0, n; row < chunk.rows && !status; row += n) {
        uint64_t missing = STEP - w->batch.rows % STEP, left = chunk.rows - row;
        n = left < missing ? left : missing;
        status = rk_chunk_builder_add_chunk(&w->batch, &chunk, row, n);
        bool whole = w->batch.rows % STEP == 0;
        if (!status && whole && (w->batch.rows == MOST_ROWS || rk_chunk_builder_used(&w->batch) >= LARGE))
            status = write_batch(w);
    }
    return status;
}

/* -- Beginning and ending */

static int lower(rk_writer *base, const rk_table_lowering *l, rk_nodes *values, uint64_t *scratch)
{
    const uint64_t most = l->budget / 8;
    *scratch =
        3 * (uint64_t)LARGE < most ? 3 * (uint64_t)LARGE : most; /* a batch, and what is converted of it */
    return rk_lower_rows(l, base->table, values);
}

/* Behind the last batch stands a message of no bytes; behind that the footer, its size, and the magic once more. */
static int finish(rk_writer *base)
{
    arrow_writer *w = (arrow_writer *)base;
    const uint32_t last[2] = {UINT32_MAX, 0};
    rk_flat f = {0};
    int status = w->batch.rows ? write_batch(w) : RASK_OK;
    if (!status)
        status = append(w, last, sizeof last);
    if (!status && !w->stream) {
        rk_arrow_footer(&f, &base->table->schema, w->blocks.data, w->blocks.count);
        uint32_t size = (uint32_t)f.bytes.count;
        status = f.status ? f.status : append(w, f.bytes.data, size);
        if (!status)
            status = append(w, &size, sizeof size);
        if (!status)
            status = append(w, magic, MAGIC);
        rk_flat_fini(&f);
    }
    if (!status && (status = rk_output_commit(&w->output)))
        snprintf(base->message, sizeof base->message, "%s", w->output.message);
    return status;
}

static void end(rk_writer *base)
{
    arrow_writer *w = (arrow_writer *)base;
    rk_output_end(&w->output);
    rk_array_fini(&w->blocks);
    rk_chunk_builder_fini(&w->batch);
    rk_free(w);
}

static const rk_writer_class arrow_class = {lower, take, finish, end};

rk_writer *rk_arrow_writer_new(rask_table *table, const char *path, bool stream, int *status, char *message,
                               size_t capacity)
{
    arrow_writer *w = rk_calloc(1, sizeof *w);
    *status = RASK_ENOMEM;
    if (!w)
        return NULL;
    w->base = (rk_writer){.cls = &arrow_class, .table = table, .root = RK_ROOT_ROWS};
    w->stream = stream;
    w->blocks = (rk_array)RK_ARRAY(rk_arrow_block, UINT32_MAX);
    *status = rk_output_open(&w->output, path);
    if (!*status)
        *status = rk_chunk_builder_init(&w->batch, table->schema.types, table->schema.count);
    if (!*status) {
        rk_chunk_builder_plain(&w->batch);
        return &w->base;
    }
    snprintf(message, capacity, "%s", w->output.message);
    end(&w->base);
    return NULL;
}
