/* Which kernel an operator means for the types of its operands. */
#include "collections/table/expr/compile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is a date without quotes is a difference of numbers. */
static bool is_calculated_date(const rk_compiler *c, const rk_expr_value *a, const rk_expr_value *b)
{
    return (a->type == RASK_COL_DATE || a->type == RASK_COL_TIMESTAMP) && b->type == RASK_COL_I64 &&
           rk_compile_constant(c, b);
}

static bool misfit(rk_compiler *c, uint32_t node, const rk_expr_value *a, const rk_expr_value *b)
{
    char left[RK_VALUE_TEXT], right[RK_VALUE_TEXT];
    const rk_syntax *syntax = rk_compile_node(c, node);
    const char *mark = rk_mark_text(syntax->mark);
    if (!b)
        return rk_syntax_fail(c->error, RASK_ETYPE, syntax->at, "'%s' does not go with %s", mark,
                              rk_compile_describe(c, a, left));
    return rk_syntax_fail(
        c->error, RASK_ETYPE, syntax->at, "'%s' does not go with %s and %s%s", mark,
        rk_compile_describe(c, a, left), rk_compile_describe(c, b, right),
        is_calculated_date(c, a, b) || is_calculated_date(c, b, a) ? ": dates stand in quotes" : "");
}

static bool is_number(rask_column_type type)
{
    return type == RASK_COL_I64 || type == RASK_COL_F64;
}

static bool is_time(rask_column_type type)
{
    return type == RASK_COL_DATE || type == RASK_COL_TIMESTAMP;
}

static bool convert_both(rk_compiler *c, rk_expr_value *in, rask_column_type type)
{
    return rk_compile_convert(c, &in[0], type) && rk_compile_convert(c, &in[1], type);
}

/* --- arithmetic */

typedef struct arithmetic {
    rk_mark mark;
    rk_expr_kernel *i64, *f64;
} arithmetic;

static const arithmetic arithmetics[] = {
    {RK_MARK_PLUS, rk_expr_add_i64, rk_expr_add_f64},
    {RK_MARK_MINUS, rk_expr_sub_i64, rk_expr_sub_f64},
    {RK_MARK_TIMES, rk_expr_mul_i64, rk_expr_mul_f64},
    {RK_MARK_DIVIDE, NULL, rk_expr_div_f64},
    {RK_MARK_FLOOR_DIVIDE, rk_expr_floordiv_i64, rk_expr_floordiv_f64},
    {RK_MARK_REMAINDER, rk_expr_mod_i64, rk_expr_mod_f64},
    {RK_MARK_POWER, NULL, rk_expr_pow_f64},
};

static const arithmetic *find_arithmetic(rk_mark mark)
{
    for (size_t i = 0; i < sizeof arithmetics / sizeof *arithmetics; i++) {
        if (arithmetics[i].mark == mark)
            return &arithmetics[i];
    }
    return NULL;
}

/* date + days, days + date, date - days, date - date; the same with timestamps and microseconds. */
static bool time_arithmetic(rk_compiler *c, uint32_t node, const arithmetic *how, rk_expr_value *in,
                            rk_expr_value *out)
{
    bool plus = how->mark == RK_MARK_PLUS, minus = how->mark == RK_MARK_MINUS;
    rask_column_type type;
    for (int k = 0; k < 2 && plus; k++) {
        if (in[k].type == RK_NULL_TYPE && !rk_compile_convert(c, &in[k], RASK_COL_I64))
            return false;
    }
    if (minus && rk_compile_common(c, &in[0], &in[1], &type) && is_time(type))
        return convert_both(c, in, type) && rk_compile_strict(c, rk_expr_sub_i64, RASK_COL_I64, 2, in, out);
    if ((plus || minus) && is_time(in[0].type) && in[1].type == RASK_COL_I64)
        return rk_compile_strict(c, how->i64, in[0].type, 2, in, out);
    if (plus && in[0].type == RASK_COL_I64 && is_time(in[1].type))
        return rk_compile_strict(c, how->i64, in[1].type, 2, in, out);
    return misfit(c, node, &in[0], &in[1]);
}

