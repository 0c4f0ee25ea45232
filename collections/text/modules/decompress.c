/* rask-decompress: which decoders this build has. */
#include "collections/text/modules/decoders.h"

#if defined(RASK_WITH_ISAL)
#    define GZIP &rk_decoder_isal
#elif defined(RASK_WITH_ZLIB)
#    define GZIP &rk_decoder_zlib
#else
#    define GZIP NULL
#endif

RASK_API extern const rk_decompress_module rask_module;
const rk_decompress_module rask_module = {
    .head = RK_MODULE_HEAD(rk_decompress_module),
    .decoders =
        {
            [RK_GZIP] = GZIP,
            [RK_BGZF] = GZIP,
#ifdef RASK_WITH_ZSTD
            [RK_ZSTD] = &rk_decoder_zstd,
#endif
#ifdef RASK_WITH_XZ
            [RK_XZ] = &rk_decoder_xz,
#endif
#ifdef RASK_WITH_BZIP2
            [RK_BZIP2] = &rk_decoder_bzip2,
#endif
        },
};
