/* Comparisons, extremes, and what is in a list. */
#include "collections/table/expr/kernels/loops.h"

#include <string.h>

RK_ZIP(eq_i64, uint8_t, int64_t, a == b)
RK_ZIP(ne_i64, uint8_t, int64_t, a != b)
RK_ZIP(lt_i64, uint8_t, int64_t, a < b)
RK_ZIP(le_i64, uint8_t, int64_t, a <= b)
RK_ZIP(eq_f64, uint8_t, double, a == b)
RK_ZIP(ne_f64, uint8_t, double, a != b)
RK_ZIP(lt_f64, uint8_t, double, a < b)
RK_ZIP(le_f64, uint8_t, double, a <= b)
RK_ZIP(eq_bool, uint8_t, uint8_t, a == b)
RK_ZIP(ne_bool, uint8_t, uint8_t, a != b)
RK_ZIP(lt_bool, uint8_t, uint8_t, a < b)
RK_ZIP(le_bool, uint8_t, uint8_t, a <= b)
RK_ZIP(min_i64, int64_t, int64_t, a < b ? a : b)
RK_ZIP(max_i64, int64_t, int64_t, a > b ? a : b)
RK_ZIP(min_f64, double, double, a < b || a != a ? a : b)
RK_ZIP(max_f64, double, double, a > b || a != a ? a : b)
RK_ZIP(min_bool, uint8_t, uint8_t, a &b)
RK_ZIP(max_bool, uint8_t, uint8_t, a | b)

/* --- text */

