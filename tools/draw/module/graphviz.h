/* tools/draw/module/graphviz: what the module rask-graphviz gives to the library. It alone is linked with
 * libgvc, so that programs that never draw an SVG do not load it. */
#ifndef RASK_TOOLS_DRAW_MODULE_GRAPHVIZ_H
#define RASK_TOOLS_DRAW_MODULE_GRAPHVIZ_H

#include "core/base/module.h"

#define RK_GRAPHVIZ_MODULE "rask-graphviz"

typedef struct rk_graphviz_module {
    rk_module_head head;
    /* Lays a DOT text out and writes it as "svg", "png" or "pdf": *bytes, to be ended with release().
     * RASK_OK; RASK_EUNSUPPORTED: this Graphviz lacks the format or the layout; RASK_EFORMAT; RASK_ENOMEM;
     * with a message of at most capacity bytes in error. Calls must not overlap. dot is NUL-terminated. */
    int (*render)(const char *dot, const char *format, char **bytes, size_t *len, char *error,
                  size_t capacity);
    void (*release)(char *bytes);
} rk_graphviz_module;

#endif
