/* Memory for tables that are read and written all over: large ones get huge pages where the system has them.
 */
#ifndef WORDS_PAGES_H
#define WORDS_PAGES_H

#include <stddef.h>

/* Zeroed. NULL: no memory. */
void *words_pages_new(size_t bytes);

/* bytes as they were asked for. NULL is legal. */
void words_pages_free(void *memory, size_t bytes);

#endif
