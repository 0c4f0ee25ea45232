#include "input.h"

#include "say.h"

#include <rask/base.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_JSON ((size_t)1 << 30)

const char *input_name(const char *path)
{
    return strcmp(path, "-") ? path : "standard input";
}

/* All of the file, as malloc's. NULL: told on stderr. */
static char *read_stream(const char *command, const char *name, FILE *file, size_t *len)
{
    char *text = NULL;
    size_t used = 0, capacity = 0, got = 1;
    while (got > 0 && used <= MAX_JSON) {
        if (used == capacity) {
            capacity = 2 * capacity + 65536;
            char *more = realloc(text, capacity);
            if (!more) {
                say_error(command, "%s: %s", name, rask_status_text(RASK_ENOMEM));
                free(text);
                return NULL;
            }
            text = more;
        }
        got = fread(text + used, 1, capacity - used, file);
        used += got;
    }
    if (ferror(file) || used > MAX_JSON) {
        say_error(command, "%s: %s", name, ferror(file) ? strerror(errno) : "more than 1 GiB");
        free(text);
        return NULL;
    }
    *len = used;
    return text;
}

char *input_read(const char *command, const char *path, size_t *len)
{
    if (strcmp(path, "-") == 0)
        return read_stream(command, input_name(path), stdin, len);
    FILE *file = fopen(path, "re");
    if (!file) {
        say_error(command, "%s: %s", *path ? path : "\"\"",
                  *path ? strerror(errno) : "an empty name of a file");
        return NULL;
    }
    char *text = read_stream(command, path, file, len);
    fclose(file);
    return text;
}
