/* What tests assert, in a program that is no test of Criterion's but plays many scenes in one process, such as the first rank of a
 * job: the same words, and a line on stderr and the end where something is not so. */
#ifndef RASK_TESTS_SCHEDULERS_PLAIN_H
#define RASK_TESTS_SCHEDULERS_PLAIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 5, 6))) static inline void
plain_assert(bool holds, const char *file, int line, const char *what, const char *format, ...)
{
    va_list args;
    if (holds)
        return;
    fprintf(stderr, "%s:%d: not so: %s:", file, line, what);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

#define PLAIN_ASSERT(holds, what, ...) plain_assert(holds, __FILE__, __LINE__, what, " " __VA_ARGS__)
#define PLAIN_COMPARE(op, a, b, ...)   PLAIN_ASSERT((a)op(b), #a " " #op " " #b, __VA_ARGS__)

#define cr_assert(holds, ...)            PLAIN_ASSERT(holds, #holds, __VA_ARGS__)
#define cr_assert_not(holds, ...)        PLAIN_ASSERT(!(holds), "not " #holds, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)          PLAIN_COMPARE(==, a, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)         PLAIN_COMPARE(!=, a, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)          PLAIN_COMPARE(<, a, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)         PLAIN_COMPARE(<=, a, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)          PLAIN_COMPARE(>, a, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)         PLAIN_COMPARE(>=, a, b, __VA_ARGS__)
#define cr_assert_null(pointer, ...)     PLAIN_ASSERT(!(pointer), #pointer " is NULL", __VA_ARGS__)
#define cr_assert_not_null(pointer, ...) PLAIN_ASSERT((pointer), #pointer " is not NULL", __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)      PLAIN_ASSERT(!strcmp(a, b), #a " is " #b, __VA_ARGS__)

#endif
