/* rask_read_csv(): which files, what their beginnings say. */
#include "collections/table/csv_source.h"

#include "collections/table/csv/index.h"
#include "collections/table/csv_samples.h"
#include "collections/table/list.h"
#include "collections/table/made.h"
#include "collections/table/read.h"
#include "core/base/alloc.h"
#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_SAMPLE = 256 << 10 };

/* Opening, with what has been said of it. */
typedef struct opening {
    rask_graph *graph;
    rk_csv_source *source;
    const rask_csv_options *options;
    const char *file;
    int line;
    bool whole;  /* samples are all of all files */
    bool *given; /* columns whose type is; in the graph's memory */
} opening;

static int fail(const opening *o, int status, const char *message)
{
    rk_graph_fail(o->graph, status, o->file, o->line, "rask_read_csv: %s", message);
    return status;
}

static int fail_memory(const opening *o)
{
    return fail(o, RASK_ENOMEM, rask_status_text(RASK_ENOMEM));
}

void rk_csv_source_free(void *what)
{
    rk_csv_source *source = what;
    if (!source)
        return;
    for (size_t i = 0; source->streams && i < source->files.count; i++) {
        rk_text_reader_free(source->streams[i].reader);
        rk_text_buffer_fini(&source->streams[i].buffer);
    }
    for (size_t i = 0; i < source->sample_count; i++)
        rk_free((void *)source->samples[i].data);
    rk_free(source->samples);
    rk_free(source->places);
    rk_free(rk_load_relaxed(&source->odds));
    rk_free(source->streams);
    rk_text_files_fini(&source->files);
    rk_csv_schema_fini(&source->schema);
    rk_free(source);
}

bool rk_csv_stream_take(rk_csv_stream *stream, rk_text_reader **reader, rk_text_buffer *buffer, void *task)
{
    bool taken = false;
    if (!rk_cas_acq_rel(&stream->taken, &taken, true))
        return false;
    *reader = stream->reader;
    *buffer = stream->buffer;
    stream->reader = NULL;
    stream->buffer = (rk_text_buffer){0};
    stream->task = task;
    return true;
}

/* -- Names */

/* What is no text by the ending of its name, and how such files begin. */
typedef struct foreign {
    const char *ending, *what;
    const char *begin, *other; /* other: NULL where there is but one */
    const char *advice;
} foreign;

static bool begins_so(const rk_text_file *file, const foreign *f)
{
    return memcmp(file->begin, f->begin, strlen(f->begin)) == 0 ||
           (f->other && memcmp(file->begin, f->other, strlen(f->other)) == 0);
}

static int refuse_foreign(const opening *o, const rk_text_file *file, const foreign *f)
{
    if (file->stream || begins_so(file, f))
        rk_graph_fail(o->graph, RASK_EFORMAT, o->file, o->line, "rask_read_csv: %s: %s, as its name says, %s",
                      file->path, f->what, f->advice);
    else
        rk_graph_fail(
            o->graph, RASK_EFORMAT, o->file, o->line,
            "rask_read_csv: %s: its name says %s, but it does not begin so; what is CSV needs another "
            "name, or comes by standard input",
            file->path, f->what);
    return RASK_EFORMAT;
}

/* Text is made of nearly everything: what is cut, damaged or not what it was taken for would be read with no complaint. */
static int look_at_names(const opening *o)
{
    static const char no_csv[] = "is not read as CSV", stream[] = "\xff\xff\xff\xff";
    static const foreign all[] = {
        {".arrow", "Arrow", "ARROW1", stream, no_csv},
        {".arrows", "Arrow", "ARROW1", stream, no_csv},
        {".feather", "Arrow", "ARROW1", stream, no_csv},
        {".parquet", "Parquet", "PAR1", NULL, "is not read: convert it to Arrow or CSV"},
    };
    const rk_text_files *files = &o->source->files;
    for (size_t i = 0; i < files->count; i++)
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            if (rk_path_ends(files->files[i].path, all[k].ending))
                return refuse_foreign(o, &files->files[i], &all[k]);
    return RASK_OK;
}

/* -- Samples */

/* Asked by a stream's reader, which may begin before there is a task. */
static bool is_cancelled(void *what)
{
    const rk_csv_stream *stream = what;
    return stream->task && rask_task_cancelled(stream->task);
}

