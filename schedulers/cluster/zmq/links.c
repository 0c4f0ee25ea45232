#include "schedulers/cluster/zmq/links.h"

#include "core/base/clock.h"
#include "schedulers/cluster/zmq/zmq_wire.h"

enum { FIRST_SIZE = 64 };

/* Numbers of connections are consecutive or random. */
static rk_link **head_of(const rk_link_map *map, uint64_t id)
{
    return &map->heads[(id ^ id >> 32) & (map->size - 1)];
}

static void put(rk_link_map *map, rk_link *link, rk_channel side)
{
    rk_link **head = head_of(map, link->sides[side].id);
    link->sides[side].next = *head;
    *head = link;
}

static int grow(const rk_wire_host *host, rk_link_map *map, rk_channel side)
{
    rk_link_map larger = {.size = map->size ? map->size * 2 : FIRST_SIZE, .count = map->count};
    larger.heads = host->calloc(larger.size, sizeof *larger.heads);
    if (!larger.heads)
        return RASK_ENOMEM;
    for (size_t i = 0; i < map->size; i++)
        for (rk_link *link = map->heads[i], *next; link; link = next) {
            next = link->sides[side].next;
            put(&larger, link, side);
        }
    host->free(map->heads);
    *map = larger;
    return RASK_OK;
}

int rk_link_map_add(const rk_wire_host *host, rk_link_map *map, rk_link *link, rk_channel side)
{
    if (map->count == map->size && grow(host, map, side))
        return RASK_ENOMEM;
    put(map, link, side);
    map->count++;
    return RASK_OK;
}

void rk_link_map_remove(rk_link_map *map, rk_link *link, rk_channel side)
{
    rk_link **place = head_of(map, link->sides[side].id);
    while (*place != link)
        place = &(*place)->sides[side].next;
    *place = link->sides[side].next;
    map->count--;
}

rk_link *rk_link_map_get(const rk_link_map *map, uint64_t id, rk_channel side)
{
    rk_link *link = map->size ? *head_of(map, id) : NULL;
    while (link && link->sides[side].id != id)
        link = link->sides[side].next;
    return link;
}

void rk_link_map_fini(const rk_wire_host *host, rk_link_map *map)
{
    host->free(map->heads);
    *map = (rk_link_map){0};
}

static bool is_young(link_state state)
{
    return state == LINK_CALLING || state == LINK_GREETING;
}

rk_link *rk_link_new(const rk_wire_host *host, rk_link_list *list, uint32_t peer, bool dialled)
{
    rk_link *link = list->count < RK_MAX_PEERS ? host->calloc(1, sizeof *link) : NULL;
    if (!link)
        return NULL;
    link->peer = peer;
    link->dialled = dialled;
    link->sides[RK_CONTROL].fd = link->sides[RK_BULK].fd = -1;
    link->deadline = rk_clock_now() + (uint64_t)GREETING_MS * 1000000;
    link->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = link;
    list->last = link;
    list->count++;
    list->young++;
    return link;
}

void rk_link_free(const rk_wire_host *host, rk_link_list *list, rk_link *link)
{
    list->count--;
    list->young -= is_young(link->state);
    list->doubted -= link->doubt != 0;
    list->gone -= link->gone;
    *(link->previous ? &link->previous->next : &list->first) = link->next;
    *(link->next ? &link->next->previous : &list->last) = link->previous;
    host->free(link);
}

void rk_link_become(rk_link_list *list, rk_link *link, link_state state)
{
    list->young -= is_young(link->state);
    list->young += is_young(state);
    link->state = state;
}

void rk_link_doubt(rk_link_list *list, rk_link *link, uint64_t until)
{
    list->doubted -= link->doubt != 0;
    list->doubted += until != 0;
    link->doubt = until;
}

void rk_link_is_gone(rk_link_list *list, rk_link *link)
{
    list->gone += !link->gone;
    link->gone = true;
}
