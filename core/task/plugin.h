/* core/task/plugin: shared objects that a program loaded by itself (dlopen), which its other processes find by path and content.
 *
 * The program and librask are the same everywhere, or the processes do not work together. Any other library that a function
 * lies in goes with the function's place: where it is, and XXH3-128 of the file's bytes, so that no other is loaded than
 * the program has. Thread-safe. */
#ifndef RASK_CORE_TASK_PLUGIN_H
#define RASK_CORE_TASK_PLUGIN_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rk_plugin {
    char path[PATH_MAX]; /* absolute */
    uint8_t content[16];
} rk_plugin;

/* What others need to have what is at address. RASK_ENOENT: nothing, or its file is not to be read any more. The file is read
 * once. */
int rk_plugin_of(uintptr_t address, rk_plugin *out);

/* Loads it for good; what is loaded already is found by its place, not here. RASK_ENOENT, or RASK_EUNSUPPORTED for a file with
 * other content or that does not load, with a reason that names path and machine; neither runs anything of the file. */
int rk_plugin_load(const rk_plugin *plugin, char *reason, size_t capacity);

#endif
