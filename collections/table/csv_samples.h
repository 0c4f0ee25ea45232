/* collections/table/csv_samples: short texts of the files of a source, which say what is in all of them. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_SAMPLES_H
#define RASK_COLLECTIONS_TABLE_CSV_SAMPLES_H

#include "collections/table/csv_source.h"

enum {
    RK_CSV_LATER_SAMPLE = 64 << 10, /* bytes of one from the middle of a file */
    RK_CSV_LATER_SAMPLES = 15,
    RK_CSV_HEADS = 256, /* files whose beginnings are looked at, the first one apart */
    RK_CSV_SAMPLES = 1 + RK_CSV_LATER_SAMPLES + RK_CSV_HEADS,
};

/* Reads up to most bytes from the reader into the buffer. *whole: its end was reached. */
int rk_csv_sample_fill(rk_text_buffer *buffer, rk_text_reader *reader, size_t most, bool *whole,
                       rk_text_error *error);

/* One more sample, of which text is a copy; with whole, which says that a file ends behind it, its last line has an end. source
 * has room for RK_CSV_SAMPLES. RASK_ENOMEM. */
int rk_csv_sample_keep(rk_csv_source *source, rk_csv_place place, const char *text, size_t len, bool whole);

/* From places that lie evenly over all plain files together, behind the first sample. RASK_OK, or error. */
int rk_csv_sample_places(rk_csv_source *source, rk_text_error *error);

/* From the beginnings of the files behind the first one, or of as many of them as RK_CSV_HEADS, evenly; streams, files that cannot be
 * read and those of other columns say nothing: whoever reads them all will tell. *whole: all of all files is in them. RASK_ENOMEM. */
int rk_csv_sample_heads(rk_csv_source *source, bool *whole);

#endif
