#include "collections/array/eval/names.h"
#include "collections/array/eval/function.h"
#include "collections/syntax/nearest.h"

#include <math.h>
#include <string.h>

/* --- constants and modules */

typedef struct constant {
    const char *name;
    rk_eval_kind kind;
    double number;
    rask_dtype dtype;
} constant;

static const constant constants[] = {
    {"pi", RK_EVAL_NUMBER, 3.14159265358979323846, 0},
    {"e", RK_EVAL_NUMBER, 2.71828182845904523536, 0},
    {"euler_gamma", RK_EVAL_NUMBER, 0.57721566490153286061, 0},
    {"inf", RK_EVAL_NUMBER, INFINITY, 0},
    {"nan", RK_EVAL_NUMBER, NAN, 0},
    {"newaxis", RK_EVAL_NONE, 0, 0},
    {"bool", RK_EVAL_DTYPE, 0, RASK_DT_BOOL},
    {"bool_", RK_EVAL_DTYPE, 0, RASK_DT_BOOL},
    {"int8", RK_EVAL_DTYPE, 0, RASK_DT_I8},
    {"int16", RK_EVAL_DTYPE, 0, RASK_DT_I16},
    {"int32", RK_EVAL_DTYPE, 0, RASK_DT_I32},
    {"int64", RK_EVAL_DTYPE, 0, RASK_DT_I64},
    {"int", RK_EVAL_DTYPE, 0, RASK_DT_I64},
    {"int_", RK_EVAL_DTYPE, 0, RASK_DT_I64},
    {"intp", RK_EVAL_DTYPE, 0, RASK_DT_I64},
    {"uint8", RK_EVAL_DTYPE, 0, RASK_DT_U8},
    {"uint16", RK_EVAL_DTYPE, 0, RASK_DT_U16},
    {"uint32", RK_EVAL_DTYPE, 0, RASK_DT_U32},
    {"uint64", RK_EVAL_DTYPE, 0, RASK_DT_U64},
    {"float32", RK_EVAL_DTYPE, 0, RASK_DT_F32},
    {"single", RK_EVAL_DTYPE, 0, RASK_DT_F32},
    {"float64", RK_EVAL_DTYPE, 0, RASK_DT_F64},
    {"double", RK_EVAL_DTYPE, 0, RASK_DT_F64},
    {"float", RK_EVAL_DTYPE, 0, RASK_DT_F64},
    {"complex64", RK_EVAL_DTYPE, 0, RASK_DT_C64},
    {"complex128", RK_EVAL_DTYPE, 0, RASK_DT_C128},
    {"complex", RK_EVAL_DTYPE, 0, RASK_DT_C128},
};

/* Name, and what the names of its functions begin with. */
static const struct {
    const char *name, *prefix;
} modules[] = {{"np", ""}, {"numpy", ""}, {"linalg", "linalg."}, {"fft", "fft."}, {"random", "random."}};

#define COUNT(array) (sizeof array / sizeof *array)

static bool same(const char *text, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(text, name, len) == 0;
}

static rk_eval_value of_constant(const constant *c)
{
    if (c->kind == RK_EVAL_NUMBER)
        return rk_eval_f64(c->number);
    return c->kind == RK_EVAL_DTYPE ? rk_eval_dtype(c->dtype) : rk_eval_none();
}

/* --- names nearly alike */

static rk_nearest near_to(const rk_eval *e, const rk_syntax *node)
{
    return rk_nearest_to(e->text + node->text, node->len);
}

/* Functions whose name begins with prefix, or methods. */
static void consider_functions(rk_nearest *n, const char *prefix, bool methods)
{
    const rk_eval_function *f;
    size_t before = strlen(prefix);
    for (size_t i = 0; (f = rk_eval_function_at(i)); i++) {
        bool fits =
            methods ? f->flags != 0 : !(f->flags & RK_EVAL_METHOD_ONLY) && !strncmp(f->name, prefix, before);
        if (fits)
            rk_nearest_consider(n, f->name + before, strlen(f->name) - before);
    }
}

static void consider_constants(rk_nearest *n)
{
    for (size_t i = 0; i < COUNT(constants); i++)
        rk_nearest_consider(n, constants[i].name, strlen(constants[i].name));
    for (size_t i = 0; i < COUNT(modules); i++)
        rk_nearest_consider(n, modules[i].name, strlen(modules[i].name));
}

