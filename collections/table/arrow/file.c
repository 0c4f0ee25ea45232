#include "collections/table/arrow/file.h"

#include "collections/table/arrow/bits.h"
#include "collections/table/arrow/messages.h"
#include "collections/table/arrow/unflat.h"
#include "core/base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_METADATA = 256 << 20, MOST_BATCHES = 1 << 24 };
enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY = 2, HEADER_RECORD_BATCH = 3 };
enum { MAGIC = 6, AHEAD = 8 /* with padding */, TRAILER = 10 /* the footer's size, and the magic */ };
enum { HEAD = 8 /* of a message: a mark, and how long it is */, MOST_PADDING = 64 };

/* A message, as a footer has it. */
typedef struct block {
    uint64_t kind, place, metadata, body; /* its header; bytes before the body, and of the body */
} block;

/* A file being walked. */
typedef struct walk {
    rk_arrow_file *file;
    rk_open_error *error;
    uint64_t at, end;   /* of the messages */
    const block *block; /* of a file with a footer: the message to be read; NULL: of a stream */
} walk;

static int fail(const walk *w, int status, const char *what)
{
    rk_open_fail(w->error, status, "%s: at byte %" PRIu64 ": %s", w->file->path, w->at, what);
    return status;
}

static int fail_memory(const walk *w)
{
    return fail(w, RASK_ENOMEM, rask_status_text(RASK_ENOMEM));
}

/* Exactly len bytes. */
static int read_bytes(const walk *w, void *data, size_t len, uint64_t place)
{
    int64_t got = rk_file_read(w->file->fd, data, len, (int64_t)place);
    if (got == (int64_t)len)
        return RASK_OK;
    return fail(w, RASK_EIO, got < 0 ? "cannot be read" : "the file ends");
}

/* -- Schema: what a type is called in the C interface */

static const char *int_format(uint64_t bits, bool is_signed)
{
    const char *const formats[] = {"C", "c", "S", "s", "I", "i", "L", "l"};
    for (uint32_t i = 0; i < 4; i++)
        if (bits == (uint64_t)8 << i)
            return formats[2 * i + is_signed];
    return "";
}

static const char *pick(const char *const *formats, size_t count, uint64_t which)
{
    return which < count ? formats[which] : "";
}

/* "" for types that no column holds. text: room for a format that is made here. */
static const char *format_of(rk_unflat *f, uint64_t type, const rk_unflat_table *t, char text[32])
{
    static const char *const reals[] = {"e", "f", "g"}, *const dates[] = {"tdD", "tdm"},
                             *const times[] = {"tss:", "tsm:", "tsu:", "tsn:"};
    switch (type) {
    case 1: return "n";
    case 2: return int_format(rk_unflat_field(f, t, 0, 4, 0), rk_unflat_field(f, t, 1, 1, 0));
    case 3: return pick(reals, 3, rk_unflat_field(f, t, 0, 2, 0));
    case 4: return "z";
    case 5: return "u";
    case 6: return "b";
    case 8: return pick(dates, 2, rk_unflat_field(f, t, 0, 2, 1));
    case 10: return pick(times, 4, rk_unflat_field(f, t, 0, 2, 0));
    case 15: snprintf(text, 32, "w:%" PRIu64, rk_unflat_field(f, t, 0, 4, 0)); return text;
    case 19: return "Z";
    case 20: return "U";
    case 23: return "vz";
    case 24: return "vu";
    default: return "";
    }
}

static const char *type_name(uint64_t type)
{
    static const char *const names[] = {"none",
                                        "null",
                                        "int",
                                        "float",
                                        "binary",
                                        "utf8",
                                        "bool",
                                        "decimal",
                                        "date",
                                        "time",
                                        "timestamp",
                                        "interval",
                                        "list",
                                        "struct",
                                        "union",
                                        "fixed-size binary",
                                        "fixed-size list",
                                        "map",
                                        "duration",
                                        "large binary",
                                        "large utf8"};
    return type < sizeof names / sizeof *names ? names[type] : "other";
}

