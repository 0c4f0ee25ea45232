/* collections/text/decoder: the module rask-decompress, when something compressed is met. */
#ifndef RASK_COLLECTIONS_TEXT_DECODER_H
#define RASK_COLLECTIONS_TEXT_DECODER_H

#include "collections/text/error.h"
#include "collections/text/modules/decompress.h"

/* The decoder for compression, which is not RK_PLAIN. RASK_EUNSUPPORTED: the module, or what it needs for this, is not
 * installed, with what to install; error names path. Thread-safe. */
int rk_decoder_find(rk_compression compression, const char *path, const rk_decoder **decoder,
                    rk_text_error *error);

#endif
