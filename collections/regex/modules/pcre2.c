/* rask-pcre2: PCRE2 with its just-in-time compiler. */
#include "collections/regex/modules/pcre2.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    MATCH_STEPS = 1000000, /* before a match is given up */
    MATCH_KIB = 64 << 10,  /* and memory of matches that backtrack */
    JIT_STACK = 1 << 20,   /* bytes at most */
    PATTERN_BYTES = 1 << 20,
};

struct rk_regex {
    pcre2_general_context *context;
    pcre2_code *code;
    rk_regex_allocator allocator;
    bool fast;
};

struct rk_regex_memory {
    pcre2_general_context *context;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
    rk_regex_allocator allocator;
};

static void *take(PCRE2_SIZE size, void *context)
{
    return ((const rk_regex_allocator *)context)->alloc(size);
}

static void give(void *ptr, void *context)
{
    ((const rk_regex_allocator *)context)->free(ptr);
}

static void regex_free(rk_regex *regex)
{
    if (!regex)
        return;
    void (*free_it)(void *) = regex->allocator.free;
    pcre2_code_free(regex->code);
    pcre2_general_context_free(regex->context);
    free_it(regex);
}

static uint32_t compile_options(uint32_t flags)
{
    return PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
           (flags & RK_REGEX_IGNORE_CASE ? PCRE2_CASELESS : 0) |
           (flags & RK_REGEX_LINES ? PCRE2_MULTILINE : 0);
}

static int compile_code(rk_regex *regex, const char *pattern, size_t len, uint32_t flags, size_t *at,
                        char *message, size_t capacity)
{
    int reason = 0;
    PCRE2_SIZE byte = 0;
    regex->context = pcre2_general_context_create(take, give, &regex->allocator);
    pcre2_compile_context *how = regex->context ? pcre2_compile_context_create(regex->context) : NULL;
    if (!how)
        return RASK_ENOMEM;
    pcre2_set_max_pattern_length(how, PATTERN_BYTES);
    pcre2_set_newline(how, PCRE2_NEWLINE_LF);
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, len, compile_options(flags), &reason, &byte, how);
    pcre2_compile_context_free(how);
    if (regex->code) {
        /* without it, matching is slower, no more */
        regex->fast = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
        return RASK_OK;
    }
    if (reason == PCRE2_ERROR_NOMEMORY || reason == PCRE2_ERROR_HEAP_FAILED)
        return RASK_ENOMEM;
    pcre2_get_error_message(reason, (PCRE2_UCHAR *)message, capacity);
    *at = byte;
    return RASK_EFORMAT;
}

static int compile(const rk_regex_allocator *allocator, const char *pattern, size_t len, uint32_t flags,
                   rk_regex **out, size_t *at, char *message, size_t capacity)
{
    rk_regex *regex = allocator->alloc(sizeof *regex);
    if (!regex)
        return RASK_ENOMEM;
    *regex = (rk_regex){.allocator = *allocator};
    int status = compile_code(regex, pattern, len, flags, at, message, capacity);
    if (status)
        regex_free(regex);
    else
        *out = regex;
    return status;
}

static uint32_t groups(const rk_regex *regex)
{
    uint32_t count = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

static void memory_free(rk_regex_memory *memory)
{
    if (!memory)
        return;
    void (*free_it)(void *) = memory->allocator.free;
    pcre2_match_data_free(memory->data);
    pcre2_match_context_free(memory->limits);
    pcre2_jit_stack_free(memory->stack);
    pcre2_general_context_free(memory->context);
    free_it(memory);
}

static bool make_memory(rk_regex_memory *memory, uint32_t count)
{
    memory->context = pcre2_general_context_create(take, give, &memory->allocator);
    if (!memory->context)
        return false;
    memory->limits = pcre2_match_context_create(memory->context);
    memory->data = pcre2_match_data_create(count + 1, memory->context);
    if (!memory->limits || !memory->data)
        return false;
    pcre2_set_match_limit(memory->limits, MATCH_STEPS);
    pcre2_set_heap_limit(memory->limits, MATCH_KIB);
    memory->stack = pcre2_jit_stack_create(32 << 10, JIT_STACK, memory->context);
    if (memory->stack) /* else matching has 32 KiB of the thread's */
        pcre2_jit_stack_assign(memory->limits, NULL, memory->stack);
    return true;
}

static rk_regex_memory *memory_new(const rk_regex_allocator *allocator, uint32_t count)
{
    rk_regex_memory *memory = allocator->alloc(sizeof *memory);
    if (!memory)
        return NULL;
    *memory = (rk_regex_memory){.allocator = *allocator};
    if (make_memory(memory, count))
        return memory;
    memory_free(memory);
    return NULL;
}

static int match(const rk_regex *regex, rk_regex_memory *memory, const char *text, size_t len, uint32_t group,
                 size_t *from, size_t *to)
{
    int found =
        pcre2_match(regex->code, (PCRE2_SPTR)(text ? text : ""), len, 0, 0, memory->data, memory->limits);
    if (found < 0)
        return found == PCRE2_ERROR_NOMATCH ? 0 : -1;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(memory->data);
    if (from) {
        bool took_part = group < (uint32_t)found && ends[2 * group] <= ends[2 * group + 1];
        *from = took_part ? ends[2 * group] : SIZE_MAX;
        *to = took_part ? ends[2 * group + 1] : SIZE_MAX;
    }
    return 1;
}

/* Without the compiler, each call would look at all of the text first, to see where it is UTF-8. */
static bool is_fast(const rk_regex *regex)
{
    return regex->fast;
}

static int search(const rk_regex *regex, rk_regex_memory *memory, const char *text, size_t len, size_t start,
                  bool filled, size_t *from, size_t *to)
{
    int found = pcre2_match(regex->code, (PCRE2_SPTR)(text ? text : ""), len, start,
                            filled ? PCRE2_NOTEMPTY : 0, memory->data, memory->limits);
    if (found < 0)
        return found == PCRE2_ERROR_NOMATCH ? 0 : -1;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(memory->data);
    *from = ends[0];
    *to = ends[1];
    return 1;
}

RASK_API extern const rk_pcre2_module rask_module;
const rk_pcre2_module rask_module = {
    .head = RK_MODULE_HEAD(rk_pcre2_module),
    .compile = compile,
    .free = regex_free,
    .groups = groups,
    .memory_new = memory_new,
    .memory_free = memory_free,
    .match = match,
    .search = search,
    .is_fast = is_fast,
};