/* Of a field with a dictionary, whose values have this format; every value takes some bytes, so that the file limits how many
 * there are. */
static bool read_indices(const walk *w, rk_unflat *f, const rk_unflat_table *field, uint32_t column,
                         const char *format)
{
    rk_arrow_dictionary *d = &w->file->dictionaries[column];
    rk_unflat_table encoding = rk_unflat_table_in(f, field, 4), type = rk_unflat_table_in(f, &encoding, 1);
    uint64_t bits = rk_unflat_field(f, &type, 0, 4, 32),
             is_signed = rk_unflat_field(f, &type, 1, 1, !type.place);
    d->used = true;
    d->id = (int64_t)rk_unflat_field(f, &encoding, 0, 8, 0);
    return rk_arrow_format(int_format(bits, is_signed), &w->file->layouts[column]) &&
           rk_arrow_format(format, &d->values) && d->values.bits;
}

static int read_field(const walk *w, rk_unflat *f, size_t place, uint32_t column)
{
    char text[32], reason[200];
    size_t len;
    rk_unflat_table field = rk_unflat_at(f, place), inner = rk_unflat_table_in(f, &field, 3);
    uint64_t type = rk_unflat_field(f, &field, 2, 1, 0);
    size_t name = rk_unflat_vector_in(f, &field, 0, 1, &len);
    const char *format = format_of(f, type, &inner, text);
    if (f->wrong)
        return fail(w, RASK_EFORMAT, "a schema that is not whole");
    char *copy = w->file->names[column] = rk_strndup(len ? (const char *)f->data + name : "", len);
    if (!copy)
        return fail_memory(w);
    bool dictionary = rk_unflat_has(f, &field, 4);
    if (dictionary ? read_indices(w, f, &field, column, format)
                   : rk_arrow_format(format, &w->file->layouts[column]))
        return RASK_OK;
    snprintf(reason, sizeof reason, "column \"%.100s\" is %s%s, which is not read", copy,
             dictionary ? "a dictionary of " : "", type_name(type));
    return fail(w, RASK_EUNSUPPORTED, reason);
}

static int read_schema(const walk *w, rk_unflat *f, const rk_unflat_table *schema)
{
    size_t count, first = rk_unflat_vector_in(f, schema, 1, 4, &count);
    int status = RASK_OK;
    if (rk_unflat_field(f, schema, 0, 2, 0))
        return fail(w, RASK_EUNSUPPORTED, "big-endian numbers");
    if (f->wrong || !count || count > RK_TABLE_COLUMNS)
        return fail(w, RASK_EFORMAT,
                    count ? "more columns than a table may have" : "a schema without columns");
    w->file->names = rk_calloc(count, sizeof *w->file->names);
    w->file->layouts = rk_calloc(count, sizeof *w->file->layouts);
    w->file->dictionaries = rk_calloc(count, sizeof *w->file->dictionaries);
    if (!w->file->names || !w->file->layouts || !w->file->dictionaries)
        return fail_memory(w);
    w->file->count = (uint32_t)count;
    for (uint32_t i = 0; i < count && !status; i++)
        status = read_field(w, f, first + 4 * (size_t)i, i);
    return status;
}

/* -- Batches */

static bool has_views(const rk_arrow_layout *l)
{
    return l->buffers > 3;
}

/* Whether buffers are as long as so many rows need. */
static bool is_long_enough(const rk_arrow_layout *l, const rk_arrow_chunk *c, uint64_t rows)
{
    uint64_t values = l->buffers == 3 ? rows + 1 : rows, bits;
    if (!rows || !l->buffers)
        return true;
    if (__builtin_mul_overflow(values, l->bits, &bits) || c->buffers[1].length < bits / 8 + (bits % 8 != 0))
        return false;
    return !c->nulls || c->buffers[0].length >= rk_bits_size(rows);
}

