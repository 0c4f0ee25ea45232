#include "collections/array/files/npy.h"

#include "collections/array/files/dtype_text.h"
#include "collections/array/files/layout.h"
#include "collections/array/source.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

enum { ALIGNMENT = 64, SHOWN = 60 /* characters of an unknown dtype in a message */ };

/* A walk over the dictionary. */
typedef struct parser {
    const char *text, *at, *end;
    rk_npy_header *header;
    bool has_descr, has_order, has_shape;
    char *message;
    size_t capacity;
} parser;

static int fail(const parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(const parser *p, const char *format, ...)
{
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(p->message, p->capacity, "header, character %zu: %s", (size_t)(p->at - p->text) + 1, what);
    return RASK_EFORMAT;
}

static void skip_space(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

/* The next character that is no space; -1 at the end. */
static int peek(parser *p)
{
    skip_space(p);
    return p->at < p->end ? (unsigned char)*p->at : -1;
}

static bool take(parser *p, char c)
{
    bool there = peek(p) == (unsigned char)c;
    p->at += there;
    return there;
}

static bool take_word(parser *p, const char *word)
{
    size_t len = strlen(word);
    skip_space(p);
    if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
        return false;
    p->at += len;
    return true;
}

/* A string in quotes of either kind, without escapes. */
static int parse_string(parser *p, const char **text, size_t *len)
{
    int quote = peek(p);
    if (quote != '\'' && quote != '"')
        return fail(p, "a string in quotes is expected");
    const char *begin = ++p->at;
    while (p->at < p->end && *p->at != (char)quote && *p->at != '\\' && (unsigned char)*p->at >= ' ')
        p->at++;
    if (p->at == p->end || *p->at != (char)quote)
        return fail(p, "a string is not closed");
    *text = begin;
    *len = (size_t)(p->at++ - begin);
    return RASK_OK;
}

/* Dtypes of records are lists; whatever it is, its beginning is shown. */
static int fail_dtype(const parser *p, const char *text, size_t len)
{
    char shown[SHOWN + 1];
    size_t count = 0;
    for (; count < len && count < SHOWN; count++)
        shown[count] = text[count] >= ' ' && text[count] < 127 ? text[count] : '?';
    shown[count] = '\0';
    snprintf(p->message, p->capacity, "dtype %s%s is not supported", shown, count < len ? "..." : "");
    return RASK_EUNSUPPORTED;
}

static int parse_descr(parser *p)
{
    const char *text;
    size_t len;
    if (peek(p) == '[' || peek(p) == '(')
        return fail_dtype(p, p->at, (size_t)(p->end - p->at));
    int status = parse_string(p, &text, &len);
    if (!status && !rk_typestr_parse(text, len, &p->header->dtype, &p->header->swapped))
        status = fail_dtype(p, text, len);
    return status;
}

static int parse_order(parser *p)
{
    if (take_word(p, "True"))
        p->header->fortran = true;
    else if (!take_word(p, "False"))
        return fail(p, "fortran_order is neither True nor False");
    return RASK_OK;
}

static int parse_length(parser *p, int64_t *length)
{
    int64_t value = 0;
    if (take(p, '-'))
        return fail(p, "a length of the shape is negative");
    if (peek(p) < '0' || peek(p) > '9')
        return fail(p, "a length of the shape is expected");
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p->at - '0', &value))
            return fail(p, "a length of the shape is too large");
    if (p->at < p->end && *p->at == 'L') /* long integers of Python 2 */
        p->at++;
    *length = value;
    return RASK_OK;
}

static int parse_shape(parser *p)
{
    rk_npy_header *h = p->header;
    bool comma = true;
    if (!take(p, '('))
        return fail(p, "the shape is no tuple");
    while (peek(p) != ')') {
        if (!comma)
            return fail(p, "a comma is expected in the shape");
        if (h->ndim == RASK_MAX_DIMENSIONS)
            return fail(p, "the shape has more than %d axes", RASK_MAX_DIMENSIONS);
        int status = parse_length(p, &h->shape[h->ndim]);
        if (status)
            return status;
        h->ndim++;
        comma = take(p, ',');
    }
    if (h->ndim == 1 && !comma)
        return fail(p, "the shape is no tuple");
    p->at++;
    return RASK_OK;
}

/* What one key says, which must not have been said before. */
static int parse_value(parser *p, const char *key, size_t len, const char *name, bool *has,
                       int (*parse)(parser *))
{
    if (len != strlen(name) || memcmp(key, name, len) != 0)
        return -1;
    if (*has)
        return fail(p, "%s is given twice", name);
    *has = true;
    if (!take(p, ':'))
        return fail(p, "a colon is expected");
    return parse(p);
}

static int parse_entry(parser *p)
{
    const char *key = NULL;
    size_t len = 0;
    int status = parse_string(p, &key, &len);
    if (status)
        return status;
    status = parse_value(p, key, len, "descr", &p->has_descr, parse_descr);
    if (status < 0)
        status = parse_value(p, key, len, "fortran_order", &p->has_order, parse_order);
    if (status < 0)
        status = parse_value(p, key, len, "shape", &p->has_shape, parse_shape);
    return status < 0 ? fail(p, "an unknown key") : status;
}

