/* What tasks return instead of results. Whatever is drawn here is drawn by the task's identity, so that it grows the same when it
 * runs again; what its result must be is known before. */
#include "simulate.h"

enum { DEEPEST = 3, LONGEST_CHAIN = 12 };

static uint64_t share(uint64_t identity, uint32_t k)
{
    return mix_hash(mix_hash(7, identity), k);
}

static void take(node *n, uint32_t word, uint64_t truth)
{
    if (n->input_count == MOST_INPUTS)
        return;
    n->inputs[n->input_count] = word;
    n->input_truth[n->input_count++] = truth;
}

/* Some of what came before it, and of what its parent takes. */
static void draw_inputs(dice *d, const node *parent, sprout *out, node *n)
{
    uint32_t k = out->count;
    for (uint32_t i = 0; i < k; i++)
        if (dice_below(d, 2) || k + 1 == MOST_SPROUT)
            take(n, i | RK_INPUT_NEW | (dice_permille(d, 100) ? RK_INPUT_ORDER : 0), out->nodes[i].truth);
    for (uint32_t i = 0; i < parent->input_count; i++)
        if (!(parent->inputs[i] & RK_INPUT_ORDER) && dice_permille(d, 300))
            take(n, parent->inputs[i], parent->input_truth[i]);
}

static bool takes_results(const node *n)
{
    for (uint32_t i = 0; i < n->input_count; i++)
        if (!(n->inputs[i] & RK_INPUT_ORDER))
            return true;
    return false;
}

static node *add_node(const scenario *s, dice *d, const node *parent, sprout *out)
{
    node *n = &out->nodes[out->count];
    *n = (node){.identity = share(parent->identity, out->count), .depth = parent->depth + 1};
    draw_inputs(d, parent, out, n);
    scenario_script(s, d, &n->x, !takes_results(n));
    n->x.bytes /= 4;
    n->x.traits.result_bytes = n->x.traits.sure ? n->x.bytes : 0;
    n->x.traits.group += dice_permille(d, 20) ? 3 : 0;
    n->x.grows &= n->depth < DEEPEST;
    out->count++;
    return n;
}

// NOLINTNEXTLINE(misc-no-recursion): with truth_of(), as deep as things grow: DEEPEST chains at most
void sprout_of(const scenario *s, const node *parent, sprout *out)
{
    dice d = {share(parent->identity, UINT32_MAX)};
    bool chain = dice_below(&d, 3) == 0;
    uint32_t count = chain ? 1 : 1 + (uint32_t)dice_below(&d, MOST_SPROUT);
    out->count = 0;
    for (uint32_t k = 0; k < count; k++) {
        node *n = add_node(s, &d, parent, out);
        if (chain) { /* a long one is as deep as a short one */
            n->depth = parent->depth ? parent->depth : 1;
            n->links = parent->links + 1;
            n->x.grows = !n->x.traits.source && n->links < LONGEST_CHAIN && dice_below(&d, 10);
        }
        n->truth = truth_of(s, n);
    }
    out->result = dice_below(&d, 4) ? count - 1 : (uint32_t)dice_below(&d, count);
}

// NOLINTNEXTLINE(misc-no-recursion): see above
uint64_t truth_of(const scenario *s, const node *n)
{
    if (n->x.grows) {
        sprout grown = {.count = 0};
        sprout_of(s, n, &grown);
        return grown.nodes[grown.result].truth;
    }
    uint64_t hash = mix_hash(1, n->identity);
    for (uint32_t k = 0; k < n->input_count; k++)
        if (!(n->inputs[k] & RK_INPUT_ORDER))
            hash = mix_hash(hash, n->input_truth[k]);
    return hash;
}
