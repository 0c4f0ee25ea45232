/* All tables together. */
#include "collections/array/eval/function.h"

#include <string.h>

static const rk_eval_table *const tables[] = {
    &rk_eval_elementwise, &rk_eval_reductions, &rk_eval_statistics, &rk_eval_shapes,      &rk_eval_joins,
    &rk_eval_creation,    &rk_eval_algebra,    &rk_eval_transforms, &rk_eval_definitions,
};

const rk_eval_function *rk_eval_function_at(size_t index)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (index < tables[i]->count)
            return &tables[i]->rows[index];
        index -= tables[i]->count;
    }
    return NULL;
}

static bool is_named(const rk_eval_function *f, const char *prefix, const char *name, size_t len)
{
    size_t before = strlen(prefix);
    return strlen(f->name) == before + len && memcmp(f->name, prefix, before) == 0 &&
           memcmp(f->name + before, name, len) == 0;
}

const rk_eval_function *rk_eval_find_function(const char *prefix, const char *name, size_t len)
{
    const rk_eval_function *f;
    for (size_t i = 0; (f = rk_eval_function_at(i)); i++) {
        if (!(f->flags & RK_EVAL_METHOD_ONLY) && is_named(f, prefix, name, len))
            return f;
    }
    return NULL;
}

const rk_eval_function *rk_eval_find_method(const char *name, size_t len)
{
    const rk_eval_function *f;
    for (size_t i = 0; (f = rk_eval_function_at(i)); i++) {
        if (f->flags && is_named(f, "", name, len))
            return f;
    }
    return NULL;
}
