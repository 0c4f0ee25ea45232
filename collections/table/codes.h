/* collections/table/codes: the different texts of a column, numbered 0, 1, … as they appear, while that pays.
 *
 * Where the same few texts come again and again, each of them is kept once, in ends and bytes as a column has its rows, and
 * of a row the number of its text alone. It stops to pay when there are more than RK_CODES_TEXTS of them, when numbers and texts
 * are no smaller than the rows would be, or when hashes collide, which somebody may have arranged. */
#ifndef RASK_COLLECTIONS_TABLE_CODES_H
#define RASK_COLLECTIONS_TABLE_CODES_H

#include "collections/table/column.h"
#include "core/base/array.h"

enum {
    RK_CODES_TEXTS = 1 << 16,
    RK_CODES_ROWS = 1 << 12, /* so many are looked at before it is said that it does not pay */
    RK_CODES_FEW = 1 << 8,   /* texts that pay even when rows are divided */
};

typedef struct rk_codes {
    bool there;      /* texts are numbered */
    bool few;        /* the caller's: only few texts pay, since each of many chunks will have all of them */
    bool kept;       /* the caller's: texts stay numbered when that does not pay, and when their rows go */
    uint32_t texts;  /* different ones */
    uint64_t plain;  /* bytes of the texts of all rows */
    rk_array rows;   /* uint16_t: of each the number of its text */
    uint64_t *slots; /* upper half of the hash, then the text's number + 1; 0: free */
    uint32_t slot_count;
} rk_codes;

/* No rows yet. Nothing is allocated. */
void rk_codes_init(rk_codes *codes);
void rk_codes_fini(rk_codes *codes); /* legal for a zeroed one; nothing is numbered from here on */
/* The rows go, and the texts unless they are kept; the memory does not. */
void rk_codes_clear(rk_codes *codes);

/* One more row. ends (uint64_t, 0 before the first) and bytes have the texts, and get this one when it is new. RASK_OK;
 * RASK_ENOMEM; RASK_ELIMIT: it pays no more, and nothing was added. */
int rk_codes_add(rk_codes *codes, rk_array *ends, rk_array *bytes, rask_bytes text);

/* The number of a text, which becomes one of them when it is new; no row is added. As rk_codes_add(), but only the number of texts,
 * collisions and the ceilings of ends and bytes are looked at. */
int rk_codes_find(rk_codes *codes, rk_array *ends, rk_array *bytes, rask_bytes text, uint32_t *number);
/* The same by those who know what is new: a text more, which no row has yet, and a row of text number number, of len bytes, for which
 * there is room. RASK_OK, RASK_ENOMEM. */
int rk_codes_append(rk_codes *codes, rk_array *ends, rk_array *bytes, rask_bytes text);

static inline void rk_codes_repeat(rk_codes *codes, uint16_t number, size_t len)
{
    ((uint16_t *)codes->rows.data)[codes->rows.count++] = number;
    codes->plain += len;
}

/* Whether numbers and texts are smaller than the rows alone, the room for ends counted. */
bool rk_codes_pay(const rk_codes *codes, const rk_array *bytes);

static inline const uint16_t *rk_codes_rows(const rk_codes *codes)
{
    return codes->there ? codes->rows.data : NULL;
}

#endif
