/* collections/bag/compressor: text that tasks print, compressed piece by piece: each piece is a member (gzip) or a frame
 * (zstd) of its own, so that pieces behind one another are a whole file. */
#ifndef RASK_COLLECTIONS_BAG_COMPRESSOR_H
#define RASK_COLLECTIONS_BAG_COMPRESSOR_H

#include <rask/value.h>

typedef struct rk_compressor rk_compressor;

/* The one for a file of this name: NULL where nothing is to be compressed. RASK_EUNSUPPORTED: what it needs is not
 * installed, with a message. Thread-safe. */
int rk_compressor_find(const char *path, const rk_compressor **compressor, char *message, size_t capacity);

/* The text as one piece. RASK_ENOMEM, RASK_ELIMIT, with a message. */
int rk_compressor_run(const rk_compressor *compressor, rask_bytes text, rask_value *out, char *message,
                      size_t capacity);

#endif
