#include "collections/regex/regex.h"

#include "core/base/alloc.h"
#include "core/base/atomic.h"

#include <stdio.h>

/* Written once, with the address of what is never unloaded. */
static _Atomic(const void *) module_place;

static const rk_regex_allocator allocator = {rk_alloc, rk_free};

static const rk_pcre2_module *module(void)
{
    return rk_load_acquire(&module_place);
}

static int need_module(char *message, size_t capacity)
{
    char reason[512] = "";
    const void *found;
    if (module())
        return RASK_OK;
    int status = rk_module_open(RK_PCRE2_MODULE, sizeof(rk_pcre2_module), &found, reason, sizeof reason);
    if (status == RASK_ENOMEM) {
        snprintf(message, capacity, "%s", rask_status_text(status));
        return status;
    }
    if (status) {
        snprintf(message, capacity,
                 "patterns need the module %s: install the packages libpcre2-8-0 and %s (%.100s)",
                 RK_PCRE2_MODULE, RK_PCRE2_MODULE, reason);
        return RASK_EUNSUPPORTED;
    }
    rk_store_release(&module_place, found);
    return RASK_OK;
}

int rk_regex_new(const char *pattern, size_t len, uint32_t flags, rk_regex **out, char *message,
                 size_t capacity)
{
    char reason[120] = "";
    size_t byte = 0;
    int status = need_module(message, capacity);
    if (status)
        return status;
    status = module()->compile(&allocator, pattern, len, flags, out, &byte, reason, sizeof reason);
    if (status == RASK_ENOMEM)
        snprintf(message, capacity, "%s", rask_status_text(status));
    else if (status)
        snprintf(message, capacity, "pattern, byte %zu: %s", byte, reason);
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

rk_regex_memory *rk_regex_memory_new(uint32_t groups)
{
    return module()->memory_new(&allocator, groups);
}

void rk_regex_memory_free(rk_regex_memory *memory)
{
    if (memory)
        module()->memory_free(memory);
}

int rk_regex_match(const rk_regex *regex, rk_regex_memory *memory, const char *text, size_t len,
                   uint32_t group, size_t *from, size_t *to)
{
    return module()->match(regex, memory, text, len, group, from, to);
}

int rk_regex_search(const rk_regex *regex, rk_regex_memory *memory, const char *text, size_t len,
                    size_t start, bool filled, size_t *from, size_t *to)
{
    return module()->search(regex, memory, text, len, start, filled, from, to);
}

bool rk_regex_is_fast(const rk_regex *regex)
{
    return module()->is_fast(regex);
}
