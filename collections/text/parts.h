/* collections/text/parts: files as parts that tasks read: large files are cut, small ones put together.
 *
 * What can only be read front to back, and is large, is a part as all else, or is set apart as shared: then tasks that
 * count read it together (shared.h). */
#ifndef RASK_COLLECTIONS_TEXT_PARTS_H
#define RASK_COLLECTIONS_TEXT_PARTS_H

#include "collections/text/files.h"

typedef struct rk_text_range {
    uint32_t file;
    uint64_t begin, end; /* of the file as it lies there */
} rk_text_range;

typedef struct rk_text_parts {
    rk_text_range *ranges;
    uint32_t *first; /* part i has ranges first[i] … first[i + 1] - 1, in the order of the files */
    uint32_t count;
    rk_text_range *shared; /* whole files */
    uint32_t shared_count;
} rk_text_parts;

/* How to cut; a zeroed one with block_bytes is usual. */
typedef struct rk_text_cutting {
    uint64_t block_bytes; /* about, of text; at least 1 */
    bool whole;           /* compressed files are not cut: positions in a part are those in the file's text */
    bool share;           /* what is large and cannot be cut is shared */
} rk_text_cutting;

/* Files, or their parts, of no more than a block together are one part. RASK_ELIMIT: over RK_MAX_TEXT_PARTS; else as
 * rk_text_split(). */
int rk_text_parts_init(rk_text_parts *parts, const rk_text_files *files, const rk_text_cutting *cutting,
                       rk_text_error *error);
/* Legal for a zeroed one. */
void rk_text_parts_fini(rk_text_parts *parts);

/* Bytes of text that a file has: a guess for a compressed one, 0 for a stream. */
uint64_t rk_text_file_weight(const rk_text_file *file);

/* "PATH from 1024", "12 files": what a part is, for people. */
void rk_text_part_label(const rk_text_parts *parts, uint32_t part, const rk_text_files *files, char *text,
                        size_t capacity);

#endif
