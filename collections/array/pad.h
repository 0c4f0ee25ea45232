/* collections/array/pad: what pads and the surroundings of overlaps share. */
#ifndef RASK_COLLECTIONS_ARRAY_PAD_H
#define RASK_COLLECTIONS_ARRAY_PAD_H

#include "collections/array/axes.h"

/* A number as one element of dtype (up to 16 bytes), cast as astype does; RASK_EINVAL when it is an array that is none. */
int rk_operand_element(const rask_operand *operand, rask_dtype dtype, void *element);

rk_axis_kind rk_pad_kind(rask_pad_mode mode);

#endif