static bool power(rk_compiler *c, rk_expr_value *in, rk_expr_value *out)
{
    const rk_column *exponent = rk_compile_constant(c, &in[1]);
    if (in[0].type == RASK_COL_I64 && in[1].type == RASK_COL_I64 && exponent && !exponent->nulls &&
        *exponent->i64 >= 0) {
        const rk_expr_step step = {.kernel = rk_expr_pow_i64,
                                   .type = RASK_COL_I64,
                                   .count = 1,
                                   .strict = true,
                                   .number = *exponent->i64};
        return rk_compile_step(c, &step, in, out);
    }
    return convert_both(c, in, RASK_COL_F64) &&
           rk_compile_strict(c, rk_expr_pow_f64, RASK_COL_F64, 2, in, out);
}

static bool arithmetic_operator(rk_compiler *c, uint32_t node, rk_expr_value *in, rk_expr_value *out)
{
    const arithmetic *how = find_arithmetic(rk_compile_node(c, node)->mark);
    rask_column_type type;
    if (is_time(in[0].type) || is_time(in[1].type))
        return time_arithmetic(c, node, how, in, out);
    if (!rk_compile_common(c, &in[0], &in[1], &type))
        return misfit(c, node, &in[0], &in[1]);
    bool whole = how->i64 && how->mark != RK_MARK_POWER;
    *out = in[0];
    if (type == RK_NULL_TYPE && whole) /* of any type */
        return true;
    if (type == RK_NULL_TYPE)
        type = RASK_COL_I64;
    if (type == RASK_COL_TEXT && how->mark == RK_MARK_PLUS)
        return convert_both(c, in, type) && rk_compile_strict(c, rk_expr_concat, type, 2, in, out);
    if (!is_number(type))
        return misfit(c, node, &in[0], &in[1]);
    if (how->mark == RK_MARK_POWER)
        return power(c, in, out);
    if (!how->i64)
        type = RASK_COL_F64;
    return convert_both(c, in, type) &&
           rk_compile_strict(c, type == RASK_COL_I64 ? how->i64 : how->f64, type, 2, in, out);
}

/* --- comparisons */

enum { EQ, NE, LT, LE };

static bool compare(rk_compiler *c, uint32_t node, rk_expr_value *in, rk_expr_value *out)
{
    static rk_expr_kernel *const kernels[][4] = {
        [RASK_COL_BOOL] = {rk_expr_eq_bool, rk_expr_ne_bool, rk_expr_lt_bool, rk_expr_le_bool},
        [RASK_COL_I64] = {rk_expr_eq_i64, rk_expr_ne_i64, rk_expr_lt_i64, rk_expr_le_i64},
        [RASK_COL_F64] = {rk_expr_eq_f64, rk_expr_ne_f64, rk_expr_lt_f64, rk_expr_le_f64},
        [RASK_COL_DATE] = {rk_expr_eq_i64, rk_expr_ne_i64, rk_expr_lt_i64, rk_expr_le_i64},
        [RASK_COL_TIMESTAMP] = {rk_expr_eq_i64, rk_expr_ne_i64, rk_expr_lt_i64, rk_expr_le_i64},
        [RASK_COL_TEXT] = {rk_expr_eq_text, rk_expr_ne_text, rk_expr_lt_text, rk_expr_le_text},
    };
    rk_mark mark = rk_compile_node(c, node)->mark;
    bool swapped = mark == RK_MARK_GREATER || mark == RK_MARK_GREATER_EQUAL;
    int which = mark == RK_MARK_EQUAL ? EQ
                : mark == RK_MARK_NOT_EQUAL
                    ? NE
                    : LT + (mark == RK_MARK_LESS_EQUAL || mark == RK_MARK_GREATER_EQUAL);
    rask_column_type type;
    if (!rk_compile_common(c, &in[0], &in[1], &type))
        return misfit(c, node, &in[0], &in[1]);
    if (type == RK_NULL_TYPE)
        type = RASK_COL_BOOL;
    if (!convert_both(c, in, type))
        return false;
    rk_expr_value ordered[2] = {in[swapped], in[!swapped]};
    return rk_compile_strict(c, kernels[type][which], RASK_COL_BOOL, 2, ordered, out);
}

/* --- logic and bits */

/* What both are, or null is taken for. */
static bool both_are(const rk_expr_value *in, rask_column_type type)
{
    return (in[0].type == type || in[0].type == RK_NULL_TYPE) &&
           (in[1].type == type || in[1].type == RK_NULL_TYPE);
}

