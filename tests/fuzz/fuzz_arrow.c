/* Any bytes as an Arrow file: it is refused with a reason, or all that it says it has can be read. */
#include "memory_file.h"

#include "collections/table/memory.h"

#include <rask/arrow.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A row of text may be anywhere: it is looked at to its last byte. */
static unsigned look(const rk_column *c, uint32_t rows)
{
    unsigned sum = 0;
    for (uint32_t i = 0; c->type == RASK_COL_TEXT && i < rows; i++)
        for (size_t k = 0; k < c->text[i].len; k++)
            sum += (unsigned char)c->text[i].data[k];
    return sum;
}

static unsigned read_slice(const rk_memory_source *source, const rk_memory_slice *slice, uint32_t column,
                           rask_column_type type)
{
    rk_memory_fed fed;
    rk_memory_error error = {""};
    rk_column out;
    unsigned sum = 0;
    assert(rk_memory_fed_init(&fed, source, slice->rows) == RASK_OK && rk_column_init(&out, type) == RASK_OK);
    int status = rk_memory_fed_load(&fed, source, slice, column, &error);
    if (!status)
        status = rk_memory_read_rows(&fed.source, 0, column, 0, (uint32_t)slice->rows, &out, &error);
    assert(!status || *error.message);
    if (!status)
        sum = look(&out, (uint32_t)slice->rows);
    rk_column_fini(&out);
    rk_memory_fed_fini(&fed);
    return sum;
}

/* The first and the last rows of each part. */
static unsigned read_all(const rask_table *table)
{
    const rk_memory_source *source = table->as.memory;
    unsigned sum = 0;
    for (uint32_t p = 0; p < source->part_count && p < 100; p++)
        for (uint32_t c = 0; c < source->count && c < 100; c++) {
            uint64_t all = source->parts[p].rows, rows = all < 1000 ? all : 1000;
            sum += read_slice(source, &(rk_memory_slice){p, 0, rows}, c, table->schema.types[c]);
            sum += read_slice(source, &(rk_memory_slice){p, all - rows, rows}, c, table->schema.types[c]);
        }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volatile unsigned seen = 0;
    memory_file f = memory_file_new(data, size);
    rask_graph *graph = rask_graph_new();
    rask_table *table = rask_read_arrow_files_at(graph, (const char *const[]){f.path}, 1, NULL, 0);
    if (table)
        seen = read_all(table);
    else
        assert(rask_graph_status(graph) && strncmp(rask_graph_error(graph), "rask_read_arrow: ", 17) == 0);
    (void)seen;
    rask_graph_free(graph);
    close(f.fd);
    return 0;
}
