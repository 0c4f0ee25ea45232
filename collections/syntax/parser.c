#include "collections/syntax/syntax.h"
#include "core/base/limits.h"

#include <string.h>

typedef struct parser {
    rk_lexer lexer;
    rk_token token; /* the next one */
    rk_array *nodes;
    rk_syntax_error *error;
    uint32_t depth;
} parser;

/* Children of a node to be. */
typedef struct children {
    uint32_t first, last, count;
} children;

/* Nodes by number; RK_NO_SYNTAX after a failure, which is in error. */
static uint32_t expression(parser *p);
static uint32_t unary(parser *p);

static uint32_t fail(parser *p, size_t at, const char *what)
{
    rk_syntax_fail(p->error, RASK_EFORMAT, at, "%s", what);
    return RK_NO_SYNTAX;
}

static uint32_t unexpected(parser *p, const char *wanted)
{
    char text[RK_TOKEN_TEXT];
    rk_syntax_fail(p->error, RASK_EFORMAT, p->token.at - (p->token.kind == RK_TOKEN_STRING),
                   "%s expected, not %s", wanted, rk_token_text(&p->lexer, &p->token, text));
    return RK_NO_SYNTAX;
}

static bool advance(parser *p)
{
    return rk_lexer_next(&p->lexer, &p->token, p->error);
}

static bool at_mark(const parser *p, rk_mark mark)
{
    return p->token.kind == RK_TOKEN_MARK && p->token.mark == mark;
}

static bool token_is(const parser *p, const rk_token *token, const char *name)
{
    return token->kind == RK_TOKEN_NAME && !token->quoted && token->len == strlen(name) &&
           memcmp(p->lexer.text + token->at, name, token->len) == 0;
}

static bool at_name(const parser *p, const char *name)
{
    return token_is(p, &p->token, name);
}

/* Goes past the mark that closes what was opened at byte opened. */
static bool close_bracket(parser *p, rk_mark mark, size_t opened)
{
    char text[RK_TOKEN_TEXT];
    if (at_mark(p, mark))
        return advance(p);
    return rk_syntax_fail(p->error, RASK_EFORMAT, p->token.kind == RK_TOKEN_END ? opened : p->token.at,
                          p->token.kind == RK_TOKEN_END ? "no '%s' closes this"
                                                        : "'%s' or ',' expected, not %s",
                          rk_mark_text(mark), rk_token_text(&p->lexer, &p->token, text));
}

static uint32_t add(parser *p, rk_syntax_kind kind, size_t at, const children *under)
{
    rk_syntax *node = rk_array_push(p->nodes);
    if (!node) {
        rk_syntax_fail(p->error, RASK_ENOMEM, at, "%s", rask_status_text(RASK_ENOMEM));
        return RK_NO_SYNTAX;
    }
    *node = (rk_syntax){.kind = kind, .at = (uint32_t)at, .first = RK_NO_SYNTAX, .next = RK_NO_SYNTAX};
    if (under) {
        node->first = under->first;
        node->count = under->count;
    }
    return (uint32_t)p->nodes->count - 1;
}

static rk_syntax *node_of(const parser *p, uint32_t node)
{
    return (rk_syntax *)p->nodes->data + node;
}

static children none(void)
{
    return (children){RK_NO_SYNTAX, RK_NO_SYNTAX, 0};
}

static bool adopt(parser *p, children *under, uint32_t child)
{
    if (child == RK_NO_SYNTAX)
        return false;
    if (under->count++)
        node_of(p, under->last)->next = child;
    else
        under->first = child;
    under->last = child;
    return true;
}

static uint32_t add_text(parser *p, rk_syntax_kind kind, const rk_token *token, const children *under)
{
    uint32_t node = add(p, kind, token->at - (token->kind == RK_TOKEN_STRING || token->quoted), under);
    if (node != RK_NO_SYNTAX) {
        node_of(p, node)->quoted = token->quoted;
        node_of(p, node)->text = (uint32_t)token->at;
        node_of(p, node)->len = (uint32_t)token->len;
    }
    return node;
}

static uint32_t add_number(parser *p, size_t at, rask_operand number)
{
    uint32_t node = add(p, RK_SYNTAX_NUMBER, at, NULL);
    if (node != RK_NO_SYNTAX)
        node_of(p, node)->number = number;
    return node;
}

