#include "collections/array/eval/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

rk_eval_value rk_eval_none(void)
{
    return (rk_eval_value){.kind = RK_EVAL_NONE};
}

rk_eval_value rk_eval_bool(bool value)
{
    return (rk_eval_value){.kind = RK_EVAL_NUMBER,
                           .as.number = {.kind = RASK_OPERAND_BOOL, .as.boolean = value}};
}

rk_eval_value rk_eval_i64(int64_t value)
{
    return (rk_eval_value){.kind = RK_EVAL_NUMBER, .as.number = {.kind = RASK_OPERAND_I64, .as.i64 = value}};
}

rk_eval_value rk_eval_f64(double value)
{
    return (rk_eval_value){.kind = RK_EVAL_NUMBER, .as.number = {.kind = RASK_OPERAND_F64, .as.f64 = value}};
}

rk_eval_value rk_eval_dtype(rask_dtype dtype)
{
    return (rk_eval_value){.kind = RK_EVAL_DTYPE, .as.dtype = dtype};
}

rk_eval_value rk_eval_array(rask_array *array)
{
    return array ? (rk_eval_value){.kind = RK_EVAL_ARRAY, .as.array = array}
                 : (rk_eval_value){.kind = RK_EVAL_FAILED};
}

rk_eval_value rk_eval_tuple(rk_eval *e, const rk_eval_value *items, uint32_t count)
{
    rk_eval_value *copy = rk_eval_memory(e, count * sizeof *copy);
    if (!copy)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].kind == RK_EVAL_FAILED)
            return items[i];
        copy[i] = items[i];
        copy[i].at = e->at;
    }
    return (rk_eval_value){.kind = RK_EVAL_TUPLE, .as.list = {copy, count}};
}

const char *rk_eval_kind_text(const rk_eval_value *value)
{
    static const char *const texts[] = {
        [RK_EVAL_ABSENT] = "nothing",  [RK_EVAL_FAILED] = "nothing",  [RK_EVAL_NONE] = "None",
        [RK_EVAL_NUMBER] = "a number", [RK_EVAL_STRING] = "a string", [RK_EVAL_DTYPE] = "a dtype",
        [RK_EVAL_ARRAY] = "an array",  [RK_EVAL_TUPLE] = "a tuple",   [RK_EVAL_LIST] = "a list",
        [RK_EVAL_SLICE] = "a slice",   [RK_EVAL_ELLIPSIS] = "...",    [RK_EVAL_FUNCTION] = "a function",
        [RK_EVAL_MODULE] = "a module",
    };
    static const char *const numbers[] = {
        [RASK_OPERAND_ARRAY] = "an array", [RASK_OPERAND_BOOL] = "a bool",
        [RASK_OPERAND_I64] = "an integer", [RASK_OPERAND_U64] = "an integer",
        [RASK_OPERAND_F64] = "a float",    [RASK_OPERAND_C128] = "a complex number",
    };
    return value->kind == RK_EVAL_NUMBER ? numbers[value->as.number.kind] : texts[value->kind];
}

static void wanted(rk_eval *e, const rk_eval_value *value, const char *what)
{
    if (value->kind != RK_EVAL_FAILED)
        rk_eval_fail(e, value->at, RASK_ETYPE, "%s expected, not %s", what, rk_eval_kind_text(value));
}

/* --- lists as arrays */

/* What becomes of a list: its shape down to the numbers or arrays, and whether there are arrays. */
typedef struct outline {
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
    bool arrays;
    rask_operand_kind kind; /* that all numbers fit into */
} outline;

static bool outline_of(rk_eval *e, const rk_eval_value *value, outline *o)
{
    const rk_eval_value *first = value;
    int64_t size = 1;
    o->ndim = 0;
    for (; rk_eval_is_list(first); first = first->as.list.items) {
        if (o->ndim == RASK_MAX_DIMENSIONS) {
            rk_eval_fail(e, value->at, RASK_ELIMIT, "lists nested deeper than %d", RASK_MAX_DIMENSIONS);
            return false;
        }
        o->shape[o->ndim++] = first->as.list.count;
        if (first->as.list.count == 0)
            return true;
        if (__builtin_mul_overflow(size, (int64_t)first->as.list.count, &size) || size > RK_MAX_EVAL_LIST) {
            rk_eval_fail(e, value->at, RASK_ELIMIT, "a list of more than %d elements", RK_MAX_EVAL_LIST);
            return false;
        }
    }
    return true;
}

