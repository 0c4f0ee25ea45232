/* collections/array/eval/names: what names and attributes mean. */
#ifndef RASK_COLLECTIONS_ARRAY_EVAL_NAMES_H
#define RASK_COLLECTIONS_ARRAY_EVAL_NAMES_H

#include "collections/array/eval/value.h"

/* A name that the text itself gave a value. */
typedef struct rk_eval_variable {
    const char *name;
    size_t len;
    rk_eval_value value;
} rk_eval_variable;

/* What a NAME means: a variable, a name of the caller's, a constant, a module or a function. An unknown one fails with
 * a name that is near. */
rk_eval_value rk_eval_name(rk_eval *e, const rk_syntax *node);

/* What an ATTRIBUTE of a value means. */
rk_eval_value rk_eval_attribute(rk_eval *e, const rk_syntax *node, const rk_eval_value *whose);

/* Gives a name, which lives as long as the evaluation, a value: RASK_OK, or latched at e->at. */
int rk_eval_assign(rk_eval *e, const char *name, size_t len, const rk_eval_value *value);

/* The value of another text, with these names alone, in the middle of an evaluation (evaluate.c). Those whose value is ABSENT have what
 * otherwise gives them, if it is not NULL, else None. */
rk_eval_value rk_eval_within(rk_eval *e, const char *otherwise, const char *text,
                             const rk_eval_variable *names, uint32_t count);

#endif
