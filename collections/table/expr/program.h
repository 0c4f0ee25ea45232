/* collections/table/expr/program: what an expression is compiled to: steps, each a kernel over whole columns.
 *
 * A step's operands are columns of the batch, constants (columns of one value) or registers: columns of a run that
 * steps before it have written. A register is free again behind the step that reads it, since values are used once. */
#ifndef RASK_COLLECTIONS_TABLE_EXPR_PROGRAM_H
#define RASK_COLLECTIONS_TABLE_EXPR_PROGRAM_H

#include "collections/regex/regex.h"
#include "collections/table/expr/expr.h"
#include "core/base/array.h"
#include "core/base/limits.h"

typedef struct rk_expr_step rk_expr_step;

/* One step over the rows of a batch. */
typedef struct rk_expr_call {
    uint32_t rows;
    const rk_column *in[3];
    bool fixed[3]; /* the operand has one value, for all rows */
    rk_column *out;
    const rk_expr_step *step;
    rk_expr_run *run;
} rk_expr_call;

/* Writes the values of out; of strict steps the nulls are there, and values of null rows need not be written right. Other
 * steps set out->nulls and valid. RASK_OK, RASK_ENOMEM or RASK_ELIMIT. */
typedef int rk_expr_kernel(const rk_expr_call *c);

typedef enum rk_expr_from { RK_FROM_COLUMN, RK_FROM_CONSTANT, RK_FROM_REGISTER } rk_expr_from;

typedef struct rk_expr_operand {
    rk_expr_from from;
    uint32_t index;
} rk_expr_operand;

struct rk_expr_step {
    rk_expr_kernel *kernel;
    rask_column_type type;
    uint32_t count; /* of operands */
    uint32_t out;   /* register */
    bool strict;    /* null where an operand is; operands may be fixed. Others get whole columns */
    rk_expr_operand in[3];
    int64_t number;   /* of some kernels: digits, a group, an exponent */
    const void *more; /* of some: rk_expr_list, rk_regex */
};

/* Values of a list, ascending. */
typedef struct rk_expr_list {
    rk_column values;
    uint32_t count;
    bool null; /* it has a null, too */
} rk_expr_list;

/* Steps that cost much and depend on one column of text alone: they are done once for each different text of it (memo.c). */
typedef struct rk_expr_memo {
    uint32_t first, last; /* of the steps; the last one's result is theirs */
    uint32_t column;
} rk_expr_memo;

struct rk_expr {
    char *text;                      /* that it was compiled from */
    rk_arena memory;                 /* values of constants, names, lists */
    rk_array steps;                  /* rk_expr_step */
    rk_array constants;              /* rk_column */
    rk_array regexes;                /* rk_regex * */
    rk_array memos;                  /* rk_expr_memo, ascending */
    uint32_t registers;              /* how many */
    uint8_t sizes[RK_MAX_EXPR_LIVE]; /* bytes of a value in each */
    uint8_t *uses;                   /* by column */
    uint32_t columns;
    rk_expr_operand result;
    rask_column_type type;
    bool null; /* it is null alone */
};

/* What rk_expr_date_trunc and rk_expr_date_diff count in: number of their steps. Those of the calendar come first. */
typedef enum rk_unit {
    RK_UNIT_YEAR,
    RK_UNIT_QUARTER,
    RK_UNIT_MONTH,
    RK_UNIT_WEEK,
    RK_UNIT_DAY,
    RK_UNIT_HOUR,
    RK_UNIT_MINUTE,
    RK_UNIT_SECOND,
    RK_UNITS
} rk_unit;

/* Text of a batch: chunks that double. */
typedef struct rk_expr_text {
    struct rk_expr_chunk *chunks; /* the newest first */
    size_t used, total;           /* of the newest; of all */
} rk_expr_text;

struct rk_expr_run {
    const rk_expr *expr;
    uint64_t *room; /* for its memos; NULL: none */
    rk_column *registers;
    rk_expr_text text;
    rk_regex_memory *match;          /* NULL until a pattern is matched */
    struct rk_expr_memory *memories; /* of its memos; NULL until the first is needed */
};

/* Runs steps first to last. RASK_OK, RASK_ENOMEM, RASK_ELIMIT. */
int rk_expr_run_steps(rk_expr_run *run, uint32_t first, uint32_t last, const rk_column *const *columns,
                      uint32_t rows);

/* --- what is done once for each text */

/* Finds the memos of an expression whose steps are there. False: no memory. */
bool rk_expr_memo_find(rk_expr *e, const rask_column_type *types);
/* The result of memo number index for rows of columns goes to its register. As rk_expr_run_steps(). */
int rk_expr_memo_run(rk_expr_run *run, uint32_t index, const rk_column *const *columns, uint32_t rows);
void rk_expr_memo_fini(rk_expr_run *run);

