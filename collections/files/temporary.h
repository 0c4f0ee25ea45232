/* collections/files/temporary: a file that has no name, or one that nobody looks for, until it is whole. */
#ifndef RASK_COLLECTIONS_FILES_TEMPORARY_H
#define RASK_COLLECTIONS_FILES_TEMPORARY_H

#include "collections/array/files/claim.h"

typedef struct rk_temporary {
    char *path;      /* what it will be called */
    char *name;      /* where it can be opened meanwhile */
    rk_claim *claim; /* of path */
    int fd;
    bool anonymous; /* it has no name in its folder: a process that is killed leaves nothing */
} rk_temporary;

/* A new file in the folder of path, open for reading and writing; where path leads through a link, of what it links to.
 * named: it must have a name in its folder from the beginning. False with error when it cannot be made, when what path names is no regular file, or when another sink is writing it. */
bool rk_temporary_open(rk_temporary *temporary, const char *path, bool named, rk_open_error *error);

/* All that was written is on the disk, and the file is there as path, in place of what was there: RASK_OK; else nothing
 * has changed, and a status and reason. Ends the temporary either way. */
int rk_temporary_commit(rk_temporary *temporary, char *message, size_t capacity);

/* Removes the file. A zeroed structure with fd -1 is legal. */
void rk_temporary_abort(rk_temporary *temporary);

/* A name beside path that is most likely not taken: ".BASE-XXXXXXXX.part", to be ended with rk_free(); NULL: no
 * memory. */
char *rk_temporary_name(const char *path);

/* path, or where its links lead, to be ended with rk_free(); NULL: no memory. */
char *rk_path_resolve(const char *path);

#endif
