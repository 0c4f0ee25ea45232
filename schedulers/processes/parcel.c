#include "schedulers/processes/parcel.h"

#include "core/base/limits.h"
#include "core/value/tree.h"

#include <stdio.h>
#include <string.h>

static bool is_shared(const rask_value *value)
{
    return rk_value_is_object(value) && rk_load_acquire(&value->as.object->refs) != 1;
}

bool rk_parcel_is_alone(const rask_value *value)
{
    rk_tree_walk w;
    rk_tree_walk_init(&w, value);
    bool alone = true;
    while (w.at && alone)
        alone = !is_shared(w.at) && !rk_tree_walk_on(&w);
    rk_tree_walk_fini(&w);
    return alone;
}

/* -- Writing */

/* Of a list: its items are scalars, and stand in its content. */
static bool is_packed(const rk_part *part)
{
    return part->type == RASK_LIST && part->content;
}

/* A part under way. */
typedef struct draft {
    rk_part part;
    const rask_value *value;
    void *extent;     /* that has the content; NULL: it goes into the parcel */
    bool made;        /* the extent is new, and the content still to be copied */
    bool transferred; /* the extent becomes the parcel's */
    bool seen;        /* the content stays where it is */
} draft;

typedef struct writer {
    rk_shared_heap *heap;
    rk_account *account;
    const rk_parcel *const *others;
    size_t other_count;
    uint64_t regions; /* 0: none is seen */
    rk_array drafts;
    rk_array encoded; /* rask_value: of customs, until they are copied */
    uint64_t small;   /* bytes of content that goes into the parcel */
    uint64_t shapes, extents;
    bool shared; /* a list that was met has other owners, and so have its items */
    char *message;
    size_t capacity;
} writer;

static int complain(const writer *w, int status, const char *format, const char *name)
{
    snprintf(w->message, w->capacity, format, name);
    return status;
}

static int no_room(const writer *w)
{
    return complain(w, RASK_ENOMEM, "no %s for its result", "shared memory");
}

/* The extent of an argument that holds the content; NULL: none. */
static void *find_other(const writer *w, const char *content)
{
    for (size_t i = 0; i < w->other_count; i++)
        for (uint64_t e = 0; e < w->others[i]->extents; e++) {
            char *extent = w->others[i]->extent[e];
            if ((uintptr_t)content - (uintptr_t)extent < rk_extent_of(extent)->bytes)
                return extent;
        }
    return NULL;
}

/* Where content lives: where it is, if that can be; in an extent of its own when it is large; in the parcel. */
static int place_content(writer *w, draft *d, const rask_value *value)
{
    void *at;
    if (!d->part.bytes)
        return RASK_OK;
    d->seen =
        w->regions && d->part.bytes >= RK_PARCEL_LARGE && rk_region_is_seen(d->part.content, w->regions);
    if (d->seen)
        return RASK_OK;
    if (!w->shared && rk_value_memory_of(value, &at) && !is_shared(value) && !rk_extent_of(at)->published) {
        d->extent = at;
        d->transferred = true;
    } else {
        d->extent = find_other(w, d->part.content);
    }
    if (!d->extent && d->part.bytes >= RK_PARCEL_LARGE) {
        d->extent = rk_shared_heap_alloc(w->heap, w->account, d->part.bytes + 1);
        if (!d->extent)
            return no_room(w);
        d->made = true;
    }
    if (d->extent)
        w->extents++;
    else
        w->small += (d->part.bytes + 16) & ~(uint64_t)15; /* with a NUL behind it */
    return RASK_OK;
}

static int draft_bytes(writer *w, draft *d, const rask_value *value)
{
    rask_bytes bytes = {NULL, 0};
    rask_value_get_bytes(value, &bytes);
    d->part.content = bytes.data;
    d->part.bytes = bytes.len;
    return place_content(w, d, value);
}

