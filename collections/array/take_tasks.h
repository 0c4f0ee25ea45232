/* The tasks of take.c: elements of one axis, by numbers that are known and by such as are computed. */
#ifndef RASK_COLLECTIONS_ARRAY_TAKE_TASKS_H
#define RASK_COLLECTIONS_ARRAY_TAKE_TASKS_H

#include "collections/array/lower.h"

enum { RK_TAKE_FEW_CELLS = 8 /* for each of which all numbers are gone through */ };

/* What a task that takes known numbers gets and gives. */
typedef enum rk_take_kind {
    RK_TAKE_CELLS, /* the result, from cells of the input */
    RK_TAKE_PART,  /* what one cell has of it, in the order of the numbers */
    RK_TAKE_PARTS, /* the result, from what each cell has of it */
} rk_take_kind;

/* Params of both tasks; with known numbers, where each cell starts follows as int64_t. */
typedef struct rk_take_params {
    int64_t dtype, ndim, axis;
    int64_t shape[RASK_MAX_DIMENSIONS]; /* of the result */
    int64_t length;                     /* of the input's axis */
    int64_t position;                   /* of the first number in the whole of them */
    int64_t kind;                       /* of known numbers */
    int64_t cells;                      /* how many there are, and where this one starts */
    int64_t first;
} rk_take_params;

/* Bytes that a call with so many cells takes while it runs. */
uint64_t rk_take_scratch_bytes(rk_take_kind kind, size_t cells);
/* The last of count ascending starts that is not above number; the first where all are. */
size_t rk_take_last_before(const int64_t *starts, size_t count, int64_t number);

/* (params, numbers, cell…): a chunk of the result, or what a cell has of it, by kind. */
extern const rask_task_def rk_take_def;
/* (params, numbers, cell, the result up to here unless it is the first): the same with what the cell has of it. */
extern const rask_task_def rk_take_computed_def;

/* A stretch of known numbers. */
typedef struct rk_take_stretch {
    int64_t first, n;
} rk_take_stretch;

/* (params, known numbers): a stretch of them, as a block. */
extern const rask_task_def rk_take_index_def;
/* Known numbers, which live as long as the graph, as a constant of the lowering. NULL, latched. */
rask_node *rk_take_numbers(rk_lowering *l, const int64_t *at, int64_t count);

#endif
