#include "collections/text/buffer.h"

#include "core/base/alloc.h"
#include "core/base/limits.h"

#include <string.h>

int rk_text_buffer_init(rk_text_buffer *buffer, size_t block, size_t ceiling, uint64_t position)
{
    ceiling = ceiling ? ceiling : RK_MAX_TEXT_LINE;
    size_t capacity = block ? block : RK_TEXT_BLOCK;
    if (capacity > ceiling)
        capacity = ceiling;
    char *data = rk_alloc(capacity + RK_TEXT_PADDING);
    if (!data)
        return RASK_ENOMEM;
    memset(data, 0, RK_TEXT_PADDING);
    *buffer = (rk_text_buffer){.data = data, .capacity = capacity, .ceiling = ceiling, .position = position};
    return RASK_OK;
}

void rk_text_buffer_fini(rk_text_buffer *buffer)
{
    rk_free(buffer->data);
    *buffer = (rk_text_buffer){0};
}

/* Bytes that are moved were preceded by as many taken ones, or by what there is no other room for: each byte moves but
 * a few times. */
static void move_to_front(rk_text_buffer *buffer)
{
    size_t len = rk_text_buffer_len(buffer);
    if (buffer->begin < len && buffer->capacity - buffer->used >= buffer->capacity / 2)
        return;
    memmove(buffer->data, buffer->data + buffer->begin, len);
    buffer->begin = 0;
    buffer->used = len;
}

/* Twice as much, so that a record of any length is copied but a few times. */
static int grow(rk_text_buffer *buffer)
{
    size_t capacity = buffer->capacity < buffer->ceiling / 2 ? 2 * buffer->capacity : buffer->ceiling;
    char *data = rk_realloc(buffer->data, capacity + RK_TEXT_PADDING);
    if (!data)
        return RASK_ENOMEM;
    buffer->data = data;
    buffer->capacity = capacity;
    return RASK_OK;
}

static int make_room(rk_text_buffer *buffer, const char *path, rk_text_error *error)
{
    if (buffer->begin > 0)
        move_to_front(buffer);
    size_t room = buffer->capacity - buffer->used;
    if (buffer->capacity < buffer->ceiling && (room == 0 || room < buffer->capacity / 2) && grow(buffer))
        return rk_text_fail_memory(error, path);
    if (buffer->used == buffer->capacity)
        return rk_text_fail(error, RASK_ELIMIT, path, "a record of more than %zu bytes, which is the limit",
                            buffer->ceiling);
    return RASK_OK;
}

int rk_text_buffer_more(rk_text_buffer *buffer, rk_text_reader *reader, size_t most, size_t *got,
                        rk_text_error *error)
{
    size_t n = 0;
    int status = make_room(buffer, rk_text_reader_path(reader), error);
    if (status)
        return status;
    size_t room = buffer->capacity - buffer->used;
    status = rk_text_reader_read(reader, buffer->data + buffer->used, most && most < room ? most : room, &n,
                                 error);
    if (!status)
        buffer->used += n;
    memset(buffer->data + buffer->used, 0, RK_TEXT_PADDING);
    if (!status)
        *got = n;
    return status;
}