static int parse_dictionary(parser *p)
{
    bool comma = true;
    if (!take(p, '{'))
        return fail(p, "a dictionary is expected");
    while (peek(p) != '}') {
        if (!comma)
            return fail(p, "a comma is expected");
        int status = parse_entry(p);
        if (status)
            return status;
        comma = take(p, ',');
    }
    p->at++;
    if (peek(p) != -1)
        return fail(p, "something stands behind the dictionary");
    if (!p->has_descr || !p->has_order || !p->has_shape)
        return fail(p, "%s is missing", !p->has_descr ? "descr" : !p->has_order ? "fortran_order" : "shape");
    return RASK_OK;
}

/* The bytes before the header's text, and those of the text. */
static int parse_prefix(const char *data, size_t len, size_t *prefix, size_t *text, char *message,
                        size_t capacity)
{
    const unsigned char *bytes = (const unsigned char *)data;
    const char *wrong = NULL;
    if (len < 10 || memcmp(data, magic, sizeof magic) != 0) {
        snprintf(message, capacity, "is no .npy file");
        return RASK_EFORMAT;
    }
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0) {
        snprintf(message, capacity, "version %u.%u of .npy is unknown", bytes[6], bytes[7]);
        return RASK_EUNSUPPORTED;
    }
    *prefix = bytes[6] == 1 ? 10 : RK_NPY_PREFIX;
    *text = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1 && len >= RK_NPY_PREFIX)
        *text |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (*text > RK_NPY_MAX_HEADER - *prefix)
        wrong = "the header is too long";
    else if (*prefix + *text > len)
        wrong = "the header ends behind the end of the file";
    if (wrong)
        snprintf(message, capacity, "%s", wrong);
    return wrong ? RASK_EFORMAT : RASK_OK;
}

int rk_npy_parse(const char *data, size_t len, rk_npy_header *header, char *message, size_t capacity)
{
    size_t prefix, text;
    int64_t bytes;
    int status = parse_prefix(data, len, &prefix, &text, message, capacity);
    if (status)
        return status;
    *header = (rk_npy_header){.size = prefix + text};
    parser p = {.text = data + prefix,
                .at = data + prefix,
                .end = data + prefix + text,
                .header = header,
                .message = message,
                .capacity = capacity};
    status = parse_dictionary(&p);
    if (!status && (status = rk_shape_bytes(header->dtype, header->ndim, header->shape, &bytes)))
        snprintf(message, capacity, "an array of this shape is too large");
    return status;
}

/* Whether all elements lie within size bytes. */
static bool fits(const rk_npy_header *h, const char *path, int64_t size, rk_open_error *error)
{
    int64_t bytes = 0;
    char shape[RK_SHAPE_TEXT];
    rk_shape_bytes(h->dtype, h->ndim, h->shape, &bytes);
    if (bytes <= size - (int64_t)h->size)
        return true;
    rk_open_fail(error, RASK_EFORMAT,
                 "%s: has %" PRId64 " bytes, but %s of %s and a header of %zu bytes need %" PRId64, path,
                 size, rk_shape_text(h->shape, h->ndim, shape), rask_dtype_name(h->dtype), h->size,
                 bytes + (int64_t)h->size);
    return false;
}

static bool read_header(const char *path, int fd, int64_t offset, int64_t size, rk_npy_header *header,
                        rk_open_error *error)
{
    char reason[400];
    size_t len = size < RK_NPY_MAX_HEADER ? (size_t)size : RK_NPY_MAX_HEADER;
    char *data = rk_alloc(RK_NPY_MAX_HEADER);
    int64_t got = data ? rk_file_read(fd, data, len, offset) : 0;
    int status = RASK_OK;
    if (!data)
        rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
    else if (got < 0)
        rk_open_fail_errno(error, path);
    else if ((status = rk_npy_parse(data, (size_t)got, header, reason, sizeof reason)))
        rk_open_fail(error, status, "%s: %s", path, reason);
    rk_free(data);
    return data && got >= 0 && !status && fits(header, path, size, error);
}

rk_source *rk_npy_source(const char *path, int fd, int64_t offset, int64_t size, rk_open_error *error)
{
    rk_npy_header header;
    rk_source *source = NULL;
    if (!read_header(path, fd, offset, size, &header, error)) {
        close(fd);
        return NULL;
    }
    source = rk_source_new(RK_SOURCE_FILE, path, header.dtype, header.ndim, header.shape);
    if (!source) {
        close(fd);
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
    }
    source->fd = fd;
    source->offset = offset + (int64_t)header.size;
    source->swapped = header.swapped;
    rk_file_strides(header.dtype, header.ndim, header.shape, header.fortran, source->strides);
    return source;
}

rk_source *rk_npy_open(const char *path, rk_open_error *error)
{
    int64_t size;
    int fd = rk_file_open(path, &size, error);
    return fd < 0 ? NULL : rk_npy_source(path, fd, 0, size, error);
}

size_t rk_npy_format(rask_dtype dtype, uint32_t ndim, const int64_t *shape, bool fortran,
                     char header[RK_NPY_HEADER_ROOM])
{
    char lengths[RK_SHAPE_TEXT];
    return rk_npy_head(rk_typestr(dtype), rk_shape_text(shape, ndim, lengths), fortran, header);
}
