/* core/value: the objects behind values.
 *
 * An object is written by its maker before anyone else sees it and is immutable from then on, but for refs
 * and store. refs counts values that refer to it. store says which store counts its bytes; it is set once,
 * when a task first returns the object, and taken back when the run hands its results out (core/store). */
#ifndef RASK_CORE_VALUE_VALUE_H
#define RASK_CORE_VALUE_VALUE_H

#include "core/base/atomic.h"

#include <rask/value.h>

struct rk_store;

typedef struct rask_object {
    rk_atomic_u32 refs;
    uint16_t type;
    bool fits;   /* it and everything a list holds has a form on disk (core/store/image) */
    size_t own;  /* bytes of this object: header, content, and what a custom value says it holds */
    size_t deep; /* with everything a list holds */
    _Atomic(struct rk_store *) store;
    struct rask_object *next_dead; /* while lists are being ended */
} rask_object;

typedef struct rk_list {
    rask_object head;
    size_t count;
    rask_value items[];
} rk_list;

static inline bool rk_value_is_object(const rask_value *value)
{
    return value->type >= RASK_BYTES;
}

static inline rk_list *rk_value_list(const rask_value *value)
{
    return (rk_list *)value->as.object;
}

/* The class of a custom value, and what it wraps. */
const rask_class *rk_value_class(const rask_value *value);
void *rk_value_custom_data(const rask_value *value);

/* Equal for equal values (rask_value_equal), and rarely for others; objects that nothing but themselves is equal to go by their
 * address. */
uint64_t rk_value_hash(const rask_value *value);

/* Where the content of bytes and blocks of `least` bytes and more is allocated when not by rk_alloc(): memory that
 * other processes see. */
typedef struct rk_value_memory {
    size_t least;
    void *(*alloc)(size_t bytes); /* NULL when there is none */
    void (*free)(void *at);
} rk_value_memory;

/* From here on, in this process; NULL: rk_alloc() again. Not while tasks run. */
void rk_value_use_memory(const rk_value_memory *use);
/* Does the content of this bytes value or block come from there, and where does its memory begin? */
bool rk_value_memory_of(const rask_value *value, void **at);

/* Bytes, with a NUL behind them, that stay valid until release(owner) is called; release may be NULL. On failure it
 * is not called. RASK_ENOMEM. */
int rk_value_bytes_adopt(const char *data, size_t len, void (*release)(void *owner), void *owner,
                         rask_value *out);

#endif
