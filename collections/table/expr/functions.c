/* The functions: what they take, and which kernel they mean for it. */
#include "collections/syntax/nearest.h"
#include "collections/table/expr/compile.h"

#include <string.h>

typedef struct function function;

/* One call, its arguments made. */
typedef struct call {
    const function *function;
    uint32_t node, count;
    rk_expr_value *in;
} call;

/* What a function takes, a letter an argument: s string, i int64, f number (as float64), n number, b bool, d date or
 * timestamp, t timestamp, * anything; small letters behind | may be left out. + for any number of anything. build: NULL
 * where the kernel is strict and the result always of the same type. */
struct function {
    const char *name, *takes;
    rask_column_type type;
    rk_expr_kernel *kernel;
    bool (*build)(rk_compiler *c, call *call, rk_expr_value *out);
};

static bool strict(rk_compiler *c, call *a, rk_expr_kernel *kernel, rask_column_type type, rk_expr_value *out)
{
    return rk_compile_strict(c, kernel, type, a->count, a->in, out);
}

static size_t place(const rk_compiler *c, const call *a, uint32_t argument)
{
    return rk_compile_node(c, a->in[argument].node)->at;
}

static bool wrong_type(rk_compiler *c, const call *a, uint32_t argument, const char *wanted)
{
    char text[RK_VALUE_TEXT];
    return rk_syntax_fail(c->error, RASK_ETYPE, place(c, a, argument), "%s() takes %s, not %s",
                          a->function->name, wanted, rk_compile_describe(c, &a->in[argument], text));
}

/* --- numbers */

static bool by_number(rk_compiler *c, call *a, rk_expr_kernel *i64, rk_expr_kernel *f64, rk_expr_value *out)
{
    bool whole = a->in[0].type == RASK_COL_I64;
    return strict(c, a, whole ? i64 : f64, a->in[0].type, out);
}

static bool build_abs(rk_compiler *c, call *a, rk_expr_value *out)
{
    return by_number(c, a, rk_expr_abs_i64, rk_expr_abs_f64, out);
}

static bool build_sign(rk_compiler *c, call *a, rk_expr_value *out)
{
    return by_number(c, a, rk_expr_sign_i64, rk_expr_sign_f64, out);
}

static bool build_floor(rk_compiler *c, call *a, rk_expr_value *out)
{
    return by_number(c, a, rk_expr_copy, rk_expr_floor_f64, out);
}

static bool build_ceil(rk_compiler *c, call *a, rk_expr_value *out)
{
    return by_number(c, a, rk_expr_copy, rk_expr_ceil_f64, out);
}

/* A whole number written in the text. */
static bool constant_i64(rk_compiler *c, call *a, uint32_t argument, int64_t *out)
{
    const rk_column *constant = rk_compile_constant(c, &a->in[argument]);
    if (!constant || constant->nulls)
        return wrong_type(c, a, argument, "a number written here as its last argument");
    *out = *constant->i64;
    return true;
}

static bool build_round(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_expr_step step = {.kernel = rk_expr_round_f64, .type = RASK_COL_F64, .count = 1, .strict = true};
    if (a->count == 1 && a->in[0].type == RASK_COL_I64)
        return strict(c, a, rk_expr_copy, RASK_COL_I64, out);
    if (a->count == 2 && !constant_i64(c, a, 1, &step.number))
        return false;
    return rk_compile_convert(c, &a->in[0], RASK_COL_F64) && rk_compile_step(c, &step, a->in, out);
}

/* --- the type that all arguments have in common; they are what they were when all are null */

static bool unify(rk_compiler *c, call *a, uint32_t from, rask_column_type *type)
{
    rk_expr_value so_far = a->in[from];
    char text[RK_VALUE_TEXT], other[RK_VALUE_TEXT];
    for (uint32_t i = from + 1; i < a->count; i++) {
        if (!rk_compile_common(c, &so_far, &a->in[i], &so_far.type))
            return rk_syntax_fail(c->error, RASK_ETYPE, place(c, a, i),
                                  "%s() takes values of one type, not %s and %s", a->function->name,
                                  rk_compile_describe(c, &a->in[from], text),
                                  rk_compile_describe(c, &a->in[i], other));
        if (so_far.type == RASK_COL_TEXT && !rk_compile_constant(c, &a->in[i]))
            so_far.from = a->in[i].from; /* a date is what is written alone, not what a column holds */
    }
    *type = so_far.type;
    for (uint32_t i = from; i < a->count && *type != RK_NULL_TYPE; i++) {
        if (!rk_compile_fits(c, &a->in[i], *type))
            return wrong_type(c, a, i, rask_column_type_name(*type));
        if (!rk_compile_convert(c, &a->in[i], *type))
            return false;
    }
    return true;
}

