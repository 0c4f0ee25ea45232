/* core/store/image: values in a scratch file.
 *
 * Bytes, blocks in row-major order, customs with encode() and decode(), and lists of these and of scalars
 * can go there. An image is what memory keeps of such a value meanwhile. The caller holds the only reference
 * to the value and keeps everybody else away. */
#ifndef RASK_CORE_STORE_IMAGE_H
#define RASK_CORE_STORE_IMAGE_H

#include "core/store/scratch.h"
#include "core/value/value.h"

/* Of a value that is no list, or of an item. */
typedef struct rk_image_part {
    uint64_t place, bytes;
    uint32_t type;
    uint8_t dtype, ndim; /* of a block */
    union {
        rask_value scalar;
        const rask_class *cls; /* of a custom */
        int64_t *shape;        /* of a block; own memory */
    } as;
} rk_image_part;

typedef struct rk_image {
    bool list;
    uint64_t count;       /* of parts: 1 unless it is a list */
    rk_image_part *parts; /* NULL: there is no image */
} rk_image;

/* Would go into an image, as far as its type tells. */
bool rk_image_fits(const rask_value *value);
/* No other value shares the objects in it, so that memory comes free when it goes. Exact only while nobody
 * else can get at the value. */
bool rk_image_is_alone(const rask_value *value);

/* Writes the value: the image is whole afterwards, or zeroed. RASK_EIO, RASK_ENOMEM, or what encode() returned, each
 * with a message. User functions are called. */
int rk_image_write(rk_image *image, rk_scratch *scratch, const rask_value *value, char *message,
                   size_t capacity);

/* The value once more, whose objects no store counts yet; the image stays. Fails as above. */
int rk_image_read(const rk_image *image, const rk_scratch *scratch, rask_value *value, char *message,
                  size_t capacity);

/* Bytes of it in the file. */
uint64_t rk_image_bytes(const rk_image *image);

/* Gives its places back and zeroes it; a zeroed image is legal. */
void rk_image_fini(rk_image *image, rk_scratch *scratch);

#endif
