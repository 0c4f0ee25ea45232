/* Rows of a batch, read for a task: from the row on whose bit begins a byte. */
#include "collections/table/arrow/bits.h"
#include "collections/table/arrow/file.h"
#include "core/base/alloc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct loading {
    const rk_arrow_file *file;
    int fd;
    const rk_arrow_dictionary *dictionary; /* of the column */
    const rk_arrow_chunk *chunk;
    rk_body_codec codec;  /* of buffers that are compressed */
    uint64_t base, count; /* rows */
    rk_memory_error *error;
} loading;

static int fail_loading(const loading *l, int status, const char *what)
{
    snprintf(l->error->message, sizeof l->error->message, "%.200s: %s", l->file->path, what);
    return status;
}

static int read_bytes(const loading *l, void *to, uint64_t place, uint64_t len)
{
    int64_t got = rk_file_read(l->fd, to, len, (int64_t)place);
    return got == (int64_t)len ? RASK_OK
                               : fail_loading(l, RASK_EIO, got < 0 ? "cannot be read" : "has become shorter");
}

/* All of a compressed buffer. */
static int unpack(const loading *l, void *to, const rk_arrow_range *range)
{
    char message[120];
    const char *reason = NULL;
    char *packed = rk_alloc(range->packed);
    int status = packed ? read_bytes(l, packed, range->place, range->packed) : RASK_ENOMEM;
    if (!status)
        status = l->file->bodies->decode(l->codec, packed, range->packed, to, range->length, &reason);
    if (reason) {
        snprintf(message, sizeof message, "a compressed buffer: %.80s", reason);
        fail_loading(l, status, message);
    }
    rk_free(packed);
    return status;
}

static int read_packed(const loading *l, void *to, const rk_arrow_range *range, uint64_t from, uint64_t len)
{
    if (len == range->length)
        return unpack(l, to, range);
    char *all = rk_alloc(range->length);
    int status = all ? unpack(l, all, range) : RASK_ENOMEM;
    if (!status)
        memcpy(to, all + from, len);
    rk_free(all);
    return status;
}

static int read_range(const loading *l, void *to, const rk_arrow_range *range, uint64_t from, uint64_t len)
{
    if (range->packed && len)
        return read_packed(l, to, range, from, len);
    return read_bytes(l, to, range->place + from, len);
}

/* count + 1 ends of 32 or 64 bits, from 0 on, as 64 bits; *from: what was the first. */
static int rebase(const loading *l, bool wide, int64_t *ends, uint64_t *from)
{
    const uint64_t size = l->chunk->buffers[2].length;
    int64_t before = 0;
    for (uint64_t i = l->count + 1; i-- > 0 && !wide;) {
        int32_t end;
        memcpy(&end, (const char *)ends + i * sizeof end, sizeof end);
        ends[i] = end;
    }
    *from = (uint64_t)ends[0];
    for (uint64_t i = 0; i <= l->count; i++) {
        if (ends[i] < before || (uint64_t)ends[i] > size)
            return fail_loading(l, RASK_EFORMAT, "text that is not in its buffer");
        before = ends[i];
        ends[i] -= (int64_t)*from;
    }
    return RASK_OK;
}

/* Ends of width bytes behind the bits of nulls, then text, for which there is room once it is known how long it is. */
static int load_text(const loading *l, uint64_t width, rk_arrow_layout *layout, void **own, size_t bits)
{
    size_t ends_size = (l->count + 1) * sizeof(int64_t);
    uint64_t from;
    char *memory = *own;
    int status = read_range(l, memory + bits, &l->chunk->buffers[1], l->base * width, (l->count + 1) * width);
    if (!status)
        status = rebase(l, width == sizeof(int64_t), (int64_t *)(memory + bits), &from);
    if (status)
        return status;
    size_t len = (size_t)((int64_t *)(memory + bits))[l->count];
    memory = rk_realloc(*own, bits + ends_size + len + 1);
    if (!memory)
        return RASK_ENOMEM;
    *own = memory;
    layout->valid = layout->valid ? (const uint8_t *)memory : NULL;
    layout->values = memory + bits;
    layout->bytes = memory + bits + ends_size;
    return read_range(l, memory + bits + ends_size, &l->chunk->buffers[2], from, len);
}

