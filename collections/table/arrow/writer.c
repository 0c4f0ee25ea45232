/* Rows as an Arrow file or stream: tasks make chunks, and from their rows batches are made.
 *
 * A column that is known to have no value is of Arrow's type null, which goes where any type does when it is read again.
 *
 * Where a batch ends depends on its rows alone, and not on how many of them came in one chunk: so the file is the same whatever
 * the blocks.
 *
 * In a file a column of text has a dictionary when that is smaller for the first batch; should all of them together be too large, the
 * largest are spelt out. They grow with each batch and are written behind the last one, where the footer says they are. When one
 * cannot go on, or all together become too large, which the first batch did not tell, all is written anew: without those that
 * cannot, or are near it, and the largest, so that the others have room to grow; the second time without any. So there
 * are none where rows can be had but once. Neither are there in streams, where they would have to come first, or to change, which
 * many readers do not know. */
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
    LEAST_ROWS = 1 << 12, /* of the first batch, for dictionaries */
    MOST_TEXT = 4 << 20,  /* bytes of all dictionaries */
};

typedef struct arrow_writer {
    rk_writer base;
    rk_output output;
    bool stream;                    /* else a file, which has a footer */
    bool *barred;                   /* columns that are to have none, once it began anew */
    bool restarted;                 /* it did */
    bool plain;                     /* no dictionaries */
    bool *coded;                    /* of each column, whether it has one, once the schema is written */
    const rk_bodies_module *bodies; /* NULL: not compressed */
    rk_body_codec codec;
    rk_array blocks, dictionaries; /* rk_arrow_block */
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

static rk_arrow_columns columns_of(const arrow_writer *w)
{
    return (rk_arrow_columns){&w->base.table->schema, w->coded};
}

static int append_schema(arrow_writer *w)
{
    rk_flat f;
    rk_arrow_block block;
    rk_arrow_columns columns = columns_of(w);
    int status = w->stream ? RASK_OK : append_padded(w, magic, MAGIC);
    rk_arrow_schema_message(&f, &columns);
    if (!status)
        status = append_message(w, &f, &block);
    rk_flat_fini(&f);
    return status;
}

/* -- Batches and dictionaries */

/* As Arrow has it: the length, then what is compressed; or -1, and what does not get smaller. */
static int pack(arrow_writer *w, rk_arrow_buffer *b)
{
    const char *reason = NULL;
    int64_t length = (int64_t)b->size;
    size_t size, room = w->bodies->bound(w->codec, b->size);
    char *own = rk_alloc(sizeof length + (room > b->size ? room : b->size));
    int status = own ? w->bodies->encode(w->codec, b->data, b->size, own + sizeof length, &size, &reason)
                     : RASK_ENOMEM;
    if (status) {
        rk_free(own);
        return status;
    }
    if (size >= b->size) {
        length = -1;
        size = b->size;
        memcpy(own + sizeof length, b->data, size);
    }
    memcpy(own, &length, sizeof length);
    rk_arrow_buffer_replace(b, own, sizeof length + size);
    return RASK_OK;
}

static int pack_all(arrow_writer *w, const rk_arrow_body *body)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < body->count && !status && body->packed; i++)
        for (uint32_t k = 0; k < body->columns[i].count && !status; k++)
            if (body->columns[i].buffers[k].size)
                status = pack(w, &body->columns[i].buffers[k]);
    return status;
}

static rk_arrow_body body_of(const arrow_writer *w, rk_arrow_buffers *columns, uint32_t count, uint64_t rows)
{
    return (rk_arrow_body){columns, count, rows, w->bodies != NULL, w->codec};
}

/* A message, which it ends, and the body behind it: noted among blocks. */
static int append_body(arrow_writer *w, rk_flat *f, const rk_arrow_body *body, rk_array *blocks)
{
    rk_arrow_block *block = rk_array_push(blocks);
    int status = block ? append_message(w, f, block) : RASK_ENOMEM;
    rk_flat_fini(f);
    if (!status)
        block->body = rk_arrow_body_size(body);
    for (uint32_t i = 0; i < body->count && !status; i++)
        for (uint32_t k = 0; k < body->columns[i].count && !status; k++)
            status = append_padded(w, body->columns[i].buffers[k].data, body->columns[i].buffers[k].size);
    return status;
}

/* Whether indices of 32 bits and the texts of a column are smaller than its rows. */
static bool is_worth_a_dictionary(const rk_chunk_builder *b, uint32_t index)
{
    const rk_chunk_column *c = &b->columns[index];
    uint64_t rows = b->rows, texts = c->codes.texts;
    return c->codes.there && rows >= LEAST_ROWS &&
           sizeof(int32_t) * rows + sizeof(uint64_t) * (texts + 1) + c->bytes.count <
               sizeof(uint64_t) * (rows + 1) + c->codes.plain;
}

