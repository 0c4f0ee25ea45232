/* rask/base.h: what every other header needs: export marks, version, status codes, the allocator hook. */
#ifndef RASK_BASE_H
#define RASK_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#    define RASK_API        __attribute__((visibility("default")))
#    define RASK_UNUSED     __attribute__((unused))
#    define RASK_MUST_CHECK __attribute__((warn_unused_result))
#else
#    define RASK_API
#    define RASK_UNUSED
#    define RASK_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define RASK_VERSION_MAJOR 0
#define RASK_VERSION_MINOR 1
#define RASK_VERSION_PATCH 0

/* "0.1.0": the version of the library that is running, which may be newer than these headers. */
RASK_API const char *rask_version(void);

/* Every status code, once: name, number, what it means. 0 is success. */
#define RASK_STATUS_TABLE(X)                                                                                 \
    X(OK, 0, "done")                                                                                         \
    X(EINVAL, 1, "invalid argument")                                                                         \
    X(ENOMEM, 2, "out of memory")                                                                            \
    X(ETYPE, 3, "wrong type")                                                                                \
    X(ETASK, 4, "a task failed")                                                                             \
    X(ECANCELLED, 5, "cancelled")                                                                            \
    X(ETIMEDOUT, 6, "timed out")                                                                             \
    X(EIO, 7, "input or output failed")                                                                      \
    X(ENOENT, 8, "no such file, name or key")                                                                \
    X(EEXIST, 9, "name or key given twice")                                                                  \
    X(ELIMIT, 10, "a limit was exceeded")                                                                    \
    X(EBUDGET, 11, "the memory budget was exceeded")                                                         \
    X(EGRAPH, 12, "the graph could not be built")                                                            \
    X(EFORMAT, 13, "malformed input")                                                                        \
    X(ECYCLE, 14, "the graph has a cycle")                                                                   \
    X(EUNSUPPORTED, 15, "not built in or not installed")                                                     \
    X(ERANGE, 16, "number out of range")                                                                     \
    X(ESYSTEM, 17, "the operating system refused")                                                           \
    X(EDIED, 18, "a worker process ended")

typedef enum rask_status {
#define RASK_STATUS_ENUM(name, number, text) RASK_##name = number,
    RASK_STATUS_TABLE(RASK_STATUS_ENUM)
#undef RASK_STATUS_ENUM
} rask_status;

/* "RASK_EINVAL" and "invalid argument"; for a number that is no status "RASK_E?" and "unknown status".
 * The strings are static. */
RASK_API const char *rask_status_name(int status);
RASK_API const char *rask_status_text(int status);

/* Where all of the library's memory comes from. alloc and realloc return NULL when there is none; memory must
 * be aligned as malloc aligns it. All three may be called from any thread at once. */
typedef struct rask_allocator {
    void *(*alloc)(void *context, size_t size);
    void *(*realloc)(void *context, void *ptr, size_t size);
    void (*free)(void *context, void *ptr);
    void *context;
} rask_allocator;

/* Installs an allocator, or the default one again when NULL. Call it before anything else of the library, or
 * at a moment when the library holds no memory: what one allocator gave, another cannot free. The structure
 * is copied. RASK_EINVAL when a function is missing. Not thread-safe. */
RASK_API int rask_set_allocator(const rask_allocator *allocator);

#ifdef __cplusplus
}
#endif

#endif
