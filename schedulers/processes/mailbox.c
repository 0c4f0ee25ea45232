#include "schedulers/processes/mailbox.h"

static uint64_t order(uint32_t kind, uint32_t unit)
{
    return (uint64_t)kind << 32 | unit;
}

bool rk_mailbox_has_room(const rk_mailbox *box)
{
    return rk_load_relaxed(&box->orders_end) - rk_load_acquire(&box->orders_begin) < RK_ORDERS;
}

uint32_t rk_mailbox_order(rk_mailbox *box, uint32_t kind, uint32_t unit, uint64_t allowed)
{
    uint32_t at = rk_load_relaxed(&box->orders_end);
    box->allowed[at % RK_ORDERS] = allowed;
    rk_store_relaxed(&box->orders[at % RK_ORDERS], order(kind, unit));
    rk_store_seq_cst(&box->orders_end, at + 1);
    return at;
}

bool rk_mailbox_take_back(rk_mailbox *box, uint32_t place, uint32_t unit)
{
    rk_atomic_u64 *at = &box->orders[place % RK_ORDERS];
    uint64_t waiting = rk_load_relaxed(at);
    if ((uint32_t)waiting != unit || waiting >> 32 == RK_ORDER_TAKEN)
        return false;
    return rk_cas_acq_rel(at, &waiting, order(RK_ORDER_TAKEN, unit));
}

uint32_t rk_mailbox_next(rk_mailbox *box, uint32_t *unit, uint64_t *allowed)
{
    uint32_t at = rk_load_relaxed(&box->orders_begin);
    while (at != rk_load_acquire(&box->orders_end)) {
        rk_atomic_u64 *place = &box->orders[at % RK_ORDERS];
        uint64_t waiting = rk_load_relaxed(place);
        uint32_t kind = (uint32_t)(waiting >> 32);
        *allowed = box->allowed[at % RK_ORDERS];
        bool taken = kind != RK_ORDER_TAKEN &&
                     rk_cas_acq_rel(place, &waiting, order(RK_ORDER_TAKEN, (uint32_t)waiting));
        rk_store_release(&box->orders_begin, ++at);
        if (!taken)
            continue;
        *unit = (uint32_t)waiting;
        return kind;
    }
    return 0;
}

uint32_t rk_mailbox_waiting(const rk_mailbox *box)
{
    return rk_load_seq_cst(&box->orders_end) - rk_load_relaxed(&box->orders_begin);
}

bool rk_mailbox_free(rk_mailbox *box, uint64_t address)
{
    uint32_t at = rk_load_relaxed(&box->freed_end);
    if (at - rk_load_acquire(&box->freed_begin) >= RK_FREED)
        return false;
    box->freed[at % RK_FREED] = address;
    rk_store_release(&box->freed_end, at + 1);
    return true;
}

uint64_t rk_mailbox_next_freed(rk_mailbox *box)
{
    uint32_t at = rk_load_relaxed(&box->freed_begin);
    if (at == rk_load_acquire(&box->freed_end))
        return 0;
    uint64_t address = box->freed[at % RK_FREED];
    rk_store_release(&box->freed_begin, at + 1);
    return address;
}

bool rk_mailbox_tell(rk_mailbox *box, const rk_news *news)
{
    uint32_t at = rk_load_relaxed(&box->news_end);
    if (at - rk_load_acquire(&box->news_begin) >= RK_NEWS)
        return false;
    box->news[at % RK_NEWS] = *news;
    rk_store_seq_cst(&box->news_end, at + 1);
    return true;
}

bool rk_mailbox_read(rk_mailbox *box, rk_news *news)
{
    uint32_t at = rk_load_relaxed(&box->news_begin);
    if (at == rk_load_seq_cst(&box->news_end))
        return false;
    *news = box->news[at % RK_NEWS];
    rk_store_release(&box->news_begin, at + 1);
    return true;
}

void rk_mailbox_ask(rk_mailbox *box, uint64_t bytes)
{
    rk_store_relaxed(&box->wanted, bytes);
    rk_store_seq_cst(&box->asks, 1);
}

bool rk_mailbox_unask(rk_mailbox *box)
{
    uint32_t asks = 1;
    return rk_cas_acq_rel(&box->asks, &asks, 0);
}

uint64_t rk_mailbox_asked(const rk_mailbox *box)
{
    return rk_load_seq_cst(&box->asks) ? rk_load_relaxed(&box->wanted) : 0;
}

void rk_mailbox_answer(rk_mailbox *box, uint64_t granted)
{
    rk_store_relaxed(&box->granted, granted);
    rk_store_release(&box->asks, 0);
}
