#include "collections/table/expr/compile.h"
#include "collections/syntax/nearest.h"
#include "collections/table/value_text.h"
#include "core/base/print.h"

#include <string.h>

bool rk_compile_no_memory(rk_compiler *c)
{
    return rk_syntax_fail(c->error, RASK_ENOMEM, 0, "%s", rask_status_text(RASK_ENOMEM));
}

void *rk_compile_memory(rk_compiler *c, size_t size)
{
    void *memory = rk_arena_alloc(&c->expr->memory, size ? size : 1);
    if (!memory)
        rk_compile_no_memory(c);
    return memory;
}

const rk_syntax *rk_compile_node(const rk_compiler *c, uint32_t node)
{
    return (const rk_syntax *)c->syntax.data + node;
}

uint32_t rk_compile_child(const rk_compiler *c, uint32_t node, uint32_t i)
{
    uint32_t child = rk_compile_node(c, node)->first;
    while (i--)
        child = rk_compile_node(c, child)->next;
    return child;
}

const char *rk_compile_describe(const rk_compiler *c, const rk_expr_value *value, char buffer[RK_VALUE_TEXT])
{
    const rk_syntax *node = rk_compile_node(c, value->node);
    rk_print out = {.buffer = buffer, .capacity = RK_VALUE_TEXT};
    rk_print_add(&out, "%s", value->type == RK_NULL_TYPE ? "null" : rask_column_type_name(value->type));
    if (node->kind == RK_SYNTAX_NAME)
        rk_print_add(&out, " %.*s", node->len < 60 ? (int)node->len : 60, c->text + node->text);
    return buffer;
}

/* --- constants */

const rk_column *rk_compile_constant(const rk_compiler *c, const rk_expr_value *value)
{
    return value->from.from == RK_FROM_CONSTANT
               ? (const rk_column *)c->expr->constants.data + value->from.index
               : NULL;
}

static bool is_null(const rk_compiler *c, const rk_expr_value *value)
{
    const rk_column *constant = rk_compile_constant(c, value);
    return constant && constant->nulls;
}

bool rk_compile_add_constant(rk_compiler *c, rask_column_type type, const void *data, rk_expr_value *out)
{
    static uint8_t never;
    size_t size = type == RK_NULL_TYPE ? sizeof(rask_bytes) : rk_column_size(type);
    void *copy = rk_compile_memory(c, size);
    rk_column *constant = copy ? rk_array_push(&c->expr->constants) : NULL;
    if (!constant)
        return rk_compile_no_memory(c);
    *constant = (rk_column){.type = type, .data = copy, .nulls = !data, .valid = &never};
    if (data)
        memcpy(copy, data, size);
    else
        memset(copy, 0, size);
    if (data && type == RASK_COL_TEXT) {
        char *text = rk_compile_memory(c, constant->text->len);
        if (!text)
            return false;
        if (constant->text->len)
            memcpy(text, constant->text->data, constant->text->len);
        constant->text->data = text;
    }
    out->from = (rk_expr_operand){RK_FROM_CONSTANT, (uint32_t)c->expr->constants.count - 1};
    out->type = type;
    return true;
}

/* --- leaves */

static bool number(rk_compiler *c, const rk_syntax *node, rk_expr_value *out)
{
    switch (node->number.kind) {
    case RASK_OPERAND_BOOL:
        return rk_compile_add_constant(c, RASK_COL_BOOL, &(uint8_t){node->number.as.boolean}, out);
    case RASK_OPERAND_I64: return rk_compile_add_constant(c, RASK_COL_I64, &node->number.as.i64, out);
    case RASK_OPERAND_F64: return rk_compile_add_constant(c, RASK_COL_F64, &node->number.as.f64, out);
    case RASK_OPERAND_U64:
        return rk_syntax_fail(
            c->error, RASK_ERANGE, node->at,
            "integers have at most 64 bits, one of them the sign: write a float, such as 1e19");
    default: return rk_syntax_fail(c->error, RASK_ETYPE, node->at, "columns have no complex numbers");
    }
}

