/* What a scheduler must do (play.h), on one engine; prints TAP.
 *
 *   mpirun -n RANKS play_cluster [ranks [WORD]]    with RASK_TRANSPORT=tcp over ZeroMQ
 *   play_cluster zmq|zmq-plain|processes|threads|serial [WORD]
 *
 * WORD: only scenes that have it in their name. */
#include "play.h"
#include "workers.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

enum { WORKERS = 3 };

/* -- The board */

enum { PATH = 256 };

static void board_path(int64_t id, char path[PATH])
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, PATH, "%s/rask-test-board-%lld", folder && *folder ? folder : "/tmp", (long long)id);
}

static board *map_board(int64_t id, int flags)
{
    char path[PATH];
    board_path(id, path);
    int fd = open(path, O_RDWR | O_CLOEXEC | flags, S_IRUSR | S_IWUSR);
    void *at = MAP_FAILED;
    if (fd >= 0 && (!flags || !ftruncate(fd, sizeof(board))))
        at = mmap(NULL, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    cr_assert_neq(at, MAP_FAILED, "%s", path);
    return at;
}

board *board_at(int64_t id)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int64_t known;
    static board *there;
    pthread_mutex_lock(&lock);
    if (known != id)
        there = map_board(id, 0);
    known = id;
    board *b = there;
    pthread_mutex_unlock(&lock);
    return b;
}

board *board_of(rask_task *t)
{
    return board_at(rask_arg_i64(t, 0));
}

void board_note(board *b, int64_t number)
{
    int at = atomic_fetch_add(&b->noted, 1);
    if (at < BOARD_NOTES)
        b->notes[at] = number;
}

/* Random graphs are on it. */
static house h;

static random_graph *take_from_board(void)
{
    memset((void *)&h.board->graph, 0, sizeof h.board->graph);
    return &h.board->graph;
}

static void give_to_board(random_graph *g)
{
    (void)g;
}

static int64_t name_of_board(const random_graph *g)
{
    (void)g;
    return h.id;
}

static random_graph *find_on_board(int64_t id)
{
    return &board_at(id)->graph;
}

static void remove_board(void)
{
    char path[PATH];
    board_path(h.id, path);
    if (h.id == getpid())
        unlink(path);
}

static void open_board(void)
{
    h.id = getpid();
    h.board = map_board(h.id, O_CREAT | O_TRUNC);
    atexit(remove_board);
}

/* -- What scenes do again and again */

rask_value play_value(rask_node *node, const rask_options *o)
{
    rask_value result;
    int status = rask_compute_value(node, o, &result);
    cr_assert_eq(status, RASK_OK, "%d, %s", status, rask_graph_error(rask_node_graph(node)));
    return result;
}

int64_t play_i64(rask_node *node, const rask_options *o)
{
    rask_value result = play_value(node, o);
    cr_assert_eq(result.type, RASK_I64);
    return result.as.i64;
}

void play_failure(rask_node *node, const rask_options *o, int status, const char *const *words)
{
    int64_t answer = 77;
    int got = rask_compute_out(node, o, RASK_OUT_I64, &answer);
    const char *text = rask_graph_error(rask_node_graph(node));
    cr_assert_eq(got, status, "%d, %s", got, text);
    cr_assert_eq(answer, 77);
    for (; *words; words++)
        cr_assert_not_null(strstr(text, *words), "\"%s\" lacks \"%s\"", text, *words);
}

/* -- Engines */

static void be_worker(const char *program, const char *address, const char *keys)
{
    setenv("RASK_WORKER_OF", address, 1);
    setenv(*keys ? "RASK_CLUSTER_KEYS" : "RASK_CLUSTER_INSECURE", *keys ? keys : "1", 1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(program, program, (char *)NULL);
    _exit(1);
}

/* A process that keeps workers, each a program of its own with a successor; they end with it, and it with this one. */
static void keep_workers(const char *program, const char *address, const char *keys)
{
    pid_t parent = getpid(), pid = fork();
    cr_assert_geq(pid, 0);
    if (pid)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int there = 0; getppid() == parent; there--) {
        for (; there < WORKERS; there++)
            if (fork() == 0)
                be_worker(program, address, keys);
        while (waitpid(-1, NULL, 0) < 0) {
        }
    }
    _exit(0);
}

