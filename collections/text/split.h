/* collections/text/split: where a file can be cut, so that its parts are read by many at once. */
#ifndef RASK_COLLECTIONS_TEXT_SPLIT_H
#define RASK_COLLECTIONS_TEXT_SPLIT_H

#include "collections/text/files.h"

/* Part i is [at[i], at[i + 1]) of the file as it lies there. */
typedef struct rk_text_cuts {
    uint64_t *at; /* parts + 1 of them, ascending */
    size_t parts; /* at least 1 */
} rk_text_cuts;

/* Cuts file into parts of about block_bytes (at least 1) as it lies there, or of more where RK_MAX_TEXT_CUTS or the format
 * want it: a plain file at multiples of it, BGZF between blocks, zstd between frames; other compressed files, streams and
 * files of unknown size stay whole. Reads about 300 KiB for a cut of BGZF, and the headers of the blocks of zstd, of which
 * it looks at 65,536 and leaves what comes behind together. A cut of a damaged file may be wrong: then reading the part
 * before it fails. RASK_EIO, RASK_ENOENT, RASK_ENOMEM. End it with rk_text_cuts_fini(). */
int rk_text_split(const rk_text_file *file, uint64_t block_bytes, rk_text_cuts *cuts, rk_text_error *error);
/* Legal for zeroed cuts. */
void rk_text_cuts_fini(rk_text_cuts *cuts);

#endif
