/* collections/text/modules/decompress: what the module rask-decompress gives to the library: streams of gzip (by ISA-L,
 * or zlib), zstd, xz and bzip2, decoded piece by piece.
 *
 * A *member* is what such a file is a row of: a gzip member, a zstd frame, an xz stream, a bzip2 stream. A decoder knows
 * one member at a time; what may stand between members is the library's affair (reader.c). */
#ifndef RASK_COLLECTIONS_TEXT_MODULES_DECOMPRESS_H
#define RASK_COLLECTIONS_TEXT_MODULES_DECOMPRESS_H

#include "core/base/module.h"

#define RK_DECOMPRESS_MODULE "rask-decompress"

typedef enum rk_compression {
    RK_PLAIN,
    RK_GZIP, /* RFC 1952 */
    RK_BGZF, /* gzip whose members tell their length, so that it can be cut */
    RK_ZSTD, /* RFC 8878 */
    RK_XZ,
    RK_BZIP2,
    RK_COMPRESSIONS,
    RK_UNKNOWN = RK_COMPRESSIONS /* of a stream that nobody has read from yet */
} rk_compression;

/* Where the decoders' memory comes from. */
typedef struct rk_decompress_memory {
    void *(*alloc)(size_t size);
    void (*free)(void *ptr);
} rk_decompress_memory;

enum { RK_DECOMPRESS_PADDING = 64 };

/* What there is to decode and where to: both ends move. */
typedef struct rk_decompress_io {
    const uint8_t *in;
    uint8_t *out;
    size_t in_len, out_len;
    bool ended; /* the member has ended, and what comes behind it was not touched */
} rk_decompress_io;

/* One member after another. A state is used by one thread at a time; different ones share nothing. */
typedef struct rk_decoder {
    /* A state that stands before a member; end() it. memory must outlive it. RASK_ENOMEM. */
    int (*begin)(const rk_decompress_memory *memory, void **state);
    /* Stands before a member again. RASK_ENOMEM. */
    int (*restart)(void *state);
    /* Goes on for as long as there is input and room, which is not empty. Without any progress, more input is needed.
     * RK_DECOMPRESS_PADDING bytes behind the input must be readable: not every library stops right at the end.
     * RASK_EFORMAT: damaged; RASK_ELIMIT: needs too much memory; RASK_EUNSUPPORTED; RASK_ENOMEM; with what is wrong in
     * *reason, which is static. Then there is only end(). */
    int (*run)(void *state, rk_decompress_io *io, const char **reason);
    /* NULL is legal. */
    void (*end)(void *state);
} rk_decoder;

typedef struct rk_decompress_module {
    rk_module_head head;
    const rk_decoder *decoders[RK_COMPRESSIONS]; /* NULL: built without */
} rk_decompress_module;

#endif
