/* collections/array/files/zarr: Zarr stores in folders, as the specifications of version 2 (zarr-specs, "Zarr storage
 * specification version 2") and 3 ("Zarr core specification version 3.0") have them: an array is a folder with a JSON
 * document about it, and a file for each chunk of a regular grid, which may be missing: then it is all fill value. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_ZARR_H
#define RASK_COLLECTIONS_ARRAY_FILES_ZARR_H

#include "collections/array/modules/codecs.h"
#include "collections/array/source.h"

enum {
    RK_ZARR_MAX_JSON = 16 << 20, /* bytes of a document */
    RK_ZARR_MAX_KEY = 400,       /* of a chunk: a number of up to 20 characters for each axis */
    RK_ZARR_SUM = 4,             /* bytes of a checksum behind a chunk */
    RK_ZARR_MAX_SUMS = 4,
    RK_ZARR_ENTRY = 16,          /* bytes of an index for each chunk of a shard */
    RK_ZARR_MAX_SHARD = 1 << 22, /* chunks */
};

/* Codec "sharding_indexed": files hold shards, boxes of whole chunks, each chunk encoded by itself. An index at the file's end
 * or start has for each chunk, in C order, its place and length as 64-bit integers, both all ones for one that is missing,
 * and checksums behind them. */
typedef struct rk_zarr_shards {
    bool used;
    int64_t shape[RASK_MAX_DIMENSIONS]; /* elements: multiples of the chunks' */
    int64_t count;                      /* chunks */
    bool index_first, index_swapped;
    uint32_t index_sums;
} rk_zarr_shards;

typedef struct rk_zarr_meta {
    rask_dtype dtype;
    bool swapped;
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS], chunk[RASK_MAX_DIMENSIONS];
    int64_t chunk_bytes;
    uint8_t
        order[RASK_MAX_DIMENSIONS]; /* axis of the array that is axis i of an encoded chunk, last fastest */
    char separator;
    bool prefixed;   /* keys begin with "c" */
    bool attributes; /* version 3: the document holds some, for users */
    bool compressed;
    rk_codec codec;         /* when compressed */
    uint32_t inner_sums;    /* CRC32C behind a chunk before it is compressed, */
    uint32_t outer_sums;    /* and after that */
    unsigned char fill[16]; /* an element */
    rk_zarr_shards shards;
} rk_zarr_meta;

/* Reads a document, .zarray or zarr.json. RASK_OK; RASK_EFORMAT, RASK_EUNSUPPORTED, RASK_ENOMEM with a reason. Version 3:
 * RASK_ETYPE and no reason for a document about a group. */
int rk_zarr_parse_v2(const char *text, size_t len, rk_zarr_meta *meta, char *message, size_t capacity);
int rk_zarr_parse_v3(const char *text, size_t len, rk_zarr_meta *meta, char *message, size_t capacity);

/* The name of a chunk's, or a shard's, file in the array's folder. */
void rk_zarr_key(const rk_zarr_meta *meta, const int64_t *index, char key[RK_ZARR_MAX_KEY]);

/* The document about an array; its length, without NUL; capacity is enough for any. codec_name NULL: not compressed. */
enum { RK_ZARR_DOCUMENT = 4096 };
size_t rk_zarr_format(const rk_zarr_meta *meta, int version, const char *codec_name, int level,
                      char text[RK_ZARR_DOCUMENT]);

/* Whether a store may take the place of what is at path: nothing, an empty folder, or a folder that holds one array and
 * nothing else. False, with error: RASK_EEXIST names what is in the way. */
bool rk_zarr_may_replace(const char *path, rk_open_error *error);

/* -- Shards (zarr_shard.c) */

/* Bytes of an index. */
static inline size_t rk_zarr_index_bytes(const rk_zarr_shards *shards)
{
    return (size_t)shards->count * RK_ZARR_ENTRY + shards->index_sums * RK_ZARR_SUM;
}

/* Which shard has chunk index[], and the chunk's number in it. */
int64_t rk_zarr_shard_of(const rk_zarr_meta *meta, const int64_t *index, int64_t *shard);

/* Indices whose checksums were found right: numbers of shards, by what of them fits. Zeroed at first. */
enum { RK_ZARR_CHECKED = 256 };
typedef struct rk_zarr_checked {
    rk_atomic_u64 shard[RK_ZARR_CHECKED];
} rk_zarr_checked;

/* Where chunk number `chunk` of a shard is in the shard's file, which has size bytes. *len 0: it is missing. RASK_EFORMAT,
 * RASK_EIO, RASK_ENOMEM with a reason. Thread-safe. */
typedef struct rk_zarr_part {
    int64_t offset;
    size_t len;
} rk_zarr_part;
int rk_zarr_shard_find(const rk_zarr_meta *meta, rk_zarr_checked *checked, const int64_t *shard,
                       int64_t chunk, int fd, int64_t size, rk_zarr_part *part, const char **reason);

/* The index of a shard: parts of all its chunks, as bytes; out has rk_zarr_index_bytes(). */
void rk_zarr_index_write(const rk_zarr_shards *shards, const rk_zarr_part *parts, unsigned char *out);

/* CRC32C (Castagnoli; RFC 3720, appendix B.4). */
uint32_t rk_crc32c(const void *data, size_t len);

#endif
