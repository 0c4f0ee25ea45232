/* Random expressions against the plainest evaluator there is: one row at a time, every value with its null. */
#include "collections/table/expr/expr.h"
#include "core/base/print.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 77, NODES = 64, EXPRESSIONS = 3000 };

typedef struct cell {
    bool null;
    int64_t i;
    double f;
    bool b;
} cell;

/* Columns: i, ni, f, nf, b, nb; those with n have nulls. */
static const char *const names[] = {"i", "ni", "f", "nf", "b", "nb"};
static const rask_column_type types[] = {RASK_COL_I64, RASK_COL_I64,  RASK_COL_F64,
                                         RASK_COL_F64, RASK_COL_BOOL, RASK_COL_BOOL};
static cell table[6][ROWS];
static rk_column columns[6];
static const rk_column *places[6];

static int64_t any_i64(void)
{
    static const int64_t edges[] = {INT64_MAX, INT64_MIN, 0, -1, 1, INT64_C(1) << 32, -(INT64_C(1) << 32)};
    return rand() % 5 ? rand() % 21 - 10 : edges[rand() % 7];
}

static double any_f64(void)
{
    static const double edges[] = {0, -0.0, 1e308, -1e308, 0.5, 1e-300};
    return rand() % 4 ? (rand() % 81 - 40) / 4.0 : edges[rand() % 6];
}

static void make_table(void)
{
    srand(20);
    for (int k = 0; k < 6; k++) {
        columns[k].type = types[k];
        columns[k].data = calloc(ROWS, 8);
        columns[k].valid = calloc(ROWS, 1);
        columns[k].nulls = k % 2;
        places[k] = &columns[k];
        for (int r = 0; r < ROWS; r++) {
            cell *c = &table[k][r];
            c->null = k % 2 && rand() % 4 == 0;
            columns[k].valid[r] = !c->null;
            if (c->null)
                continue;
            if (k < 2)
                columns[k].i64[r] = c->i = any_i64();
            else if (k < 4)
                columns[k].f64[r] = c->f = any_f64();
            else
                columns[k].boolean[r] = c->b = rand() % 2;
        }
    }
}

static void free_table(void)
{
    for (int k = 0; k < 6; k++) {
        free(columns[k].data);
        free(columns[k].valid);
    }
}

TestSuite(expr_random, .init = make_table, .fini = free_table, .timeout = 30);

/* --- expressions: number an operator by the type of its result */

typedef enum kind {
    COLUMN,
    LITERAL,
    NULLED,
    NEGATE,
    ADD,
    SUB,
    MUL,
    DIV,
    FLOOR,
    MOD,
    LESS,
    EQUAL,
    NOT,
    AND,
    OR,
    IF,
    ISNULL,
    COALESCE,
    MIN,
    CAST
} kind;

typedef struct tree {
    kind kind;
    rask_column_type type;
    int number; /* of a column */
    cell value; /* of a literal */
    struct tree *in[3];
} tree;

static tree nodes[NODES];
static int used;

static tree *grow(rask_column_type type, int depth);

static rask_column_type number_type(void)
{
    return rand() % 2 ? RASK_COL_I64 : RASK_COL_F64;
}

static void leaf(tree *t)
{
    t->kind = rand() % 3 ? COLUMN : rand() % 6 ? LITERAL : NULLED;
    t->number = (t->type == RASK_COL_I64 ? 0 : t->type == RASK_COL_F64 ? 2 : 4) + rand() % 2;
    t->value = (cell){t->kind == NULLED, rand() % 10, rand() % 40 / 4.0, rand() % 2};
}

static void fill_number(tree *t, int depth)
{
    static const kind kinds[] = {NEGATE, ADD, SUB, MUL, FLOOR, MOD, IF, COALESCE, MIN, CAST};
    t->kind = kinds[rand() % 10];
    if (t->type == RASK_COL_F64 && rand() % 6 == 0)
        t->kind = DIV;
    for (int k = 0; k < 3; k++)
        t->in[k] = grow(t->type, depth);
    if (t->kind == IF)
        t->in[0] = grow(RASK_COL_BOOL, depth);
    if (t->kind == CAST)
        t->in[0] = grow(t->type == RASK_COL_F64 ? RASK_COL_I64 : number_type(), depth);
}

