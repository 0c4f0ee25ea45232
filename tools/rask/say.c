#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void say_error(const char *command, const char *format, ...)
{
    char line[8192];
    va_list args;
    int len = snprintf(line, sizeof line, command ? "rask %s: " : "rask: ", command);
    va_start(args, format);
    vsnprintf(line + len, sizeof line - (size_t)len - 1, format, args);
    va_end(args);
    strcat(line, "\n");
    fflush(stdout);
    fputs(line, stderr);
}

const char *say_without_call(const char *message)
{
    size_t name = strspn(message, "abcdefghijklmnopqrstuvwxyz0123456789_");
    bool called = strncmp(message, "rask_", 5) == 0 && strncmp(message + name, ": ", 2) == 0;
    return called ? message + name + 2 : message;
}

char say_quote(const char *text)
{
    return strchr(text, '"') && !strchr(text, '\'') ? '\'' : '"';
}

int say_done(const char *command)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    say_error(command, "standard output: %s", errno ? strerror(errno) : "could not be written");
    return EXIT_FAILED;
}

const char *say_size(uint64_t bytes, char *text, int capacity)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024; unit++)
        value /= 1024;
    snprintf(text, (size_t)capacity, "%.*f %s", value == (double)(uint64_t)value ? 0 : 1, value, units[unit]);
    return text;
}
