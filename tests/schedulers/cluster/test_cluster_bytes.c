/* What goes from process to process comes back the same; what is damaged on the way is refused. */
#include "../support.h"

#include "schedulers/cluster/plans.h"
#include "schedulers/cluster/protocol.h"
#include "schedulers/cluster/values.h"
#include "schedulers/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Values */

static void must_come_back_whole(const rask_value *value)
{
    char message[1024] = "";
    rk_pack_out out = {0};
    rask_value again;
    cr_assert_eq(rk_pack_put_value(&out, value, message, sizeof message), RASK_OK, "%s", message);
    rk_pack_in in = {out.data, out.data + out.size, false, NULL};
    cr_assert_eq(rk_pack_get_value(&in, &again, message, sizeof message), RASK_OK, "%s", message);
    cr_assert(rask_value_equal(value, &again));
    rask_value_unref(&again);
    rk_pack_out_fini(&out);
}

static void must_come_back(const rask_value *value)
{
    char message[1024] = "";
    rk_pack_out out = {0}, counted = {.counting = true};
    rask_value again;
    cr_assert_eq(rk_pack_put_value(&out, value, message, sizeof message), RASK_OK, "%s", message);
    cr_assert_eq(rk_pack_put_value(&counted, value, message, sizeof message), RASK_OK);
    cr_assert_eq(counted.size, out.size);
    rk_pack_in in = {out.data, out.data + out.size, false, NULL};
    cr_assert_eq(rk_pack_get_value(&in, &again, message, sizeof message), RASK_OK, "%s", message);
    cr_assert_eq(rk_pack_left(&in), 0);
    cr_assert(rask_value_equal(value, &again));
    rask_value_unref(&again);
    for (uint64_t cut = 0; cut < out.size; cut++) {
        char *copy = malloc(cut + 1); /* so that a read beyond the end is one beyond a block */
        memcpy(copy, out.data, cut);
        in = (rk_pack_in){copy, copy + cut, false, NULL};
        cr_assert_eq(rk_pack_get_value(&in, &again, message, sizeof message), RASK_EFORMAT, "cut at %u",
                     (unsigned)cut);
        free(copy);
    }
    rk_pack_out_fini(&out);
}

Test(cluster_bytes, values_come_back_and_cut_ones_are_refused)
{
    rask_value items[5] = {rask_value_none(), rask_value_bool(true), rask_value_i64(-7), rask_value_f64(0.5)},
               list, outer[2], deep;
    int64_t shape[] = {2, 3, 0};
    rask_block block;
    cr_assert_eq(rask_value_bytes_new("words", 5, &items[4]), RASK_OK);
    for (int i = 0; i < 5; i++)
        must_come_back(&items[i]);
    cr_assert_eq(rask_value_list_new(items, 5, &list), RASK_OK);
    must_come_back(&list);
    outer[0] = list;
    for (uint32_t ndim = 2; ndim <= 3; ndim++) {
        cr_assert_eq(rask_value_block_alloc(RASK_DT_F64, ndim, shape, &block, &outer[1]), RASK_OK);
        memset(block.data, 1, ndim == 2 ? 48 : 0);
        must_come_back(&outer[1]);
        cr_assert_eq(rask_value_list_new(outer, 2, &deep), RASK_OK);
        must_come_back(&deep);
        rask_value_unref(&deep);
        rask_value_unref(&outer[1]);
    }
    rask_value_unref(&list);
    rask_value_unref(&items[4]);
}

/* What stands before the elements and these are the same bytes as the whole, and become the value where they are. */
static void must_be_adopted(const rask_value *value)
{
    char message[1024] = "";
    rk_pack_out whole = {0}, head = {0};
    rask_bytes rest;
    rask_value again;
    cr_assert_eq(rk_pack_put_value(&whole, value, message, sizeof message), RASK_OK, "%s", message);
    cr_assert(rk_pack_put_flat(&head, value, &rest));
    cr_assert_eq(head.size + rest.len, whole.size);
    cr_assert(!memcmp(whole.data, head.data, head.size));
    cr_assert(!memcmp(whole.data + head.size, rest.data, rest.len));
    uint64_t size = whole.size;
    rk_pack_put_u8(&whole, 0);
    cr_assert(!rk_pack_adopt_value(whole.data, size - 1, &again), "it is cut");
    cr_assert(rk_pack_adopt_value(whole.data, size, &again));
    cr_assert(rask_value_equal(value, &again));
    rask_value_unref(&again);
    rk_pack_out_fini(&head);
}

