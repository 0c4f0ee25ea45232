/* Arrow files as tables: their batches are parts, of which tasks load the columns that are needed. */
#include "collections/table/read.h"
#include "collections/table/arrow/file.h"
#include "collections/text/travel.h"
#include "core/base/alloc.h"

#include <inttypes.h>
#include <string.h>

enum { KEPT_OPEN = 64 }; /* files; of more each is open only while it is read */

static const char what[] = "rask_read_arrow";

/* The files of a table; belongs to its graph. */
typedef struct reading {
    rk_text_files list; /* as they were found */
    rk_arrow_file *files;
    size_t count;
    rask_column_type *types; /* of the columns; RASK_COLUMN_TYPES: they are null in all files */
    rk_array parts;          /* batch_of: of the table's parts */
    rk_memory_loader loader;
} reading;

typedef struct batch_of {
    size_t file, batch;
} batch_of;

static void end_reading(void *data)
{
    reading *r = data;
    for (size_t i = 0; i < r->count; i++)
        rk_arrow_file_close(&r->files[i]);
    rk_free(r->files);
    rk_free(r->types);
    rk_text_files_fini(&r->list);
    rk_array_fini(&r->parts);
    rk_free(r);
}

static int load(const void *data, uint32_t part, uint32_t column, uint64_t first, uint64_t rows,
                rk_arrow_layout *layout, void **own, rk_memory_error *error)
{
    const reading *r = data;
    const batch_of *place = (const batch_of *)r->parts.data + part;
    return rk_arrow_file_load(&r->files[place->file], place->batch, column, first, rows, layout, own, error);
}

static int fail_memory(const rk_arrow_file *f, rk_open_error *error)
{
    rk_open_fail(error, RASK_ENOMEM, "%s: %s", f->path, rask_status_text(RASK_ENOMEM));
    return RASK_ENOMEM;
}

static bool has_name(const rk_arrow_file *f, const char *name)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (strcmp(f->names[i], name) == 0)
            return true;
    return false;
}

/* Tells of the first column that is called otherwise than in the first file. */
static int take_names(const rk_arrow_file *first, const rk_arrow_file *f, rk_open_error *error)
{
    uint32_t i = 0;
    while (i < f->count && i < first->count && strcmp(f->names[i], first->names[i]) == 0)
        i++;
    if (i == f->count && i == first->count)
        return RASK_OK;
    if (i < first->count && !has_name(f, first->names[i]))
        rk_open_fail(error, RASK_EFORMAT, "%s: no column \"%.80s\", which %s has", f->path, first->names[i],
                     first->path);
    else if (i < f->count && !has_name(first, f->names[i]))
        rk_open_fail(error, RASK_EFORMAT, "%s: a column \"%.80s\", which %s has not", f->path, f->names[i],
                     first->path);
    else
        rk_open_fail(error, RASK_EFORMAT,
                     "%s: the columns are in another order than in %s: column %" PRIu32
                     " is \"%.80s\", not \"%.80s\"",
                     f->path, first->path, i + 1, i < f->count ? f->names[i] : "",
                     i < first->count ? first->names[i] : "");
    return RASK_EFORMAT;
}

/* Whether a file has the columns of the first: those that are null are of any type. */
static int take_columns(reading *r, const rk_arrow_file *f, rk_open_error *error)
{
    const rk_arrow_file *first = r->files;
    int status = take_names(first, f, error);
    if (!status && f == first && !(r->types = rk_alloc_array(f->count, sizeof *r->types)))
        return fail_memory(f, error);
    for (uint32_t i = 0; !status && i < f->count; i++) {
        rask_column_type type = rk_arrow_file_type(f, i),
                         known = f == first ? RASK_COLUMN_TYPES : r->types[i];
        if (type != known && type != RASK_COLUMN_TYPES && known != RASK_COLUMN_TYPES) {
            status = RASK_EFORMAT;
            rk_open_fail(error, status, "%s: column \"%.80s\" is %s, and %s in the files before it", f->path,
                         f->names[i], rask_column_type_name(type), rask_column_type_name(known));
        }
        r->types[i] = known == RASK_COLUMN_TYPES ? type : known;
    }
    return status;
}

static int add_parts(reading *r, size_t file, rk_open_error *error)
{
    for (size_t i = 0; i < r->files[file].batches.count; i++) {
        batch_of *place = rk_array_push(&r->parts);
        if (!place)
            return fail_memory(&r->files[file], error);
        *place = (batch_of){file, i};
    }
    return RASK_OK;
}

