/* rask/sugar.h: one-line macros over the plain calls. C only: C++ and other languages use the calls
 * themselves. */
#ifndef RASK_SUGAR_H
#define RASK_SUGAR_H

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

/* rask_compute(target, &variable): now. The variable is a bool, int64_t, long long, double or rask_value. */
#    define RASK_OUT_KIND(out)                                                                               \
        _Generic((out), bool *: RASK_OUT_BOOL, long *: RASK_OUT_I64, long long *: RASK_OUT_I64,                  \
             double *: RASK_OUT_F64, rask_value *: RASK_OUT_VALUE)
#    define rask_compute_with(target, options, out) rask_compute_out(target, options, RASK_OUT_KIND(out), out)
#    define rask_compute(target, out)               rask_compute_with(target, NULL, out)

_Static_assert(sizeof(long long) == sizeof(int64_t), "i64 results are written through long long pointers");

#endif
#endif
