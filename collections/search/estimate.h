/* collections/search/estimate: how many different strings a text has, by a sample: for sizes of blocks and tables, not for
 * answers. */
#ifndef RASK_COLLECTIONS_SEARCH_ESTIMATE_H
#define RASK_COLLECTIONS_SEARCH_ESTIMATE_H

#include "collections/search/search.h"

/* So many different strings are in bytes of text: strings * (bytes / sample) ^ growth. */
typedef struct rk_estimate {
    double sample;  /* bytes looked at; 0: nothing is known */
    double strings; /* different ones in it */
    double growth;  /* 0: no new ones come; 1: all are new */
    double arena;   /* bytes of one beside its entry */
} rk_estimate;

/* Reads half a MiB to four, from places all over the files. What cannot be read is left for the run to tell. */
rk_estimate rk_estimate_strings(const rask_text *text, rask_text_unit unit);

/* Bytes of a table of what is in bytes of text, and of a counter at its largest. */
double rk_estimate_table(const rk_estimate *estimate, double bytes);
double rk_estimate_counter(const rk_estimate *estimate, double bytes);

#endif
