#include "collections/table/groups/aggregates.h"

#include "collections/syntax/lexer.h"
#include "core/base/array.h"
#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>

static const char *const function_names[] = {
#define NAME(name, text, numbers) text,
    RK_AGGREGATE_TABLE(NAME)
#undef NAME
};
static const bool takes_numbers[] = {
#define NUMBERS(name, text, numbers) numbers,
    RK_AGGREGATE_TABLE(NUMBERS)
#undef NUMBERS
};

typedef struct parser {
    char *text; /* its own */
    size_t at, len;
    const rask_bytes *names;
    const rask_column_type *types;
    uint32_t count;
    rk_array items, arguments;
    bool expressions; /* an argument is no column */
    rk_print *error;
    size_t error_at;
} parser;

const char *rk_function_name(rk_function function)
{
    return (unsigned)function < RK_AGGREGATES ? function_names[function] : "?";
}

static int fail(parser *p, size_t at, int status)
{
    p->error_at = at;
    return status;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void skip_space(parser *p)
{
    while (p->at < p->len && is_space(p->text[p->at]))
        p->at++;
}

/* Without space around it. */
static rask_bytes trimmed(const char *text, size_t from, size_t end)
{
    while (from < end && is_space(text[from]))
        from++;
    while (end > from && is_space(text[end - 1]))
        end--;
    return (rask_bytes){text + from, end - from};
}

static rask_bytes word(parser *p)
{
    size_t from = p->at;
    while (p->at < p->len && is_word(p->text[p->at]))
        p->at++;
    return (rask_bytes){p->text + from, p->at - from};
}

static bool equals(rask_bytes a, const char *text, size_t len)
{
    return a.len == len && (!len || memcmp(a.data, text, len) == 0);
}

/* What others call them; NULL: nobody does. */
static const char *our_name(rask_bytes name)
{
    static const char *const names[][2] = {{"avg", "mean"},
                                           {"average", "mean"},
                                           {"stddev", "std"},
                                           {"stdev", "std"},
                                           {"variance", "var"},
                                           {"minimum", "min"},
                                           {"maximum", "max"},
                                           {"total", "sum"},
                                           {"nunique", "count_distinct"},
                                           {"distinct", "count_distinct"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (equals(name, names[i][0], strlen(names[i][0])))
            return names[i][1];
    return NULL;
}

static int function_of(parser *p, rask_bytes name, size_t at, rk_function *out)
{
    for (int i = 0; i < RK_AGGREGATES; i++) {
        if (equals(name, function_names[i], strlen(function_names[i]))) {
            *out = (rk_function)i;
            return RASK_OK;
        }
    }
    if (!name.len)
        rk_print_add(p->error, "an aggregate such as sum(column) is expected");
    else
        rk_print_add(p->error, "no aggregate is called '%.*s'", (int)(name.len < 80 ? name.len : 80),
                     name.data);
    if (our_name(name))
        rk_print_add(p->error, ", but there is %s", our_name(name));
    return fail(p, at, RASK_EFORMAT);
}

/* Behind the quote that ends the one at p->at; 0 when none does. Two quotes inside are one of the text. */
static size_t behind_quotes(const parser *p, size_t at)
{
    char quote = p->text[at];
    for (size_t i = at + 1; i < p->len; i++) {
        if (p->text[i] != quote)
            continue;
        if (i + 1 == p->len || p->text[i + 1] != quote)
            return i + 1;
        i++;
    }
    return 0;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}

/* From behind an opening parenthesis to behind the one that closes it; *comma: the last one that is in no other, or 0. */
static int pass_parentheses(parser *p, size_t *comma)
{
    size_t opened = p->at - 1, depth = 0;
    *comma = 0;
    while (p->at < p->len) {
        char c = p->text[p->at];
        if (is_quote(c)) {
            size_t behind = behind_quotes(p, p->at);
            if (!behind) {
                rk_print_add(p->error, "%c is not closed", c);
                return fail(p, p->at, RASK_EFORMAT);
            }
            p->at = behind;
            continue;
        }
        if (c == ',' && !depth)
            *comma = p->at;
        depth += c == '(' || c == '[';
        p->at++;
        if (c == ')' && !depth)
            return RASK_OK;
        depth -= depth && (c == ')' || c == ']');
    }
    rk_print_add(p->error, "the parenthesis is not closed");
    return fail(p, opened, RASK_EFORMAT);
}

/* The number of the argument with this text. */
static int add_argument(parser *p, rask_bytes text, uint32_t *out)
{
    rk_argument *a = p->arguments.data;
    for (size_t i = 0; i < p->arguments.count; i++) {
        if (equals(text, p->text + a[i].at, a[i].len)) {
            *out = (uint32_t)i;
            return RASK_OK;
        }
    }
    a = rk_array_push(&p->arguments);
    if (!a)
        return RASK_ENOMEM;
    *a = (rk_argument){.at = (size_t)(text.data - p->text), .len = text.len, .column = RK_NO_COLUMN};
    for (uint32_t i = 0; i < p->count && a->column == RK_NO_COLUMN; i++)
        if (equals(text, p->names[i].data, p->names[i].len))
            *a = (rk_argument){.at = a->at, .len = a->len, .column = i, .type = p->types[i]};
    p->expressions |= a->column == RK_NO_COLUMN;
    *out = (uint32_t)p->arguments.count - 1;
    return RASK_OK;
}

static int parse_q(parser *p, rask_bytes text, double *q)
{
    char copy[64], *end;
    size_t at = (size_t)(text.data - p->text);
    if (!text.len || text.len >= sizeof copy) {
        rk_print_add(p->error, "quantile(column, q) needs a number from 0 to 1");
        return fail(p, at, RASK_EFORMAT);
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    *q = strtod(copy, &end);
    if (end != copy + text.len) {
        rk_print_add(p->error, "'%s' is no number", copy);
        return fail(p, at, RASK_EFORMAT);
    }
    if (*q >= 0 && *q <= 1)
        return RASK_OK;
    rk_print_add(p->error, "a quantile is from 0 to 1, not %s", copy);
    return fail(p, at, RASK_ERANGE);
}

/* What is in the parentheses of an aggregate. */
static int parse_argument(parser *p, rk_aggregate *item)
{
    size_t from = p->at, comma;
    int status = pass_parentheses(p, &comma);
    size_t end = p->at - 1;
    if (status)
        return status;
    item->q = 0.5;
    if (item->function == RK_AGGREGATE_QUANTILE) {
        status =
            parse_q(p, comma ? trimmed(p->text, comma + 1, end) : (rask_bytes){p->text + from, 0}, &item->q);
        end = comma;
    }
    if (status)
        return status;
    rask_bytes text = trimmed(p->text, from, end);
    if (!text.len && item->function == RK_AGGREGATE_COUNT)
        return RASK_OK;
    if (!text.len) {
        rk_print_add(p->error, "%s of what? Its parentheses are empty", function_names[item->function]);
        return fail(p, from, RASK_EFORMAT);
    }
    return add_argument(p, text, &item->argument);
}

/* The name behind "as": in quotes, or up to the next comma. */
static int parse_name(parser *p, rask_bytes *name)
{
    skip_space(p);
    size_t from = p->at;
    if (from < p->len && is_quote(p->text[from])) {
        size_t behind = behind_quotes(p, from);
        if (behind) {
            p->at = behind;
            char *begin = p->text + from + 1;
            *name = (rask_bytes){begin, rk_name_unquote(begin, behind - from - 2, p->text[from], begin)};
        }
    } else {
        while (p->at < p->len && p->text[p->at] != ',')
            p->at++;
        *name = trimmed(p->text, from, p->at);
    }
    if (p->at > from && name->len)
        return RASK_OK;
    rk_print_add(p->error, "a name is expected behind 'as'");
    return fail(p, from, RASK_EFORMAT);
}

static int check_name(parser *p, const rk_aggregate *item)
{
    const rk_aggregate *other = p->items.data;
    for (size_t i = 0; i < p->items.count; i++) {
        if (equals(item->name, other[i].name.data, other[i].name.len)) {
            rk_print_add(p->error, "two results are called '%.*s'",
                         (int)(item->name.len < 80 ? item->name.len : 80), item->name.data);
            return fail(p, item->at, RASK_EEXIST);
        }
    }
    return RASK_OK;
}

static int parse_item(parser *p)
{
    skip_space(p);
    rk_aggregate item = {.at = p->at, .argument = RK_NO_ARGUMENT};
    int status = function_of(p, word(p), item.at, &item.function);
    if (status)
        return status;
    skip_space(p);
    if (p->at == p->len || p->text[p->at] != '(') {
        rk_print_add(p->error, "( is expected behind %s", function_names[item.function]);
        return fail(p, p->at, RASK_EFORMAT);
    }
    p->at++;
    status = parse_argument(p, &item);
    if (status)
        return status;
    item.name = (rask_bytes){p->text + item.at, p->at - item.at};
    skip_space(p);
    if (p->len - p->at > 2 && memcmp(p->text + p->at, "as", 2) == 0 && !is_word(p->text[p->at + 2])) {
        p->at += 2;
        status = parse_name(p, &item.name);
    }
    if (!status)
        status = check_name(p, &item);
    rk_aggregate *kept = status ? NULL : rk_array_push(&p->items);
    if (!kept)
        return status ? status
                      : fail(p, item.at, p->items.count == p->items.ceiling ? RASK_ELIMIT : RASK_ENOMEM);
    *kept = item;
    return RASK_OK;
}

static int parse_list(parser *p)
{
    for (;;) {
        int status = parse_item(p);
        skip_space(p);
        if (status || p->at == p->len)
            return status;
        if (p->text[p->at] != ',') {
            rk_print_add(p->error, "a comma or 'as name' is expected");
            return fail(p, p->at, RASK_EFORMAT);
        }
        p->at++;
    }
}

int rk_aggregates_parse(rask_bytes text, const rask_bytes *names, const rask_column_type *types,
                        uint32_t count, rk_aggregates *out, rk_print *error, size_t *at)
{
    char *copy = rk_strndup(text.data ? text.data : "", text.len);
    if (!copy)
        return RASK_ENOMEM;
    parser p = {.text = copy,
                .len = text.len,
                .names = names,
                .types = types,
                .count = count,
                .items = RK_ARRAY(rk_aggregate, RK_MAX_AGGREGATES),
                .arguments = RK_ARRAY(rk_argument, RK_MAX_AGGREGATES),
                .error = error};
    int status = parse_list(&p);
    rk_aggregates made = {.text = copy,
                          .items = p.items.data,
                          .arguments = p.arguments.data,
                          .count = (uint32_t)p.items.count,
                          .argument_count = (uint32_t)p.arguments.count};
    if (!status && !p.expressions)
        status = rk_aggregates_check(&made, error, &p.error_at);
    if (status == RASK_ELIMIT)
        rk_print_add(error, "there may be %d aggregates at most", RK_MAX_AGGREGATES);
    if (status && at)
        *at = p.error_at;
    if (status)
        rk_aggregates_fini(&made);
    else
        *out = made;
    return status;
}

static rask_column_type result_type(rk_function function, rask_column_type argument)
{
    switch (function) {
    case RK_AGGREGATE_COUNT:
    case RK_AGGREGATE_DISTINCT: return RASK_COL_I64;
    case RK_AGGREGATE_SUM: return argument == RASK_COL_F64 ? RASK_COL_F64 : RASK_COL_I64;
    case RK_AGGREGATE_MIN:
    case RK_AGGREGATE_MAX:
    case RK_AGGREGATE_FIRST:
    case RK_AGGREGATE_LAST: return argument;
    default: return RASK_COL_F64;
    }
}

int rk_aggregates_check(rk_aggregates *aggregates, rk_print *error, size_t *at)
{
    for (uint32_t i = 0; i < aggregates->count; i++) {
        rk_aggregate *item = &aggregates->items[i];
        const rk_argument *a =
            item->argument == RK_NO_ARGUMENT ? NULL : &aggregates->arguments[item->argument];
        if (a && takes_numbers[item->function] && a->type != RASK_COL_BOOL && a->type != RASK_COL_I64 &&
            a->type != RASK_COL_F64) {
            rk_print_add(error, "%s takes numbers, but '%.*s' is %s", function_names[item->function],
                         (int)(a->len < 80 ? a->len : 80), aggregates->text + a->at,
                         rask_column_type_name(a->type));
            if (at)
                *at = item->at;
            return RASK_ETYPE;
        }
        item->type = result_type(item->function, a ? a->type : RASK_COL_I64);
    }
    return RASK_OK;
}

void rk_aggregates_fini(rk_aggregates *aggregates)
{
    rk_free(aggregates->text);
    rk_free(aggregates->items);
    rk_free(aggregates->arguments);
    *aggregates = (rk_aggregates){0};
}
