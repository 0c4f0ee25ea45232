/* collections/table/writer: a format that a table is written in. Tasks make values, and one after the other, in the order of the
 * rows, the writer takes them. */
#ifndef RASK_COLLECTIONS_TABLE_WRITER_H
#define RASK_COLLECTIONS_TABLE_WRITER_H

#include "collections/table/recipe.h"
#include "core/task/task.h"

typedef struct rk_writer rk_writer;

typedef struct rk_writer_class {
    /* Nodes of the values that are to be taken; scratch: bytes that taking one needs. RASK_OK, or latched. */
    int (*lower)(rk_writer *w, const rk_table_lowering *l, rk_nodes *values, uint64_t *scratch);
    /* A status, with a message where it has more to say. RASK_OK too when it set again, after which nothing more is taken. */
    int (*take)(rk_writer *w, rask_bytes value);
    /* All were taken: files appear, unless it sets again. As above. */
    int (*finish)(rk_writer *w);
    /* After again was set: as it was before the first value, but for what was learnt, so that again is not set for ever. RASK_OK, or
     * a status. NULL: it never is. */
    int (*restart)(rk_writer *w);
    void (*free)(rk_writer *w);
} rk_writer_class;

struct rk_writer {
    const rk_writer_class *cls;
    rask_table *table;
    rk_table_root root; /* what lower() makes of it */
    bool again; /* what was chosen by the first rows does not go with later ones: all are to be taken anew */
    rask_cancel_token token; /* of the run, which goes no further once again is set */
    char message[1200];      /* why the last call failed; "": what the status says */
};

/* For formats that have no room for a value in a column which is known to have none: whether rows of it have none. RASK_OK, or a status
 * with a message. */
int rk_writer_check_empty(rk_writer *w, uint32_t index, const rask_column *column, uint64_t rows);

/* Rows of table as text, which flush may take of a single part before its end (sink.h); NULL: nobody. RASK_OK, or latched. */
int rk_text_writer_lower(const rk_table_lowering *l, rask_table *table, bool json,
                         int (*flush)(void *writer, const char *text, size_t len), void *writer,
                         rk_nodes *values);

/* Writers of a table to path: NULL: *status, with a message. */
rk_writer *rk_text_writer_new(rask_table *table, const char *path, bool json, int *status, char *message,
                              size_t capacity);
rk_writer *rk_arrow_writer_new(rask_table *table, const char *path, rask_table_format format, int *status,
                               char *message, size_t capacity);
rk_writer *rk_npy_writer_new(rask_table *table, const char *path, int *status, char *message,
                             size_t capacity);

#endif