/* The beginning of the first file; of a stream it is kept for who reads it. */
static int take_first(opening *o)
{
    rk_csv_source *s = o->source;
    const rk_text_file *file = rk_csv_source_first(s);
    rk_csv_stream stream = {0};
    rk_text_error error = {0};
    rk_text_options options = {.cancelled = is_cancelled, .context = &s->streams[s->first]};
    int status = rk_text_reader_new(file, file->start, UINT64_MAX, &options, &stream.reader, &error);
    if (!status && rk_text_buffer_init(&stream.buffer, FIRST_SAMPLE, 0, 0))
        status = rk_text_fail_memory(&error, file->path);
    if (!status)
        status = rk_csv_sample_fill(&stream.buffer, stream.reader, FIRST_SAMPLE, &o->whole, &error);
    if (!status && rk_csv_sample_keep(s, (rk_csv_place){.file = (uint32_t)s->first, .begin = file->start},
                                      rk_text_buffer_data(&stream.buffer), rk_text_buffer_len(&stream.buffer),
                                      o->whole && s->files.count > 1))
        status = rk_text_fail_memory(&error, file->path);
    if (!status && file->stream) {
        s->streams[s->first] = stream;
        return RASK_OK;
    }
    rk_text_reader_free(stream.reader);
    rk_text_buffer_fini(&stream.buffer);
    return status ? fail(o, status, error.message) : RASK_OK;
}

/* Lines that are no records are no rows where there is a header. */
static bool is_empty(const opening *o)
{
    const rk_csv_format *format = &o->source->format;
    rask_bytes sample = o->source->samples[0];
    return !sample.len ||
           (format->header && o->whole && !rk_csv_has_record(format, sample.data, sample.len, true));
}

/* … that is not empty, or of the last one. */
static int find_first(opening *o)
{
    rk_csv_source *s = o->source;
    int status = take_first(o);
    while (!status && is_empty(o) && !rk_csv_source_first(s)->stream && s->first + 1 < s->files.count) {
        rk_free((void *)s->samples[0].data);
        s->sample_count = 0;
        s->first++;
        status = take_first(o);
    }
    return status;
}

/* -- What samples say */

/* How a file is compressed by the ending of its name, but not by what it begins with; NULL: its name says nothing else. */
static const char *find_promise(const rk_text_file *file)
{
    static const char *const promises[][2] = {
        {".gz", "gzip"}, {".bgz", "gzip"}, {".zst", "zstd"}, {".xz", "xz"}, {".bz2", "bzip2"}};
    for (size_t i = 0; file->compression == RK_PLAIN && i < sizeof promises / sizeof *promises; i++)
        if (rk_path_ends(file->path, promises[i][0]))
            return promises[i][1];
    return NULL;
}

static void fail_inference(const opening *o, const rk_csv_error *error)
{
    const rk_text_file *file = rk_csv_source_first(o->source);
    const char *name = rk_text_path_name(file->path),
               *promise = error->status == RASK_EFORMAT ? find_promise(file) : NULL;
    unsigned long long line = error->line + 1;
    if (!promise)
        rk_graph_fail(o->graph, error->status, o->file, o->line, "rask_read_csv: %s:%llu: %s%s", name, line,
                      error->message, error->advice ? error->advice : "");
    else
        rk_graph_fail(o->graph, error->status, o->file, o->line,
                      "rask_read_csv: %s: its content is not %s, as its name says, nor CSV: line %llu: %s",
                      name, promise, line, error->message);
}

static int infer(opening *o)
{
    rk_csv_source *s = o->source;
    rk_csv_schema schema = {0};
    rk_csv_error error = {0};
    int status = rk_csv_infer(&s->format, s->samples, s->sample_count, s->sample_count == 1 && o->whole,
                              &schema, &error);
    if (!status) {
        rk_csv_schema_fini(&s->schema);
        s->schema = schema;
        return RASK_OK;
    }
    fail_inference(o, &error);
    return status;
}

static uint32_t find_column(const rk_csv_schema *schema, rask_bytes name)
{
    for (uint32_t i = 0; i < schema->count; i++)
        if (strlen(schema->names[i]) == name.len && memcmp(schema->names[i], name.data, name.len) == 0)
            return i;
    return UINT32_MAX;
}

