/* collections/text/reader: the decompressed bytes of a file, from one position to another.
 *
 * Memory: of a plain regular file none; else 128 KiB of input, and what the decoder needs: gzip 90 KiB, bzip2 4 MiB, zstd
 * and xz the window that the file asks for, usually 8 MiB, at most 128 and 256 MiB. How far the data expands does not
 * matter. */
#ifndef RASK_COLLECTIONS_TEXT_READER_H
#define RASK_COLLECTIONS_TEXT_READER_H

#include "collections/text/bytes.h"

typedef struct rk_text_reader rk_text_reader;

/* Reads [begin, end) of file, which must outlive the reader: positions in the file as it lies there, with begin <= end.
 * A compressed file is read as a whole (file->start to UINT64_MAX) or at cuts that rk_text_split() made; of a stream all is
 * read. options: NULL is usual. End it with rk_text_reader_free(). RASK_ENOENT, RASK_EIO, RASK_ENOMEM, and RASK_EUNSUPPORTED:
 * what decompresses it is not installed. */
int rk_text_reader_new(const rk_text_file *file, uint64_t begin, uint64_t end, const rk_text_options *options,
                       rk_text_reader **out, rk_text_error *error);

/* Reads up to capacity decompressed bytes, which is not 0, and 1 MiB; *got is 0 at the end only. For one thread at a time.
 * RASK_EFORMAT: truncated or damaged, or something else follows, with the byte of the compressed file; RASK_EIO: also when
 * the file has changed since it was listed; RASK_ELIMIT: decompressing needs too much memory; RASK_ECANCELLED,
 * RASK_EUNSUPPORTED, RASK_ENOMEM. After an error there is nothing more to read. */
int rk_text_reader_read(rk_text_reader *reader, void *buffer, size_t capacity, size_t *got,
                        rk_text_error *error);

/* Reads on behind the end, where *got was 0, to a later one: whoever reads a part of a file finds the end of the record
 * there that the part ended in. */
void rk_text_reader_extend(rk_text_reader *reader, uint64_t end);

const char *rk_text_reader_path(const rk_text_reader *reader);

/* Whether the bytes read are not those of the file: also known of a stream once it was read from. */
bool rk_text_reader_compressed(const rk_text_reader *reader);

/* NULL is legal. */
void rk_text_reader_free(rk_text_reader *reader);

#endif