static int draft_block(writer *w, draft *d, const rask_value *value)
{
    rask_block block;
    int64_t strides[RASK_MAX_DIMENSIONS];
    rask_value_get_block(value, &block);
    d->part.dtype = (uint8_t)block.dtype;
    d->part.ndim = (uint8_t)block.ndim;
    d->part.content = block.data;
    d->part.bytes = rk_block_row_major(&block, strides);
    w->shapes += 2 * block.ndim;
    return place_content(w, d, value);
}

static int draft_custom(writer *w, draft *d, const rask_value *value)
{
    const rask_class *cls = d->part.as.cls = rk_value_class(value);
    if (!cls->encode || !cls->decode)
        return complain(
            w, RASK_EUNSUPPORTED,
            "its result, a %s, cannot go to another process: its class has no encode() and decode()",
            cls->name);
    rask_value *encoded = rk_array_push(&w->encoded);
    if (!encoded)
        return no_room(w);
    *encoded = rask_value_none();
    int status = cls->encode(rk_value_custom_data(value), encoded);
    if (!status && encoded->type != RASK_BYTES)
        return complain(w, RASK_ETYPE, "encode() of %s gave no bytes", cls->name);
    if (status)
        return complain(w, status, "encode() of %s failed", cls->name);
    return draft_bytes(w, d, encoded);
}

static bool holds_scalars(const rk_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (rk_value_is_object(&list->items[i]))
            return false;
    return list->count;
}

static int draft_list(writer *w, draft *d, const rask_value *value, bool *packed)
{
    const rk_list *list = rk_value_list(value);
    d->part.as.count = list->count;
    w->shared |= is_shared(value);
    *packed = holds_scalars(list);
    if (!*packed)
        return RASK_OK;
    d->part.content = (const char *)list->items;
    d->part.bytes = list->count * sizeof *list->items;
    return place_content(w, d, value);
}

static int draft_value(writer *w, const rask_value *value, bool *packed)
{
    draft *d = rk_array_push(&w->drafts);
    if (!d)
        return no_room(w);
    *d = (draft){.part.type = value->type, .value = value};
    switch (value->type) {
    case RASK_BYTES: return draft_bytes(w, d, value);
    case RASK_BLOCK: return draft_block(w, d, value);
    case RASK_CUSTOM: return draft_custom(w, d, value);
    case RASK_LIST: return draft_list(w, d, value, packed);
    default:
        d->part.as.scalar = *value;
        d->part.as.scalar.reserved = 0;
        return RASK_OK;
    }
}

static int draft_all(writer *w, const rask_value *root)
{
    rk_tree_walk way;
    int status = RASK_OK;
    rk_tree_walk_init(&way, root);
    while (way.at && !status)
        if (!(status = draft_value(w, way.at, &way.stay)) && rk_tree_walk_on(&way))
            status = no_room(w);
    rk_tree_walk_fini(&way);
    return status;
}

static void copy_content(const draft *d, char *to)
{
    rask_block block;
    if (!rask_value_get_block(d->value, &block)) {
        rk_block_copy(&block, to);
        return;
    }
    memcpy(to, d->part.content, d->part.bytes);
    to[d->part.bytes] = '\0';
}

/* Where the next piece of each kind goes. */
typedef struct fill {
    rk_part *part;
    int64_t *shape;
    void **extent;
    char *small;
} fill;

static void fill_shape(fill *f, draft *d, bool copied)
{
    rask_block block;
    int64_t strides[RASK_MAX_DIMENSIONS];
    size_t bytes = d->part.ndim * sizeof *f->shape;
    rask_value_get_block(d->value, &block);
    rk_block_row_major(&block, strides);
    memcpy(f->shape, block.shape, bytes);
    memcpy(f->shape + d->part.ndim, copied ? strides : block.strides, bytes);
    d->part.shape = f->shape;
    f->shape += 2 * d->part.ndim;
}