static bool string(rk_compiler *c, const rk_syntax *node, rk_expr_value *out)
{
    char *text = rk_compile_memory(c, node->len);
    if (!text)
        return false;
    rask_bytes bytes = {text, rk_string_unescape(c->text + node->text, node->len, text)};
    return rk_compile_add_constant(c, RASK_COL_TEXT, &bytes, out);
}

static bool is_name(const rk_compiler *c, const rk_syntax *node, const char *name)
{
    const char *text = c->text + node->text;
    if (node->quoted)
        return rk_quoted_name_is(text, node->len, name);
    return strlen(name) == node->len && !memcmp(name, text, node->len);
}

/* A column whose name begins with this word, and goes on with what is none; NULL: there is none. */
static const char *longer_name(const rk_compiler *c, const rk_syntax *node)
{
    for (uint32_t i = 0; i < c->count && !node->quoted; i++) {
        const char *name = c->names[i];
        if (strncmp(name, c->text + node->text, node->len) == 0 && name[node->len] &&
            strchr(" -./:", name[node->len]))
            return name;
    }
    return NULL;
}

static bool is_text_column(const rk_compiler *c, uint32_t node)
{
    const rk_syntax *other = rk_compile_node(c, node);
    for (uint32_t i = 0; other->kind == RK_SYNTAX_NAME && i < c->count; i++)
        if (is_name(c, other, c->names[i]))
            return c->types[i] == RASK_COL_TEXT;
    return false;
}

/* Whether a name stands where a text may: compared with a column of text, or behind one in a call. */
static bool may_be_text(const rk_compiler *c, const rk_syntax *node)
{
    uint32_t own = (uint32_t)(node - (const rk_syntax *)c->syntax.data);
    for (uint32_t i = own + 1; i < c->syntax.count && !node->quoted; i++) {
        const rk_syntax *parent = rk_compile_node(c, i);
        if (parent->kind != RK_SYNTAX_BINARY && parent->kind != RK_SYNTAX_CALL)
            continue;
        bool mine = false, text = false;
        for (uint32_t child = parent->first; child != RK_NO_SYNTAX; child = rk_compile_node(c, child)->next) {
            mine |= child == own;
            text |= is_text_column(c, child);
        }
        if (mine)
            return text;
    }
    return false;
}

static bool unknown_name(rk_compiler *c, const rk_syntax *node)
{
    const char *longer = longer_name(c, node);
    if (longer)
        return rk_syntax_fail(c->error, RASK_ENOENT, node->at,
                              "no column \"%.*s\": did you mean `%.80s`, in backticks?",
                              node->len < 40 ? (int)node->len : 40, c->text + node->text, longer);
    rk_nearest near = rk_nearest_to(c->text + node->text, node->len);
    int shown = node->len < 60 ? (int)node->len : 60;
    for (uint32_t i = 0; i < c->count; i++)
        rk_nearest_consider(&near, c->names[i], strlen(c->names[i]));
    if (near.name)
        return rk_syntax_fail(c->error, RASK_ENOENT, node->at, "no column \"%.*s\": did you mean \"%.*s\"?",
                              shown, near.text, (int)near.name_len, near.name);
    if (may_be_text(c, node))
        return rk_syntax_fail(c->error, RASK_ENOENT, node->at,
                              "no column \"%.*s\": a text stands in quotes: '%.*s'", shown, near.text, shown,
                              near.text);
    if (c->count == 1 && strpbrk(c->names[0], ",;\t|"))
        return rk_syntax_fail(c->error, RASK_ENOENT, node->at,
                              "no column \"%.*s\"; the only one is \"%.60s\": is the delimiter another one?",
                              shown, near.text, c->names[0]);
    return rk_syntax_fail(c->error, RASK_ENOENT, node->at, "no column \"%.*s\"", shown, near.text);
}

