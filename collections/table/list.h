/* collections/table/list: lists of columns as users write them: "name, amount as price, `unit price` desc". */
#ifndef RASK_COLLECTIONS_TABLE_LIST_H
#define RASK_COLLECTIONS_TABLE_LIST_H

#include "core/base/array.h"

#include <rask/table.h>

/* Longest name with a backtick in it, which is otherwise as it was written. */
enum { RK_LIST_NAME = 256 };

/* One entry, whose texts are the list's or its own: what stands before and behind "as", or "=", or the last ":", without backticks and the space around; or before
 * "desc", "asc", ":desc", ":asc". */
typedef struct rk_list_item {
    rask_bytes name, as; /* as: name where there is none */
    bool descending;
    size_t at;                  /* byte of the list that it begins at */
    char room[2][RK_LIST_NAME]; /* for names in backticks that have some themselves, doubled */
} rk_list_item;

typedef enum rk_list_kind {
    RK_LIST_NAMES,
    RK_LIST_RENAMES,
    RK_LIST_ORDER,
    RK_LIST_PAIRS,
    RK_LIST_TYPES
} rk_list_kind;

/* The next entry of a list, from byte *at on, which moves behind it. False at the end, which may be
 * behind a comma. Entries may be empty. */
bool rk_list_next(const char *list, rk_list_kind kind, size_t *at, rk_list_item *item);

#endif
