/* An image is a stream of tokens and contents: the value and all that is in it, in preorder. Content of some length makes a
 * piece of its own, written from where it is and read to where it belongs; all else is gathered in a stage and makes
 * pieces together, so that a list of a million numbers costs memory neither here nor there. */
#include "core/store/image.h"

#include "core/value/tree.h"

#include <stdio.h>
#include <string.h>

enum { STAGE = 16 << 10, OWN_PIECE = 8 << 10 };

typedef struct piece {
    uint64_t place, bytes;
} piece;

/* What stands before each value. No longer than an item of a list. */
typedef struct token {
    uint16_t type;
    uint8_t dtype, ndim; /* of a block, whose shape follows */
    uint32_t cls;        /* of a custom */
    union {
        uint64_t count; /* of a list's items; of the content's bytes */
        int64_t scalar; /* its bits */
    } as;
} token;

_Static_assert(sizeof(token) <= sizeof(rask_value), "lists grow when they are written");

/* Type of a token that stands for a part, whose number is count. */
enum { PART = UINT16_MAX };

static uint64_t bytes_of(const rask_block *block)
{
    int64_t strides[RASK_MAX_DIMENSIONS];
    return rk_block_row_major(block, strides);
}

static bool has_one_reference(const rask_value *value)
{
    return !rk_value_is_object(value) || rk_load_acquire(&value->as.object->refs) == 1;
}

/* Parts that a walk meets, one after the other. */
typedef struct meeting {
    const rask_value *parts;
    uint32_t count, met;
} meeting;

/* The walk is at the next part: what is in that is passed over. */
static bool meets(meeting *m, rk_tree_walk *walk)
{
    walk->stay = m->met < m->count && rk_value_is_object(walk->at) &&
                 walk->at->as.object == m->parts[m->met].as.object;
    m->met += walk->stay;
    return walk->stay;
}

/* Every object takes some bytes. */
static bool holds_no_objects(const rask_value *value)
{
    return !rk_value_is_object(value) || value->as.object->own == value->as.object->deep;
}

/* The first object in the value, and outside of parts, that somebody else holds as well, or the value itself when there
 * is no memory to tell; NULL: there is none. */
static const rask_object *find_shared(const rask_value *value, meeting *m)
{
    rk_tree_walk walk;
    const rask_object *shared = NULL;
    rk_tree_walk_init(&walk, value);
    while (walk.at && !shared) {
        if (!meets(m, &walk)) {
            shared = has_one_reference(walk.at) ? NULL : walk.at->as.object;
            walk.stay = holds_no_objects(walk.at);
        }
        if (!shared && rk_tree_walk_on(&walk))
            shared = value->as.object;
    }
    rk_tree_walk_fini(&walk);
    return shared;
}

/* The items of a list from look->item on. */
static bool look_on(const rk_list *list, const rask_value *parts, uint32_t part_count, rk_image_look *look)
{
    meeting m = {parts, part_count, look->met};
    for (size_t i = look->item; i < list->count; i++) {
        uint32_t met = m.met;
        const rask_object *shared =
            rk_value_is_object(&list->items[i]) ? find_shared(&list->items[i], &m) : NULL;
        if (shared) {
            *look = (rk_image_look){shared, i, met};
            return false;
        }
    }
    *look = (rk_image_look){0};
    return true;
}

bool rk_image_is_alone(const rask_value *value, const rask_value *parts, uint32_t part_count,
                       rk_image_look *look)
{
    if (!has_one_reference(value) || (look->shared && rk_load_acquire(&look->shared->refs) > 1))
        return false;
    if (holds_no_objects(value))
        return true;
    const rk_list *list = rk_value_list(value);
    bool behind = look->item;
    bool alone = look_on(list, parts, part_count, look);
    return alone && behind ? look_on(list, parts, part_count, look) : alone;
}

