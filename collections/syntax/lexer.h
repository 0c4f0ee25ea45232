/* collections/syntax/lexer: an expression's text as tokens. */
#ifndef RASK_COLLECTIONS_SYNTAX_LEXER_H
#define RASK_COLLECTIONS_SYNTAX_LEXER_H

#include <rask/array.h>

typedef enum rk_token_kind {
    RK_TOKEN_END,
    RK_TOKEN_BREAK, /* between statements: ; or, outside of brackets, a new line */
    RK_TOKEN_NAME,
    RK_TOKEN_NUMBER,
    RK_TOKEN_STRING,
    RK_TOKEN_MARK, /* an operator or a bracket */
} rk_token_kind;

/* Enumerator and spelling; of two that begin alike the longer one stands first. */
#define RK_MARK_TABLE(X)                                                                                     \
    X(ELLIPSIS, "...")                                                                                       \
    X(POWER, "**")                                                                                           \
    X(FLOOR_DIVIDE, "//")                                                                                    \
    X(LEFT_SHIFT, "<<")                                                                                      \
    X(RIGHT_SHIFT, ">>")                                                                                     \
    X(LESS_EQUAL, "<=")                                                                                      \
    X(GREATER_EQUAL, ">=")                                                                                   \
    X(EQUAL, "==")                                                                                           \
    X(NOT_EQUAL, "!=")                                                                                       \
    X(LESS, "<")                                                                                             \
    X(GREATER, ">")                                                                                          \
    X(PLUS, "+")                                                                                             \
    X(MINUS, "-")                                                                                            \
    X(TIMES, "*")                                                                                            \
    X(DIVIDE, "/")                                                                                           \
    X(REMAINDER, "%")                                                                                        \
    X(MATMUL, "@")                                                                                           \
    X(AND, "&")                                                                                              \
    X(OR, "|")                                                                                               \
    X(XOR, "^")                                                                                              \
    X(INVERT, "~")                                                                                           \
    X(OPEN, "(")                                                                                             \
    X(CLOSE, ")")                                                                                            \
    X(OPEN_INDEX, "[")                                                                                       \
    X(CLOSE_INDEX, "]")                                                                                      \
    X(COMMA, ",")                                                                                            \
    X(COLON, ":")                                                                                            \
    X(DOT, ".")                                                                                              \
    X(ASSIGN, "=")                                                                                           \
    X(EITHER, "or") /* from here on words: marks where the text speaks of columns, else names */             \
    X(BOTH, "and")                                                                                           \
    X(NOT, "not")                                                                                            \
    X(IN, "in")                                                                                              \
    X(NOT_IN, "not in") /* two tokens: made by the parser */

typedef enum rk_mark {
#define RK_MARK_ENUM(name, text) RK_MARK_##name,
    RK_MARK_TABLE(RK_MARK_ENUM)
#undef RK_MARK_ENUM
        RK_MARK_COUNT
} rk_mark;

const char *rk_mark_text(rk_mark mark);

typedef struct rk_token {
    rk_token_kind kind;
    rk_mark mark;        /* of MARK */
    size_t at, len;      /* of the text; of a STRING, and of a NAME in backticks, without its quotes */
    bool quoted;         /* a NAME in backticks */
    rask_operand number; /* of NUMBER */
} rk_token;

/* What is wrong with a text, and at which byte. */
typedef struct rk_syntax_error {
    int status; /* RASK_OK: nothing */
    size_t at;
    char message[200];
} rk_syntax_error;

/* A copy of a lexer reads on from where it was taken. */
typedef struct rk_lexer {
    const char *text;
    size_t len, at;
    uint32_t depth; /* of open brackets */
    bool
        columns; /* the text speaks of columns: the words of RK_MARK_TABLE are marks, names may stand in backticks,
                       strings have escapes, a new line is a space */
} rk_lexer;

/* The next token; at the end END, again and again. False: error says what cannot be read. */
bool rk_lexer_next(rk_lexer *lexer, rk_token *token, rk_syntax_error *error);

/* What a string of a text that speaks of columns says: its bytes with \\, \', \", \n, \t, \r replaced; a backslash before
 * anything else stays, so that patterns read as they are. out: room for len bytes. How many there are. */
size_t rk_string_unescape(const char *text, size_t len, char *out);

/* What stands between quotes, where two of them are one, to out, which has room for len bytes and may be text: how many. */
size_t rk_name_unquote(const char *text, size_t len, char quote, char *out);
/* Whether what stands between backticks is a name. */
bool rk_quoted_name_is(const char *text, size_t len, const char *name);

/* Adds to an error of a text that speaks of columns how names are written that are no words; returns false. */
bool rk_syntax_hint(rk_syntax_error *error);
/* Sets error, unless it is set; returns false. */
bool rk_syntax_fail(rk_syntax_error *error, int status, size_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The token for messages: "')'", "name \"x\"", "the end". Returns buffer. */
enum { RK_TOKEN_TEXT = 80 };
const char *rk_token_text(const rk_lexer *lexer, const rk_token *token, char buffer[RK_TOKEN_TEXT]);

#endif
