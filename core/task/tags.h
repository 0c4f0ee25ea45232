/* core/task/tags: names with counts in a text: "gpu:1,licence:2" says what a task takes, "gpu=1,licence=4" how many there
 * are. Names are separated by commas and hold neither the sign nor a comma; spaces around them do not count. */
#ifndef RASK_CORE_TASK_TAGS_H
#define RASK_CORE_TASK_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rk_tag {
    const char *name; /* in the text, len bytes */
    size_t len;
    uint32_t count; /* at most RK_MAX_TAG_COUNT */
    bool counted;   /* a count is given; else it is 1 */
} rk_tag;

/* The name at *text, which moves behind it: true. False: there are none left, *text is at its end; or *text is where something
 * is that is no name with a count. */
bool rk_tag_next(const char **text, char sign, rk_tag *out);

/* What a task may say that it takes: at least one of at most RK_MAX_TASK_TAGS names, each once. */
bool rk_tags_valid(const char *text);

#endif
