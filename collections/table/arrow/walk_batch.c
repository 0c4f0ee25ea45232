/* Batches and dictionaries: where each column has its buffers, which are long enough for its rows. */
#include "collections/table/arrow/bits.h"
#include "collections/table/arrow/messages.h"
#include "collections/table/arrow/walk.h"

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
static bool take_packed(const rk_arrow_walk *w, buffers *b, rk_arrow_range *out)
{
    int64_t length;
    if (out->length < sizeof length)
        return out->length == 0;
    b->status = rk_arrow_walk_bytes(w, &length, sizeof length, out->place);
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

static bool take_buffer(const rk_arrow_walk *w, buffers *b, rk_arrow_range *out)
{
    uint64_t place = b->left ? rk_unflat_number(b->f, b->next, 8) : UINT64_MAX;
    uint64_t length = rk_unflat_number(b->f, b->next + 8, 8);
    if (place > b->size || length > b->size - place)
        return false;
    if (place % RK_ARROW_ALIGNMENT || (length && place < b->used)) {
        b->status = rk_arrow_walk_fail(
            w, RASK_EFORMAT, "a batch with a buffer that is not at a multiple of 8, or in another one");
        return false;
    }
    b->used = length ? place + length : b->used;
    *out = (rk_arrow_range){.place = b->begin + place, .length = length};
    b->next += 16;
    b->left--;
    return !b->packed || take_packed(w, b, out);
}

/* Text of views is in any number of buffers, which are on a list of their own: which they are takes the place of a third. */
static bool take_texts(const rk_arrow_walk *w, buffers *b, rk_arrow_chunk *c)
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
            b->status = rk_arrow_walk_fail_memory(w);
        if (!text || !take_buffer(w, b, text))
            return false;
    }
    return true;
}

static bool take_buffers(const rk_arrow_walk *w, buffers *b, const rk_arrow_layout *l, rk_arrow_chunk *c)
{
    bool good = true;
    for (uint32_t i = 0; good && i < (has_views(l) ? 2 : l->buffers); i++)
        good = take_buffer(w, b, &c->buffers[i]);
    return good && (!has_views(l) || take_texts(w, b, c));
}

static int take_columns(const rk_arrow_walk *w, rk_arrow_batch *batch, size_t node, buffers *b)
{
    for (uint32_t i = 0; i < w->file->count; i++, node += 16) {
        const rk_arrow_layout *l = &w->file->layouts[i];
        if (w->file->dictionaries[i].used && !w->file->dictionaries[i].read)
            return rk_arrow_walk_fail(w, RASK_EFORMAT, "a batch before its dictionary");
        rk_arrow_chunk *c = rk_array_push(&w->file->chunks);
        if (!c)
            return rk_arrow_walk_fail_memory(w);
        *c = (rk_arrow_chunk){0};
        uint64_t rows = rk_unflat_number(b->f, node, 8), nulls = rk_unflat_number(b->f, node + 8, 8);
        if (rows != batch->rows || !take_buffers(w, b, l, c))
            return b->status ? b->status
                             : rk_arrow_walk_fail(w, RASK_EFORMAT, "a batch whose columns are not in it");
        c->nulls = l->buffers && c->buffers[0].length;
        if (nulls && l->buffers && !c->nulls)
            return rk_arrow_walk_fail(w, RASK_EFORMAT, "a batch with nulls, but not where they are");
        if (!is_long_enough(l, c, rows))
            return rk_arrow_walk_fail(w, RASK_EFORMAT, "a batch whose buffers are too short");
        for (uint32_t k = 0; k < (has_views(l) ? 2 : 3); k++)
            batch->bytes += c->buffers[k].length;
        for (uint64_t k = 0; has_views(l) && k < c->buffers[2].length; k++)
            batch->bytes += ((rk_arrow_range *)w->file->texts.data)[c->buffers[2].place + k].length;
    }
    return b->left ? rk_arrow_walk_fail(w, RASK_EFORMAT, "a batch with more buffers than its columns have")
                   : RASK_OK;
}

/* Each buffer by itself, by a codec that is known. */
static int read_compression(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *t, buffers *b)
{
    rk_unflat_table compression = rk_unflat_table_in(f, t, 3);
    uint64_t codec = rk_unflat_field(f, &compression, 0, 1, RK_BODY_LZ4);
    b->packed = rk_unflat_has(f, t, 3);
    if (!b->packed)
        return RASK_OK;
    if (codec >= RK_BODY_CODECS || rk_unflat_field(f, &compression, 1, 1, 0))
        return rk_arrow_walk_fail(w, RASK_EUNSUPPORTED, "a batch compressed in a way that is not known");
    b->codec = (rk_body_codec)codec;
    if (!w->file->bodies)
        w->file->bodies = rk_bodies_load(w->file->path, w->error);
    return w->file->bodies ? RASK_OK : w->error->status;
}

int rk_arrow_walk_batch(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *t, uint64_t begin,
                        uint64_t size)
{
    buffers b = {.f = f, .begin = begin, .size = size};
    size_t nodes, node = rk_unflat_vector_in(f, t, 1, 16, &nodes);
    b.next = rk_unflat_vector_in(f, t, 2, 16, &b.left);
    b.next_count = rk_unflat_vector_in(f, t, 4, 8, &b.left_count);
    if (!w->file->names)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "a batch before the schema");
    int status = read_compression(w, f, t, &b);
    if (status)
        return status;
    rk_arrow_batch *batch = rk_array_push(&w->file->batches);
    if (!batch)
        return rk_arrow_walk_fail_memory(w);
    *batch = (rk_arrow_batch){.rows = rk_unflat_field(f, t, 0, 8, 0),
                              .first = w->file->chunks.count,
                              .packed = b.packed,
                              .codec = b.codec};
    if (f->wrong || nodes != w->file->count || batch->rows > UINT32_MAX)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "a batch of other columns than the schema has");
    return take_columns(w, batch, node, &b);
}

/* -- Dictionaries */

/* One column's values, as a file of one batch. */
static int read_values(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *t, uint64_t begin,
                       uint64_t size, rk_arrow_dictionary *d)
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
    rk_arrow_walk inner = *w;
    inner.file = &one;
    int status = rk_arrow_walk_batch(&inner, f, t, begin, size);
    d->read = true;
    if (!status) {
        uint64_t rows = ((const rk_arrow_batch *)one.batches.data)->rows;
        status = rk_arrow_file_load(&one, 0, 0, 0, rows, &values, &d->own, &reason);
        if (!status)
            status = rk_arrow_dictionary_init(&d->layout, &values, &reason);
        if (status)
            rk_arrow_walk_fail(w, status, *reason.message ? reason.message : rask_status_text(status));
    }
    rk_array_fini(&one.batches);
    rk_array_fini(&one.chunks);
    rk_array_fini(&one.texts);
    return status;
}

int rk_arrow_walk_dictionary(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *t, uint64_t begin,
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
            return rk_arrow_walk_fail(w, RASK_EUNSUPPORTED, "a dictionary that changes, which is not read");
        status = read_values(w, f, &values, begin, size, d);
    }
    return known ? status : rk_arrow_walk_fail(w, RASK_EFORMAT, "a dictionary that no column has");
}
