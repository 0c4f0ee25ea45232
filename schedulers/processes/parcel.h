/* schedulers/processes/parcel: values in shared memory.
 *
 * A parcel is a value of any shape written into extents of a region: one that says what the value is made of, with its
 * small content, and one for each large piece of content, which is the very memory that the task wrote into. Reading a
 * parcel makes values whose content stays where it is. Custom values go through their class's encode() and decode(). */
#ifndef RASK_SCHEDULERS_PROCESSES_PARCEL_H
#define RASK_SCHEDULERS_PROCESSES_PARCEL_H

#include "core/value/value.h"
#include "schedulers/processes/region.h"

/* One value of the tree, in preorder. */
typedef struct rk_part {
    uint32_t type; /* a rask_type */
    uint8_t dtype, ndim;
    union {
        rask_value scalar;
        uint64_t count;        /* items of a list, which follow, or are its content: then they are scalars */
        const rask_class *cls; /* processes that were forked have it in the same place */
    } as;
    const char *content;  /* bytes, encoded bytes, a block's first element */
    uint64_t bytes;       /* of it */
    const int64_t *shape; /* of a block: lengths, then strides */
} rk_part;

typedef struct rk_parcel {
    uint64_t bytes; /* what the value takes, as of rask_value_size() */
    uint64_t parts, extents;
    const rk_part *part;
    void **extent; /* contents of extents besides the parcel's own: some belong to other parcels, too */
} rk_parcel;

/* From so many bytes on content has an extent of its own. */
#define RK_PARCEL_LARGE ((size_t)32 << 10)

/* Writes value. What others refer to, too, is copied; content within the extents of `others` (arguments of the task)
 * is shared with them. *parcel is content of an extent of heap, and it and all it refers to are published.
 * account: as of rk_shared_heap_alloc(). RASK_ENOMEM, RASK_EUNSUPPORTED (a class without encode() and decode()), or what
 * encode() returned; with a message. Nothing is published then. */
int rk_parcel_write(rk_shared_heap *heap, rk_account *account, const rask_value *value,
                    const rk_parcel *const *others, size_t count, rk_parcel **parcel, char *message,
                    size_t capacity);

/* The same, for a process that was forked when rk_region_next_number() said this: large content that it sees stays where it is, and is
 * not among the parcel's extents. */
int rk_parcel_write_for(rk_shared_heap *heap, uint64_t regions, const rask_value *value, rk_parcel **parcel,
                        char *message, size_t capacity);

/* The value, valid as long as the parcel's extents are. RASK_ENOMEM, or what decode() returned; with a message. */
int rk_parcel_read(const rk_parcel *parcel, rask_value *value, char *message, size_t capacity);

/* The value, independent of the parcel: for who outlives the run. Large content stays where it is: keep() is called for
 * each extent that is, once for every use, and gives the owner that release() is called with when it ends; NULL fails. */
typedef struct rk_parcel_keeper {
    void *context;
    void *(*keep)(void *context, const char *content, uint64_t bytes);
    void (*release)(void *owner);
} rk_parcel_keeper;

int rk_parcel_take(const rk_parcel *parcel, const rk_parcel_keeper *keeper, rask_value *value, char *message,
                   size_t capacity);

/* Nobody but its owner refers to any part of a value that was read. */
bool rk_parcel_is_alone(const rask_value *value);

#endif
