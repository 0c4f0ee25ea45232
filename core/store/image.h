/* core/store/image: values in a scratch file.
 *
 * Bytes, blocks in row-major order, customs with encode() and decode(), and lists of these, of scalars and of lists, as
 * deep as they come, can go there. An image is what memory keeps of such a value meanwhile: little, however many items
 * there are. The caller holds the only reference to the value and keeps everybody else away. */
#ifndef RASK_CORE_STORE_IMAGE_H
#define RASK_CORE_STORE_IMAGE_H

#include "core/store/scratch.h"
#include "core/value/value.h"

/* Zeroed: there is no image. */
typedef struct rk_image {
    rk_array pieces;  /* of the file, which hold the value one after the other */
    rk_array classes; /* of customs in it: what stands in the file is an index */
} rk_image;

static inline bool rk_image_exists(const rk_image *image)
{
    return image->pieces.count;
}

/* Would go into an image, as far as types tell. */
static inline bool rk_image_fits(const rask_value *value)
{
    return rk_value_is_object(value) && value->as.object->fits;
}

/* parts: values, part_count of them, that are kept by themselves. Where their objects are met in the value, in this order, an
 * image has nothing but their numbers. */

/* Where a look at a value ended: at an object that somebody else held as well. Holds of this value, and these parts, only.
 * Zeroed: it has not been looked at. */
typedef struct rk_image_look {
    const rask_object *shared; /* which lives as long as the value */
    size_t item;               /* the item of the list that it is in, */
    uint32_t met;              /* and how many parts were met before that */
} rk_image_look;

/* No other value shares the objects in it, but for those of parts, so that memory comes free when it goes. Exact only
 * while nobody else can get at the value. Looks again at what was shared, and goes on from there: a value whose objects others let
 * go of one after the other is not walked as often. */
bool rk_image_is_alone(const rask_value *value, const rask_value *parts, uint32_t part_count,
                       rk_image_look *look);

/* Writes the value: the image is whole afterwards, or zeroed. RASK_EIO, RASK_ENOMEM, or what encode() returned, each
 * with a message. User functions are called. */
int rk_image_write(rk_image *image, rk_scratch *scratch, const rask_value *value, const rask_value *parts,
                   uint32_t part_count, char *message, size_t capacity);

/* The value once more, whose objects, but for those of parts, no store counts yet; the image stays. Fails as above. */
int rk_image_read(const rk_image *image, const rk_scratch *scratch, const rask_value *parts,
                  uint32_t part_count, rask_value *value, char *message, size_t capacity);

/* Bytes of it in the file: no more than the value's, unless a custom is larger there. */
uint64_t rk_image_bytes(const rk_image *image);

/* Gives its places back and zeroes it; a zeroed image is legal. */
void rk_image_fini(rk_image *image, rk_scratch *scratch);

#endif
