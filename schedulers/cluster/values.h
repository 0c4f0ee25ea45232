/* schedulers/cluster/values: values as bytes for another process of the same program. Bytes, blocks in row-major order, scalars,
 * lists of anything to any depth, and customs whose class has encode() and decode() and lies in a module. Checkpoints keep the same
 * bytes on disk: with another form RK_FOLDER_VERSION (schedulers/checkpoint/folder.h) changes. */
#ifndef RASK_SCHEDULERS_CLUSTER_VALUES_H
#define RASK_SCHEDULERS_CLUSTER_VALUES_H

#include "core/task/pack.h"
#include "core/value/value.h"

/* Appends the value; a result that is missing (a value none that is reserved) stays that. User functions are called. RASK_ENOMEM,
 * RASK_EUNSUPPORTED (a class without encode() and decode(), or made at run time), or what encode() returned; with a message, and
 * what was appended is of no use. */
int rk_pack_put_value(rk_pack_out *out, const rask_value *value, char *message, size_t capacity);

/* Large bytes and blocks whose elements stand in a row need not be copied: appends what comes before them, and *rest is the rest, the
 * value's own. False: it is no such value, or there is no memory. */
bool rk_pack_put_flat(rk_pack_out *head, const rask_value *value, rask_bytes *rest);

/* There are customs in it, so that writing it calls their encode(); true also when there was no memory to look. */
bool rk_pack_has_customs(const rask_value *value);

/* The next value. RASK_EFORMAT: the bytes are none; RASK_ENOMEM, or what decode() returned; with a message. */
int rk_pack_get_value(rk_pack_in *in, rask_value *value, char *message, size_t capacity);

/* The same for such a value, in the memory that it came in: encoded is rk_alloc()'s, has a NUL behind its size bytes, and is the
 * value's from here on. False: then it is not, and nothing was done. */
bool rk_pack_adopt_value(char *encoded, uint64_t size, rask_value *value);

#endif
