#include "collections/table/list.h"

#include <string.h>
#include <strings.h>

static rask_bytes trim(rask_bytes b)
{
    while (b.len && strchr(" \t\n\r", b.data[0])) {
        b.data++;
        b.len--;
    }
    while (b.len && strchr(" \t\n\r", b.data[b.len - 1]))
        b.len--;
    return b;
}

static rask_bytes without_backticks(rask_bytes b)
{
    b = trim(b);
    bool quoted = b.len >= 2 && b.data[0] == '`' && b.data[b.len - 1] == '`';
    return quoted ? (rask_bytes){b.data + 1, b.len - 2} : b;
}

/* Cuts word, in any case, off the end of b, with the space or colon before it. */
static bool cut_word(rask_bytes *b, const char *word)
{
    size_t len = strlen(word);
    if (b->len <= len || strncasecmp(b->data + b->len - len, word, len) != 0 ||
        !strchr(" \t:", b->data[b->len - len - 1]))
        return false;
    *b = trim((rask_bytes){b->data, b->len - len - 1});
    return true;
}

/* Where " as " stands, outside of backticks; len when nowhere. */
static size_t find_as(rask_bytes b)
{
    bool quoted = false;
    for (size_t i = 0; i + 4 <= b.len; i++) {
        quoted ^= b.data[i] == '`';
        if (!quoted && strncasecmp(b.data + i, " as ", 4) == 0)
            return i;
    }
    return b.len;
}

bool rk_list_next(const char *list, rk_list_kind kind, size_t *at, rk_list_item *item)
{
    bool quoted = false;
    size_t end = *at;
    if (!list[end])
        return false;
    for (; list[end] && (quoted || list[end] != ','); end++)
        quoted ^= list[end] == '`';
    rask_bytes all = trim((rask_bytes){list + *at, end - *at});
    *item = (rk_list_item){.at = (size_t)(all.data - list)};
    if (kind == RK_LIST_ORDER && !cut_word(&all, "asc"))
        item->descending = cut_word(&all, "desc");
    size_t as = kind == RK_LIST_RENAMES ? find_as(all) : all.len;
    item->name = item->as = without_backticks((rask_bytes){all.data, as});
    if (as < all.len)
        item->as = without_backticks((rask_bytes){all.data + as + 4, all.len - as - 4});
    *at = end + (list[end] == ',');
    return true;
}
