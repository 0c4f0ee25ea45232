/* collections/table/arrow/layout: values of an Arrow array of any format that fits a column, read as that column.
 *
 * What formats are called and how their buffers lie: https://arrow.apache.org/docs/format/CDataInterface.html and Columnar.html. */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_LAYOUT_H
#define RASK_COLLECTIONS_TABLE_ARROW_LAYOUT_H

#include "collections/table/memory.h"

#include <rask/arrow.h>

typedef struct rk_arrow_layout rk_arrow_layout;

/* Values of a format: at most RK_BATCH_ROWS of them, first of which is number first of the buffers. out->nulls and
 * out->valid are set already. */
typedef int rk_arrow_read(const rk_arrow_layout *layout, uint64_t first, uint32_t rows, rk_column *out,
                          rk_memory_error *error);

struct rk_arrow_layout {
    rk_arrow_read *read;
    rask_column_type type;
    uint32_t buffers;         /* that an array of this format has; UINT32_MAX: at least 3 */
    int64_t multiply, divide; /* of times, to microseconds or days; 1: not at all */
    uint64_t width;           /* of w:N */
    uint64_t bits;            /* of a value, or of where text ends; 0: there is nothing */

    /* Of an array. */
    uint64_t offset, length; /* rows are offset … offset + length - 1 of the buffers */
    uint64_t row;            /* that the first of them is, for messages */
    const uint8_t *valid;    /* bits; NULL: no nulls */
    const void *values, *bytes;
    const void *const *views; /* of vu, vz: buffers that views speak of, and their sizes */
    const int64_t *view_sizes;
    uint64_t view_count;
    rk_arrow_layout *indices; /* of a dictionary: what is read first; NULL: none */
    rk_column dictionary;     /* its values, of any number */
    uint64_t dictionary_count;
};

/* What a format is read as, without an array. False: it fits no column. */
bool rk_arrow_format(const char *format, rk_arrow_layout *layout);

/* Whether it is the one that has no values: "n". */
static inline bool rk_arrow_is_null(const rk_arrow_layout *layout)
{
    return !layout->buffers;
}

/* Sets what layout has of an array. NULL, or what is wrong with it. */
const char *rk_arrow_bind(rk_arrow_layout *layout, const struct ArrowArray *array);

/* What elements of dtype are read as, as they lie in a block; RASK_COLUMN_TYPES: they fit no column. */
rask_column_type rk_arrow_dtype(rask_dtype dtype);
/* Sets layout to the elements of a block of one axis, C order, of such a dtype. */
void rk_arrow_layout_block(rk_arrow_layout *layout, const rask_block *block);

/* Values of a layout from row first of the array on, with their nulls: an rk_memory_read whose column's layout is an
 * rk_arrow_layout. */
rk_memory_read rk_arrow_read_rows;

/* Makes layout, whose indices are to be set, give what stands in a dictionary, values: all of them are read now, and text points to
 * where they are. RASK_OK, or a status with a reason; to be ended by rk_arrow_dictionary_fini() in either case. */
int rk_arrow_dictionary_init(rk_arrow_layout *layout, const rk_arrow_layout *values, rk_memory_error *error);
void rk_arrow_dictionary_fini(rk_arrow_layout *layout);

#endif