static void fill_bool(tree *t, int depth)
{
    static const kind kinds[] = {LESS, EQUAL, NOT, AND, OR, IF, ISNULL, COALESCE};
    rask_column_type of;
    t->kind = kinds[rand() % 8];
    of = t->kind == LESS || t->kind == EQUAL || t->kind == ISNULL ? number_type() : RASK_COL_BOOL;
    for (int k = 0; k < 3; k++)
        t->in[k] = grow(of, depth);
}

static tree *grow(rask_column_type type, int depth)
{
    tree *t = &nodes[used++];
    *t = (tree){.type = type};
    if (depth <= 0 || used > NODES - 30 || rand() % 5 == 0)
        leaf(t);
    else if (type == RASK_COL_BOOL)
        fill_bool(t, depth - 1);
    else
        fill_number(t, depth - 1);
    return t;
}

/* %1 and so on: operands; null is cast so that it keeps its type. */
static const char *const forms[] = {
    [NEGATE] = "-(%1)",      [ADD] = "(%1) + (%2)",    [SUB] = "(%1) - (%2)",
    [MUL] = "(%1) * (%2)",   [DIV] = "(%1) / (%2)",    [FLOOR] = "(%1) // (%2)",
    [MOD] = "(%1) % (%2)",   [LESS] = "(%1) < (%2)",   [EQUAL] = "(%1) == (%2)",
    [NOT] = "not (%1)",      [AND] = "(%1) and (%2)",  [OR] = "(%1) or (%2)",
    [IF] = "if(%1, %2, %3)", [ISNULL] = "is_null(%1)", [COALESCE] = "coalesce(%1, %2)",
    [MIN] = "min(%1, %2)"};

static void write_leaf(rk_print *out, const tree *t)
{
    const char *cast = t->type == RASK_COL_I64 ? "int" : t->type == RASK_COL_F64 ? "float" : "bool";
    if (t->kind == COLUMN)
        rk_print_add(out, "%s", names[t->number]);
    else if (t->kind == NULLED)
        rk_print_add(out, "%s(null)", cast);
    else if (t->type == RASK_COL_I64)
        rk_print_add(out, "%lld", (long long)t->value.i);
    else if (t->type == RASK_COL_F64)
        rk_print_add(out, "%.2f", t->value.f);
    else
        rk_print_add(out, "%s", t->value.b ? "true" : "False");
}

static void write_tree(rk_print *out, const tree *t)
{
    if (t->kind <= NULLED) {
        write_leaf(out, t);
        return;
    }
    const char *form = t->kind == CAST ? (t->type == RASK_COL_I64 ? "int(%1)" : "float(%1)") : forms[t->kind];
    for (; *form; form++) {
        if (*form == '%' && form[1] >= '1' && form[1] <= '3')
            write_tree(out, t->in[*++form - '1']);
        else
            rk_print_add(out, "%c", *form);
    }
}

/* --- one row */

static cell integers(kind k, cell a, cell b)
{
    int64_t r = 0;
    bool over = k == ADD   ? __builtin_add_overflow(a.i, b.i, &r)
                : k == SUB ? __builtin_sub_overflow(a.i, b.i, &r)
                : k == MUL ? __builtin_mul_overflow(a.i, b.i, &r)
                           : false;
    if ((k == FLOOR || k == MOD) && (!b.i || (k == FLOOR && b.i == -1 && a.i == INT64_MIN)))
        return (cell){.null = true};
    if (k == FLOOR || k == MOD) {
        int64_t q = b.i == -1 ? 0 : a.i / b.i, rest = b.i == -1 ? 0 : a.i % b.i;
        if (rest && (rest < 0) != (b.i < 0)) {
            rest += b.i;
            q--;
        }
        r = k == MOD ? rest : b.i == -1 ? -a.i : q;
    }
    return (cell){.null = over, .i = over ? 0 : r};
}

