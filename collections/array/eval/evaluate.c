/* From syntax to arrays: one pass over the nodes, each of which finds what it is made of evaluated. */
#include "collections/array/eval/function.h"
#include "collections/array/eval/names.h"

#include <stdio.h>
#include <string.h>

static const rk_syntax *syntax_of(const rk_eval *e, uint32_t node)
{
    return (const rk_syntax *)e->syntax.data + node;
}

/* The values of a node's children from one on, together. NULL, latched. */
static rk_eval_value *values_from(rk_eval *e, uint32_t child, uint32_t count)
{
    rk_eval_value *values = rk_eval_memory(e, count * sizeof *values);
    for (uint32_t i = 0; values && i < count; i++, child = syntax_of(e, child)->next)
        values[i] = e->values[child];
    return values;
}

static rk_eval_value failed(void)
{
    return (rk_eval_value){.kind = RK_EVAL_FAILED};
}

static rk_eval_value list(rk_eval *e, const rk_syntax *node)
{
    rk_eval_value *items = values_from(e, node->first, node->count);
    rk_eval_kind kind = node->kind == RK_SYNTAX_LIST ? RK_EVAL_LIST : RK_EVAL_TUPLE;
    return items ? (rk_eval_value){.kind = kind, .as.list = {items, node->count}} : failed();
}

static rk_eval_value slice(rk_eval *e, const rk_syntax *node)
{
    int64_t parts[3];
    uint32_t child = node->first;
    for (int i = 0; i < 3; i++, child = syntax_of(e, child)->next) {
        const rk_eval_value *value = &e->values[child];
        parts[i] = rk_eval_given(value) ? rk_eval_to_i64(e, value) : RASK_DEFAULT;
    }
    return (rk_eval_value){.kind = RK_EVAL_SLICE,
                           .as.slice = {RASK_SLICE_RANGE, parts[0], parts[1], parts[2]}};
}

static rk_eval_value subscripts(rk_eval *e, const rk_syntax *node)
{
    uint32_t count = node->count - 1;
    rk_eval_value *items = values_from(e, syntax_of(e, node->first)->next, count);
    return items ? rk_eval_subscript(e, &e->values[node->first], items, count) : failed();
}

/* float32(x): a cast. Of a number, to what Python has, a number. */
static rk_eval_value cast(rk_eval *e, const rk_syntax *node, rask_dtype dtype)
{
    uint32_t argument = syntax_of(e, node->first)->next;
    if (node->count != 2 || syntax_of(e, argument)->kind == RK_SYNTAX_KEYWORD)
        return rk_eval_fail(e, node->at, RASK_EINVAL, "%s() takes one argument", rask_dtype_name(dtype));
    rask_array *a = rk_eval_to_array(e, &e->values[argument]);
    return rk_eval_array(rask_array_astype_at(a, dtype, RK_EVAL_SITE(e)));
}

/* fft, with a function of its own name, is easily taken for that. */
static rk_eval_value no_function(rk_eval *e, const rk_syntax *node, const rk_eval_value *value)
{
    const char *module = value->kind == RK_EVAL_MODULE ? value->as.module : "";
    size_t len = strlen(module);
    const rk_eval_function *same = len ? rk_eval_find_function(module, module, len - 1) : NULL;
    if (same)
        return rk_eval_fail(e, node->at, RASK_ETYPE, "%.*s is a module: did you mean %s?", (int)len - 1,
                            module, same->name);
    return rk_eval_fail(e, node->at, RASK_ETYPE, "%s is no function", rk_eval_kind_text(value));
}

static rk_eval_value call(rk_eval *e, const rk_syntax *node)
{
    const rk_eval_value *function = &e->values[node->first];
    if (function->kind == RK_EVAL_DTYPE)
        return cast(e, node, function->as.dtype);
    if (function->kind != RK_EVAL_FUNCTION)
        return no_function(e, node, function);
    return rk_eval_call(e, node, function->as.function.row, function->as.function.self);
}

static rk_eval_value binary(rk_eval *e, const rk_syntax *node)
{
    const rk_eval_value *left = &e->values[node->first];
    return rk_eval_binary(e, node->mark, left, &e->values[syntax_of(e, node->first)->next]);
}

static rk_eval_value text(const rk_eval *e, const rk_syntax *node)
{
    return (rk_eval_value){.kind = RK_EVAL_STRING, .as.text = {e->text + node->text, node->len}};
}

static rk_eval_value assign(rk_eval *e, const rk_syntax *node)
{
    const rk_eval_value *value = &e->values[node->first];
    return rk_eval_assign(e, e->text + node->text, node->len, value) ? failed() : rk_eval_none();
}

