/* Many nodes as few boxes: one a task name and level.
 *
 * When that is too many, rare names share one box a level first, then neighbouring levels are put together,
 * two by two, until it fits: bins are nested, so each round only thins out the distinct pairs (bin, name) of
 * the round before, and all rounds together are linear. */
#include "tools/draw/picture.h"

#include <stdlib.h>
#include <string.h>

typedef struct pair {
    uint32_t bin, name;
} pair;

typedef struct synopsis {
    rk_picture *picture;
    uint32_t count, limit;
    uint32_t *name, *level; /* per item */
    uint32_t levels;
    uint32_t *by_level; /* items, ascending by level */
    uint32_t *stamp;    /* per name, and one more: the last bin it was seen in, + 1 */
    uint32_t *used;     /* per name, and one more: items */
    uint32_t used_names;
    pair *pairs; /* distinct, ascending by bin */
    uint32_t pair_count, shift;
} synopsis;

static void find_names(synopsis *s)
{
    const rk_sketch *sketch = s->picture->sketch;
    for (uint32_t i = 0; i < s->count; i++) {
        s->name[i] = rk_name_of(&s->picture->names, rk_sketch_node(sketch, i));
        s->used_names += !s->used[s->name[i]]++;
    }
}

/* More items first; then the name that came first. */
static int compare_used(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->bin != y->bin)
        return x->bin < y->bin ? 1 : -1;
    return x->name < y->name ? -1 : x->name > y->name;
}

/* Names that may stay apart: as many as fit beside each other in every level, but never fewer than a reader
 * can tell apart anyway. */
static uint32_t names_apart(const synopsis *s)
{
    uint32_t most = s->limit / (s->levels ? s->levels : 1);
    if (most < RK_SYNOPSIS_NAMES)
        most = RK_SYNOPSIS_NAMES;
    return most < s->limit ? most : s->limit;
}

/* becomes[n]: the name itself when it is one of the most - 1 that are used most, else the one for all others.
 */
static int choose_names(const synopsis *s, uint32_t most, uint32_t *becomes)
{
    uint32_t names = s->picture->names.count, found = 0;
    pair *sorted = rk_alloc_array(s->used_names, sizeof *sorted);
    if (!sorted)
        return RASK_ENOMEM;
    for (uint32_t n = 0; n < names; n++)
        if (s->used[n])
            sorted[found++] = (pair){s->used[n], n};
    qsort(sorted, found, sizeof *sorted, compare_used);
    for (uint32_t k = 0; k < found; k++)
        becomes[sorted[k].name] = k < most - 1 ? sorted[k].name : names;
    rk_free(sorted);
    return RASK_OK;
}

static int lump_names(synopsis *s)
{
    uint32_t most = names_apart(s);
    if (s->used_names <= most)
        return RASK_OK;
    uint32_t *becomes = rk_alloc_array(s->picture->names.count, sizeof *becomes);
    int status = becomes ? choose_names(s, most, becomes) : RASK_ENOMEM;
    for (uint32_t i = 0; i < s->count && !status; i++)
        s->name[i] = becomes[s->name[i]];
    s->picture->lumped_names = s->used_names - (most - 1);
    rk_free(becomes);
    return status;
}

static int sort_by_level(synopsis *s)
{
    uint32_t *end = rk_calloc((size_t)s->levels + 1, sizeof *end);
    if (!end)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < s->count; i++)
        end[s->level[i] + 1]++;
    for (uint32_t l = 0; l < s->levels; l++)
        end[l + 1] += end[l];
    for (uint32_t i = 0; i < s->count; i++)
        s->by_level[end[s->level[i]]++] = i;
    rk_free(end);
    return RASK_OK;
}

static void clear_stamps(synopsis *s)
{
    memset(s->stamp, 0, ((size_t)s->picture->names.count + 1) * sizeof *s->stamp);
}

/* True when the name was not seen in this bin before. Bins come in ascending order. */
static bool first_in_bin(synopsis *s, uint32_t bin, uint32_t name)
{
    bool first = s->stamp[name] != bin + 1;
    s->stamp[name] = bin + 1;
    return first;
}

