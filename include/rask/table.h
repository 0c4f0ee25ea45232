/* rask/table.h: typed columns, larger than memory. */
#ifndef RASK_TABLE_H
#define RASK_TABLE_H

#include <rask/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Enumerator and name of the types of columns. */
#define RASK_COLUMN_TYPE_TABLE(X)                                                                            \
    X(BOOL, "bool")                                                                                          \
    X(I64, "int64")                                                                                          \
    X(F64, "float64")                                                                                        \
    X(DATE, "date")           /* days since 1970-01-01, as int64 */                                          \
    X(TIMESTAMP, "timestamp") /* microseconds since 1970-01-01 00:00 UTC, as int64 */                        \
    X(TEXT, "string")         /* bytes, UTF-8 by convention */

typedef enum rask_column_type {
#define RASK_COLUMN_ENUM(name, text) RASK_COL_##name,
    RASK_COLUMN_TYPE_TABLE(RASK_COLUMN_ENUM)
#undef RASK_COLUMN_ENUM
        RASK_COLUMN_TYPES
} rask_column_type;

/* "int64", …; "?" for a number that is no type. Static. */
RASK_API const char *rask_column_type_name(rask_column_type type);

#ifdef __cplusplus
}
#endif

#endif
