/* Names with counts. */
#include "core/task/tags.h"

#include "core/base/limits.h"

#include <string.h>

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " \t");
}

/* Digits and spaces, up to a comma or the end; NULL: something else. */
static const char *read_count(const char *at, uint32_t *count)
{
    uint64_t number = 0;
    const char *first = at = skip_spaces(at);
    for (; *at >= '0' && *at <= '9'; at++) {
        number = 10 * number + (uint64_t)(*at - '0');
        if (number > RK_MAX_TAG_COUNT)
            return NULL;
    }
    *count = (uint32_t)number;
    const char *end = skip_spaces(at);
    return at > first && (!*end || *end == ',') ? end : NULL;
}

bool rk_tag_next(const char **text, char sign, rk_tag *out)
{
    const char stops[] = {':', '=', ',', '\0'}, *at = skip_spaces(*text), *end = at + strcspn(at, stops),
               *next = end;
    rk_tag tag = {.name = at, .len = (size_t)(end - at), .count = 1, .counted = *end == sign};
    while (tag.len && (at[tag.len - 1] == ' ' || at[tag.len - 1] == '\t'))
        tag.len--;
    if (!tag.len || tag.len > RK_MAX_TAG_NAME || (tag.counted && !(next = read_count(end + 1, &tag.count))))
        return false;
    if (*next == ',' && !*skip_spaces(next + 1))
        return false;
    *text = *next == ',' ? next + 1 : next;
    *out = tag;
    return true;
}

static bool same_name(const rk_tag *a, const rk_tag *b)
{
    return a->len == b->len && !memcmp(a->name, b->name, a->len);
}

bool rk_tags_valid(const char *text)
{
    rk_tag tags[RK_MAX_TASK_TAGS];
    size_t count = 0;
    for (; count < RK_MAX_TASK_TAGS && rk_tag_next(&text, ':', &tags[count]); count++) {
        if (!tags[count].count)
            return false;
        for (size_t i = 0; i < count; i++)
            if (same_name(&tags[i], &tags[count]))
                return false;
    }
    return count && !*text;
}