Test(cluster_bytes, large_bytes_and_blocks_become_values_where_they_came)
{
    enum { ROWS = 100, COLUMNS = 200 };
    int64_t shape[] = {ROWS, COLUMNS};
    rask_value bytes, block, transposed;
    rask_block made;
    rk_pack_out head = {0};
    rask_bytes rest;
    char *data;
    cr_assert_eq(rask_value_bytes_alloc(100000, &data, &bytes), RASK_OK);
    memset(data, 7, 100000);
    must_be_adopted(&bytes);
    cr_assert_eq(rask_value_block_alloc(RASK_DT_F64, 2, shape, &made, &block), RASK_OK);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        ((double *)made.data)[i] = i;
    must_be_adopted(&block);
    rask_block turned = {.dtype = RASK_DT_F64,
                         .ndim = 2,
                         .shape = {COLUMNS, ROWS},
                         .strides = {made.strides[1], made.strides[0]},
                         .data = made.data};
    cr_assert_eq(rask_value_block_adopt(&turned, 0, &transposed), RASK_OK);
    cr_assert(!rk_pack_put_flat(&head, &transposed, &rest), "its elements do not stand in a row");
    must_come_back_whole(&transposed);
    rk_pack_out_fini(&head);
    rask_value_unref(&transposed);
    rask_value_unref(&block);
    rask_value_unref(&bytes);
}

Test(cluster_bytes, lists_that_promise_more_than_is_there_take_no_memory)
{
    rk_pack_out out = {0};
    char message[1024];
    rask_value value;
    for (int i = 0; i < 1000; i++) {
        rk_pack_put_u8(&out, RASK_LIST);
        rk_pack_put_u64(&out, 9000 - 9 * (uint64_t)i);
    }
    rk_pack_in in = {out.data, out.data + out.size, false, NULL};
    cr_assert_eq(rk_pack_get_value(&in, &value, message, sizeof message), RASK_EFORMAT);
    rk_pack_out_fini(&out);
}

/* -- Messages */

Test(cluster_bytes, messages_come_back)
{
    rk_pack_out out = {0};
    rk_message m, sent = {.kind = RK_SAY_FINISHED,
                          .run = 1,
                          .unit = 2,
                          .attempt = 3,
                          .done = 4,
                          .retries = 5,
                          .bytes = 6,
                          .size = 7,
                          .duration = 8,
                          .blob = {"blob", 4}};
    rk_message_put(&out, &sent);
    rk_message_put(&out, &(rk_message){.kind = RK_SAY_GO});
    rk_pack_in in = {out.data, out.data + out.size, false, NULL};
    cr_assert(rk_message_get(&in, &m));
    cr_assert(m.kind == sent.kind && m.run == 1 && m.unit == 2 && m.attempt == 3 && m.done == 4);
    cr_assert(m.retries == 5 && m.bytes == 6 && m.size == 7 && m.duration == 8);
    cr_assert(m.blob.len == 4 && !memcmp(m.blob.data, "blob", 4));
    cr_assert(rk_message_get(&in, &m) && m.kind == RK_SAY_GO);
    cr_assert(!rk_message_get(&in, &m) && !in.failed);
    rk_pack_out_fini(&out);
}

Test(cluster_bytes, the_largest_message_fits_where_it_is_to_fit)
{
    static char much[2 * RK_MAX_INLINE];
    rask_bytes bytes = {much, sizeof much};
    memset(much, 'x', sizeof much);
    for (int kind = 0; kind < RK_SAY_COUNT; kind++) {
        rk_pack_out out = {0};
        rk_message m = {
            .kind = (rk_said)kind, .text = bytes, .blob = bytes, .contact = {much, RK_MAX_CONTACT}};
        rk_message_put(&out, &m);
        rk_pack_in in = {out.data, out.data + out.size, false, NULL};
        cr_assert_leq(out.size, RK_MAX_MESSAGE_BYTES, "%s", rk_message_name((rk_said)kind));
        cr_assert(rk_message_get(&in, &m) && !in.failed);
        rk_pack_out_fini(&out);
    }
}

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

