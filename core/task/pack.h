/* core/task/pack: bytes that go from one process of a cluster to another, written and read in order.
 *
 * All processes of a run are the same program on machines of the same kind (the scheduler checks that), so numbers stand as memory
 * has them. What is read may be anything: a read beyond the end gives zeroes and is remembered, so that a decoder checks once. */
#ifndef RASK_CORE_TASK_PACK_H
#define RASK_CORE_TASK_PACK_H

#include "core/base/array.h"
#include "core/task/task.h"

/* Grows as it is written to. With counting nothing is kept but size. */
typedef struct rk_pack_out {
    char *data;
    uint64_t size, capacity;
    bool counting, failed; /* failed: no memory */
} rk_pack_out;

void rk_pack_put(rk_pack_out *out, const void *bytes, uint64_t size);
/* So many bytes that the caller fills in before the next call; NULL: counting, failed, or size is 0. */
char *rk_pack_put_room(rk_pack_out *out, uint64_t size);
void rk_pack_out_fini(rk_pack_out *out);
/* What was written, as bytes; out is empty then. RASK_ENOMEM, also when writing failed. For encode() of a class. */
int rk_pack_out_value(rk_pack_out *out, rask_value *bytes);

static inline void rk_pack_put_u8(rk_pack_out *out, uint8_t number)
{
    rk_pack_put(out, &number, sizeof number);
}

static inline void rk_pack_put_u32(rk_pack_out *out, uint32_t number)
{
    rk_pack_put(out, &number, sizeof number);
}

static inline void rk_pack_put_u64(rk_pack_out *out, uint64_t number)
{
    rk_pack_put(out, &number, sizeof number);
}

/* With their number before them. */
static inline void rk_pack_put_bytes(rk_pack_out *out, const void *bytes, uint64_t size)
{
    rk_pack_put_u64(out, size);
    rk_pack_put(out, bytes, size);
}

/* NULL is a text, too. */
void rk_pack_put_text(rk_pack_out *out, const char *text);

/* A function or an object of a module, so that the same program finds it, and loads a library for it that is not loaded there (see
 * core/task/plugin.h). RASK_EUNSUPPORTED: it is in no module. */
int rk_pack_put_place(rk_pack_out *out, uintptr_t address);

/* Values that are encoded between these on this thread are decoded together, in the same order: what one of them brings others need
 * not bring again. Not nested. */
void rk_pack_begin_together(void);
void rk_pack_end_together(void);
/* Which such time it is, never the same again in this process; 0: none. For encode(). */
uint64_t rk_pack_together(void);

typedef struct rk_pack_in {
    const char *at, *end;
    bool failed; /* something was read that is not there */
    const char
        *lacking; /* the library of a place, as it stands in the bytes, that could not be had; NULL: none */
} rk_pack_in;

/* The next size bytes, where they are; NULL: there are not so many. */
const char *rk_pack_get(rk_pack_in *in, uint64_t size);
uint8_t rk_pack_get_u8(rk_pack_in *in);
uint32_t rk_pack_get_u32(rk_pack_in *in);
uint64_t rk_pack_get_u64(rk_pack_in *in);
/* As put_bytes() wrote them; data is NULL after a failure. */
rask_bytes rk_pack_get_bytes(rk_pack_in *in);
/* As put_text() wrote it, in memory that the caller frees, or NULL. False: it is none (failed is set), or no memory. */
bool rk_pack_get_text(rk_pack_in *in, char **text);
/* As put_place() wrote it: size bytes there are readable, and code where that is asked for; 0: failed. */
uintptr_t rk_pack_get_place(rk_pack_in *in, size_t size, bool code);
/* Why the last place was not found. */
void rk_pack_tell_lacking(const rk_pack_in *in, char *reason, size_t capacity);

static inline uint64_t rk_pack_left(const rk_pack_in *in)
{
    return (uint64_t)(in->end - in->at);
}

#endif
