#include "schedulers/cluster/ranks/launch.h"

#include "schedulers/cluster/hub.h"
#include "schedulers/cluster/ranks/indoor.h"
#include "schedulers/cluster/ranks/relay.h"

#include <rask/cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- Who started this process */

/* Of the first of these that is set; 0: none is, or not to a number. What Slurm says of several machines begins with a number. */
static uint32_t number_of(const char *const names[])
{
    const char *text = NULL;
    for (int i = 0; names[i] && !text; i++)
        text = getenv(names[i]);
    long number = text ? strtol(text, NULL, 10) : 0;
    return number > 0 && number < INT32_MAX ? (uint32_t)number : 0;
}

static bool is_any_set(const char *const names[])
{
    int i = 0;
    while (names[i] && !getenv(names[i]))
        i++;
    return names[i];
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static int read_transport(rk_launch *launch, char *reason, size_t capacity)
{
    const char *name = getenv("RASK_TRANSPORT");
    launch->tcp = name && !strcmp(name, "tcp");
    if (launch->tcp || !name || !*name || !strcmp(name, "mpi"))
        return RASK_OK;
    snprintf(reason, capacity, "RASK_TRANSPORT: \"%.100s\" is neither mpi nor tcp", name);
    return RASK_EINVAL;
}

int rk_launch_read(rk_launch *launch, char *reason, size_t capacity)
{
    uint32_t steps = number_of(NAMES("SLURM_STEP_NUM_TASKS"));
    *launch = (rk_launch){.ranks = 1, .local = 1};
    if (is_any_set(NAMES("OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK"))) {
        launch->rank = number_of(NAMES("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"));
        launch->ranks =
            number_of(NAMES("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"));
        launch->local =
            number_of(NAMES("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_TASKS_PER_NODE"));
    } else if (steps > 1) {
        snprintf(reason, capacity,
                 "Slurm started %u tasks of this program, and none knows of the others: start it by "
                 "srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH), or set RASK_WORKER_OF for workers",
                 steps);
        return RASK_EUNSUPPORTED;
    }
    if (!launch->ranks)
        launch->ranks = 1;
    if (!launch->local || launch->local > launch->ranks)
        launch->local = 1;
    return read_transport(launch, reason, capacity);
}

/* -- What a child does */

static const rk_launch *own_launch;
static rk_launch_work own_work;

static int live_on_ranks(rk_tube *tube, const rk_frame *frame, const char *body)
{
    static char contact[RK_MAX_CONTACT + 1];
    rk_tube_text(frame, body, contact, sizeof contact);
    rk_indoor_enter(tube, contact);
    return own_work(own_launch, "mpi:0", NULL);
}

/* Three texts, each with its 0. */
static bool read_order(const char *bytes, size_t size, char address[RK_MAX_CONTACT + 1],
                       rk_cluster_keys *keys)
{
    char *const texts[] = {address, keys->program, keys->worker};
    const size_t rooms[] = {RK_MAX_CONTACT + 1, sizeof keys->program, sizeof keys->worker};
    for (int i = 0; i < 3; i++) {
        size_t len = strnlen(bytes, size);
        if (len == size || len >= rooms[i])
            return false;
        memcpy(texts[i], bytes, len + 1);
        bytes += len + 1;
        size -= len + 1;
    }
    return true;
}

static size_t write_order(char *bytes, size_t capacity, const char *address, const rk_cluster_keys *keys)
{
    return (size_t)snprintf(bytes, capacity, "%s%c%s%c%s", address, 0, keys->program, 0, keys->worker) + 1;
}

static int live_elsewhere(const rk_frame *frame, const char *body)
{
    char address[RK_MAX_CONTACT + 1];
    rk_cluster_keys keys;
    int outcome = EXIT_FAILURE;
    if (read_order(body, frame->size, address, &keys))
        outcome = own_work(own_launch, address, &keys);
    explicit_bzero(&keys, sizeof keys);
    return outcome;
}

static void live(int fd)
{
    enum { SAY_MS = 1000 };
    static rk_tube tube;
    rk_frame frame;
    const char *body;
    rk_tube_init(&tube, fd);
    if (!rk_tube_await(&tube, &frame, &body))
        _exit(EXIT_FAILURE);
    int outcome =
        frame.kind == RK_FRAME_CONTACT ? live_on_ranks(&tube, &frame, body) : live_elsewhere(&frame, body);
    rk_tube_put(&tube, (rk_frame){.kind = RK_FRAME_END, .number = (uint32_t)outcome}, NULL, 0, NULL, 0);
    rk_tube_drain(&tube, SAY_MS);
    exit(outcome);
}

/* -- Address and keys, from rank 0 to the others */

enum { MOST_ORDER = RK_MAX_CONTACT + 2 * RK_MAX_KEY + 3, LOOK_NS = 1000000 };

typedef struct post {
    rk_line line;
    char order[MOST_ORDER];
    size_t size;
    uint32_t told; /* ranks, by rank 0 */
    bool lost;
} post;

static void post_joined(void *context, uint32_t peer, bool dialled)
{
    post *p = context;
    if (!dialled)
        p->told += !p->line.engine->send(p->line.transport, peer, p->order, p->size);
}

static void post_message(void *context, uint32_t peer, const void *bytes, size_t size)
{
    post *p = context;
    (void)peer;
    p->size = size <= sizeof p->order ? size : 0;
    memcpy(p->order, bytes, p->size);
}

/* Who has its letter closes. */
static void post_lost(void *context, uint32_t peer, int status, const char *why)
{
    (void)peer, (void)status, (void)why;
    ((post *)context)->lost = true;
}

static int post_open(post *p, const rk_transport_engine *engine, char *reason, size_t capacity)
{
    const rk_transport_setup setup = {
        .keys.open_door = true,
        .events = {.context = p, .joined = post_joined, .message = post_message, .lost = post_lost}};
    p->line = (rk_line){.engine = engine};
    return rk_line_open(&p->line, &setup, reason, capacity);
}

/* To all others. */
static void post_send(post *p, uint32_t others)
{
    while (p->told < others)
        rk_line_turn(&p->line, LOOK_NS);
}

static int post_receive(post *p, const rk_transport_engine *engine, char *reason, size_t capacity)
{
    uint32_t peer;
    int status = post_open(p, engine, reason, capacity);
    if (status)
        return status;
    status = engine->dial(p->line.transport, "mpi:0", &peer);
    while (!status && !p->size && !p->lost)
        rk_line_turn(&p->line, LOOK_NS);
    rk_line_close(&p->line);
    if (p->size)
        return RASK_OK;
    snprintf(reason, capacity, "rank 0 did not say where it is");
    return RASK_EIO;
}

/* -- The other ranks */

static int follow(const rk_launch *launch, const rk_transport_engine *engine, const rk_nursery *nursery,
                  int *outcome, char *reason, size_t capacity)
{
    static post p;
    if (!launch->tcp)
        return rk_relay_mpi(nursery, rk_transport_wire(engine), outcome, reason, capacity);
    int status = post_receive(&p, engine, reason, capacity);
    if (!status)
        status = rk_relay_address(nursery, p.order, p.size, outcome, reason, capacity);
    explicit_bzero(&p, sizeof p);
    return status;
}

/* Ends the process, or fails. */
static int be_rank(const rk_launch *launch, char *reason, size_t capacity)
{
    const rk_transport_engine *engine;
    rk_nursery nursery = {.line = -1};
    int outcome = EXIT_SUCCESS;
    int status = rk_nursery_open(&nursery, live);
    if (status)
        snprintf(reason, capacity, "no process that runs tasks is to be had");
    else
        status = rk_transport_find("mpi", &engine, reason, capacity);
    if (!status)
        status = follow(launch, engine, &nursery, &outcome, reason, capacity);
    rk_nursery_close(&nursery);
    if (!status)
        exit(outcome);
    return status;
}

/* -- Rank 0 */

static struct {
    bool is;
    uint32_t others;
    char address[RK_MAX_CONTACT + 1]; /* of the hub */
    char keys[256];                   /* key file; "": none */
} lead;

static int lead_mpi(char *reason, size_t capacity)
{
    rk_hub *hub;
    lead.is = true; /* for the engine */
    snprintf(lead.address, sizeof lead.address, "mpi:");
    int status = rk_hub_get(lead.address, NULL, &hub, reason, capacity);
    lead.is = !status;
    if (!status)
        rk_hub_keep(hub, 0); /* MPI tells those that have not come */
    return status;
}

/* A key file in a folder of its own; the name is remembered, the file not needed for long. */
static int make_keys(char folder[64], char *reason, size_t capacity)
{
    const char *place = getenv("TMPDIR");
    snprintf(folder, 64, "%.40s/rask-keys-XXXXXX", place && *place && strlen(place) <= 40 ? place : "/tmp");
    if (!mkdtemp(folder)) {
        snprintf(reason, capacity, "no folder for the keys of the cluster: %.60s cannot be made", folder);
        return RASK_EIO;
    }
    snprintf(lead.keys, sizeof lead.keys, "%s/keys", folder);
    return rask_cluster_make_keys(lead.keys, reason, capacity);
}

static int open_tcp(uint32_t others, rk_cluster_keys *keys, char *reason, size_t capacity)
{
    const char *own = getenv("RASK_CLUSTER_KEYS"), *address = getenv("RASK_CLUSTER");
    char folder[64] = "";
    rk_hub *hub;
    bool given = own && *own, placed = address && !strncmp(address, "tcp://", strlen("tcp://"));
    int status = given ? RASK_OK : make_keys(folder, reason, capacity);
    if (given)
        snprintf(lead.keys, sizeof lead.keys, "%s", own);
    snprintf(lead.address, sizeof lead.address, "%s", placed ? address : "tcp://*:*");
    if (!status)
        status = rk_cluster_keys_read(lead.keys, keys, reason, capacity);
    if (!status)
        status = rk_hub_get(lead.address, lead.keys, &hub, reason, capacity);
    if (!status)
        rk_hub_keep(hub, others);
    if (!given) {
        unlink(lead.keys);
        rmdir(folder);
    }
    return status;
}

static int write_letter(post *p, uint32_t others, char *reason, size_t capacity)
{
    rk_cluster_keys keys = {"", ""};
    char address[RK_MAX_CONTACT + 1];
    int status = open_tcp(others, &keys, reason, capacity);
    if (!status) {
        snprintf(address, sizeof address, "%s", rk_hub_contact());
        *strrchr(address, '/') =
            '\0'; /* of "tcp://host:port/key" the key, which workers have by the letter */
        p->size = write_order(p->order, sizeof p->order, address, &keys);
    }
    explicit_bzero(&keys, sizeof keys);
    return status;
}

/* MPI begins before the hub is opened, and so ends after it: the others end when that has told them to. */
static int lead_tcp(const rk_launch *launch, char *reason, size_t capacity)
{
    static post p;
    const rk_transport_engine *engine;
    int status = rk_transport_find("mpi", &engine, reason, capacity);
    if (!status)
        status = post_open(&p, engine, reason, capacity);
    if (!status)
        status = write_letter(&p, launch->ranks - 1, reason, capacity);
    if (!status)
        post_send(&p, launch->ranks - 1);
    rk_line_close(&p.line);
    explicit_bzero(p.order, sizeof p.order);
    lead.is = !status;
    return status;
}

int rk_launch_begin(const rk_launch *launch, rk_launch_work work, char *reason, size_t capacity)
{
    own_launch = launch;
    own_work = work;
    lead.others = launch->ranks - 1;
    if (launch->rank > 0)
        return be_rank(launch, reason, capacity);
    return launch->tcp ? lead_tcp(launch, reason, capacity) : lead_mpi(reason, capacity);
}

void rk_launch_fill(rask_options *options)
{
    bool open = !options->cluster || !*options->cluster || !strcmp(options->cluster, "mpi:");
    if (!lead.is || !open)
        return;
    options->cluster = lead.address;
    if (!*lead.keys)
        return;
    options->cluster_keys = lead.keys;
    options->cluster_insecure = false; /* whatever is said of other clusters */
}

uint32_t rk_launch_elsewhere(const char *address)
{
    return lead.is && strcmp(address, lead.address) != 0 ? lead.others : 0;
}

int rk_launch_engine(const rk_transport_engine **engine, char *reason, size_t capacity)
{
    if (lead.is || rk_indoor_is())
        return rk_transport_find("mpi", engine, reason, capacity);
    rk_launch launch;
    int status = rk_launch_read(&launch, reason, capacity);
    if (status)
        return status;
    snprintf(reason, capacity,
             launch.ranks > 1 ? "mpi: needs rask_cluster_init(&argc, &argv) at the beginning of main()"
                              : "mpi: is for programs that were started several times together: "
                                "mpirun -n 4 ./prog, or srun --mpi=pmix -n 4 ./prog");
    return RASK_EUNSUPPORTED;
}