static void fill_part(fill *f, draft *d)
{
    bool copied = d->part.bytes && !d->seen && (d->made || !d->extent);
    char *to = d->extent;
    if (copied && !d->extent) {
        to = f->small;
        f->small += (d->part.bytes + 16) & ~(uint64_t)15;
    }
    if (copied) {
        copy_content(d, to);
        d->part.content = to;
    }
    if (d->extent) {
        rk_extent_of(d->extent)->published |= d->made || d->transferred;
        *f->extent++ = d->extent;
    }
    if (d->part.ndim)
        fill_shape(f, d, copied);
    *f->part++ = d->part;
}

static int fill_parcel(writer *w, uint64_t bytes, rk_parcel **out)
{
    uint64_t parts = w->drafts.count;
    rk_parcel *parcel =
        rk_shared_heap_alloc(w->heap, w->account,
                             sizeof *parcel + parts * sizeof(rk_part) + w->shapes * sizeof(int64_t) +
                                 w->extents * sizeof(void *) + w->small + 16);
    if (!parcel)
        return no_room(w);
    rk_part *part = (rk_part *)(parcel + 1);
    int64_t *shape = (int64_t *)(part + parts);
    void **extent = (void **)(shape + w->shapes);
    char *small = (char *)(((uintptr_t)(extent + w->extents) + 15) & ~(uintptr_t)15);
    *parcel = (rk_parcel){bytes, parts, w->extents, part, extent};
    fill f = {part, shape, extent, small};
    for (uint64_t i = 0; i < parts; i++)
        fill_part(&f, &((draft *)w->drafts.data)[i]);
    rk_extent_of(parcel)->published = 1;
    *out = parcel;
    return RASK_OK;
}

static int write_parcel(writer *w, const rask_value *value, rk_parcel **parcel)
{
    int status = draft_all(w, value);
    if (!status)
        status = fill_parcel(w, rask_value_size(value), parcel);
    for (size_t i = 0; i < w->drafts.count; i++) {
        draft *d = &((draft *)w->drafts.data)[i];
        if (status && d->made)
            rk_shared_heap_free(w->heap, d->extent);
    }
    for (size_t i = 0; i < w->encoded.count; i++)
        rask_value_unref(&((rask_value *)w->encoded.data)[i]);
    rk_array_fini(&w->encoded);
    rk_array_fini(&w->drafts);
    return status;
}

static writer new_writer(rk_shared_heap *heap, char *message, size_t capacity)
{
    return (writer){.heap = heap,
                    .drafts = RK_ARRAY(draft, SIZE_MAX / sizeof(draft)),
                    .encoded = RK_ARRAY(rask_value, SIZE_MAX / sizeof(rask_value)),
                    .message = message,
                    .capacity = capacity};
}

int rk_parcel_write(rk_shared_heap *heap, rk_account *account, const rask_value *value,
                    const rk_parcel *const *others, size_t count, rk_parcel **parcel, char *message,
                    size_t capacity)
{
    writer w = new_writer(heap, message, capacity);
    w.account = account;
    w.others = others;
    w.other_count = count;
    return write_parcel(&w, value, parcel);
}

int rk_parcel_write_for(rk_shared_heap *heap, uint64_t regions, const rask_value *value, rk_parcel **parcel,
                        char *message, size_t capacity)
{
    writer w = new_writer(heap, message, capacity);
    w.regions = regions;
    return write_parcel(&w, value, parcel);
}

/* -- Reading */

typedef struct reader {
    const rk_parcel_keeper *keeper; /* NULL: content stays the parcel's */
    rk_tree_growth growth;
    char *message;
    size_t capacity;
} reader;

static int cannot_read(const reader *r)
{
    snprintf(r->message, r->capacity, "no memory for a value of another process");
    return RASK_ENOMEM;
}

/* Who is told when content ends that is used where it is; NULL when it has to be copied. */
static int keep_content(const reader *r, const rk_part *part, void **owner, bool *copy)
{
    *owner = NULL;
    *copy = r->keeper && part->bytes < RK_PARCEL_LARGE;
    if (!r->keeper || *copy)
        return RASK_OK;
    *owner = r->keeper->keep(r->keeper->context, part->content, part->bytes);
    return *owner ? RASK_OK : cannot_read(r);
}

