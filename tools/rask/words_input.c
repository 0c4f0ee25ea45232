#include "words_graph.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int words_inputs_init(words_inputs *inputs, size_t count)
{
    *inputs = (words_inputs){.capacity = count};
    inputs->files = malloc((count + 1) * sizeof *inputs->files);
    inputs->streams = malloc((count + 1) * sizeof *inputs->streams);
    return inputs->files && inputs->streams ? RASK_OK : RASK_ENOMEM;
}

void words_inputs_fini(words_inputs *inputs)
{
    free(inputs->files);
    free(inputs->streams);
    *inputs = (words_inputs){0};
}

static int fail(words_failure *failure, int error, const char *path)
{
    failure->code = error == ENOENT ? RASK_ENOENT : RASK_EIO;
    snprintf(failure->text, sizeof failure->text, "%s: %s", strcmp(path, "-") ? path : "standard input",
             strerror(error));
    return failure->code;
}

static void add_stream(words_inputs *inputs, const char *path)
{
    inputs->streams[inputs->stream_count++] = path;
}

static void add_file(words_inputs *inputs, words_range range)
{
    inputs->files[inputs->file_count++] = range;
    if (range.size != WORDS_UNKNOWN_SIZE)
        inputs->file_bytes += range.end - range.begin;
}

/* A file as standard input, which may have been read from before. */
static words_range rest_of(words_range range)
{
    off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
    range.start = range.begin = at < 0 ? 0 : (uint64_t)at;
    if (range.end < range.begin)
        range.end = range.begin;
    return range;
}

/* Opened only to see whether it can be: a missing permission is told before anything runs. */
static int try_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

int words_inputs_add(words_inputs *inputs, const char *path, words_failure *failure)
{
    bool standard = strcmp(path, "-") == 0;
    struct stat status;
    if ((standard ? fstat(STDIN_FILENO, &status) : stat(path, &status)) != 0)
        return fail(failure, errno, path);
    if (S_ISDIR(status.st_mode))
        return fail(failure, EISDIR, path);
    if (!S_ISREG(status.st_mode)) {
        add_stream(inputs, path);
        return RASK_OK;
    }
    int error = standard ? 0 : try_open(path);
    if (error)
        return fail(failure, error, path);
    words_range range = words_range_of(path, &status);
    add_file(inputs, standard ? rest_of(range) : range);
    return RASK_OK;
}
