/* What looks at nulls itself: three-valued logic, choices. Values of null rows are 0. */
#include "collections/table/expr/kernels/loops.h"

#include <string.h>

RK_MAP(not_bool, uint8_t, uint8_t, a ^ 1)

RK_CLONES static void and_values(uint32_t rows, uint8_t *restrict o, const uint8_t *restrict x,
                                 const uint8_t *restrict y)
{
    for (uint32_t i = 0; i < rows; i++)
        o[i] = x[i] & y[i];
}

RK_CLONES static void or_values(uint32_t rows, uint8_t *restrict o, const uint8_t *restrict x,
                                const uint8_t *restrict y)
{
    for (uint32_t i = 0; i < rows; i++)
        o[i] = x[i] | y[i];
}

/* Known where both are, or where one is the value that decides. */
RK_CLONES static void known(uint32_t rows, uint8_t *restrict o, const rk_column *x, const rk_column *y,
                            uint8_t undecided)
{
    const uint8_t *restrict x_has = rk_expr_valid(x), *restrict y_has = rk_expr_valid(y);
    const uint8_t *restrict x_is = x->boolean, *restrict y_is = y->boolean;
    for (uint32_t i = 0; i < rows; i++)
        o[i] =
            (x_has[i] & y_has[i]) | (x_has[i] & (x_is[i] ^ undecided)) | (y_has[i] & (y_is[i] ^ undecided));
}

int rk_expr_and_bool(const rk_expr_call *c)
{
    const rk_column *x = c->in[0], *y = c->in[1];
    and_values(c->rows, c->out->boolean, x->boolean, y->boolean);
    c->out->nulls = x->nulls || y->nulls;
    if (c->out->nulls)
        known(c->rows, c->out->valid, x, y, 1);
    return RASK_OK;
}

int rk_expr_or_bool(const rk_expr_call *c)
{
    const rk_column *x = c->in[0], *y = c->in[1];
    or_values(c->rows, c->out->boolean, x->boolean, y->boolean);
    c->out->nulls = x->nulls || y->nulls;
    if (c->out->nulls)
        known(c->rows, c->out->valid, x, y, 0);
    return RASK_OK;
}

int rk_expr_isnull(const rk_expr_call *c)
{
    const uint8_t *valid = rk_expr_valid(c->in[0]);
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->boolean[i] = valid[i] ^ 1;
    return RASK_OK;
}

/* --- choices: take[i] chooses x, else y */

#define PICK(name, T)                                                                                        \
    RK_CLONES static void name(uint32_t rows, T *restrict o, const uint8_t *restrict take,                   \
                               const T *restrict x, const T *restrict y)                                     \
    {                                                                                                        \
        for (uint32_t i = 0; i < rows; i++) {                                                                \
            const T a = x[i], b = y[i];                                                                      \
            o[i] = take[i] ? a : b;                                                                          \
        }                                                                                                    \
    }
PICK(pick_bytes, uint8_t)
PICK(pick_words, uint64_t) /* of floats the bits */

static void pick_text(uint32_t rows, rask_bytes *restrict o, const uint8_t *restrict take,
                      const rask_bytes *restrict x, const rask_bytes *restrict y)
{
    for (uint32_t i = 0; i < rows; i++)
        o[i] = *(take[i] ? &x[i] : &y[i]);
}

static void pick(const rk_expr_call *c, const uint8_t *take, const rk_column *x, const rk_column *y)
{
    switch (c->step->type) {
    case RASK_COL_BOOL: pick_bytes(c->rows, c->out->data, take, x->data, y->data); break;
    case RASK_COL_TEXT: pick_text(c->rows, c->out->data, take, x->data, y->data); break;
    default: pick_words(c->rows, c->out->data, take, x->data, y->data); break;
    }
    c->out->nulls = x->nulls || y->nulls;
    if (c->out->nulls)
        pick_bytes(c->rows, c->out->valid, take, rk_expr_valid(x), rk_expr_valid(y));
}

int rk_expr_choose(const rk_expr_call *c)
{
    pick(c, c->in[0]->boolean, c->in[1], c->in[2]);
    return RASK_OK;
}

/* Null where both are: there the second is, as the first was not taken. */
int rk_expr_coalesce(const rk_expr_call *c)
{
    pick(c, rk_expr_valid(c->in[0]), c->in[0], c->in[1]);
    c->out->nulls = c->in[0]->nulls && c->in[1]->nulls;
    return RASK_OK;
}

/* --- copies */

int rk_expr_copy(const rk_expr_call *c)
{
    memcpy(c->out->data, c->in[0]->data, (c->fixed[0] ? 1 : c->rows) * rk_column_size(c->step->type));
    return RASK_OK;
}

/* A constant in all rows. */
int rk_expr_spread(const rk_expr_call *c)
{
    const rk_column *in = c->in[0];
    switch (c->step->type) {
    case RASK_COL_BOOL: memset(c->out->data, *in->boolean, c->rows); break;
    case RASK_COL_TEXT:
        for (uint32_t i = 0; i < c->rows; i++)
            c->out->text[i] = *in->text;
        break;
    default: /* of floats the bits */
        for (uint32_t i = 0; i < c->rows; i++)
            c->out->i64[i] = *in->i64;
    }
    if (in->nulls) {
        c->out->nulls = true;
        memset(c->out->valid, 0, c->rows);
    }
    return RASK_OK;
}
