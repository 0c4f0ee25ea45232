/* collections/table/expr/compile: from syntax to steps. Values are made front to back as the syntax lists its nodes; a name
 * or a literal becomes a value when what it stands in asks for it.
 *
 * Functions that return bool return false after a failure, which is in the compiler's error. */
#ifndef RASK_COLLECTIONS_TABLE_EXPR_COMPILE_H
#define RASK_COLLECTIONS_TABLE_EXPR_COMPILE_H

#include "collections/syntax/syntax.h"
#include "collections/table/expr/program.h"

#define RK_NULL_TYPE RASK_COLUMN_TYPES /* of null alone: becomes whatever is needed */

typedef struct rk_expr_value {
    rk_expr_operand from;
    rask_column_type type;
    uint32_t node;
} rk_expr_value;

typedef struct rk_compiler {
    const char *text;
    const char *const *names;
    const rask_column_type *types;
    uint32_t count;
    rk_expr *expr;
    rk_syntax_error *error;
    rk_array syntax;       /* rk_syntax */
    rk_expr_value *values; /* of operators and calls, by node */
    bool live[RK_MAX_EXPR_LIVE];
} rk_compiler;

const rk_syntax *rk_compile_node(const rk_compiler *c, uint32_t node);
/* Child number i, which is there. */
uint32_t rk_compile_child(const rk_compiler *c, uint32_t node, uint32_t i);

/* What a node means, once: a value is used by one step. */
bool rk_compile_value(rk_compiler *c, uint32_t node, rk_expr_value *out);

/* Adds a step over as many operands as step->count says, in the order given; type, kernel and whatever the kernel wants
 * are set. What it makes of constants alone is a constant. */
bool rk_compile_step(rk_compiler *c, const rk_expr_step *step, const rk_expr_value *operands,
                     rk_expr_value *out);
/* The same for a strict kernel without more to it. */
bool rk_compile_strict(rk_compiler *c, rk_expr_kernel *kernel, rask_column_type type, uint32_t count,
                       const rk_expr_value *operands, rk_expr_value *out);

/* The column of one value that a constant is; NULL: it is none. */
const rk_column *rk_compile_constant(const rk_compiler *c, const rk_expr_value *value);
/* data: of rk_column_size(type) bytes; text is copied. NULL: null. */
bool rk_compile_add_constant(rk_compiler *c, rask_column_type type, const void *data, rk_expr_value *out);

/* Whether a value is of a type, or becomes it without being asked: null, int64 as float64, date as timestamp, a string
 * written in the text as either of those. */
bool rk_compile_fits(const rk_compiler *c, const rk_expr_value *value, rask_column_type type);
/* Makes it that, which fits. A string that is no date fails. */
bool rk_compile_convert(rk_compiler *c, rk_expr_value *value, rask_column_type type);
/* The type that both fit. */
bool rk_compile_common(const rk_compiler *c, const rk_expr_value *a, const rk_expr_value *b,
                       rask_column_type *out);

enum { RK_VALUE_TEXT = 120 };
/* A value for messages: "float64 amount", "int64", "null". Returns buffer. */
const char *rk_compile_describe(const rk_compiler *c, const rk_expr_value *value, char buffer[RK_VALUE_TEXT]);

bool rk_compile_operator(rk_compiler *c, uint32_t node, rk_expr_value *out);
bool rk_compile_call(rk_compiler *c, uint32_t node, rk_expr_value *out);

bool rk_compile_no_memory(rk_compiler *c);
void *rk_compile_memory(rk_compiler *c, size_t size);

#endif