static rk_eval_value evaluate(rk_eval *e, const rk_syntax *node)
{
    switch (node->kind) {
    case RK_SYNTAX_NONE: return rk_eval_none();
    case RK_SYNTAX_NUMBER: return (rk_eval_value){.kind = RK_EVAL_NUMBER, .as.number = node->number};
    case RK_SYNTAX_STRING: return text(e, node);
    case RK_SYNTAX_NAME: return rk_eval_name(e, node);
    case RK_SYNTAX_ELLIPSIS: return (rk_eval_value){.kind = RK_EVAL_ELLIPSIS};
    case RK_SYNTAX_UNARY: return rk_eval_unary(e, node->mark, &e->values[node->first]);
    case RK_SYNTAX_BINARY: return binary(e, node);
    case RK_SYNTAX_ATTRIBUTE: return rk_eval_attribute(e, node, &e->values[node->first]);
    case RK_SYNTAX_CALL: return call(e, node);
    case RK_SYNTAX_KEYWORD: return e->values[node->first];
    case RK_SYNTAX_INDEX: return subscripts(e, node);
    case RK_SYNTAX_SLICE: return slice(e, node);
    case RK_SYNTAX_TUPLE:
    case RK_SYNTAX_LIST: return list(e, node);
    case RK_SYNTAX_ASSIGN: return assign(e, node);
    }
    return failed();
}

/* Evaluates all nodes; NULL, latched, or the value of the last. */
static const rk_eval_value *evaluate_all(rk_eval *e)
{
    e->values = rk_eval_memory(e, e->syntax.count * sizeof *e->values);
    for (uint32_t i = 0; e->values && i < e->syntax.count; i++) {
        const rk_syntax *node = syntax_of(e, i);
        e->at = node->at;
        e->values[i] = evaluate(e, node);
        if (node->kind != RK_SYNTAX_KEYWORD) /* whose value has a place of its own */
            e->values[i].at = node->at;
        if (e->graph->status || e->values[i].kind == RK_EVAL_FAILED) {
            rk_eval_locate(e, node->at);
            if (!e->told)
                rk_eval_fail(e, node->at, RASK_ENOMEM, "%s", rask_status_text(RASK_ENOMEM));
            return NULL;
        }
    }
    return e->values ? &e->values[e->syntax.count - 1] : NULL;
}

/* A tuple with arrays in it, or with a function's that has, which other lists become one of. */
static bool
has_arrays(const rk_eval_value *value) /* NOLINT(misc-no-recursion): as deep as the text is nested */
{
    for (uint32_t i = 0; value->kind == RK_EVAL_TUPLE && i < value->as.list.count; i++) {
        const rk_eval_value *item = &value->as.list.items[i];
        if (item->kind == RK_EVAL_ARRAY || has_arrays(item))
            return true;
    }
    return false;
}

static rask_array *result(rk_eval *e, const rk_eval_value *value)
{
    if (has_arrays(value)) {
        if (value->as.list.count == 1)
            return value->as.list.items->as.array;
        rk_eval_fail(e, value->at, RASK_ETYPE,
                     "this gives %u arrays: take one of them, such as the first by [0]",
                     value->as.list.count);
        return NULL;
    }
    if (value->kind == RK_EVAL_DTYPE) {
        rk_eval_fail(e, value->at, RASK_ETYPE, "this gives the dtype %s, not an array",
                     rask_dtype_name(value->as.dtype));
        return NULL;
    }
    if (value->kind == RK_EVAL_FUNCTION) {
        rk_eval_fail(e, value->at, RASK_ETYPE, "%s is a function: call it, as in %s(…)",
                     value->as.function.row->name, value->as.function.row->name);
        return NULL;
    }
    rask_array *array = rk_eval_to_array(e, value);
    rk_eval_locate(e, value->at);
    return array;
}

/* NULL, latched, or the value of the text. */
static const rk_eval_value *parse_and_evaluate(rk_eval *e)
{
    rk_syntax_error error;
    if (rk_syntax_parse(e->text, e->len, &e->syntax, &error)) {
        rk_eval_fail(e, (uint32_t)error.at, error.status, "%s", error.message);
        return NULL;
    }
    return evaluate_all(e);
}

static void begin(rk_eval *e)
{
    e->syntax = (rk_array)RK_ARRAY(rk_syntax, RK_MAX_EVAL_TEXT * 4);
    e->variables = (rk_array)RK_ARRAY(rk_eval_variable, RK_MAX_EVAL_TEXT);
}

static void end(rk_eval *e)
{
    rk_array_fini(&e->syntax);
    rk_array_fini(&e->variables);
    rk_arena_fini(&e->memory);
}