/* What a batch says of its buffers, column by column. */
typedef struct buffers {
    rk_unflat *f;
    size_t next, left;             /* structures of two numbers: place in the body, length */
    size_t next_count, left_count; /* numbers: of the buffers with text that the next column with views has */
    uint64_t begin, size;          /* of the body */
    uint64_t used;                 /* of it, by the buffers so far: they lie one behind the other */
    bool packed;
    rk_body_codec codec;
    int status; /* told already */
} buffers;

/* Whether so few bytes can be so many: a byte of LZ4 is at most 255 more of a match, four of zstd are 128 KiB of a run. */
static bool can_be(rk_body_codec codec, uint64_t packed, uint64_t length)
{
    return length / (codec == RK_BODY_ZSTD ? 32768 : 255) <= packed;
}

/* A compressed buffer begins with its length; -1: it is as it is. */
static bool take_packed(const walk *w, buffers *b, rk_arrow_range *out)
{
    int64_t length;
    if (out->length < sizeof length)
        return out->length == 0;
    b->status = read_bytes(w, &length, sizeof length, out->place);
    out->place += sizeof length;
    out->length -= sizeof length;
    if (b->status || length == -1)
        return !b->status;
    if (length < 0 || (length && !out->length) || !can_be(b->codec, out->length, (uint64_t)length))
        return false;
    out->packed = length ? out->length : 0;
    out->length = (uint64_t)length;
    return true;
}

static bool take_buffer(const walk *w, buffers *b, rk_arrow_range *out)
{
    uint64_t place = b->left ? rk_unflat_number(b->f, b->next, 8) : UINT64_MAX;
    uint64_t length = rk_unflat_number(b->f, b->next + 8, 8);
    if (place > b->size || length > b->size - place)
        return false;
    if (place % RK_ARROW_ALIGNMENT || (length && place < b->used)) {
        b->status =
            fail(w, RASK_EFORMAT, "a batch with a buffer that is not at a multiple of 8, or in another one");
        return false;
    }
    b->used = length ? place + length : b->used;
    *out = (rk_arrow_range){.place = b->begin + place, .length = length};
    b->next += 16;
    b->left--;
    return !b->packed || take_packed(w, b, out);
}

/* Text of views is in any number of buffers, which are on a list of their own: which they are takes the place of a third. */
static bool take_texts(const walk *w, buffers *b, rk_arrow_chunk *c)
{
    uint64_t count = b->left_count ? rk_unflat_number(b->f, b->next_count, 8) : UINT64_MAX;
    if (count > b->left)
        return false;
    b->next_count += 8;
    b->left_count--;
    c->buffers[2] = (rk_arrow_range){.place = w->file->texts.count, .length = count};
    for (uint64_t i = 0; i < count; i++) {
        rk_arrow_range *text = rk_array_push(&w->file->texts);
        if (!text)
            b->status = fail_memory(w);
        if (!text || !take_buffer(w, b, text))
            return false;
    }
    return true;
}

static bool take_buffers(const walk *w, buffers *b, const rk_arrow_layout *l, rk_arrow_chunk *c)
{
    bool good = true;
    for (uint32_t i = 0; good && i < (has_views(l) ? 2 : l->buffers); i++)
        good = take_buffer(w, b, &c->buffers[i]);
    return good && (!has_views(l) || take_texts(w, b, c));
}

