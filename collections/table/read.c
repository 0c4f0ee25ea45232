/* rask_read_table(): which kind files are of. */
#include "collections/table/read.h"

#include "collections/table/arrow/file.h"
#include "collections/table/csv_source.h"
#include "core/graph/graph.h"

#include <string.h>

static const char what[] = "rask_read_table";

int rk_table_files(rask_graph *graph, const char *call, const char *const *paths, size_t count,
                   rk_text_files *list, const char *file, int line)
{
    rk_text_error wrong = {0};
    *list = (rk_text_files){0};
    int status = rk_text_files_init(list, paths, count, &wrong);
    if (status)
        rk_graph_fail(graph, status, file, line, "%s: %s", call, wrong.message);
    return status;
}

static bool is_arrow(const rk_text_file *file)
{
    return memcmp(file->begin, RK_ARROW_FILE_BEGIN, strlen(RK_ARROW_FILE_BEGIN)) == 0 ||
           memcmp(file->begin, RK_ARROW_STREAM_BEGIN, strlen(RK_ARROW_STREAM_BEGIN)) == 0;
}

/* The first file that is one of Arrow's, or that is none; NULL: there is no such file. */
static const rk_text_file *find_kind(const rk_text_files *list, bool arrow)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_arrow(&list->files[i]) == arrow)
            return &list->files[i];
    return NULL;
}

rask_table *rask_read_table_files_at(rask_graph *graph, const char *const *paths, size_t count,
                                     const rask_csv_options *options, const char *file, int line)
{
    rk_text_files list;
    if (!graph || graph->status || !rk_csv_options_check(graph, options, what, file, line) ||
        rk_table_files(graph, what, paths, count, &list, file, line))
        return NULL;
    const rk_text_file *arrow = find_kind(&list, true), *other = find_kind(&list, false);
    if (!arrow)
        return rk_csv_read_list(graph, &list, options, file, line);
    bool standard = strcmp(arrow->path, "-") == 0;
    if (!other && !standard)
        return rk_arrow_read_list(graph, &list, file, line);
    if (standard)
        rk_graph_fail(graph, RASK_EUNSUPPORTED, file, line,
                      "%s: standard input is an Arrow file: these are read by their names", what);
    else
        rk_graph_fail(graph, RASK_EFORMAT, file, line,
                      "%s: %s is an Arrow file and %s is none: one table is of files of one kind", what,
                      arrow->path, other->path);
    rk_text_files_fini(&list);
    return NULL;
}