static uint32_t add_operation(parser *p, const rk_token *mark, uint32_t left, uint32_t right)
{
    children under = none();
    if (!adopt(p, &under, left) || (right != RK_NO_SYNTAX && !adopt(p, &under, right)))
        return RK_NO_SYNTAX;
    uint32_t node = add(p, under.count == 2 ? RK_SYNTAX_BINARY : RK_SYNTAX_UNARY, mark->at, &under);
    if (node != RK_NO_SYNTAX)
        node_of(p, node)->mark = mark->mark;
    return node;
}

static bool enter(parser *p)
{
    if (++p->depth <= RK_MAX_EVAL_DEPTH)
        return true;
    return rk_syntax_fail(p->error, RASK_ELIMIT, p->token.at, "nested deeper than %d", RK_MAX_EVAL_DEPTH);
}

/* --- atoms */

/* What Python has and this language has not, and what to write instead. */
typedef struct foreign_word {
    const char *word, *instead;
} foreign_word;

static const foreign_word foreign_words[] = {
    {"and", "'and' does not work on arrays: write (a) & (b)"},
    {"or", "'or' does not work on arrays: write (a) | (b)"},
    {"not", "'not' does not work on arrays: write ~(a)"},
    {"if", "no 'if' in expressions: write where(condition, a, b)"},
    {"else", "no 'else' in expressions: write where(condition, a, b)"},
    {"in", "'in' does not work on arrays: write any(a == b)"},
    {"is", "'is' does not work on arrays: write =="},
    {"for", "no loops in expressions"},
    {"lambda", "no functions are made in expressions"},
    {"def", "no functions are made in expressions"},
    {"import", "nothing is imported: np. and the functions are there"},
};

static const foreign_word foreign_column_words[] = {
    {"AND", "small letters: write and"},
    {"OR", "small letters: write or"},
    {"NOT", "small letters: write not"},
    {"IN", "small letters: write in"},
    {"is", "no 'is': write is_null(a) or not is_null(a)"},
    {"IS", "no IS: write is_null(a) or not is_null(a)"},
    {"LIKE", "no LIKE: write contains(a, \"text\"), startswith(a, \"text\") or matches(a, \"regex\")"},
    {"BETWEEN", "no BETWEEN: write a >= low and a <= high"},
    {"else", "no 'else' in expressions: write if(condition, a, b)"},
    {"for", "no loops in expressions"},
    {"lambda", "no functions are made in expressions"},
};

static bool foreign(parser *p)
{
    bool columns = p->lexer.columns;
    const foreign_word *words = columns ? foreign_column_words : foreign_words;
    size_t count =
        columns ? sizeof foreign_column_words / sizeof *words : sizeof foreign_words / sizeof *words;
    for (size_t i = 0; i < count; i++) {
        if (at_name(p, words[i].word)) {
            fail(p, p->token.at, words[i].instead);
            return true;
        }
    }
    return false;
}

/* What follows recurses as deep as brackets and signs are nested: enter() counts, and RK_MAX_EVAL_DEPTH bounds it.
 * NOLINTBEGIN(misc-no-recursion) */

/* Elements up to the bracket, after the first one or, when first is RK_NO_SYNTAX, from the start. A comma may end them. */
static uint32_t elements(parser *p, rk_syntax_kind kind, rk_mark closing, size_t opened, uint32_t first)
{
    children under = none();
    if (first != RK_NO_SYNTAX)
        adopt(p, &under, first);
    while (!at_mark(p, closing)) {
        if (under.count && !at_mark(p, RK_MARK_COMMA))
            break;
        if (under.count && !advance(p))
            return RK_NO_SYNTAX;
        if (under.count && at_mark(p, closing))
            break;
        if (!adopt(p, &under, expression(p)))
            return RK_NO_SYNTAX;
    }
    if (!close_bracket(p, closing, opened))
        return RK_NO_SYNTAX;
    return add(p, kind, opened, &under);
}

/* (a), () and (a, b). */
static uint32_t parenthesis(parser *p)
{
    size_t opened = p->token.at;
    if (!advance(p))
        return RK_NO_SYNTAX;
    if (at_mark(p, RK_MARK_CLOSE))
        return elements(p, RK_SYNTAX_TUPLE, RK_MARK_CLOSE, opened, RK_NO_SYNTAX);
    uint32_t inner = expression(p);
    if (inner == RK_NO_SYNTAX)
        return inner;
    if (at_mark(p, RK_MARK_COMMA))
        return elements(p, RK_SYNTAX_TUPLE, RK_MARK_CLOSE, opened, inner);
    return close_bracket(p, RK_MARK_CLOSE, opened) ? inner : RK_NO_SYNTAX;
}

