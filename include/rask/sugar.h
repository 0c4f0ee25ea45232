/* rask/sugar.h: one-line macros over the plain calls. C only: C++ and other languages use the calls
 * themselves. */
#ifndef RASK_SUGAR_H
#define RASK_SUGAR_H

#include <rask/array.h>
#include <rask/bag.h>
#include <rask/plan.h>

#ifndef __cplusplus

/* Counting and pasting. */
#    define RASK_CAT_(a, b)                                                a##b
#    define RASK_CAT(a, b)                                                 RASK_CAT_(a, b)
#    define RASK_NTH_(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, n, ...) n
#    define RASK_COUNT(...)                                                                                  \
        RASK_NTH_(__VA_ARGS__, MANY, MANY, MANY, MANY, MANY, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

/* How a type of a signature is written, taken from a task and given back. */
#    define RASK_LETTER_bool              "b"
#    define RASK_LETTER_i64               "i"
#    define RASK_LETTER_f64               "d"
#    define RASK_LETTER_str               "s"
#    define RASK_LETTER_bytes             "y"
#    define RASK_LETTER_value             "v"
#    define RASK_LETTER_none              "n"
#    define RASK_RESULT_bool(task, call)  rask_return_bool(task, call)
#    define RASK_RESULT_i64(task, call)   rask_return_i64(task, call)
#    define RASK_RESULT_f64(task, call)   rask_return_f64(task, call)
#    define RASK_RESULT_str(task, call)   rask_return_str(task, call)
#    define RASK_RESULT_value(task, call) rask_return_value(task, call)
#    define RASK_RESULT_none(task, call)  ((call), rask_return_none(task))
#    define RASK_RESULT_bytes(task, call) rask_return_bytes_(task, call)

/* Where <stdbool.h> makes bool a macro it has become _Bool by the time it is pasted. */
#    define RASK_LETTER__Bool             RASK_LETTER_bool
#    define RASK_RESULT__Bool(task, call) rask_return_bool(task, call)
#    define rask_arg__Bool(task, index)   rask_arg_bool(task, index)

static inline int rask_return_bytes_(rask_task *task, rask_bytes bytes)
{
    return rask_return_bytes(task, bytes.data, bytes.len);
}

#    define RASK_SIG_1(r)                         ""
#    define RASK_SIG_2(r, a)                      RASK_LETTER_##a
#    define RASK_SIG_3(r, a, b)                   RASK_LETTER_##a RASK_LETTER_##b
#    define RASK_SIG_4(r, a, b, c)                RASK_SIG_3(r, a, b) RASK_LETTER_##c
#    define RASK_SIG_5(r, a, b, c, d)             RASK_SIG_4(r, a, b, c) RASK_LETTER_##d
#    define RASK_SIG_6(r, a, b, c, d, e)          RASK_SIG_5(r, a, b, c, d) RASK_LETTER_##e
#    define RASK_SIG_7(r, a, b, c, d, e, f)       RASK_SIG_6(r, a, b, c, d, e) RASK_LETTER_##f
#    define RASK_SIG_8(r, a, b, c, d, e, f, g)    RASK_SIG_7(r, a, b, c, d, e, f) RASK_LETTER_##g
#    define RASK_SIG_9(r, a, b, c, d, e, f, g, h) RASK_SIG_8(r, a, b, c, d, e, f, g) RASK_LETTER_##h
#    define RASK_SIG_10(...)                      RASK_TASK_takes_at_most_8_arguments_use_RASK_SLOTS
#    define RASK_SIG_MANY(...)                    RASK_TASK_takes_at_most_8_arguments_use_RASK_SLOTS
#    define RASK_ARGS_10(...)
#    define RASK_ARGS_MANY(...)
#    define RASK_ARGS_1(r)
#    define RASK_ARGS_2(r, a)                      rask_arg_##a(task, 0)
#    define RASK_ARGS_3(r, a, b)                   RASK_ARGS_2(r, a), rask_arg_##b(task, 1)
#    define RASK_ARGS_4(r, a, b, c)                RASK_ARGS_3(r, a, b), rask_arg_##c(task, 2)
#    define RASK_ARGS_5(r, a, b, c, d)             RASK_ARGS_4(r, a, b, c), rask_arg_##d(task, 3)
#    define RASK_ARGS_6(r, a, b, c, d, e)          RASK_ARGS_5(r, a, b, c, d), rask_arg_##e(task, 4)
#    define RASK_ARGS_7(r, a, b, c, d, e, f)       RASK_ARGS_6(r, a, b, c, d, e), rask_arg_##f(task, 5)
#    define RASK_ARGS_8(r, a, b, c, d, e, f, g)    RASK_ARGS_7(r, a, b, c, d, e, f), rask_arg_##g(task, 6)
#    define RASK_ARGS_9(r, a, b, c, d, e, f, g, h) RASK_ARGS_8(r, a, b, c, d, e, f, g), rask_arg_##h(task, 7)
#    define RASK_RESULT_OF(r, ...)                 RASK_CAT(RASK_RESULT_, r)
#    define RASK_LETTER_OF(r, ...)                 RASK_CAT(RASK_LETTER_, r)

/* A function that can fail takes the task itself: RASK_SLOTS, below.
 *
 * RASK_TASK(function, result, arguments…): makes an ordinary function a task. result is none, bool, i64, f64,
 * str, bytes or value; there are 0 to 8 arguments of bool, i64, f64, str, bytes or value. In C these are
 * void, bool, int64_t, double, const char *, rask_bytes, and for value: const rask_value * as an argument
 * (borrowed), rask_value as a result (owned). str and bytes results are copied. RASK_TASK_WITH(function,
 * (attributes), result, arguments…) adds designated initialisers of rask_task_def: RASK_TASK_WITH(area,
 * (.flags = RASK_PURE, .retries = 2), f64, f64, f64); */
#    define RASK_TASK(function, ...) RASK_TASK_WITH(function, (.flags = 0), __VA_ARGS__)
#    define RASK_TASK_WITH(function, attributes, ...)                                                        \
        static int RASK_CAT(rask_call_of_, function)(rask_task * task)                                       \
        {                                                                                                    \
            (void)task;                                                                                      \
            return RASK_RESULT_FIRST(__VA_ARGS__, )(                                                         \
                task, function(RASK_CAT(RASK_ARGS_, RASK_COUNT(__VA_ARGS__))(__VA_ARGS__)));                 \
        }                                                                                                    \
        RASK_UNUSED static const rask_task_def RASK_CAT(rask_task_of_, function) = {                         \
            .size = sizeof(rask_task_def),                                                                   \
            .name = #function,                                                                               \
            .call = RASK_CAT(rask_call_of_, function),                                                       \
            .identity = (void (*)(void))function,                                                            \
            .arguments = RASK_CAT(RASK_SIG_, RASK_COUNT(__VA_ARGS__))(__VA_ARGS__),                          \
            .result = RASK_LETTER_FIRST(__VA_ARGS__, )[0],                                                   \
            RASK_UNWRAP attributes}
#    define RASK_UNWRAP(...)          __VA_ARGS__
#    define RASK_RESULT_FIRST(r, ...) RASK_RESULT_##r
#    define RASK_LETTER_FIRST(r, ...) RASK_LETTER_##r

/* RASK_SLOTS(function): makes a task of an int function(rask_task *) that takes what arguments it likes. */
#    define RASK_SLOTS(function) RASK_SLOTS_WITH(function, (.flags = 0))
#    define RASK_SLOTS_WITH(function, attributes)                                                            \
        RASK_UNUSED static const rask_task_def RASK_CAT(rask_task_of_, function) = {                         \
            .size = sizeof(rask_task_def), .name = #function, .call = function, RASK_UNWRAP attributes}

/* The definition that the macros above made. */
#    define RASK_DEF(function) (&RASK_CAT(rask_task_of_, function))

/* Anything as an argument. */
static inline rask_arg rask_arg_of_node(rask_node *node)
{
    return (rask_arg){.kind = RASK_ARG_NODE, .as.node = node};
}
static inline rask_arg rask_arg_of_bool(bool b)
{
    return (rask_arg){.kind = RASK_ARG_BOOL, .as.boolean = b};
}
static inline rask_arg rask_arg_of_i64(int64_t i)
{
    return (rask_arg){.kind = RASK_ARG_I64, .as.i64 = i};
}
static inline rask_arg rask_arg_of_u64(uint64_t u)
{
    return (rask_arg){.kind = RASK_ARG_U64, .as.u64 = u};
}
static inline rask_arg rask_arg_of_f64(double f)
{
    return (rask_arg){.kind = RASK_ARG_F64, .as.f64 = f};
}
static inline rask_arg rask_arg_of_str(const char *s)
{
    return (rask_arg){.kind = RASK_ARG_STR, .as.str = s};
}
static inline rask_arg rask_arg_of_bytes(rask_bytes b)
{
    return (rask_arg){.kind = RASK_ARG_BYTES, .as.bytes = b};
}
static inline rask_arg rask_arg_of_value(const rask_value *v)
{
    return (rask_arg){.kind = RASK_ARG_VALUE, .as.value = v};
}
#    define RASK_ARG(x)                                                                                      \
        _Generic((x),                                                                                            \
        rask_node *: rask_arg_of_node, bool: rask_arg_of_bool, char: rask_arg_of_i64,                        \
        signed char: rask_arg_of_i64, unsigned char: rask_arg_of_i64, short: rask_arg_of_i64,                \
        unsigned short: rask_arg_of_i64, int: rask_arg_of_i64, unsigned: rask_arg_of_i64,                    \
        long: rask_arg_of_i64, unsigned long: rask_arg_of_u64, long long: rask_arg_of_i64,                   \
        unsigned long long: rask_arg_of_u64, float: rask_arg_of_f64, double: rask_arg_of_f64,                \
        char *: rask_arg_of_str, const char *: rask_arg_of_str, rask_bytes: rask_arg_of_bytes,               \
        rask_value *: rask_arg_of_value, const rask_value *: rask_arg_of_value)(x)

/* rask_delayed(graph, function, arguments…): a call of function, later. Up to 8 arguments: numbers, bools,
 * strings, rask_bytes, rask_value pointers, nodes. */
#    define rask_delayed(...) RASK_CAT(RASK_DELAYED_, RASK_COUNT(__VA_ARGS__))(__VA_ARGS__)
#    define RASK_DELAY(g, f, n, ...)                                                                         \
        rask_call_at(g, RASK_DEF(f), (const rask_arg[]){__VA_ARGS__}, n, __FILE__, __LINE__)
#    define RASK_DELAYED_2(g, f)          rask_call_at(g, RASK_DEF(f), NULL, 0, __FILE__, __LINE__)
#    define RASK_DELAYED_3(g, f, a)       RASK_DELAY(g, f, 1, RASK_ARG(a))
#    define RASK_DELAYED_4(g, f, a, b)    RASK_DELAY(g, f, 2, RASK_ARG(a), RASK_ARG(b))
#    define RASK_DELAYED_5(g, f, a, b, c) RASK_DELAY(g, f, 3, RASK_ARG(a), RASK_ARG(b), RASK_ARG(c))
#    define RASK_DELAYED_6(g, f, a, b, c, d)                                                                 \
        RASK_DELAY(g, f, 4, RASK_ARG(a), RASK_ARG(b), RASK_ARG(c), RASK_ARG(d))
#    define RASK_DELAYED_7(g, f, a, b, c, d, e)                                                              \
        RASK_DELAY(g, f, 5, RASK_ARG(a), RASK_ARG(b), RASK_ARG(c), RASK_ARG(d), RASK_ARG(e))
#    define RASK_DELAYED_8(g, f, a, b, c, d, e, h)                                                           \
        RASK_DELAY(g, f, 6, RASK_ARG(a), RASK_ARG(b), RASK_ARG(c), RASK_ARG(d), RASK_ARG(e), RASK_ARG(h))
#    define RASK_DELAYED_9(g, f, a, b, c, d, e, h, i)                                                        \
        RASK_DELAY(g, f, 7, RASK_ARG(a), RASK_ARG(b), RASK_ARG(c), RASK_ARG(d), RASK_ARG(e), RASK_ARG(h),    \
                   RASK_ARG(i))
#    define RASK_DELAYED_10(g, f, a, b, c, d, e, h, i, j)                                                    \
        RASK_DELAY(g, f, 8, RASK_ARG(a), RASK_ARG(b), RASK_ARG(c), RASK_ARG(d), RASK_ARG(e), RASK_ARG(h),    \
                   RASK_ARG(i), RASK_ARG(j))
#    define RASK_DELAYED_MANY(...) rask_delayed_takes_at_most_8_arguments_use_rask_call()

/* rask_delayed_outputs(graph, function, outs, count, args, nargs): several results from one call. */
#    define rask_delayed_outputs(g, f, outs, count, args, nargs)                                             \
        rask_call_outputs_at(g, RASK_DEF(f), args, nargs, outs, count, __FILE__, __LINE__)

#    define rask_const(graph, x)       rask_const_at(graph, (const rask_arg[]){RASK_ARG(x)}, __FILE__, __LINE__)
#    define rask_input(graph, x)       rask_input_at(graph, (const rask_arg[]){RASK_ARG(x)}, __FILE__, __LINE__)
#    define rask_apply(function, list) rask_apply_at(RASK_DEF(function), list, __FILE__, __LINE__)
#    define rask_reduce(list, function, fan_in)                                                              \
        rask_reduce_at(list, RASK_DEF(function), fan_in, __FILE__, __LINE__)

/* rask_compute(target, &variable): now. target is a node or an array of one number. The variable is a bool, int64_t,
 * long long, double or, for nodes, rask_value. */
#    define RASK_OUT_KIND(out)                                                                               \
        _Generic((out), bool *: RASK_OUT_BOOL, long *: RASK_OUT_I64, long long *: RASK_OUT_I64, double *: RASK_OUT_F64, rask_value *: RASK_OUT_VALUE)
#    define rask_compute_with(target, options, out)                                                          \
        _Generic((target), rask_array *                                                                      \
                 : rask_array_compute_out, rask_bag *                                                        \
                 : rask_bag_compute_out, default                                                             \
                 : rask_compute_out)(target, options, RASK_OUT_KIND(out), out)
#    define rask_compute(target, out) rask_compute_with(target, NULL, out)
/* rask_future_get(future, &variable): waits for it. */
#    define rask_future_get(future, out) rask_future_out(future, RASK_OUT_KIND(out), out)

_Static_assert(sizeof(long long) == sizeof(int64_t), "i64 results are written through long long pointers");

/* -- Bags. A function, then designated initialisers of what is said of it: rask_bag_map(lines, parse, .result = "x",
 * .struct_size = sizeof(point), .context = rask_graph_context(g, &limits, sizeof limits)). */
#    define rask_bag_map(bag, function, ...)                                                                 \
        rask_bag_map_at(bag, RASK_BAG_WITH(rask_bag_function, function, __VA_ARGS__), __FILE__, __LINE__)
#    define rask_bag_flat_map(bag, function, ...)                                                            \
        rask_bag_flat_map_at(bag, RASK_BAG_WITH(rask_bag_function, function, __VA_ARGS__), __FILE__, __LINE__)
#    define rask_bag_groupby(bag, function, ...)                                                             \
        rask_bag_groupby_at(bag, RASK_BAG_WITH(rask_bag_gathering, function, __VA_ARGS__), __FILE__, __LINE__)
#    define rask_bag_map_partitions(bag, function, ...)                                                      \
        rask_bag_map_partitions_at(bag, RASK_BAG_WITH(rask_bag_gathering, function, __VA_ARGS__), __FILE__,  \
                                   __LINE__)
/* Of the two functions of a folding. */
#    define rask_bag_fold(bag, add, combine, ...)                                                            \
        rask_bag_fold_at(bag, RASK_BAG_FOLDING(add, combine, __VA_ARGS__), __FILE__, __LINE__)
#    define rask_bag_foldby(bag, add, combine, ...)                                                          \
        rask_bag_foldby_at(bag, RASK_BAG_FOLDING(add, combine, __VA_ARGS__), __FILE__, __LINE__)
#    define RASK_BAG_WITH(type, function, ...)                                                               \
        (&(const type){.size = sizeof(type), .name = #function, .call = (function), __VA_ARGS__})
#    define RASK_BAG_FOLDING(add_, combine_, ...)                                                            \
        (&(const rask_bag_folding){.size = sizeof(rask_bag_folding),                                         \
                                   .name = #add_,                                                            \
                                   .add = (add_),                                                            \
                                   .combine = (combine_),                                                    \
                                   __VA_ARGS__})

/* -- Arrays. Wherever an operand is an array, it may be a number: bool, integers, floats and complex ones. */

static inline rask_operand rask_operand_of_array(rask_array *array)
{
    return (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = array};
}
static inline rask_operand rask_operand_of_bool(bool b)
{
    return (rask_operand){.kind = RASK_OPERAND_BOOL, .as.boolean = b};
}
static inline rask_operand rask_operand_of_i64(int64_t i)
{
    return (rask_operand){.kind = RASK_OPERAND_I64, .as.i64 = i};
}
static inline rask_operand rask_operand_of_u64(uint64_t u)
{
    return (rask_operand){.kind = RASK_OPERAND_U64, .as.u64 = u};
}
static inline rask_operand rask_operand_of_f64(double f)
{
    return (rask_operand){.kind = RASK_OPERAND_F64, .as.f64 = f};
}
static inline rask_operand rask_operand_as_it_is(rask_operand operand)
{
    return operand;
}
#    ifdef __STDC_NO_COMPLEX__
#        define RASK_OPERAND_COMPLEX_
#    else
static inline rask_operand rask_operand_of_c128(double _Complex z)
{
    union {
        double _Complex whole;
        double halves[2];
    } u = {z};
    return (rask_operand){.kind = RASK_OPERAND_C128, .as.c128 = {u.halves[0], u.halves[1]}};
}
#        define RASK_OPERAND_COMPLEX_                                                                        \
            float _Complex : rask_operand_of_c128, double _Complex : rask_operand_of_c128,
#    endif
#    define RASK_OPERAND(x)                                                                                  \
        _Generic((x), rask_array *                                                                           \
                 : rask_operand_of_array, rask_operand                                                       \
                 : rask_operand_as_it_is, bool                                                               \
                 : rask_operand_of_bool, char                                                                \
                 : rask_operand_of_i64, signed char                                                          \
                 : rask_operand_of_i64, unsigned char                                                        \
                 : rask_operand_of_i64, short                                                                \
                 : rask_operand_of_i64, unsigned short                                                       \
                 : rask_operand_of_i64, int                                                                  \
                 : rask_operand_of_i64, unsigned                                                             \
                 : rask_operand_of_i64, long                                                                 \
                 : rask_operand_of_i64, unsigned long                                                        \
                 : rask_operand_of_u64, long long                                                            \
                 : rask_operand_of_i64, unsigned long long                                                   \
                 : rask_operand_of_u64, RASK_OPERAND_COMPLEX_ float                                          \
                 : rask_operand_of_f64, double                                                               \
                 : rask_operand_of_f64)(x)
/* Lengths or axes, written out: RASK_SHAPE(3, 4) is the number of them and a pointer, as most calls take them. */
#    define RASK_LENGTHS(...)        ((const int64_t[]){__VA_ARGS__})
#    define RASK_AXES(...)           ((const int[]){__VA_ARGS__})
#    define RASK_COUNT_OF(type, ...) ((uint32_t)(sizeof((const type[]){__VA_ARGS__}) / sizeof(type)))
#    define RASK_SHAPE(...)          RASK_COUNT_OF(int64_t, __VA_ARGS__), RASK_LENGTHS(__VA_ARGS__)
/* Made of nothing: rask_array_zeros(graph, RASK_DT_F32, 1000, 1000). */
#    define rask_array_full(graph, dtype, value, ...)                                                        \
        rask_array_full_at(graph, dtype, RASK_SHAPE(__VA_ARGS__), RASK_OPERAND(value), __FILE__, __LINE__)
#    define rask_array_zeros(graph, dtype, ...) rask_array_full(graph, dtype, 0, __VA_ARGS__)
#    define rask_array_ones(graph, dtype, ...)  rask_array_full(graph, dtype, 1, __VA_ARGS__)
#    define rask_array_arange(graph, start, stop, step)                                                      \
        rask_array_arange_at(graph, RASK_OPERAND(start), RASK_OPERAND(stop), RASK_OPERAND(step),             \
                             RASK_DT_COUNT, __FILE__, __LINE__)
#    define rask_array_linspace(graph, start, stop, count)                                                   \
        rask_array_linspace_at(graph, start, stop, count, true, __FILE__, __LINE__)
#    define rask_array_eye(graph, dtype, n) rask_array_eye_at(graph, n, n, 0, dtype, __FILE__, __LINE__)
#    define rask_array_uniform(graph, seed, low, high, ...)                                                  \
        rask_array_uniform_at(graph, seed, low, high, RASK_SHAPE(__VA_ARGS__), __FILE__, __LINE__)
#    define rask_array_normal(graph, seed, mean, deviation, ...)                                             \
        rask_array_normal_at(graph, seed, mean, deviation, RASK_SHAPE(__VA_ARGS__), __FILE__, __LINE__)
#    define rask_array_integers(graph, seed, low, high, ...)                                                 \
        rask_array_integers_at(graph, seed, low, high, RASK_SHAPE(__VA_ARGS__), __FILE__, __LINE__)
#    define rask_array_from_dlpack(graph, tensor) rask_array_from_dlpack_at(graph, tensor, __FILE__, __LINE__)

/* Element by element. Short names: abs sub mul div mod pow eq ne lt le gt ge; and or xor not, of truth values, not bits; else NumPy's. */
#    define RASK_UNARY_(op, a) rask_array_unary_at(RASK_UNARY_##op, a, __FILE__, __LINE__)
#    define RASK_BINARY_(op, a, b)                                                                           \
        rask_array_binary_at(RASK_BINARY_##op, RASK_OPERAND(a), RASK_OPERAND(b), __FILE__, __LINE__)
#    define rask_array_add(a, b)          RASK_BINARY_(ADD, a, b)
#    define rask_array_sub(a, b)          RASK_BINARY_(SUB, a, b)
#    define rask_array_mul(a, b)          RASK_BINARY_(MUL, a, b)
#    define rask_array_div(a, b)          RASK_BINARY_(DIV, a, b)
#    define rask_array_floor_divide(a, b) RASK_BINARY_(FLOOR_DIVIDE, a, b)
#    define rask_array_mod(a, b)          RASK_BINARY_(REMAINDER, a, b)
#    define rask_array_fmod(a, b)         RASK_BINARY_(FMOD, a, b)
#    define rask_array_pow(a, b)          RASK_BINARY_(POWER, a, b)
#    define rask_array_minimum(a, b)      RASK_BINARY_(MINIMUM, a, b)
#    define rask_array_maximum(a, b)      RASK_BINARY_(MAXIMUM, a, b)
#    define rask_array_fmin(a, b)         RASK_BINARY_(FMIN, a, b)
#    define rask_array_fmax(a, b)         RASK_BINARY_(FMAX, a, b)
#    define rask_array_arctan2(a, b)      RASK_BINARY_(ARCTAN2, a, b)
#    define rask_array_hypot(a, b)        RASK_BINARY_(HYPOT, a, b)
#    define rask_array_copysign(a, b)     RASK_BINARY_(COPYSIGN, a, b)
#    define rask_array_eq(a, b)           RASK_BINARY_(EQUAL, a, b)
#    define rask_array_ne(a, b)           RASK_BINARY_(NOT_EQUAL, a, b)
#    define rask_array_lt(a, b)           RASK_BINARY_(LESS, a, b)
#    define rask_array_le(a, b)           RASK_BINARY_(LESS_EQUAL, a, b)
#    define rask_array_gt(a, b)           RASK_BINARY_(GREATER, a, b)
#    define rask_array_ge(a, b)           RASK_BINARY_(GREATER_EQUAL, a, b)
#    define rask_array_and(a, b)          RASK_BINARY_(LOGICAL_AND, a, b)
#    define rask_array_or(a, b)           RASK_BINARY_(LOGICAL_OR, a, b)
#    define rask_array_xor(a, b)          RASK_BINARY_(LOGICAL_XOR, a, b)
#    define rask_array_bitwise_and(a, b)  RASK_BINARY_(BITWISE_AND, a, b)
#    define rask_array_bitwise_or(a, b)   RASK_BINARY_(BITWISE_OR, a, b)
#    define rask_array_bitwise_xor(a, b)  RASK_BINARY_(BITWISE_XOR, a, b)
#    define rask_array_left_shift(a, b)   RASK_BINARY_(LEFT_SHIFT, a, b)
#    define rask_array_right_shift(a, b)  RASK_BINARY_(RIGHT_SHIFT, a, b)
#    define rask_array_negative(a)        RASK_UNARY_(NEGATIVE, a)
#    define rask_array_positive(a)        RASK_UNARY_(POSITIVE, a)
#    define rask_array_abs(a)             RASK_UNARY_(ABSOLUTE, a)
#    define rask_array_sign(a)            RASK_UNARY_(SIGN, a)
#    define rask_array_square(a)          RASK_UNARY_(SQUARE, a)
#    define rask_array_sqrt(a)            RASK_UNARY_(SQRT, a)
#    define rask_array_cbrt(a)            RASK_UNARY_(CBRT, a)
#    define rask_array_reciprocal(a)      RASK_UNARY_(RECIPROCAL, a)
#    define rask_array_exp(a)             RASK_UNARY_(EXP, a)
#    define rask_array_exp2(a)            RASK_UNARY_(EXP2, a)
#    define rask_array_expm1(a)           RASK_UNARY_(EXPM1, a)
#    define rask_array_log(a)             RASK_UNARY_(LOG, a)
#    define rask_array_log2(a)            RASK_UNARY_(LOG2, a)
#    define rask_array_log10(a)           RASK_UNARY_(LOG10, a)
#    define rask_array_log1p(a)           RASK_UNARY_(LOG1P, a)
#    define rask_array_sin(a)             RASK_UNARY_(SIN, a)
#    define rask_array_cos(a)             RASK_UNARY_(COS, a)
#    define rask_array_tan(a)             RASK_UNARY_(TAN, a)
#    define rask_array_arcsin(a)          RASK_UNARY_(ARCSIN, a)
#    define rask_array_arccos(a)          RASK_UNARY_(ARCCOS, a)
#    define rask_array_arctan(a)          RASK_UNARY_(ARCTAN, a)
#    define rask_array_sinh(a)            RASK_UNARY_(SINH, a)
#    define rask_array_cosh(a)            RASK_UNARY_(COSH, a)
#    define rask_array_tanh(a)            RASK_UNARY_(TANH, a)
#    define rask_array_arcsinh(a)         RASK_UNARY_(ARCSINH, a)
#    define rask_array_arccosh(a)         RASK_UNARY_(ARCCOSH, a)
#    define rask_array_arctanh(a)         RASK_UNARY_(ARCTANH, a)
#    define rask_array_floor(a)           RASK_UNARY_(FLOOR, a)
#    define rask_array_ceil(a)            RASK_UNARY_(CEIL, a)
#    define rask_array_trunc(a)           RASK_UNARY_(TRUNC, a)
#    define rask_array_rint(a)            RASK_UNARY_(RINT, a)
#    define rask_array_invert(a)          RASK_UNARY_(INVERT, a)
#    define rask_array_not(a)             RASK_UNARY_(LOGICAL_NOT, a)
#    define rask_array_isnan(a)           RASK_UNARY_(ISNAN, a)
#    define rask_array_isinf(a)           RASK_UNARY_(ISINF, a)
#    define rask_array_isfinite(a)        RASK_UNARY_(ISFINITE, a)
#    define rask_array_signbit(a)         RASK_UNARY_(SIGNBIT, a)
#    define rask_array_real(a)            RASK_UNARY_(REAL, a)
#    define rask_array_imag(a)            RASK_UNARY_(IMAG, a)
#    define rask_array_conj(a)            RASK_UNARY_(CONJ, a)
#    define rask_array_angle(a)           RASK_UNARY_(ANGLE, a)
#    define rask_array_deg2rad(a)         RASK_UNARY_(DEG2RAD, a)
#    define rask_array_rad2deg(a)         RASK_UNARY_(RAD2DEG, a)
#    define rask_array_where(condition, a, b)                                                                \
        rask_array_where_at(condition, RASK_OPERAND(a), RASK_OPERAND(b), __FILE__, __LINE__)
/* At least low, then at most high. */
#    define rask_array_clip(a, low, high)                                                                    \
        rask_array_min_of_(rask_array_maximum(a, low), RASK_OPERAND(high), __FILE__, __LINE__)
static inline rask_array *rask_array_min_of_(rask_array *a, rask_operand high, const char *file, int line)
{
    return rask_array_binary_at(RASK_BINARY_MINIMUM, rask_operand_of_array(a), high, file, line);
}
#    define rask_array_round(a, decimals) rask_array_round_at(a, decimals, __FILE__, __LINE__)
#    define rask_array_astype(a, dtype)   rask_array_astype_at(a, dtype, __FILE__, __LINE__)

/* Along one axis, or RASK_ALL; with more to say: rask_array_reduce(RASK_REDUCE_SUM, a, &options). */
#    define rask_array_reduce(op, a, options) rask_array_reduce_at(op, a, options, __FILE__, __LINE__)
#    define RASK_REDUCTION_(op, a, axis)                                                                     \
        rask_array_reduce_axis_at(RASK_REDUCE_##op, a, axis, __FILE__, __LINE__)
#    define rask_array_sum(a, axis)               RASK_REDUCTION_(SUM, a, axis)
#    define rask_array_prod(a, axis)              RASK_REDUCTION_(PROD, a, axis)
#    define rask_array_min(a, axis)               RASK_REDUCTION_(MIN, a, axis)
#    define rask_array_max(a, axis)               RASK_REDUCTION_(MAX, a, axis)
#    define rask_array_mean(a, axis)              RASK_REDUCTION_(MEAN, a, axis)
#    define rask_array_var(a, axis)               RASK_REDUCTION_(VAR, a, axis)
#    define rask_array_std(a, axis)               RASK_REDUCTION_(STD, a, axis)
#    define rask_array_any(a, axis)               RASK_REDUCTION_(ANY, a, axis)
#    define rask_array_all(a, axis)               RASK_REDUCTION_(ALL, a, axis)
#    define rask_array_argmin(a, axis)            RASK_REDUCTION_(ARGMIN, a, axis)
#    define rask_array_argmax(a, axis)            RASK_REDUCTION_(ARGMAX, a, axis)
#    define rask_array_count_nonzero(a, axis)     RASK_REDUCTION_(COUNT_NONZERO, a, axis)
#    define rask_array_nansum(a, axis)            RASK_REDUCTION_(NANSUM, a, axis)
#    define rask_array_nanprod(a, axis)           RASK_REDUCTION_(NANPROD, a, axis)
#    define rask_array_nanmin(a, axis)            RASK_REDUCTION_(NANMIN, a, axis)
#    define rask_array_nanmax(a, axis)            RASK_REDUCTION_(NANMAX, a, axis)
#    define rask_array_nanmean(a, axis)           RASK_REDUCTION_(NANMEAN, a, axis)
#    define rask_array_nanvar(a, axis)            RASK_REDUCTION_(NANVAR, a, axis)
#    define rask_array_nanstd(a, axis)            RASK_REDUCTION_(NANSTD, a, axis)
#    define rask_array_nanargmin(a, axis)         RASK_REDUCTION_(NANARGMIN, a, axis)
#    define rask_array_nanargmax(a, axis)         RASK_REDUCTION_(NANARGMAX, a, axis)
#    define rask_array_cumsum(a, axis)            rask_array_cumsum_at(a, axis, __FILE__, __LINE__)
#    define rask_array_cumprod(a, axis)           rask_array_cumprod_at(a, axis, __FILE__, __LINE__)
#    define rask_array_median(a, axis)            rask_array_median_at(a, axis, __FILE__, __LINE__)
#    define rask_array_nanmedian(a, axis)         rask_array_nanmedian_at(a, axis, __FILE__, __LINE__)
#    define rask_array_sort(a, axis)              rask_array_sort_at(a, axis, __FILE__, __LINE__)
#    define rask_array_argsort(a, axis)           rask_array_argsort_at(a, axis, __FILE__, __LINE__)
#    define rask_array_histogram(a, edges, count) rask_array_histogram_at(a, edges, count, __FILE__, __LINE__)
#    define rask_array_histogram_bins(a, bins, range, edges)                                                 \
        rask_array_histogram_bins_at(a, bins, range, edges, __FILE__, __LINE__)
#    define rask_array_quantile(a, q, count, axis)                                                           \
        rask_array_quantile_at(a, q, count, axis, __FILE__, __LINE__)
#    define rask_array_nanquantile(a, q, count, axis)                                                        \
        rask_array_nanquantile_at(a, q, count, axis, __FILE__, __LINE__)
#    define rask_array_percentile(a, q, count, axis)                                                         \
        rask_array_percentile_at(a, q, count, axis, __FILE__, __LINE__)
#    define rask_array_topk(a, k)                 rask_array_topk_at(a, k, __FILE__, __LINE__)
#    define rask_array_unique(a, counts, options) rask_array_unique_at(a, counts, options, __FILE__, __LINE__)
#    define rask_array_convolve(a, v, mode)       rask_array_convolve_at(a, v, mode, __FILE__, __LINE__)
#    define rask_array_interp(x, xp, fp, left, right)                                                        \
        rask_array_interp_at(x, xp, fp, left, right, __FILE__, __LINE__)
#    define rask_array_norm(a, ord, axis) rask_array_norm_at(a, ord, axis, __FILE__, __LINE__)

/* Shape: rask_array_slice(a, RASK_RANGE(0, 10), RASK_EVERY(-1), RASK_INDEX(3)), rask_array_reshape(a, -1, 3). */
#    define RASK_RANGE(from, to)     ((rask_slice){RASK_SLICE_RANGE, from, to, RASK_DEFAULT})
#    define RASK_STEPS(from, to, by) ((rask_slice){RASK_SLICE_RANGE, from, to, by})
#    define RASK_EVERY(by)           ((rask_slice){RASK_SLICE_RANGE, RASK_DEFAULT, RASK_DEFAULT, by})
#    define RASK_WHOLE               RASK_EVERY(RASK_DEFAULT)
#    define RASK_INDEX(index)        ((rask_slice){RASK_SLICE_INDEX, index, 0, 0})
#    define RASK_NEWAXIS             ((rask_slice){RASK_SLICE_NEWAXIS, 0, 0, 0})
#    define RASK_ELLIPSIS            ((rask_slice){RASK_SLICE_ELLIPSIS, 0, 0, 0})
#    define rask_array_slice(a, ...)                                                                         \
        rask_array_slice_at(a, (const rask_slice[]){__VA_ARGS__}, RASK_COUNT_OF(rask_slice, __VA_ARGS__),    \
                            __FILE__, __LINE__)
#    define rask_array_transpose(a) rask_array_transpose_at(a, NULL, 0, __FILE__, __LINE__)
#    define rask_array_permute(a, ...)                                                                       \
        rask_array_transpose_at(a, RASK_AXES(__VA_ARGS__), RASK_COUNT_OF(int, __VA_ARGS__), __FILE__,        \
                                __LINE__)
#    define rask_array_broadcast_to(a, ...)                                                                  \
        rask_array_broadcast_to_at(a, RASK_SHAPE(__VA_ARGS__), __FILE__, __LINE__)
#    define rask_array_reshape(a, ...)            rask_array_reshape_at(a, RASK_SHAPE(__VA_ARGS__), __FILE__, __LINE__)
#    define rask_array_ravel(a)                   rask_array_ravel_at(a, __FILE__, __LINE__)
#    define rask_array_squeeze(a, axis)           rask_array_squeeze_at(a, axis, __FILE__, __LINE__)
#    define rask_array_expand_dims(a, axis)       rask_array_expand_dims_at(a, axis, __FILE__, __LINE__)
#    define rask_array_flip(a, axis)              rask_array_flip_at(a, axis, __FILE__, __LINE__)
#    define rask_array_swapaxes(a, first, second) rask_array_swapaxes_at(a, first, second, __FILE__, __LINE__)
#    define rask_array_moveaxis(a, from, to)      rask_array_moveaxis_at(a, from, to, __FILE__, __LINE__)
#    define rask_array_diagonal(a, offset, axis1, axis2)                                                     \
        rask_array_diagonal_at(a, offset, axis1, axis2, __FILE__, __LINE__)
#    define rask_array_take(a, indices, axis) rask_array_take_at(a, indices, axis, __FILE__, __LINE__)
#    define rask_array_compress(a, mask, axis, options)                                                      \
        rask_array_compress_at(a, mask, axis, options, __FILE__, __LINE__)
#    define rask_array_concatenate(arrays, count, axis)                                                      \
        rask_array_concatenate_at(arrays, count, axis, __FILE__, __LINE__)
#    define rask_array_stack(arrays, count, axis) rask_array_stack_at(arrays, count, axis, __FILE__, __LINE__)
#    define rask_array_block(arrays, rows, columns)                                                          \
        rask_array_block_at(arrays, rows, columns, __FILE__, __LINE__)
#    define rask_array_roll(a, shift, axis)   rask_array_roll_at(a, shift, axis, __FILE__, __LINE__)
#    define rask_array_repeat(a, times, axis) rask_array_repeat_at(a, times, axis, __FILE__, __LINE__)
#    define rask_array_tile(a, ...)                                                                          \
        rask_array_tile_at(a, RASK_LENGTHS(__VA_ARGS__), RASK_COUNT_OF(int64_t, __VA_ARGS__), __FILE__,      \
                           __LINE__)
#    define rask_array_pad(a, before, after, mode, value)                                                    \
        rask_array_pad_at(a, before, after, mode, RASK_OPERAND(value), __FILE__, __LINE__)
#    define rask_array_rechunk(a, ...)                                                                       \
        rask_array_rechunk_at(a, RASK_LENGTHS(__VA_ARGS__), RASK_COUNT_OF(int64_t, __VA_ARGS__), __FILE__,   \
                              __LINE__)
#    define rask_array_map_blocks(arrays, count, function, context, dtype)                                   \
        rask_array_map_blocks_at(arrays, count, function, context, dtype, __FILE__, __LINE__)
#    define rask_array_map_overlap(a, depth, boundary, value, function, context, dtype)                      \
        rask_array_map_overlap_at(a, depth, boundary, value, function, context, dtype, __FILE__, __LINE__)

/* Linear algebra and FFT. */
#    define rask_array_matmul(a, b) rask_array_matmul_at(a, b, __FILE__, __LINE__)
#    define rask_array_dot(a, b)    rask_array_dot_at(a, b, __FILE__, __LINE__)
#    define rask_array_outer(a, b)  rask_array_outer_at(a, b, __FILE__, __LINE__)
#    define rask_array_einsum(labels, arrays, count)                                                         \
        rask_array_einsum_at(labels, arrays, count, __FILE__, __LINE__)
#    define rask_array_kron(a, b)        rask_array_kron_at(a, b, __FILE__, __LINE__)
#    define rask_array_cross(a, b, axis) rask_array_cross_at(a, b, axis, __FILE__, __LINE__)
#    define rask_array_solve(a, b)       rask_array_solve_at(a, b, __FILE__, __LINE__)
#    define rask_array_lstsq(a, b)       rask_array_lstsq_at(a, b, __FILE__, __LINE__)
#    define rask_array_tensordot(a, b, a_axes, b_axes, count)                                                \
        rask_array_tensordot_at(a, b, a_axes, b_axes, count, __FILE__, __LINE__)
#    define rask_array_qr(a, q, r)      rask_array_qr_at(a, q, r, __FILE__, __LINE__)
#    define rask_array_svd(a, u, s, vt) rask_array_svd_at(a, u, s, vt, __FILE__, __LINE__)
#    define rask_array_eigh(a, values, vectors)                                                              \
        rask_array_eigh_at(a, false, values, vectors, __FILE__, __LINE__)
#    define rask_array_eig(a, values, vectors) rask_array_eig_at(a, values, vectors, __FILE__, __LINE__)
#    define rask_array_cholesky(a)             rask_array_cholesky_at(a, __FILE__, __LINE__)
#    define rask_array_lu(a, p, l, u)          rask_array_lu_at(a, p, l, u, __FILE__, __LINE__)
#    define rask_array_fft(a, axis)            rask_array_fft_at(a, axis, false, __FILE__, __LINE__)
#    define rask_array_ifft(a, axis)           rask_array_fft_at(a, axis, true, __FILE__, __LINE__)
#    define rask_array_rfft(a, axis)           rask_array_rfft_at(a, axis, __FILE__, __LINE__)
#    define rask_array_irfft(a, axis, n)       rask_array_irfft_at(a, axis, n, __FILE__, __LINE__)

#    define rask_eval_operands(graph, text, names, operands, count, options)                                 \
        rask_eval_operands_at(graph, text, names, operands, count, options, __FILE__, __LINE__)
#    define rask_eval_several(graph, text, names, operands, count, options, arrays, most)                    \
        rask_eval_several_at(graph, text, names, operands, count, options, arrays, most, __FILE__, __LINE__)

#endif
#endif
