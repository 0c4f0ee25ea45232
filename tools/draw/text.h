/* tools/draw/text: what stands in a picture, made safe for Graphviz.
 *
 * Names, labels and values come from anywhere. Graphviz reads escapes, HTML entities and control characters
 * in what it draws; XML knows fewer characters than UTF-8 does. rk_text_say() lets any bytes through in such
 * a way that they are shown as they are, in every format. */
#ifndef RASK_TOOLS_DRAW_TEXT_H
#define RASK_TOOLS_DRAW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that grows. A zeroed one is empty. After failed (no memory) everything put into it is dropped. */
typedef struct rk_text {
    char *data; /* NUL-terminated; NULL while empty */
    size_t len, capacity;
    bool failed;
} rk_text;

/* As it is, without making it safe. */
void rk_text_put(rk_text *text, const char *data, size_t len);
void rk_text_print(rk_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define RK_UNLIMITED SIZE_MAX

/* How something is said: at most `most` characters, the last an ellipsis when there are more, in lines of
 * about `width` characters. Tooltips are read twice by some versions of Graphviz and need more care with
 * backslashes. */
typedef struct rk_style {
    size_t most, width;
    bool tooltip;
} rk_style;

/* Any bytes, shown as they are. Bytes that are no UTF-8 become U+FFFD, control characters their pictures. */
void rk_text_say(rk_text *text, const char *data, size_t len, rk_style style);

/* UTF-8 without control characters but ends of lines and tabs: what reads as text. */
bool rk_text_is_readable(const char *data, size_t len);

/* The next line, centred. */
void rk_text_line(rk_text *text);

/* Figures for people: 1,234,567; 12.3 ms; 4.5 MiB. */
void rk_text_count(rk_text *text, uint64_t count);
void rk_text_duration(rk_text *text, uint64_t nanoseconds);
void rk_text_bytes(rk_text *text, uint64_t bytes);

/* Takes the string out of it; "" when nothing was put in; NULL when memory was short. Free with rk_free(). */
char *rk_text_take(rk_text *text);

#endif