static int open_files(reading *r, const rk_text_files *list, rk_open_error *error)
{
    int status = RASK_OK;
    r->files = rk_calloc(list->count, sizeof *r->files);
    if (!r->files) {
        rk_open_fail(error, RASK_ENOMEM, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    for (; r->count < list->count && !status; r->count++) {
        rk_arrow_file *f = &r->files[r->count];
        status = rk_arrow_file_open(f, list->files[r->count].path, error);
        if (!status)
            status = take_columns(r, f, error);
        if (!status)
            status = add_parts(r, r->count, error);
        if (!status && list->count > KEPT_OPEN)
            status = rk_arrow_file_rest(f, error);
    }
    return status;
}

static int set_parts(rask_table *table, reading *r, const char *file, int line)
{
    rk_memory_source *source = table->as.memory;
    int status = rk_memory_table_parts(table, (uint32_t)r->parts.count, file, line);
    for (size_t i = 0; i < r->parts.count && !status; i++) {
        const batch_of *place = (const batch_of *)r->parts.data + i;
        const rk_arrow_batch *batch =
            (const rk_arrow_batch *)r->files[place->file].batches.data + place->batch;
        source->parts[i].rows = batch->rows;
        source->parts[i].bytes = batch->bytes;
        source->parts[i].whole = batch->packed;
    }
    r->loader = (rk_memory_loader){.what = r, .load = load};
    source->loader = &r->loader;
    return status;
}

static rask_table *make_table(rask_graph *graph, reading *r, const char *file, int line)
{
    const rk_arrow_file *first = r->files;
    rask_column_type *types = rk_table_memory(graph, first->count * sizeof *types, file, line);
    for (uint32_t i = 0; types && i < first->count; i++)
        types[i] = r->types[i] == RASK_COLUMN_TYPES ? RASK_COL_TEXT : r->types[i];
    rask_table *table = types ? rk_memory_table_new(graph, what, (const char *const *)first->names, types,
                                                    first->count, file, line)
                              : NULL;
    if (!table || set_parts(table, r, file, line))
        return NULL;
    for (uint32_t i = 0; i < first->count; i++)
        table->schema.empty[i] = r->types[i] == RASK_COLUMN_TYPES;
    return rk_memory_table_end(table);
}

/* Takes over what is in list. */
static rask_table *read_files(rask_graph *graph, rk_text_files *list, rk_open_error *error, const char *file,
                              int line)
{
    reading *r = rk_calloc(1, sizeof *r);
    if (!r) {
        rk_text_files_fini(list);
        return (rask_table *)rk_graph_fail(graph, RASK_ENOMEM, file, line, "%s: %s", what,
                                           rask_status_text(RASK_ENOMEM));
    }
    r->parts = (rk_array)RK_ARRAY(batch_of, RK_MAX_NODES / 8);
    r->list = *list;
    int status = open_files(r, &r->list, error);
    if (!status && (status = rk_graph_at_end(graph, end_reading, r)))
        rk_open_fail(error, status, "%s", rask_status_text(status));
    if (!status)
        return make_table(graph, r, file, line);
    end_reading(r);
    return NULL;
}

rask_table *rk_arrow_read_list(rask_graph *graph, rk_text_files *list, const char *file, int line)
{
    rk_open_error error = {0};
    rask_table *table = read_files(graph, list, &error, file, line);
    if (!table)
        rk_graph_fail(graph, error.status, file, line, "%s: %s", what, error.message);
    return table;
}

rask_table *rask_read_arrow_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                     const char *file, int line)
{
    rk_text_files list;
    if (!graph || graph->status || rk_table_files(graph, what, paths, count, &list, file, line))
        return NULL;
    return rk_arrow_read_list(graph, &list, file, line);
}

/* -- In other processes */

int rk_arrow_files_put(const rk_memory_source *source, rk_pack_out *out, rk_open_error *error)
{
    return rk_text_files_put(&((const reading *)source->loader->what)->list, out, error);
}

rask_table *rk_arrow_files_get(rask_graph *graph, rk_pack_in *in, rk_open_error *error)
{
    rk_text_files list;
    if (rk_text_files_get(in, &list) || rk_text_files_check(&list, error)) {
        rk_text_files_fini(&list);
        return NULL;
    }
    rk_open_error wrong = {0};
    rask_table *table = read_files(graph, &list, &wrong, NULL, 0);
    if (table || graph->status || wrong.status == RASK_ENOMEM)
        return table;
    rk_open_fail(error, RASK_EIO, "%s", wrong.message);
    rk_open_error_say_where(error);
    return NULL;
}