static uint32_t list(parser *p)
{
    size_t opened = p->token.at;
    return advance(p) ? elements(p, RK_SYNTAX_LIST, RK_MARK_CLOSE_INDEX, opened, RK_NO_SYNTAX) : RK_NO_SYNTAX;
}

static uint32_t word(parser *p)
{
    rk_token token = p->token;
    if (foreign(p))
        return RK_NO_SYNTAX;
    if (!advance(p))
        return RK_NO_SYNTAX;
    bool columns = p->lexer.columns;
    bool yes = token_is(p, &token, "True") || (columns && token_is(p, &token, "true"));
    if (yes || token_is(p, &token, "False") || (columns && token_is(p, &token, "false")))
        return add_number(p, token.at, (rask_operand){.kind = RASK_OPERAND_BOOL, .as.boolean = yes});
    if (token_is(p, &token, "None") || (columns && token_is(p, &token, "null")))
        return add(p, RK_SYNTAX_NONE, token.at, NULL);
    return add_text(p, RK_SYNTAX_NAME, &token, NULL);
}

static uint32_t atom(parser *p)
{
    rk_token token = p->token;
    if (token.kind == RK_TOKEN_NAME)
        return word(p);
    if (at_mark(p, RK_MARK_OPEN))
        return parenthesis(p);
    if (at_mark(p, RK_MARK_OPEN_INDEX))
        return list(p);
    if (token.kind != RK_TOKEN_NUMBER && token.kind != RK_TOKEN_STRING && !at_mark(p, RK_MARK_ELLIPSIS))
        return unexpected(p, "an expression");
    if (!advance(p))
        return RK_NO_SYNTAX;
    if (token.kind == RK_TOKEN_NUMBER)
        return add_number(p, token.at, token.number);
    if (token.kind == RK_TOKEN_STRING)
        return add_text(p, RK_SYNTAX_STRING, &token, NULL);
    return add(p, RK_SYNTAX_ELLIPSIS, token.at, NULL);
}

/* --- what follows an atom: calls, subscripts, attributes */

/* Goes past "name", up to the "=" behind it, where they come next. */
static bool take_target(parser *p, rk_token *name)
{
    rk_lexer lexer = p->lexer;
    rk_syntax_error ignored = {0};
    rk_token token;
    if (p->token.kind != RK_TOKEN_NAME || !rk_lexer_next(&lexer, &token, &ignored) ||
        token.kind != RK_TOKEN_MARK || token.mark != RK_MARK_ASSIGN)
        return false;
    *name = p->token;
    p->lexer = lexer;
    p->token = token;
    return true;
}

static uint32_t argument(parser *p, bool *named)
{
    rk_token name;
    bool keyword = take_target(p, &name);
    if (keyword && !advance(p))
        return RK_NO_SYNTAX;
    if (at_mark(p, RK_MARK_TIMES) || at_mark(p, RK_MARK_POWER))
        return fail(p, p->token.at, "arguments are not unpacked");
    if (!keyword && *named)
        return fail(p, p->token.at, "an argument without a name behind one with a name");
    *named = keyword;
    uint32_t value = expression(p);
    children under = none();
    if (!keyword || !adopt(p, &under, value))
        return value;
    return add_text(p, RK_SYNTAX_KEYWORD, &name, &under);
}

/* Where errors about calls of function point. */
static size_t place_of_call(const parser *p, uint32_t function, size_t opened)
{
    const rk_syntax *node = node_of(p, function);
    bool named = node->kind == RK_SYNTAX_NAME || node->kind == RK_SYNTAX_ATTRIBUTE;
    return named ? node->at : opened;
}

static uint32_t call(parser *p, uint32_t function)
{
    size_t opened = p->token.at;
    bool named = false;
    children under = none();
    adopt(p, &under, function);
    if (!advance(p))
        return RK_NO_SYNTAX;
    while (!at_mark(p, RK_MARK_CLOSE)) {
        if (!adopt(p, &under, argument(p, &named)))
            return RK_NO_SYNTAX;
        if (!at_mark(p, RK_MARK_COMMA))
            break;
        if (!advance(p))
            return RK_NO_SYNTAX;
    }
    if (!close_bracket(p, RK_MARK_CLOSE, opened))
        return RK_NO_SYNTAX;
    return add(p, RK_SYNTAX_CALL, place_of_call(p, function, opened), &under);
}

