/* Calls: arguments to parameters, and what functions ask of them. */
#include "collections/array/eval/function.h"
#include "collections/array/eval/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- parameters */

/* One parameter of a function's text. */
typedef struct parameter {
    const char *name;
    size_t len;
    bool required, by_name, rest;
} parameter;

/* The parameters of a function, in order; returns how many. */
static uint32_t parameters_of(const rk_eval_function *f, parameter *out)
{
    uint32_t count = 0;
    bool required = true, by_name = false;
    for (const char *at = f->parameters; *at;) {
        size_t len = strcspn(at, " ;*");
        bool rest = len > 3 && memcmp(at + len - 3, "...", 3) == 0;
        if (len && count < RK_EVAL_PARAMETERS)
            out[count++] = (parameter){at, rest ? len - 3 : len, required && !by_name, by_name, rest};
        at += len;
        for (; *at == ' ' || *at == ';' || *at == '*'; at++) {
            required &= *at != ';';
            by_name |= *at == '*';
        }
    }
    return count;
}

/* name is the parameter's, or one of "a|b". */
static bool has_name(const parameter *p, const char *name, size_t len)
{
    const char *end = p->name + p->len;
    for (const char *at = p->name; at < end;) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        const char *stop = bar ? bar : end;
        if ((size_t)(stop - at) == len && memcmp(at, name, len) == 0)
            return true;
        at = stop + 1;
    }
    return false;
}

static int first_name(const parameter *p)
{
    const char *bar = memchr(p->name, '|', p->len);
    return (int)(bar ? (size_t)(bar - p->name) : p->len);
}

/* --- binding */

typedef struct binding {
    rk_call *call;
    parameter parameters[RK_EVAL_PARAMETERS];
    uint32_t count, next; /* parameters, and the one that the next argument without a name is for */
    uint32_t given;       /* values that "a..." took */
} binding;

static bool too_many(binding *b, const rk_eval_value *value)
{
    uint32_t most = 0;
    while (most < b->count && !b->parameters[most].by_name)
        most++;
    rk_eval_fail(b->call->eval, value->at, RASK_EINVAL, "%s() takes at most %u argument%s%s",
                 b->call->function->name, most, most == 1 ? "" : "s",
                 most < b->count ? " without names" : "");
    return false;
}

/* One more value of "a...": the first alone, then a tuple. */
static bool add_rest(binding *b, rk_eval_value *slot, const rk_eval_value *value)
{
    rk_eval *e = b->call->eval;
    if (b->given++ == 0) {
        *slot = *value;
        return true;
    }
    if (b->given == 2) {
        rk_eval_value *items = rk_eval_memory(e, RASK_MAX_DIMENSIONS * sizeof *items);
        if (!items)
            return false;
        items[0] = *slot;
        *slot = (rk_eval_value){.kind = RK_EVAL_TUPLE, .at = slot->at, .as.list = {items, 1}};
    }
    if (slot->as.list.count == RASK_MAX_DIMENSIONS) {
        rk_eval_fail(e, value->at, RASK_ELIMIT, "more than %d arguments", RASK_MAX_DIMENSIONS);
        return false;
    }
    ((rk_eval_value *)slot->as.list.items)[slot->as.list.count++] = *value;
    return true;
}

static bool bind_position(binding *b, const rk_eval_value *value)
{
    if (b->next == b->count || b->parameters[b->next].by_name)
        return too_many(b, value);
    rk_eval_value *slot = &b->call->arguments[b->next];
    if (b->parameters[b->next].rest)
        return add_rest(b, slot, value);
    *slot = *value;
    b->next++;
    return true;
}

static bool bind_name(binding *b, const rk_syntax *keyword, const rk_eval_value *value)
{
    rk_eval *e = b->call->eval;
    const char *name = e->text + keyword->text;
    int shown = keyword->len < 60 ? (int)keyword->len : 60;
    for (uint32_t i = 0; i < b->count; i++) {
        if (!has_name(&b->parameters[i], name, keyword->len))
            continue;
        if (b->call->arguments[i].kind != RK_EVAL_ABSENT) {
            rk_eval_fail(e, keyword->at, RASK_EEXIST, "argument \"%.*s\" is given twice", shown, name);
            return false;
        }
        b->call->arguments[i] = *value;
        return true;
    }
    rk_eval_fail(e, keyword->at, RASK_ENOENT, "%s() takes no argument \"%.*s\"", b->call->function->name,
                 shown, name);
    return false;
}

static bool bind_all(binding *b, const rk_syntax *node, const rk_eval_value *self)
{
    rk_eval *e = b->call->eval;
    const rk_syntax *all = e->syntax.data;
    if (self && !bind_position(b, self))
        return false;
    for (uint32_t i = all[node->first].next; i != RK_NO_SYNTAX; i = all[i].next) {
        const rk_eval_value *value = &e->values[i];
        if (all[i].kind == RK_SYNTAX_KEYWORD ? !bind_name(b, &all[i], value) : !bind_position(b, value))
            return false;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->parameters[i].required && b->call->arguments[i].kind == RK_EVAL_ABSENT) {
            rk_eval_fail(e, node->at, RASK_EINVAL, "%s() needs argument \"%.*s\"", b->call->function->name,
                         first_name(&b->parameters[i]), b->parameters[i].name);
            return false;
        }
    }
    return true;
}

rk_eval_value rk_eval_call(rk_eval *e, const rk_syntax *node, const rk_eval_function *function,
                           const rk_eval_value *self)
{
    rk_call call = {.eval = e, .function = function};
    binding b = {.call = &call};
    b.count = parameters_of(function, b.parameters);
    return bind_all(&b, node, self) ? function->call(&call) : (rk_eval_value){.kind = RK_EVAL_FAILED};
}

