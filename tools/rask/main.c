#include "commands.h"
#include "help.h"
#include "say.h"

#include <rask/base.h>
#include <rask/cluster.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static bool is_any(const char *text, const char *a, const char *b)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

/* A descriptor that the caller closed would be given to the next file opened, which would then be written to
 * as standard output. What fills the gap here cannot be used in its direction, so that the use fails. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_FAILED);
    }
}

/* A pattern may open thousands of files. The usual limit is low for the sake of select(), which nothing here calls. */
static void allow_open_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static bool are_ranks(const char *address)
{
    return address && strncmp(address, "mpi:", 4) == 0;
}

/* Of a job that mpirun started: unless they are asked for, each is a rask of its own. */
static bool wants_ranks(int argc, char **argv)
{
    bool wants = are_ranks(getenv("RASK_CLUSTER"));
    for (int i = 1; i < argc && !wants; i++)
        wants = are_ranks(argv[i]) ? strcmp(argv[i - 1], "--cluster") == 0
                                   : strncmp(argv[i], "--cluster=", 10) == 0 && are_ranks(argv[i] + 10);
    return wants;
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    allow_open_files();
    signal(SIGCHLD, SIG_DFL); /* whoever started this may not want to hear of children, but this does */
    if (argc < 2) {
        help_print_commands(stderr);
        return EXIT_USAGE;
    }
    if (is_any(argv[1], "--help", "-h")) {
        help_print_commands(stdout);
        return say_done("--help");
    }
    if (is_any(argv[1], "--version", "-V")) {
        printf("rask %s\n", rask_version());
        return say_done("--version");
    }
    if (wants_ranks(argc, argv))
        rask_cluster_init(&argc, &argv); /* all ranks but one go no further */
    const tool_command *c = commands_find(argv[1]);
    return c ? c->run(c, argc - 1, argv + 1) : commands_say_unknown(argv[1]);
}