static int take_columns(const walk *w, rk_arrow_batch *batch, size_t node, buffers *b)
{
    for (uint32_t i = 0; i < w->file->count; i++, node += 16) {
        const rk_arrow_layout *l = &w->file->layouts[i];
        if (w->file->dictionaries[i].used && !w->file->dictionaries[i].read)
            return fail(w, RASK_EFORMAT, "a batch before its dictionary");
        rk_arrow_chunk *c = rk_array_push(&w->file->chunks);
        if (!c)
            return fail_memory(w);
        *c = (rk_arrow_chunk){0};
        uint64_t rows = rk_unflat_number(b->f, node, 8), nulls = rk_unflat_number(b->f, node + 8, 8);
        if (rows != batch->rows || !take_buffers(w, b, l, c))
            return b->status ? b->status : fail(w, RASK_EFORMAT, "a batch whose columns are not in it");
        c->nulls = l->buffers && c->buffers[0].length;
        if (nulls && l->buffers && !c->nulls)
            return fail(w, RASK_EFORMAT, "a batch with nulls, but not where they are");
        if (!is_long_enough(l, c, rows))
            return fail(w, RASK_EFORMAT, "a batch whose buffers are too short");
        for (uint32_t k = 0; k < (has_views(l) ? 2 : 3); k++)
            batch->bytes += c->buffers[k].length;
        for (uint64_t k = 0; has_views(l) && k < c->buffers[2].length; k++)
            batch->bytes += ((rk_arrow_range *)w->file->texts.data)[c->buffers[2].place + k].length;
    }
    return b->left ? fail(w, RASK_EFORMAT, "a batch with more buffers than its columns have") : RASK_OK;
}

/* Each buffer by itself, by a codec that is known. */
static int read_compression(const walk *w, rk_unflat *f, const rk_unflat_table *t, buffers *b)
{
    rk_unflat_table compression = rk_unflat_table_in(f, t, 3);
    uint64_t codec = rk_unflat_field(f, &compression, 0, 1, RK_BODY_LZ4);
    b->packed = rk_unflat_has(f, t, 3);
    if (!b->packed)
        return RASK_OK;
    if (codec >= RK_BODY_CODECS || rk_unflat_field(f, &compression, 1, 1, 0))
        return fail(w, RASK_EUNSUPPORTED, "a batch compressed in a way that is not known");
    b->codec = (rk_body_codec)codec;
    if (!w->file->bodies)
        w->file->bodies = rk_bodies_load(w->file->path, w->error);
    return w->file->bodies ? RASK_OK : w->error->status;
}

static int read_batch(const walk *w, rk_unflat *f, const rk_unflat_table *t, uint64_t begin, uint64_t size)
{
    buffers b = {.f = f, .begin = begin, .size = size};
    size_t nodes, node = rk_unflat_vector_in(f, t, 1, 16, &nodes);
    b.next = rk_unflat_vector_in(f, t, 2, 16, &b.left);
    b.next_count = rk_unflat_vector_in(f, t, 4, 8, &b.left_count);
    if (!w->file->names)
        return fail(w, RASK_EFORMAT, "a batch before the schema");
    int status = read_compression(w, f, t, &b);
    if (status)
        return status;
    rk_arrow_batch *batch = rk_array_push(&w->file->batches);
    if (!batch)
        return fail_memory(w);
    *batch = (rk_arrow_batch){.rows = rk_unflat_field(f, t, 0, 8, 0),
                              .first = w->file->chunks.count,
                              .packed = b.packed,
                              .codec = b.codec};
    if (f->wrong || nodes != w->file->count || batch->rows > UINT32_MAX)
        return fail(w, RASK_EFORMAT, "a batch of other columns than the schema has");
    return take_columns(w, batch, node, &b);
}

/* -- Messages */

static bool is_same_layout(const rk_arrow_layout *a, const rk_arrow_layout *b)
{
    return a->read == b->read && a->type == b->type && a->bits == b->bits && a->multiply == b->multiply &&
           a->divide == b->divide;
}

static bool is_same_column(const rk_arrow_file *a, const rk_arrow_file *b, uint32_t i)
{
    const rk_arrow_dictionary *d = &a->dictionaries[i], *e = &b->dictionaries[i];
    return strcmp(a->names[i], b->names[i]) == 0 && is_same_layout(&a->layouts[i], &b->layouts[i]) &&
           d->used == e->used && d->id == e->id && is_same_layout(&d->values, &e->values);
}