static bool column(rk_compiler *c, const rk_syntax *node, rk_expr_value *out)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (!is_name(c, node, c->names[i]))
            continue;
        if (c->types[i] == RK_NULL_TYPE)
            return rk_compile_add_constant(c, RK_NULL_TYPE, NULL, out);
        c->expr->uses[i] = 1;
        out->from = (rk_expr_operand){RK_FROM_COLUMN, i};
        out->type = c->types[i];
        return true;
    }
    return unknown_name(c, node);
}

bool rk_compile_value(rk_compiler *c, uint32_t index, rk_expr_value *out)
{
    const rk_syntax *node = rk_compile_node(c, index);
    out->node = index;
    switch (node->kind) {
    case RK_SYNTAX_NUMBER: return number(c, node, out);
    case RK_SYNTAX_STRING: return string(c, node, out);
    case RK_SYNTAX_NAME: return column(c, node, out);
    case RK_SYNTAX_NONE: return rk_compile_add_constant(c, RK_NULL_TYPE, NULL, out);
    case RK_SYNTAX_UNARY:
    case RK_SYNTAX_BINARY:
    case RK_SYNTAX_CALL: *out = c->values[index]; return true;
    case RK_SYNTAX_LIST:
    case RK_SYNTAX_TUPLE:
        return rk_syntax_fail(c->error, RASK_ETYPE, node->at, "a list goes with in alone: x in (1, 2)");
    case RK_SYNTAX_KEYWORD:
        return rk_syntax_fail(c->error, RASK_EFORMAT, node->at, "arguments have no names");
    default:
        return rk_syntax_fail(c->error, RASK_EFORMAT, node->at, "this means nothing for columns: %s",
                              node->kind == RK_SYNTAX_ATTRIBUTE ? "write f(x), not x.f()"
                                                                : "no [ ], no :, no ...");
    }
}

/* --- steps */

static bool take_register(rk_compiler *c, rask_column_type type, uint32_t *out)
{
    rk_expr *e = c->expr;
    uint8_t size = (uint8_t)rk_column_size(type);
    uint32_t i = 0;
    while (i < e->registers && (c->live[i] || e->sizes[i] != size))
        i++;
    if (i == RK_MAX_EXPR_LIVE)
        return rk_syntax_fail(c->error, RASK_ELIMIT, 0, "more than %d values are held at once",
                              RK_MAX_EXPR_LIVE);
    e->registers += i == e->registers;
    e->sizes[i] = size;
    c->live[i] = true;
    *out = i;
    return true;
}

static void release(rk_compiler *c, const rk_expr_value *operands, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++) {
        if (operands[k].from.from == RK_FROM_REGISTER)
            c->live[operands[k].from.index] = false;
    }
}

/* A step over constants, done now: they are columns of one row. */
static bool fold(rk_compiler *c, const rk_expr_step *step, const rk_expr_value *operands, rk_expr_value *out)
{
    uint64_t data[2] = {0};
    uint8_t valid = 1;
    rk_expr_run run = {.expr = c->expr};
    rk_column result = {.data = data, .valid = &valid};
    rk_expr_call call = {.rows = 1, .out = &result, .step = step, .run = &run};
    for (uint32_t k = 0; k < step->count; k++) {
        call.in[k] = rk_compile_constant(c, &operands[k]);
        call.fixed[k] = step->strict;
    }
    int status = rk_expr_do(&call);
    if (status)
        rk_syntax_fail(c->error, status, 0, "%s", rask_status_text(status));
    else
        rk_compile_add_constant(c, step->type, result.nulls && !valid ? NULL : data, out);
    rk_expr_text_fini(&run.text);
    rk_regex_memory_free(run.match);
    return !c->error->status;
}

static bool push_step(rk_compiler *c, const rk_expr_step *step, const rk_expr_value *operands,
                      rk_expr_value *out)
{
    rk_expr_step *added = rk_array_push(&c->expr->steps);
    if (!added)
        return rk_compile_no_memory(c);
    *added = *step;
    if (!take_register(c, step->type, &added->out))
        return false;
    for (uint32_t k = 0; k < step->count; k++)
        added->in[k] = operands[k].from;
    release(c, operands, step->count);
    out->from = (rk_expr_operand){RK_FROM_REGISTER, added->out};
    out->type = step->type;
    return true;
}

