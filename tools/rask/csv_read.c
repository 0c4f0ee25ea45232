#include "csv_read.h"

#include <rask/arrow.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Whether a file is one of Arrow's, by what it begins with; nothing is taken from pipes. */
static bool is_arrow(const char *path)
{
    char begin[6] = "";
    struct stat what;
    FILE *file = stat(path, &what) == 0 && S_ISREG(what.st_mode) ? fopen(path, "re") : NULL;
    size_t got = file ? fread(begin, 1, sizeof begin, file) : 0;
    if (file)
        fclose(file);
    return got == sizeof begin &&
           (memcmp(begin, "ARROW1", 6) == 0 || memcmp(begin, "\xff\xff\xff\xff", 4) == 0);
}

rask_table *csv_read(rask_graph *graph, const char *const *paths, size_t count, const rask_csv_options *csv)
{
    return is_arrow(*paths) ? rask_read_arrow_files_at(graph, paths, count, NULL, 0)
                            : rask_read_csv_files_at(graph, paths, count, csv, NULL, 0);
}
