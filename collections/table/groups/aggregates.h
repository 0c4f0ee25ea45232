/* collections/table/groups/aggregates: what is computed for each group, as text:
 *
 *     sum(amount) as total, mean(amount), count(), count(name), count_distinct(x), min(x), max(x), var(x), std(x),
 *     first(x), last(x), median(x), quantile(x, 0.9)
 *
 * Nulls are skipped by all but count(). Of no values the sum is 0, counts are 0, everything else is null; var and std
 * divide by n - 1 and are null for fewer than two values. min and max skip NaN as long as there is a number; median and
 * quantile are NaN when a value is, and interpolate linearly. first and last go by position in the whole input. */
#ifndef RASK_COLLECTIONS_TABLE_GROUPS_AGGREGATES_H
#define RASK_COLLECTIONS_TABLE_GROUPS_AGGREGATES_H

#include "core/base/print.h"

#include <rask/table.h>

/* Enumerator, name, and whether it takes numbers only. */
#define RK_AGGREGATE_TABLE(X)                                                                                \
    X(SUM, "sum", true)                                                                                      \
    X(MEAN, "mean", true)                                                                                    \
    X(COUNT, "count", false)                                                                                 \
    X(DISTINCT, "count_distinct", false)                                                                     \
    X(MIN, "min", false)                                                                                     \
    X(MAX, "max", false)                                                                                     \
    X(VAR, "var", true)                                                                                      \
    X(STD, "std", true)                                                                                      \
    X(FIRST, "first", false)                                                                                 \
    X(LAST, "last", false)                                                                                   \
    X(MEDIAN, "median", true)                                                                                \
    X(QUANTILE, "quantile", true)

typedef enum rk_function {
#define RK_AGGREGATE_ENUM(name, text, numbers) RK_AGGREGATE_##name,
    RK_AGGREGATE_TABLE(RK_AGGREGATE_ENUM)
#undef RK_AGGREGATE_ENUM
        RK_AGGREGATES
} rk_function;

#define RK_NO_ARGUMENT UINT32_MAX
#define RK_NO_COLUMN   UINT32_MAX

typedef struct rk_aggregate {
    rk_function function;
    uint32_t argument; /* index of an rk_argument, or RK_NO_ARGUMENT: count() */
    double q;          /* of quantile and median */
    rask_bytes name;   /* of the result; of the rk_aggregates */
    rask_column_type type;
    size_t at; /* where it begins in the text */
} rk_aggregate;

/* A column or an expression that aggregates are of; equal texts are one. */
typedef struct rk_argument {
    size_t at, len;  /* of its text */
    uint32_t column; /* that has this name, or RK_NO_COLUMN: an expression, for the caller to make sense of */
    rask_column_type type; /* of the column; of an expression it is for the caller to set */
    bool empty;            /* the caller's: it has no value */
} rk_argument;

typedef struct rk_aggregates {
    char *text; /* a copy of what was parsed */
    rk_aggregate *items;
    rk_argument *arguments;
    uint32_t count, argument_count;
} rk_aggregates;

/* Parses text over columns of count names and types. Where an argument is an expression, the caller sets its type
 * afterwards and calls rk_aggregates_check(); without any it has been called. On failure error gets a message, *at (may
 * be NULL) the byte it is about, and *out stays untouched. RASK_EFORMAT; RASK_EEXIST: two results of one name;
 * RASK_ERANGE: a quantile outside of 0 … 1; RASK_ETYPE: the column does not add up; RASK_ELIMIT, RASK_ENOMEM. */
int rk_aggregates_parse(rask_bytes text, const rask_bytes *names, const rask_column_type *types,
                        uint32_t count, rk_aggregates *out, rk_print *error, size_t *at);

/* Sets the types of results by those of the arguments. RASK_ETYPE, with error and *at as above. */
int rk_aggregates_check(rk_aggregates *aggregates, rk_print *error, size_t *at);

/* Legal for a zeroed one. */
void rk_aggregates_fini(rk_aggregates *aggregates);

/* "sum", …; static. */
const char *rk_function_name(rk_function function);

#endif