/* The part of a slice before the next colon, comma or bracket. */
static uint32_t slice_part(parser *p)
{
    if (at_mark(p, RK_MARK_COLON) || at_mark(p, RK_MARK_COMMA) || at_mark(p, RK_MARK_CLOSE_INDEX))
        return add(p, RK_SYNTAX_NONE, p->token.at, NULL);
    return expression(p);
}

static uint32_t subscript(parser *p)
{
    size_t at = p->token.at;
    children under = none();
    if (!at_mark(p, RK_MARK_COLON)) {
        uint32_t only = expression(p);
        if (!at_mark(p, RK_MARK_COLON))
            return only;
        if (!adopt(p, &under, only))
            return RK_NO_SYNTAX;
    } else if (!adopt(p, &under, slice_part(p))) {
        return RK_NO_SYNTAX;
    }
    while (at_mark(p, RK_MARK_COLON) && under.count < 3) {
        if (!advance(p) || !adopt(p, &under, slice_part(p)))
            return RK_NO_SYNTAX;
    }
    if (under.count < 3 && !adopt(p, &under, add(p, RK_SYNTAX_NONE, p->token.at, NULL)))
        return RK_NO_SYNTAX;
    return add(p, RK_SYNTAX_SLICE, at, &under);
}

static uint32_t subscripts(parser *p, uint32_t what)
{
    size_t opened = p->token.at;
    children under = none();
    adopt(p, &under, what);
    do {
        if (!advance(p))
            return RK_NO_SYNTAX;
        if (at_mark(p, RK_MARK_CLOSE_INDEX) && under.count > 1)
            break;
        if (!adopt(p, &under, subscript(p)))
            return RK_NO_SYNTAX;
    } while (at_mark(p, RK_MARK_COMMA));
    return close_bracket(p, RK_MARK_CLOSE_INDEX, opened) ? add(p, RK_SYNTAX_INDEX, opened, &under)
                                                         : RK_NO_SYNTAX;
}

static uint32_t attribute(parser *p, uint32_t whose)
{
    children under = none();
    adopt(p, &under, whose);
    if (!advance(p))
        return RK_NO_SYNTAX;
    rk_token name = p->token;
    if (name.kind != RK_TOKEN_NAME)
        return unexpected(p, "a name");
    return advance(p) ? add_text(p, RK_SYNTAX_ATTRIBUTE, &name, &under) : RK_NO_SYNTAX;
}

static uint32_t postfix(parser *p)
{
    uint32_t node = atom(p);
    while (node != RK_NO_SYNTAX) {
        if (at_mark(p, RK_MARK_OPEN))
            node = call(p, node);
        else if (at_mark(p, RK_MARK_OPEN_INDEX))
            node = subscripts(p, node);
        else if (at_mark(p, RK_MARK_DOT))
            node = attribute(p, node);
        else
            break;
    }
    return node;
}

/* --- operators */

/* ** takes a whole unary operation on its right, and goes before one on its left. */
static uint32_t power(parser *p)
{
    uint32_t base = postfix(p);
    if (base == RK_NO_SYNTAX || !at_mark(p, RK_MARK_POWER))
        return base;
    rk_token mark = p->token;
    if (!advance(p))
        return RK_NO_SYNTAX;
    uint32_t exponent = unary(p);
    return exponent == RK_NO_SYNTAX ? exponent : add_operation(p, &mark, base, exponent);
}

static uint32_t unary(parser *p)
{
    rk_token mark = p->token;
    uint32_t node = RK_NO_SYNTAX;
    if (!enter(p))
        return node;
    if (!at_mark(p, RK_MARK_MINUS) && !at_mark(p, RK_MARK_PLUS) && !at_mark(p, RK_MARK_INVERT)) {
        node = power(p);
    } else if (advance(p)) {
        uint32_t operand = unary(p);
        node = operand == RK_NO_SYNTAX ? operand : add_operation(p, &mark, operand, RK_NO_SYNTAX);
    }
    p->depth--;
    return node;
}

enum { COMPARISON = 1, LOOSEST };

