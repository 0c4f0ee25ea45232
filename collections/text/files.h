/* collections/text/files: what the user named, as a list of files to read.
 *
 * A name is a path, a pattern as glob(3) knows them, a folder, which stands for the files in it, or "-", which is standard
 * input. A regular file can be read at any position, by many at once; all else (pipes, terminals, sockets) is a stream,
 * which is read once, from its beginning. */
#ifndef RASK_COLLECTIONS_TEXT_FILES_H
#define RASK_COLLECTIONS_TEXT_FILES_H

#include "collections/text/error.h"
#include "collections/text/modules/decompress.h"

#define RK_TEXT_UNKNOWN_SIZE UINT64_MAX

typedef struct rk_text_file {
    char *path;                 /* "-": standard input; owned by the list */
    uint64_t start;             /* where standard input stands; else 0 */
    uint64_t size;              /* RK_TEXT_UNKNOWN_SIZE: of streams, and of files like those in /proc */
    int64_t changed_ns;         /* its modification time */
    rk_compression compression; /* by what it begins with; RK_UNKNOWN: a stream */
    uint8_t begin[8]; /* its first bytes, then zeros; of streams, and of files in other processes, nothing */
    bool stream;
} rk_text_file;

typedef struct rk_text_files {
    rk_text_file *files; /* in the order of the names, those of one name sorted */
    size_t count;
    uint64_t bytes; /* of files of known size together */
} rk_text_files;

/* Finds the files that names stand for; end it with rk_text_files_fini(). Every regular file is opened for a moment,
 * streams are not touched. Of a folder: the regular files whose names begin with no dot, in the order of their bytes; of
 * a pattern: what matches and is no folder, in the order of glob(3). A path that exists is never taken for a pattern.
 * RASK_EINVAL: no or an empty name; RASK_ENOENT: no such file, or a pattern or a folder without any; RASK_EIO: one that
 * cannot be read; RASK_ELIMIT: more than RK_MAX_TEXT_FILES; RASK_ENOMEM. Then files is untouched. */
int rk_text_files_init(rk_text_files *files, const char *const *names, size_t count, rk_text_error *error);
/* Legal for a zeroed list. */
void rk_text_files_fini(rk_text_files *files);

#endif
