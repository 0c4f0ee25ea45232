/* The documents of Zarr arrays: hostile text to checked facts.
 *
 * The text is first scanned by the strict scanner of core/json, which also finds the slice of the fill value: 64-bit
 * integers do not survive as cJSON's doubles. */
#include "collections/array/files/dtype_text.h"
#include "collections/array/files/layout.h"
#include "collections/array/files/zarr.h"
#include "collections/files/file.h"
#include "core/json/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LITTLE_MACHINE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

enum { SHOWN = 60 /* characters of a name from outside in a message */ };

/* A document that is read. */
typedef struct document {
    cJSON *root;
    rk_zarr_meta *meta;
    char fill[64]; /* text of the fill value, "" when it is longer: then it is no number */
    char *message;
    size_t capacity;
} document;

static int fail(const document *d, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(const document *d, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->message, d->capacity, format, args);
    va_end(args);
    return status;
}

/* A name as it may stand in a message. */
static const char *shown(const char *text, char out[SHOWN + 4])
{
    size_t len = text ? strlen(text) : 0;
    if (!text)
        return "?";
    for (size_t i = 0; i < len && i < SHOWN; i++)
        out[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
    snprintf(out + (len < SHOWN ? len : SHOWN), 4, "%s", len > SHOWN ? "..." : "");
    return out;
}

static int unsupported(const document *d, const char *what, const char *name)
{
    char text[SHOWN + 4];
    return fail(d, RASK_EUNSUPPORTED, "%s '%s' is not supported", what, shown(name, text));
}

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* NULL when it is no string. */
static const char *string_of(const cJSON *item)
{
    return cJSON_GetStringValue(item);
}

static bool is_text(const cJSON *item, const char *text)
{
    const char *own = string_of(item);
    return own && strcmp(own, text) == 0;
}

/* Checks the text, and keeps the slice of the fill value. */
static int scan(document *d, const char *text, size_t len)
{
    rk_scan s;
    rk_slice key, value;
    int more;
    bool first = true;
    rk_scan_init(&s, text, len);
    if (!rk_scan_object(&s))
        return fail(d, RASK_EFORMAT, "byte %zu: %s", (size_t)(s.at - text), s.why);
    while ((more = rk_scan_member(&s, first, &key, &value)) > 0) {
        first = false;
        if (key.len == 12 && memcmp(text + key.at, "\"fill_value\"", 12) == 0 && value.len < sizeof d->fill)
            snprintf(d->fill, sizeof d->fill, "%.*s", (int)value.len, text + value.at);
    }
    if (more < 0 || !rk_scan_end(&s))
        return fail(d, RASK_EFORMAT, "byte %zu: %s", (size_t)(s.at - text), s.why);
    d->root = cJSON_ParseWithLength(text, len);
    return d->root ? RASK_OK : fail(d, RASK_ENOMEM, "%s", rask_status_text(RASK_ENOMEM));
}

/* -- Shapes */

static int read_lengths(const document *d, const cJSON *list, const char *name, int64_t least,
                        int64_t *lengths)
{
    const cJSON *item;
    uint32_t i = 0;
    if (!cJSON_IsArray(list))
        return fail(d, RASK_EFORMAT, "%s is no list", name);
    cJSON_ArrayForEach(item, list)
    {
        if (i == RASK_MAX_DIMENSIONS)
            return fail(d, RASK_EFORMAT, "%s has more than %d axes", name, RASK_MAX_DIMENSIONS);
        if (!rk_json_integer(item, least, (int64_t)RK_JSON_EXACT, &lengths[i]))
            return fail(d, RASK_EFORMAT, "%s: element %u is no integer from %" PRId64 " to 2^53", name, i,
                        least);
        i++;
    }
    return RASK_OK;
}

static int read_shape(document *d, const cJSON *shape, const cJSON *chunks, const char *chunks_name)
{
    rk_zarr_meta *m = d->meta;
    int64_t bytes;
    int status = read_lengths(d, shape, "shape", 0, m->shape);
    if (!status)
        status = read_lengths(d, chunks, chunks_name, 0, m->chunk);
    if (status)
        return status;
    m->ndim = (uint32_t)cJSON_GetArraySize(shape);
    if ((uint32_t)cJSON_GetArraySize(chunks) != m->ndim)
        return fail(d, RASK_EFORMAT, "shape has %u axes, but %s %d", m->ndim, chunks_name,
                    cJSON_GetArraySize(chunks));
    for (uint32_t i = 0; i < m->ndim; i++) {
        if (!m->chunk[i] && m->shape[i])
            return fail(d, RASK_EFORMAT, "%s: element %u is 0", chunks_name, i);
        m->chunk[i] += m->chunk[i] == 0;
        m->order[i] = (uint8_t)i;
    }
    if (rk_shape_bytes(m->dtype, m->ndim, m->shape, &bytes))
        return fail(d, RASK_EFORMAT, "an array of this shape is too large");
    if (rk_shape_bytes(m->dtype, m->ndim, m->chunk, &m->chunk_bytes))
        return fail(d, RASK_EFORMAT, "chunks of this shape are too large");
    return RASK_OK;
}

/* -- Fill values */

static int fail_fill(const document *d)
{
    return fail(d, RASK_EFORMAT, "fill_value is no %s", rask_dtype_name(d->meta->dtype));
}

/* Whole numbers as such, also where they are written with a point. number: the same, rounded. */
static bool integer_fill(const char *text, double number, rask_dtype dtype, unsigned char *fill)
{
    char *end;
    int bits = (int)rask_dtype_size(dtype) * 8;
    bool is_signed = rk_dtype_is_signed(dtype);
    errno = 0;
    uint64_t value = text[0] == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
    if (errno || end == text || *end) {
        if (!(fabs(number) < 0x1p53) || trunc(number) != number)
            return false;
        value = (uint64_t)(int64_t)number;
    }
    bool negative = number < 0;
    uint64_t most = is_signed ? (UINT64_MAX >> 1) >> (64 - bits) : UINT64_MAX >> (64 - bits);
    if (negative ? !is_signed || ~value > most : value > most)
        return false;
    for (int i = 0; i < bits / 8; i++)
        fill[LITTLE_MACHINE ? i : bits / 8 - 1 - i] = (unsigned char)(value >> 8 * i);
    return true;
}

/* "0x" and the bits of a float, highest first. */
static bool bits_of_float(const char *text, size_t size, unsigned char *fill)
{
    char *end;
    if (strncmp(text, "0x", 2) != 0 || strlen(text) != 2 + 2 * size || text[2] == '-' || text[2] == '+')
        return false;
    errno = 0;
    uint64_t value = strtoull(text + 2, &end, 16);
    if (*end || errno)
        return false;
    for (size_t i = 0; i < size; i++)
        fill[LITTLE_MACHINE ? i : size - 1 - i] = (unsigned char)(value >> 8 * i);
    return true;
}

static bool float_fill(const cJSON *item, size_t size, unsigned char *fill)
{
    const char *text = string_of(item);
    double value;
    if (cJSON_IsNumber(item))
        value = cJSON_GetNumberValue(item);
    else if (is_text(item, "NaN"))
        value = NAN;
    else if (is_text(item, "Infinity"))
        value = INFINITY;
    else if (is_text(item, "-Infinity"))
        value = -INFINITY;
    else
        return text && bits_of_float(text, size, fill);
    float single = (float)value;
    memcpy(fill, size == 4 ? (void *)&single : (void *)&value, size);
    return true;
}

static bool complex_fill(const cJSON *item, size_t size, unsigned char *fill)
{
    if (!cJSON_IsArray(item))
        return float_fill(item, size / 2, fill);
    return cJSON_GetArraySize(item) == 2 && float_fill(cJSON_GetArrayItem(item, 0), size / 2, fill) &&
           float_fill(cJSON_GetArrayItem(item, 1), size / 2, fill + size / 2);
}

static int read_fill(document *d, const cJSON *item)
{
    rk_zarr_meta *m = d->meta;
    size_t size = rask_dtype_size(m->dtype);
    double number = cJSON_GetNumberValue(item); /* NaN when it is none */
    bool good;
    if (m->dtype == RASK_DT_BOOL) {
        good = cJSON_IsBool(item) || number == 0 || number == 1;
        m->fill[0] = cJSON_IsTrue(item) || number == 1;
    } else if (rk_dtype_is_integer(m->dtype)) {
        good = cJSON_IsNumber(item) && integer_fill(d->fill, number, m->dtype, m->fill);
    } else {
        good = (rk_dtype_is_float(m->dtype) ? float_fill : complex_fill)(item, size, m->fill);
    }
    return good ? RASK_OK : fail_fill(d);
}

/* -- Compressors */

static bool find_codec(const char *name, rk_codec *codec)
{
    static const char *const names[RK_CODECS] = {[RK_CODEC_GZIP] = "gzip",
                                                 [RK_CODEC_ZLIB] = "zlib",
                                                 [RK_CODEC_ZSTD] = "zstd",
                                                 [RK_CODEC_BLOSC] = "blosc"};
    for (int i = 0; name && i < RK_CODECS; i++) {
        *codec = (rk_codec)i;
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* -- Version 2 */

static int read_compressor(document *d)
{
    const cJSON *compressor = get(d->root, "compressor"), *filters = get(d->root, "filters");
    const char *id = string_of(get(compressor, "id"));
    if (cJSON_GetArraySize(filters) > 0 || (filters && !cJSON_IsNull(filters) && !cJSON_IsArray(filters)))
        return unsupported(d, "filter", string_of(get(cJSON_GetArrayItem(filters, 0), "id")));
    if (!compressor || cJSON_IsNull(compressor))
        return RASK_OK;
    if (!id)
        return fail(d, RASK_EFORMAT, "compressor has no id");
    d->meta->compressed = true;
    return find_codec(id, &d->meta->codec) ? RASK_OK : unsupported(d, "compressor", id);
}

static int read_layout(document *d)
{
    rk_zarr_meta *m = d->meta;
    const cJSON *order = get(d->root, "order"), *separator = get(d->root, "dimension_separator");
    if (!is_text(order, "C") && !is_text(order, "F"))
        return fail(d, RASK_EFORMAT, "order is neither C nor F");
    for (uint32_t i = 0; i < m->ndim && is_text(order, "F"); i++)
        m->order[i] = (uint8_t)(m->ndim - 1 - i);
    if (separator && !is_text(separator, ".") && !is_text(separator, "/"))
        return fail(d, RASK_EFORMAT, "dimension_separator is neither . nor /");
    m->separator = separator ? separator->valuestring[0] : '.';
    return RASK_OK;
}

static int read_dtype_v2(document *d)
{
    const cJSON *item = get(d->root, "dtype");
    const char *text = string_of(item);
    if (cJSON_IsArray(item))
        return fail(d, RASK_EUNSUPPORTED, "dtype of records is not supported");
    if (!text)
        return fail(d, RASK_EFORMAT, "dtype is missing");
    if (!rk_typestr_parse(text, strlen(text), &d->meta->dtype, &d->meta->swapped))
        return unsupported(d, "dtype", text);
    return RASK_OK;
}

static int read_v2(document *d)
{
    const cJSON *fill = get(d->root, "fill_value");
    int64_t version;
    if (!rk_json_integer(get(d->root, "zarr_format"), 0, INT32_MAX, &version) || version != 2)
        return fail(d, RASK_EUNSUPPORTED, "zarr_format is not 2");
    int status = read_dtype_v2(d);
    if (!status)
        status = read_shape(d, get(d->root, "shape"), get(d->root, "chunks"), "chunks");
    if (!status)
        status = read_compressor(d);
    if (!status)
        status = read_layout(d);
    return status || !fill || cJSON_IsNull(fill) ? status : read_fill(d, fill);
}

/* -- Version 3 */

/* An extension is a name, or an object with a name and perhaps a configuration. */
static const char *name_of(const cJSON *item, const cJSON **configuration)
{
    *configuration = get(item, "configuration");
    return cJSON_IsString(item) ? item->valuestring : string_of(get(item, "name"));
}

static int read_dtype_v3(document *d)
{
    const cJSON *item = get(d->root, "data_type"), *configuration;
    const char *name = name_of(item, &configuration);
    if (!name)
        return fail(d, RASK_EFORMAT, "data_type is missing");
    for (int i = 0; cJSON_IsString(item) && i < RASK_DT_COUNT; i++) {
        d->meta->dtype = (rask_dtype)i;
        if (strcmp(name, rask_dtype_name((rask_dtype)i)) == 0)
            return RASK_OK;
    }
    return unsupported(d, "data_type", name);
}

static int read_grid(document *d)
{
    const cJSON *configuration;
    const char *name = name_of(get(d->root, "chunk_grid"), &configuration);
    if (!name)
        return fail(d, RASK_EFORMAT, "chunk_grid is missing");
    if (strcmp(name, "regular") != 0)
        return unsupported(d, "chunk_grid", name);
    return read_shape(d, get(d->root, "shape"), get(configuration, "chunk_shape"), "chunk_shape");
}

static int read_keys(document *d)
{
    const cJSON *configuration;
    const char *name = name_of(get(d->root, "chunk_key_encoding"), &configuration);
    const cJSON *separator = get(configuration, "separator");
    if (!name)
        return fail(d, RASK_EFORMAT, "chunk_key_encoding is missing");
    d->meta->prefixed = strcmp(name, "default") == 0;
    if (!d->meta->prefixed && strcmp(name, "v2") != 0)
        return unsupported(d, "chunk_key_encoding", name);
    if (separator && !is_text(separator, ".") && !is_text(separator, "/"))
        return fail(d, RASK_EFORMAT, "separator is neither . nor /");
    d->meta->separator = separator ? separator->valuestring[0] : d->meta->prefixed ? '/' : '.';
    return RASK_OK;
}

/* One more reordering of the axes: of those that are there by now. */
static int read_transpose(document *d, const cJSON *order)
{
    rk_zarr_meta *m = d->meta;
    uint8_t now[RASK_MAX_DIMENSIONS], seen[RASK_MAX_DIMENSIONS] = {0};
    const cJSON *item;
    uint32_t i = 0;
    memcpy(now, m->order, sizeof now);
    if (is_text(order, "C"))
        return RASK_OK;
    for (; is_text(order, "F") && i < m->ndim; i++)
        m->order[i] = now[m->ndim - 1 - i];
    if (is_text(order, "F"))
        return RASK_OK;
    if (!cJSON_IsArray(order) || (uint32_t)cJSON_GetArraySize(order) != m->ndim)
        return fail(d, RASK_EFORMAT, "order of transpose has not as many axes as shape");
    cJSON_ArrayForEach(item, order)
    {
        int64_t axis;
        if (!rk_json_integer(item, 0, (int64_t)m->ndim - 1, &axis) || seen[axis])
            return fail(d, RASK_EFORMAT, "order of transpose is no permutation");
        seen[axis] = 1;
        m->order[i++] = now[axis];
    }
    return RASK_OK;
}

static int read_endian(document *d, const cJSON *configuration)
{
    const cJSON *endian = get(configuration, "endian");
    bool little = is_text(endian, "little"), big = is_text(endian, "big");
    if (rask_dtype_size(d->meta->dtype) > 1 && !little && !big)
        return fail(d, RASK_EFORMAT, "endian is neither little nor big");
    d->meta->swapped = rask_dtype_size(d->meta->dtype) > 1 && little != LITTLE_MACHINE;
    return RASK_OK;
}

/* One that works on bytes. */
static int read_byte_codec(document *d, const char *name)
{
    rk_zarr_meta *m = d->meta;
    uint32_t *sums = m->compressed ? &m->outer_sums : &m->inner_sums;
    if (strcmp(name, "crc32c") == 0) {
        if (++*sums > RK_ZARR_MAX_SUMS)
            return fail(d, RASK_EUNSUPPORTED, "more than %d checksums are not supported", RK_ZARR_MAX_SUMS);
        return RASK_OK;
    }
    if (m->compressed)
        return fail(d, RASK_EUNSUPPORTED, "more than one compressor is not supported");
    m->compressed = true;
    if (strcmp(name, "zlib") == 0 || !find_codec(name, &m->codec))
        return unsupported(d, "codec", name);
    return RASK_OK;
}

/* Numbers of the index, and its checksums. */
static int read_index_codecs(document *d, const cJSON *codecs)
{
    rk_zarr_shards *s = &d->meta->shards;
    const cJSON *item, *configuration;
    bool bytes = false;
    cJSON_ArrayForEach(item, codecs)
    {
        const char *name = name_of(item, &configuration);
        const cJSON *endian = get(configuration, "endian");
        if (!bytes && name && strcmp(name, "bytes") == 0 &&
            (is_text(endian, "little") || is_text(endian, "big")))
            s->index_swapped = is_text(endian, "big");
        else if (!bytes || !name || strcmp(name, "crc32c") != 0 || ++s->index_sums > RK_ZARR_MAX_SUMS)
            return unsupported(d, "codec of an index", name);
        bytes = true;
    }
    return bytes ? RASK_OK : fail(d, RASK_EFORMAT, "index_codecs has no bytes");
}

/* What the grid has are shards then: they and what is in them change places. */
static int read_shard_shape(document *d, const cJSON *chunks)
{
    rk_zarr_meta *m = d->meta;
    rk_zarr_shards *s = &m->shards;
    memcpy(s->shape, m->chunk, sizeof s->shape);
    int status = read_lengths(d, chunks, "chunk_shape of sharding", 1, m->chunk);
    if (status)
        return status;
    if ((uint32_t)cJSON_GetArraySize(chunks) != m->ndim)
        return fail(d, RASK_EFORMAT, "shape has %u axes, but chunk_shape of sharding %d", m->ndim,
                    cJSON_GetArraySize(chunks));
    s->used = true;
    s->count = 1;
    for (uint32_t i = 0; i < m->ndim; i++) {
        if (s->shape[i] % m->chunk[i])
            return fail(d, RASK_EFORMAT, "chunk_shape of sharding: element %u does not divide that of shards",
                        i);
        if (s->shape[i] / m->chunk[i] > RK_ZARR_MAX_SHARD / s->count)
            return fail(d, RASK_EUNSUPPORTED, "shards of more than %d chunks are not supported",
                        RK_ZARR_MAX_SHARD);
        s->count *= s->shape[i] / m->chunk[i];
    }
    return rk_shape_bytes(m->dtype, m->ndim, m->chunk, &m->chunk_bytes)
               ? fail(d, RASK_EFORMAT, "chunks of this shape are too large")
               : RASK_OK;
}

static int read_sharding(document *d, const cJSON *configuration)
{
    const cJSON *location = get(configuration, "index_location");
    int status = read_shard_shape(d, get(configuration, "chunk_shape"));
    if (!status)
        status = read_index_codecs(d, get(configuration, "index_codecs"));
    if (status)
        return status;
    if (location && !is_text(location, "start") && !is_text(location, "end"))
        return fail(d, RASK_EFORMAT, "index_location is neither start nor end");
    d->meta->shards.index_first = is_text(location, "start");
    return RASK_OK;
}

/* Of chunks, which are no shards. */
static int read_chunk_codecs(document *d, const cJSON *codecs)
{
    const cJSON *item, *configuration;
    bool bytes = false;
    if (!cJSON_IsArray(codecs))
        return fail(d, RASK_EFORMAT, "codecs is no list");
    cJSON_ArrayForEach(item, codecs)
    {
        const char *name = name_of(item, &configuration);
        int status = RASK_OK;
        if (!name)
            return fail(d, RASK_EFORMAT, "a codec has no name");
        if (strcmp(name, "sharding_indexed") == 0)
            return fail(d, RASK_EUNSUPPORTED, "sharding_indexed beside or within codecs is not supported");
        if (bytes)
            status = read_byte_codec(d, name);
        else if (strcmp(name, "transpose") == 0)
            status = read_transpose(d, get(configuration, "order"));
        else if ((bytes = strcmp(name, "bytes") == 0))
            status = read_endian(d, configuration);
        else
            status = unsupported(d, "codec", name);
        if (status)
            return status;
    }
    return bytes ? RASK_OK : fail(d, RASK_EFORMAT, "codecs has no bytes");
}

static int read_codecs(document *d)
{
    const cJSON *codecs = get(d->root, "codecs"), *configuration;
    const char *name = name_of(cJSON_GetArrayItem(codecs, 0), &configuration);
    if (cJSON_GetArraySize(codecs) != 1 || !name || strcmp(name, "sharding_indexed") != 0)
        return read_chunk_codecs(d, codecs);
    int status = read_sharding(d, configuration);
    return status ? status : read_chunk_codecs(d, get(configuration, "codecs"));
}

/* Members that are not known must say that they may be ignored. */
static int check_members(const document *d)
{
    static const char *const known[] = {"zarr_format",
                                        "node_type",
                                        "shape",
                                        "data_type",
                                        "chunk_grid",
                                        "fill_value",
                                        "codecs",
                                        "attributes",
                                        "dimension_names",
                                        "chunk_key_encoding",
                                        "storage_transformers",
                                        "consolidated_metadata"};
    const cJSON *item;
    cJSON_ArrayForEach(item, d->root)
    {
        bool good = cJSON_IsFalse(get(item, "must_understand"));
        for (size_t i = 0; i < sizeof known / sizeof *known && !good; i++)
            good = strcmp(item->string, known[i]) == 0;
        if (!good)
            return unsupported(d, "member", item->string);
    }
    if (cJSON_GetArraySize(get(d->root, "storage_transformers")) > 0)
        return fail(d, RASK_EUNSUPPORTED, "storage_transformers are not supported");
    return RASK_OK;
}

static int read_v3(document *d)
{
    const cJSON *fill = get(d->root, "fill_value");
    int64_t version;
    if (!rk_json_integer(get(d->root, "zarr_format"), 0, INT32_MAX, &version) || version != 3)
        return fail(d, RASK_EUNSUPPORTED, "zarr_format is not 3");
    if (is_text(get(d->root, "node_type"), "group"))
        return RASK_ETYPE;
    if (!is_text(get(d->root, "node_type"), "array"))
        return fail(d, RASK_EFORMAT, "node_type is neither array nor group");
    int status = read_dtype_v3(d);
    if (!status)
        status = read_grid(d);
    if (!status)
        status = read_keys(d);
    if (!status)
        status = read_codecs(d);
    if (!status)
        status = check_members(d);
    if (!status && !fill)
        status = fail(d, RASK_EFORMAT, "fill_value is missing");
    d->meta->attributes = cJSON_GetArraySize(get(d->root, "attributes")) > 0;
    return status ? status : read_fill(d, fill);
}

/* -- Both */

static int parse(const char *text, size_t len, rk_zarr_meta *meta, int (*read)(document *), char *message,
                 size_t capacity)
{
    document d = {.meta = meta, .message = message, .capacity = capacity};
    *meta = (rk_zarr_meta){0};
    int status =
        len > RK_ZARR_MAX_JSON ? fail(&d, RASK_EFORMAT, "the document is too long") : scan(&d, text, len);
    if (!status)
        status = read(&d);
    cJSON_Delete(d.root);
    return status;
}

int rk_zarr_parse_v2(const char *text, size_t len, rk_zarr_meta *meta, char *message, size_t capacity)
{
    return parse(text, len, meta, read_v2, message, capacity);
}

int rk_zarr_parse_v3(const char *text, size_t len, rk_zarr_meta *meta, char *message, size_t capacity)
{
    return parse(text, len, meta, read_v3, message, capacity);
}

void rk_zarr_key(const rk_zarr_meta *meta, const int64_t *index, char key[RK_ZARR_MAX_KEY])
{
    size_t used = (size_t)snprintf(key, RK_ZARR_MAX_KEY, "%s", meta->prefixed ? "c" : meta->ndim ? "" : "0");
    for (uint32_t i = 0; i < meta->ndim; i++) {
        char separator[2] = {used ? meta->separator : '\0', '\0'};
        used += (size_t)snprintf(key + used, RK_ZARR_MAX_KEY - used, "%s%" PRId64, separator, index[i]);
    }
}
