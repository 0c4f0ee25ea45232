/* schedulers/checkpoint/log: small results, one behind the other in one file, each with a record before it (record.h).
 *
 * What is appended is written by a thread of the log's own, many results at once: whoever appends copies bytes and goes on, and
 * waits only when the disk is slower than RK_CHECKPOINT_BUFFER bytes. After RK_CHECKPOINT_WRITE_NS at the latest it is in the
 * file, where the end of the process cannot harm it, and after RK_CHECKPOINT_SYNC_NS on the disk, where that of the machine cannot.
 * A log whose end is torn off loses just that. All calls but open and close are thread-safe. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_LOG_H
#define RASK_SCHEDULERS_CHECKPOINT_LOG_H

#include "schedulers/checkpoint/record.h"

typedef struct rk_log rk_log;

/* What a log was found to hold. */
typedef struct rk_log_findings {
    void *context;
    /* Of each whole result: where its record begins, and its length. RASK_OK, or a status that opening ends with. */
    int (*visit)(void *context, rk_key key, uint64_t offset, uint64_t length);
    uint64_t torn;    /* bytes at its end that are no results: they were cut off */
    uint32_t damaged; /* results whose bytes are not what they were */
    bool foreign;     /* the file was none: it was begun anew */
} rk_log_findings;

/* Opens the log, or begins one, for this process alone (its caller has seen to that). RASK_EIO, RASK_ENOMEM, RASK_ESYSTEM; with a
 * message. */
int rk_log_open(const char *path, rk_log_findings *findings, rk_log **out, char *message, size_t capacity);

/* Writes what was appended, to the disk, and ends the log. NULL is legal. */
void rk_log_close(rk_log *log);

/* Appends a result; record is that of its pieces, which are copied. False: the log takes no more, since writing failed. */
bool rk_log_append(rk_log *log, const rk_record *record, const rk_pieces *pieces, uint64_t *offset);

/* Returns when what was appended is in the file, or cannot be. */
void rk_log_flush(rk_log *log);

/* The bytes of a result that was visited or appended, which the caller has room for. False: they cannot be read, or are not what
 * they were. */
bool rk_log_read(rk_log *log, uint64_t offset, rk_key key, void *bytes, uint64_t length);

/* Whether the result at this place is, or will be, in the file. */
bool rk_log_has(rk_log *log, uint64_t offset);

/* Why it takes no more: an errno; 0: it does. */
int rk_log_failure(rk_log *log);

#endif