static char address[64], keys[64];

static void remove_keys(void)
{
    unlink(keys);
}

static void begin_zmq(const char *program, bool encrypted)
{
    char reason[256] = "";
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", find_port());
    if (encrypted) {
        snprintf(keys, sizeof keys, "/tmp/rask-test-play-keys-%d", (int)getpid());
        unlink(keys);
        cr_assert_eq(rask_cluster_make_keys(keys, reason, sizeof reason), RASK_OK, "%s", reason);
        atexit(remove_keys);
    }
    keep_workers(program, address, keys);
    h.options.cluster = address;
    h.options.cluster_keys = encrypted ? keys : NULL;
    h.options.cluster_insecure = !encrypted;
    h.has = NEEDS_OTHERS | NEEDS_TRAVEL | NEEDS_TWO | NEEDS_GROWN_TOLD;
}

static bool is(const char *text, const char *other)
{
    return !strcmp(text, other);
}

/* As launchers say it; srun's with pmix says it only for itself. */
static uint32_t number_of_ranks(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
    const char *text = NULL;
    for (int i = 0; i < 3 && !text; i++)
        text = getenv(names[i]);
    return text ? (uint32_t)atoi(text) : 0;
}

/* False: there is no such engine. */
static bool begin(const char *program, const char *engine)
{
    h.options = (rask_options)RASK_OPTIONS_INIT;
    h.options.timeout = 60;
    h.options.memory = PLAY_BUDGET;
    h.workers = WORKERS;
    if (is(engine, "ranks")) {
        h.workers = number_of_ranks() - 1;
        h.has = NEEDS_OTHERS | NEEDS_TRAVEL | NEEDS_RANKS | NEEDS_TWO | NEEDS_GROWN_TOLD;
        return number_of_ranks() > 1;
    }
    if (is(engine, "zmq") || is(engine, "zmq-plain")) {
        begin_zmq(program, is(engine, "zmq"));
        return true;
    }
    h.options.scheduler = engine;
    h.options.workers = WORKERS;
    h.has = is(engine, "processes") ? NEEDS_OTHERS : NEEDS_GROWN_TOLD;
    h.has |= is(engine, "serial") ? 0 : NEEDS_TWO;
    return is(engine, "processes") || is(engine, "threads") || is(engine, "serial");
}

/* -- All of them */

static int number;

static void play_all(const scene *all, const char *word)
{
    for (; all->name; all++) {
        if (word && !strstr(all->name, word))
            continue;
        bool fits = !(all->needs & ~h.has);
        memset((void *)h.board, 0, offsetof(board, graph));
        if (fits)
            all->play(&h);
        printf("ok %d - %s%s\n", ++number, all->name, fits ? "" : " # SKIP not of such an engine");
        fflush(stdout);
    }
}

/* What each worker has that is no child of this process; those of a job start as it does. */
static void say_what_workers_have(void)
{
    char budget[32];
    snprintf(budget, sizeof budget, "%d", PLAY_BUDGET);
    setenv("RASK_WORKERS", "1", 1);
    setenv("RASK_MEMORY", budget, 1);
}

int main(int argc, char **argv)
{
    const char *word = argc > 2 ? argv[2] : NULL;
    say_what_workers_have();
    random_graphs = (random_graph_place){take_from_board, give_to_board, name_of_board, find_on_board};
    rask_cluster_init(&argc, &argv);
    if (!begin("/proc/self/exe", argc > 1 ? argv[1] : "ranks")) {
        printf("Bail out! usage: mpirun -n RANKS play_cluster, with two ranks or more, or play_cluster "
               "ENGINE\n");
        return 1;
    }
    open_board();
    play_all(play_results, word);
    play_all(play_failures, word);
    play_all(play_rules, word);
    play_all(play_runs, word);
    printf("1..%d\n", number);
    return 0;
}
