/* Lists of results that others want, too: each is an item of the list and the object of a place of its own, or of several
 * lists.
 *
 * Such a list is linked to its items' entries. Their results are in memory whenever its own is, as if whoever takes the list
 * took them as well, and what goes to disk of it says only which they are: so what is shared is counted, written and read
 * once, and stays shared. An item can leave memory when the list has. An entry whose last use goes while a list is linked to
 * it lives on without a place, until the last such list ends. An item may be a list that is linked itself, up to RK_LINKS_DEEP
 * of them in each other; it comes back before the list that it is in. */
#include "core/store/state.h"

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
    return is_its && !entry->orphan && entry->links_deep < RK_LINKS_DEEP ? entry : NULL;
}

/* Of those of the first count items that are results: how many, and which when links is not NULL. */
static uint32_t find_links(rk_store *store, const rk_list *items, const rk_pass *pass, rk_entry **links)
{
    uint32_t count = items->count < pass->count ? (uint32_t)items->count : pass->count, found = 0;
    for (uint32_t i = 0; i < count; i++) {
        rk_entry *entry =
            rk_value_is_object(&items->items[i]) ? entry_of_item(store, pass, i, &items->items[i]) : NULL;
        if (entry && links)
            links[found] = entry;
        found += entry != NULL;
    }
    return found;
}

void rk_entry_link(rk_store *store, rk_entry *list, const rk_pass *pass)
{
    const rk_list *items = rk_value_list(list->place);
    uint32_t count = find_links(store, items, pass, NULL);
    if (!count)
        return;
    list->links = rk_alloc_array(count, sizeof(rk_entry *));
    list->parts = rk_alloc_array(count, sizeof *list->parts);
    if (!list->links || !list->parts)
        return;
    list->link_count = find_links(store, items, pass, list->links);
    for (uint32_t i = 0; i < count; i++) {
        list->links[i]->listed++;
        list->links[i]->lister = list->task;
        list->links[i]->list_edge = 0;
        if (list->links_deep <= list->links[i]->links_deep)
            list->links_deep = list->links[i]->links_deep + 1;
    }
    rk_entry_see_parts(list);
    list->alone = false;
    list->look = (rk_image_look){0};
}

void rk_entry_see_parts(rk_entry *list)
{
    for (uint32_t i = 0; i < list->link_count; i++) {
        list->parts[i] = *list->links[i]->place;
        list->parts[i].reserved = 0;
    }
}

bool rk_entry_has_parts(const rk_entry *list)
{
    for (uint32_t i = 0; i < list->link_count; i++)
        if (list->links[i]->state != RK_IN_MEMORY && list->links[i]->state != RK_SPILLING)
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
    rk_free(list->links);
    rk_free(list->parts);
    list->links = NULL;
    list->parts = NULL;
    list->link_count = 0;
}

void rk_entry_displace(rk_entry *entry)
{
    assert(entry->listed || entry->orphan);
    entry->own = *entry->place;
    entry->place = &entry->own;
}

/* Only once: lists that share lists have more ways through them than there are lists. */
static bool is_new(const rk_pass_walk *walk, const rk_entry *entry)
{
    return entry->seen != walk->look;
}

static void enter(rk_pass_walk *walk, rk_entry *entry)
{
    assert(walk->deep <= RK_LINKS_DEEP);
    entry->seen = walk->look;
    walk->inside[walk->deep] = entry;
    walk->link[walk->deep++] = 0;
}

/* To the next argument that has an entry. False: there is none. */
static bool enter_argument(rk_store *store, const rk_pass *pass, rk_pass_walk *walk)
{
    walk->argument += walk->own;
    walk->own = false;
    for (; walk->argument < pass->count; walk->argument++) {
        rk_entry *entry = rk_pass_argument(store, pass, walk->argument);
        if (!entry || !is_new(walk, entry))
            continue;
        enter(walk, entry);
        return true;
    }
    return false;
}

rk_entry *rk_pass_next(rk_store *store, const rk_pass *pass, rk_pass_walk *walk)
{
    if (!walk->look)
        walk->look = ++store->look;
    if (!walk->deep && !enter_argument(store, pass, walk))
        return NULL;
    for (;;) {
        rk_entry *entry = walk->inside[walk->deep - 1];
        uint32_t *link = &walk->link[walk->deep - 1];
        if (*link == entry->link_count) {
            walk->own = !--walk->deep;
            return entry;
        }
        rk_entry *next = entry->links[(*link)++];
        if (is_new(walk, next))
            enter(walk, next);
    }
}
