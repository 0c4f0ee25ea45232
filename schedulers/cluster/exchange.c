/* A call, as the program sees it:
 *
 *   state  left when, and where to
 *   FREE   somebody has time, somebody else calls to spare: ASKED (LEND)
 *   ASKED  lent: GONE (TAKE); kept, or who was asked is lost: FREE
 *   GONE   its result is in the news of it, or it comes home without one: FREE (BACK); its result is an object: BACK is said, and it stays;
 *          who lent it lets go of it, or is lost: LET (LET_GO); who has it is lost: FREE (BACK)
 *   LET    who has it is through with it, or lost: FREE
 *
 * What is said of one that is FREE, or of another that had its place before, finds nobody. */
#include "schedulers/cluster/exchange.h"

#include "schedulers/cluster/conduct.h"

#include <string.h>

enum { MOST_LOANS = 32768, MOST_ASKED = 8, SLOT_BITS = 16, NONE = UINT32_MAX };

typedef enum state { FREE, ASKED, GONE, LET } state;

typedef struct rk_loan {
    uint32_t number;
    uint32_t lender, borrower; /* homes; borrower NONE: it was lost */
    uint32_t next;             /* of free ones */
    state state;
} rk_loan;

void rk_exchange_init(rk_exchange *x)
{
    *x = (rk_exchange){.free = NONE};
}

void rk_exchange_fini(rk_exchange *x)
{
    rk_free(x->loans);
}

/* -- Loans */

static bool make_room(rk_exchange *x)
{
    uint32_t room = x->room ? 2 * x->room : 16;
    rk_loan *loans = x->count < MOST_LOANS ? rk_realloc(x->loans, room * sizeof *loans) : NULL;
    if (!loans)
        return false;
    x->loans = loans;
    x->room = room;
    return true;
}

/* NULL: there are as many as there may be, or no memory. */
static rk_loan *take_loan(rk_exchange *x)
{
    uint32_t slot = x->free;
    if (slot != NONE) {
        x->free = x->loans[slot].next;
        return &x->loans[slot];
    }
    if (x->count == x->room && !make_room(x))
        return NULL;
    x->loans[x->count] = (rk_loan){.number = RK_LENT_BIT | x->count};
    return &x->loans[x->count++];
}

/* The next in its place has another number. */
static void end_loan(rk_conduct *c, rk_loan *loan)
{
    rk_exchange *x = &c->exchange;
    if (loan->borrower != NONE)
        c->hands[loan->borrower].dealings.borrowed--;
    x->live--;
    loan->state = FREE;
    loan->number = (loan->number + (1u << SLOT_BITS)) | RK_LENT_BIT;
    loan->next = x->free;
    x->free = (uint32_t)(loan - x->loans);
}

static rk_loan *find_loan(const rk_exchange *x, uint32_t number, state wanted)
{
    uint32_t slot = number & ((1u << SLOT_BITS) - 1);
    bool is_one = slot < x->count && x->loans[slot].number == number && x->loans[slot].state == wanted;
    return is_one ? &x->loans[slot] : NULL;
}

/* -- Who has time */

static uint32_t count_free(const rk_conduct *c, uint32_t home)
{
    const rk_hand *hand = &c->hands[home];
    if (!hand->joined || hand->dealings.spare || hand->member->leaving || hand->member->doom)
        return 0;
    uint64_t has = (uint64_t)hand->threads + hand->dealings.idle,
             busy = (uint64_t)hand->under_way + hand->dealings.borrowed;
    uint64_t free = has > busy ? has - busy : 0;
    return free < hand->threads ? (uint32_t)free : hand->threads;
}

static bool may_be_asked(const rk_hand *hand)
{
    return hand->joined && hand->dealings.spare && hand->dealings.asked < MOST_ASKED && !hand->member->doom;
}

/* Somebody else who has calls to spare, each in turn; 0: nobody. */
static uint32_t find_lender(rk_conduct *c, uint32_t borrower)
{
    uint32_t home = c->exchange.turn;
    for (uint32_t i = 1; i < c->home_count; i++) {
        home = home + 1 < c->home_count ? home + 1 : 1;
        if (home != borrower && may_be_asked(&c->hands[home])) {
            c->exchange.turn = home;
            return home;
        }
    }
    return 0;
}

static bool ask(rk_conduct *c, uint32_t lender, uint32_t borrower)
{
    rk_loan *loan = take_loan(&c->exchange);
    if (!loan)
        return false;
    loan->lender = lender;
    loan->borrower = borrower;
    loan->state = ASKED;
    c->exchange.live++;
    c->hands[lender].dealings.asked++;
    c->hands[borrower].dealings.borrowed++;
    rk_conduct_order(c, lender, (rk_message){.kind = RK_SAY_LEND, .unit = loan->number});
    return true;
}

void rk_exchange_balance(rk_conduct *c)
{
    if (!c->exchange.spares || c->stopping_since || c->ended)
        return;
    for (uint32_t home = 1; home < c->home_count; home++)
        for (uint32_t free = count_free(c, home), lender; free; free--)
            if (!(lender = find_lender(c, home)) || !ask(c, lender, home))
                return; /* who has time has nothing to lend: so nobody has */
}