/* The first with the second, that with the third, and so on; of nulls alone it is one. */
static bool chain(rk_compiler *c, call *a, const rk_expr_step *step, rk_expr_value *out)
{
    *out = a->in[0];
    for (uint32_t i = 1; i < a->count && step->type != RK_NULL_TYPE; i++) {
        rk_expr_value in[2] = {*out, a->in[i]};
        if (!rk_compile_step(c, step, in, out))
            return false;
    }
    return true;
}

static bool extreme(rk_compiler *c, call *a, rk_expr_kernel *const kernels[4], rk_expr_value *out)
{
    rask_column_type type;
    if (!unify(c, a, 0, &type))
        return false;
    rk_expr_kernel *kernel = type == RASK_COL_F64    ? kernels[1]
                             : type == RASK_COL_TEXT ? kernels[2]
                             : type == RASK_COL_BOOL ? kernels[3]
                                                     : kernels[0];
    const rk_expr_step step = {.kernel = kernel, .type = type, .count = 2, .strict = true};
    return chain(c, a, &step, out);
}

static bool build_min(rk_compiler *c, call *a, rk_expr_value *out)
{
    static rk_expr_kernel *const kernels[] = {rk_expr_min_i64, rk_expr_min_f64, rk_expr_min_text,
                                              rk_expr_min_bool};
    return extreme(c, a, kernels, out);
}

static bool build_max(rk_compiler *c, call *a, rk_expr_value *out)
{
    static rk_expr_kernel *const kernels[] = {rk_expr_max_i64, rk_expr_max_f64, rk_expr_max_text,
                                              rk_expr_max_bool};
    return extreme(c, a, kernels, out);
}

static bool build_coalesce(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_expr_step step = {.kernel = rk_expr_coalesce, .count = 2};
    return unify(c, a, 0, &step.type) && chain(c, a, &step, out);
}

static bool build_if(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_expr_step step = {.kernel = rk_expr_choose, .count = 3};
    if (!unify(c, a, 1, &step.type))
        return false;
    *out = a->in[1];
    return step.type == RK_NULL_TYPE || rk_compile_step(c, &step, a->in, out);
}

/* case(condition, a, condition, b, …, else): choices from the last one back. */
static bool build_case(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_expr_step step = {.kernel = rk_expr_choose, .count = 3};
    uint32_t pairs = a->count / 2;
    if (a->count < 3 || a->count % 2 == 0)
        return rk_syntax_fail(c->error, RASK_EFORMAT, rk_compile_node(c, a->node)->at,
                              "case() takes conditions, a value behind each, and a last value for all else");
    rk_expr_value *sorted = rk_compile_memory(c, a->count * sizeof *sorted);
    if (sorted)
        memset(sorted, 0, a->count * sizeof *sorted);
    for (uint32_t i = 0; sorted && i < a->count; i++) {
        bool condition = i % 2 == 0 && i + 1 < a->count;
        if (condition && a->in[i].type != RASK_COL_BOOL && a->in[i].type != RK_NULL_TYPE)
            return wrong_type(c, a, i, "bool");
        if (condition && !rk_compile_convert(c, &a->in[i], RASK_COL_BOOL))
            return false;
        sorted[condition ? i / 2 : i + 1 < a->count ? pairs + i / 2 : 2 * pairs] = a->in[i];
    }
    a->in = sorted;
    if (!sorted || !unify(c, a, pairs, &step.type))
        return false;
    *out = a->in[2 * pairs];
    for (uint32_t i = pairs; i-- > 0 && step.type != RK_NULL_TYPE;) {
        const rk_expr_value in[3] = {a->in[i], a->in[pairs + i], *out};
        if (!rk_compile_step(c, &step, in, out))
            return false;
    }
    return true;
}