static int read_bytes(const reader *r, const rk_part *part, rask_value *value)
{
    void *owner;
    bool copy;
    int status = keep_content(r, part, &owner, &copy);
    if (status)
        return status;
    if (copy || !part->bytes)
        return rask_value_bytes_new(part->content, part->bytes, value) ? cannot_read(r) : RASK_OK;
    void (*release)(void *) = r->keeper ? r->keeper->release : NULL;
    status = rk_value_bytes_adopt(part->content, part->bytes, release, owner, value);
    if (status && release)
        release(owner);
    return status ? cannot_read(r) : RASK_OK;
}

static int copy_of_block(const reader *r, const rask_block *from, rask_value *value)
{
    rask_block copy;
    if (rask_value_block_alloc(from->dtype, from->ndim, from->shape, &copy, value))
        return cannot_read(r);
    rk_block_copy(from, copy.data);
    return RASK_OK;
}

static int read_block(const reader *r, const rk_part *part, rask_value *value)
{
    rask_block block = {.dtype = (rask_dtype)part->dtype, .ndim = part->ndim, .data = (void *)part->content};
    bool copy;
    if (part->ndim) {
        memcpy(block.shape, part->shape, part->ndim * sizeof *block.shape);
        memcpy(block.strides, part->shape + part->ndim, part->ndim * sizeof *block.strides);
    }
    int status = keep_content(r, part, &block.owner, &copy);
    if (status)
        return status;
    if (copy || !part->bytes)
        return copy_of_block(r, &block, value);
    block.release = r->keeper ? r->keeper->release : NULL;
    status = rask_value_block_adopt(&block, part->bytes, value);
    if (status && block.release)
        block.release(block.owner);
    return status ? cannot_read(r) : RASK_OK;
}

static int read_custom(const reader *r, const rk_part *part, rask_value *value)
{
    void *data;
    const rask_class *cls = part->as.cls;
    int status = cls->decode((rask_bytes){part->content ? part->content : "", part->bytes}, &data);
    if (status) {
        snprintf(r->message, r->capacity, "decode() of %s failed: %s", cls->name, rask_status_text(status));
        return status;
    }
    if (!rask_value_custom_new(cls, data, value))
        return RASK_OK;
    cls->destroy(data);
    return cannot_read(r);
}

static int read_part(const reader *r, const rk_part *part, rask_value *value)
{
    switch (part->type) {
    case RASK_BYTES: return read_bytes(r, part, value);
    case RASK_BLOCK: return read_block(r, part, value);
    case RASK_CUSTOM: return read_custom(r, part, value);
    default: *value = part->as.scalar; return RASK_OK;
    }
}

static int read_next(reader *r, const rk_part *part, rask_value *root)
{
    rask_value value = rask_value_none();
    bool list = part->type == RASK_LIST;
    if (list && part->as.count && !is_packed(part))
        return rk_tree_begin_list(&r->growth, part->as.count) ? cannot_read(r) : RASK_OK;
    int status = list ? rask_value_list_new((const rask_value *)part->content, part->as.count, &value)
                      : read_part(r, part, &value);
    if (!status && rk_tree_put(&r->growth, value, root))
        status = cannot_read(r);
    return status;
}

int rk_parcel_take(const rk_parcel *parcel, const rk_parcel_keeper *keeper, rask_value *value, char *message,
                   size_t capacity)
{
    reader r = {.keeper = keeper, .message = message, .capacity = capacity};
    int status = RASK_OK;
    rk_tree_growth_init(&r.growth);
    for (uint64_t i = 0; i < parcel->parts && !status; i++)
        status = read_next(&r, &parcel->part[i], value);
    rk_tree_growth_fini(&r.growth);
    return status;
}

int rk_parcel_read(const rk_parcel *parcel, rask_value *value, char *message, size_t capacity)
{
    return rk_parcel_take(parcel, NULL, value, message, capacity);
}
