/* core/base/limits: every ceiling of the library in one place. */
#ifndef RASK_CORE_BASE_LIMITS_H
#define RASK_CORE_BASE_LIMITS_H

#include <rask/graph.h>

#define RK_MAX_NODES          RASK_MAX_NODES         /* nodes of a graph; ids leave bits 30 and 31 free */
#define RK_MAX_ARGUMENTS      ((uint64_t)UINT32_MAX) /* of all nodes of a graph together */
#define RK_MAX_CONSTANTS      ((uint32_t)1 << 31) /* of a graph: arguments mark constants in their top bit */
#define RK_MAX_SITES          ((uint32_t)1 << 24) /* source lines that build nodes; later ones stay unnamed */
#define RK_MAX_DEFINITIONS    ((uint32_t)1 << 29) /* task definitions used in a graph */
#define RK_MAX_OUTPUTS        ((uint32_t)1 << 20) /* results of one call */
#define RK_MAX_WORKERS        1024                /* threads of a run */
#define RK_MAX_LANES          1024                /* I/O lanes of a run */
#define RK_MAX_WORKER_THREADS 64                  /* of a worker process */
#define RK_MAX_MESSAGE        1000                /* bytes of a task's own failure message */
#define RK_MAX_ERROR          4096                /* bytes of an error with its chain */
#define RK_MAX_CHAIN          8                   /* tasks named in the chain of an error */
#define RK_JOIN_FAN_IN        64                  /* predecessors that count down one join counter */
#define RK_MAX_TASK_TAGS      4                   /* tags of one task */
#define RK_MAX_LIMITS         32                  /* names that a run has limits for */
#define RK_MAX_GATE_NEEDS     8                   /* of these, that tasks of one unit take together */
#define RK_MAX_NEED_KINDS     20                  /* combinations of them in a run */
#define RK_MAX_PERMITS        ((uint32_t)1 << 20) /* that tasks of a worker ask a program for at once */
#define RK_MAX_TAG_NAME       255                 /* bytes of such a name */
#define RK_MAX_TAG_COUNT      1000000000          /* of one tag */
#define RK_MAX_BACKOFF_NS     ((uint64_t)60000000000) /* that doubling a task's backoff leads to */
#define RK_MAX_JSON_BYTES     ((size_t)1 << 30)
#define RK_MAX_JSON_DEPTH     64
#define RK_MAX_VALUE_DEPTH    64                /* of nested lists that are compared or printed */
#define RK_BUDGET_PERCENT     60                /* of the memory that is to be had: the default budget */
#define RK_SCRATCH_PIECE      ((size_t)4 << 20) /* most bytes written or read at once */
#define RK_MAX_EVAL_TEXT      (1 << 20)         /* bytes of an expression */
#define RK_MAX_EVAL_DEPTH     200               /* of brackets and signs in it */
#define RK_MAX_EVAL_LIST      (1 << 20)         /* elements of a list that becomes an array */
#define RK_MAX_CSV_COLUMNS    ((uint32_t)1 << 20)
#define RK_MAX_CSV_RECORD     ((size_t)1 << 30)   /* bytes of one record */
#define RK_MAX_EXPR_LIVE      256                 /* columns that an expression holds at once */
#define RK_MAX_EXPR_TEXT      ((size_t)1 << 30)   /* bytes of text that it makes of a batch */
#define RK_MAX_TEXT_FILES     ((size_t)1 << 24)   /* files that one reading takes */
#define RK_MAX_TEXT_CUTS      ((size_t)1 << 20)   /* pieces that a file is cut into */
#define RK_MAX_TEXT_LINE      ((size_t)1 << 30)   /* bytes of a line, or another record */
#define RK_MAX_TEXT_PARTS     10000000            /* that tasks read of all files together */
#define RK_MAX_AGGREGATES     6000                /* of a grouping */
#define RK_MAX_KEYS           64                  /* columns that rows are grouped or sorted by */
#define RK_MAX_BAG_STRUCT     (1 << 20)           /* bytes of a structure in a record */
#define RK_MAX_BAG_KEYS       ((uint32_t)1 << 30) /* that one task finds records by */
#define RK_MAX_BAG_PARTS      (1 << 20)           /* that a program asks for, or that memory is cut into */
#define RK_ALLOC_LARGE        ((size_t)64 << 10)  /* from here on memory is mapped, in whole pages */
#define RK_ALLOC_HUGE         ((size_t)2 << 20)   /* from here on with huge pages */
#define RK_ALLOC_KEPT         ((size_t)128 << 20) /* freed large blocks kept for reuse */
#define RK_MAX_QUANTILES      1000                /* of columns, asked for at once */
#define RK_MAX_TRAVELLING     ((size_t)256 << 20) /* bytes of memory in a constant of a cluster's plan */
#define RK_CHECKPOINT_SMALL                                                                                  \
    ((uint64_t)256 << 10) /* bytes of a kept result; larger ones have files of their own */
#define RK_CHECKPOINT_BUFFER   ((uint64_t)8 << 20)  /* of those that wait to be written together */
#define RK_CHECKPOINT_WRITE_NS ((uint64_t)20000000) /* that they wait for each other, */
#define RK_CHECKPOINT_SYNC_NS                                                                                \
    ((uint64_t)1000000000)                          /* and between times that the disk is made to have them */
#define RK_MAX_CHECKPOINT_KEYED ((uint64_t)1 << 30) /* bytes of constants of a plan that keys are made of */
#define RK_MAX_SPREAD           65536 /* ranges of all columns that are described at once, together */

_Static_assert(RK_MAX_NODES <= (uint32_t)1 << 30, "node ids are 30 bits");

#endif