static double floats(kind k, double a, double b)
{
    double r;
    switch (k) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case FLOOR: return floor(a / b);
    default:
        r = fmod(a, b);
        if (r == 0)
            return copysign(r, b);
        return (r < 0) != (b < 0) ? r + b : r;
    }
}

static cell of(const tree *t, int row);

static cell logic(const tree *t, int row)
{
    cell a = of(t->in[0], row), b = of(t->in[1], row);
    bool decides = t->kind == OR;
    if ((!a.null && a.b == decides) || (!b.null && b.b == decides))
        return (cell){.b = decides};
    return (cell){.null = a.null || b.null, .b = !decides && !(a.null || b.null)};
}

static cell strict(const tree *t, int row)
{
    bool two = t->kind != NEGATE && t->kind != NOT && t->kind != CAST, whole = t->in[0]->type == RASK_COL_I64;
    cell a = of(t->in[0], row), b = two ? of(t->in[1], row) : (cell){0};
    if (a.null || b.null)
        return (cell){.null = true};
    switch (t->kind) {
    case NOT: return (cell){.b = !a.b};
    case LESS: return (cell){.b = whole ? a.i < b.i : a.f < b.f};
    case EQUAL: return (cell){.b = whole ? a.i == b.i : a.f == b.f};
    case NEGATE: return whole ? integers(SUB, (cell){0}, a) : (cell){.f = -a.f};
    case MIN: return whole ? (a.i < b.i ? a : b) : isnan(a.f) || a.f < b.f ? a : b;
    case CAST:
        if (t->type == RASK_COL_F64)
            return (cell){.f = (double)a.i};
        if (whole)
            return a;
        return a.f >= -0x1p63 && a.f < 0x1p63 ? (cell){.i = (int64_t)a.f} : (cell){.null = true};
    default:
        return t->type == RASK_COL_I64 ? integers(t->kind, a, b) : (cell){.f = floats(t->kind, a.f, b.f)};
    }
}

static cell of(const tree *t, int row)
{
    cell a;
    switch (t->kind) {
    case COLUMN: return table[t->number][row];
    case LITERAL:
    case NULLED: return t->value;
    case AND:
    case OR: return logic(t, row);
    case ISNULL: return (cell){.b = of(t->in[0], row).null};
    case COALESCE: a = of(t->in[0], row); return a.null ? of(t->in[1], row) : a;
    case IF: a = of(t->in[0], row); return of(t->in[!a.null && a.b ? 1 : 2], row);
    default: return strict(t, row);
    }
}

static bool equal(const rk_column *out, uint32_t row, cell wanted)
{
    if (!rk_column_has(out, row) || wanted.null)
        return !rk_column_has(out, row) && wanted.null;
    if (out->type == RASK_COL_I64)
        return out->i64[row] == wanted.i;
    if (out->type == RASK_COL_BOOL)
        return out->boolean[row] == wanted.b;
    return out->f64[row] == wanted.f || (isnan(out->f64[row]) && isnan(wanted.f));
}

static void check_tree(const tree *t)
{
    char text[8000];
    rk_print print = {.buffer = text, .capacity = sizeof text};
    rk_syntax_error error;
    rk_expr *e;
    rk_expr_run *run;
    uint64_t room = RK_EXPR_MEMO_BYTES;
    const rk_column *out;
    write_tree(&print, t);
    cr_assert_eq(rk_expr_compile(text, print.len, names, types, 6, &e, &error), RASK_OK, "%s: %s", text,
                 error.message);
    cr_assert_eq(rk_expr_type(e), t->type, "%s", text);
    cr_assert_eq(rk_expr_run_new(e, &room, &run), RASK_OK);
    cr_assert_eq(rk_expr_evaluate(e, run, places, ROWS, &out), RASK_OK);
    for (int row = 0; row < ROWS; row++)
        cr_assert(equal(out, (uint32_t)row, of(t, row)), "%s: row %d", text, row);
    rk_expr_run_free(run);
    rk_expr_free(e);
}

Test(expr_random, whole_columns_give_what_single_rows_give)
{
    for (int i = 0; i < EXPRESSIONS; i++) {
        used = 0;
        check_tree(grow(types[2 * (rand() % 3)], 1 + rand() % 4));
    }
}
