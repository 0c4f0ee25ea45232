/* Patterns, through the module rask-pcre2, which is looked for when the first one is compiled. */
#include "collections/table/expr/program.h"
#include "core/base/atomic.h"

#include <stdio.h>
#include <string.h>

/* Written once, with the address of what is never unloaded. */
static _Atomic(const void *) module_place;

static const rk_regex_allocator allocator = {rk_alloc, rk_free};

static const rk_pcre2_module *module(void)
{
    return rk_load_acquire(&module_place);
}

static int need_module(size_t at, rk_syntax_error *error)
{
    char reason[512] = "";
    const void *found;
    if (module())
        return RASK_OK;
    int status = rk_module_open(RK_PCRE2_MODULE, sizeof(rk_pcre2_module), &found, reason, sizeof reason);
    if (status == RASK_ENOMEM) {
        rk_syntax_fail(error, status, at, "%s", rask_status_text(status));
        return status;
    }
    if (status) {
        rk_syntax_fail(error, RASK_EUNSUPPORTED, at,
                       "patterns need the module %s: install the packages libpcre2-8-0 and %s (%.100s)",
                       RK_PCRE2_MODULE, RK_PCRE2_MODULE, reason);
        return RASK_EUNSUPPORTED;
    }
    rk_store_release(&module_place, found);
    return RASK_OK;
}

int rk_regex_new(const char *pattern, size_t len, rk_regex **out, size_t at, rk_syntax_error *error)
{
    char message[120] = "";
    size_t byte = 0;
    int status = need_module(at, error);
    if (status)
        return status;
    status = module()->compile(&allocator, pattern, len, out, &byte, message, sizeof message);
    if (status == RASK_ENOMEM)
        rk_syntax_fail(error, status, at, "%s", rask_status_text(status));
    else if (status)
        rk_syntax_fail(error, status, at, "pattern, byte %zu: %s", byte, message);
    return status;
}

void rk_regex_free(rk_regex *regex)
{
    if (regex)
        module()->free(regex);
}

uint32_t rk_regex_groups(const rk_regex *regex)
{
    return module()->groups(regex);
}

void rk_regex_memory_free(rk_regex_memory *memory)
{
    if (memory)
        module()->memory_free(memory);
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
    run->match = module()->memory_new(&allocator, groups);
    return run->match ? RASK_OK : RASK_ENOMEM;
}

int rk_expr_matches(const rk_expr_call *c)
{
    int status = need_memory(c->run);
    for (uint32_t i = 0; !status && i < c->rows; i++) {
        rask_bytes text = c->in[0]->text[rk_row(c, 0, i)];
        int found = module()->match(c->step->more, c->run->match, text.data, text.len, 0, NULL, NULL);
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
        int found = module()->match(c->step->more, c->run->match, text.data, text.len,
                                    (uint32_t)c->step->number, &from, &to);
        c->out->text[i] = (rask_bytes){0};
        if (found <= 0 || from == SIZE_MAX)
            rk_expr_null(c, i);
        else if (to > from)
            c->out->text[i] = (rask_bytes){text.data + from, to - from};
    }
    return status;
}
