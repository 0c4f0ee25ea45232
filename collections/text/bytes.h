/* collections/text/bytes: the bytes of a file as they are, from one position to another. What readers stand on. */
#ifndef RASK_COLLECTIONS_TEXT_BYTES_H
#define RASK_COLLECTIONS_TEXT_BYTES_H

#include "collections/text/files.h"

/* How text is read; a zeroed one is usual. */
typedef struct rk_text_options {
    bool (*cancelled)(void *context); /* asked between blocks, and while a stream has nothing; may be NULL */
    void *context;
    size_t block;   /* bytes that a buffer of lines begins with; 0: RK_TEXT_BLOCK */
    size_t longest; /* bytes of the longest line; 0: RK_MAX_TEXT_LINE */
    bool
        words; /* any white space ends what rk_text_lines calls a line: whole words are given, not whole lines */
} rk_text_options;

enum { RK_TEXT_BLOCK = 256 << 10 };

typedef struct rk_text_bytes {
    const rk_text_file *file;
    rk_text_options options;
    int fd;
    uint64_t at, end; /* of a stream: at counts what was read */
    uint64_t first_end;
    uint64_t asked; /* up to here the system was told to read */
    bool cold;      /* it had not all of it in memory */
} rk_text_bytes;

/* Opens file, which must outlive bytes, to read [begin, end) of it: all of it, of a stream. RASK_EIO: also when it has
 * changed since it was listed; RASK_ENOENT, RASK_ENOMEM. Then bytes is untouched. */
int rk_text_bytes_open(rk_text_bytes *bytes, const rk_text_file *file, uint64_t begin, uint64_t end,
                       const rk_text_options *options, rk_text_error *error);

/* Reads at most len bytes, which is not 0, and 1 MiB; *got is 0 at the end only. Blocks for as long as a stream has
 * nothing. RASK_ECANCELLED; RASK_EIO: also when the file has changed since it was listed. */
int rk_text_bytes_read(rk_text_bytes *bytes, void *data, size_t len, size_t *got, rk_text_error *error);

void rk_text_bytes_close(rk_text_bytes *bytes);

#endif
