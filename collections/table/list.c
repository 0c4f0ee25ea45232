#include "collections/table/list.h"

#include "collections/syntax/lexer.h"

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

static rask_bytes without_backticks(rask_bytes b, char room[RK_LIST_NAME])
{
    b = trim(b);
    if (b.len < 2 || b.data[0] != '`' || b.data[b.len - 1] != '`')
        return b;
    b = (rask_bytes){b.data + 1, b.len - 2};
    if (!memchr(b.data, '`', b.len) || b.len > RK_LIST_NAME)
        return b;
    return (rask_bytes){room, rk_name_unquote(b.data, b.len, '`', room)};
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

/* Where a word stands first, or last, outside of backticks; len when nowhere. */
static size_t find_word(rask_bytes b, const char *word, bool last)
{
    bool quoted = false;
    size_t len = strlen(word), found = b.len;
    for (size_t i = 0; i + len <= b.len && (last || found == b.len); i++) {
        quoted ^= b.data[i] == '`';
        if (!quoted && strncasecmp(b.data + i, word, len) == 0)
            found = i;
    }
    return found;
}

/* What stands between the two of an entry. */
static const char *between(rk_list_kind kind)
{
    return kind == RK_LIST_RENAMES ? " as "
           : kind == RK_LIST_PAIRS ? "="
           : kind == RK_LIST_TYPES ? ":"
                                   : NULL;
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
    item->at = (size_t)(all.data - list);
    item->descending = false;
    if (kind == RK_LIST_ORDER && !cut_word(&all, "asc"))
        item->descending = cut_word(&all, "desc");
    const char *word = between(kind);
    size_t first = word ? find_word(all, word, kind == RK_LIST_TYPES) : all.len,
           len = word ? strlen(word) : 0;
    item->name = item->as = without_backticks((rask_bytes){all.data, first}, item->room[0]);
    if (first < all.len)
        item->as =
            without_backticks((rask_bytes){all.data + first + len, all.len - first - len}, item->room[1]);
    *at = end + (list[end] == ',');
    return true;
}
