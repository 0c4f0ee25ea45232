/* collections/array/modules/codecs: what the module rask-codecs gives to the library: compressed chunks, by libdeflate,
 * libzstd and Blosc. All calls are thread-safe and use the calling thread alone. */
#ifndef RASK_COLLECTIONS_ARRAY_MODULES_CODECS_H
#define RASK_COLLECTIONS_ARRAY_MODULES_CODECS_H

#include "core/base/module.h"

#define RK_CODECS_MODULE "rask-codecs"

typedef enum rk_codec {
    RK_CODEC_GZIP,  /* RFC 1952; members one after another are read, one is written */
    RK_CODEC_ZLIB,  /* RFC 1950 */
    RK_CODEC_ZSTD,  /* RFC 8878 */
    RK_CODEC_BLOSC, /* Blosc 1 with LZ4, whose frames say which compressor they need */
    RK_CODECS
} rk_codec;

typedef struct rk_codecs_module {
    rk_module_head head;
    /* Decodes len bytes, which are hostile, into at most capacity bytes at out: *out_len of them. RASK_EFORMAT: damaged,
     * or more than fit; RASK_EUNSUPPORTED; RASK_ENOMEM; with what is wrong in *reason, which is static. */
    int (*decode)(rk_codec codec, const void *data, size_t len, void *out, size_t capacity, size_t *out_len,
                  const char **reason);
    /* Bytes that encode() may need for len bytes. */
    size_t (*bound)(rk_codec codec, size_t len);
    /* Encodes len bytes of elements of size bytes into out, of bound(len) bytes. level: as the codec counts, 0: its usual
     * one; too large ones are its largest. RASK_ENOMEM, RASK_ELIMIT: too long for this codec, with *reason as above. */
    int (*encode)(rk_codec codec, int level, size_t size, const void *data, size_t len, void *out,
                  size_t *out_len, const char **reason);
} rk_codecs_module;

#endif
