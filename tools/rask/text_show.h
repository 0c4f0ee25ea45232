/* What rask text and rask words have in common: how they read, and what they print. */
#ifndef TEXT_SHOW_H
#define TEXT_SHOW_H

#include "options.h"

#include <rask/text.h>

/* How lines are read as the common options say. */
rask_text_options text_reading(const common_options *options);

/* list: a string, as bytes, its count, the next string, … Lines of "count<TAB>string", the bytes as they are. */
void text_show_frequencies(const rask_value *list);

/* {"words":[{"word":"the","count":7},…]} on one line: name is "words", item is "word". A string that JSON cannot hold,
 * since it is not UTF-8 or has a NUL byte, has U+FFFD for each such byte, and all of its bytes as base64 in "bytes".
 * RASK_ENOMEM: nothing was printed. */
int text_show_frequencies_json(const rask_value *list, const char *name, const char *item);

/* The same of a list of lines: the lines, or {"lines":[{"line":"…"},…]}. */
void text_show_lines(const rask_value *list);
int text_show_lines_json(const rask_value *list);

/* Why nothing could be built, without the name of the call. */
void text_say_failure(const char *command, const rask_graph *graph);

#endif