/* Bytes of all dictionaries; *largest: the column of the largest one, if there is any. */
static uint64_t dictionary_bytes(const arrow_writer *w, uint32_t *largest)
{
    uint64_t bytes = 0, most = 0;
    for (uint32_t i = 0; i < w->batch.count; i++) {
        uint64_t own = w->coded[i] ? w->batch.columns[i].bytes.count : 0;
        bytes += own;
        *largest = own > most ? i : *largest;
        most = own > most ? own : most;
    }
    return bytes;
}

/* The largest go until the others have no more bytes than that. */
static void bar_largest(arrow_writer *w, uint64_t bytes)
{
    uint32_t largest = 0;
    while (dictionary_bytes(w, &largest) > bytes) {
        w->barred[largest] = true;
        w->coded[largest] = false;
    }
}

/* By the first batch, or no rows at all. */
static int begin_writing(arrow_writer *w)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < w->batch.count; i++)
        w->coded[i] = !w->plain && !w->barred[i] && !w->base.table->schema.empty[i] &&
                      is_worth_a_dictionary(&w->batch, i);
    bar_largest(w, MOST_TEXT);
    for (uint32_t i = 0; i < w->batch.count && !status; i++) {
        if (w->coded[i])
            rk_chunk_builder_keep(&w->batch, i);
        else
            status = rk_chunk_builder_spell(&w->batch, i);
    }
    return status ? status : append_schema(w);
}

/* Whether dictionaries are what they were meant to be. */
static bool are_small(const arrow_writer *w)
{
    uint32_t largest = 0;
    for (uint32_t i = 0; i < w->batch.count; i++)
        if (w->coded[i] && !w->batch.columns[i].codes.there)
            return false;
    return dictionary_bytes(w, &largest) <= MOST_TEXT;
}

static int append_dictionary(arrow_writer *w, uint32_t index)
{
    rk_flat f;
    rk_arrow_buffers texts;
    rk_stored stored = rk_chunk_builder_stored(&w->batch, index);
    int status = rk_arrow_texts_init(&texts, &stored);
    if (status)
        return status;
    const rk_arrow_body body = body_of(w, &texts, 1, stored.texts);
    status = pack_all(w, &body);
    if (!status) {
        rk_arrow_dictionary_message(&f, index, &body);
        status = append_body(w, &f, &body, &w->dictionaries);
    }
    rk_arrow_buffers_fini(&texts);
    return status;
}

static int convert_column(arrow_writer *w, uint32_t index, rk_arrow_buffers *out)
{
    rk_stored stored = rk_chunk_builder_stored(&w->batch, index);
    if (w->base.table->schema.empty[index]) {
        *out = (rk_arrow_buffers){.nulls = w->batch.rows};
        return rk_writer_check_empty(&w->base, index, &stored.column, w->batch.rows);
    }
    if (w->coded[index])
        return rk_arrow_indices_init(out, &stored, w->batch.rows);
    int status = rk_arrow_buffers_init(out, &stored.column, w->batch.rows);
    if (status == RASK_ERANGE)
        snprintf(w->base.message, sizeof w->base.message,
                 "%.500s: column \"%.200s\": a date that 32 bits do not hold", w->output.path,
                 w->base.table->schema.names[index]);
    return status;
}

