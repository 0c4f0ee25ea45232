#include "core/store/image.h"

#include <stdio.h>
#include <string.h>

/* Row-major without gaps; *bytes: how many. */
static bool is_contiguous(const rask_block *block, uint64_t *bytes)
{
    uint64_t step = rask_dtype_size(block->dtype);
    for (uint32_t i = block->ndim; i-- > 0;) {
        if (!block->shape[i]) {
            *bytes = 0;
            return true;
        }
        if (block->shape[i] > 1 && block->strides[i] != (int64_t)step)
            return false;
        step *= (uint64_t)block->shape[i];
    }
    *bytes = step;
    return true;
}

static bool part_fits(const rask_value *value)
{
    rask_block block;
    uint64_t bytes;
    switch (value->type) {
    case RASK_LIST: return false;
    case RASK_BLOCK: return !rask_value_get_block(value, &block) && is_contiguous(&block, &bytes);
    case RASK_CUSTOM: return rk_value_class(value)->encode && rk_value_class(value)->decode;
    default: return true;
    }
}

bool rk_image_fits(const rask_value *value)
{
    if (value->type != RASK_LIST)
        return rk_value_is_object(value) && part_fits(value);
    const rk_list *list = rk_value_list(value);
    for (size_t i = 0; i < list->count; i++)
        if (!part_fits(&list->items[i]))
            return false;
    return true;
}

static bool one_reference(const rask_value *value)
{
    return !rk_value_is_object(value) || rk_load_acquire(&value->as.object->refs) == 1;
}

bool rk_image_is_alone(const rask_value *value)
{
    if (!one_reference(value))
        return false;
    const rk_list *list = value->type == RASK_LIST ? rk_value_list(value) : NULL;
    for (size_t i = 0; list && i < list->count; i++)
        if (!one_reference(&list->items[i]))
            return false;
    return true;
}

/* Puts data into a place of the part's. */
static int write_bytes(rk_image_part *part, rk_scratch *scratch, rask_bytes data, char *message,
                       size_t capacity)
{
    part->place = rk_scratch_take(scratch, data.len);
    part->bytes = data.len;
    return rk_scratch_write(scratch, part->place, data.data, data.len, message, capacity);
}

static int no_memory(const char *what, char *message, size_t capacity)
{
    snprintf(message, capacity, "no memory for %s", what);
    return RASK_ENOMEM;
}

static int write_block(rk_image_part *part, rk_scratch *scratch, const rask_value *value, char *message,
                       size_t capacity)
{
    rask_block block;
    uint64_t bytes = 0;
    rask_value_get_block(value, &block);
    is_contiguous(&block, &bytes);
    part->dtype = (uint8_t)block.dtype;
    part->ndim = (uint8_t)block.ndim;
    if (block.ndim && !(part->as.shape = rk_alloc_array(block.ndim, sizeof *block.shape)))
        return no_memory("a note of a block that goes to disk", message, capacity);
    if (block.ndim)
        memcpy(part->as.shape, block.shape, block.ndim * sizeof *block.shape);
    rask_bytes data = {block.data, bytes};
    return write_bytes(part, scratch, data, message, capacity);
}

static int write_custom(rk_image_part *part, rk_scratch *scratch, const rask_value *value, char *message,
                        size_t capacity)
{
    void *data = NULL;
    rask_value encoded = rask_value_none();
    rask_bytes bytes;
    const rask_class *cls = part->as.cls = rk_value_class(value);
    rask_value_get_custom(value, cls, &data);
    int status = cls->encode(data, &encoded);
    if (!status)
        status = rask_value_get_bytes(&encoded, &bytes);
    if (status)
        snprintf(message, capacity, "encode() of %s failed: %s", cls->name, rask_status_text(status));
    else
        status = write_bytes(part, scratch, bytes, message, capacity);
    rask_value_unref(&encoded);
    return status;
}

static int write_part(rk_image_part *part, rk_scratch *scratch, const rask_value *value, char *message,
                      size_t capacity)
{
    rask_bytes data;
    *part = (rk_image_part){.type = value->type, .place = RK_NO_PLACE};
    switch (value->type) {
    case RASK_BYTES:
        rask_value_get_bytes(value, &data);
        return write_bytes(part, scratch, data, message, capacity);
    case RASK_BLOCK: return write_block(part, scratch, value, message, capacity);
    case RASK_CUSTOM: return write_custom(part, scratch, value, message, capacity);
    default: part->as.scalar = *value; return RASK_OK;
    }
}

