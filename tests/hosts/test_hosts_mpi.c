/* Ranks on several hosts (hosts.h): the same bytes over cables and a slow one; a cable that is cut ends the job with an
 * error, and nothing of it stays. What starts ranks elsewhere is a script in the place of ssh, for the hosts have none. */
#include "hosts.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HOSTS = 3, PATH = 256, MOST_ARGS = 48, NOTHING_LEFT_S = 30 };

static char folder[] = "/tmp/rask-test-hosts-mpi-XXXXXX", starter[PATH];
static hosts h;
static const char *rask_program, *ranks_program;

static void sleep_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Called as "STARTER [OPTION]… ADDRESS COMMAND…": runs it on that host, which has a name of its own. */
static void write_starter(void)
{
    snprintf(starter, sizeof starter, "%s/starter", folder);
    FILE *out = fopen(starter, "w");
    cr_assert_not_null(out);
    fprintf(
        out,
        "#!/bin/sh\nwhile [ \"${1#-}\" != \"$1\" ]; do shift; done\nhost=${1##*.}\nshift\ncase $host in\n");
    for (uint32_t i = 1; i <= HOSTS; i++)
        fprintf(out, "%u) space=/proc/%d/fd/%d ;;\n", i, (int)getpid(), h.spaces[i]);
    fprintf(out, "esac\nexec nsenter --net=$space unshare --uts sh -c \"hostname host$host; exec $*\"\n");
    cr_assert_eq(fclose(out), 0);
    cr_assert_eq(chmod(starter, S_IRWXU), 0);
}

static bool is_in_path(const char *name)
{
    char command[PATH];
    snprintf(command, sizeof command, "command -v %s >/dev/null", name);
    return system(command) == 0;
}

static void set_up(void)
{
    char why[256] = "";
    rask_program = getenv("RASK_TEST_PROGRAM");
    ranks_program = getenv("RASK_TEST_RANKS");
    if (!rask_program || !ranks_program || !is_in_path("mpirun.openmpi") || !is_in_path("nsenter"))
        cr_skip_test("no programs to run, mpirun.openmpi or nsenter");
    if (!hosts_begin(&h, HOSTS, why, sizeof why))
        cr_skip_test("%s", why);
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    write_starter();
}

static void tear_down(void)
{
    char command[PATH];
    if (!*starter)
        return;
    hosts_end(&h);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(hosts_mpi, .init = set_up, .fini = tear_down, .timeout = 100);

/* What starts a job on the first host, with a rank more there. By Open MPI's own means its launchers would notice within seconds who
 * is silent; here they are left to themselves, as they are for users. */
typedef struct engine {
    const char *launcher;
    const char *words[24]; /* "": the starter */
} engine;

static const engine openmpi = {"mpirun.openmpi",
                               {"--allow-run-as-root", "--mca", "plm_rsh_agent", "", "--mca", "pml", "ob1",
                                "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "10.77.0.0/24",
                                "--mca", "oob_tcp_if_include", "10.77.0.0/24", "--host",
                                "10.77.0.1:2,10.77.0.2:1,10.77.0.3:1"}};
static const engine mpich = {"mpiexec.mpich",
                             {"-launcher", "ssh", "-launcher-exec", "", "-localhost", "10.77.0.1", "-hosts",
                              "10.77.0.1:2,10.77.0.2:1,10.77.0.3:1"}};

static void put_words(const engine *e, const char *program, const char *const *words, const char **args)
{
    size_t count = 0;
    args[count++] = e->launcher;
    for (size_t i = 0; e->words[i]; i++)
        args[count++] = *e->words[i] ? e->words[i] : starter;
    args[count++] = "-n";
    args[count++] = "4";
    args[count++] = program;
    for (size_t i = 0; words[i]; i++)
        args[count++] = words[i];
    args[count] = NULL;
}

static pid_t start(const engine *e, const char *program, const char *const *words)
{
    const char *args[MOST_ARGS];
    put_words(e, program, words, args);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid)
        return pid;
    int log = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    setenv("RASK_WORKERS", "1", 1);
    setenv("UCX_TLS", "tcp,self", 1);
    setenv("TMPDIR", folder, 1); /* for what is left by those that are killed */
    if (hosts_enter(&h, 1) && !unshare(CLONE_NEWUTS) && !sethostname("host1", 5) && dup2(log, 1) >= 0 &&
        dup2(log, 2) >= 0)
        execvp(args[0], (char *const *)(uintptr_t)args);
    _exit(127);
}

static int end_of(pid_t pid)
{
    int how;
    cr_assert_eq(waitpid(pid, &how, 0), pid);
    return how;
}

