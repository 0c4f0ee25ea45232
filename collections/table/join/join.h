/* collections/table/join/join: joins as tables, and how they become tasks.
 *
 * Where the other table is small, its rows become one chunk with an index (index.h), which every task of the stage that reads
 * the input's rows gets as an argument: the join is one step of its pipeline (probe.h), and filters and needed
 * columns travel through it.
 *
 * Else the rows of both go to parts by the hash of their keys. A block of the input is then joined part by part, each
 * with the rows and the index of the other's part, and what comes of a block is put in order again by the positions that
 * its rows had, unless it goes on at once to groups that ask for no order: so no task holds more than a part of the other table and a part of a block, however often a key occurs
 * in the input. */
#ifndef RASK_COLLECTIONS_TABLE_JOIN_JOIN_H
#define RASK_COLLECTIONS_TABLE_JOIN_JOIN_H

#include "collections/table/lower.h"
#include "collections/table/scan.h"

/* Whether a JOIN is a step of a pipeline where room is what the other table's rows may be as text. */
bool rk_join_is_small(const rask_table *table, uint64_t room);

/* Bytes of text that the smaller table of a join may be of, to be held in memory by all tasks. */
uint64_t rk_join_room(const rk_table_lowering *l);

/* Sets job->others. RASK_OK, or latched. */
int rk_join_lower_others(const rk_table_lowering *l, rk_scan_job *job);

/* The rows of a JOIN whose other table is not small, as chunks of the wanted columns, in order; unless they are to be
 * ordered, in any, with columns behind the wanted ones. RASK_OK, or latched. */
int rk_join_lower(const rk_table_lowering *l, rask_table *table, const uint32_t *wanted,
                  uint32_t wanted_count, bool ordered, rk_nodes *out);

/* What the sinks of job end with, for each block and part: rows of the JOIN that is the source of its pipeline, which is that of
 * table and has no other join, go on at once, in any order, without a chunk in between. keeps_rows: what sinks end with grows with
 * the rows they get. RASK_OK, or latched. */
int rk_join_lower_into(const rk_table_lowering *l, const rask_table *table, rk_scan_job *job, bool keeps_rows,
                       rk_nodes *out);

#endif
