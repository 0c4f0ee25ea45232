/* collections/files/elsewhere: files that other processes of a cluster read for themselves.
 *
 * What goes is not what a file holds, but where it is, how long it is and when it was last changed. A process that finds
 * another file there, or none, says so with the path and its machine's name, and never reads what was not meant. */
#ifndef RASK_COLLECTIONS_FILES_ELSEWHERE_H
#define RASK_COLLECTIONS_FILES_ELSEWHERE_H

#include "collections/files/file.h"
#include "core/task/pack.h"

/* Appends the regular file that is open as fd. path: what messages call it. RASK_OK; or with error RASK_EUNSUPPORTED, when it is
 * not under its name any more, RASK_EIO. */
int rk_file_put(rk_pack_out *out, int fd, const char *path, rk_open_error *error);
/* The same by its name; a link is followed now. */
int rk_file_put_named(rk_pack_out *out, const char *path, rk_open_error *error);

/* The next file, open for reading, and its absolute path, which the caller frees (NULL: not wanted); -1 with error: it is not there,
 * or another one. RASK_EFORMAT: the bytes are of no file (in->failed is set). */
int rk_file_get(rk_pack_in *in, char **path, rk_open_error *error);

/* Adds the name of this machine to an error, for somebody elsewhere. */
void rk_open_error_say_where(rk_open_error *error);

/* What encode() of a class gives: bytes becomes what is in out or, where status is not RASK_OK, error's text. Returns the status;
 * ends out. */
int rk_encoded(rk_pack_out *out, int status, const rk_open_error *error, rask_value *bytes);

#endif
