/* collections/table/read: the files that tables are read from, by what kind they are of. */
#ifndef RASK_COLLECTIONS_TABLE_READ_H
#define RASK_COLLECTIONS_TABLE_READ_H

#include "collections/text/files.h"

#include <rask/table.h>

/* rk_text_files_init(), for a call of this name: RASK_OK, and list is the caller's to end; else latched. */
int rk_table_files(rask_graph *graph, const char *call, const char *const *paths, size_t count,
                   rk_text_files *list, const char *file, int line);

#endif
