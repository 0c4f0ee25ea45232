/* tools/draw/output: DOT to other formats. */
#ifndef RASK_TOOLS_DRAW_OUTPUT_H
#define RASK_TOOLS_DRAW_OUTPUT_H

#include <rask/base.h>

typedef enum rk_format { RK_DOT, RK_SVG, RK_PNG, RK_PDF, RK_NO_FORMAT } rk_format;

/* By the ending of path, in small or capital letters. */
rk_format rk_format_of(const char *path);

/* A picture in some format: bytes of DOT, or what the Graphviz module gave. Ended with rk_rendered_fini(). */
typedef struct rk_rendered {
    char *bytes;
    size_t len;
    void (*release)(char *bytes);
} rk_rendered;

/* Loads the Graphviz module and lets it work; its calls must not overlap: the caller serialises.
 * RASK_EUNSUPPORTED, RASK_EFORMAT, RASK_ENOMEM, with a message of at most capacity bytes in error. */
int rk_render(const char *dot, rk_format format, rk_rendered *out, char *error, size_t capacity);
void rk_rendered_fini(rk_rendered *rendered);

#endif
