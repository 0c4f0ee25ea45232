/* collections/table/modules/bodies: what the module rask-arrow gives to the library: the buffers of Arrow's compressed batches, by
 * liblz4 and libzstd. All calls are thread-safe and use the calling thread alone. */
#ifndef RASK_COLLECTIONS_TABLE_MODULES_BODIES_H
#define RASK_COLLECTIONS_TABLE_MODULES_BODIES_H

#include "core/base/module.h"

#define RK_BODIES_MODULE "rask-arrow"

/* As Message.fbs numbers them. */
typedef enum rk_body_codec {
    RK_BODY_LZ4,  /* frames of LZ4 */
    RK_BODY_ZSTD, /* RFC 8878 */
    RK_BODY_CODECS
} rk_body_codec;

typedef struct rk_bodies_module {
    rk_module_head head;
    /* Decodes len bytes, which are hostile, into exactly size bytes. RASK_EFORMAT, RASK_ENOMEM; with what is wrong in *reason, which is
     * static. */
    int (*decode)(rk_body_codec codec, const void *data, size_t len, void *out, size_t size,
                  const char **reason);
    /* Bytes that encode() may need for len bytes. */
    size_t (*bound)(rk_body_codec codec, size_t len);
    /* Encodes len bytes into out, of bound(len) bytes. As decode() fails. */
    int (*encode)(rk_body_codec codec, const void *data, size_t len, void *out, size_t *out_len,
                  const char **reason);
} rk_bodies_module;

#endif
