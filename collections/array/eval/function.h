/* collections/array/eval/function: the functions and methods of the language, as tables: one line each. */
#ifndef RASK_COLLECTIONS_ARRAY_EVAL_FUNCTION_H
#define RASK_COLLECTIONS_ARRAY_EVAL_FUNCTION_H

#include "collections/array/eval/value.h"

enum { RK_EVAL_PARAMETERS = 8 };

/* A call whose arguments stand in the order of its function's parameters. */
typedef struct rk_call {
    rk_eval *eval;
    const struct rk_eval_function *function;
    rk_eval_value arguments[RK_EVAL_PARAMETERS];
} rk_call;

enum {
    RK_EVAL_METHOD = 1,      /* an array's method, too: the array is the first argument */
    RK_EVAL_METHOD_ONLY = 2, /* and no function */
};

typedef struct rk_eval_function {
    const char *name; /* with its module: "linalg.norm" */
    /* Their names. Those before ";" must be given, those behind "*" by name. "a|b": two names for one. "a...": takes the
     * rest of the arguments, as a tuple when there are several. */
    const char *parameters;
    rk_eval_value (*call)(rk_call *c);
    int code; /* what tells functions with one call apart */
    unsigned flags;
} rk_eval_function;

typedef struct rk_eval_table {
    const rk_eval_function *rows;
    size_t count;
} rk_eval_table;

extern const rk_eval_table rk_eval_elementwise, rk_eval_reductions, rk_eval_statistics, rk_eval_shapes,
    rk_eval_creation, rk_eval_joins, rk_eval_algebra, rk_eval_transforms, rk_eval_definitions;

/* By number, in the order of the tables; NULL behind the last. */
const rk_eval_function *rk_eval_function_at(size_t index);
/* The function prefix + name, or the method name; NULL: there is none. */
const rk_eval_function *rk_eval_find_function(const char *prefix, const char *name, size_t len);
const rk_eval_function *rk_eval_find_method(const char *name, size_t len);

/* Calls function with the values of a CALL's children behind the first, self before them when it is not NULL. */
rk_eval_value rk_eval_call(rk_eval *e, const rk_syntax *node, const rk_eval_function *function,
                           const rk_eval_value *self);

/* An argument by its parameter's name; ABSENT where the function has no such parameter. */
const rk_eval_value *rk_call_value(const rk_call *c, const char *name);
static inline bool rk_call_given(const rk_call *c, const char *name)
{
    return rk_eval_given(rk_call_value(c, name));
}
/* And what it is taken for; the default when it was not given, or None. Arrays have none: they fail. */
rask_array *rk_call_array(const rk_call *c, const char *name);
rask_operand rk_call_operand(const rk_call *c, const char *name);
int64_t rk_call_i64(const rk_call *c, const char *name, int64_t otherwise);
double rk_call_f64(const rk_call *c, const char *name, double otherwise);
bool rk_call_bool(const rk_call *c, const char *name, bool otherwise);
rask_dtype rk_call_dtype(const rk_call *c, const char *name, rask_dtype otherwise);
int rk_call_axis(const rk_call *c, const char *name, int otherwise); /* one axis */
/* The value of a text over the arguments, lists as arrays, by the (first) names of the parameters; otherwise, that gives those that are missing
 * values, may be NULL. What fails in it fails at the place of the call. */
rk_eval_value rk_call_text(rk_call *c, const char *otherwise, const char *text);
/* Fails at an argument. */
rk_eval_value rk_call_fail(rk_call *c, const char *name, int status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Builders that functions are put together from, at the place of the call. */
rask_array *rk_call_unary(rk_call *c, rask_unary op, rask_array *a);
rask_array *rk_call_binary(rk_call *c, rask_binary op, rask_array *a, rask_array *b);
rask_array *rk_call_with(rk_call *c, rask_binary op, rask_array *a, double number);
rask_array *rk_call_with_i64(rk_call *c, rask_binary op, rask_array *a, int64_t number);
rask_array *rk_call_reduce(rk_call *c, rask_reduction op, rask_array *a, int axis);
rask_array *rk_call_cast(rk_call *c, rask_array *a, rask_dtype dtype);
/* Elements start … stop - 1 of an axis, both counted from 0. */
rask_array *rk_call_part(rk_call *c, rask_array *a, int axis, int64_t start, int64_t stop);
/* The axis from 0 on; -1, latched. */
int rk_call_axis_of(rk_call *c, rask_array *a, int axis);

#endif
