/* collections/table: expressions over tables, and what they are lowered from.
 *
 * A table is a chain, or with joins a tree, of operations down to files. Row by row (PICK, WITH, FILTER) they become one
 * pipeline (pipeline.h) in the task that reads; the others need all rows of their input first (lower.h). */
#ifndef RASK_COLLECTIONS_TABLE_TABLE_H
#define RASK_COLLECTIONS_TABLE_TABLE_H

#include "collections/table/expr/expr.h"
#include "collections/table/groups/aggregates.h"
#include "collections/table/order.h"
#include "core/graph/graph.h"

#include <rask/table.h>

enum {
    RK_TABLE_DEPTH = 100,     /* most operations, one above the other, that need all rows of their input */
    RK_TABLE_COLUMNS = 10000, /* most columns */
};

typedef enum rk_table_kind {
    RK_TABLE_CSV,
    RK_TABLE_PICK,   /* column i is the input's column pick[i] */
    RK_TABLE_WITH,   /* column is an expression's value */
    RK_TABLE_FILTER, /* rows where an expression is true */
    RK_TABLE_GROUP,
    RK_TABLE_SORT,
    RK_TABLE_LIMIT,
} rk_table_kind;

/* Names and types, in the graph's arena. */
typedef struct rk_schema {
    uint32_t count;
    const char **names;
    rask_column_type *types;
} rk_schema;

struct rk_csv_source;

/* Keys, aggregates and the expressions of their arguments. */
typedef struct rk_grouping {
    uint32_t key_count;
    uint32_t *keys; /* columns of the input */
    rk_aggregates aggregates;
    rk_expr **arguments; /* of the aggregates, by number; NULL: a column */
} rk_grouping;

struct rask_table {
    rask_graph *graph;
    rk_table_kind kind;
    rask_table *input; /* NULL of files */
    uint32_t depth;    /* operations beneath and with this one that need all rows of their input */
    rk_schema schema;
    union {
        struct rk_csv_source *csv;
        const uint32_t *pick;
        struct {
            rk_expr *expr;
            uint32_t column;
        } with;
        rk_expr *filter;
        rk_grouping *grouping;
        struct {
            rk_order *keys;
            uint32_t count;
        } sort;
        uint64_t limit;
    } as;
};

/* A new table over input (NULL: none) with room for count columns, whose names and types are still to be set. NULL,
 * latched, also when input's graph is in error. */
rask_table *rk_table_new(rask_graph *graph, rk_table_kind kind, rask_table *input, uint32_t count,
                         const char *file, int line);

/* Latches "WHAT: …" with the place; returns NULL. */
void *rk_table_fail(const rask_table *table, int status, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Latches what an expression is refused for: "WHAT: MESSAGE at byte N of "TEXT"". */
void *rk_table_refuse(const rask_table *table, const char *what, const char *text,
                      const rk_syntax_error *error, const char *file, int line);

/* The column of this name; RASK_EINVAL, latched with the nearest name, when there is none: UINT32_MAX. */
uint32_t rk_table_find(const rask_table *table, const char *what, rask_bytes name, const char *file,
                       int line);

/* Memory of the graph's; NULL, latched. */
void *rk_table_memory(rask_graph *graph, size_t size, const char *file, int line);
const char *rk_table_text(rask_graph *graph, rask_bytes text, const char *file, int line);

#endif
