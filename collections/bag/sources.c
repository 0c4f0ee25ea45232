/* Builders of bags over files and memory. */
#include "collections/bag/made.h"
#include "collections/bag/text.h"
#include "collections/text/parts.h"
#include "core/base/alloc.h"

#include <string.h>

#define SITE(name)                                                                                           \
    {                                                                                                        \
        (name), file, line                                                                                   \
    }

/* -- Files */

/* Bytes of all files when they are decompressed, about. */
static uint64_t bytes_of(const rk_text_files *files)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < files->count; i++)
        bytes += rk_text_file_weight(&files->files[i]);
    return bytes;
}

static void end_text(void *what)
{
    rk_bag_text *text = what;
    rk_text_files_fini(&text->files);
    rk_free(text->taken);
}

rask_bag *rk_bag_text_new(rask_graph *graph, rk_text_files *files, uint64_t block_bytes,
                          const rk_bag_site *site)
{
    rk_shape lines;
    rk_bag_text *text = rk_bag_keep(graph, NULL, sizeof *text, site);
    if (!text || rk_shape_init(&lines, "y", 0)) {
        rk_text_files_fini(files);
        return NULL;
    }
    text->files = *files;
    text->block_bytes = block_bytes;
    text->taken = rk_calloc(files->count, sizeof *text->taken);
    if (!text->taken || rk_graph_at_end(graph, end_text, text)) {
        end_text(text);
        return rk_bag_refuse(graph, RASK_ENOMEM, site, "out of memory");
    }
    rask_bag *bag = rk_bag_new(graph, RK_BAG_TEXT, NULL, 0, &lines, site);
    if (!bag)
        return NULL;
    bag->as.text = text;
    bag->bytes = bytes_of(&text->files);
    return rk_bag_note(bag, &(rk_builder_call){.builder = RK_BAG_MADE_TEXT, .numbers = {block_bytes}});
}

rask_bag *rask_read_text_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                  const rask_read_text_options *options, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_read_text");
    rk_text_files files;
    rk_text_error error = {0};
    if (!graph || graph->status)
        return NULL;
    if (options && options->size != sizeof *options)
        return rk_bag_refuse(graph, RASK_EINVAL, &site, "options.size is not set");
    int status = rk_text_files_init(&files, paths, count, &error);
    if (status)
        return rk_bag_refuse(graph, status, &site, "%s", error.message);
    return rk_bag_text_new(graph, &files, options ? options->block_bytes : 0, &site);
}

/* -- Memory */

rask_bag *rk_bag_held_new(rask_graph *graph, const rk_shape *shape, const rk_bag_chunk *chunk,
                          const rk_bag_site *site)
{
    rask_bag *bag = rk_bag_new(graph, RK_BAG_HELD, NULL, 0, shape, site);
    rk_bag_chunk *kept = bag ? rk_bag_keep(graph, chunk, sizeof *kept, site) : NULL;
    if (!kept)
        return NULL;
    kept->shape = &bag->shape;
    bag->as.held = kept;
    for (uint32_t i = 0; i < shape->count; i++) {
        uint64_t text = chunk->columns[i].ends ? chunk->columns[i].ends[chunk->count] : 0;
        bag->bytes += text + chunk->count * (shape->sizes[i] ? shape->sizes[i] : sizeof(uint64_t));
    }
    return rk_bag_note(bag, &(rk_builder_call){.builder = RK_BAG_MADE_HELD});
}

static void end_value(void *what)
{
    rask_value_unref(what);
}

/* Takes over the builder: its records as a chunk of the graph's, unless status is a failure, which is latched. */
static rask_bag *hold(rask_graph *graph, rk_bag_builder *builder, int status, const rk_bag_site *site)
{
    rk_bag_chunk chunk;
    rask_bytes bytes;
    rask_value made = rask_value_none(), *value = NULL;
    rk_shape shape = builder->shape;
    if (!status)
        status = rk_bag_builder_value(builder, &made);
    rk_bag_builder_fini(builder);
    if (!status && !(value = rk_bag_keep(graph, &made, sizeof made, site)))
        status = RASK_ENOMEM;
    if (!status)
        status = rk_graph_at_end(graph, end_value, value);
    if (status || rask_value_get_bytes(value, &bytes)) {
        rask_value_unref(&made);
        return graph->status ? NULL : rk_bag_refuse(graph, status, site, "%s", rask_status_text(status));
    }
    rk_bag_chunk_open(&chunk, bytes);
    return rk_bag_held_new(graph, &shape, &chunk, site);
}

/* What every builder of records in memory begins with. */
static bool begin(rask_graph *graph, const void *items, size_t count, const char *types, size_t struct_size,
                  rk_bag_builder *builder, const rk_bag_site *site)
{
    rk_shape shape;
    if (!graph || graph->status)
        return false;
    if ((!items && count) || rk_shape_init(&shape, types, struct_size)) {
        rk_bag_refuse(graph, RASK_EINVAL, site, items || !count ? "no such fields" : "no records");
        return false;
    }
    rk_bag_builder_init(builder, &shape);
    return true;
}

