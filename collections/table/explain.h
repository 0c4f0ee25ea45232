/* collections/table/explain: what computing a table takes, in words. */
#ifndef RASK_COLLECTIONS_TABLE_EXPLAIN_H
#define RASK_COLLECTIONS_TABLE_EXPLAIN_H

#include "collections/table/scan.h"
#include "core/base/print.h"

/* Appends which columns of which files a stage reads, in how many parts, and what it does row by row. */
void rk_explain_reading(rk_print *out, const rk_scan_job *job);

#endif