/* The schema at the front of a file whose footer has been read. */
static int compare_schema(const walk *w, rk_unflat *f, const rk_unflat_table *schema)
{
    rk_arrow_file other = {.fd = -1, .path = w->file->path};
    walk inner = {.file = &other, .error = w->error, .at = w->at};
    int status = read_schema(&inner, f, schema);
    bool same = !status && other.count == w->file->count;
    for (uint32_t i = 0; same && i < other.count; i++)
        same = is_same_column(w->file, &other, i);
    if (!status && !same)
        status = fail(w, RASK_EFORMAT, "a schema that is not the footer's");
    other.path = NULL;
    rk_arrow_file_close(&other);
    return status;
}

static int take_schema(const walk *w, rk_unflat *f, const rk_unflat_table *schema)
{
    if (w->block)
        return compare_schema(w, f, schema);
    return w->file->names ? fail(w, RASK_EFORMAT, "a second schema") : read_schema(w, f, schema);
}

/* One column's values, as a file of one batch. */
static int read_values(const walk *w, rk_unflat *f, const rk_unflat_table *t, uint64_t begin, uint64_t size,
                       rk_arrow_dictionary *d)
{
    char *name = "";
    rk_memory_error reason = {""};
    rk_arrow_dictionary none = {0};
    rk_arrow_layout values = {0};
    rk_arrow_file one = {.fd = w->file->fd,
                         .path = w->file->path,
                         .count = 1,
                         .names = &name,
                         .layouts = &d->values,
                         .dictionaries = &none,
                         .batches = RK_ARRAY(rk_arrow_batch, 1),
                         .chunks = RK_ARRAY(rk_arrow_chunk, 1),
                         .texts = RK_ARRAY(rk_arrow_range, SIZE_MAX)};
    walk inner = *w;
    inner.file = &one;
    int status = read_batch(&inner, f, t, begin, size);
    d->read = true;
    if (!status) {
        uint64_t rows = ((const rk_arrow_batch *)one.batches.data)->rows;
        status = rk_arrow_file_load(&one, 0, 0, 0, rows, &values, &d->own, &reason);
        if (!status)
            status = rk_arrow_dictionary_init(&d->layout, &values, &reason);
        if (status)
            fail(w, status, *reason.message ? reason.message : rask_status_text(status));
    }
    rk_array_fini(&one.batches);
    rk_array_fini(&one.chunks);
    rk_array_fini(&one.texts);
    return status;
}

static int read_dictionary(const walk *w, rk_unflat *f, const rk_unflat_table *t, uint64_t begin,
                           uint64_t size)
{
    int64_t id = (int64_t)rk_unflat_field(f, t, 0, 8, 0);
    rk_unflat_table values = rk_unflat_table_in(f, t, 1);
    int status = RASK_OK;
    bool known = false;
    for (uint32_t i = 0; i < w->file->count && !status; i++) {
        rk_arrow_dictionary *d = &w->file->dictionaries[i];
        if (!d->used || d->id != id)
            continue;
        known = true;
        if (d->read || rk_unflat_field(f, t, 2, 1, 0))
            return fail(w, RASK_EUNSUPPORTED, "a dictionary that changes, which is not read");
        status = read_values(w, f, &values, begin, size, d);
    }
    return known ? status : fail(w, RASK_EFORMAT, "a dictionary that no column has");
}