/* How tightly a mark binds between two operands; 0: not at all. */
static int precedence(const parser *p)
{
    static const uint8_t table[RK_MARK_COUNT] = {
        [RK_MARK_LESS] = COMPARISON,
        [RK_MARK_LESS_EQUAL] = COMPARISON,
        [RK_MARK_GREATER] = COMPARISON,
        [RK_MARK_GREATER_EQUAL] = COMPARISON,
        [RK_MARK_EQUAL] = COMPARISON,
        [RK_MARK_NOT_EQUAL] = COMPARISON,
        [RK_MARK_IN] = COMPARISON,
        [RK_MARK_NOT] = COMPARISON, /* not in */
        [RK_MARK_OR] = LOOSEST,
        [RK_MARK_XOR] = LOOSEST + 1,
        [RK_MARK_AND] = LOOSEST + 2,
        [RK_MARK_LEFT_SHIFT] = LOOSEST + 3,
        [RK_MARK_RIGHT_SHIFT] = LOOSEST + 3,
        [RK_MARK_PLUS] = LOOSEST + 4,
        [RK_MARK_MINUS] = LOOSEST + 4,
        [RK_MARK_TIMES] = LOOSEST + 5,
        [RK_MARK_DIVIDE] = LOOSEST + 5,
        [RK_MARK_FLOOR_DIVIDE] = LOOSEST + 5,
        [RK_MARK_REMAINDER] = LOOSEST + 5,
        [RK_MARK_MATMUL] = LOOSEST + 5,
    };
    return p->token.kind == RK_TOKEN_MARK ? table[p->token.mark] : 0;
}

/* Operations that bind at least so tightly; those of equal precedence group from the left. The recursion is as deep as
 * there are precedences. */
static uint32_t binary(parser *p, int least)
{
    uint32_t left = unary(p);
    for (int own; left != RK_NO_SYNTAX && (own = precedence(p)) >= least;) {
        rk_token mark = p->token;
        if (!advance(p))
            return RK_NO_SYNTAX;
        uint32_t right = binary(p, own + 1);
        left = right == RK_NO_SYNTAX ? right : add_operation(p, &mark, left, right);
    }
    return left;
}

/* Goes past a comparison, in, or not in. */
static bool take_comparison(parser *p, rk_token *mark)
{
    *mark = p->token;
    if (!advance(p))
        return false;
    if (mark->mark != RK_MARK_NOT)
        return true;
    mark->mark = RK_MARK_NOT_IN;
    return at_mark(p, RK_MARK_IN) ? advance(p) : unexpected(p, "'in'") != RK_NO_SYNTAX;
}

static uint32_t chained(parser *p)
{
    return fail(p, p->token.at,
                p->lexer.columns
                    ? "comparisons do not chain: write a < b and b < c, and ( ) around what & and | join"
                    : "comparisons of arrays do not chain: write (a < b) & (b < c)");
}

static uint32_t comparison(parser *p)
{
    uint32_t left = binary(p, LOOSEST);
    if (left == RK_NO_SYNTAX || precedence(p) != COMPARISON)
        return left;
    rk_token mark;
    if (!take_comparison(p, &mark))
        return RK_NO_SYNTAX;
    uint32_t right = binary(p, LOOSEST);
    if (right == RK_NO_SYNTAX)
        return right;
    return precedence(p) == COMPARISON ? chained(p) : add_operation(p, &mark, left, right);
}

static uint32_t negation(parser *p)
{
    rk_token mark = p->token;
    uint32_t node = RK_NO_SYNTAX;
    if (!at_mark(p, RK_MARK_NOT))
        return comparison(p);
    if (enter(p) && advance(p)) {
        uint32_t operand = negation(p);
        node = operand == RK_NO_SYNTAX ? operand : add_operation(p, &mark, operand, RK_NO_SYNTAX);
    }
    p->depth--;
    return node;
}

/* Operands of or, and those of and, grouped from the left. */
static uint32_t logical(parser *p, rk_mark joins)
{
    uint32_t left = joins == RK_MARK_EITHER ? logical(p, RK_MARK_BOTH) : negation(p);
    while (left != RK_NO_SYNTAX && at_mark(p, joins)) {
        rk_token mark = p->token;
        if (!advance(p))
            return RK_NO_SYNTAX;
        uint32_t right = joins == RK_MARK_EITHER ? logical(p, RK_MARK_BOTH) : negation(p);
        left = right == RK_NO_SYNTAX ? right : add_operation(p, &mark, left, right);
    }
    return left;
}

static uint32_t expression(parser *p)
{
    uint32_t node = RK_NO_SYNTAX;
    if (enter(p))
        node = logical(p, RK_MARK_EITHER);
    p->depth--;
    if (node != RK_NO_SYNTAX && p->token.kind == RK_TOKEN_NAME && foreign(p))
        return RK_NO_SYNTAX;
    return node;
}

