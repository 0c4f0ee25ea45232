/* collections/syntax/syntax: an expression's text as a list of nodes, each behind those it is made of.
 *
 * Evaluating the list front to back evaluates the text in Python's order: the language has nothing that is evaluated
 * later, twice or not at all. So nothing that comes after the parser recurses, however long the text is.
 *
 *   text       statement (';' or new line, statement)…      the last one is an expression: the text's value
 *   statement  name '=' expressions  |  expressions
 *   expressions  expression, or several with commas between them and perhaps behind the last: a tuple
 *   expression operands and operators with Python's precedence; comparisons do not chain; no and, or, not, if, lambda
 *
 * Text that speaks of columns is one expression, which also has and, or, not, in, not in, if() and names in backticks. */
#ifndef RASK_COLLECTIONS_SYNTAX_SYNTAX_H
#define RASK_COLLECTIONS_SYNTAX_SYNTAX_H

#include "collections/syntax/lexer.h"
#include "core/base/array.h"

typedef enum rk_syntax_kind {
    RK_SYNTAX_NONE,      /* None, or the part of a slice that is left out */
    RK_SYNTAX_NUMBER,    /* number; True and False are bools */
    RK_SYNTAX_STRING,    /* text */
    RK_SYNTAX_NAME,      /* text */
    RK_SYNTAX_ELLIPSIS,  /* ... */
    RK_SYNTAX_UNARY,     /* mark, operand */
    RK_SYNTAX_BINARY,    /* mark, left, right */
    RK_SYNTAX_ATTRIBUTE, /* whose, text */
    RK_SYNTAX_CALL,      /* function, arguments in order: those by name are KEYWORDs */
    RK_SYNTAX_KEYWORD,   /* text, value */
    RK_SYNTAX_INDEX,     /* what, subscripts in order */
    RK_SYNTAX_SLICE,     /* start, stop, step */
    RK_SYNTAX_TUPLE,     /* elements */
    RK_SYNTAX_LIST,      /* elements */
    RK_SYNTAX_ASSIGN,    /* text, value */
} rk_syntax_kind;

#define RK_NO_SYNTAX UINT32_MAX

typedef struct rk_syntax {
    rk_syntax_kind kind;
    rk_mark mark;
    uint32_t at;          /* the byte that an error about it points at: of operators and brackets the mark */
    uint32_t text, len;   /* of names and strings */
    uint32_t first, next; /* its first child; the next child of its parent: RK_NO_SYNTAX: none */
    uint32_t count;       /* of children */
    bool quoted;          /* a NAME in backticks */
    rask_operand number;
} rk_syntax;

/* The nodes of a text; the last one is its value. nodes: rk_syntax, an empty array that the caller ends, also after a
 * failure: RASK_EFORMAT, RASK_ERANGE (an integer), RASK_ELIMIT (length, depth) or RASK_ENOMEM, as in error. */
int rk_syntax_parse(const char *text, size_t len, rk_array *nodes, rk_syntax_error *error);

/* The same for text that speaks of columns. Its marks and strings: see rk_lexer. */
int rk_syntax_parse_columns(const char *text, size_t len, rk_array *nodes, rk_syntax_error *error);

#endif
