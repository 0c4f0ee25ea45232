/* Constants out of cJSON trees. Lists nest up to the limit of the scanner; the stack is an array, not the C
 * stack. */
#include "core/json/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list that is being read. */
typedef struct frame {
    const cJSON *next; /* of its elements */
    size_t first;      /* place of its first value in values */
} frame;

typedef struct list_reader {
    frame frames[RK_MAX_JSON_DEPTH];
    unsigned depth;
    rk_array values; /* rask_value: finished elements of open lists, the innermost last */
} list_reader;

static int problem(rk_json_problem *p, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int problem(rk_json_problem *p, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->what, sizeof p->what, format, args);
    va_end(args);
    return status;
}

static int no_memory(rk_json_problem *p)
{
    return problem(p, RASK_ENOMEM, "no memory for a constant");
}

bool rk_json_is_reference(const cJSON *item)
{
    return cJSON_IsObject(item) && item->child && !strcmp(item->child->string, "node");
}

bool rk_json_integer(const cJSON *item, int64_t least, int64_t most, int64_t *out)
{
    if (!cJSON_IsNumber(item))
        return false;
    double number = item->valuedouble;
    if (!(number >= (double)least && number <= (double)most) || trunc(number) != number)
        return false;
    *out = (int64_t)number;
    return true;
}

/* A number without more ado: i64 when it is whole, else f64. */
static int read_number(const cJSON *item, rask_value *out, rk_json_problem *p)
{
    double number = item->valuedouble;
    if (fabs(number) >= RK_JSON_EXACT)
        return problem(p, RASK_ERANGE,
                       "the number is too large to be exact: write {\"i64\": \"…\"} or {\"f64\": …}");
    *out = trunc(number) == number ? rask_value_i64((int64_t)number) : rask_value_f64(number);
    return RASK_OK;
}

static int read_i64(const cJSON *item, rask_value *out, rk_json_problem *p)
{
    const char *text = item->valuestring;
    if (!cJSON_IsString(item))
        return problem(p, RASK_ETYPE, "\"i64\" takes a string of decimal digits");
    const char *first = text + (*text == '-');
    if (!*first || first[strspn(first, "0123456789")])
        return problem(p, RASK_EFORMAT, "\"i64\" takes a string of decimal digits");
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno)
        return problem(p, RASK_ERANGE, "the number does not fit into 64 bits");
    *out = rask_value_i64(number);
    return RASK_OK;
}

/* "0x" and 16 hexadecimal digits: an f64 by its bits. */
static bool bits_of(const char *text, double *out)
{
    if (strlen(text) != 18 || strncmp(text, "0x", 2) || strspn(text + 2, "0123456789abcdef") != 16)
        return false;
    uint64_t bits = strtoull(text + 2, NULL, 16);
    memcpy(out, &bits, sizeof bits);
    return true;
}

static int read_f64(const cJSON *item, rask_value *out, rk_json_problem *p)
{
    double number;
    if (cJSON_IsNumber(item)) {
        number = item->valuedouble;
        if (isinf(number))
            return problem(p, RASK_ERANGE, "the number is too large for an f64");
    } else if (!cJSON_IsString(item)) {
        return problem(p, RASK_ETYPE, "\"f64\" takes a number, or one of its names in quotes");
    } else if (!strcmp(item->valuestring, "nan")) {
        bits_of("0x7ff8000000000000", &number);
    } else if (!strcmp(item->valuestring, "inf")) {
        number = INFINITY;
    } else if (!strcmp(item->valuestring, "-inf")) {
        number = -INFINITY;
    } else if (!bits_of(item->valuestring, &number)) {
        return problem(p, RASK_EFORMAT,
                       "\"f64\" takes a number, \"nan\", \"inf\", \"-inf\" or \"0x\" and 16 digits");
    }
    *out = rask_value_f64(number);
    return RASK_OK;
}

static int read_bytes(const cJSON *item, rask_value *out, rk_json_problem *p)
{
    if (!cJSON_IsString(item))
        return problem(p, RASK_ETYPE, "\"bytes\" takes a string of base64");
    size_t len = strlen(item->valuestring), size;
    char *data = rk_alloc(len + 1);
    if (!data)
        return no_memory(p);
    int status = RASK_OK;
    if (!rk_base64_decode(item->valuestring, len, data, &size))
        status = problem(p, RASK_EFORMAT, "\"bytes\" takes base64 with padding and nothing between");
    else if (rask_value_bytes_new(data, size, out))
        status = no_memory(p);
    rk_free(data);
    return status;
}

