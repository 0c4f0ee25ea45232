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
};

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
} rk_zarr_meta;

/* Reads a document, .zarray or zarr.json. RASK_OK; RASK_EFORMAT, RASK_EUNSUPPORTED, RASK_ENOMEM with a reason. Version 3:
 * RASK_ETYPE and no reason for a document about a group. */
int rk_zarr_parse_v2(const char *text, size_t len, rk_zarr_meta *meta, char *message, size_t capacity);
int rk_zarr_parse_v3(const char *text, size_t len, rk_zarr_meta *meta, char *message, size_t capacity);

/* The name of a chunk's file in the array's folder. */
void rk_zarr_key(const rk_zarr_meta *meta, const int64_t *index, char key[RK_ZARR_MAX_KEY]);

/* The document about an array; its length, without NUL; capacity is enough for any. codec_name NULL: not compressed. */
enum { RK_ZARR_DOCUMENT = 4096 };
size_t rk_zarr_format(const rk_zarr_meta *meta, int version, const char *codec_name, int level,
                      char text[RK_ZARR_DOCUMENT]);

/* Whether a store may take the place of what is at path: nothing, an empty folder, or a folder that holds one array and
 * nothing else. False, with error: RASK_EEXIST names what is in the way. */
bool rk_zarr_may_replace(const char *path, rk_open_error *error);

/* CRC32C (Castagnoli; RFC 3720, appendix B.4). */
uint32_t rk_crc32c(const void *data, size_t len);

#endif
