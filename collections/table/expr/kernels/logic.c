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

/* Known where both are, or where one is false. */
int rk_expr_and_bool(const rk_expr_call *c)
{
    const rk_column *x = c->in[0], *y = c->in[1];
    const uint8_t *restrict x_has = rk_expr_valid(x), *restrict y_has = rk_expr_valid(y);
    and_values(c->rows, c->out->boolean, x->boolean, y->boolean);
    c->out->nulls = x->nulls || y->nulls;
    for (uint32_t i = 0; c->out->nulls && i < c->rows; i++)
        c->out->valid[i] =
            (x_has[i] & y_has[i]) | (x_has[i] & (x->boolean[i] ^ 1)) | (y_has[i] & (y->boolean[i] ^ 1));
    return RASK_OK;
}

/* Known where both are, or where one is true. */
int rk_expr_or_bool(const rk_expr_call *c)
{
    const rk_column *x = c->in[0], *y = c->in[1];
    const uint8_t *restrict x_has = rk_expr_valid(x), *restrict y_has = rk_expr_valid(y);
    or_values(c->rows, c->out->boolean, x->boolean, y->boolean);
    c->out->nulls = x->nulls || y->nulls;
    for (uint32_t i = 0; c->out->nulls && i < c->rows; i++)
        c->out->valid[i] = (x_has[i] & y_has[i]) | x->boolean[i] | y->boolean[i];
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

#define PICK(T, member)                                                                                      \
    do {                                                                                                     \
        const T *restrict p = x->member, *restrict q = y->member;                                            \
        T *restrict o = c->out->member;                                                                      \
        for (uint32_t i = 0; i < c->rows; i++)                                                               \
            o[i] = take[i] ? p[i] : q[i];                                                                    \
    } while (0)

static void pick(const rk_expr_call *c, const uint8_t *take, const rk_column *x, const rk_column *y)
{
    const uint8_t *x_has = rk_expr_valid(x), *y_has = rk_expr_valid(y);
    switch (c->step->type) {
    case RASK_COL_BOOL: PICK(uint8_t, boolean); break;
    case RASK_COL_TEXT: PICK(rask_bytes, text); break;
    case RASK_COL_F64: PICK(double, f64); break;
    default: PICK(int64_t, i64); break;
    }
    c->out->nulls = x->nulls || y->nulls;
    for (uint32_t i = 0; c->out->nulls && i < c->rows; i++)
        c->out->valid[i] = take[i] ? x_has[i] : y_has[i];
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
    size_t size = rk_column_size(c->step->type);
    for (uint32_t i = 0; i < c->rows; i++)
        memcpy((char *)c->out->data + i * size, in->data, size);
    if (in->nulls) {
        c->out->nulls = true;
        memset(c->out->valid, 0, c->rows);
    }
    return RASK_OK;
}
