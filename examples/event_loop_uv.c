/* Thumbnails in a program that lives in libuv's loop: the loop beats on while workers shrink pictures.
 * Shows: rask_client_fd() as a uv_poll_t, and futures told apart by what they give. */
#include <rask/rask.h>
#include <stdio.h>
#include <uv.h>

enum { PICTURES = 12, SIDE = 1024, SHRUNK = 16, BLOCK = SIDE / SHRUNK };

typedef struct studio {
    rask_client *client;
    uv_poll_t results;
    uv_timer_t heart;
    int beats, ready, right;
} studio;

/* What a camera would have seen at a place of a picture. */
static int scene(int64_t picture, int64_t x, int64_t y)
{
    return (int)((x * picture + y * 3) / 8 % 256);
}

/* The picture's number, and a thumbnail of it: each of its points the mean of a block. */
static int shrink(rask_task *t)
{
    int64_t picture = rask_arg_i64(t, 0);
    char *thumbnail;
    rask_value pair[2] = {rask_value_i64(picture)}, result;
    if (rask_value_bytes_alloc(SHRUNK * SHRUNK, &thumbnail, &pair[1]))
        return rask_fail(t, RASK_ENOMEM, "no memory for a thumbnail");
    for (int i = 0; i < SHRUNK * SHRUNK; i++) {
        long sum = 0;
        for (int k = 0; k < BLOCK * BLOCK; k++)
            sum += scene(picture, i % SHRUNK * BLOCK + k % BLOCK, i / SHRUNK * BLOCK + k / BLOCK);
        thumbnail[i] = (char)(sum / (BLOCK * BLOCK));
    }
    int status = rask_value_list_new(pair, 2, &result);
    rask_value_unref(&pair[1]); /* the list has its own */
    return status ? rask_fail(t, status, "no memory for a list") : rask_return_value(t, result);
}
RASK_SLOTS(shrink);

static int show(const rask_value *result)
{
    const rask_value *pair;
    rask_bytes thumbnail;
    size_t count;
    if (rask_value_get_list(result, &pair, &count) || rask_value_get_bytes(&pair[1], &thumbnail))
        return 0;
    printf("picture %2lld  ", (long long)pair[0].as.i64);
    for (int x = 0; x < SHRUNK; x++)
        putchar(" .:-=+*#"[(unsigned char)thumbnail.data[x] / 32]);
    putchar('\n');
    return thumbnail.len == SHRUNK * SHRUNK;
}

static void on_results(uv_poll_t *handle, int status, int events)
{
    studio *s = handle->data;
    rask_value result;
    (void)status, (void)events;
    for (rask_future *f; (f = rask_client_next(s->client)); rask_future_unref(f)) {
        if (!rask_future_result(f, &result)) {
            s->right += show(&result);
            rask_value_unref(&result);
        }
        s->ready++;
    }
    if (s->ready == PICTURES) { /* nothing to wait for: uv_run() returns */
        uv_close((uv_handle_t *)&s->results, NULL);
        uv_close((uv_handle_t *)&s->heart, NULL);
    }
}

static void on_beat(uv_timer_t *handle)
{
    ((studio *)handle->data)->beats++;
}

int main(void)
{
    studio s = {.results.data = &s, .heart.data = &s};
    uv_loop_t *loop = uv_default_loop();
    if (rask_client_open(NULL, &s.client))
        return 1;
    uv_poll_init(loop, &s.results, rask_client_fd(s.client));
    uv_poll_start(&s.results, UV_READABLE, on_results);
    uv_timer_init(loop, &s.heart);
    uv_timer_start(&s.heart, on_beat, 1, 1);

    rask_graph *g = rask_graph_new();
    for (int i = 0; i < PICTURES; i++)
        rask_future_unref(rask_submit(s.client, rask_delayed(g, shrink, i)));
    rask_graph_free(g);
    uv_run(loop, UV_RUN_DEFAULT);

    rask_client_close(s.client); /* and its descriptor, which nobody polls any more */
    uv_loop_close(loop);
    printf("%d thumbnails, %d heartbeats\n", s.right, s.beats);
    return s.right == PICTURES ? 0 : 1;
}