int rk_image_write(rk_image *image, rk_scratch *scratch, const rask_value *value, char *message,
                   size_t capacity)
{
    bool list = value->type == RASK_LIST;
    const rask_value *items = list ? rk_value_list(value)->items : value;
    size_t count = list ? rk_value_list(value)->count : 1;
    *image = (rk_image){.list = list, .parts = rk_alloc_array(count ? count : 1, sizeof *image->parts)};
    if (!image->parts)
        return no_memory("a note of a result that goes to disk", message, capacity);
    int status = rk_scratch_open(scratch, message, capacity);
    for (; image->count < count && !status; image->count++)
        status = write_part(&image->parts[image->count], scratch, &items[image->count], message, capacity);
    if (status)
        rk_image_fini(image, scratch);
    return status;
}

static int read_bytes(const rk_image_part *part, const rk_scratch *scratch, rask_value *value, char *message,
                      size_t capacity)
{
    char *data;
    int status = rask_value_bytes_alloc(part->bytes, &data, value);
    if (status)
        return no_memory("a result that is read back", message, capacity);
    status = rk_scratch_read(scratch, part->place, data, part->bytes, message, capacity);
    if (status)
        rask_value_unref(value);
    return status;
}

static int read_block(const rk_image_part *part, const rk_scratch *scratch, rask_value *value, char *message,
                      size_t capacity)
{
    rask_block block;
    int status = rask_value_block_alloc((rask_dtype)part->dtype, part->ndim, part->as.shape, &block, value);
    if (status)
        return no_memory("a block that is read back", message, capacity);
    status = rk_scratch_read(scratch, part->place, block.data, part->bytes, message, capacity);
    if (status)
        rask_value_unref(value);
    return status;
}

static int read_custom(const rk_image_part *part, const rk_scratch *scratch, rask_value *value, char *message,
                       size_t capacity)
{
    rask_value encoded;
    rask_bytes bytes = {NULL, 0};
    void *data = NULL;
    int status = read_bytes(part, scratch, &encoded, message, capacity);
    if (status)
        return status;
    rask_value_get_bytes(&encoded, &bytes);
    const rask_class *cls = part->as.cls;
    status = cls->decode(bytes, &data);
    if (status)
        snprintf(message, capacity, "decode() of %s failed: %s", cls->name, rask_status_text(status));
    rask_value_unref(&encoded);
    if (status)
        return status;
    status = rask_value_custom_new(cls, data, value);
    if (!status)
        return RASK_OK;
    cls->destroy(data);
    return no_memory("a value that is read back", message, capacity);
}

static int read_part(const rk_image_part *part, const rk_scratch *scratch, rask_value *value, char *message,
                     size_t capacity)
{
    switch (part->type) {
    case RASK_BYTES: return read_bytes(part, scratch, value, message, capacity);
    case RASK_BLOCK: return read_block(part, scratch, value, message, capacity);
    case RASK_CUSTOM: return read_custom(part, scratch, value, message, capacity);
    default: *value = part->as.scalar; return RASK_OK;
    }
}

static int read_list(const rk_image *image, const rk_scratch *scratch, rask_value *value, char *message,
                     size_t capacity)
{
    rask_value *items = rk_alloc_array(image->count ? image->count : 1, sizeof *items);
    if (!items)
        return no_memory("a list that is read back", message, capacity);
    uint64_t count = 0;
    int status = RASK_OK;
    for (; count < image->count && !status; count++) {
        items[count] = rask_value_none();
        status = read_part(&image->parts[count], scratch, &items[count], message, capacity);
    }
    if (!status && (status = rask_value_list_new(items, count, value)))
        no_memory("a list that is read back", message, capacity);
    for (uint64_t i = 0; i < count; i++)
        rask_value_unref(&items[i]);
    rk_free(items);
    return status;
}

int rk_image_read(const rk_image *image, const rk_scratch *scratch, rask_value *value, char *message,
                  size_t capacity)
{
    return image->list ? read_list(image, scratch, value, message, capacity)
                       : read_part(image->parts, scratch, value, message, capacity);
}

uint64_t rk_image_bytes(const rk_image *image)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < image->count; i++)
        bytes += image->parts[i].bytes;
    return bytes;
}

void rk_image_fini(rk_image *image, rk_scratch *scratch)
{
    for (uint64_t i = 0; i < image->count; i++) {
        rk_image_part *part = &image->parts[i];
        if (part->place != RK_NO_PLACE)
            rk_scratch_give(scratch, part->place, part->bytes);
        if (part->type == RASK_BLOCK)
            rk_free(part->as.shape);
    }
    rk_free(image->parts);
    *image = (rk_image){0};
}
