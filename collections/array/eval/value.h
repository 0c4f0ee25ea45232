/* collections/array/eval/value: what parts of an expression evaluate to, and what functions make of it.
 *
 * Failures are latched in the graph at the character they are about; whoever fails returns a value of kind FAILED (a
 * NULL array, 0 for a number), and nobody goes on after that. Values are small and copied; what they point to lives in
 * the evaluation's arena. */
#ifndef RASK_COLLECTIONS_ARRAY_EVAL_VALUE_H
#define RASK_COLLECTIONS_ARRAY_EVAL_VALUE_H

#include "collections/array/array.h"
#include "collections/syntax/syntax.h"

struct rk_eval_function;
typedef struct rk_eval_value rk_eval_value;

typedef enum rk_eval_kind {
    RK_EVAL_ABSENT, /* an argument that was not given */
    RK_EVAL_FAILED,
    RK_EVAL_NONE,
    RK_EVAL_NUMBER, /* of Python's: weak */
    RK_EVAL_STRING,
    RK_EVAL_DTYPE,
    RK_EVAL_ARRAY,
    RK_EVAL_TUPLE,
    RK_EVAL_LIST,
    RK_EVAL_SLICE,
    RK_EVAL_ELLIPSIS,
    RK_EVAL_FUNCTION,
    RK_EVAL_MODULE,
} rk_eval_kind;

struct rk_eval_value {
    rk_eval_kind kind;
    uint32_t at; /* the byte of the text that errors about it point at */
    union {
        rask_operand number;
        struct {
            const char *data;
            size_t len;
        } text;
        rask_dtype dtype;
        rask_array *array;
        struct {
            const rk_eval_value *items;
            uint32_t count;
        } list; /* of TUPLE and LIST */
        rask_slice slice;
        struct {
            const struct rk_eval_function *row;
            const rk_eval_value *self; /* of a method; else NULL */
        } function;
        const char *module; /* what its functions' names in the tables begin with */
    } as;
};

/* One evaluation. */
typedef struct rk_eval {
    struct rk_eval
        *caller; /* in the middle of which this one is; NULL: none. Its failures are at the caller's place */
    rask_graph *graph;
    const char *text;
    size_t len;
    const char *const *names; /* and what they mean: */
    const rask_operand *operands;
    size_t name_count;
    const rask_options *options; /* for what is computed while the expression is built; may be NULL */
    const char *file;            /* where the C program called */
    int line;
    rk_array syntax; /* rk_syntax */
    rk_array variables;
    rk_eval_value *values; /* of each syntax node */
    rk_arena memory;
    uint32_t at;      /* what builders are called for */
    uint64_t randoms; /* calls of random functions so far */
    bool told;        /* the failure in the graph says its place */
} rk_eval;

#define RK_EVAL_SITE(e) (e)->file, (e)->line

/* Latches a failure at a byte of the text, as "1:7: message". Returns a FAILED value. */
rk_eval_value rk_eval_fail(rk_eval *e, uint32_t at, int status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Gives a failure that a builder latched its place; nothing when there is none or it has one. */
void rk_eval_locate(rk_eval *e, uint32_t at);

/* Memory as long as the evaluation; NULL, latched. */
void *rk_eval_memory(rk_eval *e, size_t size);

rk_eval_value rk_eval_none(void);
rk_eval_value rk_eval_bool(bool value);
rk_eval_value rk_eval_i64(int64_t value);
rk_eval_value rk_eval_f64(double value);
rk_eval_value rk_eval_dtype(rask_dtype dtype);
rk_eval_value rk_eval_array(rask_array *array); /* FAILED for NULL */
/* items are copied. */
rk_eval_value rk_eval_tuple(rk_eval *e, const rk_eval_value *items, uint32_t count);

/* "an array", "a string", … for messages. */
const char *rk_eval_kind_text(const rk_eval_value *value);

/* Neither absent nor None. */
static inline bool rk_eval_given(const rk_eval_value *value)
{
    return value->kind != RK_EVAL_ABSENT && value->kind != RK_EVAL_NONE;
}
static inline bool rk_eval_is_list(const rk_eval_value *value)
{
    return value->kind == RK_EVAL_TUPLE || value->kind == RK_EVAL_LIST;
}
static inline bool rk_eval_is_integer(const rk_eval_value *value)
{
    return value->kind == RK_EVAL_NUMBER && value->as.number.kind <= RASK_OPERAND_I64;
}

/* What a value is taken for. Each fails at the value's place when it is something else. Numbers and lists become
 * arrays; bools integers; what counts elements is not negative. */
rask_array *rk_eval_to_array(rk_eval *e, const rk_eval_value *value);
rask_operand rk_eval_to_operand(rk_eval *e, const rk_eval_value *value);
int64_t rk_eval_to_i64(rk_eval *e, const rk_eval_value *value);
int rk_eval_to_int(rk_eval *e, const rk_eval_value *value);
double rk_eval_to_f64(rk_eval *e, const rk_eval_value *value);
bool rk_eval_to_bool(rk_eval *e, const rk_eval_value *value);
rask_dtype rk_eval_to_dtype(rk_eval *e, const rk_eval_value *value); /* RASK_DT_COUNT */
bool rk_eval_text_is(const rk_eval_value *value, const char *text);
/* A list of integers, or one integer: how many there are, at most most, in out. 0, latched, on failure. */
uint32_t rk_eval_to_integers(rk_eval *e, const rk_eval_value *value, int64_t *out, uint32_t most);
uint32_t rk_eval_to_axes(rk_eval *e, const rk_eval_value *value, int *out);
/* A list of arrays, in the arena; NULL, latched, on failure or when there are none. */
rask_array **rk_eval_to_arrays(rk_eval *e, const rk_eval_value *value, uint32_t *count);
/* A list of numbers, or an array, which is computed now: in the arena; NULL as above. */
double *rk_eval_to_numbers(rk_eval *e, const rk_eval_value *value, size_t *count);

/* operator.c */
rk_eval_value rk_eval_unary(rk_eval *e, rk_mark mark, const rk_eval_value *a);
rk_eval_value rk_eval_binary(rk_eval *e, rk_mark mark, const rk_eval_value *a, const rk_eval_value *b);

/* subscript.c: what[items…]. */
rk_eval_value rk_eval_subscript(rk_eval *e, const rk_eval_value *what, const rk_eval_value *items,
                                uint32_t count);

#endif
