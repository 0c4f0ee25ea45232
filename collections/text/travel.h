/* collections/text/travel: lists of files as bytes, for other processes of a cluster, which read the files themselves.
 *
 * A file goes as its absolute path with its size and time of change, which whoever opens it compares (bytes.h). */
#ifndef RASK_COLLECTIONS_TEXT_TRAVEL_H
#define RASK_COLLECTIONS_TEXT_TRAVEL_H

#include "collections/files/elsewhere.h"
#include "collections/text/files.h"

/* RASK_OK; or with error RASK_EUNSUPPORTED (standard input that is a file), or why a path cannot be found. */
int rk_text_files_put(const rk_text_files *files, rk_pack_out *out, rk_open_error *error);
/* RASK_OK; RASK_EFORMAT or RASK_ENOMEM, with files to be ended, too. */
int rk_text_files_get(rk_pack_in *in, rk_text_files *files);
/* Whether all of them that are no streams are here as they were: RASK_OK, or RASK_EIO with error, which names the machine. */
int rk_text_files_check(const rk_text_files *files, rk_open_error *error);

#endif