static int no_memory(const char *what, char *message, size_t capacity)
{
    snprintf(message, capacity, "no memory for %s", what);
    return RASK_ENOMEM;
}

/* -- Writing */

typedef struct writing {
    rk_image *image;
    rk_scratch *scratch;
    char stage[STAGE];
    size_t staged;
    char *message;
    size_t capacity;
} writing;

static int no_note(const writing *w)
{
    return no_memory("a note of a result that goes to disk", w->message, w->capacity);
}

static int add_piece(writing *w, const void *data, uint64_t bytes)
{
    piece *p = rk_array_push(&w->image->pieces);
    if (!p)
        return no_note(w);
    *p = (piece){rk_scratch_take(w->scratch, bytes), bytes};
    return rk_scratch_write(w->scratch, p->place, data, bytes, w->message, w->capacity);
}

static int flush(writing *w)
{
    int status = w->staged ? add_piece(w, w->stage, w->staged) : RASK_OK;
    w->staged = 0;
    return status;
}

static int put(writing *w, const void *data, uint64_t len)
{
    int status = w->staged + len > STAGE || len >= OWN_PIECE ? flush(w) : RASK_OK;
    if (status || !len)
        return status;
    if (len >= OWN_PIECE)
        return add_piece(w, data, len);
    memcpy(w->stage + w->staged, data, len);
    w->staged += len;
    return RASK_OK;
}

static int put_bytes(writing *w, token t, rask_bytes data)
{
    t.as.count = data.len;
    int status = put(w, &t, sizeof t);
    return status ? status : put(w, data.data, data.len);
}

static int put_block(writing *w, token t, const rask_value *value)
{
    rask_block block;
    rask_value_get_block(value, &block);
    t.as.count = bytes_of(&block);
    t.dtype = (uint8_t)block.dtype;
    t.ndim = (uint8_t)block.ndim;
    int status = put(w, &t, sizeof t);
    if (!status)
        status = put(w, block.shape, block.ndim * sizeof *block.shape);
    return status ? status : put(w, block.data, t.as.count);
}

/* The index of a class among those of the image; the last ones are looked at first, and few. */
static bool class_index(rk_image *image, const rask_class *cls, uint32_t *index)
{
    enum { LOOK = 16 };
    const rask_class **classes = image->classes.data;
    for (size_t i = image->classes.count, looked = 0; i-- > 0 && looked++ < LOOK;)
        if (classes[i] == cls) {
            *index = (uint32_t)i;
            return true;
        }
    const rask_class **place = rk_array_push(&image->classes);
    if (place)
        *place = cls;
    *index = (uint32_t)image->classes.count - 1;
    return place;
}

static int put_custom(writing *w, token t, const rask_value *value)
{
    void *data = NULL;
    rask_value encoded = rask_value_none();
    rask_bytes bytes;
    const rask_class *cls = rk_value_class(value);
    if (!class_index(w->image, cls, &t.cls))
        return no_note(w);
    rask_value_get_custom(value, cls, &data);
    int status = cls->encode(data, &encoded);
    if (!status)
        status = rask_value_get_bytes(&encoded, &bytes);
    if (status)
        snprintf(w->message, w->capacity, "encode() of %s failed: %s", cls->name, rask_status_text(status));
    else
        status = put_bytes(w, t, bytes);
    rask_value_unref(&encoded);
    return status;
}

static int put_value(writing *w, const rask_value *value)
{
    rask_bytes data;
    token t = {.type = (uint16_t)value->type};
    switch (value->type) {
    case RASK_BYTES: rask_value_get_bytes(value, &data); return put_bytes(w, t, data);
    case RASK_BLOCK: return put_block(w, t, value);
    case RASK_CUSTOM: return put_custom(w, t, value);
    case RASK_LIST: t.as.count = rk_value_list(value)->count; break;
    default: memcpy(&t.as, &value->as, sizeof t.as);
    }
    return put(w, &t, sizeof t);
}

