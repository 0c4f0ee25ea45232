/* An endless stream of measurements, a MiB each, condensed by all cores: as much flows as one likes, and little is held.
 * Shows: rask_map_stream(), whose source waits when the sink is behind, and whose sink says when it is enough. */
#include <math.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { READINGS = 1 << 17, ENOUGH = 512, UNDER_WAY = 8 };

static atomic_int held, most_held; /* batches in memory */

/* What source and sink go by: both are called by the thread that asked for the stream. */
typedef struct station {
    uint64_t noise;
    double count, sum, squares;
} station;

static void batch_free(void *readings)
{
    atomic_fetch_sub(&held, 1);
    free(readings);
}

static void fill(station *s, double *readings)
{
    for (int i = 0; i < READINGS; i++) {
        s->noise = s->noise * 6364136223846793005u + 1442695040888963407u;
        readings[i] = 20 + (double)(s->noise >> 40) / (1 << 24);
    }
}

/* The source: what the sensors give, batch after batch; it never says that there is no more. */
static bool next_batch(void *context, rask_value *input)
{
    double *readings = malloc(READINGS * sizeof *readings);
    if (!readings)
        return false;
    fill(context, readings);
    rask_block block = {RASK_DT_F64, 1, {READINGS}, {sizeof *readings}, readings, batch_free, readings};
    if (rask_value_block_adopt(&block, READINGS * sizeof *readings, input)) {
        free(readings);
        return false;
    }
    int now = atomic_fetch_add(&held, 1) + 1;
    most_held = now > most_held ? now : most_held;
    return true;
}

/* A batch → the sum of its readings, and of their squares. */
static int condense(rask_task *t)
{
    rask_block block;
    if (rask_arg_block(t, 0, &block))
        return RASK_ETYPE;
    const double *readings = block.data;
    double sum = 0, squares = 0;
    for (int i = 0; i < READINGS; i++) {
        sum += readings[i];
        squares += readings[i] * readings[i];
    }
    return rask_return_list(t, (rask_value[]){rask_value_f64(sum), rask_value_f64(squares)}, 2);
}
RASK_SLOTS(condense);

/* The sink: in the order of the batches, so that the sums are the same bits whatever the workers do. */
static int add_up(void *context, uint64_t index, int status, const rask_value *value, const char *message)
{
    station *s = context;
    const rask_value *sums;
    size_t count;
    if (status || rask_value_get_list(value, &sums, &count)) {
        fprintf(stderr, "stream: batch %llu: %s\n", (unsigned long long)index, message);
        return status ? status : RASK_ETYPE;
    }
    s->count += READINGS;
    s->sum += sums[0].as.f64;
    s->squares += sums[1].as.f64;
    return index + 1 == ENOUGH ? RASK_ECANCELLED : RASK_OK; /* anything but 0 ends the stream */
}

int main(void)
{
    station s = {.noise = 1};
    rask_stream stream = {sizeof stream, next_batch, add_up, &s, UNDER_WAY, false};
    rask_client *client;
    if (rask_client_open(NULL, &client))
        return 1;
    int status = rask_map_stream(client, RASK_DEF(condense), &stream);
    rask_client_close(client);

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double mean = s.sum / s.count, deviation = sqrt(s.squares / s.count - mean * mean);
    printf("%.0f readings: %.4f +- %.4f\n", s.count, mean, deviation);
    printf("%d MiB went by, %d of them in memory at once; the process never had more than %ld MiB\n", ENOUGH,
           most_held, usage.ru_maxrss / 1024);
    bool right = s.count == (double)ENOUGH * READINGS && fabs(mean - 20.5) < 1e-3 &&
                 fabs(deviation - sqrt(1. / 12)) < 1e-3;
    return status == RASK_ECANCELLED && right && most_held <= UNDER_WAY && held == 0 ? 0 : 1;
}
