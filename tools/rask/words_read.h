/* Reading texts in pieces and counting their words: ranges of files, and streams that cannot be cut.
 *
 * A range of a file owns the words that begin in it: it leaves out a word that runs in from before it, and
 * reads past its end for the rest of its last word. So ranges that cover a file count each of its words once,
 * wherever they are cut, and memory depends on the longest word, not on the length of a range. */
#ifndef WORDS_READ_H
#define WORDS_READ_H

#include "words_counter.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

enum {
    WORDS_PIECE =
        256 << 10, /* bytes read at once: little enough to stay in the cache until they are counted */
};

#define WORDS_UNKNOWN_SIZE UINT64_MAX /* of files that tell no size, as in /proc: read until they end */

typedef struct words_range {
    const char *path; /* "-": standard input, where it is a file */
    uint64_t start;   /* where the text begins in the file: 0, or where standard input stands */
    uint64_t begin, end;
    uint64_t size; /* of the file; a run fails when that, or the time of change, is not so any more */
    int64_t changed_ns;
} words_range;

typedef struct words_failure {
    int code;
    char text[1000]; /* with the path */
} words_failure;

typedef struct words_buffer {
    char *data; /* capacity bytes and WORDS_PADDING more */
    size_t used, capacity;
} words_buffer;

/* One task's counting. */
typedef struct words_job {
    words_counter counter;
    words_buffer buffer;
    uint64_t ceiling;                 /* for the counter */
    uint64_t longest;                 /* bytes of a single word */
    bool (*cancelled)(void *context); /* asked every few pieces; NULL: never */
    void *context;
    words_failure failure;
} words_job;

/* Ceiling 0: no bound. RASK_ENOMEM; fini is legal after a failure, too. */
int words_job_init(words_job *job, uint64_t seed, uint64_t ceiling);
void words_job_fini(words_job *job);

/* All of a file, which must stay as it is until it has been read. */
words_range words_range_of(const char *path, const struct stat *status);

/* Counts the words of a range. The code of a failure is also in job->failure, with its message. */
int words_read_range(words_job *job, const words_range *range);

/* Inputs that can only be read front to back, shared by the jobs that count them: each takes the next piece.
 */
typedef struct words_stream {
    pthread_mutex_t lock;
    const char *const *paths; /* "-": standard input */
    size_t count, next;
    int fd;             /* of path next - 1; -1: none is open */
    words_buffer carry; /* the beginning of a word that the last piece ended in */
} words_stream;

void words_stream_init(words_stream *stream, const char *const *paths, size_t count);
void words_stream_fini(words_stream *stream);

/* Counts pieces of the stream until it ends. */
int words_read_stream(words_job *job, words_stream *stream);

#endif