static int take_message(walk *w, const unsigned char *data, size_t len)
{
    rk_unflat f = {.data = data, .len = len};
    rk_unflat_table message = rk_unflat_root(&f), header = rk_unflat_table_in(&f, &message, 2);
    uint64_t body = rk_unflat_field(&f, &message, 3, 8, 0), begin = w->at + HEAD + len,
             kind = rk_unflat_field(&f, &message, 1, 1, 0);
    if (f.wrong)
        return fail(w, RASK_EFORMAT, "a message that is not whole");
    if (body > w->end - begin)
        return fail(w, RASK_EFORMAT, "a message whose body ends behind the file");
    if (w->block && (kind != w->block->kind || HEAD + len != w->block->metadata || body != w->block->body))
        return fail(w, RASK_EFORMAT, "a message that is not what the footer says");
    int status;
    switch (kind) {
    case HEADER_SCHEMA: status = take_schema(w, &f, &header); break;
    case HEADER_RECORD_BATCH: status = read_batch(w, &f, &header, begin, body); break;
    case HEADER_DICTIONARY: status = read_dictionary(w, &f, &header, begin, body); break;
    default: status = fail(w, RASK_EFORMAT, "a message of no known kind");
    }
    if (!status && f.wrong)
        status = fail(w, RASK_EFORMAT, "a message that is not whole");
    w->at = begin + body;
    return status;
}

/* The message at this place, whose first eight bytes are head; moves behind it. */
static int read_message(walk *w, const uint32_t head[2])
{
    if (head[0] != UINT32_MAX || !head[1] || head[1] > MOST_METADATA || head[1] > w->end - w->at - HEAD)
        return fail(w, RASK_EFORMAT, "no message");
    unsigned char *data = rk_alloc(head[1]);
    if (!data)
        return fail_memory(w);
    int status = read_bytes(w, data, head[1], w->at + HEAD);
    if (!status)
        status = take_message(w, data, head[1]);
    rk_free(data);
    return status;
}

/* -- Streams: messages up to a mark, or up to the end of the file when there is a batch by then */

/* Whether what is left of a stream begins with its mark: a message of no bytes; once it was but four bytes of 0. */
static bool is_mark(const uint32_t head[2], uint64_t left)
{
    return !head[1] &&
           (left < HEAD ? left == 4 && !head[0] : head[0] == UINT32_MAX || (left == HEAD && !head[0]));
}

static int end_stream(walk *w, uint64_t left)
{
    if (left > HEAD) {
        w->at += HEAD;
        return fail(w, RASK_EFORMAT, "bytes behind the end of the stream");
    }
    if (!w->file->names)
        return fail(w, RASK_EFORMAT, "no schema");
    return left || w->file->batches.count
               ? RASK_OK
               : fail(w, RASK_EFORMAT, "the stream is cut: neither a batch nor the mark of its end");
}

static int read_stream(walk *w)
{
    for (int status = RASK_OK; !status;) {
        uint32_t head[2] = {0};
        uint64_t left = w->end - w->at;
        status = read_bytes(w, head, left < HEAD ? left : HEAD, w->at);
        if (status)
            return status;
        if (!left || is_mark(head, left))
            return end_stream(w, left);
        if (left < HEAD)
            return fail(w, RASK_EFORMAT, "the stream is cut");
        if ((status = read_message(w, head)))
            return status;
    }
    return RASK_OK;
}

/* -- Files: what the footer says is read, and nothing else may be there */

static int take_blocks(const walk *w, rk_unflat *f, const rk_unflat_table *footer, uint32_t slot,
                       uint64_t kind, rk_array *blocks)
{
    size_t count, at = rk_unflat_vector_in(f, footer, slot, 24, &count);
    for (size_t i = 0; i < count; i++, at += 24) {
        const block b = {kind, rk_unflat_number(f, at, 8), rk_unflat_number(f, at + 8, 4),
                         rk_unflat_number(f, at + 16, 8)};
        if (b.place < AHEAD || b.place % RK_ARROW_ALIGNMENT || b.place > w->end || b.metadata < HEAD ||
            b.metadata > w->end - b.place || b.body > w->end - b.place - b.metadata)
            return fail(w, RASK_EFORMAT, "a footer with a batch that is not in the file");
        block *new = rk_array_push(blocks);
        if (!new)
            return fail_memory(w);
        *new = b;
    }
    return f->wrong ? fail(w, RASK_EFORMAT, "a footer that is not whole") : RASK_OK;
}