/* -- What homes say */

static void note_spare(rk_conduct *c, uint32_t home, bool spare)
{
    rk_dealings *d = &c->hands[home].dealings;
    c->exchange.spares += (uint32_t)spare - (uint32_t)d->spare;
    d->spare = spare;
}

/* It is called at home. */
static void send_home(rk_conduct *c, rk_loan *loan)
{
    rk_conduct_order(c, loan->lender,
                     (rk_message){.kind = RK_SAY_BACK, .unit = loan->number, .flag = RK_LENT_LOST});
    end_loan(c, loan);
}

static void answer_keeps(rk_conduct *c, uint32_t home, rk_loan *loan)
{
    c->hands[home].dealings.asked--;
    note_spare(c, home, false);
    end_loan(c, loan);
}

/* Another may have come to have time, when who had is lost. */
static void hand_over(rk_conduct *c, rk_loan *loan, const rk_message *m)
{
    rk_message take = {.kind = RK_SAY_TAKE, .unit = m->unit, .size = m->size, .blob = m->blob};
    c->hands[loan->lender].dealings.asked--;
    loan->state = GONE;
    if (loan->borrower == NONE || c->ended) {
        send_home(c, loan);
        return;
    }
    if (!m->blob.len)
        take.contact = rk_word(c->hands[loan->lender].member->contact);
    rk_conduct_order(c, loan->borrower, take);
}

static void answer(rk_conduct *c, uint32_t home, const rk_message *m)
{
    rk_loan *loan = find_loan(&c->exchange, m->unit, ASKED);
    if (!loan || loan->lender != home)
        return;
    if (m->kind == RK_SAY_KEEPS || (!m->blob.len && !m->size))
        answer_keeps(c, home, loan);
    else
        hand_over(c, loan, m);
}

/* A result that is an object stays where it is until it was pulled. */
static void give_back(rk_conduct *c, uint32_t home, rk_loan *loan, const rk_message *m)
{
    rk_message back = *m;
    bool object = m->flag == RK_LENT_DONE && !m->status && !m->blob.len;
    back.kind = RK_SAY_BACK;
    if (m->flag >= RK_LENT_ENDS || (object && !m->size)) {
        send_home(c, loan);
        return;
    }
    if (object)
        back.contact = rk_word(c->hands[home].member->contact);
    rk_conduct_order(c, loan->lender, back);
    if (!object)
        end_loan(c, loan);
}

static void hear_gives(rk_conduct *c, uint32_t home, const rk_message *m)
{
    rk_loan *loan = find_loan(&c->exchange, m->unit, GONE);
    rk_loan *let = find_loan(&c->exchange, m->unit, LET);
    c->run->retries += m->retries;
    if (loan && loan->borrower == home)
        give_back(c, home, loan, m);
    else if (let && let->borrower == home)
        end_loan(c, let);
}

static void let_go(rk_conduct *c, rk_loan *loan)
{
    loan->state = LET;
    rk_conduct_order(c, loan->borrower, (rk_message){.kind = RK_SAY_LET_GO, .unit = loan->number});
}

bool rk_exchange_hear(rk_conduct *c, uint32_t home, const rk_message *m)
{
    rk_loan *loan;
    switch (m->kind) {
    case RK_SAY_SPARE: note_spare(c, home, m->flag); return true;
    case RK_SAY_IDLE: c->hands[home].dealings.idle = m->threads; return true;
    case RK_SAY_KEEPS:
    case RK_SAY_LENT: answer(c, home, m); return true;
    case RK_SAY_GIVES: hear_gives(c, home, m); return true;
    case RK_SAY_LET_GO:
        loan = find_loan(&c->exchange, m->unit, GONE);
        if (loan && loan->lender == home)
            let_go(c, loan);
        return true;
    default: return false;
    }
}

/* -- Losses */

static void lose_loan(rk_conduct *c, rk_loan *loan, uint32_t home)
{
    bool is_borrower = loan->borrower == home;
    if (is_borrower) {
        c->hands[home].dealings.borrowed--;
        loan->borrower = NONE;
    }
    if (loan->state == LET ? is_borrower : loan->lender == home && loan->state == ASKED)
        end_loan(c, loan);
    else if (is_borrower && loan->state == GONE)
        send_home(c, loan);
    else if (loan->state == GONE)
        let_go(c, loan);
}

void rk_exchange_lose(rk_conduct *c, uint32_t home)
{
    rk_exchange *x = &c->exchange;
    note_spare(c, home, false);
    for (uint32_t i = 0; i < x->count; i++) {
        rk_loan *loan = &x->loans[i];
        if (loan->state != FREE && (loan->lender == home || loan->borrower == home))
            lose_loan(c, loan, home);
    }
}

void rk_exchange_kill(rk_conduct *c)
{
    const rk_exchange *x = &c->exchange;
    for (uint32_t i = 0; i < x->count; i++) {
        const rk_loan *loan = &x->loans[i];
        bool has = loan->state == GONE || loan->state == LET;
        if (has && loan->borrower != NONE && c->hands[loan->borrower].member)
            rk_hub_kill(c->hub, c->hands[loan->borrower].member);
    }
}
