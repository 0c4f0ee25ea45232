/* collections/table/output: a file, or standard output, that grows at its end and appears whole under its name, or not at all. */
#ifndef RASK_COLLECTIONS_TABLE_OUTPUT_H
#define RASK_COLLECTIONS_TABLE_OUTPUT_H

#include "collections/files/file.h"
#include "collections/files/temporary.h"

typedef struct rk_output {
    const char *path;
    bool standard; /* output */
    rk_temporary file;
    int64_t end; /* bytes written */
    char message[1200];
} rk_output;

/* "-" is standard output. All calls: RASK_OK, or a status with a message. path is kept as it is. An output that was opened, or
 * could not be, is to be ended. */
int rk_output_open(rk_output *o, const char *path);
int rk_output_append(rk_output *o, const void *data, size_t len);
/* Over what was written; not to standard output. */
int rk_output_replace(rk_output *o, const void *data, size_t len, int64_t place);
/* Nothing was written; not to standard output. */
int rk_output_restart(rk_output *o);
/* What was written is there. */
int rk_output_commit(rk_output *o);
/* Unless it was committed, nothing is there. */
void rk_output_end(rk_output *o);

#endif
