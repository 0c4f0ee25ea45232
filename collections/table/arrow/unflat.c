#include "collections/table/arrow/unflat.h"

/* Whether size bytes are there; else the bytes are wrong. */
static bool reaches(rk_unflat *f, size_t place, size_t size)
{
    f->wrong |= place > f->len || size > f->len - place;
    return !f->wrong;
}

uint64_t rk_unflat_number(rk_unflat *f, size_t place, uint32_t size)
{
    uint64_t value = 0;
    for (uint32_t i = 0; reaches(f, place, size) && i < size; i++)
        value |= (uint64_t)f->data[place + i] << (8 * i);
    return value;
}

rk_unflat_table rk_unflat_at(rk_unflat *f, size_t place)
{
    rk_unflat_table t = {.place = place + rk_unflat_number(f, place, 4)};
    int64_t vtable = (int64_t)t.place - (int32_t)(uint32_t)rk_unflat_number(f, t.place, 4);
    f->wrong |= vtable < 0;
    t.vtable = (size_t)vtable;
    size_t size = f->wrong ? 0 : rk_unflat_number(f, t.vtable, 2);
    t.slots = size > 4 && reaches(f, t.vtable, size) ? (uint32_t)(size - 4) / 2 : 0;
    return t;
}

rk_unflat_table rk_unflat_root(rk_unflat *f)
{
    return rk_unflat_at(f, 0);
}

/* Where a field is; 0: it is left out. */
static size_t place_of(rk_unflat *f, const rk_unflat_table *t, uint32_t slot)
{
    size_t offset = slot < t->slots ? rk_unflat_number(f, t->vtable + 4 + 2 * (size_t)slot, 2) : 0;
    return offset ? t->place + offset : 0;
}

bool rk_unflat_has(rk_unflat *f, const rk_unflat_table *t, uint32_t slot)
{
    return place_of(f, t, slot) != 0;
}

uint64_t rk_unflat_field(rk_unflat *f, const rk_unflat_table *t, uint32_t slot, uint32_t size,
                         uint64_t fallback)
{
    size_t place = place_of(f, t, slot);
    return place ? rk_unflat_number(f, place, size) : fallback;
}

rk_unflat_table rk_unflat_table_in(rk_unflat *f, const rk_unflat_table *t, uint32_t slot)
{
    size_t place = place_of(f, t, slot);
    return place ? rk_unflat_at(f, place) : (rk_unflat_table){0};
}

size_t rk_unflat_vector_in(rk_unflat *f, const rk_unflat_table *t, uint32_t slot, size_t size, size_t *count)
{
    size_t place = place_of(f, t, slot);
    *count = 0;
    if (!place)
        return 0;
    place += rk_unflat_number(f, place, 4);
    size_t many = rk_unflat_number(f, place, 4);
    if (!f->wrong && reaches(f, place + 4, many * size))
        *count = many;
    return place + 4;
}
