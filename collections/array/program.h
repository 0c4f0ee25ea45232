/* collections/array/program: an element-wise region of an expression, compiled.
 *
 * A program has logical axes: those of the expression it was made of, perhaps permuted. Its leaves are what elements
 * come from, each with a map from the logical axes to its own; views have vanished into the maps. Instructions work on
 * registers, strips of RK_STRIP elements at most, in order. Programs are immutable and shared by all tasks made of them,
 * as a custom value. */
#ifndef RASK_COLLECTIONS_ARRAY_PROGRAM_H
#define RASK_COLLECTIONS_ARRAY_PROGRAM_H

#include "collections/array/array.h"
#include "collections/array/kernels/kernels.h"
#include "collections/array/source.h"

typedef enum rk_leaf_kind {
    RK_LEAF_CONSTANT, /* one number */
    RK_LEAF_MEMORY,   /* where strides lead */
    RK_LEAF_FILE,     /* the same in a file */
    RK_LEAF_FILL,     /* computed from its index */
    RK_LEAF_CHUNKS,   /* chunks made by other tasks: blocks among the task's arguments */
} rk_leaf_kind;

typedef struct rk_leaf {
    rk_leaf_kind kind;
    rask_dtype dtype;
    uint32_t reg;
    rask_array *array; /* what it stands for; only read while lowering */
    rk_view map;       /* from logical axes to the array's. CHUNKS, FILL */
    uint32_t ndim;     /* of the array */
    int64_t shape[RASK_MAX_DIMENSIONS];
    int64_t strides[RASK_MAX_DIMENSIONS]; /* by logical axis, bytes; MEMORY, FILE; FILL: elements */
    int64_t offset;                       /* of the first logical element, likewise */
    rk_source *source;                    /* a reference; MEMORY, FILE */
    rk_fill fill;
    char constant[16];
} rk_leaf;

typedef enum rk_instruction_kind { RK_DO_UNARY, RK_DO_BINARY, RK_DO_WHERE } rk_instruction_kind;

typedef struct rk_instruction {
    rk_instruction_kind kind;
    uint32_t out, a, b, c; /* registers */
    uint32_t op;           /* as of arrays */
    rask_dtype in, to;     /* what it works in, of CAST what it makes; kind and run follow from these */
    union {
        rk_unary_kernel unary;
        rk_binary_kernel binary;
        rk_where_kernel where;
    } run;
} rk_instruction;

/* Registers below leaf_count belong to the leaves; the others hold a strip each, reg_bytes in all. */
typedef struct rk_program {
    uint32_t ndim; /* logical axes */
    int64_t shape[RASK_MAX_DIMENSIONS];
    rask_dtype dtype;
    uint32_t result; /* register */
    uint32_t leaf_count, instruction_count, register_count;
    uint8_t *register_size; /* bytes of an element, by register */
    rk_leaf *leaves;
    rk_instruction *instructions;
    uint64_t bound;        /* bytes, as of rk_execute_bound(), and what follows from it for who runs it: */
    uint64_t window_bytes; /* all windows of a macro block, */
    uint64_t mapped_bytes; /* what may be mapped at once of each file; 0: nothing */
    rask_node *node;       /* the constant that owns it; only read while lowering */
    void *params;          /* of fills, where they came from another process */
} rk_program;

/* Compiles array. axes: logical axis i is axis axes[i] of the array; NULL: as they are. cut: take array itself as a
 * CHUNKS leaf, whatever it is. RASK_OK; or RASK_ENOMEM, not latched. */
int rk_program_new(rask_array *array, const uint8_t *axes, bool cut, rk_program **out);
void rk_program_free(rk_program *program);

/* The class of values that own a program. They can go to other processes of a cluster, as their sources can. */
extern const rask_class rk_program_class;

/* -- What making one takes, of an expression or of bytes from another process */

/* With room for so many leaves, instructions, registers. NULL: no memory. */
rk_program *rk_program_alloc(uint32_t ndim, size_t count);
/* From source or fill, shape and map: what the leaf's kind needs to be read. */
void rk_leaf_bind_source(rk_leaf *leaf);
void rk_leaf_bind_fill(rk_leaf *leaf);
/* kind and run of an instruction whose leaves are there. */
void rk_instruction_bind(const rk_program *program, rk_instruction *i);

/* The program as bytes: RASK_OK, or a status with error. */
int rk_program_put(const rk_program *program, rk_pack_out *out, rk_open_error *error);
/* And back: all that is read by it lies in its sources. NULL: RASK_EFORMAT or RASK_ENOMEM in error. */
rk_program *rk_program_get(rk_pack_in *in, rk_open_error *error);

/* Which indices of one axis of a leaf's array a box of the program needs: first, first + step, ... */
typedef struct rk_run_of {
    int64_t first, step, count;
} rk_run_of;
rk_run_of rk_leaf_run(const rk_leaf *leaf, uint32_t axis, const int64_t *start, const int64_t *count);

/* Of a run's indices the ones in low ... high - 1: numbers *first ... *last - 1 of the run (none when not below). */
void rk_run_within(rk_run_of run, int64_t low, int64_t high, int64_t *first, int64_t *last);

#endif
