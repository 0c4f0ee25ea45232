/* collections/table/arrow/walk: a way through an Arrow file, message by message, as the files that go it share it: walk_schema.c, walk_batch.c,
 * walk_footer.c, and file.c, which begins it. What they read goes into an rk_arrow_file, and lies within the file; each call returns RASK_OK, or a
 * status, of which error tells with path and byte. */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_WALK_H
#define RASK_COLLECTIONS_TABLE_ARROW_WALK_H

#include "collections/table/arrow/file.h"
#include "collections/table/arrow/unflat.h"

enum {
    RK_ARROW_HEAD = 8, /* bytes of a message: a mark, and how long it is */
    RK_ARROW_MAGIC = 6,
    RK_ARROW_AHEAD = 8, /* the magic that a file begins with, with padding */
    RK_ARROW_METADATA = 256 << 20,
    RK_ARROW_BATCHES = 1 << 24,
};

/* A message, as a footer has it. */
typedef struct rk_arrow_part {
    uint64_t kind, place, metadata, body; /* its header; bytes before the body, and of the body */
} rk_arrow_part;

typedef struct rk_arrow_walk {
    rk_arrow_file *file;
    rk_open_error *error;
    uint64_t at, end;           /* of the messages */
    const rk_arrow_part *block; /* of a file with a footer: the message to be read; NULL: of a stream */
} rk_arrow_walk;

/* status, with the byte where the walk is. */
int rk_arrow_walk_fail(const rk_arrow_walk *w, int status, const char *what);
int rk_arrow_walk_fail_memory(const rk_arrow_walk *w);

/* Exactly len bytes. */
int rk_arrow_walk_bytes(const rk_arrow_walk *w, void *data, size_t len, uint64_t place);

/* The message at this place, whose first eight bytes are head; moves behind it. */
int rk_arrow_walk_message(rk_arrow_walk *w, const uint32_t head[2]);

/* Columns of a schema: names, layouts, which have dictionaries. */
int rk_arrow_walk_schema(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *schema);
/* The schema at the front of a file whose footer has been read: it has to be the same. */
int rk_arrow_walk_compare(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *schema);

/* Where a batch, or the values of a dictionary, have their buffers, in size bytes from begin on; dictionaries are loaded at once. */
int rk_arrow_walk_batch(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *t, uint64_t begin,
                        uint64_t size);
int rk_arrow_walk_dictionary(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *t, uint64_t begin,
                             uint64_t size);

/* A file of size bytes by its footer: what that says is read, and nothing else may be there. */
int rk_arrow_walk_file(rk_arrow_walk *w, uint64_t size);

#endif