static bool is_on_a_host(const char *process)
{
    char path[PATH];
    struct stat its, space;
    snprintf(path, sizeof path, "/proc/%.20s/ns/net", process);
    if (stat(path, &its))
        return false;
    for (uint32_t i = 1; i <= HOSTS; i++)
        if (!fstat(h.spaces[i], &space) && its.st_ino == space.st_ino && its.st_dev == space.st_dev)
            return true;
    return false;
}

/* told: with a line for each. */
static int count_processes(bool told)
{
    char command[PATH];
    int count = 0;
    DIR *all = opendir("/proc");
    cr_assert_not_null(all);
    for (const struct dirent *one; (one = readdir(all));)
        if (one->d_name[0] >= '1' && one->d_name[0] <= '9' && is_on_a_host(one->d_name)) {
            count++;
            snprintf(command, sizeof command, "ps -o pid=,ppid=,args= -p %.20s >&2", one->d_name);
            if (told && system(command))
                break;
        }
    closedir(all);
    return count;
}

static void nothing_must_be_left(void)
{
    int left = count_processes(false);
    for (int i = 0; left && i < NOTHING_LEFT_S * 10; i++) {
        sleep_ms(100);
        left = count_processes(i + 1 == NOTHING_LEFT_S * 10);
    }
    cr_assert_eq(left, 0, "%d processes are left", left);
}

static void print_log(void)
{
    char line[400];
    FILE *log = fopen("log", "r");
    while (log && fgets(line, sizeof line, log))
        fprintf(stderr, "# %s", line);
    if (log)
        fclose(log);
}

static const char expression[] =
    "cumsum(arange(90000.).reshape(300, 300) % 97 @ (arange(90000.).reshape(300, 300) % 89), axis=1)";

static void bytes_must_be_same(void)
{
    char command[3 * PATH];
    snprintf(command, sizeof command, "%s eval '%s' -o want.npy", rask_program, expression);
    cr_assert_eq(system(command), 0);
    pid_t pid = start(&openmpi, rask_program,
                      (const char *const[]){"eval", expression, "-o", "got.npy", "--cluster", "mpi:", NULL});
    int how = end_of(pid);
    if (how)
        print_log();
    cr_assert_eq(how, 0);
    cr_assert_eq(system("cmp want.npy got.npy"), 0);
    nothing_must_be_left();
}

Test(hosts_mpi, ranks_on_other_hosts_give_the_same_bytes_over_a_slow_link_too)
{
    bytes_must_be_same();
    const char *by = hosts_slow(&h, 3);
    fprintf(stderr, "# slowed by %s\n", by ? by : "nothing that the kernel has");
    if (by)
        bytes_must_be_same();
}

static bool has_said(const char *word)
{
    char line[400];
    bool found = false;
    FILE *log = fopen("log", "r");
    while (log && !found && fgets(line, sizeof line, log))
        found = strstr(line, word) != NULL;
    if (log)
        fclose(log);
    return found;
}

/* The job is in the midst of what play_cluster does, and says so before it ends: who is silent, which the other side does, too. */
static void cut_must_end(const engine *e)
{
    int how = 0;
    struct timespec cut, end;
    pid_t pid = start(e, ranks_program, (const char *const[]){NULL});
    while (!has_said("ok 1") && waitpid(pid, &how, WNOHANG) == 0)
        sleep_ms(50);
    if (!has_said("ok 1"))
        print_log();
    cr_assert(has_said("ok 1"));
    cr_assert(hosts_plug(&h, 3, false));
    clock_gettime(CLOCK_MONOTONIC, &cut);
    how = end_of(pid);
    clock_gettime(CLOCK_MONOTONIC, &end);
    fprintf(stderr, "# %s: the job has ended %.1f s after the cut\n", e->launcher,
            (double)(end.tv_sec - cut.tv_sec) + (double)(end.tv_nsec - cut.tv_nsec) / 1e9);
    print_log();
    cr_assert(how != 0 && (!WIFEXITED(how) || WEXITSTATUS(how) != 127), "%d", how);
    cr_assert(has_said("has said nothing for 8 seconds"));
    nothing_must_be_left();
}

Test(hosts_mpi, a_cable_that_is_cut_ends_a_job_of_open_mpi_with_a_message_and_nothing_stays)
{
    cut_must_end(&openmpi);
}

Test(hosts_mpi, a_cable_that_is_cut_ends_a_job_of_mpich_with_a_message_and_nothing_stays)
{
    if (!is_in_path(mpich.launcher))
        cr_skip_test("no %s", mpich.launcher);
    cut_must_end(&mpich);
}