Test(cluster_bytes, any_bytes_are_messages_or_refused)
{
    uint64_t state = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        char bytes[64];
        rk_message m;
        size_t len = draw(&state) % sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(draw(&state) >> (draw(&state) % 2 ? 60 : 8));
        rk_pack_in in = {bytes, bytes + len, false, NULL};
        while (rk_message_get(&in, &m)) {
            char text[32];
            rk_word_copy(text, sizeof text, m.text);
        }
        cr_assert(in.failed || in.at == in.end);
    }
}

/* -- Plans */

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(add, i64, i64, i64);

static int64_t length(rask_bytes bytes)
{
    return (int64_t)bytes.len;
}
RASK_TASK_WITH(length, (.flags = RASK_PURE, .retries = 2, .timeout = 5), i64, bytes);

/* A run of a small graph with constants, attributes and an order between tasks. */
typedef struct made {
    rask_graph *graph;
    rask_plan *plan;
    rk_run run;
} made;

static void make(made *m)
{
    rask_options o = RASK_OPTIONS_INIT, resolved;
    char reason[256];
    m->graph = rask_graph_new();
    rask_node *a = rask_delayed(m->graph, add, 1, 2), *b = rask_delayed(m->graph, length, "twelve bytes");
    rask_node *sum = rask_delayed(m->graph, add, a, b);
    rask_set_retries(b, 7);
    rask_after(sum, &a, 1);
    cr_assert_eq(rask_plan_new(&sum, 1, &m->plan), RASK_OK, "%s", rask_graph_error(m->graph));
    cr_assert_eq(rk_options_resolve(&o, &resolved, reason, sizeof reason), RASK_OK);
    cr_assert_eq(rk_run_init(&m->run, m->plan, &resolved, "cluster"), RASK_OK);
}

static void unmake(made *m)
{
    rask_value result;
    rk_run_abandon(&m->run, RASK_ECANCELLED);
    rk_run_fini(&m->run, m->plan, &result);
    rask_plan_free(m->plan);
    rask_graph_free(m->graph);
}

Test(cluster_bytes, a_plan_comes_back_with_the_same_tasks)
{
    made m;
    rk_pack_out out = {0};
    rk_guest guest;
    uint32_t task;
    char message[1024] = "";
    make(&m);
    cr_assert_eq(rk_pack_put_plan(&out, &m.run, &task, message, sizeof message), RASK_OK, "%s", message);
    cr_assert_eq(rk_guest_init(&guest, out.data, out.size, message, sizeof message), RASK_OK, "%s", message);
    cr_assert_eq(guest.plan->tasks, m.plan->tasks);
    cr_assert_eq(guest.plan->units, m.plan->units);
    for (task = 0; task < m.plan->tasks; task++) {
        const rask_task_def *mine = rk_plan_def(m.plan, task), *theirs = rk_plan_def(guest.plan, task);
        cr_assert(mine->call == theirs->call && mine->identity == theirs->identity);
        cr_assert(mine->flags == theirs->flags && mine->timeout == theirs->timeout);
        cr_assert_str_eq(mine->name, theirs->name);
        cr_assert_eq(rk_plan_nargs(m.plan, task), rk_plan_nargs(guest.plan, task));
        cr_assert_eq(rk_run_retries(&m.run, task), rk_run_retries(&guest.model, task));
    }
    rk_guest_fini(&guest);
    rk_pack_out_fini(&out);
    unmake(&m);
}

static void read_damaged(const char *bytes, uint64_t size)
{
    char message[1024] = "";
    rk_guest guest;
    char *copy = malloc(size + 1);
    memcpy(copy, bytes, size);
    if (!rk_guest_init(&guest, copy, size, message, sizeof message))
        rk_guest_fini(&guest);
    else
        cr_assert_neq(*message, '\0');
    free(copy);
}

Test(cluster_bytes, plans_that_are_cut_or_damaged_are_refused_or_harmless)
{
    made m;
    rk_pack_out out = {0};
    uint32_t task;
    uint64_t state = 1234567;
    char message[1024];
    make(&m);
    cr_assert_eq(rk_pack_put_plan(&out, &m.run, &task, message, sizeof message), RASK_OK);
    for (uint64_t cut = 0; cut < out.size; cut++)
        read_damaged(out.data, cut);
    for (int round = 0; round < 20000; round++) {
        uint64_t at = draw(&state) % out.size;
        char before = out.data[at];
        out.data[at] ^= (char)(1 << draw(&state) % 8);
        read_damaged(out.data, out.size);
        out.data[at] = before;
    }
    rk_pack_out_fini(&out);
    unmake(&m);
}
