#include "collections/table/arrow/flat.h"

#include <rask/base.h>
#include <string.h>

enum { MOST = 1 << 28 }; /* bytes: offsets are 32 bits, and some of them have a sign */

/* Where size bytes more begin, all 0. */
static size_t grow(rk_flat *f, size_t size)
{
    size_t place = f->bytes.count;
    int status = f->status ? f->status : rk_array_reserve(&f->bytes, size);
    f->status = status;
    if (status)
        return 0;
    memset((char *)f->bytes.data + place, 0, size);
    f->bytes.count += size;
    return place;
}

/* The next place is at multiples of align, or so many bytes behind one. */
static void align(rk_flat *f, size_t alignment, size_t behind)
{
    size_t wrong = (f->bytes.count + alignment - behind) % alignment;
    if (wrong)
        grow(f, alignment - wrong);
}

void rk_flat_init(rk_flat *f)
{
    *f = (rk_flat){.bytes = RK_ARRAY(char, MOST)};
    grow(f, 4);
}

void rk_flat_fini(rk_flat *f)
{
    rk_array_fini(&f->bytes);
}

void rk_flat_set(rk_flat *f, size_t place, uint64_t value, uint32_t size)
{
    for (uint32_t i = 0; i < size && !f->status; i++)
        ((unsigned char *)f->bytes.data)[place + i] = (unsigned char)(value >> (8 * i));
}

void rk_flat_refer(rk_flat *f, size_t place, size_t target)
{
    rk_flat_set(f, place, target - place, 4);
}

/* A vtable (its size, the table's, where each field is), then the table: where the vtable is, then fields, large ones first. */
rk_flat_table rk_flat_table_new(rk_flat *f, const uint8_t *sizes, uint32_t count)
{
    rk_flat_table t = {0};
    size_t vtable_size = 4 + 2 * (size_t)count, table_size = 4;
    align(f, 8, 8 - (vtable_size + 4) % 8);
    size_t vtable = grow(f, vtable_size);
    t.place = vtable + vtable_size;
    for (uint32_t size = 8; size; size /= 2)
        for (uint32_t i = 0; i < count; i++)
            if (sizes[i] == size) {
                t.fields[i] = t.place + table_size;
                rk_flat_set(f, vtable + 4 + 2 * (size_t)i, table_size, 2);
                table_size += size;
            }
    grow(f, table_size);
    rk_flat_set(f, vtable, vtable_size, 2);
    rk_flat_set(f, vtable + 2, table_size, 2);
    rk_flat_set(f, t.place, t.place - vtable, 4);
    return t;
}

size_t rk_flat_string(rk_flat *f, const char *text)
{
    size_t len = strlen(text), first, place = rk_flat_vector(f, len, 1, &first);
    if (!f->status)
        memcpy((char *)f->bytes.data + first, text, len);
    grow(f, 1); /* the NUL, which does not count */
    return place;
}

size_t rk_flat_vector(rk_flat *f, size_t count, size_t size, size_t *first)
{
    align(f, 8, 4);
    size_t place = grow(f, 4 + count * size);
    rk_flat_set(f, place, count, 4);
    *first = place + 4;
    return place;
}