/* NOLINTBEGIN(misc-no-recursion): lists become arrays as deep as they are nested, which outline_of() bounds by
 * RASK_MAX_DIMENSIONS */

/* Calls each() for the elements at the bottom of value, in order; lists whose lengths differ are failures. */
static bool for_elements(rk_eval *e, const rk_eval_value *value, uint32_t axis, outline *o,
                         bool (*each)(rk_eval *e, const rk_eval_value *element, outline *o, void *context),
                         void *context)
{
    if (axis == o->ndim)
        return each(e, value, o, context);
    if (!rk_eval_is_list(value) || value->as.list.count != o->shape[axis]) {
        rk_eval_fail(e, value->at, RASK_EINVAL, "lists of one length expected: %lld elements",
                     (long long)o->shape[axis]);
        return false;
    }
    for (uint32_t i = 0; i < value->as.list.count; i++) {
        if (!for_elements(e, &value->as.list.items[i], axis + 1, o, each, context))
            return false;
    }
    return true;
}

static bool look(rk_eval *e, const rk_eval_value *element, outline *o, void *context)
{
    (void)context;
    if (element->kind == RK_EVAL_ARRAY)
        o->arrays = true;
    else if (element->kind != RK_EVAL_NUMBER)
        wanted(e, element, "a number or an array");
    else if (element->as.number.kind > o->kind)
        o->kind = (rask_operand_kind)element->as.number.kind;
    return element->kind == RK_EVAL_ARRAY || element->kind == RK_EVAL_NUMBER;
}

static double number_f64(const rask_operand *number)
{
    switch (number->kind) {
    case RASK_OPERAND_BOOL: return number->as.boolean;
    case RASK_OPERAND_I64: return (double)number->as.i64;
    case RASK_OPERAND_U64: return (double)number->as.u64;
    case RASK_OPERAND_F64: return number->as.f64;
    default: return number->as.c128[0];
    }
}

static int64_t number_i64(const rask_operand *number)
{
    return number->kind == RASK_OPERAND_BOOL ? number->as.boolean : number->as.i64;
}

/* Writes the next number of the common kind; context: where, moved on. */
static bool put(rk_eval *e, const rk_eval_value *element, outline *o, void *context)
{
    const rask_operand *number = &element->as.number;
    char **out = context;
    int64_t whole = o->kind <= RASK_OPERAND_U64 ? number_i64(number) : 0;
    double parts[2] = {number_f64(number), number->kind == RASK_OPERAND_C128 ? number->as.c128[1] : 0};
    bool yes = whole != 0;
    const void *from = o->kind == RASK_OPERAND_BOOL  ? (void *)&yes
                       : o->kind <= RASK_OPERAND_U64 ? (void *)&whole
                                                     : parts;
    size_t size = o->kind == RASK_OPERAND_BOOL ? 1 : o->kind == RASK_OPERAND_C128 ? 16 : 8;
    if (o->kind == RASK_OPERAND_U64 && number->kind <= RASK_OPERAND_I64 && whole < 0) {
        rk_eval_fail(e, element->at, RASK_ERANGE, "a negative integer beside one of more than 63 bits");
        return false;
    }
    memcpy(*out, from, size);
    *out += size;
    return true;
}

static rask_array *array_of_numbers(rk_eval *e, const rk_eval_value *value, outline *o)
{
    static const rask_dtype dtypes[] = {
        [RASK_OPERAND_BOOL] = RASK_DT_BOOL, [RASK_OPERAND_I64] = RASK_DT_I64,
        [RASK_OPERAND_U64] = RASK_DT_U64,   [RASK_OPERAND_F64] = RASK_DT_F64,
        [RASK_OPERAND_C128] = RASK_DT_C128,
    };
    int64_t size = rk_shape_size(o->shape, o->ndim);
    rask_block block = {.dtype = size ? dtypes[o->kind] : RASK_DT_F64, .ndim = o->ndim};
    char *next = block.data = rk_eval_memory(e, (size_t)size * rask_dtype_size(block.dtype));
    if (!next || (size && !for_elements(e, value, 0, o, put, &next)))
        return NULL;
    int64_t stride = (int64_t)rask_dtype_size(block.dtype);
    for (uint32_t i = o->ndim; i-- > 0; stride *= o->shape[i]) {
        block.shape[i] = o->shape[i];
        block.strides[i] = stride;
    }
    return rask_array_from_block_at(e->graph, &block, false, RK_EVAL_SITE(e));
}

