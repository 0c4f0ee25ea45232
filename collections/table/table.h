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
    RK_TABLE_SOURCES = 10000, /* most tables of files beneath one, each counted as often as it is used */
};

typedef enum rk_table_kind {
    RK_TABLE_CSV,
    RK_TABLE_CHUNKS, /* made by another stage: only while tables are lowered */
    RK_TABLE_ROWS,   /* of memory (memory.h) */
    RK_TABLE_PICK,   /* column i is the input's column pick[i] */
    RK_TABLE_WITH,   /* column is an expression's value */
    RK_TABLE_FILTER, /* rows where an expression is true */
    RK_TABLE_GROUP,
    RK_TABLE_SORT,
    RK_TABLE_LIMIT,    /* the first rows */
    RK_TABLE_TAIL,     /* the last rows */
    RK_TABLE_JOIN,     /* row by row where the other table is small (join/join.h) */
    RK_TABLE_CONCAT,   /* the rows of one table after those of another */
    RK_TABLE_DISTINCT, /* the first row of each key */
    RK_TABLE_SUMMARY,  /* a description, or quantiles */
} rk_table_kind;

/* Names and types, in the graph's arena. */
typedef struct rk_schema {
    uint32_t count;
    const char **names;
    rask_column_type *types;
    bool *
        empty; /* columns that are known to have no value: they go where those of any type do. Only builders look at it */
} rk_schema;

struct rk_csv_source;
struct rk_summary;
struct rk_memory_source;

/* Keys, aggregates and the expressions of their arguments. */
typedef struct rk_grouping {
    uint32_t key_count;
    uint32_t *keys; /* columns of the input */
    rk_aggregates aggregates;
    rk_expr **arguments; /* of the aggregates, by number; NULL: a column */
} rk_grouping;

/* The rows of the input, in their order, and with each what belongs to it of another table, in that one's order: INNER,
 * LEFT, SEMI and ANTI; the others are made of these. */
typedef struct rk_join {
    rask_join_how how;
    rask_join_method method;
    rask_table *input, *other;
    uint32_t key_count;
    uint32_t *keys, *other_keys; /* columns of the input, of other */
    rask_column_type *types; /* as which they are compared: a side that is not so is int64 against float64 */
    uint32_t *payload;       /* columns of other that follow those of the input */
    uint32_t payload_count;
} rk_join;

#define RK_BYTES_UNKNOWN UINT64_MAX
#define RK_BYTES_GUESS   ((uint64_t)1 << 30) /* of what they are not known of, let us say */

struct rask_table {
    rask_graph *graph;
    rk_table_kind kind;
    rask_table *input;            /* NULL of files and memory */
    struct rk_builder_call *made; /* by which builder (made.h); NULL: by none that is known */
    uint32_t
        depth; /* operations beneath and with this one that need all rows of their input, or of several */
    uint32_t sources; /* times that files are read, when all of it is computed */
    uint64_t bytes;   /* of text that the rows may be made of, about, or RK_BYTES_UNKNOWN */
    bool once;        /* it can be computed but once: it reads a stream */
    rk_schema schema;
    union {
        struct rk_csv_source *csv;
        struct rk_memory_source *memory;
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
        uint64_t limit; /* LIMIT, TAIL */
        rk_join *join;
        struct {
            rask_table **tables; /* the input is the first of them; all have the same columns */
            uint32_t count;
        } concat;
        struct {
            uint32_t *keys;
            uint32_t count;
        } distinct;
        const struct rk_summary *summary;
    } as;
};

/* Bytes of two tables together. */
static inline uint64_t rk_table_bytes(uint64_t a, uint64_t b)
{
    return a > RK_BYTES_UNKNOWN - b ? RK_BYTES_UNKNOWN : a + b;
}

/* A new table over input (NULL: none) with room for count columns, whose names and types are still to be set. NULL,
 * latched, also when input's graph is in error. */
rask_table *rk_table_new(rask_graph *graph, rk_table_kind kind, rask_table *input, uint32_t count,
                         const char *file, int line);

/* What a new table over input is also made of: false, latched, when that makes it too large. */
bool rk_table_also(rask_table *table, const rask_table *other, const char *file, int line);

/* Latches "WHAT: …" with the place; returns NULL. */
void *rk_table_fail(const rask_table *table, int status, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Latches what an expression is refused for: "WHAT: MESSAGE at byte N of "TEXT"". */
void *rk_table_refuse(const rask_table *table, const char *what, const char *text,
                      const rk_syntax_error *error, const char *file, int line);

/* The column of this name; RASK_EINVAL, latched with the nearest name, when there is none: UINT32_MAX. */
uint32_t rk_table_find(const rask_table *table, const char *what, rask_bytes name, const char *file,
                       int line);
/* The same for a key of an order, which may have a misspelt direction, and for the old one of a name and a new one. */
uint32_t rk_table_find_key(const rask_table *table, rask_bytes name, const char *file, int line);
uint32_t rk_table_find_renamed(const rask_table *table, rask_bytes name, const char *file, int line);

/* The place of a column among the count ones picked so far, which it joins when it is new. */
uint32_t rk_pick_add(uint32_t *pick, uint32_t *count, uint32_t column);

/* A PICK over pick[0 … count - 1] with the input's names. */
rask_table *rk_table_pick(rask_graph *graph, rask_table *input, const uint32_t *pick, uint32_t count,
                          const char *file, int line);
/* A table of that kind with the input's columns. */
rask_table *rk_table_like(rask_graph *graph, rask_table *input, rk_table_kind kind, const char *file,
                          int line);

/* A JOIN over join->input, with the names that its columns have there and in the other table. NULL, latched. */
rask_table *rk_join_table(rask_graph *graph, rk_join *join, const char *file, int line);
/* rask_table_filter() of a condition that calls column i names[i]. */
rask_table *rk_table_filter(rask_table *input, const char *what, const char *condition,
                            const char *const *names, const char *file, int line);

/* rk_expr_compile() over the columns of a table, by these names, of which those without a value are null. */
int rk_table_compile(const rask_table *table, const char *text, size_t len, const char *const *names,
                     rk_expr **out, rk_syntax_error *error);

/* Memory of the graph's; NULL, latched. */
void *rk_table_memory(rask_graph *graph, size_t size, const char *file, int line);
const char *rk_table_text(rask_graph *graph, rask_bytes text, const char *file, int line);

#endif
