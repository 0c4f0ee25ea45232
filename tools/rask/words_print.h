/* Words and counts on standard output. */
#ifndef WORDS_PRINT_H
#define WORDS_PRINT_H

#include <rask/value.h>

/* words is a list: a word, as bytes, its count, the next word, … Lines of "count<TAB>word", the word's bytes
 * as they are. */
void words_print_text(const rask_value *words);

/* {"words":[{"word":"the","count":7},…]} on one line. A word that JSON cannot hold, since it is not UTF-8 or
 * has a NUL byte, has U+FFFD for each such byte, and all of its bytes as base64 in "bytes". RASK_ENOMEM:
 * nothing was printed. */
int words_print_json(const rask_value *words);

#endif