/* "int" for int64, "float" for float64, and so on, are understood. */
static rask_column_type find_type(rask_bytes name)
{
    static const struct {
        const char *name;
        rask_column_type type;
    } others[] = {{"int", RASK_COL_I64},  {"float", RASK_COL_F64}, {"double", RASK_COL_F64},
                  {"str", RASK_COL_TEXT}, {"text", RASK_COL_TEXT}, {"datetime", RASK_COL_TIMESTAMP}};
    for (uint32_t i = 0; i < RASK_COLUMN_TYPES; i++) {
        const char *own = rask_column_type_name((rask_column_type)i);
        if (strlen(own) == name.len && memcmp(own, name.data, name.len) == 0)
            return (rask_column_type)i;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i].name) == name.len && memcmp(others[i].name, name.data, name.len) == 0)
            return others[i].type;
    return RASK_COLUMN_TYPES;
}

/* "amount:float64,name:string" */
static int take_types(opening *o)
{
    rk_list_item item;
    char message[512];
    size_t columns = o->source->schema.count;
    o->given = rk_table_memory(o->graph, columns, o->file, o->line);
    if (!o->given)
        return RASK_ENOMEM;
    memset(o->given, 0, columns);
    o->source->given = o->given;
    for (size_t at = 0; o->options->types && rk_list_next(o->options->types, RK_LIST_TYPES, &at, &item);) {
        const rask_bytes name = item.name, text = item.as;
        uint32_t column = find_column(&o->source->schema, name);
        rask_column_type type = find_type(text);
        bool both = name.data != text.data;
        if (both && column != UINT32_MAX && type != RASK_COLUMN_TYPES) {
            o->source->schema.types[column] = type;
            o->source->schema.empty[column] = false;
            o->given[column] = true;
            continue;
        }
        if (!both)
            snprintf(message, sizeof message, "types: \"%.*s\" is no NAME:TYPE", (int)name.len, name.data);
        else if (column == UINT32_MAX)
            snprintf(message, sizeof message, "types: no column \"%.*s\" in %.300s", (int)name.len, name.data,
                     rk_text_path_name(rk_csv_source_first(o->source)->path));
        else
            snprintf(message, sizeof message,
                     "types: no type \"%.*s\" (bool, int64, float64, date, timestamp, string)", (int)text.len,
                     text.data);
        return fail(o, RASK_EINVAL, message);
    }
    return RASK_OK;
}

static void take_format(opening *o)
{
    static const char *const nulls[] = {"NA", "N/A", "NULL", "null", "NaN", "nan"};
    const rask_csv_options *given = o->options;
    rk_csv_format *format = &o->source->format;
    *format = (rk_csv_format){.delimiter = given->delimiter,
                              .quote = given->no_quotes ? 0
                                       : given->quote   ? given->quote
                                                        : '"',
                              .comment = given->comment,
                              .header = !given->no_header,
                              .nulls = given->nulls ? given->nulls : nulls,
                              .null_count = given->nulls ? given->null_count : sizeof nulls / sizeof *nulls};
    o->source->misfit = given->misfit;
    o->source->block_bytes = given->block_bytes;
}

static int fail_empty(const opening *o)
{
    rk_graph_fail(o->graph, RASK_EFORMAT, o->file, o->line, "rask_read_csv: %s: the file %s%s",
                  rk_text_path_name(rk_csv_source_first(o->source)->path),
                  o->source->samples[0].len ? "has no record" : "is empty",
                  o->source->format.header ? ": it has no header" : "");
    return RASK_EFORMAT;
}

/* By column. Several may ask at once, who then look for the same: the first to find them keeps them for all. */
static int find_odds(rk_csv_source *s, const rk_csv_odd **out)
{
    rk_csv_odd *there = rk_load_acquire(&s->odds),
               *odds = there ? NULL : rk_alloc_array(s->schema.count, sizeof *odds);
    int status = there || odds ? RASK_OK : RASK_ENOMEM;
    if (odds)
        status = rk_csv_find_odds(&s->format, s->samples, s->sample_count, &s->schema, odds);
    if (status || there || !rk_cas_acq_rel(&s->odds, &there, odds))
        rk_free(odds);
    if (!status)
        *out = rk_load_acquire(&s->odds);
    return status;
}

/* Where misfits become nulls, few of them do not make a column text. */
static int take_majority(const opening *o)
{
    rk_csv_source *s = o->source;
    const rk_csv_odd *odds = NULL;
    int status = find_odds(s, &odds);
    for (uint32_t i = 0; !status && i < s->schema.count; i++)
        if (s->schema.types[i] == RASK_COL_TEXT)
            s->schema.types[i] = odds[i].type;
    return status ? fail(o, status, rask_status_text(status)) : RASK_OK;
}