static rk_eval_value unknown(rk_eval *e, const rk_syntax *node, const char *what, const rk_nearest *n)
{
    int shown = n->len < 60 ? (int)n->len : 60;
    if (n->name)
        return rk_eval_fail(e, node->at, RASK_ENOENT, "unknown %s \"%.*s\": did you mean \"%.*s\"?", what,
                            shown, n->text, (int)n->name_len, n->name);
    return rk_eval_fail(e, node->at, RASK_ENOENT, "unknown %s \"%.*s\"", what, shown, n->text);
}

/* --- names */

static rk_eval_value of_function(const rk_eval_function *row)
{
    return (rk_eval_value){.kind = RK_EVAL_FUNCTION, .as.function = {row, NULL}};
}

static rk_eval_value of_operand(const rask_operand *operand)
{
    if (operand->kind == RASK_OPERAND_ARRAY)
        return rk_eval_array(operand->as.array);
    return (rk_eval_value){.kind = RK_EVAL_NUMBER, .as.number = *operand};
}

/* What every text knows, by module: "" and the modules in it. ABSENT: nothing. */
static rk_eval_value built_in(const char *prefix, const char *name, size_t len)
{
    for (size_t i = 0; !*prefix && i < COUNT(constants); i++) {
        if (same(name, len, constants[i].name))
            return of_constant(&constants[i]);
    }
    for (size_t i = 0; !*prefix && i < COUNT(modules); i++) {
        if (same(name, len, modules[i].name))
            return (rk_eval_value){.kind = RK_EVAL_MODULE, .as.module = modules[i].prefix};
    }
    const rk_eval_function *row = rk_eval_find_function(prefix, name, len);
    return row ? of_function(row) : (rk_eval_value){.kind = RK_EVAL_ABSENT};
}

/* Functions of the linear algebra and so on go without their module, too. */
static rk_eval_value without_module(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(modules); i++) {
        const rk_eval_function *row = rk_eval_find_function(modules[i].prefix, name, len);
        if (row)
            return of_function(row);
    }
    return (rk_eval_value){.kind = RK_EVAL_ABSENT};
}

static rk_eval_variable *find_variable(rk_eval *e, const char *name, size_t len)
{
    rk_eval_variable *all = e->variables.data;
    for (size_t i = 0; i < e->variables.count; i++) {
        if (all[i].len == len && memcmp(all[i].name, name, len) == 0)
            return &all[i];
    }
    return NULL;
}

/* float32, and int8, have short names in quotes alone. */
static bool is_dtype_text(const char *text, size_t len)
{
    char name[8] = "";
    rask_dtype dtype;
    if (len >= sizeof name)
        return false;
    memcpy(name, text, len);
    return rask_dtype_parse(name, &dtype) == RASK_OK;
}

static rk_eval_value unknown_name(rk_eval *e, const rk_syntax *node)
{
    rk_nearest n = near_to(e, node);
    if (n.len > 1 && is_dtype_text(n.text, n.len))
        return rk_eval_fail(e, node->at, RASK_ENOENT,
                            "unknown name \"%.*s\": did you mean '%.*s', in quotes?", (int)n.len, n.text,
                            (int)n.len, n.text);
    const rk_eval_variable *variables = e->variables.data;
    for (size_t i = 0; i < e->variables.count; i++)
        rk_nearest_consider(&n, variables[i].name, variables[i].len);
    for (size_t i = 0; i < e->name_count; i++)
        rk_nearest_consider(&n, e->names[i], strlen(e->names[i]));
    consider_constants(&n);
    consider_functions(&n, "", false);
    for (size_t i = 0; i < COUNT(modules); i++)
        consider_functions(&n, modules[i].prefix, false);
    return unknown(e, node, "name", &n);
}

rk_eval_value rk_eval_name(rk_eval *e, const rk_syntax *node)
{
    const char *name = e->text + node->text;
    const rk_eval_variable *variable = find_variable(e, name, node->len);
    if (variable)
        return variable->value;
    for (size_t i = 0; i < e->name_count; i++) {
        if (same(name, node->len, e->names[i]))
            return of_operand(&e->operands[i]);
    }
    rk_eval_value value = built_in("", name, node->len);
    if (value.kind == RK_EVAL_ABSENT)
        value = without_module(name, node->len);
    return value.kind == RK_EVAL_ABSENT ? unknown_name(e, node) : value;
}

int rk_eval_assign(rk_eval *e, const char *name, size_t len, const rk_eval_value *value)
{
    rk_eval_variable *variable = find_variable(e, name, len);
    int status = variable ? RASK_OK : rk_array_reserve(&e->variables, 1);
    if (status) {
        rk_eval_fail(e, e->at, status, "no room for another name");
        return status;
    }
    if (!variable)
        variable = rk_array_push(&e->variables);
    *variable = (rk_eval_variable){name, len, *value};
    return RASK_OK;
}