/* -- Views: length, four bytes, number of a buffer, place in it; or length and up to 12 bytes */

enum { VIEW = 16, INLINE_VIEW = 12 };

/* The bytes of a buffer that views speak of. */
typedef struct reach {
    uint64_t from, to; /* from == to: none */
} reach;

/* Of a long view whose buffer and place are good; NULL: it is another. */
static const rk_arrow_range *text_of(const loading *l, const int32_t view[4], uint32_t *number)
{
    const rk_arrow_range *texts = (const rk_arrow_range *)l->file->texts.data + l->chunk->buffers[2].place;
    *number = (uint32_t)view[2];
    if (view[0] <= INLINE_VIEW || view[2] < 0 || *number >= l->chunk->buffers[2].length || view[3] < 0 ||
        (uint64_t)view[3] + (uint64_t)view[0] > texts[*number].length)
        return NULL;
    return &texts[*number];
}

/* What all views reach, buffer by buffer. */
static uint64_t find_reach(const loading *l, const char *views, reach *reaches)
{
    uint64_t all = 0;
    int32_t view[4];
    uint32_t number;
    for (uint64_t i = 0; i < l->count; i++) {
        memcpy(view, views + i * VIEW, sizeof view);
        if (!text_of(l, view, &number))
            continue;
        reach *r = &reaches[number];
        uint64_t from = (uint64_t)view[3], to = from + (uint64_t)view[0];
        bool none = r->from == r->to;
        r->from = none || from < r->from ? from : r->from;
        r->to = none || to > r->to ? to : r->to;
    }
    for (uint64_t i = 0; i < l->chunk->buffers[2].length; i++)
        all += reaches[i].to - reaches[i].from;
    return all;
}

/* Views speak of what was read of the buffers. Those that are wrong are left to who looks at them. */
static void rebase_views(const loading *l, char *views, const reach *reaches)
{
    int32_t view[4];
    uint32_t number;
    for (uint64_t i = 0; i < l->count; i++) {
        memcpy(view, views + i * VIEW, sizeof view);
        if (text_of(l, view, &number))
            view[3] -= (int32_t)reaches[number].from;
        else if (view[0] > INLINE_VIEW)
            view[0] = -1;
        memcpy(views + i * VIEW, view, sizeof view);
    }
}

/* Behind the views: where each buffer is, how long, and its bytes. */
static int load_texts(const loading *l, const reach *reaches, uint64_t all, rk_arrow_layout *layout,
                      void **own, size_t before)
{
    const rk_arrow_range *texts = (const rk_arrow_range *)l->file->texts.data + l->chunk->buffers[2].place;
    size_t count = l->chunk->buffers[2].length, place = before + count * 2 * sizeof(uint64_t);
    size_t values = (size_t)((const char *)layout->values - (const char *)*own);
    char *memory = rk_realloc(*own, place + all + 1);
    int status = memory ? RASK_OK : RASK_ENOMEM;
    *own = memory ? memory : *own;
    const void **views = (const void **)((char *)*own + before);
    int64_t *sizes = (int64_t *)views + count;
    for (size_t i = 0; i < count && !status; i++) {
        views[i] = memory + place;
        sizes[i] = (int64_t)(reaches[i].to - reaches[i].from);
        status = read_range(l, memory + place, &texts[i], reaches[i].from, (uint64_t)sizes[i]);
        place += (size_t)sizes[i];
    }
    if (status)
        return status;
    layout->valid = layout->valid ? (const uint8_t *)memory : NULL;
    layout->values = memory + values;
    layout->views = views;
    layout->view_sizes = sizes;
    layout->view_count = count;
    return RASK_OK;
}

static int load_views(const loading *l, rk_arrow_layout *layout, void **own, size_t bits)
{
    char *views = (char *)*own + bits;
    reach *reaches = rk_calloc(l->chunk->buffers[2].length + 1, sizeof *reaches);
    int status =
        reaches ? read_range(l, views, &l->chunk->buffers[1], l->base * VIEW, l->count * VIEW) : RASK_ENOMEM;
    if (!status) {
        uint64_t all = find_reach(l, views, reaches);
        rebase_views(l, views, reaches);
        status = load_texts(l, reaches, all, layout, own, bits + l->count * VIEW);
    }
    rk_free(reaches);
    return status;
}