/* The value that the walk is at. */
static int put_next(writing *w, meeting *m, rk_tree_walk *walk)
{
    token t = {.type = PART, .as.count = m->met};
    return meets(m, walk) ? put(w, &t, sizeof t) : put_value(w, walk->at);
}

int rk_image_write(rk_image *image, rk_scratch *scratch, const rask_value *value, const rask_value *parts,
                   uint32_t part_count, char *message, size_t capacity)
{
    meeting m = {parts, part_count, 0};
    writing w;
    rk_tree_walk walk;
    w.image = image;
    w.scratch = scratch;
    w.staged = 0;
    w.message = message;
    w.capacity = capacity;
    image->pieces = (rk_array)RK_ARRAY(piece, SIZE_MAX / sizeof(piece));
    image->classes = (rk_array)RK_ARRAY(const rask_class *, UINT32_MAX);
    int status = rk_scratch_open(scratch, message, capacity);
    rk_tree_walk_init(&walk, value);
    while (walk.at && !status) {
        status = put_next(&w, &m, &walk);
        if (!status && rk_tree_walk_on(&walk))
            status = no_note(&w);
    }
    rk_tree_walk_fini(&walk);
    if (!status)
        status = flush(&w);
    if (status)
        rk_image_fini(image, scratch);
    return status;
}

/* -- Reading */

typedef struct reading {
    const rk_image *image;
    const rk_scratch *scratch;
    const rask_value *parts;
    uint32_t part_count;
    size_t next;   /* piece */
    uint64_t left; /* bytes of the stream */
    char stage[STAGE];
    size_t at, staged;
    char *message;
    size_t capacity;
} reading;

/* What a disk gave back is not what it was given. */
static int damaged(const reading *r)
{
    snprintf(r->message, r->capacity, "the scratch file in %s does not hold what was written to it",
             r->scratch->folder);
    return RASK_EIO;
}

static int no_value(const reading *r)
{
    return no_memory("a result that is read back", r->message, r->capacity);
}

/* The next piece, into its place or onto the stage, which is empty. *direct: bytes that went to their place. */
static int get_piece(reading *r, char *to, uint64_t len, uint64_t *direct)
{
    const piece *p = (const piece *)r->image->pieces.data + r->next++;
    bool own = p->bytes <= len;
    if (!own && p->bytes > STAGE)
        return damaged(r);
    *direct = own ? p->bytes : 0;
    r->staged = own ? 0 : p->bytes;
    r->at = 0;
    return rk_scratch_read(r->scratch, p->place, own ? to : r->stage, p->bytes, r->message, r->capacity);
}

static int get(reading *r, void *to, uint64_t len)
{
    char *out = to;
    if (len > r->left)
        return damaged(r);
    r->left -= len;
    while (len) {
        uint64_t step = r->staged - r->at < len ? r->staged - r->at : len;
        if (step) {
            memcpy(out, r->stage + r->at, step);
            r->at += step;
        } else {
            int status = get_piece(r, out, len, &step);
            if (status)
                return status;
        }
        out += step;
        len -= step;
    }
    return RASK_OK;
}

static int get_bytes(reading *r, const token *t, rask_value *value)
{
    char *data;
    if (t->as.count > r->left)
        return damaged(r);
    if (rask_value_bytes_alloc(t->as.count, &data, value))
        return no_value(r);
    int status = get(r, data, t->as.count);
    if (status)
        rask_value_unref(value);
    return status;
}

static int get_block(reading *r, const token *t, rask_value *value)
{
    rask_block block;
    int64_t shape[RASK_MAX_DIMENSIONS];
    if (t->ndim > RASK_MAX_DIMENSIONS || t->as.count > r->left)
        return damaged(r);
    int status = get(r, shape, t->ndim * sizeof *shape);
    if (status)
        return status;
    status = rask_value_block_alloc((rask_dtype)t->dtype, t->ndim, shape, &block, value);
    if (status)
        return status == RASK_ENOMEM ? no_value(r) : damaged(r);
    uint64_t bytes = bytes_of(&block);
    status = bytes == t->as.count ? get(r, block.data, bytes) : damaged(r);
    if (status)
        rask_value_unref(value);
    return status;
}