rask_bag *rask_bag_from_lines_at(rask_graph *graph, const char *text, size_t len, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_from_lines");
    rk_bag_builder builder;
    int status = RASK_OK;
    if (!begin(graph, text, len, "y", 0, &builder, &site))
        return NULL;
    for (size_t at = 0; at < len && !status;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t n = newline ? (size_t)(newline - text) - at : len - at;
        bool returned = newline && n && text[at + n - 1] == '\r';
        rask_record record = {.count = 1, .items = {rask_item_bytes(text + at, n - returned)}};
        status = rk_bag_builder_add(&builder, &record);
        at += n + 1;
    }
    return hold(graph, &builder, status, &site);
}

rask_bag *rask_bag_from_bytes_at(rask_graph *graph, const rask_bytes *items, size_t count, const char *file,
                                 int line)
{
    const rk_bag_site site = SITE("rask_bag_from_bytes");
    rk_bag_builder builder;
    int status = RASK_OK;
    if (!begin(graph, items, count, "y", 0, &builder, &site))
        return NULL;
    for (size_t i = 0; i < count && !status; i++) {
        rask_record record = {.count = 1, .items = {rask_item_bytes(items[i].data, items[i].len)}};
        status = !items[i].data && items[i].len ? RASK_EINVAL : rk_bag_builder_add(&builder, &record);
    }
    return hold(graph, &builder, status, &site);
}

/* Items of a fixed size: where they stand, or copied. */
static rask_bag *from_fixed(rask_graph *graph, const void *items, size_t count, const char *types,
                            size_t size, bool borrowed, const rk_bag_site *site)
{
    rk_bag_builder builder;
    rk_bag_chunk chunk = {.count = count};
    if (!begin(graph, items, count, types, size, &builder, site))
        return NULL;
    if (size && count > SIZE_MAX / 2 / size)
        return rk_bag_refuse(graph, RASK_ELIMIT, site, "%zu items of %zu bytes", count, size);
    const rk_shape shape = builder.shape;
    chunk.columns[0].data = borrowed ? items : rk_bag_keep(graph, items, count * size, site);
    return chunk.columns[0].data || !count ? rk_bag_held_new(graph, &shape, &chunk, site) : NULL;
}

rask_bag *rask_bag_from_i64_at(rask_graph *graph, const int64_t *items, size_t count, bool borrowed,
                               const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_from_i64");
    return from_fixed(graph, items, count, "i", sizeof *items, borrowed, &site);
}

rask_bag *rask_bag_from_f64_at(rask_graph *graph, const double *items, size_t count, bool borrowed,
                               const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_from_f64");
    return from_fixed(graph, items, count, "d", sizeof *items, borrowed, &site);
}

rask_bag *rask_bag_from_structs_at(rask_graph *graph, const void *items, size_t count, size_t size,
                                   bool borrowed, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_from_structs");
    return from_fixed(graph, items, count, "x", size, borrowed, &site);
}

rask_bag *rask_bag_from_records_at(rask_graph *graph, const rask_record *records, size_t count,
                                   const char *types, size_t struct_size, const char *file, int line)
{
    const rk_bag_site site = SITE("rask_bag_from_records");
    rk_bag_builder builder;
    int status = RASK_OK;
    if (!begin(graph, records, count, types, struct_size, &builder, &site))
        return NULL;
    for (size_t i = 0; i < count && !status; i++) {
        bool fits = rk_shape_takes(&builder.shape, records[i].items, records[i].count);
        status = fits ? rk_bag_builder_add(&builder, &records[i]) : RASK_ETYPE;
        if (!fits)
            rk_bag_refuse(graph, RASK_ETYPE, &site, "record %zu is not \"%s\"", i + 1, builder.shape.types);
    }
    return hold(graph, &builder, status, &site);
}

/* -- Numbers */

rask_bag *rk_build_bag_range(rask_graph *graph, int64_t begin_, int64_t end, int64_t step, const char *file,
                             int line)
{
    const rk_bag_site site = SITE("rask_bag_range");
    rk_shape shape;
    if (!graph || graph->status)
        return NULL;
    if (step == 0 || rk_shape_init(&shape, "i", 0))
        return rk_bag_refuse(graph, RASK_EINVAL, &site, "a step of 0");
    rask_bag *bag = rk_bag_new(graph, RK_BAG_RANGE, NULL, 0, &shape, &site);
    if (!bag)
        return NULL;
    uint64_t distance = step > 0 ? (uint64_t)end - (uint64_t)begin_ : (uint64_t)begin_ - (uint64_t)end;
    uint64_t width = step > 0 ? (uint64_t)step : -(uint64_t)step;
    bool any = step > 0 ? begin_ < end : begin_ > end;
    bag->as.range = (rk_bag_range){begin_, step, any ? (distance - 1) / width + 1 : 0};
    bag->bytes = bag->as.range.count < UINT64_MAX / sizeof(int64_t) ? bag->as.range.count * sizeof(int64_t)
                                                                    : UINT64_MAX;
    return bag;
}