/* --- attributes of arrays */

static rk_eval_value shape_of(rk_eval *e, rask_array *a)
{
    rk_eval_value lengths[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < a->ndim; i++)
        lengths[i] = rk_eval_i64(a->shape[i]);
    return rk_eval_tuple(e, lengths, a->ndim);
}

static rk_eval_value transposed(rk_eval *e, rask_array *a)
{
    return rk_eval_array(rask_array_transpose_at(a, NULL, 0, RK_EVAL_SITE(e)));
}

static rk_eval_value matrix_transposed(rk_eval *e, rask_array *a)
{
    return rk_eval_array(rask_array_swapaxes_at(a, -1, -2, RK_EVAL_SITE(e)));
}

static rk_eval_value real_part(rk_eval *e, rask_array *a)
{
    return rk_eval_array(rask_array_unary_at(RASK_UNARY_REAL, a, RK_EVAL_SITE(e)));
}

static rk_eval_value imaginary_part(rk_eval *e, rask_array *a)
{
    return rk_eval_array(rask_array_unary_at(RASK_UNARY_IMAG, a, RK_EVAL_SITE(e)));
}

static rk_eval_value size_of(rk_eval *e, rask_array *a)
{
    (void)e;
    return rk_eval_i64(rask_array_size(a));
}

static rk_eval_value ndim_of(rk_eval *e, rask_array *a)
{
    (void)e;
    return rk_eval_i64(a->ndim);
}

static rk_eval_value dtype_of(rk_eval *e, rask_array *a)
{
    (void)e;
    return rk_eval_dtype(a->dtype);
}

static rk_eval_value itemsize_of(rk_eval *e, rask_array *a)
{
    (void)e;
    return rk_eval_i64((int64_t)rask_dtype_size(a->dtype));
}

static rk_eval_value nbytes_of(rk_eval *e, rask_array *a)
{
    (void)e;
    return rk_eval_i64(rask_array_size(a) * (int64_t)rask_dtype_size(a->dtype));
}

static const struct {
    const char *name;
    rk_eval_value (*get)(rk_eval *e, rask_array *a);
} attributes[] = {
    {"T", transposed},         {"mT", matrix_transposed}, {"real", real_part}, {"imag", imaginary_part},
    {"shape", shape_of},       {"size", size_of},         {"ndim", ndim_of},   {"dtype", dtype_of},
    {"itemsize", itemsize_of}, {"nbytes", nbytes_of},
};

static rk_eval_value of_array(rk_eval *e, const rk_syntax *node, const rk_eval_value *whose)
{
    const char *name = e->text + node->text;
    for (size_t i = 0; i < COUNT(attributes); i++) {
        if (same(name, node->len, attributes[i].name))
            return attributes[i].get(e, whose->as.array);
    }
    const rk_eval_function *row = rk_eval_find_method(name, node->len);
    if (row)
        return (rk_eval_value){.kind = RK_EVAL_FUNCTION, .as.function = {row, whose}};
    if ((row = rk_eval_find_function("", name, node->len)))
        return rk_eval_fail(e, node->at, RASK_ENOENT, "%s is a function here, and no method: write %s(…)",
                            row->name, row->name);
    rk_nearest n = near_to(e, node);
    for (size_t i = 0; i < COUNT(attributes); i++)
        rk_nearest_consider(&n, attributes[i].name, strlen(attributes[i].name));
    consider_functions(&n, "", true);
    return unknown(e, node, "attribute of arrays", &n);
}

static rk_eval_value of_module(rk_eval *e, const rk_syntax *node, const char *prefix)
{
    rk_eval_value value = built_in(prefix, e->text + node->text, node->len);
    if (value.kind != RK_EVAL_ABSENT)
        return value;
    rk_nearest n = near_to(e, node);
    if (!*prefix)
        consider_constants(&n);
    consider_functions(&n, prefix, false);
    return unknown(e, node, "function", &n);
}

rk_eval_value rk_eval_attribute(rk_eval *e, const rk_syntax *node, const rk_eval_value *whose)
{
    if (whose->kind == RK_EVAL_MODULE)
        return of_module(e, node, whose->as.module);
    if (whose->kind == RK_EVAL_ARRAY)
        return of_array(e, node, whose);
    return rk_eval_fail(e, node->at, RASK_ETYPE, "%s has no attribute \"%.*s\"", rk_eval_kind_text(whose),
                        node->len < 60 ? (int)node->len : 60, e->text + node->text);
}
