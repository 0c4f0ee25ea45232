/* schedulers/checkpoint/journal: results of finished calls in a folder, by their keys: written whole or not at all, and read back
 * only when every byte is what it was.
 *
 * One process uses a folder at a time; all of its runs on that folder share one journal. Small results go to a log (log.h), each
 * large one to a file of its own, which gets its name when it is on the disk. When the disk takes no more, the journal keeps what it
 * has and takes nothing any more; its note says so. All calls are thread-safe. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_JOURNAL_H
#define RASK_SCHEDULERS_CHECKPOINT_JOURNAL_H

#include "schedulers/checkpoint/key.h"

#include <rask/value.h>

typedef struct rk_journal rk_journal;

enum { RK_JOURNAL_NOTE = 256 };

/* The journal of the folder, which is made where there is none; a reference to it. NULL: this process was forked from the one that
 * uses it, as workers are: what they compute within their tasks is not kept. RASK_EIO: the folder cannot be used, or another
 * process uses it; RASK_ENOMEM, RASK_ESYSTEM; with a message. */
int rk_journal_open(const char *folder, rk_journal **out, char *message, size_t capacity);

/* Ends a reference. With the last one everything goes to the disk. NULL is legal. */
void rk_journal_close(rk_journal *journal);

/* Whether it holds a result of that key, and its bytes on disk. */
bool rk_journal_find(rk_journal *journal, rk_key key, uint64_t *bytes);

/* The result. RASK_EFORMAT: it is damaged, and is not found any more; RASK_ENOMEM; with a message. May block. */
int rk_journal_read(rk_journal *journal, rk_key key, rask_value *value, char *message, size_t capacity);

/* Keeps a result, unless it is there already, or cannot be encoded. Functions of the value's class are called. Large results are
 * on the disk when this returns. */
void rk_journal_put(rk_journal *journal, rk_key key, const rask_value *value);

/* What was put is in files; it may not be on the disk yet. */
void rk_journal_flush(rk_journal *journal);

typedef struct rk_journal_figures {
    uint64_t kept, bytes; /* results that were put since it was opened, and their bytes */
    uint64_t damaged;     /* results that turned out to be damaged when they were read */
} rk_journal_figures;

rk_journal_figures rk_journal_get_figures(rk_journal *journal);

/* What people should know of it: something there is not used, or nothing is kept any more. "": nothing. */
void rk_journal_get_note(rk_journal *journal, char note[RK_JOURNAL_NOTE]);

#endif