static bool build_isnull(rk_compiler *c, call *a, rk_expr_value *out)
{
    const rk_expr_step step = {.kernel = rk_expr_isnull, .type = RASK_COL_BOOL, .count = 1};
    if (a->in[0].type == RK_NULL_TYPE && !rk_compile_convert(c, &a->in[0], RASK_COL_BOOL))
        return false;
    return rk_compile_step(c, &step, a->in, out);
}

/* --- casts */

/* From the type of the column to that of the row. NULL: there is none. */
static rk_expr_kernel *cast_kernel(rask_column_type to, rask_column_type from)
{
#define FROM(name) [RASK_COL_##name]
    static rk_expr_kernel *const kernels[RASK_COLUMN_TYPES][RASK_COLUMN_TYPES] = {
        FROM(BOOL) = {FROM(BOOL) = rk_expr_copy, FROM(I64) = rk_expr_cast_i64_bool,
                      FROM(F64) = rk_expr_cast_f64_bool, FROM(TEXT) = rk_expr_parse_bool},
        FROM(I64) = {FROM(BOOL) = rk_expr_cast_bool_i64, FROM(I64) = rk_expr_copy,
                     FROM(F64) = rk_expr_cast_f64_i64, FROM(DATE) = rk_expr_copy,
                     FROM(TIMESTAMP) = rk_expr_copy, FROM(TEXT) = rk_expr_parse_i64},
        FROM(F64) = {FROM(I64) = rk_expr_cast_i64_f64, FROM(F64) = rk_expr_copy,
                     FROM(TEXT) = rk_expr_parse_f64},
        FROM(DATE) = {FROM(I64) = rk_expr_copy, FROM(DATE) = rk_expr_copy,
                      FROM(TIMESTAMP) = rk_expr_cast_timestamp_date, FROM(TEXT) = rk_expr_parse_date},
        FROM(TIMESTAMP) = {FROM(I64) = rk_expr_copy, FROM(DATE) = rk_expr_cast_date_timestamp,
                           FROM(TIMESTAMP) = rk_expr_copy, FROM(TEXT) = rk_expr_parse_timestamp},
        FROM(TEXT) = {FROM(BOOL) = rk_expr_str_bool, FROM(I64) = rk_expr_str_i64, FROM(F64) = rk_expr_str_f64,
                      FROM(DATE) = rk_expr_str_date, FROM(TIMESTAMP) = rk_expr_str_timestamp,
                      FROM(TEXT) = rk_expr_copy},
    };
#undef FROM
    return kernels[to][from];
}

static bool build_cast(rk_compiler *c, call *a, rk_expr_value *out)
{
    rask_column_type type = a->function->type, from = a->in[0].type;
    if (type == RASK_COL_F64 && from == RASK_COL_BOOL) {
        rk_expr_value whole = a->in[0];
        if (!rk_compile_strict(c, rk_expr_cast_bool_i64, RASK_COL_I64, 1, a->in, &whole))
            return false;
        return rk_compile_strict(c, rk_expr_cast_i64_f64, type, 1, &whole, out);
    }
    if (from == RK_NULL_TYPE)
        return rk_compile_add_constant(c, type, NULL, out);
    rk_expr_kernel *kernel = cast_kernel(type, from);
    if (kernel)
        return strict(c, a, kernel, type, out);
    char text[RK_VALUE_TEXT];
    return rk_syntax_fail(c->error, RASK_ETYPE, place(c, a, 0), "%s() does not take %s", a->function->name,
                          rk_compile_describe(c, &a->in[0], text));
}

/* --- text */

static bool build_substring(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_expr_value in[3] = {a->in[0], a->in[1], a->in[a->count - 1]};
    if (a->count == 2 && !rk_compile_add_constant(c, RASK_COL_I64, &(int64_t){INT64_MAX}, &in[2]))
        return false;
    return rk_compile_strict(c, rk_expr_substring, RASK_COL_TEXT, 3, in, out);
}