/* Runs one step with what operands mean already found: nulls of strict steps before and after the kernel. */
int rk_expr_do(rk_expr_call *c);

/* --- for kernels */

/* len bytes of text until the next evaluation; NULL: RASK_ENOMEM, or RASK_ELIMIT where that is too much. */
char *rk_expr_text_alloc(rk_expr_run *run, size_t len, int *status);
void rk_expr_text_fini(rk_expr_text *text);
/* What came since text was as it was then is gone. */
void rk_expr_text_rewind(rk_expr_text *text, rk_expr_text then);

/* The row of an operand's value. */
static inline uint32_t rk_row(const rk_expr_call *c, uint32_t operand, uint32_t row)
{
    return c->fixed[operand] ? 0 : row;
}

/* out gets nulls: from here on valid[] counts. */
void rk_expr_open_nulls(const rk_expr_call *c);

static inline void rk_expr_null(const rk_expr_call *c, uint32_t row)
{
    if (!c->out->nulls)
        rk_expr_open_nulls(c);
    c->out->valid[row] = 0;
}

/* valid[] of a column that may have no nulls. */
const uint8_t *rk_expr_valid(const rk_column *column);

/* The kernels, by what they compute; suffixes are the types of their operands. */
rk_expr_kernel rk_expr_spread, rk_expr_copy, rk_expr_cast_i64_f64, rk_expr_cast_f64_i64,
    rk_expr_cast_bool_i64, rk_expr_cast_i64_bool, rk_expr_cast_f64_bool, rk_expr_cast_date_timestamp,
    rk_expr_cast_timestamp_date, rk_expr_parse_i64, rk_expr_parse_f64, rk_expr_parse_bool, rk_expr_parse_date,
    rk_expr_parse_timestamp, rk_expr_str_i64, rk_expr_str_f64, rk_expr_str_bool, rk_expr_str_date,
    rk_expr_str_timestamp, rk_expr_add_i64, rk_expr_sub_i64, rk_expr_mul_i64, rk_expr_floordiv_i64,
    rk_expr_mod_i64, rk_expr_neg_i64, rk_expr_abs_i64, rk_expr_sign_i64, rk_expr_pow_i64, rk_expr_add_f64,
    rk_expr_sub_f64, rk_expr_mul_f64, rk_expr_div_f64, rk_expr_floordiv_f64, rk_expr_mod_f64, rk_expr_pow_f64,
    rk_expr_neg_f64, rk_expr_abs_f64, rk_expr_sign_f64, rk_expr_floor_f64, rk_expr_ceil_f64,
    rk_expr_round_f64, rk_expr_sqrt_f64, rk_expr_exp_f64, rk_expr_log_f64, rk_expr_log2_f64,
    rk_expr_log10_f64, rk_expr_isnan_f64, rk_expr_and_i64, rk_expr_or_i64, rk_expr_xor_i64, rk_expr_not_i64,
    rk_expr_eq_i64, rk_expr_ne_i64, rk_expr_lt_i64, rk_expr_le_i64, rk_expr_eq_f64, rk_expr_ne_f64,
    rk_expr_lt_f64, rk_expr_le_f64, rk_expr_eq_bool, rk_expr_ne_bool, rk_expr_lt_bool, rk_expr_le_bool,
    rk_expr_eq_text, rk_expr_ne_text, rk_expr_lt_text, rk_expr_le_text, rk_expr_min_i64, rk_expr_max_i64,
    rk_expr_min_f64, rk_expr_max_f64, rk_expr_min_text, rk_expr_max_text, rk_expr_min_bool, rk_expr_max_bool,
    rk_expr_and_bool, rk_expr_or_bool, rk_expr_not_bool, rk_expr_isnull, rk_expr_coalesce, rk_expr_choose,
    rk_expr_in_list, rk_expr_concat, rk_expr_length, rk_expr_bytes, rk_expr_lower, rk_expr_upper,
    rk_expr_strip, rk_expr_contains, rk_expr_startswith, rk_expr_endswith, rk_expr_replace, rk_expr_substring,
    rk_expr_find, rk_expr_matches, rk_expr_extract, rk_expr_mul_wrapping, rk_expr_neg_wrapping,
    rk_expr_abs_wrapping, rk_expr_whole_f64, rk_expr_both_text, rk_expr_year, rk_expr_month, rk_expr_day,
    rk_expr_weekday, rk_expr_hour, rk_expr_minute, rk_expr_second, rk_expr_quarter, rk_expr_yearday,
    rk_expr_date_trunc, rk_expr_date_diff;

/* --- patterns */

/* Compiles a pattern: RASK_OK, RASK_ENOMEM, or in error what is wrong with it, or that the module is missing. */
int rk_expr_pattern(const char *pattern, size_t len, rk_regex **out, size_t at, rk_syntax_error *error);

#endif