static bool logic(rk_compiler *c, uint32_t node, rk_expr_value *in, rk_expr_value *out)
{
    rk_mark mark = rk_compile_node(c, node)->mark;
    bool both = mark == RK_MARK_BOTH || mark == RK_MARK_AND;
    if (!convert_both(c, in, RASK_COL_BOOL))
        return false;
    if (mark == RK_MARK_XOR)
        return rk_compile_strict(c, rk_expr_ne_bool, RASK_COL_BOOL, 2, in, out);
    const rk_expr_step step = {
        .kernel = both ? rk_expr_and_bool : rk_expr_or_bool, .type = RASK_COL_BOOL, .count = 2};
    return rk_compile_step(c, &step, in, out);
}

static bool logic_or_bits(rk_compiler *c, uint32_t node, rk_expr_value *in, rk_expr_value *out)
{
    rk_mark mark = rk_compile_node(c, node)->mark;
    bool word = mark == RK_MARK_BOTH || mark == RK_MARK_EITHER;
    if (both_are(in, RASK_COL_BOOL))
        return logic(c, node, in, out);
    if (word || !both_are(in, RASK_COL_I64))
        return misfit(c, node, &in[0], &in[1]);
    rk_expr_kernel *kernel = mark == RK_MARK_AND  ? rk_expr_and_i64
                             : mark == RK_MARK_OR ? rk_expr_or_i64
                                                  : rk_expr_xor_i64;
    return convert_both(c, in, RASK_COL_I64) && rk_compile_strict(c, kernel, RASK_COL_I64, 2, in, out);
}

/* --- in */

typedef struct elements {
    rk_expr_value *items;
    uint32_t count;
    rask_column_type type;
} elements;

static bool take_elements(rk_compiler *c, uint32_t is_in, const rk_expr_value *left, elements *out)
{
    uint32_t list = rk_compile_child(c, is_in, 1);
    rk_expr_value so_far = *left;
    uint32_t i = 0;
    out->count = rk_compile_node(c, list)->count;
    out->items = rk_compile_memory(c, out->count * sizeof *out->items);
    if (!out->items)
        return false;
    for (uint32_t node = rk_compile_node(c, list)->first; node != RK_NO_SYNTAX; i++) {
        if (!rk_compile_value(c, node, &out->items[i]))
            return false;
        if (!rk_compile_constant(c, &out->items[i]))
            return rk_syntax_fail(c->error, RASK_ETYPE, rk_compile_node(c, node)->at,
                                  "lists hold numbers and strings, not columns: write x == a or x == b");
        if (!rk_compile_common(c, &so_far, &out->items[i], &so_far.type))
            return misfit(c, is_in, left, &out->items[i]);
        node = rk_compile_node(c, node)->next;
    }
    out->type = so_far.type == RK_NULL_TYPE ? RASK_COL_BOOL : so_far.type;
    return true;
}

