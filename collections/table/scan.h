/* collections/table/scan: the parts of files through a pipeline into sinks, a task for each.
 *
 * A part has the records that begin behind its first byte, and up to the one that begins at its end: so nobody needs to see
 * what stands before it. Where its first one begins can only be guessed: a newline may stand inside of quotes. So a task
 * that begins in the middle of a file says where it began and where its last record ended, counted in bytes of text from
 * the part's beginning and from its end, and keeps what is wrong with the text to itself; a second one, in the order of
 * the parts, compares its beginning with the end of the part before, and does the work again from there in the rare case
 * that they differ. By induction from the file's beginning all parts are right.
 *
 * Where only the first rows are wanted, the second tasks count them over all files, too: what is wrong behind the last
 * row that is wanted is nobody's business, however the files are cut. */
#ifndef RASK_COLLECTIONS_TABLE_SCAN_H
#define RASK_COLLECTIONS_TABLE_SCAN_H

#include "collections/table/intake.h"

/* What a task found of a part, or of a block of text. */
typedef struct rk_scan_head {
    uint64_t begin; /* of the first record, from the part's beginning */
    uint64_t over;  /* where the last one ends, from the part's end */
    uint64_t size;  /* bytes of text in the part, once all was read */
    uint64_t lines; /* newlines in what was taken */
    uint64_t rows;  /* that the sink took */
    bool any;       /* a record begins in it */
    int32_t status; /* what is wrong with the text */
    uint32_t file;  /* in which */
    uint64_t line;  /* where, in lines from begin on; UINT64_MAX: the message says all */
    char message[1024];
} rk_scan_head;

/* Pieces that rows come in, in order. */
uint32_t rk_scan_pieces(const rk_scan_job *job);

/* Nodes that a job's sinks end with: rk_table_sink_values() for each part, or for each block of one. */
uint64_t rk_scan_nodes(const rk_scan_job *job);

/* They go to nodes, in order. scratch: bytes that a task uses beside its result, result: bytes of that, 0: not known.
 * RASK_OK, or latched. */
int rk_scan_lower(rask_graph *graph, rk_scan_job *job, uint64_t scratch, uint64_t result, rask_node **nodes);

/* Bytes that reading a part takes. */
uint64_t rk_scan_bytes(const rk_scan_job *job);

/* Notes what is wrong with the text: as the scanner tells it, or a whole message. */
void rk_scan_note(rk_scan_head *head, const rk_csv_error *error);
void rk_scan_note_message(rk_scan_head *head, int status, const char *message);

/* Fails with it, as the user is told; lines: of the file before the head's. */
int rk_scan_tell(rask_task *task, const rk_scan_job *job, const rk_scan_head *head, uint64_t lines);

/* The list of a head and of what the sink ends with is the task's result. */
int rk_scan_return(rask_task *task, const rk_scan_head *head, rk_table_sink *sink);

#endif
