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
DATE_PART(quarter, (rk_date_of(days).month + 2) / 3)
DATE_PART(yearday, days - rk_date_days((rk_date){rk_date_of(days).year, 1, 1}) + 1)

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

/* -- Units, counted from 1970 on */

/* Of time, microseconds of one; 0: of the calendar. */
static const int64_t unit_lengths[RK_UNITS] = {[RK_UNIT_WEEK] = 7 * RK_DAY_MICROSECONDS,
                                               [RK_UNIT_DAY] = RK_DAY_MICROSECONDS,
                                               [RK_UNIT_HOUR] = INT64_C(3600000000),
                                               [RK_UNIT_MINUTE] = 60000000,
                                               [RK_UNIT_SECOND] = 1000000};

static int64_t months_in(int64_t unit)
{
    return unit == RK_UNIT_YEAR ? 12 : unit == RK_UNIT_QUARTER ? 3 : 1;
}

/* The number of the unit that a day is in; weeks begin on Mondays. False: the calendar does not have it. */
static bool calendar_index(int64_t unit, int64_t days, int64_t *out)
{
    if (days < -RK_MAX_DATE || days > RK_MAX_DATE)
        return false;
    if (unit == RK_UNIT_WEEK) {
        *out = floor_divide(days + 3, 7);
        return true;
    }
    rk_date date = rk_date_of(days);
    *out = floor_divide((date.year - 1970) * 12 + (int64_t)date.month - 1, months_in(unit));
    return true;
}

/* The first day of a unit of the calendar. */
static int64_t calendar_day(int64_t unit, int64_t index)
{
    if (unit == RK_UNIT_WEEK)
        return index * 7 - 3;
    int64_t month = index * months_in(unit), year = floor_divide(month, 12);
    return rk_date_days((rk_date){1970 + year, (unsigned)(month - year * 12) + 1, 1});
}

static bool is_of_calendar(int64_t unit)
{
    return unit <= RK_UNIT_WEEK;
}

/* The number of the unit that a value is in. */
static bool unit_index(int64_t unit, bool timestamp, int64_t value, int64_t *out)
{
    if (is_of_calendar(unit))
        return calendar_index(unit, timestamp ? floor_divide(value, RK_DAY_MICROSECONDS) : value, out);
    if (timestamp)
        *out = floor_divide(value, unit_lengths[unit]);
    else
        return !__builtin_mul_overflow(value, RK_DAY_MICROSECONDS / unit_lengths[unit], out);
    return true;
}

/* Where that unit begins. */
static bool unit_begin(int64_t unit, bool timestamp, int64_t value, int64_t *out)
{
    int64_t index;
    if (!timestamp && !is_of_calendar(unit)) {
        *out = value;
        return true;
    }
    if (!unit_index(unit, timestamp, value, &index))
        return false;
    if (!is_of_calendar(unit))
        return !__builtin_mul_overflow(index, unit_lengths[unit], out);
    *out = calendar_day(unit, index);
    return !timestamp || !__builtin_mul_overflow(*out, RK_DAY_MICROSECONDS, out);
}

int rk_expr_date_trunc(const rk_expr_call *c)
{
    bool timestamp = c->in[0]->type == RASK_COL_TIMESTAMP;
    for (uint32_t i = 0; i < c->rows; i++)
        if (!unit_begin(c->step->number, timestamp, c->in[0]->i64[rk_row(c, 0, i)], &c->out->i64[i]))
            rk_expr_null(c, i);
    return RASK_OK;
}

int rk_expr_date_diff(const rk_expr_call *c)
{
    bool timestamp = c->in[0]->type == RASK_COL_TIMESTAMP;
    for (uint32_t i = 0; i < c->rows; i++) {
        int64_t from, to;
        if (!unit_index(c->step->number, timestamp, c->in[0]->i64[rk_row(c, 0, i)], &from) ||
            !unit_index(c->step->number, timestamp, c->in[1]->i64[rk_row(c, 1, i)], &to) ||
            __builtin_sub_overflow(to, from, &c->out->i64[i]))
            rk_expr_null(c, i);
    }
    return RASK_OK;
}