/* The pattern, which is the second argument: written in the text, so that it is compiled once. */
static bool regex(rk_compiler *c, call *a, rk_regex **out)
{
    const rk_column *pattern = rk_compile_constant(c, &a->in[1]);
    if (!pattern || pattern->nulls)
        return wrong_type(c, a, 1, "a pattern written here");
    rk_regex **slot = rk_array_push(&c->expr->regexes);
    if (!slot)
        return rk_compile_no_memory(c);
    *slot = NULL;
    if (rk_expr_pattern(pattern->text->data, pattern->text->len, slot, place(c, a, 1), c->error))
        return false;
    *out = *slot;
    return true;
}

static bool build_matches(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_regex *pattern = NULL;
    if (!regex(c, a, &pattern))
        return false;
    const rk_expr_step step = {
        .kernel = rk_expr_matches, .type = RASK_COL_BOOL, .count = 1, .strict = true, .more = pattern};
    return rk_compile_step(c, &step, a->in, out);
}

static bool build_extract(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_regex *pattern = NULL;
    if (!regex(c, a, &pattern))
        return false;
    rk_expr_step step = {
        .kernel = rk_expr_extract, .type = RASK_COL_TEXT, .count = 1, .strict = true, .more = pattern};
    uint32_t groups = rk_regex_groups(pattern);
    step.number = groups > 0;
    if (a->count == 3 && !constant_i64(c, a, 2, &step.number))
        return false;
    if (step.number < 0 || step.number > groups)
        return rk_syntax_fail(c->error, RASK_ERANGE, place(c, a, 2), "the pattern has %u groups", groups);
    return rk_compile_step(c, &step, a->in, out);
}

/* --- dates */

/* A unit written in the text as the first argument. */
static bool unit_of(rk_compiler *c, call *a, int64_t *out)
{
    static const char *const names[RK_UNITS] = {
        [RK_UNIT_YEAR] = "year",     [RK_UNIT_QUARTER] = "quarter", [RK_UNIT_MONTH] = "month",
        [RK_UNIT_WEEK] = "week",     [RK_UNIT_DAY] = "day",         [RK_UNIT_HOUR] = "hour",
        [RK_UNIT_MINUTE] = "minute", [RK_UNIT_SECOND] = "second"};
    const rk_column *unit = rk_compile_constant(c, &a->in[0]);
    for (int64_t i = 0; unit && !unit->nulls && i < RK_UNITS; i++)
        if (strlen(names[i]) == unit->text->len && memcmp(names[i], unit->text->data, unit->text->len) == 0) {
            *out = i;
            return true;
        }
    return wrong_type(
        c, a, 0, "\"year\", \"quarter\", \"month\", \"week\", \"day\", \"hour\", \"minute\" or \"second\"");
}

static bool build_date_trunc(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_expr_step step = {.kernel = rk_expr_date_trunc, .type = a->in[1].type, .count = 1, .strict = true};
    return unit_of(c, a, &step.number) && rk_compile_step(c, &step, a->in + 1, out);
}

static bool build_date_diff(rk_compiler *c, call *a, rk_expr_value *out)
{
    rk_expr_step step = {.kernel = rk_expr_date_diff, .type = RASK_COL_I64, .count = 2, .strict = true};
    rask_column_type type = RASK_COL_DATE;
    bool nulls = a->in[1].type == RK_NULL_TYPE && a->in[2].type == RK_NULL_TYPE;
    if (nulls && !rk_compile_convert(c, &a->in[1], RASK_COL_DATE))
        return false;
    if (!unit_of(c, a, &step.number) || !unify(c, a, 1, &type))
        return false;
    if (type != RASK_COL_DATE && type != RASK_COL_TIMESTAMP)
        return wrong_type(c, a, 1, "dates or timestamps");
    return rk_compile_step(c, &step, a->in + 1, out);
}

/* --- the table */

