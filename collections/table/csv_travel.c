/* Sources of tables as bytes: the files, the format, names and types of the columns, what becomes of misfits, samples. */
#include "collections/table/csv_samples.h"
#include "core/base/alloc.h"

#include <string.h>

typedef struct head {
    uint64_t block_bytes, nulls;
    uint32_t misfit, columns, samples;
    char delimiter, quote, comment;
    uint8_t header;
} head;

_Static_assert(sizeof(head) == 32, "no byte of it is unset");

/* -- Writing */

int rk_csv_source_put(const rk_csv_source *source, rk_pack_out *out, rk_open_error *error)
{
    const rk_csv_format *format = &source->format;
    const rk_csv_schema *schema = &source->schema;
    const head h = {.block_bytes = source->block_bytes,
                    .nulls = format->null_count,
                    .misfit = source->misfit,
                    .columns = schema->count,
                    .samples = (uint32_t)source->sample_count,
                    .delimiter = format->delimiter,
                    .quote = format->quote,
                    .comment = format->comment,
                    .header = format->header};
    rk_pack_put(out, &h, sizeof h);
    rk_pack_put_u64(out, source->first);
    int status = rk_text_files_put(&source->files, out, error);
    for (size_t i = 0; i < h.nulls; i++)
        rk_pack_put_text(out, format->nulls[i]);
    for (uint32_t i = 0; i < h.columns; i++) {
        rk_pack_put_text(out, schema->names[i]);
        rk_pack_put_u8(out, (uint8_t)schema->types[i]);
        rk_pack_put_u8(out, schema->empty[i]);
    }
    for (size_t i = 0; i < h.samples; i++)
        rk_pack_put_bytes(out, source->samples[i].data, source->samples[i].len);
    return status;
}

/* -- Reading */

static int get_nulls(rask_graph *graph, rk_pack_in *in, uint64_t count, rk_csv_format *format)
{
    if (count > rk_pack_left(in))
        return RASK_EFORMAT;
    const char **nulls = rk_table_memory(graph, count * sizeof *nulls, NULL, 0);
    if (!nulls)
        return RASK_ENOMEM;
    format->nulls = nulls;
    for (format->null_count = 0; format->null_count < count; format->null_count++) {
        char *text = NULL;
        if (!rk_pack_get_text(in, &text))
            return in->failed ? RASK_EFORMAT : RASK_ENOMEM;
        const char *own = text ? rk_table_text(graph, (rask_bytes){text, strlen(text)}, NULL, 0) : NULL;
        rk_free(text);
        if (!own)
            return graph->status ? RASK_ENOMEM : RASK_EFORMAT;
        nulls[format->null_count] = own;
    }
    return RASK_OK;
}

static int get_schema(rk_pack_in *in, uint32_t count, rk_csv_schema *schema)
{
    if (!count || count > RK_TABLE_COLUMNS || count > rk_pack_left(in))
        return RASK_EFORMAT;
    schema->names = rk_calloc(count, sizeof *schema->names);
    schema->types = rk_calloc(count, sizeof *schema->types);
    schema->empty = rk_calloc(count, sizeof *schema->empty);
    if (!schema->names || !schema->types || !schema->empty)
        return RASK_ENOMEM;
    while (schema->count < count) {
        uint32_t i = schema->count++;
        if (!rk_pack_get_text(in, &schema->names[i]))
            return in->failed ? RASK_EFORMAT : RASK_ENOMEM;
        schema->types[i] = (rask_column_type)rk_pack_get_u8(in);
        schema->empty[i] = rk_pack_get_u8(in) != 0;
        if (!schema->names[i] || schema->types[i] >= RASK_COLUMN_TYPES)
            return RASK_EFORMAT;
    }
    return RASK_OK;
}

static int get_samples(rk_pack_in *in, uint32_t count, rk_csv_source *source)
{
    if (count > RK_CSV_SAMPLES)
        return RASK_EFORMAT;
    source->samples = rk_calloc((size_t)count + 1, sizeof *source->samples);
    if (!source->samples)
        return RASK_ENOMEM;
    while (source->sample_count < count) {
        rask_bytes bytes = rk_pack_get_bytes(in);
        char *copy = bytes.data ? rk_calloc(bytes.len + RK_CSV_PADDING, 1) : NULL;
        if (!copy)
            return bytes.data ? RASK_ENOMEM : RASK_EFORMAT;
        memcpy(copy, bytes.data, bytes.len);
        source->samples[source->sample_count++] = (rask_bytes){copy, bytes.len};
    }
    return RASK_OK;
}

static int get_source(rask_graph *graph, rk_pack_in *in, rk_csv_source *source)
{
    head h;
    const char *at = rk_pack_get(in, sizeof h);
    if (!at)
        return RASK_EFORMAT;
    memcpy(&h, at, sizeof h);
    if (h.misfit > RASK_MISFIT_WIDEN)
        return RASK_EFORMAT;
    source->block_bytes = h.block_bytes;
    source->misfit = (rask_misfit)h.misfit;
    source->format = (rk_csv_format){
        .delimiter = h.delimiter, .quote = h.quote, .comment = h.comment, .header = h.header != 0};
    source->first = rk_pack_get_u64(in);
    int status = rk_text_files_get(in, &source->files);
    if (!status && source->first >= source->files.count)
        status = RASK_EFORMAT;
    if (!status)
        status = get_nulls(graph, in, h.nulls, &source->format);
    if (!status)
        status = get_schema(in, h.columns, &source->schema);
    if (!status)
        status = get_samples(in, h.samples, source);
    if (!status && !(source->streams = rk_calloc(source->files.count, sizeof *source->streams)))
        status = RASK_ENOMEM;
    return status;
}

rk_csv_source *rk_csv_source_get(rask_graph *graph, rk_pack_in *in, rk_open_error *error)
{
    rk_csv_source *source = rk_calloc(1, sizeof *source);
    int status = source ? get_source(graph, in, source) : RASK_ENOMEM;
    if (!status)
        return source;
    rk_csv_source_free(source);
    return rk_open_fail(error, status, "what came from another process is no table");
}
