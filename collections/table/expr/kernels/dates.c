/* Parts of dates and timestamps. */
#include "collections/table/expr/kernels/loops.h"
#include "collections/table/value_text.h"

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int rk_expr_cast_timestamp_date(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->i64[i] = floor_divide(c->in[0]->i64[rk_row(c, 0, i)], RK_DAY_MICROSECONDS);
    return RASK_OK;
}

static int64_t days_at(const rk_expr_call *c, uint32_t row)
{
    int64_t value = c->in[0]->i64[rk_row(c, 0, row)];
    return c->in[0]->type == RASK_COL_TIMESTAMP ? floor_divide(value, RK_DAY_MICROSECONDS) : value;
}

#define DATE_PART(name, expression)                                                                          \
    int rk_expr_##name(const rk_expr_call *c)                                                                \
    {                                                                                                        \
        for (uint32_t i = 0; i < c->rows; i++) {                                                             \
            int64_t days = days_at(c, i);                                                                    \
            if (days < -RK_MAX_DATE || days > RK_MAX_DATE) {                                                 \
                rk_expr_null(c, i);                                                                          \
                continue;                                                                                    \
            }                                                                                                \
            c->out->i64[i] = expression;                                                                     \
        }                                                                                                    \
        return RASK_OK;                                                                                      \
    }
DATE_PART(year, rk_date_of(days).year)
DATE_PART(month, rk_date_of(days).month)
DATE_PART(day, rk_date_of(days).day)
DATE_PART(weekday, days + 3 - floor_divide(days + 3, 7) * 7) /* 1970-01-01 was a Thursday */

/* Units of so many microseconds, as many as there are in the next larger one. */
static int time_part(const rk_expr_call *c, int64_t unit, int64_t count)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        int64_t units = floor_divide(c->in[0]->i64[rk_row(c, 0, i)], unit);
        c->out->i64[i] = units - floor_divide(units, count) * count;
    }
    return RASK_OK;
}

int rk_expr_hour(const rk_expr_call *c)
{
    return time_part(c, INT64_C(3600000000), 24);
}

int rk_expr_minute(const rk_expr_call *c)
{
    return time_part(c, 60000000, 60);
}

int rk_expr_second(const rk_expr_call *c)
{
    return time_part(c, 1000000, 60);
}