static const function functions[] = {
    {"abs", "n", 0, NULL, build_abs},
    {"bool", "*", RASK_COL_BOOL, NULL, build_cast},
    {"bytes", "s", RASK_COL_I64, rk_expr_bytes, NULL},
    {"case", "+", 0, NULL, build_case},
    {"ceil", "n", 0, NULL, build_ceil},
    {"coalesce", "+", 0, NULL, build_coalesce},
    {"contains", "ss", RASK_COL_BOOL, rk_expr_contains, NULL},
    {"date", "*", RASK_COL_DATE, NULL, build_cast},
    {"date_diff", "s**", 0, NULL, build_date_diff},
    {"date_trunc", "sd", 0, NULL, build_date_trunc},
    {"day", "d", RASK_COL_I64, rk_expr_day, NULL},
    {"endswith", "ss", RASK_COL_BOOL, rk_expr_endswith, NULL},
    {"exp", "f", RASK_COL_F64, rk_expr_exp_f64, NULL},
    {"extract", "ss|i", 0, NULL, build_extract},
    {"fill", "**", 0, NULL, build_coalesce},
    {"find", "ss", RASK_COL_I64, rk_expr_find, NULL},
    {"float", "*", RASK_COL_F64, NULL, build_cast},
    {"floor", "n", 0, NULL, build_floor},
    {"greatest", "+", 0, NULL, build_max},
    {"hour", "t", RASK_COL_I64, rk_expr_hour, NULL},
    {"if", "b**", 0, NULL, build_if},
    {"int", "*", RASK_COL_I64, NULL, build_cast},
    {"is_nan", "f", RASK_COL_BOOL, rk_expr_isnan_f64, NULL},
    {"is_null", "*", 0, NULL, build_isnull},
    {"least", "+", 0, NULL, build_min},
    {"length", "s", RASK_COL_I64, rk_expr_length, NULL},
    {"log", "f", RASK_COL_F64, rk_expr_log_f64, NULL},
    {"log10", "f", RASK_COL_F64, rk_expr_log10_f64, NULL},
    {"log2", "f", RASK_COL_F64, rk_expr_log2_f64, NULL},
    {"lower", "s", RASK_COL_TEXT, rk_expr_lower, NULL},
    {"matches", "ss", 0, NULL, build_matches},
    {"max", "+", 0, NULL, build_max},
    {"min", "+", 0, NULL, build_min},
    {"minute", "t", RASK_COL_I64, rk_expr_minute, NULL},
    {"month", "d", RASK_COL_I64, rk_expr_month, NULL},
    {"pow", "ff", RASK_COL_F64, rk_expr_pow_f64, NULL},
    {"quarter", "d", RASK_COL_I64, rk_expr_quarter, NULL},
    {"replace", "sss", RASK_COL_TEXT, rk_expr_replace, NULL},
    {"round", "n|i", 0, NULL, build_round},
    {"second", "t", RASK_COL_I64, rk_expr_second, NULL},
    {"sign", "n", 0, NULL, build_sign},
    {"sqrt", "f", RASK_COL_F64, rk_expr_sqrt_f64, NULL},
    {"startswith", "ss", RASK_COL_BOOL, rk_expr_startswith, NULL},
    {"str", "*", RASK_COL_TEXT, NULL, build_cast},
    {"strip", "s", RASK_COL_TEXT, rk_expr_strip, NULL},
    {"substring", "si|i", 0, NULL, build_substring},
    {"timestamp", "*", RASK_COL_TIMESTAMP, NULL, build_cast},
    {"upper", "s", RASK_COL_TEXT, rk_expr_upper, NULL},
    {"weekday", "d", RASK_COL_I64, rk_expr_weekday, NULL},
    {"year", "d", RASK_COL_I64, rk_expr_year, NULL},
    {"yearday", "d", RASK_COL_I64, rk_expr_yearday, NULL},
};

/* --- calls */

/* Types that a letter takes as they are, then what null becomes. */
static bool take_argument(rk_compiler *c, const call *a, uint32_t argument, char letter)
{
    rk_expr_value *value = &a->in[argument];
    rask_column_type type = value->type;
    bool null = type == RK_NULL_TYPE;
    switch (letter) {
    case 's':
        return type == RASK_COL_TEXT || null ? rk_compile_convert(c, value, RASK_COL_TEXT)
                                             : wrong_type(c, a, argument, "string");
    case 'i':
        return type == RASK_COL_I64 || null ? rk_compile_convert(c, value, RASK_COL_I64)
                                            : wrong_type(c, a, argument, "int64");
    case 'b':
        return type == RASK_COL_BOOL || null ? rk_compile_convert(c, value, RASK_COL_BOOL)
                                             : wrong_type(c, a, argument, "bool");
    case 'n':
        if (type == RASK_COL_I64)
            return true; /* fall through */
    case 'f':
        return rk_compile_fits(c, value, RASK_COL_F64) ? rk_compile_convert(c, value, RASK_COL_F64)
                                                       : wrong_type(c, a, argument, "a number");
    case 'd':
        if (type == RASK_COL_DATE)
            return true; /* fall through */
    case 't':
        return type == RASK_COL_TIMESTAMP || null
                   ? rk_compile_convert(c, value, RASK_COL_TIMESTAMP)
                   : wrong_type(c, a, argument, letter == 'd' ? "date or timestamp" : "timestamp");
    default: return true;
    }
}

