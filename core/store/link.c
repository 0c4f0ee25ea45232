/* Lists of results that others want, too: each is an item of the list and the object of a place of its own, or of several
 * lists.
 *
 * Such a list is linked to its items' entries. Their results are in memory whenever its own is, as if whoever takes the list
 * took them as well, and what goes to disk of it says only which they are: so what is shared is counted, written and read
 * once, and stays shared. An item can leave memory when the list has. An entry whose last use goes while a list is linked to
 * it lives on without a place, until the last such list ends. An item may be a list that is linked: then the outer one is linked to
 * all that the item is linked to, which comes back before it. Of what is nested deeper than some hundred lists, no more is linked. */
#include "core/store/state.h"

enum {
    MOST_NESTED = 1 << 10
}; /* links of an item, so that lists of lists of lists do not hold more links than results */

/* The entry of argument i, when the item is its result and it can be an item of links. The place may have ended meanwhile:
 * then its entry is another's, or about to end. */
static rk_entry *entry_of_item(rk_store *store, const rk_pass *pass, uint32_t i, const rask_value *item)
{
    uint32_t word = pass->words[i];
    const rask_value *place = word & RK_STORE_CONSTANT ? NULL : &pass->results[word];
    if (!place || !rk_store_is_managed(place))
        return NULL;
    rk_entry *entry = ((rk_entry **)store->entries.data)[place->reserved - 1];
    bool is_its = entry && entry->place == place && place->as.object == item->as.object;
    return is_its && !entry->orphan && entry->link_count <= MOST_NESTED ? entry : NULL;
}

/* Of those of the first count items that are results: how many, and which when entries is not NULL. */
static uint32_t find_items(rk_store *store, const rk_list *items, const rk_pass *pass, rk_entry **entries)
{
    uint32_t count = items->count < pass->count ? (uint32_t)items->count : pass->count, found = 0;
    for (uint32_t i = 0; i < count; i++) {
        rk_entry *entry =
            rk_value_is_object(&items->items[i]) ? entry_of_item(store, pass, i, &items->items[i]) : NULL;
        if (entry && entries)
            entries[found] = entry;
        found += entry != NULL;
    }
    return found;
}

/* The items and what they are linked to: how many, and which when links is not NULL. */
static uint32_t find_links(rk_store *store, const rk_entry *list, rk_entry **links)
{
    uint32_t look = ++store->look, found = 0;
    for (uint32_t i = 0; i < list->part_count; i++) {
        rk_entry *item = list->items[i];
        for (uint32_t k = 0; k <= item->link_count; k++) {
            rk_entry *entry = k < item->link_count ? item->links[k] : item;
            if (entry->seen == look)
                continue;
            entry->seen = look;
            if (links)
                links[found] = entry;
            found++;
        }
    }
    return found;
}

/* False: there is no memory. */
static bool make_links(rk_store *store, rk_entry *list, const rk_pass *pass, uint32_t count)
{
    const rk_list *items = rk_value_list(list->place);
    list->items = (rk_entry **)rk_alloc_array(count, sizeof *list->items);
    list->parts = rk_alloc_array(count, sizeof *list->parts);
    if (!list->items || !list->parts)
        return false;
    list->part_count = find_items(store, items, pass, list->items);
    list->link_count = find_links(store, list, NULL);
    list->links = (rk_entry **)rk_alloc_array(list->link_count, sizeof *list->links);
    return list->links;
}

static void forget_links(rk_entry *list)
{
    rk_free((void *)list->items);
    rk_free((void *)list->links);
    rk_free(list->parts);
    list->items = list->links = NULL;
    list->parts = NULL;
    list->part_count = list->link_count = 0;
}

void rk_entry_link(rk_store *store, rk_entry *list, const rk_pass *pass)
{
    uint32_t count = find_items(store, rk_value_list(list->place), pass, NULL);
    if (!count)
        return;
    if (!make_links(store, list, pass, count)) {
        forget_links(list);
        return;
    }
    find_links(store, list, list->links);
    for (uint32_t i = 0; i < list->link_count; i++) {
        list->links[i]->listed++;
        list->links[i]->lister = list->task;
        list->links[i]->list_edge = 0;
    }
    rk_entry_see_parts(list);
    list->alone = false;
    list->look = (rk_image_look){0};
}

void rk_entry_see_parts(rk_entry *list)
{
    for (uint32_t i = 0; i < list->part_count; i++) {
        list->parts[i] = *list->items[i]->place;
        list->parts[i].reserved = 0;
    }
}

bool rk_entry_has_parts(const rk_entry *list)
{
    for (uint32_t i = 0; i < list->part_count; i++)
        if (list->items[i]->state != RK_IN_MEMORY && list->items[i]->state != RK_SPILLING)
            return false;
    return true;
}

void rk_entry_unlink(rk_store *store, rk_entry *list)
{
    for (uint32_t i = 0; i < list->link_count; i++) {
        rk_entry *entry = list->links[i];
        if (--entry->listed || entry->place != &entry->own)
            continue;
        entry->dead = store->dead;
        store->dead = entry;
    }
    forget_links(list);
}

void rk_entry_displace(rk_entry *entry)
{
    assert(entry->listed || entry->orphan);
    entry->own = *entry->place;
    entry->place = &entry->own;
}

rk_entry *rk_pass_next(rk_store *store, const rk_pass *pass, rk_pass_walk *walk)
{
    for (; walk->argument < pass->count; walk->argument++, walk->link = 0) {
        rk_entry *entry = rk_pass_argument(store, pass, walk->argument);
        if (!entry || walk->link > entry->link_count)
            continue;
        walk->own = walk->link == entry->link_count;
        return walk->own ? (walk->link++, entry) : entry->links[walk->link++];
    }
    return NULL;
}