/* blocks: dictionaries, then batches. */
static int read_footer(const walk *w, uint32_t size, rk_array *blocks)
{
    unsigned char *data = rk_alloc(size);
    rk_unflat f = {.data = data, .len = size};
    if (!data)
        return fail_memory(w);
    int status = read_bytes(w, data, size, w->at);
    if (!status) {
        rk_unflat_table footer = rk_unflat_root(&f), schema = rk_unflat_table_in(&f, &footer, 1);
        status = f.wrong ? fail(w, RASK_EFORMAT, "a footer that is not whole") : read_schema(w, &f, &schema);
        if (!status)
            status = take_blocks(w, &f, &footer, 2, HEADER_DICTIONARY, blocks);
        if (!status)
            status = take_blocks(w, &f, &footer, 3, HEADER_RECORD_BATCH, blocks);
    }
    rk_free(data);
    return status;
}

static int read_block(walk *w, const block *b)
{
    uint32_t head[2];
    w->at = b->place;
    w->block = b;
    int status = read_bytes(w, head, sizeof head, w->at);
    return status ? status : read_message(w, head);
}

/* Up to place there is nothing but what fills up to a multiple of at most 64, or the mark of the end. */
static int skip_nothing(walk *w, uint64_t place)
{
    static const char mark[HEAD] = "\xff\xff\xff\xff";
    char between[MOST_PADDING];
    uint64_t len = place - w->at, from = 0;
    if (place < w->at)
        return fail(w, RASK_EFORMAT, "the footer has batches that lie in one another");
    int status = read_bytes(w, between, len < sizeof between ? len : sizeof between, w->at);
    if (status)
        return status;
    from = len >= HEAD && place == w->end && memcmp(between, mark, HEAD) == 0 ? HEAD : 0;
    bool nothing = len < MOST_PADDING;
    for (uint64_t i = from; nothing && i < len; i++)
        nothing = !between[i];
    return nothing ? RASK_OK : fail(w, RASK_EFORMAT, "bytes that the footer says nothing of");
}

/* The schema once more, which not all who write files put there. */
static int read_front(walk *w, uint64_t end)
{
    uint32_t head[2] = {0};
    w->at = AHEAD;
    int status = end - AHEAD < HEAD ? RASK_OK : read_bytes(w, head, sizeof head, AHEAD);
    if (status || head[0] != UINT32_MAX || !head[1] || head[1] > end - AHEAD - HEAD)
        return status;
    return read_block(w, &(block){HEADER_SCHEMA, AHEAD, HEAD + (uint64_t)head[1], 0});
}