/* One array, or where more may come those of a tuple: how many; 0: latched. */
static uint32_t results(rk_eval *e, const rk_eval_value *value, rask_array **arrays, uint32_t most)
{
    bool several = most > 1 && has_arrays(value);
    uint32_t count = several ? value->as.list.count : 1;
    if (count > most) {
        rk_eval_fail(e, value->at, RASK_ELIMIT, "this gives %u arrays: at most %u", count, most);
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        arrays[i] = result(e, several ? &value->as.list.items[i] : value);
        if (!arrays[i])
            return 0;
    }
    return count;
}

static uint32_t run(rk_eval *e, rask_array **arrays, uint32_t most)
{
    begin(e);
    const rk_eval_value *value = parse_and_evaluate(e);
    uint32_t count = value ? results(e, value, arrays, most) : 0;
    end(e);
    return count;
}

/* --- texts in the middle of others */

/* Those that are absent, or the others. False: latched. */
static bool assign_all(rk_eval *e, const rk_eval_variable *names, uint32_t count, bool absent)
{
    for (uint32_t i = 0; i < count; i++) {
        bool is_absent = names[i].value.kind == RK_EVAL_ABSENT;
        rk_eval_value value = is_absent ? rk_eval_none() : names[i].value;
        if (is_absent == absent && rk_eval_assign(e, names[i].name, names[i].len, &value))
            return false;
    }
    return true;
}

static const rk_eval_value *evaluate_text(rk_eval *e, const char *text_given)
{
    e->text = text_given;
    e->len = strlen(text_given);
    rk_array_fini(&e->syntax);
    e->syntax = (rk_array)RK_ARRAY(rk_syntax, RK_MAX_EVAL_TEXT * 4);
    return parse_and_evaluate(e);
}

rk_eval_value rk_eval_within(rk_eval *e, const char *otherwise, const char *text_given,
                             const rk_eval_variable *names, uint32_t count)
{
    rk_eval inner = {
        .caller = e, .graph = e->graph, .text = "", .options = e->options, .file = e->file, .line = e->line};
    const rk_eval_value *value = NULL;
    begin(&inner);
    if (assign_all(&inner, names, count, true) && (!otherwise || evaluate_text(&inner, otherwise)) &&
        assign_all(&inner, names, count, false))
        value = evaluate_text(&inner, text_given);
    rk_eval_value made = failed();
    if (value && value->kind == RK_EVAL_NUMBER)
        made = *value;
    else if (value)
        made = rk_eval_array(result(&inner, value));
    end(&inner);
    return made;
}

uint32_t rask_eval_several_at(rask_graph *graph, const char *text_given, const char *const *names,
                              const rask_operand *operands, size_t count, const rask_options *options,
                              rask_array **arrays, uint32_t most, const char *file, int line)
{
    if (!graph || graph->status)
        return 0;
    if (!text_given || !arrays || !most || (count && (!names || !operands))) {
        rk_graph_fail(graph, RASK_EINVAL, file, line,
                      "rask_eval: no text, no names, or no room for a result");
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (!names[i] || (operands[i].kind == RASK_OPERAND_ARRAY && !operands[i].as.array)) {
            rk_graph_fail(graph, RASK_EINVAL, file, line, "rask_eval: name %zu has no value", i);
            return 0;
        }
    }
    rk_eval e = {.graph = graph,
                 .text = text_given,
                 .len = strlen(text_given),
                 .names = names,
                 .operands = operands,
                 .name_count = count,
                 .options = options,
                 .file = file,
                 .line = line};
    return run(&e, arrays, most);
}

rask_array *rask_eval_operands_at(rask_graph *graph, const char *text_given, const char *const *names,
                                  const rask_operand *operands, size_t count, const rask_options *options,
                                  const char *file, int line)
{
    rask_array *array;
    return rask_eval_several_at(graph, text_given, names, operands, count, options, &array, 1, file, line)
               ? array
               : NULL;
}

rask_array *rask_eval_at(rask_graph *graph, const char *text_given, const char *const *names,
                         rask_array *const *arrays, size_t count, const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    rask_operand *operands = rk_calloc(count ? count : 1, sizeof *operands);
    if (!operands || (count && !arrays)) {
        rk_free(operands);
        rk_graph_fail(graph, operands ? RASK_EINVAL : RASK_ENOMEM, file, line,
                      "rask_eval: no arrays, or no memory");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        operands[i] = (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = arrays[i]};
    rask_array *array = rask_eval_operands_at(graph, text_given, names, operands, count, NULL, file, line);
    rk_free(operands);
    return array;
}