/* --- what functions ask */

const rk_eval_value *rk_call_value(const rk_call *c, const char *name)
{
    static const rk_eval_value absent = {.kind = RK_EVAL_ABSENT};
    parameter parameters[RK_EVAL_PARAMETERS];
    uint32_t count = parameters_of(c->function, parameters);
    for (uint32_t i = 0; i < count; i++) {
        if (has_name(&parameters[i], name, strlen(name)))
            return &c->arguments[i];
    }
    return &absent;
}

rk_eval_value rk_call_text(rk_call *c, const char *otherwise, const char *text)
{
    parameter parameters[RK_EVAL_PARAMETERS];
    rk_eval_variable given[RK_EVAL_PARAMETERS];
    uint32_t count = parameters_of(c->function, parameters);
    for (uint32_t i = 0; i < count; i++) {
        rk_eval_value value = c->arguments[i];
        if (rk_eval_is_list(&value))
            value = rk_eval_array(rk_eval_to_array(c->eval, &value));
        if (value.kind == RK_EVAL_FAILED)
            return value;
        given[i] = (rk_eval_variable){parameters[i].name, (size_t)first_name(&parameters[i]), value};
    }
    return rk_eval_within(c->eval, otherwise, text, given, count);
}

rask_array *rk_call_array(const rk_call *c, const char *name)
{
    return rk_eval_to_array(c->eval, rk_call_value(c, name));
}

rask_operand rk_call_operand(const rk_call *c, const char *name)
{
    return rk_eval_to_operand(c->eval, rk_call_value(c, name));
}

int64_t rk_call_i64(const rk_call *c, const char *name, int64_t otherwise)
{
    return rk_call_given(c, name) ? rk_eval_to_i64(c->eval, rk_call_value(c, name)) : otherwise;
}

double rk_call_f64(const rk_call *c, const char *name, double otherwise)
{
    return rk_call_given(c, name) ? rk_eval_to_f64(c->eval, rk_call_value(c, name)) : otherwise;
}

bool rk_call_bool(const rk_call *c, const char *name, bool otherwise)
{
    return rk_call_given(c, name) ? rk_eval_to_bool(c->eval, rk_call_value(c, name)) : otherwise;
}

rask_dtype rk_call_dtype(const rk_call *c, const char *name, rask_dtype otherwise)
{
    return rk_call_given(c, name) ? rk_eval_to_dtype(c->eval, rk_call_value(c, name)) : otherwise;
}

int rk_call_axis(const rk_call *c, const char *name, int otherwise)
{
    return rk_call_given(c, name) ? rk_eval_to_int(c->eval, rk_call_value(c, name)) : otherwise;
}

rk_eval_value rk_call_fail(rk_call *c, const char *name, int status, const char *format, ...)
{
    char message[RK_MAX_MESSAGE];
    const rk_eval_value *value = rk_call_value(c, name);
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    uint32_t at = value->kind == RK_EVAL_ABSENT ? c->eval->at : value->at;
    return rk_eval_fail(c->eval, at, status, "%s", message);
}

/* --- builders */

rask_array *rk_call_unary(rk_call *c, rask_unary op, rask_array *a)
{
    return rask_array_unary_at(op, a, RK_EVAL_SITE(c->eval));
}

rask_array *rk_call_binary(rk_call *c, rask_binary op, rask_array *a, rask_array *b)
{
    rask_operand left = {.kind = RASK_OPERAND_ARRAY, .as.array = a};
    rask_operand right = {.kind = RASK_OPERAND_ARRAY, .as.array = b};
    return rask_array_binary_at(op, left, right, RK_EVAL_SITE(c->eval));
}

rask_array *rk_call_with(rk_call *c, rask_binary op, rask_array *a, double number)
{
    rask_operand left = {.kind = RASK_OPERAND_ARRAY, .as.array = a};
    rask_operand right = {.kind = RASK_OPERAND_F64, .as.f64 = number};
    return rask_array_binary_at(op, left, right, RK_EVAL_SITE(c->eval));
}

rask_array *rk_call_with_i64(rk_call *c, rask_binary op, rask_array *a, int64_t number)
{
    rask_operand left = {.kind = RASK_OPERAND_ARRAY, .as.array = a};
    rask_operand right = {.kind = RASK_OPERAND_I64, .as.i64 = number};
    return rask_array_binary_at(op, left, right, RK_EVAL_SITE(c->eval));
}

rask_array *rk_call_reduce(rk_call *c, rask_reduction op, rask_array *a, int axis)
{
    return rask_array_reduce_axis_at(op, a, axis, RK_EVAL_SITE(c->eval));
}

rask_array *rk_call_cast(rk_call *c, rask_array *a, rask_dtype dtype)
{
    return rask_array_astype_at(a, dtype, RK_EVAL_SITE(c->eval));
}

rask_array *rk_call_part(rk_call *c, rask_array *a, int axis, int64_t start, int64_t stop)
{
    rask_slice slices[RASK_MAX_DIMENSIONS];
    for (int i = 0; i < axis; i++)
        slices[i] = (rask_slice){RASK_SLICE_RANGE, RASK_DEFAULT, RASK_DEFAULT, RASK_DEFAULT};
    slices[axis] = (rask_slice){RASK_SLICE_RANGE, start, stop, RASK_DEFAULT};
    return rask_array_slice_at(a, slices, (uint32_t)axis + 1, RK_EVAL_SITE(c->eval));
}

int rk_call_axis_of(rk_call *c, rask_array *a, int axis)
{
    return a ? rk_axis(a, axis, c->function->name, RK_EVAL_SITE(c->eval)) : -1;
}