static rask_array *stack_arrays(rk_eval *e, const rk_eval_value *value)
{
    uint32_t count;
    if (!rk_eval_is_list(value))
        return rk_eval_to_array(e, value);
    rask_array **arrays = rk_eval_to_arrays(e, value, &count);
    return arrays ? rask_array_stack_at(arrays, count, 0, RK_EVAL_SITE(e)) : NULL;
}

static rask_array *array_of_list(rk_eval *e, const rk_eval_value *value)
{
    outline o = {.kind = RASK_OPERAND_BOOL};
    if (!outline_of(e, value, &o))
        return NULL;
    if (rk_shape_size(o.shape, o.ndim) && !for_elements(e, value, 0, &o, look, NULL))
        return NULL;
    return o.arrays ? stack_arrays(e, value) : array_of_numbers(e, value, &o);
}

/* --- conversions */

rask_array *rk_eval_to_array(rk_eval *e, const rk_eval_value *value)
{
    if (value->kind == RK_EVAL_ARRAY)
        return value->as.array;
    if (value->kind == RK_EVAL_NUMBER)
        return rk_operand_array(e->graph, &value->as.number, RASK_DT_COUNT, "rask_eval", RK_EVAL_SITE(e));
    if (rk_eval_is_list(value))
        return array_of_list(e, value);
    wanted(e, value, "an array");
    return NULL;
}

rask_operand rk_eval_to_operand(rk_eval *e, const rk_eval_value *value)
{
    if (value->kind == RK_EVAL_NUMBER)
        return value->as.number;
    return (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = rk_eval_to_array(e, value)};
}

int64_t rk_eval_to_i64(rk_eval *e, const rk_eval_value *value)
{
    if (rk_eval_is_integer(value))
        return number_i64(&value->as.number);
    wanted(e, value, "an integer");
    return 0;
}

int rk_eval_to_int(rk_eval *e, const rk_eval_value *value)
{
    int64_t wide = rk_eval_to_i64(e, value);
    if (wide > -INT_MAX && wide < INT_MAX)
        return (int)wide;
    rk_eval_fail(e, value->at, RASK_ERANGE, "%lld is out of range", (long long)wide);
    return 0;
}

double rk_eval_to_f64(rk_eval *e, const rk_eval_value *value)
{
    if (value->kind == RK_EVAL_NUMBER && value->as.number.kind != RASK_OPERAND_C128)
        return number_f64(&value->as.number);
    wanted(e, value, "a real number");
    return 0;
}

bool rk_eval_to_bool(rk_eval *e, const rk_eval_value *value)
{
    if (rk_eval_is_integer(value))
        return number_i64(&value->as.number) != 0;
    wanted(e, value, "True or False");
    return false;
}

bool rk_eval_text_is(const rk_eval_value *value, const char *text)
{
    return value->kind == RK_EVAL_STRING && value->as.text.len == strlen(text) &&
           memcmp(value->as.text.data, text, value->as.text.len) == 0;
}

rask_dtype rk_eval_to_dtype(rk_eval *e, const rk_eval_value *value)
{
    char name[32] = "";
    rask_dtype dtype;
    if (value->kind == RK_EVAL_DTYPE)
        return value->as.dtype;
    if (value->kind != RK_EVAL_STRING) {
        wanted(e, value, "a dtype");
        return RASK_DT_COUNT;
    }
    if (value->as.text.len < sizeof name)
        memcpy(name, value->as.text.data, value->as.text.len);
    if (!*name || rask_dtype_parse(name, &dtype)) {
        rk_eval_fail(e, value->at, RASK_EINVAL, "no such dtype: \"%.*s\"",
                     value->as.text.len < 60 ? (int)value->as.text.len : 60, value->as.text.data);
        return RASK_DT_COUNT;
    }
    return dtype;
}

