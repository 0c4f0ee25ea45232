/* collections/text/modules/decoders: the decoders that the module may be built with. */
#ifndef RASK_COLLECTIONS_TEXT_MODULES_DECODERS_H
#define RASK_COLLECTIONS_TEXT_MODULES_DECODERS_H

#include "collections/text/modules/decompress.h"

extern const rk_decoder rk_decoder_isal;
extern const rk_decoder rk_decoder_zlib;
extern const rk_decoder rk_decoder_zstd;
extern const rk_decoder rk_decoder_xz;
extern const rk_decoder rk_decoder_bzip2;

/* Sets *reason; returns status. */
static inline int rk_decoder_wrong(int status, const char *what, const char **reason)
{
    *reason = what;
    return status;
}

#endif