static int order_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int order_f64(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int order_bool(const void *a, const void *b)
{
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

static int order_text(const void *a, const void *b)
{
    return rk_text_compare(*(const rask_bytes *)a, *(const rask_bytes *)b);
}

static void sort_list(rk_expr_list *list)
{
    rask_column_type type = list->values.type;
    size_t size = rk_column_size(type);
    qsort(list->values.data, list->count, size,
          type == RASK_COL_TEXT   ? order_text
          : type == RASK_COL_F64  ? order_f64
          : type == RASK_COL_BOOL ? order_bool
                                  : order_i64);
}

/* The values of a list that can be found: neither null nor NaN. */
static const rk_expr_list *make_list(rk_compiler *c, const elements *from)
{
    size_t size = rk_column_size(from->type);
    rk_expr_list *list = rk_compile_memory(c, sizeof *list);
    char *data = rk_compile_memory(c, from->count * size);
    if (!list || !data)
        return NULL;
    *list = (rk_expr_list){.values = {.type = from->type, .data = data}};
    for (uint32_t i = 0; i < from->count; i++) {
        if (!rk_compile_convert(c, &from->items[i], from->type))
            return NULL;
        const rk_column *value = rk_compile_constant(c, &from->items[i]);
        list->null |= value->nulls;
        if (value->nulls || (from->type == RASK_COL_F64 && isnan(*value->f64)))
            continue;
        memcpy(data + list->count++ * size, value->data, size);
    }
    if (list->count > 1)
        sort_list(list);
    return list;
}

static bool is_in(rk_compiler *c, uint32_t node, rk_expr_value *out)
{
    uint32_t right = rk_compile_child(c, node, 1);
    rk_syntax_kind kind = rk_compile_node(c, right)->kind;
    rk_expr_value left;
    elements from = {0};
    if (kind != RK_SYNTAX_LIST && kind != RK_SYNTAX_TUPLE)
        return rk_syntax_fail(c->error, RASK_ETYPE, rk_compile_node(c, right)->at,
                              "a list expected behind in: x in (1, 2); for text in text write contains()");
    if (!rk_compile_value(c, rk_compile_child(c, node, 0), &left) || !take_elements(c, node, &left, &from))
        return false;
    const rk_expr_list *list = make_list(c, &from);
    if (!list || !rk_compile_convert(c, &left, from.type))
        return false;
    const rk_expr_step step = {
        .kernel = rk_expr_in_list, .type = RASK_COL_BOOL, .count = 1, .strict = true, .more = list};
    if (!rk_compile_step(c, &step, &left, out))
        return false;
    const rk_expr_value found = *out;
    return rk_compile_node(c, node)->mark == RK_MARK_IN ||
           rk_compile_strict(c, rk_expr_not_bool, RASK_COL_BOOL, 1, &found, out);
}

/* --- all of them */

static bool unary(rk_compiler *c, uint32_t node, rk_expr_value *out)
{
    const rk_syntax *syntax = rk_compile_node(c, node), *under = rk_compile_node(c, syntax->first);
    rk_mark mark = syntax->mark;
    rk_expr_value in;
    if (mark == RK_MARK_MINUS && under->kind == RK_SYNTAX_NUMBER && under->number.kind == RASK_OPERAND_U64 &&
        under->number.as.u64 == (uint64_t)INT64_MAX + 1)
        return rk_compile_add_constant(c, RASK_COL_I64, &(int64_t){INT64_MIN}, out);
    if (!rk_compile_value(c, syntax->first, &in))
        return false;
    bool logical = mark == RK_MARK_NOT || mark == RK_MARK_INVERT;
    *out = in;
    if (in.type == RK_NULL_TYPE && !logical)
        return true;
    if (in.type == RK_NULL_TYPE && !rk_compile_convert(c, &in, RASK_COL_BOOL))
        return false;
    if (logical && in.type == RASK_COL_BOOL)
        return rk_compile_strict(c, rk_expr_not_bool, in.type, 1, &in, out);
    if (mark == RK_MARK_INVERT && in.type == RASK_COL_I64)
        return rk_compile_strict(c, rk_expr_not_i64, in.type, 1, &in, out);
    if (logical || !is_number(in.type))
        return misfit(c, node, &in, NULL);
    return mark == RK_MARK_PLUS ||
           rk_compile_strict(c, in.type == RASK_COL_I64 ? rk_expr_neg_i64 : rk_expr_neg_f64, in.type, 1, &in,
                             out);
}

bool rk_compile_operator(rk_compiler *c, uint32_t node, rk_expr_value *out)
{
    const rk_syntax *syntax = rk_compile_node(c, node);
    rk_expr_value in[2];
    if (syntax->kind == RK_SYNTAX_UNARY)
        return unary(c, node, out);
    if (syntax->mark == RK_MARK_IN || syntax->mark == RK_MARK_NOT_IN)
        return is_in(c, node, out);
    if (!rk_compile_value(c, rk_compile_child(c, node, 0), &in[0]) ||
        !rk_compile_value(c, rk_compile_child(c, node, 1), &in[1]))
        return false;
    switch (syntax->mark) {
    case RK_MARK_EITHER:
    case RK_MARK_BOTH:
    case RK_MARK_OR:
    case RK_MARK_AND:
    case RK_MARK_XOR: return logic_or_bits(c, node, in, out);
    case RK_MARK_EQUAL:
    case RK_MARK_NOT_EQUAL:
    case RK_MARK_LESS:
    case RK_MARK_LESS_EQUAL:
    case RK_MARK_GREATER:
    case RK_MARK_GREATER_EQUAL: return compare(c, node, in, out);
    default: break;
    }
    return find_arithmetic(syntax->mark) ? arithmetic_operator(c, node, in, out)
                                         : misfit(c, node, &in[0], &in[1]);
}