static int compare_places(const void *a, const void *b)
{
    const block *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Sorts blocks by place. */
static int check_between(walk *w, rk_array *blocks)
{
    block *all = blocks->data;
    if (blocks->count)
        qsort(all, blocks->count, sizeof *all, compare_places);
    int status = read_front(w, blocks->count ? all->place : w->end);
    for (size_t i = 0; i < blocks->count && !status; i++) {
        status = skip_nothing(w, all[i].place);
        w->at = status ? w->at : all[i].place + all[i].metadata + all[i].body;
    }
    return status ? status : skip_nothing(w, w->end);
}

static int read_blocks(walk *w, uint32_t footer)
{
    rk_array blocks = RK_ARRAY(block, MOST_BATCHES);
    int status = read_footer(w, footer, &blocks);
    for (size_t i = 0; i < blocks.count && !status; i++)
        status = read_block(w, (const block *)blocks.data + i);
    if (!status)
        status = check_between(w, &blocks);
    rk_array_fini(&blocks);
    return status;
}

static uint64_t footer_size(const char *trailer, uint64_t before)
{
    uint32_t size;
    memcpy(&size, trailer, sizeof size);
    return size <= before - AHEAD && size <= MOST_METADATA && memcmp(trailer + 4, "ARROW1", MAGIC) == 0 ? size
                                                                                                        : 0;
}

/* A file without a trailer at its end: it is cut, or goes on behind it. */
static int fail_trailer(walk *w, uint64_t size)
{
    enum { MOST_BEHIND = 4096 };
    char tail[MOST_BEHIND + TRAILER];
    uint64_t len = size - AHEAD < sizeof tail ? size - AHEAD : sizeof tail, from = size - len;
    int status = read_bytes(w, tail, len, from);
    for (uint64_t i = len - TRAILER + 1; !status && i-- > 0;)
        if (footer_size(tail + i, from + i)) {
            w->at = from + i + TRAILER;
            return fail(w, RASK_EFORMAT, "bytes behind the end of the file");
        }
    w->at = size - MAGIC;
    return status ? status
                  : fail(w, RASK_EFORMAT, "the file is cut or damaged: no \"ARROW1\" behind a footer");
}

static int read_file(walk *w, uint64_t size)
{
    char trailer[TRAILER];
    if (size < AHEAD + TRAILER) {
        w->at = size;
        return fail(w, RASK_EFORMAT, "the file is cut");
    }
    int status = read_bytes(w, trailer, sizeof trailer, size - TRAILER);
    uint64_t footer = status ? 0 : footer_size(trailer, size - TRAILER);
    if (!footer)
        return status ? status : fail_trailer(w, size);
    w->at = w->end = size - TRAILER - footer;
    return read_blocks(w, (uint32_t)footer);
}

static int read_all(walk *w, uint64_t size)
{
    char magic[AHEAD] = "";
    w->end = size;
    int64_t got = rk_file_read(w->file->fd, magic, sizeof magic, 0);
    if (got == sizeof magic && memcmp(magic, "\xff\xff\xff\xff", 4) == 0)
        return read_stream(w);
    if (got != sizeof magic || memcmp(magic, "ARROW1", MAGIC) != 0)
        return fail(w, RASK_EFORMAT, "no Arrow file (\"ARROW1\") or stream");
    return read_file(w, size);
}

int rk_arrow_file_open(rk_arrow_file *f, const char *path, rk_open_error *error)
{
    int64_t size;
    *f = (rk_arrow_file){.fd = rk_file_open(path, &size, error),
                         .batches = RK_ARRAY(rk_arrow_batch, MOST_BATCHES),
                         .chunks = RK_ARRAY(rk_arrow_chunk, SIZE_MAX),
                         .texts = RK_ARRAY(rk_arrow_range, SIZE_MAX)};
    if (f->fd < 0)
        return error->status;
    walk w = {.file = f, .error = error};
    if (!(f->path = rk_strndup(path, strlen(path)))) {
        rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    return read_all(&w, (uint64_t)size);
}

rask_column_type rk_arrow_file_type(const rk_arrow_file *f, uint32_t column)
{
    const rk_arrow_layout *layout = &f->layouts[column];
    if (f->dictionaries[column].used)
        return f->dictionaries[column].values.type;
    return rk_arrow_is_null(layout) ? RASK_COLUMN_TYPES : layout->type;
}

void rk_arrow_file_close(rk_arrow_file *f)
{
    for (uint32_t i = 0; f->dictionaries && i < f->count; i++) {
        rk_arrow_dictionary_fini(&f->dictionaries[i].layout);
        rk_free(f->dictionaries[i].own);
    }
    rk_free(f->dictionaries);
    for (uint32_t i = 0; f->names && i < f->count; i++)
        rk_free(f->names[i]);
    rk_free(f->names);
    rk_free(f->layouts);
    rk_free(f->path);
    rk_array_fini(&f->batches);
    rk_array_fini(&f->chunks);
    rk_array_fini(&f->texts);
    if (f->fd >= 0)
        close(f->fd);
    *f = (rk_arrow_file){.fd = -1};
}