static int get_custom(reading *r, const token *t, rask_value *value)
{
    rask_value encoded;
    rask_bytes bytes = {NULL, 0};
    void *data = NULL;
    if (t->cls >= r->image->classes.count)
        return damaged(r);
    const rask_class *cls = ((const rask_class *const *)r->image->classes.data)[t->cls];
    int status = get_bytes(r, t, &encoded);
    if (status)
        return status;
    rask_value_get_bytes(&encoded, &bytes);
    status = cls->decode(bytes, &data);
    if (status)
        snprintf(r->message, r->capacity, "decode() of %s failed: %s", cls->name, rask_status_text(status));
    rask_value_unref(&encoded);
    if (status)
        return status;
    if (!rask_value_custom_new(cls, data, value))
        return RASK_OK;
    cls->destroy(data);
    return no_value(r);
}

static int get_part(reading *r, const token *t, rask_value *value)
{
    if (t->as.count >= r->part_count)
        return damaged(r);
    *value = rask_value_ref(&r->parts[t->as.count]);
    return RASK_OK;
}

static int get_value(reading *r, const token *t, rask_value *value)
{
    *value = (rask_value){.type = t->type};
    switch (t->type) {
    case PART: return get_part(r, t, value);
    case RASK_BYTES: return get_bytes(r, t, value);
    case RASK_BLOCK: return get_block(r, t, value);
    case RASK_CUSTOM: return get_custom(r, t, value);
    case RASK_LIST: return rask_value_list_new(NULL, 0, value) ? no_value(r) : RASK_OK;
    default: memcpy(&value->as, &t->as, sizeof t->as);
    }
    return t->type < RASK_BYTES ? RASK_OK : damaged(r);
}

/* A token, and what belongs to it. */
static int get_next(reading *r, rk_tree_growth *growth, rask_value *root)
{
    token t;
    rask_value value;
    int status = get(r, &t, sizeof t);
    if (status)
        return status;
    if (t.type == RASK_LIST && t.as.count) {
        if (t.as.count > r->left / sizeof t)
            return damaged(r);
        return rk_tree_begin_list(growth, t.as.count) ? no_value(r) : RASK_OK;
    }
    status = get_value(r, &t, &value);
    if (!status && rk_tree_put(growth, value, root))
        status = no_value(r);
    return status;
}

int rk_image_read(const rk_image *image, const rk_scratch *scratch, const rask_value *parts,
                  uint32_t part_count, rask_value *value, char *message, size_t capacity)
{
    reading r;
    rk_tree_growth growth;
    r.image = image;
    r.scratch = scratch;
    r.parts = parts;
    r.part_count = part_count;
    r.left = rk_image_bytes(image);
    r.next = r.at = r.staged = 0;
    r.message = message;
    r.capacity = capacity;
    rk_tree_growth_init(&growth);
    int status = RASK_OK;
    while (!growth.whole && !status)
        status = get_next(&r, &growth, value);
    rk_tree_growth_fini(&growth);
    return status;
}

uint64_t rk_image_bytes(const rk_image *image)
{
    const piece *pieces = image->pieces.data;
    uint64_t bytes = 0;
    for (size_t i = 0; i < image->pieces.count; i++)
        bytes += pieces[i].bytes;
    return bytes;
}

void rk_image_fini(rk_image *image, rk_scratch *scratch)
{
    const piece *pieces = image->pieces.data;
    for (size_t i = 0; i < image->pieces.count; i++)
        rk_scratch_give(scratch, pieces[i].place, pieces[i].bytes);
    rk_array_fini(&image->pieces);
    rk_array_fini(&image->classes);
    *image = (rk_image){0};
}