uint32_t rk_eval_to_integers(rk_eval *e, const rk_eval_value *value, int64_t *out, uint32_t most)
{
    if (rk_eval_is_integer(value)) {
        *out = rk_eval_to_i64(e, value);
        return 1;
    }
    if (!rk_eval_is_list(value)) {
        wanted(e, value, "an integer or a tuple of integers");
        return 0;
    }
    if (value->as.list.count > most) {
        rk_eval_fail(e, value->at, RASK_ELIMIT, "at most %u integers expected, not %u", most,
                     value->as.list.count);
        return 0;
    }
    for (uint32_t i = 0; i < value->as.list.count; i++)
        out[i] = rk_eval_to_i64(e, &value->as.list.items[i]);
    return e->graph->status ? 0 : value->as.list.count;
}

uint32_t rk_eval_to_axes(rk_eval *e, const rk_eval_value *value, int *out)
{
    int64_t wide[RASK_MAX_DIMENSIONS];
    uint32_t count = rk_eval_to_integers(e, value, wide, RASK_MAX_DIMENSIONS);
    for (uint32_t i = 0; i < count; i++) {
        if (wide[i] < -RASK_MAX_DIMENSIONS || wide[i] >= RASK_MAX_DIMENSIONS) {
            rk_eval_fail(e, value->at, RASK_EINVAL, "no array has an axis %lld", (long long)wide[i]);
            return 0;
        }
        out[i] = (int)wide[i];
    }
    return count;
}

rask_array **rk_eval_to_arrays(rk_eval *e, const rk_eval_value *value, uint32_t *count)
{
    if (!rk_eval_is_list(value) || value->as.list.count == 0) {
        if (rk_eval_is_list(value))
            rk_eval_fail(e, value->at, RASK_EINVAL, "at least one array expected");
        else
            wanted(e, value, "a list of arrays");
        return NULL;
    }
    rask_array **arrays = rk_eval_memory(e, value->as.list.count * sizeof *arrays);
    for (uint32_t i = 0; arrays && i < value->as.list.count; i++) {
        arrays[i] = rk_eval_to_array(e, &value->as.list.items[i]);
        if (!arrays[i])
            return NULL;
    }
    *count = value->as.list.count;
    return arrays;
}

/* NOLINTEND(misc-no-recursion) */

/* The elements of a small array, now. */
static double *computed_numbers(rk_eval *e, const rk_eval_value *value, size_t *count)
{
    rask_array *array = rask_array_astype_at(value->as.array, RASK_DT_F64, RK_EVAL_SITE(e));
    if (!array)
        return NULL;
    if (array->ndim > 1 || rask_array_size(array) > RK_MAX_EVAL_LIST) {
        rk_eval_fail(e, value->at, RASK_ELIMIT, "a one-dimensional array of at most %d numbers expected",
                     RK_MAX_EVAL_LIST);
        return NULL;
    }
    *count = (size_t)rask_array_size(array);
    double *numbers = rk_eval_memory(e, *count * sizeof *numbers);
    rask_block block = {.dtype = RASK_DT_F64, .ndim = array->ndim, .data = numbers};
    block.shape[0] = (int64_t)*count;
    block.strides[0] = sizeof *numbers;
    int status = numbers ? rask_array_compute(&array, 1, e->options, &block) : RASK_ENOMEM;
    if (status && numbers)
        rk_eval_fail(e, value->at, status, "%s", rask_graph_error(e->graph));
    return status ? NULL : numbers;
}

double *rk_eval_to_numbers(rk_eval *e, const rk_eval_value *value, size_t *count)
{
    if (value->kind == RK_EVAL_ARRAY)
        return computed_numbers(e, value, count);
    if (!rk_eval_is_list(value) || value->as.list.count == 0) {
        wanted(e, value, "a list of numbers");
        return NULL;
    }
    double *numbers = rk_eval_memory(e, value->as.list.count * sizeof *numbers);
    for (uint32_t i = 0; numbers && i < value->as.list.count; i++)
        numbers[i] = rk_eval_to_f64(e, &value->as.list.items[i]);
    *count = value->as.list.count;
    return e->graph->status ? NULL : numbers;
}
