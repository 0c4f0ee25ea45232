/* rask/join.h: which pairs a join makes: of rows of tables, or of records of bags. */
#ifndef RASK_JOIN_H
#define RASK_JOIN_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rask_join_how {
    RASK_JOIN_INNER, /* each pair with equal keys */
    RASK_JOIN_LEFT,  /* and what has no partner on the left, beside nothing */
    RASK_JOIN_RIGHT, /* and what has none on the right */
    RASK_JOIN_OUTER, /* and both */
    RASK_JOIN_SEMI,  /* what has a partner on the left, once and alone */
    RASK_JOIN_ANTI,  /* what has none on the left */
} rask_join_how;

#ifdef __cplusplus
}
#endif

#endif