/* The indices move behind the values, where there is room for them; what they mean takes their place. */
static void look_up(const rk_arrow_dictionary *d, rk_arrow_layout *layout, char *room)
{
    rk_arrow_layout *indices = (rk_arrow_layout *)(void *)room;
    *indices = *layout;
    *layout = d->layout;
    layout->indices = indices;
    layout->offset = indices->offset;
    layout->length = indices->length;
    layout->row = indices->row;
    layout->valid = indices->valid;
}

/* What layout begins with, and where its rows are: the first of those that are read is one whose bit begins a byte. */
static void set_layout(const rk_arrow_layout *format, uint64_t first, uint64_t rows, rk_arrow_layout *layout)
{
    if (format->buffers == 3)
        rk_arrow_format("U", layout);
    else
        *layout = *format;
    layout->offset = first % 8;
    layout->length = rows;
    layout->row = first;
}

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* The file that is open, or, as it was, opened once more. */
static int begin_loading(loading *l)
{
    rk_open_error wrong = {0};
    struct stat now;
    int64_t size;
    l->fd = l->file->fd;
    if (l->fd >= 0)
        return RASK_OK;
    l->fd = rk_file_open(l->file->path, &size, &wrong);
    if (l->fd < 0) {
        snprintf(l->error->message, sizeof l->error->message, "%.200s", wrong.message);
        return wrong.status;
    }
    if (fstat(l->fd, &now) == 0 && (uint64_t)size == l->file->size &&
        rk_arrow_changed_ns(&now) == l->file->changed_ns)
        return RASK_OK;
    close(l->fd);
    return fail_loading(l, RASK_EIO, "changed while it was read");
}

static void end_loading(const loading *l)
{
    if (l->fd != l->file->fd)
        close(l->fd);
}

/* Bits of nulls, then values, or ends and text: in one run of memory, whose parts begin at multiples of 8. */
static int load_rows(const loading *l, const rk_arrow_layout *format, rk_arrow_layout *layout, void **own)
{
    size_t bits = l->chunk->nulls ? padded(rk_bits_size(l->count)) : 0;
    size_t values = padded(((l->count + 1) * layout->bits + 7) / 8);
    char *memory = *own = rk_alloc(bits + values + sizeof *layout);
    if (!memory)
        return RASK_ENOMEM;
    int status =
        bits ? read_range(l, memory, &l->chunk->buffers[0], l->base / 8, rk_bits_size(l->count)) : RASK_OK;
    layout->valid = bits ? (const uint8_t *)memory : NULL;
    layout->values = memory + bits;
    if (status)
        return status;
    if (format->buffers != 2)
        return format->buffers > 3 ? load_views(l, layout, own, bits)
                                   : load_text(l, format->bits / 8, layout, own, bits);
    status = read_range(l, memory + bits, &l->chunk->buffers[1], l->base * format->bits / 8,
                        (l->count * format->bits + 7) / 8);
    if (l->dictionary->used)
        look_up(l->dictionary, layout, memory + bits + values);
    return status;
}

int rk_arrow_file_load(const rk_arrow_file *f, size_t batch, uint32_t column, uint64_t first, uint64_t rows,
                       rk_arrow_layout *layout, void **own, rk_memory_error *error)
{
    const rk_arrow_batch *b = (const rk_arrow_batch *)f->batches.data + batch;
    const rk_arrow_layout *format = &f->layouts[column];
    loading l = {.file = f,
                 .dictionary = &f->dictionaries[column],
                 .chunk = (const rk_arrow_chunk *)f->chunks.data + b->first + column,
                 .codec = b->codec,
                 .base = first - first % 8,
                 .count = rows + first % 8,
                 .error = error};
    set_layout(format, first, rows, layout);
    if (!rows || !format->buffers)
        return RASK_OK;
    int status = begin_loading(&l);
    if (status)
        return status;
    status = load_rows(&l, format, layout, own);
    end_loading(&l);
    return status;
}