/* {"i64": …} and its like. */
static int read_tagged(const cJSON *item, rask_value *out, rk_json_problem *p)
{
    static const struct {
        const char *tag;
        int (*read)(const cJSON *, rask_value *, rk_json_problem *);
    } tags[] = {{"i64", read_i64}, {"f64", read_f64}, {"bytes", read_bytes}};

    if (rk_json_is_reference(item))
        return problem(p, RASK_ETYPE, "a node cannot stand in a constant: \"list\" makes lists of nodes");
    const cJSON *member = item->child;
    for (size_t i = 0; member && !member->next && i < sizeof tags / sizeof *tags; i++)
        if (!strcmp(member->string, tags[i].tag))
            return tags[i].read(member, out, p);
    return problem(p, RASK_EFORMAT,
                   "an object here has one member: \"node\" (of a call), \"i64\", \"f64\" or \"bytes\"");
}

static int read_scalar(const cJSON *item, rask_value *out, rk_json_problem *p)
{
    switch (item->type & 0xff) {
    case cJSON_NULL: *out = rask_value_none(); return RASK_OK;
    case cJSON_False:
    case cJSON_True: *out = rask_value_bool(cJSON_IsTrue(item)); return RASK_OK;
    case cJSON_Number: return read_number(item, out, p);
    case cJSON_String:
        return rask_value_bytes_new(item->valuestring, strlen(item->valuestring), out) ? no_memory(p)
                                                                                       : RASK_OK;
    default: return read_tagged(item, out, p);
    }
}

static void drop_values(rk_array *values, size_t first)
{
    while (values->count > first)
        rask_value_unref((rask_value *)values->data + --values->count);
}

/* Where the value is that is being read, for a message. */
static void tell_where(const list_reader *r, rk_json_problem *p)
{
    size_t used = 0;
    for (unsigned i = 0; i < r->depth && used < sizeof p->where - 24; i++) {
        size_t end = i + 1 < r->depth ? r->frames[i + 1].first : r->values.count;
        used += (size_t)snprintf(p->where + used, sizeof p->where - used, "[%zu]", end - r->frames[i].first);
    }
}

/* The innermost list is complete: its values become one. */
static int close_list(list_reader *r, rask_value *out)
{
    size_t first = r->frames[--r->depth].first;
    int status = rask_value_list_new((rask_value *)r->values.data + first, r->values.count - first, out);
    drop_values(&r->values, first);
    return status;
}

/* Takes value, which was just read, into the innermost list, and closes what is complete. *next is what to
 * read then; NULL: *value is the whole. */
static int take(list_reader *r, rask_value *value, const cJSON **next)
{
    while (r->depth) {
        rask_value *place = rk_array_push(&r->values);
        if (!place) {
            rask_value_unref(value);
            return RASK_ENOMEM;
        }
        *place = *value;
        frame *top = &r->frames[r->depth - 1];
        *next = top->next;
        if (top->next) {
            top->next = top->next->next;
            return RASK_OK;
        }
        int status = close_list(r, value);
        if (status)
            return status;
    }
    *next = NULL;
    return RASK_OK;
}

static int read_step(list_reader *r, const cJSON **item, rask_value *out, rk_json_problem *p)
{
    const cJSON *now = *item;
    if (cJSON_IsArray(now) && now->child) {
        r->frames[r->depth++] = (frame){now->child->next, r->values.count};
        *item = now->child;
        return RASK_OK;
    }
    rask_value value;
    int status = cJSON_IsArray(now) ? rask_value_list_new(NULL, 0, &value) : read_scalar(now, &value, p);
    if (!status)
        status = take(r, &value, item);
    if (!status && !*item)
        *out = value;
    return status == RASK_ENOMEM ? no_memory(p) : status;
}

int rk_json_value(const cJSON *item, rask_value *out, rk_json_problem *p)
{
    list_reader r;
    r.depth = 0;
    r.values = (rk_array)RK_ARRAY(rask_value, RK_MAX_JSON_BYTES);
    p->where[0] = '\0';
    int status = RASK_OK;
    while (item && !status)
        status = read_step(&r, &item, out, p);
    if (status)
        tell_where(&r, p);
    drop_values(&r.values, 0);
    rk_array_fini(&r.values);
    return status;
}