static bool same(rask_bytes a, rask_bytes b)
{
    return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

#define TEXT_ZIP(name, member, expression)                                                                   \
    int rk_expr_##name(const rk_expr_call *c)                                                                \
    {                                                                                                        \
        for (uint32_t i = 0; i < c->rows; i++) {                                                             \
            const rask_bytes a = c->in[0]->text[rk_row(c, 0, i)], b = c->in[1]->text[rk_row(c, 1, i)];       \
            c->out->member[i] = expression;                                                                  \
        }                                                                                                    \
        return RASK_OK;                                                                                      \
    }
TEXT_ZIP(lt_text, boolean, rk_text_compare(a, b) < 0)
TEXT_ZIP(le_text, boolean, rk_text_compare(a, b) <= 0)
TEXT_ZIP(min_text, text, rk_text_compare(b, a) < 0 ? b : a)
TEXT_ZIP(max_text, text, rk_text_compare(b, a) > 0 ? b : a)
TEXT_ZIP(both_text, boolean, same(a, b))

/* Two words that overlap hold a short text: its first and its last bytes. */
typedef struct ends {
    uint64_t first, last;
} ends;

static inline uint64_t load(const char *at, size_t bytes)
{
    uint64_t eight = 0;
    uint32_t four = 0;
    uint16_t two = 0;
    if (bytes == 8) {
        memcpy(&eight, at, 8);
        return eight;
    }
    if (bytes == 4) {
        memcpy(&four, at, 4);
        return four;
    }
    if (bytes == 2) {
        memcpy(&two, at, 2);
        return two;
    }
    return (unsigned char)*at;
}

static inline ends ends_of(const char *at, size_t len, size_t word)
{
    return (ends){load(at, word), load(at + len - word, word)};
}

/* Where in a text the constant has to be. */
typedef enum where { ALL, START, END } where;

/* A text that is too short, or of another length, is compared with the constant's own bytes instead, so that nothing
 * branches; its row is false all the same. */
static inline void check_ends(uint32_t rows, const rask_bytes *restrict x, rask_bytes b, uint8_t *restrict o,
                              where w, size_t word)
{
    const ends wanted = ends_of(b.data, b.len, word);
    for (uint32_t i = 0; i < rows; i++) {
        bool fits = w == ALL ? x[i].len == b.len : x[i].len >= b.len;
        const char *at = fits ? (w == END ? x[i].data + x[i].len - b.len : x[i].data) : b.data;
        ends have = ends_of(at, b.len, word);
        o[i] = fits & (have.first == wanted.first) & (have.last == wanted.last);
    }
}

static inline void check_long(uint32_t rows, const rask_bytes *restrict x, rask_bytes b, uint8_t *restrict o,
                              where w)
{
    for (uint32_t i = 0; i < rows; i++) {
        bool fits = w == ALL ? x[i].len == b.len : x[i].len >= b.len;
        o[i] = fits && (!b.len || !memcmp(x[i].data + (w == END ? x[i].len - b.len : 0), b.data, b.len));
    }
}

static inline void check(uint32_t rows, const rask_bytes *x, rask_bytes b, uint8_t *o, where w)
{
    if (!b.len || b.len > 16)
        check_long(rows, x, b, o, w);
    else if (b.len >= 8)
        check_ends(rows, x, b, o, w, 8);
    else if (b.len >= 4)
        check_ends(rows, x, b, o, w, 4);
    else if (b.len >= 2)
        check_ends(rows, x, b, o, w, 2);
    else
        check_ends(rows, x, b, o, w, 1);
}

/* A kernel for each place, since the loop is compiled for each. */
static void same_as(const rk_expr_call *c, const rask_bytes *x, rask_bytes b, uint8_t *o)
{
    check(c->rows, x, b, o, ALL);
}

static bool has_part(rask_bytes text, rask_bytes part, where w)
{
    return part.len <= text.len &&
           (!part.len || !memcmp(text.data + (w == END ? text.len - part.len : 0), part.data, part.len));
}

int rk_expr_startswith(const rk_expr_call *c)
{
    if (c->fixed[1] && !c->fixed[0])
        check(c->rows, c->in[0]->text, *c->in[1]->text, c->out->boolean, START);
    else
        for (uint32_t i = 0; i < c->rows; i++)
            c->out->boolean[i] =
                has_part(c->in[0]->text[rk_row(c, 0, i)], c->in[1]->text[rk_row(c, 1, i)], START);
    return RASK_OK;
}

int rk_expr_endswith(const rk_expr_call *c)
{
    if (c->fixed[1] && !c->fixed[0])
        check(c->rows, c->in[0]->text, *c->in[1]->text, c->out->boolean, END);
    else
        for (uint32_t i = 0; i < c->rows; i++)
            c->out->boolean[i] =
                has_part(c->in[0]->text[rk_row(c, 0, i)], c->in[1]->text[rk_row(c, 1, i)], END);
    return RASK_OK;
}

int rk_expr_eq_text(const rk_expr_call *c)
{
    int fixed = c->fixed[1] ? 1 : 0;
    if (!c->fixed[fixed])
        return rk_expr_both_text(c);
    if (c->fixed[0] && c->fixed[1])
        c->out->boolean[0] = same(*c->in[0]->text, *c->in[1]->text);
    else
        same_as(c, c->in[!fixed]->text, *c->in[fixed]->text, c->out->boolean);
    return RASK_OK;
}

int rk_expr_ne_text(const rk_expr_call *c)
{
    rk_expr_eq_text(c);
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->boolean[i] ^= 1;
    return RASK_OK;
}

/* --- in a list, which ascends */

#define FIND(name, T, member, before, equal)                                                                 \
    static bool name(const rk_expr_list *list, T wanted)                                                     \
    {                                                                                                        \
        uint32_t low = 0, high = list->count;                                                                \
        while (low < high) {                                                                                 \
            uint32_t middle = low + (high - low) / 2;                                                        \
            const T a = list->values.member[middle], b = wanted;                                             \
            if (before)                                                                                      \
                low = middle + 1;                                                                            \
            else                                                                                             \
                high = middle;                                                                               \
        }                                                                                                    \
        const T a = wanted, b = low < list->count ? list->values.member[low] : wanted;                       \
        return low < list->count && (equal);                                                                 \
    }
FIND(has_i64, int64_t, i64, a < b, a == b)
FIND(has_f64, double, f64, a < b, a == b)
FIND(has_bool, uint8_t, boolean, a < b, a == b)
FIND(has_text, rask_bytes, text, rk_text_compare(a, b) < 0, same(a, b))

enum { FEW = 8 }; /* values that are compared one after the other */

#define OR_EQUAL(name, T)                                                                                    \
    RK_CLONES static void name(uint32_t rows, uint8_t *restrict o, const T *restrict x, const T wanted)      \
    {                                                                                                        \
        for (uint32_t i = 0; i < rows; i++)                                                                  \
            o[i] |= x[i] == wanted;                                                                          \
    }
OR_EQUAL(or_equal_i64, int64_t)
OR_EQUAL(or_equal_f64, double)
OR_EQUAL(or_equal_bool, uint8_t)

static void or_equal_text(const rk_expr_call *c, const rask_bytes *x, rask_bytes wanted)
{
    uint8_t same_row[RK_BATCH_ROWS];
    same_as(c, x, wanted, same_row);
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->boolean[i] |= same_row[i];
}

static void compare_few(const rk_expr_call *c, const rk_expr_list *list)
{
    uint8_t *o = c->out->boolean;
    const rk_column *in = c->in[0], *values = &list->values;
    memset(o, 0, c->rows);
    for (uint32_t k = 0; k < list->count; k++) {
        switch (values->type) {
        case RASK_COL_TEXT: or_equal_text(c, in->text, values->text[k]); break;
        case RASK_COL_F64: or_equal_f64(c->rows, o, in->f64, values->f64[k]); break;
        case RASK_COL_BOOL: or_equal_bool(c->rows, o, in->boolean, values->boolean[k]); break;
        default: or_equal_i64(c->rows, o, in->i64, values->i64[k]); break;
        }
    }
}

static void search_many(const rk_expr_call *c, const rk_expr_list *list)
{
    const rk_column *in = c->in[0];
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->boolean[i] = list->values.type == RASK_COL_TEXT   ? has_text(list, in->text[i])
                             : list->values.type == RASK_COL_F64  ? has_f64(list, in->f64[i])
                             : list->values.type == RASK_COL_BOOL ? has_bool(list, in->boolean[i])
                                                                  : has_i64(list, in->i64[i]);
}

/* The operand is fixed in a single row alone. */
int rk_expr_in_list(const rk_expr_call *c)
{
    const rk_expr_list *list = c->step->more;
    if (list->count <= FEW)
        compare_few(c, list);
    else
        search_many(c, list);
    for (uint32_t i = 0; list->null && i < c->rows; i++) {
        if (!c->out->boolean[i])
            rk_expr_null(c, i);
    }
    return RASK_OK;
}