static int write_batch(arrow_writer *w)
{
    rk_flat f;
    uint32_t count = w->batch.count;
    int status = w->output.end ? RASK_OK : begin_writing(w);
    w->base.again = !status && !are_small(w);
    if (status || w->base.again)
        return status;
    rk_arrow_buffers *columns = rk_calloc(count + (size_t)1, sizeof *columns);
    status = columns ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++)
        status = convert_column(w, i, &columns[i]);
    const rk_arrow_body body = body_of(w, columns, count, w->batch.rows);
    if (!status)
        status = pack_all(w, &body);
    if (!status) {
        rk_arrow_batch_message(&f, &body);
        status = append_body(w, &f, &body, &w->blocks);
    }
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
    int status = RASK_OK;
    rk_chunk_open(&chunk, value);
    for (uint64_t row = 0, n; row < chunk.rows && !status && !base->again; row += n) {
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

/* The footer, its size, and the magic once more. */
static int append_footer(arrow_writer *w)
{
    rk_flat f;
    rk_arrow_columns columns = columns_of(w);
    rk_arrow_footer(&f, &columns, &w->dictionaries, &w->blocks);
    uint32_t size = (uint32_t)f.bytes.count;
    int status = f.status ? f.status : append(w, f.bytes.data, size);
    if (!status)
        status = append(w, &size, sizeof size);
    if (!status)
        status = append(w, magic, MAGIC);
    rk_flat_fini(&f);
    return status;
}

/* Behind the last batch stand dictionaries, then a message of no bytes. */
static int finish(rk_writer *base)
{
    arrow_writer *w = (arrow_writer *)base;
    const uint32_t last[2] = {UINT32_MAX, 0};
    int status = w->batch.rows ? write_batch(w) : w->output.end ? RASK_OK : begin_writing(w);
    if (base->again)
        return status;
    for (uint32_t i = 0; i < w->batch.count && !status; i++)
        if (w->coded[i])
            status = append_dictionary(w, i);
    if (!status)
        status = append(w, last, sizeof last);
    if (!status && !w->stream)
        status = append_footer(w);
    if (!status && (status = rk_output_commit(&w->output)))
        snprintf(base->message, sizeof base->message, "%s", w->output.message);
    return status;
}

static void end(rk_writer *base)
{
    arrow_writer *w = (arrow_writer *)base;
    rk_output_end(&w->output);
    rk_array_fini(&w->blocks);
    rk_array_fini(&w->dictionaries);
    rk_chunk_builder_fini(&w->batch);
    rk_free(w->coded);
    rk_free(w->barred);
    rk_free(w);
}

static int begin(arrow_writer *w)
{
    const rk_schema *schema = &w->base.table->schema;
    int status = rk_chunk_builder_init(&w->batch, schema->types, schema->count);
    if (!status && w->plain)
        rk_chunk_builder_plain(&w->batch);
    return status;
}

/* Columns whose dictionaries grew too large, or may. At least one is, for either one ended, or there are more bytes than half of
 * what may be. */
static void bar_columns(arrow_writer *w)
{
    for (uint32_t i = 0; i < w->batch.count; i++) {
        const rk_codes *codes = &w->batch.columns[i].codes;
        w->barred[i] |= w->coded[i] && (!codes->there || codes->texts > RK_CODES_TEXTS / 4);
        w->coded[i] &= !w->barred[i];
    }
    bar_largest(w, MOST_TEXT / 2);
}

static int restart(rk_writer *base)
{
    arrow_writer *w = (arrow_writer *)base;
    w->plain = w->restarted;
    w->restarted = true;
    bar_columns(w);
    w->blocks.count = 0;
    rk_chunk_builder_fini(&w->batch);
    int status = begin(w);
    if (!status && (status = rk_output_restart(&w->output)))
        snprintf(base->message, sizeof base->message, "%s", w->output.message);
    return status;
}

static const rk_writer_class arrow_class = {lower, take, finish, restart, end};

/* Codecs of formats; RK_BODY_CODECS: none. */
static rk_body_codec codec_of(rask_table_format format)
{
    return format == RASK_TABLE_ARROW_LZ4    ? RK_BODY_LZ4
           : format == RASK_TABLE_ARROW_ZSTD ? RK_BODY_ZSTD
                                             : RK_BODY_CODECS;
}

static int open_writer(arrow_writer *w, const char *path)
{
    rk_open_error error = {0};
    uint32_t columns = w->base.table->schema.count;
    w->coded = rk_calloc(columns + (size_t)1, sizeof *w->coded);
    w->barred = rk_calloc(columns + (size_t)1, sizeof *w->barred);
    if (!w->coded || !w->barred)
        return RASK_ENOMEM;
    if (w->codec < RK_BODY_CODECS && !(w->bodies = rk_bodies_load(path, &error))) {
        snprintf(w->output.message, sizeof w->output.message, "%s", error.message);
        return error.status;
    }
    int status = rk_output_open(&w->output, path);
    w->plain = w->stream || w->base.table->once || w->output.standard;
    return status ? status : begin(w);
}

rk_writer *rk_arrow_writer_new(rask_table *table, const char *path, rask_table_format format, int *status,
                               char *message, size_t capacity)
{
    arrow_writer *w = rk_calloc(1, sizeof *w);
    *status = RASK_ENOMEM;
    if (!w)
        return NULL;
    w->base = (rk_writer){.cls = &arrow_class, .table = table, .root = RK_ROOT_ROWS};
    w->stream = format == RASK_TABLE_ARROW_STREAM;
    w->codec = codec_of(format);
    w->output.file.fd = -1;
    w->blocks = w->dictionaries = (rk_array)RK_ARRAY(rk_arrow_block, UINT32_MAX);
    *status = open_writer(w, path);
    if (!*status)
        return &w->base;
    snprintf(message, capacity, "%s", w->output.message);
    end(&w->base);
    return NULL;
}