/* NOLINTEND(misc-no-recursion) */

/* --- statements */

/* An expression, or several behind commas, which are a tuple. */
static uint32_t expressions(parser *p)
{
    uint32_t first = expression(p);
    size_t at = p->token.at;
    children under = none();
    if (first == RK_NO_SYNTAX || !at_mark(p, RK_MARK_COMMA))
        return first;
    adopt(p, &under, first);
    while (at_mark(p, RK_MARK_COMMA)) {
        if (!advance(p))
            return RK_NO_SYNTAX;
        if (p->token.kind == RK_TOKEN_BREAK || p->token.kind == RK_TOKEN_END)
            break;
        if (!adopt(p, &under, expression(p)))
            return RK_NO_SYNTAX;
    }
    if (at_mark(p, RK_MARK_ASSIGN))
        return fail(p, p->token.at, "one name before '=': write f = …; f[0], f[1]");
    return add(p, RK_SYNTAX_TUPLE, at, &under);
}

static uint32_t statement(parser *p)
{
    rk_token name;
    bool assigns = take_target(p, &name);
    if (assigns && !advance(p))
        return RK_NO_SYNTAX;
    uint32_t value = expressions(p);
    children under = none();
    if (!assigns || !adopt(p, &under, value))
        return value;
    return add_text(p, RK_SYNTAX_ASSIGN, &name, &under);
}

static bool skip_breaks(parser *p)
{
    while (p->token.kind == RK_TOKEN_BREAK) {
        if (!advance(p))
            return false;
    }
    return true;
}

static void statements(parser *p)
{
    uint32_t last = RK_NO_SYNTAX;
    if (!advance(p) || !skip_breaks(p))
        return;
    do {
        if (p->token.kind == RK_TOKEN_END && last != RK_NO_SYNTAX)
            break;
        last = statement(p);
        if (last == RK_NO_SYNTAX)
            return;
        if (p->token.kind != RK_TOKEN_BREAK && p->token.kind != RK_TOKEN_END) {
            unexpected(p, "an operator");
            return;
        }
    } while (p->token.kind == RK_TOKEN_BREAK && skip_breaks(p));
    if (!p->error->status && node_of(p, last)->kind == RK_SYNTAX_ASSIGN)
        fail(p, node_of(p, last)->at,
             "nothing is given: behind the last assignment an expression is expected");
}

/* Where an operator has to be: words that a column may be called elsewhere, and marks that are something else. */
static bool foreign_operator(parser *p)
{
    static const foreign_word words[] = {
        {"like", "no like: write contains(a, \"text\"), startswith(a, \"text\") or matches(a, \"regex\")"},
        {"between", "no between: write a >= low and a <= high"},
    };
    const char *instead = at_mark(p, RK_MARK_ASSIGN)   ? "'=' does not compare: write =="
                          : at_mark(p, RK_MARK_INVERT) ? "'~' does not compare: write matches(a, \"regex\")"
                                                       : NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        instead = at_name(p, words[i].word) ? words[i].instead : instead;
    if (instead)
        fail(p, p->token.at, instead);
    return instead != NULL;
}

static void only_expression(parser *p)
{
    uint32_t node = advance(p) ? expression(p) : RK_NO_SYNTAX;
    if (node == RK_NO_SYNTAX || p->token.kind == RK_TOKEN_END || foreign_operator(p))
        return;
    unexpected(p, "an operator");
    if (p->token.kind == RK_TOKEN_NAME || p->token.kind == RK_TOKEN_NUMBER)
        rk_syntax_hint(p->error);
}

static int parse(parser *p, void (*what)(parser *p))
{
    *p->error = (rk_syntax_error){0};
    if (p->lexer.len > RK_MAX_EVAL_TEXT)
        rk_syntax_fail(p->error, RASK_ELIMIT, 0, "an expression of more than %d bytes", RK_MAX_EVAL_TEXT);
    else
        what(p);
    return p->error->status;
}

int rk_syntax_parse(const char *text, size_t len, rk_array *nodes, rk_syntax_error *error)
{
    parser p = {.lexer = {.text = text, .len = len}, .nodes = nodes, .error = error};
    return parse(&p, statements);
}

int rk_syntax_parse_columns(const char *text, size_t len, rk_array *nodes, rk_syntax_error *error)
{
    parser p = {.lexer = {.text = text, .len = len, .columns = true}, .nodes = nodes, .error = error};
    return parse(&p, only_expression);
}
