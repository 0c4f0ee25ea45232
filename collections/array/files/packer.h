/* collections/array/files/packer: boxes written as chunks of a regular grid, each encoded by itself. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_PACKER_H
#define RASK_COLLECTIONS_ARRAY_FILES_PACKER_H

#include "collections/array/files/codecs.h"

typedef struct rk_packer {
    const rk_sink *sink;            /* its dtype, shape and chunk, which has no 0 */
    const char *path;               /* for messages */
    const rk_codecs_module *codecs; /* NULL: chunks stay as they are */
    rk_codec codec;
    int level;
    /* Keeps the len bytes that chunk index[] is. Called from several threads at once. */
    int (*put)(void *context, const int64_t *index, const void *data, size_t len, char *message,
               size_t capacity);
    void *context;
} rk_packer;

/* Memory that one rk_packer_write() takes for a moment. */
uint64_t rk_packer_scratch(const rk_packer *packer);

/* All chunks of a box, which is whole chunks; those at the end of an axis are filled up with zeros. Thread-safe. */
int rk_packer_write(const rk_packer *packer, const int64_t *start, const int64_t *count, const void *data,
                    char *message, size_t capacity);

/* Those of a part of the box alone, likewise whole chunks. */
typedef struct rk_packer_box {
    const int64_t *start, *count;           /* of the box that data is */
    const int64_t *part_start, *part_count; /* in the array, too */
    const void *data;
} rk_packer_box;
int rk_packer_write_part(const rk_packer *packer, const rk_packer_box *box, char *message, size_t capacity);

#endif
