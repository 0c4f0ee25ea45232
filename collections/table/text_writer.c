/* Rows as CSV or JSON Lines: tasks print. */
#include "collections/table/output.h"
#include "collections/table/writer.h"
#include "core/base/alloc.h"

#include <stdio.h>

typedef struct text_writer {
    rk_writer base;
    rk_output output;
    bool json;
    rk_array head; /* written with the first rows, and not when there are none because the run failed */
} text_writer;

static int say(text_writer *w, int status)
{
    if (status)
        snprintf(w->base.message, sizeof w->base.message, "%s", w->output.message);
    return status;
}

/* The head before the first text. */
static int append(void *what, const char *text, size_t len)
{
    text_writer *w = what;
    int status = w->output.end ? RASK_OK : rk_output_append(&w->output, w->head.data, w->head.count);
    return say(w, status ? status : rk_output_append(&w->output, text, len));
}

enum { DELIMITER = ',' };

int rk_text_writer_lower(const rk_table_lowering *l, rask_table *table, bool json,
                         int (*flush)(void *writer, const char *text, size_t len), void *writer,
                         rk_nodes *values)
{
    const rk_table_sink_plan sink = {.kind = RK_SINK_TEXT,
                                     .schema = &table->schema,
                                     .limit = UINT64_MAX,
                                     .format = json ? RK_PRINT_JSON : RK_PRINT_CSV,
                                     .delimiter = DELIMITER,
                                     .flush = flush,
                                     .writer = writer};
    return rk_lower_stage(l, table, &sink, values);
}

static int lower(rk_writer *base, const rk_table_lowering *l, rk_nodes *values, uint64_t *scratch)
{
    text_writer *w = (text_writer *)base;
    const rk_schema *schema = &base->table->schema;
    *scratch = 0;
    int status = rk_text_writer_lower(l, base->table, w->json, append, w, values);
    if (!status && !w->json)
        status = rk_print_header(&w->head, schema->names, schema->count, DELIMITER);
    return status;
}

static int take(rk_writer *base, rask_bytes text)
{
    return append(base, text.data, text.len);
}

static int finish(rk_writer *base)
{
    text_writer *w = (text_writer *)base;
    return say(w, rk_output_commit(&w->output));
}

static void end(rk_writer *base)
{
    text_writer *w = (text_writer *)base;
    rk_output_end(&w->output);
    rk_array_fini(&w->head);
    rk_free(w);
}

static const rk_writer_class text_class = {lower, take, finish, NULL, end};

rk_writer *rk_text_writer_new(rask_table *table, const char *path, bool json, int *status, char *message,
                              size_t capacity)
{
    text_writer *w = rk_calloc(1, sizeof *w);
    *status = RASK_ENOMEM;
    if (!w)
        return NULL;
    w->base = (rk_writer){.cls = &text_class, .table = table, .root = json ? RK_ROOT_JSON : RK_ROOT_CSV};
    w->json = json;
    w->head = (rk_array){.element = 1, .ceiling = SIZE_MAX};
    *status = rk_output_open(&w->output, path);
    if (!*status)
        return &w->base;
    snprintf(message, capacity, "%s", w->output.message);
    end(&w->base);
    return NULL;
}