static bool wrong_count(rk_compiler *c, const call *a, size_t least, size_t most)
{
    const rk_syntax *node = rk_compile_node(c, a->node);
    const char *name = a->function->name;
    if (*a->function->takes == '+')
        return rk_syntax_fail(c->error, RASK_EFORMAT, node->at, "%s() takes arguments", name);
    if (least == most)
        return rk_syntax_fail(c->error, RASK_EFORMAT, node->at, "%s() takes %zu argument%s, not %u", name,
                              least, least == 1 ? "" : "s", a->count);
    return rk_syntax_fail(c->error, RASK_EFORMAT, node->at, "%s() takes %zu or %zu arguments, not %u", name,
                          least, most, a->count);
}

static bool take_arguments(rk_compiler *c, call *a)
{
    const char *takes = a->function->takes, *optional = strchr(takes, '|');
    size_t most = strlen(takes) - (optional != NULL), least = optional ? (size_t)(optional - takes) : most;
    bool any = *takes == '+';
    if (any ? !a->count : a->count < least || a->count > most)
        return wrong_count(c, a, least, most);
    a->in = rk_compile_memory(c, a->count * sizeof *a->in);
    uint32_t node = rk_compile_child(c, a->node, 1);
    for (uint32_t i = 0; a->in && i < a->count; i++) {
        if (!rk_compile_value(c, node, &a->in[i]) ||
            !take_argument(c, a, i, any ? '*' : takes[i + (i >= least)]))
            return false;
        node = rk_compile_node(c, node)->next;
    }
    return a->in;
}

static bool unknown(rk_compiler *c, const rk_syntax *name)
{
    rk_nearest near = rk_nearest_to(c->text + name->text, name->len);
    int shown = name->len < 60 ? (int)name->len : 60;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        rk_nearest_consider(&near, functions[i].name, strlen(functions[i].name));
    if (near.name)
        return rk_syntax_fail(c->error, RASK_ENOENT, name->at, "no function \"%.*s\": did you mean \"%.*s\"?",
                              shown, near.text, (int)near.name_len, near.name);
    return rk_syntax_fail(c->error, RASK_ENOENT, name->at, "no function \"%.*s\"", shown, near.text);
}

bool rk_compile_call(rk_compiler *c, uint32_t node, rk_expr_value *out)
{
    const rk_syntax *syntax = rk_compile_node(c, node), *name = rk_compile_node(c, syntax->first);
    const char *text = c->text + name->text;
    int shown = name->len < 60 ? (int)name->len : 60;
    call a = {.node = node, .count = syntax->count - 1};
    if (name->kind == RK_SYNTAX_ATTRIBUTE)
        return rk_syntax_fail(c->error, RASK_EFORMAT, name->at, "write %.*s(x), not x.%.*s()", shown, text,
                              shown, text);
    if (name->kind != RK_SYNTAX_NAME)
        return rk_syntax_fail(c->error, RASK_ETYPE, syntax->at, "this is no function");
    for (size_t i = 0; !a.function && i < sizeof functions / sizeof *functions; i++) {
        if (strlen(functions[i].name) == name->len && !memcmp(functions[i].name, text, name->len))
            a.function = &functions[i];
    }
    if (!a.function)
        return unknown(c, name);
    if (!take_arguments(c, &a))
        return false;
    if (a.function->build)
        return a.function->build(c, &a, out);
    return strict(c, &a, a.function->kernel, a.function->type, out);
}
