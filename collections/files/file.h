/* collections/files/file: what readers and writers of all formats share. */
#ifndef RASK_COLLECTIONS_FILES_FILE_H
#define RASK_COLLECTIONS_FILES_FILE_H

#include <rask/base.h>

/* Why a file could not be opened: a status and a reason, with the path. */
typedef struct rk_open_error {
    int status;
    char message[1000];
} rk_open_error;

/* The status for an errno: RASK_ENOENT, RASK_ENOMEM, else RASK_EIO. */
int rk_errno_status(int number);

/* Sets error; returns NULL for the caller to return. */
void *rk_open_fail(rk_open_error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "PATH: text of errno". */
void *rk_open_fail_errno(rk_open_error *error, const char *path);

/* A regular file, open for reading, and its size; -1 with error. Does not block on pipes and the like. */
int rk_file_open(const char *path, int64_t *size, rk_open_error *error);

/* Reads len bytes from place on, or what there is up to the file's end: how many; -1 with errno. */
int64_t rk_file_read(int fd, void *data, size_t len, int64_t place);
/* Whether files of this process may have size bytes: 0, or -1 with errno, where a write would end the process by a
 * signal (setrlimit(2), RLIMIT_FSIZE). */
int rk_file_allow(int64_t size);
/* Writes all of it: 0, or -1 with errno. */
int rk_file_write(int fd, const void *data, size_t len, int64_t place);

/* The same to standard output, behind what was written before. */
int rk_standard_write(const void *data, size_t len);

/* A whole small file with a NUL behind it, to be ended with rk_free(); NULL with error: RASK_EFORMAT when it has more
 * than ceiling bytes. */
char *rk_file_load(const char *path, size_t ceiling, size_t *len, rk_open_error *error);

/* "FOLDER/NAME", to be ended with rk_free(); NULL: no memory. */
char *rk_path_join(const char *folder, const char *name);

/* Whether path ends in ending, as ".npy", in small letters or capitals. */
bool rk_path_ends(const char *path, const char *ending);

/* Whether a file that is written plain may have this name: false, with error, where its ending would say that it is compressed. */
bool rk_path_is_plain(const char *path, rk_open_error *error);

#endif