/* That a column has no value is known when all of all files was looked at; who widens will look at the rest. */
static void take_empty(opening *o)
{
    rk_csv_source *s = o->source;
    if (s->misfit != RASK_MISFIT_WIDEN && (!o->whole || !s->schema.whole))
        memset(s->schema.empty, 0, s->schema.count * sizeof *s->schema.empty);
}

/* More samples, each kind taken with what is known by the ones before. */
static int look_further(opening *o)
{
    rk_csv_source *s = o->source;
    rk_text_error error = {0};
    size_t before = s->sample_count;
    if (rk_csv_sample_heads(s, &o->whole))
        return fail_memory(o);
    int status = s->sample_count > before ? infer(o) : RASK_OK;
    before = s->sample_count;
    if (!status && (status = rk_csv_sample_places(s, &error)))
        return fail(o, status, error.message);
    return !status && s->sample_count > before ? infer(o) : status;
}

static int look(opening *o)
{
    take_format(o);
    int status = find_first(o);
    if (!status && is_empty(o))
        status = fail_empty(o);
    if (status)
        return status;
    if (!o->source->format.delimiter)
        o->source->format.delimiter = rk_csv_sniff_delimiter(&o->source->format, o->source->samples[0]);
    status = infer(o);
    if (!status)
        status = look_further(o);
    if (!status && o->source->misfit == RASK_MISFIT_NULL)
        status = take_majority(o);
    if (!status)
        take_empty(o);
    return status ? status : take_types(o);
}

/* -- Sizes */

static bool knows_sizes(const rk_csv_source *source)
{
    for (size_t i = 0; i < source->files.count; i++)
        if (source->files.files[i].size == RK_TEXT_UNKNOWN_SIZE)
            return false;
    return true;
}

/* -- The builder */

/* Null texts are copied: the caller's may go. */
static int copy_nulls(opening *o)
{
    rk_csv_format *format = &o->source->format;
    const char **copies = rk_table_memory(o->graph, format->null_count * sizeof *copies, o->file, o->line);
    for (size_t i = 0; copies && i < format->null_count; i++) {
        copies[i] = rk_table_text(o->graph, (rask_bytes){format->nulls[i], strlen(format->nulls[i])}, o->file,
                                  o->line);
        if (!copies[i])
            return RASK_ENOMEM;
    }
    format->nulls = copies;
    return copies ? RASK_OK : RASK_ENOMEM;
}

/* Takes over the list. */
static int open_source(opening *o, rk_text_files *list)
{
    o->source = rk_calloc(1, sizeof *o->source);
    if (!o->source) {
        rk_text_files_fini(list);
        return fail_memory(o);
    }
    o->source->files = *list;
    int status = look_at_names(o);
    if (status)
        return status;
    o->source->streams = rk_calloc(o->source->files.count, sizeof *o->source->streams);
    o->source->samples = rk_calloc(RK_CSV_SAMPLES, sizeof *o->source->samples);
    o->source->places = rk_calloc(RK_CSV_SAMPLES, sizeof *o->source->places);
    if (!o->source->streams || !o->source->samples || !o->source->places)
        return fail_memory(o);
    status = look(o);
    return status ? status : copy_nulls(o);
}

rask_table *rk_csv_source_table(rask_graph *graph, rk_csv_source *source, const char *file, int line)
{
    const rk_csv_schema *schema = &source->schema;
    rask_table *table = rk_table_new(graph, RK_TABLE_CSV, NULL, schema->count, file, line);
    for (uint32_t i = 0; table && i < schema->count; i++) {
        table->schema.names[i] = schema->names[i];
        table->schema.types[i] = schema->types[i];
        table->schema.empty[i] = schema->empty[i];
    }
    if (!table)
        return NULL;
    table->as.csv = source;
    table->bytes = knows_sizes(source) ? rk_csv_source_bytes(source) : RK_BYTES_UNKNOWN;
    for (size_t i = 0; i < source->files.count; i++)
        table->once |= source->files.files[i].stream;
    return rk_table_note(table, &(rk_builder_call){.builder = RK_BUILDER_CSV});
}

static rask_table *widen(const opening *o, rask_table *table)
{
    char message[RK_MAX_MESSAGE];
    int status = rk_csv_source_widen(table, o->given, o->options->run);
    if (!status)
        return table;
    snprintf(message, sizeof message, "%s", rask_graph_error(o->graph));
    fail(o, status, message);
    return NULL;
}

