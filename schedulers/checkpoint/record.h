/* schedulers/checkpoint/record: what stands before the bytes of a result on disk, in the log and in files of their own. Numbers
 * stand as memory has them: a machine of another kind finds another magic number. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_RECORD_H
#define RASK_SCHEDULERS_CHECKPOINT_RECORD_H

#include "schedulers/checkpoint/key.h"

#include <stddef.h>

typedef struct rk_record {
    uint64_t magic;
    rk_key key;
    uint64_t length;  /* of the result's bytes, right behind */
    uint64_t content; /* their hash */
    uint64_t self;    /* the hash of all before */
} rk_record;

_Static_assert(sizeof(rk_record) == 48, "no byte of it is unset");

/* Which a record is of. */
#define RK_RECORD_LOG  UINT64_C(0x31676f6c6b736172)
#define RK_RECORD_FILE UINT64_C(0x31656c696b736172)

/* Bytes of a result in two pieces, one behind the other. */
typedef struct rk_pieces {
    const void *head, *tail;
    uint64_t head_size, tail_size;
} rk_pieces;

rk_record rk_record_of(uint64_t magic, rk_key key, const rk_pieces *pieces);

/* Whether it is one of that magic number, whole. */
bool rk_record_is(const rk_record *record, uint64_t magic);

/* Whether these are the bytes that it stands before. */
bool rk_record_fits(const rk_record *record, const void *bytes, uint64_t size);

/* All of them to a file, at that place; and from there. False: errno says why; a file that is too short is EIO. */
bool rk_write_at(int fd, const void *bytes, uint64_t size, uint64_t offset);
bool rk_read_at(int fd, void *bytes, uint64_t size, uint64_t offset);

#endif
