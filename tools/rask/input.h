/* Files of JSON that commands read whole. */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>

/* All of a file, of at most 1 GiB, or of standard input ("-"), as malloc's. NULL: told on stderr. */
char *input_read(const char *command, const char *path, size_t *len);

/* What messages call it. */
const char *input_name(const char *path);

#endif
