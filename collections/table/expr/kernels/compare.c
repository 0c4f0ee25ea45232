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

int rk_text_compare(rask_bytes a, rask_bytes b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.data, b.data, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

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

static inline void check_ends(const rask_bytes *restrict x, const uint32_t *rows, uint32_t count,
                              rask_bytes b, uint8_t *restrict o, size_t word)
{
    const ends wanted = ends_of(b.data, b.len, word);
    for (uint32_t i = 0; i < count; i++) {
        ends have = ends_of(x[rows[i]].data, b.len, word);
        o[rows[i]] = have.first == wanted.first && have.last == wanted.last;
    }
}

/* Rows of that length, which are then all that is looked into. */
static uint32_t of_length(uint32_t count, const rask_bytes *restrict x, size_t len, uint8_t *restrict o,
                          uint32_t *restrict rows)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t fits = x[i].len == len;
        o[i] = fits;
        rows[found] = i;
        found += fits;
    }
    return found;
}

static void same_as(const rk_expr_call *c, const rask_bytes *x, rask_bytes b)
{
    uint32_t rows[RK_BATCH_ROWS];
    uint8_t *o = c->out->boolean;
    uint32_t count = of_length(c->rows, x, b.len, o, rows);
    if (!b.len)
        return;
    if (b.len == 1)
        check_ends(x, rows, count, b, o, 1);
    else if (b.len < 4)
        check_ends(x, rows, count, b, o, 2);
    else if (b.len < 8)
        check_ends(x, rows, count, b, o, 4);
    else if (b.len <= 16)
        check_ends(x, rows, count, b, o, 8);
    else
        for (uint32_t i = 0; i < count; i++)
            o[rows[i]] = memcmp(x[rows[i]].data, b.data, b.len) == 0;
}

int rk_expr_eq_text(const rk_expr_call *c)
{
    int fixed = c->fixed[1] ? 1 : 0;
    if (!c->fixed[fixed])
        return rk_expr_both_text(c);
    if (c->fixed[0] && c->fixed[1])
        c->out->boolean[0] = same(*c->in[0]->text, *c->in[1]->text);
    else
        same_as(c, c->in[!fixed]->text, *c->in[fixed]->text);
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

int rk_expr_in_list(const rk_expr_call *c)
{
    const rk_expr_list *list = c->step->more;
    const rk_column *in = c->in[0];
    for (uint32_t i = 0; i < c->rows; i++) {
        uint32_t row = rk_row(c, 0, i);
        bool found = list->values.type == RASK_COL_TEXT   ? has_text(list, in->text[row])
                     : list->values.type == RASK_COL_F64  ? has_f64(list, in->f64[row])
                     : list->values.type == RASK_COL_BOOL ? has_bool(list, in->boolean[row])
                                                          : has_i64(list, in->i64[row]);
        c->out->boolean[i] = found;
        if (!found && list->null)
            rk_expr_null(c, i);
    }
    return RASK_OK;
}