static bool spread(rk_compiler *c, rk_expr_value *constant)
{
    const rk_expr_step step = {.kernel = rk_expr_spread, .type = constant->type, .count = 1};
    const rk_expr_value from = *constant;
    return push_step(c, &step, &from, constant);
}

bool rk_compile_step(rk_compiler *c, const rk_expr_step *step, const rk_expr_value *operands,
                     rk_expr_value *out)
{
    rk_expr_value in[3];
    uint32_t constants = 0;
    bool nothing = false;
    for (uint32_t k = 0; k < step->count; k++) {
        in[k] = operands[k];
        constants += rk_compile_constant(c, &in[k]) != NULL;
        nothing |= step->strict && is_null(c, &in[k]);
    }
    if (nothing) {
        release(c, in, step->count);
        return rk_compile_add_constant(c, step->type, NULL, out);
    }
    if (constants == step->count)
        return fold(c, step, in, out);
    for (uint32_t k = 0; k < step->count && !step->strict; k++) {
        if (rk_compile_constant(c, &in[k]) && !spread(c, &in[k]))
            return false;
    }
    return push_step(c, step, in, out);
}

bool rk_compile_strict(rk_compiler *c, rk_expr_kernel *kernel, rask_column_type type, uint32_t count,
                       const rk_expr_value *operands, rk_expr_value *out)
{
    const rk_expr_step step = {.kernel = kernel, .type = type, .count = count, .strict = true};
    return rk_compile_step(c, &step, operands, out);
}

/* --- conversions */

static bool is_date_text(const rk_compiler *c, const rk_expr_value *value, rask_column_type type)
{
    return value->type == RASK_COL_TEXT && (type == RASK_COL_DATE || type == RASK_COL_TIMESTAMP) &&
           rk_compile_constant(c, value);
}

bool rk_compile_fits(const rk_compiler *c, const rk_expr_value *value, rask_column_type type)
{
    return value->type == type || value->type == RK_NULL_TYPE ||
           (value->type == RASK_COL_I64 && type == RASK_COL_F64) ||
           (value->type == RASK_COL_DATE && type == RASK_COL_TIMESTAMP) || is_date_text(c, value, type);
}

static bool parse_date(rk_compiler *c, rk_expr_value *value, rask_column_type type)
{
    const rk_column *constant = rk_compile_constant(c, value);
    int64_t number;
    bool date = type == RASK_COL_DATE;
    if (constant->nulls)
        return rk_compile_add_constant(c, type, NULL, value);
    if (date ? rk_text_date(*constant->text, &number) : rk_text_timestamp(*constant->text, &number))
        return rk_compile_add_constant(c, type, &number, value);
    return rk_syntax_fail(c->error, RASK_EFORMAT, rk_compile_node(c, value->node)->at,
                          "\"%.*s\" is no %s: %s", constant->text->len < 40 ? (int)constant->text->len : 40,
                          constant->text->data, rask_column_type_name(type),
                          date ? "YYYY-MM-DD expected" : "YYYY-MM-DD HH:MM:SS expected");
}

bool rk_compile_convert(rk_compiler *c, rk_expr_value *value, rask_column_type type)
{
    const rk_expr_value from = *value;
    if (from.type == type)
        return true;
    if (from.type == RK_NULL_TYPE)
        return rk_compile_add_constant(c, type, NULL, value);
    if (from.type == RASK_COL_TEXT)
        return parse_date(c, value, type);
    return rk_compile_strict(c, type == RASK_COL_F64 ? rk_expr_cast_i64_f64 : rk_expr_cast_date_timestamp,
                             type, 1, &from, value);
}

bool rk_compile_common(const rk_compiler *c, const rk_expr_value *a, const rk_expr_value *b,
                       rask_column_type *out)
{
    if (rk_compile_fits(c, a, b->type))
        *out = b->type;
    else if (rk_compile_fits(c, b, a->type))
        *out = a->type;
    else
        return false;
    return true;
}