static const rask_csv_options defaults = {.size = sizeof defaults};

static rask_table *read_list(opening *o, rk_text_files *list)
{
    int status = open_source(o, list);
    if (!status && rk_graph_at_end(o->graph, rk_csv_source_free, o->source))
        status = fail_memory(o);
    if (status) {
        rk_csv_source_free(o->source);
        return NULL;
    }
    rask_table *table = rk_csv_source_table(o->graph, o->source, o->file, o->line);
    return table && o->source->misfit == RASK_MISFIT_WIDEN ? widen(o, table) : table;
}

bool rk_csv_options_check(rask_graph *graph, const rask_csv_options *options, const char *what,
                          const char *file, int line)
{
    bool good = !options || options->size == sizeof defaults;
    if (!good)
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: options.size is not set", what);
    return good;
}

rask_table *rk_csv_read_list(rask_graph *graph, rk_text_files *list, const rask_csv_options *options,
                             const char *file, int line)
{
    opening o = {.graph = graph, .options = options ? options : &defaults, .file = file, .line = line};
    return read_list(&o, list);
}

rask_table *rask_read_csv_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                   const rask_csv_options *options, const char *file, int line)
{
    static const char what[] = "rask_read_csv";
    rk_text_files list;
    if (!graph || graph->status || !rk_csv_options_check(graph, options, what, file, line) ||
        rk_table_files(graph, what, paths, count, &list, file, line))
        return NULL;
    return rk_csv_read_list(graph, &list, options, file, line);
}

/* -- Where something is */

/* Newlines in the text of [begin, end) of a file, or in its first most bytes. */
static int count_lines(const rk_text_file *file, uint64_t begin, uint64_t end, uint64_t most, uint64_t *lines,
                       rk_text_error *error)
{
    rk_text_reader *reader = NULL;
    size_t got = 1;
    char *text = rk_alloc(RK_CSV_LATER_SAMPLE + RK_TEXT_PADDING);
    int status = text ? rk_text_reader_new(file, begin, end, NULL, &reader, error)
                      : rk_text_fail_memory(error, file->path);
    while (!status && got && most) {
        status = rk_text_reader_read(
            reader, text, most < RK_CSV_LATER_SAMPLE ? (size_t)most : RK_CSV_LATER_SAMPLE, &got, error);
        if (!status) {
            most -= got;
            *lines += rk_csv_newlines(text, got);
        }
    }
    rk_text_reader_free(reader);
    rk_free(text);
    return status;
}

int rk_csv_source_lines(const rk_csv_source *source, const rk_csv_wrong *wrong, uint64_t *lines,
                        rk_text_error *error)
{
    const rk_text_file *file = &source->files.files[wrong->file];
    int status = RASK_OK;
    *lines = 0;
    if (wrong->cut > file->start)
        status = count_lines(file, file->start, wrong->cut, UINT64_MAX, lines, error);
    if (!status && wrong->begin)
        status = count_lines(file, wrong->cut, UINT64_MAX, wrong->begin, lines, error);
    return status;
}

bool rk_csv_source_note(rk_csv_source *s, uint32_t column, char *out, size_t capacity)
{
    rk_text_error error;
    const rk_csv_odd *odds;
    uint64_t lines;
    if (!s->places || s->given[column] || s->schema.types[column] != RASK_COL_TEXT || find_odds(s, &odds) ||
        odds[column].type == RASK_COL_TEXT)
        return false;
    const rk_csv_odd odd = odds[column];
    const rk_csv_place *place = &s->places[odd.sample];
    const rk_csv_wrong wrong = {.file = place->file, .cut = place->begin, .begin = place->skipped + odd.at};
    if (s->files.files[place->file].stream)
        lines = rk_csv_newlines(s->samples[odd.sample].data, odd.at);
    else if (rk_csv_source_lines(s, &wrong, &lines, &error))
        return false;
    const char *type = rask_column_type_name(odd.type), *name = s->schema.names[column];
    snprintf(out, capacity,
             "%.300s:%llu: column \"%.100s\" is string for \"%s\", the others are %s: RASK_MISFIT_NULL makes "
             "it null",
             rk_text_path_name(s->files.files[place->file].path), (unsigned long long)lines + 1, name,
             odd.text, type);
    return true;
}
