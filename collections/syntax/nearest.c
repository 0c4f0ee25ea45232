#include "collections/syntax/nearest.h"

enum { MAX_NEAR = 32 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Letters added, removed, replaced or swapped with their neighbours to make one of the other. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][MAX_NEAR + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b_len; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *free = before;
        before = last;
        last = row;
        row = free;
    }
    return last[b_len];
}

rk_nearest rk_nearest_to(const char *text, size_t len)
{
    return (rk_nearest){.text = text, .len = len, .distance = 2u + (len > 5) - (len < 3)};
}

void rk_nearest_consider(rk_nearest *n, const char *name, size_t len)
{
    if (len > MAX_NEAR || n->len > MAX_NEAR)
        return;
    unsigned d = distance(n->text, n->len, name, len);
    if (d >= n->distance || d >= len)
        return;
    n->distance = d;
    n->name = name;
    n->name_len = len;
}