/* --- the whole */

static bool compile_nodes(rk_compiler *c)
{
    c->values = rk_alloc_array(c->syntax.count, sizeof *c->values);
    if (!c->values)
        return rk_compile_no_memory(c);
    for (uint32_t i = 0; i < c->syntax.count; i++) {
        rk_syntax_kind kind = rk_compile_node(c, i)->kind;
        c->values[i].node = i;
        if (kind == RK_SYNTAX_CALL && !rk_compile_call(c, i, &c->values[i]))
            return false;
        if ((kind == RK_SYNTAX_UNARY || kind == RK_SYNTAX_BINARY) &&
            !rk_compile_operator(c, i, &c->values[i]))
            return false;
        c->values[i].node = i;
    }
    return true;
}

/* A constant becomes a column here; null alone is a bool. */
static bool finish(rk_compiler *c)
{
    rk_expr_value value = {0};
    if (!rk_compile_value(c, (uint32_t)c->syntax.count - 1, &value))
        return false;
    c->expr->null = value.type == RK_NULL_TYPE;
    if (c->expr->null && !rk_compile_convert(c, &value, RASK_COL_BOOL))
        return false;
    if (rk_compile_constant(c, &value) && !spread(c, &value))
        return false;
    c->expr->result = value.from;
    c->expr->type = value.type;
    return rk_expr_memo_find(c->expr, c->types) || rk_compile_no_memory(c);
}

static rk_expr *expr_new(uint32_t columns, const char *text, size_t len)
{
    rk_expr *e = rk_calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->columns = columns;
    e->steps = (rk_array)RK_ARRAY(rk_expr_step, RK_MAX_EVAL_TEXT * 4);
    e->constants = (rk_array)RK_ARRAY(rk_column, RK_MAX_EVAL_TEXT * 4);
    e->regexes = (rk_array)RK_ARRAY(rk_regex *, RK_MAX_EVAL_TEXT);
    e->memos = (rk_array)RK_ARRAY(rk_expr_memo, RK_MAX_EVAL_TEXT * 4);
    e->uses = rk_calloc(columns ? columns : 1, 1);
    e->text = rk_strndup(text, len);
    if (e->uses && e->text)
        return e;
    rk_expr_free(e);
    return NULL;
}

int rk_expr_compile(const char *text, size_t len, const char *const *names, const rask_column_type *types,
                    uint32_t count, rk_expr **out, rk_syntax_error *error)
{
    rk_compiler c = {.text = text,
                     .names = names,
                     .types = types,
                     .count = count,
                     .error = error,
                     .syntax = RK_ARRAY(rk_syntax, RK_MAX_EVAL_TEXT * 4)};
    if (!rk_syntax_parse_columns(text, len, &c.syntax, error)) {
        c.expr = expr_new(count, text, len);
        if (!c.expr)
            rk_compile_no_memory(&c);
        else if (compile_nodes(&c))
            finish(&c);
    }
    rk_array_fini(&c.syntax);
    rk_free(c.values);
    if (error->status)
        rk_expr_free(c.expr);
    else
        *out = c.expr;
    return error->status;
}

rask_column_type rk_expr_type(const rk_expr *e)
{
    return e->type;
}

bool rk_expr_is_null(const rk_expr *e)
{
    return e->null;
}

const char *rk_expr_source(const rk_expr *e)
{
    return e->text;
}

bool rk_expr_uses(const rk_expr *e, uint32_t column)
{
    return column < e->columns && e->uses[column];
}

void rk_expr_free(rk_expr *e)
{
    if (!e)
        return;
    rk_regex **regexes = e->regexes.data;
    for (size_t i = 0; i < e->regexes.count; i++)
        rk_regex_free(regexes[i]);
    rk_array_fini(&e->regexes);
    rk_array_fini(&e->memos);
    rk_array_fini(&e->steps);
    rk_array_fini(&e->constants);
    rk_arena_fini(&e->memory);
    rk_free(e->uses);
    rk_free(e->text);
    rk_free(e);
}
