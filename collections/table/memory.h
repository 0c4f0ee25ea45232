/* collections/table/memory: tables over what is in memory already: columns of the program's, computed rows, Arrow's arrays.
 *
 * Nothing is copied when the table is made. A task reads a slice of the rows batch by batch; how a column's values are laid out
 * is known to its read function alone. */
#ifndef RASK_COLLECTIONS_TABLE_MEMORY_H
#define RASK_COLLECTIONS_TABLE_MEMORY_H

#include "collections/table/chunk.h"
#include "collections/table/table.h"

typedef struct rk_memory_column rk_memory_column;

/* What is wrong with a value: "row 7: 18446744073709551615 is no int64". */
typedef struct rk_memory_error {
    char message[400];
} rk_memory_error;

/* Values first … first + rows - 1, rows <= RK_BATCH_ROWS, into out, whose type is the column's; text may point into the memory.
 * What out has where it is null does not matter. RASK_OK, or a status with a message. */
typedef int rk_memory_read(const rk_memory_column *column, uint64_t first, uint32_t rows, rk_column *out,
                           rk_memory_error *error);

struct rk_memory_column {
    rk_memory_read *read;
    rk_stored plain; /* of rk_memory_read_plain() */
    const void *layout;
};

/* Rows whose columns lie together. */
typedef struct rk_memory_part {
    uint64_t rows, bytes; /* bytes: about */
    bool whole;           /* to load some of its rows is as much as to load all */
    rk_memory_column *columns;
} rk_memory_part;

/* Columns that others make, slice by slice, when they are needed: a source that has this has one part, without values. */
struct rk_table_lowering;
typedef struct rk_memory_feed {
    const void *what;
    /* What the calls below have in common, for one lowering; NULL, latched. */
    void *(*begin)(const void *what, const struct rk_table_lowering *l);
    /* A node whose value is a block with these values of a column: one axis, C order. NULL, latched. */
    rask_node *(*node)(void *begun, uint32_t column, uint64_t first, uint64_t rows);
    void (*end)(void *begun); /* NULL is legal */
} rk_memory_feed;

/* Columns in files: a source that has this has parts without values. */
struct rk_arrow_layout;
typedef struct rk_memory_loader {
    const void *what;
    /* Reads rows first … first + rows - 1 of a column of part into layout; *own is what rk_free() ends. RASK_OK, or a status with
     * a message. */
    int (*load)(const void *what, uint32_t part, uint32_t column, uint64_t first, uint64_t rows,
                struct rk_arrow_layout *layout, void **own, rk_memory_error *error);
} rk_memory_loader;

typedef struct rk_memory_source {
    const char **names; /* of the columns */
    uint32_t count;
    const rk_memory_feed *feed; /* NULL, both: values are there */
    const rk_memory_loader *loader;
    rk_memory_part *parts;
    uint32_t part_count;
    uint64_t rows, bytes; /* of all parts */
} rk_memory_source;

/* Columns of the parts to come, checked: what says who asks. Names are copied; NULL ones are called column_1, …. NULL, latched. */
rask_table *rk_memory_table_new(rask_graph *graph, const char *what, const char *const *names,
                                const rask_column_type *types, uint32_t count, const char *file, int line);
/* Room for parts, zeroed, and in each for its columns, in the graph's memory. RASK_OK, or latched. */
int rk_memory_table_parts(rask_table *table, uint32_t count, const char *file, int line);
/* The rows and bytes of all parts are known, and feed or loader is set. Returns the table, or NULL, latched. */
rask_table *rk_memory_table_end(rask_table *table);

/* What is wrong with a column of so many rows; NULL: nothing. */
const char *rk_memory_find_fault(const rask_column *column, uint64_t rows);

/* A rask_column as the program has it, or a column of computed rows. */
rk_memory_read rk_memory_read_plain;

/* A value of column column of part, as above, but where it is null out has 0 or empty text. error names the column. */
int rk_memory_read_rows(const rk_memory_source *source, uint32_t part, uint32_t column, uint64_t first,
                        uint32_t rows, rk_column *out, rk_memory_error *error);

/* Rows that one task reads. */
typedef struct rk_memory_slice {
    uint32_t part;
    uint64_t first, rows;
} rk_memory_slice;

/* A slice of a source with a feed or a loader, once its values are there. */
typedef struct rk_memory_fed {
    rk_memory_source source; /* the rows, from 0 on, with columns that were set */
    rk_memory_part part;
    struct rk_arrow_layout *layouts;
    void **own;
} rk_memory_fed;

int rk_memory_fed_init(rk_memory_fed *fed, const rk_memory_source *source, uint64_t rows);
void rk_memory_fed_set(rk_memory_fed *fed, uint32_t column, const rask_block *block);
/* Loads a column of source, which the slice is of. RASK_OK, or a status with a message. */
int rk_memory_fed_load(rk_memory_fed *fed, const rk_memory_source *source, const rk_memory_slice *slice,
                       uint32_t column, rk_memory_error *error);
void rk_memory_fed_fini(rk_memory_fed *fed); /* legal for a zeroed one */

/* Slices of about so many bytes; at least one. To be ended with rk_free(); NULL: no memory. */
rk_memory_slice *rk_memory_cut(const rk_memory_source *source, uint64_t bytes, uint32_t *count);

#endif