static void find_pairs(synopsis *s)
{
    clear_stamps(s);
    s->pair_count = 0;
    for (uint32_t k = 0; k < s->count; k++) {
        uint32_t item = s->by_level[k];
        if (first_in_bin(s, s->level[item], s->name[item]))
            s->pairs[s->pair_count++] = (pair){s->level[item], s->name[item]};
    }
}

static void double_bins(synopsis *s)
{
    uint32_t kept = 0;
    clear_stamps(s);
    for (uint32_t k = 0; k < s->pair_count; k++) {
        pair next = {s->pairs[k].bin / 2, s->pairs[k].name};
        if (first_in_bin(s, next.bin, next.name))
            s->pairs[kept++] = next;
    }
    s->pair_count = kept;
    s->shift++;
}

static int thin_out(synopsis *s)
{
    if (s->pair_count <= s->limit)
        return RASK_OK;
    int status = lump_names(s);
    if (status)
        return status;
    find_pairs(s);
    if (s->pair_count <= s->limit)
        return RASK_OK;
    uint32_t aim = s->limit < RK_SYNOPSIS_BINNED ? s->limit : RK_SYNOPSIS_BINNED;
    while (s->pair_count > aim && (s->levels - 1) >> s->shift)
        double_bins(s);
    return RASK_OK;
}

static void open_box(synopsis *s, rk_box *box, uint32_t item)
{
    uint32_t first = s->level[item] >> s->shift << s->shift;
    uint32_t last = first + ((uint32_t)1 << s->shift) - 1;
    *box = (rk_box){.item = item, .name = s->name[item], .level = first};
    box->last_level = last < s->levels ? last : s->levels - 1;
}

/* stamp says whether a name has a box in this bin, used which one. */
static void fill_boxes(synopsis *s)
{
    rk_picture *picture = s->picture;
    clear_stamps(s);
    for (uint32_t k = 0; k < s->count; k++) {
        uint32_t item = s->by_level[k], name = s->name[item];
        if (first_in_bin(s, s->level[item] >> s->shift, name)) {
            s->used[name] = picture->box_count;
            open_box(s, &picture->boxes[picture->box_count++], item);
        }
        rk_box *box = &picture->boxes[s->used[name]];
        picture->box_of[item] = s->used[name];
        box->count++;
        box->target |= picture->sketch->target[item];
    }
}

static int make(synopsis *s)
{
    find_names(s);
    s->levels = rk_sketch_levels(s->picture->sketch, s->level);
    int status = sort_by_level(s);
    if (status)
        return status;
    find_pairs(s);
    status = thin_out(s);
    if (status)
        return status;
    s->picture->boxes = rk_alloc_array(s->pair_count, sizeof *s->picture->boxes);
    if (!s->picture->boxes)
        return RASK_ENOMEM;
    fill_boxes(s);
    s->picture->level_bin = (uint32_t)1 << s->shift;
    return RASK_OK;
}

int rk_picture_synopsis(rk_picture *picture)
{
    uint32_t count = picture->sketch->count, names = picture->names.count + 1;
    synopsis s = {.picture = picture, .count = count, .limit = picture->options->limit};
    picture->synopsis = true;
    s.name = rk_alloc_array(count, sizeof *s.name);
    s.level = rk_alloc_array(count, sizeof *s.level);
    s.by_level = rk_alloc_array(count, sizeof *s.by_level);
    s.pairs = rk_alloc_array(count, sizeof *s.pairs);
    s.stamp = rk_alloc_array(names, sizeof *s.stamp);
    s.used = rk_calloc(names, sizeof *s.used);
    bool enough = s.name && s.level && s.by_level && s.pairs && s.stamp && s.used;
    int status = enough ? make(&s) : RASK_ENOMEM;
    rk_free(s.name);
    rk_free(s.level);
    rk_free(s.by_level);
    rk_free(s.pairs);
    rk_free(s.stamp);
    rk_free(s.used);
    return status;
}
