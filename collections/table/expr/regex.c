/* Patterns on columns. */
#include "collections/table/expr/program.h"

int rk_expr_pattern(const char *pattern, size_t len, rk_regex **out, size_t at, rk_syntax_error *error)
{
    char message[700] = "";
    int status = rk_regex_new(pattern, len, 0, out, message, sizeof message);
    if (status)
        rk_syntax_fail(error, status, at, "%s", message);
    return status;
}

/* --- kernels */

/* Of a size for all patterns of the expression. */
static int need_memory(rk_expr_run *run)
{
    rk_regex *const *regexes = run->expr->regexes.data;
    uint32_t groups = 0;
    if (run->match)
        return RASK_OK;
    for (size_t i = 0; i < run->expr->regexes.count; i++) {
        uint32_t own = rk_regex_groups(regexes[i]);
        groups = own > groups ? own : groups;
    }
    run->match = rk_regex_memory_new(groups);
    return run->match ? RASK_OK : RASK_ENOMEM;
}

int rk_expr_matches(const rk_expr_call *c)
{
    int status = need_memory(c->run);
    for (uint32_t i = 0; !status && i < c->rows; i++) {
        rask_bytes text = c->in[0]->text[rk_row(c, 0, i)];
        int found = rk_regex_match(c->step->more, c->run->match, text.data, text.len, 0, NULL, NULL);
        c->out->boolean[i] = found > 0;
        if (found < 0)
            rk_expr_null(c, i);
    }
    return status;
}

int rk_expr_extract(const rk_expr_call *c)
{
    int status = need_memory(c->run);
    for (uint32_t i = 0; !status && i < c->rows; i++) {
        rask_bytes text = c->in[0]->text[rk_row(c, 0, i)];
        size_t from = SIZE_MAX, to = SIZE_MAX;
        int found = rk_regex_match(c->step->more, c->run->match, text.data, text.len,
                                   (uint32_t)c->step->number, &from, &to);
        c->out->text[i] = (rask_bytes){0};
        if (found <= 0 || from == SIZE_MAX)
            rk_expr_null(c, i);
        else if (to > from)
            c->out->text[i] = (rask_bytes){text.data + from, to - from};
    }
    return status;
}
