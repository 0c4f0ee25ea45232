/* What the program says on stderr, and how it ends. */
#ifndef SAY_H
#define SAY_H

#include <stdint.h>

/* Exit statuses. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* "rask words: " and the message, in one write, so that lines of several programs do not mix. */
void say_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the library says of a call behind "rask_array_open: ": nobody at a shell has called that. */
const char *say_without_call(const char *message);

/* What to put around a text in a message: double quotes, or single ones when it has double ones itself. */
char say_quote(const char *text);

/* Flushes standard output and ends with EXIT_DONE, or with EXIT_FAILED and a message when not all of it could
 * be written. */
int say_done(const char *command);

/* "1.5 GiB", "64 MiB", "17 bytes". Writes at most capacity bytes, and returns text. */
const char *say_size(uint64_t bytes, char *text, int capacity);

#endif
