/* core/base/module: parts of the library that need what not every machine has, loaded on first use.
 *
 * A module is a shared object NAME.so that exports one constant structure, rask_module, whose first member is
 * an rk_module_head; the rest are functions for the library. It is built with the library and fits no other
 * version. Looked for, in this order, in
 *   - the folder that the environment variable RASK_MODULE_PATH names (not in privileged programs),
 *   - RASK_MODULE_DIR, where it is installed,
 *   - "rask" beside the object this code is linked into, that object's own folder, and where a build tree has
 * it, so that a tree that was moved, or only built, works. Such a module must have the object's owner (not in
 * privileged programs). */
#ifndef RASK_CORE_BASE_MODULE_H
#define RASK_CORE_BASE_MODULE_H

#include <rask/base.h>

typedef struct rk_module_head {
    uint32_t abi;     /* RK_MODULE_ABI */
    uint32_t version; /* of the headers it was built with */
    size_t size;      /* of the structure it begins */
} rk_module_head;

#define RK_MODULE_ABI 0x6b736172u
#define RK_MODULE_VERSION                                                                                    \
    ((uint32_t)(RASK_VERSION_MAJOR << 20 | RASK_VERSION_MINOR << 10 | RASK_VERSION_PATCH))
#define RK_MODULE_HEAD(type)                                                                                 \
    {                                                                                                        \
        .abi = RK_MODULE_ABI, .version = RK_MODULE_VERSION, .size = sizeof(type)                             \
    }

/* Loads module name and gives its structure, which is of size bytes and stays valid for good. Loading what is
 * loaded is cheap. RASK_ENOENT: not found; RASK_EUNSUPPORTED: found, but it does not load or is of another
 * version; with a message of at most capacity bytes in error. Thread-safe. */
int rk_module_open(const char *name, size_t size, const void **module, char *error, size_t capacity);

#endif
