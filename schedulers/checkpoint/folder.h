/* schedulers/checkpoint/folder: the folder of a journal: who may use it, whose it is now, and what holds for all that is in it.
 *
 *   rask-2.head     a number drawn once, which hashes of collections are seeded with, and the memory budget of the first run
 *   rask-2.lock     locked by the process that uses the folder
 *   rask-2.log      small results (log.h)
 *   KEY.rask-2      a large one; .KEY.rask-2 while it is written
 * 2 is the version: what another one made has other names, and is never looked into. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_FOLDER_H
#define RASK_SCHEDULERS_CHECKPOINT_FOLDER_H

#include "schedulers/checkpoint/key.h"

#include <limits.h>
#include <stddef.h>

#define RK_FOLDER_VERSION "rask-2"
#define RK_FOLDER_KEY     32 /* letters of a key */

enum { RK_FOLDER_NAME = RK_FOLDER_KEY + sizeof "." RK_FOLDER_VERSION + 1 };

/* What holds for all runs that share a folder. */
typedef struct rk_folder_head {
    uint64_t secret; /* drawn; never 0 */
    uint64_t memory; /* the budget of the first run that was given none */
} rk_folder_head;

/* Makes the folder if there is none, in one that is there. RASK_EIO: it is none, or cannot be written to, or everybody may
 * write to it; with a message. */
int rk_folder_make(const char *path, char *message, size_t capacity);

/* Its head, made when there is none; several processes may at once, and have the same. RASK_EIO, with a message. A head that is
 * none of ours is replaced. */
int rk_folder_head_of(const char *path, rk_folder_head *out, char *message, size_t capacity);

/* Locks the folder for this process. The lock ends with the process, and with the descriptor *out. RASK_EIO: another process has it, or
 * it cannot be locked; with a message. */
int rk_folder_lock(const char *path, int *out, char *message, size_t capacity);

/* Names of its files: RASK_EIO when the path is too long, with a message. */
int rk_folder_name(const char *path, const char *name, char out[PATH_MAX], char *message, size_t capacity);
/* "KEY.rask-2", with a dot before it while it is written. */
void rk_folder_name_key(rk_key key, bool whole, char out[RK_FOLDER_NAME]);

/* What a look at all names found. */
typedef struct rk_folder_names {
    void *context;
    /* Of each large result. RASK_OK, or a status that ends the look. */
    int (*visit)(void *context, rk_key key);
    bool others; /* another version has something here, too */
} rk_folder_names;

/* Looks at all names, and removes files that were never finished. Only with the lock. RASK_EIO, or what visit() returned; with a
 * message. */
int rk_folder_look(const char *path, rk_folder_names *names, char *message, size_t capacity);

/* Names that were made since are on the disk. */
void rk_folder_sync(const char *path);

#endif
