/* collections/bag/modules/compress: what the module rask-compress gives to the library: gzip by zlib, zstd. */
#ifndef RASK_COLLECTIONS_BAG_MODULES_COMPRESS_H
#define RASK_COLLECTIONS_BAG_MODULES_COMPRESS_H

#include "core/base/module.h"

#define RK_COMPRESS_MODULE "rask-compress"

enum { RK_COMPRESS_GZIP, RK_COMPRESS_ZSTD, RK_COMPRESSORS };

struct rk_compressor {
    /* Bytes that so many can become at most. */
    size_t (*bound)(size_t len);
    /* All of it, into a buffer of *out_len bytes, which is bound() of it; *out_len: bytes made. RASK_ENOMEM, RASK_ELIMIT. */
    int (*run)(const void *in, size_t len, void *out, size_t *out_len);
};

typedef struct rk_compress_module {
    rk_module_head head;
    const struct rk_compressor *compressors[RK_COMPRESSORS]; /* NULL: built without */
} rk_compress_module;

#endif
